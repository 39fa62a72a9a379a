"""MGDA: the shortest vector in the convex hull of the gradients."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.errors import SolverError
from moat.objectives import LossMatrix
from moat.scalarizers import MGDA


def gradients_of(seed: int, objectives: int, dimension: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    scales = torch.logspace(-1, 1, objectives, dtype=torch.float64)[:, None]
    directions = torch.randn(objectives, dimension, generator=generator, dtype=torch.float64)
    return scales * (directions + 0.5)


def losses_of(means: list[float]) -> LossMatrix:
    values = torch.tensor(means, dtype=torch.float64)[:, None]
    return LossMatrix(values, tuple(f"objective-{row}" for row in range(len(means))))


draws = given(seed=st.integers(0, 10_000), k=st.integers(2, 6), dimension=st.integers(1, 9))


@draws
def test_a_step_along_it_descends_every_objective_at_least_as_fast_as_its_own_length(
    seed, k, dimension
):
    gradients = gradients_of(seed, k, dimension)
    gramian = gradients @ gradients.T
    weights = MGDA().weights(gramian, losses_of([1.0] * k))
    shortest = weights @ gramian @ weights
    descents = gramian @ weights
    assert (descents >= shortest - 1e-7 * gramian.trace()).all()


@draws
@pytest.mark.parametrize("normalize", ["none", "l2", "loss", "loss+"])
def test_normalised_it_is_plain_mgda_of_gradients_divided_by_length_loss_or_both(
    normalize, seed, k, dimension
):
    gradients = gradients_of(seed, k, dimension)
    means = torch.rand(k, generator=torch.Generator().manual_seed(seed)).double() + 0.1
    scale = {
        "none": torch.ones(k).double(),
        "l2": gradients.norm(dim=1),
        "loss": means,
        "loss+": means * gradients.norm(dim=1),
    }[normalize]
    divided = gradients / scale[:, None]
    losses = losses_of(means.tolist())
    weights = MGDA(normalize=normalize).weights(gradients @ gradients.T, losses)
    expected = MGDA().weights(divided @ divided.T, losses)
    lengths = [(each @ divided).norm() for each in (weights, expected)]
    torch.testing.assert_close(*lengths, rtol=1e-5, atol=1e-6)


@draws
@pytest.mark.parametrize("normalize", ["none", "l2", "loss", "loss+"])
def test_the_combination_of_the_normalised_gradients_descends_every_objective(
    normalize, seed, k, dimension
):
    gradients = gradients_of(seed, k, dimension)
    means = torch.rand(k, generator=torch.Generator().manual_seed(seed)).double() + 0.01
    mgda = MGDA(normalize=normalize, combine="normalized")
    weights = mgda.weights(gradients @ gradients.T, losses_of(means.tolist()))
    assert (weights >= 0).all()
    assert weights.sum().item() == pytest.approx(1)
    step = weights @ gradients
    slopes = gradients @ step / gradients.norm(dim=1) / step.norm().clamp(min=1e-12)
    assert (slopes >= -1e-3).all() or step.norm() < 1e-6 * gradients.norm()


@pytest.mark.parametrize("normalize", ["l2", "loss", "loss+"])
def test_the_gradients_as_they_were_may_raise_an_objective(normalize):
    """What the docstring says of the published code: a share of random steps, not a rare one."""
    mgda, rises = MGDA(normalize=normalize), 0
    for seed in range(100):
        gradients = gradients_of(seed, 3, 4)
        means = torch.rand(3, generator=torch.Generator().manual_seed(seed)).double() + 0.1
        gramian = gradients @ gradients.T
        rises += bool((gramian @ mgda.weights(gramian, losses_of(means.tolist())) < 0).any())
    assert rises > 10


@pytest.mark.parametrize("combine", ["gradients", "normalized"])
@pytest.mark.parametrize("size", [1e-30, 1e-9, 1e9])
def test_gradients_of_any_size_give_weights_on_the_simplex(combine, size):
    gradients = gradients_of(3, 3, 4) * torch.tensor([1.0, size, 1.0]).double()[:, None]
    mgda = MGDA(normalize="l2", combine=combine)
    weights = mgda.weights(gradients @ gradients.T, losses_of([1.0, 1.0, 1.0]))
    assert (weights >= 0).all()
    assert weights.sum().item() == pytest.approx(1)


@given(a=st.floats(0.1, 5), b=st.floats(0.1, 5), cosine=st.floats(-0.99, 0.99))
def test_for_two_objectives_it_is_the_closed_form(a, b, cosine):
    product = a * b * cosine
    gramian = torch.tensor([[a * a, product], [product, b * b]], dtype=torch.float64)
    first = (b * b - product) / (a * a + b * b - 2 * product)
    first = min(1.0, max(0.0, first))
    weights = MGDA().weights(gramian, losses_of([1.0, 1.0]))
    assert weights.tolist() == pytest.approx([first, 1 - first], abs=1e-6)


def test_without_normalisation_it_follows_the_smallest_gradient():
    gramian = torch.diag(torch.tensor([1.0, 100.0, 400.0]))
    losses = losses_of([1.0, 1.0, 1.0])
    plain = MGDA().weights(gramian, losses)
    assert plain[0] > 0.98
    even = MGDA(normalize="l2").weights(gramian, losses)
    assert even.tolist() == pytest.approx([1 / 3] * 3)


def test_opposed_gradients_of_equal_length_cancel():
    gramian = torch.tensor([[1.0, -1], [-1, 1]])
    weights = MGDA().weights(gramian, losses_of([1.0, 1.0]))
    assert weights.tolist() == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("combine", ["gradients", "normalized"])
@pytest.mark.parametrize("normalize", ["none", "l2", "loss", "loss+"])
def test_a_gradient_or_loss_of_zero_gives_finite_weights(normalize, combine):
    gramian = torch.zeros(3, 3)
    gramian[1, 1] = 4.0
    weights = MGDA(normalize=normalize, combine=combine).weights(
        gramian, losses_of([0.0, 1.0, 0.0])
    )
    assert weights.isfinite().all()
    assert weights.sum().item() == pytest.approx(1)


def test_the_gramian_may_be_float32():
    gradients = gradients_of(0, 4, 9).float()
    weights = MGDA().weights(gradients @ gradients.T, losses_of([1.0] * 4))
    assert weights.sum().item() == pytest.approx(1)


def test_the_log_says_whether_the_solver_answered():
    mgda = MGDA()
    mgda.weights(torch.eye(2), losses_of([1.0, 1.0]))
    assert mgda.log() == {"solved": True}
    mgda.weights(torch.full((2, 2), torch.nan), losses_of([1.0, 1.0]))
    assert mgda.log() == {"solved": False, "unsolved_share": 0.5}
    again = MGDA()
    again.load_state_dict(mgda.state_dict())
    again.weights(torch.eye(2), losses_of([1.0, 1.0]))
    assert again.log() == {"solved": True, "unsolved_share": 1 / 3}


def test_a_checkpoint_that_did_not_count_is_gone_on_from():
    mgda = MGDA()
    mgda.load_state_dict({"solved": torch.tensor(True)})
    assert mgda.log() == {"solved": True}


def test_an_unknown_solver_is_refused_when_it_is_named():
    with pytest.raises(SolverError, match=r"no quadratic solver is called 'cvxop'\. Did you mean"):
        MGDA(solver="cvxop")
