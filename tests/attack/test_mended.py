"""What was wrong once, and what an enemy would try again: each of these failed before it was mended."""

import json
import os
from pathlib import Path

import pytest
from support.cli import (
    SAMPLE,
    Kindlehl,
    bound_by_permissions,
    complaint,
    contents,
    disk,
    fill,
    highlight,
    many,
    read_only,
    written,
)  # fmt: skip

from kindlehl.cli.render import cells
from kindlehl.services import exporting, importing, sources
from kindlehl.store.library import open_library
from kindlehl_plugins.clippings import ClippingsImporter


@pytest.fixture
def kindlehl(tmp_path: Path) -> Kindlehl:
    return Kindlehl(tmp_path / "home")


@pytest.fixture
def holder(kindlehl: Kindlehl) -> Kindlehl:
    kindlehl.ok("import", SAMPLE)
    return kindlehl


def library_of_sample(path: Path):
    library = open_library(path)
    with sources.opened_path(SAMPLE, [ClippingsImporter()]) as source:
        importing.import_sources(library, [source])
    return library


def test_02_a_link_beside_the_manifest_is_not_written_through(holder: Kindlehl, tmp_path: Path) -> None:
    """`.kindlehl/exports.json.part -> ~/diary` in a stranger's vault."""
    diary = tmp_path / "diary"
    diary.write_text("my own words\n")
    (tmp_path / "vault" / ".kindlehl").mkdir(parents=True)
    (tmp_path / "vault" / ".kindlehl" / "exports.json.part").symlink_to(diary)
    holder("export", "markdown", "--to", tmp_path / "vault")
    assert diary.read_text() == "my own words\n"


def test_02b_a_link_in_place_of_the_manifests_folder_is_not_followed(holder: Kindlehl, tmp_path: Path) -> None:
    """`.kindlehl -> ~/somewhere` that holds an exports.json of somebody else's."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "exports.json").write_text("my own\n")
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / ".kindlehl").symlink_to(tmp_path / "other")
    done = holder("export", "markdown", "--to", tmp_path / "vault")
    assert (tmp_path / "other" / "exports.json").read_text() == "my own\n"
    if done.code:
        complaint(done, 1)


@pytest.mark.parametrize("path", ["a\0b.md", "\ud800.md", "x" * 300, ".kindlehl"])
def test_03_an_odd_name_in_a_manifest_is_no_bug(holder: Kindlehl, tmp_path: Path, path: str) -> None:
    walden = next(b["id"] for b in json.loads(holder.ok("books", "--json"))["items"] if b["title"] == "Walden")
    (tmp_path / "vault" / ".kindlehl").mkdir(parents=True)
    (tmp_path / "vault" / ".kindlehl" / "exports.json").write_text(
        json.dumps({"schema": "kindlehl/exports/1", "files": {f"markdown/{walden}": {"path": path, "sha256": "x"}}})
    )
    done = holder("export", "markdown", "--to", tmp_path / "vault")
    assert "bug in" not in done.err, done
    assert len(list((tmp_path / "vault").glob("*.md"))) == 9


def test_03b_a_deeply_nested_manifest_is_a_broken_one(holder: Kindlehl, tmp_path: Path) -> None:
    (tmp_path / "vault" / ".kindlehl").mkdir(parents=True)
    (tmp_path / "vault" / ".kindlehl" / "exports.json").write_text("[" * 100_000)
    holder.ok("export", "markdown", "--to", tmp_path / "vault")


@pytest.mark.parametrize("title", ["CONIN$", "conout$"])
def test_04_a_reserved_name_with_a_suffix_is_changed_too(title: str) -> None:
    """Windows looks at what is before the first dot: aux.txt_.md is the device aux."""
    reserved = {"con", "prn", "aux", "nul", "com1", "conin$", "conout$"}
    assert (exporting.safe_name(title) + ".md").split(".")[0].strip().casefold() not in reserved


def test_05_no_text_of_the_readers_in_an_error_of_a_damaged_library(kindlehl: Kindlehl) -> None:
    """SQLite's "Could not decode to UTF-8 column 'text' with text '…'" quotes the highlight."""
    secret = "Zyzzogeton"
    kindlehl.ok("import", written(kindlehl.home / "c.txt", highlight(f"{secret} {'x' * 50}.")))
    whole = kindlehl.library.read_bytes()
    for bad in (b"\xff", b'"', b"\x00"):
        kindlehl.library.write_bytes(whole.replace(secret.encode() + b" ", secret.encode() + bad))
        for command in (["list"], ["list", "--json"], ["search", "x*"], ["db", "rebuild"], ["import", SAMPLE]):
            done = kindlehl(*command)
            assert secret not in done.err, (bad, command, done)
            assert "bug in kindlehl" not in done.err, (bad, command, done)
            report = kindlehl.state / "last-error.txt"
            assert not report.exists() or secret not in report.read_text("utf-8")


