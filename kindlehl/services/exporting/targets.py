"""Exporting: documents go into a folder, a file or a stream."""

from pathlib import Path
from typing import BinaryIO

from kindlehl.domain.contract import Exporter
from kindlehl.domain.errors import TargetError
from kindlehl.services.exporting.chosen import ChosenBooks, rendered
from kindlehl.services.exporting.files import sentences
from kindlehl.services.exporting.merged import MergedFiles
from kindlehl.services.exporting.names import folded, names
from kindlehl.services.exporting.report import Exported
from kindlehl.services.exporting.vault import Bases
from kindlehl.services.exporting.whole import MANIFEST, Manifest, put


def export_to_stream(exporter: Exporter, shelf: ChosenBooks, stream: BinaryIO) -> None:
    """Write the documents one after the other."""
    for document in rendered(exporter, shelf):
        stream.writelines(block.data for block in document.blocks)


def export_to_folder(
    exporter: Exporter, shelf: ChosenBooks, folder: Path, *, again: bool = False, dry_run: bool = False
) -> Exported:
    """Write each document to a file of its own in a folder. What is unchanged is not touched, its time neither.

    Documents that say so are merged into what the reader made of them; `again` writes those anew that the reader
    deleted.
    """
    done = Exported(str(folder))
    with sentences(folder):
        if folder.exists() and not folder.is_dir():
            raise TargetError(f"{folder} is a file.", hint="Name a folder: --to FOLDER.")
        bases = Bases(folder, exporter.name)
        for place in (folder / MANIFEST.parent, folder / MANIFEST, bases.folder):
            if place.is_symlink():
                raise TargetError(
                    f"{place} leads elsewhere through a link.", hint="Remove that link, then export again."
                )
        if not dry_run:
            (folder / MANIFEST.parent).mkdir(parents=True, exist_ok=True)
        manifest = Manifest(folder / MANIFEST)
        merged = MergedFiles(folder, exporter, shelf, bases, manifest, done, again=again, dry_run=dry_run)
        taken = {folded(record["path"]) for record in manifest.files.values()}
        try:
            for document in rendered(exporter, shelf):
                if document.merged:
                    merged.put(document)
                    continue
                key = f"{exporter.name}/{document.id}"
                known = manifest.path(key)
                free = [known] if known else [n for n in names(document) if folded(n) not in taken]
                name = put(document, [folder / n for n in free], key, manifest, done, dry_run=dry_run).name
                taken.add(folded(name))
        finally:
            # What was written before something failed is ours too.
            if not dry_run:
                manifest.save()
    return done


def export_to_file(
    exporter: Exporter, shelf: ChosenBooks, path: Path, state: Path, *, dry_run: bool = False
) -> Exported:
    """Write the one document to this file, whole. `state` is the folder that remembers which files are ours."""
    done = Exported(str(path))
    with sentences(path):
        if path.is_dir():
            raise TargetError(f"{path} is a folder.", hint=f"Name a file in it: --to {path / 'highlights'}.")
        documents = rendered(exporter, shelf)
        first = next(documents, None)
        if first is None:
            raise TargetError("There is nothing to export.", hint="Import something first: kindlehl import")
        if not dry_run:
            path.parent.mkdir(parents=True, exist_ok=True)
        manifest = Manifest(state / "exports.json")
        put(first, [path], str(path.absolute()), manifest, done, dry_run=dry_run, single=documents)
        if not dry_run:
            manifest.save()
    if done.kept:
        raise TargetError(
            f"{path} is not as kindlehl wrote it, and was left as it is.",
            hint="Move it away, or choose another name with --to. In a folder, your words and ours are merged.",
        )
    return done
