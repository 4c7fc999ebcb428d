"""What is wrong with a command line, in the words in which kindlehl says everything that is wrong."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from kindlehl.cli.render import one_line
from kindlehl.domain.errors import UsageError

_EXAMPLE = re.compile(r"^\s*Example: (.+)$", re.MULTILINE)
_IN_WORDS = (
    (r"\bvalid (int|integer)( range)?\b", "whole number"),
    (r"\bvalid float( range)?\b", "number"),
    (r"in the range x>=(\S+)\.$", r"\1 or more."),
    (r"in the range (\S+?)<=x<=(\S+)\.$", r"from \1 to \2."),
)
"""How Typer puts it, and how we do."""


def sentence(error: Any) -> UsageError:
    """One of Typer's own errors as ours.

    Their classes are private to Typer, so they are told apart by name, and what has no class of its own by its words.
    """
    context = error.ctx
    if context is None:  # an option's value: the parser that finds it lacking does not know whose option it is
        lacks = "needs a value" if "requires" in error.message else "takes no value"
        return UsageError(f"The option {error.option_name} {lacks}.", hint="The command explains it with -h.")
    called = context.command_path
    match type(error).__name__:
        case "NoSuchOption":
            return UsageError(
                f"There is no option `{one_line(error.option_name)}`." + _near(error.option_name, _options(context)),
                hint=f"`{called} -h` shows the options.",
            )
        case "MissingParameter":
            option = error.param.param_type_name == "option"
            missing = f"the option {error.param.opts[0]}" if option else error.param.human_readable_name.strip("[]")
            return UsageError(f"`{called}` needs {missing}.", hint=_example(context))
        case "BadParameter" if error.param is not None:
            name = error.param.opts[0] if error.param.param_type_name == "option" else error.param.human_readable_name
            return UsageError(f"{name} does not take this: {_ended(_plain(error.message))}", hint=_example(context))
        case _:
            return _by_its_words(one_line(error.format_message()), context)


def _by_its_words(message: str, context: Any) -> UsageError:
    called = context.command_path
    if unknown := re.fullmatch(r"No such command ['\"](.*?)['\"]\.( Did you mean .*)?", message):
        names = context.command.list_commands(context)
        whole = f"{called.removeprefix('kindlehl').strip()} {unknown[1]}".strip()
        return UsageError(
            f"There is no command `{whole}`." + _near(unknown[1], names), hint=f"`{called} -h` lists the commands."
        )
    if surplus := re.fullmatch(r"Got unexpected extra argument\(?s?\)? \((.*)\)", message):
        return UsageError(
            f"`{called}` does not know what to do with `{surplus[1]}`.", hint=f"`{called} -h` shows how it is used."
        )
    return UsageError(_ended(message), hint=f"`{called} -h` shows how it is used.")


def _options(context: Any) -> list[str]:
    return [name for param in context.command.get_params(context) for name in param.opts if name.startswith("--")]


def _near(typed: str, names: Iterable[str]) -> str:
    near = get_close_matches(typed, list(names), 1)
    return f" Did you mean `{near[0]}`?" if near else ""


def _example(context: Any) -> str:
    found = _EXAMPLE.search(context.command.help or "")
    return f"For example: {found[1].strip()}" if found else f"`{context.command_path} -h` explains it."


def _plain(message: str) -> str:
    message = one_line(message)
    for theirs, ours in _IN_WORDS:
        message = re.sub(theirs, ours, message)
    return message


def _ended(sentence_: str) -> str:
    return sentence_ if sentence_.endswith((".", "?", "!")) else f"{sentence_}."
