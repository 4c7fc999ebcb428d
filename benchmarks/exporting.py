"""How long exports take, against writing the same bytes, and against WeasyPrint alone."""

import os
import shutil
import sqlite3
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib import resources
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
    at_most,
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

from kindlehl import wiring
from kindlehl.ports import Filter

BOOKS = 4
"""How many books the PDF row with several of them has."""


def benchmark(options: Options) -> Table:
    """Markdown, CSV and JSON of a whole library; PDF of one book and of several."""
    (count,) = options.chosen(quick=(10_000,), full=(100_000,))[-1:]
    rounds = options.rounds()
    table = Table(
        "Export",
        f"`kindlehl export` as a process, from start to end, of a library of {size_name(count)} clippings; the "
        f"median of {rounds} rounds, in turn with its floors. “Writing alone” writes the very bytes of that export, "
        "to as many files; “rows and writing” reads the shown rows from the library "
        "first. Nothing is flushed to the disk by either. PDF: `benchmarks/bare_pdf.py`, WeasyPrint's own "
        f"`write_pdf` on the same HTML and style sheet, as a process; for {BOOKS} books, one such process for each "
        f"of the {os.cpu_count()} cores, sharing the books.",
    )
    with scratch() as folder:
        clippings, library = folder / "My Clippings.txt", folder / "library.db"
        progress(f"export: building {count:,} clippings")
        made_clippings.write(clippings, count)
        run([KINDLEHL, "import", clippings, "--library", library], home=folder)
        for format_, target in (("markdown", "notes/"), ("csv", "highlights.csv"), ("json", "library.json")):
            progress(f"export: {format_}, {rounds} rounds")
            table.rows += _text_rows(folder, library, format_, target, count, rounds)
        progress(f"export: PDF, {rounds} rounds")
        table.rows += _pdf_rows(folder, library, options.rounds(), table)
    return table


def _text_rows(folder: Path, library: Path, format_: str, target: str, count: int, rounds: int) -> list[Row]:
    place = folder / target
    command = [KINDLEHL, "export", format_, "--to", f"{folder}/{target}", "--library", library]
    run(command, home=folder)
    saved = folder / "saved"
    _remove(saved)
    saved.mkdir()
    for path in [place] if place.is_file() else place.glob("[!.]*"):
        shutil.copyfile(path, saved / path.name)
    files = sorted(saved.iterdir())

    def fresh() -> Run:
        _remove(place)
        return run(command, home=folder)

    def writing(*, rows: bool) -> Run:
        # Here and not in a process of its own: the floor is the work, not the start of an interpreter.
        copy = folder / "floor"
        _remove(copy)
        copy.mkdir()
        start = time.perf_counter()
        if rows:
            with closing(sqlite3.connect(library)) as db:
                for _ in db.execute("SELECT * FROM v_highlights ORDER BY book_id, location_start"):
                    pass
        seconds = time.perf_counter() - start
        for path in files:
            seconds += _written(path, copy / path.name)
        return Run(seconds, 0, "")

    contestants = {
        "writing": lambda: writing(rows=False),
        "rows": lambda: writing(rows=True),
        "fresh": fresh,
        "again": lambda: run(command, home=folder),
    }
    if place.is_dir():  # what is written into other files is not merged
        contestants |= {
            "noted": lambda: _after_a_note(command, library, folder),
            "written": lambda: _after_writing(command, place, folder),
        }
    runs = interleaved(rounds, contestants)
    took = {name: times(results) for name, results in runs.items()}
    size = sum(path.stat().st_size for path in files)
    name = f"{format_}, {size_name(count)}, {size / 1e6:.0f} MB in {len(files)} file{'s' * (len(files) > 1)}"
    later = {
        "again": "unchanged",
        "noted": "one note changed",
        "written": "the reader wrote into every file",
    }
    return [
        at_least(f"{name}: writing alone", count, took["writing"], took["fresh"], 0.5),
        at_least(f"{name}: rows and writing", count, took["rows"], took["fresh"], None),
        *(
            Row(
                f"{format_}: again, {why} (floor: the first time)",
                shown(median(took["fresh"])),
                shown(median(took[which])),
                f"{ratio(took['fresh'], took[which]):.1f}× as fast",
            )
            for which, why in later.items()
            if which in took
        ),
        Row(f"{format_}: peak memory", "", f"{max(result.peak for result in runs['fresh']):,.0f} MiB"),
    ]


