"""The promises of every data set about its images.

Example:
    >>> from moat.data import Digits
    >>> check_splits(DataCase(Digits()))
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import torch
from torch import Tensor

from moat.annotations import value_in_words
from moat.data import Data, DataSet, Split
from moat.errors import DataError
from moat.public import public
from moat.testing.breach import breach_of

MOST_SHARED = 0.01  # of the test images: published data sets have a few by mistake
AT_ONCE = 1000  # images at once


@public
@dataclass(frozen=True, eq=False)
class DataCase:
    """A data set, read once for all checks.

    Example:
        >>> from moat.data import Digits
        >>> len(DataCase(Digits()).data.test)
        359
    """

    subject: DataSet

    @cached_property
    def data(self) -> Any:
        """The loaded data; DataError if they are missing."""
        return self.subject.load()

    @property
    def splits(self) -> dict[str, Split]:
        """Both splits, by name."""
        return {"train": self.data.train, "test": self.data.test}

    @property
    def has_root(self) -> bool:
        """Whether a field says in which folder the data lie."""
        known: Any = self.subject
        return is_dataclass(known) and any(field.name == "root" for field in fields(known))


@public
def check_splits(case: DataCase) -> None:
    """Hold images to bytes (examples, channel, height, width), which are [0, 1] as floats."""
    assert isinstance(case.data, Data), breach_of(
        case.subject, f"load returns {value_in_words(case.data)}, not Data"
    )
    for name, split in case.splits.items():
        part = split.images[:AT_ONCE]
        assert part.dtype == torch.uint8, breach_of(
            case.subject,
            f"the {name} images are {part.dtype} from {part.min().item():.4g} to "
            f"{part.max().item():.4g}, not bytes (uint8) from 0 to 255",
        )
        assert len(split.images.shape) == 4, breach_of(
            case.subject,
            f"the {name} images have the shape {tuple(split.images.shape)}, not (examples, "
            "channel, height, width)",
        )


@public
def check_labels(case: DataCase) -> None:
    """Hold each image to a label of the classes and an id of its own."""
    classes = len(case.data.classes)
    for name, split in case.splits.items():
        counts = {"image": len(split.images), "label": len(split.labels), "id": len(split.ids)}
        assert len(set(counts.values())) == 1, breach_of(
            case.subject,
            f"the {name} split has " + ", ".join(f"{n} {what}s" for what, n in counts.items()),
        )
        low, high = int(split.labels.min()), int(split.labels.max())
        assert 0 <= low <= high < classes, breach_of(
            case.subject,
            f"the {name} labels go from {low} to {high}, and there are {classes} classes",
        )
        twice = len(split.ids) - len(split.ids.unique())
        assert not twice, breach_of(
            case.subject, f"{twice} of {len(split.ids)} {name} images share an id with another"
        )
    assert len(set(case.data.classes)) == classes, breach_of(
        case.subject, "two classes have one name"
    )


@public
def check_image_shapes(case: DataCase) -> None:
    """Hold both splits to as many channels, as declared, and training images to no smaller ones."""
    train, test = (tuple(split.images.shape[1:]) for split in case.splits.values())
    fits = train[0] == test[0] and train[1] >= test[1] and train[2] >= test[2]
    assert fits, breach_of(
        case.subject, f"training images have the shape {train}, test images {test}"
    )
    declared = case.subject.channels
    assert declared in (None, test[0]), breach_of(
        case.subject, f"its images have {test[0]} channels, and `channels` is {declared}"
    )


@public
def check_loads(case: DataCase) -> None:
    """Hold a second load, and one with a folder for a cache, to the same bytes."""
    with TemporaryDirectory() as folder:
        loads = {
            "a second load": case.subject.load(),
            "a load with a cache": case.subject.load(Path(folder)),
            "a load from that cache": case.subject.load(Path(folder)),
        }
        for how, data in loads.items():
            other = {"train": data.train, "test": data.test}
            for name, split in case.splits.items():
                assert other[name].digest() == split.digest(), breach_of(
                    case.subject, f"{how} has other images or labels in its {name} split"
                )
                assert torch.equal(other[name].ids, split.ids), breach_of(
                    case.subject, f"{how} has other ids in its {name} split"
                )
            assert data.classes == case.data.classes, breach_of(
                case.subject, f"{how} has other classes"
            )


@public
def check_load_draws(case: DataCase) -> None:
    """Hold torch's global random state still: what is drawn comes from a seed of its own."""
    before = torch.get_rng_state()
    case.subject.load()
    assert torch.equal(before, torch.get_rng_state()), breach_of(
        case.subject, "load moved torch's global random state"
    )


@public
def check_disjoint(case: DataCase) -> None:
    """Hold test images to be no training images, but for one in a hundred."""
    train, test = case.splits.values()
    if train.images.shape[1:] != test.images.shape[1:]:
        return  # stored at another size
    known = set(_digests(train))
    shared = sum(one in known for one in _digests(test))
    assert shared <= MOST_SHARED * len(test), breach_of(
        case.subject,
        f"{shared:,} of {len(test):,} test images are training images as well",
    )


@public
def check_missing_data(case: DataCase) -> None:
    """Hold a data set without its files to a DataError that names the folder and the mend."""
    with TemporaryDirectory() as folder:
        named: dict[str, Any] = {"root": Path(folder)}
        if any(field.name == "download" for field in fields(cast(Any, case.subject))):
            named["download"] = False
        empty = cast(DataSet, replace(cast(Any, case.subject), **named))
        raised = _error_of(empty)
        assert raised is not None, breach_of(
            case.subject, "it loads from an empty folder, whatever `root` says"
        )
        assert isinstance(raised, DataError), breach_of(
            case.subject, f"for an empty folder it raises {type(raised).__name__}, not DataError"
        )
        assert Path(folder).name in f"{raised.where} {raised.message}", breach_of(
            case.subject,
            f"for missing data its DataError does not name the folder: {raised.message}",
        )
        assert raised.hint, breach_of(
            case.subject,
            f"for missing data its DataError has no hint of how to get them: {raised.message}",
        )


def _error_of(dataset: DataSet) -> Exception | None:
    try:
        dataset.load()
    except Exception as error:  # a foreign data set may raise anything
        return error
    return None


def _digests(split: Split) -> Iterator[bytes]:
    for start in range(0, len(split), AT_ONCE):
        part: Tensor = split.images[start : start + AT_ONCE]
        yield from (sha256(one.numpy().tobytes()).digest() for one in part.contiguous())
