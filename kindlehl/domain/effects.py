"""What a reader sees change when facts arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a command that only looks has no need of facts
    from kindlehl.domain.facts import Record
    from kindlehl.domain.fold import Passage


@dataclass(slots=True)
class Effects:
    """Counts, of one transaction."""

    highlights: int = 0
    """Passages that were not there."""
    resized: int = 0
    """Highlight records that became another form of a passage."""
    attached: int = 0
    """Note records that sit on a highlight."""
    bare: int = 0
    """Notes that sit on none."""
    revived: int = 0
    """Deleted passages that are back."""
    still_deleted: int = 0
    """Records that belong to a deleted passage."""
    books: int = 0
    """Books that were not there."""

    def add(self, passage: Passage, held: Sequence[tuple[Record, bool]], *, was_hidden: bool) -> None:
        """Count one folded passage: its records, each with whether it is new, and whether it was hidden before."""
        fresh = [record for record, is_new in held if is_new]
        if passage.hidden:
            self.still_deleted += len(fresh)
            return
        self.revived += was_hidden
        forms = sum(record.kind == "highlight" for record in fresh)
        if passage.kind == "highlight":
            first = forms > 0 and forms == sum(record.kind == "highlight" for record, _ in held)
            self.highlights += first
            self.resized += forms - first
            self.attached += sum(record.kind == "note" for record in fresh)
        elif passage.kind == "note":
            self.bare += len(fresh) == len(held)
