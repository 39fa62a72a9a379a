"""The hypervolume of a front by the passes of training that it costs.

    python -m benchmarks.front_for_one [digits_front] [...] [--results results]

Each study is trained where runs are missing (`--stored`: nothing is), under a folder of results in
which it resumes. `--keep FOLDER` writes the scores of its runs into a table, digits_front.csv say,
beside those of other seeds; `--results docs/results --stored` reads such tables.

A method is a front of five points at one budget, in every seed. Its hypervolume is that of (natural
accuracy, total of three threats) in percent of the box from natural 80, total 0 to natural 100,
total 300. Costs are in U, the passes of one full training; a path costs what all its legs do, and a
conditioned network is trained once for all of its points. `one training` is the best of the five,
by its mean hypervolume. `alone` is the hypervolume of the best of the five points, and the ranges
are those of the points' scores: a front whose best point alone has the same hypervolume offers no
choice. The last column is the paired difference to a method, which `--against` names; by default it
is the five full trainings. Intervals are 95 % t intervals over the seeds.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import stdtrit

import moat
from moat.fronts import hypervolume

FULL = "five trainings, all threats"
"""The method that all others are compared with: independent runs, each of a full training."""
STUDIES = ("digits_front", "digits_front_twofold", "mnist14_front")
"""The recipes."""
FULL_PASSES = (900, 800)
"""The passes of a full training for each image: of the digits, and of MNIST."""
TITLES = {
    "independent": "independent",
    "film": "conditioned network",
    "path": "path up",
    "path-down": "path down",
}
"""The methods by the names of their variants, which end in -sampled for drawn threats."""
COLUMNS = ("study", "variant", "label", "seed", "passes", "natural", "total", "union")
"""The columns of a kept table."""
REFERENCE, BEST = np.array([80.0, 0.0]), np.array([100.0, 300.0])


def trained(study: str, results: Path, jobs: int) -> None:
    """Train the missing runs of a study."""
    moat.train(study, results=results, jobs=jobs)


def finished(study: str, results: Path) -> pl.DataFrame:
    """Return the finished runs of a study, by its folder, bundle or table."""
    table = results / f"{study}.csv"
    if table.exists():
        return pl.read_csv(table).select(COLUMNS)
    for place in (results / study, results / f"{study}.zip"):
        if place.exists():
            return moat.results(place).runs.select(COLUMNS)
    raise SystemExit(f"{results} has no results of {study}; leave out --stored to train them.")


def fronts(runs: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each method and seed: its hypervolume (%), passes (U) and points."""
    points = runs.with_columns(method=method_of())
    full = points.filter(pl.col("method") == FULL)["passes"].median()
    rows = [
        {
            "method": method,
            "seed": seed,
            "hypervolume": share_of_the_box(group),
            "alone": max(share_of_the_box(group[[row]]) for row in range(len(group))),
            "passes": float(group["passes"].sum()) / full,
            "points": len(group),
            **{f"{name} range": _range(group[name]) for name in ("natural", "total")},
        }
        for (method, seed), group in pl.concat([points, *_alone(points)]).group_by(
            "method", "seed", maintain_order=True
        )
    ]
    return _whole(pl.DataFrame(rows))


