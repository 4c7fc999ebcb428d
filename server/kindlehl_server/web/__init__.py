"""What a browser is shown: pages from templates, and how they look."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

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


def page(request: Request, name: str, status: int = 200, /, **words: object) -> Response:
    """A page by the name of its template. What is asked for lies below whatever a proxy puts before it."""
    common = {"root": request.scope.get("root_path", ""), "person": None, "problem": None}
    return HTMLResponse(_templates.get_template(f"{name}.html").render(common | words), status, HEADERS)
