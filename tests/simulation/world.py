"""A household in a box: real libraries, rounds and services; clocks, ids, network and storage of ours.

One seed is one history, and the same seed is the same history. `World(seed).run()` lets people and machines do what
they do, lets everything that can go wrong go wrong, then heals the network and says what is wrong with the result.
"""

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, TypeAlias

from support.histories import TEXTS, TITLES, picture, record

from kindlehl import wire
from kindlehl.domain import passages, withholding
from kindlehl.domain.contract import Bundle
from kindlehl.domain.errors import ConflictError, KindlehlError, OfflineError, UsageError
from kindlehl.domain.facts import Edit, Id, Import, Record, new_id
from kindlehl.domain.library import SHOWN_KINDS, Highlight
from kindlehl.ports import Filter
from kindlehl.services import editing, importing, shelving, trash, undoing
from kindlehl.services.operations import Draft, Writer, operation
from kindlehl.services.sources import Source
from kindlehl.services.sync import wishes
from kindlehl.services.sync.answering import Desk
from kindlehl.services.sync.round import Done, Round
from kindlehl.store.connection import prepare
from kindlehl.store.library import SqliteLibrary
from kindlehl.store.memory import MemoryLibrary
from kindlehl.wire import messages
from kindlehl.wire.messages import Answer, Question

EVERYTHING = Filter(kinds=SHOWN_KINDS, hidden_books=True)
START = datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
Wish: TypeAlias = tuple[str, int]
"""When it was wished, and what is to be kept nothing of."""
NO_WISH: Wish = ("", withholding.NOTHING)
FAULTS = (
    "loss", "answer lost", "duplication", "replay", "crash", "crash before a commit", "crash after a commit",
    "server crash", "skew", "same file twice", "other version of a file",
    "newer parser", "deleted here, imported there", "device restored", "device cloned", "paired anew",
    "server restored", "server restored silently", "server emptied", "flags toggled", "written by a newer version",
    "somebody else in between", "erased on the server", "server skew",
)  # fmt: skip


class Crash(BaseException):
    """A process is gone, in the middle of whatever it did."""


@dataclass
class Reading:
    """An importer that has read already."""

    records: Sequence[Record]
    name: str = "clippings"
    revision: int = 1

    def claims(self, _: Bundle) -> bool:
        """Never asked."""
        return True

    def read(self, _: Bundle) -> Sequence[Record]:
        """What there is."""
        return self.records


class Fragile(SqliteLibrary):
    """A library whose process may be gone around each commit."""

    def __init__(self, connection: sqlite3.Connection, replica: "Replica") -> None:
        super().__init__(connection, Path(":memory:"))
        self.replica = replica

    @contextmanager
    def transaction(self) -> Generator[None]:
        """As it is, if all goes well."""
        with super().transaction():
            yield
            self.replica.may_crash("crash before a commit")
        self.replica.may_crash("crash after a commit")


