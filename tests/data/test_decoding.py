import errno
import json
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock
from PIL import Image
from torchvision.transforms import functional

from moat.data import decoding
from moat.data.decoding import decode, square
from moat.data.tree import read_tree
from moat.errors import DataError, DiskError


def names_of(path: Path) -> list[str]:
    return list(read_tree(path).stamps)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(("width", "height"), [(20, 16), (16, 20), (8, 8), (3, 40)])
def test_a_file_becomes_the_centre_of_its_scaled_self_in_colour(write_tree, mode, width, height):
    tree = read_tree(write_tree({"a": 1}, mode=mode, width=width, height=height))
    (name,) = tree.stamps
    with Image.open(tree.path / name) as image:
        assert image.mode == mode
        plain = functional.resize(image.convert("RGB"), 8)
    top, left = (round((side - 8) / 2) for side in (plain.height, plain.width))
    expected = np.asarray(plain)[top : top + 8, left : left + 8].transpose(2, 0, 1)
    assert np.array_equal(square(tree, name, 8), expected)


def test_a_palette_and_a_transparent_png_are_read_too(tmp_path):
    (tmp_path / "a").mkdir()
    Image.new("RGBA", (9, 9), (250, 10, 20, 255)).save(tmp_path / "a" / "1.png")
    Image.new("P", (9, 9), 3).save(tmp_path / "a" / "2.png")
    tree = read_tree(tmp_path)
    decoded = decode(tree, list(tree.stamps), 8, None)
    assert decoded.images.shape == (2, 3, 8, 8)
    assert not decoded.broken
    assert decoded.images[0, :, 0, 0].tolist() == [250, 10, 20]


def test_what_the_cache_holds_is_what_is_decoded_without_one(write_tree, tmp_path):
    tree = read_tree(write_tree({"a": 3, "b": 2}))
    names, cache = list(tree.stamps), tmp_path / "results" / ".cache"
    kept, plain = decode(tree, names, 8, cache), decode(tree, names, 8, None)
    assert torch.equal(kept.images, plain.images)
    assert kept.images.shape == (5, 3, 8, 8)
    assert plain.images.float().std() > 10
    (folder,) = (path for path in cache.iterdir() if path.is_dir())
    assert folder.name.startswith("images-")
    assert {path.name for path in folder.iterdir()} == {"images.npy", "broken.json"}


def test_files_are_decoded_once_and_again_when_one_of_them_changes(
    write_tree, tmp_path, monkeypatch
):
    root, cache, counted = write_tree({"a": 3}), tmp_path / "cache", []
    monkeypatch.setattr(
        decoding,
        "square",
        lambda tree, name, side: counted.append(name) or square(tree, name, side),
    )
    for _ in range(2):
        decode(read_tree(root), names_of(root), 8, cache)
    assert len(counted) == 3
    Image.new("RGB", (50, 50)).save(root / "a" / "000_0001.jpg")
    changed = decode(read_tree(root), names_of(root), 8, cache)
    assert len(counted) == 6
    assert changed.images[1].max() == 0
    decode(read_tree(root), names_of(root), 9, cache)
    assert len(counted) == 9


def test_several_that_want_the_same_decode_it_once(write_tree, tmp_path, monkeypatch):
    tree, counted = read_tree(write_tree({"a": 4})), []
    monkeypatch.setattr(
        decoding,
        "square",
        lambda tree, name, side: counted.append(name) or square(tree, name, side),
    )
    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(lambda _: decode(tree, list(tree.stamps), 8, tmp_path / "c"), range(4))
        )
    assert len(counted) == 4
    assert all(torch.equal(one.images, found[0].images) for one in found)


def test_a_decoding_that_is_stopped_leaves_nothing_and_the_next_one_is_whole(
    write_tree, tmp_path, monkeypatch
):
    tree, cache = read_tree(write_tree({"a": 3})), tmp_path / "cache"

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(decoding, "_decode_into", stop)
        with pytest.raises(KeyboardInterrupt):
            decode(tree, list(tree.stamps), 8, cache)
    assert [path for path in cache.iterdir() if path.is_dir()] == []
    assert decode(tree, list(tree.stamps), 8, cache).images.float().std() > 10


