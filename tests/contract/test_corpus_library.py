"""Real files of other people, as a library: what their owners would see. Counts only; none of their text is kept."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import permutations
from pathlib import Path

import pytest
from support.histories import picture

from kindlehl.domain.library import Highlight
from kindlehl.ports import Filter, Library
from kindlehl.registry import Registry
from kindlehl.services.importing import Outcome, import_sources
from kindlehl.services.sources import opened_path
from kindlehl.store.library import empty_library

CORPUS = Path(os.environ.get("KINDLEHL_CORPUS", "/work/shared/corpus"))
FOLDER = CORPUS / "kindle_clippings"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the corpus of real files is not at {CORPUS}")

FILES = sorted(path for path in FOLDER.glob("*.txt") if not path.name.endswith(".expected.txt"))
NAMED = {path.name: path for path in FILES}
EVERYTHING = Filter(kinds=("highlight", "note", "bookmark", "clip"))


@pytest.fixture
def library() -> Iterator[Library]:
    """An empty library, in SQLite."""
    lib = empty_library()
    yield lib
    lib.close()


def bring(library: Library, *paths: Path) -> Outcome:
    """Import files in one command. All were named by the reader, so what only might be ours is tried."""
    importers = Registry().importers()
    with ExitStack() as stack:
        return import_sources(library, [stack.enter_context(opened_path(path, importers)) for path in paths])


def named(part: str) -> Path:
    """The one file of the corpus whose name holds this."""
    (path,) = (path for name, path in NAMED.items() if part in name)
    return path


def shelved(library: Library) -> list[Highlight]:
    return list(library.shelf.highlights(EVERYTHING))


def kinds(library: Library) -> dict[str, int]:
    return dict(Counter(h.kind for h in shelved(library)))


def content(library: Library) -> set[tuple[object, ...]]:
    """What a reader sees, without the ids of records."""
    return {(h.title, h.author, h.kind, h.text, h.note, h.page, h.location_start, h.added_at) for h in shelved(library)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_imports_adds_up_and_a_second_time_changes_nothing(library: Library, path: Path) -> None:
    """read = new + known = Σ kinds; every record is somewhere; all is known the second time, also when it is read."""
    outcome = bring(library, path)
    (report,) = outcome.reports
    assert report.read == report.new + report.known == sum(report.kinds.values()) > 0
    bodies, seen = list(library.facts.bodies()), picture(library)
    members = [id_ for h in shelved(library) for id_ in library.shelf.members(h.id)]
    assert len(members) == len(set(members))
    listed = sum('"type":"record"' in body for body in bodies)
    assert listed == report.new
    unseen = sum(f'"kind":"{kind}"' in body for body in bodies for kind in ("empty", "limited", "unreadable"))
    assert len(members) + unseen == listed
    again = bring(library, path)
    assert (again.total("new"), again.total("known")) == (0, report.read)
    with library.transaction():
        library.shelf.rebuild()  # and forget that the file was seen
    slow = bring(library, path)
    assert (slow.total("new"), slow.total("known"), slow.kinds) == (0, report.read, outcome.kinds)
    assert (list(library.facts.bodies()), picture(library)) == (bodies, seen)


# What the index says of whole files: books, and what a reader sees of each kind. A note that sits on its highlight is
# part of it, so `note` counts bare notes only.
STATED: dict[str, tuple[int, dict[str, int]]] = {
    "dup-location-scenario": (3, {"highlight": 3}),  # "3 books with 1 highlight each"
    "dup-same-page": (1, {"highlight": 3}),  # "3 highlights": 4 blocks, one of them twice
    "missing-note-scenario": (1, {"highlight": 1}),  # "1 book, 1 highlight with note"
    "unordered-scenario": (1, {"highlight": 3}),  # "1 book, 3 highlights with notes"
    "Demetriy10": (2, {"highlight": 4}),  # "4 highlights + 1 note, 2 books"
    "ottsch": (2, {"highlight": 3, "bookmark": 2}),  # "3 highlights + 2 bookmarks, 2 books"
    "zicai": (1, {"highlight": 4}),  # "4 highlights, 1 book"
    "zkazure": (4, {"highlight": 5}),  # "5 highlights, 4 books"
    "Arnault75": (1, {"highlight": 1}),  # "1 highlight"
    # "1 book, 1 highlight (empty ones dropped)": hadynz keeps neither empty records nor bookmarks; we show bookmarks,
    # and keep the empty one as a record that nobody sees.
    "no-content-scenario": (1, {"highlight": 1, "bookmark": 1}),
    # "2 books; Elantris 3 highlights …; 1984 1 highlight after de-duplication, note attached". There is a second note
    # in that book, far from any highlight: hadynz drops it, we keep it as a bare note.
    "first-scenario": (2, {"highlight": 4, "note": 1}),
}  # fmt: skip


@pytest.mark.parametrize("part", STATED)
def test_a_library_shows_what_the_index_says_of_its_file(library: Library, part: str) -> None:
    """Books, highlights and bookmarks; each note that was made on a highlight sits on it."""
    bring(library, named(part))
    assert (len(library.shelf.books()), kinds(library)) == STATED[part]


def test_each_book_of_the_duplicate_locations_has_one_highlight(library: Library) -> None:
    """The same location is no duplicate across books."""
    bring(library, named("dup-location-scenario"))
    assert [book.highlights for book in library.shelf.books()] == [1, 1, 1]


def test_page_only_highlights_of_one_page_are_all_there(library: Library) -> None:
    """The index's own words: Highlight 1, 2 and 3."""
    bring(library, named("dup-same-page"))
    assert sorted(h.text for h in shelved(library)) == ["Highlight 1", "Highlight 2", "Highlight 3"]


