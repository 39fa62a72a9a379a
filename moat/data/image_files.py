"""The common parts of data sets of image files: sizes, broken files, the training split."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import ConfigDict, Field, PositiveInt, model_validator
from pydantic.dataclasses import dataclass as pydantic_dataclass

from moat.data.base import Data, DataSet, Split
from moat.data.decoding import decode
from moat.data.mapped_images import ImageRows
from moat.data.omissions import note_of
from moat.data.tree import ImageTree
from moat.errors import DataError
from moat.printable import printable

Categories = Mapping[str, Sequence[str]]
"""The files of each category."""


@pydantic_dataclass(kw_only=True, frozen=True, config=ConfigDict(extra="forbid", strict=True))
class ImageFiles(DataSet):
    """A data set of image files of any size and colour, a folder for each category.

    A file is decoded once: the shorter side is scaled to `resize` pixels and the central square
    kept, as RGB (grey and CMYK files are converted), turned as its EXIF data say, over white where
    it is transparent. The model sees `size` pixels a side: the centre in testing, and in training
    what the augmentation makes of the whole square.
    """

    channels: ClassVar[int | None] = 3

    size: Annotated[int, Field(ge=8)] = 224  # pixels a side that the model sees
    resize: PositiveInt | None = None  # pixels a side that are kept; size where it is not given
    broken: Literal["stop", "skip"] = "stop"  # what to do with a file that cannot be decoded

    @model_validator(mode="after")
    def _large_enough(self) -> "ImageFiles":
        if self.resize is not None and self.resize < self.size:
            raise ValueError(f"resize should be at least size ({self.size}), not {self.resize}")
        return self

    def _read(
        self, tree: ImageTree, train: Categories, test: Categories, cache: Path | None
    ) -> Data:
        """Decode the files of both parts; an id is the place among all files of the tree."""
        classes = _classes(train, test, tree)
        position = {name: place for place, name in enumerate(tree.stamps)}
        listed = [(name, k) for k, c in enumerate(classes) for name in train[c]]
        listed += _spread(test, classes)
        names, labels = [name for name, _ in listed], [label for _, label in listed]
        decoded = decode(tree, names, self.resize or self.size, cache)
        if decoded.broken and self.broken == "stop":
            raise _broken(tree, names, decoded.broken)
        trained = sum(len(files) for files in train.values())
        whole = Split(
            ImageRows(decoded.images, torch.arange(len(names), device="cpu")),
            torch.tensor(labels, device="cpu"),
            torch.tensor([position[name] for name in names], device="cpu"),
        )
        kept = torch.tensor([row not in decoded.broken for row in range(len(names))], device="cpu")
        rows = torch.arange(len(names), device="cpu")
        first = whole.take(rows[:trained][kept[:trained]])
        second = whole.take(rows[trained:][kept[trained:]])
        for part, split in (("training", first), ("test", second)):
            _require_every_class(split, part, classes, tree)
        beside = len(tree.stamps) - len(names)
        note = note_of(classes, tree.left_out, len(names) - int(kept.sum()), beside)
        return Data(first, second.at((self.size, self.size)), tuple(map(printable, classes)), note)


def in_seeded_order(names: Sequence[str], seed: int) -> list[str]:
    """Return the files in an order that seed and names alone decide, file by file.

    So a file that is added or taken away moves no other from training to testing.
    """

    def drawn(name: str) -> bytes:
        return sha256(f"{seed} {name}".encode("utf-8", "surrogateescape")).digest()

    return sorted(names, key=drawn)


def _spread(part: Categories, classes: Sequence[str]) -> list[tuple[str, int]]:
    """Return the files with their labels, spread so that any first so many hold every class.

    Each class by its share, as nearly as whole numbers allow.
    """
    depths = [
        ((place + 1) / len(part[name]), label, file)
        for label, name in enumerate(classes)
        for place, file in enumerate(part[name])
    ]
    return [(file, label) for _, label, file in sorted(depths)]


def _classes(train: Categories, test: Categories, tree: ImageTree) -> list[str]:
    """Return the names of the classes; raise DataError unless there are two, the same in both."""
    if not any(train.values()) and not any(test.values()):
        raise DataError(
            "no image is left to train on.",
            where=str(tree.path.resolve()),
            hint="It should hold a folder for each category, with image files in it.",
        )
    if unequal := sorted(set(train) ^ set(test)):
        raise DataError(
            f"training and test images have different categories: {', '.join(unequal[:5])} in one "
            f"of them only.",
            where=str(tree.path.resolve()),
            hint="Give train/ and test/ the same folders, each with images.",
        )
    if len(train) < 2:
        inside = "Pack the category folders themselves, without a folder around them."
        raise DataError(
            f"the only category is {next(iter(train))!r}; a classifier needs two.",
            where=str(tree.path.resolve()),
            hint=inside
            if tree.is_archive
            else "Name the folder that contains the category folders.",
        )
    for part in (train, test):
        for category, names in part.items():
            if not names:
                raise empty_category(category, tree)
    return list(train)


def empty_category(category: str, tree: ImageTree) -> DataError:
    """Return the error that says of a folder that no image is in it."""
    return DataError(
        f"the category {category!r} holds no image file.",
        where=str(tree.path.resolve()),
        hint="Add images to it, or remove its folder.",
    )


def _broken(tree: ImageTree, names: Sequence[str], broken: dict[int, str]) -> DataError:
    lines = [f"{names[row]}: {why}" for row, why in list(broken.items())[:5]]
    more = [f"and {len(broken) - 5} more"] if len(broken) > 5 else []
    return DataError(
        f"{len(broken)} of {len(names)} image files cannot be decoded.",
        where=str(tree.path.resolve()),
        hint="\n".join([*lines, *more, 'Repair or delete them, or set data.broken = "skip".']),
    )


def _require_every_class(split: Split, part: str, classes: Sequence[str], tree: ImageTree) -> None:
    present = set(split.labels.tolist())
    if gone := [name for label, name in enumerate(classes) if label not in present]:
        raise DataError(
            f"no {part} image can be decoded of {', '.join(gone)}.",
            where=str(tree.path.resolve()),
            hint="Repair its files, or remove its folder.",
        )
