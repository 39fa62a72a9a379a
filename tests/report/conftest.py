"""Run folders as training would leave them, made in a moment."""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from moat.outcomes import NATURAL_COLUMN, Column, Outcomes
from moat.records import Check
from moat.runs import RunFolder
from moat.testing.run_record import run_record

Write = Callable[..., RunFolder]

PROTOCOL = {
    "threats": {
        "pgd": {"type": "pgd", "epsilon": 0.1, "at_steps": [2, 4]},
        "flow": {"type": "flow", "epsilon": 0.3, "at_steps": [2, 4]},
        "rt": {"type": "rt", "epsilon": 0.3, "at_steps": [2, 4]},
        "integrated": {"type": "integrated", "at_steps": [4]},
    },
    "summed": ["pgd", "flow", "rt"],
    "examples": None,
}


JUDGED_ANY_WAY = {
    "threats": {
        "ce": {"type": "pgd", "search": "apgd", "at_steps": [5], "restarts": 2},
        "dlr": {"type": "pgd", "search": "apgd", "at_steps": [5], "restarts": 2},
        "flow": {"type": "flow", "epsilon": 0.3, "steps": 9, "at_epsilon": [0.031, 0.3]},
    },
    "ensembles": {"strong": ["ce", "dlr"]},
    "summed": ["strong", "flow"],
    "falls": "any",
}
"""A protocol with everything that one can have."""

PASSED = Check("loss", "pass", "No search ends below its start.", 0.0, "%", "pgd").as_table()


def columns_of(protocol: dict[str, Any]) -> tuple[Column, ...]:
    """Return the columns of a protocol, each threat's restarts one after another."""
    searched = []
    for threat, table in protocol["threats"].items():
        by = "epsilon" if "at_epsilon" in table else "steps"
        for restart in range(table.get("restarts", 1)):
            searched += [Column(threat, s, restart, by) for s in table[f"at_{by}"]]
    return (NATURAL_COLUMN, *searched)


def outcomes(accuracies: Sequence[float], examples: int) -> np.ndarray:
    """Return a matrix whose columns have these accuracies, in percent: the first so many hold."""
    held = np.round(np.array(accuracies) / 100 * examples)
    return (np.arange(examples)[:, None] < held).astype(np.int8)


def stopped_at_the_first_fall(values: np.ndarray) -> np.ndarray:
    """Return what an evaluation with union_only would have found."""
    fell_before = (np.cumsum(values == 0, axis=1) - (values == 0)) > 0
    return np.where(fell_before, -1, values).astype(np.int8)


def write_run(
    folder: Path,
    variant: str,
    natural: float,
    scores: Sequence[float],
    *,
    r: float | None = None,
    seed: int = 0,
    study: str = "digits_pareto",
    data: dict[str, Any] | None = None,
    protocol: dict[str, Any] | None = None,
    protocol_hash: str = "0123456789abcdef",
    examples: int = 1000,
    classes: int = 1000,  # so many that nothing counts as a guess
    clamped: float | None = None,
    infeasible: str = "clamp",
    unsolved: float | None = None,
    published: dict[str, Any] | None = None,
    union_only: bool = False,
    losses: bool = False,
    passes: float | None = None,
    sanity: Sequence[dict[str, Any]] | None = (PASSED,),
) -> RunFolder:
    """Write a finished run with this natural accuracy and these scores, one a threat.

    A share of clamped steps makes it a run of the two-moment program. The loss at the best iterate
    of every example is the number of the column.
    """
    protocol = protocol or PROTOCOL
    columns = columns_of(protocol)
    of_threat = dict(zip(protocol["threats"], scores, strict=True))
    accuracies = [natural, *(of_threat[column.threat] for column in columns[1:])]
    run = RunFolder(folder)
    folder.mkdir(parents=True)
    values = outcomes(accuracies, examples)
    matrix = Outcomes(
        stopped_at_the_first_fall(values) if union_only else values,
        columns,
        np.arange(examples),
        np.tile(np.arange(len(columns), dtype=np.float32), (examples, 1)) if losses else None,
        {name: tuple(members) for name, members in protocol.get("ensembles", {}).items()},
    )
    about: dict[str, Any] = {"scores": {"total": -1.0}}  # text, never believed
    if sanity is not None:
        about["sanity"] = list(sanity)
    run.save_evaluation(matrix.to_arrays(), about)
    scalarizer = {"type": "natural" if variant == "natural" else "average"}
    training: dict[str, Any] = {"epoch": 3, "scalarizer": {}}
    if passes is not None:
        training["passes"] = passes
    if clamped is not None:
        scalarizer = {"type": "two-moment", "infeasible": infeasible}
        training["scalarizer"] = {"clamped_share": clamped}
    if unsolved is not None:
        training["scalarizer"]["unsolved_share"] = unsolved
    if published is not None:
        run.write_recipe({"published": published})
    run.write_record(
        run_record(
            study=study,
            variant=variant,
            sweep={} if r is None else {"scalarizer.r": r},
            seed=seed,
            label=variant if r is None else f"{variant} r={r}",
            train_hash="f" * 16,
            trains={"scalarizer": scalarizer, "seed": seed},
            classes=classes,
            training=training,
            data=data or {"type": "digits", "size": 16},
            protocol_hash=protocol_hash,
            protocol=protocol,
            scores={"total": -1.0},
        )
    )
    return run