READS = (["list", "--plain"], ["books"], ["search", "woods"], ["export", "csv", "--to", "-"])


def test_07_a_library_on_a_full_disk_can_be_looked_at_and_exported(tmp_path: Path) -> None:
    """A full disk is the moment to get one's highlights out."""
    kindlehl = Kindlehl(tmp_path / "home")
    with disk(tmp_path / "disk", "8m") as small:
        library = small / "library.db"
        kindlehl.ok("import", SAMPLE, "--library", library)
        before = [kindlehl.ok(*look, "--library", library) for look in READS]
        fill(small)
        assert [kindlehl.ok(*look, "--library", library) for look in READS] == before


def test_09_an_export_that_found_no_room_leaves_no_part_behind(holder: Kindlehl, tmp_path: Path) -> None:
    holder.ok("import", written(holder.home / "c.txt", many(300)))
    with disk(tmp_path / "disk", "1m") as small:
        for leave in (0, 4096, 20_000):
            fill(small, leave)
            complaint(holder("export", "csv", "--to", small / "all.csv"), 1)
            (small / "ballast").unlink()
            assert [name for name in contents(small) if "part" in name] == []


@pytest.mark.parametrize("command", [["import", "~nobody-here/x.txt"], ["export", "csv", "--to", "~nobody-here/x.csv"]])
def test_10_a_home_that_does_not_exist_is_a_sentence(holder: Kindlehl, command: list[str]) -> None:
    done = holder(*command)
    complaint(done, done.code)


@pytest.mark.parametrize("command", [["list"], ["import", SAMPLE], ["db", "rebuild"]])
def test_11_a_library_whose_name_is_too_long_is_a_sentence(kindlehl: Kindlehl, command: list[str]) -> None:
    complaint(kindlehl(*command, "--library", "a" * 300), 1)


@pytest.mark.parametrize("command", [["list"], ["import", SAMPLE], ["db", "rebuild"], ["export", "csv", "--to", "-"]])
def test_12_a_library_in_a_folder_that_may_not_be_entered_is_a_sentence(holder: Kindlehl, command: list[str]) -> None:
    person = Kindlehl(holder.home, prefix=bound_by_permissions())
    holder.library.parent.chmod(0)
    try:
        complaint(person(*command), 1)
    finally:
        holder.library.parent.chmod(0o755)


def test_12b_a_folder_in_a_folder_that_may_not_be_entered_is_passed_over(holder: Kindlehl) -> None:
    person = Kindlehl(holder.home, prefix=bound_by_permissions())
    written(holder.home / "f" / "My Clippings.txt", highlight("One."))
    for n, mode in enumerate((0o444, 0)):
        written(holder.home / "f" / f"closed{n}" / "x.txt", highlight("Two.")).parent.chmod(mode)
    try:
        person.ok("import", holder.home / "f")
    finally:
        for n in range(2):
            (holder.home / "f" / f"closed{n}").chmod(0o755)


@pytest.mark.parametrize("command", [["list"], ["list", "--json"], ["books"], ["export", "json", "--to", "-"]])
def test_13_a_full_disk_behind_standard_output_is_a_sentence(holder: Kindlehl, command: list[str]) -> None:
    """`kindlehl list > /dev/full`."""
    with Path("/dev/full").open("wb") as full, holder.start(*command, stdout=full) as process:
        err = process.stderr.read().decode()
        process.wait(30)
    assert process.returncode == 1
    assert not any(word in err for word in ("Traceback", "Exception ignored", "bug in")), err
    assert err.startswith("kindlehl: ")


@pytest.mark.parametrize("command", [["list"], ["books", "--json"], ["db", "path"], ["-h"], ["--version"]])
def test_14_a_pipe_that_nobody_reads_is_quiet(holder: Kindlehl, command: list[str]) -> None:
    """`kindlehl list | true`: today "Exception ignored … BrokenPipeError" and exit 120."""
    read, write = os.pipe()
    os.close(read)
    with holder.start(*command, stdout=write) as process:
        os.close(write)
        err = process.stderr.read()
        process.wait(60)
    assert err == b""


@pytest.mark.parametrize("number", [0, 1])
def test_15_a_closed_standard_stream_is_no_bug(holder: Kindlehl, number: int) -> None:
    """`kindlehl import - <&-` and `kindlehl list >&-`."""
    done = holder(*(["list"] if number else ["import", "-"]), before=lambda: os.close(number))
    assert not any(word in done.err for word in ("bug in", "Traceback")), done


def test_16_a_target_whose_name_is_not_unicode_is_remembered(holder: Kindlehl) -> None:
    target = holder.home / "M\udce4rz.csv"
    holder.ok("export", "csv", "--to", target)
    assert "1 unchanged" in holder.ok("export", "csv", "--to", target)


