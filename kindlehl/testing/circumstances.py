"""Another time, other random numbers and no network: what no document may show."""

import datetime
import random
import socket
import sys
import time
import uuid
from functools import partial
from typing import Any

import pytest


def other_circumstances(patch: pytest.MonkeyPatch, module: str, asked: list[str]) -> None:
    """Another year, other random numbers, and a network that notes who asks for it."""
    shift = 400 * 86_400 + 3_723
    now, now_ns = time.time, time.time_ns
    patch.setattr(time, "time", lambda: now() + shift)
    patch.setattr(time, "time_ns", lambda: now_ns() + shift * 1_000_000_000)
    for name in ("localtime", "gmtime", "ctime"):
        patch.setattr(time, name, partial(_at, getattr(time, name), lambda: now() + shift))
    for name in ("strftime", "asctime"):
        patch.setattr(time, name, partial(_written_at, getattr(time, name)))
    random.seed(shift)
    patch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=random.getrandbits(128), version=4))

    # `datetime.now` itself cannot be changed, but what the plugin's own modules call by that name can.
    others = {id(datetime.datetime): _Moment, id(datetime.date): _Day, id(datetime): _Datetimes()}
    top = module.partition(".")[0]
    for name, own in list(sys.modules.items()):
        if name.partition(".")[0] == top:
            for key, value in list(vars(own).items()):
                if id(value) in others:
                    patch.setattr(own, key, others[id(value)])

    def refuse(*where: Any, **_: Any) -> Any:
        asked.append(repr(where[-1] if where else ""))
        message = "there is no network while a contract is tested"
        raise OSError(message)

    for name in ("create_connection", "getaddrinfo", "gethostbyname"):
        patch.setattr(socket, name, refuse)
    patch.setattr(socket.socket, "connect", refuse)


def _at(asked: Any, now: Any, seconds: float | None = None) -> Any:
    return asked(now() if seconds is None else seconds)


def _written_at(asked: Any, *form_and_time: Any) -> Any:
    forms = [one for one in form_and_time if isinstance(one, str)]
    return asked(*form_and_time) if len(forms) < len(form_and_time) else asked(*forms, time.localtime())


class _Day(datetime.date):
    @classmethod
    def today(cls) -> Any:
        return cls.fromtimestamp(time.time())


class _Moment(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def today(cls) -> Any:
        return cls.now()

    @classmethod
    def utcnow(cls) -> Any:
        return cls.now(datetime.UTC).replace(tzinfo=None)


class _Datetimes:
    """The module `datetime`, with another now."""

    datetime = _Moment
    date = _Day

    def __getattr__(self, name: str) -> Any:
        return getattr(datetime, name)
