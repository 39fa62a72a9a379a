"""Stage (b), a study at fewer epochs: several runs side by side, in commands that end on time."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Thread
from typing import Any

from benchmarks.gpu.output import save
from moat.errors import BusyError, MoatError
from moat.events import ignore
from moat.recipe import RunPlan
from moat.runs import CACHE, RunFolder
from moat.study import plan
from moat.study.failures import as_failure
from moat.study.one_run import run_one
from moat.study.run_state import RunState
from moat.study.step_cost import passes_per_example

PAUSE = 0.5  # seconds between two looks at the processes


def train_study(asked: argparse.Namespace, found: dict[str, Any]) -> int:
    """Let processes work on the runs until the time is up; return how many of these failed.

    What is known is written whenever a run is finished.
    """
    plans = _plans(asked)
    command = [sys.executable, "-m", "benchmarks.gpu", "work", *_options(asked)]

    def write(failed: int = 0) -> None:
        found["study"] = {**_summary(asked, plans), "failed processes": failed}
        save(asked, found)

    def finished() -> int:
        return sum(RunFolder(asked.results / run.path).is_done for run in plans)

    environment = {**os.environ, "OMP_NUM_THREADS": threads_of(asked)}
    whole = len(_summary(asked, plans)["finished"]) == len(plans)
    commands = [] if whole else [command] * asked.side_by_side
    failed = run_together(commands, 60 * asked.minutes, environment, on_change(finished, write))
    write(failed)
    return failed


def threads_of(asked: argparse.Namespace) -> str:
    """Return how many threads each of the processes has."""
    return str(max(1, (os.cpu_count() or 1) // asked.side_by_side))


def on_change(count: Callable[[], int], write: Callable[[], None]) -> Callable[[], None]:
    """Return what writes if the count is no longer what it was."""
    known = [count()]

    def look() -> None:
        if (now := count()) != known[0]:
            known[0] = now
            write()

    return look


def run_together(
    commands: Sequence[list[str]],
    seconds: float,
    environment: Mapping[str, str],
    look: Callable[[], None] = lambda: None,
) -> int:
    """Run the commands at once, kill what is left in the end; return how many failed.

    Each has a pipe from this process for its standard input, which ends when this one does.
    `look` is called now and then.
    """
    deadline = time.monotonic() + seconds
    workers = [subprocess.Popen(one, env=environment, stdin=subprocess.PIPE) for one in commands]
    try:
        while any(worker.poll() is None for worker in workers):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            time.sleep(min(PAUSE, left))
            look()
    finally:
        codes = [worker.poll() for worker in workers]  # None: stopped by us
        for worker in workers:
            worker.kill()
            worker.communicate()
    failed = [code for code in codes if code]
    if failed:
        said = ", ".join(map(str, failed))
        print(
            f"{len(failed)} of {len(commands)} processes failed, exit codes {said}.",
            file=sys.stderr,
        )
    return len(failed)


def end_with_parent() -> None:
    """End this process as soon as the one that started it ends, however that comes about.

    Else a killed stage would leave processes behind that hold its runs and the GPU.
    """

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        os._exit(1)

    Thread(target=wait, daemon=True).start()


def work(asked: argparse.Namespace) -> int:
    """Take every run that is neither done nor held by another process, one after the other.

    Returns how many failed.
    """
    data, failed = None, 0
    for run in _plans(asked):
        folder = RunFolder(asked.results / run.path)
        try:
            if RunState(run, folder).left != "nothing":
                data = data or run.dataset.load(asked.results / CACHE)
                run_one(run, folder, data, asked.device, ignore)
        except BusyError:
            continue
        except Exception as error:  # one run that fails must not hold up the others
            print(f"{run.label}, seed {run.seed}: {as_failure(error)}", file=sys.stderr)
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
        if _is_done(run, folder) and (record := folder.read_record()) and record.scores:
            seconds += record.training["seconds"]
            passes += asked.epochs * sum(passes_per_example(run))
            finished[f"{run.label}, seed {run.seed}"] = {
                "compile": record.training["compiled"],
                "seconds an epoch": round(record.training["seconds"] / asked.epochs, 2),
                "images a second": record.training["images_per_second"],
                "natural": round(record.scores["natural"], 2),
                "total": round(record.scores["total"], 2),
                "union": round(record.scores["union"], 2),
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


def _is_done(run: RunPlan, folder: RunFolder) -> bool:
    try:
        return RunState(run, folder).left == "nothing"
    except MoatError:  # its worker says what is wrong with it
        return False


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
    named += ["--recipe", str(asked.recipe), "--side-by-side", str(asked.side_by_side)]
    return [*named, *sets, "--tied"]
