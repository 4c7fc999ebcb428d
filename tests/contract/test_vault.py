"""A reader works in a vault while a library changes and is exported: whatever happens, the reader's words stay.

The reader here is one who does everything: writes between blocks and into them, moves, copies, joins and deletes them,
renames and deletes files, breaks front matter. What is checked knows nothing of how the merge works: it knows only what
the exporter ever rendered; every line of a file that is no such text is the reader's.
"""

import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from kindlehl.domain.contract import Document, Shelf
from kindlehl.domain.facts import Id, record_id
from kindlehl.domain.library import Book, Highlight
from kindlehl.services.exporting import ChosenBooks, export_to_folder
from kindlehl_exporters.markdown import MarkdownExporter

HISTORIES = 2_000 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else 200
MARKER = re.compile(r"(?:^|[\s>])\^(kh-[0-9a-z-]+)[ \t]*$", re.MULTILINE)
CHAPTERS = (None, None, "Economy", "Sounds", "Solitude")
WORDS = ("bread", "pond", "bean-field", "ice", "owl", "loon")


class Recording(MarkdownExporter):
    """The exporter, and all that it ever rendered."""

    def __init__(self) -> None:
        super().__init__()
        self.rendered: set[str] = set()
        """Every block, and every line of a front matter."""
        self.orders: dict[Id, list[str]] = {}
        """Of each book the names of its passages, in order, as they were rendered last."""

    def render(self, shelf: Shelf) -> Iterator[Document]:
        """As it does, and remembered."""
        for document in super().render(shelf):
            blocks = list(document.blocks)
            texts = [block.data.decode().strip("\n") for block in blocks]
            self.rendered.update(texts[1:])
            self.rendered.update(row for row in texts[0].split("\n") if row)
            self.orders[document.id] = [name for text in texts[1:] for name in names(text)]
            yield replace(document, blocks=blocks)


class Shelved:
    """A library as far as an export asks it: books and passages in any order, so that anything can happen to them."""

    def __init__(self) -> None:
        self.held: dict[Book, list[Highlight]] = {}
        self.shelf = self

    def books(self, *, hidden: bool = False) -> list[Book]:  # noqa: D102 -- the port says it
        return [
            replace(book, highlights=len(held), last_at=max((h.added_at or "" for h in held), default=""))
            for book, held in self.held.items()
        ]

    def titles(self, *, hidden: bool = False) -> list[tuple[Id, str, str | None]]:  # noqa: D102
        return [(book.id, book.title, book.author) for book in self.held]

    def highlights(self, wanted: Any) -> Iterator[Highlight]:  # noqa: D102
        return (each for book, held in self.held.items() if book.id in wanted.books for each in held)

    def get(self, id_: Id) -> Highlight | None:  # noqa: D102
        return next((each for held in self.held.values() for each in held if each.id == id_), None)

    def members(self, id_: Id) -> Sequence[Id]:  # noqa: D102
        return [id_]


def names(text: str) -> list[str]:
    return MARKER.findall(text.replace("\r\n", "\n"))


numbers = st.integers(0, 1_000)


