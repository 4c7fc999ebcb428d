"""What a server has is kept: backed up while it runs, brought back as a whole, looked at, and mended."""

import errno
import os
import shutil
import sqlite3
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.cli import Kindlehl
from support.databases import copied
from support.histories import edit, import_of, keep, picture, record
from support.household import PASSWORD, Household, household, let_in, needs_of, owner_of
from support.postgres import programs
from support.served import serving

from kindlehl.domain.erasure import skeleton, skeleton_of_edit
from kindlehl.domain.errors import (
    BusyError,
    DeniedError,
    LibraryError,
    NewerLibraryError,
    NotFoundError,
    RevokedError,
    SourceError,
    TargetError,
    UsageError,
)
from kindlehl.ports import Library
from kindlehl.remote.server import Server
from kindlehl.services.sync.round import sync
from kindlehl.store.library import empty_library, open_library
from kindlehl_server import keeping, wiring
from kindlehl_server.accounts import Person
from kindlehl_server.app import create_app
from kindlehl_server.needs import Needs
from kindlehl_server.settings import Settings
from kindlehl_server.store.database import Database

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HIS = [record("highlight", "Tale (Dickens, Charles)", f"His words {n}", n, 1, n % 30, False) for n in range(1, 200)]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Household]:
    with household(tmp_path / "server") as made:
        yield made


@pytest.fixture
def mine() -> Iterator[Library]:
    with closing(empty_library()) as library:
        keep(library, *HIS, import_of(1, "clippings", HIS))
        yield library


@pytest.fixture
def met(home: Household) -> Iterator[Callable[[Library], bool]]:
    """A round of a device of the owner's; whether both are equal then."""
    with closing(Server(home.url, let_in(home.needs, home.owner, "Laptop"))) as server:
        yield lambda library: sync(library, "server", server.ask).equal


def settings(home: Household) -> Settings:
    return Settings(home.folder)


