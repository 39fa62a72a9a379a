import csv
import io
import json

import numpy as np
from matplotlib.figure import Figure

from moat.report.race.figure import draw_race
from moat.report.race.files import race_csv, race_json, race_markdown, write_race
from moat.report.race.race import Race
from moat.report.race.sheets import look_lines, looks_sheet, verdict_sheet
from moat.sheets import terminal_of


def lengthened(race: Race, effects: dict[str, float], last: int = 12) -> Race:
    """Return the race with planted scores of more seeds than were trained."""
    draw = np.random.default_rng(1)
    record = race.record.replace(looks=[3, last], seeds=list(range(last)), margin=2.0)
    found = Race(race.file, record, race.runs)
    shared = draw.normal(200, 5, last)
    found.__dict__["scores"] = {
        name: (shared + effect + 2 * draw.standard_normal(last)).tolist()
        for name, effect in effects.items()
    }
    return found


def test_a_race_is_one_line_a_look_in_every_form(raced, tmp_path):
    effects = {"average-at": 0.0, "max-at": 8.0, "pgd-at": 0.2}
    race = lengthened(raced(*effects, baseline="average-at"), effects)
    assert [len(look.pairs) for look in race.looks][-1] == 1  # the better rule is out
    assert len(looks_sheet(race).rows) == len(race.looks) == len(look_lines(race))
    rows = list(csv.DictReader(io.StringIO(race_csv(race))))
    assert len(rows) == sum(len(look.pairs) for look in race.looks)
    assert float(rows[0]["difference"]) == race.looks[0].pairs[0].difference
    told = json.loads(race_json(race))
    assert told["verdicts"] == {name: p.verdict for name, p in race.verdicts.items()}
    assert told["plan"]["margin"] == 2
    assert [look["seeds"] for look in told["looks"]] == [look.seeds for look in race.looks]
    text = race_markdown(race)
    for name, pair in race.verdicts.items():
        assert name in text
        assert pair.verdict in text
    assert terminal_of(verdict_sheet(race)).width <= 100


def test_the_files_of_two_races_lie_side_by_side(raced, tmp_path):
    first, second = raced("average-at", "max-at"), raced("average-at", "pgd-at")
    wrote = [*write_race(first), *write_race(second), *write_race(first)]
    names = {path.name for path in wrote}
    endings = ("csv", "md", "png", "svg")
    assert names == {f"{stem}.{end}" for stem in ("race", "race-2") for end in endings}
    assert all(path.exists() for path in wrote)
    assert {path.name for path in write_race(second, tmp_path / "out")} <= names


def test_the_picture_has_an_interval_for_each_look_and_fills_what_is_decided(raced):
    effects = {"average-at": 0.0, "max-at": 8.0, "pgd-at": 0.2}
    race = lengthened(raced(*effects, baseline="average-at"), effects)
    figure = draw_race(race)
    assert isinstance(figure, Figure)
    assert figure.get_size_inches()[0] <= 3.6
    (axes,) = figure.axes
    marks = [line for line in axes.lines if len(line.get_xdata()) == 1]
    pairs = [pair for look in race.looks for pair in look.pairs]
    assert len(marks) == len(pairs)
    hollow = [line for line in marks if line.get_markerfacecolor() == "white"]
    assert len(hollow) == sum(pair.is_open for pair in pairs)
    low, high = axes.get_ylim()
    assert all(low < pair.difference < high for pair in pairs)


def test_a_race_before_its_first_look_has_tables_and_no_picture(raced):
    race = raced("average-at", "max-at")
    begun = Race(race.file, race.record, {name: [] for name in race.record.rules})
    assert [row[-1] for row in verdict_sheet(begun).rows] == ["-", "-"]
    assert looks_sheet(begun).rows == ()
    assert begun.floor is None
    assert {path.suffix for path in write_race(begun)} == {".csv", ".md"}
