"""Any tree of image files with a folder for each category."""

from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field, NonNegativeInt

from moat.data.base import Data, dataset, find_root
from moat.data.folders import Categories, ImageFiles
from moat.data.tree import ImageTree, read_tree
from moat.errors import DataError


@dataset("image-folder")
class ImageFolder(ImageFiles):
    """Your own images: a folder or a zip archive with a folder for each category.

    On disk: `<root>/<folder>/train/<category>/*` and `<root>/<folder>/test/<category>/*`, or
    `<root>/<folder>/<category>/*`, of which a seeded share of every category is put aside for
    testing. `folder` may be a zip archive and is part of what identifies the data; `root`, where
    it lies, is not: without it the folder that the variable MOAT_DATA names, else ./data.
    """

    folder: str  # within root
    root: Path | None = None
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.2  # where there is no test/
    seed: NonNegativeInt = 0  # of what is put aside for testing

    def load(self, cache: Path | None = None) -> Data:
        """Read both parts; raise DataError that names the folder and what it should hold."""
        path = find_root(self.root) / self.folder
        try:
            tree = read_tree(path)
        except DataError as error:
            raise DataError(
                error.message,
                error.where,
                "Put the images there, or name another place with data.root, data.folder or the "
                "variable MOAT_DATA.",
            ) from error
        parts = tree.categories()
        if {"train", "test"} <= parts.keys():
            return self._read(tree, tree.categories("train"), tree.categories("test"), cache)
        return self._read(tree, *self._divided(tree, parts), cache)

    def _divided(self, tree: ImageTree, categories: Categories) -> tuple[Categories, Categories]:
        train: dict[str, list[str]] = {}
        test: dict[str, list[str]] = {}
        generator = torch.Generator().manual_seed(self.seed)
        for category, names in categories.items():
            if len(names) < 2:
                raise DataError(
                    f"the category {category!r} has one image, {names[0]}, and needs one for "
                    "training and one for testing.",
                    where=str(tree.path.resolve()),
                    hint="Add images to it, take its folder away, or divide the images yourself "
                    "into train/ and test/.",
                )
            order = torch.randperm(len(names), generator=generator).tolist()
            count = min(max(1, round(self.test_share * len(names))), len(names) - 1)
            test[category] = [names[place] for place in sorted(order[:count])]
            train[category] = [names[place] for place in sorted(order[count:])]
        return train, test
