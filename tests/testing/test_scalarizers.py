"""The kit finds each broken promise of a scalarizer, and says which."""

import pytest
import torch
from pydantic.dataclasses import dataclass

from moat.scalarizers import GradientScalarizer, LaggedScalarizer, LossScalarizer, Scalarizer
from moat.testing import check_scalarizer


@dataclass(kw_only=True)
class Even(LaggedScalarizer):
    """A good one, whose promises the others break."""

    def weights(self, names):
        return torch.full((len(names),), 1 / len(names), dtype=torch.float64)


@dataclass(kw_only=True)
class PlansNumbers(Even):
    def plan(self, names, batch, generator=None):
        return torch.ones(len(names))


@dataclass(kw_only=True)
class PlansTooMuch(Even):
    def plan(self, names, batch, generator=None):
        return torch.ones(len(names) + 1, dtype=torch.bool)


@dataclass(kw_only=True)
class PlansNothing(Even):
    def plan(self, names, batch, generator=None):
        return torch.zeros(len(names), dtype=torch.bool)


@dataclass(kw_only=True)
class PlansByGlobalChance(Even):
    def plan(self, names, batch, generator=None):
        return torch.rand(len(names), 64)[:, :batch] < 0.5


@dataclass(kw_only=True)
class KeepsAGraph(Even):
    def weights(self, names):
        return super().weights(names).requires_grad_()


@dataclass(kw_only=True)
class DividesByZero(Even):
    def weights(self, names):
        return super().weights(names) / 0


@dataclass(kw_only=True)
class SumsToTwo(Even):
    def weights(self, names):
        return 2 * super().weights(names)


@dataclass(kw_only=True)
class WeighsOneTooFew(Even):
    def weights(self, names):
        return super().weights(names[1:])


@dataclass(kw_only=True)
class WeighsTheUnmeasured(Even):
    def plan(self, names, batch, generator=None):
        return torch.arange(len(names)) > 0


@dataclass(kw_only=True)
class WeighsTheUnmeasuredHere(LossScalarizer):
    def plan(self, names, batch, generator=None):
        return (torch.arange(len(names))[:, None] + torch.arange(batch)) % 2 == 0

    def weights(self, losses):
        return torch.full_like(losses.values, 1 / len(losses.names))


@dataclass(kw_only=True)
class FollowsTheFirst(LossScalarizer):
    def weights(self, losses):
        return losses.values[:, 0].softmax(0)


@dataclass(kw_only=True)
class ForgetsItsState(Even):
    def __post_init__(self):
        self._seen = None

    def weights(self, names):
        return super().weights(names) if self._seen is None else self._seen

    def update(self, losses):
        self._seen = (losses.means() + (0 if self._seen is None else self._seen)).softmax(0)


@dataclass(kw_only=True)
class SharesItsState(ForgetsItsState):
    def __post_init__(self):
        self._seen = torch.zeros(4, dtype=torch.float64)

    def weights(self, names):
        return self._seen.softmax(0)

    def update(self, losses):
        self._seen += losses.means()

    def state_dict(self):
        return {"seen": self._seen}

    def load_state_dict(self, state):
        self._seen = state["seen"].clone()


@dataclass(kw_only=True)
class TrainsOnItsState(ForgetsItsState):
    def state_dict(self):
        return {"seen": None if self._seen is None else self._seen.clone()}

    def load_state_dict(self, state):
        self._seen = state["seen"]

    def update(self, losses):
        if self._seen is None:
            self._seen = losses.means().softmax(0)
        else:
            self._seen.copy_((losses.means() + self._seen).softmax(0))


@dataclass(kw_only=True)
class Overflows(LossScalarizer):
    def weights(self, losses):
        raised = losses.means().exp()
        return raised / raised.sum()


@dataclass(kw_only=True)
class DividesByTheSpread(LossScalarizer):
    def weights(self, losses):
        means = losses.means()
        return ((means - means.mean()) / means.std()).softmax(0)


