"""Images as input of a network, stored as bytes or as floats."""

from moat.data import as_floats
from moat.types import Images, StoredImages


def float_images(images: StoredImages) -> Images:
    """Return images in [0, 1]; floats as they are, which need not be multiples of 1/255."""
    return images if images.is_floating_point() else as_floats(images)
