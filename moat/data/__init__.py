"""Data sets as uint8 images and integer labels."""

from moat.data.augmentation import Augmentation
from moat.data.base import DEVICE_MEMORY, Data, DataSet, Split, as_floats, dataset, registry
from moat.data.batches import (
    batches_in_order,
    batches_per_epoch,
    shuffled_batches,
    stored_in_order,
)
from moat.data.caltech256 import Caltech256
from moat.data.cifar10 import CIFAR10
from moat.data.digits import Digits
from moat.data.image_folder import ImageFolder
from moat.data.mnist import MNIST, FashionMNIST
from moat.data.splits import TrainingShare, hold_out, sample, stratified

__all__ = [
    "CIFAR10",
    "DEVICE_MEMORY",
    "MNIST",
    "Augmentation",
    "Caltech256",
    "Data",
    "DataSet",
    "Digits",
    "FashionMNIST",
    "ImageFolder",
    "Split",
    "TrainingShare",
    "as_floats",
    "batches_in_order",
    "batches_per_epoch",
    "dataset",
    "hold_out",
    "registry",
    "sample",
    "shuffled_batches",
    "stored_in_order",
    "stratified",
]