@dataclass(kw_only=True)
class DividesByTheSpreadOfThreats(LossScalarizer):
    def weights(self, losses):
        means = losses.means()
        spread = (means[1:] - means[1:].mean()).square().sum() / (len(means) - 2)
        return (means / (1 + spread)).softmax(0)


@dataclass(kw_only=True)
class DividesByTheSpreadOfExamples(LossScalarizer):
    def weights(self, losses):
        spread = losses.values - losses.means()[:, None]
        return (spread.square().sum(1) / (spread.shape[1] - 1)).softmax(0)


@dataclass(kw_only=True)
class SquaresTheGradients(GradientScalarizer):
    def weights(self, gramian, losses):
        lengths = gramian.diagonal() ** 2
        return lengths / lengths.sum()


@dataclass(kw_only=True)
class FavoursThePlace(LossScalarizer):
    def weights(self, losses):
        places = torch.arange(len(losses.names), device=losses.values.device)
        return (places.to(losses.values) / 2).softmax(0)


@dataclass(kw_only=True)
class SaysItIgnoresScale(LossScalarizer):
    scale_invariant = True

    def weights(self, losses):
        return losses.means().softmax(0)


@dataclass(kw_only=True)
class CentresTheLosses(LossScalarizer):
    def weights(self, losses):
        return losses.values.sub_(losses.values.mean()).mean(1).softmax(0)


@dataclass(kw_only=True)
class ScalesTheGramian(GradientScalarizer):
    def weights(self, gramian, losses):
        return gramian.div_(gramian.amax()).diagonal().softmax(0)


@dataclass(kw_only=True)
class DrawsGlobally(Even):
    permutes = False

    def weights(self, names):
        return torch.rand(len(names), dtype=torch.float64).softmax(0)


@dataclass(kw_only=True)
class DiffersEachTime(Even):
    permutes = False

    def __post_init__(self):
        MADE.append(1)
        self._number = float(len(MADE))

    def weights(self, names):
        return torch.linspace(0, self._number, len(names), dtype=torch.float64).softmax(0)


MADE: list[int] = []


@dataclass(kw_only=True)
class StaysOnTheHost(LossScalarizer):
    def weights(self, losses):
        return (losses.means() * torch.ones(len(losses.names))).softmax(0)


@dataclass(kw_only=True)
class AnswersFromTheHost(LossScalarizer):
    def weights(self, losses):
        return torch.full((len(losses.names),), 1 / len(losses.names))


@dataclass(kw_only=True)
class KeepsAStateOnTheHost(Even):
    def __post_init__(self):
        self._seen = torch.zeros(())

    def update(self, losses):
        self._seen = self._seen + losses.means() + torch.zeros(len(losses.names))


@dataclass(kw_only=True)
class WeighsInWholeNumbers(Even):
    def weights(self, names):
        return torch.tensor([1] + [0] * (len(names) - 1))


@dataclass(kw_only=True)
class HasMoreThanItsSupport(LossScalarizer):
    support = 1

    def weights(self, losses):
        return losses.means().softmax(0)


@dataclass(kw_only=True)
class HasMoreThanItsSupportHere(LossScalarizer):
    support = 2

    def weights(self, losses):
        return losses.values.softmax(0)


@dataclass(kw_only=True)
class SharesAmongEquals(LossScalarizer):
    support = 1

    def weights(self, losses):
        means = losses.means()
        largest = (means == means.max()).to(means)
        return largest / largest.sum()


@dataclass(kw_only=True)
class HasNoWholeSupport(LossScalarizer):
    support = 0.5

    def weights(self, losses):
        return losses.means().softmax(0)


@dataclass(kw_only=True)
class IsOfNoKind(Scalarizer):
    pass


