"""The cost of an evaluation: passes, the time by the share of standing examples, other libraries.

    python -m benchmarks.evaluation [--examples 512] [--epochs 3] [--rounds 5]

Every ratio is a median over rounds in which all of its parts ran in turn. The images are MNIST's
where its files are found, else the embedded digits. foolbox, torchattacks and ART
(adversarial-robustness-toolbox) are compared with where they are installed. Ends with an error if
any outcome differs.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
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
from moat.data import MNIST, Digits, Split, as_floats, sample
from moat.errors import DataError
from moat.evaluation import Protocol, evaluate
from moat.evaluation.model_checks import check_model
from moat.losses import cross_entropy, is_correct
from moat.models import SmallCNN
from moat.passes import default_pass_size
from moat.recipe import read_protocol
from moat.threats import PGD, RT, Flow, GradientThreat, ascend
from moat.types import Images, Labels

PROTOCOLS = Path(__file__).parents[1] / "recipes" / "protocols"
SHAPES = {"mnist": (1, 28, 28), "cifar10": (3, 32, 32)}
TRAINING_EXAMPLES = 4000
STEPS = 20
EPSILON = 0.05  # of the attack that the libraries share
SEARCHES: dict[str, GradientThreat] = {
    **{
        f"pgd, ε = {epsilon}": PGD(epsilon=epsilon, step_size=epsilon / 4, steps=STEPS)
        for epsilon in (0.02, 0.05, 0.1, 0.2)
    },
    "pgd by APGD, ε = 0.1": PGD(epsilon=0.1, search="apgd", steps=STEPS),
    "flow": Flow(epsilon=0.3, step_size=0.01, steps=STEPS),
    "rt": RT(epsilon=0.3, step_size=0.1, steps=STEPS),
}
LIBRARIES = ("foolbox", "torchattacks", "art")


class Counted(nn.Module):
    """A network that counts the examples of its forwards and of its backwards to the images."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.forwards = self.backwards = 0

    def forward(self, x: Images) -> torch.Tensor:
        """Return the network's logits."""
        self.forwards += len(x)
        if x.requires_grad:
            x.register_hook(self._went_back)
        return self.network(x)

    def _went_back(self, slope: torch.Tensor) -> None:
        self.backwards += len(slope)


def separate(protocol: Protocol) -> Protocol:
    """Return the protocol with one search for each count of steps."""
    threats, at_steps = {}, {}
    for label, threat in protocol.threats.items():
        assert isinstance(threat, GradientThreat)
        for count in protocol.steps(label):
            threats[f"{label}-{count}"] = replace(threat, steps=count)
            at_steps[f"{label}-{count}"] = (count,)
    return Protocol(threats, at_steps)


@dataclass(frozen=True)
class Passes:
    """The passes of an evaluation for each example, without the look at the model before it."""

    both: float  # forwards with a backward
    alone: float  # forwards without one


@dataclass(frozen=True)
class Saved:
    """A protocol whose strengths share a search, against one search for each."""

    shared: Passes
    separate: Passes
    same: bool  # the outcomes
    stood: float  # share of the outcomes that are a 1


def saved(name: str, examples: int) -> Saved:
    """Count the passes of the evaluator under the protocol of Table 1, in both ways."""
    torch.manual_seed(0)
    channels, height, width = SHAPES[name]
    plain = nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, 10))
    images = torch.randint(0, 256, (examples, *SHAPES[name]), dtype=torch.uint8)
    with torch.no_grad():
        labels = plain(as_floats(images)).argmax(1)
    split = Split(images, labels, torch.arange(examples))
    looked = Counted(plain)
    check_model(looked, as_floats(images), None)
    shared = read_protocol(PROTOCOLS / f"{name}.toml").protocol
    found, counts = [], []
    for protocol in (shared, separate(shared)):
        model = Counted(plain)
        found.append(evaluate(model, split, protocol).outcomes.values)
        backwards = model.backwards - looked.backwards
        forwards = model.forwards - looked.forwards
        counts.append(Passes(backwards / examples, (forwards - backwards) / examples))
    return Saved(*counts, np.array_equal(*found), found[0][:, 1:].mean())


