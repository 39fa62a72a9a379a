"""Epochs around Algorithm 1: batches, schedule, log, validation, checkpoints."""

import copy
import json
import math
import time
from typing import Any

import torch
from torch import nn

from moat.data import batches_in_order, shuffled_batches
from moat.errors import InputError, TrainingError
from moat.events import Listener, LogEntry, Note, TrainingStep, ignore
from moat.names import NATURAL
from moat.passes import default_pass_size
from moat.plain import json_of
from moat.precision import plain_torch, tensor_float_32
from moat.public import public
from moat.randomness import generator_for, seed_globally
from moat.threats import Spent, trusted
from moat.training.checkpoint import Checkpointer
from moat.training.compile_modes import Compiled
from moat.training.conflict import Conflict
from moat.training.descent import Descent
from moat.training.devices import InPrecision
from moat.training.faults import UnreadFaults
from moat.training.finite import Finite
from moat.training.guard import FEW_TRIED, check_trainable
from moat.training.job import Fit, Fitted
from moat.training.kept_state import take_state
from moat.training.ledger import Ledger
from moat.training.length import length_of
from moat.training.measuring import has_batch_norm
from moat.training.memory import memory_explained
from moat.training.pace import pace_of
from moat.training.searches import TrainingSearches
from moat.training.step import train_step
from moat.training.step_cost import step_cost
from moat.training.step_settings import StepSettings


@public
@plain_torch()
def fit(job: Fit, listener: Listener = ignore) -> Fitted:
    """Train, from the folder's checkpoint if there is one; the model ends with the kept weights.

    A checkpoint is written after every epoch. Raises TrainingError for a non-finite loss and for
    lack of memory; the last checkpoint stays.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from moat.data import Digits
        >>> from moat.runs import RunFolder
        >>> from moat.scalarizers import Average
        >>> from moat.threats import PGD
        >>> from moat.training import SGD, Constant, Training, fabric_for
        >>> with TemporaryDirectory() as folder:
        ...     job = Fit(
        ...         model=nn.Sequential(nn.Flatten(), nn.Linear(64, 10)),
        ...         split=Digits().load().train.take(torch.arange(256)),
        ...         threats={"pgd": PGD(epsilon=0.1, step_size=0.05, steps=2)},
        ...         scalarizer=Average(),
        ...         training=Training(epochs=2),
        ...         optimizer=SGD(lr=0.1),
        ...         schedule=Constant(),
        ...         seed=0,
        ...         folder=RunFolder(Path(folder)),
        ...         fabric=fabric_for("cpu", "32-true"),
        ...     )
        ...     fitted = fit(job)
        >>> fitted.epoch, fitted.steps
        (2, 4)
    """
    if job.training.keep == "best" and job.validate is None:
        raise InputError(
            'keep = "best" needs held-out examples.',
            hint='Set data.validation, for example 0.1, or training.keep = "last".',
        )
    return _Loop(job, listener).run()


