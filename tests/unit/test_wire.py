"""How facts look on the wire: nothing is lost on the way, and of two states of one id one always wins."""

import json
from contextlib import suppress
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindlehl import wire
from kindlehl.domain.clock import LIMIT
from kindlehl.domain.facts import KINDS, Edit, Fact, Import, Record, new_id

texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
ids = st.integers(0, 9).map(lambda n: new_id(1_700_000_000_000 + n, bytes(9) + bytes([n])))
maybe = st.one_of(st.none(), texts)
numbers = st.integers(0, (1 << 53) - 1)
records = st.builds(
    Record, id=ids, kind=st.sampled_from(KINDS), raw_title=texts, title=texts, author=maybe, text=texts,
    location_start=st.one_of(st.none(), numbers), location_end=st.one_of(st.none(), numbers), page=maybe, chapter=maybe,
    color=maybe, at=maybe, offset=maybe, truncated=st.booleans(), reason=maybe, revision=numbers, certainty=numbers,
    erased=st.booleans(), text_hash=maybe, book=st.one_of(st.none(), ids),
)  # fmt: skip
imports = st.builds(Import, ids, texts, texts, ids, st.lists(ids, max_size=3).map(tuple))
edits = st.builds(
    Edit, ids, ids, texts, st.one_of(st.none(), st.booleans(), st.integers(-(1 << 53), 1 << 53), texts),
    st.lists(ids, max_size=3).map(tuple), st.integers(0, LIMIT - 1), texts, texts, ids,
    st.lists(ids, max_size=2).map(tuple), st.lists(ids, max_size=2).map(tuple),
    st.dictionaries(texts, texts, max_size=2), st.booleans(),
)  # fmt: skip
facts = st.one_of(records, imports, edits)
ID = new_id(0, b"\xab" * 10)
RECORD = {"type": "record", "id": ID, "kind": "highlight", "raw_title": "T", "title": "T"}
EDIT = {
    "type": "edit",
    "id": ID,
    "target": ID,
    "field": "note",
    "value": "n",
    "hlc": 1,
    "at": "",
    "device": "d",
    "op": ID,
}


def body(fact: dict[str, Any], **more: Any) -> str:
    return json.dumps({**fact, **more})


@given(facts)
def test_a_fact_comes_back_as_it_went(fact: Fact) -> None:
    """Every field of every type, as one line of JSON that any program can read."""
    raw = wire.encode(fact)
    assert wire.decode(raw) == wire.decode(raw.encode()) == fact
    assert json.loads(raw)["id"] == wire.header(raw).id == fact.id
    assert "\n" not in raw
    assert wire.encode(wire.decode(raw)) == raw


@given(records)
def test_the_line_of_a_record_does_not_travel(record: Record) -> None:
    """It is no part of the fact: two devices that found it at different lines hold the same body."""
    assert wire.encode(replace(record, line=99)) == wire.encode(record)


@pytest.mark.parametrize(
    "fact", [Record(ID, "highlight", "T", "T"), Import(ID, "", "", ID, ()), Edit(ID, "", "", 0, (), 0, "", "", "")]
)
def test_every_field_of_a_fact_travels(fact: Fact) -> None:
    """A field that is added to a fact and forgotten here is found by this test."""
    structs = {Record: wire.RecordBody, Import: wire.ImportBody, Edit: wire.EditBody}
    assert set(fact.__dataclass_fields__) - {"line"} == set(structs[type(fact)].__struct_fields__)


states = st.builds(
    lambda erased, revision, certainty, text: body(
        RECORD, erased=erased, revision=revision, certainty=certainty, text=text
    ),
    st.booleans(), st.integers(0, 2), st.integers(0, 2), st.sampled_from("abc"),
)  # fmt: skip


@given(st.lists(states, min_size=3, max_size=3))
def test_the_states_of_one_id_are_totally_ordered(bodies: list[str]) -> None:
    """Antisymmetric, transitive, and different bodies are never equal: every replica keeps the same one."""
    a, b, c = map(wire.rank, bodies)
    assert (a == b) == (bodies[0] == bodies[1])
    assert (a < b) + (b < a) + (a == b) == 1
    assert a <= c if a <= b <= c else True
    kept = {max(order, key=wire.rank) for order in permutations(bodies)}
    assert len(kept) == 1


