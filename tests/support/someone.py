"""Somebody with a library, the same before every run, of whom the commands in the app's tree are asked."""

import re
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from kindlehl.cli.render import cells
from kindlehl_server import keeping
from kindlehl_server.settings import Settings
from support.cli import SAMPLE, Kindlehl, Result, contents
from support.household import Household, let_in, now
from support.tree import ROWS, Command, commands, row

EVERY = commands()
SINGLE = [command for command in EVERY if command.acts]
READING = [command for command in SINGLE if command.name in ROWS and row(command).reads]
OPENING = [command for command in SINGLE if command.name in ROWS and row(command).library]
PUBLISHED = {0, 1, 2, 3, 4, 5, 75, 130}
STYLE = re.compile(r"\x1b\[[0-9;]*m")


def each(found: list[Command]) -> pytest.MarkDecorator:
    """A test for each of these."""
    return pytest.mark.parametrize("command", found, ids=lambda command: command.name or "kindlehl")


class Person(Kindlehl):
    """Somebody whose library holds the sample, anew for each run that may change it."""

    kept: bytes = b""
    places: Mapping[str, str] = {}
    """What the rows name."""
    household: Household
    """With whose server the library is paired."""

    def arguments(self, command: Command, of_row: Sequence[str] | None = None) -> list[str]:
        """The whole command line of a row, with its arguments or others of it."""
        given = row(command).arguments if of_row is None else of_row
        return [*command.words, *(part.format(**self.places) for part in given)]

    def everything(self) -> dict[str, str]:
        """All that is in the home, byte for byte, but for the compiled and what SQLite keeps beside an open file; and
        the devices that the server knows."""
        held = {name: held for name, held in contents(self.home).items() if not name.endswith(("-wal", "-shm"))}
        devices = self.household.needs.accounts.devices(self.household.owner.id)
        return held | {"devices": ", ".join(device.name for device in devices)}

    def strays(self) -> list[str]:
        """What lies where none of our files has to be."""
        kept = re.compile(
            r"(data|state|config|cache)(/kindlehl(/.*)?)?|made(/.*)?|made\.zip|backup\.db|tmp(/server\.zip)?"
        )
        return [name for name in contents(self.home) if not kept.fullmatch(name)]

    def fresh(self) -> None:
        """The library as it was after the import, and nothing that an earlier run made."""
        shutil.rmtree(self.home / "made", ignore_errors=True)
        (self.home / "made.zip").unlink(missing_ok=True)
        for left in self.library.parent.glob("library.*"):
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink()
        self.library.write_bytes(self.kept)
        self.household.fresh()
        self.household.pair(self, "Laptop")
        let_in(self.household.needs, self.household.owner, "Tablet")
        config = self.home / "config" / "kindlehl" / "config.toml"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text('backup.keep = "30d"\n', "utf-8")


def somebody(make: Callable[[str], Path], household: Household) -> Person:
    """Imported once; what it takes to go back to that is kept. `make` makes folders."""
    person = Person(make("someone") / "home")
    person.household = household
    # Hundreds of processes: they compile what they import once, in a place of their own.
    person.env = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(make("compiled"))}
    (person.home / "tmp").mkdir()
    person.ok("import", SAMPLE)
    person.env |= {"EDITOR": "true", "TMPDIR": str(person.home / "tmp")}
    held = person("list", "--json").json["items"]
    books = [h["book_id"] for h in held if h["kind"] == "highlight"]
    first, other, *_ = (h for h in held if books.count(h["book_id"]) > 1 and h["kind"] == "highlight")
    deleted = next(h for h in held if h["book_id"] != first["book_id"])
    joined = next(h["id"] for h in held if forms(person, h["id"]) > 1)
    disagree(person, Person(make("another") / "home"), other["id"])
    person.ok("delete", deleted["id"])
    person.ok("tag", "once", other["id"])
    person.ok("undo")
    person.ok("db", "backup")
    (made,) = (person.library.parent / "backups").iterdir()
    backup = Path(shutil.copy(made, person.home / "backup.db"))
    person.places = {
        "id": first["id"], "other": other["id"], "deleted": deleted["id"], "joined": joined, "file": str(SAMPLE),
        "folder": str(person.home / "made"), "backup": str(backup), "url": household.url,
        "server": str(household.folder), "zip": str(made_backup(household, person)),
    }  # fmt: skip
    with closing(sqlite3.connect(person.library)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    person.kept = person.library.read_bytes()
    return person


def made_backup(household: Household, person: Person) -> Path:
    """Of the server."""
    path = person.home / "tmp" / "server.zip"
    keeping.back_up(Settings(household.folder), path, now())
    return path


def disagree(person: Person, another: Person, id_: str) -> None:
    """Two people write a note on one highlight, neither knowing of the other's."""
    another.ok("import", SAMPLE)
    for who in (person, another):
        who.ok("note", id_, f"as {who.home.parent.name} sees it")
    another.ok("export", "json", "--to", another.home / "library.json")
    person.ok("import", another.home / "library.json")


def forms(person: Person, id_: str) -> int:
    """How often a device wrote a highlight anew."""
    (found,) = person("show", id_, "--json").json["items"]
    return len([record for record in found["records"] if record["kind"] == "highlight"])


def sound(done: Result, *codes: int) -> None:
    """Ended in a published way, without a traceback, and where it failed with a sentence of at most five lines."""
    assert done.code in (codes or PUBLISHED), done
    assert "Traceback" not in done.err + done.out, done
    if done.code not in (0, 3, 130):
        told = done.err.strip().split("\n")
        assert told[0].startswith("kindlehl: "), done
        assert len(told) <= 5, done


def steady(out: str) -> str:
    """An output without what differs from run to run: ids of new facts, times, and passwords."""
    return VARYING.sub("", out)


VARYING = re.compile(
    r"\b[0-9a-f]{8}((-[0-9a-f]{4}){3}-[0-9a-f]{12})?\b|\d{8}T\d{6}Z|\d{4}-\d\d-\d\d[T ][\d:.]+Z?"
    r"|[\d.]+ (m?s|seconds)|[\d,]+ MB|\"bytes\": ?\d+|\b[b-z]{4}(-[b-z]{4}){3}\b"
)


def wider(shown: str, width: int) -> list[str]:
    """The lines that do not fit, but for a path: who breaks it keeps people from copying it."""
    return [line for line in STYLE.sub("", shown).splitlines() if cells(line) > width and " " in line.strip()]
