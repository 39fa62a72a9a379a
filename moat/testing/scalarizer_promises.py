"""The promises of every scalarizer, by name: one list for `check_scalarizer` and `moat check`."""

from collections.abc import Callable
from dataclasses import dataclass

from moat.public import public
from moat.scalarizers import Scalarizer
from moat.testing import scalarizer_inputs, scalarizer_support, scalarizers
from moat.testing.promise import Promise, every_case, require_promises


@public
@dataclass(frozen=True)
class ScalarizerCase:
    """A scalarizer and the number of objectives that it weighs, the natural one among them.

    Example:
        >>> from moat.scalarizers import Average
        >>> ScalarizerCase(Average()).objectives
        4
    """

    subject: Scalarizer
    objectives: int = 4


@public
def check_scalarizer(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Run every check with the natural objective and `objectives - 1` threats.

    Raises AssertionError with the first promise that is broken. The scalarizer itself is left as
    it is: each check runs on a fresh one with the same fields.

    Example:
        >>> from moat.scalarizers import Average
        >>> check_scalarizer(Average())
    """
    require_promises(SCALARIZER_PROMISES, ScalarizerCase(scalarizer, objectives))


def _promise(
    text: str,
    check: Callable[[Scalarizer, int], None],
    made_for: Callable[[ScalarizerCase], bool] = every_case,
) -> Promise[ScalarizerCase]:
    return Promise(text, lambda case: check(case.subject, case.objectives), made_for)


def _is_scale_invariant(case: ScalarizerCase) -> bool:
    return case.subject.scale_invariant


def _declares_support(case: ScalarizerCase) -> bool:
    return scalarizer_support.declares_support(case.subject)


def _permutes(case: ScalarizerCase) -> bool:
    return case.subject.permutes and case.objectives > 2


SCALARIZER_PROMISES: tuple[Promise[ScalarizerCase], ...] = (
    _promise(
        "the plan is a mask that measures something, the same for equal generators",
        scalarizers.check_plan,
    ),
    _promise(
        "two new ones give the same weights and leave the global random states",
        scalarizer_inputs.check_draws,
    ),
    _promise(
        "the weights are finite, detached, as `simplex` declares, and 0 where nothing is measured",
        scalarizers.check_weights,
    ),
    _promise(
        "so they are for tiny, huge, equal and single losses and gradients",
        scalarizer_inputs.check_extremes,
    ),
    _promise(
        "no example has more objectives with a weight than `support`",
        scalarizer_support.check_support,
        _declares_support,
    ),
    _promise("the order of the examples changes no weight", scalarizers.check_order_of_examples),
    _promise(
        "the weights follow the threats into another order (`permutes`)",
        scalarizer_inputs.check_permutation,
        _permutes,
    ),
    _promise(
        "losses and gradients times a constant change no weight (`scale_invariant`)",
        scalarizer_inputs.check_scale,
        _is_scale_invariant,
    ),
    _promise("losses and Gramian stay as they were", scalarizer_inputs.check_losses_untouched),
    _promise("its tensors are on the device of the losses", scalarizer_inputs.check_loss_device),
    _promise(
        "its state, taken back in mid-training, gives the weights of an undisturbed run",
        scalarizers.check_state,
    ),
)
"""The promises of every scalarizer, in the order in which they are checked."""
