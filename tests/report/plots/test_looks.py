from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from moat.report.intervals import Interval
from moat.report.plots.looks import (
    BANDS,
    bands_text,
    draw_line,
    legend_lines,
    lines_of,
    means_text,
    point_name,
    spread_over,
)


def test_variants_differ_in_their_markers_and_points_of_a_sweep_in_dashes_and_shade(swept, runs_of):
    runs = runs_of(swept)
    columns = runs.settings
    looks = lines_of(runs, columns)
    named = {column.name: look for column, look in zip(columns, looks, strict=True)}
    markers = [named[name]["marker"] for name in ("natural", "pareto r=0.5", "pgd-at")]
    assert len(set(markers)) == 3
    points = [named[f"pareto r={r}"] for r in (0.5, 1.0, 2.0)]
    assert {point["marker"] for point in points} == {markers[1]}
    assert len({str(point["linestyle"]) for point in points}) == 3
    light = [sum(to_rgb(point["color"])) for point in points]
    assert light == sorted(light, reverse=True)


def test_the_legend_names_columns_or_variants_where_columns_are_many(tmp_path, write, runs_of):
    write(tmp_path / "natural", "natural", 98, (40, 30, 20, 10))
    for place in range(17):
        write(tmp_path / str(place), "pareto", 97, (40, 30, 20, 10), r=float(place))
    runs = runs_of(tmp_path)
    assert len(legend_lines(runs.settings, lines_of(runs, runs.settings))) == 18
    write(tmp_path / "more", "pareto", 97, (40, 30, 20, 10), r=99.0)
    runs = runs_of(tmp_path)
    lines = legend_lines(runs.settings, lines_of(runs, runs.settings))
    names = [line.get_label() for line in lines]
    assert names == ["natural", "pareto (18 points, light to dark)"]


def test_a_point_is_named_by_its_sweep_values(swept, runs_of):
    names = [point_name(column) for column in runs_of(swept).settings]
    assert names == ["natural", "r=0.5", "r=1.0", "r=2.0", "pgd-at"]


def test_points_are_picked_evenly_with_both_ends():
    assert spread_over([*"abcdefg"], 3) == ["a", "d", "g"]
    assert spread_over([*"ab"], 3) == ["a", "b"]
    assert spread_over(["a"], 3) == ["a"]


def test_a_band_is_drawn_where_there_are_intervals():
    axes = Figure().add_subplot()
    look = {"color": "black"}
    draw_line(axes, [0, 1], [[1.0, 3.0], [2.0]], look, [None, None])
    assert not axes.collections
    band = Interval(1.0, 4.0, "examples and seeds")
    draw_line(axes, [0, 1, 2], [[2.0]] * 3, look, [band, band, None])
    assert axes.collections[0].get_datalim(axes.transData).bounds == (0, 1, 1, 3)
    assert list(axes.lines[0].get_ydata()) == [2, 2]


def test_seeds_are_counted_where_there_are_several(swept, runs_of, tmp_path, write):
    columns = runs_of(swept).settings
    assert means_text(columns) == "Means over 3 seeds."
    assert bands_text(columns) == f"Means over 3 seeds; {BANDS}."
    assert BANDS.startswith("bands: 95 % intervals over test examples and seeds")
    write(tmp_path / "one" / "a", "natural", 98, (40, 30, 20, 10))
    alone = runs_of(tmp_path / "one").settings
    assert means_text(alone) == bands_text(alone) == ""
