"""Landscapes: of a quadratic loss the quadratic, with directions of the length that is said."""

from typing import Any

import pytest
import torch
from torch import nn

from moat.analysis.batching import Batching
from moat.analysis.climbed_loss import require_gradient_threat
from moat.analysis.directions import filter_normalised, random_directions
from moat.analysis.loss_surface import NEAR, SurfaceGrid, loss_surfaces
from moat.errors import InputError
from moat.losses import LOSSES, TARGETED
from moat.testing import examples, smooth_model
from moat.threats import MSD, PGD, RT, Flow, GradientThreat, Integrated, RTGrid, StAdv, ascend

THREATS: dict[str, GradientThreat] = {
    "pgd": PGD(epsilon=0.1, step_size=0.02, steps=2),
    "l2": PGD(norm="l2", epsilon=0.5, step_size=0.1, steps=2),
    "flow": Flow(epsilon=0.1, step_size=0.02, steps=2),
    "rt": RT(epsilon=0.2, step_size=0.02, steps=2),
    "integrated": Integrated(
        flow_epsilon=0.1, flow_step_size=0.02, rt_epsilon=0.1, rt_step_size=0.02, steps=2
    ),
    "stadv": StAdv(step_size=0.02, steps=2, epsilon=0.5),
    "msd": MSD(linf_epsilon=0.1, linf_step_size=0.03, l2_epsilon=0.5, l2_step_size=0.15, steps=2),
    "kl": PGD(epsilon=0.1, step_size=0.02, steps=2, loss="kl", start="noise"),
    "uniform": RT(epsilon=0.2, step_size=0.02, steps=2, start="uniform", loss="margin"),
}


class Quadratic(nn.Module):
    """Logits (0, 2 + Σ (x − 0.5)²), whose margin for class 0 is the square."""

    def forward(self, x):
        second = 2 + (x - 0.5).square().flatten(1).sum(1)
        return torch.stack([torch.zeros_like(second), second], dim=1)


@pytest.mark.parametrize("view", ["far", "near", "end"])
def test_the_landscape_of_a_quadratic_loss_is_the_quadratic(view):
    x, y = examples(count=3)[0], torch.zeros(3, dtype=torch.long)
    pgd = PGD(epsilon=0.2, step_size=0.05, steps=3, loss="margin")
    surface = loss_surfaces(Quadratic(), pgd, x, y, view=view, grid=SurfaceGrid(points=9))
    line = torch.linspace(-1, 1, 9, dtype=torch.float64)
    a, b = torch.meshgrid(line, line, indexing="ij")
    terms = torch.stack([torch.ones_like(a), a, b, a * a, a * b, b * b]).flatten(1)
    for own in surface:
        found = torch.linalg.lstsq(terms.T, own.flatten()[:, None])
        torch.testing.assert_close(terms.T @ found.solution, own.flatten()[:, None])
        curved = found.solution[3:, 0]
        assert curved[0] > 0
        assert curved[2] > 0  # squares of the lengths of both directions
    if view == "far":
        lengths = loss_lengths(surface)
        assert (lengths / (0.2 * (64 / 3) ** 0.5) - 1).abs().max() < 0.5


def loss_lengths(surface: torch.Tensor) -> torch.Tensor:
    """Return the length of the first direction: half of the second difference over its step."""
    middle = surface.shape[1] // 2
    ends = surface[:, 0, middle] + surface[:, -1, middle] - 2 * surface[:, middle, middle]
    return (ends / 2).sqrt()


@pytest.mark.parametrize("threat", THREATS.values(), ids=THREATS)
@pytest.mark.parametrize("view", ["far", "near", "end"])
def test_the_middle_is_the_loss_of_the_search_at_its_start_or_end(threat, view):
    model, (x, y) = smooth_model(), examples(count=3)
    surface = loss_surfaces(model, threat, x, y, view=view, grid=SurfaceGrid(points=3))
    climb = threat.climb(x, y, at_steps=(0, 2), generator=torch.Generator().manual_seed(0))
    (traces,) = ascend(model, [climb], 128)
    trace = traces[2 if view == "end" else 0]
    torch.testing.assert_close(surface[:, 1, 1], trace.loss)
    assert surface.isfinite().all()
    if threat.loss != "targeted-margin":  # cut off once an example is misclassified
        assert (surface.flatten(1).std(dim=1) > 0).all()


