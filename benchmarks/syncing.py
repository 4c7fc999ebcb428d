"""How soon what changed on one device is on another, and how long whole libraries take."""

import copies
import live
from measuring import Options, Table, main, scratch


def benchmark(options: Options) -> Table:
    """Pokes, creates, sockets that nobody reads, and first and later rounds of devices."""
    rounds = options.rounds(3)
    (count,) = options.chosen(quick=(2_000,), full=(100_000,))[-1:]
    table = Table("Sync", "")
    table.rows += copies.rows(count, rounds)
    with scratch() as folder:
        table.rows += live.rows(folder, 1_200 if options.quick else 12_000, quick=options.quick)
    return table


if __name__ == "__main__":
    main(benchmark)
