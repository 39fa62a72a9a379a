"""One promise over all pictures: a name has one look, whatever else there is to be seen."""

import re
import shutil
from pathlib import Path

import pytest
from matplotlib.colors import to_hex

from moat.report import make_fronts, make_scoreboards
from moat.report.front.front import fronts_of
from moat.report.interactive.layout import SYMBOLS
from moat.report.page.sections import sections_of
from moat.report.plots.kinds import KINDS, make_plots
from moat.runs import StudyFolder

PLAIN = ("natural", "pgd-at", "average-at", "theirs", "ours")
RUNS = [*((name, None) for name in PLAIN), *(("pareto", r) for r in (0.5, 1.0, 2.0))]
FIGURES = [
    {"type": "relationship", "across": "scalarizer.r", "variant": "pareto", "zero": "natural"},
    {"type": "difference", "across": "scalarizer.r", "of": "pareto", "minus": "pgd-at"},
]
SETTINGS, OBJECTIVES = "settings", "objectives"
OF_OBJECTIVES = ("training", "relationship", "difference")


@pytest.fixture
def study(tmp_path, write):
    """A study as training lays it out: a sweep, logs, figures, names of all kinds."""
    root = tmp_path / "results" / "a_study"
    for number, (variant, r) in enumerate(RUNS):
        add(write, root, variant, r, number)
    plan(root)
    return root


def add(write, root: Path, variant: str, r: float | None, number: int) -> None:
    folder = root / variant / ("seed-0" if r is None else f"r={r}/seed-0")
    scores = [20 + 7 * number, 60 - 5 * number, 30 + number, 10]
    run = write(folder, variant, 99 - 2 * number, scores, r=r, study="a_study", examples=50)
    run.write_recipe({"figure": FIGURES})
    for step in (10, 20):
        table = {"natural": 1.0, "pgd": 0.5, "flow": 0.25, "other": 0.1}
        run.append_log({"step": step, "loss": table, "weight": table})


def plan(root: Path) -> None:
    runs = [{"folder": str(Path(v) / (f"r={r}" if r else "") / "seed-0")} for v, r in RUNS]
    StudyFolder(root).plan(runs, runs)


def looks_on(results: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Return each name's colour, marker and dashes, as far as a picture shows them."""
    found: dict[tuple[str, str], dict[str, str]] = {}

    def note(kind: str, name: str, **look: str) -> None:
        if name == "natural":
            kind = "either"  # a variant and an objective, which look alike
        known = found.setdefault((kind, name), {})
        for part, value in look.items():
            assert known.setdefault(part, value) == value, (kind, name, part)

    plots = make_plots([results])
    (front,) = make_fronts(results).fronts
    for kind, figure in plots.figures.items():
        family = OBJECTIVES if kind.startswith(OF_OBJECTIVES) else SETTINGS
        for handle in [h for legend in figure.legends for h in legend.legend_handles]:
            name = handle.get_label()
            name, _, strength = name.partition(", ")
            if strength and strength != "4 iterations":
                continue  # weaker searches of a threat: lighter, with other markers
            note(family, name, **of_handle(handle, kind, weak=bool(strength)))
        for axes in figure.axes:
            for line in axes.lines:
                place = re.fullmatch(r"run-(\d+)", str(line.get_gid()))
                if place and kind == "front":
                    note(SETTINGS, front.settings[int(place[1])].name, **of_point(line))
            if kind == "radar" and not axes.get_legend():
                note(SETTINGS, axes.get_title(), **of_line(axes.lines[-1]))
    note_page(results, note)
    assert len(plots.figures) == len(KINDS) or plots.missing
    return found


def of_line(line) -> dict[str, str]:
    dash = ",".join(f"{part:.3f}" for part in line._unscaled_dash_pattern[1] or ())
    return {"colour": to_hex(line.get_color()), "marker": str(line.get_marker()), "dash": dash}


def of_point(line) -> dict[str, str]:
    on = to_hex(line.get_markerfacecolor()) != "#ffffff"
    colour = line.get_markerfacecolor() if on else line.get_markeredgecolor()
    return {"colour": to_hex(colour), "marker": str(line.get_marker())}


def of_handle(handle, kind: str, *, weak: bool) -> dict[str, str]:
    if not hasattr(handle, "get_marker"):
        return {}
    if handle.get_linestyle() == "None":
        return of_point(handle)
    look = of_line(handle)
    if kind == "training" or look["marker"] == "None":
        del look["marker"]
    if weak:
        del look["colour"]  # the darkest of its threat's shades
    return look


def note_page(results: Path, note) -> None:
    boards = make_scoreboards(results).boards
    fronts, _ = fronts_of([board.group for board in boards])
    ((section,), _) = sections_of(boards, fronts, results)
    marks = {symbol: mark for mark, symbol in SYMBOLS.items()}

    def tell(kind: str, name: str, trace) -> None:
        mark = trace["marker"]
        symbol = mark["symbol"].removesuffix("-open")
        note(kind, name, colour=mark["color"].lower(), marker=marks[symbol])

    for trace in section.figure["data"]:
        if trace["mode"] == "markers":
            said = [
                text.partition("</b>")[0].removeprefix("<b>") for text in trace.get("hovertext", [])
            ]
            for name in said or [trace["name"]]:
                tell(SETTINGS, name, trace)
    for card in section.cards:
        for figure in card.data["figures"].values():
            for trace in figure["data"]:
                tell(OBJECTIVES, trace["name"], trace)


def shared(one, other) -> list:
    """Return the names of both; of what both show, their looks must be equal."""
    names = [name for name in one if name in other]
    for name in names:
        parts = one[name].keys() & other[name].keys()
        assert {p: one[name][p] for p in parts} == {p: other[name][p] for p in parts}, name
    return names


def test_a_name_looks_alike_on_every_picture_of_a_study_of_a_part_of_it_and_of_a_larger_one(
    study, write
):
    looks = looks_on(study.parent)
    names = {name for kind, name in looks if kind in (SETTINGS, "either")}
    assert {"natural", "pgd-at", "ours", "theirs", "pareto r=0.5", "pareto r=2.0"} <= names
    assert {"pgd", "flow", "rt", "other"} <= {name for kind, name in looks if kind == OBJECTIVES}

    for part in ("pareto/r=2.0", "theirs"):
        assert shared(looks, looks_on(study / part))
    for number, name in enumerate(("aaa", "mgda", "other")):  # others' names, an objective's
        add(write, study, name, None, number)
        runs = [{"folder": f"{name}/seed-0"}, *(StudyFolder(study).planned() or [])]
        StudyFolder(study).plan(runs, runs)  # before all others in the recipe
    larger = looks_on(study.parent)
    assert len(shared(looks, larger)) == len(looks)

    for run in study.iterdir():
        if run.is_dir() and run.name not in ("ours", "natural", "aaa"):
            shutil.rmtree(run)
    assert len(shared(larger, looks_on(study.parent))) > 4


def test_runs_that_lie_in_no_study_s_folder_look_alike_on_every_picture(tmp_path, write):
    for number, name in enumerate(("natural", "this", "that", "pgd-at")):
        write(tmp_path / str(number), name, 95 - number, (20 + 9 * number, 30, 30, 10))
    looks = looks_on(tmp_path)
    assert {(SETTINGS, "this"), (SETTINGS, "that")} <= set(looks)


def test_a_broken_plan_costs_no_picture(study):
    (study / "study.json").write_text("{")
    assert looks_on(study.parent)
