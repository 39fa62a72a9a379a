import numpy as np
import pytest

from moat.records import Analysis, AnalysisSubject, NamedArray


def test_rows_are_tidy_and_coordinates_have_none_of_their_own():
    analysis = Analysis(
        "kind",
        {
            "threat": NamedArray(np.array(["pgd", "rt"]), ("threat",)),
            "total": NamedArray(np.array(3.5), (), "%"),
            "share": NamedArray(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), ("threat", "ring")),
            "image": NamedArray(np.zeros((2, 2)), ("threat", "side"), in_table=False),
        },
    )
    rows = list(analysis.rows())
    assert rows[0] == {"quantity": "total", "unit": "%", "value": 3.5}
    assert rows[4] == {"quantity": "share", "unit": "", "threat": "rt", "ring": 0, "value": 4.0}
    assert len(rows) == 7
    assert analysis.coordinates("side") == [0, 1]


def test_subjects_get_their_identity_and_settings_are_added():
    analysis = Analysis("kind", {}, (AnalysisSubject("a"),), {"threats": ["pgd"]})
    named = analysis.with_subjects((AnalysisSubject("a", "../a", {"weights": "0f"}),), protocol="x")
    assert named.settings == {"threats": ["pgd"], "protocol": "x"}
    assert named.subjects[0].identity == {"weights": "0f"}


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"a": NamedArray(np.array([{}]), ("x",))}, "a holds Python objects"),
        ({"a": NamedArray(np.zeros((2, 3)), ("x",))}, r"a is of shape \(2, 3\) and has axes"),
        ({"a": NamedArray(np.zeros((2, 2)), ("x", "x"))}, r"has axes \('x', 'x'\)"),
        (
            {"a": NamedArray(np.zeros(2), ("x",)), "b": NamedArray(np.zeros(3), ("x",))},
            "b has 3 for x, other arrays have 2",
        ),
    ],
)
def test_arrays_that_do_not_go_together_are_refused(arrays, why):
    with pytest.raises(ValueError, match=why):
        Analysis("kind", arrays)
