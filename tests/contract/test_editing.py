"""Every command can be taken back: a machine over random commands, on a library in a database beside the reference."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from support.histories import edit, import_of, made_id, picture, records

from kindlehl.domain.errors import ConflictError, UsageError
from kindlehl.domain.facts import Edit, Id, Record
from kindlehl.domain.library import SHOWN_KINDS, Highlight
from kindlehl.ports import Filter, Library, Operation
from kindlehl.services import editing, shelving, trash, undoing
from kindlehl.services.operations import Draft, Writer, operation
from kindlehl.store.library import empty_library
from kindlehl.store.memory import MemoryLibrary

ALL = Filter(kinds=SHOWN_KINDS)
numbers = st.integers(0, 10_000)


class Commands(RuleBasedStateMachine):
    """A person at one device, and now and then an edit of another that comes by sync."""

    def __init__(self, made: Callable[[], AbstractContextManager[Library]] = lambda: closing(empty_library())) -> None:
        super().__init__()
        self.opened = ExitStack()
        self.library = self.opened.enter_context(made())
        self.memory = MemoryLibrary()
        self.made = 0
        self.before: list[object] = []
        """What the library looked like before each operation that can be undone."""
        self.after: list[object] = []
        """And before each undo, as long as it can be redone."""

    def teardown(self) -> None:
        """Let go of the library, also where an example is cut short."""
        self.opened.close()

    # -- the person -----------------------------------------------------------------------------------------------

    def writer(self) -> Writer:
        """One device, whose clock goes on."""

        def make_id() -> Id:
            self.made += 1
            return made_id(self.made)

        return Writer("desk", lambda: datetime(2024, 3, 1, tzinfo=UTC) + timedelta(seconds=self.made), make_id)

    def do(self, verb: str, act: Callable[[Draft], None]) -> None:
        """Run a command."""
        was = whole(self.library)
        try:
            with operation(self.library, self.writer(), verb) as draft:
                act(draft)
        except (ConflictError, UsageError) as error:
            event(f"{verb}: {type(error).__name__}")
            assert whole(self.library) == was
            return
        if draft.facts:
            event(verb)
            self.before.append(was)
            self.after.clear()
        else:
            assert whole(self.library) == was

    def shown(self, *, deleted: bool = False) -> list[Highlight]:
        """What can be chosen."""
        return list(self.library.shelf.highlights(ALL._replace(deleted=deleted)))

    # -- what is done ---------------------------------------------------------------------------------------------

    @initialize(pool=st.lists(records, min_size=1, max_size=10))
    def some_files(self, pool: list[Record]) -> None:
        """What the sources hold, as one parser reads it: what a better one read stays when its import is undone."""
        self.pool = [replace(record, revision=1) for record in pool]

    @rule(first=numbers, size=numbers, source=st.sampled_from(("clippings", "clippings:G1")))
    def import_(self, first: int, size: int, source: str) -> None:
        """Lists what no live import from that source lists, as the import service does."""
        start = first % len(self.pool)
        found = {r.id: r for r in self.pool[start : start + 1 + size % len(self.pool)]}
        standing = self.library.facts.standing([*found], source)
        new = [r for r in found.values() if r.id not in standing or not (standing[r.id].here or standing[r.id].erased)]
        if not new:
            return
        was = whole(self.library)
        self.made += 1
        listed = import_of(self.made, source, new)
        with self.library.transaction():
            self.library.facts.add([*new, listed])
            self.library.shelf.settle()
            self.library.journal.enter(Operation(listed.op, listed.at, "import", len(new)))
        event("import")
        self.before.append(was)
        self.after.clear()

    @precondition(lambda self: self.shown())
    @rule(
        which=numbers,
        what=st.sampled_from(
            [("note", "mine"), ("note", "other"), ("note", None), ("text", "corrected"), ("text", None),
             ("color", "blue"), ("color", None), ("favorite", True), ("tag:craft", True), ("tag:craft", False),
             ("tag:war", True)]
        ),
        several=st.booleans(),
    )  # fmt: skip
    def set_(self, which: int, what: tuple[str, str | bool | None], several: bool) -> None:
        """Fields of one passage or of all."""
        shown = self.shown()
        chosen = shown if several else [shown[which % len(shown)]]
        self.do(what[0], lambda draft: editing.change(self.library, draft, chosen, dict([what])))

    @precondition(lambda self: self.shown())
    @rule(which=numbers)
    def delete(self, which: int) -> None:
        """Into the trash."""
        shown = self.shown()
        self.do("delete", lambda draft: trash.delete(self.library, draft, [shown[which % len(shown)]]))

    @precondition(lambda self: self.shown(deleted=True))
    @rule(which=numbers)
    def restore(self, which: int) -> None:
        """Out of it."""
        shown = self.shown(deleted=True)
        chosen = shown[which % len(shown)]
        self.do("restore", lambda draft: trash.restore(self.library, draft, [chosen]))
        assert {h.id for h in self.shown(deleted=True)} == {h.id for h in shown} - {chosen.id}

    @precondition(lambda self: self.shown())
    @rule(which=numbers, part=numbers)
    def split(self, which: int, part: int) -> None:
        """A record from its passage."""
        shown = self.shown()
        highlight = shown[which % len(shown)]
        members = self.library.shelf.members(highlight.id)
        chosen = [members[part % len(members)]]
        self.do("split", lambda draft: editing.split(self.library, draft, highlight, chosen))

    @precondition(lambda self: len(self.shown()) > 1)
    @rule(which=numbers, other=numbers)
    def merge(self, which: int, other: int) -> None:
        """Two passages into one, where that makes sense."""
        shown = self.shown()
        one, two = shown[which % len(shown)], shown[other % len(shown)]
        self.do("merge", lambda draft: editing.merge(self.library, draft, one, two))

    @precondition(lambda self: self.library.shelf.books(hidden=True))
    @rule(
        which=numbers, verb=st.sampled_from(["title", "author", "no author", "hide", "split", "merge"]), other=numbers
    )
    def book(self, which: int, verb: str, other: int) -> None:
        """What can be done to books."""
        books = self.library.shelf.books(hidden=True)
        book, second = books[which % len(books)], books[other % len(books)]

        def act(draft: Draft) -> None:
            if verb == "title":
                shelving.rename(self.library, draft, book, "Renamed", None)
            elif verb == "hide":
                shelving.hide(self.library, draft, book, hidden=not book.hidden)
            elif verb == "split":
                atoms = self.library.shelf.atoms(book.id)
                shelving.split(self.library, draft, book, atoms[other % len(atoms)])
            elif verb == "merge":
                shelving.merge(self.library, draft, book, [second])
            else:
                shelving.rename(self.library, draft, book, None, "Somebody" if verb == "author" else "")

        self.do(f"book {verb}", act)

    @precondition(lambda self: self.shown(deleted=True))
    @rule()
    def empty_the_trash(self) -> None:
        """What is shown stays as it is, down to its ids; what a book is called may be told by the erased alone."""
        was = untitled(self.library)
        with operation(self.library, self.writer(), trash.EMPTIED) as draft:
            trash.empty(self.library, draft, self.shown(deleted=True))
        event("trash empty")
        assert untitled(self.library) == was
        assert not self.shown(deleted=True)
        self.before.clear()
        self.after.clear()

    @rule(
        which=numbers,
        what=st.sampled_from(
            [
                ("note", "hers"),
                ("note", None),
                ("text", "hers"),
                ("color", "red"),
                ("tag:hers", True),
                ("deleted", True),
            ]
        ),
        knew=st.booleans(),
    )
    def another_device(self, which: int, what: tuple[str, str | bool | None], knew: bool) -> None:
        """Says something of a record, knowing all that was said of it, or nothing: what was before is so no more."""
        record = self.pool[which % len(self.pool)]
        self.made += 2
        known = [e.id for e in self.library.facts.edits([record.id]) if e.field == what[0]] if knew else []
        covers = {"covers": (record.id,)} if what[0] == "deleted" else {}
        said = edit(self.made, record.id, *what, known, **covers)
        with self.library.transaction():
            self.library.facts.add([record, import_of(self.made - 1, "clippings:G2", [record]), said])
            self.library.shelf.settle()
        event(f"another device: {what[0]}")
        self.before.clear()
        self.after.clear()

    # -- and taken back -------------------------------------------------------------------------------------------

    @precondition(lambda self: self.before)
    @rule()
    def undo(self) -> None:
        """The library is as it was before."""
        now = whole(self.library)
        undoing.undo(self.library, self.writer())
        event("undo")
        assert whole(self.library) == self.before.pop()
        self.after.append(now)

    @precondition(lambda self: self.after)
    @rule()
    def redo(self) -> None:
        """The library is as it was before the undo."""
        was = whole(self.library)
        undoing.redo(self.library, self.writer())
        event("redo")
        assert whole(self.library) == self.after.pop()
        self.before.append(was)

    # -- laws -----------------------------------------------------------------------------------------------------

    @invariant()
    def what_is_shown_is_the_fold_of_all_facts(self) -> None:
        """The tables equal the reference, which folds everything from scratch."""
        with self.memory.transaction():
            self.memory.facts.add_raw(self.library.facts.bodies())
        assert whole(self.library) == whole(self.memory)

    @invariant()
    def no_edit_of_one_field_sees_anothers(self) -> None:
        """And clocks never stand still."""
        stamps = [
            f.hlc
            for op in self.library.journal.operations()
            for f in self.library.facts.of(op.id)
            if isinstance(f, Edit)
        ]
        assert len(stamps) == len(set(stamps))


def whole(library: Library) -> object:
    """What a person could see, the trash and hidden books too."""
    deleted = list(library.shelf.highlights(ALL._replace(deleted=True)))
    return (
        picture(library),
        list(library.shelf.highlights(ALL._replace(hidden_books=True))),
        library.shelf.books(hidden=True),
        library.shelf.tags(),
        [(h, sorted(library.shelf.members(h.id))) for h in deleted],
    )


def untitled(library: Library) -> list[tuple[Highlight, list[Id]]]:
    """What is shown, titles and authors aside."""
    shown = sorted(library.shelf.highlights(ALL), key=lambda h: h.id)
    return [(replace(h, title="", author=None), sorted(library.shelf.members(h.id))) for h in shown]


TestCommands = Commands.TestCase
# A failing history is short enough to read as it is: making it shorter takes minutes.
TestCommands.settings = settings(stateful_step_count=15, phases=set(Phase) - {Phase.shrink, Phase.explain})


def test_every_command_can_be_taken_back_in_postgresql(
    somebodys: Callable[[], AbstractContextManager[Library]],
) -> None:
    """The same machine with a fifth of the examples: an example asks a thousand times, each time another process."""
    fewer = settings(TestCommands.settings, max_examples=settings().max_examples // 5)
    run_state_machine_as_test(lambda: Commands(somebodys), settings=fewer)


def test_the_machine_lets_go_of_its_library() -> None:
    """The reference is the same kind of library."""
    with closing(empty_library()) as library:
        assert whole(library) == whole(MemoryLibrary())
