import errno
import os

import pytest
from PIL import Image

from moat import storage
from moat.data.decoding import decode
from moat.data.tree import read_tree
from moat.errors import DiskError
from moat.storage import disk, encoded, replace, write_text


@pytest.fixture
def refused(monkeypatch):
    """Return a function that lets the system refuse to flush or open folders, or to flush files."""

    def refuse(what: str, number: int) -> None:
        truly = getattr(os, what)

        def asked(*args: object, **more: object):
            if what == "open" and os.path.isdir(args[0]):
                raise OSError(number, os.strerror(number))
            if what == "fsync":
                raise OSError(number, os.strerror(number))
            return truly(*args, **more)

        monkeypatch.setattr(os, what, asked)

    return refuse


@pytest.mark.parametrize("what", ["open", "fsync"])
@pytest.mark.parametrize("number", sorted(storage.UNSUPPORTED))
def test_a_system_that_flushes_no_folder_can_be_written_to(tmp_path, refused, what, number):
    """Windows opens no folder (EACCES); network disks flush none (EINVAL, ENOTSUP)."""
    refused(what, number)
    replace(tmp_path / "file", b"first")
    replace(tmp_path / "file", lambda file: file.write(b"second"))
    assert (tmp_path / "file").read_bytes() == b"second"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails_to_flush_is_an_error(tmp_path, refused, number):
    refused("fsync", number)
    with pytest.raises(DiskError, match="cannot write"):
        replace(tmp_path / "file", b"first")


@pytest.mark.parametrize("what", ["open", "fsync", "posix_fallocate"])
def test_image_files_are_decoded_there_too(tmp_path, write_picture, refused, what, monkeypatch):
    if what == "posix_fallocate":

        def unknown(*_: object) -> None:
            raise OSError(errno.EOPNOTSUPP, "not supported")

        monkeypatch.setattr(os, what, unknown)
    else:
        refused(what, errno.EINVAL)
    tree = read_tree(write_picture(tmp_path / "pictures" / "a" / "1.png"))
    assert decode(tree, ["a/1.png"], 8, tmp_path / "cache").images.max() == 200


@pytest.fixture
def write_picture():
    def write(path):
        path.parent.mkdir(parents=True)
        Image.new("RGB", (9, 9), (200, 200, 200)).save(path)
        return path.parents[1]

    return write


def test_a_disk_that_cannot_lock_is_said(tmp_path):
    with pytest.raises(DiskError, match="the disk cannot lock files") as caught, disk(tmp_path):
        raise NotImplementedError("FileSystem does not appear to support flock")
    assert "--results" in caught.value.hint


def test_a_text_with_a_name_that_is_no_utf8_is_written_with_escapes(tmp_path):
    assert encoded("naïve caf\udce9") == "naïve caf\\udce9".encode()
    write_text(tmp_path / "file", "caf\udce9")
    assert (tmp_path / "file").read_text("utf-8") == r"caf\udce9"
