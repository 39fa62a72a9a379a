"""Running a protocol against a model."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from moat import outcomes as scoring
from moat.data import DEVICE_MEMORY, Data, Split, batches_in_order
from moat.evaluation.protocol import Protocol
from moat.losses import is_correct
from moat.outcomes import NATURAL_COLUMN, Column, Outcomes
from moat.passes import default_pass_size
from moat.precision import tensor_float_32
from moat.threats import GradientThreat, ascend, attacked, require_images
from moat.types import Images, Labels, Verdicts

BATCH = 512  # examples whose iterates are held at once; random starts are drawn batch by batch


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The outcomes of a model under a protocol, and every score made of them."""

    outcomes: Outcomes
    protocol: Protocol

    def scores(self) -> dict[str, Any]:
        """Return natural accuracy, each threat's score, total and union, in percent."""
        return scoring.summary(self.outcomes, self.protocol.scored())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the outcome matrix as the arrays that are stored."""
        columns = self.outcomes.columns
        return {
            "outcomes": self.outcomes.values,
            "ids": self.outcomes.ids,
            "threats": np.array([column.threat for column in columns]),
            "strengths": np.array([column.strength for column in columns], dtype=np.int64),
        }


def evaluate(
    model: nn.Module,
    data: Data | Split,
    protocol: Protocol,
    *,
    pass_size: int | None = None,
    memory: float = DEVICE_MEMORY,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Return what the model withstands of the protocol, on the test split or on a given split.

    The model maps images in [0, 1] to logits and is left as it was; it is evaluated on the device
    its parameters are on, in float32 with TF32 off, whatever it was trained in. Images that take
    more than `memory` GiB come there a batch at a time. `progress` is called with the examples
    done and their number.

    An example costs one forward for the natural image and, for each gradient threat, as many
    forwards and backwards as its largest count of iterations, and one forward more.
    """
    split = data.test if isinstance(data, Data) else data
    if protocol.examples is not None:
        split = split.take(torch.arange(min(protocol.examples, len(split))))
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    size = pass_size or default_pass_size(device)
    generators = {label: _generator(protocol.seed, label) for label in protocol.threats}
    columns = protocol.columns()
    values = np.empty((len(split), len(columns)), dtype=np.int8)
    done = 0
    with tensor_float_32(False):
        for x, y in batches_in_order(split.near(device, memory), BATCH, device):
            require_images(x, y)
            withstood = _evaluate_batch(model, x, y, protocol, size, generators)
            for number, column in enumerate(columns):
                values[done : done + len(x), number] = withstood[column].cpu().numpy()
            done += len(x)
            if progress:
                progress(done, len(split))
    return Evaluation(Outcomes(values, columns, split.ids.cpu().numpy()), protocol)


def _evaluate_batch(
    model: nn.Module,
    x: Images,
    y: Labels,
    protocol: Protocol,
    pass_size: int,
    generators: dict[str, torch.Generator],
) -> dict[Column, Verdicts]:
    """Search every threat on one batch; the gradient threats go up together."""
    verdicts = {NATURAL_COLUMN: _classified(model, x, y, pass_size)}
    climbs = {}
    for label, threat in protocol.threats.items():
        if isinstance(threat, GradientThreat):
            counts = protocol.steps(label)
            climbs[label] = threat.climb(x, y, at_steps=counts, generator=generators[label])
        else:
            images = threat.perturb(model, x, y, generator=generators[label])
            verdicts[Column(label, 1)] = _classified(model, images, y, pass_size)
    searched = ascend(model, list(climbs.values()), pass_size)
    for label, traces in zip(climbs, searched, strict=True):
        for count, trace in traces.items():
            assert trace.correct is not None  # ascend measures unless told otherwise
            verdicts[Column(label, count)] = trace.correct
    return verdicts


def _generator(seed: int, label: str) -> torch.Generator:
    """Return a threat's own generator, so that no other threat changes what it draws."""
    digest = sha256(f"{seed}/{label}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7]))


def _classified(model: nn.Module, x: Images, y: Labels, pass_size: int) -> Verdicts:
    with attacked(model), torch.no_grad():
        logits = [model(part) for part in x.split(pass_size)]
    return is_correct(torch.cat(logits), y)
