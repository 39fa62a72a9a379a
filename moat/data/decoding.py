"""Image files decoded once to squares of one size, and kept as a memory-mapped array."""

import os
import re
import shutil
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from moat.data.kept_images import ARRAY, BROKEN, describe, mapped
from moat.data.tree import ImageTree
from moat.digests import digest_of_text
from moat.storage import UNSUPPORTED, disk, flush, make_folder, require_no_link
from moat.types import StoredImages

VERSION = 2  # of what decoding makes of a file
BACKGROUND = "white"  # of what is transparent
_ABANDONED = re.compile(r"\.images-(\w+)\.\d+\.tmp")


@dataclass(frozen=True, eq=False)
class Decoded:
    """The images of a list of files, and why some of them could not be read (those are black)."""

    images: StoredImages
    broken: dict[int, str]  # by position in the list


def decode(tree: ImageTree, names: Sequence[str], side: int, cache: Path | None) -> Decoded:
    """Return the files as squares of `side` pixels, 3 channels: the shorter side scaled, centred.

    With a cache folder they are decoded once: the array lies there in a folder named after where
    the files are, their names, sizes and times (or checksums) and the side. It is written beside
    its place, moved there whole, and mapped into memory. Processes that want the same wait for the
    one that makes it; what is damaged, by its digest, is made anew. Without a cache it lies in
    memory.
    """
    shape = (len(names), 3, side, side)
    if cache is None:
        pixels = np.zeros(shape, np.uint8)
        return Decoded(torch.from_numpy(pixels), _decode_into(pixels, tree, names))
    address = digest_of_text(f"{VERSION} {side} {tree.digest(names)}")
    folder = cache / f"images-{address}"
    make_folder(cache)
    _sweep(cache)
    lock = cache / f".{folder.name}.lock"
    for path in (folder, lock):
        require_no_link(path)
    with disk(cache), FileLock(lock):
        found = _mapped(folder, shape)
        if found is None:
            _make(folder, tree, names, shape)
            found = _mapped(folder, shape)
    assert found is not None
    return found


def _sweep(cache: Path) -> None:
    """Delete what killed processes left half decoded; a decoding process holds a lock."""
    found = [(left, _ABANDONED.fullmatch(left.name)) for left in cache.glob(".images-*.tmp")]
    for left, match in found:
        if not match:
            continue
        lock = FileLock(cache / f".images-{match[1]}.lock")
        with suppress(OSError):  # Timeout is one
            lock.acquire(blocking=False)
            try:
                shutil.rmtree(left, ignore_errors=True)
            finally:
                lock.release()


def _mapped(folder: Path, shape: tuple[int, ...]) -> Decoded | None:
    """Return what a folder of the cache holds, None where it is missing or damaged."""
    found = mapped(folder, folder.name, shape)
    return found and Decoded(torch.from_numpy(found[0]), found[1])


def _make(folder: Path, tree: ImageTree, names: Sequence[str], shape: tuple[int, ...]) -> None:
    """Decode into a folder beside its place, then move it there; its caller holds the lock."""
    for left in [folder, *folder.parent.glob(f".{folder.name}.*.tmp")]:  # broken, or abandoned
        shutil.rmtree(left, ignore_errors=True)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    temporary.mkdir()
    try:
        pixels = np.lib.format.open_memmap(temporary / ARRAY, "w+", np.uint8, shape)
        _reserve(temporary / ARRAY)
        broken = _decode_into(pixels, tree, names)
        pixels.flush()
        describe(temporary, folder.name, broken)
        for path in (temporary / ARRAY, temporary / BROKEN, temporary):
            flush(path)
        os.replace(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _reserve(path: Path) -> None:
    """Take the disk space of a file at once: a full disk kills a process that writes a mapping."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
            except OSError as error:
                if error.errno not in UNSUPPORTED:
                    raise


def _decode_into(
    pixels: NDArray[np.uint8], tree: ImageTree, names: Sequence[str]
) -> dict[int, str]:
    """Decode each file into its row, several at a time; return why some could not be."""

    def one(row: int) -> str:
        try:
            pixels[row] = square(tree, names[row], pixels.shape[2])
        except UnidentifiedImageError:
            return "no known image format"
        except Exception as error:  # a broken file makes its decoder raise nearly anything
            return f"{type(error).__name__}: {error}"
        return ""

    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("ignore")  # what Pillow can read all the same
        found = list(pool.map(one, range(len(names))))
    return {row: why for row, why in enumerate(found) if why}


def square(tree: ImageTree, name: str, side: int) -> NDArray[np.uint8]:
    """Return one file as RGB, shape (3, side, side): grey, CMYK and palettes are converted."""
    from torchvision.transforms import functional  # here: it takes as long as importing torch

    with Image.open(BytesIO(tree.read(name))) as image:
        scaled = functional.resize(_in_colour(image), side)
        return np.asarray(functional.center_crop(scaled, [side, side])).transpose(2, 0, 1)


def _in_colour(image: Image.Image) -> Image.Image:
    """Return an image as RGB, as a viewer shows it: turned as its EXIF data say, over white.

    What is transparent has a colour in the file that nobody sees. 16 bits a pixel are scaled to 8
    (Pillow alone would clip them); of several frames it is the first.
    """
    if image.mode == "F":
        raise ValueError("float pixels have no fixed range")
    image = _turned(image)
    if image.mode.startswith("I"):
        grey = np.asarray(image).clip(0, 65535)
        eight = (grey / 257).round().astype(np.uint8)
        eight[grey == image.info.get("transparency", -1)] = 255  # one level that nobody sees
        image = Image.fromarray(eight)
    elif image.has_transparency_data:
        over = Image.new("RGBA", image.size, BACKGROUND)
        image = Image.alpha_composite(over, image.convert("RGBA"))
    return image.convert("RGB")


def _turned(image: Image.Image) -> Image.Image:
    """Return an image the right way up; EXIF data that cannot be read turn nothing."""
    image.load()  # what is wrong with its pixels is wrong with the file
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a broken block makes its parser raise nearly anything
        return image
