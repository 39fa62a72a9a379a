"""A race in sentences: its plan, pairing, passes, floor and choice."""

from itertools import combinations

from moat.races import nominal_level
from moat.records import RaceRecord
from moat.report.race.race import Race
from moat.report.race.reach import reach_lines
from moat.report.words import listing

ALIKE = 0.01
"""The share by which the passes of rules may differ and still count as equal."""
MEASURABLE = 0.005
"""The smallest error in points that two decimals show."""
PAIRED = ("start", "order of the images", "augmentation", "held-out split")
"""The things that rules of one seed share unless their recipe sets them apart."""


def race_notes(race: Race) -> list[str]:
    """Return every note: those of the plan, the choice, the passes and the floor."""
    return [*plan_lines(race), *choice_lines(race), *pass_lines(race), *floor_lines(race)]


def plan_lines(race: Race) -> list[str]:
    """Return the rule of stopping, and what the rules share."""
    design, record = race.design, race.record
    whole = f"{100 * design.level:g} %"
    if design.exact:
        test = f"Sign flips, {whole} spent equally over the looks"
    else:
        nominal = nominal_level(design.first, design.last, design.level)
        test = f"Paired t with p < {nominal:.4f} at each look, {whole} in the whole race"
    holm = ", by Holm's procedure over the rules" if len(record.rules) > 2 else ""
    against = record.baseline or "the leader"
    shared = [name for name in PAIRED if name in record.shared]
    apart = [name for name in PAIRED if name not in record.shared]
    lines = [
        f"{test}{holm}; looks after {design.first} to {design.last} seeds; margin "
        f"{design.margin:g}; against {against}."
    ]
    if design.first == 2 and not design.exact:
        lines.append(
            "Two seeds hardly show a spread: the first look decides only large differences, and it "
            "costs power at all others. Looks from 3 seeds on are safer."
        )
    lines += [*reach_lines(record), *_same_trainings(record)]
    if race.score.sign < 0:
        lines.append("A difference above 0 is better: it is by how much the score is lower.")
    if shared:
        lines.append(f"Rules of one seed share {_and(shared)}.")
    if apart:
        lines.append(f"Rules of one seed do not share {_and(apart)}: their recipes differ there.")
    return lines


def _same_trainings(record: RaceRecord) -> list[str]:
    """Return a note for each two rules of equal trainings: there is nothing to decide."""
    trainings = {
        rule: sorted(record.trainings.get(folder, folder) for folder in folders)
        for rule, folders in record.rules.items()
    }
    return [
        f"{one} and {other} are the same training: their scores differ only as far as the machine "
        "does not repeat its results."
        for one, other in combinations(trainings, 2)
        if trainings[one] == trainings[other]
    ]


def choice_lines(race: Race) -> list[str]:
    """Return which point of each sweep was chosen, and on what."""
    record = race.record
    lines = []
    if race.is_choosing:
        lines.append(
            f"The point of {_and(record.choose)} is not chosen yet: repeat the call that planned "
            "the race."
        )
    for variant, scores in record.choice.items():
        best = max(scores, key=lambda name: race.score.sign * scores[name])
        shown = ", ".join(f"{name} {value:.1f}" for name, value in scores.items())
        seeds = ", ".join(map(str, record.choice_seeds))
        lines.append(
            f"Chosen of {variant} on held-out images: {best} ({shown}; seeds {seeds}, which are "
            "not raced)."
        )
    return lines


def pass_lines(race: Race) -> list[str]:
    """Return what each rule costs, and a warning where the costs differ."""
    passes = race.record.passes
    if not passes:
        return []
    shown = listing([f"{name} {cost:,.4g}" for name, cost in passes.items()])
    if max(passes.values()) <= (1 + ALIKE) * min(passes.values()):
        return [f"Equal passes for each training image: {shown}."]
    return [
        f"Unequal passes for each training image: {shown}. A dearer rule may be better for its "
        "passes alone; training.passes in place of training.epochs gives each the same."
    ]


def floor_lines(race: Race) -> list[str]:
    """Return the floor that more seeds do not lower, and a warning where it exceeds the margin."""
    floor = race.floor
    if floor is None:
        return ["The error due to the test images is unknown until two rules have a run each."]
    if floor < MEASURABLE:
        return [
            "The error due to the test images is not measurable with these seeds: the differences "
            "between images do not exceed those from seed to seed."
        ]
    of = f"{race.examples:,} test images" if race.examples else "test images"
    line = (
        f"The verdicts hold for these {of}; on others of their kind a difference has a standard "
        f"error of {floor:.2f} more, which no seed lowers."
    )
    if race.design.margin and 2 * floor > race.design.margin:
        line += (
            f" Twice that exceeds the margin of {race.design.margin:g}: take more test images, "
            "not more seeds."
        )
    return [line]


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
