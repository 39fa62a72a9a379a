"""The test examples that an instrument looks at: so many of all classes, or chosen ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from moat.data import Split, stored_in_order
from moat.data.splits import stratified
from moat.errors import AnalysisError
from moat.evaluation.float_images import float_images
from moat.threats import home_of
from moat.types import Images, Labels


def few_examples(split: Split, choice: Sequence[int] | int, seed: int) -> Split:
    """Return so many examples of a split, every class by its share, or those with some ids.

    With one seed, fewer examples are part of more. Raises AnalysisError for no example, for more
    than there are, and for an id that the split lacks.
    """
    if isinstance(choice, int):
        _require_count(choice, len(split))
        return split.take(stratified(split.labels.cpu(), choice, seed))
    places = {number: place for place, number in enumerate(split.ids.tolist())}
    for number in choice:
        if number not in places:
            known = sorted(places)
            raise AnalysisError(
                f"no evaluated test example has the number {number}.",
                where="examples",
                hint=f"There are {len(known)}, with numbers from {known[0]} to {known[-1]}.",
            )
    _require_count(len(choice), len(split))
    return split.take(torch.tensor([places[number] for number in choice]))


def images_for(model: nn.Module, split: Split) -> tuple[Images, Labels, list[int]]:
    """Return images in [0, 1] and labels where a model lives, and the examples' ids."""
    ((images, labels),) = stored_in_order(split, len(split), home_of(model))
    return float_images(images), labels, split.ids.tolist()


def stored_pixels(split: Split) -> NDArray[Any]:
    """Return the images of a split in [0, 1], on the host."""
    ((images, _),) = stored_in_order(split, len(split))
    return np.asarray(float_images(images).cpu().numpy())


def _require_count(count: int, there: int) -> None:
    if not 1 <= count <= there:
        raise AnalysisError(
            f"{count} test examples are asked for, and the protocol evaluates {there}.",
            where="examples",
            hint=f"Ask for 1 to {there}.",
        )
