"""The speed of loading training images: moat's batches against a DataLoader, on the same images.

    python -m benchmarks.data --images cifar10-jpeg.zip --size 32 --rounds 3

Both shuffle, crop with padding and flip, and yield float batches in [0, 1] on the device. The
DataLoader has two workers and torchvision's own transforms: from arrays held in memory, as CIFAR-10
usually is, and from the image files, as folders usually are. moat's batches come whole from the
device, and streamed from the memory-mapped cache. Prints images a second and the ratios, medians
over rounds that take every way in turn. Also measured: what decoding once costs.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from benchmarks.timing import in_turn, ratio
from moat.data import Augmentation, ImageFolder, Split, shuffled_batches
from moat.data.base import find_root
from moat.data.tree import ImageTree, read_tree

BATCH, PADDING, WORKERS = 128, 4, 2


class InMemory(Dataset[tuple[torch.Tensor, int]]):
    """torchvision's CIFAR10 in what it does an item: an array's row to a PIL image, transformed."""

    def __init__(self, split: Split, transform: Callable[[object], torch.Tensor]) -> None:
        self.arrays = split.images[:].permute(0, 2, 3, 1).contiguous().numpy()
        self.labels, self.transform = split.labels.tolist(), transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.arrays[row])), self.labels[row]


class FromFiles(Dataset[tuple[torch.Tensor, int]]):
    """torchvision's ImageFolder in what it does an item: a file decoded, transformed."""

    def __init__(
        self, tree: ImageTree, split: Split, transform: Callable[[object], torch.Tensor]
    ) -> None:
        names = list(tree.stamps)
        self.tree, self.transform = tree, transform
        self.names, self.labels = [names[i] for i in split.ids.tolist()], split.labels.tolist()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        with (self.tree.path / self.names[row]).open("rb") as file:
            return self.transform(Image.open(file).convert("RGB")), self.labels[row]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", default="cifar10-jpeg.zip", help="within the data folder")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--examples", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    device = torch.device(asked.device)
    with tempfile.TemporaryDirectory() as scratch:
        found = measure(asked, device, Path(scratch))
    print(json.dumps(found, indent=2))
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


def measure(asked: argparse.Namespace, device: torch.device, scratch: Path) -> dict[str, object]:
    """Return images a second of every way, and moat's ratio to each DataLoader."""
    started = time.perf_counter()
    data = ImageFolder(folder=asked.images, size=asked.size).load(scratch / "cache")
    decoding = (len(data.train) + len(data.test)) / (time.perf_counter() - started)
    streamed = data.train.take(torch.randperm(len(data.train))[: asked.examples].sort().values)
    whole = Split(streamed.images[:].to(device), streamed.labels.to(device), streamed.ids)
    files = unpacked(read_tree(find_root(None) / asked.images), streamed, scratch / "files")
    size = asked.size
    crop = v2.Compose(
        [
            v2.RandomCrop(size, padding=PADDING),
            v2.RandomHorizontalFlip(),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
        ]
    )
    first = v2.Compose([v2.Resize(size), v2.CenterCrop(size), crop])
    arrays = theirs(InMemory(streamed, crop), device)
    folders = theirs(FromFiles(files, streamed, first), device)
    ways = {
        "moat, whole on the device": lambda: consume(ours(whole, size, device)),
        "moat, streamed from the cache": lambda: consume(ours(streamed, size, device)),
        "DataLoader, arrays in memory": lambda: consume(arrays()),
        "DataLoader, image files": lambda: consume(folders()),
    }
    seconds = in_turn(ways, asked.rounds)
    here, cached, in_memory, from_files = seconds.values()
    return {
        "images": f"{len(streamed)} of {asked.images} at {size} px, batches of {BATCH}",
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "images a second": {
            name: round(len(streamed) / median(times)) for name, times in seconds.items()
        },
        "decoding once, images a second": round(decoding),
        "whole / DataLoader of arrays": round(ratio(in_memory, here), 1),
        "whole / DataLoader of files": round(ratio(from_files, here), 1),
        "streamed / DataLoader of arrays": round(ratio(in_memory, cached), 1),
        "streamed / DataLoader of files": round(ratio(from_files, cached), 1),
    }


def unpacked(tree: ImageTree, split: Split, folder: Path) -> ImageTree:
    """Write the files of a split into a folder, so that workers read files, not an archive."""
    names = list(tree.stamps)
    for row in split.ids.tolist():
        path = folder / names[row]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tree.read(names[row]))
    return ImageTree(folder, tree.stamps)


def ours(split: Split, size: int, device: torch.device) -> object:
    """Return an epoch of moat's batches."""
    generator = torch.Generator().manual_seed(0)
    augment = Augmentation(crop_padding=PADDING, flip=True).on((size, size), generator)
    return shuffled_batches(split, BATCH, generator, augment, device)


def theirs(
    dataset: Dataset[tuple[torch.Tensor, int]], device: torch.device
) -> Callable[[], object]:
    """Return what makes an epoch of a DataLoader's batches; its workers live on between two."""
    loader = DataLoader(
        dataset,
        BATCH,
        shuffle=True,
        num_workers=WORKERS,
        persistent_workers=True,
        pin_memory=device.type == "cuda",
    )
    return lambda: ((x.to(device, non_blocking=True), y.to(device)) for x, y in loader)


def consume(batches: object) -> None:
    """Take every batch, and wait for the device."""
    for x, _ in batches:  # type: ignore[attr-defined]
        x.shape  # noqa: B018
    if torch.cuda.is_available():
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
