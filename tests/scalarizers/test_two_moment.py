"""The two-moment program: Eqs. 12 and 13 over a window of mini-batch losses."""

import io

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from moat.errors import DefinitionError, FieldError, SolverError
from moat.geometry import simplex
from moat.objectives import LossMatrix
from moat.scalarizers import TwoMoment
from moat.scalarizers.two_moment import moments, two_moment_matrix

NAMES = ("natural", "pgd", "flow", "rt")
HIGH = [[0.4, 0.9, 0.5, 0.7], [0.3, 1.1, 0.6, 0.5]]  # robust means up to 1
HISTORY = [[1 / (1 + step), 2.0, 1 + (step % 3) / 4, 1.5] for step in range(9)]
losses_of_a_step = st.lists(st.floats(0.01, 5), min_size=4, max_size=4)
histories = st.lists(losses_of_a_step, min_size=1, max_size=8)


def seen(scalarizer: TwoMoment, history: list[list[float]]) -> TwoMoment:
    """The scalarizer after steps with these mean losses."""
    for means in history:
        names = NAMES[: len(means)]
        scalarizer.update(LossMatrix(torch.tensor(means, dtype=torch.float64)[:, None], names))
    return scalarizer


def mean_of(history: list[list[float]]) -> Tensor:
    return torch.tensor(history, dtype=torch.float64).mean(0)


def robust_average(scalarizer: TwoMoment, history: list[list[float]]) -> float:
    weights, mean = scalarizer.weights(NAMES), mean_of(history)
    return (weights[1:] @ mean[1:]).item()


class TestTheMatrix:
    @given(data=st.data(), k=st.integers(2, 6), steps=st.integers(1, 6))
    def test_its_quadratic_form_is_the_double_sum_of_eq_12(self, data, k, steps):
        numbers = st.lists(st.floats(-3, 3), min_size=k, max_size=k)
        history = torch.tensor([data.draw(numbers) for _ in range(steps)], dtype=torch.float64)
        a = torch.tensor(data.draw(numbers), dtype=torch.float64)
        weighted = a * history  # a_i L_i of every step
        differences = weighted[:, :, None] - weighted[:, None, :]
        double_sum = (differences**2).mean(0).sum()
        P = two_moment_matrix(*moments(history))
        torch.testing.assert_close(a @ P @ a, double_sum, rtol=1e-9, atol=1e-9)

    @given(history=histories)
    def test_it_is_symmetric_and_positive_semi_definite(self, history):
        P = two_moment_matrix(*moments(torch.tensor(history, dtype=torch.float64)))
        assert torch.equal(P, P.T)
        assert torch.linalg.eigvalsh(P).min() > -1e-9 * P.trace()

    def test_with_four_objectives_the_printed_8_appears(self):
        mean = torch.tensor([1.0, 2, 3, 4], dtype=torch.float64)
        moment = torch.outer(mean, mean)
        expected = 8 * torch.diag(moment.diagonal()) - 2 * moment
        assert torch.equal(two_moment_matrix(mean, torch.zeros(4, 4).double()), expected)

    @given(mean=losses_of_a_step)
    def test_without_variance_and_constraint_the_weights_are_as_one_over_the_means(self, mean):
        means = torch.tensor(mean, dtype=torch.float64)
        P = two_moment_matrix(means, torch.zeros(4, 4).double())
        expected = (1 / means) / (1 / means).sum()
        found = simplex.minimize_quadratic(P)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
        assert found @ P @ found <= expected @ P @ expected + 1e-9 * P.trace()

    def test_the_moments_are_those_of_the_population(self):
        window = torch.randn(7, 4, generator=torch.Generator().manual_seed(0)).double()
        mean, covariance = moments(window)
        torch.testing.assert_close(mean, window.mean(0))
        torch.testing.assert_close(covariance, torch.cov(window.T, correction=0))


