"""The progress of an evaluation, threat by threat and batch by batch."""

from collections.abc import Callable
from dataclasses import dataclass, field

from moat.evaluation.protocol import Protocol
from moat.evaluation.room import Room
from moat.evaluation.search_results import Found
from moat.names import NATURAL


@dataclass(frozen=True)
class EvaluationProgress:
    """The progress of an evaluation: passes done, passes at most, and the next threat.

    `memory` is the largest number of bytes of its own, in passes of `pass_size` images.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from moat.evaluation import evaluate
        >>> from moat.threats import PGD
        >>> seen = []
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> images, labels = torch.rand(4, 1, 8, 8), torch.arange(4)
        >>> pgd = PGD(epsilon=0.1, step_size=0.02, steps=2)
        >>> _ = evaluate(network, (images, labels), pgd, progress=seen.append)
        >>> seen[-1].threat, seen[-1].batch, seen[-1].batches
        ('pgd', 1, 1)
    """

    done: float
    of: float
    threat: str
    batch: int
    batches: int
    accuracy: dict[str, float] = field(default_factory=dict)  # percent of the examples so far
    memory: int = 0
    pass_size: int = 0


class Telling:
    """The progress of an evaluation as it is told: the share done, and the accuracies so far."""

    def __init__(
        self,
        protocol: Protocol,
        examples: int,
        batches: int,
        tell: Callable[[EvaluationProgress], None] | None,
    ) -> None:
        self.tell = tell
        self.costs = {NATURAL: 1 / 3, **{label: protocol.cost(label) for label in protocol.threats}}
        self.of = sum(self.costs.values()) * examples
        self.batches = batches
        self.done, self.seen = 0.0, dict.fromkeys(self.costs, 0)
        self.stood = dict.fromkeys(self.costs, 0.0)
        self.memory = self.infinite = 0  # and examples whose logits are not finite
        self.room: Room | None = None

    def settle(self, room: Room, memory: int) -> None:
        """Tell the pass size of a room and the memory of its passes from now on."""
        self.room, self.memory = room, memory

    @property
    def pass_size(self) -> int | None:
        """The largest number of images in a pass, once it is settled."""
        return self.room.pass_size if self.room else None

    def begin(self, label: str, batch: int) -> None:
        """Tell the threat that is searched next."""
        if self.tell:
            accuracy = {n: 100 * self.stood[n] / seen for n, seen in self.seen.items() if seen}
            told = EvaluationProgress(
                done=self.done,
                of=self.of,
                threat=label,
                batch=batch + 1,
                batches=self.batches,
                accuracy=accuracy,
                memory=self.memory,
                pass_size=self.pass_size or 0,
            )
            self.tell(told)

    def end(self, label: str, batch: int, found: Found) -> None:
        """Count the outcomes of a threat on a batch, and tell them."""
        examples = len(found.outcomes)
        self.done += self.costs[label] * examples
        self.seen[label] += examples
        self.stood[label] += int((found.outcomes != 0).all(1).sum())
        self.begin(label, batch)