THREATS = (("pgd", 4.0), ("flow", 4.0), ("rt", 4.0), ("integrated", 4.0))


def make_gallery(
    images: int = 6,
    channels: int = 3,
    size: int = 32,
    *,
    threats: Sequence[tuple[str, float]] = THREATS,
    classes: Sequence[str] = ("cat", "dog", "ship"),
    cells: int = 8,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Return a gallery of smooth images, those of every seed; what threats make of them differs."""
    random = np.random.default_rng(0)
    across = np.linspace(0, 1, size)
    phases = random.uniform(0, 6, (images, channels, 2, 1))
    waves = (
        np.sin(6 * across + phases[:, :, 0])[..., None]
        * np.cos(9 * across + phases[:, :, 1])[:, :, None]
    )
    natural = np.clip(128 + 90 * waves + random.normal(0, 8, waves.shape), 0, 255)
    random, count = np.random.default_rng(seed), len(threats)
    noise = random.integers(-8, 9, (count, *natural.shape))
    adversarial = np.clip(natural.round() + noise, 0, 255)
    x, y = np.meshgrid(np.linspace(-1, 1, cells), np.linspace(-1, 1, cells))
    turned = np.stack([0.1 * x - 0.15 * y, 0.15 * x + 0.1 * y], -1)
    moved = turned + random.normal(0, 0.04, (count, images, cells, cells, 2))
    moved[[name == "pgd" for name, _ in threats]] = np.nan
    labels = np.arange(images) % len(classes)
    return {
        "ids": np.arange(images, dtype=np.int64) * 7,
        "labels": labels,
        "classes": np.array(classes),
        "images": natural.round().astype(np.uint8),
        "predicted": labels,
        "threats": np.array([name for name, _ in threats]),
        "strengths": np.array([strength for _, strength in threats]),
        "adversarial": adversarial.astype(np.uint8),
        "adversarial_predicted": (labels + np.arange(count)[:, None]) % len(classes),
        "displacements": moved.astype(np.float32),
    }


def keep_gallery(run: RunFolder, arrays: dict[str, np.ndarray]) -> None:
    """Lay a gallery into a run's folder, whatever else lies there."""
    np.savez(run.path / "gallery.npz", **arrays)


# variant, r, natural accuracy, then the scores of pgd, flow, rt and integrated
STUDY = [
    ("natural", None, 98.9, (29.4, 14.4, 16.7, 8.0)),
    ("pgd-at", None, 98.0, (86.4, 38.2, 12.8, 10.1)),
    ("spatial-at", None, 97.6, (12.2, 47.6, 78.8, 40.2)),
    ("max-at", None, 95.7, (65.2, 53.0, 51.5, 48.3)),
    ("average-at", None, 97.5, (72.7, 48.5, 78.8, 52.0)),
    ("mgda", None, 98.3, (66.1, 40.9, 61.3, 41.6)),
    ("pareto", 0.2, 98.5, (52.0, 25.0, 33.1, 21.0)),
    ("pareto", 0.5, 98.4, (60.3, 36.8, 55.0, 37.3)),
    ("pareto", 0.8, 98.2, (66.9, 41.3, 64.1, 44.4)),
    ("pareto", 1.0, 97.8, (70.1, 45.2, 74.4, 49.2)),
    ("pareto", 1.2, 97.7, (70.6, 46.1, 75.0, 50.1)),
    ("pareto", 1.5, 97.5, (71.5, 48.0, 76.0, 51.0)),
    ("pareto", 1.8, 97.4, (72.9, 48.9, 79.1, 52.5)),
    ("pareto", 2.2, 94.2, (68.1, 56.7, 76.4, 53.3)),
]


@pytest.fixture
def write() -> Write:
    return write_run


@pytest.fixture
def gallery() -> Callable[..., dict[str, np.ndarray]]:
    return make_gallery


@pytest.fixture
def hang() -> Callable[..., None]:
    return keep_gallery


@pytest.fixture
def judged_any_way() -> dict[str, Any]:
    return copy.deepcopy(JUDGED_ANY_WAY)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A results folder with fourteen runs of one study, some of them close neighbours."""
    results = tmp_path / "results"
    for variant, r, natural, scores in STUDY:
        folder = results / variant / ("plain" if r is None else f"r={r}") / "seed-0"
        write_run(folder, variant, natural, scores, r=r)
    return results
