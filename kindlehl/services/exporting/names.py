"""Names: a title becomes the name of a file that every system takes."""

import unicodedata

from kindlehl.domain.contract import Document

_FORBIDDEN = dict.fromkeys(map(ord, '<>:"/\\|?*[]#^'), " ") | dict.fromkeys(range(32), " ") | {127: " "}
_RESERVED = frozenset(
    [
        "con",
        "prn",
        "aux",
        "nul",
        "conin$",
        "conout$",
        *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"),
    ]
)
INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))
"""Categories of characters that no name of ours holds."""
LONGEST_NAME = 255
_NAME_BYTES = 120
"""Room for a name: 255 bytes a name and 260 characters a path are what file systems allow."""


def safe_name(title: str) -> str:
    """A title as a name that every file system takes, and that a wiki link can hold."""
    name = "".join(c for c in title.translate(_FORBIDDEN) if unicodedata.category(c) not in INVISIBLE)
    name = " ".join(unicodedata.normalize("NFC", name).split())
    name = name.encode("utf-8")[:_NAME_BYTES].decode("utf-8", "ignore").strip(" .")
    if not name:
        return "Untitled"
    # Windows takes "Aux. Notes.md" for the device AUX: the part before the first dot is what counts.
    return f"_{name}" if name.split(".")[0].strip().casefold() in _RESERVED else name


def names(document: Document) -> list[str]:
    """Names for a document, the first that is free being the one."""
    name = safe_name(document.title)
    short, whole = f"{name} ({safe_name(document.id[:8])})", f"{name} ({safe_name(document.id)})"
    return [candidate + document.suffix for candidate in (name, short, whole)]


def folded(name: str) -> str:
    """Equal for two names that are one on some file system: Windows ignores case, macOS the normal form too."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
