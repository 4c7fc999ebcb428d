"""The pages by which people come in: what a browser without any script sends and is shown."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from html import unescape
from urllib.parse import urlsplit

import httpx2
import pytest
from httpx2 import Client, Response
from sqlalchemy import Connection
from support.household import PASSWORD
from support.served import serving

from kindlehl.domain.errors import DeniedError, NotFoundError, TooOftenError
from kindlehl_server.accounts import Person
from kindlehl_server.accounts.sessions import SignedOutError
from kindlehl_server.app import create_app
from kindlehl_server.needs import Needs
from kindlehl_server.store.database import Database

PAGES = ("/", "/join", "/sign-in", "/password", "/pair")
ASKS = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
"""What a browser sends with all that it asks for."""


@pytest.fixture
def browser(url: str) -> Iterator[Client]:
    """Somebody's, in which nobody is signed in."""
    with Client(base_url=url, follow_redirects=True, headers=ASKS) as client:
        yield client


@pytest.fixture
def hers(browser: Client, anna: Person) -> Client:
    """In which Anna is signed in."""
    shown(browser.post("/sign-in", data={"name": anna.name, "password": PASSWORD}), "Your devices")
    return browser


def shown(answer: Response, title: str, status: int = 200) -> str:
    """A page with this title; returns what it says."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8"), answer.text
    found = re.search(r"<title>\s*(.*?) – kindlehl", answer.text)
    assert found
    assert unescape(found[1]) == title
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text)))


class TestComingIn:
    """People."""

    def test_the_first_invitation_makes_an_owner_who_is_signed_in(self, browser: Client, needs: Needs) -> None:
        """Once; nobody comes in by it again. Until then whoever comes by another way is told of it."""
        invitation = needs.accounts.first_invitation() or ""
        for path in ("/", "/sign-in", "/pair"):
            assert "kindlehl serve" in shown(browser.get(path), "Nobody is here yet")
        shown(browser.get("/join"), "Welcome")
        form = {"invitation": f" {invitation} ", "name": "Anna", "password": PASSWORD}
        said = shown(browser.post("/join", data=form), "Your devices")
        assert "Anna" in said
        assert "None yet." in said
        assert "Invite somebody" in said
        again = browser.post("/join", data={**form, "name": "Eve"})
        assert "was used, or is too old. Ask for another one." in shown(again, "Welcome", 403)

    def test_whoever_opens_the_first_link_of_before_is_told_where_the_new_one_is(
        self, browser: Client, needs: Needs
    ) -> None:
        """The server prints one each time it starts, as long as nobody is here."""
        old = needs.accounts.first_invitation()
        needs.accounts.first_invitation()
        answer = browser.post("/join", data={"invitation": old, "name": "Anna", "password": PASSWORD})
        assert "Start kindlehl serve again: it prints a new one." in shown(answer, "Welcome", 403)

    def test_what_was_typed_is_still_there_after_a_mistake(self, browser: Client, needs: Needs) -> None:
        """But for the password."""
        invitation = needs.accounts.first_invitation() or ""
        answer = browser.post("/join", data={"invitation": invitation, "name": "A<b>", "password": "short"})
        assert "10 to 1,000 characters" in shown(answer, "Welcome", 400)
        assert invitation in answer.text
        assert 'value="A&lt;b&gt;"' in answer.text
        assert "short" not in answer.text

    def test_an_owner_invites_and_a_member_does_not(self, hers: Client, url: str) -> None:
        """The link holds the secret behind a #, where it is sent to nobody."""
        link = re.search(rf"({url}/join#khl_[\w-]+)<", hers.post("/invite").text)
        assert link
        with Client(base_url=url, follow_redirects=True) as his:
            form = {"invitation": link[1].partition("#")[2], "name": "Ben", "password": PASSWORD}
            said = shown(his.post("/join", data=form), "Your devices")
            assert "Ben" in said
            assert "Invite" not in said
            assert "Only an owner" in shown(his.post("/invite"), "Your devices", 403)

    def test_an_owner_sees_who_is_here_and_a_member_does_not(self, hers: Client, url: str, ben: Person) -> None:
        """By their names alone."""
        assert "Others Ben Invite somebody" in re.sub(" +", " ", shown(hers.get("/"), "Your devices"))
        with Client(base_url=url, follow_redirects=True) as his:
            said = shown(his.post("/sign-in", data={"name": "Ben", "password": PASSWORD}), "Your devices")
            assert "Anna" not in said
            assert "Others" not in said

    def test_a_link_that_no_other_computer_can_open_is_said_to_be_one(self, hers: Client, needs: Needs) -> None:
        """Wherever somebody is told an address of this server."""
        for answer in (hers.get("/pair"), hers.post("/invite")):
            assert "works on this computer only" in answer.text
        with serving(create_app(replace(needs, url="https://books.example.org"))) as address:
            asked = hers.get(f"{address}/pair")
            assert "kindlehl pair https://books.example.org<" in asked.text
            assert "this computer only" not in asked.text

    def test_signing_in_and_out(self, browser: Client, anna: Person) -> None:
        """The cookie is for this server alone and no script reads it; it is worth nothing once its owner has gone."""
        wrong = browser.post("/sign-in", data={"name": "Anna", "password": "wrong wrong wrong"})
        nobody = browser.post("/sign-in", data={"name": "Nobody", "password": PASSWORD})
        assert shown(wrong, "Sign in", 403).replace("Anna", "") == shown(nobody, "Sign in", 403).replace("Nobody", "")
        shown(browser.post("/sign-in", data={"name": " anna ", "password": PASSWORD}), "Your devices")
        signed = browser.post("/sign-in", data={"name": " Anna ", "password": PASSWORD}, follow_redirects=False)
        cookie = signed.headers["Set-Cookie"]
        assert re.search(r"HttpOnly", cookie)
        assert re.search(r"SameSite=lax", cookie, re.IGNORECASE)
        kept = dict(browser.cookies)
        shown(browser.get("/"), "Your devices")
        shown(browser.post("/sign-out"), "Sign in")
        browser.cookies.update(kept)
        shown(browser.get("/"), "Sign in")

    def test_a_session_lets_no_device_in_and_a_device_no_session(
        self, hers: Client, browser: Client, url: str, pair: Callable[[Person, str], str], anna: Person
    ) -> None:
        """A token that was stolen from one place is of no use in another."""
        session = dict(hers.cookies)["kindlehl"]
        asked = httpx2.get(f"{url}/api/v1/devices", headers={"Authorization": f"Bearer {session}"})
        assert asked.status_code == 401
        browser.cookies.set("kindlehl", pair(anna, "Laptop"))
        shown(httpx2.get(url, cookies={"kindlehl": pair(anna, "Phone")}, follow_redirects=True), "Sign in")


