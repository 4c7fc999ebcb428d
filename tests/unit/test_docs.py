"""The documentation is true: generated pages are as generated, links lead somewhere, and commands show what they do."""

import configparser
import importlib.util
import json
import os
import plistlib
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from uuid import UUID

import httpx2
import pytest
from support.cli import Kindlehl
from support.household import Household, household
from support.tree import commands as every_command

from kindlehl import wiring
from kindlehl.cli.syncing import told
from kindlehl.services.sync.round import Done

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tools"
PAGES = [path for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md") if path.exists()] + sorted(
    path for path in (ROOT / "docs").rglob("*.md")
)
in_checkout = pytest.mark.skipif(not TOOLS.is_dir(), reason="is about the checkout; here are only the tests")


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def environment(home: Path) -> dict[str, str]:
    """That of a person with the program and a home of her own; nothing of this machine's user."""
    places = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", **places}


def commands(page: str) -> Iterator[tuple[str, str]]:
    """Every command that a page shows after a `$`, without its comment, and what it shows below it."""
    for block in re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, shown = part.partition("\n")
            yield re.sub(r"\s+# .*", "", line), shown.strip("\n")


@in_checkout
def test_generated_pages_are_as_generated() -> None:
    """`make docs` would change nothing: no page of a command, no topic, not the manual page, and none is left over."""
    module = tool("commands_page")
    made = module.pages()
    there = {
        path.relative_to(ROOT / "docs").as_posix()
        for name in module.FOLDERS
        for path in (ROOT / "docs" / name).iterdir()
    }
    assert there == made.keys() - {"kindlehl.1"}, "run: make docs"
    stale = [name for name, text in made.items() if (ROOT / "docs" / name).read_text("utf-8") != text]
    assert stale == [], "run: make docs"
    for name in ("schema", "configuration"):
        assert (ROOT / "docs" / f"{name}.md").read_text("utf-8") == tool(f"{name}_page").page(), "run: make docs"


@in_checkout
def test_completion_knows_every_command_and_option() -> None:
    """Its table is as generated; a value that nothing was said of stops the generator with a sentence."""
    module = tool("completion_table")
    assert module.TABLE.read_text("utf-8") == module.table(), "run: make docs"
    module.NAMES.pop("--encoding", None)
    module.METAVARS.pop("NAME")
    with pytest.raises(SystemExit, match=r"What completes --encoding NAME of `kindlehl import`\?"):
        module.table()


@in_checkout
@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda views: views["v_books"].update(pages="INTEGER"), "columns of v_books", id="a new column"),
        pytest.param(lambda views: views["v_books"].pop("clips"), "columns of v_books", id="a column is gone"),
        pytest.param(lambda views: views["v_books"].update(title="INTEGER"), "v_books.title is INTEGER", id="a type"),
        pytest.param(lambda views: views.update(v_more={}), "the views are", id="a new view"),
    ],
)
def test_a_view_that_drifts_is_noticed(change: Callable[[dict[str, dict[str, str]]], object], message: str) -> None:
    """The views are a promise: their page is not made of columns that it does not explain."""
    schema = tool("schema_page")
    views = schema.found()
    change(views)
    with pytest.raises(SystemExit, match=re.escape(message)):
        schema.check(views)


@in_checkout
def test_every_command_and_exit_code_is_on_the_page() -> None:
    """Groups and what is in them each have a page; no exit code is without a meaning."""
    found = {" ".join(command.words) or "kindlehl" for command in every_command()}
    index = (ROOT / "docs" / "commands" / "index.md").read_text("utf-8")
    assert set(re.findall(r"^\| \[(.+?)\]", index, re.MULTILINE)) == found
    page = (ROOT / "docs" / "topics" / "exit-codes.md").read_text("utf-8")
    assert {int(code) for code in re.findall(r"^\| `(\d+)` \|", page, re.MULTILINE)} == {0, 1, 2, 3, 4, 5, 75, 130}


