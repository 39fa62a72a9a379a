"""What the outcomes and the searches' numbers tell by themselves."""

import numpy as np
import pytest

from moat.evaluation import Protocol
from moat.evaluation.sanity.matrix_checks import matrix_checks
from moat.threats import PGD, Flow, RTGrid

FLOW = Flow(epsilon=0.3, step_size=0.03)
NOISE = PGD(epsilon=0.1, step_size=0.02, start="uniform")
TWICE = Protocol({"flow": FLOW}, at_steps={"flow": (2, 5)})
RADII = Protocol({"flow": FLOW}, at_epsilon={"flow": (0.1, 0.3)})
AGAIN = Protocol({"pgd": NOISE}, restarts={"pgd": 3})


def checks(evaluation):
    return {check.name: check for check in matrix_checks(evaluation)}


def withstood(share):
    return (np.arange(20) < share * 20).astype(np.int8)


@pytest.mark.parametrize("protocol", [TWICE, RADII])
@pytest.mark.parametrize(
    ("smaller", "larger", "verdict", "figure"),
    [(0.8, 0.5, "pass", 0.0), (0.5, 0.5, "pass", 0.0), (0.5, 0.8, "fail", 30.0)],
)
def test_accuracy_must_not_rise_with_strength(
    evaluation, protocol, smaller, larger, verdict, figure
):
    made = evaluation(protocol, outcomes={1: withstood(smaller), 2: withstood(larger)})
    check = checks(made)["strengths"]
    assert check.verdict == verdict
    assert check.figure == pytest.approx(figure)


def test_one_strength_cannot_rise(evaluation):
    check = checks(evaluation(Protocol({"flow": FLOW})))["strengths"]
    assert check.verdict == "not checked"


@pytest.mark.parametrize(("left", "verdict"), [(1.0, "pass"), (0.95, "warn"), (0.9, "fail")])
def test_one_restart_more_must_not_help_much(evaluation, left, verdict):
    made = evaluation(AGAIN, outcomes={1: 1, 2: 1, 3: withstood(left)})
    check = checks(made)["restarts"]
    assert check.verdict == verdict
    assert check.figure == pytest.approx(100 * (1 - left) / 3)  # the mean of 0, 0 and 1 - left


def test_what_two_restarts_find_needs_neither_of_them(evaluation):
    made = evaluation(AGAIN, outcomes={1: 1, 2: withstood(0.5), 3: withstood(0.5)})
    assert checks(made)["restarts"].figure == 0


def test_restarts_towards_other_classes_are_other_searches(evaluation):
    aimed = PGD(epsilon=0.1, step_size=0.02, loss="targeted-dlr")
    made = evaluation(
        Protocol({"pgd": aimed}, restarts={"pgd": 2}), outcomes={1: 1, 2: withstood(0.5)}
    )
    assert checks(made)["restarts"].verdict == "not checked"


@pytest.mark.parametrize(("lower", "verdict"), [(0, "pass"), (1, "warn"), (5, "fail")])
def test_a_loss_below_its_start_is_counted_at_the_largest_strength(evaluation, lower, verdict):
    ends = np.where(np.arange(20) < lower, 0.5, 2.0)
    made = evaluation(TWICE, first={1: 1.0, 2: 1.0}, last={1: 0.0, 2: ends})
    check = checks(made)["loss"]
    assert check.verdict == verdict
    assert check.figure == pytest.approx(100 * lower / 20)


def test_rounding_is_no_loss_below_its_start(evaluation):
    made = evaluation(TWICE, first={2: 1.0}, last={2: 1.0 - 1e-6})
    assert checks(made)["loss"].verdict == "pass"


ANY = Protocol({"flow": FLOW}, at_steps={"flow": (2, 5)}, falls="any")


def test_the_reach_is_that_of_the_median_search_to_the_largest_strength(evaluation):
    reached = np.where(np.arange(20) < 12, 0.05, 0.9)
    check = checks(evaluation(TWICE, reached={1: 1.0, 2: reached}))["reach"]
    assert (check.verdict, check.of) == ("warn", "flow")
    assert check.figure == pytest.approx(0.05)
    assert "only 5 % of its radius (flow 5 %)" in check.text


def test_whoever_fell_by_any_iterate_did_not_go_the_whole_way(evaluation):
    reached = np.where(np.arange(20) < 3, 0.95, 0.1)
    made = evaluation(ANY, reached={2: reached}, outcomes={2: withstood(0.15)})
    assert checks(made)["reach"].figure == pytest.approx(0.95)


def test_where_all_fell_nobody_went_the_whole_way(evaluation):
    made = evaluation(ANY, reached={2: 0.7}, outcomes={2: withstood(0)})
    assert checks(made)["reach"].verdict == "not checked"


@pytest.mark.parametrize(("count", "verdict"), [(0, "pass"), (1, "warn"), (2, "fail")])
def test_searches_without_a_gradient_are_counted(evaluation, count, verdict):
    blind = (np.arange(20) < count).astype(np.int8)
    check = checks(evaluation(TWICE, blind={1: blind, 2: blind}))["gradients"]
    assert check.verdict == verdict
    assert check.figure == pytest.approx(100 * count / 20)


@pytest.mark.parametrize(("value", "verdict"), [(1.0, "pass"), (np.inf, "fail"), (np.nan, "fail")])
def test_one_logit_that_is_not_finite_fails(evaluation, value, verdict):
    losses = np.where(np.arange(20) == 3, value, 1.0)
    assert checks(evaluation(TWICE, losses={0: losses}))["logits"].verdict == verdict


def test_what_follows_no_gradient_is_not_asked_about_gradients(evaluation):
    threats = {"grid": RTGrid(), "drawn": PGD(epsilon=0.1, step_size=0.1, search="random")}
    found = checks(evaluation(Protocol(threats)))
    for name in ("gradients", "loss", "reach"):
        assert found[name].verdict == "not checked"
        assert "climbs a gradient" in found[name].text


def test_what_was_not_searched_for_all_is_not_compared(evaluation):
    protocol = Protocol(
        {"pgd": NOISE}, at_epsilon={"pgd": (0.05, 0.1)}, restarts={"pgd": 2}, falls="any"
    )
    gaps = np.where(np.arange(20) < 3, -1, 1)
    found = checks(evaluation(protocol, outcomes={4: gaps}))
    assert found["strengths"].verdict == found["restarts"].verdict == "not checked"
