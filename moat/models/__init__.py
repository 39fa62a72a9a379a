"""Networks from images in [0, 1] to logits."""

from moat.models.base import Model, model, registry
from moat.models.film import FiLM
from moat.models.normalise import Normalise
from moat.models.preact_resnet18 import PreActResNet18
from moat.models.python import PythonModel
from moat.models.small_cnn import SmallCNN
from moat.models.state_dicts import load_into
from moat.models.tiny_cnn import TinyCNN
from moat.models.torchvision import ResNet18, torchvision_model
from moat.models.whole_network import built

__all__ = [
    "FiLM",
    "Model",
    "Normalise",
    "PreActResNet18",
    "PythonModel",
    "ResNet18",
    "SmallCNN",
    "TinyCNN",
    "built",
    "load_into",
    "model",
    "registry",
    "torchvision_model",
]