class TestTheTarget:
    @given(history=histories, r=st.floats(0, 6, width=32, allow_subnormal=False))
    def test_the_robust_losses_average_to_r_whenever_any_weights_can_make_them(self, history, r):
        top = mean_of(history)[1:].max().item()
        scalarizer = seen(TwoMoment(r=r), history)
        assert robust_average(scalarizer, history) == pytest.approx(min(r, top), abs=1e-6)
        log = scalarizer.log()
        assert log["solved"]
        assert log["r_asked"] == r
        assert log["r_effective"] == pytest.approx(min(r, top), abs=1e-9)
        assert log["clamped"] == (r > top)

    @given(
        history=histories,
        r=st.floats(0, 6, width=32, allow_subnormal=False),
        ceiling=st.floats(0.05, 1),
    )
    def test_the_ceiling_is_a_share_of_the_largest_robust_mean(self, history, r, ceiling):
        top = ceiling * mean_of(history)[1:].max().item()
        scalarizer = seen(TwoMoment(r=r, ceiling=ceiling), history)
        assert robust_average(scalarizer, history) == pytest.approx(min(r, top), abs=1e-6)

    @given(history=histories, rho=st.floats(0, 1, width=32, allow_subnormal=False))
    def test_rho_is_always_reached(self, history, rho):
        scalarizer = seen(TwoMoment(rho=rho), history)
        asked = rho * mean_of(history)[1:].max().item()
        assert robust_average(scalarizer, history) == pytest.approx(asked, abs=1e-6)
        log = scalarizer.log()
        assert (log["solved"], log["clamped"], log["clamped_share"]) == (True, False, 0)

    @given(
        history=st.lists(
            st.lists(st.floats(-3, 3), min_size=4, max_size=4), min_size=1, max_size=4
        ),
        r=st.floats(0, 6, width=32, allow_subnormal=False),
    )
    def test_losses_that_can_be_negative_shift_what_is_reachable(self, history, r):
        scalarizer = seen(TwoMoment(r=r), history)
        weights, log = scalarizer.weights(NAMES), scalarizer.log()
        mean = mean_of(history)
        assert weights.min() >= 0
        assert log["r_effective"] == pytest.approx(
            min(r, max(0.0, mean[1:].max().item())), abs=1e-9
        )
        if log["solved"]:
            assert (weights[1:] @ mean[1:]).item() == pytest.approx(log["r_effective"], abs=1e-6)

    def test_no_robust_loss_left_is_no_constraint_left(self):
        scalarizer = seen(TwoMoment(r=1.0), [[0.5, 0.0, 0.0, 0.0]])
        assert scalarizer.weights(NAMES).isfinite().all()
        assert scalarizer.log()["r_effective"] == 0

    @given(history=histories, r=st.floats(0, 6, width=32, allow_subnormal=False))
    def test_the_exact_solver_and_cvxopt_agree_on_the_objective(self, history, r):
        window = torch.tensor(history, dtype=torch.float64)
        P = two_moment_matrix(*moments(window))
        found = [
            seen(TwoMoment(r=r, solver=solver), history).weights(NAMES)
            for solver in ("exact", "cvxopt")
        ]
        values = [(weights @ P @ weights / P.trace()).item() for weights in found]
        assert values[0] == pytest.approx(values[1], abs=1e-6)


