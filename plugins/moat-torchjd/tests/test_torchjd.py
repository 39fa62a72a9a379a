"""TorchJD's rules as scalarizers: moat's promises to every scalarizer, and their own."""

import json
import pickle
from importlib import metadata
from importlib.util import find_spec

import moat_torchjd
import pytest
import torch
import torchjd.aggregation
from torchjd.aggregation import GramianWeightedAggregator

import moat
from moat.errors import FieldError, MissingPackageError, UnknownNameError
from moat.objectives import LossMatrix
from moat.scalarizers import MGDA, registry
from moat.testing import check_scalarizer

REQUIRED = {
    "torchjd:CAGrad": {"c": 0.5},
    "torchjd:Constant": {"values": (0.4, 0.3, 0.2, 0.1)},
    "torchjd:FairGrad": {"alpha": 1.0},
    "torchjd:Krum": {"n_byzantine": 1},
}
NAMES = sorted(cls.name for cls in moat_torchjd.scalarizers())
NO_SOLVER = pytest.mark.skipif(find_spec("cvxpy") is None, reason="needs torchjd[cagrad]")
INSTALLED = [pytest.param(n, marks=NO_SOLVER) if n == "torchjd:CAGrad" else n for n in NAMES]
OPPOSED = torch.full((4, 4), -0.3, dtype=torch.float64) + 1.3 * torch.eye(4)
"""The Gramian of gradients of length 1 that all contradict each other."""


def made(name: str, **fields):
    return registry.get(name)(**REQUIRED.get(name, {}), **fields)


def losses(objectives: int = 4) -> LossMatrix:
    names = ("natural", *(f"threat-{n}" for n in range(1, objectives)))
    return LossMatrix(torch.ones(objectives, 2, dtype=torch.float64), names)