@in_checkout
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """To a file that is there and, after a #, to a heading of it."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    lost: list[str] = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z][a-z+.-]*:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


def anchors(page: Path) -> set[str]:
    """The names by which a page's headings are linked to."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def tried(page: Path, folder: Path) -> list[tuple[str, str, str, int]]:
    """Each command of a page that shows an output, run one after the other: what it shows, should show, its code."""
    shutil.copytree(ROOT / "docs" / "sample", folder / "docs" / "sample")
    runs: list[tuple[str, str, str, int]] = []
    for command, shown in commands(page.read_text("utf-8")):
        if not (command.startswith("kindlehl ") and shown):
            continue  # says how to set up, or needs a Kindle
        done = subprocess.run(
            command, shell=True, cwd=folder, env=environment(folder / "home"), check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, encoding="utf-8",
        )  # fmt: skip
        runs.append((command, done.stdout.strip("\n"), shown, done.returncode))
    return runs


def test_the_page_about_finding_shows_what_happens(tmp_path: Path) -> None:
    """On the sample; and what its tables name is understood."""
    page = ROOT / "docs" / "finding.md"
    sample = ROOT / "docs" / "sample" / "My Clippings.txt"
    places = environment(tmp_path / "home")
    subprocess.run(["kindlehl", "import", str(sample)], env=places, check=True, capture_output=True)
    runs = tried(page, tmp_path)
    expected = [(c, shown, 2 if c.endswith("autor:thoreau") else 0) for c, _, shown, _ in runs]
    assert [(command, out, code) for command, out, _, code in runs] == expected
    assert len(runs) >= 10
    rows = re.findall(r"^\| (`.*?) \|", page.read_text("utf-8"), re.MULTILINE)
    typed = [query for row in rows for query in re.findall(r"`([^`]+)`", row) if not query.endswith(":")]
    assert len(typed) > 25
    for query in typed:
        done = subprocess.run(["kindlehl", "list", query], env=places, check=False, capture_output=True)
        assert done.returncode == 0, query


@pytest.mark.parametrize("name", ["README.md", "docs/tutorial.md", "docs/recipes.md"])
def test_a_page_shows_what_happens(tmp_path: Path, name: str) -> None:
    """Each command of a page that shows an output gives exactly that output, one after the other."""
    shutil.copytree(ROOT / "docs" / "sample", tmp_path / "docs" / "sample")
    shown_by = [(c, o) for c, o in commands((ROOT / name).read_text("utf-8")) if c.startswith("kindlehl ") and o]
    if not any(command.startswith("kindlehl import") for command, _ in shown_by):
        run_in(tmp_path, 'kindlehl import "docs/sample/My Clippings.txt"')
    for command, shown in shown_by:  # one without an output says how to set up, or needs a Kindle
        done = run_in(tmp_path, command)
        assert (command, done.stdout.strip("\n")) == (command, shown)
        assert done.returncode == 0
    assert len(shown_by) >= 2


