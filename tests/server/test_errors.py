"""What the server is to blame for: told with a name that its log knows, and nothing private in either."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text
from support.histories import import_of, keep, record
from support.household import PASSWORD, Household, household, let_in
from support.served import serving
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import connect

from kindlehl.domain.facts import new_id
from kindlehl.store.library import open_library
from kindlehl.wire import messages
from kindlehl.wire.messages import AskStates, Fetch, Hello, Pull, Push
from kindlehl_server.accounts import Person
from kindlehl_server.app import create_app
from kindlehl_server.needs import Needs
from kindlehl_server.store.database import Database


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Household]:
    with household(tmp_path / "server") as made:
        yield made


def problem(answer: httpx2.Response, status: int, log: pytest.LogCaptureFixture) -> str:
    """What the log says of an answer that names its entry; only that."""
    assert answer.status_code == status, answer.text
    told = answer.json()
    (entry,) = log.records
    said = entry.getMessage()
    assert said.startswith(f"{told['instance']}: ")
    assert told["instance"] in told["hint"]
    assert entry.exc_info is None
    log.clear()
    return said


class TestLog:
    """What it says."""

    def test_of_an_error_that_nobody_foresaw_it_has_kinds_and_places_and_no_word_of_it(
        self, needs: Needs, token: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Nor does anything else say more: neither the answer nor uvicorn."""

        def broken(*_: object) -> object:
            try:
                raise ValueError("SECRET in it")
            except ValueError as error:
                raise TypeError(f"SECRET around {error}") from error

        with serving(create_app(replace(needs, libraries=type("", (), {"library": broken})()))) as url:
            for path in ("sync", "highlights"):
                answer = httpx2.post(
                    f"{url}/api/v1/{path}", content=messages.encode(Hello((1, 1), 1)),
                    headers={"Authorization": f"Bearer {token}", "Idempotency-Key": new_id()},
                )  # fmt: skip
                said = problem(answer, 500, caplog)
                assert re.search(r"TypeError .*kindlehl_server\.routes\.\w+:\d+.* from ValueError", said)
                assert "SECRET" not in said + answer.text
        assert capfd.readouterr().err == ""

    def test_of_a_database_that_fails_it_has_the_kind_and_no_value(
        self, needs: Needs, database: Database, url: str, token: str, anna: Person, caplog: pytest.LogCaptureFixture
    ) -> None:
        """For devices and on pages."""
        with httpx2.Client(base_url=url) as hers:
            hers.post("/sign-in", data={"name": anna.name, "password": PASSWORD})
            with database.writing() as db:
                db.execute(text("DROP TABLE pairings"))
            said = problem(httpx2.post(f"{url}/api/v1/pairings", json={"device": "SECRET"}), 507, caplog)
            assert re.search(r"LibraryError .*kindlehl_server\.store\.database:\d+.* from \w+Error", said)
            assert re.search(r"SQLITE_ERROR|42P01", said)
            page = hers.post("/pair", data={"code": "SECR-ETSE"})
            assert page.status_code == 507
            (entry,) = caplog.records
            assert entry.getMessage()[:8] in page.text
            assert "SECR" not in said + entry.getMessage()

    def test_what_a_device_did_wrong_and_a_busy_server_are_no_matter_for_it(
        self, url: str, token: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """They are told, and that is all."""
        answer = httpx2.post(f"{url}/api/v1/sync", content=b"?", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 400
        assert "instance" not in answer.json()
        assert caplog.records == []

    def test_a_socket_that_fails_is_closed_and_said(
        self, needs: Needs, token: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """As quietly."""

        class Broken:
            def listening(self, *_: str) -> object:
                raise ValueError("SECRET")

        with (
            serving(create_app(replace(needs, hub=Broken()))) as url,  # type: ignore[arg-type]
            pytest.raises((InvalidStatus, InvalidMessage, ConnectionClosed)),
            connect(
                url.replace("http", "ws") + "/api/v1/socket", subprotocols=[messages.SUBPROTOCOL],
                additional_headers={"Authorization": f"Bearer {token}"},
            ) as made,
        ):  # fmt: skip
            made.recv()
        assert ["ValueError" in entry.getMessage() for entry in caplog.records] == [True]
        assert "SECRET" not in caplog.text + capfd.readouterr().err


class TestDamage:
    """A library on the server, of which a page is damaged."""

    @pytest.fixture
    def token(self, home: Household) -> str:
        """Of a device whose library there is damaged where the facts begin."""
        his = [record("highlight", "Tale", f"His words {n} " + "x" * 300, n, 1, n % 30, False) for n in range(1, 300)]
        home.library.parent.mkdir(parents=True)
        with closing(open_library(home.library)) as library:
            keep(library, *his, import_of(1, "clippings", his))
        with closing(sqlite3.connect(home.library)) as db:
            (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'facts'").fetchone()
            (size,) = db.execute("PRAGMA page_size").fetchone()
        with home.library.open("r+b") as file:
            file.seek((root - 1) * size)
            file.write(b"\xff" * 200)
        return let_in(home.needs, home.owner, "Laptop")

    @pytest.mark.parametrize("question", [
        lambda epoch: Pull(epoch, 0), lambda epoch: AskStates(epoch, ["00"]), lambda epoch: Fetch(epoch, [new_id()]),
        lambda epoch: Push(epoch, []),
    ])  # fmt: skip
    def test_every_question_is_answered_with_a_sentence(
        self, home: Household, token: str, question: Callable[[str], messages.Question],
        caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        """That says whom to ask; or it needs nothing of what is damaged."""
        with closing(sqlite3.connect(home.library)) as db:
            (epoch,) = db.execute("SELECT value FROM settings WHERE key = 'epoch'").fetchone()
        answer = httpx2.post(
            f"{home.url}/api/v1/sync", content=messages.encode(question(f"{epoch:x}")),
            headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip
        if answer.status_code != 200:
            assert "cannot read or write your library" in answer.text
            assert "SQLITE_CORRUPT" in problem(answer, 507, caplog)
        assert capfd.readouterr().err == ""

    def test_so_is_whoever_reads_or_adds_one_highlight(
        self, home: Household, token: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """And nothing is added."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": new_id()}
        path = f"{home.url}/api/v1/highlights"
        said = problem(httpx2.post(path, headers=headers, json={"text": "SECRET", "title": "Emma"}), 507, caplog)
        assert "SQLITE_CORRUPT" in said
        assert "SECRET" not in said
        with closing(sqlite3.connect(home.library)) as db:
            (id_, *_) = db.execute("SELECT id FROM highlights LIMIT 1").fetchone()
        assert "SQLITE_CORRUPT" in problem(httpx2.get(f"{path}/{id_}", headers=headers), 507, caplog)
        assert capfd.readouterr().err == ""
