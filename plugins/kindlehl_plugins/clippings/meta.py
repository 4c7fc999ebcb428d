"""The second line of a clipping: what kind it is, where it stands, when it was made."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from kindlehl.domain.facts import Kind
from kindlehl_plugins.clippings import dates
from kindlehl_plugins.clippings.frame import LONGEST_META
from kindlehl_plugins.clippings.languages import LANGUAGES, Language, Wording

_DASH = "[-–—]"
_TO = rf"\s?(?:{_DASH}|t/m)\s?"
_LABEL = r"[^\s|（）–—-]{1,30}?"
_PAGE = rf"({_LABEL}(?:{_TO}{_LABEL})?)"
_LOCATION = rf"(\d{{1,9}})(?:{_TO}(\d{{1,9}}))?"
_BAR = r" {0,3}\|? {0,3}"

_SPACES = re.compile(r"[\s\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_MARKS = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")  # direction and width: seen by nobody


class Meta(NamedTuple):
    """What a meta line says."""

    kind: Kind
    start: int | None
    end: int | None
    page: str | None
    at: str | None
    offset: str | None


class _Form:
    """The wordings of one language with the kind on one side of the position, as one pattern."""

    def __init__(self, language: Language, wordings: Iterable[Wording], kind_last: bool) -> None:
        wordings = tuple(wordings)
        self.language = language
        self.kind_last = kind_last
        self.kinds: dict[str, Kind] = {}
        for wording in wordings:
            self.kinds[wording.highlight.casefold()] = "highlight"
            self.kinds[wording.note.casefold()] = "note"
            self.kinds[wording.bookmark.casefold()] = "bookmark"
            if wording.clip:
                self.kinds[wording.clip.casefold()] = "clip"
        kind = f"({_any(phrase for w in wordings for phrase in (w.highlight, w.note, w.bookmark, w.clip) if phrase)})"
        page = _around((phrase for w in wordings for phrase in w.page), _PAGE)
        location = _around((phrase for w in wordings for phrase in w.location), _LOCATION)
        place = rf"(?:{page})?(?:{_BAR}{location})?"
        head = rf"{place} *{kind}" if kind_last else rf"{kind}{_BAR}{place}"
        added = _any(phrase for w in wordings for phrase in w.added)
        self.match = re.compile(rf"{_DASH} *{head} *\| *(?:{added}) *(.*)").fullmatch

    def read(self, line: str) -> Meta | None:
        """What the line says, if it is written in this form."""
        match = self.match(line)
        if match is None:
            return None
        if self.kind_last:
            page, first, last, phrase, date = match.groups()
        else:
            phrase, page, first, last, date = match.groups()
        start: int | None = None
        end: int | None = None
        if first:
            start = end = int(first)
            if last:
                end = int(last) if len(last) >= len(first) else _end(start, first, last)
                if end < start:
                    start, end = end, start
        elif not page:
            return None
        if page and not page.isdecimal():
            page = _label(page)
        at, offset = dates.read(date, self.language)
        return Meta(self.kinds[phrase.casefold()], start, end, page, at, offset)


class MetaReader:
    """Reads meta lines in every language, trying first the one that the line before was in."""

    def __init__(self) -> None:
        """A reader that has read nothing yet."""
        self._forms = list(_forms())

    def read(self, line: str) -> Meta | None:
        """What the line says; None if it is in no known form. A date that cannot be read is None, the rest stays."""
        if len(line) > LONGEST_META:
            return None
        meta = self._forms[0].read(line) or self._read(line)
        if meta is None or meta.at is None:
            plain = tidy(line)
            if plain != line:
                return self._read(plain) or meta
        return meta

    def _read(self, line: str) -> Meta | None:
        for number, form in enumerate(self._forms):
            meta = form.read(line)
            if meta is not None:
                self._forms.insert(0, self._forms.pop(number))
                return meta
        return None


def tidy(line: str) -> str:
    """The line with composed letters and plain single spaces, without invisible marks."""
    return _SPACES.sub(" ", _MARKS.sub("", unicodedata.normalize("NFC", line))).strip()


@lru_cache(maxsize=1)
def _forms() -> tuple[_Form, ...]:
    forms: list[_Form] = []
    for language in LANGUAGES:
        for kind_last in (False, True):
            wordings = [wording for wording in language.wordings if wording.kind_last is kind_last]
            if wordings:
                forms.append(_Form(language, wordings, kind_last))
    return tuple(forms)


def _end(start: int, first: str, last: str) -> int:
    """Where a range ends whose end leaves out the digits that it shares with its start: 102-3 is 102-103."""
    return max(start, int(first[: -len(last)] + last))  # 199-0 makes no sense, but its start does


@lru_cache(maxsize=4096)
def _label(page: str) -> str:
    """A page's label as a person would print it: a range of one page is that page."""
    first, *rest = (label.strip() for label in re.split(rf"{_DASH}|t/m", page))
    return first if not rest or rest == [first] else "-".join((first, *rest))


def _any(phrases: Iterable[str]) -> str:
    """A pattern for any of these phrases, a longer one before the shorter that it may begin with."""
    return "|".join(dict.fromkeys(map(_flexible, sorted(phrases, key=len, reverse=True))))


def _around(phrases: Iterable[str], number: str) -> str:
    """A pattern for the number with any of the words before it, and any of those after it."""
    before, after = zip(*(phrase.split("{}") for phrase in phrases), strict=True)
    pattern = rf"(?:{_any(before)}) *{number}"
    return rf"{pattern} *(?:{_any(after)})" if any(after) else pattern


def _flexible(phrase: str) -> str:
    """A pattern for the phrase whose words may begin with either case, with any apostrophe, with either colon."""
    words: list[str] = []
    for word in phrase.split(" "):
        cases = dict.fromkeys((word[:1].upper(), word[:1].lower()))
        first = f"[{''.join(cases)}]" if len(cases) > 1 else re.escape(word[:1])
        words.append(first + re.escape(word[1:]).replace("'", "['’ʼ]").replace(":", "[:：]"))
    return " ".join(words)
