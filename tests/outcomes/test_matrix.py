"""The matrix and its scores against plain loops over examples and columns."""

import json
import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from moat import outcomes as scoring
from moat.errors import MoatError, UnsearchedError
from moat.outcomes import EPSILON, NATURAL_COLUMN, STEPS, Column, Outcomes, from_arrays, union

HINT = "An evaluation with union_only drops an example at its first fall; its union has a score."


@st.composite
def matrices(draw, least: int = -1) -> Outcomes:
    """Any outcomes: threats by steps or by radius, restarts, gaps, ensembles, columns shuffled."""
    threats = draw(st.lists(st.sampled_from("abcd"), min_size=1, unique=True))
    columns = []
    for threat in threats:
        by = draw(st.sampled_from([STEPS, EPSILON]))
        sizes = st.integers(1, 40) if by == STEPS else st.floats(0.001, 3)
        for strength in draw(st.lists(sizes, min_size=1, max_size=3, unique=True)):
            restarts = range(draw(st.integers(1, 3)))
            columns += [Column(threat, strength, restart, by) for restart in restarts]
    every = (NATURAL_COLUMN, *draw(st.permutations(columns)))
    shape = (draw(st.integers(1, 6)), len(every))
    values = draw(arrays(np.int8, shape, elements=st.integers(least, 1)))
    kept = draw(st.booleans())
    a_loss = st.floats(-100, width=32) | st.just(math.nan)  # it may overflow, and be missing
    losses = draw(arrays(np.float32, shape, elements=a_loss)) if kept else None
    members = st.lists(st.sampled_from(threats), min_size=1, unique=True).map(tuple)
    ensembles = draw(st.dictionaries(st.sampled_from(["one", "two"]), members))
    ids = draw(arrays(np.int64, shape[:1], elements=st.integers(0, 9999)))
    return Outcomes(values, every, ids, losses, ensembles)


# The same in plain Python: 1, 0 and -1 an example at a time.


def together(entries: list[int]) -> int:
    if 0 in entries:
        return 0
    return -1 if -1 in entries else 1


def came_to(outcomes: Outcomes, row: list[int], threat: str, strength: float) -> int:
    entries = []
    for column, value in zip(outcomes.columns, row, strict=True):
        if column.threat != threat:
            continue
        if column.strength == strength:
            entries.append(value)
        elif column.by == "epsilon" and column.strength < strength and value == 0:
            return 0
    return together(entries)


def strengths(outcomes: Outcomes, threat: str) -> list[float]:
    return list(dict.fromkeys(c.strength for c in outcomes.columns if c.threat == threat))


def verdicts(outcomes: Outcomes, name: str) -> list[list[int]]:
    """For each strength of a threat or an ensemble, what each example came to."""
    rows = outcomes.values.tolist()
    if name in outcomes.ensembles:
        of_members = [
            column for member in outcomes.ensembles[name] for column in verdicts(outcomes, member)
        ]
        return [[together(list(entries)) for entries in zip(*of_members, strict=True)]]
    return [
        [came_to(outcomes, row, name, strength) for row in rows]
        for strength in strengths(outcomes, name)
    ]


def share(verdict: list[int]) -> float | None:
    if -1 in verdict:
        return None
    return 100 * sum(verdict) / len(verdict) if verdict else math.nan


def right(outcomes: Outcomes, verdict: list[int]) -> list[int]:
    """Keep the examples that are right to begin with."""
    naturals = outcomes.values[:, 0].tolist()
    return [value for value, natural in zip(verdict, naturals, strict=True) if natural == 1]


def shares(outcomes: Outcomes, name: str, conditional: bool) -> list[float | None]:
    if conditional and -1 in outcomes.values[:, 0].tolist():
        return [None]
    kept = [
        right(outcomes, verdict) if conditional else verdict for verdict in verdicts(outcomes, name)
    ]
    return [share(verdict) for verdict in kept]


def made(score: Callable[..., float], *asked: object, **how: bool) -> float | None:
    try:
        return score(*asked, **how)
    except UnsearchedError:
        return None


