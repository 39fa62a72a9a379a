"""The kit finds each broken promise of a model, and says which."""

import pytest
import torch
from torch import nn

from moat.errors import ModelError
from moat.models import Model, SmallCNN, TinyCNN, model
from moat.models.base import registry
from moat.testing import MODEL_PROMISES, ModelCase, check_model, verdicts

SHAPE = (1, 8, 8)


class Net(nn.Module):
    """A sound network: one linear layer on pixels, with a buffer that counts in train mode."""

    def __init__(self, classes):
        super().__init__()
        self.layer = nn.Linear(64, classes)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        if self.training:
            self.calls += 1
        return self.logits(x.flatten(1))

    def logits(self, x):
        return self.layer(x)


class AnswersWithATuple(Net):
    def forward(self, x):
        return (super().forward(x),)


class AnswersWithOneRow(Net):
    def logits(self, x):
        return self.layer(x)[:1]


class HasAClassTooFew(Net):
    def logits(self, x):
        return self.layer(x)[:, 1:]


class AnswersInFloat64(Net):
    def logits(self, x):
        return self.layer(x).double()


class AnswersInFloat32(Net):
    def logits(self, x):
        return nn.functional.linear(x.float(), self.layer.weight.float())


class EndsWithASoftmax(Net):
    def logits(self, x):
        return self.layer(x).softmax(1)


class EndsWithASoftmaxInEvalMode(Net):
    def logits(self, x):
        logits = self.layer(x)
        return logits if self.training else logits.softmax(1)


class IsLostOnBlack(Net):
    def logits(self, x):
        return self.layer(x / x.mean(1, keepdim=True))


class MixesImages(Net):
    def logits(self, x):
        return self.layer(x - x.mean(0))


class CutsTheGradient(Net):
    def logits(self, x):
        return self.layer(x.detach())


class CutsItAll(Net):
    def logits(self, x):
        return self.layer(x).detach()


class CutsItInTrainMode(Net):
    def logits(self, x):
        return self.layer(x.detach() if self.training else x)


class StaysInTrainMode(Net):
    def __init__(self, classes):
        super().__init__(classes)
        self.layer.train = lambda mode=True: self.layer


class DrawsInEvalMode(Net):
    def logits(self, x):
        return self.layer(x + (0.1 * torch.rand(()) if len(x) > 2 else 0))


class CountsInEvalMode(Net):
    def forward(self, x):
        self.calls += 1
        return self.logits(x.flatten(1))


class ReturnsMoreInTrainMode(Net):
    def logits(self, x):
        return self.layer(x).repeat(1, 2 if self.training else 1)


class KeepsAPartAside(Net):
    def __init__(self, classes):
        super().__init__(classes)
        self.scale = [torch.rand(classes)]

    def logits(self, x):
        return self.layer(x) * self.scale[0].to(x)


class ChangesTheImages(Net):
    def forward(self, x):
        return super().forward(x.mul_(1.0 if x.requires_grad else 0.99))


class StaysOnTheHost(Net):
    def logits(self, x):
        return self.layer(x + torch.ones(64, dtype=x.dtype))


class IsDrawnElsewhere(Net):
    def __init__(self, classes):
        super().__init__(classes)
        with torch.no_grad():
            self.layer.weight.uniform_(generator=GENERATOR)


GENERATOR = torch.Generator().manual_seed(0)


class Built(Model):
    """Builds one of the networks above."""

    def __init__(self, network):
        self.network = network

    def build(self, shape, classes):
        return self.network(classes)

    def __repr__(self):
        return f"Built({self.network.__name__})"


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        (AnswersWithATuple, "it answers with .*, not with a matrix of logits"),
        (AnswersWithOneRow, r"the logits of 2 image\(s\) have the shape \(1, 10\), not \(2, 10\)"),
        (HasAClassTooFew, r"the logits of 1 image\(s\) have the shape \(1, 9\), not \(1, 10\)"),
        (AnswersInFloat64, r"the logits of float32 images are torch\.float64"),
        (AnswersInFloat32, r"after network\.double\(\), the logits of float64 images are torch\.f"),
        (EndsWithASoftmax, "in train mode, the model returns probabilities: .* leave out the soft"),
        (EndsWithASoftmaxInEvalMode, "in eval mode, the model returns probabilities"),
        (IsLostOnBlack, "10 logits of black and white images are not finite"),
        (MixesImages, "in eval mode an image alone has other logits than in its batch, by 0"),
        (CutsTheGradient, "in eval mode no gradient reaches the images"),
        (CutsItAll, "in eval mode no gradient passes through the network"),
        (CutsItInTrainMode, "in train mode no gradient reaches the images"),
        (StaysInTrainMode, r"train\(False\) leaves 'layer' in the other mode"),
        (DrawsInEvalMode, "in eval mode"),
        (CountsInEvalMode, "in eval mode a forward changes the buffer 'calls'"),
        (ReturnsMoreInTrainMode, r"\(5, 20\) in train mode and \(5, 10\) in eval mode"),
        (KeepsAPartAside, "its state dict is not all of it: loaded into another network, the logi"),
        (ChangesTheImages, "the network changed its images in place"),
        (StaysOnTheHost, "the forward mixes devices when the network is on another one"),
        (IsDrawnElsewhere, "one seed of torch's global generator gives two values of 'layer.weig"),
    ],
)
def test_a_broken_promise_is_named(network, sentence):
    with pytest.raises(AssertionError, match=sentence) as caught:
        check_model(Built(network), shape=SHAPE)
    assert str(caught.value).startswith(f"Built({network.__name__}): ")
    assert str(caught.value).endswith(".")


def test_a_good_one_passes():
    check_model(Built(Net), shape=SHAPE, classes=3)
    check_model(TinyCNN(dropout=0.5), shape=(3, 9, 7), classes=2)


def test_a_shape_that_is_refused_is_an_error_and_one_that_breaks_is_a_broken_promise():
    with pytest.raises(ModelError, match="at least 16 x 16 pixels"):
        check_model(SmallCNN(), shape=SHAPE)
    with pytest.raises(
        AssertionError, match=r"images of shape \(3, 8, 8\) end in RuntimeError: mat"
    ):
        check_model(Built(Net), shape=(3, 8, 8))


def test_the_global_random_state_stays_still():
    before = torch.get_rng_state()
    check_model(TinyCNN(dropout=0.5), shape=SHAPE)
    assert torch.equal(before, torch.get_rng_state())


SMALLEST = [cls for cls in registry if cls.name in ("tiny-cnn", "small-cnn")]


@pytest.mark.parametrize("cls", SMALLEST, ids=lambda cls: cls.name)
def test_small_registered_models_keep_every_promise(cls):
    found = list(verdicts(MODEL_PROMISES, [ModelCase(cls(), (1, 16, 16))]))
    assert {one.state for one in found} == {"kept"}
    assert len(found) == len(MODEL_PROMISES)
    assert callable(model)