def test_what_a_killed_decoding_left_is_swept_by_the_next_unless_another_is_at_it(
    write_tree, tmp_path
):
    tree, cache = read_tree(write_tree({"a": 1})), tmp_path / "cache"
    for name in (".images-dead.7.tmp", ".images-live.7.tmp", ".images-mine.tmp.d"):
        (cache / name).mkdir(parents=True)
    with FileLock(cache / ".images-live.lock"):
        decode(tree, list(tree.stamps), 8, cache)
    left = {path.name for path in cache.iterdir() if path.is_dir() and path.name[0] == "."}
    assert left == {".images-live.7.tmp", ".images-mine.tmp.d"}


@pytest.mark.parametrize("cached", [True, False])
def test_a_broken_file_is_black_and_named_and_harms_no_other(write_tree, tmp_path, cached):
    root = write_tree({"a": 3})
    whole = (root / "a" / "000_0000.jpg").read_bytes()
    (root / "a" / "000_0000.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "a" / "000_0002.jpg").write_bytes(b"no image")
    tree = read_tree(root)
    for _ in range(2):  # made, then found
        decoded = decode(tree, list(tree.stamps), 8, tmp_path / "cache" if cached else None)
        assert sorted(decoded.broken) == [0, 2]
        assert "truncated" in decoded.broken[0].lower()
        assert decoded.broken[2] == "no known image format"
        assert decoded.images[1].float().std() > 0
        assert decoded.images[[0, 2]].max() == 0


def test_a_cache_that_cannot_be_written_is_said(write_tree, tmp_path):
    tree = read_tree(write_tree({"a": 1}))
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError) as raised:
        decode(tree, list(tree.stamps), 8, tmp_path / "file" / "cache")
    assert raised.value.where == str(tmp_path / "file" / "cache")


@pytest.mark.parametrize("spoil", ["truncated", "empty", "no array", "no json", "another shape"])
def test_what_does_not_hold_together_in_the_cache_is_made_anew(write_tree, tmp_path, spoil):
    tree, cache = read_tree(write_tree({"a": 3})), tmp_path / "cache"
    names = list(tree.stamps)
    expected = decode(tree, names, 8, cache).images.clone()
    (folder,) = cache.glob("images-*")
    array, broken = folder / "images.npy", folder / "broken.json"
    if spoil == "no json":
        broken.unlink()
    elif spoil == "another shape":
        np.save(array, np.zeros((2, 3, 8, 8), np.uint8))
    else:
        whole = array.read_bytes()
        array.write_bytes({"truncated": whole[:200], "empty": b"", "no array": b"text"}[spoil])
    assert torch.equal(decode(tree, names, 8, cache).images, expected)


def test_what_a_killed_process_left_is_cleared_by_the_next(write_tree, tmp_path):
    tree, cache = read_tree(write_tree({"a": 2})), tmp_path / "cache"
    decode(tree, list(tree.stamps), 8, cache)
    (folder,) = cache.glob("images-*")
    folder.rename(cache / f".{folder.name}.12345.tmp")
    decode(tree, list(tree.stamps), 8, cache)
    assert [path.name for path in cache.iterdir() if path.is_dir()] == [folder.name]


def test_a_full_disk_is_an_error_and_not_a_crash(write_tree, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    tree = read_tree(write_tree({"a": 2}))
    monkeypatch.setattr(decoding.os, "posix_fallocate", full)
    with pytest.raises(DiskError, match="cannot write: the disk is full"):
        decode(tree, list(tree.stamps), 8, tmp_path / "cache")
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]


