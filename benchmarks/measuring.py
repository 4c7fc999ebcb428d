"""Timing against a floor: processes measured from outside, rounds interleaved, and the table that shows the outcome."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
PYTHON = Path(sys.executable)
"""The interpreter of the environment that is measured: `make bench` runs this with the one in the venv."""
KINDLEHL = PYTHON.parent / "kindlehl"
"""The installed program, as a person starts it."""

_QUICK_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Options:
    """How much to measure."""

    quick: bool = False
    """Small sizes and three rounds: to see that a benchmark works, not to quote."""
    sizes: tuple[int, ...] = ()
    """Clippings to measure with; none given: those that the benchmark names."""

    def rounds(self, full: int = 5) -> int:
        """How often each contestant runs."""
        return min(full, _QUICK_ROUNDS) if self.quick else full

    def chosen(self, *, quick: tuple[int, ...], full: tuple[int, ...]) -> tuple[int, ...]:
        """The sizes of this run."""
        return self.sizes or (quick if self.quick else full)


@dataclass(frozen=True, slots=True)
class Run:
    """One process from start to end."""

    seconds: float
    peak: float
    """MiB of resident memory at its highest."""
    output: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: what was measured, and whether it reached its goal (None: there is no goal)."""

    what: str
    floor: str
    ours: str
    ratio: str = ""
    goal: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        return (
            self.what,
            self.floor,
            self.ours,
            self.ratio,
            self.goal,
            {None: "", True: "yes", False: "**no**"}[self.met],
        )


@dataclass(slots=True)
class Table:
    """What one benchmark found."""

    title: str
    how: str
    """How it was measured, in a sentence or two."""
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was left out, and why."""

    def markdown(self) -> str:
        head = ("what", "floor", "ours", "ratio", "goal", "met")
        lines = [head, *(row.cells() for row in self.rows)]
        widths = [max(len(line[n]) for line in lines) for n in range(len(head))]
        numbers = (1, 2, 3)  # read more easily on the right
        drawn = [
            "| "
            + " | ".join(
                c.rjust(w) if n in numbers else c.ljust(w) for n, (c, w) in enumerate(zip(line, widths, strict=True))
            )
            + " |"
            for line in lines
        ]
        rule = "|" + "|".join("-" * (w + 1) + (":" if n in numbers else "-") for n, w in enumerate(widths)) + "|"
        notes = "".join(f"\n* {note}" for note in self.notes)
        return f"## {self.title}\n\n{self.how}\n\n" + "\n".join([drawn[0], rule, *drawn[1:]]) + "\n" + notes


def run(command: Sequence[str | Path], *, home: Path, env: Mapping[str, str] | None = None) -> Run:
    """Run a process to its end and measure it. Raises if it fails: a crash is no fast run."""
    clean = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": tempfile.gettempdir(), "LANG": "C.UTF-8"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=clean | dict(env or {}),
        )
        # wait4 tells the memory of this one child; RUSAGE_CHILDREN would tell the highest of all so far. Linux counts
        # in what the parent had when it started the child, so a benchmark of memory has to stay small itself.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        output, complaint = out.read().decode(), err.read().decode()
    if process.returncode:
        message = f"{command[0]} {command[1]} … ended with {process.returncode}:\n{complaint[-2000:]}{output[-500:]}"
        raise RuntimeError(message)
    kib = usage.ru_maxrss / 1024 if sys.platform == "darwin" else usage.ru_maxrss
    return Run(seconds, kib / 1024, output)


def interleaved(rounds: int, contestants: Mapping[str, Callable[[], Run]]) -> dict[str, list[Run]]:
    """Each contestant in turn, round after round, so that a slow moment of the machine hits all of them."""
    results: dict[str, list[Run]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            results[name].append(contestant())
    return results


def times(runs: Sequence[Run]) -> list[float]:
    """The seconds of each run."""
    return [run.seconds for run in runs]


def ratio(mine: Sequence[float], other: Sequence[float]) -> float:
    """The median of what each round's two figures are to each other."""
    return median(a / b for a, b in zip(mine, other, strict=True))


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def shown(seconds: float) -> str:
    """A duration for people."""
    if seconds < 0.1:
        return f"{seconds * 1000:.2g} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def at_most(what: str, floor: Sequence[float], ours: Sequence[float], goal: float | None) -> Row:
    """A row about durations: ours may take at most `goal` times as long."""
    got = ratio(ours, floor)
    return Row(
        what,
        shown(median(floor)),
        shown(median(ours)),
        f"{got:.2f}×",
        "" if goal is None else f"≤ {goal:g}× the time",
        None if goal is None else got <= goal,
    )


def at_least(what: str, count: int, floor: Sequence[float], ours: Sequence[float], goal: float | None) -> Row:
    """A row about speeds: ours must reach at least `goal` times the floor's."""
    got = ratio(floor, ours)
    return Row(
        what,
        f"{count / median(floor):,.0f}/s",
        f"{count / median(ours):,.0f}/s",
        f"{got:.2f}×" if got >= 0.1 else f"{got:.2g}×",
        "" if goal is None else f"≥ {goal:g}× the speed",
        None if goal is None else got >= goal,
    )


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder of the benchmark's own, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="kindlehl-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def size_name(count: int) -> str:
    """1_000_000 → "1 M"."""
    if count < 1000:
        return str(count)
    return f"{count // 1_000_000} M" if count >= 1_000_000 else f"{count // 1000} k"


def progress(text: str) -> None:
    """What is going on, for whoever waits."""
    print(f"  … {text}", file=sys.stderr, flush=True)


def options(arguments: argparse.ArgumentParser | None = None) -> tuple[Options, argparse.Namespace]:
    """The options of a benchmark from its command line."""
    parser = arguments or argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="small sizes, three rounds")
    parser.add_argument("--size", type=int, action="append", default=[], metavar="N", help="clippings; may be repeated")
    given = parser.parse_args()
    return Options(given.quick, tuple(given.size)), given


def main(benchmark: Callable[[Options], Table]) -> None:
    """Run one benchmark and print its table."""
    chosen, _ = options()
    print(benchmark(chosen).markdown())
