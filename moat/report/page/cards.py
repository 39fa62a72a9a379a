"""A run's card on the page, with all its data."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tomli_w
from markupsafe import Markup

from moat.records import RunRecord
from moat.report.front.front import Front
from moat.report.front.objectives import threat_title
from moat.report.gate import worst_verdict
from moat.report.interactive import run_figure
from moat.report.interactive.curves import strengths_by
from moat.report.numbers import DASH, finite, percent
from moat.report.page.commands import Command, commands_of
from moat.report.page.sources import Sources
from moat.report.page.tables import checks_table, run_scores_table, run_standing, verdict_html
from moat.report.points import Point
from moat.report.rows import Row
from moat.report.scores.scoreboard import board_values
from moat.report.settings import is_guess
from moat.storage import Record


@dataclass(frozen=True)
class Plot:
    """A plot that is drawn when its card is opened: which, its title, and it in words."""

    kind: str
    title: str
    words: str
    note: str = ""


@dataclass(frozen=True, eq=False)
class Card:
    """One run, ready to be shown; `data` is what its plots and its gallery are drawn from."""

    number: int
    name: str
    version: str | None  # of moat
    mark: str
    summary: str
    facts: list[tuple[str, str]]
    totals: list[tuple[str, str]]
    scores: Markup
    checks: Markup  # empty where no gate is stored
    verdict: Markup
    plots: list[Plot]
    gallery: bool
    problems: tuple[str, ...]
    machine: list[tuple[str, str]]
    commands: list[Command]
    evaluate: str
    recipe: str
    data: Record


def card_of(
    row: Row,
    numbers: Mapping[str, int],
    front: Front,
    sources: Sources,
    results: Path,
    galleries: Mapping[str, Record],
) -> Card:
    """Return the card of one run."""
    point = row.point
    place = next(n for n, one in enumerate(front.settings) if row.point in one.points)
    gallery, plots = galleries.get(point.where), _plots(point, sources)
    threats = set(map(threat_title, point.scored))
    values = {name: value for name, value in board_values(row).items() if name not in threats}
    return Card(
        number=numbers[point.where],
        name=row.name,
        version=sources.record.moat,
        mark=_mark(front, place),
        summary=run_standing(front, place, row),
        facts=_facts(point),
        totals=[(name, percent(v)) for name, v in values.items() if v is not None],
        scores=run_scores_table(row.name, _scores(point)),
        checks=checks_table(row.name, point.sanity) if point.sanity else Markup(""),
        verdict=verdict_html(worst_verdict(point) or DASH),
        plots=plots,
        gallery=gallery is not None,
        problems=sources.problems,
        machine=_machine(sources.record, point),
        commands=commands_of(point, sources, results),
        evaluate=shlex.quote(point.place),
        recipe="" if sources.recipe is None else tomli_w.dumps(sources.recipe),
        data={
            "figures": {
                plot.kind: run_figure(plot.kind, point, sources.curves, front.group.looks)
                for plot in plots
            },
            "gallery": gallery,
        },
    )


def _mark(front: Front, place: int) -> str:
    """Return the mark of a run that is a setting by itself; of several seeds the mark is theirs."""
    if len(front.settings[place].rows) > 1:
        return ""
    return "●" if front.members[place] else "○"


def _facts(point: Point) -> list[tuple[str, str]]:
    """Return what a run is."""
    sweep = ", ".join(f"{key} = {value}" for key, value in point.sweep.items())
    facts = [
        ("study", point.study),
        ("variant", point.variant),
        *([("sweep", sweep)] if sweep else []),
        ("seed", str(point.seed)),
        ("folder", point.place),
        ("judged on", f"{point.examples:,} test examples"),
    ]
    facts += [("tags", ", ".join(point.tags))] if point.tags else []
    facts += [("notes", point.notes)] if point.notes else []
    if is_guess(point):
        facts.append(("constant guess", "it did not learn: its other scores mean nothing"))
    return facts


def _scores(point: Point) -> list[tuple[str, ...]]:
    lines: list[tuple[str, ...]] = []
    for name in point.scored:
        if name in point.accuracy:
            threat, found = point.protocol.threats[name], point.accuracy[name].items()
            strengths = " · ".join(f"{threat.marked(at)}: {percent(value)}" for at, value in found)
        else:
            strengths = point.protocol.together(name)
        numbers = (point.scores[name], point.worst[name], point.conditional[name])
        lines.append((name, strengths, *(percent(finite(n)) for n in numbers)))
    return lines


def _plots(point: Point, sources: Sources) -> list[Plot]:
    """Return the plots that there is something to draw for."""
    curves, plots = sources.curves, []
    if curves.averaged > 1:
        mean = f"Each point is the mean of {curves.averaged} logged steps."
    else:
        mean = ""
    if curves.losses:
        plots.append(Plot("losses", "Losses while training", _curves_text(curves.losses), mean))
    if curves.weights:
        reach = point.out_of_reach
        shaded = (
            f"Shaded: steps in which no weights reach r, {percent(reach)} % of all."
            if curves.clamped and reach is not None
            else ""
        )
        words = _curves_text(curves.weights)
        plots.append(Plot("weights", "Weights of the objectives", words, shaded))
    if curves.validation:
        words = _curves_text(curves.validation, " %")
        plots.append(Plot("validation", "Held-out accuracy", words))
    dashed = "The grey dotted line is the accuracy without a threat."
    if words := _strengths_text(point, by_radius=False):
        plots.append(Plot("steps", "Accuracy against steps", words, dashed))
    if words := _strengths_text(point, by_radius=True):
        share = f"{dashed} The radius is a share of each threat's largest."
        plots.append(Plot("radius", "Accuracy against radius", words, share))
    return plots


def _curves_text(curves: Mapping[str, Sequence[float | None]], unit: str = "") -> str:
    """Return in words where each curve begins and ends."""
    parts = []
    for name, values in curves.items():
        known = [value for value in values if value is not None]
        if known:
            parts.append(f"{name} from {known[0]:.3g}{unit} to {known[-1]:.3g}{unit}")
    return "; ".join(parts) or "nothing was logged"


def _strengths_text(point: Point, *, by_radius: bool) -> str:
    """Return in words the accuracy at every strength, of the threats whose strengths are these."""
    sign = "ε " if by_radius else ""
    return "; ".join(
        f"{name} " + ", ".join(f"{percent(v)} at {sign}{at}" for at, v in of_threat.items())
        for name, of_threat in strengths_by(point, by_radius=by_radius).items()
    )


def _machine(record: RunRecord, point: Point) -> list[tuple[str, str]]:
    """Return versions, machine, and how the training went."""
    told = {
        "moat": record.moat,
        **record.machine,
        **{f"trained with {name}": package for name, package in point.plugins.items()},
        **{f"evaluated with {name}": one for name, one in point.evaluation_plugins.items()},
        "seed": point.seed,
        **{key: point.training.get(key) for key in ("epoch", "steps", "seconds")},
        "train hash": record.train_hash,
        "protocol hash": point.protocol_hash,
        "data digest": point.data.get("digest"),
        "trained as": record.of,
    }
    return [(key, str(value)) for key, value in told.items() if value is not None]
