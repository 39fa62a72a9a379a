import numpy as np
import pytest

from moat.report.plots.parallel import _limits, draw_parallel, members_of, scores_table


def lines_of(figure):
    return [line for line in figure.axes[0].lines if str(line.get_gid()).startswith("line-")]


def test_a_line_is_a_variant_s_mean_over_the_seeds_at_every_score(swept, runs_of):
    runs = runs_of(swept)
    table = scores_table(runs)
    assert list(table) == ["natural", "pgd", "flow", "rt", "integrated", "union"]
    # seeds 0, 1, 2: natural 97, 96, 95, and pgd 60, 61, 62
    place = [column.name for column in runs.settings].index("pgd-at")
    assert table["natural"][place] == pytest.approx(96)
    assert table["pgd"][place] == pytest.approx(61)
    figure = draw_parallel(runs)
    assert len(lines_of(figure)) == len(runs.settings) == 5
    low, high = _limits(np.array(table["pgd"]))
    height = lines_of(figure)[place].get_ydata()[1]
    assert low + height * (high - low) == pytest.approx(61)


def test_members_of_the_front_are_bold_and_the_others_faded(swept, runs_of):
    runs = runs_of(swept)
    members, text = members_of(runs)
    assert text == "universal score and sacrificed natural accuracy"
    # pareto r=0.5 lies below pgd-at in universal score and above it in natural accuracy
    names = {column.name: bool(on) for column, on in zip(runs.settings, members, strict=True)}
    assert names == {
        "natural": True,
        "pgd-at": True,
        "pareto r=0.5": True,
        "pareto r=1.0": False,
        "pareto r=2.0": True,
    }
    for line, on in zip(lines_of(draw_parallel(runs)), members, strict=True):
        assert (line.get_linewidth() > 1) == on
        assert (line.get_alpha() is None) == on


def test_scores_that_a_run_lacks_have_no_axis(tmp_path, write, runs_of):
    write(tmp_path / "a", "natural", 98, (40, 30, 20, 10), union_only=True)
    runs = runs_of(tmp_path)
    assert list(scores_table(runs)) == ["natural", "union"]
    assert "on the front of union and natural accuracy" in draw_parallel(runs).texts[-1].get_text()


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([97.0, 99.0], (97, 99)),
        ([12.0, 88.0], (0, 100)),
        ([50.0, 50.0], (49.5, 50.5)),
        ([0.0, 0.0], (-0.5, 0.5)),
        ([97.2, 98.9], (97, 99)),
    ],
)
def test_the_ends_of_an_axis_are_round_and_hold_its_values(values, ends):
    assert _limits(np.array(values)) == pytest.approx(ends)
