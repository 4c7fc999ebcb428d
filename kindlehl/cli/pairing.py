"""The command that pairs this device with a server."""

import platform
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kindlehl import wiring
from kindlehl.cli import options, render
from kindlehl.cli.devices import otherwise
from kindlehl.cli.run import tell
from kindlehl.domain import withholding
from kindlehl.domain.errors import DeniedError, KindlehlError, RevokedError, UsageError

if TYPE_CHECKING:
    from kindlehl.remote.pairings import Pairing
    from kindlehl.remote.server import Server
    from kindlehl.wire.messages import Paired

_PAGES = re.compile(r"/(pair|join|sign-in)/?(#.*)?$")
"""Pages of a server, whose addresses people have before them when they are asked for its own."""
_LOCAL = ("localhost", "127.0.0.1", "::1", "[::1]")


def pair(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="The server's address.")],
    name: Annotated[
        str | None, typer.Option("--name", help="What to call this device there; else its own name.", metavar="TEXT")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Leave the server that it is paired with, or begin anew with it.")
    ] = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Pair this device with a sync server: it shows a code, which you enter where you are signed in.

    Example: kindlehl pair https://books.example.org
    """
    settings = options.chosen(ctx, library)
    device = name or settings.device
    before = _before(settings.library)
    with wiring.server(_PAGES.sub("", url)) as server:
        if before and not again:
            _is_meant(before, str(server.url))
        _warn(server)
        started = server.pair(device)
        _show(server, started, to_stderr=json)
        token, person = _let_in(server, started)
        with wiring.library(settings.library, settings.wait) as lib:  # it is made where there is none yet
            # What is not to be held elsewhere goes to nobody new either, until somebody says so.
            earlier = wiring.paired_person(settings.library)
            refused = lib.peers.progress(earlier).refuses if earlier not in ("", person) else withholding.NOTHING
        pairing = wiring.new_pairing(settings.library, str(server.url), token, device, person)
        pairing = pairing._replace(withheld=pairing.withheld | refused)
        wiring.keep_pairing(settings.library, pairing)
    if json:
        render.write_object("kindlehl/pairing/1", url=str(server.url), device=device)
    else:
        terminal = render.Terminal()
        told = f"This device is paired with {server.url.host} as “{render.one_line(device)}”."
        terminal.print(*render.wrapped(told, terminal.width))
    if before and again:
        _leave(before)
    if not json:
        for name in withholding.names(pairing.withheld):
            tell(f"This device still keeps its {name} to itself; to sync them: kindlehl sync start {name}")
        tell("Now: kindlehl sync")


def _before(library: Path) -> "Pairing | None":
    try:
        return wiring.pairing(library)
    except KindlehlError:
        return None  # a damaged file is what pairing anew is for


def _is_copy(before: "Pairing") -> bool:
    """Whether the entry on the server is that of another computer, which goes on with it."""
    return platform.node() != before.computer


def _is_meant(before: "Pairing", url: str) -> None:
    """Raise UsageError where a library that is paired would be paired again, and nobody said that this is meant. One
    that is let in no more, or is a copy, has nothing to lose."""
    if before.url != url:
        raise UsageError(
            f"This library is paired with {before.url}.", hint="To leave that and be paired with another: --again"
        )
    if _is_copy(before):
        return
    with otherwise("Nothing was paired. Is the server on?"), wiring.server(before.url, before.token) as server:
        try:
            called = next((each.name for each in server.devices().devices if each.this), before.device)
        except RevokedError:
            return
    raise UsageError(
        f"This library is paired with {server.url.host} already, as “{render.one_line(called)}”.",
        hint="It can sync: kindlehl sync. To begin anew in the place of that: --again",
    )


def _leave(before: "Pairing") -> None:
    """Have the server that this device was paired with let it in no more: else it would be in the list twice."""
    if _is_copy(before):
        return
    called = render.one_line(before.device)
    try:
        with wiring.server(before.url, before.token) as server:
            for each in server.devices().devices:
                if each.this:
                    server.revoke(each.id)
    except RevokedError:
        return
    except KindlehlError:
        tell(f"“{called}” may still be let in at {before.url}: revoke it on that server's page.")
        return
    tell(f"“{called}”, as this device was paired before, is let in no more.")


def _warn(server: "Server") -> None:
    if server.url.scheme == "http" and server.url.host not in _LOCAL:
        tell("The connection is not encrypted: whoever is in this network can read what you sync.")


def _show(server: "Server", started: "Paired", *, to_stderr: bool) -> None:
    """The code, and where to enter it."""
    stream = sys.stderr if to_stderr else sys.stdout
    terminal = render.Terminal(stream)
    page = f"{str(server.url).rstrip('/')}/pair"
    picture = list(_picture(f"{page}#{started.code}")) if terminal.colored and terminal.is_terminal else []
    gap = [] if picture else [""]  # a picture leaves a terminal of 24 lines no room for more
    if picture and len(picture[0]) - len(_INK + _NO_INK) <= terminal.width:
        terminal.print(*picture)
    terminal.print(
        *render.told(terminal, "Open this page on any device where you are signed in:"), *gap, f"  {page}", *gap,
        "and enter this code there:", *gap, f"  {terminal.style(started.code, '1')}", *gap,
    )  # fmt: skip
    minutes = max(1, started.expires_in // 60)
    terminal.print(*render.told(terminal, f"Waiting, {minutes} minutes at most; Ctrl-C to stop."))
    stream.flush()


_INK, _NO_INK = "\x1b[30;107m", "\x1b[0m"
"""Black on white, whatever a terminal has: a camera reads nothing else for certain."""
_HALVES = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def _picture(page: str) -> Iterator[str]:
    """A QR code, two rows of it a line."""
    import segno  # only a person needs a picture

    rows = [bytes(row) for row in segno.make(page, error="l").matrix_iter(border=2)]
    rows += [bytes(len(rows[0]))] * (len(rows) % 2)
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        yield f"{_INK}{''.join(_HALVES[pair] for pair in zip(upper, lower, strict=True))}{_NO_INK}"


def _let_in(server: "Server", started: "Paired") -> tuple[str, str]:
    """Wait until somebody has agreed; returns a token and whose it is. Raises DeniedError where nobody does; an answer
    that does not come is no no."""
    from kindlehl.services.sync.patience import PASSING, Pauses

    until = time.monotonic() + started.expires_in
    pauses = Pauses()
    while time.monotonic() < until:
        pause = float(max(1, started.interval))
        try:
            answer = server.collect(started.secret)
            if answer.token:
                return answer.token, answer.person
            pauses.over()
        except PASSING as error:
            pause = max(pause, pauses.next(error))
        time.sleep(min(pause, max(0.0, until - time.monotonic())))
    raise DeniedError("Nobody let this device in.", hint="Begin again: kindlehl pair URL")