def gradients(objectives: int = 4, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(objectives, 7, generator=generator, dtype=torch.float64)


def gramian(objectives: int = 4, seed: int = 0) -> torch.Tensor:
    rows = gradients(objectives, seed)
    return rows @ rows.T


@pytest.mark.parametrize("name", INSTALLED)
def test_each_keeps_the_promises_of_every_scalarizer(name):
    check_scalarizer(made(name))


def test_every_rule_of_the_installed_torchjd_that_takes_a_gramian_has_a_name():
    public = (getattr(torchjd.aggregation, name) for name in torchjd.aggregation.__all__)
    known = {
        one.__name__
        for one in public
        if isinstance(one, type) and issubclass(one, GramianWeightedAggregator)
    }
    expected = known - {"GramianWeightedAggregator"} | {"Mean", "Sum", "Random", "Constant"}
    assert set(NAMES) == {f"torchjd:{name}" for name in expected}


@pytest.mark.parametrize(
    "name", [n for n in INSTALLED if n not in ("torchjd:Random", "torchjd:PCGrad")]
)
def test_the_weighted_gradients_are_what_torchjd_makes_of_the_jacobian(name):
    scalarizer = made(name)
    given = {one.name: getattr(scalarizer, one.field) for one in scalarizer.parameters}
    given = {n: torch.tensor(v).double() if isinstance(v, tuple) else v for n, v in given.items()}
    torch.manual_seed(0)
    expected = scalarizer.aggregator(**given)(gradients())
    found = scalarizer.weights(gramian(), losses()) @ gradients()
    if name in ("torchjd:GradVac",):  # it visits pairs in a drawn order
        assert torch.nn.functional.cosine_similarity(found, expected, dim=0) > 0.9
    else:
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_mgda_is_moats_mgda(seed):
    matrix = gramian(2, seed)
    found = made("torchjd:MGDA").weights(matrix, losses(2))
    torch.testing.assert_close(found, MGDA().weights(matrix, losses(2)), rtol=0, atol=1e-9)


@pytest.mark.parametrize("objectives", [3, 5])
def test_mgda_is_moats_mgda_for_any_number_once_frank_wolfe_has_converged(objectives):
    matrix = gramian(objectives)
    found = made("torchjd:MGDA", epsilon=1e-9, max_iters=2000).weights(matrix, losses(objectives))
    expected = MGDA().weights(matrix, losses(objectives))
    torch.testing.assert_close(found, expected, rtol=0, atol=5e-3)


@pytest.mark.parametrize("name", INSTALLED)
@pytest.mark.parametrize("scale", [0.0, 1e-20, 1e12])
def test_weights_are_finite_for_gradients_of_any_length(name, scale):
    assert made(name).weights(scale * gramian(), losses()).isfinite().all()


@pytest.mark.parametrize("name", INSTALLED)
def test_a_gramian_that_is_not_finite_gives_uniform_weights_and_a_count_in_the_log(name):
    scalarizer = made(name)
    weights = scalarizer.weights(torch.full((4, 4), torch.nan), losses())
    assert weights.tolist() == [0.25] * 4
    assert scalarizer.log() == {"unsolved_share": 1.0}


@pytest.mark.parametrize("name", ["torchjd:Random", "torchjd:PCGrad", "torchjd:GradVac"])
def test_draws_are_those_of_the_steps_generator_and_leave_every_generator_alone(name):
    def draw(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        states = generator.get_state(), torch.get_rng_state()
        scalarizer = made(name)
        scalarizer.plan(losses().names, 2, generator)
        found = torch.cat([scalarizer.weights(OPPOSED, losses()) for _ in range(3)])
        assert torch.equal(generator.get_state(), states[0])
        assert torch.equal(torch.get_rng_state(), states[1])
        return found

    assert torch.equal(draw(1), draw(1))
    assert len({tuple(draw(seed).tolist()) for seed in range(20)}) > 1


@pytest.mark.parametrize("name", INSTALLED)
def test_each_can_be_sent_to_another_process(name):
    sent = pickle.loads(pickle.dumps(made(name)))
    torch.testing.assert_close(
        sent.weights(gramian(), losses()), made(name).weights(gramian(), losses())
    )


def test_a_scalarizer_is_an_attribute_of_the_package():
    assert moat_torchjd.UPGrad is registry.get("torchjd:UPGrad")
    with pytest.raises(AttributeError, match="the installed TorchJD has no rule 'ConFIG'"):
        _ = moat_torchjd.ConFIG


def test_a_value_that_torchjd_refuses_is_refused_with_its_words():
    with pytest.raises(
        FieldError, match="torchjd:MGDA: epsilon must be positive, but got 0"
    ) as raised:
        made("torchjd:MGDA", epsilon=0.0)
    assert raised.value.hint == "torchjd:MGDA takes the keys of torchjd.aggregation.MGDA."


def test_a_list_of_another_length_than_the_objectives_is_refused_with_their_names():
    with pytest.raises(
        FieldError, match=r"cannot weigh 3 objectives \(natural, threat-1, thr"
    ) as raised:
        made("torchjd:UPGrad", pref_vector=[0.5, 0.5]).weights(gramian(3), losses(3))
    assert raised.value.hint.startswith("A list in its table has one number for each")


def test_a_rule_without_its_solver_names_the_package(monkeypatch):
    def refuse(**_parameters):
        raise ImportError("CAGradWeighting requires ['clarabel'] to be installed.")

    monkeypatch.setattr(registry.get("torchjd:CAGrad"), "aggregator", staticmethod(refuse))
    with pytest.raises(MissingPackageError, match="'torchjd:CAGrad' needs a package") as raised:
        made("torchjd:CAGrad")
    assert raised.value.hint.startswith("pip install 'torchjd[cagrad]'")


def test_an_unknown_rule_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'torchjd:UPGrad'"):
        registry.get("torchjd:UPgrad")


def test_the_entry_point_leads_to_all_of_them_with_the_package_as_origin():
    origins = {entry.name: entry.origin for entry in registry.entries()}
    assert {origins[name].rpartition(" ")[0] for name in NAMES} == {"moat-robust-torchjd"}


def test_a_recipe_trains_by_a_rule_whose_folder_has_no_colon(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.toml").write_text(
        'model = { type = "tiny-cnn", width = 4 }\noptimizer = { type = "sgd", lr = 0.1 }\n'
        'data = { type = "digits", train_examples = 64 }\nevaluation = { examples = 20 }\n'
        "training = { epochs = 1, batch_size = 64 }\n"
        "[threats.pgd]\nepsilon = 0.1\nstep_size = 0.1\nsteps = 1\nevaluate = {}\n"
        '[[variant]]\nname = "rule"\nthreats = ["pgd"]\n'
        'sweep = { "scalarizer.type" = ["torchjd:UPGrad"] }\n'
    )
    assert not moat.train("rules.toml", jobs=1).failed
    (record,) = tmp_path.rglob("run.json")
    assert record.parent.parent.name == "type=torchjd-UPGrad"
    told = json.loads(record.read_text())
    assert told["label"] == "rule type=torchjd:UPGrad"
    package = told["plugins"]["scalarizers: torchjd:UPGrad"]
    assert package.startswith("moat-robust-torchjd ")
    assert package.endswith(f", torchjd {metadata.version('torchjd')}")
