"""The words by which a text is found.

The default tokenizers of databases take a run of Chinese, Japanese, Thai or Korean for one word, so that nothing inside
a sentence is found; trigrams find nothing under three characters, in silence. So the characters of scripts that do not
part their words are indexed one by one, and a run of them in a query becomes a phrase.
"""

import re
import unicodedata
from functools import cache

from kindlehl.domain.text import searchable

_UNPARTED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3105-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
"""The characters of Thai, Lao, Burmese, Khmer, Chinese, Japanese and Korean."""


@cache
def _runs() -> re.Pattern[str]:
    """Compiled when first met: it takes longer than a search."""
    return re.compile(f"[{_UNPARTED}]+")


@cache
def _token() -> re.Pattern[str]:
    return re.compile(f"[{_UNPARTED}]|[^\\W_{_UNPARTED}]+")


def indexable(text: str) -> str:
    """A text as it goes into an index and a query: NFKC, with spaces round characters of scripts without spaces."""
    if text.isascii():
        return text
    return _runs().sub(lambda run: f" {' '.join(run[0])} ", unicodedata.normalize("NFKC", text))


def tokens(text: str) -> list[str]:
    """A text as the words of an index: without case and diacritics."""
    return _token().findall(searchable(text))
