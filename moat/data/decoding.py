"""Image files decoded once to squares of one size, kept as an array that is mapped, not read."""

import json
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image
from torchvision.transforms import functional

from moat.data.tree import ImageTree
from moat.storage import disk, make_folder, to_json
from moat.types import StoredImages

VERSION = 1  # of what decoding makes of a file


@dataclass(frozen=True, eq=False)
class Decoded:
    """The images of a list of files, and why some of them could not be read (those are black)."""

    images: StoredImages
    broken: dict[int, str]  # by position in the list


def decode(tree: ImageTree, names: Sequence[str], side: int, cache: Path | None) -> Decoded:
    """Return the files as squares of `side` pixels, 3 channels: the shorter side scaled, centred.

    With a cache folder they are decoded once: the array lies there in a folder named after the
    files, their sizes and times (or checksums) and the side, is written beside its place and moved
    there whole, and is mapped into memory. Processes that want the same wait for the one that
    makes it. Without, it lies in memory.
    """
    if cache is None:
        pixels = np.zeros((len(names), 3, side, side), np.uint8)
        return Decoded(torch.from_numpy(pixels), _decode_into(pixels, tree, names))
    address = sha256(f"{VERSION} {side} {tree.digest(names)}".encode()).hexdigest()[:16]
    folder = cache / f"images-{address}"
    make_folder(cache)
    with disk(cache), FileLock(cache / f".{folder.name}.lock"):
        if not folder.exists():
            _make(folder, tree, names, side)
    mapped = np.load(folder / "images.npy", mmap_mode="c")  # copy on write: torch wants writable
    broken = json.loads((folder / "broken.json").read_text("utf-8"))
    return Decoded(torch.from_numpy(mapped), {int(row): why for row, why in broken.items()})


def _make(folder: Path, tree: ImageTree, names: Sequence[str], side: int) -> None:
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        shape = (len(names), 3, side, side)
        pixels = np.lib.format.open_memmap(temporary / "images.npy", "w+", np.uint8, shape)
        broken = _decode_into(pixels, tree, names)
        pixels.flush()
        (temporary / "broken.json").write_bytes(to_json(broken))
        os.replace(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _decode_into(
    pixels: NDArray[np.uint8], tree: ImageTree, names: Sequence[str]
) -> dict[int, str]:
    """Decode each file into its row, several at a time; return why some could not be."""

    def one(row: int) -> str:
        try:
            pixels[row] = square(tree, names[row], pixels.shape[2])
        except Exception as error:  # a broken file makes its decoder raise nearly anything
            return f"{type(error).__name__}: {error}"
        return ""

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(one, range(len(names))))
    return {row: why for row, why in enumerate(found) if why}


def square(tree: ImageTree, name: str, side: int) -> NDArray[np.uint8]:
    """Return one file as RGB, shape (3, side, side): grey, CMYK and palettes are converted."""
    with Image.open(BytesIO(tree.read(name))) as image:
        scaled = functional.resize(image.convert("RGB"), side)
        return np.asarray(functional.center_crop(scaled, [side, side])).transpose(2, 0, 1)
