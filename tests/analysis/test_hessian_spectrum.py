"""Curvature: the Lanczos process against dense Hessians, for every threat."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd.functional import hessian

from moat.analysis.batching import Batching
from moat.analysis.hessian_spectrum import Lanczos, loss_curvature
from moat.analysis.lanczos import lanczos
from moat.errors import InputError, ModelError
from moat.geometry.second_order import SecondOrder
from moat.testing import examples, smooth_model
from moat.threats import PGD, RT, Flow, Integrated, attacked

THREATS = {
    "pgd": PGD(epsilon=0.1, step_size=0.02),
    "rt": RT(epsilon=0.2, step_size=0.02),
    "integrated": Integrated(
        flow_epsilon=0.1, flow_step_size=0.02, rt_epsilon=0.1, rt_step_size=0.02
    ),
}


def dense_spectra(model, threat, x, y, seed=0):
    """Return the eigenvalues of each example's Hessian at the start, by torch's own loop."""
    noisy = type(threat)(**{**threat_fields(threat), "start": "noise"})
    climb = noisy.climb(x, y, generator=torch.Generator().manual_seed(seed))
    sizes = [block[0].numel() for block in climb.start]
    found = []
    with attacked(model), SecondOrder():
        for place in range(len(x)):
            like = [block[place : place + 1] for block in climb.start]

            def loss(flat, place=place, like=like):
                parts = [p.view_as(b) for p, b in zip(flat.split(sizes), like, strict=True)]
                images = climb.apply(x[place : place + 1], tuple(parts))
                return F.cross_entropy(model(images), y[place : place + 1])

            at = torch.cat([block.flatten() for block in like])
            found.append(torch.linalg.eigvalsh(hessian(loss, at)))
    return torch.stack(found)


def threat_fields(threat):
    return {name: getattr(threat, name) for name in type(threat).__pydantic_fields__}


@pytest.mark.parametrize("name", ["pgd", "rt", "integrated"])
@pytest.mark.parametrize("steps", [200, 134])
def test_the_extremes_are_those_of_the_dense_hessian(name, steps):
    """With 200 products w's of 64, 6 and 134 entries get their whole spectrum."""
    model, (x, y) = smooth_model((1, 8, 8)), examples(count=2)
    dense = dense_spectra(model, THREATS[name], x, y)
    found = loss_curvature(model, THREATS[name], x, y, settings=Lanczos(steps=steps))
    scale = dense.abs().amax()
    assert (found.lowest - dense[:, 0]).abs().max() < 1e-6 * scale
    assert (found.highest - dense[:, -1]).abs().max() < 1e-6 * scale
    floor = 1e-4 * dense.abs().amax(1, keepdim=True)
    torch.testing.assert_close(found.negative, (dense < -floor).double().mean(1))
    torch.testing.assert_close(found.positive, (dense > floor).double().mean(1))
    assert found.error.max() == 0
    assert found.entries == dense.shape[1]


@pytest.mark.parametrize("steps", [12, 40])
def test_fewer_products_bound_their_own_error(steps):
    model, (x, y), threat = smooth_model(), examples(count=3), THREATS["integrated"]
    dense = dense_spectra(model, threat, x, y)
    found = loss_curvature(model, threat, x, y, settings=Lanczos(steps=steps))
    for own, ends in ((found.lowest, dense[:, 0]), (found.highest, dense[:, -1])):
        assert ((own - ends).abs() <= found.error + 1e-12).all()
    if steps == 40:
        assert found.error.max() < 1e-6 * dense.abs().max()


@pytest.mark.parametrize("entries", [1, 2, 7, 30])
def test_lanczos_finds_the_whole_spectrum_even_where_values_repeat(entries):
    generator = torch.Generator().manual_seed(0)
    values = torch.randint(-2, 3, (4, entries), generator=generator).double()
    turned, _ = torch.linalg.qr(torch.randn(4, entries, entries, generator=generator).double())
    matrix = turned @ torch.diag_embed(values) @ turned.mT
    start = torch.randn(4, entries, generator=generator).double()
    found = lanczos(lambda v: torch.einsum("bij,bj->bi", matrix, v), start, steps=entries)
    torch.testing.assert_close(found.values, values.sort(dim=1).values)
    torch.testing.assert_close(found.weights.sum(1), torch.ones(4).double())


def test_the_weights_of_random_starts_estimate_the_share_of_negative_eigenvalues():
    generator = torch.Generator().manual_seed(0)
    values = torch.linspace(-1, 2, 90).double()
    starts = torch.randn(200, 90, generator=generator).double()
    found = lanczos(lambda v: v * values, starts, steps=30)
    share = (found.weights * (found.values < 0)).sum(1).mean()
    assert share.item() == pytest.approx((values < 0).double().mean().item(), abs=0.02)


def test_a_matrix_of_zeros_is_flat():
    found = lanczos(torch.zeros_like, torch.ones(2, 5), steps=3)
    assert found.values.abs().max() == 0
    assert found.bounds.abs().max() == 0


def test_a_loss_that_is_linear_in_w_has_no_curvature():
    linear = nn.Sequential(nn.Flatten(), nn.Linear(64, 2)).double()
    x, y = examples(classes=2, count=3)
    pgd = PGD(epsilon=0.1, step_size=0.02, loss="margin")
    found = loss_curvature(linear, pgd, x, y, settings=Lanczos(steps=4))
    for values in (found.lowest, found.highest, found.negative, found.positive):
        assert values.abs().max() == 0


@pytest.mark.parametrize("at", ["start", "end"])
def test_an_examples_curvature_does_not_depend_on_the_others_or_on_the_passes(at):
    model, (x, y), threat = (
        smooth_model(),
        examples(count=5),
        Flow(epsilon=0.1, step_size=0.02, steps=2),
    )
    how = Lanczos(steps=5)
    seen: list[int] = []
    whole = loss_curvature(model, threat, x, y, at=at, settings=how)
    split = loss_curvature(
        model,
        threat,
        x,
        y,
        at=at,
        settings=how,
        batching=Batching(pass_size=2, progress=seen.append),
    )
    assert seen == [2, 2, 1]
    torch.testing.assert_close(split.lowest, whole.lowest)
    torch.testing.assert_close(split.negative, whole.negative)


def test_relu_and_max_pooling_have_a_hessian_through_softmax_and_warp():
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 10)
    ).double()
    x, y = examples(count=3)
    found = loss_curvature(network, RT(epsilon=0.2, step_size=0.02), x, y)
    assert (found.highest > 0).all()
    found = loss_curvature(network, PGD(epsilon=0.2, step_size=0.02), x, y)
    assert found.negative.max() == 0  # cross-entropy of logits that are linear in w: convex


class _Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, slope):
        return 2 * slope


class _OnceNetwork(nn.Module):
    def forward(self, x):
        return _Once.apply(x.flatten(1)[:, :10])


def test_a_network_without_a_second_derivative_is_refused_with_the_mend():
    x, y = examples(count=2)
    with pytest.raises(ModelError, match="cannot be differentiated twice"):
        loss_curvature(_OnceNetwork(), PGD(epsilon=0.1, step_size=0.02), x, y)


def test_an_unknown_place_and_no_steps_are_refused():
    x, y = examples(count=2)
    with pytest.raises(InputError, match="'middle'"):
        loss_curvature(smooth_model(), THREATS["rt"], x, y, at="middle")
    with pytest.raises(InputError, match="steps is 0, and must be above 0"):
        Lanczos(steps=0)
