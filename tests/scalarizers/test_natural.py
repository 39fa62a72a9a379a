"""Plain training."""

from moat.scalarizers import Natural


def test_all_weight_lies_on_the_natural_loss(names):
    assert Natural().weights(names).tolist() == [1, 0, 0, 0]


def test_no_threat_is_searched(names):
    assert Natural().plan(names, 128).tolist() == [True, False, False, False]


def test_it_works_without_threats():
    assert Natural().weights(("natural",)).tolist() == [1]
