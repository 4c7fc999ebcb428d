"""A decorator for the values of which there are millions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:

    def value(**_: Any) -> Any:
        """Frozen for the type checkers and cheap at run time: filling a frozen dataclass takes twice as long. That was
        a tenth of a whole import, which makes each record twice."""
        return dataclass(slots=True, unsafe_hash=True)


__all__ = ["value"]