@pytest.mark.parametrize(
    ("cls", "sentence"),
    [
        (PlansNumbers, r"not a bool mask of shape \(4,\) or \(4, 6\), but torch.float32 of \(4,\)"),
        (PlansTooMuch, r"not a bool mask of shape \(4,\) or \(4, 6\), but torch.bool of \(5,\)"),
        (PlansNothing, "the plan measures nothing"),
        (PlansByGlobalChance, "equal generators gave different plans"),
        (KeepsAGraph, "the weights are not detached"),
        (DividesByZero, "are not finite"),
        (SumsToTwo, "`simplex` is True, but the weights are 1 off the simplex"),
        (WeighsOneTooFew, r"the weights have the shape \(3,\)"),
        (WeighsTheUnmeasured, "an unplanned loss has a weight"),
        (WeighsTheUnmeasuredHere, "an unplanned loss has a weight"),
        (FollowsTheFirst, "the weights depend on the order of the examples"),
        (ForgetsItsState, "its state, read from a file, gives other weights"),
        (SharesItsState, "its state, kept in memory while training went on, gives other weights"),
        (TrainsOnItsState, "its state, after another one trained on from it, gives other weights"),
        (Overflows, r"not finite for huge losses and gradients in torch\.float64"),
        (DividesByTheSpread, "not finite for equal losses and gradients"),
        (DividesByTheSpreadOfThreats, "not finite for a single threat"),
        (DividesByTheSpreadOfExamples, "not finite for a single example"),
        (SquaresTheGradients, r"not finite for tiny losses and gradients in torch\.float32"),
        (FavoursThePlace, "`permutes` is True, but weights change by up to 0.[0-9]+ when the thre"),
        (
            SaysItIgnoresScale,
            "`scale_invariant` is True, but weights change by up to 0.[0-9]+ when",
        ),
        (CentresTheLosses, "it changed the losses that it was given, in place"),
        (ScalesTheGramian, "it changed the Gramian that it was given, in place"),
        (DrawsGlobally, "torch's global random state moved: draw from a generator of its own"),
        (DiffersEachTime, "two new ones with the same fields give different weights"),
        (StaysOnTheHost, "it mixes devices when the losses are on another one than the default"),
        (AnswersFromTheHost, "the weights are on cpu, and the losses are not"),
        (KeepsAStateOnTheHost, "it mixes devices when the losses are on another one"),
        (WeighsInWholeNumbers, r"the weights are torch\.int64"),
        (HasMoreThanItsSupport, "`support` is 1, but 4 objectives of an example have a weight"),
        (HasMoreThanItsSupportHere, "`support` is 2, but 4 objectives of an example have a wei"),
        (SharesAmongEquals, "`support` is 1, but 4 objectives of an example have a weight"),
        (HasNoWholeSupport, "`support` is 0.5, not None or a whole number of at least 1"),
        (IsOfNoKind, "it is neither lagged, loss nor gradient"),
    ],
)
def test_a_broken_promise_is_named(cls, sentence):
    with pytest.raises(AssertionError, match=sentence) as caught:
        check_scalarizer(cls())
    assert str(caught.value).startswith(repr(cls()))
    assert str(caught.value).endswith(".")


def test_a_good_one_passes_with_any_number_of_objectives():
    for objectives in (2, 3, 12):
        check_scalarizer(Even(), objectives)


def test_weights_an_example_at_a_time_pass():
    @dataclass(kw_only=True)
    class Softened(LossScalarizer):
        def weights(self, losses):
            return losses.values.softmax(0)

    check_scalarizer(Softened())


def test_weights_off_the_simplex_pass_where_they_are_declared():
    @dataclass(kw_only=True)
    class Inverse(GradientScalarizer):
        def __post_init__(self):
            self.simplex = False

        def weights(self, gramian, losses):
            return 1 / gramian.diagonal()

    check_scalarizer(Inverse())


def test_the_scalarizer_itself_is_left_as_it_is():
    given = ForgetsItsState()
    with pytest.raises(AssertionError):
        check_scalarizer(given)
    assert given._seen is None
