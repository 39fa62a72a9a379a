"""The examples that have not left a climb: their iterates, and their departures."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from moat.geometry.balls import rows
from moat.losses import LOSSES, TARGETED, is_correct, nth_other_class
from moat.passes import cut, in_passes
from moat.threats.climb import Climb, Trace
from moat.threats.friendly import Friendly, Patience
from moat.threats.searches import BestSearch
from moat.threats.standings import Standings
from moat.threats.steepest import SteepestSearch
from moat.types import Images, Labels, Logits, PerExample, Transform, Verdicts


class Climber:
    """The examples of a climb that have not left the passes, with their current iterates.

    `standing` marks the examples that still climb, None if all do. To let the others leave, the
    host must read which they are, for which it waits for a GPU.
    """

    def __init__(
        self,
        climb: Climb,
        model: nn.Module,
        pass_size: int,
        *,
        until_fallen: bool | Friendly = False,
        measure: bool = True,
        leave_every: int = 1,
    ) -> None:
        self.climb, self.until_fallen, self.leave_every = climb, bool(until_fallen), leave_every
        self.x, self.y = _differentiable(climb.x), _differentiable(climb.y)
        self.w: Transform = tuple(_differentiable(block) for block in climb.start)
        self.rows = torch.arange(len(self.x), device=self.x.device)
        self.patience: Patience | None = None
        if isinstance(until_fallen, Friendly):
            self.patience = Patience(until_fallen, self.rows)
        self.steps = max(climb.at_steps)
        self.balls = climb.balls(self.x)
        self.reference = reference_of(climb, self.x, self.y, model, pass_size)
        self.search = climb.search(self.w, self.x.new_zeros(len(self.x)))
        self.follows_gradient = self.search.follows_gradient
        if isinstance(self.search, SteepestSearch):
            self.search.losses_of = partial(self._losses_of, model, pass_size)
        # The last iterate alone, of a search that remembers nothing: only the slopes count.
        self.light = (
            not (measure or until_fallen or isinstance(self.search, BestSearch))
            and climb.among is None
            and len(climb.at_steps) == 1
        )
        self.parts: list[tuple[Images, PerExample, Verdicts, Transform]] = []
        self.slopes: list[tuple[PerExample, Transform]] = []  # of a light climb
        self.traces: dict[int, Trace] = {}
        if not self.light:
            self.held = Standings(climb, len(self.x))
        self.standing = climb.among
        if self.standing is not None and leave_every and not bool(self.standing.all()):
            self._leave()

    def __len__(self) -> int:
        return len(self.rows)

    def images(self, w: Transform, rows: slice) -> Images:
        """Return T_w(x) of some of the examples."""
        return self.climb.apply(self.x[rows], w)

    def losses(self, logits: Logits, w: Transform, rows: slice) -> PerExample:
        """Return the climbed values of some of the examples."""
        reference = None if self.reference is None else self.reference[rows]
        return climbed_value(self.climb, logits, self.y[rows], reference, w)

    def _losses_of(self, model: nn.Module, pass_size: int, iterates: Sequence[Transform]) -> Tensor:
        """Return what is climbed at several iterates, (iterates, batch), without a gradient."""
        found = []
        with torch.no_grad():
            for segments in cut([len(self)] * len(iterates), pass_size):
                parts = [
                    tuple(block[segment.rows] for block in iterates[segment.which])
                    for segment in segments
                ]
                images = [self.images(w, s.rows) for w, s in zip(parts, segments, strict=True)]
                logits = model(torch.cat(images)).split([len(part) for part in images])
                found += [
                    self.losses(own, w, s.rows)
                    for own, w, s in zip(logits, parts, segments, strict=True)
                ]
        return (torch.cat(found) if found else self.x[:0]).view(len(iterates), len(self))

    def take(
        self, rows: slice, images: Images, logits: Logits, loss: PerExample, slopes: Transform
    ) -> None:
        """Keep the results of one pass; the passes of an iterate come in order."""
        # Of the images' type, as all that is kept of an example: a network may answer in float64.
        loss = loss.detach().to(self.x.dtype)
        if self.light:
            self.slopes.append((loss, slopes))
        else:
            stands = is_correct if self.patience is None else self.patience.friendly.stands
            correct = stands(logits, self.y[rows])
            self.parts.append((images.detach(), loss, correct, slopes))

    def advance(self, step: int) -> None:
        """Report the measured iterate if requested, let the fallen leave, and move the others."""
        if self.light:
            losses, blocks = zip(*self.slopes, strict=True)
            self.slopes = []
            self._move(_cat(losses), _finite(_joined(blocks)))
            return
        images, loss, correct, slopes = self._measured()
        usable = _usable(slopes, loss, step == 0)
        self.held.see(self.rows, loss, correct, usable, self.standing)
        slopes = _finite(slopes)
        self.search.see(self.w, loss, correct, slopes)
        if step in self.climb.at_steps:
            self._report(step, images, loss, correct)
        if self.until_fallen:
            stays = correct if self.patience is None else self.patience.stays(correct)
            left = self._let_fall(step, images, loss, stays)
            if left is not None:
                loss, slopes = loss[left], tuple(slope[left] for slope in slopes)
        self._move(loss, slopes)

    def _let_fall(
        self, step: int, images: Images, loss: PerExample, correct: Verdicts
    ) -> Verdicts | None:
        """Keep the iterate of those that fall here; return which of all go on, None where all do.

        The fallen leave now and then. Until they do, they climb on unheeded.
        """
        fell, self.standing = self._those(~correct), self._those(correct)
        if not self.leave_every or (step + 1) % self.leave_every:
            self.held.write(self.rows, images, self.w, loss, correct, fell)
            return None
        if bool(self.standing.all()):
            self.standing = None
            return None
        fallen = tuple(block[fell] for block in self.w)
        self.held.write(self.rows[fell], images[fell], fallen, loss[fell], correct[fell])
        return self._leave()

    def _those(self, chosen: Verdicts) -> Verdicts:
        """Return which of the chosen examples still climb."""
        return chosen if self.standing is None else chosen & self.standing

    def _leave(self) -> Verdicts | None:
        """Go on with those that stand, and return which of all they were; None of all."""
        standing, self.standing = self.standing, None
        if standing is not None:
            self._keep(standing)
        return standing

    def _move(self, loss: PerExample, slopes: Transform) -> None:
        moved = self.search.next(self.w, loss, slopes, self.balls)
        self.w = tuple(block.detach() for block in moved)

    def finish(self, measured: bool) -> dict[int, Trace]:
        """Report the last iterate, and return every report in the order of the counts."""
        if self.parts:
            images, loss, correct, _ = self._measured()
            self.held.see(self.rows, loss, correct, torch.ones_like(correct), self.standing)
            self.search.see(self.w, loss, correct, ())
            self._report(self.steps, images, loss, correct)
        elif self.light:
            images = self.climb.apply(self.x, self.w).clamp(0, 1).detach()
            return {self.steps: Trace(images, self.w)}
        elif len(self) and not measured:
            images = self.climb.apply(self.x, self.w).clamp(0, 1).detach()
            unknown = images.new_zeros(len(self))
            self.held.write(self.rows, images, self.w, unknown, unknown.bool(), self.standing)
        last = self.held.trace()  # of the counts that were not reported, all of whom fell before
        self.traces = {n: self.traces.get(n, last) for n in self.climb.at_steps}
        if not measured:
            return {n: Trace(self.traces[n].images, self.traces[n].w) for n in self.climb.at_steps}
        return {n: self.traces[n] for n in self.climb.at_steps}

    def _measured(self) -> tuple[Images, PerExample, Verdicts, Transform]:
        """Lay the passes of an iterate end to end again."""
        images, losses, verdicts, slopes = zip(*self.parts, strict=True)
        self.parts = []
        return _cat(images), _cat(losses), _cat(verdicts), _joined(slopes)

    def _report(self, step: int, images: Images, loss: PerExample, correct: Verdicts) -> None:
        w, search = self.w, self.search
        if isinstance(search, BestSearch):
            w, loss, correct = search.best, search.best_loss, search.best_correct
            images = self.climb.apply(self.x, w).detach()
        self.held.write(self.rows, images, w, loss, correct, self.standing)
        if step < self.steps:  # what is held at the end is the last trace itself
            self.traces[step] = self.held.trace().copy()

    def _keep(self, chosen: Verdicts) -> None:
        """Go on with some of the examples."""
        self.x, self.y, self.rows = self.x[chosen], self.y[chosen], self.rows[chosen]
        self.w = tuple(block[chosen] for block in self.w)
        self.reference = None if self.reference is None else self.reference[chosen]
        self.balls = self.climb.balls(self.x)
        self.search.keep(chosen)
        if self.patience is not None:
            self.patience.keep(chosen)


def climbed_value(
    climb: Climb, logits: Logits, y: Labels, reference: Tensor | None, w: Transform
) -> PerExample:
    """Return what a search climbs at w, of any of its examples; see `reference_of`."""
    climbed = climb.loss
    if callable(climbed):
        loss = climbed(logits, y, reference)
    elif climbed in TARGETED:
        assert reference is not None
        loss = TARGETED[climbed](logits, y, reference)
    else:
        loss = LOSSES[climbed](logits, y, reference)
    return loss if climb.objective is None else climb.objective(loss, w)


def _differentiable(tensor: Tensor) -> Tensor:
    """Return a tensor that autograd accepts: a copy of one that outer inference_mode made."""
    return tensor.clone() if tensor.is_inference() else tensor


def reference_of(
    climb: Climb, x: Images, y: Labels, model: nn.Module, pass_size: int
) -> Tensor | None:
    """Return what a loss compares with: natural logits, or the class that is aimed at."""
    if not len(x) or (climb.loss != "kl" and climb.loss not in TARGETED):
        return None
    with torch.no_grad():
        logits = in_passes(model, x, pass_size)
    return logits if climb.loss == "kl" else nth_other_class(logits, y, climb.rank)


def _cat(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def _joined(parts: Sequence[Transform]) -> Transform:
    """Lay the blocks of an iterate's passes end to end."""
    return tuple(_cat(block) for block in zip(*parts, strict=True))


def _finite(slopes: Transform) -> Transform:
    """Return gradients whose entries that are not finite are zero: nothing moves there."""
    return tuple(slope.nan_to_num(0.0, 0.0, 0.0) for slope in slopes)


def _usable(slopes: Transform, like: Tensor, at_start: bool) -> Verdicts:
    """Return which examples have finite gradients, and at the start any that is not zero."""
    flat = [rows(slope) for slope in slopes]
    fine = torch.ones_like(like, dtype=torch.bool)
    for slope in flat:
        fine &= slope.isfinite().all(1)
    if at_start and flat:
        fine &= torch.stack([(slope != 0).any(1) for slope in flat]).any(0)
    return fine
