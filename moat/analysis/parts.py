"""The finished parts of an analysis, kept and taken up again, and its progress."""

from collections.abc import Callable
from typing import Protocol, TypedDict, runtime_checkable

from moat.runs.arrays import Arrays

AnalysisProgress = Callable[[float, float], object]
"""Receives the passes done and the passes in all; a pass is a forward and backward of an image."""


@runtime_checkable
class AnalysisParts(Protocol):
    """The store of an analysis's finished parts, from which it can resume.

    Example:
        >>> class InMemory:
        ...     def __init__(self):
        ...         self.kept = {}
        ...
        ...     def load(self, key):
        ...         return self.kept.get(key)
        ...
        ...     def save(self, key, arrays):
        ...         self.kept[key] = arrays
        >>> isinstance(InMemory(), AnalysisParts)
        True
    """

    def load(self, key: str) -> Arrays | None:
        """Return the kept arrays of a part, or None."""

    def save(self, key: str, arrays: Arrays) -> None:
        """Keep them."""


class AnalysisWork:
    """The passes of an analysis, done and in all, and its finished parts.

    Example:
        >>> work = AnalysisWork(of=3, progress=lambda done, of: print(f"{done:g} of {of:g}"))
        >>> work.advance(2)
        2 of 3
    """

    def __init__(
        self,
        of: float,
        progress: AnalysisProgress | None = None,
        parts: AnalysisParts | None = None,
    ) -> None:
        self.of, self.done = of, 0.0
        self._tell, self._parts = progress, parts

    def advance(self, passes: float) -> None:
        """Count passes as done, and report them."""
        self.done += passes
        if self._tell:
            self._tell(min(self.done, self.of), self.of)

    def part(self, key: str, passes: float, make: Callable[[], Arrays]) -> Arrays:
        """Return a part's arrays: the kept ones, whose passes count as done, or new ones.

        `make` counts its passes itself.
        """
        kept = self._parts.load(key) if self._parts else None
        if kept is not None:
            self.advance(passes)
            return kept
        made = make()
        if self._parts:
            self._parts.save(key, made)
        return made


class AnalysisKeys(TypedDict, total=False):
    """The keywords of a search's cost and progress that analyses share."""

    pass_size: int | None
    parts: AnalysisParts | None
    progress: AnalysisProgress | None
