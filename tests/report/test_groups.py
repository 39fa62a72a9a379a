import copy

import pytest

from moat.errors import FrontError
from moat.report import make_fronts, read_points
from moat.report.groups import differences, group_points

SCORES = (10, 20, 30, 40)


@pytest.fixture
def two_groups(tmp_path, write, study):
    """One more run, on larger images and with a stronger pgd."""
    protocol = copy.deepcopy(read_points(study)[0][0].protocol.as_table())
    protocol["threats"]["pgd"]["epsilon"] = 0.2
    other = {"protocol": protocol, "protocol_hash": "other", "data": {"type": "digits", "size": 28}}
    write(study / "zoom", "natural", 95, SCORES, **other)
    return study


def test_runs_on_the_same_data_under_the_same_protocol_form_one_group(study):
    (group,) = group_points(read_points(study)[0])
    assert len(group.points) == 14
    assert group.title == "digits_pareto on digits (size 16)"


def test_the_order_of_keys_does_not_part_a_group(tmp_path, write):
    write(tmp_path / "a", "natural", 90, SCORES, data={"type": "digits", "size": 16})
    write(tmp_path / "b", "max-at", 90, SCORES, data={"size": 16, "type": "digits"})
    assert len(group_points(read_points(tmp_path)[0])) == 1


def test_other_data_or_another_protocol_makes_another_group_in_order_of_the_runs(two_groups):
    fronts = make_fronts(two_groups).fronts
    assert [len(front.settings) for front in fronts] == [14, 1]


def test_a_title_names_every_study_and_needs_no_settings(tmp_path, write):
    write(tmp_path / "a", "natural", 90, SCORES, data={"type": "mnist"}, study="one")
    write(tmp_path / "b", "natural", 90, SCORES, data={"type": "mnist"}, study="two")
    (group,) = group_points(read_points(tmp_path)[0])
    assert group.title == "one, two on mnist"


def test_merging_one_group_is_granted(study):
    assert len(make_fronts(study, merge=True).fronts) == 1


def test_merging_unequal_groups_is_refused_with_the_runs_and_the_keys_that_differ(two_groups):
    with pytest.raises(FrontError) as caught:
        make_fronts(two_groups, merge=True)
    assert str(caught.value).splitlines() == [
        f"{two_groups}: the runs cannot be merged into one front: scores on different data or "
        "under different protocols are not comparable.",
        "  average-at/plain/seed-0, max-at/plain/seed-0, mgda/plain/seed-0 and 11 more against "
        "zoom: data.size is 16 and 28; protocol.threats.pgd.epsilon is 0.1 and 0.2",
        "  Without --merge each group gets a front of its own.",
    ]


def test_a_key_that_only_one_side_has_is_said_to_be_absent(tmp_path, write):
    write(tmp_path / "a", "natural", 90, SCORES, data={"type": "digits", "size": 16})
    write(tmp_path / "b", "natural", 90, SCORES, data={"type": "digits"})
    assert differences(*group_points(read_points(tmp_path)[0])) == ["data.size is 16 and absent"]


def test_protocols_that_differ_in_their_hash_alone_are_told_by_it(tmp_path, write):
    write(tmp_path / "a", "natural", 90, SCORES)
    write(tmp_path / "b", "natural", 90, SCORES, protocol_hash="other")
    assert differences(*group_points(read_points(tmp_path)[0])) == [
        "protocol_hash is 0123456789abcdef and other"
    ]
