"""Pairs of runs whose outcomes are known an example at a time."""

import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from moat.runs import RunFolder

PROTOCOL = {
    "threats": {
        "pgd": {"type": "pgd", "epsilon": 0.1, "at_steps": [2, 4]},
        "flow": {"type": "flow", "epsilon": 0.3, "at_steps": [2]},
    },
    "summed": ["pgd", "flow"],
    "examples": None,
}

FIRST = [[1, 1, 1, 1], [1, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]
OTHER = [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 0], [1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 0, 1]]
"""An example a row: natural, pgd at 2 and 4 steps, flow."""


def change_record(run: RunFolder, **changes) -> None:
    """Change keys of a run's record; a table of changes goes into the table that is there."""
    path = run.path / "run.json"
    record = json.loads(path.read_text("utf-8"))
    for key, value in changes.items():
        is_table = isinstance(value, dict) and isinstance(record.get(key), dict)
        record[key] = {**record[key], **value} if is_table else value
    path.write_text(json.dumps(record), "utf-8")


def enter_outcomes(
    run: RunFolder, rows: Sequence[Sequence[int]], ids: Sequence[int] | None = None
) -> None:
    """Store these outcomes, and these ids where some are given, in place of a run's own."""
    arrays, about = run.load_evaluation()
    numbers = np.arange(len(rows)) if ids is None else np.array(ids)
    run.save_evaluation(
        arrays | {"outcomes": np.array(rows, np.int8), "ids": numbers}, about.as_table()
    )


@pytest.fixture
def change() -> Callable[..., None]:
    return change_record


@pytest.fixture
def enter() -> Callable[..., None]:
    return enter_outcomes


@pytest.fixture
def pair(tmp_path, write):
    """Two runs on six examples whose outcomes are FIRST and OTHER."""
    made = []
    for variant, rows in (("max-at", FIRST), ("mgda", OTHER)):
        run = write(tmp_path / variant, variant, 90, (50, 50), protocol=PROTOCOL, examples=6)
        enter_outcomes(run, rows)
        made.append(run)
    return made


@pytest.fixture
def paths(pair):
    return [run.path for run in pair]
