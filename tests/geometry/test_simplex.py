from functools import partial
from itertools import product

import pytest
import qpsolvers
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from moat.errors import SolverError
from moat.geometry import simplex
from moat.geometry.simplex import (
    Equality,
    known_solvers,
    last_iterate_of_cvxopt,
    minimize_quadratic,
    require_solver,
    solve,
)

SOLVERS = ["exact", "cvxopt", "quadprog"]
NOT_REACHABLE = [float("nan"), float("inf"), -float("inf"), 1e300, -1e-3, 1.001]
any_number = st.floats(allow_nan=True, allow_infinity=True)
shares = st.sampled_from([0.0, 1.0, 0.5]) | st.floats(0, 1)
seeds = st.integers(0, 2**31)


@st.composite
def windows(draw, least: int = 2, most: int = 8) -> torch.Tensor:
    """Mean losses of the last steps, (steps, objectives): one row, equal or zero rows included.

    Means differ by 0 or by at least 1e-4 of the largest loss, see the test of the near equal.
    """
    k, steps = draw(st.integers(least, most)), draw(st.integers(1, 6))
    losses = st.integers(0, 3000).map(lambda thousandths: thousandths / 1000)
    row = st.lists(losses, min_size=k, max_size=k)
    rows = draw(st.lists(row | row.map(lambda r: [r[0]] * k), min_size=steps, max_size=steps))
    return torch.tensor(rows, dtype=torch.float64)


