"""Multi steepest descent: a step in each ball, and on from the worst of them."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from moat.errors import FieldError
from moat.geometry.balls import LinfBall
from moat.geometry.l1_ball import L1Ball
from moat.geometry.l2_ball import L2Ball
from moat.geometry.union_ball import union_of
from moat.testing import check_threat
from moat.threats import MSD, PGD, ascend, search, spent_by

BALLS = {
    "linf": (0.1, 0.04),
    "l2": (0.5, 0.2),
    "l1": (2.0, 0.6),
}
CLASSES = {"linf": LinfBall, "l2": L2Ball, "l1": L1Ball}


def msd(*norms, **more):
    numbers = {f"{norm}_epsilon": BALLS[norm][0] for norm in norms}
    numbers |= {f"{norm}_step_size": BALLS[norm][1] for norm in norms}
    return MSD(**numbers, **more)


def parts(x, norms):
    return {norm: CLASSES[norm](*BALLS[norm], low=-x, high=1 - x) for norm in norms}


@pytest.mark.parametrize("start", ["zero", "uniform", "noise"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 5, 6)])
def test_it_keeps_what_the_conformance_kit_asks(start, shape):
    check_threat(msd("linf", "l2", "l1", start=start, steps=4), shape=shape)


@pytest.mark.parametrize("kind", ["apgd", "random"])
def test_other_searches_climb_the_union_as_well(kind):
    check_threat(MSD(linf_epsilon=0.1, l1_epsilon=2.0, search=kind, steps=4), shape=(1, 8, 8))


@pytest.mark.parametrize("norms", [("linf", "l2"), ("l2", "l1"), ("linf", "l2", "l1")])
@pytest.mark.parametrize("pass_size", [3, 1000])
def test_each_iterate_is_the_step_with_the_highest_loss_of_those_written_out(
    tiny_model, batch, norms, pass_size
):
    x, y = batch
    model = tiny_model.eval()
    climb = msd(*norms, steps=4).climb(x, y, at_steps=(1, 2, 3, 4))
    (traces,) = ascend(model, [climb], pass_size)
    w, chosen = torch.zeros_like(x), set()
    for step in range(1, 5):
        leaf = w.clone().requires_grad_()
        (slope,) = torch.autograd.grad(F.cross_entropy(model(x + leaf), y, reduction="sum"), leaf)
        steps = torch.stack([ball.step(w, slope) for ball in parts(x, norms).values()])
        losses = torch.stack([F.cross_entropy(model(x + v), y, reduction="none") for v in steps])
        best = losses.argmax(0)
        chosen |= set(best.tolist())
        w = steps[best, torch.arange(len(x))].detach()
        torch.testing.assert_close(traces[step].w[0], w)
        torch.testing.assert_close(traces[step].loss, losses.amax(0))
    assert len(chosen) > 1  # or nothing was chosen


def test_every_iterate_lies_in_one_of_the_balls_and_in_the_image_box(tiny_model, batch):
    x, y = batch
    climb = msd("linf", "l2", "l1", steps=6).climb(x, y, at_steps=(1, 2, 3, 4, 5, 6))
    (traces,) = ascend(tiny_model, [climb], 100)
    for trace in traces.values():
        shares = [ball.length(trace.w[0]) / ball.epsilon for ball in parts(x, BALLS).values()]
        assert (torch.stack(shares).amin(0) <= 1 + 1e-9).all()
        assert trace.images.min() >= 0
        assert trace.images.max() <= 1


def test_on_a_linear_model_it_ends_where_the_hardest_of_the_balls_ends(batch):
    x, y = batch
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(x[0].numel(), 10)).to(x)

    def loss(threat):
        (found,) = search(model, [threat], x, y)
        return F.cross_entropy(model(found.images), y, reduction="none")

    alone = [loss(PGD(epsilon=e, step_size=s, norm=n, steps=10)) for n, (e, s) in BALLS.items()]
    assert (loss(msd(*BALLS, steps=10)) >= torch.stack(alone).amax(0) - 1e-2).all()


def test_together_with_other_threats_it_finds_what_it_finds_alone(tiny_model, batch):
    x, y = batch
    both = [msd("linf", "l1", steps=3), PGD(epsilon=0.1, step_size=0.02, steps=5)]
    together = search(tiny_model, both, x, y, pass_size=7)
    alone = [search(tiny_model, [one], x, y)[0] for one in both]
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one.images, other.images)


def test_a_step_costs_a_forward_more_for_each_ball(tiny_model, batch):
    seen = []
    tiny_model.register_forward_hook(lambda model, inputs, output: seen.append(len(output)))
    threat = msd("linf", "l2", "l1", steps=4)
    search(tiny_model, [threat], *batch)
    x = batch[0]
    asked = sum(seen) - (len(x) if sum(seen) % len(x) else 0)
    assert asked >= len(x) * spent_by(threat).forwards
    assert spent_by(threat) == (16, 4)


def test_its_balls_grow_together_with_the_reach(batch):
    x, y = batch
    (ball,) = msd("linf", "l2").climb(x, y, reach=0.5).balls(x)
    assert [part.epsilon for part in ball.parts] == [0.05, 0.25]
    assert [part.step_size for part in ball.parts] == [0.02, 0.1]


def test_a_union_projects_to_the_nearest_of_its_balls_and_samples_all_of_them(batch):
    x, _ = batch
    union = union_of(tuple(parts(x, BALLS).values()))
    far = torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    distances = [(ball.project(far) - far).flatten(1).norm(dim=1) for ball in union.parts]
    found = (union.project(far) - far).flatten(1).norm(dim=1)
    torch.testing.assert_close(found, torch.stack(distances).amin(0))
    drawn = union.sample(x, torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(0)
    own = torch.stack([ball.sample(x, generator) for ball in union.parts])
    same = (own == drawn).flatten(2).all(2)
    assert same.any(0).all()
    assert same.any(1).all()


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ({}, "at least two balls are searched: give two of linf_epsilon, l2_epsilon and l1_eps"),
        ({"l2_epsilon": 0.5, "l2_step_size": 0.1}, "at least two balls are searched"),
        ({"l2_epsilon": 0.5, "l1_epsilon": 1.0}, "l2_step_size is missing: steps have a fixed si"),
        ({"l2_step_size": 0.1}, "l2_step_size is given, and l2_epsilon is missing"),
        ({"epsilon": 0.1}, "MSD has no field 'epsilon'."),
        ({"l2_epsilon": -1.0}, "MSD.l2_epsilon should be greater than 0, not -1.0."),
    ],
)
def test_balls_that_are_not_several_are_refused(numbers, told):
    with pytest.raises(FieldError) as refused:
        MSD(**numbers)
    assert told in str(refused.value)
