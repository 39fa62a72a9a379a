"""Protocols apart from any study: what of a file counts, what is refused, which come along."""

import copy
from pathlib import Path

import pytest

from moat import threats
from moat.errors import MoatError, RecipeError
from moat.evaluation import Protocol
from moat.recipe import plan_runs, read, read_protocol
from moat.threats import GradientThreat

ROOT = Path(__file__).parents[2] / "recipes"
PROTOCOLS = sorted((ROOT / "protocols").glob("*.toml"))
STRONG = [path for path in PROTOCOLS if path.stem.endswith("_strong")]
PAPERS = [path for path in PROTOCOLS if path not in STRONG]


def stem(path: Path) -> str:
    return path.stem


# those that come along


def protocol_of(path: Path) -> Protocol:
    return read_protocol(path).protocol


def test_each_data_set_of_the_recipes_has_a_weak_and_a_strong_one():
    bases = {path.stem for path in (ROOT / "base").glob("*.toml")} - {"digits_norms"}  # no paper's
    assert {path.stem for path in PAPERS} == bases
    assert {path.stem.removesuffix("_strong") for path in STRONG} == bases


@pytest.mark.parametrize("path", PAPERS, ids=stem)
def test_the_weak_one_judges_as_the_studies_do(path):
    judged_by = read_protocol(path)
    (run, *_) = plan_runs(read(study_of(path.stem)))
    assert judged_by.protocol_hash == run.protocol_hash
    assert judged_by.test_data == run.test_data
    assert judged_by.protocol.falls == "last"
    assert judged_by.name == path.stem


def study_of(data: str) -> Path:
    """Return the main study's recipe of a data set."""
    paper = ROOT / f"{data}_pareto.toml"
    return paper if paper.exists() else ROOT / f"{data}_rules.toml"


@pytest.mark.parametrize("path", STRONG, ids=stem)
def test_the_strong_one_is_built_and_judges_on_the_same_data(path):
    strong, weak = read_protocol(path), read_protocol(weak_of(path))
    assert strong.test_data == weak.test_data
    assert strong.protocol_hash != weak.protocol_hash
    assert strong.protocol.falls == "any"
    assert strong.protocol.scored() == weak.protocol.scored()
    assert strong.protocol.passes() > 10 * weak.protocol.passes()


def weak_of(path: Path) -> Path:
    return path.with_stem(path.stem.removesuffix("_strong"))


def reach(threat: GradientThreat, steps: int) -> dict[str, float]:
    """Return how far each block of w gets: its steps times their number, or its radius."""
    about = vars(threat)
    return {
        key: min(about[key], steps * about[key.replace("epsilon", "step_size")])
        for key in about
        if key.endswith("epsilon")
    }


@pytest.mark.parametrize("path", STRONG, ids=stem)
def test_the_strong_one_searches_the_sets_that_the_weak_one_can_reach(path):
    strong, weak = protocol_of(path), protocol_of(weak_of(path))
    assert set(strong.ensembles) == set(weak.threats)
    for name, members in strong.ensembles.items():
        reached = reach(weak.threats[name], max(weak.steps(name)))
        searched = [strong.threats[label] for label in members]
        assert {threat.search for threat in searched} <= {"apgd", "random"}
        assert {"cross-entropy", "targeted-dlr"} <= {threat.loss for threat in searched}
        for threat in searched:
            assert type(threat) is type(weak.threats[name])
            assert {key: getattr(threat, key) for key in reached} == pytest.approx(reached)


# what of a file counts


def test_a_studys_recipe_is_a_protocol_and_what_trains_in_it_is_not_looked_at(recipe):
    whole = read_protocol(recipe())
    path = recipe('"tiny-cnn"', '"no such network"')
    path.write_text(path.read_text().replace('name = "plain"', "nonsense = 1"))
    again = read_protocol(path)
    assert again.protocol_hash == whole.protocol_hash
    assert set(again.document) == {"data", "threats", "evaluation"}