class Vault(RuleBasedStateMachine):
    """One history."""

    @initialize()
    def begin(self) -> None:
        """A book of three passages, exported once."""
        self.root = Path(tempfile.mkdtemp())
        self.library = Shelved()
        self.exporter = Recording()
        self.fresh = 0
        self.deleted: set[str] = set()
        self.copied: set[str] = set()
        """What the reader has carried about: it may be anywhere."""
        self.shown: set[str] = set()
        self.forgotten: set[str] = set()
        """What the library did not hold when something was exported: if it comes back there, it is new."""
        self.deleted_in_library: list[tuple[Book, Highlight]] = []
        self.joined: list[tuple[Book, set[Id]]] = []
        self.add_book()
        for n in range(3):
            self.mark(0, n, n)
        self.export_all()

    def teardown(self) -> None:
        """Nothing is left behind."""
        shutil.rmtree(getattr(self, "root", "/nonexistent"), ignore_errors=True)

    # -- the library ----------------------------------------------------------------------------------------------

    def new(self) -> int:
        """A number that was not there."""
        self.fresh += 1
        return self.fresh

    def books(self) -> list[Book]:
        """Those of the library, in order."""
        return list(self.library.held)

    @rule()
    @precondition(lambda self: len(self.library.held) < 3)
    def add_book(self) -> None:
        """Another book, with a passage."""
        n = self.new()
        book = Book(record_id("book", str(n)), f"Book {n % 2}", f"Author {n}")
        self.library.held[book] = []
        self.mark(len(self.library.held) - 1, 0, n)

    @rule(book=numbers, place=numbers, words=numbers)
    def mark(self, book: int, place: int, words: int) -> None:
        """A passage somewhere in a book."""
        of = self.books()[book % len(self.library.held)]
        n = self.new()
        text = f"Passage {n} of {WORDS[words % len(WORDS)]}.\n\nIt goes on." if words % 4 == 0 else f"Passage {n}."
        made = Highlight(
            record_id("passage", str(n)), "highlight", of.id, of.title, of.author, text,
            chapter=CHAPTERS[words % len(CHAPTERS)], added_at=f"2024-01-0{n % 9 + 1}T10:00:00",
            tags=(WORDS[words % 3],) if words % 3 else (),
        )  # fmt: skip
        held = self.library.held[of]
        held.insert(place % (len(held) + 1), made)

    def some(self, book: int, passage: int) -> tuple[list[Highlight], int] | None:
        """The passages of some book, and the place of one."""
        held = self.library.held[self.books()[book % len(self.library.held)]]
        return (held, passage % len(held)) if held else None

    @rule(book=numbers, passage=numbers, how=st.sampled_from(["text", "note", "tags", "chapter"]))
    def change(self, book: int, passage: int, how: str) -> None:
        """A passage is edited in the library."""
        if found := self.some(book, passage):
            held, n = found
            value: Any = f"Changed {self.new()}."
            value = {"tags": (f"tag{self.fresh % 4}",), "chapter": CHAPTERS[self.fresh % 5]}.get(how, value)
            held[n] = replace(held[n], **{how: value})

    @rule(book=numbers, passage=numbers)
    def remove(self, book: int, passage: int) -> None:
        """A passage is deleted in the library."""
        if found := self.some(book, passage):
            held, n = found
            book_ = self.books()[book % len(self.library.held)]
            self.deleted_in_library.append((book_, held.pop(n)))

    @rule(place=numbers)
    @precondition(lambda self: self.deleted_in_library)
    def restore(self, place: int) -> None:
        """And comes back."""
        book, back = self.deleted_in_library.pop()
        if book in self.library.held:
            held = self.library.held[book]
            held.insert(place % (len(held) + 1), back)

    @rule(one=numbers, passage=numbers, other=numbers)
    def to_another_book(self, one: int, passage: int, other: int) -> None:
        """A passage turns out to be another book's."""
        if found := self.some(one, passage):
            held, n = found
            of = self.books()[other % len(self.library.held)]
            moved = replace(held.pop(n), book=of.id)
            self.library.held[of].append(moved)

    @rule(one=numbers, passage=numbers, other=numbers)
    def reshelve(self, one: int, passage: int, other: int) -> None:
        """The same, and only that book is exported."""
        self.to_another_book(one, passage, other)
        self.export_one(other)

    @rule(one=numbers, other=numbers)
    @precondition(lambda self: len(self.library.held) > 1)
    def join_books(self, one: int, other: int) -> None:
        """Two books turn out to be one, which is called like the other."""
        books = self.books()
        gone = books.pop(one % len(books))
        of = books[other % len(books)]
        moved = [replace(each, book=of.id) for each in self.library.held.pop(gone)]
        self.library.held[of] += moved
        self.joined.append((gone, {each.id for each in moved}))

    @rule()
    @precondition(lambda self: self.joined)
    def part_books(self) -> None:
        """They are two again: an undo, or the reader's second thought."""
        back, ids = self.joined.pop()
        parted = [replace(h, book=back.id) for held in self.library.held.values() for h in held if h.id in ids]
        for book, held in self.library.held.items():
            self.library.held[book] = [h for h in held if h.id not in ids]
        self.library.held[back] = parted

    @rule(book=numbers)
    def retitle(self, book: int) -> None:
        """A book gets another title."""
        of = self.books()[book % len(self.library.held)]
        named = replace(of, title=f"Title {self.new() % 3}")
        self.library.held = {(named if each is of else each): held for each, held in self.library.held.items()}
        self.deleted_in_library = [(named if b is of else b, h) for b, h in self.deleted_in_library]

    # -- the reader -----------------------------------------------------------------------------------------------

    def files(self) -> list[Path]:
        """Every file a reader sees."""
        return sorted(p for p in self.root.rglob("*.md") if not p.relative_to(self.root).parts[0].startswith("."))

    def edit(self, number: int, change: Callable[[list[str], int], list[str] | None], at: int = 0) -> None:
        """Change the lines of some file below its front matter."""
        files = self.files()
        if not files:
            return
        path = files[number % len(files)]
        text = path.read_bytes().decode()
        end = "\r\n" if "\r\n" in text else "\n"
        lines = text.split(end)
        body = lines.index("---", 1) + 1 if lines[0].lstrip("\ufeff") == "---" and "---" in lines[1:] else 0
        changed = change(lines[body:], at)
        if changed is not None:
            path.write_bytes(end.join([*lines[:body], *changed]).encode())

    @rule(file=numbers, at=numbers, how=st.sampled_from(["{0}", "## {0}", "> {0}", "{0}\n\n{0} b", "\n{0}\n", "- {0}"]))
    def write(self, file: int, at: int, how: str) -> None:
        """Words of the reader's, anywhere between two lines."""
        mine = how.format(f"mine {self.new()}").split("\n")
        self.edit(file, lambda rows, n: [*rows[: n % (len(rows) + 1)], *mine, *rows[n % (len(rows) + 1) :]], at)

    @rule(file=numbers, at=numbers)
    def write_into(self, file: int, at: int) -> None:
        """A word at the end of some line."""
        mine = self.new()

        def change(rows: list[str], n: int) -> list[str] | None:
            full = [k for k, row in enumerate(rows) if row]
            if full:
                rows[full[n % len(full)]] += f" mine {mine}"
            return rows

        self.edit(file, change, at)

    @rule(file=numbers, at=numbers)
    def delete_line(self, file: int, at: int) -> None:
        """A line goes: words, a marker, an empty line that kept two blocks apart."""
        self.edit(file, lambda rows, n: [*rows[: n % len(rows)], *rows[n % len(rows) + 1 :]] if rows else None, at)

    def block(self, rows: list[str], number: int) -> tuple[int, int] | None:
        """Where some block stands: the quote above a marker."""
        ends = [n for n, row in enumerate(rows) if MARKER.search(row)]
        if not ends:
            return None
        stop = start = ends[number % len(ends)]
        while (
            start and (rows[start - 1].startswith(">") or not rows[start - 1]) and not rows[start - 1].startswith("^")
        ):
            start -= 1
        while not rows[start]:
            start += 1
        return start, stop + 1

    @rule(file=numbers, at=numbers)
    def delete_block(self, file: int, at: int) -> None:
        """A block goes."""

        def change(rows: list[str], n: int) -> list[str] | None:
            found = self.block(rows, n)
            return [*rows[: found[0]], *rows[found[1] :]] if found else None

        self.edit(file, change, at)

    @rule(file=numbers, other=numbers, at=numbers, to=numbers, keep=st.booleans())
    def move_or_copy_block(self, file: int, other: int, at: int, to: int, keep: bool) -> None:
        """A block goes elsewhere, within its file or into another, or is there twice."""
        taken: list[str] = []

        def cut(rows: list[str], n: int) -> list[str] | None:
            found = self.block(rows, n)
            if not found:
                return None
            taken.extend(rows[slice(*found)])
            self.copied.update(names("\n".join(taken)))
            return rows if keep else [*rows[: found[0]], *rows[found[1] :]]

        def paste(rows: list[str], n: int) -> list[str]:
            n %= len(rows) + 1
            return [*rows[:n], "", *taken, "", *rows[n:]]

        self.edit(file, cut, at)
        if taken:
            self.edit(file if to % 3 else other, paste, to)

    @rule(file=numbers, at=numbers)
    def join(self, file: int, at: int) -> None:
        """Two blocks become one quote: the upper one's marker and the empty lines go."""

        def change(rows: list[str], n: int) -> list[str] | None:
            found = self.block(rows, n)
            if not found:
                return None
            stop = found[1]
            while stop < len(rows) and not rows[stop]:
                stop += 1
            return [*rows[: found[1] - 2], *rows[stop:]]

        self.edit(file, change, at)

    @rule(file=numbers, how=st.sampled_from(["crlf", "lf", "bom", "cut", "blank"]))
    def other_bytes(self, file: int, how: str) -> None:
        """Another editor: its line ends, its mark, its idea of how a file ends."""
        files = self.files()
        if files:
            path = files[file % len(files)]
            data = path.read_bytes()
            path.write_bytes(
                {
                    "crlf": data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
                    "lf": data.replace(b"\r\n", b"\n"),
                    "bom": data if data.startswith(b"\xef\xbb\xbf") else b"\xef\xbb\xbf" + data,
                    "cut": data.rstrip(b"\r\n"),
                    "blank": data + b"\n\n",
                }[how]
            )

    @rule(file=numbers, at=numbers, how=st.sampled_from(["add", "change", "drop", "tag", "none", "broken", "comment"]))
    def properties(self, file: int, at: int, how: str) -> None:
        """The front matter is the reader's too."""
        files = self.files()
        if not files:
            return
        path = files[file % len(files)]
        end = "\r\n" if b"\r\n" in path.read_bytes() else "\n"
        rows = path.read_bytes().decode().split(end)
        if rows[0].lstrip("\ufeff") != "---" or "---" not in rows[1:]:
            return
        stop, n = rows.index("---", 1), self.new()
        at = at % (stop - 1) + 1 if stop > 1 else 1
        match how:
            case "add":
                rows.insert(stop, f"mine{n}: {n}")
            case "change" if stop > 1 and not rows[at].startswith("kindlehl"):
                rows[at] += str(n) if not rows[at].endswith('"') else ""
            case "drop" if stop > 1:
                del rows[at]
            case "tag":
                rows[at:at] = [f"  - mine{n}"] if rows[at - 1].startswith(("tags", "  -")) else []
            case "comment":
                rows.insert(at, f"# mine {n}")
            case "broken":
                rows.insert(at, f"mine {n} : [")
            case "none":
                del rows[: stop + 1]
            case _:
                pass
        path.write_bytes(end.join(rows).encode())

    @rule(file=numbers, where=st.sampled_from(["renamed", "moved", "deleted", "copied", "swapped"]))
    def file(self, file: int, where: str) -> None:
        """A file gets another name or place, or that of another file; or goes, or is there twice."""
        files = self.files()
        if not files:
            return
        path, n = files[file % len(files)], self.new()
        match where:
            case "renamed":
                path.rename(path.with_name(f"Mine {n}.md"))
            case "moved":
                (self.root / "sub").mkdir(exist_ok=True)
                path.rename(self.root / "sub" / f"{path.stem} {n}.md")
            case "deleted":
                path.unlink()
            case "swapped":
                other, aside = files[n % len(files)], self.root / "aside"
                path.rename(aside)
                if other != path:
                    other.rename(path)
                aside.rename(other)
            case _:
                shutil.copy(path, self.root / f"Copy {n}.md")
                self.copied.update(names(path.read_bytes().decode()))

    # -- the export -----------------------------------------------------------------------------------------------

    def theirs(self, data: bytes) -> list[bytes]:
        """The lines of a file that no export ever rendered, as they are."""
        rows = data.splitlines(keepends=True)
        plain = [row.rstrip(b"\r\n").decode() for row in rows]
        ours = [False] * len(rows)
        by_last: dict[str, list[list[str]]] = {}
        for text in self.exporter.rendered:
            block = text.split("\n")
            by_last.setdefault(block[-1], []).append(block)
        for n, last in enumerate(plain):
            for block in by_last.get(last, ()):
                if plain[max(0, n + 1 - len(block)) : n + 1] == block:
                    ours[n + 1 - len(block) : n + 1] = [True] * len(block)
        return [row.rstrip(b"\r\n") for row, is_ours in zip(rows, ours, strict=True) if row.strip() and not is_ours]

    def state(self) -> dict[Path, bytes]:
        """What is in them."""
        return {path: path.read_bytes() for path in self.files()}

    def export(self, books: Sequence[Book], since: str | None = None, *, again: bool = False) -> None:
        """Export, twice, and look at what became of everything."""
        self.exporter.orders.clear()
        before = self.state()
        count = Counter(name for data in before.values() for name in names(data.decode()))
        self.deleted |= {name for name in self.shown - self.forgotten if not count[name]}
        held_now = {f"kh-{each.id.replace('-', '')[:12]}" for held in self.library.held.values() for each in held}
        self.forgotten |= self.shown - held_now
        self.deleted -= set(count)
        if again:
            self.deleted.clear()

        def run() -> None:
            export_to_folder(
                self.exporter,
                ChosenBooks(self.library, books, since),
                self.root,
                again=again,  # type: ignore[arg-type]
            )

        run()
        after = self.state()
        for path, data in before.items():
            assert self.theirs(after[path]) == self.theirs(data), "words of the reader's were touched"
            assert (b"\r\n" in data and b"\n" not in data.replace(b"\r\n", b"")) <= (
                b"\n" not in after[path].replace(b"\r\n", b"")
            ), "a file with CRLF has other line ends now"
            assert data.endswith(b"\n") <= after[path].endswith(b"\n"), "the end of a file changed"
        now = Counter(name for data in after.values() for name in names(data.decode()))
        for path, data in after.items():
            was = Counter(names(before.get(path, b"").decode()))
            for name, times in Counter(names(data.decode())).items():
                assert times <= max(1, was[name]), "a highlight was added to a file in which it is"
        for name in now:
            assert name in self.copied or now[name] <= max(1, count[name]), (
                "a highlight was added that is elsewhere in the vault"
            )
            assert name not in self.deleted, "what the reader deleted came back"
        for path in after:
            self.in_order(path, before.get(path, b"").decode(), after[path].decode())
        self.shown = set(now)
        self.forgotten -= {name for order in self.exporter.orders.values() for name in order if now[name]}
        times = {path: path.stat().st_mtime_ns for path in self.root.rglob("*") if path.is_file()}
        held = {path: path.read_bytes() for path in times}
        run()
        assert {path: path.stat().st_mtime_ns for path in self.root.rglob("*") if path.is_file()} == times
        assert {path: path.read_bytes() for path in times} == held

    def in_order(self, path: Path, before: str, after: str) -> None:
        """What is new stands behind the nearest passage before it that was there, else before the nearest after it."""
        was, now = names(before), names(after)
        for order in self.exporter.orders.values():
            if not set(order) & set(now):
                continue
            for n, name in enumerate(order):
                if name not in now or name in was:
                    continue
                earlier = [each for each in order[:n] if each in was and each in now]
                later = [each for each in order[n:] if each in was and each in now]
                nearest = earlier[-1:] or later[:1]
                if any(was.count(each) > 1 for each in nearest):
                    continue  # which of the reader's copies is meant, nobody knows
                if earlier:
                    assert now.index(earlier[-1]) < now.index(name), f"{path.name}: a new one is too early"
                elif later and "# " not in before:  # else it has gone under a heading of ours, wherever that is now
                    assert now.index(name) < now.index(later[0]), f"{path.name}: a new one is too late"

    @rule()
    def export_all(self) -> None:
        """Everything."""
        self.export(self.library.books())

    @rule(book=numbers)
    def export_one(self, book: int) -> None:
        """One book."""
        books = self.library.books()
        self.export([books[book % len(books)]])

    @rule(day=st.integers(1, 9))
    def export_since(self, day: int) -> None:
        """What is recent."""
        self.export(self.library.books(), f"2024-01-0{day}")


TestVault = Vault.TestCase
TestVault.settings = settings(
    max_examples=HISTORIES,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),
)
