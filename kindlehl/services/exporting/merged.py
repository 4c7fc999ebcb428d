"""Merged files: each document finds its file in the vault, whatever became of it, and is merged into it."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kindlehl.domain import merging
from kindlehl.domain.contract import FRONT_MATTER, Document, Exporter
from kindlehl.domain.errors import PluginError
from kindlehl.domain.facts import Id
from kindlehl.domain.merging import MARKER, Base, Merged, Piece
from kindlehl.ports import Filter
from kindlehl.services.exporting.chosen import ChosenBooks
from kindlehl.services.exporting.files import file_hash, put_new, replaced
from kindlehl.services.exporting.names import folded, names
from kindlehl.services.exporting.report import Exported
from kindlehl.services.exporting.vault import Bases, Kept, NewerBaseError, Vault
from kindlehl.services.exporting.vault import Document as Found
from kindlehl.services.exporting.whole import Manifest

_TRIES = 3
"""How often a file is merged that somebody is just then writing."""


@dataclass(slots=True)
class _Ours:
    """A document as we would write it now, and what is known of it."""

    document: Document
    front: str
    pieces: Sequence[Piece]
    kept: Kept | None
    known_as: str
    """The id under which it was last exported: that of a book changes when books are joined."""

    @property
    def base(self) -> Base | None:
        return self.kept.base if self.kept else None


class MergedFiles:
    """The documents of one export that are merged."""

    def __init__(
        self, root: Path, exporter: Exporter, shelf: ChosenBooks, bases: Bases, manifest: Manifest, done: Exported,
        *, again: bool, dry_run: bool,
    ) -> None:  # fmt: skip
        self.root, self.exporter, self.shelf, self.bases = root, exporter, shelf, bases
        self.manifest, self.done, self.again, self.dry_run = manifest, done, again, dry_run
        self.elsewhere = _Elsewhere(root, bases, shelf)
        shelf.exported_before = self.elsewhere.exported_before
        self._taken: set[str] | None = None

    def put(self, document: Document) -> None:
        """Bring one document's file up to date, or make it."""
        vault = self.elsewhere.vault(document.suffix)
        try:
            ours = self._ours(document)
        except NewerBaseError:
            self.done.left.append(
                f"“{document.title}” was last exported by a newer kindlehl, and was left as it is. Update this one."
            )
            return
        record = self.manifest.files.get(f"{self.exporter.name}/{document.id}")
        known = ours.kept.path if ours.kept else record["path"] if record else None
        place = vault.place(known) if known else None
        if place is not None and place.is_symlink():
            self.done.left.append(f"{place} is a link, and was left as it is. Replace it by a file, or remove it.")
            return
        if place is not None and record and ours.kept is None and file_hash(place) == record["sha256"]:
            self._carry_over(ours, Found(place, place.read_bytes()))
            return
        ids = dict.fromkeys((document.id, ours.known_as))
        found = vault.at(place, ids, ours.base.pieces if ours.base else ()) if place else None
        bearing = [] if found else vault.bearing(ids)
        if len(bearing) > 1:
            self.done.left.append(
                f"{' and '.join(map(str, bearing))} are both “{document.title}”; none of them was changed. "
                "Keep one, or take `kindlehl:` out of the other's properties."
            )
        elif found or bearing:
            self._update(ours, found or Found(bearing[0], bearing[0].read_bytes()))
        elif known and not self.again:
            self.done.deleted.append(str(self.root / known))
        else:
            self._make(ours, place)

    def _ours(self, document: Document) -> _Ours:
        """The document's blocks as pieces, and its base under whatever id."""
        front, pieces = "", list[Piece]()
        for block in document.blocks:
            id_, data, name = block
            text = data.decode().strip("\n")
            if name == FRONT_MATTER:
                front = data.decode()
            elif not id_:
                pieces += [Piece(name, text)] if text else []
            elif (marker := MARKER.search(text, max(text.rfind("\n"), 0))) is not None:
                pieces.append(Piece(marker[1], text, id_))
            else:
                raise PluginError(
                    f"The exporter {self.exporter.name} gives a passage without its marker, so it cannot be merged.",
                    hint="Please report it to whoever wrote that exporter.",
                )
        known_as, kept = self.elsewhere.base_of(document.id)
        if kept is not None:
            pieces = merging.renamed(pieces, self.elsewhere.names_in_use(kept.base, pieces))
        return _Ours(document, front, pieces, kept, known_as)

    def _carry_over(self, ours: _Ours, found: Found) -> None:
        """A file that an earlier version wrote, unchanged since: the whole of it is ours."""
        merged = merging.new(ours.front, ours.pieces, self._without(ours, ""))
        if self._is_written(found, merged):
            self._finish(ours, found.path, merged._replace(account=merging.Account()))

    def _update(self, ours: _Ours, found: Found) -> None:
        """Merge; and again when somebody wrote the file in the meantime, some times."""
        whole = merging.whole(ours.front, ours.pieces).encode()
        if found.data == whole and ours.kept and ours.kept[::2] == (self._written(ours, found.path), _digest(whole)):
            self.done.unchanged.append(str(found.path))
            return
        for _ in range(_TRIES):
            if b"\0" in found.data:
                self.done.left.append(f"{found.path} is no text in UTF-8, and was left as it is.")
                return
            text = found.data.decode("utf-8", "surrogateescape")
            merged = merging.merge(ours.base, text, ours.front, ours.pieces, self._without(ours, text))
            if self._is_written(found, merged):
                self._finish(ours, found.path, merged)
                return
            if not found.path.is_file() or found.path.is_symlink():
                break
            found = Found(found.path, found.path.read_bytes())
        self.done.left.append(f"{found.path} is being written by another program, and was left as it is. Export again.")

    def _is_written(self, found: Found, merged: Merged) -> bool:
        """Whether the file now holds this; False: somebody wrote it since it was read."""
        data = merged.text.encode("utf-8", "surrogateescape")
        if data == found.data:
            self.done.unchanged.append(str(found.path))
            return True
        if self.dry_run or replaced(found.path, found.data, data):
            self.done.written.append(str(found.path))
            return True
        return False

    def _make(self, ours: _Ours, place: Path | None) -> None:
        """A file that is not there yet, under the first name that is free."""
        taken = self._names_taken()
        places = [self.root / name for name in names(ours.document) if folded(name) not in taken]
        if place is not None and place.parent.is_dir():
            places = [place, *places]
        merged = merging.new(ours.front, ours.pieces, self._without(ours, ""))
        for path in places:
            if path.is_symlink() or path.exists():
                continue
            if self.dry_run or put_new(path, merged.text.encode("utf-8", "surrogateescape")):
                self.done.written.append(str(path))
                taken.add(folded(path.name))
                self._finish(ours, path, merged)
                return
        self.done.left.append(f"There is no free name for “{ours.document.title}” in {self.root}.")

    def _names_taken(self) -> set[str]:
        if self._taken is None:
            there = [path.name for path in self.root.iterdir()] if self.root.is_dir() else []
            known = [record["path"] for record in self.manifest.files.values()]
            self._taken = {folded(name) for name in [*there, *known, *self.elsewhere.paths()]}
        return self._taken

    def _without(self, ours: _Ours, text: str) -> Collection[str]:
        """The passages that are not added here. Those that the reader took out of another file are marked as taken out
        of this one."""
        there = merging.names_in(text) if text else ()
        base = ours.base.pieces if ours.base else {}
        fresh = [piece.name for piece in ours.pieces if piece.id and piece.name not in base and piece.name not in there]
        return self.elsewhere.held(ours.known_as, fresh) if fresh else ()

    def _finish(self, ours: _Ours, path: Path, merged: Merged) -> None:
        counts = merged.account._asdict()
        if any(counts.values()):
            self.done.changes[str(path)] = counts
        if self.dry_run:
            return
        whole = merging.whole(ours.front, ours.pieces)
        kept = Kept(self._written(ours, path), merged.base, _digest(whole.encode()) if merged.text == whole else "")
        self.bases.write(ours.document.id, kept)
        if ours.known_as != ours.document.id:
            self.bases.forget(ours.known_as)
        self.manifest.files.pop(f"{self.exporter.name}/{ours.document.id}", None)

    def _written(self, ours: _Ours, path: Path) -> str:
        return self.elsewhere.vault(ours.document.suffix).written(path)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(slots=True)
