"""Saved searches: queries with a name, which `@name` stands for."""

from collections.abc import Mapping, Sequence

from kindlehl.domain.errors import NotFoundError, UsageError
from kindlehl.services.querying import nearest, read, typed

_HINT = "A name has letters, digits, - and _, such as: to-reread"


def expanded(parts: Sequence[str], searches: Mapping[str, object]) -> str:
    """The words of a command line as a query, with each `@name` replaced by what it stands for.

    Raises NotFoundError, with the nearest name, where there is none.
    """
    out: list[str] = []
    for n, part in enumerate(parts):
        if not part.startswith("@") or not is_name(part[1:]):
            out.append(typed([part]))
            continue
        if "OR" in (parts[max(0, n - 1)], *parts[n + 1 : n + 2]):
            raise UsageError(
                f"OR cannot stand beside {part}: it joins two words or conditions, and a search may have several.",
                hint="Write out what is meant.",
            )
        out.append(named(part[1:], searches))
    return " ".join(out)


def named(name: str, searches: Mapping[str, object]) -> str:
    """The query with this name."""
    found = searches.get(name)
    if found is None:
        raise unknown(name, searches)
    if not isinstance(found, str):
        raise UsageError(f"The saved search {name} is no text.", hint='Write it like: name = "tag:craft courage"')
    return found


def unknown(name: str, searches: Mapping[str, object]) -> NotFoundError:
    """There is no search with this name; perhaps another was meant."""
    near = nearest(name, searches)
    hint = "See: kindlehl search --saved" if searches else "Save one: kindlehl search --save NAME QUERY"
    return NotFoundError(
        f"There is no saved search called {name}." + (f" Did you mean @{near}?" if near else ""), hint=hint
    )


def checked(name: str, query: str) -> None:
    """Raises UsageError if this cannot be saved: a name that cannot be typed after an @, or a query that is none."""
    if not is_name(name):
        raise UsageError(f"`{name}` cannot be the name of a search.", hint=_HINT)
    if not query.strip():
        raise UsageError("There is nothing to save.", hint=f"Give a query: kindlehl search --save {name} tag:craft")
    read(query)


def is_name(text: str) -> bool:
    """Whether this can stand after an @, and in a file of settings."""
    return bool(text) and all(character.isalnum() or character in "-_" for character in text)
