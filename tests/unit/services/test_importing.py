"""Importing: an account of every record, effects as the reader sees them, and all of it or nothing."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import histories
from support.histories import deletion, edit, import_of, picture, record

from kindlehl.domain.contract import Bundle
from kindlehl.domain.erasure import skeleton
from kindlehl.domain.errors import SourceError
from kindlehl.domain.facts import IMPORT_LIMIT, KINDS, Edit, Fact, Import, Record
from kindlehl.ports import Filter, Library
from kindlehl.services import importing
from kindlehl.services.importing import LISTED, Outcome, import_sources
from kindlehl.services.sources import opened
from kindlehl.store.library import empty_library
from kindlehl.store.memory import MemoryLibrary

TALE = "Tale (Dickens, Charles)"
BEST = record("highlight", TALE, "It was the best of times", 5, 1, 1, False)
LONG = record("highlight", TALE, "It was the best of times, it was the worst of times", 5, 2, 2, False)
WORST = record("highlight", TALE, "it was the worst of times", 6, 1, 3, False)
AGAIN = record("highlight", TALE, "It was the best of times", 5, 1, 4, False)
WISE = record("highlight", TALE, "the age of wisdom", 20, 1, 4, False)
NOTE = record("note", TALE, "so true", 6, 0, 5, False)
BARE = record("note", TALE, "hm", 40, 0, 5, False)


class Made:
    """An importer whose source is a list."""

    name = "clippings"
    revision = 1

    def __init__(self, records: Sequence[Record], warnings: Sequence[str] = (), fails: bool = False) -> None:
        self.records, self.warnings, self.fails = records, warnings, fails
        self.reads = 0

    def claims(self, bundle: Bundle) -> bool:
        """Everything."""
        return True

    def read(self, bundle: Bundle) -> Iterator[Record]:
        """What it was made with."""
        self.reads += 1
        bundle.warnings.extend(self.warnings)
        yield from self.records
        if self.fails:
            raise SourceError("It is gone.")


def bring(library: Library, *importers: Made, serial: str | None = None, **more: Any) -> Outcome:
    """Import the records of some made sources in one command."""
    with ExitStack() as stack:
        found = [
            stack.enter_context(opened(io.BytesIO(repr(i.records).encode()), "x.txt", "a place", [i], serial=serial))
            for i in importers
        ]
        return import_sources(library, found, now=lambda: datetime(2024, 3, 1, tzinfo=UTC), **more)


def keep(library: Library, *facts: Fact) -> None:
    with library.transaction():
        library.facts.add(facts)
        library.shelf.settle()


def texts(library: Library) -> list[str]:
    return [h.text or h.note or "" for h in library.shelf.highlights(Filter())]


def counts(outcome: Outcome) -> dict[str, int]:
    """The effects that are not zero."""
    return {name: n for name in outcome.effects.__slots__ if (n := getattr(outcome.effects, name))}


@pytest.fixture
def library() -> Iterator[Library]:
    """In memory, in SQLite: the memory store counts no effects."""
    lib = empty_library()
    yield lib
    lib.close()


KINDS_OF_RECORDS = st.builds(
    lambda n, kind, at: replace(
        BEST, id=histories.made_id(n), kind=kind, at=at, text=f"words {n}", location_start=n * 9
    ),
    st.integers(0, 9), st.sampled_from(KINDS), st.sampled_from([None, "2024-01-01T00:00:00", "1970-01-01T00:00:00"]),
)  # fmt: skip


class TestReport:
    """read = new + known = Σ kinds, always."""

    @given(
        st.lists(st.lists(KINDS_OF_RECORDS, max_size=8), min_size=1, max_size=3),
        st.sampled_from([empty_library, MemoryLibrary]),
    )
    def test_every_record_has_one_outcome_and_one_kind(
        self, files: list[list[Record]], make: Callable[[], Library]
    ) -> None:
        """Over several sources, with repetitions, on both stores; and a second time all are known."""
        library = make()
        outcome = bring(library, *map(Made, files))
        distinct = {r.id for rows in files for r in rows}
        for report, rows in zip(outcome.reports, files, strict=True):
            assert report.read == report.new + report.known == sum(report.kinds.values()) == len(rows)
            assert report.kinds == {kind: sum(r.kind == kind for r in rows) for kind in KINDS}
            assert report.new_unreadable == sum(u.new for u in report.unreadable)
        assert outcome.total("new") == len(distinct)
        assert outcome.kinds == {kind: sum(r.kind == kind for rows in files for r in rows) for kind in KINDS}
        before, seen = list(library.facts.bodies()), picture(library)
        again = bring(library, *(Made([*rows, *rows]) for rows in files))
        assert (again.total("new"), again.total("known")) == (0, again.total("read"))
        assert (list(library.facts.bodies()), picture(library)) == (before, seen)
        library.close()

    def test_an_import_writes_records_and_one_import_fact_and_never_an_edit(self, library: Library) -> None:
        """So nothing that the reader edited can be overwritten."""
        bring(library, Made([BEST, WORST, BEST]))
        bodies = [b.split('"', 4)[3] for b in library.facts.bodies()]
        assert sorted(bodies) == ["import", "record", "record"]

    def test_a_long_import_is_several_facts_of_one_op(self, library: Library) -> None:
        """At most 4,000 records a fact."""
        rows = [replace(BEST, id=histories.made_id(n), location_start=n * 9) for n in range(IMPORT_LIMIT + 5)]
        outcome = bring(library, Made(rows))
        assert (outcome.total("new"), counts(outcome)["books"]) == (len(rows), 1)
        listed = [f for f in map(decoded, library.facts.bodies()) if isinstance(f, Import)]
        assert sorted(len(f.records) for f in listed) == [5, IMPORT_LIMIT]
        assert len({f.op for f in listed}) == 1

    def test_a_withdrawn_record_counts_as_new_again(self, library: Library) -> None:
        """Undo, then importing the same file: a new wish, and a new import."""
        bring(library, Made([BEST, WORST]))
        (made,) = (f for f in map(decoded, library.facts.bodies()) if isinstance(f, Import))
        keep(library, edit(50, made.id, "withdrawn", True))
        assert texts(library) == []
        again = bring(library, Made([BEST, WORST]))
        assert (again.total("new"), again.total("known")) == (2, 0)
        assert texts(library) == [BEST.text, WORST.text]

    def test_an_erased_record_counts_as_known_and_stays_erased(self, library: Library) -> None:
        """The trash was emptied."""
        bring(library, Made([BEST]))
        keep(library, skeleton(BEST))
        again = bring(library, Made([BEST]))
        assert (again.total("new"), again.total("known"), counts(again)) == (0, 1, {})
        assert texts(library) == []

    def test_a_skeleton_that_no_import_lists_counts_as_known(self, library: Library) -> None:
        """It came from another device, where the trash was emptied and the import undone."""
        keep(library, skeleton(BEST))
        again = bring(library, Made([BEST, BEST]))
        assert (again.total("new"), again.total("known"), texts(library)) == (0, 2, [])
        assert len(list(library.facts.bodies())) == 1

    def test_the_same_record_on_a_second_device_is_known_and_listed_for_it_too(self, library: Library) -> None:
        """So that undoing the first import leaves what the other device imported."""
        bring(library, Made([BEST]), serial="G1")
        second = bring(library, Made([BEST]), serial="G2")
        assert (second.total("known"), second.reports[0].source) == (1, "clippings:G2")
        first = next(
            f for f in map(decoded, library.facts.bodies()) if isinstance(f, Import) and f.source.endswith("G1")
        )
        keep(library, edit(50, first.id, "withdrawn", True))
        assert texts(library) == [BEST.text]

    def test_unreadable_records_are_listed_with_their_line_and_reason(self, library: Library) -> None:
        """The first hundred; the rest are counted, and none is lost."""
        rows = [
            replace(BEST, id=histories.made_id(n), kind="unreadable", reason="no date", line=n)
            for n in range(LISTED + 3)
        ]
        report = bring(library, Made(rows)).reports[0]
        assert (len(report.unreadable), report.new_unreadable) == (LISTED, LISTED + 3)
        assert report.unreadable[7] == importing.Unreadable(7, "no date", True)
        assert report.as_dict()["unreadable"][7] == {"line": 7, "reason": "no date", "new": True}
        assert bring(library, Made(rows[:2])).reports[0].new_unreadable == 0

    def test_clocks_that_are_plainly_wrong_and_missing_dates_are_counted_once(self, library: Library) -> None:
        """Before the first Kindle, or in the future; only of new records, and missing dates only of what has words."""
        times = [
            "1970-01-01T00:00:00",
            "2006-12-31T23:59:59",
            "2007-01-01T00:00:00",
            "2024-03-02T23:00:00",
            "2024-03-04T00:00:00",
        ]
        rows = [
            replace(BEST, id=histories.made_id(n), location_start=n * 9, at=at) for n, at in enumerate([*times, None])
        ]
        rows.append(replace(rows[-1], id=histories.made_id(9), kind="bookmark"))
        first, again = bring(library, Made(rows)).reports[0], bring(library, Made(rows[::-1])).reports[0]
        assert (first.odd_clock, first.no_date) == (3, 1)
        assert (again.odd_clock, again.no_date) == (0, 0)

    def test_what_an_importer_warns_of_is_reported(self, library: Library) -> None:
        """Such as a guessed encoding."""
        assert bring(library, Made([BEST], ["The encoding was guessed."])).reports[0].warnings == [
            "The encoding was guessed."
        ]

    @pytest.mark.parametrize(
        "order",
        [
            1,
            -1,
        ],
    )
    def test_of_two_bodies_of_one_record_in_a_source_the_more_certain_is_kept(
        self, library: Library, order: int
    ) -> None:
        """Whichever comes last."""
        rows = [replace(BEST, certainty=1, text="certain"), replace(BEST, certainty=0, text="guessed")]
        bring(library, Made(rows[::order]))
        assert texts(library) == ["certain"]


def decoded(body: str) -> Fact | None:
    from kindlehl import wire

    return wire.decode(body)


class TestEffects:
    """What the reader sees change."""

    @pytest.mark.parametrize(
        ("before", "rows", "effects"),
        [
            ([], [BEST, WISE], {"highlights": 2, "books": 1}),
            ([], [BEST, LONG], {"highlights": 1, "resized": 1, "books": 1}),
            ([BEST], [LONG], {"resized": 1}),
            ([LONG], [BEST], {"resized": 1}),
            ([LONG], [AGAIN, WORST], {"resized": 1, "highlights": 1}),
            ([LONG], [BEST, WORST], {"resized": 2}),
            ([BEST], [NOTE], {"attached": 1}),
            ([NOTE], [BEST], {"highlights": 1}),
            ([], [BEST, NOTE, BARE], {"highlights": 1, "attached": 1, "bare": 1, "books": 1}),
            ([BEST], [BEST], {}),
            ([BEST], [record("highlight", "Other", "x", 1, 0, 1, False)], {"highlights": 1, "books": 1}),
            ([BEST], [record("highlight", "Tale  (Charles Dickens)", "x", 1, 0, 1, False)], {"highlights": 1}),
            ([], [record("limited", TALE, "", 1, 0, 1, False)], {}),
            ([], [record("bookmark", TALE, "", 1, 0, 1, False)], {"books": 1}),
        ],
    )
    def test_an_import_tells_what_it_did(
        self, library: Library, before: list[Record], rows: list[Record], effects: dict[str, int]
    ) -> None:
        """Added, resized, attached, bare, books: each record of a passage is told once."""
        bring(library, Made(before))
        assert counts(bring(library, Made(rows))) == effects

    def deleted(self, library: Library, *, upto: Record = BEST) -> Edit:
        """BEST was imported from a Kindle and deleted; the author's copy of that file went up to a record."""
        bring(library, Made([BEST]), serial="G1")
        made = deletion(60, library, BEST.id, [])
        made = replace(made, mark={"clippings:G1": upto.at or ""})
        keep(library, made)
        assert texts(library) == []
        return made

    def test_a_deleted_passage_stays_deleted_when_its_file_comes_again(self, library: Library) -> None:
        """All is known; nothing is even told."""
        self.deleted(library)
        again = bring(library, Made([BEST]), serial="G1")
        assert (again.total("new"), counts(again), texts(library)) == (0, {}, [])

    def test_an_older_form_of_a_deleted_passage_is_still_deleted(self, library: Library) -> None:
        """An earlier version of the file, on the same clock: it is counted, and told with the line that restores it."""
        self.deleted(library, upto=WORST)
        assert counts(bring(library, Made([LONG]), serial="G1")) == {"still_deleted": 1}
        assert texts(library) == []

    def test_another_device_that_imports_an_old_file_revives_nothing(self, library: Library) -> None:
        """However late its clock."""
        self.deleted(library)
        assert counts(bring(library, Made([LONG]), serial="G2")) == {"still_deleted": 1}

    def test_a_later_mark_on_the_same_source_revives(self, library: Library) -> None:
        """A deliberate re-highlight is a new wish."""
        self.deleted(library)
        assert counts(bring(library, Made([LONG]), serial="G1")) == {"resized": 1, "revived": 1}
        assert texts(library) == [LONG.text]

    def test_what_was_edited_survives_every_later_import(self, library: Library) -> None:
        """A rename, a colour, a text, a note."""
        bring(library, Made([BEST, NOTE]))
        keep(
            library,
            edit(50, BEST.atom, "title", "My Tale"),
            edit(51, BEST.id, "color", "blue"),
            edit(52, BEST.id, "text", "my words"),
            edit(53, BEST.id, "note", "mine", [NOTE.id]),
        )
        bring(library, Made([LONG, BEST, NOTE, WISE]))
        found = next(iter(library.shelf.highlights(Filter())))
        assert (found.title, found.color, found.text, found.note) == ("My Tale", "blue", "my words", "mine")