class Replica:
    """A library in memory that can be copied, and crash."""

    in_round = False
    frailty: ClassVar[int] = 3
    """By how much it is more likely to be gone than a device: a server has far fewer moments for that."""
    may_differ = False
    """Cursors may be wrong about what the server holds, since it was restored silently."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.open(sqlite3.connect(":memory:", isolation_level=None))
        prepare(self.connection, Path(":memory:"))

    def open(self, connection: sqlite3.Connection) -> None:
        """Take a file for this library's."""
        self.connection = connection
        self.library = Fragile(connection, self)

    def may_crash(self, point: str) -> None:
        """Be gone at this point, perhaps."""
        if self.in_round and self.world.chance(self.world.crashes * self.frailty):
            self.world.faults[point] += 1
            raise Crash

    def restart(self) -> None:
        """What was committed is there."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        self.put_back(self.image())

    def image(self) -> bytes:
        """The file as it is."""
        return self.connection.serialize()

    def put_back(self, image: bytes) -> None:
        """Another file in its place."""
        self.connection.close()
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.deserialize(image)
        self.open(connection)


class Device(Replica):
    """Somebody's device."""

    frailty = 1

    def __init__(self, name: str, world: "World") -> None:
        super().__init__(world)
        self.name = name
        self.skew = timedelta(seconds=world.rng.randint(-86_400, 86_400)) if world.rng.random() < 0.5 else timedelta()
        self.withheld = withholding.NOTHING
        self.revision = 1
        self.rounds: list[Done] = []
        self.heard: Wish = NO_WISH
        """The last wish of the owner's that it must remember: it heard of it in a round that came to its end."""

    def now(self) -> datetime:
        """As its clock has it."""
        return self.world.now + self.skew

    @property
    def writer(self) -> Writer:
        """Whoever sits in front of it."""
        return Writer(self.name, self.now, self.world.make_id)

    def sync(self) -> None:
        """A round, of which any message may be lost, and in the middle of which it may crash."""
        self.in_round = True
        try:
            done = self.world.round_kind(self.library, "home", self.world.network(self), self.withheld).run()
            if done.healed and not (self.may_differ or done.released):
                self.world.wrong.append(f"{self.name} healed {done.healed} buckets, and nobody knows why")
            self.may_differ &= not done.equal
            self.rounds.append(done)
            known = self.library.peers.progress("home")
            if (known.wished, known.refuses) < self.heard:
                self.world.wrong.append(f"{self.name} forgot what the server must not have")
            self.heard = known.wished, known.refuses
        except OfflineError:
            pass
        except KindlehlError as error:
            assert error.code == "moved", error  # noqa: PT017 -- all else would be a defect of ours
        except Crash:
            self.restart()
        finally:
            self.in_round = False


