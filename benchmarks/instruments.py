"""The cost of the instruments, against the passes that they consist of.

    python -m benchmarks.instruments [--images 20] [--points 51] [--rounds 9]

Every ratio is a median over rounds in which all of its parts ran in turn, of the CPU seconds of
this process: a SmoothGrad of the images against a forward and backward to each noisy copy, a
landscape against a forward of each of its images, a product with the Hessian against a gradient.
The bare passes take the same images: how long pooling takes depends on the values that it meets.
"""

import argparse
from collections.abc import Callable
from functools import partial
from time import process_time

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from benchmarks.timing import in_turn, ratio
from moat.allocator import in_use, keep_memory
from moat.analysis import (
    Lanczos,
    SmoothGrad,
    SurfaceGrid,
    loss_curvature,
    loss_surfaces,
    saliency_maps,
)
from moat.losses import cross_entropy
from moat.models import SmallCNN
from moat.passes import default_pass_size
from moat.threats import PGD, RT, GradientThreat, Integrated, attacked

COPIES = 100
PRODUCTS = 32
THREATS: dict[str, GradientThreat] = {
    "pgd": PGD(epsilon=0.3, step_size=0.01, start="noise"),
    "rt": RT(epsilon=0.3, step_size=0.1, start="noise"),
    "integrated": Integrated(
        flow_epsilon=0.3, flow_step_size=0.01, rt_epsilon=0.3, rt_step_size=0.1, start="noise"
    ),
}


def network() -> nn.Module:
    """Return the network of the MNIST studies, its last layer away from zero."""
    torch.manual_seed(0)
    made = SmallCNN().build((1, 28, 28), 10)
    nn.init.normal_(made[-1].weight, std=0.05)
    return made


class _Recorder(nn.Module):
    """Hands its images on, and keeps a copy of every pass."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.passes = network, list[Tensor]()

    def forward(self, images: Tensor) -> Tensor:
        """Return the network's logits."""
        self.passes.append(images.detach().clone())
        return self.network(images)


def passes_of(model: nn.Module, run: Callable[[nn.Module], object]) -> list[Tensor]:
    """Return the images of every pass that an instrument takes."""
    recorder = _Recorder(model)
    run(recorder)
    return recorder.passes


def forwards(model: nn.Module, passes: list[Tensor]) -> None:
    """Run the passes without a graph."""
    with attacked(model), torch.no_grad():
        for images in passes:
            model(images)


def forwards_and_backwards(model: nn.Module, passes: list[Tensor]) -> None:
    """Run the passes, each back to its images."""
    with attacked(model):
        for images in passes:
            leaf = images.requires_grad_()
            torch.autograd.grad(model(leaf)[:, 0].sum(), leaf)


def gradient(model: nn.Module, threat: GradientThreat, x: Tensor, y: Tensor) -> None:
    """Take one gradient of the loss in w."""
    with attacked(model):
        w = tuple(block.requires_grad_() for block in threat.climb(x, y).start)
        torch.autograd.grad(cross_entropy(model(threat.apply(x, w)), y).sum(), w)


def saliency_ratio(images: int, rounds: int) -> float:
    """Return what SmoothGrad costs, in its forwards and backwards."""
    model, x, y = network(), torch.rand(images, 1, 28, 28), torch.arange(images) % 10
    how = SmoothGrad(copies=COPIES)
    bare = passes_of(model, lambda taken: saliency_maps(taken, x, y, settings=how))
    runs: dict[str, Callable[[], object]] = {
        "bare": partial(forwards_and_backwards, model, bare),
        "maps": partial(saliency_maps, model, x, y, settings=how),
    }
    seconds = in_turn(runs, rounds, process_time)
    return ratio(seconds["maps"], seconds["bare"])


def landscape_ratio(threat: GradientThreat, points: int, rounds: int) -> float:
    """Return what a landscape of one image costs, in its forwards."""
    model, x, y = network(), torch.rand(1, 1, 28, 28), torch.zeros(1, dtype=torch.long)
    grid = SurfaceGrid(points=points)
    bare = passes_of(model, lambda taken: loss_surfaces(taken, threat, x, y, grid=grid))
    runs: dict[str, Callable[[], object]] = {
        "bare": partial(forwards, model, bare),
        "surface": partial(loss_surfaces, model, threat, x, y, grid=grid),
    }
    seconds = in_turn(runs, rounds, process_time)
    return ratio(seconds["surface"], seconds["bare"])


def product_ratio(threat: GradientThreat, images: int, rounds: int) -> float:
    """Return what a product with the Hessian costs within a spectrum, in gradients."""
    model, x, y = network(), torch.rand(images, 1, 28, 28), torch.arange(images) % 10
    how = Lanczos(steps=PRODUCTS)
    runs: dict[str, Callable[[], object]] = {
        "gradient": partial(gradient, model, threat, x, y),
        "spectrum": partial(loss_curvature, model, threat, x, y, settings=how),
    }
    seconds = in_turn(runs, rounds, process_time)
    entries = sum(block[0].numel() for block in threat.climb(x, y).start)
    products = min(PRODUCTS, entries)
    return ratio([one / products for one in seconds["spectrum"]], seconds["gradient"])


def costs(images: int, points: int, rounds: int) -> Table:
    """Return the table of the ratios."""
    table = Table("instrument", "in its bare passes", "goal")
    table.add_row("SmoothGrad", f"{saliency_ratio(images, rounds):.3f}", "≤ 1.1")
    for name, threat in THREATS.items():
        found = landscape_ratio(threat, points, rounds)
        table.add_row(f"landscape, {name}", f"{found:.3f}", "≤ 1.1")
    together = min(images, default_pass_size(torch.device("cpu")))
    for name, threat in THREATS.items():
        found = product_ratio(threat, together, rounds)
        table.add_row(f"Hessian product, {name}", f"{found:.2f}", "≤ 2.5")
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--points", type=int, default=51)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    keep_memory()
    console = Console()
    threads = f"{torch.get_num_threads()} thread(s)"
    console.print(f"torch {torch.__version__}, {threads}, float32, CPU, allocator: {in_use()}")
    console.print(costs(arguments.images, arguments.points, arguments.rounds))


if __name__ == "__main__":
    main()
