"""What the services need of the outside: a library that holds facts and shows what they fold to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:  # every command imports this module, few need these
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from kindlehl.domain.effects import Effects
    from kindlehl.domain.facts import Edit, Fact, Id, Record
    from kindlehl.domain.library import Book, Highlight, ShownKind


class Standing(NamedTuple):
    """How a record that a library holds stands in it."""

    live: bool
    """A live import lists it."""
    here: bool
    """A live import from the source that was asked about lists it."""
    erased: bool
    revision: int
    """Of the parser that read what is held, and how certain it was."""
    certainty: int


class Filter(NamedTuple):
    """Which of the shown passages are meant. Everything given must hold."""

    kinds: tuple[ShownKind, ...] = ("highlight", "note")
    books: tuple[Id, ...] | None = None
    color: str | None = None
    tag: str | None = None
    since: str | None = None
    """`added_at` not before this ISO date or time; what has no time is left out."""
    until: str | None = None
    """`added_at` before the end of this ISO date or time."""
    has_note: bool | None = None


class Words(NamedTuple):
    """One thing to find: a word, or several in a row."""

    text: str
    prefix: bool = False
    """Whether the last word may go on."""


class Query(NamedTuple):
    """What to find: all of `wanted` in one passage or its note, and none of `unwanted`."""

    wanted: tuple[Words, ...]
    unwanted: tuple[Words, ...] = ()


class Facts(Protocol):
    """The facts themselves: what a library is."""

    def add(self, facts: Iterable[Fact]) -> int:
        """Keep the maximum of what is here and what comes, for each id. Returns how many states advanced."""
        ...

    def add_raw(self, bodies: Iterable[str]) -> int:
        """The same for bodies as they travel; kinds of facts yet unknown are kept untouched."""
        ...

    def standing(self, ids: Sequence[Id], source: str) -> Mapping[Id, Standing]:
        """How these records stand; those that the library does not hold are left out."""
        ...

    def bodies(self) -> Iterator[str]:
        """Every fact as it travels, in order of arrival."""
        ...

    def records(self, ids: Sequence[Id]) -> Mapping[Id, Record]:
        """Records by id, those that are held."""
        ...

    def edits(self, targets: Sequence[Id]) -> Sequence[Edit]:
        """Every edit of these targets."""
        ...

    def before(self, ids: Iterable[Id]) -> set[Id]:
        """The facts named, and all that those had seen, and so on."""
        ...


class Shelf(Protocol):
    """What a person sees: the fold of the facts."""

    def settle(self) -> Effects:
        """Fold what the facts added in this transaction have touched."""
        ...

    def rebuild(self) -> None:
        """Throw the fold and the index away and make them anew from all facts."""
        ...

    def books(self) -> Sequence[Book]:
        """All books by title."""
        ...

    def titles(self) -> Sequence[tuple[str, str | None, Id]]:
        """Title, author and id of each book by title: `books` without counting what is in them."""
        ...

    def tags(self) -> Sequence[str]:
        """Every tag that a shown passage has, in order."""
        ...

    def highlights(self, wanted: Filter, *, newest: bool = False, limit: int | None = None) -> Iterator[Highlight]:
        """Passages by book and in reading order, or newest first."""
        ...

    def get(self, id_: Id) -> Highlight | None:
        """The shown passage of which this record is a member."""
        ...

    def members(self, id_: Id) -> Sequence[Id]:
        """The records of the passage, hidden or not, that holds this one."""
        ...

    def starting_with(self, prefix: str, limit: int) -> Sequence[Id]:
        """Ids of shown passages that start like this."""
        ...

    def count(self, wanted: Filter) -> int:
        """How many passages are meant."""
        ...


class Index(Protocol):
    """Full-text search over what is shown."""

    def search(self, query: Query, wanted: Filter, limit: int) -> Sequence[Highlight]:
        """Best first: passages in which, or in whose note, everything wanted is found. Letters with and without
        diacritics are the same, and two characters of a script without spaces are found inside a sentence."""
        ...


class Memo(Protocol):
    """Small things a library remembers that are no facts and may be forgotten at any time."""

    def recall(self, key: str) -> str | None:
        """What was remembered, unless something since then may have made it untrue."""
        ...

    def remember(self, key: str, value: str) -> None:
        """Keep a value until an import is withdrawn or a record erased."""
        ...


class Library(Protocol):
    """One reader's library. Facts, shelf and index change together or not at all."""

    @property
    def facts(self) -> Facts:
        """What the library is."""
        ...

    @property
    def shelf(self) -> Shelf:
        """What a person sees."""
        ...

    @property
    def index(self) -> Index:
        """What finds it."""
        ...

    @property
    def memo(self) -> Memo:
        """What may be forgotten."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Everything inside happens, or nothing does. Raises `BusyError` when somebody else writes for too long."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...
