"""PCGrad against its loop over gradients, one by one."""

import torch

from moat.scalarizers import PCGrad


def surgery(gradients: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """Return the mean of the projected gradients, as the paper's Algorithm 1 has it."""
    found = []
    for i, own in enumerate(gradients):
        v = own.clone()
        for j in order[i].tolist():
            if j != i and v @ gradients[j] < 0:
                v = v - (v @ gradients[j]) / gradients[j].norm() ** 2 * gradients[j]
        found.append(v)
    return torch.stack(found).mean(0)


def test_it_is_the_paper_s_loop(many_gradients, ones):
    for seed, gradients in enumerate(many_gradients):
        if len(gradients) > gradients.shape[1]:  # a product of 0, whose sign is rounding
            continue
        rule, names = PCGrad(), tuple(map(str, range(len(gradients))))
        rule.plan(names, 1, torch.Generator().manual_seed(seed))
        draw = torch.rand(
            len(names), len(names), generator=torch.Generator().manual_seed(seed)
        ).argsort(1)
        found = rule.weights(gradients @ gradients.T, ones) @ gradients
        assert torch.allclose(found, surgery(gradients, draw), atol=1e-9)


def test_the_order_is_drawn_from_the_plan_s_generator_and_matters_beyond_two(ones):
    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(5, 8, generator=generator, dtype=torch.float64) - 0.2
    found = set()
    for seed in range(8):
        rule = PCGrad()
        rule.plan(tuple("abcde"), 1, torch.Generator().manual_seed(seed))
        found.add(tuple(rule.weights(gradients @ gradients.T, ones).tolist()))
    assert len(found) > 1
