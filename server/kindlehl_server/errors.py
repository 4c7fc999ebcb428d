"""What went wrong, as HTTP says it: a status for each meaning, and an RFC 9457 problem."""

import json
import math

from starlette.responses import Response

from kindlehl.domain.errors import KindlehlError

STATUS = {
    "usage": 400,
    "invalid": 400,
    "revoked": 401,
    "denied": 403,
    "not_found": 404,
    "conflict": 409,
    "moved": 409,
    "precondition_failed": 412,
    "too_large": 413,
    "key_reused": 422,
    "upgrade_required": 426,
    "too_often": 429,
    "precondition_required": 428,
    "busy": 503,
    "library": 507,
}
"""By `KindlehlError.code`; of whatever is not here the server is to blame."""


def status(error: KindlehlError) -> int:
    """By what it means."""
    return STATUS.get(error.code, 500)


def waiting(error: KindlehlError) -> dict[str, str]:
    """The header that says how long to wait, where that is known."""
    return {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}


def problem(error: KindlehlError) -> Response:
    """An error as an answer."""
    number = status(error)
    body = {"type": "about:blank", "title": error.message, "status": number, "code": error.code}
    if error.hint:
        body["hint"] = error.hint
    headers = {"Cache-Control": "no-store", **waiting(error)}
    if number == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(json.dumps(body), number, headers, "application/problem+json")
