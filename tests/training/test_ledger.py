"""What a training has spent, beside what truly passed its network."""

import pytest
import torch
from torch import nn

from moat.data import Split
from moat.runs import RunFolder
from moat.scalarizers import MGDA, Average, Max, Natural, Sampled, TwoMoment
from moat.testing import smooth_model
from moat.threats import PGD, RTGrid
from moat.training import SGD, Constant, Fit, Training, fabric_for, fit, loop
from moat.training.step_cost import step_cost

THREATS = {"pgd": PGD(epsilon=0.1, step_size=0.05, steps=2), "grid": RTGrid(worst_of=3)}
IMAGES = 20


class Counting(nn.Module):
    """A network that counts the examples that pass it in both directions."""

    def __init__(self, *, norm=False):
        super().__init__()
        torch.manual_seed(0)
        first = nn.BatchNorm2d(1) if norm else nn.Identity()
        self.layers = nn.Sequential(first, nn.Flatten(), nn.Linear(64, 4))
        self.forwards = self.backwards = 0

    def forward(self, x):
        logits = self.layers(x)
        self.forwards += len(x)
        if logits.requires_grad:
            logits.register_hook(self._count)
        return logits

    def _count(self, slope):
        self.backwards += len(slope)


def job_for(folder, model, scalarizer, **training):
    folder.mkdir(exist_ok=True)
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (IMAGES, 1, 8, 8), generator=generator, dtype=torch.uint8)
    return Fit(
        model=model,
        split=Split(images, torch.arange(IMAGES) % 4, torch.arange(IMAGES)),
        threats=THREATS,
        scalarizer=scalarizer,
        training=Training(**{"batch_size": 8, **training}),
        optimizer=SGD(lr=0.05),
        schedule=Constant(),
        seed=0,
        folder=RunFolder(folder),
        fabric=fabric_for("cpu", "32-true"),
    )


RULES = [
    Natural(),
    Average(),
    Max(),
    TwoMoment(rho=0.5),
    MGDA(),
    Sampled(),
    Sampled(each="example"),
]


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_a_run_records_what_passed_its_network_and_the_plan_foretold(
    tmp_path, monkeypatch, rule, norm
):
    monkeypatch.setattr(loop, "check_trainable", lambda *_: None)  # passes before the first step
    model = Counting(norm=norm)
    search, descent = step_cost(THREATS, rule, batch_norm=norm)
    fitted = fit(job_for(tmp_path, model, rule, epochs=2))
    assert (fitted.forwards, fitted.backwards) == (model.forwards, model.backwards)
    assert fitted.passes == pytest.approx((fitted.forwards + fitted.backwards) / IMAGES)
    if not isinstance(rule, Sampled):  # whose plan is an expectation
        both = search.plus(descent)
        assert fitted.forwards == 2 * IMAGES * both.forwards
        assert fitted.backwards == 2 * IMAGES * both.backwards
    each = {"Natural": 0, "Sampled": 1}.get(type(rule).__name__, 2)
    assert fitted.searched == 2 * IMAGES * each


def test_a_run_that_began_when_nothing_was_counted_ends_without_counts(tmp_path):
    fit(job_for(tmp_path, smooth_network(), Natural(), epochs=1))
    folder = RunFolder(tmp_path)
    state = folder.load_checkpoint()
    del state["progress"]["spent"]
    folder.save_checkpoint(state)
    fitted = fit(job_for(tmp_path, smooth_network(), Natural(), epochs=2))
    assert fitted.epoch == 2
    assert (fitted.forwards, fitted.searched, fitted.passes) == (None, None, None)


def smooth_network():
    return smooth_model().float()
