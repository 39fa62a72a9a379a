"""The promises of every model about its network.

Example:
    >>> from moat.models import TinyCNN
    >>> check_logits(ModelCase(TinyCNN(), (1, 8, 8)))
"""

import io
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from moat.annotations import value_in_words
from moat.errors import ModelError
from moat.losses import cross_entropy
from moat.models import Model, PythonModel, built, load_into
from moat.models.copies import copy_of
from moat.models.saved_state import saved_state
from moat.public import public
from moat.randomness import draws_undone
from moat.testing.breach import breach_of
from moat.testing.cases import examples
from moat.types import Images

FLOAT64_EQUAL = 1e-8  # of the largest logit
COUNT = 5  # images


@public
@dataclass(frozen=True, eq=False)
class ModelCase:
    """A model, the shape of the images that its network takes, and their number of classes.

    A case that is not `whole` looks at the shape and the logits alone.

    Example:
        >>> from moat.models import TinyCNN
        >>> ModelCase(TinyCNN(), (1, 8, 8)).images.shape
        torch.Size([5, 1, 8, 8])
    """

    subject: Model
    shape: tuple[int, int, int] = (3, 32, 32)
    classes: int = 10
    whole: bool = True

    @cached_property
    def images(self) -> Images:
        """Float32 images, black in places and white in others."""
        return examples(self.shape, self.classes, COUNT)[0].float()

    def network(self, seed: int = 0) -> nn.Module:
        """Return its network as it is built from a seed, in train mode."""
        kept = self._networks
        if seed not in kept:
            with draws_undone(torch.device("cpu")):
                torch.manual_seed(seed)
                kept[seed] = built(self.subject, self.shape, self.classes).train()
        found = copy_of(kept[seed])
        return kept.pop(seed) if found is None else found

    @cached_property
    def _networks(self) -> dict[int, nn.Module]:
        return {}

    @cached_property
    def fault(self) -> Exception | None:
        """The error of building the network, or of a pass of two images; None if both succeed."""
        try:
            _answer(self.network().eval(), self.images[:2])
        except Exception as error:  # a foreign network may raise anything
            return error
        return None

    @property
    def takes_shape(self) -> bool:
        """Whether it is known to work on images of this shape."""
        return self.fault is None


@public
def check_shape(case: ModelCase) -> None:
    """Hold a model to a network for images of the shape, or to a ModelError that refuses it."""
    if case.fault is None or isinstance(case.fault, ModelError):
        return
    line = str(case.fault).strip().partition("\n")[0].rstrip(".")
    raise AssertionError(
        breach_of(
            case.subject,
            f"images of shape {case.shape} end in {type(case.fault).__name__}: {line}. Let `build` "
            "raise ModelError that says which shapes it takes",
        )
    ) from case.fault


@public
def check_logits(case: ModelCase) -> None:
    """Hold the answer to finite logits (images, classes) for any number of images, in float32."""
    network = case.network().eval()
    for count in (1, 2, COUNT):
        logits = _answer(network, case.images[:count])
        is_matrix = isinstance(logits, Tensor) and logits.ndim == 2
        assert is_matrix, breach_of(
            case.subject, f"it answers with {value_in_words(logits)}, not with a matrix of logits"
        )
        free = isinstance(case.subject, PythonModel)  # which is not told how many classes there are
        expected = (count, logits.shape[1] if free else case.classes)
        assert tuple(logits.shape) == expected, breach_of(
            case.subject,
            f"the logits of {count} image(s) have the shape {tuple(logits.shape)}, not {expected}",
        )
        assert logits.dtype == torch.float32, breach_of(
            case.subject, f"the logits of float32 images are {logits.dtype}"
        )
    extremes = torch.stack([torch.zeros(case.shape), torch.ones(case.shape)])
    for what, images in (("usual", case.images), ("black and white", extremes)):
        bad = int((~_answer(network, images).isfinite()).sum())
        assert not bad, breach_of(case.subject, f"{bad} logits of {what} images are not finite")


@public
def check_alone(case: ModelCase) -> None:
    """Hold an image to the same logits alone as in a batch, in eval mode and float64."""
    network, images = case.network().double().eval(), case.images.double()
    together = _answer(network, images)
    assert together.dtype == torch.float64, breach_of(
        case.subject,
        f"after network.double(), the logits of float64 images are {together.dtype}",
    )
    alone = torch.cat([_answer(network, one[None]) for one in images])
    off = ((alone - together).abs().max() / together.abs().max().clamp(min=1e-30)).item()
    assert off < FLOAT64_EQUAL, breach_of(
        case.subject,
        f"in eval mode an image alone has other logits than in its batch, by {off:.3g} of the "
        "largest",
    )