def test_the_first_scenario_has_its_places_times_and_note(library: Library) -> None:
    """As the index states them, the resized highlight of the second book once, with its note."""
    bring(library, named("first-scenario"))
    one, other = sorted(library.shelf.books(), key=lambda book: book.highlights)
    marks = list(library.shelf.highlights(Filter(books=(other.id,))))
    assert [h.location_start for h in marks] == [398, 481, 483]
    assert [h.added_at for h in marks] == ["2017-08-24T22:31:50", "2017-08-24T23:34:25", "2017-08-24T23:34:29"]
    (mark,) = library.shelf.highlights(Filter(kinds=("highlight",), books=(one.id,)))
    assert mark.added_at == "2017-09-09T13:27:09"
    assert mark.note


def test_a_note_is_the_one_the_index_states(library: Library) -> None:
    """In Chinese, on its highlight."""
    bring(library, named("missing-note-scenario"))
    assert [h.note for h in shelved(library)] == ["原来是为她哥哥守孝,到这里才说明白。"]


def test_notes_in_any_order_sit_on_their_highlights(library: Library) -> None:
    """The index states the three; one was written twice, and is shown as it was written last."""
    bring(library, named("unordered-scenario"))
    assert {h.note for h in shelved(library)} == {"Hollow 1", "Few more", "Hollow 3"}


def test_the_note_of_demetriys_file_sits_on_the_highlight_before_it(library: Library) -> None:
    """The index: the note follows its highlight."""
    bring(library, named("Demetriy10"))
    assert sum(h.note is not None for h in shelved(library)) == 1


def test_eleven_languages_of_one_place_and_one_time(library: Library) -> None:
    """The index counts 11 highlights and 11 notes, all of one place and one time, in one book. Different words are
    different highlights; notes at one location are drafts of one note, so the last is shown and none is lost."""
    bring(library, named("languages_examples"))
    shown = shelved(library)
    assert {(h.page, h.location_start, h.added_at) for h in shown} == {("112", 1300, "2024-08-22T18:10:53")}
    assert kinds(library) == {"highlight": 11, "bookmark": 1}
    assert sum(h.note is not None for h in shown) == 1
    assert sum(len(library.shelf.members(h.id)) for h in shown) == 33