def images_at_hand() -> tuple[str, Split, Split]:
    """Return a data set's name, what to train on, and what to attack."""
    try:
        data = MNIST().load()
    except DataError:
        data = Digits(size=28).load()
        return "digits at 28 pixels", data.train, data.test
    return "MNIST", sample(data.train, TRAINING_EXAMPLES, 0), data.test


def trained(split: Split, epochs: int) -> nn.Module:
    """Return the network of the MNIST studies, trained plainly on a split."""
    torch.manual_seed(0)
    model = SmallCNN().build((1, 28, 28), 10)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(split)).split(64):
            loss = cross_entropy(model(as_floats(split.images[rows])), split.labels[rows]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()


@dataclass(frozen=True)
class Shrinking:
    """A search that examples leave against the whole one."""

    alive: float  # share of the whole search's gradient passes that were made
    time: float  # of the whole search's
    same: bool  # the outcomes


def shrinking(model: nn.Module, split: Split, threat: GradientThreat, rounds: int) -> Shrinking:
    """Search until an example falls, and to the end."""
    leaving, whole = Protocol({"it": threat}, falls="any"), Protocol({"it": threat})
    counted = Counted(model)
    found = torch.from_numpy(evaluate(counted, split, leaving).outcomes.values[:, 1] == 1)
    alive = counted.backwards / (threat.steps * len(split))
    x, y = as_floats(split.images), split.labels
    (traces,) = ascend(model, [threat.climb(x, y)], default_pass_size(x.device))
    stood = traces[threat.steps].stood
    assert stood is not None  # ascend measures unless told otherwise
    with torch.no_grad():
        stood &= is_correct(model(x), y)
    runs = {
        "leaving": partial(evaluate, model, split, leaving),
        "whole": partial(evaluate, model, split, whole),
    }
    seconds = in_turn(runs, rounds)
    return Shrinking(alive, ratio(seconds["leaving"], seconds["whole"]), torch.equal(found, stood))


Attack = Callable[[Images, Labels], Images]


def attacks(model: nn.Module, shape: tuple[int, ...], epsilon: float) -> dict[str, Attack]:
    """Return the same attack by every library that is there: PGD from zero, its last iterate."""
    step = epsilon / 4
    found: dict[str, Attack] = {
        "moat": partial(PGD(epsilon=epsilon, step_size=step, steps=STEPS).perturb, model)
    }
    if find_spec("foolbox"):
        import foolbox

        theirs = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
        attack = foolbox.attacks.LinfProjectedGradientDescentAttack(
            abs_stepsize=step, steps=STEPS, random_start=False
        )
        found["foolbox"] = lambda x, y: attack.run(
            theirs, x, foolbox.criteria.Misclassification(y), epsilon=epsilon
        )
    if find_spec("torchattacks"):
        import torchattacks

        found["torchattacks"] = torchattacks.PGD(
            model, eps=epsilon, alpha=step, steps=STEPS, random_start=False
        )
    if find_spec("art"):
        from art.attacks.evasion import ProjectedGradientDescentPyTorch
        from art.estimators.classification import PyTorchClassifier

        wrapped = PyTorchClassifier(
            model, nn.CrossEntropyLoss(), shape, 10, clip_values=(0.0, 1.0), device_type="cpu"
        )

        def by_art(x: Images, y: Labels) -> Images:
            search = ProjectedGradientDescentPyTorch(
                wrapped, np.inf, epsilon, step, max_iter=STEPS, batch_size=len(x), verbose=False
            )
            return torch.from_numpy(search.generate(x.numpy(), y.numpy()))

        found["art"] = by_art
    return found


@dataclass(frozen=True)
class Beside:
    """A library's attack against moat's."""

    at_once: float  # moat's time, of theirs where they are given all images at once
    in_batches: float  # of theirs where they are given what moat takes in one pass
    same: float  # share of the examples with the same outcome


def beside(model: nn.Module, split: Split, rounds: int) -> dict[str, Beside]:
    """Compare moat's attack with every library's that is there."""
    x, y = as_floats(split.images), split.labels
    by_name = attacks(model, tuple(x.shape[1:]), EPSILON)
    stood = {}
    for name, attack in by_name.items():
        images = attack(x, y)
        with torch.no_grad():
            stood[name] = is_correct(model(images), y)
    size = default_pass_size(x.device)
    runs: dict[str, Callable[[], object]] = {}
    for name, attack in by_name.items():
        runs[name] = partial(attack, x, y)
        if name != "moat":
            runs[f"{name} in batches"] = partial(_in_batches, attack, x, y, size)
    seconds = in_turn(runs, rounds)
    return {
        name: Beside(
            ratio(seconds["moat"], seconds[name]),
            ratio(seconds["moat"], seconds[f"{name} in batches"]),
            (stood[name] == stood["moat"]).double().mean().item(),
        )
        for name in by_name
        if name != "moat"
    }


def _in_batches(attack: Attack, x: Images, y: Labels, size: int) -> None:
    for images, labels in zip(x.split(size), y.split(size), strict=True):
        attack(images, labels)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    console = Console()
    console.print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s), float32, CPU")
    costs = {name: saved(name, min(asked.examples, 32)) for name in SHAPES}
    console.print(_saved_table(costs))
    name, train, test = images_at_hand()
    model = trained(train, asked.epochs)
    split = test.take(torch.arange(min(asked.examples, len(test))))
    with torch.no_grad():
        right = is_correct(model(as_floats(split.images)), split.labels).float().mean()
    console.print(f"{len(split)} test images of {name}; natural accuracy {right:.1%}")
    left = {what: shrinking(model, split, it, asked.rounds) for what, it in SEARCHES.items()}
    console.print(_shrinking_table(left))
    others = beside(model, split, asked.rounds)
    console.print(_beside_table(others))
    if not all([*(one.same for one in costs.values()), *(one.same for one in left.values())]):
        sys.exit("moat's outcomes differ from those of its own whole searches.")
    if any(one.same < 1 for one in others.values()):
        sys.exit("Outcomes differ between the libraries.")