class TestWhenRCannotBeReached:
    def test_the_clamp_is_logged_with_its_share_of_the_steps(self):
        scalarizer = TwoMoment(r=2.0, window=1)
        shares = []
        for top in (3.0, 1.0, 2.5, 1.5):
            seen(scalarizer, [[0.1, top, 0.3, 0.2]])
            log = scalarizer.log()
            shares.append(log["clamped_share"])
            assert log["clamped"] == (top < 2.0)
            assert log["r_effective"] == pytest.approx(min(top, 2.0))
            assert log["r_asked"] == 2.0
        assert shares == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])

    def test_clamped_all_weight_lies_on_the_largest_robust_loss(self):
        weights = seen(TwoMoment(r=6.0), HIGH).weights(NAMES)
        assert weights.tolist() == pytest.approx([0, 1, 0, 0], abs=1e-6)

    def test_keep_last_leaves_the_weights_as_they_were(self):
        scalarizer = seen(TwoMoment(r=1.0, window=1, infeasible="keep-last"), [[0.5, 3, 2, 1]])
        reached = scalarizer.weights(NAMES).clone()
        assert not torch.equal(reached, torch.full((4,), 0.25).double())
        seen(scalarizer, [[0.1, 0.3, 0.2, 0.1]])
        assert torch.equal(scalarizer.weights(NAMES), reached)
        assert scalarizer.log()["clamped"]
        seen(scalarizer, [[0.5, 1.1, 2, 3]])
        assert not torch.equal(scalarizer.weights(NAMES), reached)

    def test_keep_last_starts_uniform(self):
        scalarizer = seen(TwoMoment(r=9.0, infeasible="keep-last"), HIGH)
        assert scalarizer.weights(NAMES).tolist() == [0.25] * 4

    def test_as_cvxopt_trains_on_weights_off_the_simplex_and_names_the_negative_ones(self):
        lowest = []
        for r in (1.2, 1.5, 2.0, 2.2, 3.0, 4.0, 6.0):
            scalarizer = seen(TwoMoment(r=r, infeasible="as-cvxopt"), HIGH)
            weights, log = scalarizer.weights(NAMES), scalarizer.log()
            assert not scalarizer.simplex
            assert weights.min() < -0.01 or abs(weights.sum() - 1) > 0.01
            assert log["negative_weight"] == min(0, weights.min().item())
            assert log["r_asked"] == r
            assert log["clamped"]
            lowest.append(log["negative_weight"])
        assert min(lowest) < -0.1

    def test_as_cvxopt_is_the_same_program_where_r_can_be_reached(self):
        literal = seen(TwoMoment(r=0.6, infeasible="as-cvxopt"), HIGH)
        clamped = seen(TwoMoment(r=0.6), HIGH)
        assert TwoMoment(r=0.6).simplex
        torch.testing.assert_close(
            literal.weights(NAMES), clamped.weights(NAMES), rtol=0, atol=1e-4
        )
        assert literal.log()["negative_weight"] == pytest.approx(0, abs=1e-6)

    def test_as_cvxopt_keeps_the_last_weights_where_cvxopt_raises(self):
        scalarizer = TwoMoment(r=1.0, infeasible="as-cvxopt")
        seen(scalarizer, [[0.5, 0.0, 0.0, 0.0]])  # Rank(A) < p
        assert scalarizer.weights(NAMES).tolist() == [0.25] * 4

    def test_losses_that_are_not_finite_leave_the_weights_as_they_were(self):
        scalarizer = seen(TwoMoment(rho=0.5, window=2), HIGH)
        before = scalarizer.weights(NAMES).clone()
        seen(scalarizer, [[torch.inf, 1.0, 1.0, 1.0]])
        assert torch.equal(scalarizer.weights(NAMES), before)
        assert not scalarizer.log()["solved"]


class TestItsLife:
    def test_the_weights_start_uniform_and_lag_one_step(self):
        scalarizer = TwoMoment(rho=0.5)
        assert scalarizer.weights(NAMES).tolist() == [0.25] * 4
        assert scalarizer.log() == {}
        seen(scalarizer, HISTORY[:1])
        assert scalarizer.weights(NAMES).tolist() != [0.25] * 4

    def test_everything_is_planned(self):
        assert TwoMoment(r=1.0).plan(NAMES, 8).tolist() == [True] * 4

    def test_one_observation_gives_finite_weights(self):
        weights = seen(TwoMoment(r=0.5), [[0.2, 1.0, 0.8, 0.4]]).weights(NAMES)
        assert weights.isfinite().all()
        assert weights.sum().item() == pytest.approx(1)

    def test_weights_and_window_are_float64_whatever_the_losses_are(self):
        scalarizer = TwoMoment(rho=0.5)
        scalarizer.update(LossMatrix(torch.rand(4, 5, requires_grad=True), NAMES))
        weights = scalarizer.weights(NAMES)
        assert weights.dtype == scalarizer.state_dict()["history"].dtype == torch.float64
        assert not weights.requires_grad

    @pytest.mark.parametrize("window", [1, 3, 50])
    def test_the_window_slides(self, window):
        whole = seen(TwoMoment(rho=0.5, window=window), HISTORY)
        recent = seen(TwoMoment(rho=0.5), HISTORY[-window:])
        torch.testing.assert_close(whole.weights(NAMES), recent.weights(NAMES), rtol=0, atol=1e-9)

    @pytest.mark.parametrize("cut", [0, 1, 3, 7])
    @pytest.mark.parametrize("infeasible", ["clamp", "keep-last", "as-cvxopt"])
    def test_a_resumed_run_is_the_undisturbed_one(self, cut, infeasible):
        fields = {"r": 1.9, "window": 4, "infeasible": infeasible}
        undisturbed = seen(TwoMoment(**fields), HISTORY)
        before, file = seen(TwoMoment(**fields), HISTORY[:cut]), io.BytesIO()
        torch.save(before.state_dict(), file)
        file.seek(0)
        resumed = TwoMoment(**fields)
        resumed.load_state_dict(torch.load(file, weights_only=True))
        seen(resumed, HISTORY[cut:])
        assert torch.equal(resumed.weights(NAMES), undisturbed.weights(NAMES))
        assert resumed.log() == undisturbed.log()

    def test_two_objectives_are_enough(self):
        scalarizer = seen(TwoMoment(rho=0.5), [[0.2, 1.0]])
        assert scalarizer.weights(NAMES[:2]).tolist() == pytest.approx([0.5, 0.5])


