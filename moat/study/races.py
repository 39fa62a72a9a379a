"""A race: seed after seed of the rules in question, until a paired sequential test decides."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from typing import Unpack

from moat.errors import InputError, did_you_mean
from moat.events import Listener, StudyNote, without_repeats
from moat.precision import plain_torch
from moat.public import public_at_once
from moat.races import Design, nominal_level
from moat.recipe import RunPlan, Source, plan_runs, read
from moat.records import RaceRecord
from moat.report.race.plan import RACE_FORMAT, earlier_plan, settle_plan
from moat.report.race.race import Race, race_of
from moat.report.race.reach import require_reach
from moat.report.race.score import HYPERVOLUME, RaceScore
from moat.report.race.sheets import look_lines
from moat.report.race.words import floor_lines, race_notes
from moat.study.job_count import Jobs, jobs_of
from moat.study.own_runs import require_planned_runs
from moat.study.places import Place, PlaceKeys, place_of
from moat.study.race_choice import with_choice
from moat.study.race_engine import RaceEngine, kept_once_begun, require_look
from moat.study.race_passes import rule_passes
from moat.study.race_rules import RaceRules, place_of_rule, rules_of, shared_by

_LOOKS = re.compile(r"(\d{1,6})\.\.(\d{1,6})", re.ASCII)


class RaceKeys(PlaceKeys, total=False):
    """The keywords of `race` beside its score: the design, the choice, and a `Place`."""

    baseline: str
    level: float
    exact: bool
    choose: Sequence[str]
    objectives: Sequence[str]
    reference: Sequence[float]
    overrides: Sequence[str]


@public_at_once
@plain_torch()
def race(
    recipe: Path | str,
    rules: Sequence[str],
    *,
    score: str = "total",
    margin: float = 0.0,
    seeds: str | tuple[int, int] = "3..12",
    jobs: int | str = 1,
    **keys: Unpack[RaceKeys],
) -> Race:
    """Train seed after seed of some rules until their paired differences decide which is better.

    `rules` are labels of runs in the recipe: "average-at", "pareto r=0.7". `seeds` are the first
    and the last look: 3..12 looks after 3, 4, ... 12 seeds, those of the recipe first. Verdicts are
    "better", "worse", "within the margin" (the whole interval lies within `margin` points of 0) and
    "open"; a wrong "better" or "worse" has the probability `level` (0.05) in the whole race.
    `baseline` is the rule that the others are compared with: the first of two rules, and with more
    the leader so far. `exact` tests by sign flips. The score is any column of the front, or
    "hypervolume", the share of a box that all points of a variant dominate in the `objectives`,
    from a `reference`: without one, that of the front. `choose` names variants of which the point
    that is best on held-out images
    is raced.

    The plan is written to race.json in the study's folder before the first run; a later call goes
    on, and one with another plan is refused. Other keywords are those of `train`.

    Raises RecipeError, FrontError and InputError for an invalid race before any training,
    RunFolderError for another plan, TrainingError if a run failed, and BusyError if another process
    holds one.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> quick = ["training.epochs=1", "data.validation=0", "evaluation.examples=20"]
        >>> with TemporaryDirectory() as results:
        ...     found = race("digits_pareto", ["natural", "pgd-at"], score="natural", margin=100,
        ...                  seeds="2..2", overrides=quick, results=results)
        >>> len(found.scores["pgd-at"]), found.verdicts["pgd-at"].against
        (2, 'natural')
    """
    place = {key: value for key, value in keys.items() if key in PlaceKeys.__annotations__}
    at, wanted = place_of(place), jobs_of(jobs)  # type: ignore[arg-type]
    at = replace(
        at,
        results=at.results or Path("results"),
        listener=without_repeats(at.listener),  # a note of each round is said once
    )
    first, last = looks_asked(seeds)
    design = Design(first, last, keys.get("level", 0.05), float(margin), keys.get("exact", False))
    objectives = tuple(keys.get("objectives", ()))
    if score == HYPERVOLUME and not objectives:
        objectives = ("natural", "total")
    reference = tuple(map(float, keys.get("reference", ())))
    asked = _Asked(
        read(recipe, keys.get("overrides", ())),
        RaceScore(score, objectives, reference),
        design,
        tuple(rules),
        tuple(keys.get("choose", ())),
        keys.get("baseline", ""),
    )
    return _run(asked, at, wanted)


def looks_asked(seeds: str | tuple[int, int]) -> tuple[int, int]:
    """Return the first and the last look; InputError for what is not a pair as in 3..12.

    Example:
        >>> looks_asked("3..12")
        (3, 12)
    """
    if isinstance(seeds, str):
        match = _LOOKS.fullmatch(seeds.strip())
        if match:
            return int(match[1]), int(match[2])
    elif len(seeds) == 2:
        return int(seeds[0]), int(seeds[1])
    raise InputError(
        f"{seeds!r} is not a first and a last number of seeds.",
        where="seeds",
        hint="Write 3..12: looks after 3, 4, ... 12 seeds.",
    )


@dataclass(frozen=True)
class _Asked:
    """The race of a call."""

    recipe: Source
    score: RaceScore
    design: Design
    names: tuple[str, ...]
    choose: tuple[str, ...]
    baseline: str

    @property
    def choice_seeds(self) -> list[int]:
        """The seeds by which points are chosen."""
        return self._seeds[: self._of_choice]

    @property
    def seeds(self) -> list[int]:
        """The seeds of the race: not those of the choice, whose luck chose the points."""
        return self._seeds[self._of_choice :]

    @property
    def _of_choice(self) -> int:
        return self.design.first if self.choose else 0

    @property
    def _seeds(self) -> list[int]:
        """Return the seeds of the recipe, then the smallest others."""
        known = self.recipe.document.get("seeds", [0])
        wanted = self.design.last + self._of_choice
        others = islice((seed for seed in count() if seed not in known), wanted)
        return [*known, *others][:wanted]

    @property
    def source(self) -> Source:
        """The recipe with the seeds of the race."""
        return replace(self.recipe, document={**self.recipe.document, "seeds": self._seeds})


def _run(asked: _Asked, at: Place, jobs: Jobs) -> Race:
    plan_runs(asked.recipe)  # what is wrong with the recipe's own seeds is said of them
    plans = plan_runs(asked.source, (), asked.seeds[:1])
    rules = rules_of(plans, asked.names, asked.choose, asked.score)
    study = (at.results or Path("results")) / plans[0].study
    planned = _record_of(asked, rules)
    is_new = earlier_plan(study, planned) is None
    require_planned_runs(_plans_of(asked, rules), study.parent)  # before a plan is written
    if is_new and len(planned.rules) > 1:
        planned = planned.replace(floor=race_of(study / "race.json", planned).floor)
    file, record = settle_plan(study, planned)
    with kept_once_begun(file, _plans_of(asked, rules), is_new=is_new):
        return _followed(asked, rules, RaceEngine(asked.source, at, jobs), file, record)


def _followed(
    asked: _Asked, rules: RaceRules, engine: RaceEngine, file: Path, record: RaceRecord
) -> Race:
    """Train and look until the race is over."""
    listener = engine.at.listener
    if asked.choose and not record.choice:
        record = with_choice(asked.score, rules, engine, file, record)
    found = race_of(file, record)
    _tell_plan(found, listener)
    while not found.is_over:
        before = found
        wanted = [label for rule in found.racing for label in _labels(rules, rule)]
        engine.train([*wanted, *_natural_label(rules)], found.next_seeds)
        found = race_of(file, record)
        require_look(before, found)
        _tell(floor_lines(found) if before.floor is None else [], listener)
        _tell(look_lines(found)[len(before.looks) :], listener)
    return found


def _record_of(asked: _Asked, rules: RaceRules) -> RaceRecord:
    """Return the plan as it is written before the first run."""
    design = asked.design
    names = [*rules.rules, *rules.choices]
    baseline = asked.baseline or (names[0] if len(names) == 2 and rules.rules else "")
    if baseline and baseline not in rules.rules:
        near = did_you_mean(baseline, rules.rules)
        raise InputError(
            f"the baseline {baseline!r} is not one of the rules.{near}",
            where="baseline",
            hint=f"Name one of {', '.join(rules.rules) or 'them'}.",
        )
    needed = [*rules.every, *([rules.natural] if rules.natural else [])]
    table = {
        "format": RACE_FORMAT,
        "study": rules.every[0].study,
        "rules": {name: [place_of_rule(plan) for plan in of] for name, of in rules.rules.items()},
        "baseline": baseline,
        "score": asked.score.name,
        "objectives": list(asked.score.objectives),
        "reference": list(asked.score.reference),
        "margin": design.margin,
        "level": design.level,
        "exact": design.exact,
        "nominal_level": None
        if design.exact
        else nominal_level(design.first, design.last, design.level),
        "looks": [design.first, design.last],
        "seeds": asked.seeds,
        "choose": list(rules.choices),
        "choice_seeds": asked.choice_seeds,
        "choice": {},
        "protocol_hash": rules.every[0].protocol_hash,
        "trainings": {place_of_rule(plan): plan.train_hash for plan in needed},
        "natural": place_of_rule(rules.natural) if rules.natural else None,
        "passes": {name: rule_passes(of, rules.plans) for name, of in rules.rules.items()},
        "shared": shared_by(rules.every),
    }
    record = RaceRecord.model_validate(table)
    require_reach(record)
    return record


def _tell_plan(found: Race, listener: Listener) -> None:
    """Report the plan, what is known before the next run, and the looks so far."""
    _tell([f"{found.file}: {found.score.title}.", *race_notes(found)], listener)
    _tell(look_lines(found), listener)


def _tell(lines: Sequence[str], listener: Listener) -> None:
    for line in lines:
        listener(StudyNote(text=line))


def _labels(rules: RaceRules, rule: str) -> list[str]:
    return [plan.label for plan in rules.rules[rule]] if rule in rules.rules else [rule]


def _plans_of(asked: _Asked, rules: RaceRules) -> list[RunPlan]:
    """Return the runs of all seeds that the race may read."""
    labels = [*(plan.label for plan in rules.every), *_natural_label(rules)]
    seeds = [*asked.choice_seeds, *asked.seeds]
    return [plan for plan in plan_runs(asked.source, (), seeds) if plan.label in labels]


def _natural_label(rules: RaceRules) -> list[str]:
    return [rules.natural.label] if rules.natural else []