@dataclass
class World:
    """Everybody, everything and the time."""

    seed: int
    steps: int = 0
    faults: Counter[str] = field(default_factory=Counter[str])
    done: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])
    round_kind: ClassVar[type[Round]] = Round

    def __post_init__(self) -> None:
        """Everybody is there, and has nothing yet."""
        self.rng = random.Random(self.seed)
        self.now = START
        self.server_skew = timedelta()
        self.made = 0
        self.losses = self.rng.choice((0.0, 0.05, 0.3))
        self.crashes = self.rng.choice((0.0, 0.02))
        self.is_healed = False
        self.depth = 0
        self.server = Replica(self)
        self.renew()
        self.devices = [Device(f"d{n}", self) for n in range(self.rng.randint(2, 4))]
        self.files = [self.file() for _ in range(2)]
        self.older = [[*file, *self.file()] for file in self.files]
        """As those files once were, on a device that nobody has found yet."""
        self.images: list[tuple[Replica, bytes, bool]] = []
        """Whose, the file, and whether its cursors may be wrong about what the server holds."""
        self.sent: list[bytes] = []
        self.imported: dict[int, set[str]] = {0: set(), 1: set()}
        self.notes: dict[Id, str] = {}
        """What people wrote: edit → words."""

    # -- what there is --------------------------------------------------------------------------------------------

    def make_id(self) -> Id:
        """Ids that depend on the seed alone."""
        self.made += 1
        stamp = int(self.now.timestamp() * 1000) + self.made
        return new_id(stamp, self.rng.randbytes(10))

    def file(self) -> list[Record]:
        """What a Kindle has in its clippings: passages, resized and marked again, and notes."""
        rng = self.rng
        return [
            record(
                rng.choice(("highlight", "highlight", "highlight", "note", "bookmark", "limited")),
                rng.choice(TITLES), rng.choice(TEXTS), rng.choice((None, *range(1, 13), *range(1, 13))),
                rng.randint(0, 4), rng.choice((None, *range(10), *range(10))), rng.random() < 0.2,
            )
            for _ in range(rng.randint(6, 14))
        ]  # fmt: skip

    def network(self, device: Device) -> Callable[[Question], Answer]:
        """Between a device and the server."""
        heard = device.heard

        def ask(question: Question) -> Answer:
            nonlocal heard
            if isinstance(question, messages.Push) and any(
                withholding.falls_under(wire.decode(bytes(raw))) & heard[1] for raw in question.facts
            ):
                self.wrong.append(f"{device.name} sent what the server must not have")
            data = messages.encode(question)
            self.fail(device, "loss", self.losses)
            if self.chance(0.02):
                self.faults["somebody else in between"] += 1
                self.act(self.rng.choice([other for other in self.devices if other is not device]))
            answer = self.answered(data)
            if self.chance(0.05):
                self.faults["duplication"] += 1
                answer = self.answered(data)
            if self.chance(0.03) and self.sent:
                self.faults["replay"] += 1
                with suppress(KindlehlError):
                    self.answered(self.rng.choice(self.sent))
            if isinstance(question, messages.Push):
                self.sent = [*self.sent[-20:], data]
            self.fail(device, "answer lost", self.losses)
            if self.chance(self.crashes):
                self.faults["crash"] += 1
                raise Crash
            decoded = messages.decode_answer(answer)
            if isinstance(decoded, messages.Welcome):
                heard = max(heard, (decoded.wished, decoded.refuses))
            return decoded

        return ask

    def chance(self, odds: float) -> bool:
        """Whether something happens."""
        return not self.is_healed and self.rng.random() < odds

    def fail(self, device: Device, fault: str, odds: float) -> None:
        """Lose a message, perhaps."""
        if self.chance(odds):
            self.faults[fault] += 1
            raise OfflineError(f"{device.name} is offline.")

    def answered(self, data: bytes) -> bytes:
        """What the server says."""
        desk = Desk(self.server.library)
        self.server.in_round = True
        try:
            return messages.encode(desk.answer(messages.decode_question(data), self.now))
        except Crash:
            self.faults["server crash"] += 1
            self.server.restart()
            raise OfflineError("The server is gone.") from None
        finally:
            self.server.in_round = False

    # -- what happens ---------------------------------------------------------------------------------------------

    def run(self) -> list[str]:
        """Live, heal, and tell what is wrong."""
        for _ in range(self.steps or self.rng.randint(60, 160)):
            self.now += timedelta(seconds=self.rng.randint(1, 4_000))
            self.act(self.rng.choice(self.devices))
        return self.verdict()

    def act(self, device: Device) -> None:
        """One thing that somebody does, or that happens to a device."""
        if self.depth > 1:
            return
        self.depth += 1
        try:
            acts, odds = zip(*ACTS, strict=True)
            act = self.rng.choices(acts, odds)[0]
            self.done[act.__name__] += 1
            act(self, device)
        finally:
            self.depth -= 1

    def import_(self, device: Device) -> None:
        """A part of a file, perhaps shuffled, perhaps read by a newer parser."""
        which = self.rng.randrange(len(self.files))
        records = self.files[which]
        size = self.rng.randint(1, len(records))
        part = records[:size] if self.rng.random() < 0.7 else records[-size:]
        read = [self.read(each, device) for each in self.rng.sample(part, len(part))]
        if size < len(records):
            self.faults["other version of a file"] += 1
        if self.imported[which] - {device.name}:
            self.faults["same file twice"] += 1
            if device.library.shelf.count(EVERYTHING._replace(deleted=True)):
                self.faults["deleted here, imported there"] += 1
        self.imported[which].add(device.name)
        self.take_in(device, which, read)

    def take_in(self, device: Device, which: int, read: Sequence[Record]) -> None:
        """Have the import service import what was read."""
        bundle = Bundle("My Clippings.txt", {})
        source = Source(
            "My Clippings.txt",
            "memory",
            Reading(read, revision=device.revision),
            bundle,
            self.make_id(),
            1,
            f"G{which}",
        )
        importing.import_sources(device.library, [source], now=device.now, make_id=self.make_id)

    def read(self, held: Record, device: Device) -> Record:
        """As the parser of a device has it: a newer one reads a third of the records a little better."""
        if device.revision == 1 or int(held.id[:4], 16) % 3:
            return held
        return replace(held, text=f"{held.text}." if held.text else "", revision=2)

    def do(self, device: Device, verb: str, act: Callable[[Draft], None]) -> None:
        """A command."""
        try:
            with operation(device.library, device.writer, verb) as draft:
                act(draft)
        except (ConflictError, UsageError):
            self.done["refused"] += 1
            return
        written = (fact for fact in draft.facts if isinstance(fact, Edit) and fact.field == "note" and fact.value)
        self.notes.update((edit.id, str(edit.value)) for edit in written)

    def shown(self, device: Device, *, deleted: bool = False) -> list[Highlight]:
        """What can be chosen on a device."""
        return list(device.library.shelf.highlights(EVERYTHING._replace(deleted=deleted)))

    def edit(self, device: Device) -> None:
        """Something is said of a passage."""
        if shown := self.shown(device):
            what = self.rng.choice((
                ("note", f"n{self.rng.getrandbits(16)}"), ("note", None), ("text", f"t{self.rng.getrandbits(16)}"),
                ("color", self.rng.choice(("blue", "pink", None))), ("favorite", self.rng.random() < 0.5),
                (f"tag:{self.rng.choice('abc')}", self.rng.random() < 0.7),
            ))  # fmt: skip
            chosen = [self.rng.choice(shown)]
            self.do(device, "edit", lambda draft: editing.change(device.library, draft, chosen, dict([what])))

    def delete(self, device: Device) -> None:
        """Into the trash."""
        if shown := self.shown(device):
            self.do(device, "delete", lambda draft: trash.delete(device.library, draft, [self.rng.choice(shown)]))

    def restore(self, device: Device) -> None:
        """Out of it, or erased."""
        if gone := self.shown(device, deleted=True):
            if self.rng.random() < 0.3:
                self.do(device, trash.EMPTIED, lambda draft: trash.empty(device.library, draft, gone))
            else:
                self.do(device, "restore", lambda draft: trash.restore(device.library, draft, [self.rng.choice(gone)]))

    def regroup(self, device: Device) -> None:
        """Passages or books, joined or parted."""
        shown = self.shown(device)
        if len(shown) < 2:
            return
        one, other = self.rng.sample(shown, 2)
        library, rng = device.library, self.rng

        def act(draft: Draft) -> None:
            kind = rng.randrange(4)
            if kind == 0:
                editing.merge(library, draft, one, other)
            elif kind == 1:
                editing.split(library, draft, one, [rng.choice(library.shelf.members(one.id))])
            else:
                books = library.shelf.books(hidden=True)
                book = rng.choice(books)
                if kind == 2:
                    shelving.rename(library, draft, book, rng.choice(("Renamed", "Other")), None)
                elif rng.random() < 0.5:
                    shelving.merge(library, draft, book, [rng.choice(books)])
                else:
                    shelving.split(library, draft, book, rng.choice(library.shelf.atoms(book.id)))

        self.do(device, "regroup", act)

    def undo(self, device: Device) -> None:
        """The last thing done on this device, an import too."""
        try:
            undoing.undo(device.library, device.writer)
        except KindlehlError:
            self.done["not undone"] += 1

    def round(self, device: Device) -> None:
        """Sync."""
        device.sync()

    def clock(self, device: Device) -> None:
        """Jumps."""
        self.faults["skew"] += 1
        device.skew = timedelta(seconds=self.rng.randint(-86_400, 86_400))

    def upgrade(self, device: Device) -> None:
        """A newer parser on this device."""
        self.faults["newer parser"] += 1
        device.revision = 2

    def newer(self, device: Device) -> None:
        """A newer version writes what this one does not know."""
        self.faults["written by a newer version"] += 1
        id_ = self.make_id()
        with device.library.transaction():
            device.library.facts.add_raw([f'{{"type":"star","id":"{id_}","points":[1, 2]}}'])
            device.library.shelf.settle()

    def toggle(self, device: Device) -> None:
        """What a device keeps to itself."""
        self.faults["flags toggled"] += 1
        device.withheld = self.rng.choice((withholding.NOTHING, withholding.NOTES, withholding.HIGHLIGHTS))

    def wish(self, _: Device) -> None:
        """The owner has the server forget notes or highlights and take none any more, or take them again."""
        refused = self.rng.choice((withholding.NOTHING, withholding.NOTES, withholding.HIGHLIGHTS))
        if refused:
            self.faults["erased on the server"] += 1
        if self.rng.random() < 0.3:
            self.faults["server skew"] += 1
            self.server_skew = timedelta(days=self.rng.choice((-400, 0, 400)))
        self.heed(refused)

    def heed(self, refused: int) -> None:
        """The server does so."""
        wishes.change(self.server.library, refused, withholding.ALL & ~refused, self.now + self.server_skew)
        self.renew()

    def back_up(self, device: Device) -> None:
        """A device or the server."""
        chosen = device if self.rng.random() < 0.6 else self.server
        self.images.append((chosen, chosen.image(), chosen.may_differ))

    def put_back(self, _: Device) -> None:
        """A backup, of whoever made one."""
        if self.depth > 1 or not self.images:
            return  # nobody restores what is in use
        chosen, image, may_differ = self.rng.choice(self.images)
        chosen.put_back(image)
        chosen.may_differ |= may_differ
        if isinstance(chosen, Device):
            chosen.heard = NO_WISH
            self.faults["device restored"] += 1
        elif self.rng.random() < 0.5:
            self.renew()
            self.faults["server restored"] += 1
        else:
            self.faults["server restored silently"] += 1
            self.images = [(whose, file, True) for whose, file, _ in self.images]
            for each in self.devices:
                each.may_differ = True

    def renew(self) -> None:
        """The server's numbers begin anew, as is told to whoever comes."""
        with self.server.library.transaction():
            self.server.library.peers.renew(f"{self.rng.getrandbits(60):x}")

    def disaster(self, device: Device) -> None:
        """The server is emptied, a device cloned, or paired anew."""
        if self.depth > 1:
            return
        kind = self.rng.choice(("server emptied", "device cloned", "paired anew"))
        if kind == "server emptied":
            self.server.put_back(Replica(self).image())
            self.renew()
        elif kind == "device cloned":
            if len(self.devices) > 4:
                return
            clone = Device(f"{device.name}'", self)
            clone.put_back(device.image())
            clone.withheld, clone.may_differ, clone.heard = device.withheld, device.may_differ, device.heard
            self.devices.append(clone)
        else:
            with device.library.transaction():
                device.library.peers.forget("home")
            device.heard = NO_WISH
        self.faults[kind] += 1

    # -- the end --------------------------------------------------------------------------------------------------

    def verdict(self) -> list[str]:
        """Nothing may be lost, nothing be there twice, and nobody see anything else than the others."""
        wrong = self.wrong
        held = self.survivors()
        refused = wishes.refuses(self.server.library)
        kept = self.facts(self.server).keys() - self.facts(self.server, refused).keys()
        wrong += [f"kept though it was refused: {id_}" for id_ in kept]
        self.is_healed = True
        self.now, self.server_skew = self.now + 900 * DAY, timedelta()  # no device remembers a wish that is later
        self.heed(withholding.NOTHING)
        for _ in range(3):
            for device in self.devices:
                device.sync()
        if not all(device.rounds[-1].equal for device in self.devices):
            wrong.append("a round did not find both equal")
        truth = self.facts(self.server)
        wrong += [f"lost: {id_}" for id_ in held if id_ not in truth]
        for device in self.devices:
            mine = self.facts(device, device.withheld)
            if mine != self.facts(self.server, device.withheld):
                wrong.append(f"{device.name} diverged")
            if not device.withheld and picture(device.library) != picture(self.server.library):
                wrong.append(f"{device.name} shows something else")
        memory = MemoryLibrary()
        memory.add_raw(truth.values())
        if picture(memory) != picture(self.server.library):
            wrong.append("what is shown is not the fold of all facts")
        members = [id_ for h in self.shown(self.server) for id_ in self.server.library.shelf.members(h.id)]  # type: ignore[arg-type]
        if len(members) != len(set(members)):
            wrong.append("a record is shown twice")
        wrong += [f"a note is neither shown nor replaced: {id_}" for id_ in self.unseen(truth)]
        self.delete_for_good(wrong)
        return wrong

    def unseen(self, truth: dict[Id, str]) -> list[Id]:
        """Notes that somebody wrote and that nobody can see, though nobody who had seen them said otherwise."""
        edits = [fact for body in truth.values() if isinstance(fact := wire.decode(body), Edit)]
        answered = {id_ for edit in edits for id_ in (*edit.seen, *edit.knew)}
        library = self.server.library
        lost: list[Id] = []
        for edit in edits:
            if edit.id not in self.notes or edit.id in answered or edit.erased or edit.undo:
                continue
            shown = library.shelf.get(edit.target) or library.shelf.get(edit.target, deleted=True)
            if shown is None:
                continue  # of a record that no import lists any more
            said = {other.value for other in library.facts.edits(library.shelf.members(edit.target))}
            if edit.value not in said or not (edit.value == shown.note or edit.value in (shown.note or "")):
                lost.append(edit.id)
        return lost

    def delete_for_good(self, wrong: list[str]) -> None:
        """What is deleted on one device stays deleted when another imports files that hold more, but for what was
        marked later than the first one's copy went."""
        one, other = self.devices[:2]
        if one.withheld or other.withheld:
            return
        until = (one.now().replace(tzinfo=None) + 2 * DAY).isoformat(timespec="seconds")
        # A deleted note that sat on no highlight is shown again with one that nobody ever deleted.
        for highlight in [each for each in self.shown(one) if each.kind == "highlight"][:3]:
            reached = self.reached(one, until)
            covered = set(one.library.shelf.members(highlight.id))
            known = {id_ for edit in one.library.facts.edits([*covered]) for id_ in [edit.id]}
            self.do(one, "delete", lambda draft, h=highlight: trash.delete(one.library, draft, [h]))  # type: ignore[misc]
            for number, file in enumerate(self.older):
                self.take_in(other, number, [self.read(each, other) for each in file])
            for device in (one, other, one):
                device.sync()
            back = other.library.shelf.get(highlight.id)
            if back is None:
                continue
            members = other.library.shelf.members(highlight.id)
            records = other.library.facts.records(members).values()
            deleted = [r for r in records if r.id in covered]
            fresh = [r for r in records if r.id not in covered]
            marked = [r for r in fresh if self.is_later(r, reached)]
            # What is no form of anything deleted was never deleted, though others may join it to what was.
            marked += [r for r in fresh if r.kind == "highlight" and not any(passages.are_forms(r, d) for d in deleted)]
            said = [edit for edit in other.library.facts.edits(members) if edit.id not in known]
            if not marked and all(edit.field == "deleted" for edit in said):
                wrong.append(f"came back: {highlight.id}")

    def reached(self, device: Device, until: str) -> dict[str, str]:
        """Source → the latest time of a record that a device's imports list, of those before `until`."""
        facts = [wire.decode(body) for body in device.library.facts.bodies()]
        times = {fact.id: fact.at for fact in facts if isinstance(fact, Record) and fact.at and fact.at < until}
        out: dict[str, str] = {}
        for fact in facts:
            if isinstance(fact, Import):
                out[fact.source] = max([out.get(fact.source, ""), *(times.get(id_, "") for id_ in fact.records)])
        return out

    def is_later(self, record: Record, reached: Mapping[str, str]) -> bool:
        """Whether a record is further than a copy went of a file that holds it: a new wish."""
        holding = [number for number, file in enumerate(self.older) if any(each.id == record.id for each in file)]
        return any((record.at or "") > reached.get(f"clippings:G{number}", "~") for number in holding)

    def survivors(self) -> set[Id]:
        """What somebody holds and does not keep to himself, before the network is healed."""
        return {id_ for device in self.devices for id_ in self.facts(device, device.withheld)} | set(
            self.facts(self.server)
        )

    def facts(self, replica: Replica, withheld: int = 0) -> dict[Id, str]:
        """All facts that are not withheld."""
        return {
            wire.header(body).id: body
            for body in replica.library.facts.bodies()
            if not withholding.falls_under(wire.decode(body)) & withheld
        }


ACTS: Sequence[tuple[Callable[[World, Device], None], int]] = (
    (World.import_, 13), (World.edit, 25), (World.delete, 6), (World.restore, 3), (World.regroup, 4), (World.undo, 3),
    (World.round, 30), (World.clock, 2), (World.upgrade, 1), (World.newer, 1), (World.toggle, 1), (World.wish, 1),
    (World.back_up, 3), (World.put_back, 3), (World.disaster, 2),
)  # fmt: skip
