"""What helps where nothing is found, or nothing is asked for: corrections, explanations, lots, saved searches."""

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import ClassVar

import pytest
from support.histories import edit, import_of, record

from kindlehl.domain.errors import NotFoundError, UsageError
from kindlehl.domain.facts import Fact
from kindlehl.ports import Filter, Library
from kindlehl.services import finding, saved
from kindlehl.services.drawing import draw
from kindlehl.services.explaining import EMPTY, why_nothing
from kindlehl.services.querying import read
from kindlehl.store.library import empty_library
from kindlehl.store.memory import MemoryLibrary

TEXTS = ("I wished to live deliberately", "a quiet desperation", "quite liberal", "智に働けば角が立つ", "the café")


@pytest.fixture(params=[empty_library, MemoryLibrary])
def bare(request: pytest.FixtureRequest) -> Iterator[Library]:
    """Both stores, empty."""
    lib = request.param()
    yield lib
    lib.close()


def keep(library: Library, *facts: Fact) -> None:
    with library.transaction():
        library.facts.add(facts)
        library.shelf.settle()


@pytest.fixture
def library(bare: Library) -> Library:
    """Five highlights of two books, one tagged."""
    rows = [
        record("highlight", "Walden (Thoreau, Henry David)" if n < 4 else "Other", text, 10 * n, 0, n, False)
        for n, text in enumerate(TEXTS)
    ]
    keep(bare, *rows, import_of(1, "clippings", rows), edit(2, rows[0].id, "tag:craft", True))
    return bare


class TestCorrecting:
    """Nothing found: the nearest words."""

    @pytest.mark.parametrize(
        ("typed", "corrected"),
        [
            ("delibrately", {"delibrately": "deliberately"}),
            ("Delibrately", {"Delibrately": "deliberately"}),
            ("eliberately", {"eliberately": "deliberately"}),
            ("live delibrately", {"delibrately": "deliberately"}),
            ("deliberatley OR xylophone", {}),
            ("quiett", {"quiett": "quiet"}),
            ("caffé", {"caffé": "cafe"}),
            ("deliberately", {}),
            ("lvie", {"lvie": "live"}),
            ("lve", {}),
            ("livexx", {"livexx": "live"}),
            ("lixx", {}),
            ('"delibrately"', {}),
            ("delibrat*", {}),
            ("live -delibrately", {}),
            ("delibrately xylophone", {}),
            ("delibrately tag:none", {}),
            ("delibrately desperation", {}),
            ("智に働けば立", {}),
        ],
    )
    def test_words_that_are_not_there_give_way_to_the_nearest(
        self, library: Library, typed: str, corrected: dict[str, str]
    ) -> None:
        """One slip in four letters, two from six on; never short, quoted, begun or excluded ones, and never to no
        avail."""
        found = finding.search(library, read(typed))
        assert found.corrected == corrected
        assert bool(found.hits) == (bool(corrected) or typed in ("deliberately", "live -delibrately"))

    def test_of_two_words_as_near_the_more_frequent_is_taken(self, library: Library) -> None:
        """`quiet` and `quite` are both one slip from `quiee`."""
        more = [record("highlight", "Third", f"quite {n}", 10 * n, 0, n, False) for n in range(3)]
        keep(library, *more, import_of(5, "clippings", more))
        assert finding.search(library, read("quiee")).corrected == {"quiee": "quite"}

    def test_what_has_to_be_exact_is_not_corrected(self, library: Library) -> None:
        """For who asks for it."""
        assert finding.search(library, read("delibrately"), exact=True) == ([], {})

    def test_what_was_found_instead_is_marked(self, library: Library) -> None:
        """The word that stands there."""
        (hit,) = finding.search(library, read("delibrately")).hits
        assert [hit.snippet[a:b] for a, b in hit.marks] == ["deliberately"]


