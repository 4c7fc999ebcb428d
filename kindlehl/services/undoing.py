"""Undo and redo: what this device did, newest first, taken back by new facts."""

from collections.abc import Sequence
from typing import NamedTuple

from kindlehl.domain import fields
from kindlehl.domain.errors import ConflictError, NotFoundError
from kindlehl.domain.facts import Edit, Id, Import
from kindlehl.ports import Library, Operation
from kindlehl.services.operations import Draft, Writer, operation
from kindlehl.services.trash import EMPTIED
from kindlehl.services.uniting import UNITED

_FINAL = {
    EMPTIED: "Emptying the trash cannot be undone: what was in it is erased.",
    UNITED: "The import of a whole library cannot be undone: its facts are part of this one.",
}
_SEE_LIST = "See what can be undone: kindlehl undo --list, then: kindlehl undo ID"


class Step(NamedTuple):
    """Something that can be undone or redone."""

    what: Operation
    """The command that the reader gave."""
    last: Operation
    """The operation that made it so, or took it back: the one that is reversed next."""


class Journal(NamedTuple):
    """What this device did, newest first."""

    done: list[Step]
    undone: list[Step]
    """What `redo` brings back; a new command ends it."""


def journal(library: Library) -> Journal:
    """What can be undone, and what can be redone."""
    done: list[Step] = []
    undone: list[Step] = []
    for entry in library.journal.operations():
        if entry.reverses is None:
            done.append(Step(entry, entry))
            undone.clear()
            continue
        for stack, other in ((done, undone), (undone, done)):
            step = next((step for step in stack if step.last.id == entry.reverses), None)
            if step is not None:
                stack.remove(step)
                other.append(Step(step.what, entry))
                break
    return Journal(done[::-1], undone[::-1])


def undo(library: Library, writer: Writer, id_: str | None = None) -> Step:
    """Take back the newest operation of this device, or the one whose id starts like this; returns what it was.

    Raises ConflictError where somebody has changed since what it changed, NotFoundError where there is nothing.
    """
    steps = journal(library).done
    if not steps:
        raise NotFoundError("There is nothing to undo.", hint="Only what was done on this device can be undone here.")
    return _reverse(library, writer, _chosen(steps, id_), "undo")


def redo(library: Library, writer: Writer, id_: str | None = None) -> Step:
    """Do again what was undone last; returns what it was."""
    steps = journal(library).undone
    if not steps:
        raise NotFoundError(
            "There is nothing to redo.", hint="What was undone can be redone until something new is done."
        )
    return _reverse(library, writer, _chosen(steps, id_), "redo")


def _chosen(steps: Sequence[Step], id_: str | None) -> Step:
    if id_ is None:
        return steps[0]
    found = [step for step in steps if step.what.id.endswith(id_.lower()) and len(id_) >= 4]
    if len(found) != 1:
        raise NotFoundError(f"There is no operation {id_} to take.", hint=_SEE_LIST)
    return found[0]


def short(id_: Id) -> str:
    """An operation's id as a person types it: the end, since its beginning is the time, which neighbours share."""
    return id_[-8:]


def _reverse(library: Library, writer: Writer, step: Step, verb: str) -> Step:
    if step.what.verb in _FINAL:
        raise ConflictError(_FINAL[step.what.verb], hint=_SEE_LIST)
    with operation(library, writer, verb, reverses=step.last.id) as draft:
        now = journal(library)
        if step not in (now.done if verb == "undo" else now.undone):
            raise ConflictError("Somebody was faster: it was undone or redone just now.", hint=_SEE_LIST)
        facts = library.facts.of(step.last.id)
        _refuse_if_replaced(library, facts)
        for fact in reversed(facts):
            if isinstance(fact, Import):
                _withdraw(library, draft, fact)
            elif fact.field == "withdrawn":
                draft.edit(fact.target, "withdrawn", not fact.value, [fact.id])
            else:
                _refuse_if_out_of_sight(library, fact)
                draft.edit(fact.target, fact.field, None, [fact.id], undo=True)
        draft.changes = step.what.changes
    return step


def _refuse_if_replaced(library: Library, facts: Sequence[Edit | Import]) -> None:
    since = _since(library, [fact.id for fact in facts])
    if since:
        last = max(since, key=lambda edit: (edit.hlc, edit.id))
        raise ConflictError(
            f"What it changed was changed again since, on {last.device}: undoing it would take that back too.",
            hint=_SEE_LIST,
        )
    if any(isinstance(fact, Edit) and fact.erased for fact in facts):
        raise ConflictError("What it changed was erased when the trash was emptied.", hint=_SEE_LIST)


def _since(library: Library, ids: Sequence[Id]) -> list[Edit]:
    """What was said since of what these said, by who had seen it or what came of it, and was not undone itself."""
    found: dict[Id, Edit] = {}
    todo = list(ids)
    while todo:
        new = {edit.id: edit for edit in library.facts.replacing(todo) if edit.id not in found}
        found.update(new)
        todo = list(new)
    undone = fields.undone(edit for edit in found.values() if edit.undo)
    return [
        edit
        for edit in found.values()
        # An undo further on takes back something else that is gone by now.
        if edit.id not in undone and (not edit.undo or not {*ids}.isdisjoint(edit.seen))
    ]


def _refuse_if_out_of_sight(library: Library, edit: Edit) -> None:
    """An undo nobody can see would bring back from the trash what is there, or do nothing to what was erased. What was
    said of something erased can come back: it is all that is left of it."""
    if library.shelf.members(edit.target) and library.shelf.get(edit.target) is None:
        in_trash = library.shelf.get(edit.target, deleted=True) is not None
        if (edit.field == "deleted") if in_trash else edit.field not in fields.LINKS:
            return
        raise ConflictError(
            f"What it changed is {'in the trash' if in_trash else 'erased'}.",
            hint=f"Restore it first: kindlehl restore {edit.target[:8]}" if in_trash else _SEE_LIST,
        )


def _withdraw(library: Library, draft: Draft, import_: Import) -> None:
    standing = fields.standing(library.facts.edits([import_.id]), library.facts)
    draft.edit(import_.id, "withdrawn", True, [edit.id for edit in standing if edit.field == "withdrawn"])
