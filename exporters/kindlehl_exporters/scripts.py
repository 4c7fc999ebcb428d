"""Which script a text is written in: its language tag, its direction, and whether this system has a font for it."""

import re
import shutil
import subprocess
import unicodedata
from functools import lru_cache
from typing import NamedTuple


class _Script(NamedTuple):
    name: str
    letters: re.Pattern[str]
    tag: str
    """The language the script tells, or `und-` and the script where several share it."""
    font: str
    """A language as fontconfig names it, whose letters a font has to have."""
    package: str


def _script(name: str, letters: str, tag: str, font: str, package: str = "fonts-noto-core") -> _Script:
    return _Script(name, re.compile(f"[{letters}]"), tag, font, package)


# Japanese and Korean come before Chinese: they use Han characters too, beside letters of their own.
_SCRIPTS = (
    _script("Japanese", "\u3041-\u30ff\uff66-\uff9f", "ja", "ja", "fonts-noto-cjk"),
    _script("Korean", "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3", "ko", "ko", "fonts-noto-cjk"),
    _script(
        "Chinese",
        "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
        "zh-CN",
        "zh-cn",
        "fonts-noto-cjk",
    ),
    _script("Arabic", "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefe", "und-Arab", "ar"),
    _script("Hebrew", "\u0590-\u05ff\ufb1d-\ufb4f", "he", "he"),
    _script("Devanagari", "\u0900-\u097f", "und-Deva", "hi"),
    _script("Bengali", "\u0980-\u09ff", "und-Beng", "bn"),
    _script("Tamil", "\u0b80-\u0bff", "ta", "ta"),
    _script("Thai", "\u0e00-\u0e7f", "th", "th"),
    _script("emoji", "\u2600-\u27bf\U0001f300-\U0001faff", "", "und-zsye", "fonts-noto-color-emoji"),
)

_CHINESE = _SCRIPTS[2]
_CJK = _SCRIPTS[:3]


def language(text: str, han: str = "zh-CN") -> str:
    """The language tag that a text's script tells, or "" for one like Latin that many languages share.

    Text in Han characters alone may be Chinese or Japanese: `han` is what the book around it is in.
    """
    if text.isascii():
        return ""
    counts = [len(script.letters.findall(text)) for script in _SCRIPTS]
    cjk = sum(counts[: len(_CJK)])
    for script, count in zip(_SCRIPTS, counts, strict=True):
        # A borrowed word makes no language: a quarter of the text has to be in it, kana and hangul with the Han around.
        if script.tag and count and 4 * (cjk if script in _CJK else count) >= len(text):
            return han if script is _CHINESE else script.tag
    return ""


def direction(text: str) -> str:
    """`rtl` or `ltr`, by the first letter that has a direction, as HTML's `dir="auto"` has it."""
    if text.isascii():
        return "ltr"
    for character in text:
        match unicodedata.bidirectional(character):
            case "L":
                return "ltr"
            case "R" | "AL":
                return "rtl"
            case _:
                pass
    return "ltr"


def missing_fonts(text: str) -> list[str]:
    """A sentence for each script in the text that no font of this system can show, naming the package that has one."""
    if text.isascii():
        return []
    return [
        f"No font here shows {script.name}: it is printed as empty boxes. `apt install {script.package}` brings one."
        for script in _SCRIPTS
        if script.letters.search(text) and not _has_font(script.font)
    ]


@lru_cache
def _has_font(language: str) -> bool:
    """Whether fontconfig knows a font for a language; taken to be so where it cannot be asked."""
    program = shutil.which("fc-list")
    if program is None:
        return True
    found = subprocess.run([program, f":lang={language}", "family"], capture_output=True, check=False)  # noqa: S603 - no text of anybody's is in it
    return found.returncode != 0 or bool(found.stdout.strip())
