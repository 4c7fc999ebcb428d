"""What a browser is shown: pages from templates, and how they look."""

import re
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from kindlehl.domain.errors import KindlehlError
from kindlehl_server import errors

STATIC = Path(__file__).parent / "static"
HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Of every page: nothing of others is loaded, nobody frames it, nobody keeps it."""
_templates = Environment(
    loader=PackageLoader("kindlehl_server.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _commands(sentence: str) -> Markup:
    """With what somebody would type set apart."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(sentence))))  # noqa: S704 -- escaped


_templates.filters["commands"] = _commands


def root(request: Request) -> str:
    """What a proxy puts before every path."""
    path: str = request.scope.get("app_root_path", request.scope.get("root_path", ""))
    return path


def page(request: Request, name: str, problem: KindlehlError | None = None, /, **words: object) -> Response:
    """A page by the name of its template, above it what went wrong, where something did. What is asked for lies below
    whatever a proxy puts before it."""
    common = {"root": root(request), "person": None, "problem": problem}
    status, headers = (errors.blamed(problem)[0], errors.waiting(problem)) if problem else (200, {})
    html = _templates.get_template(f"{name}.html").render(common | words)
    return HTMLResponse(html, status, HEADERS | headers)
