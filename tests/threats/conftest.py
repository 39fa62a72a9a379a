"""Every registered gradient threat, with numbers at which a few steps on small images tell."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields

import pytest
import torch

from moat.threats import GradientThreat, registry

GRADIENT_THREATS = [cls for cls in registry if issubclass(cls, GradientThreat)]


def make_threat(cls: type[GradientThreat], **more: object) -> GradientThreat:
    required = [field.name for field in fields(cls) if field.default is MISSING]
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


@pytest.fixture
def make() -> Callable[..., GradientThreat]:
    """A function from a threat's class to a threat: radius 0.15, step 0.02 in every block."""
    return make_threat


@pytest.fixture(params=["zero", "noise", "uniform"])
def start(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def every_threat(start: str) -> list[GradientThreat]:
    """One of each, all from the same kind of start, each with another number of steps."""
    return [
        make_threat(cls, start=start, steps=1 + 2 * number)
        for number, cls in enumerate(GRADIENT_THREATS)
    ]
