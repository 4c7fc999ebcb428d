"""The commands about the devices that share a library through a server."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from kindlehl import wiring
from kindlehl.cli import options, render
from kindlehl.cli.confirming import confirm
from kindlehl.cli.manners import may_ask
from kindlehl.domain.errors import NotFoundError, OfflineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindlehl.wire.messages import DeviceSeen

app = typer.Typer(
    help="List the devices that are paired with your server, rename or revoke them.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_ENOUGH = 6
"""Letters of an id that are taken for one."""
Device = Annotated[
    str, typer.Argument(metavar="DEVICE", help="Its name, or its id as the list shows it: six letters do.")
]


@app.command("list")
def list_(ctx: typer.Context, json: options.Json = False, library: options.Where = None) -> None:
    """List them, with when each was last heard of.

    Example: kindlehl devices list
    """
    pairing = wiring.needed_pairing(options.chosen(ctx, library).library)
    with wiring.server(pairing.url, pairing.token) as server:
        devices = server.devices().devices
    if json:
        render.write_json(
            "kindlehl/devices/1",
            (
                {"id": each.id, "name": each.name, "paired_at": each.created_at, "heard_of_at": each.used_at,
                 "connected": each.connected, "this": each.this}
                for each in devices
            ),
            sys.stdout,
        )  # fmt: skip
        return
    terminal = render.Terminal()
    for each in devices:
        heard = "connected" if each.connected else f"last heard of {render.local(each.used_at)}"
        if not each.connected and not each.used_at:
            heard = "not heard of yet"
        this = " (this one)" if each.this else ""
        margin = render.SHORT_ID + 2
        first, *rest = render.wrapped(f"{each.name}{this}, {heard}", terminal.width - margin)
        terminal.print(f"{each.id[-render.SHORT_ID :]}  {first}", *(" " * margin + line for line in rest))


@app.command()
def rename(
    ctx: typer.Context,
    device: Device,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Call a device otherwise, in the server's list.

    Example: kindlehl devices rename raspberrypi "Living room"
    """
    where = options.chosen(ctx, library).library
    pairing = wiring.needed_pairing(where)
    with wiring.server(pairing.url, pairing.token) as server:
        with otherwise("Nothing was renamed: do it again when it can be reached."):
            found = _named(server.devices().devices, device)
        with otherwise("It may have been renamed, or not: see, once it can be reached, kindlehl devices list"):
            server.rename(found.id, name)
    if found.this:
        wiring.keep_pairing(where, wiring.needed_pairing(where)._replace(device=name))
    if json:
        render.write_object("kindlehl/device/1", id=found.id, name=name)
    else:
        render.Terminal().print(f"“{render.one_line(found.name)}” is called “{render.one_line(name)}” now.")


@app.command()
def revoke(
    ctx: typer.Context,
    device: Device,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Let a device in no more, from this moment on. What it holds already, it keeps.

    Example: kindlehl devices revoke "Old phone"
    """
    where = options.chosen(ctx, library).library
    pairing = wiring.needed_pairing(where)
    with wiring.server(pairing.url, pairing.token) as server:
        with otherwise("Nothing was revoked: do it again when it can be reached."):
            found = _named(server.devices().devices, device)
        which = "this device" if found.this else f"“{render.one_line(found.name)}”"
        confirm(f"Let {which} in no more?", yes=yes, no_input=not may_ask())
        with otherwise("It may have been revoked, or not: see, once it can be reached, kindlehl devices list"):
            server.revoke(found.id)
    if found.this:
        wiring.unpair(where)
    if json:
        render.write_object("kindlehl/device/1", id=found.id, name=found.name, revoked=True)
    else:
        render.Terminal().print(f"{which[0].upper()}{which[1:]} is let in no more.")


@contextmanager
def otherwise(hint: str) -> Generator[None]:
    """What is asked of a server here waits nowhere: where it cannot be reached this is what to do."""
    try:
        yield
    except OfflineError as error:
        error.hint = hint
        raise


def _named(devices: "Sequence[DeviceSeen]", name: str) -> "DeviceSeen":
    """The one that is meant. Raises NotFoundError, UsageError."""
    exact = [each for each in devices if each.name == name or each.id == name]
    found = exact or [
        each for each in devices if each.name.casefold() == name.casefold() or _is_called(each, name.casefold())
    ]
    if not found:
        raise NotFoundError(f"No device is called {name}.", hint="See them: kindlehl devices list")
    if len(found) > 1:
        raise UsageError(f"Several devices are called {name}.", hint="Name one by its id: kindlehl devices list")
    return found[0]


def _is_called(device: "DeviceSeen", id_: str) -> bool:
    """Whether this is its id, or enough of that: from its beginning as the list shows it, or of its end."""
    return len(id_) >= _ENOUGH and (device.id[-render.SHORT_ID :].startswith(id_) or device.id.endswith(id_))
