"""Libraries of many people in one database: what the contract of a library does not say."""

import secrets
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import permutations

import pytest
from sqlalchemy import select, update
from support.histories import deletion, edit, import_of, made_id, picture, record

from kindlehl import wire
from kindlehl.domain import fold
from kindlehl.domain.batches import handfuls
from kindlehl.domain.erasure import skeleton
from kindlehl.domain.errors import BusyError, LibraryError
from kindlehl.domain.facts import Fact
from kindlehl.domain.withholding import NOTES
from kindlehl.ports import Filter, Library, Operation, Progress, Query, Term, Words
from kindlehl.store.memory import MemoryLibrary
from kindlehl_server.store.postgresql import session, tables
from kindlehl_server.store.postgresql.library import TableLibraries, TableLibrary

BEST = record("highlight", "Tale (Dickens, Charles)", "It was the best of times", 5, 1, 1, False)
WORST = record("highlight", "Tale (Dickens, Charles)", "it was the worst of times", 6, 1, 3, False)
NOTE = record("note", "Tale (Dickens, Charles)", "so true", 6, 0, 1, False)
TIMES = Query((Words("times"),))
ALL = Filter(kinds=("highlight", "note", "bookmark", "clip"), hidden_books=True)


@pytest.fixture
def who() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def library(libraries: TableLibraries, who: str) -> Iterator[TableLibrary]:
    with libraries.library(who) as held:
        yield held


def keep(library: Library, *facts: Fact) -> None:
    with library.transaction():
        library.facts.add(facts)
        library.shelf.settle()


def at_once(*jobs: Callable[[], object]) -> None:
    """Each in a thread of its own; what one of them raises is raised here."""
    failed: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 -- raised again below
            failed.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    if failed:
        raise failed[0]


def everything(library: Library) -> list[object]:
    """Whatever a library answers."""
    ids = [BEST.id, WORST.id, NOTE.id]
    return [
        picture(library), list(library.facts.bodies()), library.facts.head(), library.facts.since(0, 99, 1 << 20),
        library.facts.digests(2), library.facts.digests(4), library.facts.states([id_[-2:] for id_ in ids]),
        [*library.facts.named(ids)], library.facts.standing(ids, "clippings"), library.facts.records(ids),
        library.facts.edits(ids), library.facts.before([made_id(5)]), library.facts.of(made_id(5)),
        library.facts.replacing([made_id(3)]), library.facts.deletions(ids), library.facts.greatest_stamp(),
        library.facts.reached("2030"), library.shelf.tags(), library.shelf.titles(), library.shelf.books(hidden=True),
        [library.shelf.atoms(BEST.atom), library.shelf.get(BEST.id), library.shelf.members(WORST.id)],
        library.shelf.starting_with("", 9), library.shelf.ids(ALL), library.shelf.count(ALL),
        list(library.shelf.highlights(Filter(deleted=True))), library.index.search(TIMES, ALL, None),
        library.shelf.ids(ALL._replace(query=TIMES)), library.shelf.ids(ALL._replace(terms=((Term("id", "0"),),))),
        library.index.glance(TIMES, ALL, 9), library.index.vocabulary(), library.journal.operations(),
        library.memo.recall("key"), library.peers.progress("home"), library.peers.refused("home"),
    ]  # fmt: skip


HERS = (BEST, WORST, NOTE, import_of(1, "clippings", [BEST, WORST, NOTE]), edit(2, BEST.id, "tag:hers", True),
        edit(3, BEST.id, "note", "hers"), edit(4, BEST.atom, "title", "Hers"),
        edit(5, BEST.id, "note", "hers too", [made_id(3)]))  # fmt: skip


def remember(library: Library) -> None:
    """What is no fact."""
    with library.transaction():
        library.journal.enter(Operation(made_id(5), "2024-02-01T00:00:00Z", "note", 1))
        library.memo.remember("key", "hers")
        library.peers.keep("home", Progress("e1", 1, 2))
        library.peers.refuse("home", [(BEST.id, 7, "too_large")])