VERSIONS = [
    ["Ivo1992__Kindle_sync__MyClippings-earlier", "Ivo1992__Kindle_sync__MyClippings.txt"],
    ["denis__MyClippings-earlier", "denis__MyClippings.txt"],
    ["20231207a", "20231207b", "20231210", "ErikBarroso__kindle__MyClippings.txt"],
]

# Passages that the earlier versions add to the later one, and those of it that look different beside them. Ivo's and
# Denis's files only grew. Erik changed words of his by hand: 213 other records of the same passages, one passage that
# is gone from the later file, and one whose text he shortened without a new date, so that the longer is shown.
CHANGED = dict(zip((parts[0] for parts in VERSIONS), ((0, 0), (0, 0), (2, 1)), strict=True))


@pytest.mark.parametrize("parts", VERSIONS, ids=lambda parts: parts[0])
def test_earlier_versions_and_then_the_later_is_all_of_them_at_once(parts: list[str]) -> None:
    """In any order: each passage once, and nothing that only an earlier version had is lost."""
    paths = list(map(named, parts))
    orders = list(permutations(paths))
    whole = empty_library()
    bring(whole, *paths)
    expected = picture(whole)
    for order in (orders[0], orders[-1], orders[len(orders) // 2]):
        lib = empty_library()
        for path in order:
            bring(lib, path)
        assert picture(lib) == expected
        lib.close()
    later = empty_library()
    bring(later, paths[-1])
    alone = {id_ for h in shelved(later) for id_ in later.shelf.members(h.id)}
    all_ = {id_ for h in shelved(whole) for id_ in whole.shelf.members(h.id)}
    only_earlier = set()
    for path in paths[:-1]:
        lib = empty_library()
        bring(lib, path)
        only_earlier |= {id_ for h in shelved(lib) for id_ in lib.shelf.members(h.id)}
        lib.close()
    assert all_ == alone | only_earlier
    more, gone = content(whole) - content(later), content(later) - content(whole)
    assert (len(more), len(gone)) == CHANGED[parts[0]]
    whole.close()
    later.close()


BATCHES = [path for path in FILES if path.name.startswith("DerJoker")]


def orders(paths: Sequence[Path]) -> list[list[Path]]:
    """Forwards, backwards, and from the middle out."""
    half = len(paths) // 2
    return [list(paths), list(paths)[::-1], [*paths[half:], *paths[:half]]]


def test_disjoint_batches_of_one_device_give_the_same_library_in_any_order() -> None:
    """Their owner empties the file: absence is no deletion, so nothing that was once imported goes away."""
    assert len(BATCHES) == 8
    found = []
    for order in orders(BATCHES):
        lib = empty_library()
        held: set[str] = set()
        for path in order:
            outcome = bring(lib, path)
            assert outcome.total("known") <= outcome.total("read") - outcome.total("new")
            now = {id_ for h in shelved(lib) for id_ in lib.shelf.members(h.id)}
            assert held <= now
            held = now
        found.append((picture(lib), held))
        lib.close()
    assert found[0] == found[1] == found[2]
    # Each batch brings what the index counts, and they share no record.
    assert len(found[0][1]) == 139 + 1 + 2 + 2 + 47 + 70 + 75 + 56 + 58 + 82 + 48


def test_the_whole_corpus_gives_one_picture_in_any_order() -> None:
    """Every file of every owner in one library: one command forwards, file by file backwards, rebuilt."""
    one, other = empty_library(), empty_library()
    outcome = bring(one, *FILES)
    for path in FILES[::-1]:
        bring(other, path)
    assert picture(one) == picture(other)
    assert outcome.total("read") == outcome.total("new") + outcome.total("known") == sum(outcome.kinds.values())
    assert outcome.effects.highlights == kinds(one)["highlight"]
    before = picture(one)
    with one.transaction():
        one.shelf.rebuild()
    assert picture(one) == before
    one.close()
    other.close()