LEVELS = {"natural": 0.5, "pgd": 2.0, "rt": 1.5}


class TestALevelForEach:
    def test_without_variance_the_weighted_losses_have_the_ratios_of_the_levels(self):
        rule = seen(TwoMoment(target="each", levels=LEVELS), [HIGH[0]])
        weighted = rule.weights(NAMES) * mean_of([HIGH[0]])
        assert (weighted / weighted.sum()).tolist() == pytest.approx([0.1, 0.4, 0.2, 0.3])

    @given(history=histories)
    def test_it_is_the_program_of_the_losses_over_their_levels_and_always_solved(self, history):
        rule = seen(TwoMoment(target="each", levels=LEVELS), history)
        levels = torch.tensor([0.5, 2.0, 1.0, 1.5], dtype=torch.float64)
        window = torch.tensor(history, dtype=torch.float64) / levels
        matrix = two_moment_matrix(*moments(window))
        weights = rule.weights(NAMES)
        best = simplex.minimize_quadratic(matrix, solver="cvxopt")
        values = [(a @ matrix @ a).item() for a in (weights, best)]
        assert values[0] <= values[1] + 1e-7 * matrix.trace().item()
        assert rule.log() == {"solved": True}

    def test_a_level_of_another_objective_is_refused(self):
        with pytest.raises(DefinitionError) as refused:
            TwoMoment(target="each", levels={"flwo": 1.0}).require_objectives(NAMES)
        assert str(refused.value) == (
            "levels names 'flwo', which is not an objective. Did you mean 'flow'?\n"
            "  The objectives: natural, pgd, flow, rt."
        )

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"target": "each", "r": 1.0}, "takes levels, and neither r nor rho"),
            ({"target": "each", "rho": 1.0}, "takes levels, and neither r nor rho"),
            ({"rho": 1.0, "levels": {"pgd": 1.0}}, 'levels need target = "each"'),
            ({"target": "each", "levels": {"pgd": 0.0}}, "levels.pgd should be greater than 0"),
            ({"target": "all"}, "target should be 'mean' or 'each'"),
        ],
    )
    def test_fields_that_do_not_go_together_are_refused(self, fields, message):
        with pytest.raises(FieldError, match=message):
            TwoMoment(**fields)


class TestItsFields:
    @pytest.mark.parametrize(("given", "said"), [({}, "neither"), ({"r": 1.0, "rho": 0.5}, "both")])
    def test_exactly_one_of_r_and_rho_is_given(self, given, said):
        with pytest.raises(FieldError, match=f"exactly one of r and rho is given, not {said}"):
            TwoMoment(**given)

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"r": -0.1}, r"r .*greater than or equal to 0"),
            ({"r": float("nan")}, r"r .*finite"),
            ({"r": float("inf")}, r"r .*finite"),
            ({"rho": 1.1}, r"rho .*less than or equal to 1"),
            ({"rho": float("nan")}, r"TwoMoment.rho"),
            ({"rho": 0.5, "ceiling": 0.0}, r"ceiling .*greater than 0"),
            ({"rho": 0.5, "ceiling": 1.5}, r"ceiling .*less than or equal to 1"),
            ({"rho": 0.5, "window": 0}, r"window .*greater than 0"),
            ({"rho": 0.5, "infeasible": "ignore"}, r"infeasible .*'keep-last' or 'as-cvxopt'"),
        ],
    )
    def test_a_wrong_number_is_refused_by_name(self, fields, message):
        with pytest.raises(FieldError, match=message):
            TwoMoment(**fields)

    def test_an_unknown_solver_is_refused_when_it_is_named(self):
        with pytest.raises(SolverError, match=r"no quadratic solver is called 'osq'\."):
            TwoMoment(r=1.0, solver="osq")