class TestPeople:
    """Each has a library."""

    def test_nobody_meets_anothers_rows(self, libraries: TableLibraries, library: TableLibrary) -> None:
        """The same files in two libraries: what she does is nowhere in his, and the other way round."""
        with libraries.library(str(uuid.uuid4())) as his, closing(MemoryLibrary()) as alone:
            keep(his, BEST, import_of(1, "clippings", [BEST]), edit(2, BEST.id, "color", "his"))
            keep(alone, *map(wire.decode, his.facts.bodies()))  # type: ignore[arg-type]
            was = everything(his)
            keep(library, *HERS)
            keep(library, deletion(6, library, WORST.id, []))
            keep(library, edit(7, import_of(1, "clippings", []).id, "withdrawn", True))
            remember(library)
            assert everything(his) == was
            assert picture(his) == picture(alone)
            hers = everything(library)
            keep(his, *HERS, edit(8, BEST.id, "color", "his own"), edit(9, WORST.id, "deleted", True))
            with his.transaction():
                his.shelf.rebuild()
            assert everything(library) == hers

    def test_what_she_joined_is_apart_in_his(self, libraries: TableLibraries, library: TableLibrary) -> None:
        """The same records, of which each library has passages of its own."""
        far = record("highlight", "Tale (Dickens, Charles)", "the age of wisdom", 90, 1, 4, False)
        facts = [BEST, far, import_of(1, "clippings", [BEST, far])]
        first, second = sorted([BEST, far], key=lambda r: r.at or "")
        with libraries.library(str(uuid.uuid4())) as his:
            keep(his, *facts)
            keep(library, *facts, edit(2, BEST.id, "same", far.id))
            for held, ids in ((his, [second.id]), (library, [first.id])):
                assert held.shelf.ids(Filter(terms=((Term("id", second.id),),))) == ids
                assert held.shelf.starting_with(second.id, 9) == ids

    def test_what_many_libraries_hold_is_what_each_would_hold_alone(self, libraries: TableLibraries) -> None:
        """The same facts in several orders, in turns."""
        orders = [*permutations(HERS[:5])][::24]
        held = [libraries.library(str(uuid.uuid4())).__enter__() for _ in orders]
        for n in range(5):
            for library, facts in zip(held, orders, strict=True):
                keep(library, facts[n])
        assert len({str(picture(library)) for library in held}) == 1

    def test_a_library_is_there_when_its_person_comes_again(self, libraries: TableLibraries, who: str) -> None:
        """And has the epoch that it had."""
        with libraries.library(who) as library:
            keep(library, *HERS)
            was = everything(library), library.peers.epoch()
        with libraries.library(who) as library:
            assert (everything(library), library.peers.epoch()) == was

    def test_a_person_who_comes_twice_at_once_has_one_library(self, libraries: TableLibraries, who: str) -> None:
        """Two devices, the first time."""

        def come(number: int) -> None:
            with libraries.library(who) as library:
                keep(library, edit(number, BEST.id, "color", "blue"))

        at_once(*(partial(come, number) for number in range(6)))
        with libraries.library(who) as library:
            assert library.facts.head() == len(list(library.facts.bodies())) == 6

    @pytest.mark.parametrize("owner", ["", "..", "x" * 36, f"{made_id(1)}\n", made_id(1).upper()])
    def test_what_is_nobodys_id_has_no_library(self, libraries: TableLibraries, owner: str) -> None:
        """As with files."""
        with pytest.raises(LibraryError), libraries.library(owner):
            pass

    def test_what_an_older_revision_folded_is_folded_anew(
        self, libraries: TableLibraries, library: TableLibrary, who: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """When it is opened, and once."""
        keep(library, *HERS)
        was = everything(library)
        database = libraries._database
        number = select(tables.libraries.c.number).where(tables.libraries.c.person == who).scalar_subquery()
        with database.writing() as db:
            mine = tables.highlights.c.owner == number
            db.execute(update(tables.highlights).where(mine).values(text="as it was folded long ago"))
        monkeypatch.setattr(fold, "REVISION", fold.REVISION + 1)
        for _ in range(2):
            with libraries.library(who) as opened:
                assert everything(opened) == was
            monkeypatch.setattr("kindlehl_server.store.postgresql.folding.Folding.rebuild", None)


class TestAtOnce:
    """Several who write."""

    def test_no_cursor_passes_over_what_is_not_committed_yet(self, libraries: TableLibraries, who: str) -> None:
        """Whoever comes second waits for the first, though his own facts would be ready: so numbers are committed in
        their order. Numbers of a sequence are not: the cursor was behind the second fact before the first was there."""
        added, go_on = threading.Event(), threading.Event()

        def first() -> None:
            with libraries.library(who) as library, library.transaction():
                library.facts.add([BEST])
                added.set()
                assert go_on.wait(10)

        def second() -> None:
            assert added.wait(10)
            with libraries.library(who) as library, library.transaction():
                library.facts.add([WORST])

        told: list[str] = []

        def read() -> None:
            assert added.wait(10)
            with libraries.library(who) as library:
                threading.Event().wait(0.3)  # long enough for the second to commit, if nothing kept him
                feed = library.facts.since(0, 99, 1 << 20)
                go_on.set()
                told.extend(feed.bodies)
                while len(told) < 2 and library.facts.head() < 2:
                    threading.Event().wait(0.01)
                told.extend(library.facts.since(feed.cursor, 99, 1 << 20).bodies)

        at_once(first, second, read)
        assert told == [wire.encode(BEST), wire.encode(WORST)]

    def test_nobody_waits_for_another_person(self, libraries: TableLibraries, who: str) -> None:
        """His transaction begins and ends while hers is open."""
        with libraries.library(who) as hers, hers.transaction():
            hers.facts.add(HERS)
            hers.shelf.settle()
            with libraries.library(str(uuid.uuid4())) as his:
                keep(his, *HERS)
                assert his.facts.head() == len(HERS)

    def test_a_reader_waits_for_nobody(self, libraries: TableLibraries, library: TableLibrary, who: str) -> None:
        """And sees nothing that is not committed."""
        keep(library, BEST)
        with libraries.library(who) as other, library.transaction():
            library.facts.add([WORST])
            assert other.facts.since(0, 99, 1 << 20) == ((wire.encode(BEST),), 1)
            assert library.facts.head() == 2
        assert other.facts.head() == 2

    def test_what_is_read_in_a_snapshot_is_of_one_moment(self, libraries: TableLibraries, who: str) -> None:
        """Whatever is written meanwhile."""
        with libraries.library(who) as one, libraries.library(who) as other:
            keep(one, BEST, import_of(1, "clippings", [BEST]))
            with one.snapshot():
                was = everything(one)
                keep(other, *HERS)
                assert everything(one) == was
            assert one.facts.head() == 2 + len(HERS) - 2 + 1

    def test_many_writers_of_one_library_lose_nothing(self, libraries: TableLibraries, who: str) -> None:
        """They wait for each other; what is shown is the fold of what all of them said."""

        def write(device: int) -> None:
            for n in range(6):
                number = 100 * device + n
                held = record("highlight", f"Tale {device % 2}", f"words {n} {device}", n, 2, n, False)
                with libraries.library(who) as library:
                    said = edit(number + 50, held.id, "tag:x", True)
                    keep(library, held, import_of(number, f"clippings:G{device}", [held]), said)

        at_once(*(partial(write, device) for device in range(1, 5)))
        with libraries.library(who) as library, closing(MemoryLibrary()) as memory:
            with memory.transaction():
                memory.facts.add_raw(library.facts.bodies())
            assert library.facts.head() == 4 * 6 * 3
            assert picture(library) == picture(memory)
            assert library.facts.digests(2) == memory.facts.digests(2)

    def test_a_library_to_which_somebody_writes_for_too_long_is_busy(
        self, libraries: TableLibraries, library: TableLibrary, who: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With a time after which it may go better."""
        monkeypatch.setattr(session, "WAIT_MS", 50)
        with library.transaction(), libraries.library(who) as other:
            with pytest.raises(BusyError) as told:
                keep(other, BEST)
            assert told.value.retry_after == 1.0
        keep(other, BEST)


STRANGE = replace(
    BEST, text="nul\0 and \x01\x02\0\x01", title="Ta\0le", raw_title="Ta\0le\x01", author="Dick\0ens",
    chapter="on\0e", color="blu\0e", at="2024-01-01T10:00:00\0", page="\0",
)  # fmt: skip


class TestTexts:
    """Whatever is in them."""

    def test_what_postgresql_cannot_hold_is_held(self, library: TableLibrary) -> None:
        """U+0000 in every text of a fact, and what stands for it."""
        facts = [
            STRANGE, WORST, replace(import_of(1, "clip\0pings", [STRANGE, WORST]), op="o\0p"),
            edit(2, STRANGE.id, "tag:\0x\x01", True, ["s\0een"]), edit(3, STRANGE.id, "note", "no\0te \x01\x01"),
            edit(4, "nothing\0", "text", "x"), edit(5, WORST.id, "same", "\0"), edit(6, STRANGE.atom, "title", "N\0ew"),
            edit(7, WORST.id, "deleted", True, covers=("\0", WORST.id)),
        ]  # fmt: skip
        with closing(MemoryLibrary()) as memory:
            keep(memory, *facts)
            keep(library, *facts)
            assert picture(library) == picture(memory)
            assert list(library.facts.bodies()) == list(memory.facts.bodies())
            assert library.facts.edits(["nothing\0"]) == memory.facts.edits(["nothing\0"])
            assert library.facts.reached("3") == memory.facts.reached("3")
            assert library.facts.before([made_id(2)]) == memory.facts.before([made_id(2)])
            assert library.facts.of("o\0p") == memory.facts.of("o\0p")
            assert library.shelf.tags() == memory.shelf.tags() == ["\0x\x01"]
            for wanted in (
                Filter(tag="\0x\x01"), Filter(color="blu\0e"), Filter(terms=((Term("chapter", "n\0"),),)),
                Filter(terms=((Term("source", "p\0p"),),)), Filter(terms=((Term("title", "n\0ew"),),)),
            ):  # fmt: skip
                assert STRANGE.id in library.shelf.ids(wanted) == memory.shelf.ids(wanted)
            with library.transaction():
                library.peers.keep("ho\0me", Progress("\0"))
                library.memo.remember("\0", "\x01")
            assert library.peers.progress("ho\0me") == Progress("\0")
            assert library.memo.recall("\0") == "\x01"

    def test_names_of_any_length_are_kept_and_travel(self, library: TableLibrary) -> None:
        """Though no index has room for them, and nothing is shown of what they name."""
        long = secrets.token_hex(5_000)
        facts = [
            edit(2, long, "color", "red"), edit(3, BEST.id, "color", "blue", [long]),
            edit(4, BEST.id, "deleted", True, covers=(long,)), replace(edit(5, BEST.id, "note", "x"), op=long),
            edit(6, BEST.id, "same", long), replace(WORST, at=long), replace(skeleton(NOTE), book=long),
            import_of(7, long, [BEST]), replace(import_of(8, "x", [BEST]), records=(long,)),
            edit(9, BEST.id, f"tag:{long}", long),
        ]  # fmt: skip
        with closing(MemoryLibrary()) as memory:
            for held in (library, memory):
                keep(held, BEST, import_of(1, "clippings", [BEST]))
                keep(held, *facts)
            assert library.facts.since(0, 99, 1 << 20) == memory.facts.since(0, 99, 1 << 20)
            assert library.facts.digests(2, NOTES) == memory.facts.digests(2, NOTES)
            assert [h.tags for h in library.shelf.highlights(Filter())] == [(long,)]
            was = everything(library)
            with library.transaction():
                library.shelf.rebuild()
            assert everything(library) == was

    def test_what_only_a_newer_version_reads_is_not_shown_as_an_older_one_read_it(self, library: TableLibrary) -> None:
        """Nor does an edit go on doing what it said before."""
        facts = HERS[:5], (edit(6, WORST.id, "color", "red", [made_id(2)]), edit(7, BEST.atom, "hidden", True))
        newer = [
            wire.encode(replace(WORST, revision=9)).replace('"highlight"', '"hologram"'),
            wire.encode(replace(edit(6, WORST.id, "color", "red"), erased=True)).replace('"red"', "[1]"),
            wire.encode(replace(edit(7, BEST.atom, "hidden", True), erased=True)).replace('"hidden"', "[2]"),
            wire.encode(replace(import_of(1, "x", []), source="y")).replace('"y"', "[3]"),
        ]
        with closing(MemoryLibrary()) as memory:
            for held in (library, memory):
                for each in facts:
                    keep(held, *each)
            for body in newer:
                assert wire.decode(body) is None
                for held in (library, memory):
                    with held.transaction():
                        held.facts.add_raw([body])
                        held.shelf.settle()
                assert picture(library) == picture(memory)
                assert library.shelf.books(hidden=True) == memory.shelf.books(hidden=True)
            was = picture(library)
            with library.transaction():
                library.shelf.rebuild()
            assert picture(library) == was

    def test_texts_sort_as_in_python(self) -> None:
        """What stands for U+0000 sorts before everything else."""
        texts = [
            "",
            "\0",
            "\0\0",
            "\0a",
            "\x01",
            "\x01\0",
            "\x01\x01",
            "\x01a",
            "\x02",
            "a",
            "a\0",
            "a\x01",
            "a\x02",
            "aa",
        ]
        kept = [tables.escaped(text) for text in texts]
        assert sorted(kept) == kept
        assert [tables.unescaped(text) for text in kept] == texts
        assert not any("\0" in text for text in kept)

    def test_an_error_holds_nobodys_words(self, library: TableLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither those of a statement nor those of a row that was being copied."""
        with pytest.raises(LibraryError) as told, library.transaction():
            library.peers.keep("my diary", Progress("my diary", 1 << 80))
        assert "diary" not in f"{told.value.message} {told.value.hint}"
        monkeypatch.setattr(session, "escaped", str)
        with pytest.raises(LibraryError) as told:
            keep(library, replace(BEST, text="my diary\0"), import_of(1, "clippings", [BEST]))
        assert "diary" not in f"{told.value.message} {told.value.hint}"
        assert library.facts.head() == 0


class TestWork:
    """How much of it there is."""

    def test_it_does_not_matter_how_much_is_folded_at_a_time(
        self, library: TableLibrary, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One island, or a thousand: what a passage has lost is not taken for what another one is."""
        monkeypatch.setattr("kindlehl_server.store.postgresql.folding.handfuls", lambda runs: handfuls(runs, 1))
        between = record("highlight", "Tale (Dickens, Charles)", "the age of wisdom", 6, 3, 2, False)
        note = record("note", "Tale (Dickens, Charles)", "so true", 9, 0, 3, False)
        listed = import_of(2, "clippings", [between])
        keep(library, BEST, note, between, import_of(1, "clippings", [BEST, note]), listed)
        keep(library, edit(3, BEST.id, "note", "mine", [note.id]))
        keep(library, edit(4, listed.id, "withdrawn", True))
        assert [h.note for h in library.shelf.highlights(Filter())] == ["mine", "so true"]
        assert library.index.vocabulary() != []
        was = everything(library)
        with library.transaction():
            library.shelf.rebuild()
        assert everything(library) == was

    def test_an_edit_reads_what_it_is_about(self, library: TableLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
        """And not the whole library, nor the whole book."""
        held = [record("highlight", "Tale", f"words {n}", 10 * n, 1, n % 30, False) for n in range(300)]
        keep(library, *held, import_of(1, "clippings", held))
        read = 0
        decode = wire.decode

        def counting(raw: str) -> Fact | None:
            nonlocal read
            read += 1
            return decode(raw)

        monkeypatch.setattr(wire, "decode", counting)
        keep(library, edit(2, held[7].id, "color", "blue"))
        assert 0 < read < 10

    def test_best_first(self, libraries: TableLibraries, library: TableLibrary) -> None:
        """What is seldom found says more, and more of it does; in a longer text less. What others have says nothing."""
        whales = [record("highlight", "Whales", f"the whale {n}", 10 * n, 1, n % 30, False) for n in range(30)]
        with libraries.library(str(uuid.uuid4())) as his:
            keep(his, *whales, import_of(1, "clippings", whales))
        texts = ["sea and land", "sea and sea", "sea " + "and so on " * 20 + "sea", "the whale", "sky and land"]
        held = [record("highlight", "Tale", text, 10 * n, 1, n, False) for n, text in enumerate(texts)]
        keep(library, *held, import_of(1, "clippings", held))

        def found(query: Query) -> list[int]:
            hits = library.index.search(query, Filter(), None)
            assert library.index.glance(query, Filter(), 9) == hits
            return [texts.index(h.text) for h in hits]

        assert found(Query((Words("sea"),))) == [1, 0, 2]
        assert found(Query((), (), ((Words("land"), Words("whale")),)))[0] == 3
        assert found(Query((Words("land"), Words("and")), (Words("sky"),))) == [0]
        assert found(TIMES) == []

    def test_who_types_is_not_made_to_wait_for_an_order(
        self, library: TableLibrary, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where many are found, some of them are shown."""
        monkeypatch.setattr("kindlehl_server.store.postgresql.index.RANKED", 3)
        held = [record("highlight", "Tale", f"sea {n}", 10 * n, 1, n, False) for n in range(5)]
        keep(library, *held, import_of(1, "clippings", held))
        assert len(library.index.glance(Query((Words("sea"),)), Filter(), 2)) == 2

    def test_what_was_erased_leaves_its_rows(self, library: TableLibrary) -> None:
        """They can be overwritten, and the library is what it was."""
        keep(library, *HERS)
        keep(library, replace(BEST, erased=True, text="", revision=9))
        was = everything(library)
        library.scrub()
        assert everything(library) == was
