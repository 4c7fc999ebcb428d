"""How much may be said of one thing: each new edit of it is folded with all others."""

from collections.abc import Iterable

from kindlehl.domain.facts import Edit, Id
from kindlehl.ports import Edited, Facts
from kindlehl.wire import header, messages


def crowd(facts: Facts, edits: Iterable[tuple[Edit, int]]) -> set[Id]:
    """Of these edits, with the bytes of each body, those for which there is no room beside what their targets have."""
    by_target: dict[Id, list[tuple[Edit, int]]] = {}
    for edit, size in edits:
        by_target.setdefault(edit.target, []).append((edit, size))
    out: set[Id] = set()
    for target, held in {**dict.fromkeys(by_target, Edited(0, 0, 0)), **facts.edited([*by_target])}.items():
        came = by_target[target]
        if _has_room(held, came):
            continue
        known = {header(body).id for body in facts.named([edit.id for edit, _ in came])}
        for edit, size in came:
            if edit.id in known:
                continue
            if _has_room(held, [(edit, size)]):
                held = _with(held, edit, size)
            else:
                out.add(edit.id)
    return out


def _has_room(held: Edited, came: Iterable[tuple[Edit, int]]) -> bool:
    for edit, size in came:
        held = _with(held, edit, size)
    return held.edits <= messages.EDITS and held.names <= messages.EDITS_NAME and held.size <= messages.EDITS_BYTES


def _with(held: Edited, edit: Edit, size: int) -> Edited:
    return Edited(held.edits + 1, held.names + len(edit.seen) + len(edit.covers), held.size + size)
