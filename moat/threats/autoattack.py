"""AutoAttack: the standard ensemble of searches for published robustness to noise."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from torch import Tensor, nn

from moat.errors import MissingPackageError, MoatError, ModelError
from moat.losses import is_correct, margin
from moat.passes import default_pass_size, in_passes
from moat.threats.ascent import attacked
from moat.threats.base import Threat, threat
from moat.threats.logits import UNFIT, said
from moat.types import Images, Labels

Member = Literal["apgd-ce", "apgd-dlr", "apgd-t", "fab", "fab-t", "square"]
Predict = Callable[[Tensor], Tensor]

VERSIONS: dict[str, tuple[Member, ...]] = {
    "standard": ("apgd-ce", "apgd-t", "fab-t", "square"),
    "plus": ("apgd-ce", "apgd-dlr", "fab", "square", "apgd-t", "fab-t"),
    "rand": ("apgd-ce", "apgd-dlr"),
}
CLASSES: dict[Member, int] = {"apgd-dlr": 3, "apgd-t": 4}
"""Fewest classes for which a search's loss is defined; 2 for the others."""
NORMS = {"linf": "Linf", "l2": "L2", "l1": "L1"}
QUIET = logging.Logger(__name__, logging.CRITICAL + 1)  # outside the tree: nothing is printed


@threat("autoattack")
class AutoAttack(Threat):
    """Add noise of length epsilon in a norm: several searches in turn, each on the survivors.

    "standard" is APGD on the cross-entropy, APGD on the targeted DLR loss, targeted FAB, and
    Square, which needs no gradient; "plus" adds restarts and untargeted searches; "rand" is for
    models with random draws: gradients averaged over 20 forwards. Every search begins at the
    natural image. Misclassified examples, and those that withstand every search, come back
    unchanged. Targets are the nine likeliest wrong classes (five for l1's APGD), or all if there
    are fewer. The targeted DLR loss needs four classes and the plain one three: with fewer, APGD on
    it is omitted.

    The searches come from the package pyautoattack and compute in float32: noise has the length
    epsilon up to rounding. With l2 and l1, Square gets images of a size that it cannot tile within
    a black frame.

    Example:
        >>> AutoAttack(epsilon=8 / 255, norm="l2").version
        'standard'

    Source: Croce and Hein, Reliable Evaluation of Adversarial Robustness with an Ensemble of
    Diverse Parameter-free Attacks, 2020; l1: Mind the Box, 2021, by the same.
    """

    typical: ClassVar[Mapping[str, Any]] = MappingProxyType({"steps": 10, "queries": 10})
    epsilon: PositiveFloat  # intensity, as a length in the norm; a pixel spans [0, 1]
    norm: Literal["linf", "l2", "l1"] = "linf"  # of the noise on all pixels and channels
    version: Literal["standard", "plus", "rand"] = "standard"
    steps: Annotated[int, Field(ge=10)] = 100  # of APGD and FAB, a restart and target
    queries: PositiveInt = 5000  # of Square

    @model_validator(mode="after")
    def _l1_in_its_one_version(self) -> "AutoAttack":
        if self.norm == "l1" and self.version != "standard":
            raise ValueError(
                f'its authors publish no version {self.version!r} for l1; use version = "standard"'
            )
        return self

    def __post_init__(self) -> None:
        _package()

    def perturb(
        self, model: nn.Module, x: Images, y: Labels, *, generator: torch.Generator | None = None
    ) -> Images:
        """Return the first misclassified image found, or x if there is none."""
        seed = _drawn_seed(generator)
        # Copies: tensors of an outer inference_mode cannot be differentiated through, and the
        # searches take views that want the channels' rows in a row.
        images = x.detach().clone(memory_format=torch.contiguous_format)
        if not len(x):
            return images

        def predict(part: Tensor) -> Tensor:
            # Copies: Square writes into the logits, which may share memory with the images, and
            # a network may write into these.
            logits: Tensor = model(part.to(x.dtype, copy=True))
            return logits.to(torch.float32, copy=True)

        with attacked(model), torch.no_grad(), _random_state_kept():
            images, y, natural = images.clone(), y.clone(), images.float()
            size = default_pass_size(x.device)
            logits = in_passes(predict, images, size)
            stands = is_correct(logits, y)
            for name in VERSIONS[self.version]:
                if logits.shape[1] < CLASSES.get(name, 2):
                    continue
                search = self._search(name, predict, natural, logits.shape[1], seed)
                for rows in stands.nonzero().flatten().split(size):
                    if len(rows):
                        found = _found(name, search, natural[rows], y[rows])
                        fell = ~is_correct(predict(found), y[rows])
                        fell &= found.isfinite().flatten(1).all(1)  # a NaN gradient fells none
                        images[rows[fell]] = found[fell].to(x.dtype)
                        stands[rows[fell]] = False
        return images

    def _search(
        self, name: Member, predict: Predict, x: Images, classes: int, seed: int
    ) -> Callable[[Images, Labels], Images]:
        """Return one member of the ensemble, with the numbers that its authors give it."""
        package = _package()
        own = {"norm": NORMS[self.norm], "eps": self.epsilon, "seed": seed, "device": x.device}
        l1, plus, rand = self.norm == "l1", self.version == "plus", self.version == "rand"
        targets = min(5 if l1 and name == "apgd-t" else 9, classes - 1)
        if name == "square":
            return _square(package, predict, x, n_queries=self.queries, **own)
        own |= {"predict": predict, "n_iter": self.steps}
        if name in ("fab", "fab-t"):
            restarts, targeted = 5 if name == "fab" else 1, name == "fab-t"
            search = package.fab_pt.FABAttack_PT(
                n_restarts=restarts, targeted=targeted, n_target_classes=targets, **own
            )
        elif name == "apgd-t":
            search = package.autopgd_base.APGDAttack_targeted(
                n_target_classes=targets, use_largereps=l1, logger=QUIET, **own
            )
        else:
            loss, restarts = name.removeprefix("apgd-"), 5 if plus or l1 else 1
            search = package.autopgd_base.APGDAttack(
                loss=loss,
                n_restarts=restarts,
                eot_iter=20 if rand else 1,
                use_largereps=l1,
                logger=QUIET,
                **own,
            )
        made: Callable[[Images, Labels], Images] = search.perturb
        return made


