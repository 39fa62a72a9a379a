"""Threats by name, from a table, a list or one alone; refusals: tests of moat.training.Step."""

from moat.threats import PGD, RT, threat_table

PIXELS = PGD(epsilon=0.1, step_size=0.05, steps=1)
STRONGER = PGD(epsilon=0.2, step_size=0.05, steps=2)
AFFINE = RT(epsilon=0.1, step_size=0.05, steps=1)


def test_a_table_keeps_its_names_and_is_a_copy():
    given = {"mine": PIXELS}
    found = threat_table(given)
    assert found == given
    assert found is not given


def test_a_list_is_named_after_its_types_and_numbered():
    assert list(threat_table([PIXELS, AFFINE, STRONGER])) == ["pgd", "rt", "pgd-2"]
    assert list(threat_table((AFFINE,))) == list(threat_table(AFFINE)) == ["rt"]
    assert threat_table([]) == threat_table({}) == {}
