import pytest
from PIL import Image

from moat.data import ImageFolder
from moat.data.omissions import note_of
from moat.data.tree import read_tree


def test_a_plain_data_set_says_how_its_classes_are_numbered():
    assert note_of(["cat", "dog"], {}, 0, 0) == (
        "Classes are numbered by name, as text: 0 is cat, 1 is dog."
    )


@pytest.mark.parametrize(
    ("classes", "shown"),
    [
        (["1", "10", "2"], "0 is 1, 1 is 10, 2 is 2."),
        ([*"0123456"], "0 is 0, 1 is 1, 2 is 2, 3 is 3, and so on."),
        (sorted(map(str, range(12))), "1 is 1, 2 is 10, 3 is 11, 4 is 2, and so on."),
        (["B", "a"], "0 is B, 1 is a."),
        (["caf\udce9", "dog"], r"0 is caf\udce9, 1 is dog."),
    ],
)
def test_the_classes_shown_are_those_whose_numbers_surprise(classes, shown):
    assert note_of(classes, {}, 0, 0).endswith(f"as text: {shown}")


def test_one_line_says_what_of_a_folder_was_not_read(write_tree, tmp_path):
    root = write_tree({"1": 3, "10": 3, "2": 3, "2/.thumbs": 2})
    for name in ("a.gif", "b.GIF", "README", "c.txt", ".DS_Store", "._d.jpg"):
        (root / "1" / name).write_bytes(b"")
    Image.new("RGB", (9, 9)).save(root / "alone.png")
    (root / "2" / "broken.PNG").write_bytes(b"no image")
    data = ImageFolder(folder="pictures", root=tmp_path, size=8, broken="skip").load()
    assert data.note == (
        "left out: 2 .gif, 1 .txt, 3 hidden, 1 without an ending, 1 image in no category, 1 that "
        "cannot be decoded. Classes are numbered by name, as text: 0 is 1, 1 is 10, 2 is 2."
    )


def test_a_folder_that_is_no_part_counts_as_well(write_tree, tmp_path):
    write_tree({"train/a": 2, "train/b": 2, "test/a": 1, "test/b": 1, "val/a": 3, "val/b": 3})
    data = ImageFolder(folder="pictures", root=tmp_path, size=8).load()
    assert data.note.startswith("left out: 6 images in no category. Classes")


def test_endings_are_those_of_images_in_any_case(write_tree):
    root = write_tree({"a": 2})
    (root / "a" / "000_0000.jpg").rename(root / "a" / "000_0000.JPEG")
    tree = read_tree(root)
    assert (list(tree.stamps), tree.left_out) == (["a/000_0000.JPEG", "a/000_0001.jpg"], {})
