"""A batch of an evaluation: its examples, the model, and the grouping of searches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from moat.evaluation.float_images import float_images
from moat.evaluation.model_checks import no_memory_for_an_image
from moat.evaluation.protocol import Attempt, Protocol
from moat.evaluation.room import Room, Together
from moat.evaluation.search_results import Rows
from moat.geometry.draws import BatchGenerator
from moat.passes import in_passes, is_out_of_memory
from moat.randomness import generator_of, seed_named
from moat.threats import Climb, SearchedThreat, Trace, ascend, attacked
from moat.transfers import send
from moat.types import Images, Labels, Logits, StoredImages

BATCH = 512
"""Examples whose iterates are held at once; random starts are drawn batch by batch."""
T = TypeVar("T")
Climbed = list[tuple[Climb, Trace]]
"""Each search with each of its traces, in the order of the columns."""
Keep = Callable[[Rows, tuple[Attempt, ...], Climbed], None]
"""Takes what was found of some rows by some searches, on the device."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Examples, bytes or floats, with labels on the model's device, by a number of their own.

    Random starts are drawn for the batch as a whole, so that neither memory nor passes nor other
    searches change the start of an example.
    """

    model: nn.Module
    images: StoredImages
    labels: Labels
    protocol: Protocol
    number: int
    room: Room
    leave_every: int | None = None  # see `ascend`

    def __len__(self) -> int:
        return len(self.labels)

    def examples(self, rows: Rows) -> tuple[Images, Labels]:
        """Return images and labels of some rows, ascending."""
        if len(rows) == len(self):
            return float_images(self.images), self.labels
        there = self.places(rows)
        return float_images(self.images[there]), self.labels[there]

    def places(self, rows: Rows) -> Tensor:
        """Return rows as an index of tensors on the device."""
        return send(torch.from_numpy(rows), self.labels.device)

    def logits(self, x: Images) -> Logits:
        """Return what the model makes of images."""
        with attacked(self.model), torch.no_grad():
            return self.in_passes(len(x), lambda size: in_passes(self.model, x, size))

    def natural_logits(self) -> Logits:
        """Return what the model makes of the batch as it is."""

        def answers(images: StoredImages) -> Logits:
            logits: Logits = self.model(float_images(images))
            return logits

        with attacked(self.model), torch.no_grad():
            return self.in_passes(len(self), lambda size: in_passes(answers, self.images, size))

    def in_passes(self, examples: int, run: Callable[[int], T]) -> T:
        """Return what `run` gives with passes that fit: they are halved until they do."""
        while True:
            try:
                return run(self.room.pass_size)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                said = str(error)
            self.shorten(examples, said)  # here: an error holds what was computed before it

    def shorten(self, longest: int, said: str) -> None:
        """Go on with shorter passes; raise ModelError where there are none."""
        if min(self.room.pass_size, longest) <= 1:
            raise no_memory_for_an_image(said)
        self.room.shorten(longest)
        if self.labels.is_cuda:
            torch.cuda.empty_cache()

    def climb(
        self,
        label: str,
        rows: Rows,
        attempts: Sequence[Attempt],
        keep: Keep,
    ) -> None:
        """Search some rows in groups that fit, and have what each group found kept."""
        waiting = list(self.room.together(label, rows, attempts))
        while waiting:
            group, *waiting = waiting
            try:
                keep(group.rows, group.attempts, self._climbed(label, group))
                continue
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                said = str(error)
            halves, longest = group.halves(), len(group.rows) * len(group.attempts)
            if halves is None or min(self.room.pass_size, longest) > 1:
                self.shorten(longest, said)
            waiting = [*(halves or (group,)), *waiting]

    def _climbed(self, label: str, group: Together) -> Climbed:
        """Search a group; each climb with its traces, in the order of the columns."""
        x, y = self.examples(group.rows)
        climbs = [self.climb_of(label, one, x, y, group.rows) for one in group.attempts]
        searched = ascend(
            self.model,
            climbs,
            self.room.pass_size,
            until_fallen=self.protocol.falls == "any",
            leave_every=self.leave_every,
        )
        return [
            (climb, traces[count])
            if climb.among is None
            else _those(self.places(group.rows), climb, traces[count])
            for climb, traces in zip(climbs, searched, strict=True)
            for count in climb.at_steps
        ]

    def climb_of(self, label: str, attempt: Attempt, x: Images, y: Labels, rows: Rows) -> Climb:
        """Return one search of some rows; what it draws is drawn for the whole batch."""
        threat = self.protocol.threats[label]
        assert isinstance(threat, SearchedThreat)
        counts = tuple(int(column.strength) for column in attempt.columns)
        reach = self.protocol.reach(label, attempt)
        at_steps = (threat.steps,) if attempt.epsilon is not None else counts
        rank = attempt.restart + 1
        generator = BatchGenerator(self.seed(label, attempt), rows, len(self))
        climb = threat.climb(x, y, at_steps=at_steps, generator=generator, reach=reach, rank=rank)
        if len(rows) == len(self) or generator.is_sound():
            return climb
        # A threat that draws by itself draws for those whom it is given: here, for all.
        whole, labels = self.examples(np.arange(len(self)))
        among = np.isin(np.arange(len(self)), rows)
        climb = threat.climb(
            whole,
            labels,
            at_steps=at_steps,
            generator=self.generator(label, attempt),
            reach=reach,
            rank=rank,
        )
        return replace(climb, among=send(torch.from_numpy(among), labels.device))

    def seed(self, label: str, attempt: Attempt) -> int:
        """Return a search's own seed, so that no other search changes what it draws."""
        return seed_named(self.protocol.seed, label, attempt.restart, self.number)

    def generator(self, label: str, attempt: Attempt) -> torch.Generator:
        """Return a search's own generator."""
        return generator_of(self.seed(label, attempt))


def _those(rows: Tensor, climb: Climb, trace: Trace) -> tuple[Climb, Trace]:
    """Return a climb of the whole batch, and a trace of it, as those of some rows."""
    numbers = {n: part[rows] for n, part in vars(trace).items() if isinstance(part, Tensor)}
    w, start = (tuple(block[rows] for block in of) for of in (trace.w, climb.start))
    return (
        replace(climb, x=climb.x[rows], y=climb.y[rows], start=start, among=None),
        replace(trace, w=w, **numbers),
    )
