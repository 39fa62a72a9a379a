"""Image folders and Caltech-256, on small trees of real files."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets

from moat.data import Caltech256, Data, ImageFolder, batches_in_order, shuffled_batches
from moat.data.tree import read_tree
from moat.errors import DataError

SMALL = {"size": 8}


def ids(split: object) -> list[int]:
    return split.ids.tolist()  # type: ignore[attr-defined]


def caltech(root: Path, write_tree: object, counts: dict[str, int]) -> Path:
    write_tree(counts, folder="caltech256/256_ObjectCategories")  # type: ignore[operator]
    return root


# A folder for each category, divided by a seed.


def test_a_share_of_every_category_is_for_testing_and_no_image_is_in_both(write_tree, tmp_path):
    write_tree({"cat": 10, "dog": 5})
    data = ImageFolder(folder="pictures", root=tmp_path, test_share=0.4, **SMALL).load()
    assert data.classes == ("cat", "dog")
    assert data.shape == (3, 8, 8)
    assert data.test.labels.bincount().tolist() == [4, 2]
    assert data.train.labels.bincount().tolist() == [6, 3]
    assert sorted([*ids(data.train), *ids(data.test)]) == list(range(15))


@pytest.mark.parametrize(("share", "tested"), [(0.01, 1), (0.99, 2)])
def test_both_parts_have_an_image_of_every_category_whatever_the_share(
    write_tree, tmp_path, share, tested
):
    write_tree({"cat": 3, "dog": 3})
    data = ImageFolder(folder="pictures", root=tmp_path, test_share=share, **SMALL).load()
    assert data.test.labels.bincount().tolist() == [tested, tested]


def test_the_seed_decides_what_is_for_testing(write_tree, tmp_path):
    write_tree({"cat": 20, "dog": 20})
    found = [
        ids(ImageFolder(folder="pictures", root=tmp_path, seed=seed, **SMALL).load().test)
        for seed in (0, 0, 1)
    ]
    assert found[0] == found[1] != found[2]


def test_train_and_test_folders_are_taken_as_they_are(write_tree, tmp_path):
    write_tree({"train/cat": 3, "train/dog": 2, "test/cat": 1, "test/dog": 4})
    data = ImageFolder(folder="pictures", root=tmp_path, **SMALL).load()
    assert data.train.labels.bincount().tolist() == [3, 2]
    assert data.test.labels.bincount().tolist() == [1, 4]
    reference = datasets.ImageFolder(tmp_path / "pictures" / "train")
    assert list(data.classes) == reference.classes
    assert data.train.labels.tolist() == reference.targets


def test_the_root_is_found_by_the_variable_or_in_the_folder_data(write_tree, tmp_path, monkeypatch):
    write_tree({"cat": 2, "dog": 2})
    monkeypatch.setenv("MOAT_DATA", str(tmp_path))
    assert len(ImageFolder(folder="pictures", **SMALL).load().train) == 2
    monkeypatch.delenv("MOAT_DATA")
    (tmp_path / "data").mkdir()
    (tmp_path / "pictures").rename(tmp_path / "data" / "pictures")
    monkeypatch.chdir(tmp_path)
    assert len(ImageFolder(folder="pictures", **SMALL).load().train) == 2


def test_training_images_keep_more_than_the_model_sees_and_testing_takes_their_centre(
    write_tree, tmp_path
):
    write_tree({"cat": 4, "dog": 4})
    data = ImageFolder(folder="pictures", root=tmp_path, size=8, resize=12).load()
    assert data.train.images.shape[2:] == (12, 12)
    assert data.test.images.shape[2:] == data.shape[1:] == (8, 8)
    whole = ImageFolder(folder="pictures", root=tmp_path, size=12).load()
    assert torch.equal(data.test.images[:], whole.test.images[:][:, :, 2:10, 2:10])


def test_resize_below_size_is_refused():
    with pytest.raises(ValueError, match=r"resize should be at least size \(8\), not 7"):
        ImageFolder(folder="pictures", size=8, resize=7)


def test_batches_of_mapped_images_are_those_of_images_in_memory(write_tree, tmp_path):
    write_tree({"cat": 9, "dog": 8})
    made = ImageFolder(folder="pictures", root=tmp_path, **SMALL)
    mapped, plain = made.load(tmp_path / "cache").train, made.load().train
    found = []
    for split in (mapped, plain):
        generator = torch.Generator().manual_seed(0)
        found.append(list(shuffled_batches(split, 4, generator)) + list(batches_in_order(split, 5)))
    for (x, y), (other_x, other_y) in zip(*found, strict=True):
        assert torch.equal(x, other_x)
        assert torch.equal(y, other_y)


def test_what_is_done_to_a_mapped_image_never_reaches_the_file(write_tree, tmp_path):
    write_tree({"cat": 4, "dog": 4})
    made = ImageFolder(folder="pictures", root=tmp_path, **SMALL)
    first = made.load(tmp_path / "cache").train
    first.images.stored.zero_()  # type: ignore[union-attr]
    assert made.load(tmp_path / "cache").train.images[:].max() > 0


@pytest.mark.parametrize("called", ["test", "val", "valid", "validation"])
def test_the_test_folder_may_have_any_of_its_usual_names(write_tree, tmp_path, called):
    write_tree({"train/cat": 3, "train/dog": 2, f"{called}/cat": 1, f"{called}/dog": 4})
    data = ImageFolder(folder="pictures", root=tmp_path, **SMALL).load()
    assert data.classes == ("cat", "dog")
    assert data.test.labels.bincount().tolist() == [1, 4]


def test_test_images_without_categories_are_passed_over_for_those_that_have_them(
    write_tree, tmp_path
):
    root = write_tree({"train/cat": 2, "train/dog": 2, "val/cat": 1, "val/dog": 1, "test": 3})
    assert (root / "test" / "004_0000.jpg").exists()  # as ImageNet has it: nobody's label
    data = ImageFolder(folder="pictures", root=tmp_path, **SMALL).load()
    assert (len(data.train), len(data.test)) == (4, 2)


def test_one_image_more_or_less_moves_no_other_from_training_to_testing(write_tree, tmp_path):
    def tested() -> set[str]:
        names = sorted(str(path) for path in (tmp_path / "pictures").rglob("*.jpg"))
        split = ImageFolder(folder="pictures", root=tmp_path, test_share=0.5, **SMALL).load().test
        return {names[place] for place in ids(split)}

    root = write_tree({"cat": 20, "dog": 20, "emu": 20})
    before = tested()
    (root / "dog" / "001_0003.jpg").unlink()
    gone = str(root / "dog" / "001_0003.jpg")
    assert len(tested() ^ (before - {gone})) <= 1
    for path in (root / "cat").iterdir():
        path.unlink()
    (root / "cat").rmdir()
    kept = {name for name in before if "/cat/" not in name}
    assert (
        len({name for name in tested() if "/emu/" in name} ^ {n for n in kept if "/emu/" in n}) == 0
    )


# Bad input.


@pytest.mark.parametrize(("there", "missing"), [("train", "test"), ("val", "train")])
def test_half_of_a_division_is_refused(write_tree, tmp_path, there, missing):
    write_tree({f"{there}/cat": 3, f"{there}/dog": 2})
    with pytest.raises(DataError) as raised:
        ImageFolder(folder="pictures", root=tmp_path, **SMALL).load()
    assert raised.value.message == f"there is {there}/, but no {missing}/ beside it."
    assert raised.value.hint.startswith("Divide the images into train/ and test/")


@pytest.mark.parametrize("within", ["", "train/"])
def test_a_category_without_an_image_is_refused_by_name(write_tree, tmp_path, within):
    tested = {"test/cat": 1, "test/dog": 1} if within else {}
    root = write_tree({f"{within}cat": 3, f"{within}dog": 3, **tested})
    (root / within / "emu").mkdir()
    if within:
        (root / "test" / "emu").mkdir()
    with pytest.raises(DataError) as raised:
        ImageFolder(folder="pictures", root=tmp_path, **SMALL).load()
    assert raised.value.message == "the category 'emu' holds no image file."


def test_an_archive_with_a_folder_around_its_categories_says_how_to_pack_it(write_tree, tmp_path):
    write_tree({"cat": 2, "dog": 2})
    shutil.make_archive(str(tmp_path / "all"), "zip", tmp_path, "pictures")
    with pytest.raises(DataError) as raised:
        ImageFolder(folder="all.zip", root=tmp_path, **SMALL).load()
    assert raised.value.message == "the only category is 'pictures'; a classifier needs two."
    assert raised.value.hint == (
        "Pack the category folders themselves, without a folder around them."
    )


def test_one_category_is_refused(write_tree, tmp_path):
    write_tree({"cat": 4})
    with pytest.raises(DataError) as raised:
        ImageFolder(folder="pictures", root=tmp_path).load()
    assert raised.value.message == "the only category is 'cat'; a classifier needs two."
    assert raised.value.where == str(tmp_path / "pictures")


def test_a_category_with_one_image_is_refused_by_name(write_tree, tmp_path):
    write_tree({"cat": 4, "dog": 1})
    with pytest.raises(DataError) as raised:
        ImageFolder(folder="pictures", root=tmp_path).load()
    assert raised.value.message == (
        "the category 'dog' has one image, dog/001_0000.jpg, but needs one for training and one "
        "for testing."
    )
    assert "train/ and test/" in raised.value.hint


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "pictures" / "cat").mkdir(parents=True)
    with pytest.raises(DataError) as raised:
        ImageFolder(folder="pictures", root=tmp_path).load()
    assert raised.value.message == "no image is left to train on."


def test_a_missing_folder_says_where_it_was_looked_for_and_how_to_name_another(tmp_path):
    with pytest.raises(DataError) as raised:
        ImageFolder(folder="pictures", root=tmp_path).load()
    assert raised.value.where == str(tmp_path / "pictures")
    assert raised.value.hint == (
        "Put the images there, or name another place with data.root, data.folder or the variable "
        "MOAT_DATA."
    )


def test_training_and_test_folders_of_other_categories_are_refused(write_tree, tmp_path):
    write_tree({"train/cat": 2, "train/dog": 2, "test/cat": 2, "test/emu": 2})
    with pytest.raises(DataError) as raised:
        ImageFolder(folder="pictures", root=tmp_path).load()
    assert raised.value.message == (
        "training and test images have different categories: dog, emu in one of them only."
    )


def test_broken_files_stop_the_reading_by_name_or_are_skipped(write_tree, tmp_path):
    root = write_tree({"cat": 5, "dog": 8})
    for name in ("cat/000_0001.jpg", *(f"dog/001_000{n}.jpg" for n in range(5))):
        (root / name).write_bytes(b"broken")
    with pytest.raises(DataError) as raised:
        ImageFolder(folder="pictures", root=tmp_path, **SMALL).load(tmp_path / "cache")
    assert raised.value.message == "6 of 13 image files cannot be decoded."
    assert "cat/000_0001.jpg: no known image format" in raised.value.hint
    assert "and 1 more" in raised.value.hint
    assert 'data.broken = "skip"' in raised.value.hint
    made = ImageFolder(folder="pictures", root=tmp_path, broken="skip", test_share=0.5, **SMALL)
    data = made.load(tmp_path / "cache")
    assert len(data.train) + len(data.test) == 7
    every = torch.cat([part.images[:].flatten(1).amax(1) for part in (data.train, data.test)])
    assert bool((every > 0).all())


def test_a_category_that_skipping_empties_is_refused(write_tree, tmp_path):
    root = write_tree({"train/cat": 2, "train/dog": 2, "test/cat": 2, "test/dog": 1})
    (root / "test" / "dog" / "003_0000.jpg").write_bytes(b"broken")
    with pytest.raises(DataError) as raised:
        ImageFolder(folder="pictures", root=tmp_path, broken="skip", **SMALL).load()
    assert raised.value.message == "no test image can be decoded of dog."


def test_any_first_so_many_test_images_hold_every_category_by_its_share(write_tree, tmp_path):
    write_tree({"test/cat": 8, "test/dog": 4, "train/cat": 2, "train/dog": 2})
    labels = ImageFolder(folder="pictures", root=tmp_path, **SMALL).load().test.labels
    for count in range(3, 13):
        dogs = int((labels[:count] == 1).sum())
        assert abs(dogs - count / 3) <= 1


# Caltech-256.


def test_so_many_of_every_category_are_trained_on_and_the_rest_tested(write_tree, tmp_path):
    root = caltech(tmp_path, write_tree, {"001.ak47": 6, "002.flag": 9})
    data = Caltech256(root=root, train_per_category=4, **SMALL).load()
    assert data.classes == ("001.ak47", "002.flag")
    assert data.train.labels.bincount().tolist() == [4, 4]
    assert data.test.labels.bincount().tolist() == [2, 5]
    assert not set(ids(data.train)) & set(ids(data.test))
    others = Caltech256(root=root, train_per_category=4, seed=1, **SMALL).load()
    assert ids(others.train) != ids(data.train)


def test_the_clutter_is_a_class_only_where_it_is_asked_for(write_tree, tmp_path):
    root = caltech(tmp_path, write_tree, {"001.ak47": 3, "002.flag": 3, "257.clutter": 3})

    def classes(**keys: object) -> tuple[str, ...]:
        return Caltech256(root=root, train_per_category=2, **SMALL, **keys).load().classes

    assert classes() == ("001.ak47", "002.flag")
    assert classes(clutter=True) == ("001.ak47", "002.flag", "257.clutter")


def test_a_category_too_small_for_its_training_images_is_refused(write_tree, tmp_path):
    root = caltech(tmp_path, write_tree, {"001.ak47": 60, "002.flag": 61})
    with pytest.raises(DataError) as raised:
        Caltech256(root=root, **SMALL).load()
    assert raised.value.message == (
        "the category '001.ak47' has 60 image(s): with 60 for training none is left for testing."
    )


def test_without_its_files_caltech_says_where_it_looked_and_how_to_get_them(tmp_path):
    with pytest.raises(DataError) as raised:
        Caltech256(root=tmp_path).load()
    assert raised.value.message == (
        f"no Caltech-256 in {str(tmp_path)!r}: {tmp_path}/caltech256/256_ObjectCategories: the "
        f"folder or archive does not exist."
    )
    assert "data.download = true" in raised.value.hint


def test_files_that_are_no_photographs_do_not_count(write_tree, tmp_path):
    root = caltech(tmp_path, write_tree, {"001.ak47": 3, "056.dog": 3})
    folder = root / "caltech256" / "256_ObjectCategories"
    (folder / "056.dog" / "greg").mkdir()  # both lie in the original archive
    (folder / "001.ak47" / "RENAME2").write_text("")
    data = Caltech256(root=root, train_per_category=2, **SMALL).load()
    assert len(data.train) + len(data.test) == 6


# Real files.


@pytest.fixture
def real() -> Path:
    root = Path(os.environ.get("MOAT_DATA", ""))
    if not (root / "caltech256").is_dir():
        pytest.skip("the variable MOAT_DATA names no folder with Caltech-256")
    return root


def test_the_real_caltech_images_are_read_in_their_colours(real, tmp_path):
    data: Data = Caltech256(size=64).load(tmp_path)
    assert len(data.train) == 60 * len(data.classes)
    reference = datasets.Caltech256(real)
    assert list(data.classes) == reference.categories
    assert len(data.train) + len(data.test) == len(reference)
    tree = read_tree(real / "caltech256/256_ObjectCategories")
    name = list(tree.stamps)[ids(data.train)[0]]
    assert name.startswith(data.classes[int(data.train.labels[0])])
    image = Image.open(tree.path / name)
    mean = torch.tensor(np.asarray(image.convert("RGB"))).float().mean((0, 1))
    assert torch.allclose(data.train.images[:1].float().mean((0, 2, 3)), mean, atol=30)


def test_the_real_cifar_images_are_read_from_their_archive(real, some_cifar10, tmp_path):
    assert len(read_tree(real / "cifar10-jpeg.zip").stamps) == 60_000
    data = ImageFolder(folder="cifar10-jpeg.zip", size=32, root=some_cifar10()).load(tmp_path)
    assert (len(data.train), len(data.test)) == (5_000, 1_000)
    assert data.classes[0] == "airplane"
    assert 100 < data.test.images[:500].float().mean() < 140
