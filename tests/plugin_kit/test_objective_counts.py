"""A scalarizer is checked with the objectives that its fields name."""

import pytest

from moat.errors import DefinitionError
from moat.plugin_kit.candidate import candidate_of
from moat.plugin_kit.objective_counts import objective_counts
from moat.plugin_kit.trials import trial_of
from moat.scalarizers import Average, Sampled, Tchebycheff, Weighted

SIX = {"natural": 1.0, **{f"t{number}": 0.5 for number in range(5)}}


@pytest.mark.parametrize(
    ("scalarizer", "counts"),
    [
        (Average(), [4, 2, 9]),
        (Weighted(preference={"natural": 1.0, "pgd": 6.0}), [2]),
        (Weighted(preference=SIX), [6]),
        (Tchebycheff(preference={"pgd": 0.5, "rt": 0.5}), [3]),
        (Sampled(rule=Weighted(preference={"natural": 1.0, "pgd": 6.0})), [2]),
    ],
)
def test_the_counts_are_those_that_it_takes(scalarizer, counts):
    assert objective_counts(scalarizer) == counts


def test_a_preference_of_other_names_keeps_every_promise():
    found = trial_of(candidate_of("weighted", ["preference={natural=1, pgd=6}"])).verdicts()
    assert [one.breach for one in found if one.breach] == []


def test_objectives_that_are_refused_are_an_error_that_names_them(monkeypatch):
    def refuse(self, names):
        raise DefinitionError("these names do not fit.")

    monkeypatch.setattr(Average, "require_objectives", refuse)
    monkeypatch.setattr(Average, "plan", lambda self, names, *_: refuse(self, names))
    with pytest.raises(
        DefinitionError, match=r"do not fit\.\n.*natural, threat-1, threat-2, threat-3"
    ):
        objective_counts(Average())
