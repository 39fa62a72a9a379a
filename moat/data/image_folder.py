"""Any tree of image files with a folder for each category."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from moat.data.base import Data, dataset, find_root
from moat.data.image_files import Categories, ImageFiles, empty_category, in_seeded_order
from moat.data.tree import ImageTree, read_tree
from moat.errors import DataError
from moat.number_bounds import Seed

TESTED = ("test", "val", "valid", "validation")
"""The possible names of a folder of test images; the first that holds categories is taken."""


@dataset("image-folder")
class ImageFolder(ImageFiles):
    """Your own images: a folder or a zip archive with a folder for each category.

    On disk: `<root>/<folder>/train/<category>/*` and `<root>/<folder>/test/<category>/*` (or `val`,
    `valid`, `validation`), or `<root>/<folder>/<category>/*`, of which a seeded share of every
    category is set aside for testing. `folder` may be a zip archive; it identifies the data, while
    `root`, its place, does not. The default of `root` is the folder named by the variable
    MOAT_DATA, else ./data.

    Example:
        >>> ImageFolder(folder="pictures", size=64).test_share
        0.2
    """

    folder: str  # within root
    root: Path | None = None
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.2  # where there is no test/
    seed: Seed = 0  # of what is put aside for testing

    def load(self, cache: Path | None = None) -> Data:
        """Read both parts; raise DataError with the folder and its expected contents."""
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
        tested = [name for name in TESTED if name in parts and tree.categories(name)]
        if "train" in parts and tested:
            return self._read(tree, tree.categories("train"), tree.categories(tested[0]), cache)
        if parts and parts.keys() <= {"train", *TESTED}:
            raise DataError(
                f"there is {next(iter(parts))}/, but no {'train' if tested else 'test'}/ beside "
                f"it.",
                where=str(path.resolve()),
                hint="Divide the images into train/ and test/, or put the category folders here "
                "themselves.",
            )
        return self._read(tree, *self._divided(tree, parts), cache)

    def _divided(self, tree: ImageTree, categories: Categories) -> tuple[Categories, Categories]:
        train: dict[str, list[str]] = {}
        test: dict[str, list[str]] = {}
        for category, names in categories.items():
            if not names and any(categories.values()):
                raise empty_category(category, tree)
            if len(names) == 1:
                raise DataError(
                    f"the category {category!r} has one image, {names[0]}, but needs one for "
                    f"training and one for testing.",
                    where=str(tree.path.resolve()),
                    hint="Add images to it, remove its folder, or divide the images yourself "
                    "into train/ and test/.",
                )
            drawn = in_seeded_order(names, self.seed)
            count = min(max(1, round(self.test_share * len(names))), len(names) - 1)
            test[category], train[category] = sorted(drawn[:count]), sorted(drawn[count:])
        return train, test
