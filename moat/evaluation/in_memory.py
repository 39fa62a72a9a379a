"""Images, labels and threats in memory, as arguments of an evaluation."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeGuard

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from moat.annotations import value_in_words
from moat.data import Data, Split
from moat.errors import ArgumentError, ModelError
from moat.evaluation.joining import is_example_list, joined_parts, pairs_of
from moat.evaluation.protocol import Protocol
from moat.threats import Threat, batch_of, type_labels
from moat.threats.arrays import bytes_of

READ_AT_ONCE = 256  # items of a torch Dataset


def split_of(data: Any) -> Data | Split:
    """Return the images and labels of what holds them, as Data or a Split.

    That is Data or a Split itself; a pair (images, labels) of tensors or arrays; or a DataLoader, a
    torch Dataset or any iterable that yields such pairs. Images are floats in [0, 1], kept as they
    are, or bytes. Raises MoatError with the mend for anything else.
    """
    if isinstance(data, Data):
        return data
    if isinstance(data, Split):
        stored = data.images
        is_float = isinstance(stored, Tensor) and stored.dtype != torch.uint8
        return _checked(stored, data.labels, data) if is_float else data
    if isinstance(data, tuple | list) and len(data) == 2 and _is_array(data[0]):
        return _checked(data[0], data[1])
    if isinstance(data, tuple) and len(data) == 2 and is_example_list(data[0]):
        return _checked(data[0], data[1])
    if isinstance(data, Dataset) and not isinstance(data, DataLoader):
        data = DataLoader(data, batch_size=READ_AT_ONCE)
    if isinstance(data, str | Mapping | Tensor) or not isinstance(data, Iterable):
        raise ArgumentError(
            f"the data are {value_in_words(data)}, not images with labels.",
            hint="Pass (images, labels), a DataLoader, a torch Dataset, a Split or Data.",
        )
    pairs = list(pairs_of(data))
    if not pairs:
        raise ModelError("the data contain no batch.")
    images, labels = zip(*pairs, strict=True)
    return _checked(joined_parts(images, "images"), joined_parts(labels, "labels"))


def protocol_of_threats(protocol: Any) -> Any:
    """Return a Protocol of what names threats: itself, a table of them, a list, or one threat.

    A list's are called after their types, several of one type by number: pgd, pgd-2. A table may
    have the fields of a Protocol: {"threats": ..., "examples": 100}, those of `evaluation` in a
    table of that name or beside the threats. Anything else is returned as it is.
    """
    if isinstance(protocol, Threat):
        protocol = [protocol]
    if isinstance(protocol, Mapping) and _has_fields(protocol):
        fields = {**protocol, **protocol.get("evaluation", {})}
        fields = {str(key): fields[key] for key in fields if key not in ("evaluation", "threats")}
        return Protocol(threats=_labelled(protocol["threats"]), **fields)
    if not isinstance(protocol, Mapping | list | tuple):
        return protocol
    return Protocol(_labelled(protocol))


def states_tables(protocol: Any) -> TypeGuard[Mapping[str, Any]]:
    """Say whether a table has threats that are tables themselves, as in a recipe."""
    threats = protocol.get("threats") if isinstance(protocol, Mapping) else None
    return isinstance(threats, Mapping) and any(
        isinstance(one, Mapping | str) for one in threats.values()
    )


def _has_fields(table: Mapping[str, Any]) -> bool:
    """Say whether a table has the fields of a protocol, and no threats by their labels."""
    held = isinstance(table.get("threats"), Mapping | list | tuple)
    return held and isinstance(table.get("evaluation", {}), Mapping)


def _labelled(threats: Any) -> dict[str, Any]:
    if isinstance(threats, Mapping):
        return dict(threats)
    return dict(zip(type_labels(threats), threats, strict=True))


def with_examples(protocol: Protocol, examples: int | None) -> Protocol:
    """Return the protocol with another number of examples, where one is given."""
    return protocol if examples is None else replace(protocol, examples=examples)


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _checked(images: Any, labels: Any, split: Split | None = None) -> Split:
    """Return a Split of images in [0, 1], or of bytes, and labels; ModelError for others."""
    stored = bytes_of(images)
    floats, y, _ = batch_of(images if stored is None else stored.float() / 255, labels)
    if not len(floats):
        raise ModelError("the data contain no image.")
    ids = torch.arange(len(y)) if split is None else split.ids
    return Split(floats.float() if stored is None else stored, y, ids)