@public
def check_image_gradient(case: ModelCase) -> None:
    """Hold the loss to a finite gradient at the images, and in train mode at the parameters."""
    for mode in (False, True):
        network, leaf = case.network().train(mode), case.images.clone().requires_grad_()
        with draws_undone(torch.device("cpu")):
            logits = network(leaf.view_as(leaf))
        labels = torch.arange(len(leaf)) % logits.shape[1]
        trained = [one for one in network.parameters() if one.requires_grad]
        called = "train" if mode else "eval"
        assert logits.requires_grad, breach_of(
            case.subject, f"in {called} mode no gradient passes through the network"
        )
        found = torch.autograd.grad(
            cross_entropy(logits, labels).sum(), [leaf, *trained], allow_unused=True
        )
        assert found[0] is not None, breach_of(
            case.subject, f"in {called} mode no gradient reaches the images"
        )
        assert any(one is not None for one in found[1:]), breach_of(
            case.subject, f"in {called} mode no gradient reaches a parameter"
        )
        finite = all(bool(one.isfinite().all()) for one in found if one is not None)
        assert finite, breach_of(case.subject, f"in {called} mode a gradient is not finite")


@public
def check_modes(case: ModelCase) -> None:
    """Hold eval mode to equal answers that change no buffer, and both modes to every module."""
    network = case.network()
    for mode in (True, False):
        network.train(mode)
        other = [name for name, part in network.named_modules() if part.training is not mode]
        assert not other, breach_of(
            case.subject,
            f"train({mode}) leaves {other[0] or 'the network'!r} in the other mode",
        )
    with draws_undone(torch.device("cpu")):
        torch.manual_seed(0)
        trained = _answer(network.train(), case.images)
        before = {name: value.clone() for name, value in network.named_buffers()}
        first, second = (_answer(network.eval(), case.images) for _ in range(2))
    assert trained.shape == first.shape, breach_of(
        case.subject,
        f"the logits have the shape {tuple(trained.shape)} in train mode and {tuple(first.shape)} "
        "in eval mode",
    )
    off = (first - second).abs().max().item()
    assert not off, breach_of(
        case.subject, f"in eval mode it draws: two answers differ by up to {off:.3g}"
    )
    for name, value in network.named_buffers():
        assert torch.equal(value, before[name]), breach_of(
            case.subject, f"in eval mode a forward changes the buffer {name!r}"
        )


@public
def check_state_dict(case: ModelCase) -> None:
    """Hold the state dict to all of the network: another one takes it and answers the same."""
    network, file = case.network(), io.BytesIO()
    with draws_undone(torch.device("cpu")):
        _answer(network, case.images)  # in train mode: running means move
    torch.save(saved_state(network), file)
    file.seek(0)
    other = case.network(seed=1)
    load_into(other, torch.load(file, weights_only=True))
    expected, found = (_answer(one.eval(), case.images) for one in (network, other))
    off = (expected - found).abs().max().item()
    assert not off, breach_of(
        case.subject,
        f"its state dict is not all of it: loaded into another network, the logits differ by up "
        f"to {off:.3g}",
    )


@public
def check_seed(case: ModelCase) -> None:
    """Hold initial weights to torch's global generator: one seed builds one network."""
    states = []
    for _ in range(2):
        with draws_undone(torch.device("cpu")):
            torch.manual_seed(3)
            states.append(saved_state(built(case.subject, case.shape, case.classes)))
    first, second = states
    assert first.keys() == second.keys(), breach_of(
        case.subject, "two networks have different names in their state dicts"
    )
    for name, value in first.items():
        same = not isinstance(value, Tensor) or torch.equal(value, second[name])
        assert same, breach_of(
            case.subject, f"one seed of torch's global generator gives two values of {name!r}"
        )


@public
def check_images_untouched(case: ModelCase) -> None:
    """Hold the images to what they were, in either mode."""
    with draws_undone(torch.device("cpu")):
        for mode in (True, False):
            given = case.images.clone()
            case.network().train(mode)(given)
            assert torch.equal(given, case.images), breach_of(
                case.subject, "the network changed its images in place"
            )


@public
def check_network_device(case: ModelCase) -> None:
    """Hold the forward to the device of network and images: it runs on one without values."""
    try:
        case.network().eval().to("meta")(case.images.to("meta"))
    except (RuntimeError, NotImplementedError) as error:
        if "on the expected device" not in str(error):
            return  # it reads values, of which there are none
        raise AssertionError(
            breach_of(
                case.subject,
                "the forward mixes devices when the network is on another one than the default: "
                "register its tensors as buffers, or make them with device=x.device",
            )
        ) from error


def _answer(network: nn.Module, images: Images) -> Any:
    """Return what a network says of a copy of the images."""
    with torch.no_grad():
        return network(images.clone())
