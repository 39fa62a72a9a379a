"""Blur, fog and JPEG: moat's promises to every threat, and their own."""

import io
import json
from importlib import metadata

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from moat_corruptions import JPEG, Blur, Fog
from moat_corruptions.blur import DIRECTIONS, neighbours
from moat_corruptions.fog import hats
from moat_corruptions.jpeg_blocks import compressed
from PIL import Image

import moat
from moat.errors import FieldError
from moat.testing import check_threat, examples, smooth_model
from moat.threats import PGD, registry

CLASSES = (Blur, Fog, JPEG)
SHARES = {"epsilon": 0.5, "step_size": 0.1, "steps": 8}


@pytest.mark.parametrize("start", ["zero", "noise", "uniform"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 7)])
@pytest.mark.parametrize("cls", CLASSES)
def test_each_keeps_the_promises_of_every_threat(cls, start, shape):
    check_threat(cls(start=start, **SHARES), shape=shape)


@pytest.mark.parametrize("cls", CLASSES)
def test_the_entry_points_lead_to_them(cls):
    assert registry.get(cls.name) is cls
    origins = {entry.name: entry.origin for entry in registry.entries()}
    assert origins[cls.name].startswith("moat-robust-corruptions ")


@pytest.mark.parametrize("cls", CLASSES)
def test_its_ball_has_few_numbers_all_from_0_to_epsilon(cls):
    x, _ = examples((3, 8, 8))
    threat = cls(**SHARES)
    (ball,), (block,) = threat.balls(x), threat.identity(x)
    assert block[0].numel() < 10
    sample = ball.sample(block, torch.Generator().manual_seed(0))
    assert 0 <= sample.min() <= sample.max() <= 0.5
    assert ball.project(block - 1).abs().max() == 0


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("x", [torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)])
def test_an_image_of_one_colour_stays_in_its_box(cls, x):
    images = cls(**SHARES, start="uniform").perturb(smooth_model((3, 8, 8)).float(), x, [0])
    assert images.isfinite().all()
    assert 0 <= images.min() <= images.max() <= 1


@pytest.mark.parametrize("cls", CLASSES)
def test_the_search_raises_the_loss_and_more_in_a_larger_ball(cls):
    x, y = examples((3, 8, 8), count=32)
    model = smooth_model((3, 8, 8)).eval()

    def loss(epsilon: float) -> float:
        images = cls(epsilon=epsilon, step_size=epsilon / 4, steps=10).perturb(model, x, y)
        return F.cross_entropy(model(images), y).item()

    natural = F.cross_entropy(model(x), y).item()
    assert natural < loss(0.1) < loss(0.6)
    noise = PGD(epsilon=0.6, step_size=0.1, steps=10).perturb(model, x, y)
    assert loss(0.6) < F.cross_entropy(model(noise), y)


def test_equal_shares_blur_as_a_gaussian_does():
    x = torch.zeros(1, 1, 31, 31, dtype=torch.float64)
    x[..., 15, 15] = 1
    shares = torch.tensor([[0.5, 0.5, 0.0, 0.0]], dtype=torch.float64)
    spread = Blur(epsilon=1, step_size=1, passes=8).apply(x, (shares,))[0, 0]
    away = torch.arange(31, dtype=torch.float64) - 15
    assert spread.sum() == pytest.approx(1)
    assert spread.sum(0) @ away**2 == pytest.approx(8 * 0.5)
    gauss = torch.exp(-(away**2) / (2 * 4)) / (2 * torch.pi * 4) ** 0.5
    torch.testing.assert_close(spread, torch.outer(gauss, gauss), rtol=0, atol=3e-3)


@pytest.mark.parametrize(("number", "line"), [*enumerate(DIRECTIONS)])
def test_one_share_is_motion_blur_along_its_line(number, line):
    x = torch.zeros(1, 1, 9, 9)
    x[..., 4, 4] = 1
    shares = F.one_hot(torch.tensor([number]), 4).float() / 2
    images = Blur(epsilon=1, step_size=1, passes=2).apply(x, (shares,))
    places = {(4 + k * line[0], 4 + k * line[1]) for k in range(-2, 3)}
    assert {tuple(place[2:].tolist()) for place in images.nonzero()} == places


def test_beyond_the_edge_pixels_repeat():
    x = torch.rand(2, 3, 5, 4)
    assert torch.equal(neighbours(x.new_ones(2, 3, 5, 4), 1, 1), torch.ones(2, 3, 5, 4))
    assert neighbours(x, 0, 1)[..., 0].equal((x[..., 0] + x[..., 1]) / 2)


