"""Networks from images in [0, 1] to logits."""

from moat.models.base import Model, model, registry
from moat.models.python import PythonModel
from moat.models.small_cnn import SmallCNN
from moat.models.tiny_cnn import TinyCNN

__all__ = ["Model", "PythonModel", "SmallCNN", "TinyCNN", "model", "registry"]
