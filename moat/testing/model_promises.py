"""The promises of every model, by name: one list for `check_model` and `moat check`."""

from collections.abc import Callable

from moat.errors import ModelError
from moat.models import Model
from moat.public import public
from moat.testing import model_logits, models
from moat.testing.models import ModelCase
from moat.testing.promise import Promise, require_promises


@public
def check_model(
    model: Model, *, shape: tuple[int, int, int] = (3, 32, 32), classes: int = 10
) -> None:
    """Run every check on the network for images of that (channel, height, width).

    Raises AssertionError with the first promise that is broken, and the ModelError of a model that
    refuses the shape.

    Example:
        >>> from moat.models import TinyCNN
        >>> check_model(TinyCNN(), shape=(1, 8, 8))
    """
    case = ModelCase(model, shape, classes)
    if isinstance(case.fault, ModelError):
        raise case.fault
    require_promises(MODEL_PROMISES, case)


def _promise(text: str, check: Callable[[ModelCase], None]) -> Promise[ModelCase]:
    return Promise(text, check, lambda case: case.whole and case.takes_shape)


MODEL_PROMISES: tuple[Promise[ModelCase], ...] = (
    Promise("it takes images of a shape, or refuses it with a ModelError", models.check_shape),
    Promise(
        "it answers any number of images with finite logits",
        models.check_logits,
        lambda case: case.takes_shape,
    ),
    _promise("the images stay as they were", models.check_images_untouched),
    _promise(
        "an image alone has the logits that it has in a batch, in float64 too", models.check_alone
    ),
    _promise("the gradient reaches the images and the parameters", models.check_image_gradient),
    _promise("eval mode draws nothing; train and eval reach every module", models.check_modes),
    _promise("its state dict is all of it", models.check_state_dict),
    _promise("one seed builds one network", models.check_seed),
    _promise("its tensors are on the device of the network", models.check_network_device),
    _promise(
        "its answers are logits, not probabilities, in either mode",
        model_logits.check_no_probabilities,
    ),
)
"""The promises of every model, in the order in which they are checked."""
