"""Parallel worker processes, each with one run: their messages, and their deaths."""

import signal
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from moat.consent import current_consent
from moat.errors import MoatError, TrainingError
from moat.events import (
    DataNote,
    EvaluationStep,
    Event,
    RunFailure,
    StudyNote,
    TrainingStep,
    WorkerLoss,
)
from moat.recipe import RunPlan
from moat.recipe.predecessors import predecessors_of
from moat.study.events import named
from moat.study.failures import as_failure
from moat.study.job_count import Share
from moat.study.runner import Runner
from moat.study.worker import Answer, Order, Ready, Refusal, WorkerTask, work

DEATHS = 3
"""Workers that may die at the same place of a run before it counts as failed."""
WORKER_PATIENCE = 10.0
"""Seconds in which a worker lets go of its run's folder when it is told to stop."""


@dataclass(eq=False)
class _Worker:
    """A process, the line to it, and the run that it is at."""

    process: SpawnProcess
    line: Connection
    run: int | None = None
    is_ready: bool = False
    place: tuple[Any, ...] = ()  # how far the run is, as far as it told


@dataclass
class Pool:
    """Parallel runs; `runner` has the plans, and receives the workers' events."""

    task: WorkerTask
    share: Share
    runner: Runner
    _waiting: deque[int] = field(default_factory=deque)
    _workers: list[_Worker] = field(default_factory=list)
    _held: list[int] = field(default_factory=list)
    _deaths: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    _early: int = 0  # workers that died before they were ready
    _notes: set[str] = field(default_factory=set)

    def run(self, numbers: Iterable[int]) -> list[int]:
        """Run these of the plans; return those that other processes hold.

        No worker is left at the end: any exception, above all Ctrl-C, stops them, and each keeps
        its last checkpoint. Raises MoatError if no worker can start.
        """
        self._waiting.extend(numbers)
        self._held = []
        try:
            while self._waiting or self._workers:
                self._hire()
                for line in wait([worker.line for worker in self._workers]):
                    self._hear(next(one for one in self._workers if one.line is line))
        finally:
            self._stop()
        return self._held

    def _hire(self) -> None:
        """Start workers while runs wait that nobody is coming for."""
        coming = sum(worker.run is None for worker in self._workers)
        while len(self._workers) < self.share.jobs and coming < len(self._free()):
            self._workers.append(_started(self._task()))
            coming += 1

    def _free(self) -> list[int]:
        """Return the waiting runs that start from none that waits or is in work."""
        open_ = {*self._waiting, *(worker.run for worker in self._workers)}
        return [number for number in self._waiting if self._before[number] not in open_]

    @cached_property
    def _before(self) -> dict[int, int]:
        """The number of the run that a run starts from; -1 without one."""
        plans = self.runner.plans
        before, numbers = predecessors_of(plans), {p.path: n for n, p in enumerate(plans)}
        return {
            n: numbers.get(one.path, -1) if (one := before[p.path]) else -1
            for n, p in enumerate(plans)
        }

    def _task(self) -> WorkerTask:
        consent = current_consent()
        return replace(
            self.task,
            named=consent.named,
            stored=consent.stored,
            given=frozenset(consent.given),
            threads=self.share.threads,
        )

    def _hear(self, worker: _Worker) -> None:
        try:
            told = worker.line.recv()
        except (EOFError, OSError):
            self._lose(worker)
            return
        match told:
            case Ready():
                worker.is_ready, self._early = True, 0
                self._order(worker)
            case Refusal(error=error):
                raise _refused(error)
            case Answer(ended=ended):
                if not ended and worker.run is not None:
                    self._held.append(worker.run)
                self._order(worker)
            case Event():
                self._tell(worker, told)

    def _order(self, worker: _Worker) -> None:
        """Have a worker do the next run, or end where none waits."""
        worker.run, worker.place = None, ()
        if not (free := self._free()):
            self._workers.remove(worker)
            with suppress(OSError):
                worker.line.send(None)
            _end(worker, time.monotonic() + WORKER_PATIENCE)
            return
        worker.run = free[0]
        self._waiting.remove(worker.run)
        plan = self._plan(worker.run)
        with suppress(OSError):  # it died meanwhile, which the next look at its line says
            worker.line.send(Order(worker.run, plan.train_hash, plan.protocol_hash))

    def _tell(self, worker: _Worker, event: Event) -> None:
        """Pass an event on; where the listener fails at it, so does the run, as in one process."""
        match event:
            case TrainingStep(epoch=epoch):
                worker.place = (epoch,)
            case EvaluationStep(batch=batch, threat=threat, held_out=held_out):
                worker.place = (held_out, batch, threat)
            case DataNote(text=text) | StudyNote(text=text):  # each worker says the same
                if text in self._notes:
                    return
                self._notes.add(text)
        try:
            self.runner.listener(event)
        except Exception as error:
            number = worker.run
            self._dismiss(worker)
            if number is None or isinstance(event, RunFailure):
                raise
            self.runner.fail(self._plan(number), as_failure(error))

    def _lose(self, worker: _Worker) -> None:
        """Have the run of a dead worker taken up by another, unless workers die of it."""
        self._workers.remove(worker)
        _end(worker, time.monotonic() + WORKER_PATIENCE)
        how = _how(worker.process.exitcode)
        if worker.run is None:
            self._early += not worker.is_ready
            if self._early == DEATHS or (self._early and (worker.process.exitcode or 0) > 0):
                raise _cannot_start(how)
            return
        plan, number = self._plan(worker.run), worker.run
        died = (number, *worker.place)
        self._deaths[died] += 1
        if self._deaths[died] < DEATHS:
            self._waiting.appendleft(number)
            text = f"its worker process {how}; another one resumes it"
            folder = self.runner.setting.results / plan.path
            self.runner.listener(named(WorkerLoss, plan, folder, text=text))
            return
        self.runner.fail(
            plan,
            TrainingError(
                f"{DEATHS} worker processes ended at the same place of this run; the last {how}.",
                hint="Too little memory is the usual reason: use fewer --jobs or a smaller "
                "training.pass_size. The last checkpoint is kept.",
            ),
        )

    def _plan(self, number: int) -> RunPlan:
        return self.runner.plans[number]

    def _dismiss(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        _end(worker, time.monotonic() + WORKER_PATIENCE, stop=True)

    def _stop(self) -> None:
        """Stop every worker that is left, all at the same time."""
        workers, self._workers = self._workers, []
        self._waiting.clear()
        for worker in workers:
            worker.process.terminate()
        until = time.monotonic() + WORKER_PATIENCE
        for worker in workers:
            _end(worker, until, stop=True)


def _started(task: WorkerTask) -> _Worker:
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=work, args=(there, task), name="moat-worker")
    with _without_interrupts():
        process.start()
    there.close()  # so that its end is heard
    return _Worker(process, here)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Keep Ctrl-C from what is started within, which inherits that; it is heard here afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(worker: _Worker, until: float, *, stop: bool = False) -> None:
    """Wait for a worker's end; where it does not come in time, bring it about."""
    process = worker.process
    if stop and process.is_alive():
        process.terminate()
    process.join(max(0.0, until - time.monotonic()))
    if process.is_alive():
        process.kill()
        process.join()
    worker.line.close()


def _how(code: int | None) -> str:
    """Return how a process ended, in words."""
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
        return f"was ended by signal {-code}"
    return f"ended with exit code {code}"


def _refused(error: dict[str, Any]) -> MoatError:
    event = RunFailure(run=Path(), label="", variant="", sweep={}, seed=0, **error)
    return event.error


def _cannot_start(how: str) -> MoatError:
    return MoatError(
        f"a worker process {how} as it started.",
        where="jobs",
        hint="In a script, moat.train(..., jobs=...) must stand below "
        '`if __name__ == "__main__":`, because each worker imports the script. Any other reason '
        "is printed above.",
    )