def test_a_plug_in_is_run_so_that_its_threats_can_be_named(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(threats.registry, "_entries", copy.copy(threats.registry._entries))
    (tmp_path / "mine.py").write_text(
        "from moat.threats import Threat, threat\n"
        '@threat("still")\n'
        "class Still(Threat):\n"
        "    def perturb(self, model, x, y, *, generator=None):\n"
        "        return x\n"
    )
    path = recipe("[data]", 'plugins = ["mine.py"]\n[data]', more="[threats.still]\nevaluate={}\n")
    assert "still" in read_protocol(path).protocol.threats


def test_it_is_called_by_its_file_and_with_overrides_by_a_hash_more(recipe):
    path = recipe(name="sub/my.toml")
    assert read_protocol(path).name == "my"
    changed = read_protocol(path, ["evaluation.seed=1"])
    assert changed.name.startswith("my")
    assert changed.name != "my"
    assert changed.protocol.seed == 1
    assert changed.protocol_hash != read_protocol(path).protocol_hash


def test_every_key_of_the_protocol_reaches_it(recipe):
    path = recipe(
        "evaluate = { at_steps = [1, 2] }",
        'evaluate = { at_epsilon = [0.05, 0.1], restarts = 3, steps = 4, start = "uniform" }',
    )
    path.write_text(
        path.read_text().replace(
            "examples = 40",
            'falls = "any"\nunion_only = true\nseed = 3\nensembles = { both = ["pgd", "flow"] }',
        )
    )
    protocol = protocol_of(path)
    assert protocol.at_epsilon == {"pgd": (0.05, 0.1)}
    assert protocol.restarts == {"pgd": 3}
    assert (protocol.falls, protocol.union_only, protocol.seed) == ("any", True, 3)
    assert protocol.ensembles == {"both": ("pgd", "flow")}
    assert (protocol.threats["pgd"].steps, protocol.threats["pgd"].start) == (4, "uniform")


# what is refused


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[evaluation]", "[evaluaton]", "evaluaton: unknown key. Did you mean 'evaluation'?"),
        ("examples", "example", "evaluation.example: unknown key. Did you mean 'examples'?"),
        ("at_steps = [1]", "at_step = [1]", "unknown key. Did you mean 'at_steps'?"),
        ("at_steps = [1]", "restarts = 2", "every restart of 'flow' would be the same search"),
        ("at_steps = [1]", "at_epsilon = [0.2, 0.1]", "at_epsilon should be ascending radii"),
        ("[threats.flow]", "[threats.flwo]", "no threat is called 'flwo'. Did you mean 'flow'?"),
        ("examples = 40", 'falls = "first"', "evaluation.falls"),
        ("examples = 40", "union_only = true", "union_only leaves out fallen examples"),
        ("examples = 40", 'summed = ["folw"]', "labelled 'folw'. Did you mean 'flow'?"),
        (
            "examples = 40",
            'ensembles = { both = ["pgd", "folw"] }',
            "no threat labelled 'folw'. Did you mean 'flow'?",
        ),
        ("step_size = 0.05", "", "step_size"),
        ('"digits"', '"digit"', "no data set is called 'digit'. Did you mean 'digits'?"),
    ],
)
def test_a_typo_is_said_with_its_file_and_its_key(recipe, old, new, said):
    path = recipe(old, new)
    with pytest.raises(MoatError) as refused:
        read_protocol(path)
    assert str(refused.value).startswith(str(path))
    assert said in str(refused.value)


def test_a_file_that_evaluates_nothing_is_refused_with_what_it_defines(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text('[data]\ntype = "digits"\n[threats.pgd]\nepsilon = 0.1\n')
    with pytest.raises(RecipeError) as refused:
        read_protocol(path)
    first, _, last = str(refused.value).splitlines()
    assert first == f"{path}, threats: the protocol evaluates no threat."
    assert last == "  defined: pgd"


def test_a_file_that_is_missing_or_no_toml_is_said(tmp_path):
    with pytest.raises(RecipeError, match="this recipe does not exist"):
        read_protocol(tmp_path / "none.toml")
    path = tmp_path / "p.toml"
    path.write_text("[data")
    with pytest.raises(RecipeError, match=r"p\.toml"):
        read_protocol(path)
