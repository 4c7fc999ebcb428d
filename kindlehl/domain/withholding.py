"""What a reader can keep from a server: highlights, notes, or both.

What a fact falls under is a function of its kind and field alone, never of other facts: so both sides of a round name
the same facts, whatever each of them holds.
"""

from typing import Final

from kindlehl.domain.facts import Edit, Fact, Import, Record

NOTHING: Final = 0
HIGHLIGHTS: Final = 1
"""What was marked, what is said of it, and what books are called."""
NOTES: Final = 2
"""What the reader wrote."""
ALL: Final = HIGHLIGHTS | NOTES
NAMES: Final = {"highlights": HIGHLIGHTS, "notes": NOTES}
"""What people call them."""


def names(bits: int) -> list[str]:
    """What people call what these bits say."""
    return [name for name, bit in NAMES.items() if bits & bit]


_WORDLESS = frozenset(("deleted", "same", "not-same", "withdrawn", "visibility"))
"""Fields that hold no words: ids, and wishes that have to be known wherever the passage is."""


def falls_under(fact: Fact | None) -> int:
    """What a fact is part of; it is withheld if any of that is. None: a fact that only a newer version understands,
    which may hold anything."""
    if isinstance(fact, Record):
        if fact.kind == "note":
            return NOTES
        return ALL if fact.kind == "unreadable" else HIGHLIGHTS  # which may be a note
    if isinstance(fact, Edit):
        if fact.field in _WORDLESS:
            return NOTHING
        return NOTES if fact.field == "note" else HIGHLIGHTS
    return NOTHING if isinstance(fact, Import) else ALL
