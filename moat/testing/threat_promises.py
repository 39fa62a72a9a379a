"""The promises of every threat, by name: one list for `check_threat` and for `moat check`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from torch import nn

from moat.public import public
from moat.testing import gradient_threats, threat_inputs, threats, transform_rows
from moat.testing.cases import examples, smooth_model
from moat.testing.promise import Promise, require_promises
from moat.threats import GradientThreat, Threat
from moat.types import Images, Labels


@public
@dataclass(frozen=True)
class ThreatCase:
    """A threat and the images that it is checked on; it is given as many channels as it needs.

    Example:
        >>> from moat.threats import PGD
        >>> ThreatCase(PGD(epsilon=0.1, step_size=0.02)).batch()[0].shape
        torch.Size([12, 1, 8, 8])
    """

    subject: Threat
    shape: tuple[int, int, int] = (1, 8, 8)
    classes: int = 10

    def model(self) -> nn.Module:
        """Return the network that is searched, a new one at every call."""
        return smooth_model(self._shape, self.classes)

    def batch(self) -> tuple[Images, Labels]:
        """Return the images and labels."""
        return examples(self._shape, self.classes)

    @property
    def _shape(self) -> tuple[int, int, int]:
        channels, height, width = self.shape
        return (self.subject.needs_channels or channels, height, width)


@public
def check_threat(
    threat: Threat, *, shape: tuple[int, int, int] = (1, 8, 8), classes: int = 10
) -> None:
    """Run every check that applies on images of that (channel, height, width).

    Raises AssertionError with the first promise that is broken. Choose numbers at which a few
    steps climb: `check_climb` compares the end of the search with its start. A threat that needs
    another number of channels (`needs_channels`) is given as many.

    Example:
        >>> from moat.threats import PGD
        >>> check_threat(PGD(epsilon=0.1, step_size=0.02, steps=2))
    """
    require_promises(THREAT_PROMISES, ThreatCase(threat, shape, classes))


_Search = Callable[[Threat, nn.Module, Images, Labels], None]
_GradientSearch = Callable[[GradientThreat, nn.Module, Images, Labels], None]
_Transformation = Callable[[GradientThreat, Images], None]


def _of_all(text: str, check: _Search) -> Promise[ThreatCase]:
    return Promise(text, lambda case: check(case.subject, case.model(), *case.batch()))


def _of_transforms(
    text: str, check: _Transformation, *, is_basis: bool = False
) -> Promise[ThreatCase]:
    def hold(case: ThreatCase) -> None:
        check(cast(GradientThreat, case.subject), case.batch()[0])

    return Promise(text, hold, _has_a_transform, is_basis)


def _of_ascent(text: str, check: _GradientSearch) -> Promise[ThreatCase]:
    def hold(case: ThreatCase) -> None:
        check(cast(GradientThreat, case.subject), case.model(), *case.batch())

    return Promise(text, hold, _has_a_transform)


def _has_a_transform(case: ThreatCase) -> bool:
    return isinstance(case.subject, GradientThreat)


def _climbs(case: ThreatCase) -> bool:
    return threat_inputs.is_climbing(case.subject)


def _is_separate(case: ThreatCase) -> bool:
    return not case.subject.draws_by_batch


THREAT_PROMISES: tuple[Promise[ThreatCase], ...] = (
    _of_transforms("the identity changes no image", gradient_threats.check_identity, is_basis=True),
    _of_transforms(
        "the balls hold what the search takes for granted",
        gradient_threats.check_balls,
        is_basis=True,
    ),
    _of_transforms("apply does not clamp", gradient_threats.check_no_clamp),
    _of_transforms("every w in the balls keeps the images in [0, 1]", gradient_threats.check_box),
    _of_transforms("every block of w has a finite gradient", gradient_threats.check_gradients),
    _of_ascent(
        "an example alone gets the images that it gets in a batch",
        gradient_threats.check_independence,
    ),
    _of_transforms(
        "apply and the balls treat each example as if it were alone", transform_rows.check_rows
    ),
    _of_ascent("the search ends no lower than it starts", gradient_threats.check_climb),
    _of_transforms("its tensors are on the device of the images", threat_inputs.check_device),
    _of_all(
        "the images are detached, in [0, 1], of the shape and type of x, in float32 and float64",
        threats.check_images,
    ),
    _of_all("images and labels stay as they were", threat_inputs.check_inputs),
    _of_all("the model stays as it was, in either mode", threats.check_model_untouched),
    _of_all("after an exception the model is as it was", threats.check_exception),
    _of_all("torch's global random state stays still", threats.check_random_state),
    _of_all(
        "other global states and settings stay as they were",
        threat_inputs.check_other_generators,
    ),
    _of_all("equal generators give equal images", threats.check_reproducible),
    Promise(
        "an example does not depend on the others in its batch",
        lambda case: threat_inputs.check_neighbours(case.subject, case.model(), *case.batch()),
        _is_separate,
    ),
    Promise(
        "the loss is not below that of the natural images",
        lambda case: threat_inputs.check_loss(case.subject, case.model(), *case.batch()),
        _climbs,
    ),
    _of_all(
        "constant and saturated models give finite images in [0, 1]",
        threat_inputs.check_flat_models,
    ),
    _of_all("no_grad and inference_mode around it change nothing", threats.check_outer_modes),
    Promise("its repr makes an equal threat", lambda case: threats.check_repr(case.subject)),
)
"""The promises of every threat, in the order in which they are checked."""
