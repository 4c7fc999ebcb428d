"""What every command promises while it works: before it changes anything, meanwhile, and after. Asked of the program as
a process, like `test_commands`; numbers like C12 are those of the conventions that the project keeps."""

import json
import os
import re
from contextlib import closing

import pytest
from support.cli import many, shown, written
from support.someone import EVERY, OPENING, SINGLE, Person, each, sound, steady, wider
from support.tree import Command, row

from kindlehl.store.library import open_library

WRITING = [command for command in OPENING if not row(command).reads]
CHANGES = {"EDITOR": "sed -i '$a blue'"}
"""An editor that changes the last field, which is the colour."""


# -- before -------------------------------------------------------------------------------------------------------


@each([command for command in SINGLE if "--dry-run" in command.options])
def test_a_dry_run_changes_nothing_and_says_what_it_would(person: Person, command: Command) -> None:
    """C12: everything in the home stays as it is, byte for byte, though --yes is given; --json gives the document that
    the change itself gives, with "dry_run": true and no operation."""
    arguments = person.arguments(command, row(command).asks)
    yes = ["--yes"] if "--yes" in command.options else []
    before = person.everything()
    told = person(*arguments, "--dry-run", *yes)
    sound(told, 0)
    assert told.out + told.err
    assert person(*arguments, "-n", "--quiet").code == 0
    would = person(*arguments, "--dry-run", "--json", "--quiet")
    assert (would.code, would.err) == (0, ""), would
    assert person.everything() == before
    done = person(*arguments, *yes, "--json", "--quiet").json
    assert would.json.keys() == done.keys()
    assert (would.json["schema"], would.json["dry_run"], done["dry_run"]) == (done["schema"], True, False)
    if "op" in done:
        assert would.json["op"] is None
        assert would.json["changes"] == done["changes"] > 0
        assert sorted(would.json["ids"]) == sorted(done["ids"])


@each([command for command in SINGLE if "--yes" in command.options])
def test_a_question_is_asked_of_somebody_who_can_answer(person: Person, command: Command) -> None:
    """C13, C14: where nobody can, or --no-input is given, it ends with 2 and names --yes; whoever says no has changed
    nothing, whoever says yes has."""
    assert row(command).asks is not None, f"say in the row of `{command.name}` with what it asks"
    arguments = person.arguments(command, row(command).asks)
    before = person.everything()
    for done in (person(*arguments), person(*arguments, stdin=b"y\n"), person(*arguments, "--json")):
        assert (done.code, done.out) == (2, "")
        assert "Nobody can be asked here.\n  To go on without a question: --yes\n" in done.err
    unasked = person.on_terminal(*arguments, "--no-input", types=b"y\n")
    assert (unasked.code, "--yes" in unasked.out) == (2, True)
    for answer in (b"n\n", b"\n", b"\x04"):
        refused = person.on_terminal(*arguments, types=answer)
        assert (refused.code, "Nothing was changed" in refused.out) == (1, True)
    assert person.everything() == before
    agreed = person.on_terminal(*arguments, types=b"y\n")
    assert agreed.code == 0, agreed
    assert person.everything() != before


@each([command for command in SINGLE if command.listens])
def test_standard_input_that_nobody_fills_is_a_sentence(person: Person, command: Command) -> None:
    """C4, C5: a dash on a terminal ends with 2 and says what to do instead; an empty or closed input changes nothing
    that is shown."""
    assert row(command).dash, f"say in the row of `{command.name}` with what it reads standard input"
    arguments = person.arguments(command, row(command).dash)
    before = shown(person.library)
    terminal = person.on_terminal(*arguments)
    assert (terminal.code, terminal.out.count("\n")) == (2, 2), terminal
    sound(person(*arguments, stdin=b""))
    with person.start(*arguments, stdin=None, before=lambda: os.close(0)) as process:
        _, err = process.communicate(timeout=60)
    assert b"Traceback" not in err
    assert b"tmp" not in err, "a file of ours is named that nobody knows"
    assert shown(person.library) == before


# -- meanwhile ----------------------------------------------------------------------------------------------------