@pytest.mark.parametrize("command", ["list", "books", "show"])
def test_17_no_line_is_wider_than_a_narrow_terminal(holder: Kindlehl, command: str) -> None:
    """List and show: the heading is not wrapped. Books: the line of counts is not."""
    ids = [item["id"] for item in json.loads(holder.ok("list", "--json", "--bookmarks"))["items"]]
    for arguments in [[id_] for id_ in ids] if command == "show" else [[]]:
        done = holder.on_terminal(command, *arguments, env={"COLUMNS": "40", "NO_COLOR": "1"}, columns=40)
        assert not [line for line in done.out.splitlines() if cells(line) > 40]


@pytest.mark.parametrize("month", ["2016-4", "24", "5"])
def test_18_a_month_without_its_nought_is_that_month_or_refused(holder: Kindlehl, month: str) -> None:
    """It is compared as text: 2016-4 is after 2016-12, so passages are left out in silence."""
    done = holder("list", "--plain", "--since", month)
    if done.code == 0:
        year, _, number = month.partition("-")
        assert done.out == holder.ok("list", "--plain", "--since", f"{int(year):04}-{int(number or 1):02}")
    else:
        complaint(done, 2)


def test_18b_a_week_is_no_day(holder: Kindlehl) -> None:
    """fromisoformat reads 2016-W16-1, which is then compared as text."""
    complaint(holder("list", "--since", "2016-W16-1"), 2)


def test_19_a_binary_called_my_clippings_is_refused(holder: Kindlehl) -> None:
    """200 kB of random bytes become one unreadable record of cp1252 in the library."""
    import random

    path = holder.home / "My Clippings.txt"
    path.write_bytes(random.Random(1).randbytes(200_000))
    complaint(holder("import", path), 1)


def test_20_an_export_of_a_library_from_a_stranger_commands_no_terminal(kindlehl: Kindlehl) -> None:
    """Facts of a JSON import hold whatever strings: colours, dates, pages, sources, chapters."""
    kindlehl.ok("import", SAMPLE)
    whole = json.loads(kindlehl.ok("export", "json", "--to", "-"))
    evil = "\x1b]0;owned\x07\u202e"
    for fact in whole["kindlehl"]["facts"]:
        for name in ("color", "at", "offset", "page", "source", "chapter"):
            if isinstance(fact.get(name), str):
                fact[name] += evil
    path = kindlehl.home / "x.json"
    path.write_text(json.dumps(whole))
    other = kindlehl.home / "o.db"
    done = kindlehl("import", path, "--library", other)
    for command in (["list"], ["list", "--newest"], ["books"], ["list", "--plain"], ["search", "the"]):
        out = kindlehl(*command, "--library", other).out
        assert not any(sign in out for sign in ("\x1b", "\u202e")), (command, done)
    for item in kindlehl("list", "--json", "--library", other).json["items"]:
        assert "\x1b" not in kindlehl("show", item["id"], "--library", other).out


def test_21_the_name_of_a_file_in_a_complaint_commands_no_terminal(kindlehl: Kindlehl) -> None:
    """A folder from a stranger with an evil name in it, and an unreadable record there."""
    path = kindlehl.home / "f" / "\x1b]0;owned\x07\u202e.txt"
    written(path, highlight("One."), "Book (A)\n- Xyzzy plugh 5-6 | frotz 1, 2\n\nW.\n==========\n")
    for target in (path.parent, path, kindlehl.home / "\x1b[2Jmissing"):
        done = kindlehl("import", target)
        assert "\x1b" not in done.err + done.out, done


def test_22_ctrl_c_while_the_program_starts_is_quiet(holder: Kindlehl) -> None:
    """The first tenth of a second, in which modules are imported. On a machine that is busy Python itself may not have
    come to any line of ours."""
    import signal
    import time

    for n in range(8):
        with holder.start("import", SAMPLE) as process:
            time.sleep(0.04 + 0.012 * n)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
        assert b"Traceback" not in err or b"/kindlehl/" not in err, (n, err.decode()[-400:])


def test_23_a_log_that_was_left_is_not_overlooked_on_a_read_only_disk(tmp_path: Path) -> None:
    """immutable=1 ignores the write-ahead log: committed passages must not vanish in silence."""
    import sqlite3

    kindlehl = Kindlehl(tmp_path / "home")
    with disk(tmp_path / "disk", "8m") as small:
        library = small / "library.db"
        kindlehl.ok("import", SAMPLE, "--library", library)
        keeper = sqlite3.connect(library)  # keeps the log from being folded in
        keeper.execute("SELECT count(*) FROM facts").fetchall()
        kindlehl.ok("import", written(tmp_path / "c.txt", highlight("New.")), "--library", library)
        kept = {name: (small / name).read_bytes() for name in ("library.db", "library.db-wal")}
        keeper.close()
        (small / "library.db-shm").unlink(missing_ok=True)
        for name, data in kept.items():
            (small / name).write_bytes(data)
        read_only(small)
        done = kindlehl("list", "--plain", "--library", library)
        assert done.code or done.out.count("\n") == 19, done