def same(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return found == pytest.approx(expected, nan_ok=True)


@given(outcomes=matrices())
def test_a_strength_is_withstood_where_every_restart_is_and_no_smaller_radius_was_fatal(outcomes):
    for threat in outcomes.threats:
        columns = outcomes.of(threat)
        assert [column.strength for column in columns] == strengths(outcomes, threat)
        for column, expected in zip(columns, verdicts(outcomes, threat), strict=True):
            assert outcomes.verdict(column).tolist() == expected


@given(outcomes=matrices(), conditional=st.booleans())
def test_each_score_is_that_of_a_plain_loop_or_is_refused(outcomes, conditional):
    how = {"conditional": conditional}
    for name in outcomes.names:
        expected = shares(outcomes, name, conditional)
        gap = None in expected
        mean = None if gap else sum(expected) / len(expected)
        least = None if gap else (math.nan if math.isnan(mean) else min(expected))
        assert same(made(scoring.robustness_score, outcomes, name, **how), mean)
        assert same(made(scoring.worst, outcomes, name, **how), least)
        if name in outcomes.threats and expected != [None]:
            for column, value in zip(outcomes.of(name), expected, strict=True):
                assert same(made(scoring.accuracy, outcomes, column, **how), value)


@given(outcomes=matrices(), data=st.data())
def test_an_example_is_fallen_in_the_union_where_any_entry_says_so(outcomes, data):
    names = data.draw(st.lists(st.sampled_from(outcomes.names), unique=True))
    threats = {member for name in names for member in outcomes.ensembles.get(name, (name,))}
    of_examples = []
    for row in outcomes.values.tolist():
        entries = [row[0]]
        for column, value in zip(outcomes.columns, row, strict=True):
            if column.threat in threats:
                entries.append(value)
        of_examples.append(together(entries))
    assert same(made(union, outcomes, names), share(of_examples))


@given(outcomes=matrices(least=0), data=st.data())
def test_what_a_union_only_evaluation_leaves_out_does_not_change_its_union(outcomes, data):
    left = outcomes.values.copy()
    for row in left:
        fell = np.flatnonzero(row == 0)
        if fell.size:
            row[fell[0] + 1 :] = -1
    stopped = Outcomes(left, outcomes.columns, outcomes.ids)
    assert union(stopped, stopped.threats) == union(outcomes, outcomes.threats)
    summary = scoring.summary(stopped, stopped.threats)
    assert (summary["natural"], summary["union"]) == (
        *(scoring.accuracy(outcomes, NATURAL_COLUMN), union(outcomes, outcomes.threats)),
    )


@given(outcomes=matrices(least=0))
def test_restarts_that_skip_what_fell_before_change_no_score(outcomes):
    left = outcomes.values.copy()
    for place, column in enumerate(outcomes.columns):
        for earlier in range(place):
            if outcomes.columns[earlier][:2] == column[:2]:
                left[outcomes.values[:, earlier] == 0, place] = -1
    skipping = Outcomes(left, outcomes.columns, outcomes.ids, ensembles=outcomes.ensembles)
    before, after = (scoring.summary(made_of, outcomes.names) for made_of in (outcomes, skipping))
    assert json.dumps(after) == json.dumps(before)  # as text, where NaN is NaN


@given(outcomes=matrices(least=0))
def test_the_accuracy_at_a_larger_radius_is_never_higher(outcomes):
    for threat in outcomes.threats:
        columns = outcomes.of(threat)
        if columns[0].by == EPSILON:
            columns.sort(key=lambda column: column.strength)
            found = [scoring.accuracy(outcomes, column) for column in columns]
            assert found == sorted(found, reverse=True)
            assert scoring.worst(outcomes, threat) == found[-1]


@given(outcomes=matrices(least=0))
def test_an_ensemble_is_the_union_of_its_members_without_the_natural_image(outcomes):
    for name, members in outcomes.ensembles.items():
        found = scoring.robustness_score(outcomes, name)
        assert union(outcomes, [name]) == union(outcomes, members) <= found
        assert found <= min(scoring.worst(outcomes, member) for member in members)
        assert scoring.worst(outcomes, name) == found


@given(outcomes=matrices())
def test_the_summary_holds_each_score_or_none(outcomes):
    summed = outcomes.names[::2]
    found = scoring.summary(outcomes, summed)
    assert found["natural"] == made(scoring.accuracy, outcomes, NATURAL_COLUMN)
    for key, score, how in [
        ("scores", scoring.robustness_score, {}),
        ("worst", scoring.worst, {}),
        ("conditional", scoring.robustness_score, {"conditional": True}),
    ]:
        assert list(found[key]) == list(outcomes.names)
        for name, value in found[key].items():
            expected = made(score, outcomes, name, **how)
            assert same(value, None if expected is not None and math.isnan(expected) else expected)
    assert list(found["accuracy"]) == list(outcomes.threats)
    for name, by_strength in found["accuracy"].items():
        assert all(column.written in by_strength for column in outcomes.of(name))
    assert same(found["total"], made(scoring.total, outcomes, summed))
    assert same(found["union"], made(union, outcomes, outcomes.threats))
    assert found["summed"] == list(summed)


@given(outcomes=matrices())
def test_the_mean_loss_is_of_the_highest_of_the_restarts(outcomes):
    for column in (NATURAL_COLUMN, *(c for name in outcomes.threats for c in outcomes.of(name))):
        if outcomes.losses is None:
            with pytest.raises(MoatError, match="these outcomes were stored without losses"):
                scoring.mean_loss(outcomes, column)
            continue
        highest = [
            max((loss for loss in found if not math.isnan(loss)), default=None)
            for found in of_restarts(outcomes, column)
        ]
        if None in highest:
            assert made(scoring.mean_loss, outcomes, column) is None
        else:
            assert same(scoring.mean_loss(outcomes, column), sum(highest) / len(highest))


def of_restarts(outcomes: Outcomes, column: Column) -> Iterator[list[float]]:
    """Yield for each example the losses of the restarts of a strength."""
    for row in outcomes.losses.tolist():
        yield [
            loss
            for other, loss in zip(outcomes.columns, row, strict=True)
            if (other.threat, other.strength) == (column.threat, column.strength)
        ]


@given(outcomes=matrices())
def test_what_is_stored_comes_back_bit_by_bit(outcomes):
    stored = outcomes.to_arrays()
    assert not any(array.dtype.hasobject for array in stored.values())
    again = from_arrays(stored)
    assert again.columns == outcomes.columns
    assert [type(field) for column in again.columns for field in column] == (
        [str, float, int, str] * len(outcomes.columns)
    )
    assert again.ensembles == outcomes.ensembles
    assert again.values.tobytes() == outcomes.values.tobytes()
    assert again.ids.tobytes() == outcomes.ids.tobytes()
    if outcomes.losses is None:
        assert again.losses is None
        assert "losses" not in stored
    else:
        assert again.losses.tobytes() == outcomes.losses.tobytes()
        assert again.losses.dtype == np.float32


# What is refused.


def outcomes_of(values: list[list[int]], *columns: Column, **more: object) -> Outcomes:
    matrix = np.array(values, dtype=np.int8)
    return Outcomes(matrix, (NATURAL_COLUMN, *columns), np.arange(len(matrix)), **more)


def test_a_restart_that_alone_is_missing_is_named():
    made_of = (Column("flow", 10), Column("flow", 10, 1), Column("flow", 20), Column("flow", 20, 1))
    outcomes = outcomes_of([[1, 1, -1, -1, -1], [1, 0, -1, 0, -1]], *made_of)
    with pytest.raises(UnsearchedError) as raised:
        scoring.accuracy(outcomes, Column("flow", 10))
    assert raised.value.message == (
        "'flow' at strength 10, restart 1 was not searched for every example, so it has no score."
    )
    with pytest.raises(UnsearchedError) as raised:
        scoring.accuracy(outcomes, Column("flow", 20))
    assert raised.value.message == (
        "'flow' at strength 20 was not searched for every example, so it has no score."
    )
    assert raised.value.hint == HINT


def test_a_union_names_what_keeps_it_from_being_made():
    outcomes = outcomes_of(
        [[0, -1, -1], [1, 0, -1], [1, 1, -1]], Column("pgd", 0.031, by=EPSILON), Column("rt", 1)
    )
    with pytest.raises(UnsearchedError, match=r"^'rt' at strength 1 was not searched"):
        union(outcomes, ["pgd", "rt"])
    assert union(outcomes, ["pgd"]) == pytest.approx(100 / 3)
    with pytest.raises(UnsearchedError, match=r"^'pgd' at strength 0.031 was not searched"):
        scoring.robustness_score(outcomes, "pgd")
    assert scoring.robustness_score(outcomes, "pgd", conditional=True) == 50  # touches no gap


def test_an_example_that_fell_at_a_smaller_radius_is_fallen_at_every_larger_one():
    radii = [Column("pgd", radius, by=EPSILON) for radius in (0.3, 0.1, 0.2)]
    outcomes = outcomes_of([[1, 1, 0, -1], [1, -1, 1, 0], [1, 1, 1, 1]], *radii)
    assert [outcomes.verdict(column).tolist() for column in radii] == [
        *([0, 0, 1], [0, 1, 1], [0, 0, 1])
    ]
    steps = [column._replace(by=STEPS) for column in radii]
    counted = Outcomes(outcomes.values, (NATURAL_COLUMN, *steps), outcomes.ids)
    assert [counted.verdict(column).tolist() for column in steps] == [
        *([1, -1, 1], [0, 1, 1], [-1, 0, 1])
    ]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ([Column("a", 1), Column("a", 1.0)], "'a' at strength 1, restart 0 has two columns"),
        ([Column("a", 1, 2), Column("a", 1, 2)], "'a' at strength 1, restart 2 has two columns"),
        ([Column("a", 1), Column("a", 2, by=EPSILON)], "'a' is measured by steps and by epsilon"),
        (
            [Column("a", 1, by="radius")],
            "'a' at strength 1, restart 0 is by 'radius', and should be by steps or epsilon",
        ),
        ([Column("a", 1, -1)], "'a' at strength 1, restart -1 is not a search"),
        ([Column("a", math.nan)], "'a' at strength nan, restart 0 is not a search"),
        ([Column("natural", 3)], "'natural' at strength 3, restart 0 has the label of the natural"),
        ([NATURAL_COLUMN], "'natural' at strength 0, restart 0 has two columns"),
    ],
)
def test_columns_that_cannot_stand_together_are_refused(columns, why):
    with pytest.raises(ValueError, match=why):
        outcomes_of([[1] * (1 + len(columns))], *columns)


