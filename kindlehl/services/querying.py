"""The language in which readers say which passages they mean, read into a request. Looking, editing and exporting
take the same.

    author:le-guin tag:craft "exact words" begin* -without since:2024 has:note this OR that
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from kindlehl.domain.errors import UsageError
from kindlehl.domain.library import ShownKind
from kindlehl.ports import Field, Filter, Query, Term, Words

if TYPE_CHECKING:  # a query of plain words has no need of patterns
    import re

KEYS = ("author", "title", "tag", "color", "since", "until", "on", "has", "is", "kind", "chapter", "source", "note",
        "text", "id")  # fmt: skip
_OTHER_NAMES = {"book": "title", "colour": "color", "after": "since", "before": "until"}
_HAS = {"note": "note", "tag": "tag", "color": "color", "colour": "color", "chapter": "chapter"}
_KINDS = {kind: kind for kind in ("highlight", "note", "bookmark", "clip")}
_STATES = {"favorite": "favorite", "favourite": "favorite", "truncated": "truncated", "conflict": "conflict"}
MOST = 200
"""Terms that one query may have. SQLite's expressions are not endlessly deep, and nobody types more."""
EVERYTHING: tuple[ShownKind, ...] = ("highlight", "note", "bookmark", "clip")


class Request(NamedTuple):
    """What a reader asks for."""

    text: str
    query: Query | None
    """The words to find and to rank by; None where there are none."""
    filter: Filter
    """Everything else that must hold."""
    replaceable: frozenset[str] = frozenset()
    """Plain words: neither quoted nor begun nor excluded. Another may stand for one if nothing is found."""

    @property
    def whole(self) -> Filter:
        """Everything that must hold, the words included."""
        return self.filter._replace(query=self.query)

    @property
    def marked(self) -> tuple[Words, ...]:
        """The words that may stand in what is found."""
        query = self.query or Query(())
        others = (term.value for group in self.filter.terms for term in group if not term.negated)
        either = (words for group in query.either for words in group)
        return (*query.wanted, *either, *(value for value in others if isinstance(value, Words)))


def read(text: str, wanted: Filter = Filter()) -> Request:  # noqa: B008 -- a constant
    """A request for what a reader typed, within what is `wanted` already. Empty text asks for all of that.

    Raises UsageError, with a sentence that names what is meant instead: an unknown key, a day that is none.
    """
    text = text.encode("utf-8", "replace").decode()  # no store takes lone surrogates
    groups, plain = _groups(text)
    if sum(map(len, groups)) > MOST:
        raise UsageError(f"A query has at most {MOST} words and conditions.", hint="Leave some of it out.")
    query = Query(
        tuple(_words(group[0]) for group in groups if _is_word(group) and not group[0].negated),
        tuple(_words(group[0]) for group in groups if _is_word(group) and group[0].negated),
        tuple(tuple(map(_words, group)) for group in groups if _are_words(group)),
    )
    ranked = bool(query.wanted or query.either)
    terms = tuple(group for group in groups if not (ranked and (_is_word(group) or _are_words(group))))
    if any(term.field in ("kind", "id") and not term.negated for group in terms for term in group):
        wanted = wanted._replace(kinds=EVERYTHING)
    return Request(text, query if ranked else None, wanted._replace(terms=wanted.terms + terms), plain)


def _words(term: Term) -> Words:
    return cast("Words", term.value)


def _is_word(group: Sequence[Term]) -> bool:
    return len(group) == 1 and group[0].field == "words"


def _are_words(group: Sequence[Term]) -> bool:
    """Whether words stand to choice, so that the index can answer alone."""
    return len(group) > 1 and all(term.field == "words" and not term.negated for term in group)


def _groups(text: str) -> tuple[list[tuple[Term, ...]], frozenset[str]]:
    """The terms of a query, those joined by OR together; and its plain words."""
    parts = text.split()
    if "OR" not in parts and all(map(str.isalnum, parts)):  # nearly all queries: words and nothing else
        return [(Term("words", Words(part)),) for part in dict.fromkeys(parts)], frozenset(parts)
    groups: list[tuple[Term, ...]] = []
    plain: set[str] = set()
    joined = False
    pieces = [match for match in _pattern().finditer(text) if match["key"] or _says_something(match)]
    for n, match in enumerate(pieces):
        if match[0] == "OR" and groups and not joined and n + 1 < len(pieces):
            joined = True
            continue
        if match[0].isalnum():
            plain.add(match[0])
        if joined:
            groups[-1] = tuple(dict.fromkeys((*groups[-1], _term(match))))
        else:
            groups.append((_term(match),))
        joined = False
    if pieces == [] and text.strip():
        raise UsageError("There is no word to look for.", hint="Try: kindlehl search courage")
    return list(dict.fromkeys(groups)), frozenset(plain)


