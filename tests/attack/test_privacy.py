"""What somebody reads stays with them: no error and no report holds a word of it."""

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from support.cli import SAMPLE, Kindlehl, highlight, many, written

from kindlehl.cli.run import run

SECRET = "Zyzzogeton"
BAD_META = (
    f"{SECRET} the title ({SECRET} the author)\n- {SECRET} meta 5-6 | {SECRET} 1, 2\n\n{SECRET} text.\n==========\n"
)


def test_a_complaint_of_unreadable_records_names_lines_and_no_words(kindlehl: Kindlehl) -> None:
    """On stderr and in the report: line and reason, neither title nor text nor what was taken for a date."""
    path = written(
        kindlehl.home / "c.txt", f"{SECRET} stray line\n==========\n", highlight("One."), BAD_META,
        highlight(f"{SECRET}.", start=5).replace("January 1, 2018", f"{SECRET} 99, 20189"),
    )  # fmt: skip
    done = kindlehl("import", path, "--json")
    assert done.code == 3
    assert done.json["kinds"]["unreadable"] >= 2
    assert SECRET not in done.err + done.out


def test_the_report_of_a_bug_holds_no_word_of_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception with a highlight in its message: its name and our lines are kept, the message is not."""
    import kindlehl.cli.app

    def broken(**_: object) -> None:
        raise ZeroDivisionError(f"could not digest {SECRET}")

    monkeypatch.setattr(kindlehl.cli.app, "app", broken)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert run() == 1
    report = (tmp_path / "kindlehl" / "last-error.txt").read_text("utf-8")
    assert "ZeroDivisionError" in report
    assert "broken" in report
    assert SECRET not in report


def test_a_bug_is_told_in_two_lines_with_the_place_of_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without a word of the message; and where the report cannot be written, it says so."""
    import kindlehl.cli.app

    def broken(**_: object) -> None:
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr(kindlehl.cli.app, "app", broken)
    for place in (tmp_path, Path(os.devnull)):
        monkeypatch.setenv("XDG_STATE_HOME", str(place))
        assert run() == 1
        err = capfd.readouterr().err
        assert err.count("\n") == 2
        assert "ZeroDivisionError" in err
        assert SECRET not in err
        assert "Traceback" not in err


def test_the_library_is_not_written_anywhere_else(kindlehl: Kindlehl) -> None:
    """After an import, looks and an export to a pipe, no file but the library holds a word of it."""
    temporary = kindlehl.home / "tmp"
    temporary.mkdir()
    env = {"TMPDIR": str(temporary)}
    kindlehl.ok("import", "-", stdin=(highlight(f"{SECRET}.") + many(50)).encode(), env=env)
    for command in (["list"], ["search", SECRET], ["export", "json", "--to", "-"], ["export", "markdown", "--to", "-"]):
        assert SECRET in kindlehl.ok(*command, env=env)
    holding = [p for p in kindlehl.home.rglob("*") if p.is_file() and SECRET.encode() in p.read_bytes()]
    assert holding == [kindlehl.library]
    assert list(temporary.iterdir()) == []


def test_the_private_copy_of_a_source_is_for_its_owner_only(kindlehl: Kindlehl) -> None:
    """While an import runs, its copy in the temporary folder can be read by nobody else."""
    temporary = kindlehl.home / "tmp"
    temporary.mkdir()
    read, write = os.pipe()
    modes: list[int] = []
    with kindlehl.start("import", "-", stdin=read, env={"TMPDIR": str(temporary)}) as process:
        os.close(read)
        os.write(write, highlight(f"{SECRET}.").encode())
        patience = time.monotonic() + 20
        while not modes and time.monotonic() < patience:
            time.sleep(0.01)
            modes = [copy.stat().st_mode & 0o077 for copy in temporary.glob("kindlehl-*")]
        os.close(write)
        process.communicate(timeout=30)
    assert modes == [0]
    assert json.loads(kindlehl.ok("list", "--json"))["items"][0]["text"] == f"{SECRET}."


def test_a_query_is_remembered_nowhere(kindlehl: Kindlehl) -> None:
    """Neither in the library nor beside it."""
    kindlehl.ok("import", SAMPLE)
    kindlehl("search", SECRET)
    with closing(sqlite3.connect(kindlehl.library)) as connection:
        assert SECRET not in "".join(connection.iterdump())
    assert not [p for p in kindlehl.home.rglob("*") if p.is_file() and SECRET.encode() in p.read_bytes()]
