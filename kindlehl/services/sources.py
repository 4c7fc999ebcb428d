"""Getting hold of a source: a private copy of each file, recognised by the importer that claims it."""

import hashlib
import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from kindlehl.domain.contract import Bundle, Importer
from kindlehl.domain.errors import NoSourceError, SourceError

STDIN = "-"
_CHUNK = 1 << 20
_SYNC_LEFTOVERS = (".sync-conflict-", "~syncthing~")


@dataclass(slots=True)
class Source:
    """A private copy of one file, claimed by an importer."""

    name: str
    """The file's own name."""
    origin: str
    """Where it was found, as a person would say it."""
    importer: Importer
    bundle: Bundle
    digest: str
    size: int
    serial: str | None = None
    """Of the device it was found on."""
    streams: list[BinaryIO] = field(default_factory=list[BinaryIO])
    """What was opened to read it, the last one being read."""

    @property
    def id(self) -> str:
        """What an import fact calls it: the importer and, where known, the device."""
        return f"{self.importer.name}:{self.serial}" if self.serial else self.importer.name

    def position(self) -> int:
        """How many bytes have been read."""
        return self.streams[-1].tell() if self.streams and not self.streams[-1].closed else 0


@contextmanager
def opened(
    stream: BinaryIO,
    name: str,
    origin: str,
    importers: Iterable[Importer],
    *,
    encoding: str | None = None,
    serial: str | None = None,
) -> Generator[Source]:
    """A source from a stream. Copied first: a device may be unplugged and a file may grow while it is parsed.

    Raises SourceError when it cannot be read to its end, or nobody knows its format.
    """
    with tempfile.TemporaryDirectory(prefix="kindlehl-") as folder:
        copy = Path(folder) / "source"
        digest, size = _copy(stream, copy, origin)
        streams: list[BinaryIO] = []

        def open_copy() -> BinaryIO:
            handle = copy.open("rb")
            streams.append(handle)
            return handle

        try:
            bundle = Bundle(name, {name: open_copy}, encoding, explicit=True)
            importer = next((importer for importer in importers if size and claims(importer, bundle)), None)
            if importer is None:
                raise _unknown(origin, size)
            yield Source(name, origin, importer, bundle, digest, size, serial, streams)
        finally:
            for handle in streams:
                handle.close()


def claims(importer: Importer, bundle: Bundle) -> bool:
    """Whether an importer claims a source. One that fails at it is named, and the others are asked."""
    try:
        return importer.claims(bundle)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 -- whatever a plugin raises, the others work on
        bundle.warnings.append(f"The importer {importer.name} failed on {bundle.name} ({type(error).__name__}).")
        return False


def _copy(stream: BinaryIO, copy: Path, origin: str) -> tuple[str, int]:
    digest, size = hashlib.blake2b(digest_size=20), 0
    try:
        with copy.open("wb") as target:
            for chunk in _chunks(stream, origin):
                digest.update(chunk)
                size += len(chunk)
                target.write(chunk)
    except OSError as error:
        raise SourceError(
            f"There is no room for a copy of {origin} in {tempfile.gettempdir()}. Nothing was imported.",
            hint="Make room there, or set TMPDIR to a folder with more.",
        ) from error
    return digest.hexdigest(), size


def _chunks(stream: BinaryIO, origin: str) -> Iterator[bytes]:
    while True:
        try:
            chunk = stream.read(_CHUNK)
        except OSError as error:
            raise SourceError(
                f"Reading {origin} failed half-way: {error.strerror or 'it is gone'}. Nothing was imported.",
                hint="Check that the device is still plugged in, then import again.",
            ) from error
        if not chunk:
            return
        yield chunk


class EmptySourceError(SourceError):
    """A file with nothing in it."""

    code = "empty"


def _unknown(origin: str, size: int) -> SourceError:
    if not size:
        return EmptySourceError(
            f"{origin} is empty: there is nothing to import.",
            hint="A Kindle writes `My Clippings.txt` with the first highlight.",
        )
    return SourceError(
        f"{origin} is in no format that kindlehl can read.",
        hint="Give it a Kindle's `My Clippings.txt`; if it is one in an old encoding, name that with --encoding.",
    )


@contextmanager
def opened_path(
    path: Path, importers: Iterable[Importer], *, encoding: str | None = None, serial: str | None = None
) -> Generator[Source]:
    """A source from a file."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read: {error.strerror}.", hint="Check the path and its permissions."
        ) from error
    with stream, opened(stream, path.name, str(path), importers, encoding=encoding, serial=serial) as source:
        yield source


def files_in(directory: Path, importers: Iterable[Importer]) -> list[Path]:
    """The files of a folder, and of the folders in it, that an importer claims. Hidden ones, and what synchronisers
    leave behind, are passed over."""
    known = list(importers)
    found: list[Path] = []
    for path in sorted(directory.rglob("*")):
        relative = path.relative_to(directory)
        if any(part.startswith(".") for part in relative.parts) or any(s in path.name for s in _SYNC_LEFTOVERS):
            continue
        if _claimed(path, known):
            found.append(path)
    if not found:
        raise NoSourceError(
            f"No file in {directory} is in a format that kindlehl can read.",
            hint="Look for `My Clippings.txt` in the Kindle's `documents` folder.",
        )
    return found


def _claimed(path: Path, importers: Iterable[Importer]) -> bool:
    try:
        bundle = Bundle(path.name, {path.name: lambda: path.open("rb")})
        return path.is_file() and path.stat().st_size > 0 and any(claims(importer, bundle) for importer in importers)
    except OSError:
        # A file in a folder that cannot be opened is not one the reader named: others may be fine.
        return False
