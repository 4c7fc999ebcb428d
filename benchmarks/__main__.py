"""All benchmarks, one after the other, and the page that tells what they found: `make bench`."""

import argparse
import os
import platform
import sqlite3
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import editing
import exporting
import importing
import peers
import search
import startup
import syncing
from measuring import HERE, Table, options, progress

BENCHMARKS = {
    "startup": startup.benchmark,
    "importing": importing.benchmark,
    "peers": peers.benchmark,
    "exporting": exporting.benchmark,
    "editing": editing.benchmark,
    "syncing": syncing.benchmark,
    "search": search.benchmark,  # last: it opens libraries itself, and memory is measured better from a small process
}
PAGE = HERE.parent / "docs" / "benchmarks.md"


def main() -> None:
    """Run what was asked for, print each table, and write the page."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("only", nargs="*", help=f"of {', '.join(BENCHMARKS)}; none: all, and the page is written")
    parser.add_argument("--to", type=Path, help="where to write the page; a quick run or a part writes none by itself")
    chosen, given = options(parser)
    unknown = set(given.only) - set(BENCHMARKS)
    if unknown:
        parser.error(f"there is no benchmark called {', '.join(sorted(unknown))}")
    whole = not given.only and not chosen.quick and not chosen.sizes
    page = given.to or (PAGE if whole else None)
    tables: list[Table] = []
    for name in given.only or BENCHMARKS:
        table = BENCHMARKS[name](chosen)
        print(table.markdown(), flush=True)
        tables.append(table)
    if page is not None:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(_page(tables, quick=chosen.quick), "utf-8")
        progress(f"written to {page}")


def _page(tables: list[Table], *, quick: bool) -> str:
    rows = [row for table in tables for row in table.rows if row.met is not None]
    missed = [f"{table.title.lower()}: {row.what}" for table in tables for row in table.rows if row.met is False]
    head = [
        "# Benchmarks",
        "",
        (
            "Written by `make bench`; do not edit. Every figure stands beside a floor that was measured in the same "
            "run, in turn with it: compare the ratios, for the times are those of one machine at one moment. A ratio "
            "is the median of what each round's two figures are to each other, so it need not be the quotient of the "
            "two medians beside it."
        ),
        "",
        *(["A quick run with small sizes: not to be quoted.", ""] if quick else []),
        f"* {datetime.now(UTC).date().isoformat()}, {_machine()}",
        f"* {_versions()}",
        f"* {sum(row.met is True for row in rows)} of {len(rows)} goals met"
        + (f"; missed: {'; '.join(missed)}" if missed else ""),
    ]
    return "\n".join(head) + "\n\n" + "\n\n".join(table.markdown().rstrip() for table in tables) + "\n"


def _machine() -> str:
    model, memory = platform.processor() or platform.machine(), ""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
        memory = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.0f} GiB"
    except (OSError, ValueError):
        pass  # not Linux: the model's name alone will do
    return f"{os.cpu_count()} cores of {model}{memory}, {platform.system()} {platform.release()}"


def _versions() -> str:
    packages = ", ".join(
        f"{name} {version(name)}"
        for name in ("kindlehl", "typer", "msgspec", "weasyprint", "sqlite-utils", "starlette", "uvicorn", "websockets")
    )
    return (
        f"{platform.python_implementation()} {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}"
    )


if __name__ == "__main__":
    sys.exit(main())
