"""Exporting: documents become files, and a file that is not ours, or that the reader changed, is never written over."""

import dataclasses
import hashlib
import json
import os
import tempfile
import unicodedata
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from kindlehl.domain.contract import Block, Document, Exporter
from kindlehl.domain.errors import KindlehlError, PluginError, TargetError, UsageError
from kindlehl.domain.library import Book, Highlight
from kindlehl.ports import Filter, Library

MANIFEST = Path(".kindlehl") / "exports.json"
"""In a folder that was exported to: which files are ours, and what we wrote. Travels with the folder."""
_FORBIDDEN = dict.fromkeys(map(ord, '<>:"/\\|?*[]#^'), " ") | dict.fromkeys(range(32), " ") | {127: " "}
_RESERVED = frozenset(
    [
        "con",
        "prn",
        "aux",
        "nul",
        "conin$",
        "conout$",
        *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"),
    ]
)
_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))
_LONGEST_NAME = 255
_NAME_BYTES = 120
"""Room for a name: 255 bytes a name and 260 characters a path are what file systems allow."""


@dataclass(slots=True)
class ChosenBooks:
    """The part of a library that is exported: the `Shelf` an exporter is given."""

    library: Library
    chosen: Sequence[Book]
    failure: Exception | None = None
    """What the library raised while it was read: not the exporter's fault."""

    def books(self) -> Iterable[Book]:
        """The chosen books that have something to show."""
        return [book for book in self.chosen if book.highlights or book.notes]

    def highlights(self, book: Book) -> Sequence[Highlight]:
        """One book's highlights and bare notes in reading order."""
        with self._remembered():
            return list(self.library.shelf.highlights(Filter(books=(book.id,))))

    def facts(self) -> Iterator[bytes]:
        """Every fact of the whole library as it travels."""
        with self._remembered():
            for body in self.library.facts.bodies():
                yield body.encode()

    @contextmanager
    def _remembered(self) -> Generator[None]:
        try:
            yield
        except Exception as error:
            self.failure = error
            raise


@dataclass(slots=True)
class Exported:
    """What an export did."""

    target: str
    written: list[str] = field(default_factory=list[str])
    unchanged: list[str] = field(default_factory=list[str])
    kept: list[str] = field(default_factory=list[str])
    """Files that are not ours, or that the reader changed: left as they are."""


def export_to_stream(exporter: Exporter, shelf: ChosenBooks, stream: BinaryIO) -> None:
    """Write the documents one after the other."""
    for document in _rendered(exporter, shelf):
        stream.writelines(block.data for block in document.blocks)


def export_to_folder(exporter: Exporter, shelf: ChosenBooks, folder: Path, *, dry_run: bool = False) -> Exported:
    """Write each document to a file of its own in a folder. What is unchanged is not touched, its time neither."""
    done = Exported(str(folder))
    with _sentences(folder):
        if folder.exists() and not folder.is_dir():
            raise TargetError(f"{folder} is a file.", hint="Name a folder: --to FOLDER.")
        if (folder / MANIFEST.parent).is_symlink() or (folder / MANIFEST).is_symlink():
            raise TargetError(
                f"{folder / MANIFEST.parent} leads elsewhere through a link.",
                hint="Remove that link, then export again.",
            )
        if not dry_run:
            (folder / MANIFEST.parent).mkdir(parents=True, exist_ok=True)
        manifest = _Manifest(folder / MANIFEST)
        taken = {record["path"].casefold() for record in manifest.files.values()}
        try:
            for document in _rendered(exporter, shelf):
                key = f"{exporter.name}/{document.id}"
                known = manifest.path(key)
                names = [known] if known else [n for n in _names(document) if n.casefold() not in taken]
                name = _put(document, [folder / n for n in names], key, manifest, done, dry_run=dry_run).name
                taken.add(name.casefold())
        finally:
            # What was written before something failed is ours too.
            if not dry_run:
                manifest.save()
    return done


def export_to_file(
    exporter: Exporter, shelf: ChosenBooks, path: Path, state: Path, *, dry_run: bool = False
) -> Exported:
    """Write the one document to this file. `state` is the folder that remembers which files are ours."""
    done = Exported(str(path))
    with _sentences(path):
        if path.is_dir():
            raise TargetError(f"{path} is a folder.", hint=f"Name a file in it: --to {path / 'highlights'}.")
        documents = _rendered(exporter, shelf)
        first = next(documents, None)
        if first is None:
            raise TargetError("There is nothing to export.", hint="Import something first: kindlehl import")
        if not dry_run:
            path.parent.mkdir(parents=True, exist_ok=True)
        manifest = _Manifest(state / "exports.json")
        _put(first, [path], str(path.absolute()), manifest, done, dry_run=dry_run, single=documents)
        if not dry_run:
            manifest.save()
    if done.kept:
        raise TargetError(
            f"{path} is not as kindlehl wrote it, and was left as it is.",
            hint="Move it away, or choose another name with --to.",
        )
    return done


def _rendered(exporter: Exporter, shelf: ChosenBooks) -> Iterator[Document]:
    """The documents; whatever an exporter raises is a sentence that names it."""
    with _named(exporter, shelf):
        for document in exporter.render(shelf):
            yield dataclasses.replace(document, blocks=_blocks(exporter, document, shelf))


def _blocks(exporter: Exporter, document: Document, shelf: ChosenBooks) -> Iterator[Block]:
    with _named(exporter, shelf):
        yield from document.blocks


