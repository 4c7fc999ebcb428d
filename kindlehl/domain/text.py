"""The pinned normaliser: the form of a text in which passages, titles and authors are compared. Never shown.

NFKC, case-folded, quotes and dashes folded, soft hyphens and other invisible characters dropped, white space collapsed.
Pinned by golden files: replicas that normalise differently would fold differently. Unicode's stability policy keeps
NFKC and case folding fixed for every character once assigned, so a newer Python changes nothing for existing text.
"""

import re
import unicodedata
from functools import cache

_QUOTES_DOUBLE = "“”„‟«»″‶〝〞「」『』＂"
_QUOTES_SINGLE = "‘’‚‛‹›′‵ʼʹ`´＇"
_DASHES = "‐‑‒–—―−﹘﹣－⸺⸻"
_INVISIBLE = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2066\u2067\u2068\u2069\ufeff"
)
_FOLD = {
    **dict.fromkeys(map(ord, _QUOTES_DOUBLE), '"'),
    **dict.fromkeys(map(ord, _QUOTES_SINGLE), "'"),
    **dict.fromkeys(map(ord, _DASHES), "-"),
    **dict.fromkeys(map(ord, _INVISIBLE), None),
}
_ASCII_FOLD = {ord("`"): "'"}
_SIGNS = frozenset("_+#")
"""What tells "C", "C++" and "C#" apart."""
_NOT_A_NAME = frozenset(("and", "und", "et", "y", "e", "en", "и"))


def matching(text: str) -> str:
    """The matching form of a text. Idempotent; equal forms mean "the same words", whatever the typography."""
    if text.isascii():
        return " ".join(text.translate(_ASCII_FOLD).lower().split())
    # NFKC turns some quotes into a space and a combining mark, hence the first pass; folding case can denormalise.
    folded = unicodedata.normalize("NFKC", text.translate(_FOLD)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).translate(_FOLD).split())


def author_key(author: str | None) -> str:
    """The words of an author's name in a fixed order: "Le Guin, Ursula K." and "Ursula K. Le Guin" are one person."""
    if not author:
        return ""
    return " ".join(sorted({word for word in _words(author) if word not in _NOT_A_NAME}))


def title_key(title: str) -> str:
    """The matching form of a title: its words, without the punctuation in which exports of one book differ."""
    return " ".join(_words(title)) or matching(title)


def units(text: str) -> list[str]:
    """The words of a text, and the single characters of scripts that do not part their words: in what a longer form of
    a passage exceeds a shorter one."""
    return _unit().findall(" ".join(_words(text)))


@cache
def _unit() -> re.Pattern[str]:
    """A character of Thai, Lao, Burmese, Khmer, Chinese or Japanese, or a run of others. Compiled when first met."""
    unparted = (
        "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
    )
    return re.compile(f"[{unparted}]|[^ {unparted}]+")


def _words(text: str) -> list[str]:
    """The words of a matching form: letters with their marks (the vowels of Hindi are marks), digits, signs."""
    return "".join(
        c if c.isalnum() or c in _SIGNS or unicodedata.category(c).startswith("M") else " " for c in matching(text)
    ).split()


def searchable(text: str) -> str:
    """The form in which a person's words are looked for in titles and names: the matching form without diacritics."""
    folded = matching(text)
    if folded.isascii():
        return folded
    bare = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", bare)  # puts the letters of Hangul together again


def loose(text: str) -> str:
    """The searchable form with dashes as spaces: who types `le-guin` means a name with a space or with a dash."""
    return " ".join(searchable(text).replace("-", " ").split())


def holds(whole: str, words: str) -> bool:
    """Whether a title or name holds all of these words, in any order, or their beginnings and parts."""
    found = loose(whole)
    return all(word in found for word in loose(words).split())
