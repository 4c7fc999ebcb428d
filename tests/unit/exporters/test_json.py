"""The JSON exporter: one valid document, W3C annotations for others and every fact untouched for ourselves."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindlehl.domain.library import Highlight
from kindlehl_exporters.json import JsonExporter

from . import shelves
from .shelves import MemoryShelf, bare_note, book, one, passage


def written(shelf: MemoryShelf) -> bytes:
    (document,) = JsonExporter().render(shelf)
    assert (document.id, document.title, document.suffix) == ("json", "library", ".json")
    return b"".join(block.data for block in document.blocks)


def item(known: Highlight) -> Any:
    (only,) = json.loads(written(one(book(), known)))["items"]
    return only


@pytest.mark.parametrize("shelf", [MemoryShelf(), shelves.sample()], ids=["empty", "full"])
def test_it_is_one_valid_annotation_set(shelf: MemoryShelf) -> None:
    """An empty library too; every annotation has an id, a type, a motivation and a target, as W3C asks."""
    document = json.loads(written(shelf))
    assert document["@context"] == "http://www.w3.org/ns/anno.jsonld"
    assert document["type"] == "AnnotationSet"
    assert document["kindlehl"]["schema"] == "kindlehl/library/1"
    assert len(document["items"]) == sum(map(len, shelf.shelved.values()))
    for annotation in document["items"]:
        assert annotation["type"] == "Annotation"
        assert annotation["id"].startswith("urn:uuid:")
        assert annotation["target"]["source"].startswith("urn:uuid:")


def test_facts_travel_byte_for_byte() -> None:
    """Key order, number forms and spaces of a fact stay: its digest is over these bytes."""
    facts = (b'{"z":1,"a":1.0}', b'{ "text" : "caf\\u00e9 \xc3\xa9" }', b'{"n":12345678901234567890}')
    lines = written(MemoryShelf(lines=facts)).splitlines()
    assert [line.removesuffix(b",") for line in lines[2:-1]] == list(facts)


def test_facts_of_hidden_books_are_there_too() -> None:
    """The facts are the whole library's, whatever part of it the items show."""
    assert json.loads(written(MemoryShelf(lines=(b'{"id":"x"}',))))["kindlehl"]["facts"] == [{"id": "x"}]


def test_a_highlight_says_what_and_where() -> None:
    """The quote as selector; page, heading and location beside it; the book with title and author."""
    of = book()
    known = passage(
        of,
        "Simplify.",
        page="91",
        chapter="Economy",
        location_start=7,
        location_end=9,
        color="yellow",
        tags=("a", "b"),
        favorite=True,
        truncated=True,
        source="clippings",
    )
    assert item(known) == {
        "@context": "http://www.w3.org/ns/anno.jsonld",
        "id": f"urn:uuid:{known.id}",
        "type": "Annotation",
        "motivation": "highlighting",
        "about": {
            "dc:identifier": [f"urn:uuid:{of.id}"],
            "dc:title": "Walden",
            "dc:creator": ["Henry David Thoreau"],
        },
        "target": {
            "source": f"urn:uuid:{of.id}",
            "selector": [{"type": "TextQuoteSelector", "exact": "Simplify."}],
            "meta": {"headings": [{"level": 1, "txt": "Economy"}], "page": "91", "kindlehl:location": [7, 9]},
        },
        "body": {
            "type": "TextualBody",
            "format": "text/plain",
            "value": "",
            "color": "yellow",
            "keyword": "a, b",
            "kindlehl:tags": ["a", "b"],
        },
        "kindlehl:favorite": True,
        "kindlehl:truncated": True,
        "kindlehl:source": "clippings",
    }


@pytest.mark.parametrize(
    ("known", "motivation"),
    [
        (passage(book()), "highlighting"),
        (passage(book(), note="n"), "commenting"),
        (bare_note(book(), "n"), "commenting"),
        (passage(book(), "", kind="bookmark"), "bookmarking"),
    ],
)
def test_the_motivation_is_the_kind(known: Highlight, motivation: str) -> None:
    """Highlighting, commenting or bookmarking, in W3C's words; a place without words has no quote."""
    annotation = item(known)
    assert annotation["motivation"] == motivation
    assert ("selector" in annotation["target"]) == bool(known.text)
    assert annotation.get("body", {}).get("value") == known.note


def test_created_is_there_only_with_a_time_zone() -> None:
    """A device's own clock is never taken for UTC: without an offset the time goes under a name of ours."""
    at = "2024-08-22T18:10:00"
    assert item(passage(book(), added_at=at, added_offset="+02:00"))["created"] == "2024-08-22T18:10:00+02:00"
    naive = item(passage(book(), added_at=at))
    assert "created" not in naive
    assert naive["kindlehl:addedAt"] == at


def test_a_colour_that_readium_does_not_know_goes_under_our_own_name() -> None:
    """Readium's six are a closed set."""
    assert item(passage(book(), color="teal"))["body"]["kindlehl:color"] == "teal"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_comes_back(text: str) -> None:
    """Whatever Unicode holds, and always one item a line."""
    data = written(one(book(), passage(book(), text)))
    assert json.loads(data)["items"][0]["target"]["selector"][0]["exact"] == text
    assert data.count(b"\n") == 4


def test_items_and_facts_stream_in_blocks_of_their_own() -> None:
    """An item carries its passage's id; facts are asked for only after the last item."""
    shelf = shelves.sample()
    (document,) = JsonExporter().render(shelf)
    ids = [block.id for block in document.blocks]
    assert [ident for ident in ids if ident] == [known.id for passages in shelf.shelved.values() for known in passages]


def test_the_same_shelf_gives_the_same_bytes() -> None:
    """No time of day, no version and no random id is in it."""
    assert written(shelves.sample()) == written(shelves.sample())
