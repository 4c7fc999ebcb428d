"""An operation: the facts of one command, with one id and a clock that ticks, kept together or not at all."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kindlehl.domain import clock
from kindlehl.domain.facts import Edit, Fact, Id, Import, Record, Value, new_id
from kindlehl.ports import Library, Operation

SEEN = 64
"""What one edit may replace; who replaces more writes several edits."""
HAND = "hand"
"""The source of what a reader typed."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who edits, and with which clock."""

    device: str
    """The name that others will read beside an edit."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    make_id: Callable[[], Id] = new_id

    def stamp(self) -> str:
        """The wall clock, UTC, ISO 8601 with Z."""
        return clock.stamp(self.now())


@dataclass(slots=True)
class Draft:
    """The facts of an operation while they are put together."""

    writer: Writer
    id: Id
    clock: int
    """The greatest stamp so far."""
    facts: list[Fact] = field(default_factory=list[Fact])
    changes: int = 0
    """How many things the reader will say that he changed."""

    def edit(
        self,
        target: Id,
        name: str,
        value: Value,
        seen: Sequence[Id] = (),
        *,
        covers: Sequence[Id] = (),
        knew: Sequence[Id] = (),
        mark: Mapping[str, str] | None = None,
        undo: bool = False,
    ) -> None:
        """Say something of one field; `seen` is what it replaces."""
        for first in range(0, max(len(seen), 1), SEEN):
            self.clock = clock.tick(int(self.writer.now().timestamp() * 1000), self.clock)
            self.facts.append(
                Edit(
                    self.writer.make_id(),
                    target,
                    name,
                    value,
                    tuple(seen[first : first + SEEN]),
                    self.clock,
                    self.writer.stamp(),
                    self.writer.device,
                    self.id,
                    tuple(covers),
                    tuple(knew),
                    mark or {},
                    undo=undo,
                )
            )

    def type_in(self, record: Record) -> None:
        """Add what a reader typed."""
        self.facts += [record, Import(self.writer.make_id(), HAND, self.writer.stamp(), self.id, (record.id,))]


@contextmanager
def operation(
    library: Library, writer: Writer, verb: str, *, reverses: Id | None = None, id_: Id | None = None
) -> Generator[Draft]:
    """Keep what is drafted inside, and enter it in the journal. Nothing drafted: nothing happens. The id is a new one
    unless the author chose it.

    Whoever needs to look at the library first may do so inside: nobody else writes meanwhile.
    """
    with library.transaction():
        draft = Draft(writer, id_ or writer.make_id(), library.facts.greatest_stamp())
        yield draft
        if draft.facts:
            library.facts.add(draft.facts)
            library.shelf.settle()
            library.journal.enter(
                Operation(draft.id, writer.stamp(), verb, draft.changes or len(draft.facts), reverses)
            )
