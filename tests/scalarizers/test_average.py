"""Ave AT: the mean of the threats' losses."""

import pytest

from moat.scalarizers import Average


@pytest.mark.parametrize(
    ("include_natural", "weights"), [(False, [0, 1 / 3, 1 / 3, 1 / 3]), (True, [1 / 4] * 4)]
)
def test_every_averaged_objective_weighs_the_same(names, include_natural, weights):
    average = Average(include_natural=include_natural)
    assert average.weights(names).tolist() == pytest.approx(weights)
    assert average.plan(names, 128).tolist() == [include_natural, True, True, True]


def test_the_natural_loss_is_left_out_unless_asked_for(names):
    assert not Average().include_natural


def test_with_one_threat_it_is_plain_adversarial_training():
    assert Average().weights(("natural", "pgd")).tolist() == [0, 1]
