"""The first line of a clipping: the book's title and its author."""

from functools import lru_cache

_LONGEST = 1000  # characters; a longer line is no title of a book, and nothing to keep in a cache


def split(line: str) -> tuple[str, str | None]:
    """Title and author of a title line such as `Title (Series) (Last, First)`.

    The author is the last balanced group in round brackets at the end of the line: `… (Amazon (Editors))` is by
    `Amazon (Editors)`. A line that is one single group is all title. Full-width brackets belong to the title. A
    placeholder such as `Unknown` is kept as the source wrote it; the semicolon that ends a list of authors is not.
    """
    return _split(line) if len(line) <= _LONGEST else (line.strip(), None)


@lru_cache(maxsize=4096)
def _split(line: str) -> tuple[str, str | None]:
    line = line.strip()
    start = _group(line) if line.endswith(")") else 0
    if not start:
        return line, None
    return line[:start].rstrip(), line[start + 1 : -1].strip(" \t\u00a0;") or None


def _group(line: str) -> int:
    """Where the group begins that the line's last bracket closes; 0 if nowhere, or if it is the whole line."""
    depth = 0
    for place in range(len(line) - 1, -1, -1):
        if line[place] == ")":
            depth += 1
        elif line[place] == "(":
            depth -= 1
            if not depth:
                return place
    return 0
