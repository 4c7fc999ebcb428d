"""A server with open connections: how soon those who listen are told, how long one more highlight takes, and what
becomes of sockets that nobody reads.
"""

import asyncio
import json
import random
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import made_clippings
from clients import Poster, Stalled, all_told, listeners, poster
from measuring import KINDLEHL, Row, at_least, progress, quantile, run, shown
from msgspec import Raw
from serving import Household, Process, device, floor_server, household, put, running

from kindlehl import wire, wiring
from kindlehl.domain.facts import Edit, new_id
from kindlehl.wire import messages
from kindlehl.wire.messages import Push

SOCKETS = 200
"""Of two people, since one may have half as many."""
STALLED = 50
AT_ONCE = 4
"""Connections on which somebody creates at once: as many as the server works on."""
WARMING = 5
"""Requests that do not count."""
VISIBLE = 2.0
CREATED = 0.2
"""Seconds."""
CREATES = 1_000
"""In a second."""
FLAT = 1.0
"""MiB by which memory may grow more than while as many pokes go to sockets that are read."""


def rows(folder: Path, count: int, *, quick: bool) -> Iterator[Row]:
    """All of it, on libraries of so many clippings."""
    clippings, library = folder / "My Clippings.txt", folder / "made.db"
    made_clippings.write(clippings, count)
    run([KINDLEHL, "import", clippings, "--library", library], home=folder)
    home = household(folder / "data", "Anna", "Bert")
    for person in home.people:
        put(library, person.library)
    bare = folder / "bare"
    bare.mkdir()
    with floor_server(bare) as floor:
        with home.served() as server:
            floors, pokes = asyncio.run(_poked(home, server, floor, 20 if quick else 150))
            yield from pokes
            yield from asyncio.run(_created(home, server, floor, 100 if quick else 1_000, count))
            yield from _visible(folder, home, server, library, floors, 10 if quick else 60)
        with home.served() as server:
            yield from asyncio.run(_stalled(home, server, 200 if quick else 2_000))


class Changes:
    """Facts that nobody has yet: a tag on one highlight after the other."""

    def __init__(self, library: Path) -> None:
        with closing(sqlite3.connect(library)) as db:
            self.targets = [id_ for (id_,) in db.execute("SELECT id FROM v_highlights WHERE kind = 'highlight'")]
        with wiring.library_to_read(library) as lib:
            self.epoch = lib.peers.epoch()
            self._last = lib.facts.greatest_stamp()
        self._made = 0

    def next(self) -> Edit:
        """One more."""
        self._made += 1
        id_, target = new_id(), self.targets[self._made % len(self.targets)]
        at = "2024-01-01T00:00:00Z"
        return Edit(id_, target, f"tag:x{self._made}", True, (), self._last + self._made, at, "bench", id_)

    def pushed(self) -> bytes:
        """A message that brings it."""
        return messages.encode(Push(self.epoch, [Raw(wire.encode(self.next()).encode())]))


# -- who listens ------------------------------------------------------------------------------------------------------


async def _poked(home: Household, server: Process, floor: Process, times: int) -> tuple[list[float], Sequence[Row]]:
    """What the floor took with all sockets, and the rows."""
    half = SOCKETS // 2
    anna, bert = home.people
    theirs = [Changes(anna.library), Changes(bert.library)]
    out: list[Row] = []
    floors: list[float] = []
    told: list[float] = []
    for people in ((anna,), (anna, bert)):
        count = half * len(people)
        progress(f"syncing: {times} pushes to {count} sockets")
        async with (
            listeners(server.url, [person.token for person in people for _ in range(half)]) as ours,
            listeners(floor.url, [""] * count) as bare,
            poster(floor.url) as floor_poster,
            poster(server.url, anna.token) as first,
            poster(server.url, bert.token) as second,
        ):
            posters = (first, second)[: len(people)]
            floors, told = [], []
            mine: list[float] = []
            answered: list[float] = []
            for turn in range(times + WARMING):
                start = time.perf_counter()
                floor_answered = await floor_poster.post("/tell", b"{}")
                bare_took = await all_told(bare, start)
                bodies = [changes.pushed() for changes in theirs[: len(people)]]
                start = time.perf_counter()
                took = await asyncio.gather(
                    *(each.post("/api/v1/sync", body) for each, body in zip(posters, bodies, strict=True))
                )
                our_took = await all_told(ours, start)
                if turn >= WARMING:
                    floors += bare_took
                    told.append(floor_answered)
                    mine += our_took
                    answered += took
        what = f"poke of {count} sockets" + (", two people's push at once" if len(people) > 1 else ", one push")
        for name, share in (("p50", 0.5), ("p95", 0.95)):
            aim = 3.0 if name == "p95" and count == SOCKETS else None
            out.append(compared(f"{what}, {name}", quantile(floors, share), quantile(mine, share), at_most=aim))
        out.append(compared(f"the push itself, {count} sockets, p50", median(told), median(answered)))
    return floors, out