class _Loop:
    def __init__(self, job: Fit, listener: Listener) -> None:
        self.job, self.listener = job, listener
        device = job.fabric.device
        self.model = job.model.to(device)
        self.finite = Finite(self.model)
        self.split = job.split.near(device, job.memory)
        cost = self._cost()
        self.length = length_of(job.training, len(job.split), cost)
        self.pace = pace_of(job.training, self.length, len(job.split), cost)
        self.searches = TrainingSearches(
            job, self.split, self.length.steps_per_epoch, has_batch_norm(self.model)
        )
        self.pass_size = job.training.pass_size or default_pass_size(device)
        self.optimizer = job.optimizer.build(self.model.parameters())
        self.scheduler = job.schedule.build(
            self.optimizer, self.length.steps, self.length.steps_per_epoch
        )
        self.checkpointer = Checkpointer(
            job.folder,
            self.model,
            self.optimizer,
            self.scheduler,
            job.scalarizer,
            job.split.digest(),
            job.train_hash,
        )

        asked = "compile" in job.training.model_fields_set
        self.compiled = Compiled(self.model, job.training.compile, device, asked=asked)
        self.faults = UnreadFaults((NATURAL, *job.threats), job.folder.path)
        self.conflict = Conflict(self.model, job.fabric, self.pass_size, job.losses)

    def _cost(self) -> Spent:
        """Return the cost of a full step for each example, which only a budget asks for."""
        job = self.job
        if job.training.passes is None:
            return Spent()
        search, descent = step_cost(
            job.threats,
            job.scalarizer,
            losses=job.losses,
            batch_norm=has_batch_norm(self.model),
            classes=job.classes,
        )
        return search.plus(descent)

    def run(self) -> Fitted:
        self.progress = self.checkpointer.restore(self.job.fabric.device)
        if not self.progress.step:
            self._begin()
        self.ledger = Ledger(**self.progress.spent or {})
        self.searches.load_state_dict(self.progress.searches)
        network = InPrecision(self.compiled.network, self.job.fabric, self.ledger)
        with tensor_float_32(self.job.training.precision == "tf32"):
            self._require_trainable(InPrecision(self.model, self.job.fabric))
            while not self._is_over(min(self.job.training.batch_size, len(self.split))):
                started = time.monotonic()
                self._epoch(network)
                self._require_finite_weights()
                self.progress.epoch += 1
                self.progress.seconds += time.monotonic() - started
                if self.progress.spent is not None:
                    self.progress.spent = dict(vars(self.ledger))
                self.progress.searches = self.searches.state_dict()
                self._validate()
                self.checkpointer.save(self.progress)
        if text := self.searches.unwatched():
            self._note(f"training.overfitting: {text}")
        return self._finished()

    def _begin(self) -> None:
        """Take the optimizer's state of another training, and note whose weights these are."""
        start, kept = self.job.start, self.job.optimizer_state
        if kept is not None:
            take_state(self.optimizer, kept, where=self.job.folder.path)
        if start:
            self.progress.start = dict(start)
            self.job.folder.append_log({"step": 0, "epoch": 0, "start": start})

    def _require_trainable(self, network: nn.Module) -> None:
        """Look at the network and the labels once, so that no step need look at them again."""
        size = self.job.size or self.split.images.shape[2:]
        few = self.split.take(torch.arange(min(FEW_TRIED, len(self.split)))).at((size[0], size[1]))
        for x, _ in batches_in_order(few, FEW_TRIED, self.job.fabric.device):
            check_trainable(network, x, self.split.labels, self.job.scalarizer)

    def _epoch(self, network: nn.Module) -> None:
        job, epoch = self.job, self.progress.epoch
        seed_globally(job.seed, epoch)
        order = generator_for(job.seed, epoch, "order")
        search = generator_for(job.seed, epoch, "search")
        height, width = job.size or job.split.images.shape[2:]
        draws = generator_for(job.seed, epoch, "augmentation")
        augment = job.augmentation.on((height, width), draws)
        size, device = job.training.batch_size, job.fabric.device
        network.train()
        clock, seen = time.monotonic(), 0
        for x, y in shuffled_batches(self.split, size, order, augment, device):
            if self._is_over(len(x)):
                break
            objectives, table = 1 + len(job.threats), "training."
            with memory_explained(network, x, y, self.pass_size, objectives, table), trusted():
                descent = train_step(
                    network,
                    self.optimizer,
                    self.searches.threats,
                    job.scalarizer,
                    x,
                    y,
                    self._settings(search),
                )
            self.progress.step += 1
            self.ledger.searched += descent.searched
            seen += len(x)
            for reason in self.compiled.news():
                self._note(f"training.compile: {reason}.")
            self.faults.add(self.progress.step, descent.faults())
            logs = self.progress.step % job.training.log_every == 0
            if logs or device.type == "cpu":  # a GPU would make the host wait for every look
                self.faults.require_none(self._mend)
            if logs:
                now = time.monotonic()
                self._log(self._record(descent, seen / max(now - clock, 1e-9)))
                clock, seen = now, 0
            if (measured := self.conflict.taken()) is not None:
                self._log({**self._place(), "conflict": measured})
            self._look(network, epoch + 1)
            while self.scheduler.last_epoch < self.pace.place(self.progress.step, self._passes()):
                self.scheduler.step()
            self.listener(self._step(epoch + 1))
        self.faults.require_none(self._mend)

    def _passes(self) -> float:
        """Return the passes of examples so far."""
        return self.ledger.spent.total

    def _is_over(self, examples: int) -> bool:
        """Say whether the training ends before a step on so many examples."""
        step, by_steps = self.progress.step, self.pace.budget is None
        coming = 0.0 if by_steps else examples * self.searches.passes_at(step)
        return self.pace.is_over(step, self._passes(), coming)

    def _look(self, network: nn.Module, epoch: int) -> None:
        """Look for catastrophic overfitting where it is due and within the budget.

        Looks at smaller radii, as during a warm-up, could not be compared with later ones.
        """
        step = self.progress.step
        passes = self.searches.look_passes(step) if self._growth() == 1 else None
        if passes is None or self.pace.is_over(0, self._passes(), passes):
            return
        entry, alarms = self.searches.look(network, step, epoch, pass_size=self.pass_size)
        self._log(entry)
        for text in alarms:
            self._note(f"training.overfitting: {text}")

    def _note(self, text: str) -> None:
        self.listener(Note(run=self.job.folder.path, text=text))

    def _settings(self, generator: torch.Generator) -> StepSettings:
        """Return how the coming step is taken."""
        search = self.searches.search(self.compiled.search, self.progress.step, self.ledger)
        every = self.job.training.conflict_every
        measures = every is not None and (self.progress.step + 1) % every == 0
        observe = self.conflict.observe if measures else None
        losses = self.job.losses
        return StepSettings(
            self.pass_size, generator, self._reach(), search, loss=losses, observe=observe
        )

    def _step(self, epoch: int) -> TrainingStep:
        return TrainingStep(
            run=self.job.folder.path,
            epoch=epoch,
            epochs=max(epoch, self.pace.epochs(self.progress.step, self._passes())),
            step=self.progress.step,
            steps=self.pace.steps(self.progress.step, self._passes()),
        )

    def _reach(self) -> float:
        """Return the share of their radius that the threats have at the coming step."""
        return self._growth() * (self.job.training.reach or 1.0)

    def _growth(self) -> float:
        """Return the share of the warm-up that is over at the coming step."""
        growing = self.job.training.warmup * self.length.steps_per_epoch
        return min(1.0, (self.progress.step + 1) / growing) if growing else 1.0

    def _record(self, descent: Descent, rate: float) -> dict[str, Any]:
        names = descent.losses.names
        means, weights = descent.losses.means().tolist(), descent.mean_weights().tolist()
        return {
            **self._place(),
            "loss": {n: _or_none(value) for n, value in zip(names, means, strict=True)},
            "weight": dict(zip(names, weights, strict=True)),
            "lr": self.optimizer.param_groups[0]["lr"],
            "images_per_second": round(rate, 1),
            **self.job.scalarizer.log(),
            **self.searches.log(self.progress.step - 1),
        }

    def _place(self) -> dict[str, int]:
        """Return the place of a step's record in the log."""
        step, epoch = self.progress.step, self.progress.epoch + 1
        return {"step": step, "steps": self.pace.steps(step, self._passes()), "epoch": epoch}

    def _validate(self) -> None:
        """Measure the held-out examples, and keep the weights if they are the best so far."""
        if self.job.validate is None:
            return
        accuracy = self.job.validate(self.model)
        score = sum(accuracy.values()) / len(accuracy)
        self._log(
            {
                "step": self.progress.step,
                "epoch": self.progress.epoch,
                "validation": accuracy,
                "score": score,
            }
        )
        if self.job.training.keep == "best" and score > self.progress.best_score:
            self.progress.best_score, self.progress.best_epoch = score, self.progress.epoch
            self.progress.best = copy.deepcopy(dict(self.model.state_dict()))

    def _log(self, record: dict[str, Any]) -> None:
        self.job.folder.append_log(record)
        self.listener(LogEntry(run=self.job.folder.path, record=json.loads(json_of(record))))

    def _require_finite_weights(self) -> None:
        """Refuse to keep weights that the last step of an epoch broke."""
        if name := self.finite.broken():
            raise TrainingError(
                f"the trained weights are not finite: {name}.",
                where=f"{self.job.folder.path}, step {self.progress.step}",
                hint=self._mend(),
            )

    def _mend(self) -> str:
        done = self.progress.epoch
        kept = f"The checkpoint of epoch {done} is kept: {self.job.folder.checkpoint}"
        none = "No checkpoint exists, because no epoch was finished."
        return f"{kept if done else none}\nA lower learning rate is the usual mend."

    def _finished(self) -> Fitted:
        if self.progress.best:
            self.model.load_state_dict(self.progress.best)
        self.model.eval()
        seconds = max(self.progress.seconds, 1e-9)
        trained = self.progress.step / self.length.steps_per_epoch * len(self.split)
        return Fitted(
            epoch=self.progress.best_epoch or self.progress.epoch,
            steps=self.progress.step,
            seconds=round(seconds, 2),
            images_per_second=round(trained / seconds, 1),
            scalarizer=self.job.scalarizer.log(),
            compiled=self.compiled.outcome(),
            **self._spent(),
            **self.searches.about(),
        )

    def _spent(self) -> dict[str, Any]:
        """Return what the training has spent; nothing where it began uncounted."""
        if self.progress.spent is None:
            return {}
        passes = round(self.ledger.spent.total / len(self.split), 3)
        return {**self.progress.spent, "passes": passes}


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
