"""What is installed is what is meant: the wheel's contents, the pinned requirements, and no address of a registry."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parents[2]
PACKAGES = {"kindlehl", "kindlehl_plugins", "kindlehl_exporters", "kindlehl_server"}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    with (CHECKOUT / "pyproject.toml").open("rb") as stream:
        return tomllib.load(stream)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel and the source distribution, made as a release would, the wheel from the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    run = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, CHECKOUT],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Iterator[zipfile.ZipFile]:
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def sources() -> set[str]:
    """Every file of the four packages, by its name in the wheel."""
    homes = [CHECKOUT, *(CHECKOUT / name for name in ("plugins", "exporters", "server"))]
    return {
        path.relative_to(home).as_posix()
        for home in homes
        for package in PACKAGES
        for path in (home / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def pins(name: str) -> dict[str, list[str]]:
    """What a compiled requirements file pins: name → versions, one for each platform that differs."""
    found: dict[str, list[str]] = {}
    for line in (CHECKOUT / "requirements" / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith((" ", "#")):
            pinned = Requirement(line.removesuffix("\\").strip())
            assert re.fullmatch(r"==[^*,]+", str(pinned.specifier)), f"{line} is not pinned"
            found.setdefault(canonicalize_name(pinned.name), []).append(str(pinned.specifier)[2:])
    return found


def wanted(name: str) -> list[Requirement]:
    """What a person asked for in requirements/*.in."""
    lines = (CHECKOUT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]


def tracked() -> Iterator[tuple[Path, str]]:
    """Every text file that is, or is about to be, in the repository."""
    if not (CHECKOUT / ".git").exists():
        pytest.skip("no git checkout, so nothing says which files are ours")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().rstrip("\0").split("\0"):
        path = CHECKOUT / name
        if path.is_file():
            yield path, path.read_bytes().decode("utf-8", "replace")


def test_the_wheel_holds_the_four_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    """Modules, templates, type markers and the manual page; no `tests`, which anybody might call theirs."""
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    manual = {name for name in names if name.endswith(".data/data/share/man/man1/kindlehl.1")}
    assert len(manual) == 1
    names -= manual
    assert names == sources()
    assert {name.split("/")[0] for name in names} == PACKAGES
    assert {f"{package}/py.typed" for package in PACKAGES} <= names


def test_the_wheel_says_what_it_needs_and_what_it_offers(wheel: zipfile.ZipFile, project: dict[str, Any]) -> None:
    """Its metadata is the project's: Python, dependencies and extras, license, the command and the entry points."""
    folder = next(name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name)
    metadata = Parser().parsestr(wheel.read(f"{folder}/METADATA").decode())
    assert metadata["Requires-Python"] == project["project"]["requires-python"]
    assert metadata["License-Expression"] == "Apache-2.0"
    needed = list(project["project"]["dependencies"])
    for extra, lines in project["project"]["optional-dependencies"].items():
        needed += [f'{line}; extra == "{extra}"' for line in lines]
    assert {str(Requirement(line)) for line in metadata.get_all("Requires-Dist", [])} == {
        str(Requirement(line)) for line in needed
    }
    entry_points = wheel.read(f"{folder}/entry_points.txt").decode()
    assert "[console_scripts]\nkindlehl = " in entry_points
    for group, offered in project["project"]["entry-points"].items():
        assert f"[{group}]" in entry_points
        for name in offered:
            assert re.search(rf"^{name} = ", entry_points, re.MULTILINE)


def test_the_source_distribution_can_be_tested(built: Path) -> None:
    """It carries the tests, the documentation and the license, and nothing that a machine made."""
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "tests/unit/test_packaging.py"} <= names
    assert not [name for name in names if re.match(r"(\.venv|demo|dist|build)/", name) or "__pycache__" in name]


def test_every_dependency_is_in_the_requirements(project: dict[str, Any]) -> None:
    """What pyproject.toml asks for, and builds with, base.in asks for in the same words."""
    asked = {
        str(Requirement(line)) for line in project["project"]["dependencies"] + project["build-system"]["requires"]
    }
    assert asked <= {str(requirement) for requirement in wanted("base.in")}


@pytest.mark.parametrize("name", ["base", "dev"])
def test_the_compiled_requirements_answer_what_was_asked(name: str) -> None:
    """Each requirement is pinned to a version that it allows. Otherwise: make requirements."""
    pinned = pins(f"{name}.txt")
    asked = wanted("base.in") + (wanted("dev.in") if name == "dev" else [])
    for requirement in asked:
        versions = pinned.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement} is not pinned in {name}.txt"
        assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: {versions}"


def test_the_tests_run_with_the_versions_that_users_get() -> None:
    """Both sets go into one environment, so dev.txt pins what base.txt pins, to the same versions."""
    base, dev = pins("base.txt"), pins("dev.txt")
    assert base == {name: dev.get(name) for name in base}


@pytest.mark.parametrize("name", ["base.txt", "dev.txt"])
def test_every_pin_has_its_hashes_and_no_address(name: str) -> None:
    """A file that was altered on its way is refused; where files come from is the reader's own setting."""
    text = (CHECKOUT / "requirements" / name).read_text(encoding="utf-8")
    entries = re.split(r"^(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE)
    assert not [entry for entry in entries if entry and "--hash=sha256:" not in entry]
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)


def test_no_file_names_a_registry() -> None:
    """No index address gets into the repository: not the public one's, not the one this machine is set up with."""
    public = {
        "pythonhosted" + ".org",
        "pypi.org" + "/simple",
        "registry.npmjs" + ".org",
    }  # in halves: this file is read too
    forbidden = public | set(configured_hosts())
    named = [f"{path.relative_to(CHECKOUT)}: {host}" for path, text in tracked() for host in forbidden if host in text]
    assert named == []
    assert not [
        path for path, _ in tracked() if path.name in {"uv.lock", "pylock.toml", "poetry.lock", "package-lock.json"}
    ]


def configured_hosts() -> Iterator[str]:
    """The registries that pip and uv are told to use here."""
    told = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, encoding="utf-8", check=False
    )
    settings = [told.stdout, *(value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_")))]
    for address in re.findall(r"https?://[^\s'\"]+", " ".join(settings)):
        host = urlsplit(address).hostname
        if host and host != "pypi.org":
            yield host
