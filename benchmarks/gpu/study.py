"""A study at fewer epochs, several runs side by side, in commands that end when told to."""

import argparse
import os
import subprocess
import sys
import time
from statistics import fmean
from typing import Any

from moat.errors import BusyError, MoatError
from moat.recipe import RunPlan
from moat.runs import CACHE, RunFolder
from moat.storage import replace, to_json
from moat.study import StudyListener, plan
from moat.study.identity import is_done
from moat.study.one_run import run_one


def train_study(asked: argparse.Namespace, found: dict[str, Any]) -> None:
    """Let processes work on the runs until the time is up, then say what is known."""
    deadline = time.monotonic() + 60 * asked.minutes
    options = [*_options(asked), "--minutes", str(asked.minutes), "--out", str(asked.out)]
    command = [sys.executable, "-m", "benchmarks.gpu", "work", *options]
    threads = str(max(1, (os.cpu_count() or 1) // asked.side_by_side))
    environment = {**os.environ, "OMP_NUM_THREADS": threads}
    workers = [subprocess.Popen(command, env=environment) for _ in range(asked.side_by_side)]
    try:
        for worker in workers:
            worker.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        pass
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    found["study"] = _summary(asked, _plans(asked))
    replace(asked.out, to_json(found))


def work(asked: argparse.Namespace) -> None:
    """Take every run that is neither done nor held by another process, one after the other."""
    data = None
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


def _plans(asked: argparse.Namespace) -> list[RunPlan]:
    """Return the runs at the chosen number of epochs, milestones at the same shares of it."""
    whole = plan(asked.recipe)[0]
    overrides = [f"training.epochs={asked.epochs}", *asked.set]
    milestones = getattr(whole.schedule, "milestones", ())
    if milestones:
        scaled = {max(1, round(m * asked.epochs / whole.training.epochs)) for m in milestones}
        overrides.append(f"schedule.milestones={sorted(scaled)}")
    return plan(asked.recipe, overrides=overrides)


def _summary(asked: argparse.Namespace, plans: list[RunPlan]) -> dict[str, Any]:
    """Return what is finished, and what the whole study would take at the same rate."""
    full = plan(asked.recipe)[0].training.epochs
    finished: dict[str, Any] = {}
    per_epoch: list[float] = []
    for run in plans:
        folder = RunFolder(asked.results / run.path)
        if is_done(run, folder):
            record = folder.read_record() or {}
            per_epoch.append(record["training"]["seconds"] / asked.epochs)
            finished[run.label] = {
                "seconds an epoch": round(per_epoch[-1], 2),
                "images a second": record["training"]["images_per_second"],
                "natural": round(record["scores"]["natural"], 2),
                "total": round(record["scores"]["total"], 2),
            }
    hours = full * fmean(per_epoch) * len(plans) / 3600 if per_epoch else None
    return {
        "recipe": asked.recipe.name,
        "epochs": asked.epochs,
        "side by side": asked.side_by_side,
        "finished": finished,
        "runs": len(plans),
        f"GPU hours of training at {full} epochs, {asked.side_by_side} side by side": (
            None if hours is None else round(hours / asked.side_by_side, 2)
        ),
    }


def _options(asked: argparse.Namespace) -> list[str]:
    """Return the options of `study` as they are handed to its processes."""
    given = {"--epochs": asked.epochs, "--results": asked.results, "--device": asked.device}
    named = [part for name, value in given.items() for part in (name, str(value))]
    sets = [part for one in asked.set for part in ("--set", one)]
    return [*named, "--recipe", str(asked.recipe), "--side-by-side", str(asked.side_by_side), *sets]
