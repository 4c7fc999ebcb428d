"""Makes the pictures of the README: a terminal with real output, and pages of a real PDF. Needs pdftoppm."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

IMAGES = Path("docs/images")
SAMPLE = Path("docs/sample/My Clippings.txt")
WIDTH = 82


def main() -> None:
    """Write both pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        environ = os.environ | {"KINDLEHL_LIBRARY": f"{scratch}/library.db", "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}
        console = Console(record=True, width=WIDTH, file=Path(os.devnull).open("w"), force_terminal=True)  # noqa: SIM115
        for command in (
            f'kindlehl import "{SAMPLE.name}"',
            "kindlehl search deliberately",
            "kindlehl list --book walden --has-note",
        ):
            line = command.replace(SAMPLE.name, str(SAMPLE))
            done = subprocess.run(line, shell=True, env=environ, capture_output=True, text=True, check=True)  # noqa: S602
            console.print(Text(f"$ {command}", style="bold"))
            console.print(Text.from_ansi(done.stdout))
            console.print()
        # Fonts of the reader's own: a picture must not call anybody.
        svg = re.sub(r"@font-face \{.*?\}|\s*<!-- .*? -->", "", console.export_svg(title="kindlehl"), flags=re.DOTALL)
        (IMAGES / "terminal.svg").write_text(svg.replace("Fira Code", "DejaVu Sans Mono"), "utf-8")
        subprocess.run(
            ["kindlehl", "export", "pdf", "--book", "pride", "--to", f"{scratch}/pride.pdf"],
            env=environ, check=True, stdout=sys.stderr,
        )  # fmt: skip
        subprocess.run(["pdftoppm", "-r", "80", "-png", f"{scratch}/pride.pdf", f"{scratch}/page"], check=True)
        pages = sorted(str(page) for page in Path(scratch).glob("page*.png"))
        _side_by_side(pages, IMAGES / "pdf.png")


def _side_by_side(pages: list[str], target: Path) -> None:
    from PIL import Image  # comes with WeasyPrint

    opened = [Image.open(page) for page in pages]
    gap = 16
    sheet = Image.new(
        "RGB", (sum(p.width + gap for p in opened) + gap, max(p.height for p in opened) + 2 * gap), "#d8d8d8"
    )
    left = gap
    for page in opened:
        sheet.paste(page, (left, gap))
        left += page.width + gap
    sheet.quantize(64).save(target, optimize=True)


if __name__ == "__main__":
    main()
