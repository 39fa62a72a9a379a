"""Random crops and flips of training images, drawn for each example, in batch, on the device."""

import math
from collections.abc import Callable
from typing import Annotated

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from pydantic import Field, model_validator
from torch import Tensor

from moat.data.base import as_floats
from moat.errors import DataError
from moat.fields import Fields
from moat.geometry.grids import affine_grid, resample
from moat.number_bounds import PositiveNumber
from moat.transfers import send
from moat.types import Images, StoredImages

Augment = Callable[[StoredImages], Images]
"""From a batch as it is stored to the float images that are trained on."""

MOST_PADDING = 1024  # pixels


class Augmentation(Fields):
    """The random variation of training images: each example separately, anew in every epoch.

    `crop_padding` pads an image with black and crops it back at a random place. `resized_crop`
    takes a random rectangle with that share of the image's area, its ratio of width to height drawn
    from `aspect_ratio` (both ends included, uniform in the logarithm), and resizes it; a rectangle
    beyond the image is cut at its border. `flip` mirrors half of the images, left to right.

    Example:
        >>> Augmentation(crop_padding=4, flip=True).flip
        True

    Source: the crop and flip of He et al., Deep Residual Learning, 2016, Section 4.2; the resized
    crop of Szegedy et al., Going Deeper with Convolutions, 2015.
    """

    crop_padding: Annotated[int, Field(ge=0, le=MOST_PADDING)] = 0  # pixels
    flip: bool = False
    resized_crop: Annotated[tuple[PositiveNumber, PositiveNumber], Field(strict=False)] | None = (
        None
    )
    aspect_ratio: Annotated[tuple[PositiveNumber, PositiveNumber], Field(strict=False)] = (
        3 / 4,
        4 / 3,
    )

    @model_validator(mode="after")
    def _one_crop(self) -> "Augmentation":
        if self.resized_crop and self.crop_padding:
            raise ValueError("crop_padding and resized_crop are two crops: set only one")
        if self.resized_crop and not self.resized_crop[0] <= self.resized_crop[1] <= 1:
            raise ValueError(
                f"resized_crop is a range of shares of the area, as in [0.08, 1.0], not "
                f"{list(self.resized_crop)}"
            )
        if self.aspect_ratio[0] > self.aspect_ratio[1]:
            raise ValueError(f"aspect_ratio is a range, not {list(self.aspect_ratio)}")
        return self

    def require_fits(self, size: tuple[int, int]) -> None:
        """Raise DataError where a crop may miss the images, of that height and width, altogether.

        That is, where the padding is as wide as they are.
        """
        if self.crop_padding and self.crop_padding >= min(size):
            raise DataError(
                f"crop_padding is {self.crop_padding} pixels, and the images have {size[0]} by "
                f"{size[1]}: a crop may miss the image.",
                hint=f"Set at most {min(size) - 1}; 4 is usual for 32 pixels.",
            )

    def on(self, size: tuple[int, int], generator: torch.Generator) -> Augment:
        """Return the augmentation to images of (height, width), its draws from the generator.

        Without random variation, larger stored images are cropped to their centre.
        """

        def augment(images: StoredImages) -> Float[Tensor, "batch channel _ _"]:
            if self.flip:
                mirrored = (
                    torch.rand(len(images), generator=generator, device="cpu", dtype=torch.float32)
                    < 0.5
                )
                images = torch.where(
                    send(mirrored, images.device)[:, None, None, None], images.flip(3), images
                )
            if self.resized_crop:
                return self._resized(as_floats(images), size, generator)
            return as_floats(_cropped(images, size, self.crop_padding, generator))

        return augment

    def _resized(
        self, x: Images, size: tuple[int, int], generator: torch.Generator
    ) -> Float[Tensor, "batch channel _ _"]:
        assert self.resized_crop is not None
        height, width = x.shape[2:]
        area = _uniform(len(x), self.resized_crop, generator)
        low, high = self.aspect_ratio
        ratio = _uniform(len(x), (math.log(low), math.log(high)), generator).exp()
        across = (area * ratio * height / width).sqrt().clamp(max=1)  # shares of the sides
        down = (area / ratio * width / height).sqrt().clamp(max=1)
        centre = (
            torch.rand(2, len(x), generator=generator, device="cpu", dtype=torch.float32) * 2 - 1
        )
        matrix = torch.zeros(len(x), 2, 3, device="cpu", dtype=torch.float32)
        matrix[:, 0, 0], matrix[:, 0, 2] = across, centre[0] * (1 - across)
        matrix[:, 1, 1], matrix[:, 1, 2] = down, centre[1] * (1 - down)
        grid = affine_grid(send(matrix, x.device).to(x), x.new_empty(len(x), 1, *size))
        sides = zip(grid.unbind(-1), (1 - 1 / width, 1 - 1 / height), strict=True)
        inside = [along.clamp(-edge, edge) for along, edge in sides]  # beyond, black is mixed in
        return resample(x, torch.stack(inside, dim=-1))


def _cropped(
    images: StoredImages, size: tuple[int, int], padding: int, generator: torch.Generator
) -> UInt8[Tensor, "batch channel _ _"]:
    """Return a part of each image: at a random place where it is padded, else its centre."""
    height, width = size
    places = [images.shape[2] - height + 2 * padding, images.shape[3] - width + 2 * padding]
    if padding:
        images = F.pad(images, (padding,) * 4)
        top, left = (
            send(
                torch.randint(0, n + 1, (len(images),), generator=generator, device="cpu"),
                images.device,
            )
            for n in places
        )
        windows = images.unfold(2, height, 1).unfold(3, width, 1)
        return windows[torch.arange(len(images), device=images.device), :, top, left]
    row, column = (n // 2 for n in places)
    return images[:, :, row : row + height, column : column + width]


def _uniform(count: int, ends: tuple[float, float], generator: torch.Generator) -> Tensor:
    low, high = ends
    return low + (high - low) * torch.rand(
        count, generator=generator, device="cpu", dtype=torch.float32
    )
