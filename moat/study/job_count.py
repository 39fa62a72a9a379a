"""The number of parallel runs on this machine, and the threads of each."""

import math
import os
import re
import reprlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from moat.errors import InputError
from moat.evaluation.room import gib
from moat.events import Listener, StudyNote
from moat.recipe import RunPlan
from moat.recipe.predecessors import most_at_once
from moat.study.job_memory import free_memory, memory_per_job
from moat.study.runner import RunnerSettings
from moat.training import device_for

Jobs: TypeAlias = int | Literal["auto"]
_LONG = re.compile(r"[1-9][0-9]{9,}")
_WHOLE = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Share:
    """A number of runs at once, and of threads for each."""

    jobs: int
    threads: int


def jobs_of(asked: int | str, where: str = "jobs") -> Jobs:
    """Return a number of jobs of at least 1, or "auto"; raise MoatError for anything else."""
    if asked == "auto":
        return "auto"
    text = str(asked)
    if _LONG.fullmatch(text):
        raise InputError(
            f"too many parallel runs for any machine: {reprlib.repr(text)}.",
            where=where,
            hint="auto uses as many as cores and memory allow.",
        )
    if isinstance(asked, bool) or not _WHOLE.fullmatch(text) or not int(text):
        raise InputError(
            f"{text!r} is not a number of parallel runs.",
            where=where,
            hint="Give a whole number from 1 on, or auto: as many as cores and memory allow.",
        )
    return int(text)


def settle_jobs(
    wanted: Jobs, left: Sequence[RunPlan], runs: int, setting: RunnerSettings, listener: Listener
) -> Share:
    """Return the number of a study's runs at once, and report the consequences.

    `left` are the runs that have no record yet, of so many. Threads are what the cores are divided
    into; the variable OMP_NUM_THREADS lowers them. What a job takes of memory is an estimate: the
    listener hears of it where it decides, or where there is less than the jobs may take.
    """
    device = device_for(setting.device)
    cores = core_count()
    most_left = most_at_once(left)  # a run waits for the one that it starts from
    if wanted != "auto" and min(wanted, most_left) < 2:
        return _share(min(wanted, runs), cores)
    free = free_memory(device)
    each = memory_per_job(left, setting, device)
    fit = max(1, free // each) if free and each else None
    if wanted != "auto":
        jobs = min(wanted, runs)
        if fit is not None and min(jobs, most_left) > fit:
            listener(StudyNote(text=_too_many(min(jobs, most_left), each, free or 0, fit)))
        return _share(jobs, cores)
    most = 1 if device.type == "cuda" else cores
    chosen = _share(max(1, min(most, most_left, fit or most)), cores)
    listener(StudyNote(text=_choice(chosen, cores, len(left), each, fit, on=device.type)))
    return chosen


def core_count() -> int:
    """Return the number of cores that system and container allow to this process."""
    cores = os.cpu_count() or 1
    with suppress(AttributeError, OSError):  # not on every system
        cores = len(os.sched_getaffinity(0))
    with suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        cores = min(cores, max(1, math.ceil(int(quota) / int(period))))
    return cores


def _share(jobs: int, cores: int) -> Share:
    threads = max(1, cores // jobs)
    said = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    if _WHOLE.fullmatch(said) and int(said):
        threads = min(threads, int(said))
    return Share(jobs, threads)


def _too_many(jobs: int, each: int, free: int, fit: int) -> str:
    return (
        f"{jobs} jobs may take {gib(jobs * each)} of memory (an estimate: {gib(each)} each), and "
        f"{gib(free)} are free. A job without memory fails, or the system ends its worker. "
        f"--jobs {fit} fits."
    )


def _choice(chosen: Share, cores: int, left: int, each: int, fit: int | None, on: str) -> str:
    why = [f"{cores} core{'s' * (cores > 1)}", f"{left} run{'s' * (left != 1)} left"]
    if on == "cuda":
        why = ["one GPU, which jobs would share"]
    elif fit is not None:
        why.append(f"memory for {fit} at about {gib(each)} each")
    threads = f"{chosen.threads} thread{'s' * (chosen.threads > 1)} each"
    return f"--jobs auto: {chosen.jobs} at once, {threads} ({', '.join(why)})."
