"""The benchmark of a step in small: what it counts is the work; its times say nothing here."""

from importlib import import_module
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def step():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT)
        yield import_module("benchmarks.step")


def cells(table) -> dict[str, list[str]]:
    """Return a table's rows by their names."""
    columns = [list(column.cells) for column in table.columns]
    return {row[0]: list(row[1:]) for row in zip(*columns, strict=True)}


@pytest.fixture(scope="module")
def batch():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(4, 1, 28, 28, generator=generator), torch.arange(4)


def test_operations_and_waits_stand_beside_the_ratios_of_searches(step, batch):
    rows = cells(step._searches(*batch, rounds=1))
    assert set(rows) == {
        *("floor", "pgd", "flow", "rt", "integrated", "floor, channels last"),
        "pgd, flow and rt together",
    }
    for name in ("pgd", "flow", "rt", "integrated"):
        time, _, operations, waits = rows[name]
        assert float(time) > 0
        assert 20 < int(operations) < 200
        assert waits == "0"
    together = int(rows["pgd, flow and rt together"][2])
    assert together < sum(int(rows[name][2]) for name in ("pgd", "flow", "rt"))  # one network


def test_operations_and_waits_stand_beside_the_ratios_of_steps(step, batch):
    rows = cells(step._steps(*batch, rounds=1))
    assert set(rows) == set(step.STEP_PARTS)
    for name, (_, searches, *_) in step.STEP_PARTS.items():
        *_, operations, waits = rows[name]
        assert int(operations) > 100 * searches
        assert waits == "0"
