"""A vault: a folder of the reader's in which each document of ours has a base, and may stand anywhere."""

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from msgspec.json import encode

from kindlehl.domain import front_matter
from kindlehl.domain.merging import Base, Known
from kindlehl.services.exporting.files import beside, publish
from kindlehl.services.exporting.names import LONGEST_NAME

SCHEMA = "kindlehl/base/1"
_SCHEMAS = re.compile(r"kindlehl/base/(\d+)")
_HEAD = 16_384
"""Bytes of a file in which its front matter names the document."""
_PLAIN = re.compile(r"[0-9a-z][0-9a-z._-]{0,99}")


class NewerBaseError(Exception):
    """A base that a newer kindlehl wrote: not to be read by guesswork, and not to be written over."""


class Kept(NamedTuple):
    """What is known of a document: where it stood, by `/`, and what was last written."""

    path: str
    base: Base
    whole: str = ""
    """Digest of the file, if there is nothing in it but ours."""


class Bases:
    """The bases of one exporter's documents: `.kindlehl/EXPORTER/DOCUMENT.json`, a small file each, so that a
    synchroniser never has to merge one. A copy under another name, as one makes in a conflict, is not looked at."""

    def __init__(self, root: Path, exporter: str) -> None:
        self.folder = root / ".kindlehl" / _component(exporter)

    def read(self, document: str) -> Kept | None:
        """A document's base; None where there is none, or a broken one. Raises NewerBaseError."""
        try:
            held: Any = json.loads(self._place(document).read_bytes())
            if (schema := _SCHEMAS.fullmatch(held["schema"])) is not None and schema[0] != SCHEMA:
                raise NewerBaseError
            if schema is None or held["document"] != document:
                return None
            pieces = {_text(name): _known(piece) for name, piece in held["blocks"].items()}
            front = {_text(key): _text(rows) for key, rows in held["front"].items()}
            return Kept(_text(held["path"]), Base(pieces, front), _text(held.get("whole", "")))
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def write(self, document: str, kept: Kept) -> None:
        """Keep a base, if it is not kept as it is already."""
        head = {
            "schema": SCHEMA,
            "document": document,
            "path": kept.path,
            "whole": kept.whole,
            "front": kept.base.front,
        }
        rows = [b"%b:%b" % (encode(name), encode(piece)) for name, piece in kept.base.pieces.items()]
        # A line a block: whoever keeps a vault in git can merge two of them.
        data = json.dumps(head)[:-1].encode() + b', "blocks": {\n' + b",\n".join(rows) + b"\n}}\n"
        place = self._place(document)
        if not place.is_symlink() and place.is_file() and place.read_bytes() == data:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with beside(self.folder) as (stream, part):
            stream.write(data)
            stream.close()
            publish(part, place)

    def forget(self, document: str) -> None:
        """Remove a base whose document goes by another id now."""
        self._place(document).unlink(missing_ok=True)

    def documents(self) -> list[str]:
        """The ids of all documents that have a base of this version."""
        found: list[str] = []
        for place in sorted(self.folder.glob("*.json")):
            try:
                held: Any = json.loads(place.read_bytes())
                if held["schema"] == SCHEMA and self._place(held["document"]) == place:
                    found.append(held["document"])
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
        return found

    def _place(self, document: str) -> Path:
        return self.folder / f"{_component(document)}.json"


def _component(name: str) -> str:
    """A name for a file, also of a plugin's id that would be none."""
    return name if _PLAIN.fullmatch(name) else hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _known(row: Any) -> Known:
    known = Known(*row)
    if type(known.lines) is not int or not all(type(part) is str for part in (*known[:1], *known[2:])):
        raise TypeError
    return known


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


class Document(NamedTuple):
    """A file that is a document of ours."""

    path: Path
    data: bytes


class Vault:
    """The reader's folder."""

    def __init__(self, root: Path, suffix: str) -> None:
        self.root = root
        self.suffix = suffix
        self._heads: dict[str, list[Path]] | None = None

    def place(self, written: str) -> Path | None:
        """Where a path of a base leads, which anybody may have written; None if that is no place for a document."""
        parts = PurePosixPath(written).parts
        if not parts or not written.endswith(self.suffix) or not all(map(_is_name, parts)):
            return None
        path = self.root.joinpath(*parts)
        return path if path.parent.resolve().is_relative_to(self.root.resolve()) else None

    def written(self, path: Path) -> str:
        """A path as a base has it."""
        return path.relative_to(self.root).as_posix()

    def at(self, path: Path, ids: Iterable[str], names: Iterable[str]) -> Document | None:
        """The document with one of these ids, if it is at this place: its front matter says so, or says nothing of the
        kind while a passage of the document is there."""
        if path.is_symlink() or not path.is_file():
            return None
        data = path.read_bytes()
        said = identity(data[:_HEAD])
        if said is None:
            return Document(path, data) if any(b"^" + name.encode() in data for name in names) else None
        return Document(path, data) if said in ids else None

    def bearing(self, ids: Iterable[str]) -> list[Path]:
        """The files anywhere in the vault whose front matter names one of these documents; hidden folders and links
        are passed over."""
        if self._heads is None:
            self._heads = {}
            for path in self._files():
                with path.open("rb") as stream:
                    said = identity(stream.read(_HEAD))
                if said is not None:
                    self._heads.setdefault(said, []).append(path)
        return [path for id_ in ids for path in self._heads.get(id_, ())]

    def _files(self) -> Iterator[Path]:
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(folder, name)
                if name.endswith(self.suffix) and not name.startswith(".") and path.is_file() and not path.is_symlink():
                    yield path


def identity(head: bytes) -> str | None:
    """The document that a file's front matter says it is."""
    if not head.removeprefix(b"\xef\xbb\xbf").startswith(b"---"):
        return None
    rows = head.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
    return front_matter.value(rows, "kindlehl")


def _is_name(part: str) -> bool:
    try:
        fits = len(os.fsencode(part)) <= LONGEST_NAME
    except UnicodeEncodeError:
        return False
    return fits and part[0] not in "./" and "\\" not in part and not any(unicodedata.category(c) == "Cc" for c in part)