def test_two_folders_whose_files_look_alike_are_not_taken_for_each_other(tmp_path):
    for root, value in (("one", 10), ("two", 200)):
        (tmp_path / root / "a").mkdir(parents=True)
        path = tmp_path / root / "a" / "1.bmp"
        Image.new("RGB", (9, 9), (value,) * 3).save(path)
        os.utime(path, ns=(0, 0))
    found = [
        decode(read_tree(tmp_path / root), ["a/1.bmp"], 8, tmp_path / "cache").images
        for root in ("one", "two")
    ]
    assert [images.unique().tolist() for images in found] == [[10], [200]]


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (25_700, 100), (65_535, 255)])
def test_sixteen_bits_a_pixel_are_scaled_and_not_clipped(tmp_path, value, expected):
    (tmp_path / "a").mkdir()
    Image.fromarray(np.full((9, 9), value, np.uint16)).save(tmp_path / "a" / "1.png")
    assert square(read_tree(tmp_path), "a/1.png", 8).tolist() == [[[expected] * 8] * 8] * 3


def test_a_level_of_sixteen_bits_that_is_transparent_is_white(tmp_path):
    (tmp_path / "a").mkdir()
    pixels = np.full((9, 9), 25_700, np.uint16)
    pixels[0] = 51_400
    Image.fromarray(pixels).save(tmp_path / "a" / "1.png", transparency=25_700)
    read = square(read_tree(tmp_path), "a/1.png", 9)
    assert (read[:, 0] == 200).all()
    assert (read[:, 1:] == 255).all()


def test_pixels_without_a_range_are_refused_and_named(tmp_path):
    (tmp_path / "a").mkdir()
    Image.new("F", (9, 9)).save(tmp_path / "a" / "1.tiff")
    decoded = decode(read_tree(tmp_path), ["a/1.tiff"], 8, None)
    assert decoded.broken == {0: "ValueError: float pixels have no fixed range"}


# Images as a viewer shows them.


def as_read(path: Path, side: int = 8) -> np.ndarray:
    """Return the file as moat reads it, (side, side, 3)."""
    return square(read_tree(path.parent.parent), f"a/{path.name}", side).transpose(1, 2, 0)


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "a").mkdir()
    return tmp_path / "a"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tiff"])
def test_an_image_is_turned_as_its_exif_data_say(folder, ending, orientation):
    upright = np.zeros((8, 8, 3), np.uint8)
    upright[:4, :4], upright[:4, 4:] = (200, 0, 0), (0, 200, 0)  # red, green; black below
    inverse = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    same = [None, Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180]
    same += [Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.TRANSPOSE, None]
    same += [Image.Transpose.TRANSVERSE]
    turn = inverse.get(orientation) if orientation in inverse else same[orientation - 1]
    stored = Image.fromarray(upright)
    stored = stored if turn is None else stored.transpose(turn)
    exif = Image.Exif()
    exif[274] = orientation
    how = {"lossless": True} if ending == "webp" else {"quality": 95} if ending == "jpg" else {}
    stored.save(folder / f"1.{ending}", exif=exif, **how)
    found = as_read(folder / f"1.{ending}").astype(int)
    assert np.abs(found - upright).mean() < 25


def test_exif_data_that_cannot_be_read_turn_nothing(folder):
    Image.new("RGB", (9, 9), (200, 10, 20)).save(folder / "1.jpg", exif=b"Exif\0\0MM\0*\0\0\0")
    assert np.abs(as_read(folder / "1.jpg").astype(int) - (200, 10, 20)).max() < 6
    assert not decode(read_tree(folder.parent), ["a/1.jpg"], 8, None).broken


HIDDEN_RED = {
    "RGBA": lambda: Image.new("RGBA", (9, 9), (255, 0, 0, 0)),
    "LA": lambda: Image.new("LA", (9, 9), (0, 0)),
    "P": lambda: Image.new("RGBA", (9, 9), (255, 0, 0, 0)).quantize(4),
}


@pytest.mark.parametrize("mode", HIDDEN_RED)
def test_what_is_transparent_is_white_whatever_colour_lies_under_it(folder, mode):
    HIDDEN_RED[mode]().save(folder / "1.png")
    assert as_read(folder / "1.png").min() == 255


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_a_colour_that_is_declared_transparent_is_white(folder, mode):
    image = Image.new(mode, (9, 9), 0)
    image.save(folder / "1.png", transparency=(0, 0, 0) if mode == "RGB" else 0)
    assert as_read(folder / "1.png").min() == 255


