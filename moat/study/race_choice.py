"""The choice of a rule: the point of a sweep that is best on held-out images."""

from pathlib import Path
from statistics import fmean

from moat.errors import MoatError
from moat.outcomes import contributions
from moat.recipe import RunPlan
from moat.records import RaceRecord
from moat.report.evidence import validation_of
from moat.report.race.plan import keep_choice
from moat.report.race.score import RaceScore
from moat.runs import RunFolder
from moat.study.race_engine import RaceEngine
from moat.study.race_passes import rule_passes
from moat.study.race_rules import RaceRules, place_of_rule, shared_by


def with_choice(
    score: RaceScore, rules: RaceRules, engine: RaceEngine, file: Path, record: RaceRecord
) -> RaceRecord:
    """Choose a point of each sweep on held-out images, by seeds that are not raced; keep it."""
    candidates = [plan for of in rules.choices.values() for plan in of]
    engine.train([plan.label for plan in candidates], record.choice_seeds)
    choice: dict[str, dict[str, float]] = {}
    chosen: list[RunPlan] = []
    for variant, of in rules.choices.items():
        scores = {
            plan.label: fmean(
                _held_out_score(file.parent / place_of_rule(plan) / f"seed-{seed}", plan, score)
                for seed in record.choice_seeds
            )
            for plan in of
        }
        choice[variant] = scores
        chosen.append(max(of, key=lambda plan: score.sign * scores[plan.label]))
    return keep_choice(
        file,
        record,
        choice=choice,
        shared=shared_by([*(plan for of in rules.rules.values() for plan in of), *chosen]),
        rules={**record.rules, **{plan.label: [place_of_rule(plan)] for plan in chosen}},
        passes={
            **record.passes,
            **{plan.label: rule_passes([plan], rules.plans) for plan in chosen},
        },
    )


def _held_out_score(run: Path, plan: RunPlan, score: RaceScore) -> float:
    """Return the score of a run on its held-out images, that of the natural run left out."""
    found = validation_of(RunFolder(run), plan.protocol_hash)
    if found is None:
        raise MoatError(
            "the run has no outcomes of held-out images to choose by.",
            where=str(run),
            hint="`moat evaluate` with this folder makes them.",
        )
    name = {"universal": "total", "sacrificed": "natural"}.get(score.name, score.name)
    each = contributions(found, name, summed=plan.protocol.scored())
    return float(each.mean()) * (-1.0 if score.name == "sacrificed" else 1.0)
