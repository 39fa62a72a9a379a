"""The detector of catastrophic overfitting: its looks at a training, on fixed examples."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from moat.data import Split, batches_in_order
from moat.losses import is_correct
from moat.passes import in_passes
from moat.randomness import generator_for
from moat.threats import (
    GradientThreat,
    Spent,
    Threat,
    attacked,
    joint_search,
    spent_by,
    steps_at,
    with_steps,
)
from moat.training.overfitting import Accuracies, Overfitting, has_overfitted
from moat.types import Images, Labels


class Detector:
    """The looks of one training, on examples that stay the same.

    `highest` holds the look with the highest accuracy under more steps, by threat, and `alarms` the
    overfitted threats, each with step, epoch and accuracies. A resumed run continues from both.
    """

    def __init__(
        self, settings: Overfitting, split: Split, size: tuple[int, int], seed: int
    ) -> None:
        count = min(settings.examples, len(split))
        drawn = torch.randperm(len(split), generator=generator_for(seed, 0, "overfitting"))[:count]
        self.settings, self.seed = settings, seed
        self.examples = split.take(drawn.sort().values.to(split.labels.device)).at(size)
        self.highest: dict[str, dict[str, float]] = {}
        self.alarms: dict[str, dict[str, Any]] = {}

    def state_dict(self) -> dict[str, Any]:
        """Return all that a resumed run needs."""
        return {"highest": self.highest, "alarms": self.alarms}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self.highest, self.alarms = dict(state["highest"]), dict(state["alarms"])

    def watched(self, threats: Mapping[str, Threat], growth: float) -> dict[str, GradientThreat]:
        """Return the threats of a look as the training searches them now.

        These are the ones without an alarm and with fewer steps than the stronger search.
        """
        now = {
            label: with_steps(one, steps_at(one.steps, growth))
            for label, one in threats.items()
            if isinstance(one, GradientThreat) and label not in self.alarms
        }
        return {label: one for label, one in now.items() if one.steps < self.settings.steps}

    def passes(self, watched: Mapping[str, GradientThreat]) -> float:
        """Return the passes of a look over all its examples."""
        return len(self.examples) * look_cost(self.settings, watched).total

    def look(
        self,
        model: nn.Module,
        watched: Mapping[str, GradientThreat],
        step: int,
        *,
        pass_size: int,
    ) -> dict[str, Accuracies]:
        """Measure the threats after a step, on the device of the network."""
        generator = generator_for(self.seed, step, "overfitting")
        device = next(model.parameters()).device
        right: dict[str, list[Tensor]] = {label: [] for label in watched}
        for x, y in batches_in_order(self.examples, pass_size, device):
            for label, own in watched.items():
                both = [own, with_steps(own, self.settings.steps)]
                traces = joint_search(model, both, x, y, generator=generator, pass_size=pass_size)
                found = [_correct(model, trace.images, y, pass_size) for trace in traces]
                right[label].append(torch.stack(found))
        shares = {n: torch.cat(parts, 1).double().mean(1) for n, parts in right.items()}
        return {label: Accuracies(*(100 * share).tolist()) for label, share in shares.items()}

    def judge(self, looks: Mapping[str, Accuracies], step: int, epoch: int) -> list[str]:
        """Record the looks; return the threats that have overfitted by now."""
        fresh = []
        for label, look in looks.items():
            highest = Accuracies(**self.highest[label]) if label in self.highest else look
            if look.more >= highest.more:
                self.highest[label] = asdict(look)
            elif has_overfitted(highest, look, self.settings.apart):
                about = {"step": step, "epoch": epoch, "highest": highest.more}
                self.alarms[label] = {**about, **asdict(look)}
                fresh.append(label)
        return fresh

    def text(self, label: str) -> str:
        """Return the text of a threat's alarm."""
        alarm, switch = self.alarms[label], self.settings.switch
        then = f"; from now on it takes at least {switch} steps" if switch else ""
        return (
            f"catastrophic overfitting to the search of {label!r} at step {alarm['step']:,}: "
            f"accuracy is {alarm['own']:.1f} % under the training's own search and "
            f"{alarm['more']:.1f} % under {self.settings.steps} steps, down from "
            f"{alarm['highest']:.1f} %{then}."
        )


def look_cost(settings: Overfitting, watched: Mapping[str, GradientThreat]) -> Spent:
    """Return the cost of a look for each of its examples: two searches a threat, and two answers.

    Example:
        >>> from moat.threats import PGD
        >>> one_step = {"pgd": PGD(epsilon=0.1, step_size=0.1, steps=1)}
        >>> look_cost(Overfitting(steps=10), one_step)
        Spent(forwards=13, backwards=11)
    """
    spent = Spent()
    for own in watched.values():
        for one in (own, with_steps(own, settings.steps)):
            spent = spent.plus(spent_by(one)).plus(Spent(1))
    return spent


def _correct(model: nn.Module, images: Images, y: Labels, pass_size: int) -> Tensor:
    with attacked(model), torch.no_grad():
        return is_correct(in_passes(model, images, pass_size), y)
