"""A race as tables of text: the verdict on each rule, and a line for each look."""

from moat.races import PairAtLook
from moat.report.numbers import DASH, percent
from moat.report.race.pair_line import interval_text
from moat.report.race.race import Race
from moat.report.race.words import MEASURABLE, race_notes
from moat.sheets import STRONG, Sheet


def verdict_sheet(race: Race) -> Sheet:
    """Return a line for each rule: its score, its difference, and the verdict."""
    found = race.verdicts
    led = not race.record.baseline  # then rules may be compared with different ones
    rows, emphasis = [], []
    for rule in race.rules:
        pair = found.get(rule)
        used = pair.seeds if pair else race.looks[-1].seeds if race.looks else None
        values = race.scores[rule][:used]
        error = race.error_by_examples(rule, pair.against) if pair else None
        passes = race.record.passes.get(rule)
        rows.append(
            (
                rule,
                str(len(values)),
                percent(sum(values) / len(values)) if values else DASH,
                DASH if passes is None else f"{passes:,.4g}",
                *[pair.against if pair else DASH] * led,
                *_pair_cells(pair),
                DASH if error is None or error < MEASURABLE else f"±{error:.2f}",
                _standing(race, rule, pair),
            )
        )
        emphasis.append(STRONG if pair is None or not pair.is_open else "")
    headings = (
        *("rule", "seeds", "mean", "passes", *["against"] * led, "difference", "p"),
        *("by examples", "verdict"),
    )
    return Sheet(
        headings=headings,
        rows=tuple(rows),
        sides="lnnn" + "l" * led + "lnnl",
        title=f"Race for {race.score.title}",
        notes=tuple(race_notes(race)),
        emphasis=tuple(emphasis),
    )


def looks_sheet(race: Race) -> Sheet:
    """Return a line for each look: each rule's difference, its interval, and the verdict."""
    rules = [rule for rule in race.rules if rule != race.record.baseline]
    rows = []
    for look in race.looks:
        pairs = {pair.rule: pair for pair in look.pairs}
        cells = [_at_look(pairs.get(rule), look.against) for rule in rules]
        rows.append((str(look.seeds), str(race.record.seeds[look.seeds - 1]), look.against, *cells))
    return Sheet(("seeds", "last seed", "against", *rules), tuple(rows), "nnl" + "l" * len(rules))


def look_lines(race: Race) -> list[str]:
    """Return a sentence for each look."""
    return [
        f"After {look.seeds} seeds: "
        + "; ".join(
            f"{pair.rule} against {pair.against} {interval_text(pair)}, {pair.verdict}"
            for pair in look.pairs
        )
        + "."
        for look in race.looks
    ]


def _pair_cells(pair: PairAtLook | None) -> tuple[str, str]:
    if pair is None:
        return DASH, DASH
    return interval_text(pair), "<0.0001" if pair.p < 0.0001 else f"{pair.p:.4f}"


def _standing(race: Race, rule: str, pair: PairAtLook | None) -> str:
    if pair is not None:
        return pair.verdict
    if not race.looks:
        return DASH
    return "baseline" if rule == race.record.baseline else "leader"


def _at_look(pair: PairAtLook | None, against: str) -> str:
    if pair is None:
        return DASH
    other = "" if pair.against == against else f" (against {pair.against})"
    return f"{interval_text(pair)} {pair.verdict}{other}"
