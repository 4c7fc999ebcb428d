"""A configuration file: what can be used of it, and changes to it that keep its comments."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kindlehl import config_keys
from kindlehl.domain.errors import ConfigError, NotFoundError

GREATEST = 1_000_000
"""Bytes of a configuration file: nobody writes more by hand."""
_EDIT = "Mend it with `kindlehl config edit`."


class ConfigurationFile(NamedTuple):
    """What one file sets."""

    path: Path
    values: Mapping[str, object]
    """By dotted name; tables of the reader's own as mappings."""
    problems: Mapping[str, str]
    """A sentence for each key that cannot be used; under the empty name, for the whole file."""


def read(path: Path) -> ConfigurationFile:
    """A file that is there. Never raises: what cannot be used is said, and the rest is used."""
    try:
        text = text_of(path)
        values, wrong = config_keys.checked(_parsed(path, text))
    except ConfigError as error:
        return ConfigurationFile(path, {}, {"": error.message})
    for name, value in values.items():
        # A path is meant from the folder of the file, not from wherever somebody types a command.
        if name in config_keys.KEYS and config_keys.KEYS[name].kind is config_keys.PATH:
            values[name] = value if str(value).startswith("~") else str(path.parent / str(value))
    return ConfigurationFile(path, values, {w.key: _located(path, text, w) for w in wrong})


def _located(path: Path, text: str, wrong: config_keys.Wrong) -> str:
    line = config_keys.line_of(text, wrong.key)
    return f"{path}{f', line {line}' if line else ''}: {wrong.sentence}"


def text_of(path: Path) -> str:
    """What is in the file. Raises ConfigError."""
    try:
        if not path.is_file():
            raise ConfigError(f"{path} cannot be read: it is no file.", hint="Put a text file in its place.")
        with path.open("rb") as stream:
            data = stream.read(GREATEST + 1)
        if len(data) > GREATEST:
            raise ConfigError(f"{path} is too long for a configuration.", hint=_EDIT)
        return data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", hint="Check its permissions.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text in UTF-8.", hint="Save it as UTF-8.") from error


def bytes_of(path: Path) -> bytes | None:
    """The bytes of a file, valid or not; None where there is none. Raises ConfigError where they cannot be read."""
    try:
        return path.read_bytes() if path.exists() else None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", hint="Check its permissions.") from error


def _parsed(path: Path, text: str) -> dict[str, object]:
    """Raises ConfigError."""
    import tomllib  # with the writing part of this module nobody would have it twice

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ConfigError(f"{path} is no TOML: {reason}.", hint=_EDIT) from error


def problems_of(path: Path, text: str) -> list[str]:
    """What is wrong with a text that is to become this file; nothing if it is valid."""
    try:
        _, wrong = config_keys.checked(_parsed(path, text))
    except ConfigError as error:
        return [error.message]
    return [_located(path, text, w) for w in wrong]


def set_value(path: Path, name: str, value: object) -> None:
    """Set a value, named by dots as in `backup.keep`; the file is made where there is none. Raises ConfigError where it
    cannot be read or written, or would not be valid with this value; nothing is changed then."""
    import tomlkit  # only where something is written
    from tomlkit.exceptions import TOMLKitError

    text = _text_or_nothing(path)
    meant = _parsed(path, text)
    document = tomlkit.parse(text)
    *tables, key = name.split(".")
    try:
        for within in (meant, document):
            holder: Any = within
            for table in tables:
                holder = holder.setdefault(table, tomlkit.table() if within is document else {})
            holder[key] = value
    except (TOMLKitError, TypeError, AttributeError) as error:
        raise ConfigError(f"{name} cannot be set in {path}: something else has its name.", hint=_EDIT) from error
    written = document.as_string()
    sentence = next((w.sentence for w in config_keys.checked(meant)[1] if name.startswith(w.key)), None)
    if sentence:
        raise ConfigError(sentence, hint="Nothing was changed.")
    _replace_if_as_meant(path, written, meant)


def unset_value(path: Path, name: str) -> None:
    """Take a value or a whole table out. Raises NotFoundError where the file does not set it, ConfigError as above."""
    import tomlkit  # as above

    text = _text_or_nothing(path)
    meant = _parsed(path, text)
    document = tomlkit.parse(text)
    *tables, key = name.split(".")
    for within in (meant, document):
        holder: Any = within
        for table in tables:
            holder = holder.get(table, {}) if config_keys.is_table(holder) else {}
        if not config_keys.is_table(holder) or key not in holder:
            raise NotFoundError(
                f"{path} does not set {name}.", hint="`kindlehl config show --origin` says who sets what."
            )
        del holder[key]
    _replace_if_as_meant(path, document.as_string(), meant)


def _replace_if_as_meant(path: Path, text: str, meant: dict[str, object]) -> None:
    """Put a changed text in the file's place if it says what it is to say and nothing besides."""
    if _filled(_parsed(path, text)) != _filled(meant):
        raise ConfigError(
            f"{path} is written in a way that cannot be changed safely. It is as it was.",
            hint="Change it with `kindlehl config edit`.",
        )
    replace(path, text)


def _filled(tables: Mapping[str, object]) -> dict[str, object]:
    """Without empty tables: some of their headers go with the last thing in them, and say nothing anyway."""
    inner = {name: _filled(value) if config_keys.is_table(value) else value for name, value in tables.items()}
    return {name: value for name, value in inner.items() if value != {}}


def _text_or_nothing(path: Path) -> str:
    """The text to change; nothing where there is no file yet."""
    try:
        path.stat()
    except FileNotFoundError:
        return ""
    except (OSError, ValueError):
        pass  # the next line says why
    return text_of(path)


def replace(path: Path, text: str) -> None:
    """Put a text in the file's place, whole or not at all. A link stays a link, and permissions stay as they are."""
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
        handle, part = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            Path(part).chmod(mode)
            Path(part).replace(target)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}. It is as it was.", hint="Check its folder's permissions."
        ) from error
