"""Robust training in several processes: each has a part of the batch, gradients are averaged.

torchrun --nproc-per-node 2 examples/several_processes.py
"""

import torch
import torch.distributed as dist
from torch import Tensor, nn

from moat.data import Digits
from moat.objectives import LossMatrix
from moat.scalarizers import TwoMoment
from moat.threats import PGD, RT
from moat.training import Step


def average_gradients(net: nn.Module) -> None:
    """Give every process the mean of all processes' gradients."""
    for parameter in net.parameters():
        if parameter.grad is not None:
            dist.all_reduce(parameter.grad)
            parameter.grad /= dist.get_world_size()


def gathered(losses: LossMatrix) -> LossMatrix:
    """Return the losses of all processes' examples."""
    parts: list[Tensor] = [torch.empty_like(losses.values) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, losses.values)
    return LossMatrix(torch.cat(parts, dim=1), losses.names)


def train(images: Tensor, labels: Tensor, steps: int = 20, batch: int = 64) -> nn.Module:
    """Train on this process's part of each batch and return the network, the same in all."""
    torch.manual_seed(0)  # the same network everywhere; DistributedDataParallel would send it
    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 10))
    net = net.to(images.dtype)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    threats = [
        PGD(epsilon=0.15, step_size=0.03, steps=3),
        RT(epsilon=0.2, step_size=0.05, steps=3),
    ]
    step = Step(net, optimizer, threats, TwoMoment(rho=0.5))
    rank, processes = dist.get_rank(), dist.get_world_size()
    for number in range(steps):
        rows = torch.arange(number * batch, (number + 1) * batch) % len(images)
        own = rows[rank::processes]  # parts of one size, or their means would not average
        seen = step.backward(images[own], labels[own])
        average_gradients(net)
        step.update(gathered(seen.losses))
    return net


def main(steps: int = 20) -> None:
    """Train on the 8×8 digits, as one of the processes that torchrun started."""
    if not dist.is_torchelastic_launched():
        raise SystemExit("Start it with torchrun: see the first lines of this file.")
    dist.init_process_group("gloo")
    split = Digits().load(None).train
    net = train(split.images.float() / 255, split.labels, steps)
    print(f"process {dist.get_rank()}: {sum(p.sum().item() for p in net.parameters()):.6f}")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
