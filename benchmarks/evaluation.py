"""What an evaluation costs: passes counted, time against who is alive, and other libraries.

    python -m benchmarks.evaluation [--examples 512] [--epochs 3] [--rounds 5]

Every ratio is a median over rounds in which all of its parts ran in turn. foolbox, torchattacks and
ART (adversarial-robustness-toolbox) are compared with where they are installed.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from benchmarks.timing import in_turn, ratio
from moat.data import Digits, Split
from moat.evaluation import Protocol, evaluate
from moat.losses import cross_entropy
from moat.models import SmallCNN
from moat.recipe import read_protocol
from moat.threats import PGD, GradientThreat

PROTOCOLS = Path(__file__).parents[1] / "recipes" / "protocols"
SHAPES = {"mnist": (1, 28, 28), "cifar10": (3, 32, 32)}
EPSILONS = (0.02, 0.05, 0.1, 0.2)
STEPS = 20
LIBRARIES = ("foolbox", "torchattacks", "art")


class Counted(nn.Module):
    """A network that counts the examples of its forwards: to be differentiated, and alone."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.gradients = self.alone = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the network's logits."""
        if torch.is_grad_enabled() and x.requires_grad:
            self.gradients += len(x)
        else:
            self.alone += len(x)
        return self.network(x)


def separate(protocol: Protocol) -> Protocol:
    """Return the protocol with one search for each count of steps."""
    threats, at_steps = {}, {}
    for label, threat in protocol.threats.items():
        assert isinstance(threat, GradientThreat)
        for count in protocol.steps(label):
            threats[f"{label}-{count}"] = replace(threat, steps=count)
            at_steps[f"{label}-{count}"] = (count,)
    return Protocol(threats, at_steps)


def passes(name: str, examples: int) -> tuple[float, float, bool]:
    """Return the passes an example that Table 1's protocol costs, shared and separate.

    And whether both find the same outcomes. The look at the model before it is searched is counted
    in: a pass over two images.
    """
    torch.manual_seed(0)
    channels, height, width = SHAPES[name]
    plain = nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, 10))
    images = torch.randint(0, 256, (examples, *SHAPES[name]), dtype=torch.uint8)
    with torch.no_grad():
        labels = plain(images / 255).argmax(1)
    split = Split(images, labels, torch.arange(examples))
    shared = read_protocol(PROTOCOLS / f"{name}.toml").protocol
    found, counts = [], []
    for protocol in (shared, separate(shared)):
        model = Counted(plain)
        evaluation = evaluate(model, split, protocol)
        found.append(evaluation.outcomes.values)
        counts.append(model.gradients / examples)
    return counts[0], counts[1], np.array_equal(*found)


