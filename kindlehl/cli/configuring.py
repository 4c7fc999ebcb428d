"""The commands that show and change the configuration."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from kindlehl import config_file, config_keys
from kindlehl.cli import options, render
from kindlehl.cli.editor import open_editor
from kindlehl.cli.run import tell
from kindlehl.config import Settings, settings
from kindlehl.domain.errors import ConfigError, KindlehlError

app = typer.Typer(
    help="Show and change the configuration.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Name = Annotated[str, typer.Argument(metavar="KEY", help="Such as backup.keep or searches.walks.")]

NEW = """\
# The configuration of kindlehl. `kindlehl config show` lists the keys, docs/configuration.md explains them.
"""


@app.command()
def path() -> None:
    """Print where your configuration file is, or would be.

    Example: cat "$(kindlehl config path)"
    """
    sys.stdout.write(f"{settings(None, os.environ).config_file}\n")


@app.command()
def show(
    ctx: typer.Context,
    origin: Annotated[bool, typer.Option("--origin", help="Who sets each value.")] = False,
    json: options.Json = False,
) -> None:
    """Show what is set, and what holds where nothing is.

    Example: kindlehl config show --origin
    """
    found = options.chosen(ctx, None)
    items = [_item(found, name) for name in config_keys.KEYS]
    for table in config_keys.TABLES:
        for name, (value, set_by) in found.entries(table).items():
            items.append({"key": f"{table}.{name}", "value": value, "origin": set_by})
    if json:
        render.write_json("kindlehl/config/1", items, sys.stdout, file=str(found.config_file))
        return
    for item in items:  # a line each, however long: a path that was broken could not be copied
        value = "" if item["value"] is None else f" {render.one_line(_shown(item['value']))}"
        sys.stdout.write(f"{render.one_line(item['key'])} ={value}\n")
        if origin:
            sys.stdout.write(f"  {render.one_line(item['origin'])}\n")


def _item(found: Settings, name: str) -> dict[str, Any]:
    """A key for programs. One whose value cannot be told is shown with the reason."""
    try:
        value, origin = found.setting(name)
    except KindlehlError as error:
        return {"key": name, "value": None, "origin": error.message}
    return {"key": name, "value": str(value) if isinstance(value, Path) else value, "origin": origin}


def _shown(value: object) -> str:
    import json  # as it could be written into the file

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


@app.command("set")
def set_(
    name: Name,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="What it is to be.")],
) -> None:
    """Set a value in your configuration file. Comments in it stay.

    Example: kindlehl config set backup.keep 7d,4w,12m
    """
    file = settings(None, os.environ).config_file
    config_file.set_value(file, name, config_keys.value_of(name, value))


@app.command()
def unset(name: Name) -> None:
    """Take a value out of your configuration file.

    Example: kindlehl config unset backup.keep
    """
    config_file.unset_value(settings(None, os.environ).config_file, name)


@app.command()
def edit() -> None:
    """Open your configuration file in $VISUAL or $EDITOR. It is changed only if what you wrote is valid.

    Example: EDITOR=nano kindlehl config edit
    """
    file = settings(None, os.environ).config_file
    before = config_file.bytes_of(file)
    given = NEW.encode() if before is None else before
    draft = Path(tempfile.mkdtemp(prefix="kindlehl-")) / file.name
    draft.write_bytes(given)
    try:
        open_editor(draft, "kindlehl config edit")
        written = config_file.bytes_of(draft)
        if written not in (None, given):
            _put_in_place(draft, file, before)
    except KindlehlError:
        if config_file.bytes_of(draft) not in (None, given):
            tell(f"What you wrote is in {draft}")
            raise
        shutil.rmtree(draft.parent)
        raise
    shutil.rmtree(draft.parent)
    terminal = render.Terminal()
    unchanged = written in (None, given)
    terminal.print(*["Nothing was changed."] if unchanged else render.naming(terminal, "Saved", str(file)))


def _put_in_place(draft: Path, file: Path, before: bytes | None) -> None:
    """A draft becomes the file if it is valid, and if nobody else changed the file meanwhile."""
    text = config_file.text_of(draft)
    if problems := config_file.problems_of(draft, text):
        raise ConfigError(f"{problems[0]} Nothing was changed.", hint="Try again: kindlehl config edit")
    if config_file.bytes_of(file) != before:
        raise ConfigError(f"{file} was changed meanwhile. It is left as it is now.", hint="Try: kindlehl config edit")
    config_file.replace(file, text)
