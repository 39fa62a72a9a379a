"""A question's answer: the worst figure decides, and says what it means."""

import json

import pytest

from moat.evaluation.sanity.questions import REACH, RESTARTS, Question

DOUBT = Question("doubt", "%", 1.0, 5.0, good="at most {passes:g} %", bad="{of}: {figure:.1f} %")


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [(0.0, "pass"), (1.0, "pass"), (1.01, "warn"), (5.0, "warn"), (5.01, "fail"), (100.0, "fail")],
)
def test_the_figure_decides(figure, verdict):
    assert DOUBT.answer({"pgd": figure}, "").verdict == verdict


@pytest.mark.parametrize(("reach", "verdict"), [(1.0, "pass"), (0.9, "pass"), (0.05, "warn")])
def test_where_high_is_good_low_figures_are_doubtful(reach, verdict):
    check = REACH.answer({"flow": reach}, "")
    assert check.verdict == verdict
    assert check.figure == reach


def test_the_worst_threat_is_named_with_its_figure():
    check = DOUBT.answer({"pgd": 0.5, "flow": 3.25, "rt": 2.0}, "")
    assert (check.of, check.figure, check.text) == ("flow", 3.25, "flow: 3.2 %")
    assert check.figures == {"pgd": 0.5, "flow": 3.25, "rt": 2.0}


def test_the_lowest_is_worst_where_high_is_good():
    assert REACH.answer({"pgd": 1.0, "flow": 0.05, "rt": 0.4}, "").of == "flow"


def test_what_passes_says_so():
    assert DOUBT.answer({"pgd": 0.5}, "").text == "at most 1 %"


def test_without_figures_nothing_was_checked_and_it_says_why():
    check = RESTARTS.answer({}, "No threat was searched twice.")
    assert (check.verdict, check.figure) == ("not checked", None)
    assert check.text == "No threat was searched twice."


def test_a_check_is_plain_data():
    check = DOUBT.answer({"pgd": 0.5}, "")
    assert json.loads(json.dumps(check.as_table())) == {
        "name": "doubt",
        "verdict": "pass",
        "text": "at most 1 %",
        "figure": 0.5,
        "unit": "%",
        "of": "pgd",
        "figures": {"pgd": 0.5},
        "high_is_good": False,
    }