def _saved_table(costs: Mapping[str, Saved]) -> Table:
    both = "forwards + backwards an example"
    table = Table("protocol", f"{both}, iterates shared", f"{both}, one search a strength")
    table.add_column("forwards alone, shared / separate")
    table.add_column("same outcomes")
    for name, cost in costs.items():
        table.add_row(
            *(name, f"{cost.shared.both:g}", f"{cost.separate.both:g}"),
            *(f"{cost.shared.alone:g} / {cost.separate.alone:g}", _yes(cost.same)),
        )
    return table


def _shrinking_table(left: Mapping[str, Shrinking]) -> Table:
    table = Table("search", "share alive", "time / whole search", "goal", "same outcomes")
    for what, one in left.items():
        goal = f"≤ {one.alive + 0.05:.3f}"
        table.add_row(what, f"{one.alive:.3f}", f"{one.time:.3f}", goal, _yes(one.same))
    return table


def _beside_table(others: Mapping[str, Beside]) -> Table:
    size = default_pass_size(torch.device("cpu"))
    table = Table("library", "moat's time / its time, all at once", f"in batches of {size}")
    table.add_column("same outcomes")
    for name, one in others.items():
        table.add_row(name, f"{one.at_once:.3f}", f"{one.in_batches:.3f}", f"{one.same:.2%}")
    missing = [name for name in LIBRARIES if not find_spec(name)]
    table.caption = f"not installed: {', '.join(missing)}" if missing else ""
    return table


def _yes(same: bool) -> str:
    return "yes" if same else "NO"


if __name__ == "__main__":
    main()
