"""What the services need of the outside: a library that holds facts and shows what they fold to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:  # every command imports this module, few need these
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from kindlehl.domain.effects import Effects
    from kindlehl.domain.facts import Edit, Fact, Id, Import, Record
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


class Words(NamedTuple):
    """One thing to find: a word, or several in a row."""

    text: str
    prefix: bool = False
    """Whether the last word may go on."""
    part: Literal["text", "note"] | None = None
    """Where it has to be found; None: in either."""


class Query(NamedTuple):
    """What to find: all of `wanted` in one passage or its note, one of each of `either`, and none of `unwanted`."""

    wanted: tuple[Words, ...]
    unwanted: tuple[Words, ...] = ()
    either: tuple[tuple[Words, ...], ...] = ()


Field: TypeAlias = Literal[
    "title", "author", "tag", "color", "chapter", "source", "kind", "id", "has", "since", "until", "on", "words"
]


class Term(NamedTuple):
    """One condition on a passage.

    Title, author, chapter and source hold all of a value's words; tag and colour are the value; case, diacritics and
    the difference of dash and space aside. A title may be the beginning of a book's id, from six letters on. `id` is
    the beginning of a member's id, `on` that of `added_at`. `has`: note, tag, color, chapter, favorite, truncated or
    conflict. `words`: as in a `Query`.
    """

    field: Field
    value: str | Words
    negated: bool = False
    """Then it must not hold; what has no date is not before one, and not after it."""


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
    terms: tuple[tuple[Term, ...], ...] = ()
    """Of each of these groups, one term at least holds."""
    query: Query | None = None
    """Words that are found; the order of what is found is not their affair."""
    deleted: bool = False
    """Those in the trash, and no others; of hidden books too."""
    hidden_books: bool = False
    """Those of hidden books too."""


Order: TypeAlias = Literal["book", "newest", "oldest"]
"""By book and in reading order, or by time; what has no time comes last."""


class Feed(NamedTuple):
    """A run of facts in order of arrival."""

    bodies: tuple[str, ...]
    cursor: int
    """Nothing that arrived up to here is still to come."""


class Edited(NamedTuple):
    """The edits of one target."""

    edits: int
    names: int
    """How many ids they name as what their authors had seen, and as what they cover."""
    size: int
    """Bytes of their bodies."""


class Rotten(NamedTuple):
    """Facts whose bodies are not what arrived."""

    readable: int
    """Shown as they read; they travel nowhere, and a whole one takes their place."""
    lost: int
    """They say nothing any more, and were set aside until they come again."""


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

    def head(self) -> int:
        """The number of the fact that arrived last, 0 where there is none. A state that advances arrives anew."""
        ...

    def since(self, cursor: int, count: int, size: int, withheld: int = 0, until: int | None = None) -> Feed:
        """What has arrived behind a cursor, and up to `until`, and is not withheld: at most `count` facts, and `size`
        bytes unless a single one is longer. What is known to be damaged is passed over here and in what follows; raises
        CorruptLibraryError where a body turns out not to be what arrived."""
        ...

    def digests(self, digits: int, withheld: int = 0) -> Mapping[str, int]:
        """The digest of each bucket that does not come to nothing, by the last two or four digits of its ids: the
        digests of its facts' bodies, XORed, as signed 64-bit numbers."""
        ...

    def states(self, buckets: Sequence[str], withheld: int = 0) -> Mapping[Id, int]:
        """The facts of some buckets, all of one length, and the digest that each body had when it arrived."""
        ...

    def named(self, ids: Sequence[Id], withheld: int = 0) -> Iterator[str]:
        """The bodies of these facts, of those that are held and not withheld, in the order of their ids: read inside a
        snapshot, no further than is asked for. Raises CorruptLibraryError as `since` does."""
        ...

    def set_aside_rotten(self) -> Rotten:
        """Look at every body. One that is not what arrived travels no more; one that says nothing any more is taken out
        and kept aside until it comes again, and what it folded to goes with the next `rebuild`. Returns how many are
        found that were not known; where any was lost the library's numbers lose their meaning: renew its epoch."""
        ...

    def rotten(self) -> Rotten:
        """How many are known to be damaged."""
        ...

    def damaged(self, withheld: int = 0) -> Sequence[str]:
        """The bodies, as they read, of the damaged facts that can be read and are not withheld. One that is added as it
        is counts as whole from then on."""
        ...

    def drop(self, withheld: int) -> int:
        """Forget the facts of these classes, as though they had never come; what they folded to goes with the next
        `rebuild`. Returns how many there were. The library's numbers lose their meaning: renew its epoch."""
        ...

    def records(self, ids: Sequence[Id]) -> Mapping[Id, Record]:
        """Records by id, those that are held."""
        ...

    def edits(self, targets: Sequence[Id]) -> Sequence[Edit]:
        """Every edit of these targets."""
        ...

    def edited(self, targets: Sequence[Id]) -> Mapping[Id, Edited]:
        """The edits of each of these; those without any are left out."""
        ...

    def before(self, ids: Iterable[Id]) -> set[Id]:
        """The facts named, and all that those had seen, and so on."""
        ...

    def of(self, op: Id) -> Sequence[Edit | Import]:
        """The edits and imports of one operation."""
        ...

    def replacing(self, ids: Sequence[Id]) -> Sequence[Edit]:
        """The edits that have seen any of these."""
        ...

    def deletions(self, ids: Sequence[Id]) -> Sequence[Edit]:
        """The deletions in force that cover any of these records."""
        ...

    def greatest_stamp(self) -> int:
        """The greatest clock of all edits; 0 where there are none."""
        ...

    def reached(self, until: str) -> Mapping[str, str]:
        """Source → the latest time of a record that it listed, of those before `until`, in the source's own clock."""
        ...


