"""What an export did, as it is told."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Exported:
    """What an export did. Paths, unless it says otherwise."""

    target: str
    written: list[str] = field(default_factory=list[str])
    unchanged: list[str] = field(default_factory=list[str])
    kept: list[str] = field(default_factory=list[str])
    """Files that are not ours, or that the reader changed: left as they are."""
    deleted: list[str] = field(default_factory=list[str])
    """Files that the reader deleted: not written again."""
    changes: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    """Of a merged file: how many highlights were added, updated and removed, and how many were kept as the reader has
    them though the library changed them too."""
    left: list[str] = field(default_factory=list[str])
    """Sentences: what could not be merged, and why."""
