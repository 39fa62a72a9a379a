"""The promise of a model that its answers are logits, as training and evaluation need them.

Example:
    >>> from moat.models import TinyCNN
    >>> from moat.testing import ModelCase
    >>> check_no_probabilities(ModelCase(TinyCNN(), (1, 8, 8)))
"""

import torch

from moat.errors import ModelError
from moat.models import PythonModel
from moat.public import public
from moat.randomness import draws_undone
from moat.testing.breach import breach_of
from moat.testing.models import ModelCase
from moat.threats import require_logits, require_no_probabilities


@public
def check_no_probabilities(case: ModelCase) -> None:
    """Hold the answer to what training and evaluation take: logits, not probabilities.

    Both modes are tried, since a softmax may stand in one of them alone.

    Example:
        >>> from moat.models import TinyCNN
        >>> from moat.testing import ModelCase
        >>> check_no_probabilities(ModelCase(TinyCNN(), (1, 8, 8)))
    """
    classes = None if isinstance(case.subject, PythonModel) else case.classes
    for mode in (True, False):
        network, images = case.network().train(mode), case.images
        with draws_undone(torch.device("cpu")), torch.no_grad():
            found = network(images.clone())
        try:
            require_no_probabilities(require_logits(found, images, classes))
        except ModelError as error:
            called = "train" if mode else "eval"
            said = f"in {called} mode, {error.message} {error.hint}".removesuffix(".")
            raise AssertionError(breach_of(case.subject, said)) from None
