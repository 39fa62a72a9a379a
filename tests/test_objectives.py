import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.errors import TrainingError
from moat.objectives import LossMatrix, by_entry

seeds = st.integers(0, 2**31)
NAMES = ("natural", "pgd", "flow")


def losses(seed: int, batch: int = 5) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(3, batch, generator=generator, dtype=torch.float64)


def masks(seed: int, batch: int = 5) -> torch.Tensor:
    return torch.rand(3, batch, generator=torch.Generator().manual_seed(seed + 1)) > 0.5


@given(seed=seeds)
def test_the_mean_of_an_objective_is_over_its_measured_examples(seed):
    values, measured = losses(seed), masks(seed)
    unmeasured_as_nan = values.masked_fill(~measured, float("nan"))
    means = LossMatrix(unmeasured_as_nan, NAMES, measured=measured).means()
    for row in range(3):
        chosen = values[row][measured[row]]
        expected = chosen.mean() if len(chosen) else torch.tensor(float("nan")).double()
        torch.testing.assert_close(means[row], expected, equal_nan=True)


@given(seed=seeds)
def test_where_nothing_is_said_everything_was_measured(seed):
    torch.testing.assert_close(LossMatrix(losses(seed), NAMES).means(), losses(seed).mean(1))


def test_a_whole_objective_may_be_unmeasured():
    matrix = LossMatrix(losses(0), NAMES, measured=torch.tensor([True, False, True]))
    assert matrix.means().isnan().tolist() == [False, True, False]


def test_a_measured_loss_that_is_no_number_shows_in_the_mean():
    values = losses(0)
    values[1, 2] = float("nan")
    assert LossMatrix(values, NAMES).means().isnan().tolist() == [False, True, False]


def test_the_gradient_of_the_means_reaches_measured_entries_alone():
    values, measured = losses(0).requires_grad_(), masks(3)
    assert measured.any(1).all()
    means = LossMatrix(values, NAMES, measured=measured).means()
    (gradient,) = torch.autograd.grad(means.sum(), values)
    torch.testing.assert_close(gradient, measured / measured.sum(1, keepdim=True).double())


def test_accuracies_are_shares_of_the_measured_examples():
    correct = torch.tensor([[True, True], [True, False], [False, False]])
    measured = torch.tensor([[True, True], [False, True], [True, True]])
    matrix = LossMatrix(losses(0, batch=2), NAMES, correct=correct, measured=measured)
    accuracies = matrix.accuracies()
    assert accuracies is not None
    assert accuracies.tolist() == [1, 0, 0]


def test_without_verdicts_there_are_no_accuracies():
    assert LossMatrix(losses(0), NAMES).accuracies() is None


def test_a_name_for_every_objective_is_required():
    with pytest.raises(ValueError, match="2 names for 3 rows of losses"):
        LossMatrix(losses(0), ("natural", "pgd"))


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_not_finite_is_refused_by_its_objective(broken):
    values = losses(0)
    values[1, 3] = values[2, 0] = broken
    with pytest.raises(TrainingError) as raised:
        LossMatrix(values, NAMES).require_finite(where="step 12", hint="Lower the learning rate.")
    assert raised.value.message == (
        f"the loss of the objective 'pgd' is no longer finite (mean {broken})."
    )
    assert raised.value.where == "step 12"
    assert raised.value.hint == "Lower the learning rate."
    assert raised.value.exit_code == 1


@pytest.mark.parametrize("measured", [[True, False, True], None])
def test_what_was_not_measured_need_not_be_finite(measured):
    values = losses(0)
    mask = torch.ones(3, 5, dtype=torch.bool)
    if measured is None:  # an entry at a time
        values[1, 3], mask[1, 3] = math.nan, False
    else:  # an objective at a time
        values[1], mask = math.nan, torch.tensor(measured)
    LossMatrix(values, NAMES, measured=mask).require_finite(where="", hint="")


def test_a_mask_of_objectives_is_spread_over_the_batch():
    assert by_entry(torch.tensor([True, False]), 3).tolist() == [[True] * 3, [False] * 3]
    entries = torch.tensor([[True, False]])
    assert by_entry(entries, 2) is entries
