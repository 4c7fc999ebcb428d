"""Queries in the language of FTS5, and texts as they go into its index.

The default tokenizer takes a run of Chinese, Japanese, Thai or Korean for one word, so that nothing inside a sentence
is found; trigrams find nothing under three characters, in silence. So the characters of scripts that do not part their
words are indexed one by one, and a run of them in a query becomes a phrase.
"""

import re
import unicodedata
from functools import cache

from kindlehl.ports import Query, Words


@cache
def _unparted() -> re.Pattern[str]:
    """The characters of Thai, Lao, Burmese, Khmer, Chinese, Japanese and Korean. Compiled when first met: it takes
    longer than a search."""
    return re.compile(
        "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
        "\u3105-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
        "\U0001b000-\U0001b16f\U00020000-\U0003ffff]+"
    )


def indexable(text: str) -> str:
    """A text as it goes into the index and a query: NFKC, with spaces round characters of scripts without spaces."""
    if text.isascii():
        return text
    return _unparted().sub(lambda run: f" {' '.join(run[0])} ", unicodedata.normalize("NFKC", text))


def phrase(words: Words) -> str:
    """Words in FTS5's own language. What a reader typed is quoted, so nothing of it is taken for an operator."""
    quoted = indexable(words.text).replace('"', " ").replace("\0", " ")
    return (f"{words.part} : " if words.part else "") + f'"{quoted}"' + ("*" if words.prefix else "")


def expression(query: Query) -> str:
    """A query, which must want something, in FTS5's own language."""
    wanted = [*map(phrase, query.wanted), *(f"({_any(group)})" for group in query.either)]
    all_ = " AND ".join(wanted)
    return f"({all_}) NOT ({_any(query.unwanted)})" if query.unwanted else all_


def _any(words: tuple[Words, ...]) -> str:
    return " OR ".join(map(phrase, words))
