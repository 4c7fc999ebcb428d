"""Which titles are one book: the matcher, the reader's joins and partings, and that their order never matters."""

import random as randoms
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindlehl.domain.books import Atom, group, match_key, named, shown_title
from kindlehl.domain.facts import Edit

from .makers import edit, made

A, B, C, D = (made(n) for n in range(1, 5))


def atoms(**titles: str) -> dict[str, Atom]:
    """Atoms A, B, C, D with these titles."""
    ids = {"a": A, "b": B, "c": C, "d": D}
    return {ids[name]: Atom(1, title, "", title) for name, title in titles.items()}


DIFFERENT = atoms(a="One", b="Two", c="Three", d="Four")


def together(groups: dict[str, str]) -> set[frozenset[str]]:
    """The sets of atoms that are one book."""
    return {frozenset(a for a in groups if groups[a] == book) for book in groups.values()}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Tale", "Dickens, Charles"), ("TALE", "Charles Dickens")),
        (("The Hobbit, or There", "Tolkien"), ("The Hobbit; or, There", "Tolkien")),
        (("Don’t", None), ("Don't", "")),
    ],
)
def test_titles_that_differ_in_typography_match(one: tuple[str, str | None], other: tuple[str, str | None]) -> None:
    """Case, punctuation and the order of a name are no difference."""
    assert match_key(*one) == match_key(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [(("Tale", "Dickens"), ("Tale", "Smith")), (("Tale", None), ("Tale", "Smith")), (("Tale", "X"), ("Tale II", "X"))],
)
def test_another_author_or_title_is_another_book(one: tuple[str, str | None], other: tuple[str, str | None]) -> None:
    """Two books with one short title never collide."""
    assert match_key(*one) != match_key(*other)


def test_a_book_is_called_after_the_least_of_its_atoms() -> None:
    """So that every replica names it alike."""
    assert group(atoms(a="Tale", b="Other", c="tale")) == {A: A, B: B, C: A}


def test_the_reader_joins_what_the_matcher_keeps_apart() -> None:
    """`same`, whichever of the two it was said of."""
    assert together(group(DIFFERENT, [edit(1, D, "same", B)])) == {frozenset({A}), frozenset({B, D}), frozenset({C})}


def test_the_reader_parts_what_the_matcher_would_join() -> None:
    """A wrong match is parted with one command and stays parted."""
    assert together(group(atoms(a="Tale", b="tale"), [edit(1, B, "not-same", A)])) == {frozenset({A}), frozenset({B})}


@pytest.mark.parametrize(("last", "books"), [("same", 1), ("not-same", 2)])
def test_of_two_edits_that_contradict_each_other_the_newest_counts(last: str, books: int) -> None:
    """Whatever order they come in."""
    first = "not-same" if last == "same" else "same"
    edits = [edit(1, A, first, B), edit(2, B, last, A)]
    for order in (edits, edits[::-1]):
        assert len(together(group(atoms(a="One", b="Two"), order))) == books


def test_an_older_join_that_would_bring_parted_books_together_is_not_kept() -> None:
    """A = B and B = C cannot both stand beside a newer A ≠ C; the newer of the two joins does."""
    edits = [edit(1, A, "same", B), edit(2, B, "same", C), edit(3, A, "not-same", C)]
    assert together(group(DIFFERENT, edits)) == {frozenset({A}), frozenset({B, C}), frozenset({D})}


def test_an_older_parting_inside_a_newer_join_is_not_kept() -> None:
    """A ≠ C was said before A = B and B = C."""
    edits = [edit(1, A, "not-same", C), edit(2, A, "same", B), edit(3, B, "same", C)]
    assert together(group(DIFFERENT, edits)) == {frozenset({A, B, C}), frozenset({D})}


def test_the_matcher_never_joins_through_what_the_reader_parted() -> None:
    """A, B and C have one title, A and C are parted: B goes with one of them, not with both."""
    found = group(atoms(a="Tale", b="tale", c="TALE"), [edit(1, A, "not-same", C)])
    assert found[A] != found[C]
    assert found[B] == A


@pytest.mark.parametrize(
    "odd",
    [
        edit(1, A, "same", None),
        edit(1, A, "same", True),
        edit(1, A, "same", made(99)),
        edit(1, made(99), "same", A),
        edit(1, A, "same", A),
        edit(1, A, "not-same", A),
        edit(1, A, "same", B, erased=True),
        edit(1, A, "title", B),
    ],
)
def test_an_edit_that_says_nothing_about_two_books_that_are_here_changes_nothing(odd: Edit) -> None:
    """Sync may bring anything, in any order."""
    assert group(DIFFERENT, [odd]) == {atom: atom for atom in DIFFERENT}


