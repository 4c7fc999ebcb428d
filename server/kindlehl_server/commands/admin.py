"""`kindlehl server`, or `kindlehl-server`: the commands for whoever runs a server."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kindlehl.cli import findings, render
from kindlehl.cli.options import Json
from kindlehl.cli.run import tell
from kindlehl.domain.errors import UsageError
from kindlehl_server.commands import options

if TYPE_CHECKING:
    from kindlehl_server.keeping import Kept

_LET_IN = "Devices that were revoked since are let in: look at them on the server's page."

app = typer.Typer(
    help="Care for a server: back it up, bring it back, look whether all of it is whole, let somebody in again.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE|FOLDER", help="Where to; in a folder under a dated name.")],
    json: Json = False,
    data: options.Data = None,
    database: options.Database = None,
) -> None:
    """Back up a server while it runs: people, devices, and every library, in one file.

    Example: kindlehl server backup /mnt/backups/
    """
    from kindlehl_server import keeping  # the help needs none of it

    now = datetime.now(UTC)
    place = target.expanduser()
    if place.is_dir():
        place = place / f"kindlehl-server-{now:%Y%m%dT%H%M%SZ}.zip"
    kept = keeping.back_up(options.settings(data, database), place, now)
    if json:
        render.write_object("kindlehl/server-backup/1", path=str(place), bytes=place.stat().st_size, **kept._asdict())
    else:
        terminal = render.Terminal()
        terminal.print(*render.naming(terminal, f"Backed up {_told(kept)}", str(place)))


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What `kindlehl server backup` made.")],
    replace: Annotated[bool, typer.Option("--replace", help="What the server has now may go aside.")] = False,
    json: Json = False,
    data: options.Data = None,
) -> None:
    """Bring a backup back, here or on another machine. The server must not run. What was there is kept beside
    it, and devices that were revoked there stay so.

    Devices give the server whatever they have and it lacks, the next time they sync. Who was signed in signs in again.

    Example: kindlehl server restore yesterday.zip
    """
    from kindlehl_server import keeping  # as above

    settings = options.settings(data, None)
    place = source.expanduser()
    keeping.ensure_backup(place)
    if settings.data.exists() and not replace:
        raise UsageError(
            f"There is a server's folder at {settings.data}.",
            hint="Stop the server, then give --replace: the folder is kept beside the new one.",
        )
    kept, aside, revoked = keeping.restore(place, settings, datetime.now(UTC))
    if json:
        was = str(aside) if aside else None
        render.write_object(
            "kindlehl/server-restore/1",
            data=str(settings.data),
            replaced=was,
            revocations_kept=revoked,
            **kept._asdict(),
        )
        return
    terminal = render.Terminal()
    terminal.print(*render.naming(terminal, f"Restored {_told(kept)}", str(settings.data)))
    if aside:
        terminal.print(
            *render.naming(terminal, "What was there is kept", str(aside)),
            *render.told(terminal, "Delete that once you miss nothing."),
        )
    if not revoked:
        terminal.print(*render.told(terminal, _LET_IN))


@app.command()
def restored(
    json: Json = False,
    data: options.Data = None,
    database: options.Database = None,
) -> None:
    """Say that a server's database was brought back by its own tools, such as pg_restore, before the server is
    started: whoever was signed in signs in again, and devices compare all that they have with what is there.

    `kindlehl server restore` does so by itself.

    Example: kindlehl server restored --database postgresql://kindlehl@db/kindlehl
    """
    from kindlehl_server import keeping  # as above

    libraries = keeping.reset(options.settings(data, database))
    if json:
        render.write_object("kindlehl/server-restored/1", libraries=libraries)
        return
    terminal = render.Terminal()
    many = "library begins" if libraries == 1 else "libraries begin"
    told = f"{libraries:,} {many} anew: devices give what is lacking. Whoever was signed in signs in again."
    terminal.print(*render.told(terminal, told))
    terminal.print(*render.told(terminal, _LET_IN))


@app.command()
def verify(
    deep: Annotated[bool, typer.Option("--deep", help="Fold everything from scratch and compare, too.")] = False,
    mend: Annotated[
        bool,
        typer.Option(
            "--mend", help="Keep damaged facts from devices, so that these send them again; the server must not run."
        ),
    ] = False,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep", help="Take damaged facts that no device sent again for what they read as, and share them."
        ),
    ] = False,
    json: Json = False,
    data: options.Data = None,
    database: options.Database = None,
) -> None:
    """Look for damage in all that a server has. Exit code 1 if anything is wrong.

    Example: kindlehl server verify
    """
    from kindlehl_server import keeping  # as above

    settings = options.settings(data, database)
    mended = keeping.mend_all(settings) if mend else 0
    if mended:
        tell(f"Found {mended:,} damaged facts. No device gets them; those that have them whole send them again.")
    kept = keeping.keep_all(settings) if keep else 0
    if kept:
        tell(f"Took {kept:,} damaged facts for what they read as.")
    found = list(keeping.look(settings, deep=deep))
    findings.show(found, "kindlehl/server-verify/1", json=json, mended=mended, kept=kept)
    if not all(finding.ok for finding in found):
        raise typer.Exit(1)


@app.command()
def password(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of a person on this server.")],
    json: Json = False,
    data: options.Data = None,
    database: options.Database = None,
) -> None:
    """Give somebody a new password who forgot the old one. It is shown once; the server may run.

    Wherever that person was signed in, it is over. Devices stay.

    Example: kindlehl server password Anna
    """
    from kindlehl_server import wiring  # as above

    with wiring.people(options.settings(data, database)) as accounts:
        called, new = accounts.give_password(name)
    if json:
        render.write_object("kindlehl/server-password/1", name=called, password=new)
        return
    terminal = render.Terminal()
    terminal.print(*render.naming(terminal, f"New password of {called}", new))
    terminal.print(*render.told(terminal, "Sign in with it, and choose another one on the server's page."))


def _told(kept: "Kept") -> str:
    libraries = "library" if kept.libraries == 1 else "libraries"
    return f"{kept.libraries:,} {libraries} with {kept.facts:,} facts"
