"""What people read in a terminal, and what programs read from a pipe."""

import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TextIO

from kindlehl.domain.library import Highlight

if TYPE_CHECKING:
    from kindlehl.domain.difference import Piece

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
COLORS = {
    "yellow": "33", "blue": "34", "pink": "35", "orange": "33", "red": "31", "green": "32", "purple": "35",
    "gray": "90", "olive": "33", "cyan": "36",
}  # fmt: skip
"""Names of colours, and how a terminal shows them."""
SHORT_ID = 8


class Terminal:
    """A stream with its width, and whether it takes colour."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.is_terminal = self.stream.isatty()
        self.width = min(self._columns(), 100) if self.is_terminal else 80
        self.colored = self._colored()

    def _columns(self) -> int:
        given = os.environ.get("COLUMNS", "")
        if given.isdecimal() and int(given):
            return int(given)
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or 80
        except OSError:
            return 80

    def _colored(self) -> bool:
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return False
        return bool(os.environ.get("FORCE_COLOR")) or self.is_terminal

    def style(self, text: str, code: str) -> str:
        """Text in an ANSI style, where colour is taken."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colored and text else text

    def print(self, *lines: str) -> None:
        """Lines."""
        self.stream.writelines(line + "\n" for line in lines)


def clean(text: str) -> str:
    """A text without the characters by which a book could command a terminal."""
    return _CONTROL.sub("\ufffd", text.replace("\r", " ").replace("\t", " "))


def one_line(text: str | None) -> str:
    """A text as a single line without tabs, for `--plain`."""
    return " ".join(clean((text or "").replace("\n", " ")).split())


def cells(text: str) -> int:
    """The columns that a text takes in a terminal."""
    return len(text) if text.isascii() else sum(map(_columns, text))


@lru_cache(maxsize=8192)
def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrapped(text: str, width: int, *, whole: bool = False) -> Iterator[str]:
    """Lines of at most `width` columns; broken at spaces, or anywhere in scripts that have none. `whole`: no word is
    broken, however long: who breaks a path keeps people from copying it."""
    for paragraph in clean(text).split("\n"):
        line, used = "", 0
        for word in _words(paragraph, width):
            size = cells(word.rstrip())
            if line and used + size > width:
                yield line.rstrip()
                line, used = "", 0
            while size > width and not whole:
                head = _fitting(word, width - used)
                yield line + head
                word, line, used = word[len(head) :], "", 0
                size = cells(word.rstrip())
            line += word
            used += cells(word)
        yield line.rstrip()


_COMMAND = re.compile(r"(?:^|(?<=: ))kindlehl(?: [^\s(]*[^\s(.,;])+\S*\s*|\S+\s*|\s+")


def _words(paragraph: str, width: int) -> Iterator[str]:
    """What a line is made of. A command that follows a colon is one word where a line holds it: who copies it copies
    one line."""
    if "kindlehl " not in paragraph:
        yield from re.findall(r"\S+\s*|\s+", paragraph)
        return
    for part in _COMMAND.findall(paragraph):
        yield from [part] if cells(part.rstrip()) <= width else re.findall(r"\S+\s*|\s+", part)


def hanging(text: str, width: int, indent: str) -> Iterator[str]:
    """Lines of at most `width` columns, those after the first indented."""
    lines = list(wrapped(one_line(text), width))
    yield lines[0]
    yield from (indent + line for line in wrapped(" ".join(lines[1:]), width - len(indent)) if line)


def naming(terminal: Terminal, sentence: str, path: str) -> list[str]:
    """A sentence that ends in a path. Where both do not fit the terminal the path has a line of its own."""
    line = f"{sentence}: {clean(path)}"
    if not terminal.is_terminal or cells(line) <= terminal.width:
        return [line]
    return [*outlined(f"{sentence}:", terminal.width), clean(path)]


def told(terminal: Terminal, sentence: str, *, whole: bool = False) -> list[str]:
    """A sentence, as wide as a terminal is; elsewhere on one line, since who reads a log searches it for sentences."""
    return list(outlined(sentence, terminal.width, whole=whole)) if terminal.is_terminal else [clean(sentence)]


def outlined(text: str, width: int, *, whole: bool = False) -> Iterator[str]:
    """A line that may be indented, as lines of at most `width` columns; those after the first are indented further."""
    body = text.lstrip()
    indent = text[: len(text) - len(body)]
    first, *others = wrapped(body, width - len(indent) - 2, whole=whole)
    yield indent + first
    yield from (f"{indent}  {line}" for line in others)


def difference(pieces: "Iterable[Piece]") -> str:
    """Two versions of a text in one, as `git diff --word-diff` shows them: [-gone-], {+new+}. Needs no colour."""
    marks = {"same": "{}", "gone": "[-{}-]", "new": "{{+{}+}}"}
    return "".join(marks[piece.change].format(piece.text) for piece in pieces)


def local(at: str | None) -> str:
    """A UTC time of ours in this computer's own time zone, to the minute."""
    if at is None:
        return "no date"
    from datetime import datetime  # most lists show what devices wrote, which is never moved

    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return one_line(at)


