"""An attack of torchattacks behind the promises of a moat threat."""

import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from inspect import signature
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from moat.errors import FieldError, MoatError, ModelError
from moat.geometry.draws import draw_seed
from moat.passes import default_pass_size
from moat.threats import Threat, attacked
from moat.threats.logits import UNFIT, said
from moat.types import Images, Labels

FROM_THE_SEARCH = ("seed", "n_classes", "verbose", "device")
"""Parameters that no recipe states: the generator, the model and the images say them."""


class AttackThreat(Threat):
    """The images that an attack of torchattacks returns for a model, in its default mode.

    It computes in float32, in passes, on the device of the images. Its draws from the global
    generators of torch, NumPy and Python are seeded by the search's generator, and their state is
    restored. Images are clamped to [0, 1]; an image with a value that is not finite stays
    unchanged.
    """

    attack: ClassVar[type[Any]]
    draws_by_batch = True  # as Pixle and OnePixel do, which go from image to image

    def __post_init__(self) -> None:
        try:
            with _draws_of(0, torch.device("cpu")):
                self._made(_Network(nn.Flatten(), torch.float32, torch.device("cpu")), 0, 10)
        except (ValueError, TypeError, NotImplementedError) as error:
            raise FieldError(
                f"{self.name}: {error}",
                hint=f"{self.name} takes the keys of torchattacks.{self.attack.__name__}.",
            ) from error

    def perturb(
        self, model: nn.Module, x: Images, y: Labels, *, generator: torch.Generator | None = None
    ) -> Images:
        """Return the attacked images, pass by pass."""
        seed = draw_seed(generator) % (1 << 31)
        images = x.detach().clone()
        if not len(x):
            return images
        with attacked(model), _draws_of(seed, x.device):
            images, labels = images.clone(), y.clone()  # of no outer inference_mode
            network = _Network(model, x.dtype, x.device)
            first = images[:1].float()
            classes = network(first).shape[1] if self._asks_for("n_classes") else 0
            attack = self._made(network, seed, classes)
            size = default_pass_size(x.device)
            passes = zip(images.split(size), labels.split(size), strict=True)
            return torch.cat([self._found(attack, part, of) for part, of in passes])

    def _made(self, network: nn.Module, seed: int, classes: int) -> Any:
        told = {"seed": seed, "n_classes": classes, "verbose": False, "device": None}
        own = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return self.attack(network, **own, **{n: v for n, v in told.items() if self._asks_for(n)})

    def _asks_for(self, parameter: str) -> bool:
        return parameter in signature(self.attack.__init__).parameters

    def _found(self, attack: Any, x: Images, y: Labels) -> Images:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of its calls of NumPy
                found: Tensor = attack(x.float(), y).detach().to(x.dtype).clamp(0, 1)
        except (torch.OutOfMemoryError, MoatError):
            raise
        except UNFIT as error:
            raise ModelError(
                f"{self.name} fails on this model or on images of {tuple(x.shape[1:])} "
                f"({said(error)}).",
                hint="See whether torchattacks takes such images, or search with another threat.",
            ) from error
        is_whole = found.isfinite().flatten(1).all(1)
        return torch.where(is_whole[:, None, None, None], found, x)


class _Network(nn.Module):
    """The model as torchattacks sees it: float32 in and out, and a parameter on the device."""

    def __init__(self, model: nn.Module, dtype: torch.dtype, device: torch.device) -> None:
        super().__init__()
        self.where = nn.Parameter(torch.empty(0, device=device), requires_grad=False)
        self._run = lambda images: model(images.to(dtype, copy=True))  # no module of this one's

    def forward(self, images: Images) -> Tensor:
        """Return the logits, as a tensor that an attack may write into."""
        logits: Tensor = self._run(images)
        return logits.to(torch.float32, copy=True)


@contextmanager
def _draws_of(seed: int, device: torch.device) -> Iterator[None]:
    """Seed every global generator that an attack may draw from, and put each back."""
    of_numpy, of_python = np.random.get_state(), random.getstate()
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.default_generator.manual_seed(seed)
            if device.type == "cuda":
                torch.cuda.manual_seed(seed)
            np.random.seed(seed)
            random.seed(seed)
            yield
    finally:
        np.random.set_state(of_numpy)
        random.setstate(of_python)
