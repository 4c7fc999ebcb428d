"""The floor of a transfer: the pages of a library as files, and a client that asks for one after the other and does
nothing with them.
"""

import sys
from pathlib import Path

import httpx2
from msgspec import Raw

from kindlehl import wiring
from kindlehl.wire import messages, packing
from kindlehl.wire.messages import Page


def write(library: Path, folder: Path) -> None:
    """Keep each page as it travels; tell how many there are, and their bytes."""
    count = size = cursor = 0
    with wiring.library_to_read(library) as lib:
        head = lib.facts.head()
        while cursor < head:
            feed = lib.facts.since(cursor, messages.PAGE_FACTS, messages.PAGE_BYTES)
            cursor = feed.cursor
            page = Page([Raw(body.encode()) for body in feed.bodies], cursor, head)
            data, _ = packing.packed(messages.encode(page))
            (folder / f"page-{count}").write_bytes(data)
            count, size = count + 1, size + len(data)
    print(count, size)


def fetch(url: str, count: int) -> None:
    """Get all of them."""
    with httpx2.Client() as client:
        for number in range(count):
            with client.stream("POST", f"{url}/files/page-{number}", content=b"{}") as response:
                for _ in response.iter_raw():
                    pass
            assert response.status_code == 200


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        fetch(sys.argv[2], int(sys.argv[3]))
