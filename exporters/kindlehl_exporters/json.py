"""The JSON exporter: W3C annotations for other programs, and every fact word for word for kindlehl itself."""

from collections.abc import Iterator
from typing import Any, TypeAlias

from kindlehl.domain.contract import Block, Document, Shelf
from kindlehl.domain.library import Book, Highlight

SCHEMA = "kindlehl/library/1"

_HEAD = (
    b'{"@context":"http://www.w3.org/ns/anno.jsonld","id":"urn:uuid:f0ae483b-f9ae-5561-90dd-16df40803969","type":"AnnotationSet",'
    b'"generator":{"id":"https://pypi.org/project/kindlehl/","type":"Software","name":"kindlehl"},"items":['
)

# Readium's closed set.
_COLORS = frozenset({"pink", "orange", "yellow", "green", "blue", "purple"})

_Json: TypeAlias = dict[str, Any]


class JsonExporter:
    """An AnnotationSet as Readium has it, and beside it, under `kindlehl`, the facts of the whole library.

    Other readers take the items; kindlehl takes the facts, loses nothing, and needs no item. One item or fact a line.
    """

    name = "json"
    summary = "Everything without loss, as W3C annotations; imports back to the same library"
    each_book = False

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def render(self, shelf: Shelf) -> Iterator[Document]:
        """One document over the whole library, streamed."""
        yield Document(self.name, "library", ".json", _blocks(shelf))


def _blocks(shelf: Shelf) -> Iterator[Block]:
    import msgspec  # here, for the start-up time of everything else

    encode = msgspec.json.Encoder().encode
    yield Block("", _HEAD)
    lead = b"\n"
    for book in shelf.books():
        about = _about(book)
        for passage in shelf.highlights(book):
            yield Block(passage.id, lead + encode(_annotation(passage, about)))
            lead = b",\n"
    yield Block("", b'\n],"kindlehl":{"schema":' + encode(SCHEMA) + b',"facts":[')
    lead = b"\n"
    for fact in shelf.facts():
        yield Block("", lead + fact)
        lead = b",\n"
    yield Block("", b"\n]}}\n")


def _about(book: Book) -> _Json:
    about: _Json = {"dc:identifier": [f"urn:uuid:{book.id}"], "dc:title": book.title}
    if book.author:
        about["dc:creator"] = [book.author]
    return about


def _annotation(passage: Highlight, about: _Json) -> _Json:
    item: _Json = {
        "@context": "http://www.w3.org/ns/anno.jsonld",
        "id": f"urn:uuid:{passage.id}",
        "type": "Annotation",
        "motivation": _motivation(passage),
    }
    if passage.added_at:
        # `created` needs a time zone; a device's own clock must not be taken for one.
        if passage.added_offset:
            item["created"] = passage.added_at + passage.added_offset
        else:
            item["kindlehl:addedAt"] = passage.added_at
    item["about"] = about
    item["target"] = _target(passage)
    if body := _body(passage):
        item["body"] = {"type": "TextualBody", "format": "text/plain", **body}
    if passage.favorite:
        item["kindlehl:favorite"] = True
    if passage.truncated:
        item["kindlehl:truncated"] = True
    if passage.source:
        item["kindlehl:source"] = passage.source
    return item


def _motivation(passage: Highlight) -> str:
    if passage.kind == "bookmark":
        return "bookmarking"
    return "commenting" if passage.note else "highlighting"


def _target(passage: Highlight) -> _Json:
    meta: _Json = {}
    if passage.chapter:
        meta["headings"] = [{"level": 1, "txt": passage.chapter}]
    if passage.page:
        meta["page"] = passage.page
    if passage.location_start is not None:
        end = passage.location_start if passage.location_end is None else passage.location_end
        meta["kindlehl:location"] = [passage.location_start, end]
    target: _Json = {"source": f"urn:uuid:{passage.book}"}
    if passage.text:
        target["selector"] = [{"type": "TextQuoteSelector", "exact": passage.text}]
    return {**target, "meta": meta} if meta else target


def _body(passage: Highlight) -> _Json:
    body: _Json = {"value": passage.note or ""} if passage.note or passage.color or passage.tags else {}
    if passage.color:
        body["color" if passage.color in _COLORS else "kindlehl:color"] = passage.color
    if passage.tags:
        body["keyword"] = ", ".join(passage.tags)  # Readium has room for one
        body["kindlehl:tags"] = passage.tags
    return body
