"""Clippings in a stream of text: where one ends and the next begins, whatever the language."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

LIMIT = 1024 * 1024
"""Characters of one entry. What goes beyond comes as entries of their own, with a fault, of at most this size: nothing
is dropped, and memory does not grow."""

LONGEST_META = 400
"""Characters of a line that may be a meta line; the longest real ones have about 120."""

SEPARATOR = "\n==========\n"

NO_META = "No line in it says place and date."
TOO_LONG = "It is what is left of an entry too long to be a clipping."

_INVISIBLE = "[\u200b-\u200f\u202a-\u202e\u2060-\u2069]*"
_BULLET = re.compile(rf"{_INVISIBLE}[-–—]{_INVISIBLE}[ \u00a0\u202f]")
_INNER_BULLET = re.compile(rf"\n(?={_BULLET.pattern})")
_DIGIT = re.compile(r"\d")
_RULE = "=========="
_LONGEST_JOINED = 64 * 1024  # characters of a text put together again; bounds the work as well as the memory
# Nearly every entry: title, meta line, blank line, one line of text.
_PLAIN = re.compile(rf"(?!{_RULE}\n)([^\s][^\n]*)\n([-–] [^\n]{{0,{LONGEST_META - 2}}})\n\n([^\n]*)")


class Block(NamedTuple):
    """One entry of the file, its parts as written but for line ends."""

    line: int
    """The line of the file, from 1, where it begins."""
    title: str
    meta: str
    body: str
    """What follows the meta line, without blank lines before it and white space after it."""
    fault: str | None = None
    """Why it is no clipping in any language; all of it is in `body` then."""


class _Run(NamedTuple):
    """What stands between two separators, or a piece of it."""

    line: int
    text: str
    ended: bool
    """A separator follows."""
    overflow: bool
    """It goes on where a run was cut for its length."""


def blocks(texts: Iterable[str], limit: int = LIMIT) -> Iterator[Block]:
    """The entries of a file whose text comes in pieces, cut anywhere.

    What an entry is may not depend on the language, for its id depends on it, and a language learnt later must change
    no id. So a meta line is known here by its shape: a dash, a digit, a bar, a digit; or just the dash, where a blank
    line follows. Between two separators stands one entry: title, meta line, body. Another begins inside it where a
    title and a meta line follow a blank line (files without separators), a separator glued to the title (files joined
    by hand) or anything that is no entry.

    What has no meta line is text of the entry before it, which then holds a line `==========` itself; unless that entry
    has no text, or no separator follows, which means that the file was cut there. Then it is an entry with a fault. So
    nothing is looked at but the entry and what follows the next separator. White space alone is no entry.
    """
    held: Block | None = None
    for run in _runs(texts, limit):
        for block, ended in _entries(run):
            if held:
                if block.fault == NO_META and ended and held.body and not held.fault:
                    body = held.body + SEPARATOR + block.body
                    if len(body) <= min(limit, _LONGEST_JOINED):
                        held = held._replace(body=body)
                        continue
                yield held
            held = block
    if held:
        yield held


def _runs(texts: Iterable[str], limit: int) -> Iterator[_Run]:
    rest = _Run(0, "\n", False, False)  # a line end before the first line, so that a separator can stand there
    for text in chain(texts, ("\n",)):
        line, overflow = rest.line, rest.overflow
        *whole, last = (rest.text + text).split(SEPARATOR)
        for run in whole:
            if len(run) <= limit:
                yield _Run(line, run, True, overflow)
            else:
                yield from _shortened(_Run(line, run, True, overflow), limit)
            line += run.count("\n") + 2
            overflow = False
        # Only what is so long that no separator can begin within the limit may be cut before more text is known.
        *pieces, rest = _shortened(_Run(line, last, False, overflow), limit, slack=len(SEPARATOR))
        yield from pieces
    yield from _shortened(rest, limit)


def _shortened(run: _Run, limit: int, slack: int = 0) -> list[_Run]:
    """The run, or where it is too long its pieces: cut before the last entry that begins inside, or at the limit."""
    runs: list[_Run] = []
    while len(run.text) > limit + slack:
        line, text, ended, overflow = run
        end, start = (_inner(text[:limit], whole_lines=True) or [(limit, limit)])[-1]
        runs.append(_Run(line, text[:end], False, overflow))
        run = _Run(line + text.count("\n", 0, start), text[start:], ended, start == limit)
    return [*runs, run]


def _entries(run: _Run) -> Iterable[tuple[Block, bool]]:
    """The entries of a run, each with whether a separator follows."""
    line, text, ended, overflow = run
    if not overflow and (plain := _PLAIN.fullmatch(text)):
        title, meta, body = plain.groups()
        return ((Block(line, title, meta.rstrip(" \t"), body.rstrip(" \t")), ended),)
    found: list[tuple[Block, bool]] = []
    start = 0
    for end, following in (*_inner(text), (len(text), len(text))):
        block = _block(line, text[start:end], overflow)
        if block:
            found.append((block, ended and end == len(text)))
        line += text.count("\n", start, following)
        start, overflow = following, False
    return found


def _block(line: int, text: str, overflow: bool) -> Block | None:
    if not overflow:
        start = _content(text)
        if text.startswith(_RULE + "\n", start) or text[start:] == _RULE:
            start = _content(text, start + len(_RULE))
        line += text.count("\n", 0, start)
        text = text[start:]
    text = text.rstrip(" \t\n")
    if not text:
        return None
    if overflow:
        return Block(line, "", "", text, TOO_LONG)
    title, meta, body = (*text.split("\n", 2), "", "")[:3]
    if not _opens(meta, body):
        if not _is_meta(title):
            return Block(line, "", "", text, NO_META)
        title, meta, body = "", title, text[len(title) + 1 :]
    return Block(line, title, meta.rstrip(" \t"), body[_content(body) :])


def _inner(text: str, whole_lines: bool = False) -> list[tuple[int, int]]:
    """Where further entries begin inside a text: the end of what is before each, and the start of its title."""
    found: list[tuple[int, int]] = []
    entry, framed = 0, _has_meta(text)
    for match in _INNER_BULLET.finditer(text):
        end = text.find("\n", match.end())
        if (end < 0 and whole_lines) or not _is_meta(text[match.end() : end if end >= 0 else None]):
            continue
        start = text.rfind("\n", entry, match.start()) + 1
        title = text[start : match.start()]
        if start <= entry or not title.strip(" \t"):
            continue
        if title.startswith(_RULE) and title[len(_RULE) :].strip("= \t"):
            found.append((start, start + len(_RULE)))
        elif _is_blank_before(text, entry, start) or not framed:
            found.append((start, start))
        else:
            continue
        entry, framed = found[-1][1], True
    return found


def _content(text: str, start: int = 0) -> int:
    """Where the first line begins that is not blank; the end of the text if none does."""
    letter = len(text) - len(text[start:].lstrip(" \t\n"))
    return max(start, text.rfind("\n", start, letter) + 1) if letter < len(text) else letter


def _is_blank_before(text: str, entry: int, start: int) -> bool:
    above = max(entry, text.rfind("\n", entry, start - 1) + 1)
    return not text[above:start].strip(" \t\n")


def _has_meta(text: str) -> bool:
    """Whether the first entry of a text has a meta line."""
    _, meta, body = (*text.lstrip("\n").split("\n", 2), "", "")[:3]
    return _opens(meta, body)


def _opens(meta: str, body: str) -> bool:
    """Whether a second line is a meta line, seeing what follows it."""
    if _is_meta(meta):
        return True
    return len(meta) <= LONGEST_META and bool(_BULLET.match(meta)) and body.lstrip(" \t")[:1] in ("", "\n")


def _is_meta(line: str) -> bool:
    """Whether a line has the shape of a meta line: a dash, a digit, a bar, a digit."""
    if len(line) > LONGEST_META or not _BULLET.match(line):
        return False
    place, _, date = line.rpartition("|")
    return bool(_DIGIT.search(place) and _DIGIT.search(date))
