"""Files: written beside their place and moved there whole, or not at all."""

import hashlib
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from kindlehl.domain.errors import TargetError


@contextmanager
def beside(folder: Path) -> Generator[tuple[BinaryIO, Path]]:
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


def publish(part: Path, path: Path) -> None:
    """Move a finished file to its place, with the permissions that any new file of this user gets."""
    part.chmod(_mode())
    part.replace(path)


def _mode() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def put_new(path: Path, data: bytes) -> bool:
    """Make a file. False where one is there by now: it is left as it is."""
    with beside(path.parent) as (stream, part):
        stream.write(data)
        stream.close()
        part.chmod(_mode())
        try:
            path.hardlink_to(part)
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links
            if path.is_symlink() or path.exists():
                return False
            part.replace(path)
    return True


def replaced(path: Path, before: bytes, data: bytes) -> bool:
    """Put other bytes in place of those that were read. False where it holds others by now: it is left as it is."""
    with beside(path.parent) as (stream, part):
        stream.write(data)
        stream.close()
        if path.is_symlink() or not path.is_file() or path.read_bytes() != before:
            return False
        part.chmod(path.stat().st_mode & 0o777)
        part.replace(path)
    return True


def file_hash(path: Path) -> str | None:
    """Of a file's bytes; "" of what is no file, None of what is not there."""
    if not path.exists() and not path.is_symlink():
        return None
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def sentences(target: Path) -> Generator[None]:
    """What the system refuses is a sentence that names the target."""
    try:
        yield
    except OSError as error:
        raise TargetError(
            f"Writing to {target} failed: {error.strerror or type(error).__name__}.",
            hint="Check that the place can be written to and has room. What was there before is as it was.",
        ) from error
