"""The rule of the whole file: one that is not ours, or that the reader changed, is never written over."""

import hashlib
import json
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kindlehl.domain.contract import Document
from kindlehl.domain.errors import UsageError
from kindlehl.services.exporting.files import beside, file_hash, publish
from kindlehl.services.exporting.names import INVISIBLE, LONGEST_NAME
from kindlehl.services.exporting.report import Exported

MANIFEST = Path(".kindlehl") / "exports.json"
"""In a folder that was exported to: which files are ours, and what we wrote. Travels with the folder."""


class Manifest:
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
        fits = len(path.encode("utf-8", "surrogatepass")) <= LONGEST_NAME
        plain = not any(unicodedata.category(c) in INVISIBLE for c in path)
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
        if text != self.before and (self.files or self.before):
            self.path_.parent.mkdir(parents=True, exist_ok=True)
            with beside(self.path_.parent) as (stream, part):
                stream.write(text.encode())
                stream.close()
                publish(part, self.path_)


def put(
    document: Document,
    places: Sequence[Path],
    key: str,
    manifest: Manifest,
    done: Exported,
    *,
    dry_run: bool,
    single: Iterator[Document] | None = None,
) -> Path:
    """Write one document to the first of these places that is free, ours, or holds the very same; returns which. It is
    written beside its place and then moved there. With none left, the last is left as it is."""
    folder = Path(tempfile.gettempdir()) if dry_run else places[0].parent
    with beside(folder) as (stream, part):
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
            there = file_hash(path)
            if there == digest.hexdigest():
                done.unchanged.append(str(path))
            elif there is None or there == manifest.wrote(key):
                done.written.append(str(path))
                if not dry_run:
                    publish(part, path)
            else:
                continue
            named = path.name if manifest.travels else str(path.absolute())
            manifest.files[key] = {"path": named, "sha256": digest.hexdigest()}
            return path
    done.kept.append(str(places[-1]))
    return places[-1]