def _pattern() -> "re.Pattern[str]":
    """A minus, a key, and a value in quotes or without; compiled when a query has more than words.

    What has a space or a sign after its colon is no key: "note: x", "12:30" and "http://…" are text.
    """
    import re

    return re.compile(
        r"""(?P<minus>-?) (?: (?P<key>[A-Za-z]{2,}) : (?: (?=[\w"*\#]) | (?<=(?i:tag):)(?=\S) ) )?
            (?: "(?P<quoted>[^"]*)"? (?P<begun>\*?) | (?P<bare>\S+) )""",
        re.VERBOSE,
    )


def _says_something(match: "re.Match[str]") -> bool:
    return any(map(str.isalnum, match["quoted"] or match["bare"] or ""))


def _term(match: "re.Match[str]") -> Term:
    key, value, minus = match["key"], match["quoted"] or match["bare"] or "", bool(match["minus"])
    field = _OTHER_NAMES.get((key or "").lower(), (key or "").lower())
    if field and field not in KEYS:
        raise _unknown(f"There is no key {key}: to search by.", f"{field}:", [f"{known}:" for known in KEYS], match[0])
    if not (_says_something(match) or (field == "tag" and value.strip("#"))):  # a tag may be a sign, such as an emoji
        raise UsageError(f"{key}: needs a word after it.", hint=f'For the word itself: "{key}"')
    if field in ("", "text", "note"):
        begun = bool(match["begun"]) or value.endswith("*")
        return Term("words", Words(value.rstrip("*"), begun, cast("Any", field or None)), minus)
    return Term(*_MEANINGS.get(field, _itself)(field, value), minus)


def _itself(field: str, value: str) -> tuple[Field, str]:
    return cast("Field", field), value


def _tag(_: str, value: str) -> tuple[Field, str]:
    return "tag", value.removeprefix("#")


def _day(field: str, value: str) -> tuple[Field, str]:
    return cast("Field", field), day(value, f"{field}:")


def _has(_: str, value: str) -> tuple[Field, str]:
    return "has", _one_of(_HAS, "has", value)


def _is(_: str, value: str) -> tuple[Field, str]:
    meant = _one_of(_KINDS | _STATES, "is", value)
    return ("kind" if meant in _KINDS else "has"), meant


def _kind(_: str, value: str) -> tuple[Field, str]:
    return "kind", _one_of(_KINDS, "kind", value)


def _one_of(known: dict[str, str], key: str, value: str) -> str:
    word = value.lower()
    for name in (word, word.removesuffix("s")):
        if name in known:
            return known[name]
    typed = f"{key}:{value}"
    raise _unknown(f"{typed} has no meaning.", f"{key}:{word}", [f"{key}:{name}" for name in known], typed)


def _id(_: str, value: str) -> tuple[Field, str]:
    id_ = value.lower()
    if not 4 <= len(id_) <= 36 or set(id_) - set("0123456789abcdef-"):
        raise UsageError(f"id:{value} is no id.", hint="Give at least the first 4 letters that `kindlehl list` shows.")
    return "id", id_


_MEANINGS = {"tag": _tag, "since": _day, "until": _day, "on": _day, "has": _has, "is": _is, "kind": _kind, "id": _id}


def _unknown(message: str, word: str, known: Sequence[str], typed: str) -> UsageError:
    """A sentence that names the nearest of what is known, and all of it."""
    near = nearest(word, known)
    meant = f" Did you mean {near}?" if near else ""
    return UsageError(message + meant, hint=f'There are {" ".join(known)} – or "{typed}" for the words themselves.')


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Of what is known, what looks most like a word; None where nothing does."""
    from difflib import get_close_matches  # only where something was not understood

    return next(iter(get_close_matches(word, known, 1, cutoff=0.7)), None)


def day(text: str, name: str) -> str:
    """A day, or a day with a time, or a year or month, as times are kept: so that they can be compared as text.

    Raises UsageError, which calls it by its name, if it is none.
    """
    import re  # few requests have a day
    from datetime import datetime

    try:
        if not re.fullmatch(r"\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d)?)?)?)?", text, re.ASCII):
            raise ValueError(text)
        datetime.fromisoformat(f"{text}-01-01" if len(text) == 4 else f"{text}-01" if len(text) == 7 else text)
    except ValueError as error:
        join = "" if name.endswith(":") else " "
        raise UsageError(f"{name}{join}{text} is no day.", hint=f"Write it like {name}{join}2026-11-23.") from error
    return text.replace(" ", "T")


def typed(parts: Sequence[str]) -> str:
    """What the shell made of a query, as one text again.

    The shell takes quotes away: a part with a space in it was in quotes. It is a value after its key, words in a row,
    or, if there is more than one thing in it, a query.
    """
    return " ".join(map(_requoted, parts))


def _requoted(part: str) -> str:
    if " " not in part or '"' in part:
        return part
    import re  # most queries have no spaces within

    key = rf"(?i:{'|'.join((*KEYS, *_OTHER_NAMES))}):"
    if re.search(rf"\s(-\w|OR\s|-?{key}\w)", part):
        return part
    before = re.match(rf"-?({key}(?=\S))?", part)
    end = before.end() if before else 0
    return f'{part[:end]}"{part[end:]}"'
