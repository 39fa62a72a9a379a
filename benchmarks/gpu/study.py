"""Stage (b), a study at fewer epochs: several runs side by side, in commands that end on time."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from moat.errors import BusyError, MoatError
from moat.recipe import RunPlan
from moat.runs import CACHE, RunFolder
from moat.storage import replace, to_json
from moat.study import StudyListener, plan
from moat.study.estimates import passes_per_example
from moat.study.identity import is_done
from moat.study.one_run import run_one


def train_study(asked: argparse.Namespace, found: dict[str, Any]) -> int:
    """Let processes work on the runs until the time is up, then say what is known.

    Returns how many processes failed.
    """
    command = [sys.executable, "-m", "benchmarks.gpu", "work", *_options(asked)]
    threads = str(max(1, (os.cpu_count() or 1) // asked.side_by_side))
    environment = {**os.environ, "OMP_NUM_THREADS": threads}
    failed = run_side_by_side(command, asked.side_by_side, 60 * asked.minutes, environment)
    found["study"] = {**_summary(asked, _plans(asked)), "failed processes": failed}
    replace(asked.out, to_json(found))
    return failed


def run_side_by_side(
    command: list[str], count: int, seconds: float, environment: Mapping[str, str]
) -> int:
    """Run a command in so many processes, kill what is left in the end; return how many failed."""
    return run_together([command] * count, seconds, environment)


def run_together(
    commands: Sequence[list[str]], seconds: float, environment: Mapping[str, str]
) -> int:
    """Run the commands at once, kill what is left in the end; return how many failed."""
    deadline = time.monotonic() + seconds
    workers = [subprocess.Popen(command, env=environment) for command in commands]
    codes: list[int | None] = []  # None: stopped by us
    try:
        for worker in workers:
            worker.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        pass
    finally:
        codes += [worker.poll() for worker in workers]
        for worker in workers:
            worker.kill()
            worker.wait()
    failed = [code for code in codes if code]
    if failed:
        said = ", ".join(map(str, failed))
        print(
            f"{len(failed)} of {len(commands)} processes failed, exit codes {said}.",
            file=sys.stderr,
        )
    return len(failed)


def work(asked: argparse.Namespace) -> int:
    """Take every run that is neither done nor held by another process, one after the other.

    Returns how many failed.
    """
    data, failed = None, 0
    for run in _plans(asked):
        folder = RunFolder(asked.results / run.path)
        if is_done(run, folder):
            continue
        data = data or run.dataset.load(asked.results / CACHE)
        try:
            run_one(run, folder, data, asked.device, StudyListener())
        except BusyError:
            continue
        except MoatError as error:  # one run that fails must not hold up the others
            print(error, file=sys.stderr)
            failed += 1
    return failed


def _plans(asked: argparse.Namespace) -> list[RunPlan]:
    """Return the runs at the chosen epochs, seed by seed, milestones at the same shares of it."""
    plans = plan(asked.recipe)
    whole = plans[0]
    seeds = list(range(asked.seeds)) or sorted({run.seed for run in plans})
    overrides = [f"training.epochs={asked.epochs}", f"seeds={seeds}", *asked.set]
    milestones = getattr(whole.schedule, "milestones", ())
    if milestones:
        scaled = {max(1, round(m * asked.epochs / whole.training.epochs)) for m in milestones}
        overrides.append(f"schedule.milestones={sorted(scaled)}")
    return sorted(plan(asked.recipe, overrides=overrides), key=lambda run: run.seed)


def _summary(asked: argparse.Namespace, plans: list[RunPlan]) -> dict[str, Any]:
    """Return what is finished, and what the whole study would take at the same rate."""
    full = plan(asked.recipe)[0].training.epochs
    finished: dict[str, Any] = {}
    seconds, passes = 0.0, 0
    for run in plans:
        folder = RunFolder(asked.results / run.path)
        if is_done(run, folder):
            record = folder.read_record() or {}
            seconds += record["training"]["seconds"]
            passes += asked.epochs * sum(passes_per_example(run))
            finished[f"{run.label}, seed {run.seed}"] = {
                "compile": record["training"]["compiled"],
                "seconds an epoch": round(record["training"]["seconds"] / asked.epochs, 2),
                "images a second": record["training"]["images_per_second"],
                "natural": round(record["scores"]["natural"], 2),
                "total": round(record["scores"]["total"], 2),
                "union": round(record["scores"]["union"], 2),
            }
    whole = full * sum(sum(passes_per_example(run)) for run in plans)
    hours = whole * seconds / passes / 3600 if passes else None
    return {
        "recipe": asked.recipe.name,
        "epochs": asked.epochs,
        "side by side": asked.side_by_side,
        "finished": finished,
        "runs": len(plans),
        f"GPU hours of training at {full} epochs, {asked.side_by_side} side by side": (
            None if hours is None else round(hours / asked.side_by_side, 2)
        ),
        "the hours rest on": f"{len(finished)} finished run(s), each weighed by its passes; "
        "evaluation is not counted",
    }


def _options(asked: argparse.Namespace) -> list[str]:
    """Return the options of `study` as they are handed to its processes."""
    given = {
        "--epochs": asked.epochs,
        "--seeds": asked.seeds,
        "--results": asked.results,
        "--device": asked.device,
    }
    named = [part for name, value in given.items() for part in (name, str(value))]
    sets = [part for one in asked.set for part in ("--set", one)]
    return [*named, "--recipe", str(asked.recipe), "--side-by-side", str(asked.side_by_side), *sets]