joins = st.lists(
    st.tuples(
        st.sampled_from("abcdef"), st.sampled_from(["same", "not-same"]), st.sampled_from("abcdef"), st.integers(0, 5)
    ),
    max_size=10,
)
titles = st.lists(st.sampled_from(["Tale", "TALE", "Other", "other", "Third"]), min_size=2, max_size=6)


@given(titles, joins, st.randoms(use_true_random=False))
def test_neither_the_order_of_atoms_nor_of_edits_shows(
    names: list[str], said: list[tuple[str, str, str, int]], random: randoms.Random
) -> None:
    """Newest (HLC, id) first is an order of its own."""
    held = {made(n): Atom(1, name, "", name) for n, name in enumerate(names)}
    edits = [
        edit(n, made("abcdef".index(a)), field, made("abcdef".index(b)), hlc=hlc)
        for n, (a, field, b, hlc) in enumerate(said)
    ]
    expected = group(held, edits)
    items = list(held.items())
    random.shuffle(items)
    random.shuffle(edits)
    assert group(dict(items), edits) == expected
    assert all(expected[book] == book <= atom for atom, book in expected.items())


@given(titles, joins)
def test_each_edit_is_kept_unless_it_contradicts_newer_ones(
    names: list[str], said: list[tuple[str, str, str, int]]
) -> None:
    """Against the rule as it is written: newest first, never a set of statements that no books could satisfy."""
    held = {made(n): Atom(1, name, "", name) for n, name in enumerate(names)}
    edits = [
        edit(n, made("abcdef".index(a)), field, made("abcdef".index(b))) for n, (a, field, b, _) in enumerate(said)
    ]
    kept: list[tuple[str, str, str]] = []
    for e in sorted(edits, key=lambda e: e.hlc, reverse=True):
        statement = (e.field, e.target, str(e.value))
        if e.target in held and e.value in held and satisfiable(list(held), [*kept, statement]):
            kept.append(statement)
    found = group(held, edits)
    books = together(found)
    # What the reader said stands; the matcher goes no further than it may, and as far as it can.
    assert all(any(said_ <= book for book in books) for said_ in classes(list(held), kept))
    assert not any(field == "not-same" and found[one] == found[other] for field, one, other in kept)
    for one, other in combinations(sorted(held), 2):
        if match_key(held[one].title, "") == match_key(held[other].title, "") and found[one] != found[other]:
            both = {atom for atom in found if found[atom] in (found[one], found[other])}
            assert any(field == "not-same" and {x, y} <= both for field, x, y in kept)


def test_the_matchers_pairs_are_taken_in_the_order_of_their_ids() -> None:
    """B with D before C with E, where the two would contradict each other: D and E are joined, B and C parted."""
    held = {made(n): Atom(1, title, "", title) for n, title in enumerate(["Tale", "Other", "Tale", "Other", "Tale"])}
    edits = [
        edit(1, made(4), "same", made(3)),
        edit(2, made(1), "not-same", made(2)),
        edit(3, made(0), "not-same", made(2)),
        edit(4, made(0), "not-same", made(4)),
    ]
    assert together(group(held, edits)) == {frozenset({made(0)}), frozenset({made(2)}), frozenset(map(made, (1, 3, 4)))}


def classes(ids: list[str], kept: list[tuple[str, str, str]]) -> set[frozenset[str]]:
    """The smallest sets that all of the joins ask for."""
    sets = {id_: {id_} for id_ in ids}
    for field, one, other in kept:
        if field == "same":
            joined = sets[one] | sets[other]
            sets.update(dict.fromkeys(joined, joined))
    return {frozenset(members) for members in sets.values()}


def satisfiable(ids: list[str], kept: list[tuple[str, str, str]]) -> bool:
    """Whether no two atoms are both joined and parted."""
    sets = classes(ids, kept)
    return not any(field == "not-same" and any({one, other} <= s for s in sets) for field, one, other in kept)


def test_the_best_read_title_is_shown_and_one_with_an_author_first() -> None:
    """Of several names of a book nobody renamed."""
    assert shown_title([Atom(1, "Tale", "Dickens", "x"), Atom(2, "The Tale", "", "y")]) == ("The Tale", None)
    assert shown_title([Atom(1, "Tale", "Dickens", "x"), Atom(1, "The Tale", "", "y")]) == ("Tale", "Dickens")


def test_a_book_that_no_source_names_is_untitled_until_the_reader_names_it() -> None:
    """As where its title is erased: a heading without a word would tell nobody what it is."""
    assert named(("", None), {}) == ("Untitled", None)
    assert named(("", None), {"title": [edit(1, A, "title", "Tale")]}) == ("Tale", None)
