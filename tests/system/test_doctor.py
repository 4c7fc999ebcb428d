"""`doctor` and `--version --json`: what is in order and what is not, changing nothing and telling nobody's secrets."""

import ctypes.util
import json
import platform
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.cli import SAMPLE, Kindlehl, bound_by_permissions, query, tree, written
from support.someone import wider

from kindlehl import __version__
from kindlehl.cli import examination
from kindlehl.cli.examination import _clock
from kindlehl.devices import Device
from kindlehl.domain import fold
from kindlehl.store import schema


@pytest.fixture
def cared(reader: Kindlehl, kindlehl: Kindlehl) -> Kindlehl:
    """Somebody with a library and a backup of it."""
    if not ctypes.util.find_library("pango-1.0"):
        pytest.skip("Pango is not installed, which doctor rightly says")
    kindlehl.library.parent.mkdir(parents=True)
    shutil.copy(reader.library, kindlehl.library)
    kindlehl.ok("db", "backup")
    return kindlehl


def files(kindlehl: Kindlehl) -> dict[str, tuple[str, int]]:
    """Every file with what is in it and its time."""
    return {name: held for name, held in tree(kindlehl.home).items() if held[0]}


def findings(kindlehl: Kindlehl, code: int = 0) -> dict[str, dict[str, object]]:
    done = kindlehl("doctor", "--json")
    assert (done.code, done.err) == (code, ""), done
    assert done.json["schema"] == "kindlehl/doctor/1"
    assert done.json["ok"] is (code == 0)
    return {item["name"]: item for item in done.json["items"]}


def wrong(kindlehl: Kindlehl) -> dict[str, str]:
    """What is wrong, and its remedy."""
    return {name: str(item["remedy"]) for name, item in findings(kindlehl, 1).items() if not item["ok"]}


class TestDoctor:
    """`doctor`."""

    def test_all_is_well_and_nothing_changes(self, cared: Kindlehl) -> None:
        """Exit 0, and every file is as it was, byte for byte; in an empty home nothing is made."""
        before = files(cared)
        assert set(findings(cared)) >= {
            "version", "sqlite", "configuration", "library", "integrity", "schema", "fold", "indexed", "disk", "clock",
            "backup", "device", "plugins", "pdf", "terminal",
        }  # fmt: skip
        assert "✓ ok" in cared.ok("doctor")
        cared.ok("doctor", "--report")
        assert files(cared) == before
        nobody = Kindlehl(cared.home / "nobody")
        findings(nobody)
        assert not list(nobody.home.iterdir())

    def test_a_library_without_a_backup_is_said_to_be_so(self, cared: Kindlehl) -> None:
        """As is one whose backup is old, and one that has only another's."""
        folder = cared.library.parent / "backups"
        (made,) = folder.iterdir()
        made = made.rename(folder / "kindlehl-20260101T000000Z.db")
        assert "db backup" in wrong(cared)["backup"]
        made.unlink()
        assert "db backup" in wrong(cared)["backup"]

    def test_a_damaged_library_is_found(self, cared: Kindlehl) -> None:
        """With the way back; one that is newer and one that is none too."""
        with closing(sqlite3.connect(cared.library)) as connection:
            connection.execute("DELETE FROM search_docsize")
            connection.commit()
        assert "rebuild" in wrong(cared)["indexed"]
        query(cared.library, "PRAGMA user_version = 99")
        assert "Update" in wrong(cared)["schema"]
        cared.library.write_bytes(b"Dear diary" * 1000)
        assert "db restore" in wrong(cared)["integrity"]

    def test_a_configuration_that_cannot_be_used_is_found(self, cared: Kindlehl) -> None:
        """Each sentence once; where it might name the library, that is said."""
        file = written(cared.home / "config" / "kindlehl" / "config.toml", "libary = 'x'\n")
        assert f"{file}, line 1" in wrong(cared)["configuration"]
        file.write_text("library = ")
        assert set(wrong(cared)) == {"configuration", "library"}

    def test_a_library_that_may_not_be_written_is_found(self, cared: Kindlehl) -> None:
        """By name."""
        cared.library.chmod(0o400)
        person = Kindlehl(cared.home, prefix=bound_by_permissions())
        assert str(cared.library) in wrong(person)["library"]
        cared.library.chmod(0o600)

    def test_a_terminal_that_cannot_show_every_book_is_found(self, cared: Kindlehl) -> None:
        """Signs have words beside them, so that they can still be read."""
        env = {"PYTHONIOENCODING": "ascii"}
        done = cared("doctor", env=env)
        assert done.code == 1
        assert "? wrong" in done.out
        assert "UTF-8" in done.out

    def test_it_fits_forty_columns(self, cared: Kindlehl) -> None:
        """Without colour alone telling anything."""
        done = cared.on_terminal("doctor", columns=40, env={"NO_COLOR": "1"})
        assert done.code == 0
        assert not wider(done.out, 40)

    def test_two_formats_at_once_are_refused(self, cared: Kindlehl) -> None:
        """Exit 2."""
        assert cared("doctor", "--json", "--report").code == 2


