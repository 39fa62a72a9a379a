"""Robust training in a loop of your own: clipping, a moving average, a schedule, resuming.

python examples/plain_pytorch.py
"""

from pathlib import Path

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset

from moat.data import Digits
from moat.scalarizers import TwoMoment
from moat.threats import PGD, RT
from moat.training import Step


def digits(part: str) -> TensorDataset:
    """Return 8×8 digits as images in [0, 1] and integer labels."""
    split = getattr(Digits().load(None), part)
    return TensorDataset(split.images.float() / 255, split.labels)


def network() -> nn.Module:
    """Return a network from images in [0, 1] to logits; normalisation would be its first layer."""
    return nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 36, 10))


def main(epochs: int = 10, steps: int | None = None, checkpoint: Path | None = None) -> nn.Module:
    """Train on the digits and return the moving average of the network."""
    torch.manual_seed(0)
    net = network()
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    loader = DataLoader(digits("train"), batch_size=64, shuffle=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, epochs * len(loader))
    average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.99))
    step = Step(
        net,
        optimizer,
        [PGD(epsilon=0.15, step_size=0.03, steps=5), RT(epsilon=0.2, step_size=0.05, steps=5)],
        TwoMoment(rho=0.5),
        losses=nn.CrossEntropyLoss(reduction="none", label_smoothing=0.1),
        generator=torch.Generator().manual_seed(0),
    )
    parts = {"net": net, "optimizer": optimizer, "schedule": schedule, "average": average}
    parts["step"] = step
    begin = 0
    if checkpoint is not None and checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(kept[name])
        begin = kept["epoch"]
    for epoch in range(begin, epochs):
        torch.manual_seed(epoch)  # the order of the batches, and dropout
        for number, (x, y) in enumerate(loader):
            if number == steps:
                break
            seen = step.backward(x, y)
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            step.update()
            schedule.step()
            average.update_parameters(net)
        losses = zip(seen.losses.names, seen.losses.means().tolist(), strict=True)
        print(f"epoch {epoch}:", ", ".join(f"{name} {loss:.2f}" for name, loss in losses))
        if checkpoint is not None:
            states = {name: part.state_dict() for name, part in parts.items()}
            torch.save({**states, "epoch": epoch + 1}, checkpoint)
    return average.module


if __name__ == "__main__":
    main(checkpoint=Path("plain_pytorch.pt"))
