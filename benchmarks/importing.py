"""How long an import takes and how much memory, against a naive one with the same search index."""

import json
from itertools import pairwise
from pathlib import Path
from statistics import median

import made_clippings
from measuring import (
    HERE,
    KINDLEHL,
    PYTHON,
    Options,
    Row,
    Run,
    Table,
    at_least,
    interleaved,
    main,
    progress,
    ratio,
    run,
    scratch,
    shown,
    size_name,
    times,
)

REFERENCE = 100_000
"""The size that the goals for speed are about."""
MOST_MEMORY = 150
"""MiB, at a million clippings."""


def benchmark(options: Options) -> Table:
    """First import, second import, and import of a file that is known, at growing sizes."""
    sizes = options.chosen(quick=(2_000, 20_000), full=(10_000, REFERENCE, 1_000_000))
    rounds = options.rounds()
    table = Table(
        "Import",
        "`kindlehl import` and `benchmarks/floor_import.py`, each as a fresh process with a fresh library, in "
        f"turn; the median of {rounds} rounds, whole processes from start to end. The file is made up by "
        "`benchmarks/made_clippings.py`: nine languages (80 % English), 400 records a book, notes, bookmarks, "
        "resized highlights. The floor parses English alone with one pattern and writes one table and the same "
        "search index; it joins and links nothing. Memory is the process's resident set at its highest. The second "
        "import is of the same file with one record more, so that the file itself is not recognised; “beyond "
        "start-up” takes off the time of `kindlehl db path`.",
    )
    seen: dict[int, dict[str, list[Run]]] = {}
    for count in sizes:
        progress(f"import: {count:,} clippings, {rounds} rounds")
        with scratch() as folder:
            seen[count] = _measure(folder, count, rounds)
        table.rows += _rows(count, seen[count])
    for small, large in pairwise(sizes):
        table.rows += _growth(small, large, seen[small], seen[large])
    return table


def _measure(folder: Path, count: int, rounds: int) -> dict[str, list[Run]]:
    clippings, longer = folder / "My Clippings.txt", folder / "My Clippings longer.txt"
    made_clippings.write(clippings, count)
    made_clippings.appended(clippings, longer)
    library, bare = folder / "library.db", folder / "floor.db"

    def first() -> Run:
        _forget(library)
        done = _import(clippings, library, folder)
        report = json.loads(done.output)
        if report["read"] != count or report["kinds"]["unreadable"]:
            message = f"the import read {report['read']:,} of {count:,} records: {report['kinds']}"
            raise RuntimeError(message)
        return done

    def floor() -> Run:
        _forget(bare)
        return run([PYTHON, HERE / "floor_import.py", clippings, bare], home=folder)

    return interleaved(
        rounds,
        {
            "floor": floor,
            "first": first,
            "second": lambda: _import(longer, library, folder),
            "known": lambda: _import(longer, library, folder),
            "nothing": lambda: run([KINDLEHL, "db", "path", "--library", library], home=folder),
        },
    )


def _import(clippings: Path, library: Path, home: Path) -> Run:
    return run([KINDLEHL, "import", clippings, "--library", library, "--json"], home=home)


def _forget(library: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        library.with_name(library.name + suffix).unlink(missing_ok=True)


def _rows(count: int, runs: dict[str, list[Run]]) -> list[Row]:
    size = size_name(count)
    took = {name: times(results) for name, results in runs.items()}
    again = ratio(took["first"], took["second"])
    beyond = median(k - n for k, n in zip(took["known"], took["nothing"], strict=True))
    peak, floor_peak = (max(result.peak for result in runs[name]) for name in ("first", "floor"))
    goals = count == REFERENCE
    return [
        at_least(f"first import, {size}", count, took["floor"], took["first"], 0.5 if count >= REFERENCE else None),
        Row(
            f"second import, {size} (floor: the first)",
            shown(median(took["first"])),
            shown(median(took["second"])),
            f"{again:.1f}× as fast",
            "≥ 3× as fast" if goals else "",
            again >= 3 if goals else None,
        ),
        Row(
            f"unchanged file, {size}, beyond start-up",
            shown(median(took["nothing"])),
            shown(beyond),
            "",
            "< 100 ms" if goals else "",
            beyond < 0.1 if goals else None,
        ),
        Row(
            f"peak memory, {size}",
            f"{floor_peak:,.0f} MiB",
            f"{peak:,.0f} MiB",
            f"{peak / floor_peak:.2f}×",
            f"< {MOST_MEMORY} MiB" if count >= 1_000_000 else "",
            peak < MOST_MEMORY if count >= 1_000_000 else None,
        ),
    ]


def _growth(small: int, large: int, before: dict[str, list[Run]], after: dict[str, list[Run]]) -> list[Row]:
    """How time and memory grow with the file."""

    def time(runs: dict[str, list[Run]], name: str) -> float:
        return median(times(runs[name]))

    def peak(runs: dict[str, list[Run]], name: str) -> float:
        return max(run.peak for run in runs[name])

    names = f"{size_name(small)} to {size_name(large)} (×{large / small:g})"
    mine, floor = (time(after, name) / time(before, name) for name in ("first", "floor"))
    limit = 1.2 * large / small
    return [
        Row(f"time, {names}", f"×{floor:.1f}", f"×{mine:.1f}", "", f"linear: ≤ ×{limit:g}", mine <= limit),
        Row(
            f"memory, {names}",
            f"×{peak(after, 'floor') / peak(before, 'floor'):.1f}",
            f"×{peak(after, 'first') / peak(before, 'first'):.1f}",
        ),
    ]


if __name__ == "__main__":
    main(benchmark)
