"""Merging: what a library shows goes into a file that a reader works in, and not a word of the reader's is touched.

Three texts meet, block by block: the *base* (what we last wrote), the *file* (what is there), and *ours* (what we would
write now). A block that is as we wrote it is ours to update or to take out; all else in the file is the reader's.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, NamedTuple, TypeAlias

from kindlehl.domain import front_matter
from kindlehl.domain.contract import HEAD

MARKER = re.compile(r"(?:^|[\s>])\^(kh-[0-9a-z-]+)[ \t]*$")
"""The end of a passage's last line, by which the passage is found again, whatever became of it."""
_HEADING = re.compile(r"#{1,6}([ \t]|$)")
_GONE = "gone"
_Whose: TypeAlias = Literal["ours", "base", "reader"]


class Piece(NamedTuple):
    """A block of a document: whole lines, without the empty ones around it."""

    name: str
    """What its marker says, without the `^`; a name of its own for what frames the passages."""
    text: str
    id: str = ""
    """A passage's id; "" for what frames the passages."""


class Known(NamedTuple):
    """What the base knows of a block."""

    id: str = ""
    lines: int = 0
    digest: str = ""
    """Of the lines as we last wrote them; "" where we never did, or cannot know: then they are the reader's."""
    declined: str = ""
    """Digest of what the reader's own form was last kept against, so that it is told once."""
    text: str = ""
    """The lines themselves of what frames the passages: it has no marker to be found by."""


@dataclass(slots=True)
class Base:
    """What we last wrote of one document."""

    pieces: dict[str, Known] = field(default_factory=dict[str, Known])
    """By name. One that is not in the file any more was taken out by the reader."""
    front: dict[str, str] = field(default_factory=dict[str, str])
    """Each key of the front matter with its lines."""


class Account(NamedTuple):
    """What a merge did, counted in passages."""

    added: int = 0
    updated: int = 0
    removed: int = 0
    kept: int = 0
    """Changed by the reader, and since then in the library too: the reader's words were kept."""


class Merged(NamedTuple):
    """The file as it shall be, the base for the next time, and what was done."""

    text: str
    base: Base
    account: Account


