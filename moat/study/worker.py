"""A worker process, which does the runs of the pool one after another and reports events."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from threading import Thread
from types import FrameType
from typing import Any

import torch

from moat.allocator import own_process
from moat.consent import Consent, consenting
from moat.errors import MoatError, RunFolderError
from moat.events import StudyNote
from moat.precision import plain_torch
from moat.recipe import RunPlan, Source, plan_runs
from moat.study.events import error_table
from moat.study.runner import Runner, RunnerSettings


@dataclass(frozen=True)
class WorkerTask:
    """The data with which a worker plans the same runs as the process that started it."""

    source: Source
    only: tuple[str, ...]
    seeds: tuple[int, ...]
    setting: RunnerSettings
    named: bool = True  # see `moat.consent`
    stored: bool = False
    given: frozenset[str] = frozenset()
    threads: int = 1


@dataclass(frozen=True)
class Order:
    """The next run of a worker, by its number among the plans and by its identity."""

    number: int
    train_hash: str
    protocol_hash: str


@dataclass(frozen=True)
class Ready:
    """A worker has planned its runs and waits for an order."""


@dataclass(frozen=True)
class Refusal:
    """A worker cannot plan the runs; the fields are those of the error."""

    error: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """An order is done; `ended` is False if another process holds the run."""

    ended: bool


def work(pool: Connection, task: WorkerTask) -> None:
    """Do the runs that the pool orders, until there is none."""
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the pool hears Ctrl-C, and says when to stop
    signal.signal(signal.SIGTERM, _stop)
    try:
        _work(pool, task)
    except (KeyboardInterrupt, BrokenPipeError, ConnectionResetError, EOFError):
        os._exit(1)  # it was told to stop, or nobody is left to tell


@plain_torch()
def _work(pool: Connection, task: WorkerTask) -> None:
    torch.set_num_threads(task.threads)
    consent = Consent(
        named=task.named,
        stored=task.stored,
        say=lambda line: pool.send(StudyNote(text=line)),
        given=set(task.given),
    )
    with own_process(), consenting(consent):
        try:
            plans = plan_runs(task.source, task.only, task.seeds)
            whole = plan_runs(task.source) if task.only or task.seeds else plans
        except MoatError as error:
            pool.send(Refusal(error_table(error)))
            return
        runner = Runner(task.setting, plans, whole, pool.send)
        pool.send(Ready())
        while (order := pool.recv()) is not None:
            pool.send(Answer(_ends(runner, plans, order)))


def _ends(runner: Runner, plans: list[RunPlan], order: Order) -> bool:
    plan = plans[order.number]
    if (plan.train_hash, plan.protocol_hash) == (order.train_hash, order.protocol_hash):
        return runner.ends(plan)
    runner.fail(
        plan,
        RunFolderError(
            "files of the recipe changed since the study began.",
            where=plan.source.where(),
            hint="Nothing was overwritten. Run the same command again.",
        ),
    )
    return True


def _stop(number: int, frame: FrameType | None) -> None:
    """Stop as at Ctrl-C: locks are let go of, and the last checkpoint stays."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _die_with_parent(die: Callable[[int], Any] = os._exit) -> None:
    """End this process as soon as the one that started it is gone, however that ended."""
    parent = parent_process()
    if parent is not None:
        Thread(target=lambda: (wait([parent.sentinel]), die(1)), daemon=True).start()
