"""The kit finds each broken promise of a data set, and says which."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from moat.data import Data, DataSet, Digits, ImageFolder, Split
from moat.errors import DataError
from moat.testing import check_dataset

CLASSES = ("even", "odd")


def split(seed, count=20, channels=1, size=8):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (count, channels, size, size), generator=generator)
    return Split(images.to(torch.uint8), torch.arange(count) % 2, torch.arange(count))


@dataclass(frozen=True)
class Sound(DataSet):
    """A good one, whose promises the others break."""

    def load(self, cache=None):
        return self.data()

    def data(self):
        return Data(split(0), split(1), CLASSES)


class GivesFloats(Sound):
    def data(self):
        data = super().data()
        return replace(data, train=replace(data.train, images=data.train.images / 128))


class GivesTensors(Sound):
    def load(self, cache=None):
        return split(0), split(1)


class SharesIds(Sound):
    def data(self):
        data = super().data()
        return replace(data, test=replace(data.test, ids=data.test.ids // 2))


class HasTwoClassesOfAName(Sound):
    def data(self):
        return replace(super().data(), classes=("even", "even"))


class HasColourInOneSplit(Sound):
    def data(self):
        return replace(super().data(), train=split(0, channels=3))


class TrainsOnSmallerImages(Sound):
    def data(self):
        return replace(super().data(), train=split(0, size=7))


class DeclaresColour(Sound):
    channels = 3


class ShufflesAnew(Sound):
    def data(self):
        LOADS.append(1)
        return replace(super().data(), train=split(len(LOADS)))


LOADS: list[int] = []


class KeepsOthersInItsCache(Sound):
    def load(self, cache=None):
        return self.data() if cache is None else replace(self.data(), test=split(5))


class NumbersAnew(Sound):
    def data(self):
        LOADS.append(1)
        data = super().data()
        return replace(data, train=replace(data.train, ids=data.train.ids + len(LOADS)))


class DrawsGlobally(Sound):
    def data(self):
        torch.rand(1)
        return super().data()


class JudgesTrainingImages(Sound):
    def data(self):
        data = super().data()
        return replace(data, test=data.train.take(torch.arange(5)))


@dataclass(frozen=True)
class Rooted(Sound):
    """A good one that reads a folder."""

    root: Path | None = None

    def load(self, cache=None):
        if self.root is not None:
            self.miss()
        return self.data()

    def miss(self):
        raise DataError("there is none.", where=str(self.root), hint="Put it there.")


class IgnoresItsRoot(Rooted):
    def miss(self):
        pass


class RaisesWhatItMeets(Rooted):
    def miss(self):
        raise FileNotFoundError(self.root)


class NamesNoFolder(Rooted):
    def miss(self):
        raise DataError("there is none.", hint="Put it there.")


class HasNoHint(Rooted):
    def miss(self):
        raise DataError("there is none.", where=str(self.root))


@pytest.mark.parametrize(
    ("cls", "sentence"),
    [
        (
            GivesFloats,
            r"the train images are torch\.float32 from 0 to 1\.99\d, not bytes \(uint8\)",
        ),
        (GivesTensors, "load returns .*, not Data"),
        (SharesIds, "10 of 20 test images share an id with another"),
        (HasTwoClassesOfAName, "two classes have one name"),
        (HasColourInOneSplit, r"images have the shape \(3, 8, 8\), test images \(1, 8, 8\)"),
        (TrainsOnSmallerImages, r"images have the shape \(1, 7, 7\), test images \(1, 8, 8\)"),
        (DeclaresColour, "its images have 1 channels, and `channels` is 3"),
        (ShufflesAnew, "a second load has other images or labels in its train split"),
        (KeepsOthersInItsCache, "a load with a cache has other images or labels in its test split"),
        (NumbersAnew, "a second load has other ids in its train split"),
        (DrawsGlobally, "load moved torch's global random state"),
        (JudgesTrainingImages, "5 of 5 test images are training images as well"),
        (IgnoresItsRoot, "it loads from an empty folder, whatever `root` says"),
        (RaisesWhatItMeets, "for an empty folder it raises FileNotFoundError, not DataError"),
        (NamesNoFolder, "its DataError does not name the folder: there is none"),
        (HasNoHint, "its DataError has no hint of how to get them: there is none"),
    ],
)
def test_a_broken_promise_is_named(cls, sentence):
    with pytest.raises(AssertionError, match=sentence) as caught:
        check_dataset(cls())
    assert str(caught.value).startswith(repr(cls()))
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("dataset", [Sound(), Rooted(), Digits(), Digits(size=16)], ids=repr)
def test_a_good_one_passes(dataset):
    check_dataset(dataset)


def test_missing_data_are_no_broken_promise(tmp_path):
    with pytest.raises(DataError, match="the folder or archive does not exist"):
        check_dataset(ImageFolder(folder="none", root=tmp_path))
