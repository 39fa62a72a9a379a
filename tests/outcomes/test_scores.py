import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from moat.errors import MoatError
from moat.outcomes import (
    NATURAL_COLUMN,
    NOT_SEARCHED,
    Column,
    Outcomes,
    accuracy,
    robustness_score,
    summary,
    total,
    union,
    universal,
)

COLUMNS = (
    NATURAL_COLUMN,
    *(Column("pgd", 10), Column("pgd", 20), Column("flow", 5), Column("rt", 5)),
)
THREATS = ["pgd", "flow", "rt"]


def outcomes_of(values: np.ndarray, columns: tuple[Column, ...] = COLUMNS) -> Outcomes:
    return Outcomes(values.astype(np.int8), columns, np.arange(len(values)))


searched = st.integers(1, 8).flatmap(
    lambda examples: arrays(np.int8, (examples, len(COLUMNS)), elements=st.integers(0, 1))
).map(outcomes_of)  # fmt: skip


@given(outcomes=searched)
def test_an_accuracy_is_a_share_of_all_examples_in_percent(outcomes):
    for index, column in enumerate(COLUMNS):
        expected = 100 * sum(outcomes.values[:, index].tolist()) / len(outcomes.ids)
        assert accuracy(outcomes, column) == pytest.approx(expected)


@given(outcomes=searched)
def test_a_conditional_accuracy_counts_examples_that_were_correct_to_begin_with(outcomes):
    for index, column in enumerate(COLUMNS):
        rows = [row for row in outcomes.values.tolist() if row[0]]
        found = accuracy(outcomes, column, conditional=True)
        if rows:
            assert found == pytest.approx(100 * sum(row[index] for row in rows) / len(rows))
        else:
            assert math.isnan(found)


@given(outcomes=searched)
def test_a_robustness_score_is_the_mean_over_a_threats_strengths(outcomes):
    mean = (accuracy(outcomes, COLUMNS[1]) + accuracy(outcomes, COLUMNS[2])) / 2
    assert robustness_score(outcomes, "pgd") == pytest.approx(mean)


@given(outcomes=searched)
def test_the_union_counts_examples_that_withstood_everything(outcomes):
    expected = 100 * sum(bool(row.all()) for row in outcomes.values) / len(outcomes.ids)
    assert union(outcomes, THREATS) == pytest.approx(expected)


@given(outcomes=searched)
def test_the_union_is_at_most_every_accuracy_and_another_threat_never_raises_it(outcomes):
    least = min(accuracy(outcomes, column) for column in COLUMNS)
    assert union(outcomes, THREATS) <= least + 1e-9
    assert union(outcomes, THREATS) <= union(outcomes, ["pgd"]) <= union(outcomes, [])
    assert union(outcomes, []) == accuracy(outcomes, NATURAL_COLUMN)


@given(outcomes=searched, baseline=searched)
def test_the_universal_score_is_the_sum_of_the_gains(outcomes, baseline):
    gains = [
        robustness_score(outcomes, name) - robustness_score(baseline, name) for name in THREATS
    ]
    assert universal(outcomes, baseline, THREATS) == pytest.approx(sum(gains), abs=1e-9)
    assert universal(outcomes, outcomes, iter(THREATS)) == 0


def with_accuracies(shares: dict[Column, float]) -> Outcomes:
    """Ten thousand examples of which the given percentages withstood."""
    values = np.zeros((10_000, len(shares)))
    for index, percent in enumerate(shares.values()):
        values[: round(100 * percent), index] = 1
    return outcomes_of(values, tuple(shares))


def test_the_scores_of_table_1_are_reproduced_on_cifar10():
    columns = (NATURAL_COLUMN, *(Column(name, 5) for name in THREATS))
    percent = {
        "natural": (93.0, 0.82, 9.34, 57.28),
        "max": (70.0, 52.04, 85.31, 40.06),
        "average": (70.0, 49.68, 79.88, 64.98),
    }
    made = {
        name: with_accuracies(dict(zip(columns, row, strict=True))) for name, row in percent.items()
    }
    assert universal(made["max"], made["natural"], THREATS) == pytest.approx(109.97)
    assert universal(made["average"], made["natural"], THREATS) == pytest.approx(127.10)
    assert total(made["max"], THREATS) == pytest.approx(177.41)


