"""Importing: records of a source become facts of the library, in one transaction, with an account of every one."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from kindlehl import wire
from kindlehl.domain import clock, fold
from kindlehl.domain.batches import batches
from kindlehl.domain.effects import Effects
from kindlehl.domain.errors import KindlehlError, PluginError
from kindlehl.domain.facts import IMPORT_LIMIT, KINDS, Id, Import, Record, new_id
from kindlehl.ports import Library, Operation
from kindlehl.services.sources import Source
from kindlehl.services.uniting import UNITED, LibraryFile, records_of

LISTED = 100
"""Unreadable records named in a report; the rest are counted."""
_KINDS = frozenset(KINDS)
_ID_LENGTH = 36
_FIRST_KINDLE = "2007"
"""A date before this is a clock that was never set."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that could not be read, and is kept for a later version to read."""

    line: int
    reason: str
    new: bool


@dataclass(slots=True)
class Report:
    """What one import did. `read = new + known = Σ kinds`, always."""

    source: str
    origin: str
    read: int = 0
    new: int = 0
    known: int = 0
    kinds: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    unreadable: list[Unreadable] = field(default_factory=list[Unreadable])
    new_unreadable: int = 0
    no_date: int = 0
    """New highlights and notes without a time that could be read."""
    odd_clock: int = 0
    """New records from a clock that was plainly wrong: before the first Kindle, or in the future."""
    warnings: list[str] = field(default_factory=list[str])
    listed: int = 0
    """Records that this import lists: they had no live import from this source."""
    united: int = 0
    """Facts of another library that are part of this one now."""

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


@dataclass(slots=True)
class Outcome:
    """What the imports of one command did together."""

    reports: list[Report]
    effects: Effects

    def total(self, name: str) -> int:
        """A count over all sources."""
        return sum(getattr(report, name) for report in self.reports)

    @property
    def kinds(self) -> dict[str, int]:
        """Records of each kind, over all sources."""
        return {kind: sum(report.kinds[kind] for report in self.reports) for kind in KINDS}


class _DryRun(Exception):  # noqa: N818 -- no error: unwinds the transaction of a dry run
    """Leaves the transaction without a trace."""


Progress = Callable[[Source], None]


def import_sources(
    library: Library,
    sources: Sequence[Source],
    *,
    dry_run: bool = False,
    progress: Progress = lambda _: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    make_id: Callable[[], Id] = new_id,
) -> Outcome:
    """Import sources: all of it happens, or nothing. A dry run counts the same and leaves no trace."""
    reports: list[Report] = []
    effects = Effects()
    op = make_id()
    try:
        with library.transaction():
            reports += [_import(library, source, op, progress, now(), make_id) for source in sources]
            effects = library.shelf.settle()
            _enter(library, op, reports, now())
            for source, report in zip(sources, reports, strict=True):
                if not isinstance(source.importer, LibraryFile):
                    library.memo.remember(_memo_key(source), _to_remember(report))
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    return Outcome(reports, effects)


def _enter(library: Library, op: Id, reports: Sequence[Report], now: datetime) -> None:
    """Let the journal know of an import that brought something: it can be undone."""
    listed = sum(report.listed for report in reports)
    united = sum(report.united for report in reports)
    stamp = clock.stamp(now)
    if united:
        library.journal.enter(Operation(op, stamp, UNITED, united))
    elif listed:
        library.journal.enter(Operation(op, stamp, "import", listed))


def _memo_key(source: Source) -> str:
    """Names the bytes of a file and all that decides how they are read."""
    importer = source.importer
    parts = ("file", source.digest, source.id, importer.revision, source.bundle.encoding, fold.REVISION)
    return ":".join(map(str, parts))


def _to_remember(report: Report) -> str:
    return json.dumps([report.read, report.kinds, [(u.line, u.reason) for u in report.unreadable], report.warnings])


