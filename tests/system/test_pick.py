"""Picking: type and see, on a terminal of its own, and the choice on standard output."""

import json
import os
import re
import signal
from pathlib import Path

import pytest
from support.cli import Kindlehl, complaint, highlight, written
from support.session import CTRL_C, DOWN, ENTER, ESCAPE, TAB, UP, session


def test_what_is_typed_is_found_and_enter_prints_it_whole(reader: Kindlehl) -> None:
    """The word need not be whole; the choice alone is on standard output."""
    with session(reader, "pick") as terminal:
        terminal.see("18 found")
        terminal.send("delib")
        terminal.see("1 found")
        terminal.see("I went to the woods")
        terminal.send(ENTER)
        code, out = terminal.end()
    assert code == 0
    assert out.startswith("Walden — Thoreau, Henry David\n")
    assert "discover that I had not\n          lived." in out
    assert "\x1b" not in out


def test_keys_that_come_all_at_once_choose_what_was_typed_last(reader: Kindlehl) -> None:
    """Enter waits until what is seen is what was typed."""
    with session(reader, "pick", "--print", "id") as terminal:
        terminal.send("frittered" + ENTER)
        code, out = terminal.end()
    assert code == 0
    assert "Our life is frittered" in reader.ok("show", out.strip())


def test_arrows_move_and_tab_marks_several(reader: Kindlehl) -> None:
    """They come out in the order in which they were marked, as ids or as JSON."""
    texts = [item["text"] for item in json.loads(reader.ok("list", "author:thoreau", "--json"))["items"]]
    assert len(texts) == 3
    with session(reader, "pick", "title:walden", "--json") as terminal:
        terminal.see("3 found")
        terminal.send(DOWN + DOWN + DOWN + TAB)
        terminal.see("1 marked")
        terminal.send(UP + UP + TAB)
        terminal.see("2 marked")
        terminal.send(ENTER)
        code, out = terminal.end()
    assert code == 0
    assert [item["text"] for item in json.loads(out)["items"]] == [texts[2], texts[0]]


def test_marked_ones_can_be_unmarked_and_outlive_another_query(reader: Kindlehl) -> None:
    """What was marked is chosen, whatever is seen."""
    with session(reader, "pick", "title:walden", "--print", "text") as terminal:
        terminal.see("3 found")
        terminal.send(TAB + TAB)
        terminal.see("2 marked")
        terminal.send(UP + TAB)
        terminal.see("1 marked")
        terminal.send(" xylophone")
        terminal.see("0 found")
        terminal.send(ENTER)
        assert terminal.end() == (0, "The mass of men lead lives of quiet desperation.\n")


@pytest.mark.parametrize("key", [ESCAPE, CTRL_C], ids=["Esc", "Ctrl-C"])
def test_who_leaves_has_chosen_nothing(reader: Kindlehl, key: str) -> None:
    """Exit code 130, and standard output empty."""
    with session(reader, "pick") as terminal:
        terminal.see("18 found")
        terminal.send(TAB)
        terminal.see("1 marked")
        terminal.send(key)
        assert terminal.end() == (130, "")


def test_when_nothing_is_found_enter_waits_for_something(reader: Kindlehl) -> None:
    """There is nothing to choose, and the reader may go on typing."""
    with session(reader, "pick", "xylophone", "--print", "id") as terminal:
        terminal.see("0 found")
        terminal.send(ENTER + "\x15")
        terminal.see("18 found")
        terminal.send(ESCAPE)
        assert terminal.end() == (130, "")


def test_half_a_condition_is_told_and_what_was_found_stays(reader: Kindlehl) -> None:
    """Who types since:2017 types since:20 first."""
    with session(reader, "pick") as terminal:
        terminal.see("18 found")
        terminal.send("since:20")
        terminal.see("since:20 is no day.")
        terminal.send("23")
        terminal.see("3 found")
        terminal.send(ESCAPE)
        assert terminal.end()[0] == 130


@pytest.mark.parametrize(("columns", "rows"), [(40, 10), (20, 4), (200, 60)])
def test_every_size_of_a_terminal_will_do(reader: Kindlehl, columns: int, rows: int) -> None:
    """The line on top, what is found below it, the help at the bottom."""
    with session(reader, "pick", "若水", columns=columns, rows=rows) as terminal:
        terminal.see("1 found")
        assert "若" in terminal.lines[0]
        assert "上" in terminal.lines[1]
        assert terminal.lines[-1].startswith("1 found")
        assert len(terminal.lines) == rows
        terminal.send(ENTER)
        assert terminal.end()[0] == 0


def test_the_window_can_be_made_smaller_and_larger(reader: Kindlehl) -> None:
    """While it is used."""
    with session(reader, "pick") as terminal:
        terminal.see("18 found")
        for columns, rows in ((40, 10), (100, 30), (10, 3), (80, 24)):
            terminal.resize(columns, rows)
            terminal.until(lambda rows=rows: terminal.lines[rows - 1].startswith("18 found"))
            terminal.send(DOWN)
        terminal.send(ESCAPE)
        assert terminal.end()[0] == 130


def test_a_terminal_that_is_closed_ends_it(reader: Kindlehl) -> None:
    """Without a choice, a traceback or a process that goes on."""
    with session(reader, "pick") as terminal:
        terminal.see("18 found")
        terminal.close_terminal()
        code, out = terminal.end()
    assert code in (1, 130, -signal.SIGHUP)
    assert out == ""
    assert not (reader.state / "last-error.txt").exists()


def test_without_a_terminal_there_is_a_hint(reader: Kindlehl) -> None:
    """Exit code 2; a script is told what to use instead."""
    assert "search" in complaint(reader("pick", before=os.setsid), 2)


def test_a_terminal_that_cannot_be_drawn_on_is_none(reader: Kindlehl) -> None:
    """TERM=dumb, as in an editor's shell."""
    done = reader.on_terminal("pick", env={"TERM": "dumb"})
    assert done.code == 2
    assert "terminal" in done.out


def test_nothing_in_a_book_commands_the_terminal_or_breaks_the_screen(kindlehl: Kindlehl, tmp_path: Path) -> None:
    """Control characters, text from right to left, joined emoji: each row stays a row."""
    evil = (
        "ordinary \x1b]0;owned\x07 \x9b2J \x1b[2J \u202egnp.exe\u202c שלום עולם \U0001f468\u200d\U0001f469 智に働けば"
    )
    kindlehl.ok("import", written(tmp_path / "c.txt", highlight(evil), highlight(f"x{evil}", start=90, second=9)))
    with session(kindlehl, "pick", columns=60, rows=12) as terminal:
        terminal.see("2 found")
        assert terminal.lines[0] == ">"
        assert terminal.lines[1].lstrip("* ").startswith("ordinary")
        assert terminal.lines[2].lstrip("* ").startswith("xordinary")
        assert not re.search(rb"\x1b\]|\x9b|\xe2\x80\xae|\x07", terminal.raw)
        assert terminal.raw.count(b"\x1b[2J") <= 2  # the picker's own
        terminal.send(ESCAPE)
        assert terminal.end()[0] == 130
