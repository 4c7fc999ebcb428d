"""The walls between the packages stand: each import contract is seen to fail when it is broken.

The packages are copied, a violation is planted in the copy, and import-linter looks at it as `make check` does.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SOURCES = ("kindlehl", "plugins", "exporters", "server", "tools")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in SOURCES:
        shutil.copytree(CHECKOUT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    return tmp_path


def broken(copy: Path) -> set[int]:
    """The numbers of the contracts that do not hold in the copy."""
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=copy,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(copy / name) for name in (".", "plugins", "exporters", "server")),
            "COLUMNS": "200",
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    verdicts = dict(re.findall(r"^(\d)\. .* (KEPT|BROKEN)\b", run.stdout, re.MULTILINE))
    assert sorted(verdicts) == ["1", "2", "3", "4", "5"], run.stdout + run.stderr
    failed = {int(number) for number, verdict in verdicts.items() if verdict == "BROKEN"}
    assert (run.returncode != 0) == bool(failed)
    return failed


def plant(copy: Path, files: Mapping[str, str]) -> None:
    for name, line in files.items():
        path = copy / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        with path.open("a", encoding="utf-8") as stream:
            stream.write(f"\n{line}\n")


def test_every_wall_stands(copy: Path) -> None:
    """The packages as they are keep all contracts."""
    assert broken(copy) == set()


@pytest.mark.parametrize(
    ("number", "files"),
    [
        pytest.param(1, {"kindlehl/domain/x.py": "import kindlehl.ports"}, id="the domain looks up"),
        pytest.param(1, {"kindlehl/ports.py": "import kindlehl.wire"}, id="ports and wire know each other"),
        pytest.param(1, {"kindlehl/wire.py": "import kindlehl.store"}, id="the wire looks up"),
        pytest.param(
            1,
            {"kindlehl/services/x.py": "import kindlehl.store"},
            id="a service names an adapter",
        ),
        pytest.param(1, {"kindlehl/store/x.py": "import kindlehl.devices"}, id="adapters know each other"),
        pytest.param(
            1, {"kindlehl/devices/x.py": "import kindlehl.wiring", "kindlehl/wiring.py": ""}, id="an adapter wires"
        ),
        pytest.param(
            1, {"kindlehl/wiring.py": "import kindlehl.cli", "kindlehl/cli/x.py": ""}, id="wiring knows the top"
        ),
        pytest.param(
            5,
            {"server/kindlehl_server/x.py": "import kindlehl.cli", "kindlehl/cli/x.py": ""},
            id="the server knows the command line",
        ),
        pytest.param(
            1, {"kindlehl/store/x.py": "def f():\n    import kindlehl.devices"}, id="an import inside a function"
        ),
        pytest.param(2, {"plugins/kindlehl_plugins/x.py": "import kindlehl.ports"}, id="a plugin knows the ports"),
        pytest.param(
            2, {"exporters/kindlehl_exporters/x.py": "import kindlehl.store"}, id="an exporter knows the store"
        ),
        pytest.param(
            2,
            {"plugins/kindlehl_plugins/x.py": "import kindlehl.brand_new", "kindlehl/brand_new.py": ""},
            id="a plugin knows a module that this file does not know",
        ),
        pytest.param(
            3,
            {"kindlehl/registry.py": "import kindlehl_plugins"},
            id="the core names a plugin",
        ),
        pytest.param(
            3, {"server/kindlehl_server/x.py": "import kindlehl_exporters"}, id="the server names an exporter"
        ),
        pytest.param(
            3, {"plugins/kindlehl_plugins/x.py": "import kindlehl_exporters"}, id="a plugin names an exporter"
        ),
        pytest.param(3, {"kindlehl/__main__.py": "import kindlehl_server"}, id="the core names the server"),
        pytest.param(4, {"kindlehl/domain/x.py": "import sqlite3"}, id="the domain knows the database"),
        pytest.param(4, {"kindlehl/domain/x.py": "from rich.text import Text"}, id="the domain uses a package"),
        pytest.param(4, {"kindlehl/ports.py": "import msgspec"}, id="a port uses a package"),
        pytest.param(4, {"kindlehl/ports.py": "import not_installed_yet"}, id="a package that nobody has yet"),
    ],
)
def test_a_violation_breaks_its_contract_and_no_other(copy: Path, number: int, files: dict[str, str]) -> None:
    """One planted import is one broken contract: each contract proves itself, and none stands in for another."""
    plant(copy, files)
    assert broken(copy) == {number}


def test_every_module_has_its_floor() -> None:
    """import-linter says nothing about a module that no layer names, so each must be named."""
    with (CHECKOUT / "pyproject.toml").open("rb") as stream:
        contracts = tomllib.load(stream)["tool"]["importlinter"]["contracts"]
    named = set(re.findall(r"kindlehl\.(\w+)", " ".join(contracts[0]["layers"])))
    modules = {
        path.stem for path in (CHECKOUT / "kindlehl").iterdir() if path.suffix == ".py" or next(path.glob("*.py"), None)
    }
    assert modules - {"__init__"} <= named
