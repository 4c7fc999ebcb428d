"""How help is laid out: on as many columns as the terminal has, and below each other where it is narrow."""

import shutil
from collections.abc import Sequence
from textwrap import wrap

from typer._click.formatting import HelpFormatter  # pyright: ignore[reportPrivateUsage] -- Typer offers it nowhere else

WIDEST, NARROW = 80, 60


class Layout(HelpFormatter):
    """Typer's own layout, which knows no terminal of less than 50 columns."""

    def __init__(self) -> None:
        columns = shutil.get_terminal_size((WIDEST, 24)).columns
        super().__init__(width=max(20, min(columns, WIDEST) - 2))

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """How a command is called, on one line where it fits."""
        if self.width + 2 >= NARROW:
            super().write_usage(prog, args, prefix)
            return
        usage = f"{'Usage: ' if prefix is None else prefix}{prog} {args}"
        for line in wrap(usage, self.width, subsequent_indent="    ", break_on_hyphens=False):
            self.write(f"{line}\n")

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Terms and what they mean: side by side where there is room for both."""
        if self.width + 2 >= NARROW:
            super().write_dl(rows, col_max, col_spacing)
            return
        margin = " " * self.current_indent
        for term, meaning in rows:
            for line in wrap(term, self.width - len(margin), subsequent_indent="  "):
                self.write(f"{margin}{line}\n")
            for line in wrap(meaning, self.width - len(margin) - 4):
                self.write(f"{margin}    {line}\n")
