"""The passes of the searches of a training, beside those of searches in full length."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from moat.threats import JointSearch, SearchedThreat, Trace, spent_by
from moat.training.ledger import Ledger
from moat.types import Images, Labels


@dataclass
class SearchCount:
    """Passes of examples in the joint searches so far: those made, and those of full searches.

    Example:
        >>> SearchCount(made=60.0, full=100.0).about(examples=10)
        {'passes': 6.0, 'full': 10.0, 'saved': 0.4}
    """

    made: float = 0.0
    full: float = 0.0

    def about(self, examples: int) -> dict[str, Any]:
        """Return both for each example of the training split, and the saved share."""
        saved = 1 - self.made / self.full if self.full else 0.0
        per = (round(passes / examples, 3) for passes in (self.made, self.full))
        return {**dict(zip(("passes", "full"), per, strict=True)), "saved": round(saved, 4)}


@dataclass(frozen=True, eq=False)
class CountedSearch:
    """A joint search whose passes are added to a count, by the ledger of the network."""

    search: JointSearch
    ledger: Ledger
    count: SearchCount

    def __call__(
        self,
        model: nn.Module,
        threats: Sequence[SearchedThreat],
        x: Images,
        y: Labels,
        *,
        generator: torch.Generator | None,
        pass_size: int,
        reach: float,
    ) -> list[Trace]:
        """Return each threat's last iterate."""
        before = self.ledger.spent.total
        found = self.search(
            model, threats, x, y, generator=generator, pass_size=pass_size, reach=reach
        )
        self.count.made += self.ledger.spent.total - before
        self.count.full += len(x) * sum(spent_by(threat).total for threat in threats)
        return found
