"""The commands that make this library and the server's equal."""

import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from kindlehl import wiring
from kindlehl.cli import options, render
from kindlehl.cli.confirming import confirm
from kindlehl.cli.devices import otherwise
from kindlehl.cli.manners import may_ask, quiet
from kindlehl.cli.run import SKIPPED, tell
from kindlehl.domain import fold, withholding
from kindlehl.domain.errors import BusyError, KindlehlError, RevokedError, UsageError
from kindlehl.ports import Progress

if TYPE_CHECKING:
    from kindlehl.config import Settings
    from kindlehl.ports import Library
    from kindlehl.remote.pairings import Pairing
    from kindlehl.remote.server import Server
    from kindlehl.services.sync.ahead import Ahead
    from kindlehl.services.sync.noticing import Noticed
    from kindlehl.services.sync.round import Done

_SKEW = 120.0
"""Seconds by which a clock may be wrong without a word."""
_MANY = 10
"""Highlights in the trash that nobody here put there, from which on it is worth a sentence."""

app = typer.Typer(
    help="Make this library and your server's equal.",
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
What = Annotated[str, typer.Argument(metavar="highlights|notes", help="What you marked, or what you wrote.")]


@app.callback(invoke_without_command=True)
def sync(
    ctx: typer.Context,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on until Ctrl-C: whatever happens is there at once.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would happen.")] = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Make this library and your server's equal: both get what the other has, and nothing is lost.

    Example: kindlehl sync
    """
    if ctx.invoked_subcommand is not None:
        if library is not None:
            ctx.obj = ctx.obj._replace(library=library)
        return
    options.one_format(watch=watch, json=json)
    options.one_format(watch=watch, **{"dry-run": dry_run})
    settings = options.chosen(ctx, library)
    pairing = wiring.needed_pairing(settings.library)
    with wiring.server(pairing.url, pairing.token) as server, wiring.library(settings.library, settings.wait) as lib:
        if dry_run:
            _ahead(lib, server, pairing, json=json)
        elif watch:
            _watch(lib, server, settings.library, pairing)
        else:
            _once(lib, server, settings, pairing, json=json)


def _ahead(lib: "Library", server: "Server", pairing: "Pairing", *, json: bool) -> None:
    from kindlehl.services.sync.ahead import ahead
    from kindlehl.services.sync.noticing import Noticed
    from kindlehl.services.sync.round import Done

    found = ahead(lib, pairing.person, server.ask, pairing.withheld)
    if json:
        would = Done(
            received=found.coming or 0, sent=found.going, anew=found.coming is None, withheld=found.withheld
        )  # fmt: skip
        _write(server, would, Noticed(), dry_run=True)
        return
    terminal = render.Terminal()
    terminal.print(*render.wrapped(_would(found, server.url.host), terminal.width))
    tell("This was a dry run: nothing was changed.")


def _would(found: "Ahead", host: str) -> str:
    """What a round would do, in words."""
    going = f"up to {_changes(found.going)} would go there" if found.going else "nothing would go there"
    if found.coming is None:
        return f"All that {host} has would come; {going}."
    if found.coming:
        return f"Up to {_changes(found.coming)} would come from {host}; {going}."
    if found.going:
        return f"Up to {_changes(found.going)} would go to {host}; nothing would come."
    return f"Nothing would come from {host} or go there."


def _changes(number: int) -> str:
    return f"{number:,} {'change' if number == 1 else 'changes'}"


def _write(server: "Server", done: "Done", noticed: "Noticed", *, dry_run: bool) -> None:
    render.write_object(
        "kindlehl/sync/1", server=str(server.url), dry_run=dry_run, received=done.received, sent=done.sent,
        refused=done.refused, healed=done.healed, anew=done.anew, equal=done.equal,
        withheld=withholding.names(done.withheld), deleted=noticed.deleted, conflicts=noticed.conflicts,
    )  # fmt: skip


def _once(lib: "Library", server: "Server", settings: "Settings", pairing: "Pairing", *, json: bool) -> None:
    from kindlehl.services.sync.patience import patiently

    done, noticed = patiently(
        _rounds(lib, server, settings.library, pairing), lambda: lib.peers.progress(pairing.person), settings.wait,
        now=time.monotonic, sleep=_Sleep(),
    )  # fmt: skip
    if json:
        _write(server, done, noticed, dry_run=False)
    else:
        terminal = render.Terminal()
        terminal.print(*render.wrapped(told(done, server.url.host), terminal.width))
    for sentence in _notices(done, noticed, server):
        tell(sentence)
    if copied := _copied(pairing):
        tell(copied)
    if done.refused:
        raise typer.Exit(SKIPPED)


class _Sleep:
    """Sleeps until the next attempt, and says so the first time, where somebody may wonder whether it hangs."""

    def __init__(self) -> None:
        self._told = False

    def __call__(self, seconds: float) -> None:
        """Sleep."""
        if not self._told and sys.stderr.isatty():
            tell("Trying again…")
        self._told = True
        time.sleep(seconds)


def _still_paired(where: Path, begun: "Pairing") -> "Pairing":
    """How the library is paired at this moment. Raises RevokedError where that is with another server, or none."""
    pairing = wiring.pairing(where)
    if pairing is None or (pairing.url, pairing.token) != (begun.url, begun.token):
        raise RevokedError("This library is not paired with that server any more.", hint="Begin anew: kindlehl sync")
    return pairing


def _rounds(lib: "Library", server: "Server", where: Path, begun: "Pairing") -> "Callable[[], tuple[Done, Noticed]]":
    """Makes rounds, each with what is withheld at its moment."""
    from kindlehl.domain.clock import stamp
    from kindlehl.services import traces
    from kindlehl.services.sync import gone
    from kindlehl.services.sync.noticing import Noticing
    from kindlehl.services.sync.round import sync as exchange

    noticing = Noticing(lib)

    def one() -> "tuple[Done, Noticed]":
        withheld = _still_paired(where, begun).withheld
        try:
            done = noticing.round(server.ask, lambda ask: exchange(lib, begun.person, ask, withheld))
        except RevokedError:
            with suppress(KindlehlError):  # that of the server is the one to tell
                gone.remember(lib, begun.token, stamp(datetime.now(UTC)))
            raise
        gone.forget(lib, begun.token)
        traces.scrub(lib, datetime.now(UTC))  # of what others erased
        return done

    return one


def told(done: "Done", host: str) -> str:
    """What a round did, in a sentence."""
    kept = _kept(done)
    if not done.received and not done.sent:
        return f"Nothing new; the same as on {host}{kept}." if done.equal else f"Nothing new from {host}."
    line = f"Received {_changes(done.received)}" if done.received else f"Sent {_changes(done.sent)}"
    line += f", sent {done.sent:,}" if done.received and done.sent else ""
    end = f"the same as on {host} now" if done.equal else "others go on writing; the rest comes with the next sync"
    return f"{line}; {end}{kept}."


def _kept(done: "Done") -> str:
    """Of what nobody says that it is the same."""
    return f", but for {' and '.join(withholding.names(done.withheld))}, which stay here" if done.withheld else ""


def _notices(done: "Done", noticed: "Noticed", server: "Server") -> list[str]:
    """What is worth a sentence beside the numbers."""
    out: list[str] = []
    if done.told:
        refused = " and no ".join(withholding.names(done.refuses))
        out.append(
            f"The server keeps no {refused}, as you told it." if refused else "The server keeps everything again."
        )
    elif done.anew:
        out.append(f"The library on {server.url.host} is not the one it was: restored, emptied, or another. "
                   "Whatever it lacked it has again.")  # fmt: skip
    elif done.healed and not done.released:
        out.append(f"Something differed that should not have ({done.healed} of 256 parts); both have all of it again.")
    if noticed.deleted >= _MANY:
        out.append(f"{noticed.deleted:,} highlights are in the trash now that were deleted elsewhere. "
                   "See them: kindlehl trash list. Bring them back: kindlehl restore")  # fmt: skip
    if noticed.conflicts:
        count = "Of one highlight" if noticed.conflicts == 1 else f"Of {noticed.conflicts:,} highlights"
        out.append(f"{count} two things are said now; both are kept. Decide: kindlehl conflicts")
    if done.refused:
        out.append(f"{done.refused:,} changes are too long, or too many, for the server. They are kept here.")
    if done.damaged:
        out.append(f"{done.damaged:,} facts turned out to be damaged on this disk. See to them: kindlehl sync verify")
    if server.copied:
        out.append("Two computers sync under this device's name: one is a copy of the other. Nothing is lost by that; "
                   f"to tell both apart, pair each of them anew: kindlehl pair {server.url} --again")  # fmt: skip
    if done.fold != fold.REVISION:
        out.append("The server's kindlehl is of another version than this one: until both are updated some highlights "
                   "may look different there.")  # fmt: skip
    if (skew := _skew(done)) is not None:
        out.append(skew)
    return out


def _copied(pairing: "Pairing") -> str | None:
    """That this computer is not the one that was paired."""
    if platform.node() == pairing.computer:
        return None
    return (
        f"This computer is not {render.one_line(pairing.computer)}, which was paired: it holds a copy. Nothing is lost "
        f"by that; to tell both apart, pair this one too: kindlehl pair {pairing.url}"
    )


def _skew(done: "Done") -> str | None:
    """That one of two clocks is wrong."""
    try:
        ahead = (datetime.now(UTC) - datetime.fromisoformat(done.now)).total_seconds() - done.took
    except (ValueError, TypeError):
        return None
    if abs(ahead) < _SKEW:
        return None
    hours, minutes = divmod(round(abs(ahead) / 60), 60)
    by = f"{hours:,} h {minutes} min" if hours else f"{minutes} min"
    which = "ahead of" if ahead > 0 else "behind"
    return f"This device's clock is {by} {which} the server's. Nothing is lost by it; set it right."


# -- watching -------------------------------------------------------------------------------------------------------


class _Teller:
    """Says on standard output what happens, and what goes wrong once."""

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._wrong = ""
        self._quiet = False
        self._said: list[str] = []

    def done(self, done: "Done", noticed: "Noticed") -> None:
        """A round went well."""
        if self._wrong or not self._quiet:
            self._say(f"Connected with {self._server.url.host}.")
        self._wrong, self._quiet = "", True
        if done.received or done.sent:
            self._say(told(done, self._server.url.host))
        sentences = _notices(done, noticed, self._server)
        for sentence in sentences:
            if sentence not in self._said:
                self._say(sentence)
        self._said = sentences

    def failed(self, error: KindlehlError, pause: float) -> None:
        """Something failed."""
        what = error.message.partition(" (")[0]  # why it cannot be reached may differ from one attempt to the next
        if what != self._wrong:
            self._say(f"{error.message} Trying again{f' in {pause:.0f} s' if pause >= 1 else ''}.")
        self._wrong = what

    def stalled(self, unsent: int, seconds: float) -> None:
        """Something waits to be sent."""
        self._say(f"{unsent:,} changes have waited for {seconds:.0f} s to be sent. They are kept here.")

    @staticmethod
    def _say(sentence: str) -> None:
        if quiet():
            return
        terminal = render.Terminal()
        line = f"{datetime.now().astimezone():%H:%M:%S}  {render.clean(sentence)}"
        terminal.print(*(render.hanging(line, terminal.width, " " * 10) if terminal.is_terminal else [line]))
        sys.stdout.flush()


def _watch(lib: "Library", server: "Server", where: Path, begun: "Pairing") -> None:
    from kindlehl.services.sync.watch import Watch

    teller = _Teller(server)
    Watch(
        lib,
        begun.person,
        _rounds(lib, server, where, begun),
        lambda: wiring.listen(server, _still_paired(where, begun)),
        teller,
        time.monotonic,
        time.time,
        time.sleep,
    ).run()


# -- looking --------------------------------------------------------------------------------------------------------


@app.command()
def status(ctx: typer.Context, json: options.Json = False, library: options.Where = None) -> None:
    """Say with which server this library is paired, and how far both are. Asks nobody.

    Example: kindlehl sync status
    """
    settings = options.chosen(ctx, library)
    pairing = wiring.pairing(settings.library)
    if pairing is None:
        if json:
            render.write_object("kindlehl/sync-status/1", server=None)
        else:
            render.Terminal().print("This library is paired with no server.")
            tell("Pair it: kindlehl pair URL")
        return
    from kindlehl.services.sync import gone
    from kindlehl.services.sync.ahead import to_send

    with wiring.library_to_read(settings.library) as lib:
        progress = lib.peers.progress(pairing.person)
        waiting = to_send(lib, pairing.person, pairing.withheld)
        let_go = gone.since(lib, pairing.token)
    withheld = withholding.names(pairing.withheld)
    refused = withholding.names(progress.refuses)
    if json:
        render.write_object(
            "kindlehl/sync-status/1", server=pairing.url, device=pairing.device, equal_at=progress.met or None,
            unsent=waiting, withheld=withheld, refused=refused, let_go_at=let_go or None,
        )  # fmt: skip
        return
    terminal = render.Terminal()
    terminal.print(
        *render.naming(terminal, f"Paired as “{render.one_line(pairing.device)}” with", pairing.url),
        f"Last found equal: {render.local(progress.met) if progress.met else 'never'}",
        f"Waiting to be sent: {waiting:,}",
    )
    if let_go:
        line = (
            f"Let in no more, as the server said: {render.local(let_go)}. To pair it again: kindlehl pair {pairing.url}"
        )
        terminal.print(*render.wrapped(line, terminal.width))
    if copied := _copied(pairing):
        terminal.print(*render.wrapped(copied, terminal.width))
    for name in withheld:
        terminal.print(f"This device keeps its {name} to itself.")
    for name in refused:
        terminal.print(f"The server keeps no {name}, as you told it.")


@app.command()
def verify(ctx: typer.Context, json: options.Json = False, library: options.Where = None) -> None:
    """Compare this library with the server's, fact by fact, and mend what differs or is damaged.

    Example: kindlehl sync verify
    """
    from kindlehl.services.sync.ahead import ahead
    from kindlehl.services.sync.mending import keep, mend

    settings = options.chosen(ctx, library)
    pairing = wiring.needed_pairing(settings.library)
    with wiring.server(pairing.url, pairing.token) as server, wiring.library(settings.library, settings.wait) as lib:
        rounds = _rounds(lib, server, settings.library, pairing)
        ahead(lib, pairing.person, server.ask, pairing.withheld)  # where nobody answers everything stays as it is
        mend(lib)
        damaged = lib.facts.rotten()
        done, noticed = rounds()
        came = sum(damaged) - sum(lib.facts.rotten())
        kept = keep(lib, pairing.withheld | done.refuses) if done.equal else 0
        if kept:
            again, _ = rounds()
            done = replace(done, sent=done.sent + again.sent, equal=again.equal)
        left = lib.facts.rotten()
    if json:
        render.write_object(
            "kindlehl/sync-verify/1", server=str(server.url), damaged=sum(damaged), came=came, kept=kept,
            withheld=left.readable, lost=left.lost, healed=done.healed, equal=done.equal, received=done.received,
            sent=done.sent,
        )  # fmt: skip
    else:
        terminal = render.Terminal()
        for sentence in _verified(done, _Mended(sum(damaged), came, kept, *left), server):
            terminal.print(*render.wrapped(sentence, terminal.width))
        for sentence in _notices(replace(done, healed=0, damaged=0), noticed, server):
            tell(sentence)
    if not done.equal or left.lost:
        raise typer.Exit(1)


class _Mended(NamedTuple):
    """What became of damaged facts."""

    damaged: int
    came: int
    kept: int
    withheld: int
    lost: int


def _verified(done: "Done", mended: _Mended, server: "Server") -> Iterator[str]:
    damaged, came, kept, withheld, lost = mended
    if damaged:
        yield f"Damaged on this disk: {damaged:,} facts. Whole from the server came {came:,}."
        if kept:
            yield f"{kept:,} it does not have: they are kept as they read, and may hold a wrong letter."
        if withheld and done.equal:
            yield f"{withheld:,} it was not asked for: they stay as they read, and are not sent, until it has been."
        if lost:
            yield (f"{lost:,} cannot be read and are set aside: sync a device that has them, then verify again. "
                   "Or put a backup in this library's place: kindlehl db restore FILE")  # fmt: skip
    elif done.healed:
        yield f"Differing: {done.healed} of 256 parts; they were exchanged."
    yield (
        f"Both libraries hold the same facts, {server.url.host} and this one{_kept(done)}."
        if done.equal
        else "Others go on writing. What was compared is the same; run it again."
    )


# -- keeping something back -----------------------------------------------------------------------------------------


@app.command()
def stop(
    ctx: typer.Context,
    what: What,
    erase: Annotated[
        bool, typer.Option("--erase", help="Have the server drop what it has, and take it from no device any more.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Keep highlights or notes of this device to itself: they are neither sent nor fetched from now on.

    Example: kindlehl sync stop notes
    """
    bit, settings = _class(what), options.chosen(ctx, library)
    where = settings.library
    pairing = wiring.needed_pairing(where)
    if erase:
        rest = (
            "what no device has fetched is lost, and this one fetches none"
            if pairing.withheld & bit
            else "what this one lacks it fetches first"
        )
        confirm(
            f"The server drops the {what} of all your devices and takes none any more. Each device keeps what it has; "
            f"{rest}. Go on?", yes=yes, no_input=not may_ask(),
        )  # fmt: skip
        with otherwise("Nothing was erased: do it again when it can be reached."):
            _fetch_all(pairing, where, settings.wait)
        with otherwise("The server may have heard it, or not: do it again when it can be reached."):
            _have(pairing, where, settings.wait, refuse=bit)
    wiring.keep_pairing(where, pairing._replace(withheld=pairing.withheld | bit))
    _changed(f"This device keeps its {what} to itself." + (f" The server has no {what} any more." if erase else ""),
             where, json=json)  # fmt: skip


@app.command()
def start(
    ctx: typer.Context,
    what: What,
    again: Annotated[
        bool, typer.Option("--again", help="Have the server take them again, too, from all your devices.")
    ] = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Sync highlights or notes of this device again.

    Example: kindlehl sync start notes
    """
    bit, settings = _class(what), options.chosen(ctx, library)
    where = settings.library
    pairing = wiring.needed_pairing(where)
    refused = _refused(where, pairing)
    if refused & bit and not again:
        raise UsageError(
            f"The server was told to keep no {what}, of any device.",
            hint=f"Have it keep them again: kindlehl sync start {what} --again",
        )
    if refused & bit:
        _have(pairing, where, settings.wait, take=bit)
    wiring.keep_pairing(where, pairing._replace(withheld=pairing.withheld & ~bit))
    _changed(f"This device syncs its {what}.", where, json=json)


def _fetch_all(pairing: "Pairing", where: Path, wait: float) -> None:
    """What others wrote and no device has, such as a program over REST, is here before the server drops it."""
    with wiring.server(pairing.url, pairing.token) as server, wiring.library(where, wait) as lib:
        done, _ = _rounds(lib, server, where, pairing)()
    if not done.equal:
        raise BusyError(
            "Others are writing at this moment, and what is not here yet would be lost. Nothing was erased.",
            hint="Run it again.",
        )


def _have(pairing: "Pairing", where: Path, wait: float, *, refuse: int = 0, take: int = 0) -> None:
    """Have the server refuse or take something, and remember what it said."""
    with wiring.server(pairing.url, pairing.token) as server:
        wished = server.wish(refuse=refuse, take=take)
    with wiring.library(where, wait) as lib, lib.transaction():
        # Where something was dropped, cursors begin anew; digests tell what both have.
        lib.peers.keep(pairing.person, Progress(refuses=wished.refuses, wished=wished.at))


def _class(what: str) -> int:
    if what not in withholding.NAMES:
        raise UsageError(f"{what} is neither highlights nor notes.", hint="kindlehl sync stop notes")
    return withholding.NAMES[what]


def _refused(where: Path, pairing: "Pairing") -> int:
    with wiring.library_to_read(where) as lib:
        return lib.peers.progress(pairing.person).refuses


def _changed(sentence: str, where: Path, *, json: bool) -> None:
    pairing = wiring.needed_pairing(where)
    if json:
        withheld = withholding.names(pairing.withheld)
        render.write_object("kindlehl/sync-wish/1", server=pairing.url, withheld=withheld)
    else:
        terminal = render.Terminal()
        terminal.print(*render.wrapped(sentence, terminal.width))
