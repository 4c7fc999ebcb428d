"""What a watcher counts: what happened, how long it took, and nobody's words."""

import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from prometheus_client import generate_latest
from support.histories import edit, import_of, record
from support.household import let_in, owner_of
from support.served import serving

from kindlehl.domain.errors import UsageError
from kindlehl.remote.listening import listening
from kindlehl.remote.server import Server
from kindlehl.services.sync.round import sync
from kindlehl.store.library import empty_library
from kindlehl_server import wiring
from kindlehl_server.app import create_app
from kindlehl_server.metrics import Metrics, rarely
from kindlehl_server.needs import Needs
from kindlehl_server.settings import Settings

MARKED = record("highlight", "Tale (Dickens, Charles)", "His words", 1, 1, 1, False)


@pytest.fixture
def needs(tmp_path: Path) -> Iterator[Needs]:
    """As `kindlehl serve` makes them."""
    with wiring.needs(Settings(tmp_path / "data")) as made:
        yield made


def read(needs: Needs) -> dict[str, float]:
    """What a watcher reads."""
    text = generate_latest(needs.metrics.registry).decode()
    assert not re.search("Anna|Laptop|Dickens|words|khl_", text)
    return {name: float(value) for name, value in re.findall(r"^(\w+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)}


def test_what_happens_is_counted(needs: Needs) -> None:
    """Pushes, the way to other devices, sockets, conflicts, and what had to be healed."""
    anna = owner_of(needs)
    with serving(create_app(needs)) as url, closing(empty_library()) as one, closing(empty_library()) as two:
        tokens = [let_in(needs, anna, name) for name in ("Laptop", "Tablet")]
        with closing(Server(url, tokens[0])) as first, closing(Server(url, tokens[1])) as second:
            with one.transaction():
                one.facts.add([MARKED, import_of(1, "clippings", [MARKED]), edit(7, MARKED.id, "note", "one")])
                one.shelf.settle()
            with listening(httpx2.URL(url), tokens[1]) as ears:
                assert read(needs)["kindlehl_connections"] == 1
                assert sync(one, "server", first.ask).equal
                assert ears.wait(5)
                assert read(needs)["kindlehl_oldest_unsent_seconds"] > 0
                time.sleep(0.05)
                assert sync(two, "server", second.ask).equal
                found = read(needs)
                assert found["kindlehl_oldest_unsent_seconds"] == 0
                assert found["kindlehl_visible_seconds_count"] == 1
                assert 0.05 < found["kindlehl_visible_seconds_sum"] < 5
                assert found["kindlehl_create_seconds_count"] == 1
                assert found["kindlehl_healed_buckets_total"] == 0
            with two.transaction():
                two.facts.add([edit(9, MARKED.id, "note", "two")])
                two.shelf.settle()
                two.peers.keep("server", two.peers.progress("server")._replace(pushed=two.facts.head()))
            assert sync(two, "server", second.ask).healed == 1
            assert read(needs)["kindlehl_healed_buckets_total"] == 1


def test_open_conflicts_are_counted(needs: Needs) -> None:
    """In all libraries, no more than once a minute."""
    anna = owner_of(needs)
    with needs.libraries.library(anna.id) as library, library.transaction():
        library.facts.add([MARKED, edit(7, MARKED.id, "note", "one"), edit(8, MARKED.id, "note", "two")])
        library.shelf.settle()
    assert read(needs)["kindlehl_open_conflicts"] == 1
    with needs.libraries.library(anna.id) as library, library.transaction():
        library.facts.add(
            [edit(9, MARKED.id, "note", "both", [edit(7, MARKED.id, "note", "").id, edit(8, "", "", "").id])]
        )
        library.shelf.settle()
    assert read(needs)["kindlehl_open_conflicts"] == 1
    now, counted = 0.0, [3.0, 4.0]
    count = rarely(lambda: counted.pop(0), lambda: now)
    assert (count(), count()) == (3, 3)
    now = 60.0
    assert count() == 4


def test_it_is_answered_on_an_address_of_its_own_and_only_if_that_is_wanted(needs: Needs) -> None:
    """The server itself has no page of it."""
    with serving(create_app(needs)) as url:
        assert httpx2.get(f"{url}/metrics").status_code == 404
    with needs.metrics.listening("127.0.0.1:0"):
        pass
    for address in ("9484", "127.0.0.1:x", "127.0.0.1:99999", "nowhere.invalid:9484"):
        with pytest.raises(UsageError), Metrics().listening(address):
            pytest.fail("it listens")


def test_a_server_is_ready_while_it_can_do_its_work(needs: Needs, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lives on where its database is gone or its disk is full, and says that it is not ready."""
    with serving(create_app(needs)) as url:
        assert httpx2.get(f"{url}/readyz").status_code == 200
        monkeypatch.setattr("kindlehl_server.wiring._ROOM", 1 << 60)
        full = httpx2.get(f"{url}/readyz")
        assert (full.status_code, full.text) == (503, "The server's disk is nearly full.\n")
        assert httpx2.get(f"{url}/livez").status_code == 200
