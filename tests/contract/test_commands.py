"""The contract of every command in the app's tree, asked of the program as a process. Numbers like C6 are those of the
conventions that the project keeps. A command that is added is tested by adding a row to `support.tree.ROWS`."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.cli import FAULTS, bound_by_permissions, complaint, digest
from support.someone import (
    EVERY,
    OPENING,
    PUBLISHED,
    READING,
    SINGLE,
    STYLE,
    Person,
    each,
    sound,
    steady,
    wider,
)
from support.tree import ROWS, Command, Row, row

from kindlehl.cli.render import cells
from kindlehl.store.library import open_library

SNAPSHOT = Path(__file__).with_name("fields.json")
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0"}
"""An environment in which standard output is no UTF-8."""


# -- what there is ------------------------------------------------------------------------------------------------


@each(SINGLE)
def test_every_command_has_a_row(command: Command) -> None:
    """It says how to call the command; nobody forgets a command, for the message says what to add."""
    assert row(command)


def test_every_row_has_a_command() -> None:
    """A command that is gone takes its row along."""
    assert set(ROWS) == {command.name for command in SINGLE}


@each(EVERY)
def test_every_command_explains_itself(someone: Person, command: Command) -> None:
    """C8, C28: -h and --help, exit 0, a summary of one line, an example; 80 columns fit, and so do 40; nothing that is
    said on 80 is lost on 40."""
    wide = someone.ok(*command.words, "-h")
    narrow = someone.ok(*command.words, "--help", env={"COLUMNS": "40"})
    assert command.summary
    assert command.summary[0].isupper()
    assert command.summary.endswith((".", "..."))
    assert "\n" not in command.summary
    assert "Usage: kindlehl" in wide
    assert command.group or "Example: " in wide
    assert not [line for line in wide.splitlines() if cells(line) > 80]
    assert not [line for line in narrow.splitlines() if cells(line) > 40 and " " in line.strip()]
    if not command.group:  # of a group's commands the summaries are cut to fit
        assert re.sub(r"\s", "", wide) == re.sub(r"\s", "", narrow)


@each([command for command in EVERY if command.name not in ROWS or not row(command).runs])
def test_without_arguments_there_is_help_or_a_result(person: Person, command: Command) -> None:
    """C9, C14: never a hang, though nobody can answer; a group shows what is in it."""
    unasked = [] if command.group else ["--no-input"]
    done = person(*command.words, *unasked, env=blocked(command), timeout=30)
    sound(done)
    if command.group and not command.acts:
        assert (done.code, done.err) == (0, "")
        assert "Commands:" in done.out
    if command.arguments:
        assert done.code == 2
        assert "  For example: kindlehl " in done.err or "-h` explains it" in done.err


def test_how_a_command_is_called_fits_a_line_where_there_is_room(someone: Person) -> None:
    """A narrow terminal breaks it no earlier than it has to; a value is a word."""
    assert "Usage: kindlehl pair [OPTIONS] {URL}\n" in someone.ok("pair", "-h", env={"COLUMNS": "40"})
    assert "--field NAME" in someone.ok("conflicts", "-h")
    assert "kindlehl server restore yesterday.zip" in someone.ok("server", "restore", "-h", env={"COLUMNS": "50"})


@each(SINGLE)
def test_how_long_to_wait_is_heard_after_a_command_too(someone: Person, command: Command) -> None:
    """As the help of the program says it of its options; what is no time is a sentence."""
    assert someone(*command.words, "--wait", "1", "--help").code == 0
    assert "--wait does not take this" in complaint(someone(*command.words, "--wait", "x"), 2)


def test_the_last_wait_counts(person: Person) -> None:
    """The one after the command, as with the other options."""
    with closing(open_library(person.library)) as library, library.transaction():
        began = time.monotonic()
        done = person("--wait", "50", "tag", "x", person.places["id"], "--wait", "0")
        assert (done.code, time.monotonic() - began < 20) == (75, True)


@each(EVERY)
def test_an_unknown_option_is_a_sentence_and_a_suggestion(someone: Person, command: Command) -> None:
    """C19: exit 2; a slip of one letter is answered with what was meant."""
    done = someone(*command.words, "--hepl")
    sound(done, 2)
    assert done.out == ""
    assert "`--hepl`. Did you mean `--help`?" in done.err
    assert done.err.count("\n") == 2


@each([command for command in EVERY if command.group])
def test_an_unknown_command_is_a_sentence_and_a_suggestion(someone: Person, command: Command) -> None:
    """The nearest name is offered, where one is near."""
    below = next(c for c in SINGLE if c.words[:-1] == command.words and not c.group)
    slip = below.words[-1][:-1] + "x"
    done = someone(*command.words, slip)
    sound(done, 2)
    assert "There is no command `" in done.err
    assert "Did you mean `" in done.err
    assert "Did you mean" not in someone(*command.words, "qqqqq").err


# -- what is written where ----------------------------------------------------------------------------------------


@each(SINGLE)
def test_results_are_on_standard_output_and_nothing_else_is(person: Person, command: Command) -> None:
    """C1, C6, C7, C18, C29: with the network blocked; no colour and no progress in a pipe; --verbose speaks on standard
    error only, --quiet not at all; the library of a command that reads stays as it is, byte for byte. C17: nothing is
    left where none of our files has to be."""
    arguments = person.arguments(command)
    quiet = person(*arguments, "--quiet", env=blocked(command))
    sound(quiet, 0)
    assert quiet.err == ""
    assert person.strays() == []
    assert "\x1b" not in quiet.out
    if row(command).reads:
        assert person.library.read_bytes() == person.kept
    person.fresh()
    verbose = person(*arguments, "--verbose")
    sound(verbose, 0)
    assert steady(verbose.out) == steady(quiet.out)
    assert not row(command).library or "kindlehl" in verbose.err or "library" in verbose.err
    assert "\x1b" not in verbose.err


@each(SINGLE)
def test_colour_is_for_who_wants_it(person: Person, command: Command) -> None:
    """C6: NO_COLOR beats FORCE_COLOR; FORCE_COLOR and --color add styles and nothing else; a terminal that is dumb, or
    --no-color, gets none; 40 columns are enough, and no locale at all changes nothing."""
    arguments = person.arguments(command)
    plain = person(*arguments)
    person.fresh()
    forced = person(*arguments, env={"FORCE_COLOR": "1"})
    assert steady(STYLE.sub("", forced.out)) == steady(plain.out)
    person.fresh()
    refused = person(*arguments, env={"FORCE_COLOR": "1", "NO_COLOR": "1", **ASCII})
    assert refused.code == row(command).ascii, refused
    assert "\x1b" not in refused.out
    person.fresh()
    plainest = person(*arguments, env={"LC_ALL": "POSIX", "LANG": ""})
    assert (plainest.code, steady(plainest.out)) == (0, steady(plain.out))
    person.fresh()
    shown = person.on_terminal(*arguments, env={"NO_COLOR": ""}, columns=40)
    assert shown.code == 0, shown
    assert not re.search(r"\x1b(?!\[[0-9;]*m|\[\?25[lh]|\[[0-9]*[A-KJ])", shown.out)
    assert command.name in WIDE or not wider(shown.out, 40)
    assert command.name not in ("list", "search", "show") or "\x1b[" in shown.out
    person.fresh()
    more, env = ((["--no-color"], {}), ([], {"TERM": "dumb"}))[SINGLE.index(command) % 2]  # of both, one each
    assert "\x1b[" not in person.on_terminal(*arguments, *more, env=env, columns=40).out.replace("\x1b[?25", "")


WIDE = {"completion", "config show"}
"""Commands whose lines are not wrapped: a script, and a key with its value, which may be a path."""


@pytest.mark.parametrize(
    "line",
    [
        "undo --list", "undo --list --all", "export", "export csv --to {folder}/all.csv -n", "history {joined}",
        "show {joined}", "conflicts {other} --keep A", "tag craft --where deliberately --yes",
        "delete --where deliberately -n", "books --hidden", "list --newest", "trash empty -n",
        "search deliberatly", "search qqqq", "list book:walden color:red", "db backup", "export csv --to {folder}/",
        "db restore {backup} -n", "add x --book walden --note y", "show zzzz", "list -q --library {folder}/no.db",
        "db verify --library {folder}/no.db", "note {id}", "conflicts {other} --keep Q", "random --count 0", "-v list",
    ],
)  # fmt: skip
def test_other_ways_to_call_a_command_fit_a_narrow_terminal_too(person: Person, line: str) -> None:
    """40 columns, what is told beside the result included, and what is wrong."""
    shown = person.on_terminal(*line.format(**person.places).split(), columns=40)
    assert shown.code in PUBLISHED
    assert shown.out or "-q" in line
    assert not wider(shown.out, 40)


@each(READING)
def test_color_before_the_command_forces_it(person: Person, command: Command) -> None:
    """Even in a pipe, whatever the environment says."""
    colored = person("--color", *person.arguments(command), env={"NO_COLOR": "1", "TERM": "dumb"}).out
    assert "\x1b[" in colored or command.name not in ("list", "search", "show")
    person.fresh()
    assert steady(STYLE.sub("", colored)) == steady(person(*person.arguments(command)).out)


def test_color_is_heard() -> None:
    """The option is there at all, and not after the command, where it is about highlights."""
    assert "--color" in EVERY[0].options
    assert all("--no-color" in command.options and "--debug" in command.options for command in EVERY)


# -- what programs read -------------------------------------------------------------------------------------------


def shape(value: Any, at: str = "") -> dict[str, set[str]]:
    """The names of a document's fields, and the types of what is in them."""
    if isinstance(value, dict):
        out: dict[str, set[str]] = {}
        for name, held in value.items():
            for where, types in shape(held, f"{at}.{name}" if at else name).items():
                out.setdefault(where, set()).update(types)
        return out or {at: {"object"}}
    if isinstance(value, list):
        out = {at: {"array"}}
        for held in value:
            for where, types in shape(held, f"{at}[]").items():
                out.setdefault(where, set()).update(types)
        return out
    return {at: {type(value).__name__.replace("NoneType", "null")}}