@each(SINGLE)
def test_each_stream_is_asked_by_itself_whether_it_is_a_terminal(person: Person, command: Command) -> None:
    """C1, C6, C7: what is piped is as it always is, whatever the other is; no progress and no style gets into it."""
    arguments = person.arguments(command)
    plain = person(*arguments)
    for piped in ("stdout", "stderr"):
        person.fresh()
        done = person.on_terminal(*arguments, piped=piped, columns=40)
        assert done.code == 0, done
        if piped == "stdout":
            assert steady(done.out) == steady(plain.out)
            assert not wider(done.err, 40)
        else:
            assert steady(done.err) == steady(plain.err)


@pytest.mark.parametrize("piped", ["stdout", "stderr", ""])
def test_progress_is_for_a_terminal_on_standard_error(person: Person, piped: str) -> None:
    """C7: of a file that takes a moment; --quiet has none."""
    big = written(person.home / "made" / "c.txt", many(6000))
    done = person.on_terminal("import", big, "-n", "--json", piped=piped)
    assert ("Reading" in (done.out if not piped else done.err)) == (piped != "stderr")
    if piped:
        assert json.loads(done.out)["schema"] == "kindlehl/import/1"
    assert "Reading" not in person.on_terminal("import", big, "-n", "--quiet").out


@each(OPENING)
def test_while_another_writes_one_looks_and_does_not_write(person: Person, command: Command) -> None:
    """C26: who looks does not wait; who would write ends with 75, names the process, and says how to wait longer."""
    with closing(open_library(person.library)) as library, library.transaction():
        done = person("--wait", "0.1", *person.arguments(command), env=CHANGES)
    if row(command).reads:
        sound(done, 0)
    else:
        assert done.code == 75, done
        assert re.search(r"Another kindlehl is writing to .* \(process \d+, for \d+ s\)\.\n.*--wait", done.err), done


@each(OPENING)
def test_the_library_is_the_one_that_is_named_last(person: Person, command: Command) -> None:
    """C15: after the command, before the environment, before the default place; and no other is made."""
    elsewhere = person.home / "made" / "elsewhere.db"
    nowhere = str(person.home / "made" / "nowhere.db")
    elsewhere.parent.mkdir()
    person.library.rename(elsewhere)
    person.library.with_name("library.server.json").rename(elsewhere.with_name("elsewhere.server.json"))
    after = person("--library", nowhere, *person.arguments(command), "--library", elsewhere,
                   env={"KINDLEHL_LIBRARY": nowhere})  # fmt: skip
    sound(after, 0)
    elsewhere.write_bytes(person.kept)
    sound(person(*person.arguments(command), env={"KINDLEHL_LIBRARY": str(elsewhere)}), 0)
    assert not person.library.exists()
    assert not (person.home / "made" / "nowhere.db").exists()


# -- afterwards ---------------------------------------------------------------------------------------------------


@each([command for command in WRITING if not row(command).lasting])
def test_a_command_is_one_operation_that_is_taken_back_whole(person: Person, command: Command) -> None:
    """C24: it is the newest of `undo --list`; after `undo` is shown what was shown before, after `redo` what it did."""
    if command.name == "import":
        person.library.unlink()
    before = [] if command.name == "import" else shown(person.library)
    known = person("undo", "--list", "--json").json["items"]
    sound(person(*person.arguments(command), env=CHANGES), 0)
    after = shown(person.library)
    assert after != before
    entered = [step for step in person("undo", "--list", "--json").json["items"] if step not in known]
    assert [step["verb"] for step in entered] == [command.name]
    person.ok("undo")
    assert shown(person.library) == before
    person.ok("redo")
    assert shown(person.library) == after


@each(SINGLE)
def test_no_secret_is_given_on_the_command_line(command: Command) -> None:
    """C16: everybody on the machine can read it there."""
    assert not [name for name in command.options if re.search(r"token|password|secret|passphrase", name)]


@each(EVERY)
def test_help_and_a_manual_page_are_there_for_each(someone: Person, command: Command) -> None:
    """C28: `help COMMAND` is what -h says; the manual page is one that man reads."""
    page = someone.ok("help", "--man", *command.words)
    assert page.startswith('.TH "KINDLEHL')
    if command.words:
        assert someone.ok("help", *command.words) == someone.ok(*command.words, "-h")