def compared(what: str, floor: float, ours: float, *, at_most: float | None = None, limit: float | None = None) -> Row:
    """Quantiles beside each other: each pair's own ratio would hide a slow answer behind a slow floor."""
    goal, met = "", None
    if at_most is not None:
        goal, met = f"≤ {at_most:g}× the time", ours <= at_most * floor
    elif limit is not None:
        goal, met = f"< {shown(limit)}", ours < limit
    return Row(what, shown(floor), shown(ours), f"{ours / floor:.2f}×", goal, met)


def _visible(
    folder: Path, home: Household, server: Process, library: Path, floors: Sequence[float], times: int
) -> Iterator[Row]:
    """A change that is written on one device until it is on another one."""
    progress(f"syncing: {times} changes from one watched library to another")
    anna = home.people[0]
    here, there = (device(folder / name / "library.db", server, anna) for name in ("here", "there"))
    for each in (here, there):
        put(library, each)
    changes = Changes(here)
    rng = random.Random(1)
    took: list[float] = []
    with ExitStack() as stack:
        for each in (here, there):
            stack.enter_context(
                running([KINDLEHL, "sync", "--watch", "--library", each], folder, "the same as|Nothing")
            )
        db = stack.enter_context(closing(sqlite3.connect(there, isolation_level=None)))
        for _ in range(times):
            time.sleep(rng.random())  # at any moment between two looks of a device's
            edit = changes.next()
            with wiring.library(here) as lib:
                with lib.transaction():
                    lib.facts.add([edit])
                    lib.shelf.settle()
                start = time.perf_counter()
            while not db.execute("SELECT 1 FROM facts WHERE id = ?", (edit.id,)).fetchone():
                if time.perf_counter() - start > 60:
                    raise RuntimeError("a change did not arrive")
                time.sleep(0.002)
            took.append(time.perf_counter() - start)
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        what = f"change on a watched device until it is on another, {name}"
        limit = VISIBLE if name == "p95" else None
        yield compared(what, quantile(floors, share), quantile(took, share), limit=limit)


