"""Caltech-256, from its image files."""

from pathlib import Path

from pydantic import PositiveInt

from moat.data.base import Data, dataset, find_root
from moat.data.image_files import ImageFiles, empty_category, in_seeded_order
from moat.data.tree import read_tree
from moat.errors import DataError
from moat.number_bounds import Seed

CLUTTER = "257.clutter"
TREE = "caltech256/256_ObjectCategories"


@dataset("caltech256")
class Caltech256(ImageFiles):
    """30,607 photographs of 256 categories of objects and one of clutter.

    On disk: `<root>/caltech256/256_ObjectCategories/001.ak47/001_0001.jpg` and so on, torchvision's
    layout; some of the categories are enough. Caltech-256 has no official split:
    `train_per_category` images of each category are drawn for training (60 is usual), the others
    are for testing. `download` fetches missing files, 1.2 GB. The default of `root` is the folder
    named by the variable MOAT_DATA, else ./data.

    Example:
        >>> Caltech256(root=Path("data"), size=64).root  # `load` reads the files
        PosixPath('data')

    Source: Griffin, Holub and Perona, Caltech-256 Object Category Dataset, 2007.
    """

    root: Path | None = None
    download: bool = False
    clutter: bool = False  # whether 257.clutter is a class
    train_per_category: PositiveInt = 60  # images
    seed: Seed = 0  # of which they are

    def load(self, cache: Path | None = None) -> Data:
        """Read the chosen categories; raise DataError with the folder if it has none."""
        root = find_root(self.root)
        try:
            if self.download:
                from torchvision import datasets  # here: it takes as long as importing torch

                datasets.Caltech256(root, download=True)
            tree = read_tree(root / TREE)
        except Exception as error:  # a broken download makes torchvision raise nearly anything
            raise DataError(
                f"no Caltech-256 in {str(root.resolve())!r}: {error}",
                hint=f"Put its category folders under {TREE} there, name another folder with "
                "data.root or the variable MOAT_DATA, or set data.download = true.",
            ) from error
        categories = tree.categories()
        if not self.clutter:
            categories.pop(CLUTTER, None)
        train, test = {}, {}
        for category, names in categories.items():
            if not names:
                raise empty_category(category, tree)
            if len(names) <= self.train_per_category:
                raise DataError(
                    f"the category {category!r} has {len(names)} image(s): with "
                    f"{self.train_per_category} for training none is left for testing.",
                    where=str(tree.path.resolve()),
                    hint="Lower data.train_per_category, or remove the folder.",
                )
            drawn = in_seeded_order(names, self.seed)
            train[category] = sorted(drawn[: self.train_per_category])
            test[category] = sorted(drawn[self.train_per_category :])
        return self._read(tree, train, test, cache)