class _Elsewhere:
    """What the other documents of the vault hold: passages go from book to book as books are joined and parted."""

    root: Path
    bases: Bases
    shelf: ChosenBooks
    holders: dict[str, list[str]] | None = None
    """The name of a passage → the documents whose base has it, as the export began."""
    known_paths: dict[str, str] = field(default_factory=dict[str, str])
    vaults: dict[str, Vault] = field(default_factory=dict[str, Vault])
    books: set[Id] = field(default_factory=set[Id])
    """Every book of the library, and those that are exported now."""
    coming: set[Id] = field(default_factory=set[Id])

    def vault(self, suffix: str) -> Vault:
        """The vault as far as files with this suffix go."""
        return self.vaults.setdefault(suffix, Vault(self.root, suffix))

    def exported_before(self, document: Id) -> Collection[Id]:
        """The passages that a document was given."""
        try:
            _, kept = self.base_of(document)
        except NewerBaseError:
            return ()
        return {piece.id for piece in kept.base.pieces.values()} if kept else ()

    def base_of(self, document: Id) -> tuple[Id, Kept | None]:
        """A document's base, and the id that it is under: one whose book is gone, and which has most of this book's
        passages, is this book's under its earlier id."""
        kept = self.bases.read(document)
        if kept is None and (orphans := self._orphans()):
            held = {h.id for h in self.shelf.library.shelf.highlights(Filter(books=(document,)))}
            shared = [
                (len(held.intersection(piece.id for piece in each.base.pieces.values())), id_, each)
                for id_, each in orphans
            ]
            count, id_, each = max(shared, key=lambda one: one[:2])
            return (id_, each) if count else (document, None)
        return document, kept

    def names_in_use(self, base: Base, pieces: Sequence[Piece]) -> dict[str, str]:
        """Our name → the name that a passage has in the file already: a passage's id changes when an earlier form of it
        is imported, and links in the vault shall go on working."""
        fresh = {piece.id: piece.name for piece in pieces if piece.id and piece.name not in base.pieces}
        ids = {piece.id for piece in pieces}
        names: dict[str, str] = {}
        for name, known in base.pieces.items() if fresh else ():
            if known.id in fresh:
                names[fresh.pop(known.id)] = name
            elif known.id and known.id not in ids:
                shown = self.shelf.library.shelf.get(known.id)
                if shown is not None and shown.id in fresh:
                    names[fresh.pop(shown.id)] = name
        return names

    def held(self, document: Id, names: Iterable[str]) -> set[str]:
        """Those of these passages that stand in another file of ours and stay there, or that the reader took out of
        one. A passage of a book that is exported too, and that is there as we wrote it, moves over."""
        holders = self._index()
        found: set[str] = set()
        for name in names:
            for other in holders.get(name, ()):
                if other != document and self._stays(other, name):
                    found.add(name)
        return found

    def _stays(self, other: Id, name: str) -> bool:
        try:
            kept = self.bases.read(other)
        except NewerBaseError:
            return False
        if kept is None or name not in kept.base.pieces:
            return False
        vault = self.vault(Path(kept.path).suffix)
        place = vault.place(kept.path)
        here = vault.at(place, (other,), kept.base.pieces) if place else None
        bearing = [] if here else vault.bearing((other,))
        if here is None and len(bearing) == 1:
            here = Found(bearing[0], bearing[0].read_bytes())
        if here is None or other not in self.coming:
            return True
        return not merging.holds_as_written(here.data.decode("utf-8", "surrogateescape"), kept.base, name)

    def paths(self) -> Iterable[str]:
        """Where the documents that are known stand."""
        self._index()
        return self.known_paths.values()

    def _index(self) -> dict[str, list[str]]:
        if self.holders is None:
            self.holders = {}
            self.coming = {book.id for book in self.shelf.books()}
            for document in self.bases.documents():
                kept = self.bases.read(document)
                for name in kept.base.pieces if kept else ():
                    self.holders.setdefault(name, []).append(document)
                self.known_paths[document] = kept.path if kept else ""
        return self.holders

    def _orphans(self) -> list[tuple[Id, Kept]]:
        """Documents whose book is not in the library any more."""
        self._index()
        if not self.books:
            self.books = {id_ for id_, *_ in self.shelf.library.shelf.titles(hidden=True)}
        gone = [document for document in self.known_paths if document not in self.books]
        return [(document, kept) for document in gone if (kept := self.bases.read(document))]
