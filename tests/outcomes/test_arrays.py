import numpy as np
import pytest

from moat.outcomes import Column, from_arrays

COLUMNS = (Column("natural", 0), Column("pgd", 10), Column("pgd", 20))


def old_arrays(**changes):
    """What was stored before there were restarts, radii, losses and ensembles."""
    arrays = {
        "outcomes": np.array([[1, 1, 0], [0, 0, -1]], dtype=np.int8),
        "ids": np.array([3, 7]),
        "threats": np.array(["natural", "pgd", "pgd"]),
        "strengths": np.array([0, 10, 20]),
    }
    arrays |= changes
    return {name: array for name, array in arrays.items() if array is not None}


def test_an_older_evaluation_is_read():
    outcomes = from_arrays(old_arrays())
    assert outcomes.columns == COLUMNS
    assert (outcomes.losses, outcomes.ensembles) == (None, {})
    assert outcomes.ids.tolist() == [3, 7]


def test_the_names_of_the_stored_arrays_stay():
    outcomes = from_arrays(
        old_arrays(
            losses=np.zeros((2, 3), dtype=np.float32),
            threats=np.array(["natural", "a", "b"]),
            ensembles=np.array(["both", "both", "one"]),
            members=np.array(["b", "a", "a"]),
        )
    )
    assert outcomes.ensembles == {"both": ("b", "a"), "one": ("a",)}
    stored = outcomes.to_arrays()
    assert {name: array.dtype.kind for name, array in stored.items()} == {
        **{"outcomes": "i", "ids": "i", "threats": "U", "strengths": "f", "restarts": "i"},
        **{"by": "U", "losses": "f", "ensembles": "U", "members": "U"},
    }


@pytest.mark.parametrize("name", ["outcomes", "ids", "threats", "strengths"])
def test_a_missing_array_is_named(name):
    with pytest.raises(ValueError, match=f"it has no array '{name}'"):
        from_arrays(old_arrays(**{name: None}))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ids": np.arange(5)}, "outcomes of shape (2, 3) for 5 examples and 3 columns"),
        ({"strengths": np.arange(2)}, "is shorter than"),
        ({"outcomes": np.ones((2, 3))}, "outcomes are of type float64 and ids of int64"),
        ({"ids": np.ones(2)}, "outcomes are of type int8 and ids of float64"),
        ({"outcomes": np.full((2, 3), 7, dtype=np.int8)}, "an outcome is not 1, 0 or -1"),
        ({"outcomes": np.ones((0, 3), dtype=np.int8), "ids": np.arange(0)}, "contains no example"),
        ({"threats": np.arange(3)}, "threats are of type int64 and shape (3,)"),
        ({"strengths": np.array(["0", "10", "20"])}, "strengths are of type <U2 and shape (3,)"),
        ({"strengths": np.zeros((3, 1))}, "strengths are of type float64 and shape (3, 1)"),
        ({"restarts": np.zeros(3)}, "restarts are of type float64 and shape (3,)"),
        ({"restarts": np.zeros(2, dtype=np.int64)}, "is shorter than"),
        ({"by": np.array(["steps", "steps", "hours"])}, "by 'hours', and should be by steps or"),
        ({"losses": np.zeros((2, 3))}, "losses are of type float64"),
        ({"losses": np.zeros((3, 2), dtype=np.float32)}, "losses of shape (3, 2)"),
        ({"threats": np.array(["pgd", "natural", "pgd"])}, "first column of outcomes is the nat"),
        ({"strengths": np.array([0, 10, 10])}, "'pgd' at strength 10, restart 0 has two columns"),
        ({"ensembles": np.array(["all"])}, "is shorter than"),
        (
            {"ensembles": np.array(["all"]), "members": np.array(["pgdd"])},
            "the ensemble 'all' is of 'pgdd', which was not evaluated. Did you mean 'pgd'?",
        ),
    ],
)
def test_arrays_that_cannot_be_outcomes_are_refused(changes, why):
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        from_arrays(old_arrays(**changes))
    assert why in str(raised.value)
