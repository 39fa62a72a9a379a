"""Robust training in PyTorch Lightning: manual optimisation around moat's step.

pip install pytorch-lightning
python examples/lightning_module.py
"""

from typing import Any

import pytorch_lightning as lightning
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from moat.data import Digits
from moat.threats import PGD, RT
from moat.training import Step


class Robust(lightning.LightningModule):
    """A classifier that is trained against two threats."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False  # the step makes its gradients itself
        self.net = nn.Sequential(
            nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 36, 10)
        )

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimizer."""
        return torch.optim.AdamW(self.net.parameters(), lr=3e-3)

    def on_fit_start(self) -> None:
        """Make the step once the network is on its device."""
        threats = [
            PGD(epsilon=0.15, step_size=0.03, steps=5),
            RT(epsilon=0.2, step_size=0.05, steps=5),
        ]
        self.step = Step(self.net, self.optimizers(), threats, "max")
        if self.kept is not None:
            self.step.load_state_dict(self.kept)

    def training_step(self, batch: tuple[Tensor, Tensor], number: int) -> None:
        """Take one step, the gradients clipped between its halves."""
        seen = self.step.backward(*batch)
        self.clip_gradients(self.optimizers(), 1.0, gradient_clip_algorithm="norm")
        self.step.update()
        means = seen.losses.means().tolist()
        for name, loss in zip(seen.losses.names, means, strict=True):
            if loss == loss:  # the natural loss is NaN where the scalarizer leaves it out
                self.log(f"loss/{name}", loss)

    kept: dict[str, Any] | None = None

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the state of the step beside those that Lightning keeps."""
        checkpoint["moat"] = self.step.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take it back when the step is made."""
        self.kept = checkpoint["moat"]


def main(epochs: int = 10, steps: int | None = None) -> nn.Module:
    """Train on the 8×8 digits and return the network."""
    lightning.seed_everything(0, verbose=False)
    split = Digits().load(None).train
    data = TensorDataset(split.images.float() / 255, split.labels)
    model = Robust()
    trainer = lightning.Trainer(
        max_epochs=epochs,
        limit_train_batches=steps,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, DataLoader(data, batch_size=64, shuffle=True))
    return model.net


if __name__ == "__main__":
    main()
