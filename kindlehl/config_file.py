"""The file in which the user's settings stand: values are written one by one, and all else in it stays as it is."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindlehl.domain.errors import TargetError, UsageError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument


def set_value(path: Path, name: str, value: object) -> None:
    """Write one value under its dotted name, such as `searches.courage`. Makes file and table where there are none.

    Raises UsageError when the file is no TOML or has something else there, TargetError when it cannot be written.
    """
    document = _document(path)
    *tables, key = name.split(".")
    table = _table(document, tables, path, make=True)
    table[key] = value
    _write(path, document)


def unset_value(path: Path, name: str) -> None:
    """Take one value out, if it is there. Raises as `set_value` does."""
    document = _document(path)
    *tables, key = name.split(".")
    if _table(document, tables, path, make=False).pop(key, None) is not None:
        _write(path, document)


def _document(path: Path) -> "TOMLDocument":
    import tomlkit  # only who writes settings needs it

    try:
        return tomlkit.parse(path.read_text("utf-8"))
    except FileNotFoundError:
        return tomlkit.document()
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as TOML.", hint="Mend it, or move it away.") from error


def _table(document: "TOMLDocument", names: list[str], path: Path, *, make: bool) -> Any:
    from tomlkit import table as new_table

    table: Any = document
    for name in names:
        if name not in table:
            if not make:
                return {}
            table[name] = new_table()
        table = table[name]
        if not hasattr(table, "pop"):
            raise UsageError(f"{name} in {path} is no table.", hint="Mend it, or move it away.")
    return table


def _write(path: Path, document: "TOMLDocument") -> None:
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(document.as_string(), "utf-8")
        part.replace(path)
    except OSError as error:
        raise TargetError(f"{path} cannot be written: {error.strerror}.", hint="Check its permissions.") from error
