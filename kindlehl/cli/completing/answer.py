"""The answer to a shell that asks what may stand where the cursor is. Names of commands and options come from a table
of the whole command line (`table.txt`), so that neither the app nor Typer is loaded for them."""

import os
import sys

from kindlehl.cli.completing import quoting

FILES = ":files"
"""The answer that leaves it to the shell to offer files."""


def main(arguments: list[str]) -> None:
    """Write the candidates: for bash LINE WORDBREAKS TYPE, for the others the words, the last with an = before it.

    Whatever goes wrong, nothing is said: a person is typing.
    """
    try:
        shell, *rest = arguments
        text = _bash(*rest) if shell == "bash" else _others(shell, rest)
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:  # noqa: BLE001 -- no library, a damaged one, a shell that asks oddly: no candidates
        sys.exit(1)


def _bash(line: str, breaks: str, kind: str) -> str:
    words, last = quoting.bash_words(line, breaks)
    found = candidates([*words[1:], last.typed])
    if found is None:
        return f"{FILES}\n"
    several = len(found) > 1
    lines: list[str] = []
    for value, meaning, _ in found:
        if not value.startswith(last.kept) or "\0" in value:
            continue
        # When bash only lists what there is, it inserts nothing: then there is room for what a word means.
        shown = f"  ({meaning})" if several and meaning and kind == "63" else ""
        lines.append(quoting.bash(value[len(last.kept) :], last) + shown + "\n")
    return "".join(lines)


def _others(shell: str, words: list[str]) -> str:
    *before, current = words
    typed = quoting.bare(current[1:]) if shell == "fish" else current[1:]
    found = candidates([*before, typed])
    if found is None:
        return FILES
    lines: list[str] = []
    for value, meaning, instead in found:
        if shell == "zsh":
            shown = f"{quoting.shown(value)}  ({meaning})" if meaning else quoting.shown(value)
            lines.append("" if "\0" in value else f"{value}\0{shown}\0")
            continue
        word = value if quoting.shown(value) == value else instead  # here no word may hold a tab or a line's end
        if word:
            written = quoting.powershell(word) if shell == "powershell" else word
            lines.append(f"{written}\t{meaning or quoting.shown(value)}\n")
    return "".join(lines)


Candidate = tuple[str, str, str]
"""A word, what it means, and a word that means the same and is plain (empty: there is none)."""


def candidates(words: list[str]) -> list[Candidate] | None:
    """What may stand in place of the last word, after the words before it. None: files."""
    place = Place(words[:-1])
    typed, prefix = words[-1], ""
    if place.awaited is not None:
        kind = place.awaited
    elif typed.startswith("--") and "=" in typed:
        name, typed = typed.split("=", 1)
        prefix, kind = f"{name}=", place.kind_of(name) or ""
    elif typed.startswith("-") and not place.only_words:
        return [(name, meaning, "") for name, meaning in place.options(typed) if name.startswith(typed)]
    elif place.is_group:
        return [(name, meaning, "") for name, meaning in place.commands() if name.startswith(typed)]
    else:
        kind = place.argument()
    if kind == "path":
        return None
    return [
        (prefix + value, meaning, prefix + instead if instead else "")
        for value, meaning, instead in _values(kind, typed, place.library)
        if quoting.begins(value, typed)
    ]


def _values(kind: str, typed: str, library: str | None) -> list[Candidate]:
    if kind.startswith("="):
        return [(choice, "", "") for choice in kind[1:].split("|")]
    if kind in ("", "free"):
        return []
    from kindlehl.cli.completing import values  # opens the library

    return values.of(kind, typed, library)


class Place:
    """Where on a command line the cursor is: in which command, and after what."""

    def __init__(self, before: list[str]) -> None:
        self.path, self.is_group, self.only_words = "", True, False
        self.library: str | None = None
        """What --library names, if it was given."""
        self.awaited: str | None = None
        """The kind of value that the option before the cursor needs."""
        self._option = ""
        self._given = 0
        self._lines = _table()
        for word in before:
            self._pass(word)

    def _pass(self, word: str) -> None:
        if self.awaited is not None:
            if self._option == "--library":
                self.library = word
            self.awaited = None
        elif word == "--":
            self.only_words = True
        elif word.startswith("-") and word != "-" and not self.only_words:
            name, equals, value = word.partition("=")
            self._option = name
            if equals and name == "--library":
                self.library = value
            self.awaited = None if equals else (self.kind_of(name) or None)
        elif self.is_group:
            self.path = f"{self.path} {word}".strip()
            self.is_group = any(
                fields[0] == "command" and fields[1] == self.path and fields[3] for fields in self._lines
            )
        else:
            self._given += 1

    def kind_of(self, option: str) -> str | None:
        """What the value of an option is; empty if it takes none, None if there is no such option here."""
        for fields in self._own_and_common("option"):
            if option in fields[2].split(","):
                return fields[3]
        return None

    def options(self, typed: str) -> list[tuple[str, str]]:
        """Every option that this command takes; short names only for who asks with a single -."""
        return [
            (name, fields[4])
            for fields in self._own_and_common("option")
            for name in fields[2].split(",")
            if name.startswith("--") or typed == "-"
        ]

    def commands(self) -> list[tuple[str, str]]:
        """What is in this group."""
        start = f"{self.path} ".lstrip()
        return [
            (fields[1][len(start) :], fields[2])
            for fields in self._lines
            if fields[0] == "command" and fields[1].startswith(start) and " " not in fields[1][len(start) :]
        ]

    def argument(self) -> str:
        """What the next word is."""
        kinds = [fields for fields in self._lines if fields[0] == "argument" and fields[1] == self.path]
        if self._given < len(kinds):
            return kinds[self._given][2]
        return kinds[-1][2] if kinds and kinds[-1][3] else ""

    def _own_and_common(self, what: str) -> list[list[str]]:
        own = [fields for fields in self._lines if fields[0] == what and fields[1] == self.path]
        if not self.path:
            return own
        taken = {name for fields in own for name in fields[2].split(",")}
        common = [fields for fields in self._lines if fields[0] == what and fields[1] == "*"]
        return own + [fields for fields in common if taken.isdisjoint(fields[2].split(","))]


def _table() -> list[list[str]]:
    with open(os.path.join(os.path.dirname(__file__), "table.txt"), encoding="utf-8") as stream:  # noqa: PTH118, PTH120, PTH123 -- pathlib takes longer to load than all of this
        return [line.rstrip("\n").split("\t") for line in stream]
