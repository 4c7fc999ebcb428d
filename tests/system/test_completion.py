"""Completion, asked by the shells themselves: what they insert is read back as that very word, and nothing is run."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cli import SAMPLE, Kindlehl, highlight, written

from kindlehl.cli.completing import quoting

BREAKS = " \t\n\"'><=;|&(:"
EVIL = (
    "$(touch owned) and `touch owned`",
    'It\'s "quoted" \\ twice',
    "a; touch owned & b | c > owned",
    "Wow! *stars* ?what [a-z] {x,y} ~home #hash",
    "-dash: colon=equals@at",
    "草枕　智に働けば",
    "escape \x1b]0;owned\x07 and bell",
    "bidi \u202eevil\u202c end",
    "${IFS}touch${IFS}owned",
    "'$(touch owned)'",
    "%(x)s %s \\n \\x41",
    "two  spaces",
)
"""Titles; each is a word to whoever reads it."""


def needs(shell: str) -> str:
    """The shell, or a skip where it is not installed; on CI it is."""
    found = shutil.which(shell)
    if found is None:
        assert not os.environ.get("CI"), f"{shell} is not installed"
        pytest.skip(f"there is no {shell} here")
    return found


def at_hand(person: Kindlehl) -> dict[str, str]:
    """An environment in which `kindlehl` is this program."""
    folder = person.home / "bin"
    folder.mkdir(exist_ok=True)
    program = folder / "kindlehl"
    if not program.exists():
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kindlehl "$@"\n', "utf-8")
        program.chmod(0o755)
    found = person.environment()
    return {**found, "PATH": f"{folder}{os.pathsep}{found['PATH']}", "TERM": "xterm"}


def ran(person: Kindlehl, *command: str, stdin: str | None = None) -> str:
    """What a shell printed, in an empty folder in which nothing may be made."""
    folder = person.home / "work"
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        command, env=at_hand(person), cwd=folder, capture_output=True, timeout=60, check=False,
        input=stdin.encode() if stdin is not None else b"",
    )  # fmt: skip
    assert done.stderr == b"", done
    assert not list(folder.iterdir()), "something was run"
    return done.stdout.decode("utf-8", "surrogateescape")


def script(person: Kindlehl, shell: str) -> Path:
    path = person.home / f"completion.{shell}"
    path.write_text(person.ok("completion", shell), "utf-8")
    return path


@pytest.fixture(scope="module")
def lent(tmp_path_factory: pytest.TempPathFactory) -> Kindlehl:
    """A library with a book of each title."""
    person = Kindlehl(tmp_path_factory.mktemp("lent") / "home")
    entries = [highlight(f"Text {n}.", f"Z{n} {title}") for n, title in enumerate(EVIL)]
    person("import", written(person.home / "c.txt", *entries))
    return person


def titles(person: Kindlehl) -> list[str]:
    return [item["title"] for item in person("books", "--json").json["items"]]


BASH = r"""
source "$1"
COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=$' \t\n"\'><=;|&(:' COMP_TYPE=${3:-9}
COMP_WORDS=($2) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_kindlehl
printf '%s\n' "${COMPREPLY[@]}"
"""


def bash(person: Kindlehl, line: str, kind: str = "9") -> list[str]:
    """What bash gets for a line with the cursor at its end."""
    out = ran(person, needs("bash"), "-c", f"set -f; {BASH}", "bash", str(script(person, "bash")), line, kind)
    return [found for found in out.split("\n") if found]


def in_bash(person: Kindlehl, text: str) -> str:
    """The word as which bash reads a text."""
    return ran(person, needs("bash"), "-c", f"printf '%s|' {text}")


class TestBash:
    """bash itself asks."""

    @pytest.mark.parametrize(
        ("line", "found"),
        [
            ("kindlehl se", ["search", "serve", "server"]),
            ("kindlehl db r", ["rebuild", "restore"]),
            ("kindlehl list --has", ["--has-note"]),
            ("kindlehl list --book Wal", ["Walden"]),
            ("kindlehl list --book pri", ["Pride\\ and\\ Prejudice"]),
            ("kindlehl list --book 'Pri", ["Pride and Prejudice"]),
            ('kindlehl list --book="Pri', ["Pride and Prejudice"]),
            ("kindlehl list --book=Wal", ["Walden"]),
            ("kindlehl list --author Tho", ["Thoreau\\,\\ Henry\\ David", "Thoreau,\\ Henry\\ David"]),
            ("kindlehl export mark", ["markdown"]),
            ("kindlehl completion z", ["zsh"]),
            ("kindlehl list --color gre", ["green"]),
            ("kindlehl --library nowhere.db list --book W", []),
            ("kindlehl list --since 20", []),
            ("kindlehl frobnicate x", []),
        ],
    )
    def test_what_may_stand_there(self, reader: Kindlehl, line: str, found: list[str]) -> None:
        """Commands, options, and the words of the library, whatever quotes were begun."""
        got = bash(reader, line)
        assert got == found or (len(got) == 1 and got[0] in found)

    def test_a_path_is_left_to_the_shell(self, reader: Kindlehl) -> None:
        """No candidate of ours: bash offers files."""
        assert bash(reader, "kindlehl import My") == []
        assert reader("__complete", "bash", "kindlehl import My", BREAKS, "9").out == ":files\n"

    def test_an_id_comes_with_a_preview_only_where_bash_lists(self, reader: Kindlehl) -> None:
        """What bash could insert is the id and nothing else; what it lists shows what the passage says."""
        inserted, listed = bash(reader, "kindlehl show "), bash(reader, "kindlehl show ", "63")
        assert all(re.fullmatch(r"[0-9a-f-]{36}", line) for line in inserted)
        assert any("(Our life is frittered away by detail.)" in line for line in listed)

    def test_what_is_inserted_is_that_very_title(self, lent: Kindlehl) -> None:
        """Unquoted, after either quote and after an =, with everything that a shell could take for its own."""
        wanted = titles(lent)
        assert len(wanted) == len(EVIL)
        for begun in ("", "'", '"', "="):
            option = "--book=" if begun == "=" else "--book "
            quote = begun if begun != "=" else ""
            got = bash(lent, f"kindlehl list {option}{quote}Z")
            read = in_bash(lent, " ".join(f"{quote}{text}{quote}" for text in got))
            assert read.split("|")[:-1] == [word for title in wanted for word in title.split("|")]

    @settings(max_examples=25)
    @given(
        st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1), max_size=30)
    )
    def test_whatever_a_word_is_bash_reads_it_back(self, words: list[str]) -> None:
        """Line ends, control characters and all: a law, for each quote that may have been begun."""
        words = [*words, "two\nlines\n", "\ttab\r", "$'\\n'", "'\"'\"", "!!"]
        for begun in ("", "'", '"', "$'"):
            last = quoting.Last("", begun)
            line = " ".join(f"{begun}{quoting.bash(word, last)}{begun[-1:]}" for word in words)
            done = subprocess.run(
                [needs("bash"), "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True, timeout=60,
                env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
            )  # fmt: skip
            assert done.stdout.decode().split("\0")[:-1] == words
            for word in words:
                read, end = quoting.bash_words(f"kindlehl {begun}{quoting.bash(word, last)}", BREAKS)
                assert (read, end.typed) == (["kindlehl"], word)

    def test_a_title_that_was_half_completed_goes_on(self, lent: Kindlehl) -> None:
        """After every character of what was inserted, the rest that is offered makes the same title."""
        (title,) = [title for title in titles(lent) if "colon" in title]
        whole = quoting.bash(title, quoting.Last())
        for end in range(3, len(whole)):
            line = f"kindlehl list --book {whole[:end]}"
            if not line.endswith("\\"):
                words, last = quoting.bash_words(line, BREAKS)
                assert last.kept + title[len(last.kept) :] == title
                assert title.startswith(last.typed), (whole[:end], last.typed)
                assert words == ["kindlehl", "list", "--book"]

    def test_in_a_terminal_the_tab_key_does_it(self, lent: Kindlehl) -> None:
        """A real bash with a real line editor: what return then runs finds that book."""
        starts = ("'Z2", "Z0", '"Z3', "Z4\\ -dash:", "Z8", "Z10")
        shown = on_a_terminal(lent, *(f"kindlehl list --plain --book {typed}\t" for typed in starts))
        for typed, out in zip(starts, shown, strict=True):
            n = re.sub(r"\D", "", typed)
            assert f"\tText {n}." in out, (typed, out)


def on_a_terminal(person: Kindlehl, *lines: str) -> list[str]:
    """Type lines and return, one after the other, into an interactive bash; what each of them showed."""
    folder = person.home / "work"
    folder.mkdir(exist_ok=True)
    rc = written(person.home / "rc", f"source {script(person, 'bash')}\nPS1='$ '\nbind 'set bell-style none'\n")
    master, slave = pty.openpty()
    with subprocess.Popen(
        [needs("bash"), "--noprofile", "--rcfile", str(rc), "-i"],
        stdin=slave, stdout=slave, stderr=slave, env=at_hand(person), cwd=folder, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(slave)
        _read(master)
        shown: list[str] = []
        for line in lines:
            os.write(master, line.encode())
            _read(master)
            os.write(master, b"\n")
            shown.append(_read(master))
        os.write(master, b"exit\n")
        _read(master)
        process.kill()
    os.close(master)
    assert not list(folder.iterdir()), "something was run"
    return shown


def _read(master: int) -> str:
    """What is shown until nothing more comes."""
    seen, wait = b"", 10.0
    while select.select([master], [], [], wait)[0]:
        try:
            seen += os.read(master, 4096)
        except OSError:  # the shell has gone
            break
        wait = 0.7
    return seen.decode("utf-8", "replace")


ZSH = r"""
autoload -Uz compinit; compinit -u -D
source "$1"
compadd() { [[ $1 == -d ]] && { print -rN -- "${(@)values}"; print -rN -- "${(@)shown}" >&3; } }
words=(${(z)2}); [[ $2 == *' ' ]] && words+=('')
CURRENT=$#words PREFIX=$words[-1]
_kindlehl
"""


class TestZsh:
    """zsh: what our function hands to `compadd`, which writes words with the quotes they need."""

    def zsh(self, person: Kindlehl, line: str) -> list[str]:
        """The words that our function offers for a line."""
        out = ran(person, needs("zsh"), "-f", "-c", f"exec 3>/dev/null; {ZSH}", "zsh", str(script(person, "zsh")), line)
        return [found for found in out.split("\0") if found and found != "\n"]

    def test_what_may_stand_there(self, reader: Kindlehl) -> None:
        """The same words as everywhere, as themselves."""
        assert self.zsh(reader, "kindlehl sea") == ["search"]
        assert self.zsh(reader, "kindlehl list --book Pri") == ["Pride and Prejudice"]
        assert self.zsh(reader, "kindlehl list --book=Wal") == ["--book=Walden"]
        assert self.zsh(reader, "kindlehl db r") == ["rebuild", "restore"]

    def test_every_title_arrives_whole(self, lent: Kindlehl) -> None:
        """As data, with nothing expanded."""
        assert self.zsh(lent, "kindlehl list --book Z") == titles(lent)


class TestFish:
    """fish itself asks."""

    def fish(self, person: Kindlehl, line: str) -> list[str]:
        """The words that fish offers for a line."""
        lines = ran(person, needs("fish"), "-N", "-c", f"source {script(person, 'fish')}; complete -C $argv[1]", line)
        return [found.split("\t")[0] for found in lines.splitlines()]

    def test_what_may_stand_there(self, reader: Kindlehl) -> None:
        """The same words as everywhere."""
        assert self.fish(reader, "kindlehl sea") == ["search"]
        assert self.fish(reader, "kindlehl list --book Pri") == ["Pride and Prejudice"]
        assert self.fish(reader, "kindlehl list --book=Wal") == ["--book=Walden"]
        assert self.fish(reader, "kindlehl db r") == ["rebuild", "restore"]

    def test_every_title_arrives_whole_or_as_its_book_s_id(self, lent: Kindlehl) -> None:
        """fish parts words by lines: a title that no line can hold is offered as the id, which means that very book."""
        items = lent("books", "--json").json["items"]
        wanted = {item["title"] if item["title"].isprintable() else item["id"][:13] for item in items}
        assert set(self.fish(lent, "kindlehl list --book ")) == wanted
        (odd,) = [item["id"][:13] for item in items if "\x1b" in item["title"]]
        assert lent("list", "--book", odd, "--plain").out.count("\n") == 1


class TestPowerShell:
    """PowerShell is not at hand: what its script asks and gets is looked at as text."""

    def test_words_are_quoted_as_powershell_reads_them(self, lent: Kindlehl) -> None:
        """Single quotes, doubled inside, the typographic ones too: nothing in them is expanded."""
        lines = lent("__complete", "powershell", "list", "--book", "=Z").out.splitlines()
        words = [line.split("\t")[0] for line in lines]
        assert len(words) >= len(EVIL) - 3
        for word in words:
            assert re.fullmatch(r"[0-9A-Za-z._/+:=-]+|'(?:[^'\u2018-\u201b]|''|[\u2018-\u201b]{2})*'", word), word
        assert quoting.powershell("It's ‘so’") == "'It''s ‘‘so’’'"

    def test_the_script_hands_over_words_and_inserts_results(self, reader: Kindlehl) -> None:
        """It registers itself for the program and makes results of lines; it evaluates nothing."""
        text = reader.ok("completion", "powershell")
        assert "Register-ArgumentCompleter -Native -CommandName kindlehl" in text
        assert "CompletionResult" in text
        assert not re.search(r"^[^#]*(Invoke-Expression|iex |& \$)", text, re.MULTILINE)


class TestQuietly:
    """A person is typing: whatever is wrong, nothing is said and nothing is changed."""

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
    def test_a_library_that_cannot_be_read_gives_no_candidates(self, kindlehl: Kindlehl, shell: str) -> None:
        """None there, none that can be read, a shell that asks oddly."""
        asked = {"bash": ["kindlehl list --book ", BREAKS, "9"]}.get(shell, ["list", "--book", "="])
        for content in (None, b"", b"no database at all, but long enough to be one" * 99):
            if content is not None:
                kindlehl.library.parent.mkdir(parents=True, exist_ok=True)
                kindlehl.library.write_bytes(content)
            done = kindlehl("__complete", shell, *asked)
            assert (done.out, done.err) == ("", "")
            assert content is None or kindlehl.library.read_bytes() == content
            assert kindlehl("__complete", shell).err == ""

    def test_completing_changes_no_byte(self, kindlehl: Kindlehl) -> None:
        """It only reads."""
        kindlehl.ok("import", SAMPLE)
        before = kindlehl.library.read_bytes()
        for words in (["list", "--book", "="], ["show", "="], ["show", "=3"], ["list", "--tag", "="]):
            assert kindlehl("__complete", "zsh", *words).err == ""
        assert kindlehl.library.read_bytes() == before

    def test_names_are_completed_without_the_app(self, kindlehl: Kindlehl) -> None:
        """Neither Typer nor the library is loaded for a command's name."""
        code = (
            "import sys; sys.argv = ['kindlehl', '__complete', 'zsh', 'list', '=--b'];"
            "from kindlehl.__main__ import main; main();"
            "print([m for m in ('typer', 'sqlite3', 'kindlehl.cli.app', 're', 'pathlib') if m in sys.modules])"
        )
        done = subprocess.run(
            [sys.executable, "-S", "-c", code], env={**kindlehl.environment(), "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert "--bookmarks" in done.stdout
        assert done.stdout.endswith("[]\n")

    def test_saved_searches_and_profiles_come_from_the_configuration(self, kindlehl: Kindlehl) -> None:
        """By the names that the reader gave them."""
        written(kindlehl.home / "config" / "kindlehl" / "config.toml", '[searches]\nfood = "bread -meat"\n')
        code = "from kindlehl.cli.completing.values import of; print(of('search', '', None), of('profile', '', None))"
        done = subprocess.run(
            [sys.executable, "-c", code], env=kindlehl.environment(), capture_output=True, text=True, check=True
        )
        assert done.stdout == "[('food', 'bread -meat', '')] []\n"
