"""A plugin that was written for another version, and cannot be loaded by this one."""

from kindlehl.domain.contract import Importer, SomethingThatWasRenamed  # noqa: F401  # pyright: ignore