def _fitting(word: str, width: int) -> str:
    used = 0
    for n, c in enumerate(word):
        used += cells(c)
        if used > width:
            return word[: max(n, 1)]
    return word


def position(h: Highlight) -> str:
    """Where a passage is, as far as known: "page 12 · location 130–131"."""
    parts: list[str] = []
    if h.page:
        parts.append(f"page {clean(h.page)}")
    if h.location_start is not None:
        end = f"–{h.location_end}" if h.location_end not in (None, h.location_start) else ""
        parts.append(f"location {h.location_start}{end}")
    return " · ".join(parts)


def details(h: Highlight, *, kind: bool = True) -> str:
    """What is known of a passage, on one line."""
    parts = [h.kind if kind and h.kind != "highlight" else "", position(h), (h.added_at or "").replace("T", " ")]
    parts += [h.color or "", *(f"#{clean(tag)}" for tag in h.tags), "★" if h.favorite else ""]
    parts += ["cut by the publisher's limit" if h.truncated else "", *(f"{name} in conflict" for name in h.conflicts)]
    return one_line(" · ".join(part for part in parts if part))


def heading(terminal: Terminal, title: str, author: str | None) -> list[str]:
    """A book's title and author: on one line, or wrapped where the terminal is narrow."""
    name, by = one_line(title), f" — {one_line(author)}" if author else ""
    if cells(name + by) <= terminal.width:
        return [terminal.style(name, "1") + by]
    return [
        *(terminal.style(line, "1") for line in wrapped(name, terminal.width)),
        *wrapped(by.strip(), terminal.width),
    ]


def passage(
    terminal: Terminal, h: Highlight, text: str, note: str | None, marks: Sequence[tuple[int, int]] = ()
) -> Iterator[str]:
    """One passage: short id, text, what is known of it, and its note."""
    margin = " " * (SHORT_ID + 2)
    width = max(20, terminal.width - len(margin))
    body = list(wrapped(text, width)) if text else []
    code = COLORS.get(h.color or "")
    if marks:
        body = _marked(terminal, text, marks, width)
    lead = terminal.style(h.id[:SHORT_ID], "2") + "  "
    for n, line in enumerate(body):
        yield (margin if n else lead) + line
    if note:
        for n, line in enumerate(wrapped(note, width - 6)):
            yield (margin if body or n else lead) + ("      " if n else terminal.style("note: ", "36")) + line
    if not body and not note:
        yield lead + h.kind
    known = details(h, kind=bool(body or note))
    if known:
        for line in wrapped(known, width):
            yield margin + terminal.style(line, code or "2")


_ON, _OFF = "\u2060\u2061", "\u2061\u2060"  # invisible, so that marked text wraps like any other


def _marked(terminal: Terminal, text: str, marks: Sequence[tuple[int, int]], width: int) -> list[str]:
    """Wrapped lines in which what was found stands out."""
    if not terminal.colored:
        return list(wrapped(text, width))
    out, last = "", 0
    for begin, end in marks:
        if begin >= last:
            out += f"{text[last:begin]}{_ON}{text[begin:end]}{_OFF}"
            last = end
    styled: list[str] = []
    within = False
    for line in wrapped(out + text[last:], width):
        reopened = "\x1b[1;33m" if within else ""
        if _ON in line or _OFF in line:
            within = line.rfind(_ON) > line.rfind(_OFF)
        shown = line.replace(_ON, "\x1b[1;33m").replace(_OFF, "\x1b[0m")
        styled.append(reopened + shown + ("\x1b[0m" if within else ""))
    return styled


def plain(h: Highlight) -> str:
    """A passage on one line: id, kind, title, author, page, location, time, colour, tags, text, note; tab-separated."""
    location = "-".join(str(end) for end in (h.location_start, h.location_end) if end is not None)
    fields = (
        h.id, h.kind, h.title, h.author, h.page, location, h.added_at, h.color, " ".join(h.tags), h.text, h.note,
    )  # fmt: skip
    return "\t".join(one_line(field) for field in fields)


def write_json(schema: str, items: Iterable[dict[str, Any]], stream: TextIO, **more: Any) -> None:
    """One document, streamed: `{"schema": …, "items": […]}`."""
    head = _encoded({"schema": schema, **more}, stream)
    stream.write(head[:-1] + ', "items": [')
    stream.writelines((",\n" if n else "\n") + _encoded(entry, stream) for n, entry in enumerate(items))
    stream.write("\n]}\n")


def write_object(schema: str, **fields: Any) -> None:
    """One document that is no list, on one line: `{"schema": …, …}`."""
    sys.stdout.write(_encoded({"schema": schema, **fields}, sys.stdout) + "\n")


def write_jsonl(items: Iterable[dict[str, Any]], stream: TextIO) -> None:
    """One object a line."""
    stream.writelines(_encoded(entry, stream) + "\n" for entry in items)


def _encoded(value: dict[str, Any], stream: TextIO) -> str:
    """As JSON. Escaped where the stream is not UTF-8, as JSON has to be, or where a path is no text: a program gets no
    stand-ins."""
    import json  # people read most of what is written

    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode("utf-8" if (stream.encoding or "utf-8").lower() == "utf-8" else "ascii")
    except UnicodeEncodeError:
        return json.dumps(value)
    return text