@contextmanager
def _named(exporter: Exporter, shelf: ChosenBooks) -> Generator[None]:
    try:
        yield
    except (KindlehlError, OSError):
        raise
    except Exception as error:
        if error is shelf.failure:
            raise
        raise PluginError(
            f"The exporter {exporter.name} failed ({type(error).__name__}).",
            hint="Please report it to whoever wrote that exporter.",
        ) from error


class _Manifest:
    """Which files are ours: document → path and the hash of what we wrote."""

    def __init__(self, path: Path) -> None:
        self.path_ = path
        self.travels = path.parts[-2:] == MANIFEST.parts
        """Whether it lies in the folder that it is about, and so may come from anybody."""
        self.files: dict[str, dict[str, str]] = {}
        self.before = ""
        try:
            self.before = path.read_text("utf-8")
            held: Any = json.loads(self.before)
            self.files = {k: v for k, v in held["files"].items() if self._is_ours(v["path"]) and v["sha256"]}
        except FileNotFoundError:
            pass
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # Somebody broke it. Then no file counts as ours, and none is written over.
            self.files = {}

    def _is_ours(self, path: str) -> bool:
        if not self.travels:
            return True
        fits = len(path.encode("utf-8", "surrogatepass")) <= _LONGEST_NAME
        plain = not any(unicodedata.category(c) in _INVISIBLE for c in path)
        return fits and plain and Path(path).name == path and not path.startswith(".")

    def path(self, key: str) -> str | None:
        """Where this document was written before."""
        return self.files[key]["path"] if key in self.files else None

    def wrote(self, key: str) -> str | None:
        """The hash of what was written there."""
        return self.files[key]["sha256"] if key in self.files else None

    def save(self) -> None:
        """Keep it, if anything changed."""
        text = json.dumps({"schema": "kindlehl/exports/1", "files": dict(sorted(self.files.items()))}, indent=1)
        if text != self.before:
            self.path_.parent.mkdir(parents=True, exist_ok=True)
            with _beside(self.path_.parent) as (stream, part):
                stream.write(text.encode())
                stream.close()
                _publish(part, self.path_)


def _put(
    document: Document,
    places: Sequence[Path],
    key: str,
    manifest: _Manifest,
    done: Exported,
    *,
    dry_run: bool,
    single: Iterator[Document] | None = None,
) -> Path:
    """Write one document to the first of these places that is free, ours, or holds the very same; returns which. It is
    written beside its place and then moved there. With none left, the last is left as it is."""
    folder = Path(tempfile.gettempdir()) if dry_run else places[0].parent
    with _beside(folder) as (stream, part):
        digest = hashlib.sha256()
        for block in document.blocks:
            digest.update(block.data)
            stream.write(block.data)
        stream.close()
        if single is not None and next(single, None) is not None:
            raise UsageError(
                "This format makes a file for each book.", hint="Name a folder: --to FOLDER/, or one book: --book."
            )
        for path in places:
            there = _hash(path)
            if there == digest.hexdigest():
                done.unchanged.append(str(path))
            elif there is None or there == manifest.wrote(key):
                done.written.append(str(path))
                if not dry_run:
                    _publish(part, path)
            else:
                continue
            named = path.name if manifest.travels else str(path.absolute())
            manifest.files[key] = {"path": named, "sha256": digest.hexdigest()}
            return path
    done.kept.append(str(places[-1]))
    return places[-1]


@contextmanager
def _beside(folder: Path) -> Generator[tuple[BinaryIO, Path]]:
    """A new file in a folder and its path; it is gone afterwards unless it was moved to its place."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=".kindlehl-", suffix=".part")
    stream = os.fdopen(handle, "wb")
    try:
        yield stream, Path(name)
    finally:
        try:
            stream.close()  # writes what is left, and fails once more on a full disk
        finally:
            Path(name).unlink(missing_ok=True)


def _publish(part: Path, path: Path) -> None:
    """Move a finished file to its place, with the permissions that any new file of this user gets."""
    umask = os.umask(0)
    os.umask(umask)
    part.chmod(0o666 & ~umask)
    part.replace(path)


def _hash(path: Path) -> str | None:
    if not path.exists() and not path.is_symlink():
        return None
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def safe_name(title: str) -> str:
    """A title as a name that every file system takes, and that a wiki link can hold."""
    name = "".join(c for c in title.translate(_FORBIDDEN) if unicodedata.category(c) not in _INVISIBLE)
    name = " ".join(unicodedata.normalize("NFC", name).split())
    name = name.encode("utf-8")[:_NAME_BYTES].decode("utf-8", "ignore").strip(" .")
    if not name:
        return "Untitled"
    # Windows takes "Aux. Notes.md" for the device AUX: the part before the first dot is what counts.
    return f"_{name}" if name.split(".")[0].strip().casefold() in _RESERVED else name


def _names(document: Document) -> list[str]:
    """Names for a document, the first that is free being the one."""
    name = safe_name(document.title)
    short, whole = f"{name} ({safe_name(document.id[:8])})", f"{name} ({safe_name(document.id)})"
    return [candidate + document.suffix for candidate in (name, short, whole)]


@contextmanager
def _sentences(target: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise TargetError(
            f"Writing to {target} failed: {error.strerror or type(error).__name__}.",
            hint="Check that the place can be written to and has room. What was there before is as it was.",
        ) from error