def test_far_reaches_as_far_as_the_ball_and_near_a_tenth_of_it():
    x, y = examples(count=3)[0], torch.zeros(3, dtype=torch.long)
    pgd = PGD(epsilon=0.2, step_size=0.05, steps=3, loss="margin")
    far, near = (
        loss_lengths(loss_surfaces(Quadratic(), pgd, x, y, view=view, grid=SurfaceGrid(points=3)))
        for view in ("far", "near")
    )
    torch.testing.assert_close(near, NEAR * far)


def test_filter_normalisation_keeps_the_norm_of_every_block_of_every_example():
    generator = torch.Generator().manual_seed(0)
    like = (torch.randn(4, 5, 5, 2, generator=generator), torch.randn(4, 2, 3, generator=generator))
    like[0][2] = 0
    for direction in random_directions(like, [9, 1, 4, 7]):
        for block, own in zip(direction, like, strict=True):
            torch.testing.assert_close(block.flatten(1).norm(dim=1), own.flatten(1).norm(dim=1))
    assert filter_normalised(torch.zeros(1, 3), torch.ones(1, 3)).isfinite().all()


def test_a_surface_does_not_depend_on_the_other_examples_or_on_the_passes():
    model, (x, y), threat = smooth_model(), examples(count=6), THREATS["integrated"]
    together = loss_surfaces(model, threat, x, y, grid=SurfaceGrid(points=5))
    for size in (1, 7, 1000):
        few = Batching(ids=[4, 1], pass_size=size)
        alone = loss_surfaces(
            model, threat, x[[4, 1]], y[[4, 1]], grid=SurfaceGrid(points=5), batching=few
        )
        torch.testing.assert_close(alone, together[[4, 1]], atol=1e-12, rtol=0)


def test_progress_counts_forwards_and_no_gradient_is_made():
    model, (x, y) = smooth_model(), examples(count=2)
    seen: list[int] = []
    told = Batching(pass_size=20, progress=seen.append)
    found = loss_surfaces(model, THREATS["rt"], x, y, grid=SurfaceGrid(points=5), batching=told)
    assert sum(seen) == 2 * 25
    assert not found.requires_grad


@pytest.mark.parametrize("loss", sorted({*LOSSES, *TARGETED}))
def test_every_loss_of_a_search_has_a_surface(loss):
    threat = PGD(epsilon=0.1, step_size=0.02, steps=1, loss=loss, start="noise")
    x, y = examples(count=2)
    assert loss_surfaces(smooth_model(), threat, x, y, grid=SurfaceGrid(points=3)).isfinite().all()


def test_a_threat_without_a_gradient_is_refused_by_name():
    x, y = examples(count=2)
    grid: Any = RTGrid(degrees=10.0)
    with pytest.raises(InputError, match="'rt-grid' has no gradient"):
        require_gradient_threat(grid)
    with pytest.raises(InputError, match="'str' is not a threat"):
        require_gradient_threat("rt")
    with pytest.raises(InputError, match=r"rt-grid|GradientThreat"):
        loss_surfaces(smooth_model(), grid, x, y)


def test_an_unknown_view_and_an_even_grid_are_refused():
    x, y = examples(count=2)
    with pytest.raises(InputError, match=r"view .*'start'"):
        loss_surfaces(smooth_model(), THREATS["rt"], x, y, view="start")
    with pytest.raises(InputError, match="an odd number of at least 3"):
        SurfaceGrid(points=10)
    with pytest.raises(InputError, match="extent is 0, and must be above 0"):
        SurfaceGrid(extent=0)
