"""Device and precision, through Lightning Fabric."""

import torch
from lightning_fabric import Fabric
from torch import nn

from moat.errors import MoatError
from moat.training.settings import Precision
from moat.types import Images, Logits


def fabric_for(device: str, precision: Precision) -> Fabric:
    """Return a Fabric for "auto", "cpu" or "cuda", on one device; MoatError where it is absent."""
    if device == "cuda" and not torch.cuda.is_available():
        raise MoatError(
            "no CUDA device was found.",
            hint="Take --device cpu, or install a torch that sees your GPU.",
        )
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    mixed = precision == "bf16-mixed"  # TF32 is no type of its own: moat.precision switches it
    return Fabric(accelerator=device, devices=1, precision="bf16-mixed" if mixed else "32-true")


class InPrecision(nn.Module):
    """A model whose forward runs under the run's precision and whose logits are float32 again.

    Search and descent differentiate through this and never through Fabric's own wrapper, which
    refuses that under mixed precision.
    """

    def __init__(self, model: nn.Module, fabric: Fabric) -> None:
        super().__init__()
        self.model = model
        self._fabric = fabric

    def forward(self, images: Images) -> Logits:
        """Return the logits of the images."""
        with self._fabric.autocast():
            logits: Logits = self.model(images)
        return logits.float()