@each([command for command in SINGLE if command.name in ROWS and not row(command).without])
def test_json_is_one_document_whose_fields_stay(person: Person, command: Command) -> None:
    """C2: every command that reads has --json; the document names its schema; no field that was promised is gone, and
    none has another type. Adding is allowed. `UPDATE_FIELDS=1 pytest …` writes what is new into the snapshot. Where
    the locale knows no letters, a program gets them all the same."""
    if "--json" not in command.options:
        assert not row(command).reads, f"`{command.name}` reads, and has no --json; or say in its row why"
        return
    done = person(*person.arguments(command), "--json", "--verbose", env={"FORCE_COLOR": "1"})
    sound(done, 0)
    document = json.loads(done.out)
    assert re.fullmatch(r"kindlehl/[a-z-]+/\d+", document["schema"])
    found = {where: sorted(types) for where, types in sorted(shape(document).items())}
    person.fresh()
    ascii_ = person(*person.arguments(command), "--json", "--quiet", env=ASCII)
    assert steady(json.dumps(ascii_.json)) == steady(json.dumps(document)) or row(command).ascii
    promised = json.loads(SNAPSHOT.read_text("utf-8"))
    if os.environ.get("UPDATE_FIELDS"):
        promised[command.name] = {**promised.get(command.name, {}), "": [document["schema"]], **found}
        SNAPSHOT.write_text(json.dumps(promised, indent=1, sort_keys=True) + "\n", "utf-8")
        return
    assert command.name in promised, f"add `{command.name}`: UPDATE_FIELDS=1 pytest tests/contract/test_commands.py"
    expected = promised[command.name]
    assert expected.pop("") == [document["schema"]]
    gone = expected.keys() - found.keys()
    assert not gone, f"`{command.name} --json` lacks what was promised: {sorted(gone)}"
    for where, types in expected.items():
        assert {*found[where]} <= {*types, "null"}, where


