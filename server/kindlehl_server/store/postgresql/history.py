"""Who had seen what, of the edits at hand."""

from collections.abc import Iterable, Mapping, Sequence

from kindlehl.domain.facts import Id


class Seen:
    """What `History` asks, without a question to the database each time."""

    def __init__(self, seen: Mapping[Id, Sequence[Id]]) -> None:
        self._seen = seen

    def before(self, ids: Iterable[Id]) -> set[Id]:
        """The facts named, and all that those had seen, and so on."""
        out: set[Id] = set()
        todo = [*ids]
        while todo:
            id_ = todo.pop()
            if id_ not in out:
                out.add(id_)
                todo += self._seen.get(id_, ())
        return out
