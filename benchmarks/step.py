"""The cost of a search, a step and a weight solve, against the passes that they consist of.

    python -m benchmarks.step [--batch 128 512] [--rounds 9] [--allocator keep|system]

The floor is one forward and backward to the input; a training pass is one forward and backward to
the weights. Every ratio is a median over rounds in which all of its parts ran in turn, of the CPU
seconds of this process. Beside them stand PyTorch's operations, counted: an iteration of a search,
a step; and how often a GPU would have made the host wait.
"""

import argparse
from dataclasses import replace
from functools import partial
from time import process_time

import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from benchmarks.timing import in_turn, ratio
from moat.allocator import in_use, keep_memory
from moat.losses import cross_entropy
from moat.models import SmallCNN
from moat.objectives import LossMatrix
from moat.passes import default_pass_size
from moat.scalarizers import MGDA, Average, Max, Natural, Scalarizer, TwoMoment
from moat.testing import counted
from moat.threats import PGD, RT, Flow, GradientThreat, Integrated, attacked, joint_search, trusted
from moat.training import SGD, StepSettings, train_step
from moat.training.craft import Examples, craft
from moat.training.descent import add_gradients
from moat.training.moving import move

STEPS = 5
THREATS = {
    "pgd": PGD(epsilon=0.3, step_size=0.01, steps=STEPS),
    "flow": Flow(epsilon=0.3, step_size=0.01, steps=STEPS),
    "rt": RT(epsilon=0.3, step_size=0.1, steps=STEPS),
}
INTEGRATED = Integrated(
    flow_epsilon=0.3, flow_step_size=0.01, rt_epsilon=0.3, rt_step_size=0.1, steps=STEPS
)
# what each kind of step is made of: (searches, forwards alone, training passes)
STEP_PARTS: dict[str, tuple[Scalarizer, int, int, int]] = {
    "natural": (Natural(), 0, 0, 1),
    "average": (Average(), 3, 0, 3),
    "max": (Max(), 3, 3, 1),
    "two-moment": (TwoMoment(rho=0.5), 3, 0, 4),
    "mgda": (MGDA(), 3, 0, 4),
}


def network() -> nn.Module:
    """Return the network of the MNIST studies, its last layer away from zero."""
    torch.manual_seed(0)
    made = SmallCNN().build((1, 28, 28), 10)
    nn.init.normal_(made[-1].weight, std=0.05)
    return made


