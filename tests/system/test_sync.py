"""A household at the command line: a real server, real devices, and what they say."""

import re
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import pytest
from support.cli import SAMPLE, Kindlehl, complaint, facts, shown
from support.household import PASSWORD, Household, household, needs_of
from support.served import serving
from support.waiting import until

from kindlehl import wiring
from kindlehl.domain.facts import new_id
from kindlehl_server.accounts import Person
from kindlehl_server.app import create_app
from kindlehl_server.store.database import Database


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Household]:
    """A server that runs, with its owner."""
    with household(tmp_path / "server") as made:
        yield made


@pytest.fixture
def device(tmp_path: Path, home: Household) -> Callable[[str], Kindlehl]:
    """A device by its name, which is paired."""

    def made(name: str) -> Kindlehl:
        person = Kindlehl(tmp_path / name, {"KINDLEHL_DEVICE": name, "KINDLEHL_WAIT": "3"})
        home.pair(person, name)
        return person

    return made


def equal(*devices: Kindlehl) -> bool:
    """Whether they hold and show the same."""
    first, *others = [(sorted(facts(each.library)), shown(each.library)) for each in devices]
    return all(first == other for other in others)


def paired(device: Kindlehl, home: Household, person: Person) -> str:
    """Have a device paired at the command line, and somebody agree; what it says beside its result."""
    with device.start("pair", home.url) as pairing:
        assert pairing.stdout
        said = b""
        while not (code := re.search(rb"\b[B-Z]{4}-[B-Z]{4}\b", said)):
            said += pairing.stdout.readline()
        home.needs.pairing.approve(person, code[0].decode())
        _, err = pairing.communicate(timeout=20)
    assert pairing.returncode == 0, err
    return err.decode()


def first_id(person: Kindlehl) -> str:
    return str(person("list", "--json").json["items"][0]["id"])