def _alone(points: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the best of five trainings as a method of its own, for all and for drawn threats.

    That is the one with the highest mean hypervolume over the seeds, a choice that favours it.
    """
    found = []
    for threats in ("all threats", "drawn threats"):
        trainings = points.filter(pl.col("method") == f"five trainings, {threats}")
        means = {
            label: np.mean([share_of_the_box(run) for run in group.partition_by("seed")])
            for (label,), group in trainings.group_by("label", maintain_order=True)
        }
        best = max(means, key=lambda label: means[label], default="")
        alone = trainings.filter(pl.col("label") == best)
        found.append(alone.with_columns(method=pl.lit(f"one training, {threats}")))
    return found


def share_of_the_box(group: pl.DataFrame) -> float:
    """Return the hypervolume of a front's points, in percent of the box."""
    points = group.select("natural", "total").to_numpy()
    return 100 * hypervolume(-points, -REFERENCE) / float(np.prod(BEST - REFERENCE))


def method_of() -> pl.Expr:
    """Return the method of a run by its label, without the last value, the point on the front."""
    return pl.col("label").map_elements(_method, return_dtype=pl.String)


def _method(label: str) -> str:
    """Return the method of a run.

    Example:
        >>> _method("path-down-sampled passes=450 natural=3")
        'path down, drawn threats, passes=450'
    """
    variant, *values, _ = label.split(" ")
    plain = variant.removesuffix("-sampled")
    threats = "all threats" if variant == plain else "drawn threats"
    if plain == "independent" and values in [[f"passes={full}"] for full in FULL_PASSES]:
        return f"five trainings, {threats}"
    return ", ".join([TITLES.get(plain, plain), threats, *values])


def table(found: pl.DataFrame, against: str = FULL) -> str:
    """Return the methods by their passes, each with its paired difference to one of them."""
    full, other = (_of(found.filter(pl.col("method") == name)) for name in (FULL, against))
    heading = ("method", "seeds", "passes, U", "hypervolume, %", "% of five trainings", "alone, %")
    lines = [(*heading, "range of natural", "and total", f"less {against}")]
    for (method,), group in sorted(
        found.group_by("method"), key=lambda item: float(item[1]["passes"].mean())
    ):
        own = _of(group)
        lines.append(
            (
                str(method),
                str(len(own)),
                f"{group['passes'].mean():.2f}",
                _interval(list(own.values())),
                _interval([100 * own[seed] / full[seed] for seed in own if full.get(seed)]),
                f"{group['alone'].mean():.1f}",
                *(f"{group[f'{name} range'].mean():.1f}" for name in ("natural", "total")),
                _interval([own[seed] - other[seed] for seed in own if seed in other]),
            )
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def keep(runs: pl.DataFrame, table: Path) -> None:
    """Write the scores of runs into a table, in place of the same runs in an existing one."""
    known = [pl.read_csv(table).select(COLUMNS)] if table.exists() else []
    both = pl.concat([*known, runs], how="vertical_relaxed")
    both.unique(["label", "seed"], keep="last").sort("label", "seed").write_csv(table)


def _whole(found: pl.DataFrame) -> pl.DataFrame:
    """Leave out the seeds of a method that have fewer points than its others."""
    return found.filter(pl.col("points") == pl.col("points").max().over("method"))


def _range(scores: pl.Series) -> float:
    return float(scores.max()) - float(scores.min())


def _of(group: pl.DataFrame) -> dict[int, float]:
    """Return the hypervolume by seed."""
    return dict(group.select("seed", "hypervolume").iter_rows())


def _interval(values: Sequence[float]) -> str:
    """Return the mean with its 95 % t interval, as text."""
    if not values:
        return "-"
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return f"{mean:.1f}"
    half = stdtrit(count - 1, 0.975) * float(np.std(values, ddof=1)) / count**0.5
    return f"{mean:.1f} [{mean - half:.1f}, {mean + half:.1f}]"


def main() -> None:
    """Train the missing runs, and print a table for each study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", nargs="*", default=list(STUDIES), help=", ".join(STUDIES))
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--stored", action="store_true", help="print what is finished")
    parser.add_argument("--against", default=FULL, metavar="METHOD", help="differences to it")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write the runs' scores here")
    chosen = parser.parse_args()
    if unknown := set(chosen.study) - set(STUDIES):
        parser.error(f"no study is called {sorted(unknown)[0]!r}; there are {', '.join(STUDIES)}")
    for study in chosen.study:
        if not chosen.stored:
            trained(study, chosen.results, chosen.jobs)
        runs = finished(study, chosen.results)
        if chosen.keep:
            keep(runs, chosen.keep / f"{study}.csv")
        found = fronts(runs)
        if chosen.against not in set(found["method"]):
            methods = ", ".join(sorted(set(found["method"])))
            parser.error(f"{study} has no method {chosen.against!r}; there are {methods}")
        print(f"{study}\n{table(found, chosen.against)}\n")


if __name__ == "__main__":
    main()
