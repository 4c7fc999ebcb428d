"""What the facts of one transaction have touched: the fold's to-do list."""

from dataclasses import dataclass, field

from kindlehl.domain.facts import Id


@dataclass(slots=True)
class Touched:
    """What is to be folded anew."""

    records: set[Id] = field(default_factory=set[Id])
    """Records whose islands are; what became present can only make an island larger."""
    fresh: set[Id] = field(default_factory=set[Id])
    """Records that became present in this transaction."""
    atoms: set[Id] = field(default_factory=set[Id])
    """Atoms that lost a record, or in which one is somewhere else now: their titles are told anew, and their books are
    folded whole, since an island may have come apart."""
    all: bool = False
    """Whether everything is to be made anew."""
    books: bool = False
    """Whether atoms, joins or titles changed, so that books are to be grouped anew."""
