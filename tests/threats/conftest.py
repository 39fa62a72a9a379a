"""Every registered gradient threat, with numbers at which a few steps on small images tell."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, replace

import pytest
import torch

from moat.threats import PGD, GradientThreat, registry

OWN = [entry.value for entry in registry.entries() if entry.origin == "moat-robust"]
GRADIENT_THREATS = [
    cls for cls in (*OWN, registry.get("photometric")) if issubclass(cls, GradientThreat)
]  # other packages have tests of their own
PLAIN = [cls for cls in GRADIENT_THREATS if cls.objective is GradientThreat.objective]


def is_number_of_a_ball(field: Field[object]) -> bool:
    return field.default is MISSING or field.name.endswith(("epsilon", "step_size"))


def make_threat(cls: type[GradientThreat], **more: object) -> GradientThreat:
    required = [f.name for f in fields(cls) if is_number_of_a_ball(f)]
    numbers = {name: 0.02 if name.endswith("step_size") else 0.15 for name in required}
    return cls(**(numbers | more))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Batches are tiny here: on a shared machine, threads that wait for each other cost tenfold."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=GRADIENT_THREATS, ids=lambda cls: cls.name)
def threat_class(request: pytest.FixtureRequest) -> type[GradientThreat]:
    return request.param


@pytest.fixture(params=PLAIN, ids=lambda cls: cls.name)
def plain_class(request: pytest.FixtureRequest) -> type[GradientThreat]:
    """A threat that climbs the loss alone, by the signs of its gradient."""
    return request.param


@pytest.fixture
def make() -> Callable[..., GradientThreat]:
    """A function from a threat's class to a threat: radius 0.15, step 0.02 in every block."""
    return make_threat


@pytest.fixture(params=["zero", "noise", "uniform"])
def start(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def every_threat(start: str) -> list[GradientThreat]:
    """One of each, and noise in every norm, from one kind of start, at various numbers of steps."""
    norms = [PGD(norm=norm, epsilon=1, step_size=0.3, start=start) for norm in ("l2", "l1")]
    threats = [make_threat(cls, start=start) for cls in GRADIENT_THREATS] + norms
    return [replace(threat, steps=1 + 2 * number) for number, threat in enumerate(threats)]
