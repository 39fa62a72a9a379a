"""The promises of every data set, by name: one list for `check_dataset` and `moat check`."""

from moat.data import DataSet
from moat.public import public
from moat.testing import datasets
from moat.testing.datasets import DataCase
from moat.testing.promise import Promise, require_promises


@public
def check_dataset(dataset: DataSet) -> None:
    """Load a data set and run every check.

    Raises AssertionError with the first promise that is broken, and DataError where the data are
    missing.

    Example:
        >>> from moat.data import Digits
        >>> check_dataset(Digits())
    """
    case = DataCase(dataset)
    _ = case.data  # an error of missing data passes as it is
    require_promises(DATASET_PROMISES, case)


DATASET_PROMISES: tuple[Promise[DataCase], ...] = (
    Promise("its images are bytes, [0, 1] as floats", datasets.check_splits),
    Promise("each image has a label of its classes and an id of its own", datasets.check_labels),
    Promise("both splits have images of fitting shapes", datasets.check_image_shapes),
    Promise("every load gives the same bytes, with a cache and without", datasets.check_loads),
    Promise("torch's global random state stays still", datasets.check_load_draws),
    Promise("training and test images are disjoint", datasets.check_disjoint),
    Promise(
        "missing data are a DataError with the folder and the mend",
        datasets.check_missing_data,
        lambda case: case.has_root,
    ),
)
"""The promises of every data set, in the order in which they are checked."""
