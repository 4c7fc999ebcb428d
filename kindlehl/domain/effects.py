"""What a reader sees change when facts arrive."""

from dataclasses import dataclass


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