class TestWhole:
    """All of it, or nothing."""

    @pytest.mark.parametrize("make", [empty_library, MemoryLibrary])
    def test_a_dry_run_counts_the_same_and_leaves_no_trace(self, make: Callable[[], Library]) -> None:
        """No fact, no memo, no effect on the import that follows."""
        library = make()
        bring(library, Made([BEST]))
        before = list(library.facts.bodies()), picture(library)
        dry = bring(library, Made([BEST, LONG, NOTE]), Made([WISE]), dry_run=True)
        assert (list(library.facts.bodies()), picture(library)) == before
        wet = bring(library, Made([BEST, LONG, NOTE]), Made([WISE]))
        assert [r.as_dict() for r in wet.reports] == [r.as_dict() for r in dry.reports]
        assert wet.effects == dry.effects
        library.close()

    @pytest.mark.parametrize("make", [empty_library, MemoryLibrary])
    def test_a_source_that_fails_half_way_leaves_the_library_as_before(self, make: Callable[[], Library]) -> None:
        """And the source before it in the same command too; the next import works."""
        library = make()
        bring(library, Made([BEST]))
        before = list(library.facts.bodies()), picture(library)
        many = [replace(WISE, id=histories.made_id(n), location_start=n * 9) for n in range(IMPORT_LIMIT + 1)]
        with pytest.raises(SourceError):
            bring(library, Made([NOTE]), Made(many, fails=True))
        assert (list(library.facts.bodies()), picture(library)) == before
        assert bring(library, Made([NOTE, WISE])).total("new") == 2
        library.close()

    def test_an_interruption_leaves_the_library_as_before(self, library: Library) -> None:
        """Ctrl-C is no Exception."""

        def interrupt(_: object) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            bring(library, Made([BEST]), progress=interrupt)
        assert list(library.facts.bodies()) == []

    @pytest.mark.parametrize(
        "odd", [{"kind": "quote"}, {"kind": "limited", "location_start": -1}, {"kind": "limited", "id": "X"}]
    )
    def test_a_record_that_no_library_can_read_is_not_stored(self, library: Library, odd: dict[str, Any]) -> None:
        """A third party's importer may yield anything; the library must be able to read what it holds."""
        from kindlehl.domain.errors import KindlehlError

        with pytest.raises(KindlehlError):
            bring(library, Made([replace(BEST, **odd)]))