class Shelf(Protocol):
    """What a person sees: the fold of the facts."""

    def settle(self) -> Effects:
        """Fold what the facts added in this transaction have touched."""
        ...

    def rebuild(self) -> None:
        """Throw the fold and the index away and make them anew from all facts."""
        ...

    def books(self, ids: Collection[Id] | None = None, *, hidden: bool = False) -> Sequence[Book]:
        """The books, or these of them, by title; those that the reader hides only if asked for. What is in them is
        counted: whoever looks for names asks for `titles`."""
        ...

    def atoms(self, book: Id) -> Sequence[Id]:
        """The titles that sources use for this book, as atoms."""
        ...

    def titles(self, *, hidden: bool = False) -> Sequence[tuple[Id, str, str | None]]:
        """Id, title and author of all books by title: `books` without counting what is in them."""
        ...

    def tags(self) -> Sequence[str]:
        """Every tag of a shown passage, once, in alphabetical order."""
        ...

    def highlights(self, wanted: Filter, *, order: Order = "book", limit: int | None = None) -> Iterator[Highlight]:
        """Passages in an order, at most so many."""
        ...

    def ids(self, wanted: Filter) -> Sequence[Id]:
        """The ids of all that is meant, in their own order: to draw from."""
        ...

    def get(self, id_: Id, *, deleted: bool = False) -> Highlight | None:
        """The shown passage of which this record is a member, or the one in the trash; that of a hidden book too."""
        ...

    def members(self, id_: Id) -> Sequence[Id]:
        """The records of the passage, hidden or not, that holds this one."""
        ...

    def starting_with(self, prefix: str, limit: int, *, deleted: bool = False) -> Sequence[Id]:
        """Ids of shown passages, or of those in the trash, of which a member starts like this."""
        ...

    def count(self, wanted: Filter) -> int:
        """How many passages are meant."""
        ...