def run_in(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """A line as a person types it there, with a home of its own."""
    return subprocess.run(
        command, shell=True, cwd=folder, env=environment(folder / "home"), check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, encoding="utf-8",
    )  # fmt: skip


class TestRecipes:
    """What people copy into places where nobody looks again."""

    @staticmethod
    def block(language: str, n: int = 0) -> str:
        """A block of the page."""
        page = (ROOT / "docs" / "recipes.md").read_text("utf-8")
        return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[n]

    def test_the_script_imports_exports_and_heeds_the_exit_codes(self, tmp_path: Path) -> None:
        """Without a Kindle it exports what there is and exits 0, also where the reader changed a file."""
        script = tmp_path / "kindlehl-daily"
        script.write_text(self.block("sh"), "utf-8")
        assert run_in(tmp_path, f"sh -n {script}").stdout == ""
        shutil.copytree(ROOT / "docs" / "sample", tmp_path / "docs" / "sample")
        run_in(tmp_path, 'kindlehl import "docs/sample/My Clippings.txt"')
        for text in ("", "My own words."):
            done = run_in(tmp_path, f"sh {script}")
            assert done.returncode == 0, done.stdout
            assert text or not done.stdout, "this would be a mail every evening"
            books = sorted((tmp_path / "home" / "Notes" / "Books").glob("*.md"))
            assert len(books) == 9
            assert text in books[0].read_text("utf-8")
            books[0].write_text("My own words.", "utf-8")
        if shutil.which("shellcheck"):
            assert run_in(tmp_path, f"shellcheck {script}").stdout == ""

    def test_the_units_are_such_as_systemd_reads(self, tmp_path: Path) -> None:
        """systemd itself says so where it is, and the time is one that it knows."""
        (tmp_path / "kindlehl.service").write_text(self.block("ini").replace("%h", str(tmp_path)), "utf-8")
        (tmp_path / "kindlehl.timer").write_text(self.block("ini", 1), "utf-8")
        parsed = configparser.ConfigParser(interpolation=None)
        parsed.optionxform = str  # type: ignore[assignment,method-assign]
        parsed.read([tmp_path / "kindlehl.service", tmp_path / "kindlehl.timer"])
        assert parsed["Service"]["Type"] == "oneshot"
        assert parsed["Install"]["WantedBy"] == "timers.target"
        if shutil.which("systemd-analyze"):
            done = run_in(tmp_path, f"systemd-analyze calendar '{parsed['Timer']['OnCalendar']}'")
            assert done.returncode == 0, done.stdout
            said = run_in(tmp_path, "systemd-analyze verify --man=no ./kindlehl.service ./kindlehl.timer").stdout
            assert not [line for line in said.splitlines() if "kindlehl." in line], said

    def test_the_line_for_cron_and_the_list_for_launchd_can_be_read(self) -> None:
        """Five fields and a command; a property list with a label, a program and a time."""
        fields = self.block("cron").split(maxsplit=5)
        assert all(re.fullmatch(r"[\d*,/-]+", field) for field in fields[:5])
        assert "%" not in fields[5]  # which cron would take for a line's end
        read = plistlib.loads(self.block("xml").encode())
        assert read["ProgramArguments"][0] == "/bin/sh"
        assert read["StartCalendarInterval"] == {"Hour": 21, "Minute": 0}


def blocks_of(page: str, language: str) -> list[str]:
    """The blocks of a page in this language."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


class TestSync:
    """What people copy from the page about sync."""

    @pytest.fixture
    def home(self, tmp_path: Path) -> Iterator[Household]:
        """A server, and in a home beside it a paired device and the program where `pipx` puts it."""
        program = tmp_path / "home" / ".local" / "bin" / "kindlehl"
        program.parent.mkdir(parents=True)
        program.symlink_to(Path(sys.executable).with_name("kindlehl"))
        with household(tmp_path / "server") as made:
            made.pair(Kindlehl(tmp_path / "home"), "laptop")
            yield made

    @pytest.mark.parametrize("shell", ["cron", "sh"])
    def test_the_line_that_syncs_by_itself_says_what_is_worth_a_mail(
        self, home: Household, tmp_path: Path, shell: str
    ) -> None:
        """By /bin/sh: nothing while all is well or the server is off, an error once the device is let in no more."""
        line = blocks_of("sync.md", "cron")[0] if shell == "cron" else blocks_of("recipes.md", "sh")[1]
        assert "%" not in line  # which cron would take for a line's end
        command = line.split(maxsplit=5)[5] if shell == "cron" else line
        library = Kindlehl(tmp_path / "home").library
        places = environment(tmp_path / "home") | {"KINDLEHL_WAIT": "0"}

        def said() -> tuple[int, str]:
            done = subprocess.run(
                ["/bin/sh", "-c", command], cwd=tmp_path, env=places, check=False, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, encoding="utf-8",
            )  # fmt: skip
            return done.returncode, done.stdout

        assert said() == (0, "")
        held = wiring.needed_pairing(library)
        wiring.keep_pairing(library, held._replace(url="http://127.0.0.1:9"))
        assert said() == (0, "")
        wiring.keep_pairing(library, held)
        home.needs.accounts.revoke(home.owner.id, home.needs.accounts.device(held.token).id)
        assert "is let in no more" in said()[1]

    def test_the_lines_for_programs_find_a_token_and_make_a_uuid(self, home: Household, tmp_path: Path) -> None:
        """With which a highlight is created, and once only."""
        (lines,) = blocks_of("sync.md", "sh")
        setup, _, request = lines.partition("curl ")
        assert "$TOKEN" in request
        assert "$UUIDV7" in request
        done = run_in(tmp_path, f'{setup}\nprintf \'%s %s\' "$TOKEN" "$UUIDV7"')
        token, key = done.stdout.split()
        assert UUID(key).version == 7
        body = {"text": "Simplify, simplify.", "title": "Walden"}
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        assert httpx2.post(f"{home.url}/api/v1/highlights", json=body, headers=headers).status_code == 201

    def test_what_the_evening_says_is_what_is_said(self) -> None:
        """Its sentences are those of the program, in its order."""
        evening = "\n".join(blocks_of("sync.md", "text"))
        sent = told(Done(received=1, sent=2, equal=True), "127.0.0.1")
        assert f"{sent}\nOf one highlight two things are said now" in evening
        assert told(Done(equal=True), "127.0.0.1") in evening
        assert "(nothing listens on port 8484)" in evening
        assert "Devices that were revoked since are let in" in evening


@in_checkout
def test_the_site_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    """It is built strictly; what its pages load is beside them, and only links lead out."""
    if importlib.util.find_spec("properdocs") is None:
        pytest.skip("the generator of the site is not installed")
    subprocess.run(
        [sys.executable, "-m", "properdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)],
        cwd=ROOT, check=True, timeout=120,
    )  # fmt: skip
    assert (tmp_path / "commands" / "list.html").is_file()
    for page in tmp_path.rglob("*.html"):
        text = page.read_text("utf-8")
        assert not re.findall(r"<(?:script|img|link|iframe)[^>]+(?:src|href)=[\"'](?:https?:)?//[^>]+", text), page
    for style in tmp_path.rglob("*.css"):
        assert not re.findall(r"url\([\"']?(?:https?:)?//|@import", style.read_text("utf-8")), style


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose library holds the sample."""
    home = tmp_path_factory.mktemp("home")
    subprocess.run(
        ["kindlehl", "import", str(ROOT / "docs" / "sample" / "My Clippings.txt")],
        env=environment(home), check=True, capture_output=True,
    )  # fmt: skip
    return home


def schema_page() -> str:
    return (ROOT / "docs" / "schema.md").read_text("utf-8")


@pytest.mark.parametrize("query", re.findall(r"^```sql\n(.*?)^```$", schema_page(), re.MULTILINE | re.DOTALL))
def test_every_query_of_the_cookbook_finds_something(query: str, home: Path) -> None:
    """On the sample, with the file opened as we tell people to: to read."""
    path = home / "data" / "kindlehl" / "library.db"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute(query).fetchall()
    assert rows


def test_the_lines_for_other_programs_work(home: Path) -> None:
    """What is shown for sqlite-utils runs as it is shown; Datasette is no dependency, so its line is only read."""
    lines = [command for command, _ in commands(schema_page())]
    ours = [line for line in lines if line.startswith("sqlite-utils ")]
    assert len(ours) == 3
    assert 'datasette "$(kindlehl db path)"' in lines
    table, items, rows = (
        subprocess.run(
            line, shell=True, env=environment(home), check=True, capture_output=True, encoding="utf-8"
        ).stdout
        for line in ours
    )
    assert "Pride and Prejudice" in table
    assert len(json.loads(items)) == 7
    assert rows.startswith("added_at,title,text")


def test_what_the_page_says_of_types_holds_in_a_library(home: Path) -> None:
    """A column without a question mark is never null, and every value is of the type that is told."""
    told = re.findall(r"^\| `(\w+)` \| (\w+)(\??) \|", schema_page(), re.MULTILINE)
    columns = {"v_highlights": told[:18], "v_books": told[18:]}
    path = home / "data" / "kindlehl" / "library.db"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        for view, described in columns.items():
            for name, type_, optional in described:
                kinds = {kind for (kind,) in connection.execute(f"SELECT DISTINCT typeof({name}) FROM {view}")}
                assert kinds <= {type_.lower(), *(["null"] if optional else [])}, f"{view}.{name}"


def test_the_example_of_a_configuration_is_valid() -> None:
    """As a file of one's own, every key of it."""
    from kindlehl.config_file import problems_of

    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    (example,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert problems_of(Path("example.toml"), example) == []


def test_the_lines_that_configure_work(tmp_path: Path) -> None:
    """One after the other, in a home where nothing was configured."""
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    lines = [command for command, _ in commands(page)]
    assert len(lines) == 4
    for line in lines:
        done = subprocess.run(
            line, shell=True, env={**environment(tmp_path), "EDITOR": "true"}, check=True, capture_output=True,
            encoding="utf-8",
        )  # fmt: skip
        assert "show" not in line or "searches.walks = walden -winter" in done.stdout
