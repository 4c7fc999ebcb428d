"""The floor of a round: the facts of one library written into another on the same disk, in pages or at once."""

import sys
from pathlib import Path

from kindlehl import wiring
from kindlehl.wire import messages


def main(source: Path, target: Path, cursor: int, pages: int) -> None:
    """Bring what came behind a cursor; a transaction holds so many pages."""
    with wiring.library_to_read(source) as theirs, wiring.library(target) as mine:
        head = theirs.facts.head()
        while cursor < head:
            with mine.transaction():
                for _ in range(pages):
                    feed = theirs.facts.since(cursor, messages.PAGE_FACTS, messages.PAGE_BYTES)
                    mine.facts.add_raw(feed.bodies)
                    mine.shelf.settle()
                    cursor = feed.cursor
                    if cursor >= head:
                        break


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
