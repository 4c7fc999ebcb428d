"""Writes docs/configuration.md: the keys of a configuration as the program itself knows them."""

from pathlib import Path

from kindlehl.config import CONFIG_VARIABLE
from kindlehl.config_keys import KEYS, TABLES

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"

HEAD = f"""# Configuration

Made by `make docs` from the keys that the program knows.

Nothing has to be configured. What you want to be different goes into a TOML file of your own; `kindlehl config path`
prints where it is: `~/.config/kindlehl/config.toml` on Linux, unless `{CONFIG_VARIABLE}` names another.

```console
$ kindlehl config set backup.keep 7d,4w,12m
$ kindlehl config set searches.walks 'walden -winter'
$ kindlehl config show --origin
$ kindlehl config edit
```

`config set` and `config unset` keep your comments. `config edit` opens a copy in `$VISUAL` or `$EDITOR` and puts it in
place only if it is valid.

## Who comes first

For each key by itself: an option on the command line, then the environment, then your file, then the system's file
(`/etc/xdg/kindlehl/config.toml` on Linux), then the default. `config show --origin` says where each value comes from.

## Keys

| key | environment | option | takes | default | what it is |
|---|---|---|---|---|---|
"""

TAIL = """
A relative path is meant from the folder of the file it stands in; `~` is your home.

## Tables of your own

| table | what is in it |
|---|---|
"""

END = """
```toml
# An example. Every line may be left out.
library = "~/Sync/highlights/library.db"
device = "reading lamp"

[backup]
folder = "/mnt/nas/kindlehl"
keep = "7d,4w,12m"

[searches]
walks = "walden -winter"

[export.vault]
format = "markdown"
to = "~/vault/Books"
```

Where both files have an entry of one name, yours is meant, whole.

## What cannot be used

A key that there is not, or a value of the wrong type, is named on standard error with its file and line, and left
aside; everything else is used. A file that cannot be read at all stops no command that can do without it. One thing no
command guesses: where such a file might say which library is meant, a command that needs the library stops with exit
code 1, until the file is mended or the library is named with `--library` or `KINDLEHL_LIBRARY`.

There is no place for passwords here, and there are none.
"""


def page() -> str:
    """The page as it should be."""
    keys = "".join(
        f"| `{key.name}` | `{key.variable}` | {f'`{key.flag}`' if key.flag else ''} | {key.kind.name} | {key.default} "
        f"| {key.meaning} |\n"
        for key in KEYS.values()
    )
    tables = "".join(f"| `[{table.name}]` | {table.meaning} |\n" for table in TABLES.values())
    return f"{HEAD}{keys}{TAIL}{tables}{END}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
