"""The hypervolume of a front by the passes of training that it costs.

    python -m benchmarks.front_for_one [digits_front] [mnist14_front] [--results results]

Each study is trained where runs are missing (`--stored`: nothing is), under a folder of results in
which it resumes. `--keep FOLDER` writes the scores of its runs into a table, digits_front.csv say,
beside those of other seeds; `--results docs/results --stored` reads such tables, and bundles.

A method is a front of five points at one budget, in every seed. Its hypervolume is that of (natural
accuracy, total of three threats) in percent of the box from natural 80, total 0 to natural 100,
total 300. Costs are in U, the passes of one full training; a path costs what all its legs do, and a
conditioned network is trained once for all of its points.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import stdtrit

import moat
from moat.fronts import hypervolume
from moat.recipe import plan_runs, read

FULL = "independent, in full"
"""The method that all others are compared with: independent runs, each of a full training."""
STUDIES = {
    "digits_front": {"digits_front": ()},
    "mnist14_front": {"mnist14_front": (), "mnist14_rules": ("weighted", "average-at")},
}
"""The recipes of a study, and their variants, where not all belong to it."""
NAMES = {"independent passes=900": FULL, "weighted": FULL, "average-at": FULL}
"""The runs of a full training each: of the digits, and of MNIST's other recipe."""
COLUMNS = ("study", "variant", "label", "seed", "passes", "natural", "total", "union")
"""The columns of a kept table."""
REFERENCE, BEST = np.array([80.0, 0.0]), np.array([100.0, 300.0])


def trained(study: str, results: Path, jobs: int) -> None:
    """Train the missing runs of a study."""
    for recipe, only in STUDIES[study].items():
        moat.train(recipe, only=only, results=results, jobs=jobs)


def finished(study: str, results: Path) -> pl.DataFrame:
    """Return the finished runs of a study, by its folders, bundles or tables."""
    found = [runs for recipe in STUDIES[study] if (runs := _runs_of(recipe, results)) is not None]
    if not found:
        raise SystemExit(f"{results} has no results of {study}; leave out --stored to train them.")
    return pl.concat(found).filter(pl.col("variant").is_in(_variants(study)))


def fronts(runs: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each method and seed: its hypervolume (%), passes (U) and points."""
    points = runs.with_columns(method=method_of())
    full = points.filter(pl.col("method") == FULL)["passes"].median()
    rows = [
        {
            "method": method,
            "seed": seed,
            "hypervolume": _share_of_the_box(group),
            "passes": float(group["passes"].sum()) / full,
            "points": len(group),
        }
        for (method, seed), group in points.group_by("method", "seed", maintain_order=True)
    ]
    return _whole(pl.DataFrame(rows))


def method_of() -> pl.Expr:
    """Return the method of a run: its label without the last value, the point on the front."""
    return pl.col("label").str.replace(r" [^ ]*=[^ ]*$", "").replace(NAMES)


def table(found: pl.DataFrame) -> str:
    """Return the methods by their passes, with 95 % intervals over the seeds."""
    full = {row["seed"]: row["hypervolume"] for row in found.rows(named=True) if _is_full(row)}
    lines = [f"{'method':<31} seeds {'passes, U':>9}  {'hypervolume, %':<22}  % of it in full"]
    for (method,), group in sorted(
        found.group_by("method"), key=lambda item: float(item[1]["passes"].mean())
    ):
        own = dict(zip(group["seed"], group["hypervolume"], strict=True))
        ratios = [100 * value / full[seed] for seed, value in own.items() if full.get(seed)]
        lines.append(
            f"{method:<31} {len(own):>5} {group['passes'].mean():>9.2f}  "
            f"{_interval(list(own.values())):<22}  {_interval(ratios)}"
        )
    return "\n".join(lines)


def keep(runs: pl.DataFrame, table: Path) -> None:
    """Write the scores of runs into a table, in place of the same runs in an existing one."""
    known = [pl.read_csv(table).select(COLUMNS)] if table.exists() else []
    both = pl.concat([*known, runs], how="vertical_relaxed")
    both.unique(["label", "seed"], keep="last").sort("label", "seed").write_csv(table)


def _runs_of(recipe: str, results: Path) -> pl.DataFrame | None:
    """Return the runs of one recipe; None if there are none."""
    table = results / f"{recipe}.csv"
    if table.exists():
        return pl.read_csv(table).select(COLUMNS)
    for place in (results / recipe, results / f"{recipe}.zip"):
        if place.exists():
            return moat.results(place).runs.select(COLUMNS)
    return None


def _variants(study: str) -> list[str]:
    """Return the names of a study's variants, in all its recipes."""
    plans = [p for recipe, only in STUDIES[study].items() for p in plan_runs(read(recipe), only)]
    return list({plan.variant: None for plan in plans})


def _share_of_the_box(group: pl.DataFrame) -> float:
    """Return the hypervolume of a front's points, in percent of the box."""
    points = group.select("natural", "total").to_numpy()
    return 100 * hypervolume(-points, -REFERENCE) / float(np.prod(BEST - REFERENCE))


def _whole(found: pl.DataFrame) -> pl.DataFrame:
    """Leave out the seeds of a method that have fewer points than its others."""
    return found.filter(pl.col("points") == pl.col("points").max().over("method"))


def _is_full(row: dict[str, object]) -> bool:
    return row["method"] == FULL


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
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write the runs' scores here")
    chosen = parser.parse_args()
    if unknown := set(chosen.study) - set(STUDIES):
        parser.error(f"no study is called {sorted(unknown)[0]!r}; there are {', '.join(STUDIES)}")
    for study in chosen.study:
        if not chosen.stored:
            trained(study, chosen.results, chosen.jobs)
        runs = finished(study, chosen.results)
        if chosen.keep:
            keep(runs.filter(pl.col("study") == study), chosen.keep / f"{study}.csv")
        print(f"{study}\n{table(fronts(runs))}\n")


if __name__ == "__main__":
    main()
