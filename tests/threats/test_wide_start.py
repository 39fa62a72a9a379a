"""One step from a start in the ball of twice the radius, without a projection onto the ball."""

import pytest
import torch

from moat.errors import FieldError, InputError
from moat.evaluation import Protocol
from moat.evaluation.validation import validation_protocol
from moat.testing import examples, smooth_model
from moat.threats import MSD, PGD, RT, Flow, Integrated, with_steps

ONE = {"steps": 1, "start": "wide"}
THREATS = {
    "linf": PGD(epsilon=0.05, step_size=0.05, **ONE),
    "l2": PGD(epsilon=0.5, step_size=0.5, norm="l2", **ONE),
    "l1": PGD(epsilon=2.0, step_size=2.0, norm="l1", **ONE),
    "flow": Flow(epsilon=0.1, step_size=0.1, **ONE),
    "rt": RT(epsilon=0.1, step_size=0.1, **ONE),
    "integrated": Integrated(
        flow_epsilon=0.1, flow_step_size=0.1, rt_epsilon=0.1, rt_step_size=0.1, **ONE
    ),
    "msd": MSD(linf_epsilon=0.05, linf_step_size=0.05, l2_epsilon=0.5, l2_step_size=0.5, **ONE),
}


@pytest.mark.parametrize("reach", [1.0, 0.5])
@pytest.mark.parametrize("name", THREATS)
def test_the_start_has_two_radii_and_the_image_up_to_three(name, reach):
    threat, (x, y) = THREATS[name], examples(count=64)
    climb = threat.climb(x, y, generator=torch.Generator().manual_seed(0), reach=reach)
    for block, ball in zip(climb.start, threat.balls(x), strict=True):
        lengths = ball.length(block) / ball.epsilon / reach
        assert lengths.max() <= 2 + 1e-6
        assert lengths.max() > 1.05
    images = threat.perturb(smooth_model(), x, y)
    assert images.min() >= 0
    assert images.max() <= 1
    if name == "linf":
        assert 2 * 0.05 < (images - x).abs().max() <= 3 * 0.05 + 1e-9


@pytest.mark.parametrize("given", [{"steps": 2}, {"search": "apgd"}, {"search": "random"}])
def test_a_wide_start_is_for_one_sign_step(given):
    with pytest.raises(FieldError, match="a wide start is followed by one sign step"):
        PGD(epsilon=0.1, step_size=0.1, **{**ONE, **given})


def test_several_steps_and_validation_stay_within_the_ball():
    threat = THREATS["linf"]
    assert with_steps(threat, 5).start == "uniform"
    x, y = examples(count=8)
    assert (with_steps(threat, 5).perturb(smooth_model(), x, y) - x).abs().max() <= 0.05 + 1e-9
    assert validation_protocol({"pgd": threat}).threats["pgd"].start == "uniform"


def test_an_evaluation_refuses_a_wide_start():
    with pytest.raises(
        InputError, match="whose images leave the ball: it is for training"
    ) as found:
        Protocol({"pgd": THREATS["linf"]})
    assert "train = { steps = 1" in found.value.hint