def _import(
    library: Library, source: Source, op: Id, progress: Progress, now: datetime, make_id: Callable[[], Id]
) -> Report:
    report = Report(source.id, source.origin)
    if isinstance(source.importer, LibraryFile):
        return _unite(library, source, source.importer, report)
    remembered = library.memo.recall(_memo_key(source))
    if remembered is not None:
        # The very same bytes, read by the very same parser: everything in them is known.
        report.read, report.kinds, unreadable, report.warnings = json.loads(remembered)
        report.unreadable = [Unreadable(line, reason, new=False) for line, reason in unreadable]
        report.known = report.read
        return report
    tomorrow = (now.replace(tzinfo=None) + timedelta(days=2)).isoformat(timespec="seconds")
    stamp = clock.stamp(now)
    for batch in batches(_guarded(source), IMPORT_LIMIT):
        facts, unlisted = _account(library, batch, source.id, report, tomorrow)
        if unlisted:
            facts.append(Import(make_id(), source.id, stamp, op, unlisted))
            report.listed += len(unlisted)
        library.facts.add(facts)
        progress(source)
    report.warnings += source.bundle.warnings
    return report


def _guarded(source: Source) -> Iterator[Record]:
    """The records of a source; whatever an importer raises is a sentence that names it."""
    try:
        for record in source.importer.read(source.bundle):
            _check(record)
            yield record
    except KindlehlError:
        raise
    except Exception as error:
        raise PluginError(
            f"The importer {source.importer.name} failed on {source.origin} ({type(error).__name__}). "
            "Nothing was imported.",
            hint="Please report it to whoever wrote that importer.",
        ) from error


def _check(record: Record) -> None:
    """Refuse what could never be read back. An importer that breaks its contract must not break a library."""
    start, end = record.location_start, record.location_end
    if (
        record.kind not in _KINDS
        or len(record.id) != _ID_LENGTH
        or (start is not None and not 0 <= start <= wire.GREATEST)
        or (end is not None and not 0 <= end <= wire.GREATEST)
    ):
        raise ValueError(record.kind)


def _unite(library: Library, source: Source, file: LibraryFile, report: Report) -> Report:
    """Add another library's facts as they are: its imports, edits and deletions too."""
    bodies = file.bodies(source.bundle)
    for batch in batches(records_of(bodies), IMPORT_LIMIT):
        held = library.facts.standing([record.id for record in batch], source.id)
        report.read += len(batch)
        for record in batch:
            report.kinds[record.kind] += 1
        report.known += sum(r.id in held and (held[r.id].live or held[r.id].erased) for r in batch)
    report.new = report.read - report.known
    report.united = library.facts.add_raw(bodies)
    return report


def _account(
    library: Library, batch: list[Record], source: str, report: Report, tomorrow: str
) -> tuple[list[Record | Import], tuple[Id, ...]]:
    """Count a batch; returns the records that are new or better read than before, and the ids of those that no live
    import from this source lists yet."""
    standing = library.facts.standing([record.id for record in batch], source)
    unlisted: dict[Id, None] = {}
    better: dict[Id, Record] = {}
    for record in batch:
        report.read += 1
        report.kinds[record.kind] += 1
        held = standing.get(record.id)
        is_new = record.id not in unlisted and (held is None or not (held.live or held.erased))
        if is_new:
            report.new += 1
            _remark(record, report, tomorrow)
        else:
            report.known += 1
        if record.kind == "unreadable":
            report.new_unreadable += is_new
            if len(report.unreadable) < LISTED:
                report.unreadable.append(Unreadable(record.line, record.reason or "", is_new))
        if held is None or not (held.here or held.erased):
            unlisted[record.id] = None
        above = better.get(record.id, held)
        if above is None or (record.revision, record.certainty) > (above.revision, above.certainty):
            better[record.id] = record
    return [*better.values()], tuple(unlisted)


def _remark(record: Record, report: Report, tomorrow: str) -> None:
    if record.at is None:
        report.no_date += record.kind in ("highlight", "note")
    elif record.at < _FIRST_KINDLE or record.at > tomorrow:
        report.odd_clock += 1