def test_table_2_is_the_raw_sum():
    columns = (NATURAL_COLUMN, *(Column(name, 5) for name in THREATS))
    made = with_accuracies(dict(zip(columns, (71.68, 63.28, 81.01, 59.69), strict=True)))
    assert total(made, THREATS) == pytest.approx(203.98)


@given(outcomes=searched)
def test_the_summary_holds_every_score_that_needs_no_baseline(outcomes):
    found = summary(outcomes, ["pgd", "rt"])
    assert found["natural"] == accuracy(outcomes, NATURAL_COLUMN)
    assert found["accuracy"] == {
        "pgd": {"10": accuracy(outcomes, COLUMNS[1]), "20": accuracy(outcomes, COLUMNS[2])},
        "flow": {"5": accuracy(outcomes, COLUMNS[3])},
        "rt": {"5": accuracy(outcomes, COLUMNS[4])},
    }
    assert found["scores"] == {name: robustness_score(outcomes, name) for name in THREATS}
    right = found["natural"] > 0  # else nothing is conditional on it
    assert found["conditional"] == {
        name: robustness_score(outcomes, name, conditional=True) if right else None
        for name in THREATS
    }
    assert found["summed"] == ["pgd", "rt"]
    assert found["total"] == total(outcomes, ["pgd", "rt"])
    assert found["union"] == union(outcomes, THREATS)
    assert found["examples"] == len(outcomes.ids)


def test_the_conditional_total_sums_conditional_scores():
    outcomes = outcomes_of(np.array([[1, 1, 0, 1, 1], [0, 0, 0, 0, 0]]))
    assert total(outcomes, THREATS, conditional=True) == 250
    assert total(outcomes, THREATS) == 125
    assert universal(outcomes, outcomes, THREATS, conditional=True) == 0


def test_threats_are_listed_in_the_order_of_their_columns():
    assert outcomes_of(np.ones((1, 5))).threats == ("pgd", "flow", "rt")
    assert outcomes_of(np.ones((1, 5))).of("pgd") == [Column("pgd", 10), Column("pgd", 20)]


@pytest.mark.parametrize("ask", [robustness_score, lambda o, name: union(o, [name])])
def test_a_threat_that_was_not_evaluated_is_refused_with_the_nearest(ask):
    with pytest.raises(MoatError) as raised:
        ask(outcomes_of(np.ones((2, 5))), "flwo")
    assert raised.value.message == "the threat 'flwo' was not evaluated. Did you mean 'flow'?"
    assert raised.value.hint == "evaluated: pgd, flow, rt"


def test_no_score_is_made_of_what_was_not_searched():
    values = np.ones((3, 5))
    values[1, 2] = NOT_SEARCHED
    outcomes = outcomes_of(values)
    assert accuracy(outcomes, Column("pgd", 10)) == 100
    with pytest.raises(MoatError) as raised:
        robustness_score(outcomes, "pgd")
    assert raised.value.message == (
        "'pgd' at strength 20 was not searched for every example, so it has no score."
    )


def test_the_shape_is_examples_by_columns():
    with pytest.raises(
        ValueError, match=r"outcomes of shape \(3, 5\) for 2 examples and 5 columns"
    ):
        Outcomes(np.ones((3, 5), np.int8), COLUMNS, np.arange(2))


@pytest.mark.parametrize("columns", [(), COLUMNS[1:]])
def test_the_first_column_is_the_natural_image(columns):
    with pytest.raises(ValueError, match="the first column of outcomes is the natural image"):
        Outcomes(np.ones((2, len(columns)), np.int8), columns, np.arange(2))


def test_scores_are_plain_numbers_that_a_checkpoint_can_keep():
    outcomes = with_accuracies({NATURAL_COLUMN: 90, Column("pgd", 2): 50})
    assert type(accuracy(outcomes, Column("pgd", 2))) is float
    assert type(union(outcomes, ["pgd"])) is float
