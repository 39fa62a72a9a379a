"""What a protocol refuses, and what it says of itself."""

import pytest
from torch import nn

from moat.data import Digits
from moat.errors import MoatError
from moat.evaluation import Protocol, evaluate
from moat.evaluation.protocol import require_falls, require_sample
from moat.threats import PGD, RTGrid, Threat


class Still(Threat):
    def perturb(self, model, x, y, *, generator=None):
        return x


@pytest.fixture
def pgd():
    return PGD(epsilon=0.1, step_size=0.02, steps=7)


def test_counts_default_to_the_threat_s_own_steps(pgd):
    protocol = Protocol({"pgd": pgd, "still": Still()})
    assert protocol.steps("pgd") == (7,)
    assert protocol.steps("still") == (1,)
    assert protocol.passes() == 7
    assert protocol.scored() == ("pgd", "still")


def test_the_label_of_the_natural_images_is_taken(pgd):
    with pytest.raises(MoatError, match="no threat can have the label 'natural'"):
        Protocol({"natural": pgd})


@pytest.mark.parametrize("keys", [{"summed": ("pdg",)}, {"at_steps": {"pdg": (1,)}}])
def test_a_label_that_is_not_evaluated_is_named_with_the_nearest(pgd, keys):
    with pytest.raises(MoatError, match=r"no threat labelled 'pdg'\. Did you mean 'pgd'\?"):
        Protocol({"pgd": pgd}, **keys)


@pytest.mark.parametrize("examples", [0, -5])
def test_no_examples_are_no_protocol(pgd, examples):
    with pytest.raises(MoatError, match=f"at least one example, not {examples}"):
        Protocol({"pgd": pgd}, examples=examples)


@pytest.mark.parametrize("counts", [(), (0, 3), (5, 3), (3, 3)])
def test_counts_ascend_from_one(pgd, counts):
    with pytest.raises(MoatError, match="ascending counts of at least 1"):
        Protocol({"pgd": pgd}, at_steps={"pgd": counts})


def test_counts_need_a_search_by_ascent():
    with pytest.raises(MoatError, match="'still' is not searched by ascent"):
        Protocol({"still": Still()}, at_steps={"still": (1, 2)})


def test_auto_pgd_takes_one_count():
    apgd = PGD(epsilon=0.1, step_size=0.02, search="apgd")
    with pytest.raises(MoatError, match="the steps of 'pgd' are timed by their number"):
        Protocol({"pgd": apgd}, at_steps={"pgd": (1, 2)})
    assert Protocol({"pgd": apgd}, at_steps={"pgd": (10,)}).steps("pgd") == (10,)


def test_an_example_falls_by_the_last_iterate_or_by_any():
    with pytest.raises(MoatError, match="by the 'last' or by 'any' iterate, not by 'sometimes'"):
        require_falls("sometimes")


def test_radii_are_numbers(pgd):
    with pytest.raises(MoatError, match="at_epsilon of 'pgd' must be ascending radii above 0"):
        Protocol({"pgd": pgd}, at_epsilon={"pgd": (0.1, float("nan"))})


def test_a_whole_grid_is_tried_once(pgd):
    with pytest.raises(MoatError, match="every restart of 'turns' would be the same search, of"):
        Protocol({"turns": RTGrid()}, restarts={"turns": 2})
    Protocol({"turns": RTGrid(worst_of=5)}, restarts={"turns": 2})


def test_no_more_classes_are_aimed_at_than_there_are():
    aimed = PGD(epsilon=0.1, step_size=0.1, loss="targeted-margin", steps=1)
    protocol = Protocol({"aimed": aimed}, restarts={"aimed": 9})
    protocol.require_classes(10)
    with pytest.raises(MoatError, match="'aimed' aims at 9 wrong classes, one a restart") as said:
        protocol.require_classes(4)
    assert "restarts = 3 covers all of them." in str(said.value)
    too_many = Protocol({"aimed": aimed}, restarts={"aimed": 12})
    with pytest.raises(MoatError, match="there are 9"):
        evaluate(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), Digits().load(), too_many)


def test_a_sample_of_another_kind_is_refused_with_the_nearest():
    with pytest.raises(MoatError) as refused:
        require_sample("frist")
    assert str(refused.value) == (
        "a sample is 'stratified' or the 'first' examples, not 'frist'. Did you mean 'first'?"
    )
