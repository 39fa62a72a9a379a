"""Results folders that pictures are drawn of, made in a moment."""

import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moat.report.settings import Runs, read_runs
from moat.runs import RunFolder

OBJECTIVES = ("natural", "pgd", "flow")
RELATIONSHIP = {
    "type": "relationship",
    "across": "scalarizer.r",
    "variant": "pareto",
    "zero": "natural",
    "threats": ["flow", "rt"],
}
DIFFERENCE = {
    "type": "difference",
    "across": "scalarizer.r",
    "of": "pareto",
    "minus": "pgd-at",
    "threats": ["pgd", "flow"],
}


def logged(folder: RunFolder, *, steps: int = 40, clamped: tuple[int, ...] = ()) -> None:
    """Write the log of a training, a line every ten steps."""
    for step in range(10, steps + 1, 10):
        losses = {name: 2.0 / place for place, name in enumerate(OBJECTIVES, step // 10)}
        weights = {"natural": 0.5, "pgd": 0.3, "flow": 0.2}
        folder.append_log(
            {"step": step, "loss": losses, "weight": weights, "clamped": step in clamped}
        )


@pytest.fixture
def log() -> Callable[..., None]:
    return logged


@pytest.fixture
def runs_of() -> Callable[[Path], Runs]:
    """Return the one group of runs below a folder."""

    def read(results: Path) -> Runs:
        (runs,), skipped = read_runs([results])
        assert skipped == []
        return runs

    return read


@pytest.fixture
def swept(tmp_path: Path, write: Callable[..., RunFolder]) -> Path:
    """Three seeds of two plain variants and of a sweep of three points, with logs and figures."""
    results = tmp_path / "swept"
    for seed in range(3):
        for variant, r, natural, base in (
            *(("natural", None, 99, 10), ("pgd-at", None, 97, 60)),
            *(("pareto", 0.5, 98, 40), ("pareto", 1.0, 97, 50), ("pareto", 2.0, 95, 70)),
        ):
            scores = [base + seed * step for step in (1, 2, 3, 4)]
            folder = results / variant / f"r={r}" / f"seed-{seed}"
            passes = 60.0 if variant == "natural" else 840.0 + seed
            run = write(folder, variant, natural - seed, scores, r=r, seed=seed, passes=passes)
            run.write_recipe({"figure": [RELATIONSHIP, DIFFERENCE]})
            logged(run, clamped=(20, 30) if r == 2.0 else ())
    return results


def _many(results: Path, write: Callable[..., RunFolder]) -> None:
    draw = random.Random(0)
    for number in range(60):
        variant, r = ("natural", None) if number == 0 else ("pareto", round(number / 20, 2))
        scores, more = _scores(draw, 4), {"r": r, "passes": 800.0 + number}  # nearly equal
        run = write(results / str(number), variant, 90 + 9 * draw.random(), scores, **more)
        logged(run, clamped=(40,) if number % 2 else ())


def _long_names(results: Path, write: Callable[..., RunFolder]) -> None:
    draw = random.Random(0)
    counts = [1, 2, 5, 10, 20, 40, 41]
    table = {"type": "pgd", "search": "sign", "epsilon": 0.1, "at_steps": counts}
    protocol = {
        "threats": {f"a-threat-by-the-name-of-{n}": table for n in range(7)},
        "summed": ["a-threat-by-the-name-of-0"],
    }
    variants = ("natural", "pgd-at", "trained-against-everything-that-we-could-think-of")
    for place, variant in enumerate(variants):
        scores, passes = _scores(draw, 7), 50.0 * 10**place
        run = write(results / variant, variant, 95, scores, protocol=protocol, passes=passes)
        logged(run)


def _judged_any_way(results: Path, write: Callable[..., RunFolder], protocol: Any) -> None:
    for place, variant in enumerate(("natural", "pgd-at")):
        scores, passes = (40, 50 + place, 60), 60.0 + 100 * place
        run = write(results / variant, variant, 95, scores, protocol=protocol, passes=passes)
        logged(run)


def _scores(draw: random.Random, count: int) -> list[float]:
    return [20 + 60 * draw.random() for _ in range(count)]


@pytest.fixture(params=["swept", "many", "long names", "judged any way", "one run"])
def some_study(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    swept: Path,
    write: Callable[..., RunFolder],
    judged_any_way: dict[str, Any],
) -> Path:
    """Studies of every shape."""
    results = tmp_path / "study"
    if request.param == "swept":
        return swept
    if request.param == "many":
        _many(results, write)
    elif request.param == "long names":
        _long_names(results, write)
    elif request.param == "judged any way":
        _judged_any_way(results, write, judged_any_way)
    else:
        logged(write(results / "a", "pgd-at", 97, (40, 30, 20, 10), passes=300.0))
    return results


@pytest.fixture
def relationship() -> dict[str, Any]:
    return copy.deepcopy(RELATIONSHIP)


@pytest.fixture
def difference() -> dict[str, Any]:
    return copy.deepcopy(DIFFERENCE)
