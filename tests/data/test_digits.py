import importlib.util
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from moat.data import Digits, registry
from moat.errors import FieldError


def test_digits_are_1438_to_train_on_and_359_to_test_on():
    data = Digits().load()
    assert data.shape == (1, 8, 8)
    assert data.train.images.shape == (1438, 1, 8, 8)
    assert data.test.images.shape == (359, 1, 8, 8)
    assert data.train.images.dtype == torch.uint8
    assert data.train.labels.dtype == torch.int64
    assert data.classes == tuple("0123456789")
    assert (data.train.images.min(), data.train.images.max()) == (0, 255)


def test_no_digit_is_in_both_splits_and_none_is_lost():
    data = Digits().load()
    ids = torch.cat([data.train.ids, data.test.ids])
    assert ids.sort().values.tolist() == list(range(1797))


def test_a_fifth_of_every_class_is_for_testing():
    data = Digits().load()
    train, test = (split.labels.bincount(minlength=10) for split in (data.train, data.test))
    shares = test / (train + test)
    assert shares.sub(0.2).abs().max() < 0.005


def test_two_loads_are_the_same_and_independent():
    first, again = Digits().load(), Digits().load()
    assert torch.equal(first.train.images, again.train.images)
    first.train.images.zero_()
    assert again.train.images.any()


@pytest.mark.parametrize("size", [8, 16, 20])
def test_digits_are_enlarged_as_torch_interpolates(size):
    small, large = Digits().load().test, Digits(size=size).load().test
    assert large.images.shape == (359, 1, size, size)
    assert torch.equal(large.ids, small.ids)
    expected = F.interpolate(small.images.float(), size=(size, size), mode="bilinear")
    assert (large.images.float() - expected).abs().max() <= 1  # rounded twice here


@pytest.mark.parametrize(
    ("size", "why"),
    [(7, "greater than or equal to 8"), (65, "less than or equal to 64"), (16.5, "integer")],
)
def test_a_size_that_is_none_is_refused(size, why):
    with pytest.raises(FieldError, match=why):
        Digits(size=size)


def test_digits_are_known_by_their_name():
    assert registry.get("digits") is Digits


def test_the_file_is_small_enough_to_lie_in_the_package():
    assert len(resources.files("moat.data").joinpath("digits.npz").read_bytes()) < 150_000


def test_the_file_is_what_the_script_makes_of_scikit_learns_copy(tmp_path, capsys):
    script = Path(__file__).parents[2] / "scripts" / "build_digits.py"
    spec = importlib.util.spec_from_file_location("build_digits", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(tmp_path / "digits.npz")
    assert "359 of 1797 for testing" in capsys.readouterr().out
    with (
        resources.files("moat.data").joinpath("digits.npz").open("rb") as file,
        np.load(file) as kept,
        np.load(tmp_path / "digits.npz") as made,
    ):
        assert set(kept) == set(made)
        assert all((kept[name] == made[name]).all() for name in kept)
