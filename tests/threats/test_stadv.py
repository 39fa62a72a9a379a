"""Smooth flow towards a wrong class: the terms of Eq. 1, and what climbing them does."""

import pytest
import torch

from moat.errors import FieldError
from moat.geometry.grids import identity_grid, resample
from moat.losses import TARGETED, nth_other_class
from moat.testing import check_threat, examples, smooth_model
from moat.threats import StAdv, ascend
from moat.threats.stadv import SmoothBall, roughness


def traces(threat, model, x, y, at_steps=()):
    climb = threat.climb(x, y, at_steps=at_steps)
    return ascend(model, [climb], 16)[0]


@pytest.fixture
def case():
    """Images of a network that is sure of them, and its own answers as labels."""
    x, _ = examples((1, 8, 8), 10)
    model = smooth_model((1, 8, 8), 10).eval()
    with torch.no_grad():
        return model, x, model(x).argmax(1)


@pytest.mark.parametrize("loss", ["targeted-margin", "margin"])
@pytest.mark.parametrize("epsilon", [2.0, 0.1])
def test_it_keeps_what_the_conformance_kit_asks(loss, epsilon):
    check_threat(StAdv(step_size=0.01, steps=5, loss=loss, epsilon=epsilon))
    check_threat(StAdv(step_size=0.01, steps=5, loss=loss, epsilon=epsilon), shape=(3, 9, 7))


class TestRoughness:
    def test_a_flow_that_moves_every_pixel_alike_has_none(self):
        assert roughness(torch.full((2, 5, 7, 2), 0.3, dtype=torch.float64)).max() < 1e-3

    def test_one_moved_pixel_counts_its_distance_from_four_neighbours_twice(self):
        flow = torch.zeros(1, 8, 8, 2, dtype=torch.float64)
        flow[0, 3, 4] = torch.tensor([3 / 4, 4 / 4])  # 3 and 4 pixels, so 5 in all
        assert roughness(flow).item() == pytest.approx(2 * 4 * 5, abs=1e-3)

    def test_it_is_measured_in_pixels_also_where_the_image_is_not_square(self):
        flow = torch.zeros(2, 4, 10, 2, dtype=torch.float64)
        flow[0, 1, 1, 0] = 2 / 10  # one pixel across
        flow[1, 1, 1, 1] = 2 / 4  # one pixel down
        assert roughness(flow).tolist() == pytest.approx([8, 8], abs=1e-3)

    def test_it_equals_a_plain_loop_over_pixels_and_neighbours(self):
        flow = torch.randn(1, 4, 5, 2, generator=torch.Generator().manual_seed(0)).double()
        total = 0.0
        for row in range(4):
            for column in range(5):
                for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                    if 0 <= row + down < 4 and 0 <= column + right < 5:
                        apart = flow[0, row, column] - flow[0, row + down, column + right]
                        total += (apart * torch.tensor([5 / 2, 4 / 2])).norm().item()
        assert roughness(flow).item() == pytest.approx(total)

    def test_it_has_a_gradient_at_no_flow_at_all(self):
        flow = torch.zeros(1, 4, 4, 2, requires_grad=True)
        roughness(flow).sum().backward()
        assert flow.grad is not None
        assert not flow.grad.any()


class TestWhatIsClimbed:
    def test_it_is_the_margin_of_the_likeliest_wrong_class_less_tau_times_the_roughness(self, case):
        model, x, y = case
        threat = StAdv(step_size=0.02, steps=4, tau=0.1, kappa=100.0)
        trace = traces(threat, model, x, y)[4]
        with torch.no_grad():
            target = nth_other_class(model(x), y, 1)
            margin = TARGETED["targeted-margin"](model(trace.images), y, target)
        torch.testing.assert_close(trace.loss, margin - 0.1 * roughness(trace.w[0]))

    def test_beyond_kappa_the_margin_counts_no_more(self):
        threat, loss = StAdv(step_size=0.1, kappa=0.5), torch.tensor([0.2, 0.9])
        climbed = threat.objective(loss, (torch.zeros(2, 8, 8, 2),))
        torch.testing.assert_close(climbed, torch.tensor([0.2, 0.5]), atol=1e-4, rtol=0)

    def test_a_higher_tau_makes_the_flow_smoother(self, case):
        found = [
            roughness(traces(StAdv(step_size=0.02, steps=20, tau=tau), *case)[20].w[0]).mean()
            for tau in (0.0, 0.01, 0.1)
        ]
        assert found == sorted(found, reverse=True)
        assert found[2] < found[0] / 2

    def test_without_smoothness_the_targeted_form_reaches_its_target_where_it_felled(self, case):
        model, x, y = case
        trace = traces(StAdv(step_size=0.05, steps=40, tau=0.0, kappa=0.1), model, x, y)[40]
        with torch.no_grad():
            target = nth_other_class(model(x), y, 1)
            found = model(trace.images).argmax(1)
        assert not trace.correct.all()
        fell_for_sure = trace.loss >= 0.1 - 1e-9  # at kappa: the target leads
        assert fell_for_sure.any()
        assert torch.equal(found[fell_for_sure], target[fell_for_sure])

    def test_the_best_iterate_is_reported_and_never_gets_worse(self, case):
        found = traces(StAdv(step_size=0.05, steps=20), *case, at_steps=(0, 5, 10, 20))
        losses = torch.stack([trace.loss for trace in found.values()])
        assert (losses.diff(dim=0) >= 0).all()
        assert torch.equal(found[20].loss, found[20].best)

    def test_the_images_are_read_where_the_flow_says(self, case):
        model, x, y = case
        trace = traces(StAdv(step_size=0.02, steps=5, tau=0.01), model, x, y)[5]
        moved = resample(x, identity_grid(x) + trace.w[0])
        torch.testing.assert_close(trace.images, moved.clamp(0, 1))


class TestTheStep:
    def test_the_fastest_displacement_moves_one_step_and_the_others_in_proportion(self):
        ball = SmoothBall(1.0, 0.1)
        gradient = torch.tensor([[4.0, -2.0, 0.0], [0.0, 0.0, 0.0]])
        moved = ball.step(torch.zeros_like(gradient), gradient)
        torch.testing.assert_close(moved, torch.tensor([[0.1, -0.05, 0.0], [0.0, 0.0, 0.0]]))

    def test_a_bound_holds_where_it_is_given(self, case):
        trace = traces(StAdv(step_size=0.1, steps=10, tau=0.0, epsilon=0.05), *case)[10]
        assert trace.w[0].abs().max().item() == pytest.approx(0.05)

    def test_unless_one_is_given_a_pixel_goes_as_far_as_its_steps_bring_it(self, case):
        model, x, y = case
        threat = StAdv(step_size=0.1, steps=20, tau=0.0, kappa=1000.0)
        assert traces(threat, model, x, y)[20].w[0].abs().max() > 0.4


def test_another_loss_is_refused_since_eq_1_is_a_margin():
    with pytest.raises(FieldError, match="'targeted-margin' or 'margin'"):
        StAdv(step_size=0.1, loss="cross-entropy")
