"""The test examples that an instrument looks at: some of every class, or those with some ids."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from moat.analysis.choice import ExampleChoice, example_places
from moat.data import Split, stored_in_order
from moat.data.splits import stratified
from moat.errors import AnalysisError
from moat.evaluation import Protocol
from moat.evaluation.float_images import float_images
from moat.outcomes.bootstrap import FEWEST_EXAMPLES
from moat.threats import home_of
from moat.types import Images, Labels

FewExamples = int | tuple[int, ...]
"""A number of examples, every class by its share, or the ids of some."""


def few_examples(
    data: Any, split: Split, protocol: Protocol, choice: FewExamples, seed: int
) -> Split:
    """Return the chosen ones of a protocol's examples, in the order of the split.

    With one seed, fewer examples are part of more. Raises AnalysisError for no example, for more
    than there are, and for an id that is not among them.
    """
    if isinstance(choice, tuple) and choice:
        places = example_places(data, split, protocol, ExampleChoice(ids=choice))
        return split.take(torch.from_numpy(places))
    count = choice if isinstance(choice, int) else 0
    if not 1 <= count <= len(split):
        raise AnalysisError(
            f"{count} test examples are asked for, and the protocol evaluates {len(split)}.",
            where="examples",
            hint=f"Ask for 1 to {len(split)}.",
        )
    return split.take(stratified(split.labels.cpu(), count, seed))


def few_notes(count: int) -> tuple[str, ...]:
    """Return the note that there are too few examples for an interval, if that is so.

    Example:
        >>> few_notes(2)
        ('An interval takes 6 test examples, not 2.',)
    """
    if count >= FEWEST_EXAMPLES:
        return ()
    return (f"An interval takes {FEWEST_EXAMPLES} test examples, not {count}.",)


def images_for(model: nn.Module, split: Split) -> tuple[Images, Labels, list[int]]:
    """Return images in [0, 1] and labels where a model lives, and the examples' ids."""
    ((images, labels),) = stored_in_order(split, len(split), home_of(model))
    return float_images(images), labels, split.ids.tolist()


def stored_pixels(split: Split) -> NDArray[Any]:
    """Return the images of a split in [0, 1], on the host."""
    ((images, _),) = stored_in_order(split, len(split))
    return np.asarray(float_images(images).cpu().numpy())
