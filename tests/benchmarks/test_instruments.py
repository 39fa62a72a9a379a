"""The benchmark of the instruments in small: it runs, and its bare passes are the instruments'."""

from importlib import import_module
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def instruments():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT)
        made = import_module("benchmarks.instruments")
        patch.setattr(made, "COPIES", 2)
        patch.setattr(made, "PRODUCTS", 2)
        yield made


def test_the_bare_passes_are_as_many_images_as_the_instrument_makes(instruments):
    model, x, y = instruments.network(), torch.rand(3, 1, 28, 28), torch.arange(3)
    how = instruments.SmoothGrad(copies=4)
    copies = instruments.passes_of(
        model, lambda taken: instruments.saliency_maps(taken, x, y, settings=how)
    )
    assert sum(map(len, copies)) == 3 * 4
    grid = instruments.SurfaceGrid(points=3)
    surface = instruments.passes_of(
        model,
        lambda taken: instruments.loss_surfaces(
            taken, instruments.THREATS["integrated"], x, y, grid=grid
        ),
    )
    assert sum(map(len, surface)) == 3 * 9


def test_every_instrument_has_its_row_and_goal(instruments):
    table = instruments.costs(images=2, points=3, rounds=1)
    rows = list(zip(*(column.cells for column in table.columns), strict=True))
    assert len(rows) == 1 + 2 * len(instruments.THREATS)
    assert all(float(ratio) > 0 and goal.startswith("≤ ") for _, ratio, goal in rows)
