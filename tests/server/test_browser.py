"""The pages in a real browser, as people use them: no client of ours knows all that one does by itself."""

import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import pytest
from support.browser import Browser, Page, browser, program
from support.household import PASSWORD

from kindlehl.domain.errors import NotFoundError
from kindlehl_server.accounts import Person
from kindlehl_server.needs import Needs

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("address", ["sqlite"], indirect=True)]
either_way = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
Pair = Callable[[Person, str], str]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, Page, Page]]:
    """One for all tests, and two people's pages in it."""
    found = program()
    if found is None:
        assert not os.environ.get("CI"), "Chromium is not installed"
        pytest.skip("Chromium is not installed: apt install chromium")
    with browser(found, tmp_path_factory.mktemp("chromium")) as running:
        yield running, running.page(), running.page()


@pytest.fixture
def page(chromium: tuple[Browser, Page, Page]) -> Iterator[Page]:
    """Of somebody who was never here; and no page of ours breaks its own rules."""
    running, one, _ = chromium
    running.complaints.clear()
    one.anew()
    yield one
    assert running.complaints == []


@pytest.fixture
def his(chromium: tuple[Browser, Page, Page]) -> Page:
    """Of somebody else, or of the same person elsewhere."""
    chromium[2].anew()
    return chromium[2]


@pytest.fixture
def scripts() -> bool:
    """Whether those of the pages run."""
    return True


@pytest.fixture
def hers(page: Page, url: str, anna: Person, scripts: bool) -> Page:
    """In which Anna is signed in."""
    if not scripts:
        page.without_scripts()
    page.go(f"{url}/")
    sign_in(page, anna.name)
    return page


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """As somebody does."""
    page.fill("Name", name)
    page.fill("Password", password)
    page.press("Sign in")


class TestComingIn:
    """People."""

    def test_whoever_opens_the_first_link_becomes_the_owner(self, page: Page, needs: Needs, url: str) -> None:
        """The secret is filled in and stands in no address; then she signs out, and in again."""
        page.go(f"{url}/join#{needs.accounts.first_invitation()}")
        assert page.value("Invitation").startswith("khl_")
        assert page.url == f"{url}/join"
        page.fill("Name", "Anna")
        page.fill("Password", PASSWORD)
        page.press("Come in")
        assert page.url == f"{url}/"
        assert "Your devices" in page.text
        page.press("Sign out")
        assert page.title == "Sign in – kindlehl"
        sign_in(page, "Anna", "wrong wrong wrong")
        assert "The name or the password is wrong" in page.text
        sign_in(page, "Anna")
        assert "Your devices" in page.text

    def test_without_scripts_the_secret_is_pasted(self, page: Page, needs: Needs, url: str) -> None:
        """The page says what to paste."""
        page.without_scripts()
        secret = needs.accounts.first_invitation() or ""
        page.go(f"{url}/join#{secret}")
        assert "behind the #" in page.text
        page.fill("Invitation", secret)
        page.fill("Name", "Anna")
        page.fill("Password", PASSWORD)
        page.press("Come in")
        assert "Your devices" in page.text

    @either_way
    def test_somebody_is_invited_and_comes_in(self, hers: Page, his: Page, url: str) -> None:
        """By the link that the owner passes on."""
        hers.press("Invite somebody")
        link = re.search(rf"{url}/join#khl_[\w-]+", hers.text)
        assert link, hers.text
        his.go(link[0])
        his.fill("Name", "Ben")
        his.fill("Password", PASSWORD)
        his.press("Come in")
        assert "Ben" in his.text
        assert "Your devices" in his.text

    def test_whoever_lost_a_browser_signs_out_there(self, hers: Page, his: Page, url: str) -> None:
        """From another one."""
        his.go(f"{url}/")
        sign_in(his, "Anna")
        assert "Your devices" in his.text
        hers.press("Sign out in all other browsers")
        assert "You are signed in here only" in hers.text
        his.go(f"{url}/")
        assert his.title == "Sign in – kindlehl"
        hers.go(f"{url}/")
        assert "Your devices" in hers.text

    def test_another_password_is_chosen(self, hers: Page, his: Page, url: str) -> None:
        """By whoever knows the old one."""
        hers.press("Change your password")
        hers.fill("Old password", PASSWORD)
        hers.fill("New password", "four other words now")
        hers.press("Change it")
        assert "Your password is another one now" in hers.text
        hers.go(f"{url}/")
        assert hers.title == "Your devices – kindlehl"
        his.go(f"{url}/")
        sign_in(his, "Anna", "four other words now")
        assert his.title == "Your devices – kindlehl"