def test_half_transparent_is_half_white(folder):
    Image.new("RGBA", (9, 9), (200, 0, 100, 128)).save(folder / "1.webp", lossless=True)
    assert np.abs(as_read(folder / "1.webp").astype(int) - (227, 127, 177)).max() <= 1


def test_of_an_animation_the_first_frame_is_read(folder):
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    frames[0].save(folder / "1.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert as_read(folder / "1.webp")[0, 0].tolist() == [255, 0, 0]


def test_an_image_too_large_to_be_trusted_is_broken_and_one_that_is_large_is_read(
    folder, monkeypatch
):
    Image.new("RGB", (40, 40)).save(folder / "1.png")
    Image.new("RGB", (30, 40)).save(folder / "2.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700)  # Pillow warns above, and refuses twice it
    decoded = decode(read_tree(folder.parent), ["a/1.png", "a/2.png"], 8, None)
    assert list(decoded.broken) == [0]
    assert decoded.broken[0].startswith("DecompressionBombError: Image size (1600 pixels)")


# What is found on the disk.


def test_a_zip_archive_is_read_as_its_folder_is(write_tree, tmp_path):
    root = write_tree({"b": 2, "a": 2})
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in names_of(root):
            archive.write(root / name, name)
        archive.writestr("a/readme.txt", "no image")
        archive.writestr("__MACOSX/a/1.jpg", "no image either")
    folder, archive_tree = read_tree(root), read_tree(tmp_path / "all.zip")
    assert list(folder.stamps) == list(archive_tree.stamps) == sorted(folder.stamps)
    names = list(folder.stamps)
    found = [decode(tree, names, 8, None).images for tree in (folder, archive_tree)]
    assert torch.equal(*found)


def test_hidden_files_and_what_is_no_image_are_left_out(write_tree):
    root = write_tree({"a": 1})
    (root / "a" / "notes.txt").write_text("")
    (root / "a" / ".hidden.jpg").write_bytes(b"")
    (root / ".git").mkdir()
    (root / ".git" / "1.jpg").write_bytes(b"")
    (root / "loose.jpg").write_bytes(b"")
    (root / "a" / "deeper").mkdir()
    (root / "a" / "deeper" / "2.PNG").write_bytes(b"")
    (root / "empty").mkdir()
    tree = read_tree(root)
    assert list(tree.stamps) == ["a/000_0000.jpg", "a/deeper/2.PNG", "loose.jpg"]
    assert tree.categories() == {"a": ["a/000_0000.jpg", "a/deeper/2.PNG"], "empty": []}
    assert tree.categories("a") == {"deeper": ["a/deeper/2.PNG"]}


def test_a_linked_category_is_followed_and_a_link_that_leads_back_is_not(write_tree, tmp_path):
    root = write_tree({"a": 2})
    write_tree({"far": 3}, folder="elsewhere")
    (root / "b").symlink_to(tmp_path / "elsewhere" / "far")
    (root / "a" / "loop").symlink_to(root)
    counts = {category: len(files) for category, files in read_tree(root).categories().items()}
    assert counts == {"a": 2, "b": 3}


def test_the_digest_of_files_changes_with_a_file_and_with_their_order(write_tree):
    root = write_tree({"a": 2})
    tree, names = read_tree(root), names_of(root)
    assert tree.digest(names) == read_tree(root).digest(names) != tree.digest(names[::-1])
    with (root / names[0]).open("ab") as file:
        file.write(b"more")
    assert read_tree(root).digest(names) != tree.digest(names)


def test_a_missing_folder_and_a_file_that_is_no_archive_are_refused(tmp_path):
    with pytest.raises(DataError) as raised:
        read_tree(tmp_path / "gone")
    assert raised.value.message == "the folder or archive does not exist."
    assert raised.value.where == str(tmp_path / "gone")
    (tmp_path / "text.zip").write_text(json.dumps("no archive"))
    with pytest.raises(DataError) as raised:
        read_tree(tmp_path / "text.zip")
    assert raised.value.message.startswith("this is neither a folder nor a zip archive: ")