# -- one more highlight -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Create:
    """How one of the contestants keeps one more."""

    url: str
    token: str
    create: Callable[[Poster], Awaitable[float]]

    async def at_once(self, times: int) -> float:
        """Seconds for so many over several connections."""

        async def some() -> None:
            async with poster(self.url, self.token) as to:
                for _ in range(times // AT_ONCE):
                    await self.create(to)

        start = time.perf_counter()
        await asyncio.gather(*(some() for _ in range(AT_ONCE)))
        return time.perf_counter() - start


async def _created(home: Household, server: Process, floor: Process, times: int, count: int) -> Sequence[Row]:
    progress(f"syncing: {times} highlights created in a library of {count:,} clippings")
    anna = home.people[0]
    with closing(sqlite3.connect(anna.library)) as db:
        titles = [title for (title,) in db.execute("SELECT DISTINCT title FROM v_highlights")]
        (held,) = db.execute("SELECT count(*) FROM v_highlights WHERE kind = 'highlight'").fetchone()
    made = iter(range(1_000_000))

    def body() -> bytes:
        n = next(made)
        text = f"Passage number {n} of those that somebody typed in, as long as passages are that are worth a mark."
        return json.dumps({"text": text, "title": titles[n % len(titles)], "location": f"{10_000 + 7 * n}"}).encode()

    contestants = {
        "FULL": _Create(floor.url, "", lambda to: to.post("/commit/FULL", body())),
        "NORMAL": _Create(floor.url, "", lambda to: to.post("/commit/NORMAL", body())),
        "ours": _Create(server.url, anna.token, lambda to: to.post("/api/v1/highlights", body(), key=new_id())),
    }
    took: dict[str, list[float]] = {name: [] for name in contestants}
    at_once: dict[str, list[float]] = {name: [] for name in contestants}
    async with AsyncExitStack() as stack:
        open_ = {
            name: await stack.enter_async_context(poster(each.url, each.token)) for name, each in contestants.items()
        }
        for turn in range(times + WARMING):
            for name, each in contestants.items():
                seconds = await each.create(open_[name])
                if turn >= WARMING:
                    took[name].append(seconds)
    for _ in range(3):
        for name, each in contestants.items():
            at_once[name].append(await each.at_once(times))
    of = f"{held:,} highlights"
    out: list[Row] = []
    for synchronous in ("FULL", "NORMAL"):
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            what = f"create among {of}, floor: a commit with synchronous {synchronous}, {name}"
            limit = CREATED if (synchronous, name) == ("FULL", "p99") else None
            out.append(compared(what, quantile(took[synchronous], share), quantile(took["ours"], share), limit=limit))
    row = at_least(f"creates over {AT_ONCE} connections, {of}", times, at_once["FULL"], at_once["ours"], None)
    met = times / median(at_once["ours"]) >= CREATES
    out.append(Row(row.what, row.floor, row.ours, row.ratio, f"≥ {CREATES:,}/s", met))
    return out


# -- who does not read ------------------------------------------------------------------------------------------------


async def _stalled(home: Household, server: Process, times: int) -> Sequence[Row]:
    """Two people push in turn; first all sockets of both are read, then those of one are not."""
    anna, bert = home.people
    took: dict[str, list[float]] = {"read": [], "not read": []}
    grown: dict[str, float] = {}
    changes = {person: Changes(person.library) for person in (anna, bert)}

    async with (
        poster(server.url, anna.token) as annas,
        poster(server.url, bert.token) as berts,
        listeners(server.url, [bert.token] * STALLED),
    ):

        async def pushes(count: int, renew: Callable[[], None] | None = None) -> None:
            before = server.memory()
            took["read"], took["not read"] = [], []
            for _ in range(count):
                if renew is not None:
                    renew()
                took["read"].append(await berts.post("/api/v1/sync", changes[bert].pushed()))
                took["not read"].append(await annas.post("/api/v1/sync", changes[anna].pushed()))
            grown["not read" if renew else "read"] = server.memory() - before

        progress(f"syncing: {times:,} pushes to {STALLED} sockets that are read, and to as many that are not")
        async with listeners(server.url, [anna.token] * STALLED):
            await pushes(times // 4)  # warms the server
            await pushes(times)
        with closing(Stalled(server.url, anna.token, STALLED)) as stalled:
            await pushes(times, stalled.renew)
    what = f"{times:,} pushes to {STALLED} sockets that nobody reads, floor: that are read"
    return [
        Row(
            f"memory grown by {what}", f"{grown['read']:.1f} MiB", f"{grown['not read']:.1f} MiB", "",
            f"< {FLAT:g} MiB more", grown["not read"] - max(0.0, grown["read"]) < FLAT,
        ),
        *(
            compared(f"one of {what}, {name}", quantile(took["read"], share), quantile(took["not read"], share),
                     at_most=1.2)
            for name, share in (("p50", 0.5), ("p95", 0.95))
        ),
    ]  # fmt: skip
