"""How long changes take in a library of many highlights, and what takes them back."""

import json
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

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
    run,
    scratch,
    size_name,
    times,
)


def benchmark(options: Options) -> Table:
    """One change, changes of all highlights of a book or many, undo, a mistyped word, a backup."""
    rounds = options.rounds()
    table = Table(
        "Editing",
        f"Commands as processes, from start to end, in turn; the median of {rounds} rounds. The floor of one change "
        "and of a search is `benchmarks/floor_command.py`: an empty Typer command with one full-text query on the same "
        "library. That of many changes is `benchmarks/floor_edit.py`, which writes as many rows, edits and entries "
        "of the index with nothing folded; of a backup it is SQLite's own.",
    )
    for size in options.chosen(quick=(1_000,), full=(10_000, 100_000)):
        with scratch() as folder:
            table.rows += _rows(folder, size, rounds)
    return table


def _rows(folder: Path, size: int, rounds: int) -> list[Row]:
    clippings, library, bare = folder / "My Clippings.txt", folder / "library.db", folder / "bare.db"
    progress(f"editing: building {size:,} clippings")
    made_clippings.write(clippings, size, made_clippings.ENGLISH)

    def ours(*words: str | Path) -> Run:
        return run([KINDLEHL, *words, "--library", library], home=folder)

    ours("import", clippings)
    listed = json.loads(ours("list", "--json", "--limit", "400").output)["items"]
    title, id_ = listed[0]["title"], listed[0]["id"]
    held = sum(h["title"] == title for h in listed)
    word = next(w for w in listed[0]["text"].lower().split() if len(w) > 6 and w.isalpha())
    mistyped = word[:2] + word[3] + word[2] + word[4:]
    shutil.copy(library, bare)

    meant = ("--where", f'book:"{title}"', "--yes", "--quiet")
    contestants = {
        "query": lambda: run([PYTHON, HERE / "floor_command.py", word, "--library", library], home=folder),
        "note": lambda: ours("note", id_, "a thought"),
        "undo note": lambda: ours("undo"),
        "history": lambda: ours("history", id_),
        "mistyped": lambda: ours("search", mistyped),
        "rows": lambda: run([PYTHON, HERE / "floor_edit.py", bare, title], home=folder),
        "tag": lambda: ours("tag", "x", *meant),
        "undo tag": lambda: ours("undo"),
        "delete": lambda: ours("delete", *meant),
        "undo delete": lambda: ours("undo"),
        "copy": lambda: _copied(library, folder / "copied.db"),
        "backup": lambda: ours("db", "backup", folder / f"backup-{time.monotonic_ns()}.db"),
    }
    progress(f"editing: {rounds} rounds of {len(contestants)} commands")
    interleaved(1, contestants)
    took = {name: times(runs) for name, runs in interleaved(rounds, contestants).items()}
    of = size_name(size)
    return [
        at_most(f"a note on one, {of}", took["query"], took["note"], None),
        at_most(f"undo of it, {of}", took["query"], took["undo note"], None),
        at_most(f"the history of one, {of}", took["query"], took["history"], None),
        at_most(f"a search with a mistyped word, {of}", took["query"], took["mistyped"], None),
        at_least(f"a tag on {held} of them, {of}", held, took["rows"], took["tag"], None),
        at_least(f"undo of it, {of}", held, took["rows"], took["undo tag"], None),
        at_least(f"delete {held} of them, {of}", held, took["rows"], took["delete"], None),
        at_least(f"undo of that, {of}", held, took["rows"], took["undo delete"], None),
        at_most(f"a backup, {of}", took["copy"], took["backup"], None),
    ]


def _copied(library: Path, to: Path) -> Run:
    start = time.perf_counter()
    with closing(sqlite3.connect(library)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    seconds = time.perf_counter() - start
    to.unlink()
    return Run(seconds, 0.0, "")


if __name__ == "__main__":
    main(benchmark)