@each([command for command in SINGLE if "--plain" in command.options])
def test_plain_is_one_line_a_record(person: Person, command: Command) -> None:
    """C2, C3: as many lines as --json has items, all with the same number of fields, without styles; --jsonl has the
    items themselves."""
    arguments = person.arguments(command)
    plain = person(*arguments, "--plain", env={"FORCE_COLOR": "1"}).out
    items = person(*arguments, "--json").json["items"]
    assert [json.loads(line) for line in person(*arguments, "--jsonl").out.splitlines()] == items != []
    assert plain.count("\n") == len(plain.splitlines()) == len(items)
    assert len({line.count("\t") for line in plain.splitlines()}) <= 1
    assert "\x1b" not in plain


# -- what may be wrong --------------------------------------------------------------------------------------------


@each(OPENING)
def test_a_library_that_is_not_there_or_no_library_is_a_sentence(person: Person, command: Command) -> None:
    """C11, D5: missing: an empty result or exit 1; damaged, newer, foreign: exit 1 with a sentence and a hint; and what
    was there is left as it was."""
    arguments = person.arguments(command)
    person.library.unlink()
    sound(person(*arguments), row(command).missing)
    if row(command).reads:
        assert not person.library.exists()
    for make in (newer, foreign, damaged):
        person.fresh()
        make(person.library)
        before = person.library.read_bytes()
        done = person(*arguments)
        sound(done, 1)
        assert done.err.count("\n") >= 2, f"no hint: {done}"
        assert person.library.read_bytes() == before


def blocked(command: Command) -> dict[str, str]:
    """An environment in which nobody can be called, for a command that has nobody to call."""
    online = command.name in ROWS and row(command).online
    return {} if online else {"FAULT": "network", "PYTHONPATH": str(FAULTS)}


