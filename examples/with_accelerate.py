"""Robust training with Hugging Face's accelerate, gradients accumulated over two batches.

pip install accelerate
python examples/with_accelerate.py
"""

import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from moat.data import Digits
from moat.threats import PGD, RT
from moat.training import Step

TOGETHER = 2  # batches that make a step


def main(epochs: int = 10, steps: int | None = None) -> nn.Module:
    """Train on the 8×8 digits and return the network."""
    torch.manual_seed(0)
    accelerator = Accelerator(cpu=True)
    net = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 36, 10))
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    split = Digits().load(None).train
    data = TensorDataset(split.images.float() / 255, split.labels)
    net, optimizer, loader = accelerator.prepare(
        net, optimizer, DataLoader(data, batch_size=64, shuffle=True)
    )
    threats = [
        PGD(epsilon=0.15, step_size=0.03, steps=5),
        RT(epsilon=0.2, step_size=0.05, steps=5),
    ]
    net = accelerator.unwrap_model(net)
    step = Step(net, optimizer, threats, "average")
    for epoch in range(epochs):
        for number, (x, y) in enumerate(loader):
            if number == steps:
                break
            seen = step.backward(x, y, scale=1 / TOGETHER)
            if (number + 1) % TOGETHER == 0:
                accelerator.clip_grad_norm_(net.parameters(), 1.0)
                step.update()
        optimizer.zero_grad()  # of a last batch that is alone
        accelerator.print(f"epoch {epoch}:", seen.losses.means().tolist())
    return net


if __name__ == "__main__":
    main()