class TestPairing:
    """Devices."""

    def test_a_device_is_let_in_by_whoever_knows_it(self, hers: Client, needs: Needs) -> None:
        """Its name and address are shown first; its name is text, whatever it holds."""
        waits = needs.pairing.start("<script>Laptop", "192.0.2.7")
        answer = hers.post("/pair", data={"code": waits.code.lower().replace("-", " ")})
        assert "<script>Laptop" in shown(answer, "Let a device in")
        assert "192.0.2.7" in answer.text
        assert "<script>L" not in answer.text
        assert needs.pairing.collect(waits.secret) is None, "a look is no consent"
        said = shown(hers.post("/pair/approve", data={"code": waits.code}), "Your devices")
        assert "<script>Laptop is let in" in said
        assert needs.pairing.collect(waits.secret)
        assert "not heard of yet" in shown(hers.get("/"), "Your devices")

    def test_a_device_is_refused(self, hers: Client, needs: Needs) -> None:
        """It waits in vain."""
        waits = needs.pairing.start("Laptop", "192.0.2.7")
        assert "not let in" in shown(hers.post("/pair/refuse", data={"code": waits.code}), "Your devices")
        assert "No device waits" in shown(hers.post("/pair", data={"code": waits.code}), "Let a device in", 404)
        assert "No device waits" in shown(hers.post("/pair/approve", data={"code": waits.code}), "Your devices", 404)
        assert "not let in" in shown(hers.post("/pair/refuse", data={"code": waits.code}), "Your devices")

    def test_whoever_has_to_sign_in_first_comes_back(self, browser: Client, anna: Person) -> None:
        """To the page where the code is typed, and to no other site's."""
        answer = browser.get("/pair")
        shown(answer, "Sign in")
        assert 'name="then" value="pair"' in answer.text
        form = {"name": anna.name, "password": PASSWORD}
        shown(browser.post("/sign-in", data={**form, "then": "pair"}), "Let a device in")
        for then in ("https://evil.example", "//evil.example", "/pair\r\nX: y"):
            shown(browser.post("/sign-in", data={**form, "then": then}), "Your devices")

    def test_a_device_is_revoked(self, hers: Client, needs: Needs, pair: Callable[[Person, str], str], anna: Person,
                                 ben: Person) -> None:  # fmt: skip
        """One's own; of somebody else's nobody learns whether it is there."""
        pair(anna, "Phone")
        pair(ben, "His")
        (mine,), (his,) = needs.accounts.devices(anna.id), needs.accounts.devices(ben.id)
        for answer in (hers.post("/devices/revoke", data={"id": his.id}), hers.get(f"/devices/revoke?id={his.id}"),
                       hers.get("/devices/revoke")):  # fmt: skip
            assert "There is no such device" in shown(answer, "Your devices", 404)
            assert "His" not in answer.text
        assert f'href="/devices/revoke?id={mine.id}"' in hers.get("/").text
        asked = shown(hers.get(f"/devices/revoke?id={mine.id}"), "Revoke a device")
        assert "Phone is let in no more, from that moment on" in asked
        assert needs.accounts.devices(anna.id) == [mine], "whoever is asked has not agreed yet"
        said = shown(hers.post("/devices/revoke", data={"id": mine.id}), "Your devices")
        assert "Phone" not in said
        assert needs.accounts.devices(anna.id) == []
        assert len(needs.accounts.devices(ben.id)) == 1


