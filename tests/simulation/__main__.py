"""Histories by the thousand, in ranges that can be gone on with: `make simulate FIRST=500 LAST=20000`.

Each run of a thousand seeds that ends well is a line of the ledger: its range, what was done, how often each fault
came, and the digest of the code that was tried. A seed that ends badly is printed, and is no line.
"""

import argparse
import hashlib
import json
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEDGER = Path(__file__).with_name("ledger.jsonl")
RUN = 1_000
SHARE = 50

sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from simulation.world import FAULTS, World  # noqa: E402 -- found by the line above


def lived(seeds: range) -> tuple[list[str], Counter[str], Counter[str]]:
    """What is wrong with these histories, in how many each fault came, and what was done in them."""
    wrong: list[str] = []
    faults, done = Counter[str](), Counter[str]()
    for seed in seeds:
        world = World(seed)
        wrong += [f"seed {seed}: {each}" for each in world.run()]
        faults.update(world.faults.keys())
        done.update(world.done)
    return wrong, faults, done


def code() -> str:
    """Digest of what is tried: the domain, the store, the wire, the services and the world itself."""
    digest = hashlib.sha256()
    for part in ("kindlehl/domain", "kindlehl/store", "kindlehl/wire", "kindlehl/services", "tests/simulation"):
        for path in sorted((ROOT / part).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def main() -> int:
    """Live the histories that are not in the ledger yet for this code."""
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    given = parser.parse_args()
    tried = code()
    lines = [json.loads(line) for line in LEDGER.read_text("utf-8").splitlines()] if LEDGER.exists() else []
    known = {line["first"] for line in lines if line["code"] == tried}
    bad = 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for first in range(given.first, given.last, RUN):
            if first in known:
                continue
            last = min(first + RUN, given.last)
            shares = [range(at, min(at + SHARE, last)) for at in range(first, last, SHARE)]
            wrong: list[str] = []
            faults, done = Counter[str](), Counter[str]()
            for found in pool.map(lived, shares):
                wrong += found[0]
                faults += found[1]
                done += found[2]
            sys.stdout.write(f"{first} to {last}: {len(wrong)} wrong\n" + "".join(f"  {each}\n" for each in wrong))
            sys.stdout.flush()
            bad += len(wrong)
            if not wrong:
                line = {
                    "first": first, "last": last, "code": tried,
                    "faults": {fault: faults[fault] for fault in FAULTS}, "done": dict(sorted(done.items())),
                }  # fmt: skip
                with LEDGER.open("a", encoding="utf-8") as ledger:
                    ledger.write(json.dumps(line) + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
