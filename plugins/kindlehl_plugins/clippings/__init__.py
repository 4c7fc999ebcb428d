"""The importer of `My Clippings.txt`, the file in which a Kindle keeps what its reader marked."""

import re
from collections.abc import Iterator

from kindlehl.domain.contract import Bundle
from kindlehl.domain.facts import Kind, Record, record_id
from kindlehl_plugins.clippings import encoding, frame, limits, title
from kindlehl_plugins.clippings.frame import Block
from kindlehl_plugins.clippings.meta import Meta, MetaReader

UNKNOWN_META = "Its line about place and date is in no known form or language."

_NAMES = re.compile(
    r"(?:(?:my|your)[ _-]?clippings|mein clipboard|meus recortes|マイクリッピング|我的剪[贴貼]|ваши вырезки)[^/]*\.txt",
    re.IGNORECASE,
)


class ClippingsImporter:
    """Reads `My Clippings.txt` of every Kindle, in ten languages, and what KOReader writes in its form.

    A record's raw key is its title line, its meta line and its body, after `encoding.texts` has made line ends `\\n`,
    taken out U+FEFF and spelled out what cannot be stored. White space at the end of the meta line, blank lines before
    the body and white space after it do not count; spaces before the body's first word do. A reading of the line, its
    language or its date, plays no part. An entry that has no meta line at all is keyed by all of its text.
    """

    name = "clippings"
    revision = 1

    def claims(self, bundle: Bundle) -> bool:
        """Whether it is named as such a file is and holds text, or begins as one does; of a file that the reader named
        himself a line of ten equals signs is enough."""
        named = bool(_NAMES.fullmatch(bundle.name.rpartition("/")[2]))
        if bundle.name not in bundle.files:
            return False
        try:
            head = bundle.head()
        except OSError:
            return named  # so that reading it says what is wrong
        text = encoding.sample(head)
        if named:
            return _is_text(text)
        reader = MetaReader()
        separated = frame.SEPARATOR in f"\n{text}\n"
        if separated and bundle.explicit:
            return True
        for block in frame.blocks([text]):
            if block.fault is None and reader.read(block.meta):
                return True
            if not separated:
                return False
        return False

    def read(self, bundle: Bundle) -> Iterator[Record]:
        """The records in the order of the file; see `Importer.read`."""
        reader = MetaReader()
        for block in frame.blocks(encoding.texts(bundle)):
            meta = None if block.fault else reader.read(block.meta)
            yield self._record(block, meta) if meta else self._unreadable(block)

    def _record(self, block: Block, meta: Meta) -> Record:
        line, raw_title, raw_meta, body, _ = block
        kind, start, end, page, at, offset = meta
        name, author = title.split(raw_title)
        text, limited = body.strip(), False
        if kind in ("highlight", "clip"):
            text, limited = limits.split(text)
        return Record(
            id=record_id(self.name, raw_title, raw_meta, body),
            kind=kind if text or kind == "bookmark" else _kind_without_text(limited),
            raw_title=raw_title,
            title=name,
            author=author,
            text=text,
            location_start=start,
            location_end=end,
            page=page,
            at=at,
            offset=offset,
            truncated=limited and bool(text),
            revision=self.revision,
            line=line,
        )

    def _unreadable(self, block: Block) -> Record:
        name, author = title.split(block.title)
        return Record(
            id=record_id(self.name, block.title, block.meta, block.body),
            kind="unreadable",
            raw_title=block.title,
            title=name,
            author=author,
            text=block.body if block.fault else "\n".join((block.title, block.meta, "", block.body)).strip("\n"),
            reason=block.fault or UNKNOWN_META,
            revision=self.revision,
            line=block.line,
        )


def _is_text(text: str) -> bool:
    """Whether a file that is named as ours holds text at all: hardly any NUL or other control character."""
    odd = text.count("\\x00") + sum(c < " " and c not in "\n\t\f\v" for c in text)
    return odd * 50 <= len(text)


def _kind_without_text(limited: bool) -> Kind:
    return "limited" if limited else "empty"
