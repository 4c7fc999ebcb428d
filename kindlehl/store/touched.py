"""What the facts of one transaction have touched: the fold's to-do list."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Touched:
    """Records whose islands are to be folded anew.

    A first import touches a million records: those are told by the watermark, not listed.
    """

    watermark: int = 0
    """Every record with this key or a higher one arrived in this transaction."""
    records: set[int] = field(default_factory=set[int])
    """Older records to fold again."""
    fresh: set[int] = field(default_factory=set[int])
    """Those of them that became present in this transaction."""
    gone: set[int] = field(default_factory=set[int])
    """Passages that lost a record, and are to be taken off the shelf before anything is put there."""
    put: list[int] = field(default_factory=list[int])
    """Older passages that were put back on the shelf, and are to be indexed."""
    redated: set[int] = field(default_factory=set[int])
    """Records that state another time than they did."""
    atoms: set[int] = field(default_factory=set[int])
    """Atoms that may have lost the record that told what they are called."""
    forged: bool = False
    """Whether an id came with something else than before: whatever was derived from that is derived anew."""
    books: bool = False
    """Whether atoms, joins or titles changed, so that books are to be grouped anew."""

    def is_new(self, key: int) -> bool:
        """Whether a record became present in this transaction."""
        return key >= self.watermark or key in self.fresh

    def start(self, watermark: int) -> None:
        """A transaction begins; nothing is touched yet."""
        self.watermark, self.books, self.forged = watermark, False, False
        self.records.clear()
        self.fresh.clear()
        self.redated.clear()
        self.atoms.clear()
        self.gone.clear()
        self.put.clear()
