"""Adversarial examples: a few test images, and what each threat's search makes of them."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Unpack

import numpy as np
import torch
from torch import nn

from moat.analysis.batches import batches_of, evaluated_examples, require_threats
from moat.analysis.choice import ExampleChoice, example_places
from moat.analysis.example_arrays import arrays_of_model, batches_with
from moat.analysis.iterates import as_bytes
from moat.analysis.parts import AnalysisKeys, AnalysisWork
from moat.data import Data, Split
from moat.evaluation import Protocol
from moat.evaluation.float_images import float_images
from moat.evaluation.in_memory import split_of
from moat.names import NATURAL
from moat.precision import plain_torch, tensor_float_32
from moat.public import public_at_once
from moat.records import Analysis, AnalysisFinding, AnalysisSubject, NamedArray
from moat.runs.arrays import Arrays

_IMAGE = ("channel", "row", "column")
_SEARCHED = ("model", "threat", "example")
_FILM = ("model", "threat", "iterate", "example")


@public_at_once
@plain_torch()
def adversarial_examples(
    models: Mapping[str, nn.Module],
    data: Any,
    protocol: Any,
    choice: ExampleChoice | None = None,
    *,
    threats: Sequence[str] = (),
    iterates: bool = False,
    **keys: Unpack[AnalysisKeys],
) -> Analysis:
    """Search a few test examples again, just as the evaluation did, and return the images.

    By default they are the first three of different classes. `threats` names some of the
    protocol's. `keys` are `pass_size`, `parts` and `progress`.

    Arrays: `image` (example, channel, row, column) and `adversarial` (model, threat, ...), bytes
    from 0 to 255: the end of the search at the threat's largest strength, of the first restart that
    felled the example or else of the last. `predicted` and `natural_predicted` index `class`;
    `confidence` is the softmax of the predicted class, `label_confidence` that of the label (%).
    `displacement` is the point that each pixel reads, minus its own place, in grid units (the image
    spans [-1, 1]; direction 0 is horizontal), NaN for a threat that does not move pixels.

    With `iterates`, `film` has every iterate, the start first, `film_predicted` and
    `film_confidence` the model's answers, `film_step` the iterations up to there; a search with
    fewer iterates stays at its last, and of more than 60 some are kept.

    Raises AnalysisError for an example that does not exist or that the protocol leaves out, and for
    a threat that the protocol lacks.

    Example:
        >>> from moat.threats import PGD
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> pair = torch.rand(20, 1, 8, 8), torch.arange(20) % 10
        >>> pgd = PGD(epsilon=0.1, step_size=0.02, steps=2)
        >>> found = adversarial_examples({"linear": network}, pair, pgd, ExampleChoice((4, 7)))
        >>> found["adversarial"].shape, found["label"].tolist()
        ((1, 1, 2, 1, 8, 8), [4, 7])
    """
    split, classes, stated = evaluated_examples(data, protocol)
    labels = require_threats(stated, threats)
    places = example_places(data, split, stated, choice or ExampleChoice())
    ids = split.ids[torch.from_numpy(places)].tolist()
    each = len(places) * sum(stated.cost(label) for label in labels)
    work = AnalysisWork(len(models) * each, keys.get("progress"), keys.get("parts"))
    found = []
    with tensor_float_32(False):
        for name, model in models.items():
            batches = batches_of(model, split, stated, classes, pass_size=keys.get("pass_size"))
            key = f"{name}/{'/'.join(labels)}/{ids}/{iterates}"
            make = partial(arrays_of_model, batches_with(batches, places), labels, iterates, work)
            found.append(work.part(key, each, make))
    arrays = {key: np.stack([part[key] for part in found]) for key in found[0]}
    few = split.take(torch.from_numpy(places))
    return _analysis(tuple(models), labels, few, arrays, _about(data, classes, arrays, stated))


def _about(
    data: Any, classes: int | None, arrays: Arrays, protocol: Protocol
) -> tuple[list[str], Protocol]:
    """Return the names of the classes, and the protocol."""
    known = split_of(data)
    if isinstance(known, Data):
        return list(map(str, known.classes)), protocol
    seen = [int(array.max()) for key, array in arrays.items() if key.endswith("predicted")]
    largest = max([*seen, int(known.labels.max())])
    return list(map(str, range(classes or largest + 1))), protocol


def _analysis(
    names: Sequence[str],
    labels: Sequence[str],
    few: Split,
    arrays: Arrays,
    about: tuple[list[str], Protocol],
) -> Analysis:
    classes, protocol = about
    units = {"confidence": "%", "label_confidence": "%", "displacement": "grid units"}
    known, natural = few.labels.cpu().numpy(), as_bytes(float_images(few.images[:]))
    made = {
        "model": NamedArray(np.array(names), ("model",)),
        "threat": NamedArray(np.array(labels), ("threat",)),
        "example": NamedArray(few.ids.cpu().numpy(), ("example",)),
        "class": NamedArray(np.array(classes), ("class",)),
        "strength": NamedArray(np.array([_strength(protocol, n) for n in labels]), ("threat",)),
        "label": NamedArray(known, ("example",)),
        "image": NamedArray(natural, ("example", *_IMAGE), "1/255", in_table=False),
    }
    for key, array in arrays.items():
        axes: tuple[str, ...] = ("model", "example") if key.startswith(NATURAL) else _SEARCHED
        axes = _FILM if key.startswith("film") else axes
        pixels = key in ("adversarial", "film", "displacement")
        unit = "1/255" if key in ("adversarial", "film") else units.get(key.rpartition("_")[2], "")
        if key == "displacement":
            axes = (*axes, "row", "column", "direction")
        elif pixels:
            axes = (*axes, *_IMAGE)
        made[key] = NamedArray(array, axes, unit, not pixels)
    wrong = (arrays["predicted"] != known).sum(-1)
    found = [
        AnalysisFinding(
            f"under {label}, {name} misclassifies {wrong[m, t]} of "
            f"{len(known)} example{'' if len(known) == 1 else 's'}"
        )
        for m, name in enumerate(names)
        for t, label in enumerate(labels)
    ]
    return Analysis(
        "examples",
        made,
        tuple(map(AnalysisSubject, names)),
        {"threats": list(labels), "examples": few.ids.tolist()},
        tuple(found),
        (_NOTE,),
    )


def _strength(protocol: Protocol, label: str) -> str:
    column = protocol.columns_of(label)[-1]
    return f"{column.written} steps" if column.by == "steps" else f"radius {column.written}"


_NOTE = (
    "Below each image: the predicted class and its confidence; a frame marks a wrong one. "
    "Differences are drawn about mid-grey, each up to its own largest. Grids show the point that "
    "each pixel reads; arrows lead from there to the pixel."
)
