"""How soon what changed on one device is on another, how long whole libraries take, and what that costs the server."""

import copies
import live
from measuring import Options, Table, main, scratch

CLIPPINGS = 12_500
"""On a server with open connections: ten thousand highlights, their notes and bookmarks."""


def benchmark(options: Options) -> Table:
    """First and later rounds of devices, pokes, creates, and sockets that nobody reads."""
    rounds = options.rounds(3)
    (count,) = options.chosen(quick=(2_000,), full=(100_000,))[-1:]
    held = CLIPPINGS // 10 if options.quick else CLIPPINGS
    table = Table(
        "Sync",
        "`kindlehl serve` as a process on this machine, devices and their floors as processes from start to end, in "
        f"turn; the median of {rounds} rounds (of what takes a second, {rounds + 2}). The floor of a first round is "
        "`benchmarks/floor_facts.py`, which brings the same facts from one library into another on the same disk, a "
        "page or all of it in a transaction; of its transfer, `benchmarks/floor_transfer.py`, which gets the same "
        "packed pages as files and keeps nothing. What is asked of a server with open connections is measured with "
        "clients that know next to nothing (`benchmarks/clients.py`), on libraries of "
        f"{held:,} clippings, each request right after the same one to the floor: "
        "`benchmarks/floor_server.py`, a bare Starlette application on the same uvicorn, which tells all sockets of a "
        "POST, or commits one row. A poke is timed from the push that causes it until each socket has it; a person "
        f"may have {live.SOCKETS // 2} sockets, so {live.SOCKETS} are two people's, who push at once. Quantiles are "
        "of all requests or deliveries.",
    )
    table.rows += copies.rows(count, rounds)
    with scratch() as folder:
        table.rows += live.rows(folder, held, quick=options.quick)
    table.notes += [
        (
            "A library commits with synchronous NORMAL; whoever closes it last brings its log into the file, which is "
            "synced: that is most of what a push or a create takes."
        ),
        (
            "A device looks every 0.5 s whether something was written, which is most of the way from one to another; "
            "the floor of that way is the poke of all sockets alone."
        ),
        (
            "Sockets that nobody reads are closed after 40 s, when they have answered no ping; after 30 s others take "
            "their place. In that time the kernel holds all that they are told."
        ),
    ]
    return table


if __name__ == "__main__":
    main(benchmark)
