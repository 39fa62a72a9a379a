"""The choice of examples for an analysis: by id, the first of different classes, or random."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from moat.analysis.arguments import require_distinct
from moat.data import Data, Split
from moat.errors import AnalysisError
from moat.evaluation import Protocol
from moat.evaluation.in_memory import split_of
from moat.evaluation.search_results import Rows


@dataclass(frozen=True)
class ExampleChoice:
    """Examples by their `ids`, or `count` of them: the first of different classes, or random.

    With a `seed` they are random. An id is an example's position in the source file, as in
    `moat.results(...).examples`.

    Example:
        >>> ExampleChoice(count=5, seed=0)
        ExampleChoice(ids=(), count=5, seed=0)
    """

    ids: tuple[int, ...] = ()
    count: int = 3
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise AnalysisError(f"the count of examples is at least 1, not {self.count}.")


def example_places(data: Any, split: Split, protocol: Protocol, choice: ExampleChoice) -> Rows:
    """Return the places of chosen examples among the evaluated ones, ascending.

    Raises AnalysisError for an id that the test set lacks, for one that the protocol leaves out,
    and for more examples than there are.
    """
    known = split.ids.cpu().numpy()
    if choice.ids:
        _require_ids(data, split, choice.ids)
        return np.flatnonzero(np.isin(known, choice.ids))
    if choice.count > len(known):
        raise AnalysisError(
            f"{choice.count} examples are wanted, and the protocol evaluates {len(known)}.",
            where="examples",
            hint=f"Ask for 1 to {len(known)}.",
        )
    if choice.seed is not None:
        drawn = np.random.default_rng(choice.seed).permutation(len(known))
        return np.sort(drawn[: choice.count])
    labels = split.labels.tolist()
    first = sorted({label: place for place, label in reversed(list(enumerate(labels)))}.values())
    rest = [place for place in range(len(labels)) if place not in set(first)]
    return np.sort(np.array([*first, *rest][: choice.count], dtype=np.int64))


def _require_ids(data: Any, split: Split, ids: tuple[int, ...]) -> None:
    require_distinct("example", ids, "examples")
    known = split_of(data)
    test = (known.test if isinstance(known, Data) else known).ids.tolist()
    evaluated = set(split.ids.tolist())
    for one in ids:
        if one not in set(test):
            raise AnalysisError(
                f"the test set has no example {one}: its {len(test):,} ids lie between "
                f"{min(test)} and {max(test)}.",
                where="examples",
                hint=_SOME.format(some=", ".join(map(str, test[:10]))),
            )
        if one not in evaluated:
            raise AnalysisError(
                f"the example {one} was not searched: the protocol evaluates {len(evaluated):,} "
                f"of the {len(test):,} test examples, without this one.",
                where="examples",
                hint=_SOME.format(some=", ".join(map(str, sorted(evaluated)[:10]))),
            )


_SOME = "among those to choose from: {some}\nThe column `example` of moat.results(...).examples \
lists all."