def newer(path: Path) -> None:
    """Written by a kindlehl of next year."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def foreign(path: Path) -> None:
    """An SQLite database of somebody else."""
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE other (n)")


def damaged(path: Path) -> None:
    """No database at all."""
    path.write_bytes(b"no database, but as long as one might be. " * 999)


@each(OPENING)
def test_a_library_that_cannot_be_written_can_be_read(person: Person, command: Command) -> None:
    """Reading works; writing ends with exit 1 and a sentence, and changes nothing."""
    prefix, person.prefix = person.prefix, bound_by_permissions()
    person.library.chmod(0o400)
    person.library.parent.chmod(0o500)
    try:
        done = person(*person.arguments(command))
    finally:
        person.prefix = prefix
    sound(done, 0 if row(command).reads else 1, *(() if row(command).reads else (0,)))
    assert person.library.read_bytes() == person.kept


@each(OPENING)
def test_a_bug_is_a_sentence_and_a_report(person: Person, command: Command) -> None:
    """C19: at most five lines, a report with our lines and without what anybody reads; --debug shows it at once."""
    env = {"FAULT": "bug", "PYTHONPATH": str(FAULTS)}
    report = person.state / "last-error.txt"
    report.unlink(missing_ok=True)
    done = person(*person.arguments(command), env=env)
    sound(done, 1)
    assert "bug in kindlehl (ZeroDivisionError)" in done.err
    assert report.read_text("utf-8").startswith("ZeroDivisionError\n")
    assert "SECRET" not in report.read_text("utf-8") + done.err
    assert "sitecustomize.py" in person(*person.arguments(command), "--debug", env=env).err


@each(OPENING)
def test_ctrl_c_ends_with_130_and_leaves_the_library_as_it_was(person: Person, command: Command) -> None:
    """C27: in the moment in which the library is opened; the next run succeeds."""
    before = digest(person.library)
    done = person(*person.arguments(command), env={"FAULT": "interrupt", "PYTHONPATH": str(FAULTS)})
    assert (done.code, done.err) == (130, "")
    assert digest(person.library) == before
    assert person(*person.arguments(command)).code == 0


def shut(streams: tuple[int, ...]) -> None:
    """Begin without these."""
    for number in streams:
        os.close(number)


@each(SINGLE)
def test_streams_that_are_closed_are_no_bug(person: Person, command: Command) -> None:
    """A reader that has gone is silence; standard input, output or error that were never open are no traceback. All of
    them are tried with each command, and each by itself with a third of the commands."""
    with person.start(*person.arguments(command), stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) in (0, 1)
    for closed in ((0, 1, 2), (SINGLE.index(command) % 3,)):
        person.fresh()
        with person.start(*person.arguments(command), before=partial(shut, closed)) as process:
            out, err = process.communicate(timeout=60)
            assert process.returncode in PUBLISHED
            assert b"Traceback" not in out + err


@each(SINGLE)
def test_a_full_disk_is_a_sentence(person: Person, command: Command) -> None:
    """Behind standard output: exit 1, unless nothing was to be written. Behind standard error: nobody hears of it, and
    the exit code is what it is."""
    writes = person(*person.arguments(command)).out
    person.fresh()
    with Path("/dev/full").open("wb") as full:
        with person.start(*person.arguments(command), stdout=full) as process:
            _, err = process.communicate(timeout=60)
        assert process.returncode == (1 if writes else 0), err
        assert (b"No space left on device" in err) == bool(writes)
        assert err.count(b"\n") <= 2
        person.fresh()
        with person.start(*person.arguments(command), "--verbose", stderr=full) as process:
            out, _ = process.communicate(timeout=60)
        assert (process.returncode, steady(out.decode())) == (0, steady(writes))
        with person.start(*command.words, "--hepl", stderr=full) as process:
            assert process.wait(60) == 2


@each([command for command in SINGLE if command.name in ROWS and row(command).again])
def test_a_second_run_says_the_same_or_that_there_is_nothing_to_do(person: Person, command: Command) -> None:
    """C25: exit 0 and a quiet standard error; what the library shows is what it showed after the first."""
    arguments = person.arguments(command)
    first = person(*arguments)
    after = digest(person.library)
    second = person(*arguments)
    assert (first.code, second.code, second.err) == (0, 0, ""), (first, second)
    assert digest(person.library) == after


def test_exit_codes_are_those_that_are_published(person: Person) -> None:
    """`kindlehl help exit-codes` names what this file accepts."""
    told = {int(code) for code in re.findall(r"^ +(\d+)  ", person.ok("help", "exit-codes"), re.MULTILINE)}
    assert told == PUBLISHED
    assert signal.SIGINT + 128 in told
    assert Row().missing in told
