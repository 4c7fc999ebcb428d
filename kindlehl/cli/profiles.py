"""Export profiles: what somebody exports again and again, under a name in the configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kindlehl.config import Settings, expanded
from kindlehl.domain.errors import UsageError

_KEYS = ("format", "to", "book", "author", "since", "template")


@dataclass(frozen=True, slots=True)
class Profile:
    """One export, as its options would say it."""

    format: str
    to: str | None = None
    book: Sequence[str] = ()
    author: str | None = None
    since: str | None = None
    template: str | None = None


def names(settings: Settings) -> list[str]:
    """The profiles that there are."""
    return sorted(name for name, held in settings.table("export").items() if isinstance(held, Mapping))


def profile(settings: Settings, name: str) -> Profile:
    """The profile `[export.NAME]`. Raises UsageError with a sentence that names the key that is wrong."""
    held = settings.table(f"export.{name}")
    where = f"[export.{name}] in {settings.config_file}"
    for key in held:
        if key not in _KEYS:
            raise UsageError(f"{where} has a key that is not known: {key}.", hint=f"Known are {', '.join(_KEYS)}.")
    book: Any = held.get("book")
    listed: Sequence[Any] = book if hasattr(book, "append") else [book]  # a list of TOML, or one text
    texts = {key: _text(held.get(key), where, key) for key in _KEYS if key != "book"}
    books = [_text(each, where, "book") for each in listed]
    if texts["format"] is None:
        raise UsageError(f"{where} does not say the format.", hint='Such as: format = "markdown"')
    to, template = texts["to"], texts["template"]
    if to is not None and to != "-" and not expanded(to).is_absolute():
        raise UsageError(
            f"`to` of {where} has to be a whole path, or one that begins with ~.",
            hint="A profile means the same place wherever it is run from.",
        )
    if template is not None:
        template = str(settings.config_file.parent / expanded(template))
    return Profile(
        texts["format"], to, [each for each in books if each is not None], texts["author"], texts["since"], template
    )


def _text(value: Any, where: str, key: str) -> str | None:
    from datetime import date

    if isinstance(value, date) and key == "since":  # TOML has dates of its own
        return value.isoformat()[:10]
    if value is None or isinstance(value, str):
        return value
    raise UsageError(f"`{key}` of {where} has to be text.", hint=f'Such as: {key} = "…"')