def digest(text: str) -> str:
    """Of a block's lines."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def new(front: str, ours: Sequence[Piece], without: Collection[str] = ()) -> Merged:
    """A document that is not there yet. The passages named in `without` are left out."""
    pieces = [piece for piece in ours if piece.name not in without]
    pieces = [piece for n, piece in enumerate(pieces) if piece.id or piece.name == HEAD or _heads_one(pieces, n)]
    base = Base({piece.name: _known(piece) for piece in pieces}, front_matter.of(front))
    return Merged(whole(front, pieces), base, Account(added=sum(bool(piece.id) for piece in pieces)))


def whole(front: str, pieces: Iterable[Piece]) -> str:
    """A document with nothing in it but ours."""
    return front + "".join([f"\n{piece.text}\n" for piece in pieces])


def merge(base: Base | None, file: str, front: str, ours: Sequence[Piece], without: Collection[str] = ()) -> Merged:
    """Bring a file up to date; `front` is our front matter with its fences.

    Without a base nothing in the file is ours to change: what is there stays, and passages that are not there are new.
    The passages named in `without` are not added.
    """
    page = _Page(file)
    head, fresh = page.lines[: page.body], front_matter.of(front)
    if base is None:
        front_base = front_matter.unknown("\n".join(page.bare[: page.body]), fresh)
    else:
        head, front_base = front_matter.merge(base.front, head, fresh, page.end)
    work = _Work(page, base or Base(), without, baseless=base is None)
    work.find(ours)
    work.bring_in(ours)
    work.take_out({piece.name for piece in ours})
    return Merged(page.ended([*head, *work.body()]), Base(work.pieces, front_base), work.account)


def names_in(text: str) -> set[str]:
    """The names of all passages that stand in a file in some form."""
    return set(_Page(text).markers)


def holds_as_written(text: str, base: Base, name: str) -> bool:
    """Whether a passage stands in a file as we last wrote it."""
    work = _Work(_Page(text), base, (), baseless=False)
    work.find(())
    return name in work.spans and work.spans[name].whose == "base"


def renamed(ours: Sequence[Piece], names: Mapping[str, str]) -> list[Piece]:
    """The same, with some passages under the names by which the file knows them: our name → its name."""
    return [
        Piece(names[piece.name], piece.text[: piece.text.rindex("^") + 1] + names[piece.name], piece.id)
        if piece.name in names
        else piece
        for piece in ours
    ]


def _known(piece: Piece) -> Known:
    _, text, id_ = piece
    return Known(id_, text.count("\n") + 1, digest(text), "", "" if id_ else text)


def _heads_one(pieces: Sequence[Piece], n: int) -> bool:
    """Whether a passage follows this heading before the next one."""
    return n + 1 < len(pieces) and bool(pieces[n + 1].id)


class _Span(NamedTuple):
    """Where a block of ours stands in the file, and in whose form: as we would write it, as we wrote it, or neither."""

    start: int
    stop: int
    whose: _Whose


class _Page:
    """A file as lines: with their ends, and without."""

    def __init__(self, file: str) -> None:
        self.end = "\r\n" if 2 * file.count("\r\n") > file.count("\n") else "\n"
        self.closed = file.endswith("\n") or not file
        whole = file if self.closed else file + self.end
        self.lines = [f"{line}\n" for line in whole.split("\n")[:-1]]
        self.bare = whole.replace("\r\n", "\n").split("\n")[:-1]
        self.body = front_matter.length(self.bare)
        self.markers: dict[str, list[int]] = {}
        for n in range(self.body, len(self.bare)):
            if "^kh-" in self.bare[n] and (found := MARKER.search(self.bare[n])):
                self.markers.setdefault(found[1], []).append(n)

    def rows(self, text: str) -> list[str]:
        """Lines of ours as they stand in this file."""
        return [f"{line}{self.end}" for line in text.split("\n")]

    def ended(self, lines: Iterable[str]) -> str:
        """The lines as a file that ends as it ended: with a line end, or without."""
        text = "".join(lines)
        return text if self.closed else text.removesuffix(self.end)

    def joined(self, start: int) -> bool:
        """Whether the reader has joined what begins at this line to what stands above."""
        if start <= self.body or not self.bare[start - 1].strip():
            return False
        above, first = self.bare[start - 1].lstrip(), self.bare[start].lstrip()
        return above.startswith(">") if first.startswith(">") else not _closes(above)

    def start_of(self, marker: int) -> int:
        """Where a passage that the reader changed begins, as far as can be told: the paragraph over its marker."""
        n = marker
        if MARKER.match(self.bare[n]):  # alone on its line
            while n > self.body and not self.bare[n - 1].strip():
                n -= 1
        while n > self.body and self.bare[n - 1].strip() and not _closes(self.bare[n - 1]):
            n -= 1
        return n

    def after(self, line: int) -> int:
        """Where something new goes that has nothing of ours below it: before the reader's next section, else behind
        the last words."""
        for n in range(line, len(self.bare)):
            if _HEADING.match(self.bare[n]):
                return n
        return self.words_end(line)

    def words_end(self, above: int) -> int:
        """The line after the last words of the file."""
        stop = len(self.bare)
        while stop > above and not self.bare[stop - 1].strip():
            stop -= 1
        return stop


def _closes(line: str) -> bool:
    """Whether a line ends what stands above, so that nothing below belongs to it."""
    return bool(_HEADING.match(line) or MARKER.search(line))


@dataclass(slots=True)
class _Work:
    """One merge under way."""

    page: _Page
    old: Base
    without: Collection[str]
    baseless: bool
    pieces: dict[str, Known] = field(default_factory=dict[str, Known])
    """The base for the next time."""
    account: Account = field(default_factory=Account)
    spans: dict[str, _Span] = field(default_factory=dict[str, _Span])
    """Every block of ours that is in the file in some form."""
    instead: dict[int, tuple[int, list[str]]] = field(default_factory=dict[int, tuple[int, list[str]]])
    """By the line where a block begins: the line after it, and what replaces it."""
    inserted: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    """By line: the texts that go before it."""

    def find(self, ours: Sequence[Piece]) -> None:
        """Note where each block is, and whose."""
        now = {piece.name: piece.text for piece in ours}
        for name, places in self.page.markers.items():
            if name in now or name in self.old.pieces:
                self.spans[name] = self._passage(name, now.get(name), places)
        exact = [span for span in self.spans.values() if span.whose != "reader"]
        claimed = {n for span in exact for n in range(span.start, span.stop)}
        # Of two headings that are equal the one is meant that we wrote: those come first.
        written = [name for name in now if name in self.old.pieces] + [
            name for name in self.old.pieces if name not in now
        ]
        for name in [*written, *(name for name in now if name not in self.old.pieces)]:
            before = self.old.pieces.get(name, Known())
            if name in self.spans or not (before.text or (name in now and not name.startswith("kh-"))):
                continue
            span = self._frame(now.get(name, ""), "ours", claimed) or self._frame(before.text, "base", claimed)
            if span is not None:
                self.spans[name] = span
                claimed.update(range(span.start, span.stop))
        for name, span in self.spans.items():
            if span.whose == "reader":  # it begins below whatever is certainly another block
                above = [n for n in range(span.start, span.stop) if n in claimed]
                self.spans[name] = span._replace(start=above[-1] + 1 if above else span.start)

    def _passage(self, name: str, now: str | None, places: Sequence[int]) -> _Span:
        page, before = self.page, self.old.pieces.get(name, Known())
        if now is not None:
            length = now.count("\n") + 1
            for n in places:
                if "\n".join(page.bare[max(page.body, n + 1 - length) : n + 1]) == now:
                    return _Span(n + 1 - length, n + 1, "ours")
        for n in places if before.digest else ():
            start = n + 1 - before.lines
            as_written = page.body <= start <= n and digest("\n".join(page.bare[start : n + 1])) == before.digest
            if as_written and not page.joined(start):
                return _Span(start, n + 1, "base")
        return _Span(page.start_of(places[0]), places[0] + 1, "reader")

    def _frame(self, text: str, whose: _Whose, claimed: Collection[int]) -> _Span | None:
        rows = text.split("\n")
        n = self.page.body - 1
        while text:
            try:
                n = self.page.bare.index(rows[0], n + 1)
            except ValueError:
                return None
            stop = n + len(rows)
            if self.page.bare[n:stop] == rows and not any(line in claimed for line in range(n, stop)):
                return _Span(n, stop, whose)
        return None

    def bring_in(self, ours: Sequence[Piece]) -> None:
        """Update what is there, and put what is new in its place: behind the nearest block before it that is there, and
        behind what the reader wrote below that one; else before the nearest after it; else at the end."""
        starts = sorted(span.start for span in self.spans.values())
        place: int | None = None
        waiting: list[str] = []
        for n, piece in enumerate(ours):
            span = self.spans.get(piece.name)
            if span is not None:
                self._meet(piece, span)
                self.inserted.setdefault(span.start, []).extend(waiting)
                waiting = []
                if place is not None and not piece.id and span.start < place:
                    continue  # a heading that is now above the passage before it tells nothing of what follows
                below = bisect_left(starts, span.stop)
                place = starts[below] if below < len(starts) else self.page.after(span.stop)
            elif piece.name in self.old.pieces:
                self.pieces[piece.name] = self.old.pieces[piece.name]  # the reader took it out
            elif self._is_wanted(ours, n):
                self.pieces[piece.name] = _known(piece)
                self._count(piece, added=1)
                (waiting if place is None else self.inserted.setdefault(place, [])).append(piece.text)
            elif self.baseless and not piece.id:
                self.pieces[piece.name] = Known()  # it was there once, or the reader wants none
        if waiting:
            self.inserted.setdefault(self.page.words_end(self.page.body), []).extend(waiting)

    def _meet(self, piece: Piece, span: _Span) -> None:
        """A block that is in the file and in the library."""
        before = self.old.pieces.get(piece.name, Known(piece.id))
        if span.whose == "reader":
            now = digest(piece.text)
            if before.digest and now not in (before.digest, before.declined):
                before = before._replace(declined=now)
                self._count(piece, kept=1)
            self.pieces[piece.name] = before
            return
        if span.whose == "base":
            self.instead[span.start] = (span.stop, self.page.rows(piece.text))
            self._count(piece, updated=1)
        self.pieces[piece.name] = _known(piece)

    def _is_wanted(self, ours: Sequence[Piece], n: int) -> bool:
        """Whether a block that is neither in the file nor in the base is to be written: a heading only if a passage
        stands under it."""
        if ours[n].id:
            return ours[n].name not in self.without
        if ours[n].name == HEAD:
            return not self.baseless
        for below in ours[n + 1 :]:
            if not below.id:
                break
            if below.name in self.spans:
                if not self.baseless:
                    return True
            elif below.name not in self.old.pieces and below.name not in self.without:
                return True
        return False

    def take_out(self, names: Collection[str]) -> None:
        """What the library shows no longer goes, unless the reader changed it."""
        for name, before in self.old.pieces.items():
            span = self.spans.get(name)
            if name in names:
                continue
            if span is None:
                self.pieces[name] = before
            elif span.whose == "base":
                self.instead[span.start] = (span.stop, [])
                self._count(Piece(name, "", before.id), removed=1)
            else:
                self._count(Piece(name, "", before.id), kept=int(before.digest != "" and before.declined != _GONE))
                self.pieces[name] = before._replace(declined=_GONE)

    def _count(self, piece: Piece, **more: int) -> None:
        if piece.id:
            counts = self.account._asdict()
            self.account = Account(**{name: counts[name] + more.get(name, 0) for name in counts})

    def body(self) -> list[str]:
        """The lines below the front matter, with an empty one between ours and whatever stands beside it."""
        lines, n = self.page.lines, self.page.body
        out, fenced = list[str](), n > 0
        apart = False
        while n <= len(lines):
            stop, rows = self.instead.get(n, (n + 1, lines[n : n + 1]))
            if (
                not rows
                and n < len(lines)
                and out
                and _is_blank(out[-1])
                and (stop >= len(lines) or _is_blank(lines[stop]))
            ):
                out.pop()  # the one that came with the block that goes
            for text in self.inserted.get(n, ()):
                if (out and not _is_blank(out[-1])) or (fenced and not out):
                    out.append(self.page.end)
                out += self.page.rows(text)
                apart = True
            if rows:
                if apart and not _is_blank(rows[0]):
                    out.append(self.page.end)
                apart = False
                out += rows
            n = stop
        return out


def _is_blank(line: str) -> bool:
    return not line.strip()
