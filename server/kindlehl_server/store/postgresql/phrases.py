"""The words of passages as they are kept to be searched, and queries as conditions on them.

They are kept in their order, with a space before and behind each: so a word, several in a row and the beginning of one
are parts of that text, and what is found is what the reference finds, to the letter.
"""

from sqlalchemy import ColumnElement, and_, false, not_, or_

from kindlehl.domain.tokens import tokens
from kindlehl.ports import Query, Words
from kindlehl_server.store.postgresql import tables
from kindlehl_server.store.postgresql.session import contains


def kept(text: str) -> str:
    """A text as it is kept to be searched."""
    return f" {' '.join(tokens(text))} "


def parts(words: Words) -> ColumnElement[bool]:
    """Whether these words are found in a row of `search`; words without a letter or digit never are."""
    asked = kept(words.text)
    if asked.isspace():
        return false()
    asked = asked[:-1] if words.prefix else asked
    within = [tables.search.c.text, tables.search.c.note] if words.part is None else [tables.search.c[words.part]]
    return or_(*(contains(column, asked) for column in within))


def found(query: Query) -> ColumnElement[bool]:
    """Whether everything wanted is found in a row of `search`, and nothing unwanted."""
    return and_(
        *map(parts, query.wanted),
        *(or_(*map(parts, group)) for group in query.either),
        *(not_(parts(words)) for words in query.unwanted),
    )


def counted(held: str, words: Words) -> int:
    """How often words are found in what is kept of a text, each word with spaces of its own."""
    inner = "  ".join(tokens(words.text))
    return held.replace(" ", "  ").count(f" {inner}" if words.prefix else f" {inner} ")
