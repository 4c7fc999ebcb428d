"""A household at the command line: a real server, real devices, and what they say."""

import fcntl
import ipaddress
import os
import pty
import re
import select
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

import httpx2
import pytest
from support.cli import SAMPLE, Kindlehl, complaint, facts, shown
from support.household import PASSWORD, Household, household, needs_of
from support.served import serving
from support.waiting import until

from kindlehl import wiring
from kindlehl.cli.render import cells
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


def code_in(stream: IO[bytes]) -> str:
    """The code that a device shows on it."""
    while line := stream.readline():
        if found := re.search(rb"\b[B-Z]{4}-[B-Z]{4}\b", line):
            return found[0].decode()
    pytest.fail("no code was shown")


def paired(device: Kindlehl, home: Household, person: Person, *args: str) -> str:
    """Have a device paired at the command line, and somebody agree; what it says beside its result."""
    with device.start("pair", home.url, *args) as pairing:
        assert pairing.stdout
        home.needs.pairing.approve(person, code_in(pairing.stdout))
        _, err = pairing.communicate(timeout=20)
    assert pairing.returncode == 0, err
    return err.decode()


STYLE = re.compile(r"\x1b\[[0-9;]*m")


@contextmanager
def terminal_of(person: Kindlehl, *args: str, columns: int) -> Iterator[Callable[[str], str]]:
    """A command on a terminal of this width, which is interrupted at the end; reads up to a word."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with person.start(*args, env={"TERM": "xterm-256color"}, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)

        def shown(word: str) -> str:
            said = b""
            deadline = time.monotonic() + 20
            while word.encode() not in said:
                assert select.select([master], [], [], max(0.0, deadline - time.monotonic()))[0], said
                said += os.read(master, 65_536)
            return said.decode().replace("\r\n", "\n")

        try:
            yield shown
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)
            os.close(master)


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
                    browser.post("/pair/approve", data={"code": code_in(pairing.stdout)})
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
            assert process.stdout
            assert b"Only this computer reaches it." in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
            assert (out, err) == (b"", b"")
            assert process.returncode in (0, 130)

    def test_a_port_that_is_taken_and_a_folder_that_cannot_be_are_sentences(self, tmp_path: Path) -> None:
        """And so is a database that nobody knows."""
        server = Kindlehl(tmp_path / "server")
        with self.serving(server) as (url, _):
            port = url.rpartition(":")[2]
            new = tmp_path / "new"
            done = server("serve", "--port", port, "--data", new)
            assert complaint(done, 2) == (
                f"kindlehl: Nothing can listen on 127.0.0.1, port {port}: something listens there already.\n"
                "  Another server may; --port 0 takes any port that is free.\n"
            )
            assert not new.exists()
            assert "A server runs on" in complaint(server("serve", "--port", "0"), 75)
            assert "A server runs on" in complaint(server("server", "verify", "--mend"), 75)
            assert server("server", "verify").code == 0
        (tmp_path / "file").write_text("x")
        assert "cannot be made" in complaint(server("serve", "--data", tmp_path / "file" / "x"), 1)
        assert "no database the server knows" in complaint(server("serve", "--database", "mysql://x/y"), 2)
        assert "there is no such address" in complaint(server("serve", "--host", "256.0.0.1"), 2)
        told = complaint(server("serve", "--host", "192.0.2.1"), 2)
        assert "that is no address of this computer.\n  This computer alone: 127.0.0.1." in told
        for url in (
            "pi.local",
            "pi.local:8484",
            "https://",
            "http://[",
            "ftp://pi.local",
            "https://me:secret@pi.local",
        ):
            told = complaint(server("serve", "--url", url), 2)
            assert "--url takes the whole address" in told
            assert "secret" not in told

    def test_it_says_by_which_address_it_is_reached(self, tmp_path: Path) -> None:
        """From this computer alone, and how to change that; or from the network, by an address that leads there."""
        server = Kindlehl(tmp_path / "server")
        alone = "Only this computer reaches it. For others, too: kindlehl serve --host 0.0.0.0\n"
        with self.serving(server) as (_, process):
            assert process.stdout
            process.send_signal(signal.SIGINT)
            assert process.stdout.read().decode().endswith(alone)
        with self.serving(server, "--host", "0.0.0.0") as (url, process):
            assert httpx2.get(f"{url}/livez").status_code == 200
            assert ipaddress.ip_address(httpx2.URL(url).host)
            assert process.stdout
            process.send_signal(signal.SIGINT)
            assert alone not in process.stdout.read().decode()

    def test_what_strangers_do_is_not_on_its_console(self, tmp_path: Path) -> None:
        """Neither what is no HTTP nor a socket that hangs up before it is open."""
        server = Kindlehl(tmp_path / "server")
        with self.serving(server) as (url, process):
            address = (httpx2.URL(url).host, httpx2.URL(url).port or 0)
            opening = (
                "GET /api/v1/socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            for said in (b"\x16\x03\x01 nonsense\r\n\r\n", opening.encode()):
                for _ in range(5):
                    with socket.create_connection(address, timeout=10) as connection:
                        connection.sendall(said)
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=20)[1] == b""

    def test_what_is_no_backup_is_said_before_anything_else(self, tmp_path: Path) -> None:
        """Whoever mistyped a name is not asked to replace a server first. What was replaced may go in the end."""
        server = Kindlehl(tmp_path / "server")
        with self.serving(server):
            server.ok("server", "backup", tmp_path / "b.zip")
        assert "There is no backup at" in complaint(server("server", "restore", tmp_path / "nothing.zip"), 1)
        assert "is no whole backup of a server" in complaint(server("server", "restore", SAMPLE), 1)
        assert "give --replace" in complaint(server("server", "restore", tmp_path / "b.zip"), 2)
        assert "Delete that once you miss nothing." in server.ok("server", "restore", tmp_path / "b.zip", "--replace")
        made = server("server", "restore", tmp_path / "b.zip", "--data", tmp_path / "new", "--json").json
        assert made["revocations_kept"] is False

    @pytest.mark.parametrize("columns", [80, 40])
    def test_what_it_says_fits_a_terminal(self, tmp_path: Path, columns: int) -> None:
        """But for the link, which is one piece."""
        with terminal_of(Kindlehl(tmp_path / "server"), "serve", "--port", "0", columns=columns) as shown:
            said = shown("--host 0.0.0.0")
        assert all(cells(line) <= columns for line in said.splitlines() if "/join#" not in line)
        assert "kindlehl serve --host 0.0.0.0" in said


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

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("127.0.0.1:8484", "http://127.0.0.1:8484"), ("pi.local", "http://pi.local:8484"),
            ("pi:9", "http://pi:9"), ("books.example.org", "https://books.example.org"),
        ],
    )  # fmt: skip
    def test_an_address_without_its_beginning_is_answered_with_what_was_meant(
        self, kindlehl: Kindlehl, typed: str, meant: str
    ) -> None:
        """But nothing is repeated that may be a secret."""
        assert f"Did you mean {meant}?" in complaint(kindlehl("pair", typed), 2)
        assert "secret" not in complaint(kindlehl("pair", "me:secret@books.example.org"), 2)

    def test_https_where_there_is_none_is_answered_with_http(self, kindlehl: Kindlehl, home: Household) -> None:
        """It answers, and that is said."""
        told = complaint(kindlehl("pair", home.url.replace("http", "https")), 75)
        assert told == (
            "kindlehl: 127.0.0.1 cannot be reached (it speaks no https).\n"
            f"  Nothing was paired. Did you mean {home.url}?\n"
        )

    def test_the_address_of_a_page_will_do(self, tmp_path: Path, home: Household) -> None:
        """It is the one that people have before them."""
        for page in ("/pair", "/pair#BCDF-GHJK", "/sign-in", "/join#khl_x", "/"):
            person = Kindlehl(tmp_path / f"device{len(page)}")
            with person.start("pair", home.url + page) as pairing:
                assert pairing.stdout
                home.needs.pairing.approve(home.owner, code_in(pairing.stdout))
                pairing.communicate(timeout=20)
            assert wiring.needed_pairing(person.library).url == home.url

    def test_a_device_is_in_the_list_once(self, tmp_path: Path, home: Household) -> None:
        """Paired again by mistake, it says that it is paired; meant, the new entry takes the old one's place. One that
        is let in no more, and a copy, are paired without a word; a copy lets nobody go."""
        desktop = Kindlehl(tmp_path / "desktop", {"KINDLEHL_DEVICE": "desktop"})

        def names() -> list[str]:
            return sorted(each.name for each in home.needs.accounts.devices(home.owner.id))

        paired(desktop, home, home.owner)
        told = complaint(desktop("pair", home.url), 2)
        assert "is paired with 127.0.0.1 already, as “desktop”." in told
        assert names() == ["desktop"]
        told = paired(desktop, home, home.owner, "--again")
        assert "“desktop”, as this device was paired before, is let in no more." in told
        assert names() == ["desktop"]
        desktop.ok("sync")
        (only,) = home.needs.accounts.devices(home.owner.id)
        home.needs.accounts.revoke(home.owner.id, only.id)
        paired(desktop, home, home.owner)
        held = wiring.needed_pairing(desktop.library)
        wiring.keep_pairing(desktop.library, held._replace(computer="the-old-one"))
        paired(desktop, home, home.owner, "--name", "copy")
        wiring.keep_pairing(desktop.library, wiring.needed_pairing(desktop.library)._replace(computer="another"))
        paired(desktop, home, home.owner, "--name", "copy 2", "--again")
        assert names() == ["copy", "copy 2", "desktop"]

    def test_where_the_old_server_cannot_be_asked_that_is_told(self, tmp_path: Path, home: Household) -> None:
        """The device may still be in its list."""
        person = Kindlehl(tmp_path / "laptop", {"KINDLEHL_DEVICE": "laptop"})
        paired(person, home, home.owner)
        held = wiring.needed_pairing(person.library)
        wiring.keep_pairing(person.library, held._replace(url="http://127.0.0.1:9"))
        told = paired(person, home, home.owner, "--again")
        assert "“laptop” may still be let in at http://127.0.0.1:9: revoke it on that server's page." in told

    @pytest.mark.parametrize("columns", [80, 40])
    def test_on_a_terminal_code_and_address_stand_below_the_picture(
        self, tmp_path: Path, home: Household, columns: int
    ) -> None:
        """All of it fits 24 lines; the picture is black on white, whatever the terminal is, or not there."""
        person = Kindlehl(tmp_path / "laptop")
        with terminal_of(person, "pair", home.url, columns=columns) as shown:
            said = shown("Ctrl-C")
        lines = STYLE.sub("", said).splitlines()
        assert len(lines) <= 24
        assert all(cells(line) <= columns for line in lines)
        drawn = [line for line in said.splitlines() if line.startswith("\x1b[30;107m")]
        assert len(drawn) >= 15
        assert lines.index(f"  {home.url}/pair") > len(drawn) - 1
        person.env["NO_COLOR"] = "1"
        with terminal_of(person, "pair", home.url, columns=columns) as shown:
            said = shown("Ctrl-C")
        assert "█" not in said
        assert f"  {home.url}/pair" in said

    def test_a_device_that_is_refused_or_interrupted_is_not_paired(self, tmp_path: Path, home: Household) -> None:
        """Exit 4, and 130."""
        person = Kindlehl(tmp_path / "phone")
        for end in ("refuse", "interrupt"):
            with person.start("pair", home.url, "--json") as pairing:
                assert pairing.stderr
                code = code_in(pairing.stderr)
                if end == "refuse":
                    home.needs.pairing.refuse(code)
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
        assert "Received 1 change, sent 1;" in laptop.ok("sync")
        done = desktop("sync")
        assert "Received 1 change, sent 1;" in done.out
        assert "two things are said now" in done.err
        assert "two things are said now" in pi("sync").err
        listed = pi.ok("conflicts")
        assert listed.endswith(f"\n\nTo keep A, B or both: kindlehl conflicts {id_[:8]} --keep A\n")
        assert "     as the laptop sees it\n" in listed
        assert "     as the desktop sees it\n" in listed
        assert "laptop" in listed
        assert "desktop" in listed
        fits = pi.on_terminal("conflicts", columns=40).out.splitlines()
        assert f"kindlehl conflicts {id_[:8]} --keep A" in fits
        assert all(cells(STYLE.sub("", line)) <= 40 for line in fits)
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
        assert "let in no more" in complaint(phone("sync"), 4)
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
        shown_id = laptop.ok("devices", "list").split("  ")[0]
        for typed in (shown_id[:6], shown_id[-6:]):
            laptop.ok("devices", "rename", typed, "Anna’s first phone")
        laptop.ok("devices", "rename", "laptop", "Living room")
        assert "Paired as “Living room”" in laptop.ok("sync", "status")

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
        told = paired(laptop, home, ben, "--again")
        assert "This device still keeps its notes to itself" in told
        assert laptop("sync").code == 0
        assert {*before} <= {*facts(home.library_of(ben))}
        assert b"secret thought" not in home.library_of(ben).read_bytes() + wal(home.library_of(ben))
        assert "a thought of his" in bens.ok("show", first_id(bens))
        paired(laptop, home, home.owner, "--again")
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
                another.needs.pairing.approve(another.owner, code_in(pairing.stdout))
                _, err = pairing.communicate(timeout=20)
            assert b"still keeps its notes to itself" in err
            laptop.ok("sync", "start", "notes")
            laptop.ok("sync")
            assert any('"kind":"note"' in body for _, body in facts(another.library))


def wal(path: Path) -> bytes:
    """What lies beside the file."""
    beside = path.with_name(f"{path.name}-wal")
    return beside.read_bytes() if beside.exists() else b""


class TestWords:
    """What is said where nothing, or not everything, happened."""

    @pytest.mark.parametrize(
        ("command", "hint"),
        [
            (("devices", "revoke", "phone", "--yes"), "Nothing was revoked: do it again when it can be reached."),
            (("devices", "rename", "phone", "x"), "Nothing was renamed: do it again when it can be reached."),
            (("devices", "list"), "Is it on? Try again when it can be reached."),
            (("pair", "http://127.0.0.1:9", "--again"), "Nothing was paired. Is the server on? Is the address right?"),
            (("sync", "stop", "notes", "--erase", "--yes"), "Nothing was erased: do it again when it can be reached."),
            (("--wait", "0", "sync"), "Everything is kept here; sync again when it can."),
        ],
    )
    def test_of_a_server_that_cannot_be_reached_nobody_believes_that_something_waits(
        self, device: Callable[[str], Kindlehl], command: tuple[str, ...], hint: str
    ) -> None:
        """Only what is written here waits; what was asked of the server has to be asked again."""
        laptop = device("laptop")
        held = wiring.needed_pairing(laptop.library)
        wiring.keep_pairing(laptop.library, held._replace(url="http://127.0.0.1:9"))
        told = complaint(laptop(*command), 75)
        assert told == f"kindlehl: 127.0.0.1 cannot be reached (nothing listens on port 9).\n  {hint}\n"

    def test_where_the_answer_is_lost_nobody_is_told_that_nothing_was_revoked(
        self, device: Callable[[str], Kindlehl]
    ) -> None:
        """The server may have heard it."""
        laptop = device("laptop")
        held = wiring.needed_pairing(laptop.library)
        with deaf_to("DELETE", held.url) as url:
            wiring.keep_pairing(laptop.library, held._replace(url=url))
            told = complaint(laptop("devices", "revoke", "laptop", "--yes"), 75)
        assert "It may have been revoked, or not: see, once it can be reached, kindlehl devices list" in told

    def test_what_a_device_keeps_to_itself_is_said_each_time(self, device: Callable[[str], Kindlehl]) -> None:
        """Nobody is told that both are the same while notes stay here; a dry run does not count them."""
        laptop = device("laptop")
        laptop.ok("import", SAMPLE)
        laptop.ok("sync")
        laptop.ok("sync", "stop", "notes")
        laptop.ok("note", first_id(laptop), "a secret thought")
        assert laptop("sync", "-n").out == "Nothing would come from 127.0.0.1 or go there.\n"
        assert "Waiting to be sent: 0" in laptop.ok("sync", "status")
        for _ in range(2):
            assert laptop.ok("sync") == "Nothing new; the same as on 127.0.0.1, but for notes, which stay here.\n"
        assert laptop("sync", "--json").json["withheld"] == ["notes"]
        laptop.ok("tag", "x", first_id(laptop))
        assert laptop.ok("sync") == "Sent 1 change; the same as on 127.0.0.1 now, but for notes, which stay here.\n"
        laptop.ok("sync", "start", "notes")
        assert "but for" not in laptop("sync").out

    def test_what_the_server_refuses_is_said_each_time_on_every_device(self, device: Callable[[str], Kindlehl]) -> None:
        """Not only by the first sync that hears of it."""
        laptop, desktop = device("laptop"), device("desktop")
        laptop.ok("import", SAMPLE)
        laptop.ok("sync")
        desktop.ok("sync")
        laptop.ok("sync", "stop", "notes", "--erase", "--yes")
        desktop("sync")
        assert desktop.ok("sync") == "Nothing new; the same as on 127.0.0.1, but for notes, which stay here.\n"
        desktop.ok("note", first_id(desktop), "a secret thought")
        assert desktop("sync", "-n").out == "Nothing would come from 127.0.0.1 or go there.\n"

    def test_numbers_are_as_people_say_them(self, device: Callable[[str], Kindlehl]) -> None:
        """One change is no changes."""
        laptop, desktop = device("laptop"), device("desktop")
        laptop.ok("import", SAMPLE)
        assert laptop("sync", "-n").out == "Up to 27 changes would go to 127.0.0.1; nothing would come.\n"
        laptop.ok("sync")
        desktop.ok("import", SAMPLE)
        assert desktop("sync", "-n").out == "All that 127.0.0.1 has would come; up to 27 changes would go there.\n"
        assert desktop.ok("sync") == "Received 1 change, sent 1; the same as on 127.0.0.1 now.\n"
        laptop.ok("tag", "x", first_id(laptop))
        assert laptop("sync", "-n").out == (
            "Up to 1 change would come from 127.0.0.1; up to 1 change would go there.\n"
        )

    def test_a_device_that_is_let_in_no_more_is_told_all_that_it_may_mean(
        self, device: Callable[[str], Kindlehl], home: Household
    ) -> None:
        """Never paired, let in no more, and paired again are three things; which of two happened nobody here can
        know. `sync status` remembers it."""
        laptop, phone = device("laptop"), device("phone")
        phone.ok("import", SAMPLE)
        phone.ok("sync")
        laptop.ok("devices", "revoke", "phone", "--yes")
        url = home.url
        said = (
            "kindlehl: This device is let in no more by 127.0.0.1.\n"
            "  It was revoked there, or the server was emptied or replaced. What is here stays here. To pair it again: "
            f"kindlehl pair {url}\n"
        )
        for command in (("sync",), ("sync", "-n"), ("devices", "list")):
            assert complaint(phone(*command), 4) == said
        assert "Let in no more, as the server said: 20" in phone.ok("sync", "status")
        assert phone("sync", "status", "--json").json["let_go_at"].startswith("20")
        home.pair(phone, "phone")
        assert "no more" not in phone.ok("sync", "status")
        phone.ok("sync")
        never = Kindlehl(home.folder.parent / "never")
        assert "This library is paired with no server." in complaint(never("sync"), 1)

    def test_a_second_try_is_told_on_a_terminal(self, device: Callable[[str], Kindlehl]) -> None:
        """Nobody wonders for ten seconds whether it hangs; a pipe and `--quiet` hear nothing of it."""
        laptop = device("laptop")
        held = wiring.needed_pairing(laptop.library)
        wiring.keep_pairing(laptop.library, held._replace(url="http://127.0.0.1:9"))
        done = laptop.on_terminal("sync")
        assert done.out.count("Trying again…") == 1
        for silent in (laptop("sync"), laptop.on_terminal("sync", "--quiet")):
            assert "Trying" not in silent.err + silent.out

    def test_who_watches_a_server_that_is_off_is_told_so(self, device: Callable[[str], Kindlehl]) -> None:
        """Not that a connection broke which never was."""
        laptop = device("laptop")
        held = wiring.needed_pairing(laptop.library)
        wiring.keep_pairing(laptop.library, held._replace(url="http://127.0.0.1:9"))
        with laptop.start("sync", "--watch") as watching:
            assert watching.stdout
            line = watching.stdout.readline()
            watching.send_signal(signal.SIGINT)
        assert b"127.0.0.1 cannot be reached (nothing listens on port 9). Trying again" in line


@contextmanager
def deaf_to(method: str, server: str) -> Iterator[str]:
    """Something before a server that passes all on, and of this method hears the question and loses the answer."""
    from starlette.requests import Request
    from starlette.responses import Response

    async def app(scope: dict[str, object], receive: object, send: Callable[..., object]) -> None:
        request = Request(scope, receive)  # type: ignore[arg-type]
        if request.method == method:
            await Response("", 504)(scope, receive, send)  # type: ignore[arg-type]
            return
        url = f"{server}{request.url.path}"
        answer = httpx2.request(
            request.method,
            url,
            content=await request.body(),
            headers={"Authorization": request.headers["Authorization"]},
        )
        await Response(answer.content, answer.status_code)(scope, receive, send)  # type: ignore[arg-type]

    with serving(app) as url:
        yield url


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
        assert b"This device is let in no more by 127.0.0.1." in err

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
