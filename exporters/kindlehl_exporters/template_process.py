"""The process that renders a reader's template: plain data in, text out, and nothing else within reach."""

import contextlib
import json
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from traceback import walk_tb
from typing import Any, cast

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from jinja2 import Template as JinjaTemplate
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from kindlehl_exporters.escaping import inline, lines

_SECONDS = 5
"""Of processor time for one book."""
_BYTES = 512 << 20
"""Of memory, the interpreter's own among them."""
_LONGEST = 1_000_000
"""Characters of one passage."""
_NAME = "reader's template"
_MARKER = re.compile(r"((?:^|[\s>]))\^(?=kh-)", re.MULTILINE)


class _WrongError(Exception):
    """What is wrong with a template, as the end of a sentence, and in which line."""

    def __init__(self, wrong: str, line: int | None = None) -> None:
        super().__init__(wrong)
        self.wrong, self.line = wrong, line


class _TooLongError(Exception):
    """It took too much time."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Plain data, loops and filters: no attribute but a loop's own, no product that could fill the memory."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A key of plain data, or what a loop tells of itself."""
        if isinstance(obj, dict):
            return self.getitem(obj, attribute)
        if isinstance(obj, (LoopContext, Namespace)) and not attribute.startswith("_"):
            return super().getattr(obj, attribute)
        raise SecurityError(attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """An item of plain data."""
        if isinstance(obj, (dict, list, tuple, str)):
            try:
                return cast("Any", obj)[argument]
            except (LookupError, TypeError):
                return self.undefined(obj=obj, name=str(argument))
        raise SecurityError(str(argument))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic of small numbers."""
        if not all(isinstance(side, (int, float)) and abs(side) < 10**6 for side in (left, right)) or (
            operator == "**" and abs(right) > 64
        ):
            raise SecurityError(operator)
        return super().call_binop(context, operator, left, right)


def _compiled(text: str) -> tuple[JinjaTemplate, set[str]]:
    """A template and the names of its macros. Raises what is wrong with it."""
    sandbox = _Sandbox(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False)
    sandbox.globals = {"range": sandbox.globals["range"], "namespace": sandbox.globals["namespace"]}
    for name in ("random", "attr", "map", "groupby", "select", "reject", "pprint", "format", "xmlattr"):
        sandbox.filters.pop(name, None)
    sandbox.filters |= {"inline": inline, "quote": _quote}
    try:
        tree = sandbox.parse(text)
        names = _checked(tree)
        code = sandbox.compile(tree, name=_NAME, filename=_NAME)
    except TemplateSyntaxError as error:
        raise _WrongError(f"is no Jinja: {error.message}".rstrip("."), error.lineno) from error
    return sandbox.template_class.from_code(sandbox, code, sandbox.make_globals(None)), names


def _checked(tree: nodes.Template) -> set[str]:
    """The names of a template's macros, if it is one that may be rendered."""
    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        raise _WrongError("reads another template, which none may", node.lineno)
    names = {node.name for node in tree.find_all(nodes.Macro)}
    if "passage" not in names:
        raise _WrongError("has no macro `passage(h)`")
    return names


def _quote(text: str) -> str:
    """A text as a Markdown quote that shows that very text."""
    return "\n".join(f"> {line}" if line else ">" for line in lines(text))


def _heading(name: str) -> str:
    return f"## {inline(name)}"


def _book(macros: dict[str, Callable[..., str]], asked: dict[str, Any]) -> dict[str, Any]:
    head = macros["head"](asked["book"]) if "head" in macros else f"# {inline(asked['book']['title'])}"
    chapter = macros.get("chapter", _heading)
    return {
        "head": _without_markers(head),
        "chapters": {name: _without_markers(chapter(name)) for name in asked["chapters"]},
        "passages": [_marked(macros["passage"](h), h["anchor"]) for h in asked["passages"]],
    }


def _without_markers(text: str) -> str:
    """Lines without white space at their ends, and with nothing in them that would be taken for a block id of ours."""
    if len(text) > _LONGEST:
        raise MemoryError
    return _MARKER.sub(r"\1\\^", "\n".join(line.rstrip() for line in re.split(r"\r\n?|\n", str(text)))).strip("\n")


def _marked(text: str, anchor: str) -> str:
    """A passage that ends in its block id: where the template put it, at the end, or else on a line of its own."""
    mark = f"^{anchor}"
    bare = text.rstrip()
    if re.search(rf"(?:^|\s){re.escape(mark)}$", bare):
        above = bare.removesuffix(mark)
        kept = _without_markers(above + "\0").removesuffix("\0")
        return f"{kept}{mark}"
    return f"{_without_markers(text)}\n\n{mark}".lstrip("\n")


@dataclass(slots=True)
class _Reader:
    """Answers questions with one template."""

    template: JinjaTemplate | None = None
    macros: dict[str, Callable[..., str]] = field(default_factory=dict[str, Callable[..., str]])

    def answer(self, question: bytes) -> dict[str, Any]:
        """What the template gives, or what is wrong with it and in which line."""
        try:
            _start_clock(_SECONDS)
            return self._answer(json.loads(question))
        except _WrongError as error:
            return {"wrong": error.wrong, "line": error.line}
        except Exception as error:  # noqa: BLE001 -- whatever a template raises is its own fault, and is told without text
            return {"wrong": _reason(error), "line": self._line(error)}
        finally:
            _start_clock(0)

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "template" not in asked:
            return _book(self.macros, asked)
        self.template, names = _compiled(asked["template"])
        module = self.template.module
        self.macros = {name: getattr(module, name) for name in ("head", "chapter", "passage") if name in names}
        return {}

    def _line(self, error: Exception) -> int | None:
        lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_code.co_filename == _NAME]
        return self.template.get_corresponding_lineno(lines[-1]) if self.template and lines else None


def _reason(error: Exception) -> str:
    match error:
        case _TooLongError():
            return "takes too long, and was stopped"
        case MemoryError() | OverflowError():
            return "takes too much memory, and was stopped"
        case SecurityError():
            return "asks for more than plain data"
        case UndefinedError():
            return "uses a name that does not exist"
        case _:
            return f"fails ({type(error).__name__})"


def _start_clock(seconds: int) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _time_is_up(*_: object) -> None:
    raise _TooLongError


def _confined() -> None:
    """Take from this process what a template has no need of, where the system can."""
    for text in (
        "{{ 'x' * 2 }}",
        "{% if %}",
    ):  # Jinja and Python load some modules late, and then no file can be opened
        with contextlib.suppress(_WrongError):
            _compiled(text)
    with contextlib.suppress(ImportError):
        import resource

        signal.signal(signal.SIGPROF, _time_is_up)
        for limit, value in (("RLIMIT_AS", _BYTES), ("RLIMIT_FSIZE", 0), ("RLIMIT_NOFILE", 3), ("RLIMIT_CORE", 0)):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(getattr(resource, limit), (value, value))


def main() -> None:
    """Answer each line of standard input, a question in JSON, by a line of JSON."""
    _confined()
    reader = _Reader()
    for question in sys.stdin.buffer:
        sys.stdout.write(json.dumps(reader.answer(question)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
