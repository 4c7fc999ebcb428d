"""How long a command takes that has next to nothing to do."""

import json
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
    at_most,
    interleaved,
    main,
    progress,
    run,
    scratch,
    shown,
    size_name,
    times,
)

BREAKS = " \t\n\"'><=;|&(:"
"""COMP_WORDBREAKS, as bash has it."""


def benchmark(options: Options) -> Table:
    """Start-up of the program, and of its commands on a library of a hundred highlights."""
    rounds = options.rounds(11)
    table = Table(
        "Start-up",
        f"Each command as a process, from its start to its end, in turn; the median of {rounds} rounds. The library "
        "holds 100 clippings. The floor of `list` and `search` is `benchmarks/floor_command.py`: an empty Typer "
        "command with one full-text query on the same library; of all else it is `python -c pass`.",
    )
    with scratch() as folder:
        clippings, library = folder / "My Clippings.txt", folder / "library.db"
        made_clippings.write(clippings, 100, made_clippings.ENGLISH)
        run([KINDLEHL, "import", clippings, "--library", library], home=folder)
        word = _common_word(clippings)

        size = options.chosen(quick=(1_000,), full=(100_000,))[0]
        many = folder / "many.db"
        made_clippings.write(folder / "many.txt", size, made_clippings.MIXED)
        run([KINDLEHL, "import", folder / "many.txt", "--library", many], home=folder)
        for tag in ("to reread", "craft"):
            run([KINDLEHL, "tag", tag, "--where", "has:note", "--yes", "--quiet", "--library", many], home=folder)
        listed = run([KINDLEHL, "list", "--json", "--limit", "100", "--library", many], home=folder).output
        ids = [h["id"] for h in json.loads(listed)["items"]]
        run([KINDLEHL, "delete", *ids, "--yes", "--quiet", "--library", many], home=folder)

        def process(*command: str | Path) -> Run:
            return run(command, home=folder)

        def asked(*words: str | Path) -> Run:
            return process(KINDLEHL, "__complete", "zsh", *words)

        contestants = {
            "pass": lambda: process(PYTHON, "-c", "pass"),
            "version": lambda: process(KINDLEHL, "--version"),
            "query": lambda: process(PYTHON, HERE / "floor_command.py", word, "--library", library),
            "list": lambda: process(KINDLEHL, "list", "--library", library, "--limit", "20"),
            "search": lambda: process(KINDLEHL, "search", word, "--library", library, "--limit", "20"),
            "help": lambda: process(KINDLEHL, "--help"),
            "completion": lambda: process(KINDLEHL, "__complete", "bash", "kindlehl se", BREAKS, "9"),
            "option": lambda: process(KINDLEHL, "__complete", "zsh", "list", "=--has"),
            "titles": lambda: asked("list", "--library", many, "--book", "="),
            "authors": lambda: asked("list", "--library", many, "--author", "="),
            "ids": lambda: asked("show", "--library", many, "="),
            "begun ids": lambda: asked("show", "--library", many, "=a"),
            "deleted": lambda: asked("restore", "--library", many, "="),
            "tags": lambda: asked("list", "--library", many, "--tag", "="),
            "formats": lambda: asked("export", "="),
            "sqlite-utils": lambda: process(
                PYTHON.parent / "sqlite-utils", "query", library, "SELECT title, text FROM v_highlights LIMIT 20"
            ),
        }
        progress(f"start-up: {rounds} rounds of {len(contestants)} commands")
        interleaved(1, contestants)  # compiles what has not been compiled, and warms the disk's cache
        took = {name: times(runs) for name, runs in interleaved(rounds, contestants).items()}
    table.rows = [
        at_most("`kindlehl --version`", took["pass"], took["version"], 1.5),
        at_most("`kindlehl list`", took["query"], took["list"], 1.15),
        at_most("`kindlehl search WORD`", took["query"], took["search"], 1.15),
        at_most("`kindlehl search WORD`, to `sqlite-utils query`", took["sqlite-utils"], took["search"], 1.0),
        at_most("`kindlehl --help`", took["pass"], took["help"], None),
        at_most("completion of a command's name", took["pass"], took["completion"], 1.5),
        at_most("completion of an option", took["pass"], took["option"], 1.5),
        _within(f"completion of a title, {size_name(size)}", took["pass"], took["titles"], 0.15),
        _within(f"completion of an author, {size_name(size)}", took["pass"], took["authors"], 0.15),
        _within(f"completion of an id, its first letter, {size_name(size)}", took["pass"], took["begun ids"], 0.15),
        _within(f"completion of an id in the trash, {size_name(size)}", took["pass"], took["deleted"], 0.15),
        _within(f"completion of an id, {size_name(size)}", took["pass"], took["ids"], 0.15),
        _within(f"completion of a tag, {size_name(size)}", took["pass"], took["tags"], 0.15),
        _within("completion of a format", took["pass"], took["formats"], 0.15),
        at_most("the floor's own command", took["pass"], took["query"], None),
    ]
    return table


def _within(what: str, floor: list[float], ours: list[float], limit: float) -> Row:
    row = at_most(what, floor, ours, None)
    return Row(what, row.floor, row.ours, row.ratio, f"< {shown(limit)}", median(ours) < limit)


def _common_word(clippings: Path) -> str:
    """A word of the file, for a search that finds something."""
    words = clippings.read_text("utf-8-sig").lower().replace(".", " ").split()
    return next(
        w
        for w in sorted(set(words), key=words.count, reverse=True)
        if w.isalpha() and w not in ("your", "location", "on", "added")
    )


if __name__ == "__main__":
    main(benchmark)