class TestExplaining:
    """Why nothing was found."""

    @pytest.mark.parametrize(
        ("typed", "reason"),
        [
            ("walden", "No highlight has these words; the title of 1 book has: try title:walden"),
            ("Henry thoreau", "No highlight has these words; the author of 1 book has: try author:henry-thoreau"),
            ("xylophone", "No highlight has these words."),
            ("au", "No highlight has these words."),
            ("title:waldn", "No title has “waldn”. Did you mean title:walden?"),
            ("author:thoreu live", "No author has “thoreu”. Did you mean author:thoreau?"),
            ("tag:carft", "There is no tag “carft”. Did you mean tag:craft?"),
            ("tag:zzz", "There is no tag “zzz”."),
            (
                'author:"Thoreau live"',
                "No author has “Thoreau live”. For other words beside it, leave the quotes out: author:Thoreau live",
            ),
            ("color:blue", "Nothing matches."),
            ("-tag:zzz since:2030", "Nothing matches."),
            ("note:walden", "No highlight has these words."),
        ],
    )
    def test_the_sentence_leads_on(self, library: Library, typed: str, reason: str) -> None:
        """To a name that is there, or to where the words stand."""
        request = read(typed)
        assert list(finding.find(library, request)) == []
        assert why_nothing(library, request.whole) == reason

    def test_an_empty_library_is_told_first(self, bare: Library) -> None:
        """Whatever was asked for."""
        assert why_nothing(bare, read("tag:x y").whole) == EMPTY


class TestDrawing:
    """Highlights by lot."""

    def test_each_highlight_has_the_same_chance(self, library: Library) -> None:
        """Whatever book it is in: of 2,000 draws of five, each is drawn about 400 times."""
        counts = Counter(h.id for n in range(2_000) for h in draw(library, Filter(), 1, Random(n)))
        assert len(counts) == 5
        assert all(320 < count < 480 for count in counts.values())

    def test_by_book_each_book_has_the_same_chance(self, library: Library) -> None:
        """Four highlights in one, one in the other."""
        drawn = [draw(library, Filter(), 1, Random(n), per_book=True) for n in range(1_000)]
        counts = Counter(h.title for (h,) in drawn)
        assert all(430 < count < 570 for count in counts.values())
        inside = Counter(h.id for (h,) in drawn if h.title == "Walden")
        assert len(inside) == 4
        assert all(80 < count < 170 for count in inside.values())

    @pytest.mark.parametrize("per_book", [False, True])
    def test_what_is_drawn_is_different_and_meant(self, library: Library, per_book: bool) -> None:
        """As many as there are, at most."""
        drawn = draw(library, read("title:walden").whole, 9, Random(1), per_book=per_book)
        assert len({h.id for h in drawn}) == len(drawn) == (1 if per_book else 4)
        assert {h.title for h in drawn} == {"Walden"}
        assert draw(library, read("xylophone").whole, 9, Random(1), per_book=per_book) == []

    def test_the_same_seed_draws_the_same(self, library: Library) -> None:
        """And another one something else, now and then."""
        once, twice = (draw(library, Filter(), 3, Random("a")) for _ in range(2))
        assert once == twice
        assert any(draw(library, Filter(), 3, Random(n)) != once for n in range(5))


class TestSaved:
    """Queries with a name."""

    HELD: ClassVar[dict[str, object]] = {"craft": "tag:craft live OR die", "odd": 3}

    def test_a_name_stands_for_its_query_and_more_can_be_added(self) -> None:
        """Quotes are put back into the rest."""
        assert saved.expanded(["@craft", "two words"], self.HELD) == 'tag:craft live OR die "two words"'
        assert saved.expanded(["@", "a@b", "@a.b"], self.HELD) == "@ a@b @a.b"

    def test_a_name_that_is_not_there_is_told_with_the_nearest(self) -> None:
        """Or with how to save one."""
        with pytest.raises(NotFoundError, match="Did you mean @craft"):
            saved.expanded(["@carft"], self.HELD)
        with pytest.raises(NotFoundError) as raised:
            saved.expanded(["@x"], {})
        assert "--save" in (raised.value.hint or "")

    def test_or_does_not_reach_into_a_saved_query(self) -> None:
        """It would join but its last term."""
        for parts in (["@craft", "OR", "x"], ["x", "OR", "@craft"]):
            with pytest.raises(UsageError, match="OR cannot stand beside @craft"):
                saved.expanded(parts, self.HELD)

    def test_what_is_saved_must_be_a_query_under_a_name_that_can_be_typed(self) -> None:
        """Otherwise it would fail when it is used."""
        saved.checked("to-reread_2", "tag:x")
        for name, query in (("a.b", "x"), ("", "x"), ("a b", "x"), ("a", " "), ("a", "autor:x"), ("a", "!")):
            with pytest.raises(UsageError):
                saved.checked(name, query)
        with pytest.raises(UsageError, match="odd is no text"):
            saved.expanded(["@odd"], self.HELD)
