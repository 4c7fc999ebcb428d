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
    """One change, changes of all highlights of a book or of a tenth of all, undo, a mistyped word, the trash, a backup
    and a look at whether all is well."""
    rounds = options.rounds()
    table = Table(
        "Editing",
        f"Commands as processes, from start to end, in turn; the median of {rounds} rounds. The floor of one change "
        "and of a search is `benchmarks/floor_command.py`: an empty Typer command with one full-text query on the same "
        "library. That of many changes is `benchmarks/floor_edit.py`, which writes as many rows, edits and entries "
        "of the index with nothing folded; of a backup it is SQLite's own, of emptying the trash SQLite's `VACUUM` of "
        "the same library without those texts, of a look at it SQLite's `integrity_check`. Each undo is a further fact "
        "of every highlight, so later rounds have more to read.",
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
    mistyped, misbegun = word[:2] + word[3] + word[2] + word[4:], "xq"[word[0] == "x"] + word[1:]
    noted = json.loads(ours("tag", "y", "--where", "has:note", "--yes", "--dry-run", "--json").output)["changes"]
    shutil.copy(library, bare)
    full, emptied = folder / "full.db", folder / "emptied.db"
    shutil.copy(library, full)
    of_full = ("--library", full)
    run([KINDLEHL, "delete", "--where", "has:note", "--yes", "--quiet", *of_full], home=folder)

    def empty() -> Run:
        shutil.copy(full, emptied)
        return run([KINDLEHL, "trash", "empty", "--yes", "--quiet", "--library", emptied], home=folder)

    meant = ("--where", f'book:"{title}"', "--yes", "--quiet")
    many = ("--where", "has:note", "--yes", "--quiet")
    contestants = {
        "query": lambda: run([PYTHON, HERE / "floor_command.py", word, "--library", library], home=folder),
        "note": lambda: ours("note", id_, "a thought"),
        "undo note": lambda: ours("undo"),
        "history": lambda: ours("history", id_),
        "mistyped": lambda: ours("search", mistyped),
        "misbegun": lambda: ours("search", misbegun),
        "rows": lambda: run([PYTHON, HERE / "floor_edit.py", bare, title], home=folder),
        "tag": lambda: ours("tag", "x", *meant),
        "undo tag": lambda: ours("undo"),
        "delete": lambda: ours("delete", *meant),
        "undo delete": lambda: ours("undo"),
        "many rows": lambda: run([PYTHON, HERE / "floor_edit.py", bare], home=folder),
        "tag many": lambda: ours("tag", "y", *many),
        "undo tag many": lambda: ours("undo"),
        "delete many": lambda: ours("delete", *many),
        "undo delete many": lambda: ours("undo"),
        "vacuum": lambda: _erased(full, emptied),
        "empty": empty,
        "check": lambda: _checked(library),
        "verify": lambda: ours("db", "verify"),
        "deep": lambda: ours("db", "verify", "--deep"),
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
        at_most(f"the same, its first letter wrong, {of}", took["query"], took["misbegun"], None),
        at_least(f"a tag on {held} of them, {of}", held, took["rows"], took["tag"], None),
        at_least(f"undo of it, {of}", held, took["rows"], took["undo tag"], None),
        at_least(f"delete {held} of them, {of}", held, took["rows"], took["delete"], None),
        at_least(f"undo of that, {of}", held, took["rows"], took["undo delete"], None),
        at_least(f"a tag on {noted:,} of all books, {of}", noted, took["many rows"], took["tag many"], None),
        at_least(f"undo of it, {of}", noted, took["many rows"], took["undo tag many"], None),
        at_least(f"delete {noted:,} of all books, {of}", noted, took["many rows"], took["delete many"], None),
        at_least(f"undo of that, {of}", noted, took["many rows"], took["undo delete many"], None),
        at_most(f"empty the trash of {noted:,}, {of}", took["vacuum"], took["empty"], None),
        at_most(f"`db verify`, {of}", took["check"], took["verify"], None),
        at_most(f"`db verify --deep`, {of}", took["check"], took["deep"], None),
        at_most(f"a backup, {of}", took["copy"], took["backup"], None),
    ]


def _erased(full: Path, to: Path) -> Run:
    shutil.copy(full, to)
    start = time.perf_counter()
    with closing(sqlite3.connect(to, isolation_level=None)) as db:
        db.execute("UPDATE facts SET body = '' WHERE key IN (SELECT key FROM highlights WHERE hidden)")
        db.execute("UPDATE highlights SET text = '', note = NULL WHERE hidden")
        db.execute("VACUUM")
    return Run(time.perf_counter() - start, 0.0, "")


def _checked(library: Path) -> Run:
    start = time.perf_counter()
    with closing(sqlite3.connect(library)) as db:
        db.execute("PRAGMA integrity_check").fetchall()
    return Run(time.perf_counter() - start, 0.0, "")


def _copied(library: Path, to: Path) -> Run:
    start = time.perf_counter()
    with closing(sqlite3.connect(library)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    seconds = time.perf_counter() - start
    to.unlink()
    return Run(seconds, 0.0, "")


if __name__ == "__main__":
    main(benchmark)
