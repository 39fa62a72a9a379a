"""Evaluations made up entry by entry, and small data to search on."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from moat.data import Split
from moat.evaluation import Evaluation, Protocol
from moat.evaluation.search_results import Found

EXAMPLES = 20


def made_up(protocol: Protocol, **arrays: dict[int, object]) -> Evaluation:
    """Return an evaluation that withstood everything, but for the columns that are given."""
    count = len(protocol.columns())
    found = Found.nothing(EXAMPLES, count)
    found.outcomes[:] = 1
    for name in ("losses", "first", "last", "reached"):
        getattr(found, name)[:] = 1.0
    found.reached[:, 0] = np.nan
    for name, columns in arrays.items():
        for column, values in columns.items():
            getattr(found, name)[:, column] = values
    return Evaluation(found, np.arange(EXAMPLES), protocol)


@pytest.fixture
def evaluation() -> Callable[..., Evaluation]:
    return made_up


@pytest.fixture
def split() -> Split:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (60, 1, 8, 8), generator=generator).byte()
    return Split(images, torch.zeros(60).long(), torch.arange(60))
