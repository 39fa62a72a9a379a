import json
import shutil
from pathlib import Path

import pytest

from moat import study

SMALL = Path(__file__).parents[1] / "small.toml"
RULES = ("--rules", "average-at,pareto r=0.7", "--seeds", "3..3", "--margin", "2")


@pytest.fixture
def digits(golden, tmp_path):
    """Lay down three seeds of the digits, on which a race trains nothing."""
    shutil.copytree(golden / "digits_pareto", tmp_path / "results" / "digits_pareto")


def test_a_race_prints_its_plan_its_looks_and_its_files(digits, moat):
    answer = moat("race", "digits_pareto", *RULES)
    assert (answer.code, answer.err) == (0, "")
    for said in (
        "Paired t with p < 0.0500 at each look, 5 % in the whole race",
        "Rules of one seed share start, order of the images, augmentation and held-out split.",
        "After 3 seeds: pareto r=0.7 against average-at -5.78 [",
        "wrote results/digits_pareto/race.svg",
    ):
        assert said in answer.out
    assert max(map(len, answer.out.split("rule")[-1].splitlines())) <= 120


def test_each_form_is_the_race_alone_and_notes_go_elsewhere(digits, moat):
    answer = moat("race", "digits_pareto", *RULES, "--format", "json", "--out", "out")
    told = json.loads(answer.out)
    assert told["verdicts"] == {"pareto r=0.7": "worse"}
    assert "After 3 seeds: " in answer.err
    assert sorted(path.name for path in Path("out").glob("race*")) == [
        *("race.csv", "race.md", "race.png", "race.svg"),
    ]
    assert moat("race", "digits_pareto", *RULES, "--format", "csv").out.startswith("seeds,rule,")
    markdown = moat("race", "digits_pareto", *RULES, "--format", "markdown").out
    assert markdown.startswith("# Race for total score")
    assert "tabular" in moat("race", "digits_pareto", *RULES, "--format", "latex").out


def test_a_folder_or_a_plan_shows_its_races_without_the_recipe(digits, moat):
    moat("race", "digits_pareto", *RULES)
    moat("race", "digits_pareto", *RULES, "--score", "union")
    both = moat("race", "results")
    assert "Race for total score" in both.out
    assert "Race for union" in both.out
    one = moat("race", "results/digits_pareto/race-2.json")
    assert one.out.count("Race for ") == 1
    moat("bundle", "results/digits_pareto", "digits.zip")
    assert moat("race", "digits.zip").out.count("Race for ") == 2
    shutil.rmtree("results/digits_pareto")
    Path("results/other").mkdir()
    none = moat("race", "results")
    assert (none.code, none.out) == (2, "")
    assert none.err.startswith("results: no race was planned in this folder.\n")
    for wrong in ("resluts", "digist.zip"):
        answer = moat("race", wrong)
        assert answer.code == 2
        assert answer.err.startswith(f"{wrong}: the folder does not exist.")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--rules: no rule is named."),
        (("--rules", "plain"), "--rules: a race needs two rules or more, not 1."),
        (("--rules", "plain,pgd-at", "--seeds", "3"), "--seeds: '3' is not a first and a last"),
        (("--rules", "plain,pgd-at", "--margin", "-1"), "--margin: -1 is not a margin"),
        (("--rules", "plain,pgd-at", "--level", "2"), "--level: 2 is not a level"),
        (("--rules", "plain,pgd-at", "--score", "x"), "--score: no score is called 'x'."),
        (
            ("--rules", "plain,pgd-at", "--baseline", "plian"),
            "--baseline: the baseline 'plian' is not one of the rules. Did you",
        ),
        (("--rules", "plain", "--choose", "pareto"), "--choose: nothing was held out to choose"),
        (("--rules", "plain,pgd-at", "--exact", "--seeds", "3..4"), "--seeds: no look after"),
        (("--rules", "plain,pgd-at", "--objectives", "natural"), "--objectives: objectives and"),
        (("--rules", "plain,pgd-at", "--reference", "a"), "--reference: "),
        (("--rules", "plain,pgd-at", "--jobs", "0"), "--jobs: '0' is not a number of parallel"),
    ],
)
def test_an_option_that_makes_no_race_is_named(moat, words, said):
    answer = moat("race", SMALL, *words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(said)
    assert not Path("results").exists()


def test_options_are_passed_on_and_ctrl_c_says_how_to_go_on(moat, monkeypatch):
    def run(recipe, rules, **keys):
        asked.append((recipe, rules, keys))
        raise KeyboardInterrupt

    asked = []
    monkeypatch.setattr(study, "race", run)
    words = ("--exact", "--baseline", "b", "--choose", "c", "--reference", "80,0", "--jobs", "2")
    answer = moat("race", SMALL, "--rules", "a,b", *words, "--objectives", "natural,total")
    assert answer.code == 130
    assert "To go on:\n  moat race " in answer.err
    ((recipe, rules, keys),) = asked
    assert (recipe, rules) == (SMALL, ["a,b"])
    kept = {name: keys[name] for name in ("exact", "baseline", "choose", "jobs")}
    assert kept == {"exact": True, "baseline": "b", "choose": ["c"], "jobs": 2}
    assert keys["objectives"] == ["natural", "total"]
    assert keys["reference"] == [80.0, 0.0]


@pytest.mark.parametrize("option", ["--margin=50", "--rules=a,b", "--exact", "--seeds=3..9"])
def test_an_option_of_a_plan_beside_a_stored_race_is_refused(digits, moat, option):
    answer = moat("race", "results", option)
    assert answer.code == 2
    assert f"{option.partition('=')[0]} has no effect" in answer.err


@pytest.mark.parametrize("option", ["--margin", "--level"])
def test_what_is_not_a_number_is_shown(moat, option):
    answer = moat("race", "digits_pareto", "--rules", "max-at,pgd-at", option, "abc")
    assert answer.code == 2
    assert f"Invalid value for '{option}': 'abc' is not a number" in answer.err
