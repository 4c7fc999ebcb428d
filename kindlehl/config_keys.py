"""The keys of a configuration: for each its type, its default and a sentence, and what is wrong with a value."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeGuard

from kindlehl.domain.errors import UsageError
from kindlehl.domain.retention import Retention, parse_retention


class Kind(NamedTuple):
    """What values a key takes."""

    name: str
    """As a person reads it: "a path"."""
    types: tuple[type, ...]
    """As TOML has them."""
    from_text: Callable[[str], object]
    """A value as a shell or an environment gives it. Raises ValueError."""
    check: Callable[[object], object]
    """Raises ValueError or UsageError where a value of the right type is still none."""


def is_table(value: object) -> TypeGuard[dict[str, object]]:
    """Whether a value of TOML is a table."""
    return isinstance(value, dict)


def _seconds(value: object) -> float:
    number = float(str(value))
    if isinstance(value, bool) or not 0 <= number <= 86_400:  # also refuses what is not a number
        raise ValueError(value)
    return number


def _number(text: str) -> float:
    return int(text) if text.isdigit() else float(text)


def _filled(value: object) -> object:
    if not str(value).strip() or "\0" in str(value):
        raise ValueError(value)
    return value


def _retention(value: object) -> Retention:
    return parse_retention(str(value))


PATH = Kind("a path", (str,), str, _filled)
TEXT = Kind("a text", (str,), str, _filled)
SECONDS = Kind("a number of seconds, 0 to 86400", (int, float), _number, _seconds)
RETENTION = Kind("a text such as 7d,4w,12m", (str,), str, _retention)


class Key(NamedTuple):
    """One value that can be set."""

    name: str
    kind: Kind
    default: str
    """In words, for the documentation."""
    meaning: str
    """One sentence."""
    flag: str | None = None
    """The option that comes before everything else."""

    @property
    def variable(self) -> str:
        """The variable of the environment that sets it."""
        return "KINDLEHL_" + self.name.upper().replace(".", "_")


class Table(NamedTuple):
    """A table whose names are the reader's own."""

    name: str
    whole: bool
    """Whether each name stands for a table of its own, or for a text."""
    meaning: str


KEYS = {
    key.name: key
    for key in (
        Key("library", PATH, "`library.db` in the user's folder for data", "The library's file.", "--library"),
        Key("device", TEXT, "the host name", "The name of this device, by which your edits say where they were made."),
        Key(
            "wait", SECONDS, "10", "How long to wait for another kindlehl that writes to the library, or for a server.",
            "--wait",
        ),
        Key("backup.folder", PATH, "`backups` in the user's folder for data", "Where `kindlehl db backup` writes."),
        Key(
            "backup.keep", RETENTION, "all are kept",
            "Which backups `kindlehl db backup` keeps: the last of so many days, weeks, months and years.", "--keep",
        ),
    )
}  # fmt: skip
TABLES = {
    table.name: table
    for table in (
        Table("searches", False, "Searches under a name of your own: `walks = 'walden -winter'`."),
        Table("export", True, "What an export under a name of your own does: `[export.vault]`, then its options."),
    )
}


class Wrong(NamedTuple):
    """What cannot be used of a file."""

    key: str
    sentence: str
    """What is wrong with it; follows the name of the file and the line."""


def flat(document: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """The values of a document by dotted name; tables of the reader's own as they are."""
    for name, value in document.items():
        if is_table(value) and name not in TABLES and name not in KEYS:
            yield from ((f"{name}.{key}", below) for key, below in value.items())
        else:
            yield name, value


def checked(document: Mapping[str, object]) -> tuple[dict[str, object], list[Wrong]]:
    """What of a document can be used, by dotted name, and what cannot."""
    good: dict[str, object] = {}
    wrong: list[Wrong] = []
    for name, value in flat(document):
        if name in TABLES:
            good[name], sentences = _own(TABLES[name], value)
            wrong += sentences
        elif name in KEYS:
            if (sentence := mistake(KEYS[name], value)) is None:
                good[name] = value
            else:
                wrong.append(Wrong(name, sentence))
        else:
            wrong.append(Wrong(name, f"there is no key {name}.{_nearest(name)}"))
    return good, wrong


def mistake(key: Key, value: object) -> str | None:
    """What is wrong with a value, or None."""
    right = isinstance(value, key.kind.types) and not isinstance(value, bool)
    try:
        if right:
            key.kind.check(value)
    except (ValueError, OverflowError, UsageError):
        right = False
    return None if right else f"{key.name} has to be {key.kind.name}."


def _own(table: Table, value: object) -> tuple[dict[str, object], list[Wrong]]:
    if not is_table(value):
        return {}, [Wrong(table.name, f"{table.name} has to be a table: [{table.name}].")]
    expected, what = (dict, f"a table: [{table.name}.NAME]") if table.whole else (str, "a text")
    bad = [name for name, entry in value.items() if not isinstance(entry, expected)]
    good = {name: entry for name, entry in value.items() if name not in bad}
    return good, [Wrong(f"{table.name}.{name}", f"{table.name}.{name} has to be {what}.") for name in bad]


def _nearest(name: str) -> str:
    from difflib import get_close_matches  # only where somebody mistyped

    near = get_close_matches(name, [*KEYS, *TABLES], 1)
    return f" Did you mean {near[0]}?" if near else ""


def value_of(name: str, text: str) -> object:
    """A value that was given as text: on the command line or in the environment. Raises UsageError."""
    if not f"{name}{text}".isprintable():
        raise UsageError("A key and its value are a line of text.", hint="For more use `kindlehl config edit`.")
    if name in KEYS:
        key = KEYS[name]
        try:
            value = key.kind.from_text(text)
        except (ValueError, OverflowError):
            value = None
        if mistake(key, value):
            raise UsageError(f"{name} has to be {key.kind.name}.", hint=key.meaning)
        return value
    table, _, own = name.partition(".")
    if table not in TABLES or not own or (TABLES[table].whole and "." not in own):
        raise UsageError(f"There is no key {name}.{_nearest(name)}", hint="`kindlehl config show` lists the keys.")
    return _toml(text) if TABLES[table].whole else text


def _toml(text: str) -> object:
    """A value as TOML writes it, such as true, 3 or ["a"]; anything else is a text."""
    import tomllib  # only for what is not a plain text

    if not re.match(r"[\[\d+\-\"'tf]", text) or "\n" in text:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        return text


def line_of(text: str, name: str) -> int | None:
    """The line of a TOML text on which a key is set or a table begins, where that can be told."""
    table, header = "", None
    for number, line in enumerate(text.split("\n"), 1):
        if begins := re.match(r"\s*\[+([^\]#]+)\]", line):
            table = _bare(begins[1])
            header = number if header is None and table == name else header
        elif sets := re.match(r"([\w\-.\"'\s]+)=", line):
            key = _bare(sets[1])
            if name == (f"{table}.{key}" if table else key):
                return number
    return header


def _bare(name: str) -> str:
    return re.sub(r"[\"'\s]", "", name)
