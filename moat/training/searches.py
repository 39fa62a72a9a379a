"""The searches of a training as it goes on: their threats, length, cost and watch."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from moat.data import Split
from moat.threats import GradientThreat, JointSearch, ShortSearch, Threat, steps_at, with_steps
from moat.training.detector import Detector
from moat.training.job import Fit
from moat.training.ledger import Ledger
from moat.training.overfitting import Accuracies
from moat.training.search_count import CountedSearch, SearchCount
from moat.training.search_length import growth_at, require_searches
from moat.training.step_cost import step_cost


class TrainingSearches:
    """The searches of one training, which may grow, let fallen examples leave, and be watched.

    Without these settings they are those of the job, and `search` returns the given one.
    """

    def __init__(self, job: Fit, split: Split, steps_per_epoch: int, batch_norm: bool) -> None:
        require_searches(job.training, job.threats, job.scalarizer)
        self.job, self.per_epoch, self.batch_norm = job, steps_per_epoch, batch_norm
        self.threats: dict[str, Threat] = dict(job.threats)
        self.count = SearchCount()
        training = job.training
        self.counts = bool(job.threats and (training.curriculum or training.friendly))
        self.detector: Detector | None = None
        if training.overfitting and job.threats:
            size = job.size or split.images.shape[2:]
            self.detector = Detector(training.overfitting, split, (size[0], size[1]), job.seed)
        self._costs: dict[tuple[int, ...], float] = {}

    def state_dict(self) -> dict[str, Any] | None:
        """Return all that a resumed run needs; None where nothing changes."""
        if not self.counts and self.detector is None:
            return None
        watch = None if self.detector is None else self.detector.state_dict()
        return {"count": dict(vars(self.count)), "watch": watch}

    def load_state_dict(self, state: dict[str, Any] | None) -> None:
        """Restore a state from `state_dict`."""
        if state is None:
            return
        self.count = SearchCount(**state["count"])
        if self.detector is not None:
            self.detector.load_state_dict(state["watch"])
            self._switch(list(self.detector.alarms))

    def growth(self, step: int) -> float:
        """Return how far the number of iterations has grown at a step, counted from 0."""
        return growth_at(self.job.training, step, self.per_epoch)

    def search(self, usual: JointSearch, step: int, ledger: Ledger) -> JointSearch:
        """Return the joint search of a step.

        A curriculum's shorter searches are not captured, as they would fill a device with graphs,
        and friendly ones cannot be.
        """
        friendly, growth = self.job.training.friendly, self.growth(step)
        if friendly is not None or growth < 1:
            usual = ShortSearch(growth, friendly)
        return CountedSearch(usual, ledger, self.count) if self.counts else usual

    def passes_at(self, step: int) -> float:
        """Return the passes of a training step for each example, at most."""
        growth = self.growth(step)
        counts = {n: steps_at(one.steps, growth) for n, one in self._climbed().items()}
        key = tuple(counts.values())
        if key not in self._costs:
            now = {n: with_steps(one, counts[n]) for n, one in self._climbed().items()}
            search, descent = step_cost(
                {**self.threats, **now},
                self.job.scalarizer,
                losses=self.job.losses,
                batch_norm=self.batch_norm,
                classes=self.job.classes,
            )
            self._costs[key] = search.plus(descent).total
        return self._costs[key]

    def look_passes(self, step: int) -> float | None:
        """Return the passes of the look that follows a step, in all; None if there is none."""
        watch = self.job.training.overfitting
        if watch is None or self.detector is None or step % (watch.every or self.per_epoch):
            return None
        watched = self.detector.watched(self.threats, self.growth(step))
        return self.detector.passes(watched) if watched else None

    def look(
        self, network: nn.Module, step: int, epoch: int, *, pass_size: int
    ) -> tuple[dict[str, Any], list[str]]:
        """Take the look that follows a step; return its log entry and the text of each alarm."""
        assert self.detector is not None  # as `look_passes` says
        watched = self.detector.watched(self.threats, self.growth(step))
        looks = self.detector.look(network, watched, step, pass_size=pass_size)
        fresh = self.detector.judge(looks, step, epoch)
        self._switch(fresh)
        entry = {"step": step, "epoch": epoch, "overfitting": _rounded(looks)}
        entry |= {"alarm": fresh} if fresh else {}
        return entry, [self.detector.text(label) for label in fresh]

    def log(self, step: int) -> dict[str, Any]:
        """Return the entries of a step's line in the log."""
        if not self.counts:
            return {}
        entries: dict[str, Any] = {"search": self.count.about(len(self.job.split))}
        if self.job.training.curriculum is not None:
            growth = self.growth(step)
            climbed = self._climbed().items()
            entries["search_steps"] = {n: steps_at(one.steps, growth) for n, one in climbed}
        return entries

    def about(self) -> dict[str, Any]:
        """Return the entries of the run's record: nothing where no setting is on."""
        entries: dict[str, Any] = {}
        if self.counts:
            entries["search"] = self.count.about(len(self.job.split))
        if self.detector is not None:
            entries["overfitting"] = self.detector.alarms
        return entries

    def unwatched(self) -> str:
        """Return that no look was taken by the end of the training; "" where one was."""
        if self.detector is None or self.detector.highest:
            return ""
        return (
            "no look was taken: the training ended before the first one, or its budget did not "
            "cover one. Lower `every` or `examples`, or give the training more passes."
        )

    def _climbed(self) -> dict[str, GradientThreat]:
        return {n: one for n, one in self.threats.items() if isinstance(one, GradientThreat)}

    def _switch(self, labels: list[str]) -> None:
        """Give the overfitted threats the number of steps that the recipe names."""
        watch = self.job.training.overfitting
        if watch is None or watch.switch is None:
            return
        for label, own in self._climbed().items():
            if label in labels and own.steps < watch.switch:
                self.threats[label] = with_steps(own, watch.switch)


def _rounded(looks: Mapping[str, Accuracies]) -> dict[str, dict[str, float]]:
    return {n: {"own": round(one.own, 2), "more": round(one.more, 2)} for n, one in looks.items()}
