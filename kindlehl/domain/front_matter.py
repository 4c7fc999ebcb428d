"""Front matter: YAML at the head of a file, merged key by key, with every byte of the reader's kept as it is.

It is worked on as lines. Of all the forms YAML has, those are taken that people and Obsidian write; where anything else
stands, the whole of it is the reader's and stays.
"""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

LISTS = ("tags", "aliases")
"""Keys whose value is a list that is merged as a set."""

_QUOTED = (
    r"""(?:"(?:[^"\\]|\\["\\/0abefnrtvN_LP ]|\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8})*"|'(?:[^']|'')*')"""
)
_REST = r"(?:[^:#]|:(?=\S)|(?<=\S)#)*"  # ": " would be a key, " #" a comment
_REST_IN_FLOW = r"(?:[^:#\[\]{},]|:(?=[^\s,\[\]{}])|(?<=\S)#)*?"
_FIRST = r"""(?:[^\s\-?:,\[\]{}#&*!|>'"%@`]|-(?=[^\s,\[\]{}]))"""
_COMMENT = r"(?:[ ]+#.*)?"
_ITEM = rf"[ ]*(?:{_QUOTED}|{_FIRST}{_REST_IN_FLOW})[ ]*"

_KEY = re.compile(rf"({_QUOTED}|{_FIRST}(?:[^:#]|:(?=\S)|(?<=\S)#)*?)[ ]*:(?:[ ]+(.*))?")
_VALUE = re.compile(rf"(?:{_QUOTED}|\[[ ]*\]|\[{_ITEM}(?:,{_ITEM})*\]|{_FIRST}{_REST})?(?:#.*|{_COMMENT})[ ]*")
_BLOCK = re.compile(rf"[|>][+\-]?{_COMMENT}[ ]*")
_ROW = re.compile(r"([ ]*)-(?:[ ]+(.*))?")
_FLOW = re.compile(rf"[ ]*({_QUOTED}|{_FIRST}{_REST_IN_FLOW})[ ]*(?=[,\]])")
_STRANGE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff\t]")


class Entry(NamedTuple):
    """A key and the lines it takes."""

    key: str
    start: int
    stop: int


def length(lines: Sequence[str]) -> int:
    """How many of a file's lines are front matter, its fences among them; 0 where there is none."""
    if not lines or lines[0].removeprefix("\ufeff").rstrip(" \t") != "---":
        return 0
    for n in range(1, len(lines)):
        if lines[n].rstrip(" \t") in ("---", "..."):
            return n + 1
    return 0


def of(text: str) -> dict[str, str]:
    """Each key of a front matter of ours, with its lines."""
    lines = text.removesuffix("\n").split("\n")
    found = entries(lines)
    return {} if found is None else {each.key: "\n".join(lines[each.start : each.stop]) for each in found}


def unknown(file: str, ours: Mapping[str, str]) -> dict[str, str]:
    """A base for a front matter of which nobody knows what we wrote: what is not just as ours is the reader's, and what
    is not there the reader took out."""
    held = of(file)
    return {key: text if key in LISTS or held.get(key) == text else "?" for key, text in ours.items()}


def value(lines: Sequence[str], key: str) -> str | None:
    """What stands behind a key on its line, quotes taken off; None without it."""
    for line in lines[1:]:
        if line.rstrip(" \t") in ("---", "..."):
            break
        found = _KEY.fullmatch(line.rstrip(" \t"))
        if found is not None and _scalar(found[1]) == key:
            return _scalar((found[2] or "").strip())
    return None


def entries(lines: Sequence[str]) -> list[Entry] | None:
    """The keys of a front matter with its fences, in order. None: it is of no form that can be worked on."""
    found: list[Entry] = []
    for n in range(1, len(lines) - 1):
        line = lines[n]
        if _STRANGE.search(line):
            return None
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] == " " or _ROW.fullmatch(line):
            if not found:
                return None
            found[-1] = found[-1]._replace(stop=n + 1)
            continue
        named = _KEY.fullmatch(line)
        if named is None:
            return None
        found.append(Entry(_scalar(named[1]), n, n + 1))
    keys = [each.key for each in found]
    if len(set(keys)) < len(keys) or not all(_is_sound(lines[each.start : each.stop]) for each in found):
        return None
    return found


def _is_sound(lines: Sequence[str]) -> bool:
    """Whether a key's lines are certainly YAML."""
    named = _KEY.fullmatch(lines[0])
    first = ((named and named[2]) or "").rstrip(" ")
    below = lines[1:]
    if _BLOCK.fullmatch(first):
        return all(line.startswith(" ") or not line.strip() for line in below) and bool(below)
    if not _VALUE.fullmatch(first):
        return False
    rows = [line for line in below if line.strip() and not line.lstrip().startswith("#")]
    if not rows:
        return True
    return not first.split("#")[0].strip() and _are_items(rows)


def _are_items(rows: Sequence[str]) -> bool:
    """A list of plain items, all at one depth."""
    found = [_ROW.fullmatch(row) for row in rows]
    return all(each is not None and _VALUE.fullmatch((each[2] or "").rstrip(" ")) for each in found) and (
        len({each[1] for each in found if each is not None}) == 1
    )


