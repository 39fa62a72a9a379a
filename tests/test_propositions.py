"""The paper's two propositions, on problems that are small enough to know the answer."""

import pytest
import torch
from torch import nn

from moat.losses import cross_entropy
from moat.objectives import LossMatrix
from moat.scalarizers import Max
from moat.threats import Flow


def smoothed_margin(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return log Σ_{i≠y} exp(z_i) - z_y of each example: Eq. 1's margin with a smooth maximum."""
    true = logits.gather(1, labels[:, None])
    others = logits.scatter(1, labels[:, None], float("-inf"))
    return others.logsumexp(1) - true.squeeze(1)


@pytest.mark.parametrize("seed", range(3))
def test_cross_entropy_and_the_smoothed_margin_climb_in_parallel(tiny_model, batch, seed):
    """Proposition 1, Eq. 3: gradients to the flow differ by the wrong classes' share alone."""
    model, (x, y) = tiny_model.eval(), batch
    nn.init.normal_(model[-1].weight, std=0.5, generator=torch.Generator().manual_seed(seed))
    threat = Flow(epsilon=0.3, step_size=0.01)
    noise = torch.Generator().manual_seed(seed)
    flow = 0.1 * torch.randn(len(x), 8, 8, 2, generator=noise, dtype=x.dtype)
    flow.requires_grad_()
    logits = model(threat.apply(x, (flow,)))
    (entropy,) = torch.autograd.grad(cross_entropy(logits, y).sum(), flow, retain_graph=True)
    (margin,) = torch.autograd.grad(smoothed_margin(logits, y).sum(), flow)
    share = 1 - logits.detach().softmax(1).gather(1, y[:, None]).view(-1, 1, 1, 1)
    torch.testing.assert_close(entropy, share * margin, rtol=1e-9, atol=1e-12)
    assert entropy.abs().max() > 1e-4
    assert share.max() - share.min() > 0.05  # the factor is each example's own


def test_the_minimiser_of_max_at_is_stationary_for_the_weights_that_it_reports():
    """Proposition 2, where the answer is known: three bowls, the worst of which is descended.

    The risks are R_i(θ) = ½‖θ - c_i‖² with the c_i at the corners of an acute triangle. The
    minimiser of their maximum is the centre of the circle through them, and the multipliers of
    that problem are the centre's barycentric coordinates. A maximum reports one worst risk at a
    time; what it reports on the way, on average, are the multipliers.
    """
    corners = torch.tensor([[0.0, 0.0], [4.0, 0.0], [1.5, 3.5]], dtype=torch.float64)
    centre = torch.linalg.solve(
        2 * (corners[1:] - corners[0]), (corners[1:] ** 2).sum(1) - (corners[0] ** 2).sum()
    )
    square = torch.cat([corners.T, torch.ones(1, 3, dtype=torch.float64)])
    multipliers = torch.linalg.solve(square, torch.cat([centre, centre.new_ones(1)]))
    assert (multipliers > 0.1).all()  # the triangle is acute: all three matter

    scalarizer, names = Max(), ("natural", "a", "b", "c")
    theta, reported = centre.new_zeros(2) + 3, torch.zeros_like(multipliers)
    steps = 20_000
    for step in range(1, steps + 1):
        risks = (theta - corners).square().sum(1) / 2
        values = torch.cat([risks.new_zeros(1), risks])[:, None]  # a batch of one example
        weights = scalarizer.weights(LossMatrix(values, names))[1:, 0]
        reported += weights / steps
        theta = theta - weights @ (theta - corners) / step
    torch.testing.assert_close(theta, centre, rtol=0, atol=2e-2)
    torch.testing.assert_close(reported, multipliers, rtol=0, atol=1e-2)

    def slope(weights):  # of the weighted sum of the risks, at the minimiser
        return (weights @ (centre - corners)).norm()

    assert slope(reported) < 2e-2
    assert slope(torch.full_like(multipliers, 1 / 3)) > 0.1  # Ave AT's weights are others
