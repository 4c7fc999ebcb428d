"""The date of a meta line, in every layout that Kindles write: read exactly, or not at all."""

import datetime
import re
from functools import lru_cache

from kindlehl_plugins.clippings.languages import Language

_WEEKDAY = r"(?:[^\W\d]+(?:-[^\W\d]+)?[.,]?\s+)?"  # may be wrong or missing; never used
_TAIL = r"(?:\s+г\.)?(?:,|\s+um|\s+à|\s+в)*\s*"  # what stands between the year and the clock
_DAY_FIRST = re.compile(
    rf"\s*{_WEEKDAY}(\d{{1,2}})(?:\.|er|º)?\s+(?:de\s+)?([^\W\d_]+)\s+(?:de\s+)?(\d{{4}}|\d\d){_TAIL}", re.IGNORECASE
)
_MONTH_FIRST = re.compile(rf"\s*{_WEEKDAY}([^\W\d_]+)\s+(\d{{1,2}}),?\s+(\d{{4}}|\d\d){_TAIL}")
_YEAR_FIRST = re.compile(
    r"\s*(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日"
    r"(?:\s*[(（]?(?:星期|周|週)?[一二三四五六日天月火水木金土](?:曜日)?[)）]?)?\s*"
)
_ZONE = r"\s+GMT(?:[+-]\d{1,2}(?::?\d\d)?)?|(?:\s+[A-Z][a-z]+)+ Time"
_CLOCK = re.compile(
    r"(上午|下午|午前|午後)?(\d{1,2}):([0-5]\d)(?::([0-5]\d)(?:[.,]\d+)?)?"
    rf"(?:\s?([AaPp])\.?\s?[Mm]\.?)?(?:\s+Uhr)?({_ZONE})?\s*"
)
_OFFSET = re.compile(r"\s*GMT(?:([+-])(\d{1,2})(?::?(\d\d))?)?")
_AFTERNOON = ("下午", "午後", "P", "p")

# What is spelled out or set off otherwise, and how it is put so that one pattern reads it.
_SPELLED = (
    (re.compile(r"\s*(上午|下午|午前|午後)\s*"), r" \1"),
    (re.compile(r"(?<!\d)(\d{1,2})\s*[h时時点點]\s*(\d{1,2})\s*(?:min|分)\s*(\d{1,2})\s*[s秒]"), r"\1:\2:\3"),
    (re.compile(r"(?<![\d.])(\d{1,2})\.(\d\d)(?=\s+Uhr)"), r"\1:\2"),
)


def read(text: str, language: Language) -> tuple[str | None, str | None]:
    """The naive local time in ISO 8601 to the second, and the offset from UTC if one is stated.

    Anything that is not understood to its last letter gives None: a word passed over could have been the afternoon.
    A date without a time gives None too, for midnight would be a guess.
    """
    space = text.rfind(" ", 0, text.find(":") + 1)
    clock = _CLOCK.fullmatch(text, space + 1) if space >= 0 else None
    if clock:
        before, hours, minutes, seconds, after, zone = clock.groups("")
        day = _day(text[:space], language)
        hour = _hour(hours, before or after)
        if day and hour:
            return f"{day}T{hour}:{minutes}:{seconds or '00'}", _offset(zone) if zone else None
    spelled = _respelled(text)
    return read(spelled, language) if spelled != text else (None, None)


@lru_cache(maxsize=256)
def _hour(digits: str, half: str) -> str | None:
    """The hour in two digits of 24, from what is written and the half of the day, if that is written too.

    0 and 13 to 23 beside a half of the day are odd, but can only mean one thing; 13 in the morning means nothing.
    """
    hour = int(digits)
    afternoon = half in _AFTERNOON
    if half and hour <= 12:
        hour = hour % 12 + 12 * afternoon
    elif half and not afternoon:
        return None
    return f"{hour:02}" if hour < 24 else None


@lru_cache(maxsize=4096)
def _day(text: str, language: Language) -> str | None:
    """The calendar day, "2016-04-18", of all that stands before the clock; cached, for clippings come many a day."""
    if match := _YEAR_FIRST.fullmatch(text):
        year, name, day = match.groups()
    elif match := _DAY_FIRST.fullmatch(text):
        day, name, year = match.groups()
    elif match := _MONTH_FIRST.fullmatch(text):
        name, day, year = match.groups()
    else:
        return None
    month = int(name) if name.isdecimal() else language.month(name)
    if month is None:
        return None
    try:
        return datetime.date(int(year) + 2000 * (len(year) == 2), month, int(day)).isoformat()
    except ValueError:  # no such day
        return None


@lru_cache(maxsize=256)
def _offset(zone: str) -> str | None:
    """ "+00:59" of "GMT+00:59"; None of a named zone other than Greenwich's, which tells nothing exact."""
    if zone.strip() == "Greenwich Mean Time":
        return "+00:00"
    if match := _OFFSET.fullmatch(zone):
        sign, hours, minutes = match.groups("00")
        if int(hours) <= 14 and minutes <= "59":
            return f"{sign if sign != '00' else '+'}{int(hours):02}:{minutes}"
    return None


def _respelled(text: str) -> str:
    for pattern, replacement in _SPELLED:
        text = pattern.sub(replacement, text)
    return text