def _found(
    name: Member, search: Callable[[Images, Labels], Images], x: Images, y: Labels
) -> Images:
    """Return what a search of the package found; what fails there is said with the search."""
    try:
        return search(x, y).clamp(0, 1)
    except (torch.OutOfMemoryError, MoatError):
        raise
    except UNFIT as error:  # as of a graph that is run through `backward` alone
        raise ModelError(
            f"the search {name} of autoattack fails on this model ({said(error)}).",
            hint="It takes gradients of the logits to the images by torch.autograd.grad, twice in "
            "a graph: make the model support this, or search with pgd or stadv.",
        ) from error


def _square(
    package: Any, predict: Predict, x: Images, **own: Any
) -> Callable[[Images, Labels], Images]:
    """Return Square, which with l2 and l1 starts from windows of a fifth of the height."""
    height, width = x.shape[2:]
    bottom = right = 0
    if own["norm"] != "Linf" and not _tiles(height, width):
        side = next(n for n in count(max(height, width, 5)) if _tiles(n, n))
        bottom, right = side - height, side - width

    def inside(images: Tensor) -> Tensor:
        return images[..., :height, :width]

    search = package.square.SquareAttack(
        lambda images: predict(inside(images)), resc_schedule=False, **own
    )

    def perturb(x: Images, y: Labels) -> Images:
        if not bool((margin(predict(x), y) < 0).any()):
            return x  # ties, which Square counts as fallen: with l2 it fails where none stands
        return inside(search.perturb(F.pad(x, (0, right, 0, bottom)), y))

    return perturb


def _tiles(height: int, width: int) -> bool:
    """Return whether Square's windows, laid from its margin on, end inside the image.

    Those of one pixel that lie outside are empty, and harmless.
    """
    window = height // 5
    margin = (height - 5 * window) // 2
    return window == 1 or (
        window > 1 and all(margin + n // window * window <= n for n in (height, width))
    )


def _drawn_seed(generator: torch.Generator | None) -> int:
    device = "cpu" if generator is None else generator.device
    return int(torch.randint(1 << 31, (), generator=generator, device=device))


@contextmanager
def _random_state_kept() -> Iterator[None]:
    """Leave torch's global generators as they were: every member of the ensemble seeds them."""
    begun = torch.cuda.is_initialized()
    try:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if begun else ()):
            yield
    finally:
        if not begun:
            # What seeds CUDA when it begins was overwritten: torch.manual_seed's seed is the CPU's.
            torch.cuda.manual_seed_all(torch.initial_seed())


def _package() -> Any:
    """Return pyautoattack, its searches imported; raise MissingPackageError without it."""
    try:
        import pyautoattack
    except ImportError as error:
        raise MissingPackageError(
            f"the threat 'autoattack' needs the package pyautoattack: {error}.",
            hint="pip install pyautoattack",
        ) from error
    return pyautoattack