def _after_a_note(command: Sequence[str | Path], library: Path, folder: Path) -> Run:
    with wiring.library_to_read(library) as lib:
        (h,) = lib.shelf.highlights(Filter(kinds=("highlight",)), limit=1)
    run([KINDLEHL, "note", h.id, f"a thought at {time.monotonic_ns()}", "--library", library], home=folder)
    return run(command, home=folder)


def _after_writing(command: Sequence[str | Path], place: Path, folder: Path) -> Run:
    for path in place.glob("[!.]*"):
        with path.open("a", encoding="utf-8") as stream:
            stream.write("\nA line of my own.\n")
    return run(command, home=folder)


def _written(source: Path, target: Path) -> float:
    """The seconds it takes to make a file with the bytes of another; reading those does not count, and holds little."""
    start = time.perf_counter()
    with target.open("wb") as to:
        seconds = time.perf_counter() - start
        with source.open("rb") as stream:
            while data := stream.read(1 << 20):
                start = time.perf_counter()
                to.write(data)
                seconds += time.perf_counter() - start
        start = time.perf_counter()
    return seconds + time.perf_counter() - start


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)


def _pdf_rows(folder: Path, library: Path, rounds: int, table: Table) -> list[Row]:
    try:
        from kindlehl_exporters.pdf import to_html

        run([PYTHON, "-c", "import weasyprint"], home=folder)
    except (ImportError, RuntimeError):
        table.notes.append("PDF was left out: WeasyPrint finds no Pango here.")
        return []
    with wiring.library_to_read(library) as lib:
        # Latin books: what a font for Chinese costs is WeasyPrint's affair, in both.
        books = [book for book in lib.shelf.books() if book.title.isascii() and book.highlights > 250][:BOOKS]
        pages: list[Path] = []
        for number, book in enumerate(books):
            page = folder / f"page{number}.html"
            page.write_text(to_html(book, list(lib.shelf.highlights(Filter(books=(book.id,))))), "utf-8")
            pages.append(page)
    if len(books) < BOOKS:
        table.notes.append("The library is too small for the PDF rows.")
        return []
    style = folder / "book.css"
    style.write_text((resources.files("kindlehl_exporters") / "templates" / "book.css").read_text("utf-8"), "utf-8")

    def bare(*some: Path) -> Run:
        return run([PYTHON, HERE / "bare_pdf.py", style, *some], home=folder)

    def side_by_side() -> Run:
        cores = min(os.cpu_count() or 1, len(pages))
        start = time.perf_counter()
        with ThreadPoolExecutor(cores) as pool:
            each = list(pool.map(lambda n: bare(*pages[n::cores]), range(cores)))
        return Run(time.perf_counter() - start, sum(done.peak for done in each), "")

    def ours(count: int) -> Run:
        target = folder / "pdf"
        _remove(target)
        chosen = [part for book in books[:count] for part in ("--book", book.id)]
        return run([KINDLEHL, "export", "pdf", "--to", f"{target}/", "--library", library, *chosen], home=folder)

    runs = interleaved(
        rounds,
        {
            "bare": lambda: bare(pages[0]),
            "ours": lambda: ours(1),
            "all bare": side_by_side,
            "all ours": lambda: ours(BOOKS),
        },
    )
    took = {name: times(results) for name, results in runs.items()}
    return [
        at_most(f"PDF of one book, {books[0].highlights} highlights", took["bare"], took["ours"], 1.1),
        at_most(f"PDF of {BOOKS} books, all cores", took["all bare"], took["all ours"], 1.1),
        Row(
            f"PDF of {BOOKS} books: peak memory",
            f"{max(result.peak for result in runs['all bare']):,.0f} MiB",
            f"{max(result.peak for result in runs['all ours']):,.0f} MiB",
        ),
    ]


if __name__ == "__main__":
    main(benchmark)
