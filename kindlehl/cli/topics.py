"""What `kindlehl help TOPIC` says: what concerns more than one command."""

from collections.abc import Iterator

from kindlehl.cli.run import MEANINGS

TOPICS: dict[str, tuple[str, str]] = {
    "environment": (
        "Variables that kindlehl heeds.",
        """An option given on the command line comes before a variable, and a variable before the default.
A switch is on if its variable is not empty.

KINDLEHL_LIBRARY | The library's file, as --library.
KINDLEHL_DEVICE | The name of this device.
KINDLEHL_SERVER_DATA | The folder of `serve` and `server`; so do _DATABASE, _HOST, _PORT, _URL and _METRICS.
KINDLEHL_QUIET | Only results and errors, as --quiet.
KINDLEHL_VERBOSE | Say what is used and done, as --verbose.
KINDLEHL_NO_INPUT | Never ask, as --no-input.
KINDLEHL_DEBUG | Show where an error came from, as --debug.
NO_COLOR | No colour, if it is not empty; before FORCE_COLOR.
FORCE_COLOR | Colour even where no terminal is.
TERM | No colour where it is dumb.
COLUMNS | How wide the help is.
XDG_DATA_HOME | Where the library is, on Linux: kindlehl/library.db below it.
XDG_CONFIG_HOME | Where your own settings are: kindlehl/config.toml below it.
XDG_STATE_HOME | Where the last error, and a note of the files that an export wrote, are.

On macOS and Windows, data, settings and state are in that system's own folders; `kindlehl db path` prints where the
library is.""",
    ),
    "exit-codes": (
        "What a command's exit code means.",
        "Scripts may rely on these.\n\n" + "\n".join(f"{code} | {meaning}" for code, meaning in MEANINGS.items()),
    ),
    "formatting": (
        "What people read, and what programs read.",
        """Results go to standard output, everything else to standard error. `kindlehl list --json 2>/dev/null` is JSON
and nothing else.

--json | One document, with its name and version in "schema". Fields are added, never renamed or removed.
--jsonl | One JSON object a line: the same objects, for programs that read as they come.
--plain | One line each, fields parted by tabs; line ends and tabs inside a text are blanks.
- | As a path: standard input for an import, standard output for an export.

On a terminal there may be colour, and lines fit its width. In a pipe there is neither colour nor progress.
Nothing in a book can command the terminal: control characters are shown as stand-ins.""",
    ),
    "queries": (
        "How to say what you look for.",
        """A search finds passages by the words in them or in their notes. Capitals and accents do not matter, and in
scripts without spaces two characters are found inside a sentence.

word other | Both words, wherever they are.
"exact words" | These words in a row. In a shell: kindlehl search '"exact words"'
-without | Not this word.
begin* | Words that begin like this.

--book, --author, --tag, --color, --since, --until and --has-note narrow a search as they narrow a list.
--book and --author take words of a title or a name, in any order, or a book's id.""",
    ),
    "privacy": (
        "What kindlehl knows, keeps and sends.",
        """Nothing is sent anywhere, unless you pair this device with a server of your own: then `sync`, `pair` and
`devices` talk to it, and to nobody else. There is no account elsewhere, no telemetry, and no check for updates; with
the network off every other command does the same.

What you do not want on the server stays here: kindlehl sync stop notes. With --erase the server drops what it has of
it. The token by which this device is let in is in a file beside the library that nobody else can read.

The Kindle is only read. Your library is one file on your disk. Error messages, and the report that a bug
leaves behind, hold no word of what you read: you can pass them on.

Deleting the file that `kindlehl db path` names deletes everything that kindlehl knows.""",
    ),
}  # fmt: skip


def parts(text: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The blocks of a topic: a paragraph and no rows, or no paragraph and rows of a term and what it means."""
    for block in text.split("\n\n"):
        lines = block.split("\n")
        if all(" | " in line for line in lines):
            yield "", [(term, meaning) for term, _, meaning in (line.partition(" | ") for line in lines)]
        else:
            yield " ".join(lines), []
