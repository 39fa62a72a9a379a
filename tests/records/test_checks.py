import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat.errors import RunFolderError
from moat.records import Check, EvaluationRecord, typed

figures = st.none() | st.floats(-1e6, 1e6)
texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
checks = st.builds(
    Check,
    name=texts,
    verdict=st.sampled_from(["pass", "warn", "fail", "not checked"]),
    text=texts,
    figure=figures,
    unit=texts,
    of=st.none() | texts,
    figures=st.dictionaries(texts, figures, max_size=3),
    high_is_good=st.booleans(),
)


def read(sanity: object) -> EvaluationRecord:
    return typed(EvaluationRecord, {"sanity": sanity}, Path("evaluation.json"), "")


@given(gate=st.lists(checks, max_size=3))
def test_checks_are_read_as_they_were_kept(gate):
    stored = json.loads(json.dumps([check.as_table() for check in gate]))
    assert list(read(stored).sanity) == gate


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"verdict": "well"}, "verdict is 'well' and should be 'pass', 'warn', 'fail' or 'not ch"),
        ({"text": 3}, "text is 3 and should be of type str"),
        ({"text": "a\x1b[2J"}, "text is .* and should be a line of text"),
        ({"figure": "1"}, "figure is '1' and should be a number"),
        ({"figure": True}, "figure is True and should be a number"),
        ({"figures": {"pgd": "x"}}, "figures.pgd is 'x' and should be a number"),
        ({"high_is_good": 1}, "high_is_good is 1 and should be true or false"),
    ],
)
def test_a_check_of_other_types_is_named_with_its_place(change, said):
    good = {"name": "loss", "verdict": "pass", "text": "It falls."}
    with pytest.raises(RunFolderError, match=rf"sanity\.1\.{said}"):
        read([good, {**good, **change}])


def test_an_evaluation_from_before_there_was_a_gate_has_no_checks():
    about = typed(EvaluationRecord, {"scores": {"natural": 1.0}}, Path("evaluation.json"), "")
    assert (about.sanity, about.protocol_hash, about.scores) == ((), None, {"natural": 1.0})
