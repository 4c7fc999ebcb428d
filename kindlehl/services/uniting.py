"""Uniting: a library that was exported as JSON becomes part of another, by the union of their facts."""

import mmap
from collections.abc import Iterable, Iterator

import msgspec

from kindlehl import wire
from kindlehl.domain.contract import Bundle
from kindlehl.domain.errors import SourceError
from kindlehl.domain.facts import Record

UNITED = "import of a library"
"""The operation that brings another library's facts in: they may be anybody's, so it cannot be undone."""
SCHEMA = "kindlehl/library/1"
_MARK = SCHEMA.encode()


class _Held(msgspec.Struct):
    schema: str
    facts: list[msgspec.Raw]


class _Document(msgspec.Struct):
    kindlehl: _Held


class LibraryFile:
    """Reads `kindlehl export json`. It stands among the importers, but gives facts as they are, not records."""

    name = "kindlehl"
    revision = 1

    def claims(self, bundle: Bundle) -> bool:
        """Whether this is such an export: a JSON object that holds our schema's name."""
        if not bundle.head(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            return False
        with bundle.open() as stream:
            try:
                with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                    return whole.find(_MARK) >= 0
            except OSError:
                return _MARK in stream.read()

    def read(self, bundle: Bundle) -> Iterator[Record]:
        """The records among the facts."""
        return records_of(self.bodies(bundle))

    def bodies(self, bundle: Bundle) -> list[str]:
        """Every fact as it travels. Raises SourceError unless all of them can be read."""
        try:
            with bundle.open() as stream:
                document = msgspec.json.decode(stream.read(), type=_Document)
            bodies = [bytes(raw).decode() for raw in document.kindlehl.facts]
            for body in bodies:
                wire.decode(body)
        except (wire.Malformed, UnicodeDecodeError) as error:
            raise SourceError(
                f"{bundle.name} is a damaged export of a library. Nothing was imported.",
                hint="Export it again: kindlehl export json",
            ) from error
        if document.kindlehl.schema != SCHEMA:
            raise SourceError(f"{bundle.name} was exported by a newer kindlehl.", hint="Update kindlehl.")
        return bodies


def records_of(bodies: Iterable[str]) -> Iterator[Record]:
    """The records among facts as they travel."""
    return (fact for body in bodies if isinstance(fact := wire.decode(body), Record))