class TestGuessing:
    """Whoever does not know."""

    def test_passwords_cannot_be_guessed_for_long(self, browser: Client, anna: Person) -> None:
        """The right one is not taken either until the time is over, and it is said how long that is."""
        for _ in range(10):
            wrong = browser.post("/sign-in", data={"name": "Anna", "password": "wrong wrong wrong"})
            assert wrong.status_code == 403
        for password in ("wrong wrong wrong", PASSWORD):
            answer = browser.post("/sign-in", data={"name": "Anna", "password": password})
            assert "tried too often. Wait 5 minutes" in shown(answer, "Sign in", 429)
            assert 240 < int(answer.headers["Retry-After"]) <= 300

    def test_blanks_and_networks_are_no_way_round(self, browser: Client, needs: Needs, anna: Person) -> None:
        """A name is the same however it is spaced; and of IPv6 a household has as many addresses as it likes."""
        for n in range(10):
            browser.post("/sign-in", data={"name": " " * n + "Anna", "password": "wrong wrong wrong"})
        assert browser.post("/sign-in", data={"name": "Anna  ", "password": PASSWORD}).status_code == 429
        for n in range(20):
            needs.limits.guess("sign in from", f"2001:db8::{n:x}")
        with pytest.raises(TooOftenError):
            needs.limits.guess("sign in from", "2001:db8::ffff")
        needs.limits.guess("sign in from", "2001:db8:0:1::1")

    def test_codes_and_invitations_cannot_be_guessed_for_long(self, hers: Client) -> None:
        """Each by itself."""
        codes = [hers.post("/pair", data={"code": f"BCDF-GHJ{n}"}).status_code for n in range(12)]
        assert codes == [404] * 10 + [429] * 2
        for path in ("/pair/approve", "/pair/refuse"):
            assert "tried too often" in shown(hers.post(path, data={"code": "BCDF-GHJK"}), "Your devices", 429)
        form = {"name": "Eve", "password": PASSWORD}
        invited = [hers.post("/join", data={**form, "invitation": f"khl_{n}"}).status_code for n in range(12)]
        assert invited == [403] * 10 + [429] * 2

    def test_codes_that_are_right_do_not_count(self, hers: Client, needs: Needs) -> None:
        """Whoever lets many devices in waits for nothing; between them nobody guesses more often."""
        for n in range(12):
            waits = needs.pairing.start(f"Device {n}", "192.0.2.7")
            for _ in range(2):
                shown(hers.post("/pair", data={"code": waits.code}), "Let a device in")
            shown(hers.post("/pair/approve", data={"code": waits.code}), "Your devices")
            wrong = hers.post("/pair/refuse" if n % 2 else "/pair/approve", data={"code": "BCDF-GHJK"})
            if n == 9:
                break
            assert wrong.status_code != 429
        waits = needs.pairing.start("One more", "192.0.2.7")
        answer = hers.post("/pair/approve", data={"code": waits.code})
        assert "tried too often. Wait 5 minutes" in shown(answer, "Your devices", 429)
        assert needs.pairing.collect(waits.secret) is None

    def test_of_many_guesses_at_once_no_more_are_answered(self, needs: Needs) -> None:
        """All were let through before the first was known to be wrong; one that is right is not told either."""
        under_way = [needs.limits.guessing("code", "anna", NotFoundError) for _ in range(12)]
        for guess in under_way:
            guess.__enter__()
        wrong = NotFoundError("No device waits under that code.")
        told = [_left(guess, wrong) for guess in under_way[:-1]]
        assert told == [NotFoundError] * 10 + [TooOftenError]
        with pytest.raises(TooOftenError):
            under_way[-1].__exit__(None, None, None)

    def test_devices_cannot_ask_without_end(self, browser: Client) -> None:
        """Whoever asks too often is told when to ask again."""
        asked = [browser.post("/api/v1/pairings", json={"device": "x"}) for _ in range(12)]
        assert [answer.status_code for answer in asked] == [200] * 10 + [429] * 2
        assert 0 < int(asked[-1].headers["Retry-After"]) <= 60
        assert asked[-1].json()["code"] == "too_often"

    def test_whoever_lost_a_browser_signs_out_there(self, hers: Client, url: str, anna: Person) -> None:
        """From another one."""
        with Client(base_url=url, follow_redirects=True) as lost:
            shown(lost.post("/sign-in", data={"name": anna.name, "password": PASSWORD}), "Your devices")
            assert "signed in here only" in shown(hers.post("/sign-out-others"), "Your devices")
            shown(lost.get("/"), "Sign in")
            shown(hers.get("/"), "Your devices")


