"""Parses a clippings file with one parser, named as the first argument, and prints how many records it gave."""

import sys
from pathlib import Path


def kindlehl(path: Path) -> int:
    from kindlehl.domain.contract import Bundle
    from kindlehl_plugins.clippings import ClippingsImporter

    return sum(1 for _ in ClippingsImporter().read(Bundle(path.name, {path.name: lambda: path.open("rb")})))


def clippings(path: Path) -> int:
    from clippings.parser import parse_clippings

    with path.open(encoding="utf-8-sig") as stream:
        return len(parse_clippings(stream))


def kclip(path: Path) -> int:
    from kclip import get_clippings_from_filename

    return sum(1 for _ in get_clippings_from_filename(str(path)))


def kindle_clippy(path: Path) -> int:
    from clippy import Clipping

    return len([Clipping(part) for part in path.read_text("utf-8-sig").split("==========\n") if part.strip()])


if __name__ == "__main__":
    parsers = {"kindlehl": kindlehl, "clippings": clippings, "kclip": kclip, "kindle-clippy": kindle_clippy}
    print(parsers[sys.argv[1]](Path(sys.argv[2])))
