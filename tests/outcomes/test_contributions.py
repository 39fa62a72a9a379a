import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat.errors import MoatError, UnsearchedError
from moat.outcomes import NATURAL_COLUMN, Column, Outcomes, contributions, summary

COLUMNS = (NATURAL_COLUMN, *(Column(t, s) for t in ("pgd", "flow", "rt") for s in (2, 4)))
ENSEMBLES = {"both": ("pgd", "flow")}


def outcomes(values):
    return Outcomes(
        np.array(values, np.int8).reshape(-1, len(COLUMNS)),
        COLUMNS,
        np.arange(len(values)),
        ensembles=ENSEMBLES,
    )


@given(st.lists(st.lists(st.integers(0, 1), min_size=7, max_size=7), min_size=1, max_size=20))
def test_every_score_is_the_mean_of_its_contributions(values):
    found = outcomes(values)
    made = summary(found, ["rt", "both"])
    scores = {"natural": made["natural"], "union": made["union"], **made["scores"]}
    for name, score in scores.items():
        assert contributions(found, name).mean() == pytest.approx(score)
    of_total = contributions(found, "total", summed=["rt", "both"])
    assert of_total.mean() == pytest.approx(made["total"])


def test_a_union_may_be_over_some_threats():
    found = outcomes([[1, 1, 1, 0, 0, 1, 1], [1, 1, 1, 1, 1, 1, 1]])
    assert contributions(found, "union", over=["pgd", "rt"]).tolist() == [100, 100]
    assert contributions(found, "union").tolist() == [0, 100]


def test_what_was_not_searched_contributes_nothing_that_could_be_averaged():
    with pytest.raises(UnsearchedError, match="'flow' at strength 2"):
        contributions(outcomes([[1, 1, 1, -1, -1, 1, 1]]), "flow")


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(MoatError, match=r"'flo' was not evaluated\. Did you mean 'flow'"):
        contributions(outcomes([[1] * 7]), "flo")