def _left(guess: AbstractContextManager[None], wrong: Exception) -> type[Exception]:
    """What somebody is told who guessed wrong."""
    try:
        assert not guess.__exit__(type(wrong), wrong, None)
    except TooOftenError as error:
        return type(error)
    return type(wrong)


class TestPassword:
    """Another one."""

    def test_whoever_knows_the_one_before_chooses_another(self, hers: Client, url: str, needs: Needs) -> None:
        """It is this browser alone that stays signed in."""
        with Client(base_url=url, follow_redirects=True) as other:
            shown(other.post("/sign-in", data={"name": "Anna", "password": PASSWORD}), "Your devices")
            form = {"password": PASSWORD, "new": "four other words now"}
            wrong = hers.post("/password", data={**form, "password": "wrong wrong wrong"})
            assert "not your password" in shown(wrong, "Change your password", 403)
            short = hers.post("/password", data={**form, "new": "short"})
            assert "10 to 1,000 characters" in shown(short, "Change your password", 400)
            shown(other.get("/"), "Your devices")
            assert "signed in here only" in shown(hers.post("/password", data=form), "Your devices")
            shown(hers.get("/"), "Your devices")
            shown(other.get("/"), "Sign in")
        with pytest.raises(DeniedError):
            needs.accounts.sign_in("Anna", PASSWORD)
        assert needs.accounts.sign_in("Anna", form["new"])

    def test_it_is_not_guessed_there_for_long(self, hers: Client, needs: Needs) -> None:
        """By whoever found a browser open."""
        form = {"password": "wrong wrong wrong", "new": "four other words now"}
        answers = [hers.post("/password", data=form).status_code for _ in range(11)]
        assert answers == [403] * 9 + [429] * 2, "signing in was the first of ten"