def trained(split: Split, epochs: int) -> nn.Module:
    """Return the network of the MNIST studies, trained plainly on a split."""
    torch.manual_seed(0)
    model = SmallCNN().build((1, 28, 28), 10)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(split)).split(64):
            loss = cross_entropy(model(split.images[rows] / 255), split.labels[rows]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()


@dataclass(frozen=True)
class Shrinking:
    """A search that examples leave against the whole one."""

    epsilon: float
    alive: float  # share of the whole search's gradient passes that were made
    time: float  # of the whole search's
    same: bool  # the outcomes


def shrinking(model: nn.Module, split: Split, epsilon: float, rounds: int) -> Shrinking:
    """Search until an example falls, and to the end."""
    threat = PGD(epsilon=epsilon, step_size=epsilon / 4, steps=STEPS)
    whole, leaving = Protocol({"pgd": threat}), Protocol({"pgd": threat}, falls="any")
    every = Protocol({"pgd": threat}, {"pgd": tuple(range(1, STEPS + 1))})  # each iterate's outcome
    counts, found = [], []
    for protocol in (leaving, every):
        counted = Counted(model)
        found.append(evaluate(counted, split, protocol).outcomes.values)
        counts.append(counted.gradients)
    same = np.array_equal(found[0][:, 1], found[1].min(1))  # an example falls by any of them
    runs = {
        "leaving": partial(evaluate, model, split, leaving),
        "whole": partial(evaluate, model, split, whole),
    }
    seconds = in_turn(runs, rounds)
    time = ratio(seconds["leaving"], seconds["whole"])
    return Shrinking(epsilon, counts[0] / counts[1], time, same)


Attack = Callable[[], torch.Tensor]


def attacks(
    model: nn.Module, x: torch.Tensor, y: torch.Tensor, epsilon: float
) -> dict[str, Attack]:
    """Return the same attack by every library that is there: PGD from zero, its last iterate."""
    step = epsilon / 4
    found: dict[str, Attack] = {
        "moat": partial(PGD(epsilon=epsilon, step_size=step, steps=STEPS).perturb, model, x, y)
    }
    if find_spec("foolbox"):
        import foolbox

        theirs = foolbox.PyTorchModel(model, bounds=(0, 1), device=x.device)
        attack = foolbox.attacks.LinfProjectedGradientDescentAttack(
            abs_stepsize=step, steps=STEPS, random_start=False
        )
        wanted = foolbox.criteria.Misclassification(y)
        found["foolbox"] = lambda: attack.run(theirs, x, wanted, epsilon=epsilon)
    if find_spec("torchattacks"):
        import torchattacks

        found["torchattacks"] = partial(
            torchattacks.PGD(model, eps=epsilon, alpha=step, steps=STEPS, random_start=False), x, y
        )
    if find_spec("art"):
        from art.attacks.evasion import ProjectedGradientDescentPyTorch
        from art.estimators.classification import PyTorchClassifier

        wrapped = PyTorchClassifier(
            model, nn.CrossEntropyLoss(), tuple(x.shape[1:]), 10, clip_values=(0.0, 1.0)
        )
        search = ProjectedGradientDescentPyTorch(
            wrapped, np.inf, epsilon, step, max_iter=STEPS, batch_size=len(x), verbose=False
        )
        found["art"] = lambda: torch.from_numpy(search.generate(x.numpy(), y.numpy()))
    return found


@dataclass(frozen=True)
class Beside:
    """A library's attack against moat's."""

    name: str
    time: float  # moat's time, of theirs
    same: float  # share of the examples with the same outcome


def beside(model: nn.Module, split: Split, epsilon: float, rounds: int) -> list[Beside]:
    """Compare moat's attack with every library's that is there."""
    x, y = split.images / 255, split.labels
    by_name = attacks(model, x, y, epsilon)
    stood = {}
    for name, attack in by_name.items():
        images = attack()
        with torch.no_grad():
            stood[name] = model(images).argmax(1) == y
    seconds = in_turn(by_name, rounds)
    return [
        Beside(
            name,
            ratio(seconds["moat"], seconds[name]),
            (stood[name] == stood["moat"]).double().mean().item(),
        )
        for name in by_name
        if name != "moat"
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    console = Console()
    console.print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s), float32, CPU")
    console.print(_passes_table(min(asked.examples, 32)))
    data = Digits(size=28).load()
    model = trained(data.train, asked.epochs)
    every = Split(
        *(torch.cat([getattr(data.train, n), getattr(data.test, n)]) for n in ("images", "labels")),
        torch.arange(len(data.train) + len(data.test)),
    )
    split = every.take(torch.arange(min(asked.examples, len(every))))
    console.print(_shrinking_table(model, split, asked.rounds))
    console.print(_beside_table(model, split, asked.rounds))


def _passes_table(examples: int) -> Table:
    table = Table("protocol", "passes an example", "one search a strength", "same outcomes")
    for name in SHAPES:
        shared, apart, same = passes(name, examples)
        table.add_row(name, f"{shared:.1f}", f"{apart:.1f}", "yes" if same else "NO")
    return table


def _shrinking_table(model: nn.Module, split: Split, rounds: int) -> Table:
    table = Table("ε", "share alive", "time / whole search", "goal", "same outcomes")
    for epsilon in EPSILONS:
        found = shrinking(model, split, epsilon, rounds)
        goal = f"≤ {found.alive + 0.05:.3f}"
        same = "yes" if found.same else "NO"
        table.add_row(f"{epsilon}", f"{found.alive:.3f}", f"{found.time:.3f}", goal, same)
    return table


def _beside_table(model: nn.Module, split: Split, rounds: int) -> Table:
    table = Table("library", "moat's time / its time", "same outcomes")
    for one in beside(model, split, EPSILONS[1], rounds):
        table.add_row(one.name, f"{one.time:.3f}", f"{one.same:.2%}")
    missing = [name for name in LIBRARIES if not find_spec(name)]
    table.caption = f"not installed: {', '.join(missing)}" if missing else ""
    return table


if __name__ == "__main__":
    main()
