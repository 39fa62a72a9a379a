"""The recolouring threat: moat's promises to every threat, and its own."""

import json
from importlib import metadata

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from moat_recolor import Recolor
from moat_recolor.colour_grid import control_colours, interpolated, roughness

import moat
from moat.errors import FieldError, ModelError
from moat.testing import check_threat, examples, smooth_model
from moat.threats import PGD, registry


def recolor(**more: object) -> Recolor:
    return Recolor(**({"epsilon": 0.2, "step_size": 0.05, "steps": 8} | more))


@pytest.mark.parametrize("start", ["zero", "noise", "uniform"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 8, 8), (3, 9, 7)])
def test_it_keeps_the_promises_of_every_threat(start, shape):
    check_threat(recolor(start=start), shape=shape)


def test_the_entry_point_leads_to_it():
    assert registry.get("recolor") is Recolor
    (entry,) = (entry for entry in registry.entries() if entry.name == "recolor")
    assert entry.origin.startswith("moat-robust-recolor ")


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_a_map_that_is_affine_in_every_channel_is_interpolated_exactly(channels):
    generator = torch.Generator().manual_seed(channels)
    x = torch.rand(4, channels, 5, 6, generator=generator, dtype=torch.float64)
    mix = torch.randn(channels, channels, generator=generator, dtype=torch.float64)
    grid = control_colours(4, x).expand(4, *[-1] * (channels + 1))
    movement = torch.einsum("ij,bj...->bi...", mix, grid) + 0.3
    expected = torch.einsum("ij,bjhw->bihw", mix, x) + 0.3
    torch.testing.assert_close(interpolated(movement, x), expected)


def test_a_control_point_moves_the_colours_next_to_it_and_no_others():
    x = torch.tensor([0.0, 0.2, 0.25, 0.3, 0.5, 0.6])[None, None, None]
    movement = torch.tensor([[[0.0, 1.0, 0.0, 0.0, 0.0]]])
    expected = torch.tensor([0.0, 0.8, 1.0, 0.8, 0.0, 0.0])[None, None, None]
    torch.testing.assert_close(interpolated(movement, x), expected)


@settings(deadline=None, derandomize=True, max_examples=20)
@given(seed=st.integers(0, 1000), points=st.integers(2, 7), channels=st.integers(1, 3))
def test_every_member_keeps_the_image_in_its_box_and_within_epsilon(seed, points, channels):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(2, channels, 6, 6, generator=generator, dtype=torch.float64).round(decimals=1)
    threat = recolor(points=points, epsilon=0.4)
    (ball,), (nothing,) = threat.balls(x), threat.identity(x)
    images = threat.apply(x, (ball.sample(nothing, generator),))
    assert images.min() > -1e-12
    assert images.max() < 1 + 1e-12
    assert (images - x).abs().max() <= 0.4 + 1e-12


def test_equal_colours_move_alike_wherever_they_are():
    x, y = examples((3, 8, 8))
    x = x.round(decimals=0)  # eight colours
    images = recolor().perturb(smooth_model((3, 8, 8)), x, y)
    for before, after in zip(x.flatten(2).mT, images.flatten(2).mT, strict=True):
        colours, which = before.unique(dim=0, return_inverse=True)
        for number in range(len(colours)):
            moved = after[which == number]
            torch.testing.assert_close(moved, moved[:1].expand_as(moved))


def test_a_smoother_map_is_a_weaker_one():
    def rough(smoothness: float) -> float:
        threat = recolor(smoothness=smoothness, steps=15)
        x, y = examples((3, 8, 8))
        climb = threat.climb(x, y)
        model = smooth_model((3, 8, 8))
        w = climb.start
        for _ in range(15):
            (block,) = (one.detach().requires_grad_() for one in w)
            loss = torch.nn.functional.cross_entropy(
                model(threat.apply(x, (block,))), y, reduction="none"
            )
            (gradient,) = torch.autograd.grad(threat.objective(loss, (block,)).sum(), block)
            w = (threat.balls(x)[0].step(block.detach(), gradient),)
        return roughness(w[0]).mean().item()

    assert rough(0.0) > 1.5 * rough(5.0) > 0


def test_it_raises_the_loss_less_than_noise_of_the_same_radius():
    x, y = examples((3, 8, 8))
    model, loss = smooth_model((3, 8, 8)).eval(), torch.nn.CrossEntropyLoss()
    noise = PGD(epsilon=0.2, step_size=0.05, steps=8).perturb(model, x, y)
    coloured = recolor().perturb(model, x, y)
    assert loss(model(x), y) < loss(model(coloured), y) < loss(model(noise), y)


def test_too_many_channels_are_refused_with_the_reason():
    x, y = examples((4, 8, 8))
    with pytest.raises(ModelError, match="takes images of 1 to 3 channels, not 4") as raised:
        recolor().perturb(smooth_model((4, 8, 8)), x, y)
    assert raised.value.hint == "Leave the threat out for these images."


@pytest.mark.parametrize("wrong", [{"points": 1}, {"epsilon": 0.0}, {"smoothness": -1.0}])
def test_a_number_out_of_bounds_is_refused_by_name(wrong):
    with pytest.raises(FieldError, match=next(iter(wrong))):
        recolor(**wrong)


def test_a_recipe_trains_and_evaluates_with_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "colours.toml").write_text(
        'model = { type = "tiny-cnn", width = 4 }\noptimizer = { type = "sgd", lr = 0.1 }\n'
        'data = { type = "digits", train_examples = 64 }\nevaluation = { examples = 20 }\n'
        "training = { epochs = 1, batch_size = 64 }\n"
        "[threats.recolor]\nepsilon = 0.1\nstep_size = 0.05\nevaluate = { at_steps = [1, 2] }\n"
        "train = { steps = 1 }\n"
        '[[variant]]\nname = "colours"\nthreats = ["recolor"]\n'
    )
    assert not moat.train("colours.toml", jobs=1).failed
    (record,) = tmp_path.rglob("run.json")
    version = f"moat-robust-recolor {metadata.version('moat-robust-recolor')}"
    told = json.loads(record.read_text())
    assert told["plugins"] == told["evaluation_plugins"] == {"threats: recolor": version}