class Index(Protocol):
    """Full-text search over what is shown."""

    def search(self, query: Query, wanted: Filter, limit: int | None) -> Sequence[Highlight]:
        """Best first: passages in which, or in whose note, everything wanted is found. Letters with and without
        diacritics are the same, and two characters of a script without spaces are found inside a sentence."""
        ...

    def glance(self, query: Query, wanted: Filter, limit: int) -> Sequence[Highlight]:
        """The same for who types and waits: best first among few, in no particular order where many are found."""
        ...

    def vocabulary(self, start: str = "") -> Sequence[tuple[str, int]]:
        """The words of the index that start like this, without case and diacritics, and how many passages hold each;
        those of hidden books count."""
        ...


class Operation(NamedTuple):
    """One command that changed the library on this device: what `undo` can take back."""

    id: Id
    """The `op` of its facts."""
    at: str
    """When, UTC, ISO 8601 with Z."""
    verb: str
    """The command: "note", "import"."""
    changes: int
    """How many things it changed."""
    reverses: Id | None = None
    """Of an undo or redo: the operation that it takes back."""


class Journal(Protocol):
    """What was done on this device. No fact, and never sent anywhere: every device undoes its own."""

    def enter(self, operation: Operation) -> None:
        """Add one."""
        ...

    def operations(self) -> Sequence[Operation]:
        """All of them, oldest first."""
        ...


class Memo(Protocol):
    """Small things a library remembers that are no facts and may be forgotten at any time."""

    def recall(self, key: str) -> str | None:
        """What was remembered, unless something since then may have made it untrue."""
        ...

    def remember(self, key: str, value: str) -> None:
        """Keep a value until an import is withdrawn or a record erased."""
        ...


class Progress(NamedTuple):
    """How far a library is with a peer."""

    epoch: str = ""
    """The peer's; in another one its cursors mean something else."""
    pulled: int = 0
    """The peer's facts have arrived up to here."""
    pushed: int = 0
    """This library's facts have been taken up to here."""
    withheld: int = 0
    """What the cursors may have passed over: since it was withheld, or was there before both met."""
    met: str = ""
    """When both were last found equal, UTC, ISO 8601 with Z."""
    refuses: int = 0
    """What the peer is to keep nothing of, by its owner's last wish that this library knows."""
    wished: str = ""
    """When that was wished, by the peer's clock."""


class Peers(Protocol):
    """How far this library is with others, and they with it. No facts, and never sent anywhere."""

    def epoch(self) -> str:
        """Names this library's numbers: a peer's cursors mean something as long as it is the same."""
        ...

    def renew(self, epoch: str | None = None) -> None:
        """Another file is in this one's place, such as a backup: the cursors of peers lose their meaning."""
        ...

    def progress(self, peer: str) -> Progress:
        """With this one; the beginning where nothing is known."""
        ...

    def keep(self, peer: str, progress: Progress) -> None:
        """Remember it."""
        ...

    def refused(self, peer: str) -> Mapping[Id, int]:
        """The facts that this peer did not take, and their digests then."""
        ...

    def refuse(self, peer: str, facts: Iterable[tuple[Id, int, str]]) -> None:
        """Remember facts that it did not take, the digest of each, and why."""
        ...

    def took(self, peer: str, ids: Sequence[Id]) -> None:
        """It has these after all."""
        ...

    def forget(self, peer: str) -> None:
        """As though there never had been one."""
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
    def journal(self) -> Journal:
        """What was done here."""
        ...

    @property
    def memo(self) -> Memo:
        """What may be forgotten."""
        ...

    @property
    def peers(self) -> Peers:
        """How far it is with others."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Everything inside happens, or nothing does. Raises `BusyError` when somebody else writes for too long."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Everything that is read inside is of one moment; nothing is written."""
        ...

    def scrub(self) -> None:
        """Leave no trace in the file of what was erased or replaced. Not inside a transaction. Raises BusyError where
        somebody reads the library, so that traces are left."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...