def test_a_broken_importer_stops_no_other(library: Library) -> None:
    """It is passed over; the next one that knows the file reads it."""

    class Broken(Made):
        def claims(self, bundle: Bundle) -> bool:
            """Raises on odd bytes, though it must not."""
            raise IndexError

    with opened(io.BytesIO(b"x"), "x.txt", "a place", [Broken([]), Made([BEST])]) as source:
        assert import_sources(library, [source]).total("new") == 1


class TestMemo:
    """The very same bytes need not be read again."""

    def test_the_same_bytes_are_not_read_again(self, library: Library) -> None:
        """And the report is the one that reading would have given."""
        rows = [BEST, LONG, NOTE, WISE]
        bring(library, Made(rows))
        source = Made(rows)
        short = bring(library, source)
        assert source.reads == 0
        with library.transaction():
            library.shelf.rebuild()  # forgets
        long = bring(library, source)
        assert source.reads == 1
        assert [r.as_dict() for r in short.reports] == [r.as_dict() for r in long.reports]

    def test_what_could_not_be_read_is_told_again(self, library: Library) -> None:
        """With its line and reason, and every warning."""
        rows = [BEST, replace(BEST, id=histories.made_id(1), kind="unreadable", reason="no date", line=7)]
        bring(library, Made(rows, ["The encoding was guessed."]))
        short = bring(library, Made(rows, ["The encoding was guessed."])).reports[0]
        assert [(u.line, u.reason, u.new) for u in short.unreadable] == [(7, "no date", False)]
        assert short.warnings == ["The encoding was guessed."]

    def test_another_device_or_a_better_parser_reads_again(self, library: Library) -> None:
        """The memo is of bytes and of all that decides how they are read."""
        bring(library, Made([BEST]))
        other = Made([BEST])
        bring(library, other, serial="G9")
        better = Made([BEST])
        better.revision = 2
        bring(library, better)
        assert (other.reads, better.reads) == (1, 1)

    def test_a_file_of_which_a_record_was_erased_is_read_again(self, library: Library) -> None:
        """What the memo said may have become untrue."""
        bring(library, Made([BEST]))
        keep(library, skeleton(BEST))
        source = Made([BEST])
        bring(library, source)
        assert source.reads == 1


def test_the_facts_of_an_import_name_source_and_time(library: Library) -> None:
    """UTC with Z, whatever the clock's own zone."""
    bring(library, Made([BEST]), serial="G1")
    (made,) = (f for f in map(decoded, library.facts.bodies()) if isinstance(f, Import))
    assert (made.source, made.at, made.records) == ("clippings:G1", "2024-03-01T00:00:00Z", (BEST.id,))
    assert import_of(1, "clippings:G1", [BEST]).records == made.records