def merge(
    base: Mapping[str, str], file: Sequence[str], ours: Mapping[str, str], end: str
) -> tuple[list[str], dict[str, str]]:
    """Bring the front matter of a file up to date. `file` are its lines with their ends, `end` is that of new ones.

    Returns the lines, and the base for the next time. A key that is as the base has it becomes ours; one that the
    reader changed, wrote or took out stays so.
    """
    lines = list(file)
    bare = [line.rstrip("\r\n").removeprefix("\ufeff") for line in lines]
    found = entries(bare) if lines else None
    if found is None:
        return lines, dict(base)
    there = {each.key: each for each in found}
    after: dict[str, list[str]] = {}
    instead: dict[str, list[str]] = {}
    now = dict(base)
    place = ""
    for key in [*ours, *(key for key in base if key not in ours)]:
        text = ours.get(key)
        if key in there:
            rows = lines[there[key].start : there[key].stop]
            held = "\n".join(bare[there[key].start : there[key].stop])
            instead[key], as_ours = _met(key, rows, held, base.get(key), text, end)
            if as_ours:
                now[key] = text or ""
            place = key if text is not None else place
        elif text is not None and key not in base:
            after.setdefault(place, []).extend(f"{row}{end}" for row in text.split("\n"))
            now[key] = text
    return _written(lines, found, instead, after), {key: text for key, text in now.items() if text}


def _met(
    key: str, rows: list[str], held: str, before: str | None, text: str | None, end: str
) -> tuple[list[str], bool]:
    """The lines of a key that is in the file, and whether it is as we have it now."""
    if held == text:
        return rows, True
    if held == before:
        return [f"{row}{end}" for row in text.split("\n")] if text is not None else [], True
    if key in LISTS:
        return _united(before or "", rows, text or "", end), True
    return rows, False


def _written(
    lines: Sequence[str], found: Sequence[Entry], instead: Mapping[str, list[str]], after: Mapping[str, list[str]]
) -> list[str]:
    out = list(lines[: found[0].start if found else len(lines) - 1])
    if "" in after and found:
        out += after[""]
    for each, following in pairwise([*found, Entry("", len(lines) - 1, len(lines))]):
        rows = instead.get(each.key, lines[each.start : each.stop])
        out += [*rows, *after.get(each.key, ()), *lines[each.stop : following.start]]
    if not found:
        out += after.get("", ())
    return [*out, lines[-1]]


def _united(base: str, rows: Sequence[str], ours: str, end: str) -> list[str]:
    """A list of the reader's with what is new of ours, and without what ours had and has no longer.

    A value that is no list is the reader's form, and stays.
    """
    bare = [row.rstrip("\r\n") for row in rows]
    held = _items(bare)
    if held is None:
        return list(rows)
    before, now = _items(base.split("\n")) or [], _items(ours.split("\n")) or []
    lost = {item for item in before if item not in now}
    fresh = [item for item in now if item not in before and item not in held]
    if not fresh and lost.isdisjoint(held):
        return list(rows)
    named = _KEY.fullmatch(bare[0])
    if ((named and named[2]) or "").startswith("["):
        return _in_flow(rows, lost, fresh)
    kept: list[str] = []
    depth = "  "
    for row, text in zip(rows, bare, strict=True):
        item = _ROW.fullmatch(text)
        if item is not None:
            depth = item[1]
            if _scalar(_without_comment(item[2] or "")) in lost:
                continue
        kept.append(row)
    return kept + [f"{depth}- {_quoted(item)}{end}" for item in fresh]


def _in_flow(rows: Sequence[str], lost: set[str], fresh: Sequence[str]) -> list[str]:
    """The same for `[a, b]` on one line."""
    line = rows[0]
    start = line.index("[", line.index(":")) + 1
    parts: list[str] = []
    n = start
    while found := _FLOW.match(line, n):
        parts.append(line[n : found.end()])
        n = found.end() + (line[found.end()] == ",")
    stop = line.index("]", n)
    kept = [part for part in parts if _scalar(part.strip()) not in lost]
    if kept and kept[0] is not parts[0]:
        kept[0] = kept[0].lstrip()
    added = [f"{' ' if kept or n else ''}{_quoted(item)}" for n, item in enumerate(fresh)]
    return [f"{line[:start]}{','.join([*kept, *added])}{line[stop:]}", *rows[1:]]


def _items(lines: Sequence[str]) -> list[str] | None:
    """The items of a list in one of its two forms; None for anything else."""
    named = _KEY.fullmatch(lines[0])
    if named is None:
        return None
    first = (named[2] or "").strip()
    if first.startswith("["):
        return [_scalar(each) for each in _FLOW.findall(first[1:])]
    if _without_comment(first):
        return None
    rows = [row for row in lines[1:] if row.strip() and not row.lstrip().startswith("#")]
    return [_scalar(_without_comment((_ROW.fullmatch(row) or ["", "", ""])[2] or "")) for row in rows]


def _without_comment(text: str) -> str:
    quoted = re.match(_QUOTED, text)
    return quoted[0] if quoted else re.sub(r"(?:^|[ \t]+)#.*", "", text).strip()


def _scalar(text: str) -> str:
    """A scalar without its quotes."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    return text


def _quoted(item: str) -> str:
    return json.dumps(item, ensure_ascii=False)
