"""Ids of facts: pinned for ever, since a changed id is a duplicated library."""

import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindlehl.domain.facts import book_atom, new_id, record_id, text_hash

from .makers import mark

NAMESPACE = uuid.UUID("7f1c2c0c-5f0d-5a3e-9a43-d9a9c3b1c0de")


@pytest.mark.parametrize(
    ("key", "pinned"),
    [
        (
            ("clippings", "Tale (Dickens, Charles)", "- Your Highlight on page 1", "It was the best of times"),
            "bb7b6329-72bd-5f5d-80af-8f16a76831b2",
        ),
        (("clippings",), "b680d18c-affd-5b25-b2db-5ec464759a4d"),
        (("",), "e9f03c26-7403-5346-bfff-fea8d37372da"),
        (("clippings", "草枕 (夏目 漱石)", "", "智に働けば角が立つ"), "e5dc4046-4df3-5bc4-b986-c4fe983b64d5"),
        (("a", "b", "c"), "e4252a71-8f25-5a32-9924-cf49e254d3e8"),
    ],
)
def test_the_id_of_a_record_is_pinned(key: tuple[str, ...], pinned: str) -> None:
    """Literal values: whoever changes the recipe gives every highlight of every reader a twin."""
    assert record_id(*key) == pinned


@pytest.mark.parametrize(
    ("raw_title", "pinned"),
    [
        ("Tale (Dickens, Charles)", "341a1188-32c9-52e7-9b66-af1e4cc88439"),
        ("Tale  (Dickens, Charles)", "b7a0fc81-461b-5c41-842e-a08183f6295d"),
        ("草枕 (夏目 漱石)", "f428ff21-aa8b-54df-bf57-efcf69ffe602"),
        ("", "00ec8b13-7211-5162-b646-6a7f3be161fe"),
    ],
)
def test_the_id_of_a_book_as_a_source_names_it_is_pinned(raw_title: str, pinned: str) -> None:
    """Of the raw title, to the letter: a second space is another atom, and the matcher joins the two."""
    assert book_atom(raw_title) == pinned


@given(st.lists(st.text(st.characters(blacklist_categories=["Cs", "Cc"])), min_size=1, max_size=4))
def test_a_record_id_is_a_standard_uuid_of_version_5(key: list[str]) -> None:
    """Anybody's library computes the same from our namespace and the parts joined by U+001F."""
    assert record_id(*key) == str(uuid.uuid5(NAMESPACE, "\x1f".join(key)))


def test_a_text_that_utf_8_cannot_hold_has_an_id_too() -> None:
    """A lone surrogate in a file is no reason to lose a record."""
    assert uuid.UUID(record_id("x", "\ud800")).version == 5


def test_the_hash_of_an_erased_text_is_pinned() -> None:
    """A skeleton from another device is recognised by it."""
    assert text_hash("it was the best of times") == "e1d5e6d4c1b2f162"


@given(st.integers(0, (1 << 48) - 1), st.binary(min_size=10, max_size=10))
def test_a_new_id_is_a_uuid_of_version_7_that_tells_its_millisecond(now: int, entropy: bytes) -> None:
    """RFC 9562: 48 bits of Unix time, version and variant in their places, 74 bits of chance."""
    made = uuid.UUID(new_id(now, entropy))
    assert (made.version, made.variant, made.int >> 80) == (7, uuid.RFC_4122, now)
    assert str(made) == new_id(now, entropy)
    kept = (1 << 76) - 1 - (3 << 62)  # what version and variant leave of 80 bits
    assert made.int & kept == int.from_bytes(entropy, "big") & kept


@given(st.integers(0, (1 << 48) - 2), st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_new_ids_sort_by_the_millisecond_they_were_made(now: int, one: bytes, other: bytes) -> None:
    """As text, as everything compares them."""
    assert new_id(now, one) < new_id(now + 1, other)


def test_a_thousand_new_ids_are_a_thousand() -> None:
    """In the same millisecond too."""
    assert len({new_id(0) for _ in range(1000)}) == 1000


def test_the_line_of_a_record_is_no_part_of_the_fact() -> None:
    """The same record found elsewhere in a file is the same record."""
    one = mark(1, 1, 2, "x")
    assert replace(one, line=7) == one
    assert hash(replace(one, line=7)) == hash(one)


def test_a_record_names_its_book_by_its_raw_title_and_an_erased_one_by_what_it_kept() -> None:
    """An erasure forgets the title and keeps the book."""
    one = mark(1, 1, 2, "x")
    assert one.atom == book_atom("Tale")
    assert replace(one, raw_title="", book=one.atom, erased=True).atom == book_atom("Tale")


def test_a_separator_inside_a_part_makes_another_key() -> None:
    """Parts that would run into one another are told apart."""
    keys = [("a\x1fb", "c"), ("a", "b\x1fc"), ("a", "b", "c"), ("a\x1e1b", "c"), ("a\x1f", "b"), ("a", "\x1fb")]
    assert len({record_id(*key) for key in keys}) == len(keys)
