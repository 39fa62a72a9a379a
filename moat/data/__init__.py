"""Data sets as uint8 images and integer labels."""

from moat.data.base import Data, DataSet, Split, as_floats, dataset, registry
from moat.data.batches import batches_in_order, batches_per_epoch, hold_out, shuffled_batches
from moat.data.digits import Digits
from moat.data.mnist import MNIST

__all__ = [
    "MNIST",
    "Data",
    "DataSet",
    "Digits",
    "Split",
    "as_floats",
    "batches_in_order",
    "batches_per_epoch",
    "dataset",
    "hold_out",
    "registry",
    "shuffled_batches",
]
