"""Decays of the learning rate, over torch's schedulers; each steps once a training step."""

from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch.optim import lr_scheduler

from moat.fields import Fields
from moat.number_bounds import PositiveCount, PositiveNumber

Scheduler = lr_scheduler.LRScheduler


class Constant(Fields):
    """The learning rate stays.

    Example:
        >>> Constant().type
        'constant'
    """

    type: Literal["constant"] = "constant"

    def build(
        self, optimizer: torch.optim.Optimizer, steps: int, steps_per_epoch: int
    ) -> Scheduler:
        """Return a scheduler that changes nothing."""
        return lr_scheduler.ConstantLR(optimizer, factor=1.0)


class MultiStep(Fields):
    """The learning rate is multiplied by `gamma` after each of the named epochs.

    Example:
        >>> parameter = torch.nn.Parameter(torch.zeros(1))
        >>> optimizer = torch.optim.SGD([parameter], lr=1.0)
        >>> schedule = MultiStep(milestones=[1]).build(optimizer, steps=2, steps_per_epoch=1)
        >>> optimizer.step(); schedule.step(); schedule.get_last_lr()
        [0.1]
    """

    type: Literal["multi-step"] = "multi-step"
    milestones: Annotated[tuple[PositiveCount, ...], Field(strict=False, min_length=1)]  # epochs
    gamma: PositiveNumber = 0.1

    @model_validator(mode="after")
    def _ascending(self) -> "MultiStep":
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones should ascend, not be {list(self.milestones)}")
        return self

    def build(
        self, optimizer: torch.optim.Optimizer, steps: int, steps_per_epoch: int
    ) -> Scheduler:
        """Return torch's MultiStepLR, its milestones counted in steps."""
        ends = [epoch * steps_per_epoch for epoch in self.milestones]
        return lr_scheduler.MultiStepLR(optimizer, ends, self.gamma)


class Cosine(Fields):
    """The learning rate falls along half a cosine, to zero after the last step.

    Example:
        >>> parameter = torch.nn.Parameter(torch.zeros(1))
        >>> optimizer = torch.optim.SGD([parameter], lr=1.0)
        >>> schedule = Cosine().build(optimizer, steps=2, steps_per_epoch=2)
        >>> optimizer.step(); schedule.step(); schedule.get_last_lr()
        [0.5]
    """

    type: Literal["cosine"] = "cosine"

    def build(
        self, optimizer: torch.optim.Optimizer, steps: int, steps_per_epoch: int
    ) -> Scheduler:
        """Return torch's CosineAnnealingLR over all steps of the run."""
        return lr_scheduler.CosineAnnealingLR(optimizer, steps)


Schedule = Annotated[Constant | MultiStep | Cosine, Field(discriminator="type")]
