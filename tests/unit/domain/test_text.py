"""The pinned normaliser: replicas that normalise differently would fold differently."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kindlehl.domain.text import author_key, matching, searchable, title_key

GOLDEN: dict[str, list[list[Any]]] = json.loads(Path(__file__).with_name("golden_matching.json").read_text("utf-8"))
KEYS = {"matching": matching, "title_key": title_key, "author_key": author_key}

ODD = (
    "“”„«»’‘`´ʼ—–-\u00ad\u200b\u200d\u2060\ufeff\u034f\u0301\u0345\u0308"
    "ßẞİıſΣςǅﬃ½㏂ﾊﾞ\u1112\u1161\u11ab ᾳ\x1c\x85\u2028Aaé"
)
texts = st.one_of(st.text(), st.text(ODD), st.text(st.characters(blacklist_categories=["Cs"]), max_size=8))


@pytest.mark.parametrize(
    ("key", "text", "pinned"), [(key, text, pinned) for key, rows in GOLDEN.items() for text, pinned in rows]
)
def test_the_form_of_each_text_is_pinned(key: str, text: str, pinned: str) -> None:
    """Whatever changes one of these needs a new fold revision, since every replica has to change with it."""
    assert KEYS[key](text) == pinned


@given(texts)
@example("\u1fb3\u0301\u0345")
def test_a_matching_form_is_its_own_matching_form(text: str) -> None:
    """So that it does not matter how often a text was normalised on its way."""
    assert matching(matching(text)) == matching(text)


@given(texts, texts)
def test_a_part_between_spaces_stays_a_part(one: str, other: str) -> None:
    """Containment, by which forms of one passage are known, survives normalising."""
    assert matching(one) in matching(f"{one} {other}")
    assert matching(other) in matching(f"{one} {other}")


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_ascii_takes_a_short_cut_to_the_same_form(text: str) -> None:
    """An invisible character sends the same text down the long way."""
    assert matching(text) == matching(text + "\u200b")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Don't “panic” — now", 'don’t "panic" - NOW'),
        ("ﬁrst of\u00adfice", "first office"),
        ("nai\u0308ve  café", "naïve cafe\u0301"),
        ("ﾊﾞﾅﾅ　１２", "バナナ 12"),
        ("a\u2028b\u00a0c", "a b\nc"),
    ],
)
def test_typography_makes_no_difference(one: str, other: str) -> None:
    """Two exports of one passage differ in quotes, dashes, ligatures, spaces and composition."""
    assert matching(one) == matching(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("resume", "résumé"), ("schon", "schön"), ("か", "が"), ("1", "l"), ("ab", "a b"), ("a.", "a"), ("2–3", "23")],
)
def test_different_words_stay_different(one: str, other: str) -> None:
    """Diacritics, voicing marks, spaces and full stops tell words and passages apart."""
    assert matching(one) != matching(other)


@given(st.permutations(["Ursula", "K.", "Le", "Guin"]), st.sampled_from([" ", ", ", "; ", " & "]))
def test_the_order_of_an_authors_names_makes_no_difference(names: list[str], between: str) -> None:
    """Sources write "Le Guin, Ursula K." and "Ursula K. Le Guin"."""
    assert author_key(between.join(names)) == author_key("Le Guin, Ursula K.")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("C: The Complete Reference", "C++: The Complete Reference"),
        ("Programming C", "Programming C#"),
        ("दिन", "दीन"),
        ("ดี", "ดุ"),
        ("கதை", "கதி"),
    ],
)
def test_titles_of_different_books_have_different_keys(one: str, other: str) -> None:
    """Two books with one short title never collide: Schildt wrote one on C and one on C++."""
    assert title_key(one) != title_key(other)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("cafe", "Café"),
        ("ελλας", "Ελλάς"),
        ("елка", "Ёлка"),
        ("한국", "\u1112\u1161\u11ab국"),
        ("uber", "Über"),
        ("ＡＢ", "ab"),
    ],
)
def test_people_search_without_diacritics(words: str, text: str) -> None:
    """What is typed and what is stored meet in one form."""
    assert searchable(words) == searchable(text)
