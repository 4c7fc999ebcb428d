"""Histories of facts for the library's laws: small alphabets, so that records meet, overlap, repeat and are deleted."""

from collections.abc import Sequence

from hypothesis import strategies as st

from kindlehl.domain.effects import Effects
from kindlehl.domain.facts import Edit, Fact, Id, Import, Record, new_id, record_id
from kindlehl.ports import Filter, Library

TEXTS = (
    "It was the best of times",
    "It was the best of times, it was the worst of times",
    "it was the worst of times",
    "best of times",
    "the age of wisdom",
    "智に働けば角が立つ",
)
TITLES = ("Tale (Dickens, Charles)", "Tale  (Charles Dickens)", "Tale", "草枕 (夏目 漱石)")
SOURCES = ("clippings", "clippings:G1", "clippings:G2")


def made_id(number: int) -> Id:
    """A UUIDv7 that depends on a number alone."""
    return new_id(1_700_000_000_000 + number, number.to_bytes(10, "big"))


def record(
    kind: str, title: str, text: str, start: int | None, length: int, at: int | None, page: bool, revision: int = 1
) -> Record:
    """A record as an importer would make it: its id depends on what is raw, not on how it was parsed."""
    name, _, author = title.partition("(")
    stamp = None if at is None else f"2024-01-{1 + at // 4:02}T10:{at:02}:00"
    where = (
        {}
        if start is None
        else {"page": str(start)}
        if page
        else {"location_start": start, "location_end": start + length}
    )
    if kind == "note" and not page and start is not None:
        where["location_end"] = start
    return Record(
        id=record_id("test", kind, title, text, str(start), str(length), str(at), str(page)),
        kind=kind,
        raw_title=title,
        title=name.strip(),
        author=author.rstrip(")").strip() or None,
        text="" if kind == "bookmark" else text,
        at=stamp,
        revision=revision,
        **where,
    )


records = st.builds(
    record,
    kind=st.sampled_from(("highlight", "highlight", "highlight", "note", "bookmark", "limited")),
    title=st.sampled_from(TITLES),
    text=st.sampled_from(TEXTS),
    start=st.one_of(st.none(), st.integers(1, 12), st.integers(1, 12), st.integers(1, 12)),
    length=st.integers(0, 4),
    at=st.one_of(st.none(), st.integers(0, 9), st.integers(0, 9)),
    page=st.sampled_from((False, False, False, True)),
    revision=st.sampled_from((1, 1, 1, 2)),
)


def import_of(number: int, source: str, held: Sequence[Record]) -> Import:
    """An import fact that lists these records."""
    return Import(made_id(number), source, "2024-02-01T00:00:00Z", made_id(number), tuple(r.id for r in held))


def edit(number: int, target: Id, field: str, value: object, seen: Sequence[Id] = (), **more: object) -> Edit:
    """An edit whose clock is its number."""
    return Edit(
        made_id(number), target, field, value, tuple(seen), hlc=number, at="2024-02-01T00:00:00Z", device="test",
        op=made_id(number), **more,
    )  # fmt: skip


def keep(library: Library, *facts: Fact) -> Effects:
    """Add facts in one transaction."""
    with library.transaction():
        library.facts.add(facts)
        return library.shelf.settle()


def deletion(number: int, library: Library, id_: Id, sources: Sequence[Fact]) -> Edit:
    """What `delete` will write: what its author was shown, what he knew, and how far his copies of the sources went."""
    members = library.shelf.members(id_)
    held = library.facts.records(members)
    edits = library.facts.edits(members)
    mark: dict[str, str] = {}
    for fact in sources:
        if isinstance(fact, Import):
            for record_ in library.facts.records(fact.records).values():
                if record_.at:
                    mark[fact.source] = max(mark.get(fact.source, ""), record_.at)
    seen = [e.id for e in edits if e.field == "deleted"]
    return edit(number, id_, "deleted", True, seen, covers=tuple(held), knew=tuple(e.id for e in edits), mark=mark)


def picture(library: Library) -> object:
    """Everything that a person could see of a library."""
    everything = Filter(kinds=("highlight", "note", "bookmark", "clip"))
    shown = list(library.shelf.highlights(everything))
    return (
        list(library.shelf.books()),
        shown,
        {h.id: sorted(library.shelf.members(h.id)) for h in shown},
    )
