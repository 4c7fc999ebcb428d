"""Quotes from a fortune file: texts parted by a line `%`, each ending in a line `-- Author, Title`."""

import io
from collections.abc import Iterator
from itertools import chain

from kindlehl.domain.contract import Bundle
from kindlehl.domain.facts import Record, record_id


class FortuneImporter:
    name = "fortune"
    revision = 1

    def claims(self, bundle: Bundle) -> bool:
        return b"\n%" in bundle.head() and b"\t-- " in bundle.head()

    def read(self, bundle: Bundle) -> Iterator[Record]:
        with io.TextIOWrapper(bundle.open(), "utf-8", "backslashreplace") as stream:
            quote, start = "", 1
            for number, line in enumerate(chain(stream, ["%"]), 1):
                if line.rstrip() != "%":
                    quote += line.replace("\0", "\\0")  # SQLite takes no NUL
                    continue
                if quote.strip():
                    yield self._record(quote.strip(), start)
                quote, start = "", number + 1

    def _record(self, quote: str, line: int) -> Record:
        ident = record_id(self.name, quote)  # of the raw record alone
        text, found, source = quote.rpartition("\n\t\t-- ")
        if not found or not text.strip():
            reason = "It has no text, or no line that says where it is from."
            return Record(ident, "unreadable", "", "", text=quote, reason=reason, revision=self.revision, line=line)
        author, _, title = source.partition(", ")
        return Record(ident, "highlight", source, title, author, text.strip(), revision=self.revision, line=line)