@pytest.mark.parametrize(
    ("ensembles", "why"),
    [
        ({"pgd-ce": ("pgd-ce",)}, "the ensemble 'pgd-ce' has the label of a threat"),
        ({"natural": ("pgd-ce",)}, "the ensemble 'natural' has the label of a threat"),
        ({"pgd": ()}, "the ensemble 'pgd' has no member"),
        (
            {"pgd": ("pgd-ce", "pgd-drl")},
            "the ensemble 'pgd' is of 'pgd-drl', which was not evaluated. Did you mean 'pgd-dlr'?",
        ),
    ],
)
def test_an_ensemble_has_a_name_of_its_own_and_evaluated_members(ensembles, why):
    columns = (Column("pgd-ce", 5), Column("pgd-dlr", 5))
    with pytest.raises(ValueError, match=why.replace("?", r"\?")):
        outcomes_of([[1, 1, 1]], *columns, ensembles=ensembles)


def test_losses_have_the_shape_of_the_outcomes():
    with pytest.raises(ValueError, match=r"losses of shape \(1, 3\) for 1 examples and 2 columns"):
        outcomes_of([[1, 1]], Column("a", 1), losses=np.zeros((1, 3), dtype=np.float32))


def test_a_strength_that_was_not_evaluated_is_refused_with_those_that_were():
    outcomes = outcomes_of([[1, 1, 1]], Column("pgd", 0.031, by=EPSILON), Column("rt", 1))
    with pytest.raises(MoatError) as raised:
        scoring.accuracy(outcomes, Column("pgd", 0.3, by=EPSILON))
    assert str(raised.value) == ("'pgd' was not evaluated at strength 0.3.\n  evaluated at: 0.031")