def test_erased_is_above_any_revision_and_revision_above_any_certainty() -> None:
    """In this order."""
    ranks = [
        wire.rank(body(RECORD)),
        wire.rank(body(RECORD, certainty=1)),
        wire.rank(body(RECORD, revision=1)),
        wire.rank(body(RECORD, revision=1, certainty=1)),
        wire.rank(body(RECORD, revision=2)),
        wire.rank(body(RECORD, erased=True)),
        wire.rank(body(RECORD, erased=True, revision=1)),
    ]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


def test_the_rank_of_a_text_and_of_its_bytes_is_the_same() -> None:
    """Whatever it came as."""
    assert wire.rank(body(RECORD, text="é")) == wire.rank(body(RECORD, text="é").encode())


def test_a_type_that_is_not_known_yet_has_a_header_and_a_rank_and_no_fact() -> None:
    """It is kept as it is until a version comes that knows it."""
    star = body({"type": "star", "id": ID, "points": [1, {"a": 2}]})
    assert wire.decode(star) is None
    assert wire.header(star).type == "star"
    assert wire.rank(star) < wire.rank(body({"type": "star", "id": ID, "revision": 1}))


@pytest.mark.parametrize(
    "fact", [RECORD, EDIT, {"type": "import", "id": ID, "source": "", "at": "", "op": ID, "records": []}]
)
def test_a_field_that_is_not_known_yet_does_no_harm(fact: dict[str, Any]) -> None:
    """The fact is read; its raw body still has the field."""
    assert wire.decode(body(fact, mood={"blue": [1]})) == wire.decode(body(fact))


@pytest.mark.parametrize(
    "newer",
    [
        body(RECORD, kind="drawing"), body(EDIT, value=["a", "b"]), body(EDIT, value=0.5),
        body(RECORD, location_start=-1), body(RECORD, location_start=1 << 53), body(RECORD, location_start=1.5),
        body(RECORD, text=None), body(RECORD, text=1), body(RECORD, truncated="yes"), body(RECORD, revision=-1),
        body(EDIT, hlc=LIMIT), body(EDIT, hlc=-1), body(EDIT, seen="x"), body(EDIT, mark={"k": 1}),
        body({"type": "edit", "id": ID}), body({"type": "import", "id": ID}),
    ],
)  # fmt: skip
def test_what_a_newer_version_says_in_a_known_type_is_kept_untouched(newer: str) -> None:
    """Unknown kinds travel and are stored (sync.md, Transport)."""
    assert wire.decode(newer) is None


@pytest.mark.parametrize(
    "raw",
    [
        "", "null", "[]", "{", "{}", '"record"', body({"type": "record"}), body({"id": ID}), body(RECORD, type=1),
        body(RECORD, id="x"), body(RECORD, id=ID.upper()), body(RECORD, id=ID[:-1]), body(RECORD, id=None),
        RECORD["id"], "\ufeff" + body(RECORD),
    ],
)  # fmt: skip
def test_what_is_no_fact_is_refused(raw: str) -> None:
    """With one kind of error, before anything is stored."""
    with pytest.raises(wire.Malformed):
        wire.decode(raw)


def test_an_id_is_nothing_but_an_id() -> None:
    """It is compared, indexed and printed as text."""
    with pytest.raises(wire.Malformed):
        wire.header(body(RECORD, id=ID + "\n"))


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    """As they may come over a socket; msgspec leaves those inside a text to Python's own error."""
    with pytest.raises((wire.Malformed, UnicodeDecodeError)):
        wire.decode(b'{"type":"record","id":"' + ID.encode() + b'","kind":"highlight","text":"\xff"}')


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), texts),
        lambda x: st.lists(x) | st.dictionaries(texts, x),
        max_leaves=8,
    )
)
def test_any_json_is_a_fact_unknown_or_refused(value: Any) -> None:
    """Nothing else ever comes out of it."""
    with suppress(wire.Malformed):
        assert wire.decode(json.dumps(value)) is None


def test_plain_values_are_written_as_json() -> None:
    """For what the command line prints."""
    assert json.loads(wire.dumps({"a": [1, None, "é"]})) == {"a": [1, None, "é"]}
