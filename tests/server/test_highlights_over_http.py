"""One highlight over HTTP: a real server, and a client that is no replica."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from httpx2 import Response
from support.cli import Kindlehl
from support.histories import import_of, made_id, picture, record
from support.served import serving

from kindlehl.domain.facts import Edit, Id, new_id, record_id
from kindlehl.domain.library import Highlight
from kindlehl.domain.withholding import NOTES
from kindlehl.ports import Filter, Library
from kindlehl.remote.server import Server
from kindlehl.services.editing import LONGEST, change, held
from kindlehl.services.items import item
from kindlehl.services.operations import Writer, operation
from kindlehl.services.sync import wishes
from kindlehl.services.sync.round import sync
from kindlehl.services.trash import IN_TRASH, empty, restore
from kindlehl.store.library import empty_library, open_library
from kindlehl.wire import messages
from kindlehl.wire.messages import MESSAGE_BYTES
from kindlehl_server import highlights
from kindlehl_server.accounts import Person
from kindlehl_server.app import create_app
from kindlehl_server.needs import Needs

pytestmark = pytest.mark.parametrize("address", ["sqlite"], indirect=True)
"""In which database devices are kept makes no difference here."""

PATH = "/api/v1/highlights"
WALDEN = {"text": "Simplify, simplify.", "title": "Walden", "author": "Thoreau"}


@dataclass
class Client:
    """Somebody who speaks HTTP and holds nothing."""

    http: httpx2.Client

    def add(self, body: object = WALDEN, key: str | None = None) -> Response:
        """Type in a passage."""
        return self.http.post(PATH, json=body, headers={"Idempotency-Key": key or new_id()})

    def read(self, id_: Id, **headers: str) -> Response:
        """Look at one."""
        return self.http.get(f"{PATH}/{id_}", headers=headers)

    def tag(self, id_: Id) -> str:
        """How it is now."""
        return self.read(id_).headers["ETag"]

    def change(self, id_: Id, body: object, tag: str | None = None, key: str | None = None) -> Response:
        """Change fields of one, as it is now unless it was read before."""
        headers = {"If-Match": tag or self.tag(id_), "Idempotency-Key": key or new_id()}
        return self.http.patch(f"{PATH}/{id_}", json=body, headers=headers)

    def delete(self, id_: Id, tag: str | None = None, key: str | None = None) -> Response:
        """Put one into the trash."""
        headers = {"If-Match": tag or self.tag(id_), "Idempotency-Key": key or new_id()}
        return self.http.delete(f"{PATH}/{id_}", headers=headers)


@pytest.fixture
def client(url: str, token: str) -> Iterator[Client]:
    """A program of Anna's."""
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as http:
        yield Client(http)


@pytest.fixture
def home(needs: Needs, anna: Person) -> Iterator[Library]:
    """Anna's library, as the server has it."""
    with needs.libraries.library(anna.id) as library:
        yield library


@pytest.fixture
def replica(url: str, pair: Callable[[Person, str], str], anna: Person) -> Iterator["Replica"]:
    """Another device of hers, with a library of its own."""
    with closing(empty_library()) as library, closing(Server(url, pair(anna, "Tablet"))) as server:
        yield Replica(library, server)


@dataclass
class Replica:
    """A device that syncs."""

    library: Library
    server: Server

    def sync(self) -> None:
        """A round, after which both are equal."""
        assert sync(self.library, "home", self.server.ask).equal

    def say(self, id_: Id, **changes: Any) -> None:
        """Change a passage, knowing what is known here."""
        with operation(self.library, Writer("Tablet"), "edit") as draft:
            change(self.library, draft, [self.shown(id_)], changes)

    def shown(self, id_: Id) -> Highlight:
        """What is to be seen here."""
        found = self.library.shelf.get(id_)
        assert found
        return found


