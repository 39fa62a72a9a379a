import json

import numpy as np
import pytest

from moat.errors import FrontError
from moat.report import make_fronts
from moat.report.front.data import json_text
from moat.report.front.notes import hypervolume_text, notes, rival_notes
from tests.report.conftest import PROTOCOL

SCORES = (30, 30, 30, 30)


def refusal(results, *names) -> str:
    with pytest.raises(FrontError) as refused:
        make_fronts(results, objectives=names)
    return str(refused.value)


def test_a_front_is_of_the_scores_that_are_named(study):
    (front,) = make_fronts(study, objectives=("natural", "pgd", "flow", "rt")).fronts
    assert front.values.shape == (14, 4)
    for setting, values in zip(front.settings, front.values, strict=True):
        first = setting.first
        expected = [first.natural, *(first.scores[name] for name in ("pgd", "flow", "rt"))]
        assert values.tolist() == pytest.approx(expected)
    better = front.values[:, None] >= front.values
    strict = front.values[:, None] > front.values
    dominated = (better.all(2) & strict.any(2)).any(0)
    assert (front.members == ~dominated).all()
    assert "in natural accuracy, pgd, flow and rt (all maximised)" in notes(front)[0]


def test_its_hypervolume_is_measured_from_the_reference_that_is_printed(tmp_path, write):
    write(tmp_path / "a", "a", 80, (50, 40, 30, 0))
    write(tmp_path / "b", "b", 90, (50, 40, 10, 0))
    (front,) = make_fronts(tmp_path, objectives=("natural", "pgd", "rt")).fronts
    assert front.hypervolume == pytest.approx(50 * (80 * 30 + 10 * 10))
    assert "reference point (natural accuracy 0, pgd 0, rt 0)" in hypervolume_text(front)


def test_what_is_minimised_stands_beside_what_is_maximised(study):
    (usual,) = make_fronts(study).fronts
    (named,) = make_fronts(study, objectives=("universal", "sacrificed")).fronts
    assert np.array_equal(usual.values, named.values)
    assert [o.direction for o in named.objectives] == ["maximised", "minimised"]


def test_an_unknown_score_is_refused_with_the_nearest(study):
    assert refusal(study, "natural", "folw") == (
        "objectives: no score is called 'folw'. Did you mean 'flow'?\n"
        "  known: natural, total, union, universal, sacrificed, pgd, flow, rt, integrated"
    )


@pytest.mark.parametrize("names", [("natural",), ("natural", "natural"), ("pgd", "rt", "pgd")])
def test_less_than_two_and_twice_the_same_are_refused(study, names):
    assert "a front needs two objectives or more, each named once" in refusal(study, *names)


def test_a_score_without_its_natural_run_is_refused_with_the_reason(tmp_path, write):
    write(tmp_path / "a", "max-at", 90, SCORES)
    message = refusal(tmp_path, "natural", "universal")
    assert "max-at of digits_pareto on digits (size 16) has no universal score" in message
    assert "it needs a natural run with the same scores" in message


def test_a_score_of_what_was_not_searched_is_refused_with_the_reason(tmp_path, write):
    write(tmp_path / "a", "max-at", 90, SCORES, union_only=True)
    message = refusal(tmp_path, "natural", "rt")
    assert "max-at of digits_pareto on digits (size 16) has no rt" in message
    assert "not every example was searched (union_only)" in message