class TestRefused:
    """What is not done is said on a page, and there is a way on."""

    @either_way
    def test_what_was_typed_wrong(self, hers: Page, needs: Needs) -> None:
        """A code, and what somebody typed who is not signed in any longer."""
        hers.press("Let a device in")
        hers.fill("Code", "BCDF-GHJK")
        hers.press("Next")
        assert "No device waits under that code" in hers.text
        _, password = needs.accounts.give_password("Anna")
        hers.fill("Code", "BCDF-GHJK")
        hers.press("Next")
        assert "You are not signed in any longer" in hers.text
        sign_in(hers, "Anna", password)
        assert hers.title == "Let a device in – kindlehl"

    def test_a_name_that_somebody_has(self, hers: Page, his: Page, url: str, needs: Needs, anna: Person) -> None:
        """What else was typed is still there."""
        his.go(f"{url}/join#{needs.accounts.invite(anna)}")
        for name, password in (("anna", PASSWORD), ("Ben", PASSWORD)):
            his.fill("Name", name)
            his.fill("Password", password)
            his.press("Come in")
        assert "Your devices" in his.text

    def test_a_form_of_another_site(self, hers: Page, url: str) -> None:
        """Which her browser sends for her."""
        evil = "data:text/html,<form method=post action='{}/invite'><button>A kitten</button></form>"
        hers.go(evil.format(url))
        hers.press("A kitten")
        assert hers.title == "That did not work – kindlehl"
        hers.press("Go to the first page")
        assert "khl_" not in hers.text
        hers.go(f"{url}/nowhere")
        hers.press("Go to the first page")
        assert hers.title == "Your devices – kindlehl"


class TestScripts:
    """What else they do where they run."""

    @pytest.fixture
    def hers(self, page: Page, url: str, anna: Person) -> Page:
        """In which Anna is about to sign in."""
        page.clock_at("Asia/Kolkata")
        page.go(f"{url}/")
        return page

    def test_a_code_that_was_scanned_outlasts_signing_in(self, hers: Page, url: str) -> None:
        """Even with a wrong password at first; the server never sees it in an address."""
        hers.go(f"{url}/pair#BCDF-GHJK")
        sign_in(hers, "Anna", "wrong wrong wrong")
        sign_in(hers, "Anna")
        assert hers.title == "Let a device in – kindlehl"
        assert hers.value("Code") == "BCDF-GHJK"
        assert hers.url == f"{url}/pair"

    def test_times_are_those_of_the_reader(self, hers: Page, needs: Needs, pair: Pair, anna: Person, url: str) -> None:
        """Without scripts it says that they are not."""
        needs.accounts.device(pair(anna, "Phone"))
        sign_in(hers, "Anna")
        used = datetime.fromisoformat(needs.accounts.devices(anna.id)[0].used_at or "")
        there = used.astimezone(timezone(timedelta(hours=5, minutes=30)))
        assert re.search(rf"last heard of \S+ {there:%-d}, {there:%Y}, {int(f'{there:%I}')}:{there:%M}", hers.text)
        assert "UTC" not in hers.text
        hers.without_scripts()
        hers.go(f"{url}/")
        assert f"last heard of {used:%Y-%m-%d, %H:%M} UTC" in hers.text

    def test_a_password_can_be_seen_while_it_is_typed(self, hers: Page, url: str) -> None:
        """By whoever wants to."""
        hers.go(f"{url}/join")
        hers.fill("Password", PASSWORD)
        kinds = []
        for _ in range(2):
            kinds.append(hers.run("document.querySelector('[name=password]').type"))
            hers.click("Show what is typed")
        assert kinds == ["password", "text"]


class TestDevices:
    """Devices."""

    @either_way
    def test_a_device_is_let_in_by_its_code(self, hers: Page, needs: Needs) -> None:
        """After a look at what waits under it."""
        waits = needs.pairing.start("Laptop", "192.0.2.7")
        hers.press("Let a device in")
        hers.fill("Code", waits.code.lower())
        hers.press("Next")
        assert "Laptop" in hers.text
        assert "192.0.2.7" in hers.text
        hers.press("It is mine, let it in")
        assert "Laptop is let in" in hers.text
        assert needs.pairing.collect(waits.secret)

    @either_way
    def test_a_device_is_refused(self, hers: Page, needs: Needs) -> None:
        """Where nobody knows it."""
        waits = needs.pairing.start("Laptop", "192.0.2.7")
        hers.press("Let a device in")
        hers.fill("Code", waits.code)
        hers.press("Next")
        hers.press("I do not know it")
        assert "It is not let in" in hers.text
        with pytest.raises(NotFoundError):
            needs.pairing.look(waits.code)

    @either_way
    def test_a_device_is_revoked(self, hers: Page, needs: Needs, pair: Pair, anna: Person, url: str) -> None:
        """From its row in the list, and not by one tap."""
        pair(anna, "Phone")
        hers.go(f"{url}/")
        hers.press("Revoke Phone")
        hers.press("Back")
        hers.press("Revoke Phone")
        assert len(needs.accounts.devices(anna.id)) == 1
        hers.press("Revoke it")
        assert needs.accounts.devices(anna.id) == []
        assert "It is let in no more" in hers.text


class TestScreens:
    """Whatever it is shown on."""

    def test_on_a_phone_nothing_is_cut_off(self, page: Page, needs: Needs, pair: Pair, url: str) -> None:
        """However long names are; and an invitation is seen at once, below however many devices."""
        owner = needs.accounts.accept(needs.accounts.first_invitation() or "", "x" * 64, PASSWORD)
        for n in range(9):
            pair(owner, f"{'y' * 60} {n}")
        page.looks(320)
        page.go(f"{url}/")
        sign_in(page, owner.name)
        device = needs.accounts.devices(owner.id)[0]
        for path in ("/", "/pair", "/password", "/nowhere", f"/devices/revoke?id={device.id}"):
            page.go(f"{url}{path}")
            assert page.run("document.documentElement.scrollWidth") == 320, path
        page.go(f"{url}/")
        page.press("Invite somebody")
        assert page.run("document.querySelector('.whole').getBoundingClientRect().bottom < innerHeight")
        assert page.run("document.documentElement.scrollWidth") == 320
