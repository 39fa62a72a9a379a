"""Multi-task learning without threats: a scalarizer weighs the losses of your own network.

python examples/multi_task.py
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from moat.data import Digits
from moat.scalarizers import IMTLG


class Tasks(nn.Module):
    """One trunk, two heads: which digit it is, and how much ink it has."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU())
        self.digit, self.ink = nn.Linear(32, 10), nn.Linear(32, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of the digits, and the ink."""
        shared = self.trunk(x)
        return self.digit(shared), self.ink(shared)[:, 0]


def main(epochs: int = 10, steps: int | None = None) -> list[float]:
    """Train both tasks; return the weights of the last step."""
    torch.manual_seed(0)
    split = Digits().load(None).train
    images = split.images.float() / 255
    net = Tasks()
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    scalarizer = IMTLG()  # the sum projects equally on the unit gradient of each loss
    for epoch in range(epochs):
        for rows in torch.randperm(len(images)).split(64)[:steps]:
            digits, ink = net(images[rows])
            losses = torch.stack(
                [
                    F.cross_entropy(digits, split.labels[rows]),
                    F.mse_loss(ink, images[rows].mean((1, 2, 3))),
                ]
            )
            weights = scalarizer.weights(losses, net.trunk.parameters())
            optimizer.zero_grad()
            (weights * losses).sum().backward()
            optimizer.step()
        print(f"epoch {epoch}: losses {losses.tolist()}, weights {weights.tolist()}")
    return weights.tolist()


if __name__ == "__main__":
    main()