class TestServing:
    """`kindlehl serve`."""

    @contextmanager
    def serving(self, person: Kindlehl, *args: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
        """The server as a process; its address."""
        with person.start("serve", "--port", "0", *args) as process:
            assert process.stdout
            line = process.stdout.readline().decode()
            found = re.fullmatch(r"Serving at (http://\S+); Ctrl-C stops it\.\n", line)
            assert found, line
            try:
                yield found[1], process
            finally:
                process.terminate()

    def test_from_nothing_to_two_devices_that_hold_the_same(self, tmp_path: Path) -> None:
        """As a person does it: the link, a name and a password, a code, and a sync on each."""
        server = Kindlehl(tmp_path / "server")
        with self.serving(server) as (url, process), httpx2.Client(base_url=url, follow_redirects=True) as browser:
            assert process.stdout
            assert b"becomes the owner" in process.stdout.readline()
            link = process.stdout.readline().decode().strip()
            assert link.startswith(f"{url}/join#khl_")
            form = {"invitation": link.partition("#")[2], "name": "Anna", "password": PASSWORD}
            assert "Your devices" in browser.post("/join", data=form).text
            devices = [Kindlehl(tmp_path / name, {"KINDLEHL_DEVICE": name}) for name in ("laptop", "tablet")]
            for person in devices:
                person.ok("import", SAMPLE)
                with person.start("pair", url) as pairing:
                    assert pairing.stdout
                    said = b""
                    while not (code := re.search(rb"\b[B-Z]{4}-[B-Z]{4}\b", said)):
                        said += pairing.stdout.readline()
                    browser.post("/pair/approve", data={"code": code[0].decode()})
                    out, err = pairing.communicate(timeout=20)
                assert (pairing.returncode, err) == (0, b"Now: kindlehl sync\n")
                assert b"is paired with 127.0.0.1 as" in out
                assert "the same as on 127.0.0.1 now" in person.ok("sync")
            devices[0].ok("sync")
            assert equal(*devices)
            held = wiring.pairing(devices[0].library)
            assert held
            path = devices[0].library.with_name("library.server.json")
            assert path.stat().st_mode & 0o777 == 0o600
            assert server.home.joinpath("data/kindlehl/server").stat().st_mode & 0o777 == 0o700
        assert process.wait(20) in (0, -signal.SIGTERM)

    def test_a_second_start_has_an_owner_already(self, tmp_path: Path) -> None:
        """The link of the first start is void once another was printed; where somebody is, there is none."""
        server = Kindlehl(tmp_path / "server")
        links = []
        for _ in range(2):
            with self.serving(server) as (url, process):
                assert process.stdout
                process.stdout.readline()
                links.append(process.stdout.readline().decode().strip().partition("#")[2])
        with self.serving(server) as (url, process), httpx2.Client(base_url=url) as browser:
            form = {"name": "Anna", "password": PASSWORD}
            assert browser.post("/join", data={**form, "invitation": links[0]}).status_code == 403
            assert process.stdout
            process.stdout.readline()
            fresh = process.stdout.readline().decode().strip().partition("#")[2]
            assert browser.post("/join", data={**form, "invitation": fresh}).status_code == 303
        with self.serving(server) as (url, process):
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
            assert (out, err) == (b"", b"")
            assert process.returncode in (0, 130)

    def test_a_port_that_is_taken_and_a_folder_that_cannot_be_are_sentences(self, tmp_path: Path) -> None:
        """And so is a database that nobody knows."""
        server = Kindlehl(tmp_path / "server")
        with self.serving(server) as (url, _):
            done = server("serve", "--port", url.rpartition(":")[2], "--data", tmp_path / "other")
            assert "Nothing can listen on 127.0.0.1" in complaint(done, 2)
            assert "A server runs on" in complaint(server("serve", "--port", "0"), 75)
            assert "A server runs on" in complaint(server("server", "verify", "--mend"), 75)
            assert server("server", "verify").code == 0
        (tmp_path / "file").write_text("x")
        assert "cannot be made" in complaint(server("serve", "--data", tmp_path / "file" / "x"), 1)
        assert "no database the server knows" in complaint(server("serve", "--database", "mysql://x/y"), 2)
        assert "Nothing can listen" in complaint(server("serve", "--host", "256.0.0.1"), 2)


class TestPairing:
    """`kindlehl pair`."""

    def test_a_server_that_is_none_is_a_sentence(self, kindlehl: Kindlehl) -> None:
        """Nothing is left behind, not even a library."""
        assert "no address of a server" in complaint(kindlehl("pair", "books.example.org"), 2)
        assert "cannot be reached" in complaint(kindlehl("pair", "http://127.0.0.1:9"), 75)
        assert not kindlehl.library.exists()
        assert not kindlehl.library.with_name("library.server.json").exists()

    def test_another_server_is_paired_only_if_that_is_meant(
        self, device: Callable[[str], Kindlehl], tmp_path: Path
    ) -> None:
        """The first one is named."""
        laptop = device("laptop")
        held = laptop.library.with_name("library.server.json").read_text()
        done = laptop("pair", "http://127.0.0.1:9")
        assert "is paired with http://127.0.0.1" in complaint(done, 2)
        assert "cannot be reached" in complaint(laptop("pair", "http://127.0.0.1:9", "--again"), 75)
        assert laptop.library.with_name("library.server.json").read_text() == held

    def test_a_device_that_is_refused_or_interrupted_is_not_paired(self, tmp_path: Path, home: Household) -> None:
        """Exit 4, and 130."""
        person = Kindlehl(tmp_path / "phone")
        for end in ("refuse", "interrupt"):
            with person.start("pair", home.url, "--json") as pairing:
                assert pairing.stderr
                said = b""
                while not (code := re.search(rb"\b[B-Z]{4}-[B-Z]{4}\b", said)):
                    said += pairing.stderr.readline()
                if end == "refuse":
                    home.needs.pairing.refuse(code[0].decode())
                else:
                    pairing.send_signal(signal.SIGINT)
                out, err = pairing.communicate(timeout=20)
            assert out == b""
            assert pairing.returncode == (4 if end == "refuse" else 130)
            assert (b"not let in" in err) == (end == "refuse")
            assert wiring.pairing(person.library) is None

    def test_a_proxy_that_is_not_understood_is_a_sentence(self, kindlehl: Kindlehl) -> None:
        """And no bug."""
        for proxy in ("socks5://127.0.0.1:9", "nonsense://x"):
            done = kindlehl("pair", "http://192.0.2.1:9", env={"ALL_PROXY": proxy, "HTTP_PROXY": proxy})
            assert "proxy that this computer names is not understood" in complaint(done, 2)

    def test_an_unencrypted_line_through_a_network_is_told(self, kindlehl: Kindlehl) -> None:
        """Before anything is sent."""
        done = kindlehl("pair", "http://192.0.2.1:9", env={"KINDLEHL_WAIT": "0"}, timeout=30)
        assert "The connection is not encrypted" in done.err


class TestSync:
    """`kindlehl sync`."""

    def test_three_devices_meet_and_disagree_and_agree(self, device: Callable[[str], Kindlehl]) -> None:
        """A note on one and another note on the other, offline: both are kept, with who wrote them, until somebody
        decides; that reaches all."""
        laptop, desktop, pi = (device(name) for name in ("laptop", "desktop", "pi"))
        laptop.ok("import", SAMPLE)
        laptop.ok("sync")
        desktop.ok("import", SAMPLE)
        desktop.ok("sync")
        pi.ok("sync")
        assert equal(desktop, pi)
        id_ = first_id(pi)
        laptop.ok("note", id_, "as the laptop sees it")
        desktop.ok("note", id_, "as the desktop sees it")
        assert "Received 1 and sent 1 changes;" in laptop.ok("sync")
        done = desktop("sync")
        assert "Received 1 and sent 1 changes" in done.out
        assert "two things are said now" in done.err
        assert "two things are said now" in pi("sync").err
        listed = pi.ok("conflicts")
        assert "laptop" in listed
        assert "desktop" in listed
        pi.ok("conflicts", id_, "--keep", "both")
        for each in (pi, laptop, desktop):
            each.ok("sync")
        assert equal(laptop, desktop, pi)
        assert "There are no conflicts." in laptop("conflicts").err
        for note in ("as the laptop sees it", "as the desktop sees it"):
            assert note in laptop.ok("show", id_)

    def test_offline_every_command_works_and_sync_says_so(
        self, tmp_path: Path, device: Callable[[str], Kindlehl]
    ) -> None:
        """Exit 75, for a script that tries again later; what was written goes out the next time."""
        laptop = device("laptop")
        laptop.ok("import", SAMPLE)
        held = wiring.pairing(laptop.library)
        assert held
        wiring.keep_pairing(laptop.library, held._replace(url="http://127.0.0.1:9"))
        began = time.monotonic()
        assert "cannot be reached" in complaint(laptop("sync"), 75)
        assert time.monotonic() - began < 15
        assert "Waiting to be sent: 27" in laptop.ok("sync", "status")
        wiring.keep_pairing(laptop.library, held)
        assert "Sent 27 changes" in laptop.ok("sync")
        assert "Waiting to be sent: 0" in laptop.ok("sync", "status")
        assert "never" not in laptop.ok("sync", "status")

    def test_what_others_deleted_is_told(self, device: Callable[[str], Kindlehl]) -> None:
        """With where it is; few are no news."""
        laptop, desktop = device("laptop"), device("desktop")
        laptop.ok("import", SAMPLE)
        laptop.ok("sync")
        desktop.ok("sync")
        ids = [each["id"] for each in laptop("list", "--json").json["items"]]
        laptop.ok("delete", ids[0])
        laptop.ok("sync")
        assert desktop("sync").err == ""
        laptop.ok("delete", *ids[1:14])
        laptop.ok("sync")
        done = desktop("sync")
        assert "13 highlights are in the trash now" in done.err
        assert desktop("sync", "--json").json["equal"]

    def test_a_revoked_device_is_told_and_keeps_what_it_has(self, device: Callable[[str], Kindlehl]) -> None:
        """Exit 4; a device that revokes itself is paired no more."""
        laptop, phone = device("laptop"), device("phone")
        phone.ok("import", SAMPLE)
        phone.ok("sync")
        assert "phone" in laptop.ok("devices", "list")
        assert "“phone” is let in no more." in laptop.ok("devices", "revoke", "phone", "--yes")
        assert "not paired with the server" in complaint(phone("sync"), 4)
        assert len(phone("list", "--json").json["items"]) == 18
        assert "this device" in complaint(laptop("devices", "revoke", "LAPTOP"), 2)
        assert "This device is let in no more." in laptop.ok("devices", "revoke", "laptop", "--yes")
        assert "paired with no server" in laptop("sync", "status").out

    def test_a_device_can_be_called_otherwise(self, device: Callable[[str], Kindlehl]) -> None:
        """By its name or id; a name that two have is none."""
        laptop, _ = device("laptop"), device("phone")
        laptop.ok("devices", "rename", "phone", "laptop")
        assert "Several devices" in complaint(laptop("devices", "rename", "laptop", "x"), 2)
        (other,) = [each for each in laptop("devices", "list", "--json").json["items"] if not each["this"]]
        laptop.ok("devices", "rename", other["id"][-8:], "Anna’s phone")
        assert "Anna’s phone" in laptop.ok("devices", "list")
        for none in ("fridge", "", other["id"][-5:]):
            assert "No device is called" in complaint(laptop("devices", "rename", none, "x"), 1)

    def test_a_copied_computer_is_told_so_and_loses_nothing(
        self, device: Callable[[str], Kindlehl], tmp_path: Path
    ) -> None:
        """Both go on under one name until one of them is paired anew."""
        laptop = device("laptop")
        laptop.ok("import", SAMPLE)
        laptop.ok("sync")
        shutil.copytree(laptop.home, tmp_path / "copy")
        copy = Kindlehl(tmp_path / "copy")
        held = wiring.pairing(copy.library)
        assert held
        wiring.keep_pairing(copy.library, held._replace(computer="the-old-one"))
        id_ = first_id(laptop)
        laptop.ok("tag", "here", id_)
        copy.ok("tag", "there", id_)
        laptop.ok("sync")
        assert "is not the-old-one, which was paired" in copy("sync").err
        assert "is not the-old-one, which was paired" in " ".join(copy.ok("sync", "status").split())
        laptop.ok("sync")
        assert equal(laptop, copy)
        assert laptop("show", id_, "--json").json["items"][0]["tags"] == ["here", "there"]

    def test_a_damaged_pairing_is_a_sentence_and_syncs_nothing(
        self, device: Callable[[str], Kindlehl], home: Household
    ) -> None:
        """A wish that cannot be read is not taken for none."""
        laptop = device("laptop")
        laptop.ok("import", SAMPLE)
        path = laptop.library.with_name("library.server.json")
        whole = path.read_text()
        for damaged in ("", "{}", "[]", whole.replace('"withholds": []', '"withholds": ["everything"]')):
            path.write_text(damaged)
            assert "is damaged" in complaint(laptop("sync"), 1)
        assert not home.library.exists() or facts(home.library) == []


class TestPrivacy:
    """What is kept back."""

    def test_notes_are_kept_to_a_device_and_sent_once_they_are_released(
        self, device: Callable[[str], Kindlehl], home: Household
    ) -> None:
        """In neither direction meanwhile, and not a word of them is on the server."""
        laptop, desktop = device("laptop"), device("desktop")
        laptop.ok("import", SAMPLE)
        id_ = first_id(laptop)
        laptop.ok("sync", "stop", "notes")
        laptop.ok("note", id_, "a secret thought")
        laptop.ok("sync")
        desktop.ok("sync")
        assert b"secret thought" not in home.library.read_bytes() + wal(home.library)
        desktop.ok("note", id_, "an open thought")
        desktop.ok("sync")
        laptop.ok("sync")
        assert "an open thought" not in laptop.ok("show", id_)
        assert "keeps its notes to itself" in laptop.ok("sync", "status")
        laptop.ok("sync", "start", "notes")
        laptop("sync")
        desktop("sync")
        assert equal(laptop, desktop)
        assert len(desktop("conflicts", "--json").json["items"]) == 1

    def test_what_is_to_be_erased_is_gone_from_the_server_and_from_no_device(
        self, device: Callable[[str], Kindlehl], home: Household
    ) -> None:
        """No device brings it back until it is wanted again."""
        laptop, desktop = device("laptop"), device("desktop")
        laptop.ok("import", SAMPLE)
        id_ = first_id(laptop)
        laptop.ok("note", id_, "a secret thought")
        laptop.ok("sync")
        desktop.ok("sync")
        assert b"secret thought" in home.library.read_bytes() + wal(home.library)
        laptop.ok("sync", "stop", "notes", "--erase", "--yes")
        assert b"secret thought" not in home.library.read_bytes() + wal(home.library)
        for each in (desktop, laptop, desktop):
            each("sync")
        assert b"secret thought" not in home.library.read_bytes() + wal(home.library)
        assert "a secret thought" in desktop.ok("show", id_)
        assert "The server keeps no notes" in desktop.ok("sync", "status")
        assert "was told to keep no notes" in complaint(laptop("sync", "start", "notes"), 2)
        laptop.ok("sync", "start", "notes", "--again")
        for each in (laptop, desktop, laptop):
            each("sync")
        assert equal(laptop, desktop)
        assert b"secret thought" in home.library.read_bytes() + wal(home.library)

    def test_what_somebody_wished_is_nobody_elses_wish(
        self, device: Callable[[str], Kindlehl], home: Household
    ) -> None:
        """A device that goes over to another person on the same server has nothing of his dropped; and what was not to
        be held for the one it does not send to the other, until it is told to."""
        laptop = device("laptop")
        laptop.ok("import", SAMPLE)
        laptop.ok("note", first_id(laptop), "a secret thought")
        laptop.ok("sync", "stop", "notes", "--erase", "--yes")
        laptop.ok("sync", "start", "notes", "--again")
        laptop.ok("sync", "stop", "notes", "--erase", "--yes")
        ben = home.needs.accounts.accept(home.needs.accounts.invite(home.owner), "Ben", PASSWORD)
        bens = Kindlehl(home.folder.parent / "bens", {"KINDLEHL_DEVICE": "bens"})
        bens.ok("import", SAMPLE)
        bens.ok("note", first_id(bens), "a thought of his")
        paired(bens, home, ben)
        bens.ok("sync")
        before = facts(home.library_of(ben))
        told = paired(laptop, home, ben)
        assert "This device still keeps its notes to itself" in told
        assert laptop("sync").code == 0
        assert {*before} <= {*facts(home.library_of(ben))}
        assert b"secret thought" not in home.library_of(ben).read_bytes() + wal(home.library_of(ben))
        assert "a thought of his" in bens.ok("show", first_id(bens))
        paired(laptop, home, home.owner)
        assert "The server keeps no notes, as you told it." in laptop.ok("sync", "status")

    def test_what_no_device_has_yet_comes_to_one_before_the_server_drops_it(
        self, device: Callable[[str], Kindlehl], home: Household
    ) -> None:
        """A program wrote it there."""
        laptop = device("laptop")
        token = wiring.needed_pairing(laptop.library).token
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": new_id()}
        body = {"text": "Simplify, simplify.", "title": "Walden"}
        assert httpx2.post(f"{home.url}/api/v1/highlights", json=body, headers=headers).status_code == 201
        laptop.ok("sync", "stop", "highlights", "--erase", "--yes")
        assert "Simplify, simplify." in laptop.ok("list")
        assert "Simplify" not in str(facts(home.library))

    def test_pairing_anew_keeps_what_a_device_keeps_to_itself(
        self, device: Callable[[str], Kindlehl], home: Household
    ) -> None:
        """Whether it was paired, revoked itself, or nobody can read any more what it wished: then it keeps all."""
        laptop = device("laptop")
        laptop.ok("import", SAMPLE)
        laptop.ok("sync", "stop", "notes")
        home.pair(laptop, "laptop again")
        assert "keeps its notes to itself" in laptop.ok("sync", "status")
        laptop.ok("devices", "revoke", "laptop again", "--yes")
        assert "paired with no server" in laptop("sync", "status").out
        home.pair(laptop, "once more")
        laptop.ok("sync")
        assert not any('"kind":"note"' in body for _, body in facts(home.library))
        laptop.library.with_name("library.server.json").write_text("{")
        home.pair(laptop, "at last")
        said = laptop.ok("sync", "status")
        assert "keeps its notes" in said
        assert "keeps its highlights" in said

    def test_one_wish_does_not_take_back_another(self, device: Callable[[str], Kindlehl], home: Household) -> None:
        """Though nobody has synced in between; and no other device is told that the server is another."""
        laptop, desktop = device("laptop"), device("desktop")
        laptop.ok("import", SAMPLE)
        laptop.ok("sync")
        desktop.ok("sync")
        laptop.ok("sync", "stop", "notes", "--erase", "--yes")
        laptop.ok("sync", "stop", "highlights", "--erase", "--yes")
        assert "was told to keep no notes" in complaint(laptop("sync", "start", "notes"), 2)
        done = desktop("sync")
        assert "The server keeps no highlights and no notes, as you told it." in done.err
        assert "not the one it was" not in done.err
        assert laptop("sync").err == ""
        assert all('"type":"import"' in body for _, body in facts(home.library))

    def test_what_one_server_was_told_another_is_not(self, device: Callable[[str], Kindlehl], tmp_path: Path) -> None:
        """A library that leaves one server for another leaves its wishes there."""
        laptop = device("laptop")
        laptop.ok("import", SAMPLE)
        laptop.ok("sync")
        laptop.ok("sync", "stop", "notes", "--erase", "--yes")
        laptop.ok("sync", "start", "notes", "--again")
        laptop.ok("sync", "stop", "notes", "--erase", "--yes")
        with household(tmp_path / "another") as another:
            with laptop.start("pair", another.url, "--again") as pairing:
                assert pairing.stdout
                said = b""
                while not (code := re.search(rb"\b[B-Z]{4}-[B-Z]{4}\b", said)):
                    said += pairing.stdout.readline()
                another.needs.pairing.approve(another.owner, code[0].decode())
                _, err = pairing.communicate(timeout=20)
            assert b"still keeps its notes to itself" in err
            laptop.ok("sync", "start", "notes")
            laptop.ok("sync")
            assert any('"kind":"note"' in body for _, body in facts(another.library))


def wal(path: Path) -> bytes:
    """What lies beside the file."""
    beside = path.with_name(f"{path.name}-wal")
    return beside.read_bytes() if beside.exists() else b""


class TestVerify:
    """`kindlehl sync verify`."""

    def test_what_rotted_on_the_disk_comes_back_from_the_server(self, device: Callable[[str], Kindlehl]) -> None:
        """And is said; the second time there is nothing to say."""
        laptop = device("laptop")
        laptop.ok("import", SAMPLE)
        laptop.ok("sync")
        before = sorted(facts(laptop.library))
        with closing(sqlite3.connect(laptop.library)) as db, db:
            db.execute("UPDATE facts SET body = replace(body, 'the', 'thx') WHERE type = 'record'")
        assert laptop("db", "verify").code == 1
        done = laptop("sync", "verify")
        assert done.code == 0, done
        assert "Damaged on this disk" in done.out
        assert sorted(facts(laptop.library)) == before
        assert laptop("db", "verify").code == 0
        assert laptop.ok("sync", "verify") == "Both libraries hold the same facts, 127.0.0.1 and this one.\n"

    def damaged(self, where: Path, old: str, new: str) -> None:
        """A disk makes this of that."""
        with closing(sqlite3.connect(where)) as db, db:
            db.execute("UPDATE facts SET body = replace(body, ?, ?) WHERE type = 'record'", (old, new))

    def test_the_only_copy_of_something_stays_and_is_sent_as_it_reads(
        self, device: Callable[[str], Kindlehl], home: Household
    ) -> None:
        """And that is said."""
        laptop, tablet = device("laptop"), device("tablet")
        laptop.ok("add", "marvellous words", "--book", "Walden")
        self.damaged(laptop.library, "marvellous", "marvelloux")
        done = laptop("sync")
        assert "1 facts turned out to be damaged on this disk" in done.err
        assert "marvellous" not in str(facts(home.library))
        assert laptop("db", "verify").code == 1
        done = laptop("sync", "verify")
        assert done.code == 0, done
        assert "Damaged on this disk: 1 facts. Whole from the server came 0." in done.out
        assert "1 it does not have: they are kept as they read" in done.out
        assert "marvelloux words" in laptop.ok("list")
        assert laptop.ok("db", "verify", "--deep")
        assert laptop.ok("sync", "verify") == "Both libraries hold the same facts, 127.0.0.1 and this one.\n"
        tablet.ok("sync")
        assert equal(laptop, tablet)

    def test_what_is_kept_from_the_server_stays_as_it_reads_until_it_is_asked(
        self, device: Callable[[str], Kindlehl]
    ) -> None:
        """It may have it whole, and other devices too."""
        laptop = device("laptop")
        laptop.ok("add", "marvellous words", "--book", "Walden")
        laptop.ok("sync")
        laptop.ok("sync", "stop", "highlights")
        self.damaged(laptop.library, "marvellous", "marvelloux")
        for _ in range(2):
            done = laptop("sync", "verify")
            assert done.code == 0, done
            assert "1 it was not asked for: they stay as they read" in done.out.replace("\n", " ")
            assert "words" in laptop.ok("list")
        laptop.ok("sync", "start", "highlights")
        laptop.ok("sync")
        assert "marvellous words" in laptop.ok("list")
        laptop.ok("db", "verify", "--deep")

    def test_what_cannot_be_read_is_said_until_somebody_sends_it(self, device: Callable[[str], Kindlehl]) -> None:
        """By each look at the library; a device that has it brings it back."""
        laptop, tablet = device("laptop"), device("tablet")
        laptop.ok("add", "marvellous words", "--book", "Walden")
        laptop.ok("sync", "stop", "highlights")
        self.damaged(laptop.library, '"type":', '"typ":')
        for _ in range(2):
            done = laptop("sync", "verify", "--json")
            assert (done.code, done.json["damaged"], done.json["lost"]) == (1, 1, 1)
            done = laptop("sync", "verify")
            assert done.code == 1
            assert "1 cannot be read and are set aside" in done.out
            done = laptop("db", "verify")
            assert done.code == 1
            assert "1 facts could not be read any more" in done.out
        tablet.ok("sync")

    def test_where_nobody_answers_everything_stays_as_it_is(self, device: Callable[[str], Kindlehl]) -> None:
        """What is damaged is shown as before."""
        laptop = device("laptop")
        laptop.ok("add", "marvellous words", "--book", "Walden")
        self.damaged(laptop.library, '"type":', '"typ":')
        pairing = wiring.needed_pairing(laptop.library)
        wiring.keep_pairing(laptop.library, pairing._replace(url="http://127.0.0.1:9"))
        before = facts(laptop.library)
        complaint(laptop("sync", "verify"), 75)
        assert facts(laptop.library) == before
        assert "marvellous words" in laptop.ok("list")

    def test_a_server_that_lost_something_gets_it_back(
        self, device: Callable[[str], Kindlehl], home: Household
    ) -> None:
        """An emptied one, and one of yesterday."""
        laptop = device("laptop")
        laptop.ok("import", SAMPLE)
        laptop.ok("sync")
        home.library.unlink()
        for beside in home.library.parent.glob("library.db-*"):
            beside.unlink()
        done = laptop("sync")
        assert "is not the one it was" in done.err
        assert "Sent 27 changes" in done.out
        assert sorted(facts(home.library)) == sorted(facts(laptop.library))


class TestWatch:
    """`kindlehl sync --watch`."""

    def test_what_is_written_on_one_device_is_on_the_other_within_two_seconds(
        self, device: Callable[[str], Kindlehl]
    ) -> None:
        """Both ways, and it says so."""
        laptop, desktop = device("laptop"), device("desktop")
        laptop.ok("import", SAMPLE)
        with laptop.start("sync", "--watch") as one, desktop.start("sync", "--watch") as two:
            try:
                for process in (one, two):
                    assert process.stdout
                    assert b"Connected with 127.0.0.1." in process.stdout.readline()
                until(lambda: equal(laptop, desktop), 10)
                id_ = first_id(laptop)
                for writer, other in ((laptop, desktop), (desktop, laptop)):
                    writer.ok("tag", f"from {writer.home.name}", id_)
                    until(lambda other=other, writer=writer: f"from {writer.home.name}" in other.ok("show", id_), 4)
                assert equal(laptop, desktop)
            finally:
                for process in (one, two):
                    process.send_signal(signal.SIGINT)
            for process in (one, two):
                out, err = process.communicate(timeout=10)
                assert (process.returncode, err) == (130, b"")
                assert b"change" in out

    def test_a_revoked_device_stops_watching_at_once(self, device: Callable[[str], Kindlehl]) -> None:
        """With exit 4 and a sentence."""
        laptop, phone = device("laptop"), device("phone")
        with phone.start("sync", "--watch") as watching:
            assert watching.stdout
            watching.stdout.readline()
            laptop.ok("devices", "revoke", "phone", "--yes")
            _, err = watching.communicate(timeout=5)
        assert watching.returncode == 4
        assert b"not paired with the server any more" in err

    def test_it_ends_when_the_library_is_paired_elsewhere_or_nowhere(
        self, device: Callable[[str], Kindlehl], home: Household
    ) -> None:
        """It neither goes on with the server that was left, nor sends it another's token."""
        laptop = device("laptop")
        for end in (lambda: home.pair(laptop, "laptop again"), lambda: wiring.unpair(laptop.library)):
            with laptop.start("sync", "--watch") as watching:
                assert watching.stdout
                watching.stdout.readline()
                end()
                laptop.ok("add", "Simplify, simplify.", "--book", "Walden", "--new-book")
                _, err = watching.communicate(timeout=10)
            assert watching.returncode == 4
            assert b"not paired with that server any more" in err

    def test_it_goes_on_when_the_server_comes_back(self, tmp_path: Path) -> None:
        """It says that it is away, once, and that it is back; what was written meanwhile goes out."""
        person = Kindlehl(tmp_path / "laptop")
        folder = tmp_path / "server"
        with household(folder) as first:
            first.pair(person, "laptop")
            port = first.url.rpartition(":")[2]
            watching = person.start("sync", "--watch")
            assert watching.stdout
            assert b"Connected" in watching.stdout.readline()
        try:
            assert b"cannot be reached" in watching.stdout.readline()
            person.ok("import", SAMPLE)
            database = Database(f"sqlite:///{folder / 'server.db'}")
            with serving(create_app(needs_of(database, folder)), int(port)):
                assert b"Connected" in watching.stdout.readline()
                assert b"Sent 27 changes" in watching.stdout.readline()
            database.close()
        finally:
            watching.send_signal(signal.SIGINT)
            watching.communicate(timeout=10)
