"""The whole import against other parsers of the same file, which parse and store nothing."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import made_clippings
from measuring import (
    HERE,
    KINDLEHL,
    PYTHON,
    Options,
    Row,
    Run,
    Table,
    at_most,
    interleaved,
    main,
    progress,
    run,
    scratch,
    size_name,
    times,
)

INSTALLED = Path(tempfile.gettempdir()) / "kindlehl-bench-peers"
"""Where peers are installed: not in the environment that is measured, and kept for the next time."""
EDGE_RECORDS = 29


@dataclass(frozen=True, slots=True)
class Peer:
    """A parser that a registry has."""

    name: str
    registry: str
    right: int
    """How many of 29 edge records of real files it reads right, as found when the design was made."""
    slow: bool = False
    """Takes time that grows with the square of the file: gets a tenth of it."""


PEERS = (
    Peer("@hadynz/kindle-clippings", "npm", 23, slow=True),
    Peer("@darylserrano/kindle-clippings", "npm", 16),
    Peer("clippings", "PyPI", 14),
    Peer("kclip", "PyPI", 2),
    Peer("kindle-clippy", "PyPI", 1),
)


def benchmark(options: Options) -> Table:
    """Parse-only peers, each in a process of its own, and our whole import of the same file."""
    (count,) = options.chosen(quick=(10_000,), full=(100_000,))[-1:]
    rounds = options.rounds()
    table = Table(
        "Peers",
        f"Whole processes on one English file of {size_name(count)} clippings, in turn; the median of {rounds} "
        "rounds. The “floor” is the peer, which parses into memory; “ours” is `kindlehl import`, which parses, "
        "stores, joins, links and indexes. The goal is to be ahead of every peer that reads more than half of 29 "
        "edge records of real files right.",
    )
    with scratch() as folder:
        whole, tenth = folder / "My Clippings.txt", folder / "a tenth" / "My Clippings.txt"
        tenth.parent.mkdir()
        made_clippings.write(whole, count, made_clippings.ENGLISH)
        made_clippings.write(tenth, count // 10, made_clippings.ENGLISH)

        def import_(clippings: Path) -> Run:
            library = folder / "library.db"
            for suffix in ("", "-wal", "-shm"):
                library.with_name(library.name + suffix).unlink(missing_ok=True)
            return run([KINDLEHL, "import", clippings, "--library", library], home=folder)

        def parse(peer: str, python: Path, clippings: Path) -> Run:
            return run([python, HERE / "parse_only.py", peer, clippings], home=folder)

        contestants: dict[str, Callable[[], Run]] = {
            "whole": lambda: import_(whole),
            "tenth": lambda: import_(tenth),
            "parser": lambda: parse("kindlehl", PYTHON, whole),
        }
        here: list[Peer] = []
        for peer in PEERS:
            command = _install(peer, table)
            if command is not None:
                here.append(peer)
                file, expected = (tenth, count // 10) if peer.slow else (whole, count)
                contestants[peer.name] = lambda c=command, f=file, n=expected: _counted(run([*c, f], home=folder), n)
        progress(f"peers: {len(here)} of {len(PEERS)} installed, {count:,} clippings, {rounds} rounds")
        broken = _without_the_broken(contestants, table)
        took = {name: times(runs) for name, runs in interleaved(rounds, contestants).items()}
    for peer in (p for p in here if p.name not in broken):
        size = count // 10 if peer.slow else count
        what = f"{peer.name} ({peer.right} of {EDGE_RECORDS} right), {size_name(size)}"
        ahead = 1.0 if peer.right * 2 > EDGE_RECORDS else None
        table.rows.append(at_most(what, took[peer.name], took["tenth" if peer.slow else "whole"], ahead))
    for peer in (p for p in here if p.name not in broken and not p.slow):
        row = at_most(f"{peer.name}, to our parser alone, {size_name(count)}", took[peer.name], took["parser"], None)
        table.rows.append(row)
    if not here:
        table.rows.append(Row("no peer could be installed", "", ""))
    table.notes.append("klip, fyodor and KOReader's parser are on neither npm nor PyPI and were left out.")
    return table


def _counted(done: Run, expected: int) -> Run:
    """A peer that passes over records is shown all the same, but not if it does next to nothing."""
    if int(done.output) < expected // 2:
        message = f"it gave {int(done.output):,} of {expected:,} records"
        raise RuntimeError(message)
    return done


def _without_the_broken(contestants: dict[str, Callable[[], Run]], table: Table) -> set[str]:
    """Leave out what fails on this file; the warm-up finds it."""
    broken: set[str] = set()
    for name, contestant in list(contestants.items()):
        try:
            contestant()
        except RuntimeError as error:
            if name in ("whole", "tenth", "parser"):
                raise
            broken.add(name)
            del contestants[name]
            table.notes.append(
                f"{name} fails on this file and was left out: {str(error).strip().splitlines()[-1][:120]}"
            )
    return broken


def _install(peer: Peer, table: Table) -> list[str | Path] | None:
    """What parses a file with this peer; None where it cannot be installed, which the table then says."""
    try:
        return _from_npm(peer) if peer.registry == "npm" else _from_pypi(peer)
    except (OSError, subprocess.SubprocessError) as error:
        table.notes.append(
            f"{peer.name} could not be installed from {peer.registry} ({type(error).__name__}): left out."
        )
        return None


def _from_npm(peer: Peer) -> list[str | Path]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        message = "there is no node"
        raise OSError(message)
    folder = INSTALLED / "npm"
    if not (folder / "node_modules" / peer.name).is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _quietly([npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", peer.name])
    # node looks for packages from the script's own place upwards.
    script = folder / "parse_only.cjs"
    shutil.copyfile(HERE / "parse_only.cjs", script)
    return [node, script, peer.name]


def _from_pypi(peer: Peer) -> list[str | Path]:
    python = INSTALLED / peer.name / "bin" / "python"
    done = INSTALLED / peer.name / "installed"
    if not done.exists():
        shutil.rmtree(INSTALLED / peer.name, ignore_errors=True)
        _quietly([str(PYTHON), "-m", "venv", str(INSTALLED / peer.name)])
        _quietly([str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", peer.name])
        done.touch()
    return [python, HERE / "parse_only.py", peer.name]


def _quietly(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=180)


if __name__ == "__main__":
    main(benchmark)
