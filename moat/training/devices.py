"""Device and precision, through Lightning Fabric."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from moat.environment import without
from moat.errors import InputError, did_you_mean
from moat.public import public
from moat.training.ledger import Ledger
from moat.training.settings import Precision
from moat.types import Images, Logits

__all__ = [
    "Fabric",
    "InPrecision",
    "TensorBoardLogger",
    "device_for",
    "event_files",
    "fabric_for",
]

DEVICES = ("auto", "cpu", "cuda")
RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")
"""Variables from which Fabric reads, at import, which of several processes this one is."""


def _no_launcher() -> AbstractContextManager[None]:
    """Hide a launcher's variables: a run has one process and one device wherever it is started.

    Fabric lets `LT_*` override its arguments, and a rank above 0 silences its loggers.
    """
    return without(RANKS, prefix="LT_")


if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from lightning_fabric.loggers.tensorboard import TensorBoardLogger
else:  # importing Fabric takes as long as importing torch, and to skip a run it is not needed
    Fabric = TensorBoardLogger = Any


@public
def device_for(device: str) -> torch.device:
    """Return the device for "auto", "cpu" or "cuda".

    Raises MoatError for another name, and for a missing device.

    Example:
        >>> device_for("cpu")
        device(type='cpu')
    """
    device = str(device)  # a torch.device, too
    if device not in DEVICES:
        raise InputError(
            f"no device is called {device!r}.{did_you_mean(device, DEVICES)}",
            hint=f"known: {', '.join(DEVICES)}\nA run uses the first visible GPU; "
            f"CUDA_VISIBLE_DEVICES=7 chooses another.",
        )
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "no CUDA device was found.",
            hint="Use --device cpu, or install a torch for your GPU.",
        )
    if device == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", 0)


@public
def fabric_for(device: str, precision: Precision) -> Fabric:
    """Return a Fabric for "auto", "cpu" or "cuda", on one device.

    It is the same inside and outside a job of SLURM, LSF, MPI or torchrun. Raises MoatError as
    `device_for` does.

    Example:
        >>> fabric_for("cpu", "32-true").device
        device(type='cpu')
    """
    accelerator = device_for(device).type
    mixed = precision == "bf16-mixed"  # TF32 is not a type of its own: moat.precision switches it
    with _no_launcher():
        from lightning_fabric import Fabric
        from lightning_fabric.plugins.environments.lightning import LightningEnvironment

        return Fabric(
            accelerator=accelerator,
            devices=1,
            precision="bf16-mixed" if mixed else "32-true",
            plugins=[LightningEnvironment()],  # else Fabric looks for a cluster's
        )


def event_files(folder: Path, purge_step: int, mark: str) -> TensorBoardLogger:
    """Return a logger of TensorBoard's event files in a folder; `mark` ends their names.

    TensorBoard then discards the entries from `purge_step` on.
    """
    with _no_launcher():
        from lightning_fabric.loggers.tensorboard import TensorBoardLogger

        return TensorBoardLogger(
            folder, name="", version="", purge_step=purge_step, filename_suffix=mark
        )


class InPrecision(nn.Module):
    """A model with a forward in the run's precision and with float32 logits.

    Search and descent differentiate through this wrapper and not through Fabric's own, which
    refuses that under mixed precision. The `ledger` counts the passes.

    Example:
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> images, fabric = torch.rand(2, 1, 8, 8), fabric_for("cpu", "bf16-mixed")
        >>> InPrecision(network, fabric)(images).dtype
        torch.float32
    """

    def __init__(self, model: nn.Module, fabric: Fabric, ledger: Ledger | None = None) -> None:
        super().__init__()
        self.model = model
        self.ledger = ledger
        self._fabric = fabric

    def forward(self, images: Images) -> Logits:
        """Return the logits of the images."""
        with self._fabric.autocast():
            logits: Logits = self.model(images)
        logits = logits.float()
        return logits if self.ledger is None else self.ledger.see(logits)
