"""The latest figures of a run, and figures in a line."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from moat.evaluation.room import gib
from moat.events import EvaluationStep
from moat.report.status.run_status import Live

STRONGEST = "accuracy at the largest strength"
"""The figure shown during an evaluation; scores are means over strengths."""


def scores_line(scores: Mapping[str, Any]) -> str:
    """Return the scores of a run in one line, in percent: means over the strengths of a threat."""
    named = {"natural": scores["natural"], **scores["scores"]}
    if scores["scores"]:
        named["union"] = scores["union"]
    return "  ".join(
        f"{name} {'-' if score is None else format(score, '.1f')}" for name, score in named.items()
    )


def newer(live: Live, record: Mapping[str, Any]) -> Live:
    """Return the figures of a run after a line of its log."""
    return replace(
        live,
        loss=record.get("loss", live.loss),
        weight=record.get("weight", live.weight),
        validation=record.get("validation", live.validation),
        rate=record.get("images_per_second", live.rate),
        clamped_to=_clamped_to(record) if "clamped" in record else live.clamped_to,
    )


def _clamped_to(record: Mapping[str, Any]) -> float | None:
    return record.get("r_effective") if record["clamped"] else None


def figures_line(values: Mapping[str, float | None]) -> str:
    """Return the figures that are known in one line, each after its name."""
    return " ".join(f"{n} {_figure(value)}" for n, value in values.items() if value is not None)


def searched(step: EvaluationStep) -> str:
    """Return the threat that an evaluation is at, and on which examples."""
    return f"held out: {step.threat}" if step.held_out else step.threat


def memory_line(step: EvaluationStep) -> str:
    """Return what memory an evaluation takes."""
    return f"up to {gib(step.memory)} besides network and data, passes of {step.pass_size}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
