"""The kit finds each broken promise of a threat, and says which."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from moat.errors import DefinitionError
from moat.geometry.balls import LinfBall
from moat.geometry.boxes import moved
from moat.testing import (
    THREAT_PROMISES,
    ThreatCase,
    check_no_clamp,
    check_rows,
    check_threat,
    examples,
    smooth_model,
    verdicts,
)
from moat.threats import PGD, GradientThreat, Threat, attacked

NUMBERS = {"epsilon": 0.1, "step_size": 0.03, "steps": 3}


class LeavesTheBox(PGD):
    def perturb(self, model, x, y, *, generator=None):
        return x + 0.5


class ReturnsAGraph(PGD):
    def perturb(self, model, x, y, *, generator=None):
        return x * torch.ones((), requires_grad=True)


class ReturnsAnotherType(PGD):
    def perturb(self, model, x, y, *, generator=None):
        return x.float()


class ReturnsAnotherShape(PGD):
    def perturb(self, model, x, y, *, generator=None):
        return x[:1]


class ChangesTheImages(PGD):
    def perturb(self, model, x, y, *, generator=None):
        return x.mul_(0.5).clone()


class LeavesTheModelInEvalMode(PGD):
    def perturb(self, model, x, y, *, generator=None):
        model.eval()
        return x


class LeavesGradients(PGD):
    def perturb(self, model, x, y, *, generator=None):
        with torch.inference_mode(False), torch.enable_grad():
            leaf = x.clone().requires_grad_()
            torch.func.functional_call(model, dict(model.named_buffers()), leaf).sum().backward()
        return x


class MovesBatchNorm(PGD):
    def perturb(self, model, x, y, *, generator=None):
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            model(x)
        return x


class ForgetsTheModelAfterAnException(PGD):
    def perturb(self, model, x, y, *, generator=None):
        flags = [module.training for module in model.modules()]
        model.eval()
        model(x)
        for module, flag in zip(model.modules(), flags, strict=True):
            module.training = flag
        return x


class SwallowsExceptions(PGD):
    def perturb(self, model, x, y, *, generator=None):
        try:
            return super().perturb(model, x, y, generator=generator)
        except Exception:
            return x


class DrawsGlobally(PGD):
    def perturb(self, model, x, y, *, generator=None):
        return (x + 0.1 * torch.rand_like(x)).clamp(0, 1)


class DrawsAtZero(PGD):
    def perturb(self, model, x, y, *, generator=None):
        torch.rand(1, generator=generator)
        return x


class Remembers(PGD):
    def perturb(self, model, x, y, *, generator=None):
        CALLS.append(1)
        return (x + 0.01 * (len(CALLS) % 2)).clamp(0, 1)


CALLS: list[int] = []


class HidesAField(PGD):
    def __repr__(self):
        return "HidesAField(epsilon=0.5, step_size=0.03)"


class HasNoIdentity(PGD):
    def identity(self, x):
        return (x.new_full(x.shape, 0.2).clamp(max=1 - x),)


class HasNoBatchFirst(PGD):
    def identity(self, x):
        return (x.new_zeros(1, *x.shape[1:]),)


class SearchesInFloat32(PGD):
    def identity(self, x):
        return (torch.zeros_like(x, dtype=torch.float32),)


class HasTooManyBalls(PGD):
    def balls(self, x):
        return 2 * super().balls(x)


class Sphere(LinfBall):
    """Off the identity: no set that moat can search."""

    def project(self, w):
        return self.epsilon * torch.where(w > 0, 1.0, -1.0).to(w)


class MissesTheIdentity(PGD):
    def balls(self, x):
        return (Sphere(self.epsilon, self.step_size),)


class Shrinking(LinfBall):
    def project(self, w):
        return w / 2


class ProjectsOnAndOn(PGD):
    def balls(self, x):
        return (Shrinking(self.epsilon, self.step_size),)


class Far(LinfBall):
    def sample(self, like, generator):
        return torch.full_like(like, 2 * self.epsilon)


class SamplesOutside(PGD):
    def balls(self, x):
        return (Far(self.epsilon, self.step_size, low=-x, high=1 - x),)


class Tall(LinfBall):
    def sample(self, like, generator):
        return like[:1]


class SamplesAnotherShape(PGD):
    def balls(self, x):
        return (Tall(self.epsilon, self.step_size),)


class StandsStill(PGD):
    def balls(self, x):
        return (LinfBall(self.epsilon, 0.0, low=-x, high=1 - x),)


class Dividing(LinfBall):
    def steepest(self, w, gradient):
        return gradient / gradient.norm()  # 0 / 0


class MovesWithoutAGradient(PGD):
    def balls(self, x):
        return (Dividing(self.epsilon, self.step_size, low=-x, high=1 - x),)


class ForgetsTheBox(PGD):
    def balls(self, x):
        return (LinfBall(self.epsilon, self.step_size),)


class Clamps(PGD):
    def balls(self, x):
        return (LinfBall(self.epsilon, self.step_size),)

    def apply(self, x, w):
        return (x + w[0]).clamp(0, 1)


class ClampsAtBlack(Clamps):
    def balls(self, x):
        return (LinfBall(self.epsilon, self.step_size, high=torch.zeros_like(x)),)

    def apply(self, x, w):
        return (x + w[0]).clamp(min=0)


class ClampsByMinimum(Clamps):
    def apply(self, x, w):
        return torch.minimum(torch.relu(x + w[0]), torch.ones_like(x))


class ClampsWaves(Clamps):
    def identity(self, x):
        return (x.new_zeros(len(x), 2),)

    def apply(self, x, w):
        return nn.functional.hardtanh(x + waves(x, w[0]), 0, 1)


def waves(x, w):
    across = torch.linspace(0, torch.pi, x.shape[3]).to(x)
    return (w[:, :, None] * torch.stack([across.cos(), (2 * across).cos()])).sum(1)[:, None, None]


class MovesByAShareOfTheRoom(ClampsWaves):
    def apply(self, x, w):
        return moved(x, waves(x, w[0]) / 2)


class ReturnsOneBall(PGD):
    def balls(self, x):
        return super().balls(x)[0]


class ReturnsAList(PGD):
    def balls(self, x):
        return list(super().balls(x))


class ReturnsOneBlock(PGD):
    def identity(self, x):
        return super().identity(x)[0]


class IgnoresItsBlock(PGD):
    def apply(self, x, w):
        return x


class IgnoresOneBlock(PGD):
    def identity(self, x):
        return 2 * super().identity(x)

    def balls(self, x):
        return 2 * super().balls(x)

    def apply(self, x, w):
        return x + w[0]


class MovesOneImageAlone(PGD):
    def apply(self, x, w):
        return x + w[0] * (torch.arange(len(x)) == 0).to(x)[:, None, None, None]


class HasAnInfiniteGradient(PGD):
    def apply(self, x, w):
        return x + (w[0] * (x > -1) - w[0]).abs().sqrt()


class MixesTheBatch(PGD):
    def apply(self, x, w):
        return x + w[0] / (1 + 50 * w[0].mean(0).abs())


class Descends(LinfBall):
    def steepest(self, w, gradient):
        return -gradient.sign()


class MixesNeighbours(PGD):
    def perturb(self, model, x, y, *, generator=None):
        return (0.9 * x + 0.1 * x.mean(0)).clamp(0, 1)


class ReadsOtherLabels(PGD):
    def perturb(self, model, x, y, *, generator=None):
        return x * (1 - 0.01 * y.sum() / 100)


class ChangesTheLabels(PGD):
    def perturb(self, model, x, y, *, generator=None):
        y += 1
        return x


class ChangesItsBlock(PGD):
    def apply(self, x, w):
        return x + (w[0].mul_(0.5) if not w[0].requires_grad else w[0] * 0.5)


class DividesByTheGradient(PGD):
    def perturb(self, model, x, y, *, generator=None):
        with torch.inference_mode(False), torch.enable_grad(), attacked(model):
            leaf = x.clone().requires_grad_()
            (gradient,) = torch.autograd.grad(model(leaf).sum(), leaf)
            length = gradient.flatten(1).norm(dim=1)[:, None, None, None]
            return (x + 0.05 * gradient / length).detach().clamp(0, 1)


class DescendsByItself(PGD):
    def perturb(self, model, x, y, *, generator=None):
        found = super().perturb(model, x, y, generator=generator)
        return (2 * x - found).clamp(0, 1)


class StaysOnTheHost(PGD):
    def apply(self, x, w):
        return x + w[0] * torch.ones(x.shape[2:], dtype=x.dtype)


class BallsStayOnTheHost(PGD):
    def balls(self, x):
        low = -torch.as_tensor(x.detach().numpy().copy() if not x.is_meta else torch.ones(x.shape))
        return (LinfBall(self.epsilon, self.step_size, low=low, high=1 + low),)


class AveragesItsBlocks(PGD):
    """All examples take one step, so that a search of like labels does not tell."""

    def apply(self, x, w):
        return super().apply(x, tuple(block.mean(0, keepdim=True) for block in w))


class FadesToTheMeanImage(PGD):
    def identity(self, x):
        return (x.new_zeros(len(x), 1, 1, 1),)

    def balls(self, x):
        nothing = x.new_zeros(len(x), 1, 1, 1)
        return (LinfBall(self.epsilon, self.step_size, low=nothing, high=nothing + 1),)

    def apply(self, x, w):
        return (1 - w[0]) * x + w[0] * x.mean(0, keepdim=True)


class SharesAStep(PGD):
    def balls(self, x):
        return tuple(StepsTogether(ball) for ball in super().balls(x))


class StepsTogether:
    def __init__(self, ball):
        self.project, self.sample, self._step = ball.project, ball.sample, ball.step

    def step(self, w, gradient):
        return self._step(w, gradient - gradient.mean(0, keepdim=True))


class MovesNumpy(PGD):
    def perturb(self, model, x, y, *, generator=None):
        np.random.rand()
        return super().perturb(model, x, y, generator=generator)


class RaisesAtWill(PGD):
    def perturb(self, model, x, y, *, generator=None):
        raise KeyError("steps")


class ClimbsDown(PGD):
    def balls(self, x):
        return (Descends(self.epsilon, self.step_size, low=-x, high=1 - x),)


@pytest.mark.parametrize(
    ("cls", "sentence"),
    [
        (LeavesTheBox, r"the images leave \[0, 1\]: they span \[0.5, 1.5\]"),
        (ReturnsAGraph, "the images are not detached"),
        (ReturnsAnotherType, "torch.float64 images came back as torch.float32"),
        (ReturnsAnotherShape, r"images \(12, 1, 8, 8\) came back as \(1, 1, 8, 8\)"),
        (ChangesTheImages, "its input images were changed"),
        (LeavesTheModelInEvalMode, "the search changed the train/eval flag of 'the model'"),
        (MovesBatchNorm, "the search changed the value of '1.running_mean'"),
        (LeavesGradients, r"the search changed the \.grad of '0\."),
        (
            ForgetsTheModelAfterAnException,
            "an exception of the model changed the train/eval flag of 'the model'",
        ),
        (SwallowsExceptions, "an exception of the model was swallowed"),
        (DrawsGlobally, "global random state moved, though a generator was given"),
        (DrawsAtZero, "global random state moved, though a start at zero draws nothing"),
        (Remembers, "equal generators gave different images"),
        (HidesAField, "its repr makes another threat"),
        (HasNoIdentity, "the identity changes the images, by up to 0.2"),
        (HasNoBatchFirst, "block 0 of w has no batch first"),
        (SearchesInFloat32, "block 0 of w is torch.float32 for torch.float64 images"),
        (HasTooManyBalls, "1 blocks of w have 2 balls"),
        (MissesTheIdentity, "the ball of block 0 misses the identity"),
        (ProjectsOnAndOn, "the ball of block 0 projects a projected point elsewhere"),
        (SamplesOutside, "the ball of block 0 draws samples outside itself"),
        (SamplesAnotherShape, "the ball of block 0 draws samples of another shape or type"),
        (StandsStill, "the ball of block 0 takes steps of length 0"),
        (MovesWithoutAGradient, "the ball of block 0 moves without a gradient"),
        (ForgetsTheBox, r"a w in the balls takes the images 0\.1 beyond \[0, 1\]"),
        (Clamps, "apply clamps: [0-9]+ pixels that it carries to 1 have no gradient"),
        (ClampsByMinimum, "apply clamps: .* Remove the clamp, and give the ball the image box"),
        (ClampsWaves, "apply clamps: [0-9]+ pixels"),
        (ReturnsOneBall, "balls returns an object of type LinfBall, not a tuple of balls: end it"),
        (ReturnsAList, "balls returns .*, not a tuple of balls"),
        (ReturnsOneBlock, "identity returns Tensor of float64 .*, not a tuple of blocks of w"),
        (IgnoresItsBlock, "apply is not differentiable in w"),
        (IgnoresOneBlock, "the gradient of block 1 of w does not exist: apply ignores it"),
        (MovesOneImageAlone, "the gradient of block 0 of w is zero for 11 images"),
        (HasAnInfiniteGradient, "the gradient of block 0 of w is not finite"),
        (MixesTheBatch, "an example differs alone and in its batch, by up to"),
        (MixesNeighbours, "an example depends on the others in its batch: with other ones it is"),
        (ReadsOtherLabels, "an example depends on the others in its batch"),
        (ChangesTheLabels, "the search changed the labels it was given, in place"),
        (ChangesItsBlock, "apply or a ball changed the block 0 of w it was given, in place"),
        (
            DividesByTheGradient,
            r"on constant logits in torch\.float64, 12 of 12 images are not fin",
        ),
        (
            DescendsByItself,
            "the mean cross-entropy falls from [0-9.]+ to [0-9.]+ nats, the mean ma",
        ),
        (StaysOnTheHost, "apply mixes devices when the images are on another one than the default"),
        (BallsStayOnTheHost, "the step of a ball mixes devices"),
        (MovesNumpy, "the search changed numpy's global random state"),
        (RaisesAtWill, "it raises KeyError: 'steps'. The promise: the images are detached"),
        (ClimbsDown, "the search ends no lower than it starts for only 0% of the examples"),
    ],
)
def test_a_broken_promise_is_named(cls, sentence):
    with pytest.raises(AssertionError, match=sentence) as caught:
        check_threat(cls(**NUMBERS))
    assert str(caught.value).startswith(repr(cls(**NUMBERS)))
    assert str(caught.value).endswith(".")


class Darken(Threat):
    """Its own search: no blocks, no balls, no steps."""

    def perturb(self, model, x, y, *, generator=None):
        return x.detach() * 0.9

    def __repr__(self):
        return "Darken()"

    def __eq__(self, other):
        return type(self) is type(other)

    __hash__ = None


class Softens(Darken):
    """A fixed change that helps the model: no search, as it declares."""

    climbs = False

    def __repr__(self):
        return "()"

    def perturb(self, model, x, y, *, generator=None):
        found = PGD(**NUMBERS).perturb(model, x, y, generator=generator)
        return (2 * x - found).clamp(0, 1)


def test_a_threat_that_does_not_climb_is_not_asked_for_a_higher_loss():
    check_threat(Softens())


def test_promises_are_checked_one_by_one_and_the_command_reads_the_same_list():
    found = list(verdicts(THREAT_PROMISES, [ThreatCase(DescendsByItself(**NUMBERS))]))
    broken = [one for one in found if one.state == "broken"]
    assert len({one.promise for one in found}) == len(THREAT_PROMISES) > 15
    with pytest.raises(AssertionError) as caught:
        check_threat(DescendsByItself(**NUMBERS))
    assert [one.breach for one in broken] == [str(caught.value)]


@pytest.mark.parametrize(
    ("cls", "what"),
    [
        (AveragesItsBlocks, "the image from apply"),
        (FadesToTheMeanImage, "the image from apply"),
        (SharesAStep, "the step in the ball of block 0"),
    ],
)
def test_examples_that_depend_on_each_other_are_found_in_apply_and_in_balls(cls, what):
    x, _ = examples()
    said = f"{what} of an example depends on the others in its batch: alone it differs by"
    with pytest.raises(AssertionError, match=said):
        check_rows(cls(**NUMBERS), x)
    (verdict,) = verdicts([ROWS], [ThreatCase(cls(**NUMBERS))])
    assert said in verdict.breach


ROWS = next(one for one in THREAT_PROMISES if one.text.startswith("apply and the balls treat"))


class CannotMakeItsBall(PGD):
    def balls(self, x):
        return (LinfBall(self.epsilon),)


class AppliesANameThatIsNotThere(PGD):
    def apply(self, x, w):
        return x + w[0].nothing


@pytest.mark.parametrize(
    ("cls", "said"),
    [
        (ReturnsOneBall, "balls returns an object of type LinfBall"),
        (ReturnsAList, "balls returns"),
        (ReturnsOneBlock, "identity returns"),
        (HasTooManyBalls, "1 blocks of w have 2 balls"),
        (CannotMakeItsBall, "argument"),
        (AppliesANameThatIsNotThere, "no attribute 'nothing'"),
        (RaisesAtWill, "it raises KeyError"),
    ],
)
def test_a_fault_is_told_once_and_what_needs_its_place_is_not_made(cls, said):
    found = list(verdicts(THREAT_PROMISES, [ThreatCase(cls(**NUMBERS))]))
    (broken,) = [one for one in found if one.state == "broken"]
    assert said in broken.breach
    left = found[found.index(broken) + 1 :]
    idle = [one for one in left if one.state == "not made"]
    assert len(idle) > 5
    assert {one.reason for one in idle} == {"depends on the broken promise above"}


def test_independent_faults_are_told_each():
    class TwoFaults(LeavesTheBox):
        def __repr__(self):
            return "()"

    found = list(verdicts(THREAT_PROMISES, [ThreatCase(TwoFaults(**NUMBERS))]))
    assert sum(one.state == "broken" for one in found) >= 2


def test_a_threat_with_a_search_of_its_own_is_checked_for_what_all_promise():
    check_threat(Darken())


@pytest.mark.parametrize("epsilon", [0.003, 0.1, 0.5, 50.0])
@pytest.mark.parametrize("cls", [Clamps, ClampsByMinimum, ClampsWaves, ClampsAtBlack])
def test_a_clamp_is_found_at_any_radius(cls, epsilon):
    x, _ = examples((3, 8, 8))
    with pytest.raises(AssertionError, match="apply clamps"):
        check_no_clamp(cls(epsilon=epsilon, step_size=epsilon / 4), x)


@pytest.mark.parametrize("epsilon", [0.003, 0.1, 1.0])
def test_noise_in_another_basis_keeps_the_box_by_shares_of_the_room(epsilon):
    threat = MovesByAShareOfTheRoom(epsilon=epsilon, step_size=epsilon / 4)
    check_threat(threat)
    check_threat(replace(threat, start="uniform"), shape=(3, 8, 8))


def test_a_threat_is_checked_on_as_many_channels_as_it_needs():
    class Coloured(PGD):
        needs_channels = 3

        def apply(self, x, w):
            assert x.shape[1] == 3
            return super().apply(x, w)

    check_threat(Coloured(**NUMBERS))


def test_a_search_refuses_balls_that_are_no_tuple():
    x, y = examples()
    with pytest.raises(DefinitionError, match=r"ReturnsOneBall\.balls returns of type LinfBall"):
        ReturnsOneBall(**NUMBERS).perturb(smooth_model(), x, y)


def test_a_good_threat_passes_on_images_of_any_shape():
    check_threat(PGD(**NUMBERS), shape=(3, 5, 9), classes=4)
    check_threat(replace(PGD(**NUMBERS), start="uniform"), shape=(2, 32, 32), classes=3)


def test_the_examples_touch_both_ends_of_the_box_in_every_channel():
    x, y = examples((3, 8, 8), classes=5, count=7)
    assert x.shape == (7, 3, 8, 8)
    assert torch.equal(x.amin((2, 3)), torch.zeros(7, 3).to(x))
    assert torch.equal(x.amax((2, 3)), torch.ones(7, 3).to(x))
    assert 0 <= y.min() <= y.max() < 5


def test_the_model_is_the_same_at_every_call_and_draws_nothing():
    before = torch.get_rng_state()
    first, second = smooth_model(), smooth_model()
    assert torch.equal(torch.get_rng_state(), before)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
    assert first.training
    assert any(isinstance(module, nn.Dropout) for module in first)
    assert issubclass(PGD, GradientThreat)