def refused(answer: Response, status: int, code: str) -> None:
    """An RFC 9457 problem with this meaning."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.text
    told = answer.json()
    assert (told["status"], told["code"]) == (status, code)
    assert told["title"].endswith(".")


def story(library: Library) -> list[str]:
    """All facts in order of arrival; of ids it is told which are the same, and times of writing are left out."""
    bodies = "\n".join(library.facts.bodies())
    for n, id_ in enumerate(dict.fromkeys(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", bodies))):
        bodies = bodies.replace(id_, f"#{n}")
    return re.sub(r'"hlc":\d+|"at":"[^"]*Z"', "", bodies).split("\n")


class TestAdding:
    """POST."""

    def test_a_row_comes_back_with_where_it_is_and_how_it_is(self, client: Client, home: Library) -> None:
        """As JSON that is the command line's; the id follows from the key."""
        key = new_id()
        body = WALDEN | {
            "note": "and by notifications", "color": "Blue", "tags": ["craft", "#life"], "page": "91",
            "location": "1324-1326", "chapter": "Where I Lived", "added_at": "2024-03-01",
        }  # fmt: skip
        answer = client.add(body, key)
        assert answer.status_code == 201
        row = answer.json()
        assert row["id"] == record_id("hand", key)
        assert answer.headers["Location"] == f"{PATH}/{row['id']}"
        assert answer.headers["Cache-Control"] == "private, no-store"
        shown = home.shelf.get(row["id"])
        assert shown
        assert row == item(shown)
        kept = {"color": "blue", "tags": ["craft", "life"], "added_at": "2024-03-01T00:00:00"}
        assert {field: row[field] for field in body if field != "location"} | {"location": "1324-1326"} == body | kept
        assert (row["location_start"], row["location_end"]) == (1324, 1326)
        again = client.http.get(answer.headers["Location"])
        assert (again.status_code, again.json(), again.headers["ETag"]) == (200, row, answer.headers["ETag"])

    def test_the_operation_is_the_keys_and_the_device_the_tokens(self, client: Client, home: Library) -> None:
        """All of it is one operation, in the journal too."""
        key = new_id()
        client.add(WALDEN | {"note": "so true", "tags": ["craft"]}, key)
        said = [fact for fact in home.facts.of(key) if isinstance(fact, Edit)]
        assert {(each.field, each.device) for each in said} == {("note", "Laptop"), ("tag:craft", "Laptop")}
        assert [(each.id, each.verb, each.changes) for each in home.journal.operations()] == [(key, "add", 1)]

    def test_what_is_empty_is_not_said(self, client: Client, home: Library) -> None:
        """Neither a note of spaces nor the colour none."""
        row = client.add(WALDEN | {"note": " ", "color": "none", "author": None, "page": " ", "chapter": ""}).json()
        assert [row[field] for field in ("note", "color", "page", "chapter")] == [None] * 4
        assert home.facts.head() == 2

    def test_it_is_marked_when_the_servers_clock_says(self, needs: Needs, token: str, home: Library) -> None:
        """Unless it was said when."""
        now = datetime(2024, 3, 1, 12, tzinfo=UTC)
        with (
            serving(create_app(replace(needs, now=lambda: now))) as url,
            httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as http,
        ):
            row = Client(http).add(WALDEN | {"note": "x"}).json()
        assert datetime.fromisoformat(row["added_at"] + row["added_offset"]) == now
        (note,) = held(home, row["id"]).standing
        assert (note.at, note.hlc) == ("2024-03-01T12:00:00Z", int(now.timestamp() * 1000) + 1)

    def test_a_replay_writes_nothing_and_says_the_same(self, client: Client, home: Library) -> None:
        """However the key and the JSON are spelled."""
        key = new_id()
        first = client.add(WALDEN | {"note": "so true"}, key)
        before = list(home.facts.bodies())
        for body, spelled in (
            (WALDEN | {"note": "so true"}, key), ({"note": "so true", "tags": []} | WALDEN, f'"{key.upper()}"'),
        ):  # fmt: skip
            again = client.add(body, spelled)
            assert (again.status_code, again.content) == (201, first.content)
            assert again.headers["ETag"] == first.headers["ETag"]
        assert list(home.facts.bodies()) == before
        assert len(home.journal.operations()) == 1

    def test_a_replay_after_it_was_changed_shows_it_as_it_is(self, client: Client, home: Library) -> None:
        """Changed by anybody, its book's name too; when it was deleted, there is nothing to show."""
        key = new_id()
        id_ = client.add(key=key).json()["id"]
        client.change(id_, {"note": "so true"})
        with operation(home, Writer("Home"), "books rename") as draft:
            draft.edit(home.facts.records([id_])[id_].atom, "title", "Life in the Woods")
        before = list(home.facts.bodies())
        again = client.add(key=key)
        assert (again.status_code, again.json()["note"], again.json()["title"]) == (201, "so true", "Life in the Woods")
        assert list(home.facts.bodies()) == before
        client.delete(id_)
        refused(client.add(key=key), 404, "not_found")
        with operation(home, Writer("Home"), "trash empty") as draft:
            empty(home, draft, home.shelf.highlights(IN_TRASH))
        refused(client.add(key=key), 404, "not_found")
        refused(client.add(WALDEN | {"note": "other"}, key), 422, "key_reused")

    def test_a_key_that_was_used_otherwise_is_refused(self, client: Client, home: Library, replica: Replica) -> None:
        """For other words, for another verb, or by a command on another device; nothing is written."""
        key = new_id()
        first = client.add(key=key)
        id_, tag = first.json()["id"], first.headers["ETag"]
        replica.sync()
        replica.say(id_, color="blue")
        replica.sync()
        (theirs,) = replica.library.journal.operations()
        before = list(home.facts.bodies())
        for body in (WALDEN | {"text": "Simplify."}, WALDEN | {"page": "3"}, WALDEN | {"tags": ["x"]}):
            refused(client.add(body, key), 422, "key_reused")
        for used in (key, theirs.id):
            refused(client.change(id_, {"note": "x"}, tag, used), 422, "key_reused")
            refused(client.delete(id_, tag, used), 422, "key_reused")
        refused(client.add(key=theirs.id), 422, "key_reused")
        assert list(home.facts.bodies()) == before

    @pytest.mark.parametrize(
        "more",
        [{"text": "Other words"}, {"title": "Emma"}, {"note": "other"}, {"note": None}, {"color": "pink"},
         {"tags": ["craft"]}, {"tags": ["craft", "#LIFE", "x"]}, {"page": "2"}, {"location": "1325"},
         {"location": None}, {"chapter": "Other"}, {"added_at": "2024-03-02"}, {"added_at": None}],
    )  # fmt: skip
    def test_a_key_that_comes_with_other_words_of_the_same_mark_is_refused(
        self, client: Client, home: Library, monkeypatch: pytest.MonkeyPatch, more: dict[str, object]
    ) -> None:
        """The mark has two bytes: what is kept tells the rest."""
        monkeypatch.setattr(highlights, "_mark", lambda _: b"xx")
        key = new_id()
        body = WALDEN | {
            "note": "so true", "color": "blue", "tags": ["craft", "#life"], "page": "1", "location": "1324",
            "chapter": "One", "added_at": "2024-03-01",
        }  # fmt: skip
        first = client.add(body, key)
        before = list(home.facts.bodies())
        refused(client.add(body | more, key), 422, "key_reused")
        assert list(home.facts.bodies()) == before
        again = client.add(body | {"tags": ["Life", "craft"], "note": " so true"}, key)
        assert (again.status_code, again.content) == (201, first.content)

    def test_what_the_server_was_told_to_forget_is_not_held_against_a_replay(
        self, client: Client, home: Library
    ) -> None:
        """It shows what is left."""
        key = new_id()
        client.add(WALDEN | {"note": "so true", "tags": ["craft"]}, key)
        wishes.change(home, NOTES, 0, datetime.now(UTC))
        again = client.add(WALDEN | {"note": "so true", "tags": ["craft"]}, key)
        assert (again.status_code, again.json()["note"], again.json()["tags"]) == (201, None, ["craft"])

    def test_so_it_is_for_changes_and_deletions(
        self, client: Client, home: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of another passage as well; what was so before, or was erased since, is not held against anybody."""
        monkeypatch.setattr(highlights, "_mark", lambda _: b"xx")
        id_, other = (client.add(WALDEN | {"text": text, "tags": ["old"]}).json()["id"] for text in ("One", "Two"))
        key, tag = new_id(), client.tag(id_)
        body = {"note": "mine", "color": "none", "favorite": True, "tags": ["new", "life"]}
        assert client.change(id_, body, tag, key).status_code == 200
        for said in ({"note": "yours"}, body | {"note": None}, body | {"favorite": False}, body | {"tags": ["new"]},
                     body | {"tags": ["new", "life", "old"]}, {"note": "mine"}, {"tags": ["new", "life"]}):  # fmt: skip
            refused(client.change(id_, said, tag, key), 422, "key_reused")
        refused(client.change(other, body, client.tag(other), key), 422, "key_reused")
        refused(client.delete(id_, tag, key), 422, "key_reused")
        assert client.change(id_, body | {"tags": ["LIFE", "new"]}, tag, key).status_code == 200
        gone, tag = new_id(), client.tag(id_)
        assert client.delete(id_, tag, gone).status_code == 204
        refused(client.delete(other, client.tag(other), gone), 422, "key_reused")
        assert client.read(other).status_code == 200
        assert client.delete(id_, tag, gone).status_code == 204
        with operation(home, Writer("Home"), "trash empty") as draft:
            empty(home, draft, home.shelf.highlights(IN_TRASH))
        refused(client.change(id_, body, tag, key), 404, "not_found")
        assert client.delete(id_, tag, gone).status_code == 204

    def test_of_many_at_once_one_is_written(self, client: Client, url: str, token: str, home: Library) -> None:
        """Each is answered with it."""
        key = new_id()
        answers: list[Response] = []
        ready = threading.Barrier(8)

        def add() -> None:
            with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as http:
                ready.wait()
                answers.append(Client(http).add(WALDEN | {"note": "so true"}, key))

        threads = [threading.Thread(target=add) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {answer.status_code for answer in answers} == {201}
        assert len({(answer.content, answer.headers["ETag"]) for answer in answers}) == 1
        assert home.facts.head() == 3  # the record, its import, its note
        assert len(home.journal.operations()) == 1

    def test_a_server_that_was_emptied_makes_the_same_facts_again(
        self, client: Client, replica: Replica, needs: Needs, anna: Person, tmp_path: Path
    ) -> None:
        """Of the same request: what a device had of it before is not there twice, and is in no conflict."""
        key = new_id()
        client.add(WALDEN | {"note": "so true"}, key)
        replica.sync()
        for file in (tmp_path / "libraries" / anna.id).iterdir():
            file.unlink()
        assert client.add(WALDEN | {"note": "so true"}, key).status_code == 201
        replica.sync()
        (shown,) = replica.library.shelf.highlights(Filter())
        assert (shown.id, shown.note, shown.conflicts) == (record_id("hand", key), "so true", ())
        assert len(list(replica.library.facts.bodies())) == 3

    @pytest.mark.parametrize(
        "key", [None, "", "x", "1", '""', str(record_id("hand", "x")), "00000000-0000-0000-0000-000000000000",
                made_id(1)[:-1], made_id(1) + "0", made_id(1).replace("-", "")],
    )  # fmt: skip
    def test_without_a_key_nothing_is_written(self, client: Client, home: Library, key: str | None) -> None:
        """A UUIDv7, for every verb that writes."""
        row = client.add()
        headers = {"If-Match": row.headers["ETag"]} | ({} if key is None else {"Idempotency-Key": key})
        place, head = row.headers["Location"], home.facts.head()
        refused(client.http.post(PATH, json=WALDEN, headers=headers), 400, "usage")
        refused(client.http.patch(place, json={"note": "x"}, headers=headers), 400, "usage")
        refused(client.http.delete(place, headers=headers), 400, "usage")
        assert home.facts.head() == head

    @pytest.mark.parametrize(
        "more",
        [{"text": " \n"}, {"title": ""}, {"title": " "}, {"location": "x"}, {"location": "9-1"}, {"color": "plaid"},
         {"tags": [""]}, {"tags": ["a,b"]}, {"added_at": "2024-13-01"}, {"added_at": "2024"}, {"added_at": "now"}],
        ids=str,
    )  # fmt: skip
    def test_what_makes_no_sense_is_refused(self, client: Client, home: Library, more: dict[str, object]) -> None:
        """In the command line's words; nothing is written, though there is a book already that any title could mean."""
        client.add()
        head, key = home.facts.head(), new_id()
        refused(client.add(WALDEN | more, key), 400, "usage")
        assert home.facts.head() == head
        assert client.add(key=key).status_code == 201

    def test_a_book_is_found_as_the_command_line_finds_it(self, client: Client) -> None:
        """By words of its title or its id, unless it shall be a new one; where several are meant nothing is written."""
        book = client.add().json()["book_id"]
        for title in ("Walden", "wald", book):
            row = client.add({"text": f"As {title}", "title": title}).json()
            assert (row["book_id"], row["title"], row["author"]) == (book, "Walden", "Thoreau")
        other = client.add({"text": "Walks", "title": "Walden", "author": "Skinner", "new_book": True}).json()
        assert other["book_id"] != book
        refused(client.add({"text": "Which?", "title": "wald"}), 400, "usage")
        assert client.add({"text": "This", "title": "wald", "author": "skinner"}).json()["book_id"] == other["book_id"]


class TestReading:
    """GET."""

    def test_who_has_it_is_not_sent_it_again(self, client: Client) -> None:
        """By any of the tags that he has, weak ones too."""
        row = client.add()
        id_, tag = row.json()["id"], row.headers["ETag"]
        for said in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            answer = client.read(id_, **{"If-None-Match": said})
            assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
            assert answer.headers["Cache-Control"] == "private, no-store"
        for said in ('"x"', "", tag[1:-1]):
            answer = client.read(id_, **{"If-None-Match": said})
            assert (answer.status_code, answer.json()) == (200, row.json())

    def test_what_a_replica_says_changes_the_tag(self, client: Client, home: Library, replica: Replica) -> None:
        """Whatever it is; what it says of another passage does not."""
        id_, other = client.add().json()["id"], client.add({"text": "x", "title": "y"}).json()["id"]
        replica.sync()
        tags = [client.tag(id_)]
        for changes in ({"note": "x"}, {"color": "blue"}, {"tag:x": True}, {"favorite": True}, {"text": "y"},
                        {"text": None}):  # fmt: skip
            replica.say(id_, **changes)
            replica.sync()
            tags.append(client.tag(id_))
        with operation(home, Writer("Home"), "books rename") as draft:
            draft.edit(home.facts.records([id_])[id_].atom, "title", "Life in the Woods")
        tags.append(client.tag(id_))
        assert len(set(tags)) == len(tags)
        replica.say(other, note="z")
        replica.sync()
        assert client.tag(id_) == tags[-1]

    def test_two_who_say_the_same_are_seen_in_the_tag(self, client: Client, home: Library, replica: Replica) -> None:
        """What is shown is equal, what an edit replaces is not."""
        id_ = client.add().json()["id"]
        replica.sync()
        replica.say(id_, color="blue")
        row = client.change(id_, {"color": "blue"})
        replica.sync()
        answer = client.read(id_)
        assert answer.json() == row.json()
        assert answer.headers["ETag"] != row.headers["ETag"]
        client.change(id_, {"color": "pink"}, answer.headers["ETag"])
        assert [each.value for each in held(home, id_).standing] == ["pink"]

    def test_every_form_of_a_passage_finds_it(self, client: Client, home: Library) -> None:
        """What a device wrote anew is one passage, and bare notes and bookmarks are rows too."""
        short = record("highlight", "Tale (Dickens, Charles)", "best of times", 5, 1, 1, False)
        whole = record("highlight", "Tale (Dickens, Charles)", "It was the best of times", 5, 2, 2, False)
        mark = record("bookmark", "Tale (Dickens, Charles)", "", 9, 0, 3, False)
        with home.transaction():
            home.facts.add([short, whole, mark, import_of(1, "clippings", [short, whole, mark])])
            home.shelf.settle()
        assert client.read(short.id).json() == client.read(whole.id).json()
        assert client.read(short.id).json()["text"] == "It was the best of times"
        assert client.read(mark.id).json()["kind"] == "bookmark"
        assert client.change(short.id, {"note": "so true"}).json()["note"] == "so true"


class TestChanging:
    """PATCH."""

    def test_several_fields_are_one_operation_that_replaces_what_was_read(self, client: Client, home: Library) -> None:
        """And answers with the row as it is now, and its tag."""
        id_ = client.add(WALDEN | {"note": "x", "color": "pink", "tags": ["a", "b"]}).json()["id"]
        before = {each.field: each.id for each in held(home, id_).standing}
        key = new_id()
        changes = {"text": "Simplify.", "note": "y", "color": "blue", "favorite": True, "tags": ["B", "c"]}
        answer = client.change(id_, changes, key=key)
        assert answer.status_code == 200
        assert answer.json() == client.read(id_).json() | changes | {"tags": ["b", "c"]}
        assert answer.headers["ETag"] == client.tag(id_)
        assert answer.headers["Cache-Control"] == "private, no-store"
        said = {each.field: each for each in home.facts.of(key) if isinstance(each, Edit)}
        assert {field: (each.value, each.seen) for field, each in said.items()} == {
            "text": ("Simplify.", ()), "note": ("y", (before["note"],)), "color": ("blue", (before["color"],)),
            "favorite": (True, ()), "tag:c": (True, ()), "tag:a": (False, (before["tag:a"],)),
        }  # fmt: skip
        assert [(each.id, each.verb) for each in home.journal.operations()][1:] == [(key, "edit")]

    def test_null_clears_and_what_is_not_given_stays(self, client: Client) -> None:
        """A text that is cleared is the source's again."""
        id_ = client.add(WALDEN | {"note": "x", "color": "pink", "tags": ["a"]}).json()["id"]
        row = client.change(id_, {"text": "Simplify.", "favorite": True}).json()
        assert (row["note"], row["color"], row["tags"]) == ("x", "pink", ["a"])
        for field in ("text", "note", "color", "favorite", "tags"):
            row = row | {field: WALDEN["text"] if field == "text" else [] if field == "tags" else None}
            if field == "favorite":
                row[field] = False
            assert client.change(id_, {field: None}).json() == row

    def test_nothing_to_change_writes_nothing(self, client: Client, home: Library) -> None:
        """The tag stays."""
        row = client.add(WALDEN | {"note": "x", "tags": ["a"]})
        id_, tag, head = row.json()["id"], row.headers["ETag"], home.facts.head()
        for changes in ({}, {"note": "x", "text": WALDEN["text"]}, {"tags": ["A"], "color": None, "favorite": None}):
            answer = client.change(id_, changes, tag)
            assert (answer.status_code, answer.content, answer.headers["ETag"]) == (200, row.content, tag)
        assert home.facts.head() == head

    def test_of_two_who_read_the_same_one_is_told_to_read_anew(self, client: Client, home: Library) -> None:
        """And nothing of either is lost."""
        row = client.add()
        id_, tag = row.json()["id"], row.headers["ETag"]
        assert client.change(id_, {"note": "one"}, tag).status_code == 200
        head, key = home.facts.head(), new_id()
        refused(client.change(id_, {"note": "other"}, tag, key), 412, "precondition_failed")
        refused(client.delete(id_, tag), 412, "precondition_failed")
        assert home.facts.head() == head
        assert client.read(id_).json()["note"] == "one"
        assert client.change(id_, {"note": "one, other"}, key=key).json()["note"] == "one, other"

    def test_of_many_at_the_same_time_one_changes_it(self, client: Client, url: str, token: str) -> None:
        """The others are told, each with a key of its own."""
        row = client.add()
        id_, tag = row.json()["id"], row.headers["ETag"]
        came: list[tuple[int, str]] = []
        ready = threading.Barrier(6)

        def change_(note: str) -> None:
            with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as http:
                ready.wait()
                came.append((Client(http).change(id_, {"note": note}, tag).status_code, note))

        threads = [threading.Thread(target=change_, args=(str(n),)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        came.sort()
        assert [status for status, _ in came] == [200, *[412] * 5]
        shown = client.read(id_).json()
        assert (shown["note"], shown["conflicts"]) == (came[0][1], [])

    def test_a_change_knows_nothing_of_what_comes_later(self, client: Client, replica: Replica) -> None:
        """What a replica said meanwhile stands beside it, until somebody who has read both settles it."""
        id_ = client.add().json()["id"]
        replica.sync()
        replica.say(id_, note="theirs")
        client.change(id_, {"note": "ours"})
        replica.sync()
        row = client.read(id_)
        assert row.json()["conflicts"] == ["note"]
        assert {"theirs", "ours"} == set(row.json()["note"].split("\n\n"))
        settled = client.change(id_, {"note": "ours"}, row.headers["ETag"])
        assert (settled.json()["note"], settled.json()["conflicts"]) == ("ours", [])
        replica.sync()
        assert item(replica.shown(id_)) == settled.json()

    def test_a_replay_writes_nothing_whatever_came_since(self, client: Client, home: Library) -> None:
        """It is answered with the row as it is now; of other content with nothing."""
        row = client.add()
        id_, tag, key = row.json()["id"], row.headers["ETag"], new_id()
        first = client.change(id_, {"note": "x", "color": "blue"}, tag, key)
        assert client.change(id_, {"color": "blue", "note": "x"}, tag, key).content == first.content
        now = client.change(id_, {"note": "y"})
        before = list(home.facts.bodies())
        again = client.change(id_, {"note": "x", "color": "blue"}, tag, key)
        assert (again.status_code, again.content, again.headers["ETag"]) == (200, now.content, now.headers["ETag"])
        for other in ({"note": "z"}, {"note": "x"}, {}):
            refused(client.change(id_, other, key=key), 422, "key_reused")
        elsewhere = client.add({"text": "x", "title": "y"}).json()["id"]
        before += list(home.facts.bodies())[len(before) :]
        refused(client.change(elsewhere, {"note": "x", "color": "blue"}, key=key), 422, "key_reused")
        refused(client.add(key=key), 422, "key_reused")
        assert list(home.facts.bodies()) == before

    @pytest.mark.parametrize("tag", [None, "", "*", ", *"])
    def test_who_does_not_say_what_he_read_changes_nothing(
        self, client: Client, home: Library, tag: str | None
    ) -> None:
        """That it is there at all is not enough."""
        row = client.add()
        headers = {"Idempotency-Key": new_id()} | ({} if tag is None else {"If-Match": tag})
        place, head = row.headers["Location"], home.facts.head()
        refused(client.http.patch(place, json={"note": "x"}, headers=headers), 428, "precondition_required")
        refused(client.http.delete(place, headers=headers), 428, "precondition_required")
        assert home.facts.head() == head

    def test_tags_are_compared_strongly(self, client: Client) -> None:
        """One of several is enough, but it has to be this very one."""
        row = client.add()
        id_, tag = row.json()["id"], row.headers["ETag"]
        for other in (f"W/{tag}", tag[1:-1], '"x"', f"{tag}x"):
            refused(client.change(id_, {"note": "x"}, other), 412, "precondition_failed")
        assert client.change(id_, {"note": "x"}, f'"x",{tag} , W/"y"').status_code == 200

    @pytest.mark.parametrize("changes", [{"color": "plaid"}, {"tags": ["a,b"]}, {"tags": ["x" * 101]}], ids=str)
    def test_what_makes_no_sense_is_refused(self, client: Client, home: Library, changes: dict[str, object]) -> None:
        """All of it: what made sense beside it is not done either."""
        id_ = client.add().json()["id"]
        head = home.facts.head()
        refused(client.change(id_, {"note": "x"} | changes), 400, "usage")
        assert home.facts.head() == head


class TestDeleting:
    """DELETE."""

    def test_it_is_in_the_trash_as_the_command_puts_it_there(self, client: Client, home: Library) -> None:
        """What is covered and known is named, and how far each source was read."""
        row = client.add(WALDEN | {"note": "x", "added_at": "2024-03-01"})
        id_, key = row.json()["id"], new_id()
        (note,) = held(home, id_).standing
        answer = client.delete(id_, row.headers["ETag"], key)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["Cache-Control"] == "private, no-store"
        (said,) = home.facts.of(key)
        assert isinstance(said, Edit)
        assert (said.target, said.field, said.value, said.device) == (id_, "deleted", True, "Laptop")
        assert (said.covers, said.knew, said.mark) == ((id_,), (note.id,), {"hand": "2024-03-01T00:00:00"})
        assert [each.id for each in home.shelf.highlights(IN_TRASH)] == [id_]
        assert [(each.id, each.verb) for each in home.journal.operations()][1:] == [(key, "delete")]

    def test_what_is_deleted_is_not_there(self, client: Client, home: Library) -> None:
        """For nobody, until it is brought back."""
        row = client.add()
        id_, tag = row.json()["id"], row.headers["ETag"]
        client.delete(id_, tag)
        refused(client.read(id_), 404, "not_found")
        refused(client.read(id_, **{"If-None-Match": "*"}), 404, "not_found")
        refused(client.change(id_, {"note": "x"}, tag), 404, "not_found")
        refused(client.delete(id_, tag), 404, "not_found")
        with operation(home, Writer("Home"), "restore") as draft:
            restore(home, draft, home.shelf.highlights(IN_TRASH))
        assert client.read(id_).json() == row.json()
        refused(client.delete(id_, tag), 412, "precondition_failed")

    def test_a_replay_writes_nothing(self, client: Client, home: Library) -> None:
        """Even after it was brought back: it was deleted once."""
        row = client.add()
        id_, tag, key = row.json()["id"], row.headers["ETag"], new_id()
        client.delete(id_, tag, key)
        head = home.facts.head()
        assert client.delete(id_, tag, key).status_code == 204
        assert home.facts.head() == head
        with operation(home, Writer("Home"), "restore") as draft:
            restore(home, draft, home.shelf.highlights(IN_TRASH))
        assert client.delete(id_, tag, key).status_code == 204
        assert client.read(id_).status_code == 200

    def test_what_the_deleter_did_not_know_brings_it_back(self, client: Client, replica: Replica) -> None:
        """An edit that had not come when it was deleted."""
        id_ = client.add().json()["id"]
        replica.sync()
        replica.say(id_, note="kept")
        client.delete(id_)
        replica.sync()
        assert client.read(id_).json()["note"] == "kept"


class TestFacts:
    """What is written is what a replica would have written."""

    def test_a_story_told_over_http_is_the_command_lines_fact_for_fact(
        self, client: Client, home: Library, tmp_path: Path
    ) -> None:
        """But for ids and the times of writing."""
        reader = Kindlehl(tmp_path / "reader", {"KINDLEHL_DEVICE": "Laptop"})
        typed = ("--author", "Thoreau", "--page", "91", "--location", "1324-1326", "--chapter", "Reading", "--date",
                 "2024-03-01", "--note", "x", "--tag", "craft", "--color", "blue")  # fmt: skip
        id_ = reader("add", "Simplify,\nsimplify.", "--book", "Walden", *typed, "--json").json["ids"][0]
        reader.ok("note", id_, "y")
        reader.ok("tag", "Craft", id_, "--remove")
        reader.ok("tag", "life", id_)
        reader.ok("color", "none", id_)
        reader.ok("favorite", id_)
        reader.ok("add", "Once more.", "--book", "wald", "--date", "2024-03-02 10:30")
        reader.ok("delete", id_)
        mine = client.add(
            {"text": "Simplify,\nsimplify.", "title": "Walden", "author": "Thoreau", "page": "91",
             "location": "1324-1326", "chapter": "Reading", "added_at": "2024-03-01", "note": "x", "tags": ["craft"],
             "color": "blue"}
        ).json()["id"]  # fmt: skip
        for changes in ({"note": "y"}, {"tags": []}, {"tags": ["life"]}, {"color": None}, {"favorite": True}):
            assert client.change(mine, changes).status_code == 200
        client.add({"text": "Once more.", "title": "wald", "added_at": "2024-03-02 10:30"})
        client.delete(mine)
        with closing(open_library(reader.library)) as theirs:
            assert story(home) == story(theirs)

    def test_it_arrives_on_a_replica_as_it_is_here(self, client: Client, home: Library, replica: Replica) -> None:
        """By a round; and what the replica says of it comes back."""
        row = client.add(WALDEN | {"note": "x", "color": "pink", "tags": ["a"], "page": "xvi"}).json()
        replica.sync()
        assert item(replica.shown(row["id"])) == row
        replica.say(row["id"], note="y")
        replica.sync()
        assert client.read(row["id"]).json() == row | {"note": "y"}
        client.change(row["id"], {"text": "Simplify.", "tags": []})
        client.delete(client.add({"text": "gone", "title": "x"}).json()["id"])
        replica.sync()
        assert item(replica.shown(row["id"])) == client.read(row["id"]).json()
        assert picture(replica.library) == picture(home)
        assert sorted(replica.library.facts.bodies()) == sorted(home.facts.bodies())


class TestRefusal:
    """What is not let in, and what makes no sense."""

    @pytest.mark.parametrize("header", [None, "Bearer", "Bearer khl_other", "Basic x"])
    def test_a_stranger_learns_nothing(self, client: Client, url: str, header: str | None) -> None:
        """Not even which ids there are."""
        row = client.add()
        place, headers = row.headers["Location"], {} if header is None else {"Authorization": header}
        more = {"Idempotency-Key": new_id(), "If-Match": row.headers["ETag"]}
        with httpx2.Client(base_url=url, headers=headers) as http:
            for answer in (
                http.get(place), http.post(PATH, json=WALDEN, headers=more),
                http.patch(place, json={"note": "x"}, headers=more), http.delete(place, headers=more),
            ):  # fmt: skip
                refused(answer, 401, "revoked")

    def test_nobody_reads_or_changes_what_is_anothers(
        self, client: Client, url: str, pair: Callable[[Person, str], str], ben: Person, home: Library
    ) -> None:
        """It is not there for him; a key of hers is free for him."""
        key = new_id()
        row = client.add(key=key)
        id_, tag, head = row.json()["id"], row.headers["ETag"], home.facts.head()
        with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {pair(ben, 'Phone')}"}) as http:
            his = Client(http)
            refused(his.read(id_), 404, "not_found")
            refused(his.change(id_, {"note": "x"}, tag), 404, "not_found")
            refused(his.delete(id_, tag), 404, "not_found")
            assert his.add({"text": "Mine.", "title": "Diary"}, key).json()["text"] == "Mine."
        assert home.facts.head() == head
        assert client.read(id_).json() == row.json()

    @pytest.mark.parametrize(
        "id_", ["x", made_id(1), "%00", "%ff", "..", "%2e%2e%2fsync", "x" * 5_000, "*", "é", "%25", " "]
    )
    def test_what_is_no_id_is_not_there(self, client: Client, id_: str) -> None:
        """Neither the beginning of one: what a program means it names in full."""
        known = client.add().json()["id"]
        for each in (id_, known[:8], known.upper(), known + "0"):
            for answer in (client.read(each), client.change(each, {}, '"x"'), client.delete(each, '"x"')):
                assert answer.status_code in (404, 405), answer

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (b"", 400, "invalid"),
            (b"[]", 400, "invalid"),
            (b"null", 400, "invalid"),
            (b'{"note":"x"', 400, "invalid"),
            (b'{"note":"\xff"}', 400, "invalid"),
            (b'{"note":"\\ud800"}', 400, "invalid"),
            (b'{"note":' + b"[" * 100_000, 400, "invalid"),
            (b'{"nota":"x"}', 400, "invalid"),
            (b'{"text":"x","title":"y","nota":"x"}', 400, "invalid"),
            (b'{"note":1}', 400, "invalid"),
            (b'{"note":["x"]}', 400, "invalid"),
            (b'{"text":"x","title":"y","tags":"x"}', 400, "invalid"),
            (b'{"text":"x","title":"y","tags":[null]}', 400, "invalid"),
            (b'{"text":"x","title":"y","tags":[' + b",".join([b'"x"'] * 1_001) + b"]}", 400, "invalid"),
            (b'{"text":"x","title":"y","page":12}', 400, "invalid"),
            (b'{"text":"x","title":"y","location":1324}', 400, "invalid"),
            (b'{"text":"x","title":null,"id":"y"}', 400, "invalid"),
            (b'{"favorite":1,"text":"x"}', 400, "invalid"),
            (b'{"favorite":"yes","text":"x"}', 400, "invalid"),
            (b" " * (MESSAGE_BYTES + 1), 413, "too_large"),
        ],
        ids=["nothing", "a list", "null", "half", "no text", "half a character", "deep", "an unknown field", "another",
             "a number", "a list for a text", "a text for a list", "null in a list", "too many tags", "a page",
             "a location", "no title", "1", "yes", "too long"],
    )  # fmt: skip
    def test_nonsense_is_a_typed_error_and_changes_nothing(
        self, client: Client, home: Library, body: bytes, status: int, code: str
    ) -> None:
        """Types are strict, and a field that nobody knows is a mistake."""
        row = client.add()
        place, head = row.headers["Location"], home.facts.head()
        headers = {"Idempotency-Key": new_id(), "If-Match": row.headers["ETag"]}
        refused(client.http.post(PATH, content=body, headers=headers), status, code)
        refused(client.http.patch(place, content=body, headers=headers), status, code)
        assert home.facts.head() == head

    def test_of_one_passage_no_more_is_said_than_can_be_folded(
        self, client: Client, home: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As it is for devices; what was said is shown, and of others more can be said."""
        monkeypatch.setattr(messages, "EDITS", 3)
        id_, other = (str(client.add(WALDEN | {"text": text}).json()["id"]) for text in ("one", "another"))
        for note in "abc":
            assert client.change(id_, {"note": note}).status_code == 200
        before = list(home.facts.bodies())
        refused(client.change(id_, {"note": "d"}), 413, "too_large")
        assert list(home.facts.bodies()) == before
        assert client.change(other, {"note": "d"}).status_code == 200

    @pytest.mark.parametrize("field", ["text", "note", "title"])
    def test_a_value_that_no_device_takes_is_too_large(self, client: Client, home: Library, field: str) -> None:
        """Up to 256 KiB it is taken, and so by every device that syncs."""
        id_ = client.add().json()["id"]
        head = home.facts.head()
        refused(client.add(WALDEN | {field: "é" * (LONGEST // 2) + "x"}), 413, "too_large")
        refused(client.add(WALDEN | {field: "\\" * LONGEST}), 413, "too_large")
        if field != "title":
            refused(client.change(id_, {field: "x" * (LONGEST + 1)}), 413, "too_large")
            refused(client.change(id_, {field: '"' * LONGEST}), 413, "too_large")
        assert home.facts.head() == head

    def test_a_value_of_256_kib_is_taken_here_and_elsewhere(self, client: Client, replica: Replica) -> None:
        """The longest that every replica takes."""
        row = client.add(WALDEN | {"text": "x" * LONGEST, "note": "é" * (LONGEST // 2)}).json()
        assert len(row["text"]) == LONGEST
        replica.sync()
        assert item(replica.shown(row["id"])) == row
