"""Text as Markdown that shows that very text: no marked words may turn into a heading, a list, a tag or a link.

CommonMark, GitHub's tables and strikethrough, and what Obsidian adds: #tags, ==marks==, %%comments%%, $math$, ^ids.
"""

import re

_INLINE = re.compile(
    r"""
      [\\`*_\[|~$#^]      # code, emphasis, links, cells, strikethrough, math, tags and headings, block ids
    | <(?=[A-Za-z/!?])    # tags and autolinks; a lone < is only a sign
    | &(?=\#?\w+;)        # entities
    | =(?==) | %(?=%)     # ==marks== and %%comments%%
    """,
    re.VERBOSE,
)
_ORDERED = re.compile(r"(\d{1,9})([.)])")

# Most passages hold nothing of this kind and are told from the others by one scan in C.
_PLAIN = re.compile(r"(?![\s\-+=:>\d])[^\\`*_\[|~$#^<&=%\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+(?<!\s)")


def inline(text: str) -> str:
    """One line of Markdown for the inside of a line, such as a heading; white space is folded."""
    return text if _PLAIN.fullmatch(text) else _INLINE.sub(r"\\\g<0>", " ".join(text.split()))


def lines(text: str) -> list[str]:
    """The lines of Markdown that show this text; an empty one parts two paragraphs.

    Whatever some reader may take for a line end is one here, lest half of a passage falls out of its block quote.
    """
    if _PLAIN.fullmatch(text):
        return [text]
    shown: list[str] = []
    for line in text.splitlines():
        escaped = _line(line)
        if escaped or (shown and shown[-1]):
            shown.append(escaped)
    if shown and not shown[-1]:
        shown.pop()
    return shown


def _line(line: str) -> str:
    escaped = _INLINE.sub(r"\\\g<0>", line.strip(" \t"))  # four spaces would make it code
    if escaped[:1] in {"-", "+", "=", ":", ">"}:
        return "\\" + escaped
    return _ORDERED.sub(r"\1\\\2", escaped, count=1) if _ORDERED.match(escaped) else escaped