def test_a_strength_without_a_loss_for_every_example_has_no_mean():
    losses = np.array([[0.5, np.nan], [1.5, 2.0]], dtype=np.float32)
    outcomes = outcomes_of([[1, -1], [1, 0]], Column("pgd", 5), losses=losses)
    assert scoring.mean_loss(outcomes, NATURAL_COLUMN) == 1
    with pytest.raises(UnsearchedError) as raised:
        scoring.mean_loss(outcomes, Column("pgd", 5))
    assert raised.value.message == (
        "'pgd' at strength 5 lacks the losses of some examples, so it has no mean."
    )


def test_ensembles_are_known_by_name_where_a_name_is_not():
    columns = (Column("ce", 5), Column("dlr", 5))
    outcomes = outcomes_of([[1, 1, 0]], *columns, ensembles={"strong": ("ce", "dlr")})
    assert outcomes.names == ("ce", "dlr", "strong")
    assert outcomes.of("strong") == list(columns)
    with pytest.raises(MoatError) as raised:
        union(outcomes, ["stron"])
    assert str(raised.value) == (
        "the threat 'stron' was not evaluated. Did you mean 'strong'?\n  evaluated: ce, dlr, strong"
    )


@pytest.mark.parametrize(("strength", "text"), [(10, "10"), (10.0, "10"), (0.031, "0.031")])
def test_a_strength_is_written_shortly(strength, text):
    assert Column("pgd", strength).written == text
