"""The command that pairs this device with a server."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kindlehl import wiring
from kindlehl.cli import options, render
from kindlehl.cli.run import tell
from kindlehl.domain import withholding
from kindlehl.domain.errors import DeniedError, KindlehlError, UsageError

if TYPE_CHECKING:
    from kindlehl.remote.server import Server
    from kindlehl.wire.messages import Paired

_LOCAL = ("localhost", "127.0.0.1", "::1", "[::1]")


def pair(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="The server's address.")],
    name: Annotated[
        str | None, typer.Option("--name", help="What to call this device there; else its own name.", metavar="TEXT")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Leave the server that it is paired with.")] = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Pair this device with a sync server: it shows a code, which you enter where you are signed in.

    Example: kindlehl pair https://books.example.org
    """
    settings = options.chosen(ctx, library)
    device = name or settings.device
    before = _before(settings.library)
    with wiring.server(url) as server:
        if before and before != str(server.url) and not again:
            raise UsageError(
                f"This library is paired with {before}.", hint="To leave that and be paired with another: --again"
            )
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
        render.Terminal().print(f"This device is paired with {server.url.host} as “{device}”.")
        for name in (name for name, bit in withholding.NAMES.items() if pairing.withheld & bit):
            tell(f"This device still keeps its {name} to itself; to sync them: kindlehl sync start {name}")
        tell("Now: kindlehl sync")


def _before(library: Path) -> str | None:
    try:
        found = wiring.pairing(library)
    except KindlehlError:
        return None  # a damaged file is what pairing anew is for
    return found.url if found else None


def _warn(server: "Server") -> None:
    if server.url.scheme == "http" and server.url.host not in _LOCAL:
        tell("The connection is not encrypted: whoever is in this network can read what you sync.")


def _show(server: "Server", started: "Paired", *, to_stderr: bool) -> None:
    """The code, and where to enter it."""
    stream = sys.stderr if to_stderr else sys.stdout
    terminal = render.Terminal(stream)
    page = f"{str(server.url).rstrip('/')}/pair"
    terminal.print("Open this page on any device where you are signed in:", "", f"  {page}", "")
    if terminal.is_terminal:
        import segno  # only a person needs a picture

        segno.make(f"{page}#{started.code}", error="l").terminal(stream, border=2, compact=True)
        terminal.print("")
    terminal.print("and enter this code there:", "", f"  {terminal.style(started.code, '1')}", "")
    minutes = max(1, started.expires_in // 60)
    terminal.print(f"Waiting, {minutes} minutes at most; Ctrl-C to stop.")
    stream.flush()


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
