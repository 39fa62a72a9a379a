"""The conflict of the objectives, measured in training: it changes nothing, and it is right."""

import json

import pytest
import torch
from torch import nn

from moat.data import Split
from moat.errors import RunFolderError
from moat.runs import RunFolder
from moat.scalarizers import MGDA, Average, Max, Sampled
from moat.testing import Counted
from moat.threats import PGD, RTGrid, trusted
from moat.training import SGD, Constant, Fit, StepSettings, Training, fabric_for, fit
from moat.training.conflict import Conflict, gramians_of, objective_pairs
from moat.training.craft import craft
from moat.training.objective_gradients import cosines_of, layer_gramians, layer_sizes

THREATS = {"pgd": PGD(epsilon=0.1, step_size=0.05, steps=2), "grid": RTGrid(worst_of=3)}
IMAGES = 20


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.BatchNorm2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 8), nn.Linear(8, 4)
    )


def trained(folder, scalarizer, every, threats=THREATS, **training):
    folder.mkdir()
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (IMAGES, 1, 8, 8), generator=generator, dtype=torch.uint8)
    model = network()
    told = []
    job = Fit(
        model=model,
        split=Split(images, torch.arange(IMAGES) % 4, torch.arange(IMAGES)),
        threats=threats,
        scalarizer=scalarizer,
        training=Training(**{"epochs": 2, "batch_size": 8, "conflict_every": every, **training}),
        optimizer=SGD(lr=0.05),
        schedule=Constant(),
        seed=0,
        folder=RunFolder(folder),
        fabric=fabric_for("cpu", "32-true"),
    )
    fitted = fit(job, told.append)
    return model.state_dict(), job.folder.read_log(), fitted


@pytest.mark.parametrize("rule", [Average(), Max(), MGDA(), Sampled(each="example")], ids=repr)
def test_a_training_that_measures_the_conflict_ends_with_the_same_weights(tmp_path, rule):
    plain, log, fitted = trained(tmp_path / "plain", rule, None)
    measured, longer, also = trained(tmp_path / "measured", rule, 2)
    assert all(torch.equal(plain[name], measured[name]) for name in plain)
    assert (fitted.forwards, fitted.backwards) == (also.forwards, also.backwards)
    assert not any("conflict" in line for line in log)
    steps = [line["step"] for line in longer if "conflict" in line]
    assert steps == [2, 4, 6]


def test_an_entry_has_each_pair_of_the_network_and_of_each_layer_and_its_passes(tmp_path):
    _, log, _ = trained(tmp_path / "run", Average(), 1)
    entry = next(line["conflict"] for line in log if "conflict" in line)
    assert entry["objectives"] == ["natural", "pgd", "grid"]
    assert list(entry["layers"]) == ["0", "3", "4"]
    for table in (entry, *entry["layers"].values()):
        assert len(table["cosines"]) == len(table["norms"]) == 3
        assert all(-1 <= cosine <= 1 for cosine in table["cosines"])
    squares = [sum(t["norms"][k] ** 2 for t in entry["layers"].values()) for k in range(3)]
    assert squares == pytest.approx([norm**2 for norm in entry["norms"]], rel=1e-5)
    assert entry["passes"] == 2 * 3 * 8  # a forward and a backward for each of the images


def test_an_objective_that_a_step_leaves_out_has_no_cosine(tmp_path):
    _, log, _ = trained(tmp_path / "run", Sampled(), 1)
    entries = [line["conflict"] for line in log if "conflict" in line]
    for entry in entries:
        there = [norm is not None for norm in entry["norms"]]
        assert there[0]  # natural images need no search
        assert not all(there)
        both = [there[one] and there[other] for one, other in objective_pairs(3)]
        assert [cosine is not None for cosine in entry["cosines"]] == both


def test_a_conflict_is_read_back_from_a_log_and_a_broken_one_is_refused(tmp_path):
    trained(tmp_path / "run", Average(), 3)
    folder = RunFolder(tmp_path / "run")
    lines = (tmp_path / "run/log.jsonl").read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if "conflict" in line)
    broken = json.loads(lines[at])
    broken["conflict"]["cosines"] = ["high"]
    lines[at] = json.dumps(broken)
    (tmp_path / "run/log.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(
        RunFolderError, match=r"line \d+: .* conflict.cosines.0 is 'high' and should be a number"
    ):
        folder.read_log()


def test_the_cosine_of_orthogonal_gradients_is_0_of_equal_1_and_of_opposed_minus_1():
    gradients = torch.tensor([[1.0, 0.0, 2.0], [0.0, 3.0, 2.0], [-1.0, 0.0, -2.0], [0, 0, 0]])
    by_layer = cosines_of(layer_gramians(gradients, [2, 1]))
    torch.testing.assert_close(by_layer[0, 0, :3], torch.tensor([1.0, 0.0, -1.0]))
    torch.testing.assert_close(by_layer[1, 0, :3], torch.tensor([1.0, 1.0, -1.0]))
    assert by_layer[:, 3].isnan().all()
    whole = cosines_of(layer_gramians(gradients, [2, 1]).sum(0))
    expected = torch.nn.functional.cosine_similarity(gradients[0], gradients[1], dim=0)
    torch.testing.assert_close(whole[0, 1], expected)


@pytest.mark.parametrize("pass_size", [3, 1000])
def test_the_products_are_those_of_plain_gradients_whatever_the_pass_size(pass_size):
    model = network().double().eval()
    x, y = torch.rand(8, 1, 8, 8, dtype=torch.float64), torch.arange(8) % 4
    plan = Average(include_natural=True).plan(("natural", *THREATS), 8)
    examples = craft(model, THREATS, x, y, plan, StepSettings())
    rows = []
    for images in examples.images:
        loss = nn.functional.cross_entropy(model(images), y)
        rows.append([g.flatten() for g in torch.autograd.grad(loss, model.parameters())])
    sizes = layer_sizes(model)
    found = gramians_of(model, examples, pass_size, sizes)
    whole = torch.stack([torch.cat(row) for row in rows])
    torch.testing.assert_close(found.sum(0), whole @ whole.T)
    last = torch.stack([torch.cat(row[-2:]) for row in rows])  # weight and bias of layer 4
    torch.testing.assert_close(found[list(sizes).index("4")], last @ last.T)


def test_a_measurement_asks_nothing_of_a_gpu_until_the_log_takes_it():
    model = network()
    conflict = Conflict(model, fabric_for("cpu", "32-true"), 100, {})
    x, y = torch.rand(8, 1, 8, 8), torch.arange(8) % 4
    plan = Average().plan(("natural", *THREATS), 8)
    with trusted():
        examples = craft(model, THREATS, x, y, plan, StepSettings())
        with Counted() as questions:
            conflict.observe(examples, x, y)
    assert questions.asked == []
    assert conflict.taken()["passes"] == 48
    assert conflict.taken() is None