@pytest.mark.parametrize("side", [1, 2, 5, 8])
@pytest.mark.parametrize("points", [1, 2, 3, 9])
def test_fog_is_interpolated_between_control_points(side, points):
    weights = hats(side, points, torch.zeros((), dtype=torch.float64))
    assert weights.shape == (side, points)
    torch.testing.assert_close(weights.sum(1), torch.ones(side, dtype=torch.float64))
    if points > 1 < side:
        knots = torch.rand(1, 1, points, dtype=torch.float64)
        expected = F.interpolate(knots, side, mode="linear", align_corners=True)[0, 0]
        torch.testing.assert_close(weights @ knots[0, 0], expected)


@pytest.mark.parametrize("light", [0.0, 0.5, 1.0])
def test_thick_fog_is_the_light_alone(light):
    x, _ = examples((3, 8, 8))
    threat = Fog(epsilon=1, step_size=1, light=light)
    images = threat.apply(x, (torch.ones_like(threat.identity(x)[0]),))
    torch.testing.assert_close(images, torch.full_like(x, light))


def by_pillow(x: torch.Tensor, quality: int) -> torch.Tensor:
    """Return one image of bytes after JPEG of Pillow's."""
    array = np.ascontiguousarray((255 * x).round().byte().movedim(0, -1).numpy())
    image = Image.fromarray(array if len(x) == 3 else array[..., 0])
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, subsampling=0)
    read = torch.from_numpy(np.asarray(Image.open(file)).astype(float))
    return (read.movedim(-1, 0) if len(x) == 3 else read[None]) / 255


@pytest.mark.parametrize("quality", [95, 50, 10])
@pytest.mark.parametrize("channels", [1, 3])
def test_compression_is_that_of_pillow_but_for_its_rounding_to_bytes(channels, quality):
    generator = torch.Generator().manual_seed(quality)
    coarse = torch.rand(1, channels, 6, 6, generator=generator, dtype=torch.float64)
    x = F.interpolate(coarse, (21, 35), mode="bicubic").clamp(0, 1)
    x = (255 * x).round() / 255
    difference = 255 * (compressed(x, quality)[0] - by_pillow(x[0], quality)).abs()
    assert difference.mean() < (0.6 if channels == 1 else 2)
    assert (difference > 8).double().mean() < 0.01


def test_the_whole_share_of_the_last_quality_is_jpeg_of_it():
    x, _ = examples((3, 9, 7))
    shares = torch.tensor([[0.3, 1.0]], dtype=x.dtype).expand(len(x), 2)
    images = JPEG(epsilon=1, step_size=1, qualities=(80, 20)).apply(x, (shares,))
    torch.testing.assert_close(images, compressed(x, 20))


@pytest.mark.parametrize(
    ("cls", "wrong"),
    [
        (Blur, {"epsilon": 1.5}),
        (Blur, {"passes": 0}),
        (Fog, {"light": 2.0}),
        (JPEG, {"qualities": ()}),
        (JPEG, {"qualities": (0,)}),
    ],
)
def test_a_number_out_of_bounds_is_refused_by_name(cls, wrong):
    with pytest.raises(FieldError, match=next(iter(wrong))):
        cls(**(SHARES | wrong))


def test_a_recipe_trains_and_evaluates_with_all_three(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tables = "".join(
        f"[threats.{cls.name}]\nepsilon = 0.5\nstep_size = 0.25\nevaluate = {{ at_steps = [2] }}\n"
        "train = { steps = 1 }\n"
        for cls in CLASSES
    )
    (tmp_path / "weather.toml").write_text(
        'model = { type = "tiny-cnn", width = 4 }\noptimizer = { type = "sgd", lr = 0.1 }\n'
        'data = { type = "digits", train_examples = 64 }\nevaluation = { examples = 20 }\n'
        f"training = {{ epochs = 1, batch_size = 64 }}\n{tables}"
        '[[variant]]\nname = "weather"\nthreats = ["blur", "fog", "jpeg"]\n'
    )
    assert not moat.train("weather.toml", jobs=1).failed
    (record,) = tmp_path.rglob("run.json")
    version = f"moat-robust-corruptions {metadata.version('moat-robust-corruptions')}"
    told = json.loads(record.read_text())["plugins"]
    assert told == {f"threats: {cls.name}": version for cls in CLASSES}