class TestEnded:
    """A session that was ended lets nobody in, whatever was begun in it."""

    @pytest.fixture
    def stolen(self, url: str, anna: Person) -> Iterator[Client]:
        """Another browser in which Anna is signed in."""
        with Client(base_url=url, follow_redirects=True, headers=ASKS) as client:
            shown(client.post("/sign-in", data={"name": anna.name, "password": PASSWORD}), "Your devices")
            yield client

    def test_a_device_that_was_approved_in_it_is_not_let_in_any_more(
        self, hers: Client, stolen: Client, needs: Needs, anna: Person, ben: Person
    ) -> None:
        """Nor does an invitation of that person's hold. One that was let in before is seen among her devices; what
        others approved is theirs."""
        mine, his = needs.pairing.start("A thief's", "192.0.2.9"), needs.pairing.start("Ben's", "192.0.2.8")
        assert "is let in" in stolen.post("/pair/approve", data={"code": mine.code}).text
        needs.pairing.approve(ben, his.code)
        invitation = re.search(r"/join#(khl_[\w-]+)<", stolen.post("/invite").text)
        assert invitation
        said = shown(hers.post("/sign-out-others"), "Your devices")
        assert "signed in here only" in said
        with pytest.raises(DeniedError):
            needs.pairing.collect(mine.secret)
        with pytest.raises(DeniedError):
            needs.accounts.accept(invitation[1], "Eve", PASSWORD)
        assert needs.pairing.collect(his.secret)
        assert needs.accounts.devices(anna.id) == []

    @pytest.mark.parametrize("path", ["pair", "pair/approve", "pair/refuse", "devices/revoke", "invite",
                                      "sign-out-others", "password"])  # fmt: skip
    def test_a_form_that_was_under_way_does_nothing(
        self, hers: Client, stolen: Client, needs: Needs, pair: Callable[[Person, str], str], anna: Person, path: str
    ) -> None:
        """Its sender is asked to sign in."""
        pair(anna, "Laptop")
        (laptop,), waits = needs.accounts.devices(anna.id), needs.pairing.start("A thief's", "192.0.2.9")
        form = f"code={waits.code}&id={laptop.id}&password={PASSWORD}&new={PASSWORD}".replace(" ", "+").encode()
        address = urlsplit(str(stolen.base_url))
        with socket.create_connection((address.hostname or "", address.port or 0), 10) as slow:
            head = f"Host: x\r\nCookie: kindlehl={stolen.cookies['kindlehl']}\r\nContent-Length: {len(form)}"
            slow.sendall(f"POST /{path} HTTP/1.1\r\n{head}\r\n\r\n".encode() + form[:3])
            time.sleep(0.3)
            hers.post("/sign-out-others")
            slow.sendall(form[3:])
            answer = slow.recv(4096)
        assert answer.startswith(b"HTTP/1.1 303"), answer
        assert re.search(rb"/sign-in\?(then=pair&)?ended=", answer)
        assert needs.pairing.collect(waits.secret) is None
        assert needs.accounts.devices(anna.id) == [laptop]
        shown(hers.get("/"), "Your devices")
        assert "not signed in any longer" in shown(stolen.post(f"/{path}"), "Sign in")

    def test_one_that_is_ended_between_the_look_and_the_deed_does_nothing(
        self, hers: Client, needs: Needs, anna: Person, database: Database
    ) -> None:
        """Both are one transaction."""
        waits, secret = needs.pairing.start("A thief's", "192.0.2.9"), needs.sessions.begin(anna)
        still = needs.sessions.still(secret)
        needs.sessions.end_others(anna, dict(hers.cookies)["kindlehl"])
        for act in (lambda: needs.pairing.approve(anna, waits.code, still), lambda: needs.accounts.invite(anna, still),
                    lambda: needs.sessions.end_others(anna, secret)):  # fmt: skip
            with pytest.raises(SignedOutError):
                act()
        assert needs.pairing.collect(waits.secret) is None

    def test_whoever_signs_out_waits_for_a_deed_under_way_and_undoes_it(
        self, hers: Client, needs: Needs, anna: Person, database: Database
    ) -> None:
        """Nothing slips between both."""
        waits, secret = needs.pairing.start("A thief's", "192.0.2.9"), needs.sessions.begin(anna)
        begun, over = threading.Event(), threading.Event()

        def dawdle(db: Connection) -> None:
            needs.sessions.still(secret)(db)
            begun.set()
            time.sleep(0.5)

        def sign_out() -> None:
            needs.sessions.end_others(anna, dict(hers.cookies)["kindlehl"])
            over.set()

        deed = threading.Thread(target=lambda: needs.pairing.approve(anna, waits.code, dawdle))
        deed.start()
        assert begun.wait(10)
        ending = threading.Thread(target=sign_out)
        ending.start()
        assert not over.wait(0.2)
        deed.join()
        ending.join()
        with pytest.raises(DeniedError):
            needs.pairing.collect(waits.secret)


