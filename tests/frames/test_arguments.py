"""Whatever a caller of `moat.results` hands over wrongly is refused by name, with the mend."""

import math
from pathlib import Path

import pytest

import moat
from moat.errors import MoatError
from moat.frames import Results

WRONG = (None, 3, 2.5, b"pgd", object(), ["pgd"], ("pgd",), {"pgd": 1}, {"pgd"}, [[]], [None], [3])
TEXTS = ("", "frnt", "natural,pgd", "a\0b", "ü" * 300)


@pytest.fixture(scope="module")
def found(golden) -> Results:
    return moat.results(golden / "digits_pareto")


CALLS = {
    "objectives": lambda found, value: found.front(objectives=value),
    "prefer": lambda found, value: found.front(prefer=value),
    "prefer's weight": lambda found, value: found.front(prefer={"natural": value}),
    "prefer's name": lambda found, value: found.front(prefer=[(value, 1)]),
    "against": lambda found, value: found.front(against=value),
    "compare": lambda found, value: found.compare("natural seed 0", value),
    "compare alone": lambda found, value: found.compare(value),
    "plot": lambda found, value: found.plot(value),
    "interactive": lambda found, value: found.interactive(value),
    "interactive's run": lambda found, value: found.interactive("losses", value),
    "interactive front's run": lambda found, value: found.interactive("front", value),
    "results": lambda _, value: moat.results(value),
}
USUAL = {"prefer": (None, {"pgd": 1}), "against": (None,), "objectives": (("pgd",), ["pgd"])}
"""What an argument may be, or what a further test is about."""


@pytest.mark.parametrize("call", CALLS)
def test_a_wrong_argument_is_an_error_of_moats_and_of_pythons(found, call, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for value in (*WRONG, *TEXTS):
        if value in USUAL.get(call, ()) or (call, value) in (
            ("prefer's weight", 3),
            ("prefer's weight", 2.5),
            ("interactive front's run", ""),
        ):
            continue
        with pytest.raises(MoatError) as refused:
            CALLS[call](found, value)
        assert isinstance(refused.value, ValueError | TypeError), (call, value)
        assert refused.value.hint, (call, value)
        assert "--" not in str(refused.value), (call, value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda f: f.front(objectives="natural, pgd"),
            "objectives: the names are a list, not one text.\n  objectives=['natural', 'pgd']",
        ),
        (
            lambda f: f.front(objectives=["natural", "pgdd"]),
            "objectives: no score is called 'pgdd'. Did you mean 'pgd'?",
        ),
        (lambda f: f.front(objectives=[1, 2]), "objectives: a name is text, not int."),
        (lambda f: f.front(prefer=["pgd"]), "prefer: weights are a dict, not list."),
        (lambda f: f.front(prefer={"pgd": True}), "prefer: 'pgd': True is not a weight."),
        (lambda f: f.front(prefer={"pgd": math.nan}), "prefer: 'pgd': nan is not a weight."),
        (lambda f: f.front(prefer={"pgd": -1}), "prefer: 'pgd': -1 is not a weight."),
        (lambda f: f.front(prefer={"pgd": 0}), "prefer: all weights are 0."),
        (
            lambda f: f.front(prefer={"pgd": 1e308, "rt": 1e308}),
            "prefer: the sum of the weights overflows.",
        ),
        (lambda f: f.front(prefer={"pgdd": 1}), "prefer: no score is called 'pgdd'. Did you mean"),
        (lambda f: f.front(against=["G"]), "against: a results folder is one path, not list."),
        (lambda f: f.front(against=""), 'against: the path is empty.\n  The working folder is "."'),
        (lambda f: f.plot(["radar"]), "kind: a name is text, not list. Did you mean 'radar'?"),
        (lambda f: f.plot("radr"), "kind: no picture is called 'radr'. Did you mean 'radar'?"),
        (lambda f: f.compare(["natural", "max-at"]), "run: a name is text, not list."),
        (lambda f: f.compare(), "a comparison needs two runs or more, not 0."),
        (
            lambda f: f.compare("natural seed 0", "natural/seed-0"),
            "the run natural/seed-0 is named twice.",
        ),
        (lambda f: f.interactive("losses"), "run: 'losses' is a picture of one run; name it"),
        (lambda f: f.interactive(run="natural"), "run: the front is of all runs, not of one"),
        (
            lambda f: moat.results(Path("s.toml")),
            "s.toml: this recipe does not exist; a results",
        ),
    ],
)
def test_an_error_names_the_argument_and_the_mend(found, call, said):
    with pytest.raises(MoatError) as refused:
        call(found)
    assert str(refused.value).startswith(said)


def test_names_may_come_one_after_the_other(found):
    names = ("natural", "pgd")
    assert found.front(objectives=iter(names)).objectives == ("natural accuracy", "pgd")
    assert found.front(objectives=names).objectives == ("natural accuracy", "pgd")
    assert found.front(prefer={}).preferred is None
