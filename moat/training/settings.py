"""The training table of a recipe."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from moat.allocator import Allocator
from moat.errors import FieldError
from moat.fields import Fields
from moat.number_bounds import MOST_COUNTED, PositiveCount, PositiveNumber
from moat.threats.friendly import Friendly
from moat.training.overfitting import Overfitting


def _refuse_float16(value: Any) -> Any:
    if value == "16-mixed":
        raise ValueError(
            "16-mixed is refused: its gradient scaler would rescale combined gradients, and small "
            "input gradients underflow to sign 0; use bf16-mixed"
        )
    return value


Precision = Annotated[
    Literal["32-true", "tf32", "bf16-mixed"],
    BeforeValidator(_refuse_float16),
]


class Training(Fields):
    """The settings of a training: its length, optimizer, schedule and speed.

    Its length is `epochs`, or a budget of `passes` for each example: a rule with costlier steps
    then takes fewer of them, and the last epoch may be cut. A forward is one pass, and a backward
    is another. Searches and descent count; validation does not.

    `keep` chooses the weights: those after the last epoch, or those of the epoch with the best mean
    of natural and robust validation accuracy. `log_every` and `pass_size` do not identify a run:
    the former changes no result, the latter only rounding and the order of dropout's draws.

    `conflict_every` logs the cosines between the gradients of the objectives, of the network and of
    each layer, every so many steps. A measurement takes a forward and a backward for each image of
    the step; the log counts them, a budget of `passes` does not. It changes no result and does not
    identify a run.

    `warmup` helps a training that would stay at the loss of a constant guess: over the first epochs
    every ball's radius and step size grow linearly, step by step, from near zero to full size.
    Threats without an ascent have full size from the start. `reach` is the share of radius and step
    size that they grow to, for trainings and paths against smaller balls; 1 where it is not given.

    Three settings make searches cheaper, each off by default. Over the `curriculum` epochs the
    number of their iterations grows from 1 to each threat's own, with steps of together the same
    length. With `friendly`, an example leaves its search once it has fallen. `overfitting` watches
    searches with few steps for catastrophic overfitting.

    `compile` concerns only speed on a GPU and does not identify a run: "graph" replays each search
    as one CUDA graph, "default" also compiles the network by torch, and "none" does neither. If
    capture or compilation fails, the step runs without it, and the run's record gives the reason.

    `allocator` concerns only speed on a CPU and does not identify a run: with "keep", `moat train`
    and `moat evaluate` keep freed memory under glibc; "system" leaves that to the C library.

    Example:
        >>> Training(epochs=20, warmup=5).batch_size
        128
    """

    epochs: PositiveCount | None = None
    passes: PositiveNumber | None = None  # for each example, in all; in place of epochs
    batch_size: PositiveCount = 128
    warmup: Annotated[int, Field(ge=0, le=MOST_COUNTED)] = 0  # epochs over which the threats grow
    reach: Annotated[float, Field(gt=0, le=1)] | None = None  # radii and steps, as a share
    curriculum: PositiveNumber | None = None  # epochs over which the searches get their steps
    friendly: Friendly | None = None  # the end of a search for a fallen example
    overfitting: Overfitting | None = None  # the watch for it
    precision: Precision = "32-true"
    keep: Literal["last", "best"] = "last"
    compile: Literal["none", "graph", "default"] = "graph"
    log_every: PositiveCount = 10  # steps
    conflict_every: PositiveCount | None = None  # steps; never, where it is not given
    pass_size: PositiveCount | None = None  # examples; by device where it is not given
    allocator: Allocator = "keep"

    @model_validator(mode="after")
    def _one_length(self) -> "Training":
        if self.epochs is None and self.passes is None:
            raise FieldError(
                "the length of the training is missing.",
                hint="Give epochs = 20 or passes = 800, a budget of forwards and backwards for "
                "each example.",
            )
        if self.epochs is not None and self.passes is not None:
            raise FieldError(
                f"epochs = {self.epochs} and passes = {self.passes:g} both set the length of the "
                "training.",
                hint="Leave one of them out: with passes, the epochs follow from what a step "
                "costs.",
            )
        return self

    @model_validator(mode="after")
    def _looks_at_full_size(self) -> "Training":
        if self.overfitting is not None and self.reach not in (None, 1):
            raise FieldError(
                f"reach = {self.reach:g} shortens the searches of the training, and the looks of "
                "`overfitting` search whole balls.",
                hint="Leave one of them out, or lower the threats' epsilon and step_size.",
            )
        return self

    @model_validator(mode="after")
    def _one_change_of_steps(self) -> "Training":
        if self.curriculum is not None and self.overfitting and self.overfitting.switch:
            raise FieldError(
                f"curriculum = {self.curriculum:g} lets the number of steps grow, and "
                f"overfitting.switch = {self.overfitting.switch} would set it.",
                hint="Leave one of them out.",
            )
        return self
