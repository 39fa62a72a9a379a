"""Examples that leave a search once they have fallen: the images, and the passes saved."""

from dataclasses import replace

import pytest
import torch

from moat.errors import FieldError
from moat.losses import margin
from moat.testing import examples, smooth_model
from moat.threats import (
    MSD,
    PGD,
    RT,
    Flow,
    Friendly,
    Integrated,
    ShortSearch,
    StAdv,
    ascend,
    attacked,
)
from moat.training.ledger import Ledger

THREATS = {
    "pgd": PGD(epsilon=0.3, step_size=0.1, steps=5),
    "l2": PGD(epsilon=2.0, step_size=0.7, steps=5, norm="l2"),
    "noise": PGD(epsilon=0.3, step_size=0.1, steps=5, start="uniform", loss="kl"),
    "flow": Flow(epsilon=0.5, step_size=0.2, steps=6),
    "rt": RT(epsilon=0.5, step_size=0.2, steps=4),
    "integrated": Integrated(
        flow_epsilon=0.4, flow_step_size=0.1, rt_epsilon=0.4, rt_step_size=0.1, steps=5
    ),
    "msd": MSD(linf_epsilon=0.3, linf_step_size=0.1, l2_epsilon=2.0, l2_step_size=0.6, steps=4),
}
ENDS = [Friendly(), Friendly(after=1), Friendly(after=2, margin=0.2), Friendly(margin=0.6)]


class Counted(torch.nn.Module):
    """A network whose passes a ledger counts."""

    def __init__(self, model):
        super().__init__()
        self.model, self.ledger = model, Ledger()

    def forward(self, x):
        return self.ledger.see(self.model(x))


def by_algorithm_1(model, threat, x, y, friendly, generator):
    """Return what the paper's loop finds, example by example, and its gradient passes."""
    climb = threat.climb(x, y, generator=generator)
    images, passes = [], 0
    for one in range(len(x)):
        own = replace(
            climb,
            x=x[one : one + 1],
            y=y[one : one + 1],
            start=tuple(block[one : one + 1] for block in climb.start),
            at_steps=tuple(range(threat.steps + 1)),
        )
        (traces,) = ascend(model, [own], 100)
        fallen, end = 0, threat.steps
        for step in range(threat.steps):
            with attacked(model), torch.no_grad():
                far = margin(model(traces[step].images), own.y) > friendly.margin
            if far and fallen >= friendly.after:
                end = step
                break
            fallen += int(far)
        images.append(traces[end].images)
        passes += min(end + 1, threat.steps)
    return torch.cat(images), passes


def generator_of():
    return torch.Generator().manual_seed(5)


@pytest.mark.parametrize("end", ENDS, ids=repr)
@pytest.mark.parametrize("name", THREATS)
def test_each_example_leaves_where_algorithm_1_of_the_paper_stops(name, end):
    model, threat = Counted(smooth_model()), THREATS[name]
    x, y = examples(count=6)
    expected, passes = by_algorithm_1(smooth_model(), threat, x, y, end, generator_of())
    (found,) = ShortSearch(friendly=end)(
        model, [threat], x, y, generator=generator_of(), pass_size=4, reach=1.0
    )
    assert torch.allclose(found.images, expected, atol=1e-9)
    assert model.ledger.backwards == passes


def test_without_an_end_the_search_is_the_usual_one():
    x, y = examples(count=4)
    usual = THREATS["pgd"].perturb(smooth_model(), x, y)
    settings = {"generator": None, "pass_size": 9, "reach": 1.0}
    for search in (ShortSearch(), ShortSearch(friendly=Friendly(margin=1e6))):
        (found,) = search(smooth_model(), [THREATS["pgd"]], x, y, **settings)
        assert torch.equal(found.images, usual)


def test_a_search_that_keeps_its_best_iterate_may_end_early_too():
    x, y = examples(count=6)
    model = Counted(smooth_model())
    for threat in (
        StAdv(step_size=0.2, steps=5, loss="margin"),
        PGD(epsilon=0.3, steps=5, search="apgd"),
        PGD(epsilon=0.5, steps=5, search="random"),
    ):
        settings = {"generator": generator_of(), "pass_size": 9, "reach": 1.0}
        (found,) = ShortSearch(friendly=Friendly())(model, [threat], x, y, **settings)
        with torch.no_grad():
            left = margin(model(found.images), y) > 0
        assert left.any()


@pytest.mark.parametrize("given", [{"after": -1}, {"margin": -0.5}, {"tau": 1}])
def test_an_end_before_the_fall_is_refused(given):
    with pytest.raises(FieldError, match=r"greater than or equal to 0|no field 'tau'"):
        Friendly(**given)