def to_input(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> None:
    """The floor: one forward and backward to the input, a pass at a time."""
    with attacked(model):
        for images, labels in zip(x.split(_size(x)), y.split(_size(x)), strict=True):
            leaf = images.detach().requires_grad_()
            torch.autograd.grad(cross_entropy(model(leaf), labels).sum(), leaf)


def to_weights(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> None:
    """One training pass, a pass at a time."""
    model.train()
    for images, labels in zip(x.split(_size(x)), y.split(_size(x)), strict=True):
        cross_entropy(model(images), labels).mean().backward()
    model.zero_grad()


def forward(model: nn.Module, x: torch.Tensor) -> None:
    """One forward without a graph, a pass at a time."""
    with attacked(model), torch.no_grad():
        for images in x.split(_size(x)):
            model(images)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--batch", type=int, nargs="+", default=[128, 512])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--allocator", choices=["keep", "system"], default="keep")
    arguments = parser.parse_args()
    if arguments.allocator == "keep":
        keep_memory()
    threads = f"{torch.get_num_threads()} thread(s)"
    console = Console()
    console.print(f"torch {torch.__version__}, {threads}, float32, CPU, allocator: {in_use()}")
    per_example = {}
    for batch in arguments.batch:
        x, y = torch.rand(batch, 1, 28, 28), torch.randint(0, 10, (batch,))
        per_example[batch] = partial(to_input, network(), x, y)
        console.print(_searches(x, y, arguments.rounds))
        console.print(_steps(x, y, arguments.rounds))
    console.print(_sizes(per_example, arguments.rounds))


def _searches(x: torch.Tensor, y: torch.Tensor, rounds: int) -> Table:
    model = network()
    last = network().to(memory_format=torch.channels_last)
    runs = {"floor": partial(to_input, model, x, y)}
    for name, threat in {**THREATS, "integrated": INTEGRATED}.items():
        runs[name] = partial(_searched, model, [threat], x, y)
    runs["floor, channels last"] = partial(to_input, last, x, y)
    seconds = in_turn(runs, rounds, process_time)
    columns = ("search", "time a pass / floor", "goal", "operations an iteration", "waits")
    table = Table(*columns, title=f"batch {len(x)}")
    for name in runs:
        threat = {**THREATS, "integrated": INTEGRATED}.get(name)
        found = ratio([s / (STEPS if threat else 1) for s in seconds[name]], seconds["floor"])
        counts = _counts_of_a_search([threat], x, y) if threat else ("", "")
        table.add_row(name, f"{found:.3f}", "≤ 1.05" if threat else "", *counts)
    table.add_row(
        "pgd, flow and rt together", "", "", *_counts_of_a_search([*THREATS.values()], x, y)
    )
    return table


def _searched(
    model: nn.Module, threats: list[GradientThreat], x: torch.Tensor, y: torch.Tensor
) -> object:
    """Search as the training loop does, which has looked at its data before."""
    with trusted():
        return joint_search(model, threats, x, y, pass_size=_size(x) * len(threats))


def _counts_of_a_search(
    threats: list[GradientThreat], x: torch.Tensor, y: torch.Tensor
) -> tuple[str, str]:
    """Return the operations that one iteration more takes, and the waits of the whole search."""
    model, longer = network(), [replace(threat, steps=2 * STEPS) for threat in threats]
    short, long = (counted(partial(_searched, model, own, x, y)) for own in (threats, longer))
    return f"{(long.operations - short.operations) / STEPS:.0f}", str(len(long.asked))


def descend(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    scalarizer: Scalarizer,
    examples: Examples,
    size: int,
) -> None:
    """Take what follows the search in a step."""
    optimizer.zero_grad(set_to_none=True)
    add_gradients(model, scalarizer, examples, StepSettings(size))
    move(model, optimizer)


def _steps(x: torch.Tensor, y: torch.Tensor, rounds: int) -> Table:
    table = Table(
        *("step of", "time / its passes", "goal", "its descent in training passes"),
        *("operations a step", "waits"),
    )
    for name, (scalarizer, searches, forwards, trainings) in STEP_PARTS.items():
        model = network()
        optimizer = SGD(lr=1e-6).build(model.parameters())
        size = _size(x)
        names = ("natural", *THREATS)
        plan = scalarizer.plan(names, len(x))
        examples = craft(model, THREATS, x, y, plan, StepSettings(size))
        seconds = in_turn(
            {
                "floor": partial(to_input, model, x, y),
                "forward": partial(forward, model, x),
                "training": partial(to_weights, model, x, y),
                "step": partial(
                    train_step, model, optimizer, THREATS, scalarizer, x, y, StepSettings(size)
                ),
                "descent": partial(descend, model, optimizer, scalarizer, examples, size),
            },
            rounds,
            process_time,
        )
        parts = [
            searches * STEPS * floor + forwards * alone + trainings * training
            for floor, alone, training in zip(
                seconds["floor"], seconds["forward"], seconds["training"], strict=True
            )
        ]
        goal = "≤ 1.05" if name == "two-moment" else ""
        descent = f"{ratio(seconds['descent'], seconds['training']):.2f}"
        descent += " (goal ≤ 4.2)" if name == "mgda" else ""
        step = partial(train_step, model, optimizer, THREATS, scalarizer, x, y, StepSettings(size))
        with trusted():
            found = counted(step)
        counts = (str(found.operations), str(len(found.asked)))
        table.add_row(name, f"{ratio(seconds['step'], parts):.3f}", goal, descent, *counts)
        if name == "two-moment":
            table.caption = _solve_share(seconds["step"], rounds)
    return table


def _solve_share(step: list[float], rounds: int) -> str:
    scalarizer = TwoMoment(rho=0.5)
    losses = LossMatrix(torch.rand(4, 128), ("natural", *THREATS))
    seconds = in_turn({"solve": partial(scalarizer.update, losses)}, max(rounds, 9), process_time)
    share = sorted(seconds["solve"])[len(seconds["solve"]) // 2] / sorted(step)[len(step) // 2]
    return f"the weight solve is {share:.3%} of a two-moment step of {STEPS} search steps"


def _sizes(runs: dict[int, partial[None]], rounds: int) -> str:
    first, *others = runs
    seconds = in_turn({str(batch): run for batch, run in runs.items()}, rounds, process_time)
    lines = [
        f"an example of a batch of {batch} costs "
        f"{ratio(seconds[str(batch)], seconds[str(first)]) * first / batch:.3f} of one of {first} "
        "(goal ≤ 1.05)"
        for batch in others
    ]
    return "\n".join(lines)


def _size(x: torch.Tensor) -> int:
    return min(len(x), default_pass_size(x.device))


if __name__ == "__main__":
    main()
