import os
import socket
import zipfile

import pytest
from PIL import Image

from moat.data import ImageFolder
from moat.data.tree import read_tree


def link(path):
    path.symlink_to("nowhere")


def folder(path):
    path.mkdir()


def bound_socket(path):
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path has at most 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


KINDS = {
    "dead link": link,
    "pipe": os.mkfifo,
    "socket": bound_socket,
    "folder named like an image": folder,
}


@pytest.mark.parametrize(("what", "make"), KINDS.items())
@pytest.mark.parametrize("count", [1, 2])
def test_what_is_called_as_an_image_and_is_none_is_counted(write_tree, tmp_path, what, make, count):
    root = write_tree({"train/a": 2, "train/b": 2, "test/a": 1, "test/b": 1})
    for number in range(count):
        make(root / "train" / "a" / f"x{number}.png")
    data = ImageFolder(folder="pictures", root=tmp_path, size=8).load()
    several = {"folder named like an image": "folders named like images"}.get(what, f"{what}s")
    told = f"{count} {several if count > 1 else what}"
    assert data.note.startswith(f"left out: {told}. Classes are numbered")
    assert len(data.train) == 4


@pytest.mark.parametrize("name", ["x", "x.txt", "x.PNG"])
def test_a_dead_link_is_one_whatever_its_ending(write_tree, name):
    root = write_tree({"a": 1})
    (root / name).symlink_to("nowhere")
    assert read_tree(root).left_out == {"dead link": 1}


def test_a_link_to_a_folder_that_is_read_already_is_counted(write_tree):
    root = write_tree({"a": 1})
    (root / "b").symlink_to(root / "a")
    (root / "a" / "back").symlink_to(root)
    tree = read_tree(root)
    assert tree.left_out == {"link to a folder that is read": 2}
    assert tree.folders == {"a"}


def test_a_linked_image_and_a_linked_folder_are_read(write_tree, tmp_path):
    root = write_tree({"a": 1})
    Image.new("RGB", (9, 9)).save(tmp_path / "elsewhere.png")
    (root / "a" / "linked.png").symlink_to(tmp_path / "elsewhere.png")
    write_tree({"c": 2}, folder="others")
    (root / "c").symlink_to(tmp_path / "others" / "c")
    tree = read_tree(root)
    assert len(tree.stamps) == 4
    assert tree.left_out == {}


def test_a_folder_that_may_not_be_read_is_counted(write_tree, monkeypatch):
    root = write_tree({"a": 1, "b": 1})
    truly = os.scandir

    def refused(path):
        if os.fspath(path).endswith("b"):
            raise PermissionError(13, "Permission denied", path)
        return truly(path)

    monkeypatch.setattr(os, "scandir", refused)  # root may read everything
    assert read_tree(root).left_out == {"folder that cannot be read": 1}


def test_a_folder_called_as_an_image_with_images_in_it_is_read(write_tree):
    tree = read_tree(write_tree({"a/x.png": 2, "b": 1}))
    assert len(tree.categories()["a"]) == 2
    assert tree.left_out == {}


def test_an_archive_counts_names_that_it_has_twice_and_empty_folders(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a/1.png", b"1")
        archive.mkdir("a/2.png")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a/1.png", b"2")
    tree = read_tree(tmp_path / "a.zip")
    assert tree.left_out == {"file named twice": 1, "folder named like an image": 1}
