"""Schedules of the learning rate, over torch's; each steps once a training step."""

from abc import ABC, abstractmethod
from math import ceil, cos, pi
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch.optim import lr_scheduler

from moat.fields import Fields
from moat.number_bounds import PositiveCount, PositiveNumber

Scheduler = lr_scheduler.LRScheduler


Ratio = Annotated[float, Field(ge=0, lt=1)]


class _Warmed(ABC):
    """A schedule whose first steps, that share of all, raise the learning rate to its full size."""

    warmup_ratio: float

    def build(
        self, optimizer: torch.optim.Optimizer, steps: int, steps_per_epoch: int
    ) -> Scheduler:
        """Return torch's scheduler, or one that raises the rate first and then follows it."""
        rising = min(ceil(self.warmup_ratio * steps), steps - 1)  # the last step is the schedule's
        if not rising:
            return self.decay(optimizer, steps, steps_per_epoch)

        def factor(step: int) -> float:
            if step < rising:
                return (step + 1) / rising
            return self.factor(step, rising, steps, steps_per_epoch)

        return lr_scheduler.LambdaLR(optimizer, factor)

    @abstractmethod
    def decay(
        self, optimizer: torch.optim.Optimizer, steps: int, steps_per_epoch: int
    ) -> Scheduler:
        """Return the scheduler without a warm-up."""

    @abstractmethod
    def factor(self, step: int, rising: int, steps: int, steps_per_epoch: int) -> float:
        """Return the share of the learning rate at a step after a warm-up of `rising` steps."""


class Constant(_Warmed, Fields):
    """The learning rate stays.

    Example:
        >>> Constant().type
        'constant'
    """

    type: Literal["constant"] = "constant"
    warmup_ratio: Ratio = 0.0  # of the steps, as in the others

    def decay(
        self, optimizer: torch.optim.Optimizer, steps: int, steps_per_epoch: int
    ) -> Scheduler:
        """Return a scheduler that changes nothing."""
        return lr_scheduler.ConstantLR(optimizer, factor=1.0)

    def factor(self, step: int, rising: int, steps: int, steps_per_epoch: int) -> float:
        """Return 1: the whole learning rate."""
        return 1.0


class MultiStep(_Warmed, Fields):
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
    warmup_ratio: Ratio = 0.0

    @model_validator(mode="after")
    def _ascending(self) -> "MultiStep":
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones should ascend, not be {list(self.milestones)}")
        return self

    def decay(
        self, optimizer: torch.optim.Optimizer, steps: int, steps_per_epoch: int
    ) -> Scheduler:
        """Return torch's MultiStepLR, its milestones counted in steps."""
        ends = [epoch * steps_per_epoch for epoch in self.milestones]
        return lr_scheduler.MultiStepLR(optimizer, ends, self.gamma)

    def factor(self, step: int, rising: int, steps: int, steps_per_epoch: int) -> float:
        """Return a power of `gamma`: the milestones count from the first step of the training."""
        passed = sum(step >= epoch * steps_per_epoch for epoch in self.milestones)
        return float(self.gamma**passed)


class Cosine(_Warmed, Fields):
    """The learning rate falls along half a cosine, to zero after the last step.

    Example:
        >>> parameter = torch.nn.Parameter(torch.zeros(1))
        >>> optimizer = torch.optim.SGD([parameter], lr=1.0)
        >>> schedule = Cosine().build(optimizer, steps=2, steps_per_epoch=2)
        >>> optimizer.step(); schedule.step(); schedule.get_last_lr()
        [0.5]
    """

    type: Literal["cosine"] = "cosine"
    warmup_ratio: Ratio = 0.0

    def decay(
        self, optimizer: torch.optim.Optimizer, steps: int, steps_per_epoch: int
    ) -> Scheduler:
        """Return torch's CosineAnnealingLR over all steps of the run."""
        return lr_scheduler.CosineAnnealingLR(optimizer, steps)

    def factor(self, step: int, rising: int, steps: int, steps_per_epoch: int) -> float:
        """Return half a cosine over the steps after the warm-up, 0 after the last."""
        return 0.5 * (1 + cos(pi * min(1.0, (step - rising) / (steps - rising))))


Schedule = Annotated[Constant | MultiStep | Cosine, Field(discriminator="type")]
