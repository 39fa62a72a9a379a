"""A race as its run folders tell it: scores by seed, looks, verdicts, and the floor."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from moat.races import Design as RaceDesign
from moat.races import PairAtLook, RaceAtLook, examples_error, race_looks, verdicts_of
from moat.records import RaceRecord
from moat.report.intervals import judged_alike
from moat.report.race.finished_runs import RunsByRule, finished_runs
from moat.report.race.pair_line import pair_line
from moat.report.race.plan import design_of, read_plan
from moat.report.race.score import RaceScore
from moat.runs import RunFolder


@dataclass(frozen=True, eq=False)
class Race:
    """A race: its plan in `file`, and all that follows from the runs that are finished.

    `scores` has a number for each rule and seed, in the order of the seeds; `looks` are those for
    which the scores suffice.
    """

    file: Path
    record: RaceRecord
    runs: RunsByRule

    @property
    def design(self) -> RaceDesign:
        """The looks, the level, the margin and the test."""
        return design_of(self.record)

    @property
    def score(self) -> RaceScore:
        """The score that decides."""
        record = self.record
        return RaceScore(record.score, tuple(record.objectives), tuple(record.reference))

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules."""
        return tuple(self.record.rules)

    @cached_property
    def scores(self) -> dict[str, list[float]]:
        """The score of each rule by seed, as `moat front` shows it."""
        return {name: [self.score.value(rows) for rows in of] for name, of in self.runs.items()}

    @cached_property
    def looks(self) -> list[RaceAtLook]:
        """The looks so far; none before every rule is chosen."""
        if self.is_choosing:
            return []
        better = {
            name: [self.score.sign * value for value in values]
            for name, values in self.scores.items()
        }
        return race_looks(better, self.design, self.record.baseline)

    @property
    def is_choosing(self) -> bool:
        """Whether a point of a sweep is still to be chosen, and then raced."""
        return bool(self.record.choose) and not self.record.choice

    @property
    def is_over(self) -> bool:
        """Whether everything is decided, or the last look is made."""
        return bool(self.looks) and self.looks[-1].is_last

    @property
    def verdicts(self) -> dict[str, PairAtLook]:
        """The last verdict on each rule, against the baseline or the leader."""
        return verdicts_of(self.looks)

    @property
    def next_seeds(self) -> list[int]:
        """The seeds up to the next look; none when the race is over."""
        if self.is_over:
            return []
        made = self.looks[-1].seeds + 1 if self.looks else self.design.first
        return list(self.record.seeds[:made])

    @property
    def racing(self) -> tuple[str, ...]:
        """The rules that the next look needs."""
        return self.looks[-1].racing if self.looks else self.rules

    @property
    def missing(self) -> list[Path]:
        """The folders of the runs that the next look needs and that are not finished."""
        folders = [folder for rule in self.racing for folder in self.record.rules[rule]]
        natural = [self.record.natural] if self.record.natural is not None else []
        runs = [
            self.file.parent / folder / f"seed-{seed}"
            for seed in self.next_seeds
            for folder in [*folders, *natural]
        ]
        return [run for run in runs if not RunFolder(run).is_done]

    @property
    def examples(self) -> int | None:
        """The number of test examples, None before the first run."""
        return next((rows[0].point.examples for of in self.runs.values() for rows in of), None)

    def error_by_examples(self, rule: str, against: str) -> float | None:
        """Return the standard error of a difference that more seeds do not lower, in points.

        None without two runs of one seed, or with runs that were evaluated on different examples.
        """
        pairs = list(zip(self.runs[rule], self.runs[against], strict=False))
        if not pairs or not judged_alike(row for pair in pairs for rows in pair for row in rows):
            return None
        each = np.stack([self.score.each(one) - self.score.each(other) for one, other in pairs])
        if self.score.is_hypervolume:  # (seeds, resamples) of the same examples for every seed
            return float(each.mean(0).std(ddof=1))
        return examples_error(each)

    @property
    def floor(self) -> float | None:
        """The largest such error among the rules against the baseline, the leader or the first."""
        against = self.looks[-1].against if self.looks else self.record.baseline or self.rules[0]
        errors = [self.error_by_examples(rule, against) for rule in self.rules if rule != against]
        known = [error for error in errors if error is not None]
        return max(known) if known else None

    def __repr__(self) -> str:
        return "\n".join([f"Race for {self.score.title}", *map(pair_line, self.verdicts.values())])


def read_race(file: Path) -> Race:
    """Return a race from its plan and the finished runs of its study; trains nothing.

    Raises RunFolderError for a plan or a run that cannot be read, for a run of another training
    than planned or than the other seeds have, and for one whose start was trained again since.
    """
    return race_of(file, read_plan(file))


def race_of(file: Path, record: RaceRecord) -> Race:
    """Return the same with a plan that is read already."""
    return Race(file, record, finished_runs(file.parent, record))
