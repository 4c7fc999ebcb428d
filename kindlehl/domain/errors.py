"""What can go wrong, in sentences for people: what happened, and what to do about it."""

from typing import ClassVar


class KindlehlError(Exception):
    """Something a person can act on.

    `message` says what happened, `hint` what to do; neither ever holds a highlight's text. `code` names the meaning for
    programs and is stable; the command line maps it to an exit code, a server to a status.
    """

    code: ClassVar[str] = "failed"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.retry_after: float | None = None
        """Seconds after which it may go better, where somebody said so."""


class UsageError(KindlehlError):
    """The request itself makes no sense: a bad option, a query that cannot be read."""

    code = "usage"


class CancelledError(KindlehlError):
    """The reader was asked, and said no."""

    code = "cancelled"


class ConfigError(KindlehlError):
    """A configuration file cannot be read, understood or written."""

    code = "config"


class NotFoundError(KindlehlError):
    """What was asked for by name or id is not in the library."""

    code = "not_found"


class ConflictError(KindlehlError):
    """Somebody has changed since what was to be changed or taken back."""

    code = "conflict"


class StaleError(ConflictError):
    """What was to be changed is no longer what its author had read."""

    code = "precondition_failed"


class UnreadError(KindlehlError):
    """A change that does not say what its author had read."""

    code = "precondition_required"


class ReusedKeyError(KindlehlError):
    """A key by which a request is known came with another one before."""

    code = "key_reused"


class NoSourceError(KindlehlError):
    """No device and no file to read from."""

    code = "no_source"


class SourceError(KindlehlError):
    """A source is there but cannot be read: not a format we know, unreadable, gone half-way."""

    code = "source"


class TargetError(KindlehlError):
    """An export cannot be written where it was asked for."""

    code = "target"


class LibraryError(KindlehlError):
    """The library's file cannot be opened, read or written."""

    code = "library"


class CorruptLibraryError(LibraryError):
    """The library's file is damaged or is no library."""

    code = "corrupt"


class NewerLibraryError(LibraryError):
    """The library was written by a newer kindlehl."""

    code = "newer"


class BusyError(KindlehlError):
    """Somebody else holds the library; later it will work."""

    code = "busy"


class MissingDependencyError(KindlehlError):
    """Something the system has to provide is not installed."""

    code = "missing"


class PluginError(KindlehlError):
    """A plugin is broken or unknown."""

    code = "plugin"


class OfflineError(KindlehlError):
    """A server cannot be reached, or did not answer to the end; later it will."""

    code = "offline"


class WireError(KindlehlError):
    """What was sent is not what it should be."""

    code = "invalid"


class MovedError(KindlehlError):
    """The other library was restored or emptied while one spoke with it: begin anew."""

    code = "moved"


class UpgradeError(KindlehlError):
    """Two versions that do not understand each other."""

    code = "upgrade_required"


class RevokedError(KindlehlError):
    """A device is not, or no longer, let in."""

    code = "revoked"


class DeniedError(KindlehlError):
    """Somebody may not do that, or is not who he says."""

    code = "denied"


class TooOftenError(KindlehlError):
    """Somebody asks, or guesses, too often."""

    code = "too_often"


class TooLargeError(WireError):
    """What was sent is larger than what is taken."""

    code = "too_large"


def kind_of(code: str) -> type[KindlehlError]:
    """The kind of error that this code names; of a code that is not known, that something failed."""
    waiting: list[type[KindlehlError]] = [KindlehlError]
    while waiting:
        kind = waiting.pop()
        if kind.code == code:
            return kind
        waiting += kind.__subclasses__()
    return KindlehlError