class TestAgainstAnotherFront:
    @pytest.fixture
    def folders(self, tmp_path, write):
        for name, natural, score in (("a", 90, 40), ("b", 80, 60)):
            write(tmp_path / "ours" / name, name, natural, (score, 0, 0, 0))
        for name, natural, score in (("c", 92, 40), ("d", 80, 66), ("e", 70, 10)):
            write(tmp_path / "theirs" / name, name, natural, (score, 0, 0, 0))
        return tmp_path / "ours", tmp_path / "theirs"

    def test_it_is_measured_in_points(self, folders):
        ours, theirs = folders
        (front,) = make_fronts(ours, objectives=("natural", "pgd"), against=theirs).fronts
        rival = front.rival
        assert (rival.folder, rival.members) == (theirs, 2)
        assert rival.hypervolume == pytest.approx(80 * 66 + 12 * 40)
        assert rival.igd_plus == pytest.approx((2 + 6) / 2)
        assert rival.additive_epsilon == pytest.approx(6)
        assert "IGD+ 4.00" in rival_notes(front)[0]

    def test_it_covers_itself(self, folders):
        (front,) = make_fronts(folders[0], against=folders[0]).fronts
        assert (front.rival.igd_plus, front.rival.additive_epsilon) == (0, 0)

    def test_the_files_hold_it(self, folders):
        (front,) = make_fronts(folders[0], against=folders[1]).fronts
        table = json.loads(json_text(front, []))["against"]
        assert table["folder"] == str(folders[1])
        assert table["igd_plus"] == pytest.approx(front.rival.igd_plus)

    def test_fronts_of_different_examples_are_taken_on_the_common_ones(
        self, folders, tmp_path, write
    ):
        protocol = {**PROTOCOL, "examples": 500}
        numbers = {"protocol": protocol, "protocol_hash": "f" * 16, "examples": 500}
        write(tmp_path / "few" / "c", "c", 92, (40, 0, 0, 0), **numbers)
        names = ("natural", "pgd")
        (front,) = make_fronts(folders[0], objectives=names, against=tmp_path / "few").fronts
        assert front.values.tolist() == [[100, 100], [100, 80]]  # of 500: 600 and 400 held
        assert front.rival.points.tolist() == [[92, 40]]
        assert rival_notes(front)[1] == (
            "Both fronts are scored on the 500 test examples that both evaluated, of 1,000 and 500."
        )
        table = json.loads(json_text(front, []))
        assert (table["against"]["examples"], table["against"]["evaluated"]) == (500, [1000, 500])
        assert {run["examples"] for run in table["runs"]} == {500}

    def test_fronts_without_common_examples_are_refused(self, folders, tmp_path, write):
        run = write(tmp_path / "other" / "c", "c", 92, (40, 0, 0, 0))
        arrays, about = run.load_evaluation()
        run.save_evaluation({**arrays, "ids": arrays["ids"] + 1000}, about.as_table())
        with pytest.raises(FrontError, match="different test examples: of 1,000 each, none in"):
            make_fronts(folders[0], against=tmp_path / "other")

    def test_another_protocol_is_refused_with_the_keys_that_differ(self, folders, tmp_path, write):
        write(tmp_path / "other" / "a", "a", 90, SCORES, protocol_hash="f" * 16)
        with pytest.raises(FrontError) as refused:
            make_fronts(folders[0], against=tmp_path / "other")
        assert "no run there is comparable with digits_pareto on digits" in str(refused.value)
        assert "protocol_hash is " in str(refused.value)


MANY = {
    "threats": {f"t{n:02}": {"type": "pgd", "epsilon": 0.1, "at_steps": [2]} for n in range(33)},
    "summed": ["t00"],
    "examples": None,
}


def test_more_objectives_than_a_hypervolume_has_are_refused(tmp_path, write):
    write(tmp_path / "a", "a", 90, [50] * 33, protocol=MANY)
    assert refusal(tmp_path, *MANY["threats"]).splitlines() == [
        "objectives: a front takes at most 31 objectives, not 33.",
        "  Name fewer, or an ensemble instead of several threats.",
    ]


def test_a_hypervolume_that_is_approximated_says_about(tmp_path, write):
    for run in range(40):
        scores = [(7 * run * (n + 1)) % 61 + 20 for n in range(33)]
        write(tmp_path / f"{run}", f"v{run}", 90, scores, protocol=MANY, examples=100)
    (few,) = make_fronts(tmp_path, objectives=["t00", "t01", "t02"]).fronts
    (many,) = make_fronts(tmp_path, objectives=[*MANY["threats"]][:31]).fronts
    assert not hypervolume_text(few).startswith("Hypervolume about")
    assert hypervolume_text(many).startswith("Hypervolume about")
    assert (few.exact, many.exact) == (True, False)


def test_a_rivals_hypervolume_is_as_exact_as_it_says(tmp_path, write):
    few, many = ["t00", "t01", "t02"], [*MANY["threats"]][:31]
    for run in range(40):
        scores = [(7 * run * (n + 1)) % 61 + 20 for n in range(33)]
        write(tmp_path / f"{run}", f"v{run}", 90, scores, protocol=MANY, examples=100)
    for names, exact in ((few, True), (many, False)):
        (front,) = make_fronts(tmp_path, objectives=names, against=tmp_path).fronts
        own = hypervolume_text(front).removeprefix("Hypervolume ").partition(" against")[0]
        assert own.startswith("about ") != exact
        assert f"hypervolume {own})" in rival_notes(front)[0]  # the same front, the same words
        kept = json.loads(json_text(front, []))
        assert kept["hypervolume_is_exact"] is exact
        assert kept["against"]["hypervolume_is_exact"] is exact
