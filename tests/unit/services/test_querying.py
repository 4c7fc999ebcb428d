"""The language of queries: what a reader types becomes a request, or a sentence that says what is meant instead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindlehl.domain.errors import UsageError
from kindlehl.ports import Filter, Query, Term, Words
from kindlehl.services.querying import KEYS, MOST, Request, read, typed


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("courage", Query((Words("courage"),))),
        ("  best   times ", Query((Words("best"), Words("times")))),
        ('"best of times" worst', Query((Words("best of times"), Words("worst")))),
        ("best -worst", Query((Words("best"),), (Words("worst"),))),
        ('best -"of times"', Query((Words("best"),), (Words("of times"),))),
        ("cour*", Query((Words("cour", prefix=True),))),
        ('"best of ti*"', Query((Words("best of ti", prefix=True),))),
        ('"never closed', Query((Words("never closed"),))),
        ("well-known", Query((Words("well-known"),))),
        ("- best", Query((Words("best"),))),
        ("best !? …", Query((Words("best"),))),
        ("don’t", Query((Words("don’t"),))),
        ("若水", Query((Words("若水"),))),
    ],
)
def test_what_a_reader_types_becomes_a_query(text: str, query: Query) -> None:
    """Words that all have to be there, "exact words", -without and begin*."""
    assert read(text).query == query


def words(text: str, *, prefix: bool = False, negated: bool = False) -> Term:
    return Term("words", Words(text, prefix), negated)


def terms(text: str) -> tuple[tuple[Term, ...], ...]:
    return read(text).filter.terms


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("author:le-guin", Term("author", "le-guin")),
        ('author:"le guin"', Term("author", "le guin")),
        ('author:"le guin', Term("author", "le guin")),
        ("AUTHOR:x", Term("author", "x")),
        ("book:walden", Term("title", "walden")),
        ("title:walden", Term("title", "walden")),
        ("-tag:craft", Term("tag", "craft", negated=True)),
        ("tag:#craft", Term("tag", "craft")),
        ("-Tag:📚", Term("tag", "📚", negated=True)),
        ('-tag:"two words"', Term("tag", "two words", negated=True)),
        ("colour:blue", Term("color", "blue")),
        ("since:2024", Term("since", "2024")),
        ("after:2024-02", Term("since", "2024-02")),
        ("before:2024-02-03", Term("until", "2024-02-03")),
        ('until:"2024-02-03 10:00"', Term("until", "2024-02-03T10:00")),
        ("on:2024-03", Term("on", "2024-03")),
        ("has:note", Term("has", "note")),
        ("has:tags", Term("has", "tag")),
        ("-has:colour", Term("has", "color", negated=True)),
        ("is:favourite", Term("has", "favorite")),
        ("is:conflict", Term("has", "conflict")),
        ("is:bookmark", Term("kind", "bookmark")),
        ("kind:clips", Term("kind", "clip")),
        ("chapter:one", Term("chapter", "one")),
        ("source:clippings", Term("source", "clippings")),
        ("id:C008B30D", Term("id", "c008b30d")),
        ("作者:x", None),
    ],
)
def test_a_key_and_its_value_are_one_condition(text: str, term: Term | None) -> None:
    """In capitals or not, quoted or not, under any of its names; a key in another script is text."""
    assert terms(text) == (((term,),) if term else ())


def test_words_may_be_asked_of_the_text_or_the_note_alone() -> None:
    """They go to the index like other words."""
    assert read('note:very -text:"so so" note:tr*').query == Query(
        (Words("very", part="note"), Words("tr", prefix=True, part="note")), (Words("so so", part="text"),)
    )


@pytest.mark.parametrize(
    "text", ["note: x", "12:30", "http://example.org", "std::move", "a:b", "x:", "author:", '"autor:x"']
)
def test_what_looks_like_text_is_words(text: str) -> None:
    """A colon alone makes no key."""
    request = read(text)
    assert request.filter == Filter()
    assert request.query is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("autor:x", "Did you mean author:?"),
        ("tga:x", "Did you mean tag:?"),
        ("has:nte", "Did you mean has:note?"),
        ("is:favrite", "Did you mean is:favorite?"),
        ("kind:quote", "kind:quote has no meaning"),
        ("since:tomorrow", "since:tomorrow is no day"),
        ("since:2024-02-30", "is no day"),
        ("id:xyz", "id:xyz is no id"),
        ("id:abc", "id:abc is no id"),
        ('author:""', "author: needs a word"),
        ("note:*", "note: needs a word"),
        ('tag:""', "tag: needs a word"),
        ("a " * 3 + " ".join(f"w{n}-" for n in range(MOST)), f"at most {MOST}"),
    ],
)
def test_what_cannot_be_meant_is_told_with_what_can(text: str, said: str) -> None:
    """A sentence, and a hint."""
    with pytest.raises(UsageError) as raised:
        read(text)
    assert said in raised.value.message
    assert raised.value.hint


def test_an_unknown_key_names_the_keys_there_are() -> None:
    """And how to look for the words themselves."""
    with pytest.raises(UsageError) as raised:
        read("foo:bar")
    assert all(f"{key}:" in (raised.value.hint or "") for key in KEYS)
    assert '"foo:bar"' in (raised.value.hint or "")
    assert "mean" not in raised.value.message


@pytest.mark.parametrize(
    ("text", "query", "groups"),
    [
        ("a OR b", Query((), (), ((Words("a"), Words("b")),)), ()),
        ("a OR b OR c d", Query((Words("d"),), (), ((Words("a"), Words("b"), Words("c")),)), ()),
        ("tag:x OR tag:y", None, ((Term("tag", "x"), Term("tag", "y")),)),
        ("a OR tag:y", None, ((words("a"), Term("tag", "y")),)),
        ("a OR -b", None, ((words("a"), words("b", negated=True)),)),
        ("OR a", Query((Words("OR"), Words("a"))), ()),
        ("a OR", Query((Words("a"), Words("OR"))), ()),
        ("a or b", Query((Words("a"), Words("or"), Words("b"))), ()),
        ('a "OR" b', Query((Words("a"), Words("OR"), Words("b"))), ()),
    ],
)
def test_or_stands_between_two_terms(text: str, query: Query | None, groups: tuple[tuple[Term, ...], ...]) -> None:
    """In capitals, between two terms; anywhere else it is a word."""
    request = read(text)
    assert (request.query, request.filter.terms) == (query, groups)


def test_without_a_word_to_find_what_is_unwanted_is_a_condition() -> None:
    """Everything but that."""
    assert read("-war") == Request("-war", None, Filter(terms=((words("war", negated=True),),)))
    assert read("peace -war").query == Query((Words("peace"),), (Words("war"),))


def test_nothing_typed_asks_for_all_but_what_says_nothing_is_refused() -> None:
    """So that `delete "…"` can never mean everything."""
    assert read("  ") == Request("  ", None, Filter())
    for text in ("-", "*", '""', "… !", '"?"', "____", "😀"):
        with pytest.raises(UsageError, match="no word"):
            read(text)


def test_a_kind_or_an_id_is_asked_for_among_all_kinds() -> None:
    """Bookmarks are shown to who asks for bookmarks; what is excluded widens nothing."""
    assert set(read("is:bookmark").filter.kinds) == set(read("id:abcd").filter.kinds) > {"highlight", "note"}
    assert read("-is:note").filter.kinds == Filter().kinds


def test_only_plain_words_may_give_way_to_others() -> None:
    """Neither quoted nor begun nor excluded nor of one part."""
    assert read('plain "quoted" begun* -excluded note:part more').replaceable == {"plain", "more"}


@given(st.text(max_size=30) | st.text(st.sampled_from('ab-":*# ORtag:is:note2024since:id:'), max_size=30))
def test_whatever_is_typed_is_a_request_or_a_sentence(text: str) -> None:
    """And a request is again what is asked for when it is typed twice."""
    try:
        request = read(text)
    except UsageError:
        return
    if "OR" not in text and '"' not in text:
        assert read(f"{text} {text}")[1:] == request[1:]


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (["best", "times"], "best times"),
        (["best of times"], '"best of times"'),
        (["-best of times"], '-"best of times"'),
        (["author:le guin", "x"], 'author:"le guin" x'),
        (["-Author:le guin"], '-Author:"le guin"'),
        (["tag:craft -war x"], "tag:craft -war x"),
        (["life tag:craft"], "life tag:craft"),
        (["a OR b"], "a OR b"),
        (["this or that"], '"this or that"'),
        (["note: x y"], '"note: x y"'),
        (['say "best of" it'], 'say "best of" it'),
    ],
)
def test_the_quotes_that_a_shell_takes_away_are_put_back(parts: list[str], text: str) -> None:
    """A part with a space in it is a value, words in a row, or a whole query in one piece."""
    assert typed(parts) == text
