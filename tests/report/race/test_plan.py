import pytest

from moat.errors import RunFolderError
from moat.records import RaceRecord
from moat.report.race.plan import plan_files, read_plan, settle_plan
from moat.storage import to_json


def planned(places: dict[str, str], **keys) -> RaceRecord:
    """Return the plan of a race between `ave` and all points of `sw`."""
    table = {
        **{"format": 1, "study": "s", "baseline": "", "score": "hypervolume", "margin": 0},
        **{"objectives": ["natural", "total"], "reference": [], "level": 0.05, "exact": False},
        **{"looks": [3, 4], "seeds": [0, 1, 2, 3], "protocol_hash": "p"},
        "rules": {"ave": ["ave"], "sw": [place for place in places if place.startswith("sw")]},
        "trainings": {"ave": "a", **places},
        **keys,
    }
    return RaceRecord.model_validate(table)


TWO = {"sw/rho=0.0": "0", "sw/rho=0.6": "6"}
CHOICE = {"rules": {"ave": ["ave"]}, "choose": ["sw"], "score": "total", "objectives": []}
CHOSEN = {
    **CHOICE,
    "rules": {"ave": ["ave"], "sw rho=0.6": ["sw/rho=0.6"]},
    "choice": {"sw": {"sw rho=0.0": 1.0, "sw rho=0.6": 2.0}},
}


@pytest.mark.parametrize(("before", "now"), [({}, {}), (CHOICE, CHOICE), (CHOSEN, CHOICE)])
@pytest.mark.parametrize(
    ("places", "said"),
    [
        ({"sw/rho=0.0": "0", "sw/rho=0.7": "7"}, "points rho=0.0, rho=0.7"),
        ({**TWO, "sw/rho=0.7": "7"}, "points rho=0.0, rho=0.6, rho=0.7"),
        ({"sw/rho=0.6": "6"}, "point rho=0.6"),
        ({"sw/rho=0.0,k=1": "0", "sw/rho=0.6,k=1": "6"}, "points rho=0.0,k=1, rho=0.6,k=1"),
    ],
)
def test_other_points_of_a_rule_or_of_a_choice_are_another_plan(
    tmp_path, before, now, places, said
):
    settle_plan(tmp_path, planned(TWO, **before))
    with pytest.raises(RunFolderError) as caught:
        settle_plan(tmp_path, planned(places, **now))
    assert caught.value.message == (
        "the race was planned with the points rho=0.0, rho=0.6 of 'sw', and this call has the "
        f"{said}: the recipe changed since."
    )
    assert caught.value.hint.startswith("Undo the change. Another plan needs another --results")
    assert len(plan_files(tmp_path)) == 1


def test_a_variant_that_became_a_sweep_is_another_plan(tmp_path):
    settle_plan(tmp_path, planned({"sw": "0"}))
    with pytest.raises(RunFolderError, match="with a single run of 'sw', and this call has the po"):
        settle_plan(tmp_path, planned(TWO))


@pytest.mark.parametrize("natural", [("nat", "n"), ("natural", "other")])
def test_another_natural_run_is_another_plan(tmp_path, natural):
    of = {"natural": "natural"}
    first = planned({**TWO, "natural": "n"}, **of)
    settle_plan(tmp_path, first)
    place, digest = natural
    with pytest.raises(RunFolderError, match=r"with another (natural run|training): the recipe"):
        settle_plan(tmp_path, planned({**TWO, place: digest}, natural=place))
    older = planned(TWO, **of)  # plans were written without the hash of the natural run
    assert settle_plan(tmp_path, older)[1] == first


def test_the_same_points_in_another_order_are_the_same_plan(tmp_path):
    file, first = settle_plan(tmp_path, planned(TWO))
    assert settle_plan(tmp_path, planned(dict(reversed(TWO.items())))) == (file, first)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"looks": [5, 2]}, "looks after 5 to 2 seeds"),
        ({"level": 3}, "3 is not a level"),
        ({"rules": {"ave": ["ave"], "sw": []}}, "the rule 'sw' has no folder"),
    ],
)
def test_a_plan_with_values_that_no_plan_has_is_refused_with_its_file(tmp_path, keys, said):
    file = tmp_path / "race.json"
    file.write_bytes(to_json({**planned(TWO).as_table(), **keys}))
    with pytest.raises(RunFolderError, match="not a plan of moat's") as caught:
        read_plan(file)
    assert said in caught.value.message
    assert caught.value.where == str(file)