class TestParts:
    """What does not happen on the machine that tests."""

    def test_a_clock_before_the_newest_import_is_wrong(self) -> None:
        """A day of leeway; without an import only the year tells."""
        assert _clock(None).ok
        assert _clock("2024-01-01T00:00:00Z").ok
        assert not _clock("2999-01-01T00:00:00Z").ok

    def test_a_kindle_that_cannot_be_read_is_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its name, which may be somebody's, is in the remedy alone."""
        locked = Device("Anna's Kindle", Path("/mnt"), "mtp", obstacle="Anna's Kindle shows no documents. Unlock it.")
        fine = Device("Kindle", Path("/media"), "usb", (Path("/media/My Clippings.txt"),))
        monkeypatch.setattr("kindlehl.wiring.connected_readers", lambda: [locked, fine])
        found = examination._devices()
        assert [finding.ok for finding in found] == [False, True]
        assert "Anna" not in found[0].what
        assert "Unlock" in str(found[0].remedy)

    def test_missing_libraries_for_pdf_are_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Named, with what to install."""
        monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
        found = examination._pdf()
        assert not found.ok
        assert "pango" in str(found.remedy)


class TestReport:
    """`doctor --report`."""

    def test_it_tells_nothing_of_whose_library_it_is(self, kindlehl: Kindlehl) -> None:
        """Neither titles nor texts, neither user nor host, no folder outside the home, and the home is a tilde."""
        secret = kindlehl.home.parent / "secret place" / "war and peace.db"
        env = {"LOGNAME": "leotolstoy", "USER": "leotolstoy"}
        kindlehl.ok("import", SAMPLE, "--library", secret)
        written(
            kindlehl.home / "config" / "kindlehl" / "config.toml",
            f"library = '{secret}'\nkarenina = 1\n[searches]\nanna = 3\n",
        )
        done = kindlehl("doctor", "--report", env=env)
        assert done.code == 1
        assert "~/config/kindlehl" not in done.out  # it is told only that something in it is wrong
        for word in (
            "leotolstoy",
            platform.node(),
            "secret",
            "war and",
            "karenina",
            "anna",
            "Austen",
            str(kindlehl.home),
        ):
            assert word not in done.out
        assert "2 things in the configuration" in done.out
        assert "The library is (a place outside the home)" in done.out
        mine = kindlehl("doctor", "--report", "--library", kindlehl.home / "l.db", env=env)
        assert "~/l.db" in mine.out


class TestVersion:
    """`--version`."""

    def test_for_programs_it_says_on_what_it_stands(self, kindlehl: Kindlehl) -> None:
        """And where its files are; nothing is made."""
        for flags in (["--version", "--json"], ["--json", "--version"]):
            found = json.loads(kindlehl.ok(*flags))
            assert found.pop("paths") == {
                "config": str(kindlehl.home / "config" / "kindlehl" / "config.toml"), "library": str(kindlehl.library),
                "state": str(kindlehl.state), "backups": str(kindlehl.library.parent / "backups"),
            }  # fmt: skip
            assert found == {
                "schema": "kindlehl/version/1", "version": __version__, "python": platform.python_version(),
                "sqlite": sqlite3.sqlite_version, "library_version": schema.VERSION, "fold_revision": fold.REVISION,
            }  # fmt: skip
        assert not list(kindlehl.home.iterdir())
        named = json.loads(kindlehl.ok("--library", "/x.db", "--version", "--json"))
        assert named["paths"]["library"] == "/x.db"

    def test_a_configuration_that_cannot_be_read_does_not_stop_it(self, kindlehl: Kindlehl) -> None:
        """Of the library it says that it cannot be told."""
        written(kindlehl.home / "config" / "kindlehl" / "config.toml", "library = ")
        done = kindlehl("--version", "--json")
        assert done.code == 0
        assert done.json["paths"]["library"] is None

    def test_alone_it_is_one_line_before_anything_is_imported(self, kindlehl: Kindlehl) -> None:
        """Neither Typer nor SQLite."""
        env = kindlehl.environment({"PYTHONPROFILEIMPORTTIME": "1"})
        with kindlehl.start("--version", env=env) as process:
            out, err = process.communicate(timeout=60)
        assert out == f"kindlehl {__version__}\n".encode()
        assert b"typer" not in err
        assert b"sqlite3" not in err

    def test_json_without_a_command_is_a_usage_error(self, kindlehl: Kindlehl) -> None:
        """As is an option without one."""
        assert kindlehl("--json").code == kindlehl("--json", "list").code == kindlehl("--library", "x").code == 2
