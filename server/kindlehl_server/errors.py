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


def problem(error: KindlehlError) -> Response:
    """An error as an answer."""
    status = STATUS.get(error.code, 500)
    body = {"type": "about:blank", "title": error.message, "status": status, "code": error.code}
    if error.hint:
        body["hint"] = error.hint
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    return Response(json.dumps(body), status, headers, "application/problem+json")