class TestOthers:
    """Other people's pages."""

    def test_behind_a_proxy_its_address_is_the_servers(self, needs: Needs, anna: Person) -> None:
        """Of forms, of the cookie that is sent over HTTPS only, and of what others are told."""
        app = create_app(replace(needs, url="https://books.example.org"))
        with serving(app) as address, Client(base_url=address) as client:
            origin = {"Origin": "https://books.example.org"}
            form = {"name": anna.name, "password": PASSWORD}
            answer = client.post("/sign-in", data=form, headers=origin)
            assert answer.status_code == 303
            assert "Secure" in answer.headers["Set-Cookie"]
            kept = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
            assert "kindlehl pair https://books.example.org<" in client.get("/pair", headers=kept).text
            assert client.post("/sign-in", data=form, headers={"Origin": "https://evil.example"}).status_code == 403

    @pytest.mark.parametrize("path", ["/join", "/sign-in", "/sign-out", "/pair", "/pair/approve", "/invite",
                                      "/pair/refuse", "/devices/revoke", "/sign-out-others", "/password"])  # fmt: skip
    def test_a_form_of_another_site_is_refused(self, hers: Client, needs: Needs, path: str) -> None:
        """A browser says where it comes from, and nothing happens."""
        waits = needs.pairing.start("Laptop", "192.0.2.7")
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://["},
                        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):  # fmt: skip
            answer = hers.post(path, data={"code": waits.code}, headers=headers)
            said = shown(answer, "That did not work", 403)
            assert "Another site sent this form" in said
            assert "kindlehl serve --url" in said, "what else it may be"
            assert 'href="/"' in answer.text
        program = hers.post(path, headers={"Origin": "null", "Accept": "*/*"})
        assert program.headers["Content-Type"] == "application/problem+json"
        assert needs.pairing.collect(waits.secret) is None
        shown(hers.get("/"), "Your devices")

    def test_every_page_keeps_to_itself(self, hers: Client) -> None:
        """Nothing of others is loaded, nobody frames it or keeps it, and no address of it goes elsewhere."""
        for path in PAGES:
            answer = hers.get(path)
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["Cache-Control"] == "private, no-store"
            assert answer.headers["Referrer-Policy"] == "same-origin"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert not re.search(r'(src|href|action)="(?!/[^/])', answer.text), path
            assert not re.search(r"\son\w+=|<style|<script(?! src)|style=", answer.text), path
            for place in re.findall(r'(?:src|href)="(/[^"]+)"', answer.text):
                assert hers.get(place).status_code == 200, place

    def test_below_a_proxys_path_every_link_is_right(self, needs: Needs, anna: Person) -> None:
        """As the proxy says it."""
        app = create_app(needs)

        async def below(scope: dict[str, object], receive: object, send: object) -> None:
            await app({**scope, "root_path": "/books", "path": f"/books{scope['path']}"}, receive, send)

        with serving(below) as address, Client(base_url=address, headers=ASKS) as client:
            form = {"name": anna.name, "password": PASSWORD}
            assert client.post("/sign-in", data=form).headers["Location"] == "/books/"
            for path in ("/", "/join", "/sign-in", "/nowhere"):
                assert not re.search(r'(src|href|action)="(?!/books/)', client.get(path).text)

    def test_a_form_that_is_too_long_or_no_form_changes_nothing(self, browser: Client) -> None:
        """A sentence, and no traceback."""
        shown(browser.post("/sign-in", content=b"name=" + b"x" * 10_000), "That did not work", 413)
        shown(browser.post("/sign-in", content=b"name=\xff"), "That did not work", 400)
        shown(browser.post("/sign-in", content=b"&".join([b"a=b"] * 100)), "That did not work", 400)

    def test_where_no_page_is_a_way_on_is_shown(self, hers: Client) -> None:
        """To people; programs read what they always did."""
        for path in ("/nowhere", "/static/nothing.css"):
            answer = hers.get(path)
            assert "no page at this address" in shown(answer, "This page is not here", 404)
            assert 'href="/"' in answer.text
            assert hers.get(path, headers={"Accept": "*/*"}).text == "Not Found"
        assert hers.get("/api/v1/nowhere").text == "Not Found"
        asked = hers.get("/api/v1/devices")
        assert (asked.status_code, asked.headers["Content-Type"]) == (401, "application/problem+json")
        assert hers.put("/api/v1/devices").status_code == 405

    def test_what_nobody_foresaw_is_a_page_too(self, needs: Needs, caplog: pytest.LogCaptureFixture) -> None:
        """With the name of its entry in the log, and a way on."""
        broken = replace(needs, sessions=type("", (), {})())
        with serving(create_app(broken)) as address, Client(base_url=address, headers=ASKS) as client:
            answer = client.get("/", headers={"Cookie": "kindlehl=x"})
        said = shown(answer, "That did not work", 500)
        (entry,) = caplog.records
        assert f"The server's log says more: {entry.getMessage()[:8]}." in said
        assert 'href="/"' in answer.text

    def test_a_tab_that_is_opened_again_after_a_form_shows_the_first_page(self, hers: Client) -> None:
        """Its address is one that only forms are sent to."""
        for path in ("/pair/approve", "/pair/refuse", "/invite", "/sign-out", "/sign-out-others"):
            shown(hers.get(path), "Your devices")


def test_whether_it_lives_and_is_ready_is_said_to_whoever_asks(browser: Client) -> None:
    """With a word, and HEAD is enough."""
    for path in ("/livez", "/readyz"):
        assert browser.get(path).text == "ok\n"
        assert browser.head(path).status_code == 200
