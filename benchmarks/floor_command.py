"""The floor of start-up: an empty Typer command that makes one full-text query."""

from typing import Annotated

import typer

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def search(
    word: Annotated[str, typer.Argument()],
    library: Annotated[str, typer.Option("--library")],
    limit: Annotated[int, typer.Option("--limit")] = 20,
) -> None:
    """Find a word."""
    import sqlite3

    connection = sqlite3.connect(library)
    rows = connection.execute(
        """SELECT b.title, h.text FROM search s JOIN highlights h ON h.key = s.rowid JOIN books b ON b.key = h.book
           WHERE s.search MATCH ? ORDER BY s.rank LIMIT ?""",
        (f'"{word}"', limit),
    )
    for title, text in rows:
        print(f"{title}\t{text}")


if __name__ == "__main__":
    app()