class TestBackup:
    """A server that runs is backed up and brought back elsewhere."""

    def test_people_devices_and_libraries_are_in_one_file_and_come_back(
        self, home: Household, mine: Library, met: Callable[[Library], bool], tmp_path: Path
    ) -> None:
        """Whoever could sign in can do so there, and who was let in is; nobody else may read either."""
        assert met(mine)
        target = tmp_path / "backup.zip"
        kept = keeping.back_up(settings(home), target, NOW)
        assert kept == (1, len(HIS) + 1)
        assert target.stat().st_mode & 0o777 == 0o600
        elsewhere = Settings(tmp_path / "new" / "data")
        assert keeping.restore(target, elsewhere, NOW) == (kept, None, False)
        assert elsewhere.data.stat().st_mode & 0o777 == 0o700
        with household(elsewhere.data, fresh=False) as moved:
            owner = moved.needs.accounts.sign_in("Anna", PASSWORD)
            assert [each.name for each in moved.needs.accounts.devices(owner.id)] == ["Laptop"]
            with closing(open_library(moved.library_of(owner))) as theirs:
                assert picture(theirs) == picture(mine)

    def test_a_backup_is_whole_though_devices_write_meanwhile(
        self, home: Household, mine: Library, met: Callable[[Library], bool], tmp_path: Path
    ) -> None:
        """Each library as it was at one moment."""
        assert met(mine)
        over = threading.Event()

        def write() -> None:
            with closing(open_library(home.library)) as library:
                n = 0
                while not over.is_set():
                    n += 1
                    keep(library, edit(1_000 + n, HIS[n % len(HIS)].id, "note", f"thought {n}"))

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for n in range(3):
                keeping.back_up(settings(home), tmp_path / f"{n}.zip", NOW)
        finally:
            over.set()
            writer.join()
        for n in range(3):
            place = Settings(tmp_path / f"data{n}")
            keeping.restore(tmp_path / f"{n}.zip", place, NOW)
            assert all(finding.ok for finding in keeping.look(place, deep=True))

    def test_yesterdays_server_gets_from_devices_what_it_lacks(
        self, home: Household, mine: Library, met: Callable[[Library], bool], tmp_path: Path
    ) -> None:
        """Nothing of today is lost, on any of them."""
        assert met(mine)
        keeping.back_up(settings(home), tmp_path / "yesterday.zip", NOW)
        keep(mine, edit(1_000, HIS[0].id, "note", "of today"))
        assert met(mine)
        fresh = Settings(tmp_path / "fresh")
        keeping.restore(tmp_path / "yesterday.zip", fresh, NOW)
        shutil.rmtree(home.folder / "libraries")
        (fresh.data / "libraries").replace(home.folder / "libraries")
        with closing(empty_library()) as tablet:
            assert met(mine)
            assert met(tablet)
            assert picture(tablet) == picture(mine)

    def test_what_was_there_is_kept_beside_the_restored(
        self, home: Household, mine: Library, met: Callable[[Library], bool], tmp_path: Path
    ) -> None:
        """Whoever restored the wrong one can go back."""
        assert met(mine)
        keeping.back_up(settings(home), tmp_path / "b.zip", NOW)
        place = Settings(tmp_path / "data")
        keeping.restore(tmp_path / "b.zip", place, NOW)
        (place.data / "mark").write_text("the first")
        aside = keeping.restore(tmp_path / "b.zip", place, NOW).aside
        assert aside
        assert (aside / "mark").read_text() == "the first"
        assert not (place.data / "mark").exists()

    def test_no_door_of_that_day_is_open(self, home: Household, tmp_path: Path) -> None:
        """Whoever was signed in signs in again; invitations and pairings of that day are void. A link stays a link."""
        session, invitation = home.needs.sessions.begin(home.owner), home.needs.accounts.invite(home.owner)
        waits = home.needs.pairing.start("Laptop", "192.0.2.7")
        keeping.back_up(settings(home), tmp_path / "b.zip", NOW)
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "real")
        keeping.restore(tmp_path / "b.zip", Settings(tmp_path / "link"), NOW)
        assert (tmp_path / "link").is_symlink()
        with household(tmp_path / "link", fresh=False) as moved:
            assert moved.needs.sessions.person(session) is None
            with pytest.raises(DeniedError):
                moved.needs.accounts.accept(invitation, "Ben", PASSWORD)
            with pytest.raises(DeniedError):
                moved.needs.pairing.collect(waits.secret)

    def test_who_was_revoked_since_stays_so_however_often_the_place_is_taken(
        self, home: Household, tmp_path: Path
    ) -> None:
        """Who came since is not known to the backup; nothing is known of a place that is empty or damaged."""
        stolen, kept = (let_in(home.needs, home.owner, name) for name in ("Stolen", "Kept"))
        keeping.back_up(settings(home), tmp_path / "b.zip", NOW)
        home.needs.accounts.revoke(home.owner.id, home.needs.accounts.device(stolen).id)
        keeping.back_up(settings(home), tmp_path / "today.zip", NOW)
        place = Settings(tmp_path / "data")
        assert not keeping.restore(tmp_path / "today.zip", place, NOW).revoked
        for day in (1, 2):
            assert keeping.restore(tmp_path / "b.zip", place, NOW + timedelta(day)).revoked
            with household(place.data, fresh=False) as moved:
                assert moved.needs.accounts.device(kept).name == "Kept"
                with pytest.raises(RevokedError):
                    moved.needs.accounts.device(stolen)
        (place.data / "server.db").write_bytes(b"no database, but as long as one might be. " * 99)
        assert not keeping.restore(tmp_path / "b.zip", place, NOW + timedelta(3)).revoked

    def test_what_was_erased_is_in_no_backup(
        self, home: Household, mine: Library, met: Callable[[Library], bool], tmp_path: Path
    ) -> None:
        """Neither in pages that nobody uses any more nor in what is left of the index, of libraries and of people."""
        gone = [
            record("highlight", "Tale", f"Zyzzyva{n} " + "Quixotry" * 40, n, 1, n % 30, False) for n in range(300, 320)
        ]
        keep(mine, *gone, edit(2_000, gone[0].id, "note", "Syzygyword"), import_of(2, "clippings", gone))
        assert met(mine)
        with closing(open_library(home.library)) as library:  # as it comes from a device whose trash was emptied
            keep(library, *map(skeleton, gone), skeleton_of_edit(edit(2_000, gone[0].id, "note", "Syzygyword")))
        let_in(home.needs, home.owner, "Xylographer")
        (device, *_) = home.needs.accounts.devices(home.owner.id)
        home.needs.accounts.rename(home.owner.id, device.id, "Y")
        assert b"zyzzyva" in home.library.read_bytes().lower()
        keeping.back_up(settings(home), tmp_path / "b.zip", NOW)
        with zipfile.ZipFile(tmp_path / "b.zip") as backup:
            held = b"".join(backup.read(name) for name in backup.namelist()).lower()
        for word in (b"zyzzyva", b"quixotry", b"syzygyword", b"xylographer"):
            assert word not in held, word
        assert b"his words 7" in held

    def test_nobody_else_reads_a_backup_while_it_is_written(
        self, home: Household, mine: Library, met: Callable[[Library], bool], tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        """Nor what is restored from one, whatever this user's files are like otherwise."""
        assert met(mine)
        seen: set[int] = set()
        write = zipfile.ZipFile.write

        def written(self: zipfile.ZipFile, *what: Any) -> None:
            write(self, *what)
            seen.update(path.stat().st_mode & 0o77 for path in tmp_path.glob("*.part"))

        monkeypatch.setattr(zipfile.ZipFile, "write", written)
        before = os.umask(0o022)
        try:
            keeping.back_up(settings(home), tmp_path / "b.zip", NOW)
            keeping.restore(tmp_path / "b.zip", Settings(tmp_path / "data"), NOW)
        finally:
            os.umask(before)
        assert seen == {0}
        assert {path.stat().st_mode & 0o77 for path in (tmp_path / "data").rglob("*.db")} == {0}

    def test_a_file_that_is_there_is_not_replaced(self, home: Household, tmp_path: Path) -> None:
        """And where nothing can be written, nothing is left behind."""
        (tmp_path / "b.zip").write_text("something else")
        with pytest.raises(TargetError, match="there already"):
            keeping.back_up(settings(home), tmp_path / "b.zip", NOW)
        assert (tmp_path / "b.zip").read_text() == "something else"
        with pytest.raises(TargetError, match="cannot be written"):
            keeping.back_up(settings(home), tmp_path / "no" / "such" / "b.zip", NOW)
        with pytest.raises(NotFoundError):
            keeping.back_up(Settings(tmp_path / "nowhere"), tmp_path / "c.zip", NOW)
        with pytest.raises(UsageError, match="its own tools"):
            keeping.back_up(Settings(tmp_path, "postgresql://x/y"), tmp_path / "c.zip", NOW)


class TestInPlace:
    """What is restored takes a place that others may hold."""

    @pytest.fixture
    def backup(self, home: Household, tmp_path: Path) -> Path:
        """A good one."""
        keeping.back_up(settings(home), tmp_path / "b.zip", NOW)
        return tmp_path / "b.zip"

    def test_while_a_server_runs_nothing_takes_its_place_or_mends_it(self, backup: Path, tmp_path: Path) -> None:
        """Whoever asks is told to stop it first, a second server as well; afterwards it goes."""
        place = Settings(tmp_path / "data")
        with wiring.needs(place) as needs:
            owner_of(needs)
            before = sorted(tmp_path.iterdir())
            with pytest.raises(BusyError, match="A server runs"):
                keeping.restore(backup, place, NOW)
            with pytest.raises(BusyError, match="A server runs"):
                keeping.mend_all(place)
            with pytest.raises(BusyError, match="A server runs"):
                keeping.reset(place)
            with pytest.raises(BusyError, match="A server runs"), wiring.needs(place):
                pass
            keeping.back_up(place, tmp_path / "while.zip", NOW)
            (tmp_path / "while.zip").unlink()
            assert sorted(tmp_path.iterdir()) == before
        assert keeping.restore(backup, place, NOW).aside

    def test_a_folder_that_cannot_be_written_is_a_sentence(self, tmp_path: Path) -> None:
        """But where a PostgreSQL keeps everything nothing is written there."""
        (tmp_path / "server.lock").mkdir()
        with pytest.raises(LibraryError, match="cannot be written"), wiring.needs(Settings(tmp_path)):
            pass
        with (
            closing(Database("postgresql://me@127.0.0.1:9/books")) as database,
            wiring.only_here(Settings(tmp_path), database),
        ):
            pass

    def test_where_the_place_is_taken_meanwhile_what_was_there_comes_back(
        self, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Or, where that cannot be either, it is said where it is."""
        place = Settings(tmp_path / "data")
        keeping.restore(backup, place, NOW)
        (place.data / "mark").write_text("there before")
        replace = Path.replace

        def broken(self: Path, target: Path) -> Path:
            if self.name == "data" and self.parent.name.startswith(".kindlehl-"):
                raise OSError(errno.EIO, "Input/output error")
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", broken)
        with pytest.raises(TargetError, match="Input/output error") as told:
            keeping.restore(backup, place, NOW)
        assert told.value.hint == "Nothing was changed."
        assert (place.data / "mark").read_text() == "there before"
        assert [*tmp_path.glob("data-replaced-*")] == []

        def taken(self: Path, target: Path) -> Path:
            if self.name == "data" and self.parent.name.startswith(".kindlehl-"):
                (target / "libraries").mkdir(parents=True)
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", taken)
        with pytest.raises(TargetError) as told:
            keeping.restore(backup, place, NOW)
        (aside,) = tmp_path.glob("data-replaced-*")
        assert (aside / "mark").read_text() == "there before"
        assert str(aside) in str(told.value.hint)
        assert "Nothing" not in str(told.value.hint)

    def test_of_a_newer_server_it_is_said_that_it_is_newer(self, home: Household, backup: Path, tmp_path: Path) -> None:
        """Not that it is no backup, nor that this program is wrong; and an older one can take its place, without
        letting in who was revoked there."""
        stolen = let_in(home.needs, home.owner, "Stolen")
        keeping.back_up(settings(home), tmp_path / "old.zip", NOW)
        home.needs.accounts.revoke(home.owner.id, home.needs.accounts.device(stolen).id)
        keeping.back_up(settings(home), tmp_path / "today.zip", NOW)
        place = Settings(tmp_path / "data")
        keeping.restore(tmp_path / "today.zip", place, NOW)
        with closing(sqlite3.connect(place.data / "server.db")) as db, db:
            db.execute("UPDATE alembic_version SET version_num = '0099'")
            db.execute("ALTER TABLE users ADD COLUMN of_tomorrow")
        with pytest.raises(NewerLibraryError, match="newer kindlehl"), wiring.needs(place):
            pass
        with pytest.raises(NewerLibraryError, match="newer kindlehl"):
            keeping.reset(place)
        keeping.back_up(place, tmp_path / "newer.zip", NOW)
        with pytest.raises(NewerLibraryError, match="newer kindlehl"):
            keeping.restore(tmp_path / "newer.zip", Settings(tmp_path / "other"), NOW)
        assert keeping.restore(tmp_path / "old.zip", place, NOW + timedelta(1)).revoked
        with household(place.data, fresh=False) as moved, pytest.raises(RevokedError):
            moved.needs.accounts.device(stolen)

    def test_of_a_library_that_is_newer_it_is_said_as_well(self, home: Household, mine: Library, tmp_path: Path,
                                                            met: Callable[[Library], bool]) -> None:  # fmt: skip
        """In a backup of people that are not."""
        assert met(mine)
        keeping.back_up(settings(home), tmp_path / "b.zip", NOW)
        with zipfile.ZipFile(tmp_path / "b.zip") as old, zipfile.ZipFile(tmp_path / "new.zip", "w") as new:
            for name in old.namelist():
                (tmp_path / "x.db").write_bytes(old.read(name))
                if name != "server.db":
                    with closing(sqlite3.connect(tmp_path / "x.db")) as db, db:
                        db.execute("PRAGMA user_version = 99")
                new.write(tmp_path / "x.db", name)
        with pytest.raises(NewerLibraryError, match="newer kindlehl"):
            keeping.restore(tmp_path / "new.zip", Settings(tmp_path / "data"), NOW)


class TestBadBackups:
    """What is no backup changes nothing."""

    @pytest.fixture
    def whole(self, home: Household, mine: Library, met: Callable[[Library], bool], tmp_path: Path) -> Path:
        """A good one."""
        assert met(mine)
        keeping.back_up(settings(home), tmp_path / "whole.zip", NOW)
        return tmp_path / "whole.zip"

    def refused(self, path: Path, tmp_path: Path) -> None:
        """With a sentence; what is there stays."""
        place = Settings(tmp_path / "data")
        place.data.mkdir(exist_ok=True)
        (place.data / "mark").write_text("there before")
        before = sorted(tmp_path.iterdir())
        with pytest.raises(SourceError, match="no whole backup"):
            keeping.restore(path, place, NOW)
        assert (place.data / "mark").read_text() == "there before"
        assert sorted(tmp_path.iterdir()) == before

    @pytest.mark.parametrize("share", [0, 0.3, 0.99])
    def test_one_that_was_cut_off(self, whole: Path, tmp_path: Path, share: float) -> None:
        """Wherever that was."""
        data = whole.read_bytes()
        whole.write_bytes(data[: int(len(data) * share)])
        self.refused(whole, tmp_path)

    def test_one_whose_bytes_were_changed(self, whole: Path, tmp_path: Path) -> None:
        """In the middle of a library."""
        data = bytearray(whole.read_bytes())
        data[len(data) // 2] ^= 0xFF
        whole.write_bytes(data)
        self.refused(whole, tmp_path)

    @pytest.mark.parametrize(
        "name",
        ["../out.db", "/tmp/out.db", "libraries/../../out/library.db", "libraries/x/library.db",
         "libraries//library.db", "other.db", "libraries/01234567-89ab-cdef-0123-456789abcdef/other.db",
         "./libraries/01234567-89ab-cdef-0123-456789abcdef/library.db"],
    )  # fmt: skip
    def test_one_with_a_name_that_is_not_ours(self, whole: Path, tmp_path: Path, name: str) -> None:
        """Nothing is ever written outside the folder."""
        with zipfile.ZipFile(whole, "a") as backup:
            backup.writestr(name, b"evil")
        self.refused(whole, tmp_path)

    @pytest.mark.parametrize("name", ["server.db", "libraries/01234567-89ab-cdef-0123-456789abcdef/library.db"])
    def test_one_that_holds_something_else_than_a_database(self, home: Household, tmp_path: Path, name: str) -> None:
        """Under a right name."""
        path = tmp_path / "made.zip"
        with zipfile.ZipFile(path, "w") as backup:
            backup.writestr(name, b"no database, but as long as one might be. " * 99)
            if name != "server.db":
                backup.write(home.folder / "server.db", "server.db")
        self.refused(path, tmp_path)

    def test_one_of_a_single_library(self, home: Household, tmp_path: Path) -> None:
        """A zip without people."""
        with zipfile.ZipFile(tmp_path / "made.zip", "w") as backup:
            backup.writestr("libraries/01234567-89ab-cdef-0123-456789abcdef/library.db", b"")
        self.refused(tmp_path / "made.zip", tmp_path)


class TestVerify:
    """Damage is found, and mended by what devices have."""

    def test_a_sound_server_is_called_so(self, home: Household, mine: Library, met: Callable[[Library], bool]) -> None:
        """Its database, and each library."""
        assert met(mine)
        found = list(keeping.look(settings(home), deep=True))
        assert [finding.ok for finding in found] == [True, True]

    def test_what_rotted_on_the_server_is_sent_again(
        self, home: Household, mine: Library, met: Callable[[Library], bool]
    ) -> None:
        """By whichever device comes next."""
        assert met(mine)
        with closing(sqlite3.connect(home.library)) as db, db:
            db.execute("UPDATE facts SET body = replace(body, 'words 1', 'w?rds 1') WHERE type = 'record'")
        wrong = [finding for finding in keeping.look(settings(home), deep=False) if not finding.ok]
        assert "kindlehl server verify --mend" in str(wrong[0].remedy)
        assert keeping.mend_all(settings(home)) > 50
        assert met(mine)
        assert all(finding.ok for finding in keeping.look(settings(home), deep=True))
        with closing(open_library(home.library)) as theirs:
            assert picture(theirs) == picture(mine)
        assert keeping.mend_all(settings(home)) == 0

    def test_what_no_device_has_stays_as_it_reads(self, home: Household) -> None:
        """Nobody gets it before its owner has said that it is to be taken for whole."""
        with home.needs.libraries.library(home.owner.id) as theirs:
            keep(theirs, HIS[0], import_of(1, "clippings", HIS[:1]))
        with closing(sqlite3.connect(home.library)) as db, db:
            db.execute("UPDATE facts SET body = replace(body, 'words 1', 'w?rds 1') WHERE type = 'record'")
        assert keeping.mend_all(settings(home)) == 1
        wrong = [finding for finding in keeping.look(settings(home), deep=True) if not finding.ok]
        assert [finding.name.partition(": ")[2] for finding in wrong] == ["damaged"]
        assert "kindlehl server verify --keep" in str(wrong[0].remedy)
        token = let_in(home.needs, home.owner, "Laptop")
        with closing(empty_library()) as device, closing(Server(home.url, token)) as server:
            sync(device, "server", server.ask)
            assert "w?rds" not in str([*device.facts.bodies()])
            assert keeping.keep_all(settings(home)) == 1
            assert all(finding.ok for finding in keeping.look(settings(home), deep=True))
            sync(device, "server", server.ask)
            assert "w?rds" in str([*device.facts.bodies()])
            assert keeping.keep_all(settings(home)) == 0

    def test_what_says_nothing_any_more_is_a_finding_until_it_comes_again(
        self, home: Household, mine: Library, met: Callable[[Library], bool]
    ) -> None:
        """With what helps."""
        assert met(mine)
        with closing(sqlite3.connect(home.library)) as db, db:
            db.execute("UPDATE facts SET body = '{' WHERE id = ?", (HIS[0].id,))
        assert keeping.mend_all(settings(home)) == 1
        wrong = [finding for finding in keeping.look(settings(home), deep=True) if not finding.ok]
        assert [finding.name.partition(": ")[2] for finding in wrong] == ["lost"]
        assert "kindlehl server restore" in str(wrong[0].remedy)
        assert met(mine)
        assert all(finding.ok for finding in keeping.look(settings(home), deep=True))

    def test_a_library_that_is_none_is_a_finding(
        self, home: Household, mine: Library, met: Callable[[Library], bool]
    ) -> None:
        """And the others are looked at all the same."""
        assert met(mine)
        other = home.folder / "libraries" / "01234567-89ab-cdef-0123-456789abcdef" / "library.db"
        other.parent.mkdir()
        other.write_bytes(b"no database, but as long as one might be. " * 99)
        found = list(keeping.look(settings(home), deep=False))
        assert sorted(finding.ok for finding in found) == [False, True, True]
        other.with_name("server.db").write_bytes(other.read_bytes())
        assert not next(keeping.look(Settings(other.parent), deep=False)).ok


class TestBroughtBackByOthers:
    """A database that came back by its own tools, as pg_restore does it."""

    def test_no_door_of_that_day_is_open_and_each_library_begins_anew(
        self, needs: Needs, anna: Person, ben: Person, address: str, tmp_path: Path, pair: Callable[[Person, str], str]
    ) -> None:
        """Devices stay."""
        token = pair(anna, "Laptop")
        session, invitation = needs.sessions.begin(anna), needs.accounts.invite(anna)
        waits, approved = (needs.pairing.start(name, "192.0.2.7") for name in ("Phone", "Tablet"))
        needs.pairing.approve(anna, approved.code)
        epochs = {}
        for person in (anna, ben):
            with needs.libraries.library(person.id) as library:
                keep(library, *HIS, import_of(1, "clippings", HIS))
                epochs[person] = library.peers.epoch()
        assert keeping.reset(Settings(tmp_path, None if address.startswith("sqlite") else address)) == 2
        assert needs.sessions.person(session) is None
        with pytest.raises(DeniedError):
            needs.accounts.accept(invitation, "Eve", PASSWORD)
        for each in (waits, approved):
            with pytest.raises(DeniedError):
                needs.pairing.collect(each.secret)
        assert needs.accounts.device(token).name == "Laptop"
        for person in (anna, ben):
            with needs.libraries.library(person.id) as library:
                assert library.peers.epoch() != epochs[person]
                assert len([*library.facts.bodies()]) == len(HIS) + 1

    def test_a_server_that_a_dump_was_restored_to_gets_what_it_lacks(self, template: str, tmp_path: Path) -> None:
        """With PostgreSQL's own programs: a device whose cursor is beyond the dump gives all that it has, and whoever
        was signed in on that day is not any more."""
        places = programs()
        assert places
        with copied(template) as url, copied(template) as other, closing(empty_library()) as mine:
            keep(mine, *HIS, import_of(1, "clippings", HIS))
            with closing(Database(url)) as database:
                needs = needs_of(database, tmp_path)
                owner = owner_of(needs)
                token, session = let_in(needs, owner, "Laptop"), needs.sessions.begin(owner)
                with serving(create_app(needs)) as address, closing(Server(address, token)) as server:
                    assert sync(mine, "server", server.ask).equal
                    dump = tmp_path / "dump"
                    subprocess.run([places / "pg_dump", "-Fc", "-f", dump, "-d", plain(url)], check=True)
                    needs.sessions.end(session)
                    keep(mine, edit(1_000, HIS[0].id, "note", "of today"))
                    assert sync(mine, "server", server.ask).equal
            subprocess.run([places / "pg_restore", "--clean", "-d", plain(other), dump], check=True)
            done = Kindlehl(tmp_path / "home")("server", "restored", "--database", other)
            assert (done.code, done.err) == (0, "")
            assert "1 library" in done.out
            with closing(Database(other)) as database:
                needs = needs_of(database, tmp_path)
                assert needs.sessions.person(session) is None
                with serving(create_app(needs)) as address, closing(Server(address, token)) as server:
                    found = sync(mine, "server", server.ask)
                    assert (found.anew, found.equal) == (True, True)
                with needs.libraries.library(owner.id) as library:
                    assert picture(library) == picture(mine)


def plain(url: str) -> str:
    """A URL as PostgreSQL's programs read it."""
    return url.replace("+psycopg", "")