def two_moment_program(window: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return P = 2k diag(M) − 2M and the coefficients (0, μ₁, ...) of Eqs. 12 and 13."""
    mean, k = window.mean(0), window.shape[1]
    centred = window - mean
    moment = centred.T @ centred / len(window) + torch.outer(mean, mean)
    return 2 * k * torch.diag(moment.diagonal()) - 2 * moment, torch.cat([mean[:1] * 0, mean[1:]])


def objective(P: torch.Tensor, weights: torch.Tensor) -> float:
    """Return aᵀPa relative to the trace of P."""
    return ((weights @ P @ weights) / P.trace().clamp(min=1e-300)).item()


def assert_on_simplex(weights: torch.Tensor) -> None:
    assert weights.dtype == torch.float64
    assert weights.min() >= 0
    assert abs(weights.sum() - 1) <= 1e-12


def positive_semidefinite(k: int, rank: int, seed: int) -> torch.Tensor:
    factor = torch.randn(k, rank, generator=torch.Generator().manual_seed(seed)).double()
    return factor @ factor.T


def feasible_points(coefficients: torch.Tensor, value: torch.Tensor, seed: int) -> torch.Tensor:
    """Return the corners of {a on the simplex, cᵀa = value} and mixtures of them, (n, k)."""
    eye = torch.eye(len(coefficients), dtype=torch.float64)
    corners = []
    for (i, low), (j, high) in product(enumerate(coefficients), repeat=2):
        if low == value:
            corners.append(eye[i])
        elif low < value < high:
            share = (value - low) / (high - low)
            corners.append((1 - share) * eye[i] + share * eye[j])
    points = torch.stack(corners)
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.rand(50, len(points), generator=generator, dtype=torch.float64) ** 4
    return torch.cat([points, mixed / mixed.sum(1, keepdim=True) @ points])


# Oracles.


@given(window=windows(), share=shares)
def test_the_solvers_agree_for_every_r_that_weights_can_reach(window, share):
    P, means = two_moment_program(window)
    constraint = Equality(means, share * means.max())
    answers = [minimize_quadratic(P, constraint, solver) for solver in SOLVERS]
    for weights in answers:
        assert_on_simplex(weights)
        assert (weights @ means - constraint.value).abs() <= 1e-8 * means.max()
    values = [objective(P, weights) for weights in answers]
    assert max(values) - min(values) <= 1e-6


@given(window=windows())
def test_the_solvers_agree_without_a_constraint(window):
    P, _ = two_moment_program(window)
    values = [objective(P, minimize_quadratic(P, solver=solver)) for solver in SOLVERS]
    assert max(values) - min(values) <= 1e-6


@pytest.mark.parametrize("end", ["least", "largest"])
@given(seed=seeds)
def test_the_solvers_agree_at_the_ends_for_any_losses(end, seed):
    k = 2 + seed % 7
    window = 3 * torch.rand(4, k, generator=torch.Generator().manual_seed(seed)).double()
    P, means = two_moment_program(window)
    r = means.max() if end == "largest" else means.min()
    for solver in SOLVERS:
        weights = minimize_quadratic(P, (means, r), solver)
        torch.testing.assert_close(weights, (means == r).double(), rtol=0, atol=1e-9)


@pytest.mark.parametrize("gap", [1e-4, 1e-6, 1e-8, 1e-10, 1e-12])
@given(window=windows(least=3), share=shares)
def test_the_solvers_agree_on_nearly_equal_means_up_to_the_slack_of_the_constraint(
    gap, window, share
):
    window[:, 2] = window[:, 1] + gap
    P, means = two_moment_program(window)
    constraint = Equality(means, share * means.max())
    answers = [solve(P, constraint, solver) for solver in SOLVERS]
    assert all(answer.solved for answer in answers)
    # A residual of 1e-11 in the constraint moves 1e-11 / gap of the weight between the two.
    slack = min(1.0, 1e-6 + 4 * simplex.RESIDUAL * means.max().item() / gap)
    values = [objective(P, answer.weights) for answer in answers]
    assert max(values) - min(values) <= slack


@pytest.mark.parametrize("solver", SOLVERS)
@given(window=windows(most=6), share=shares, seed=seeds)
def test_no_feasible_weights_do_better(solver, window, share, seed):
    P, means = two_moment_program(window)
    r = share * means.max()
    best = objective(P, minimize_quadratic(P, (means, r), solver))
    for rival in feasible_points(means, r, seed):
        assert best <= objective(P, rival) + 1e-6


@given(k=st.integers(1, 8), rank=st.integers(1, 8), seed=seeds)
def test_the_solvers_agree_on_any_positive_semidefinite_matrix(k, rank, seed):
    P = positive_semidefinite(k, rank, seed)
    values = [objective(P, minimize_quadratic(P, solver=solver)) for solver in SOLVERS]
    assert max(values) - min(values) <= 1e-6


# What cannot be reached.


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("factor", NOT_REACHABLE)
def test_an_r_that_no_weights_reach_is_refused(solver, factor):
    P, means = two_moment_program(torch.tensor([[0.1, 0.7, 0.9, 0.4], [0.2, 0.5, 0.8, 0.3]]))
    with pytest.raises(SolverError, match=f"the solver '{solver}' found no weights") as raised:
        minimize_quadratic(P, (means, factor * means.max()), solver)
    assert "[0.0, 0.6, 0.85, 0.35] · a = " in raised.value.message
    assert raised.value.hint == (
        "A value is reachable if it lies between the smallest and the largest coefficient."
    )


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("factor", NOT_REACHABLE)
def test_where_nothing_is_reachable_the_answer_is_uniform_and_says_so(solver, factor):
    P, means = two_moment_program(torch.tensor([[0.1, 0.7, 0.9, 0.4], [0.2, 0.5, 0.8, 0.3]]))
    answer = solve(P, (means, factor * means.max()), solver)
    assert not answer.solved
    assert answer.weights.tolist() == [0.25] * 4


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_matrix_of_nan_has_no_solution(solver):
    P = torch.full((3, 3), float("nan"))
    answer = solve(P, (torch.tensor([0.0, 1.0, 2.0]), 1.0), solver)
    assert not answer.solved
    with pytest.raises(SolverError, match=r"the constraint \(none\)"):
        minimize_quadratic(P, solver=solver)


@pytest.mark.parametrize("solver", SOLVERS)
@given(k=st.integers(1, 9), rank=st.integers(0, 9), seed=seeds, r=any_number, zero=st.booleans())
def test_nothing_off_the_simplex_is_ever_returned(solver, k, rank, seed, r, zero):
    P = positive_semidefinite(k, rank, seed)
    coefficients = torch.randn(k, generator=torch.Generator().manual_seed(seed)) * (not zero)
    answer = solve(P, (coefficients, r), solver)
    assert_on_simplex(answer.weights)
    if answer.solved:
        residual = (coefficients.double() @ answer.weights - r).abs()
        assert residual <= 1e-8 * coefficients.abs().max().clamp(min=1)


@pytest.mark.parametrize("solver", SOLVERS)
def test_losses_of_zero_leave_any_weights_optimal(solver):
    P, means = two_moment_program(torch.zeros(2, 4))
    answer = solve(P, (means, 0.0), solver)
    assert answer.solved
    assert_on_simplex(answer.weights)


# Known solutions.


@pytest.mark.parametrize("solver", SOLVERS)
@given(means=st.lists(st.floats(0.05, 5), min_size=2, max_size=8))
def test_without_variance_the_weights_are_inverse_to_the_means(solver, means):
    mean = torch.tensor(means, dtype=torch.float64)
    P, _ = two_moment_program(mean[None])
    weights = minimize_quadratic(P, solver=solver)
    torch.testing.assert_close(weights, (1 / mean) / (1 / mean).sum(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_diagonal_matrix_weighs_inversely_to_its_diagonal(solver):
    diagonal = torch.tensor([1.0, 2.0, 4.0, 0.5], dtype=torch.float64)
    expected = (1 / diagonal) / (1 / diagonal).sum()
    weights = minimize_quadratic(torch.diag(diagonal), solver=solver)
    torch.testing.assert_close(weights, expected, rtol=0, atol=1e-8)


def test_of_two_equal_objectives_any_split_is_optimal_and_the_exact_one_is_repeatable():
    P = torch.ones(2, 2, dtype=torch.float64)
    first, again = minimize_quadratic(P), minimize_quadratic(P)
    assert torch.equal(first, again)
    assert_on_simplex(first)


@given(window=windows(), share=shares, scale=st.floats(1e-9, 1e9))
def test_the_weights_do_not_depend_on_the_unit_of_the_losses(window, share, scale):
    window = window + 0.1 * torch.eye(*window.shape, dtype=torch.float64)
    P, means = two_moment_program(window)
    r = share * means.max()
    plain = minimize_quadratic(P, (means, r))
    scaled = minimize_quadratic(scale**2 * P, (scale * means, scale * r))
    assert abs(objective(P, plain) - objective(P, scaled)) <= 1e-7


def test_a_float32_matrix_is_solved_in_float64_and_without_a_gradient():
    P = torch.diag(torch.tensor([1.0, 3.0])).requires_grad_()
    weights = minimize_quadratic(P, (torch.tensor([0.0, 1.0]), torch.tensor(0.5)))
    assert weights.dtype == torch.float64
    assert not weights.requires_grad
    assert weights.tolist() == [0.5, 0.5]


# Which solver.


@pytest.fixture
def asked_of_qpsolvers(monkeypatch) -> list[str]:
    names: list[str] = []
    truly = qpsolvers.solve_problem

    def spy(problem, solver, **options):
        names.append(solver)
        return truly(problem, solver=solver, **options)

    monkeypatch.setattr(qpsolvers, "solve_problem", spy)
    return names


@pytest.mark.parametrize("k", [9, 10, 12])
def test_above_eight_objectives_cvxopt_solves_by_default(k, asked_of_qpsolvers):
    P = positive_semidefinite(k, k, seed=k)
    weights = minimize_quadratic(P)
    assert asked_of_qpsolvers == ["cvxopt"]
    assert abs(objective(P, weights) - objective(P, minimize_quadratic(P, solver="exact"))) <= 1e-6


@pytest.mark.parametrize("k", [1, 4, 8])
def test_up_to_eight_objectives_the_exact_solver_solves_by_default(k, asked_of_qpsolvers):
    P = positive_semidefinite(k, k, seed=k)
    assert torch.equal(minimize_quadratic(P), minimize_quadratic(P, solver="exact"))
    assert asked_of_qpsolvers == []


def off_the_simplex(problem, **settings):
    x = torch.tensor([-0.5, 0.5, 1.0]).numpy()
    return qpsolvers.Solution(problem, x=x, found=True)


def of_nothing(problem, **settings):
    return qpsolvers.Solution(problem)


def raising(problem, **settings):
    raise RuntimeError("its own kind of error")


@pytest.mark.parametrize("answer", [of_nothing, off_the_simplex, raising])
def test_where_a_back_end_gives_no_weights_the_exact_solver_is_asked(answer, monkeypatch):
    monkeypatch.setattr(qpsolvers, "solve_problem", answer)
    P = torch.diag(torch.tensor([1.0, 2.0, 3.0]))
    found = solve(P, solver="quadprog")
    assert found.solved
    assert torch.equal(found.weights, solve(P).weights)


@pytest.mark.parametrize("answer", [of_nothing, off_the_simplex, raising])
def test_where_every_solver_gives_nothing_the_program_is_unsolved(answer, monkeypatch):
    monkeypatch.setattr(qpsolvers, "solve_problem", answer)
    monkeypatch.setattr(simplex, "EXACT_UP_TO", 2)
    found = solve(torch.eye(3), solver="quadprog")
    assert not found.solved
    assert_on_simplex(found.weights)


DEPENDENT = {
    "a subspace": lambda draw, k: draw(k, max(1, k // 2)) @ draw(max(1, k // 2), 1000),
    "rank 1": lambda draw, k: draw(k, 1) @ draw(1, 1000),
    "equal": lambda draw, k: draw(1, 1000).expand(k, -1),
    "opposite": lambda draw, k: torch.cat([(g := draw(k - 1, 1000)), -g[:1]]),
    "some zero": lambda draw, k: draw(k, 1000) * (torch.arange(k) > 0)[:, None],
    "all zero": lambda draw, k: torch.zeros(k, 1000),
    "of any length": lambda draw, k: draw(k, 1000) * torch.logspace(-8, 4, k)[:, None],
}


@pytest.mark.parametrize("solver", known_solvers())
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("kind", DEPENDENT)
def test_the_gramian_of_dependent_float32_gradients_is_solved(kind, scale, solver):
    """Rounding leaves it with negative eigenvalues, which a Cholesky factorisation refuses."""
    generator = torch.Generator().manual_seed(0)
    for k in (2, 3, 5, 8, 8, 8):
        gradients = scale * DEPENDENT[kind](partial(torch.randn, generator=generator), k)
        gramian = gradients @ gradients.T
        found = solve(gramian, solver=solver)
        assert found.solved
        assert_on_simplex(found.weights)
        best = objective(gramian.double(), solve(gramian, solver="exact").weights)
        assert objective(gramian.double(), found.weights) <= best + 1e-7


@pytest.mark.parametrize("kind", DEPENDENT)
def test_quadprog_solves_it_by_itself(kind, monkeypatch):
    generator = torch.Generator().manual_seed(1)
    monkeypatch.setattr(simplex, "stationary_points", None)  # calling it would raise
    for k in (2, 3, 5, 8, 8, 8):
        gradients = DEPENDENT[kind](partial(torch.randn, generator=generator), k)
        assert solve(gradients @ gradients.T, solver="quadprog").solved


@given(seed=seeds)
def test_a_matrix_and_its_mirror_have_the_same_solution(seed):
    P = positive_semidefinite(4, 4, seed)
    lopsided = P + torch.triu(torch.full_like(P, 0.1), 1) - torch.tril(torch.full_like(P, 0.1), -1)
    for solver in SOLVERS:
        expected = minimize_quadratic(P, solver=solver)
        found = minimize_quadratic(lopsided, solver=solver)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_the_exact_solver_says_up_to_how_many_objectives_it_goes():
    assert solve(torch.eye(14), solver="exact").solved
    with pytest.raises(SolverError, match="at most 14, not 15") as caught:
        solve(torch.eye(15), solver="exact")
    assert 'solver = "auto"' in caught.value.hint


def test_the_solvers_of_this_machine_are_known_by_name():
    assert {"auto", "exact", "cvxopt", "quadprog"} <= set(known_solvers())
    assert require_solver("exact") == "exact"


@pytest.mark.parametrize("ask", [require_solver, lambda name: solve(torch.eye(2), solver=name)])
def test_an_unknown_solver_is_refused_with_the_nearest_name(ask):
    with pytest.raises(SolverError) as raised:
        ask("quadprg")
    assert raised.value.message == (
        "no quadratic solver is called 'quadprg'. Did you mean 'quadprog'?"
    )
    assert "known here: auto, exact, cvxopt" in raised.value.hint
    assert "qpsolvers offers more once their packages are installed." in raised.value.hint


# What the paper's procedure literally does.


@pytest.mark.parametrize("r", [1.5, 2.0, 5.0])
def test_cvxopt_leaves_the_simplex_for_an_r_above_the_largest_mean(r):
    P, means = two_moment_program(torch.tensor([[0.1, 0.7, 0.9, 0.4]], dtype=torch.float64))
    iterate = last_iterate_of_cvxopt(P, Equality(means, r))
    assert iterate is not None
    assert iterate.min() < -1e-3 or abs(iterate.sum() - 1) > 1e-3


@pytest.mark.parametrize("r", [-0.1, float("nan"), float("inf")])
def test_cvxopt_has_no_iterate_for_an_r_it_calls_a_domain_error(r):
    P, means = two_moment_program(torch.tensor([[0.1, 0.7, 0.9, 0.4]], dtype=torch.float64))
    assert last_iterate_of_cvxopt(P, Equality(means, r)) is None


def test_cvxopt_has_no_iterate_where_all_robust_means_are_zero():
    P, means = two_moment_program(torch.tensor([[0.1, 0.0, 0.0, 0.0]], dtype=torch.float64))
    assert last_iterate_of_cvxopt(P, Equality(means, 0.5)) is None


@given(window=windows(least=3), share=st.floats(0.1, 0.9))
def test_for_an_r_well_inside_cvxopt_and_the_exact_solver_agree(window, share):
    P, means = two_moment_program(window + 0.1)
    r = share * means.max()
    iterate = last_iterate_of_cvxopt(P, Equality(means, r))
    assert iterate is not None
    exact = minimize_quadratic(P, (means, r), "exact")
    assert abs(objective(P, torch.from_numpy(iterate)) - objective(P, exact)) <= 1e-4


class _HostReads(TorchDispatchMode):
    """Counts the reads that would make a GPU wait for the host."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def test_the_exact_solver_never_asks_the_host():
    P, means = two_moment_program(torch.tensor([[0.1, 0.7, 0.9, 0.4]], dtype=torch.float64))
    value = torch.tensor(0.3, dtype=torch.float64)
    solve(P, (means, value), "exact")  # the tables of supports are made once
    with _HostReads() as reads:
        solve(P, (means, value), "exact")
    assert reads.count == 0


@pytest.mark.parametrize(
    ("P", "constraint", "told"),
    [
        (torch.ones(2, 3), None, r"a square matrix \(k, k\), not of shape \(2, 3\)"),
        (torch.eye(3), (torch.ones(2), 0.5), r"coefficients of shape \(2,\) for 3 weights"),
    ],
)
def test_shapes_that_are_no_program_are_refused(P, constraint, told):
    with pytest.raises(SolverError, match=told):
        solve(P, constraint)
