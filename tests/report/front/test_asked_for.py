"""What `--against` and `--prefer` add to the picture of a front, and to the page's."""

import json

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from moat.report import draw_front, draw_pairs, make_fronts, make_scoreboards, write_front
from moat.report.front.choice_marks import direction_of
from moat.report.front.front import fronts_of
from moat.report.interactive.front import GAINED, LOST
from moat.report.page.sections import sections_of
from moat.report.style import render


@pytest.fixture
def rival(tmp_path, write):
    """A front that is better in one place and worse in another."""
    write(tmp_path / "rival" / "n", "natural", 98.9, (29.4, 14.4, 16.7, 8.0))
    write(tmp_path / "rival" / "a", "a", 98.6, (60, 40, 60, 40))
    write(tmp_path / "rival" / "b", "b", 90.0, (60, 50, 60, 40))
    return tmp_path / "rival"


@pytest.fixture
def held_out(study):
    """The study of fourteen runs, each of which was searched on held-out examples, too."""
    for path in study.rglob("evaluation.npz"):
        arrays = dict(np.load(path))
        stamp = {"protocol_hash": np.array("0123456789abcdef")}
        np.savez(path.with_name("validation.npz"), **arrays, **stamp)
    return study


def drawn(figure, gid: str) -> list:
    return list(figure.findobj(lambda one: one.get_gid() == gid))


def labels(figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_the_rival_s_staircase_and_both_tints_are_drawn_and_named(study, rival):
    (plain,) = make_fronts(study).fronts
    (front,) = make_fronts(study, against=rival).fronts
    figure = draw_front(front)
    (line,) = drawn(figure, "rival-line")
    corners = {tuple(corner) for corner in line.get_xydata().tolist()}
    assert {tuple(point) for point in front.rival.points.tolist()} <= corners
    assert len(drawn(figure, "gained")) == len(drawn(figure, "lost")) == 1
    assert {"front of rival", "gained on it", "short of it"} <= set(labels(figure))
    for format in ("png", "svg"):
        assert render(figure, format) != render(draw_front(plain), format)


def test_a_front_against_itself_gains_and_loses_nothing(study):
    (front,) = make_fronts(study, against=study).fronts
    figure = draw_front(front)
    assert drawn(figure, "gained") == drawn(figure, "lost") == []
    assert "front of results" in labels(figure)
    assert "gained on it" not in labels(figure)


def test_the_preferred_run_is_ringed_and_an_arrow_says_which_way(held_out):
    (front,) = make_fronts(held_out, prefer={"total": 3, "natural": 4}).fronts
    figure = draw_front(front)
    (ring,) = drawn(figure, "preferred")
    row = front.choice.row
    assert tuple(ring.get_xydata()[0]) == pytest.approx((row.universal, row.sacrificed), abs=1e-6)
    assert direction_of(front) == pytest.approx([0.6, -0.8])  # more universal, less sacrificed
    assert len(drawn(figure, "preference")) == 1
    assert "preferred run" in labels(figure)
    caption = " ".join(text.get_text().replace("\n", " ") for text in figure.texts)
    assert f"Ring: {row.name}, preferred by total 3, natural 4 on held-out examples." in caption
    assert "Arrow: the direction of these weights." in caption


def test_weights_of_other_scores_ring_a_run_and_point_nowhere(held_out):
    (front,) = make_fronts(held_out, prefer={"pgd": 1, "rt": 1}).fronts
    figure = draw_front(front)
    assert len(drawn(figure, "preferred")) == 1
    assert drawn(figure, "preference") == []
    assert not direction_of(front).any()


def test_pairs_show_the_ring_and_the_rival_in_every_panel(held_out, rival):
    names = ("natural", "pgd", "flow")
    asked = {"against": rival, "prefer": {"natural": 1, "pgd": 1}}
    (front,) = make_fronts(held_out, objectives=names, **asked).fronts
    figure = draw_pairs(front)
    assert len(drawn(figure, "preferred")) == len(drawn(figure, "rival")) == len(figure.axes) == 3
    assert {"front of rival", "preferred run"} <= set(labels(figure))


def test_the_files_of_a_front_have_the_rival_s_members(study, rival, tmp_path):
    write_front(make_fronts(study, against=rival), tmp_path / "out")
    found = json.loads((tmp_path / "out" / "front.json").read_text("utf-8"))["against"]
    assert len(found["points"]) == found["members"] == 3


def test_the_page_has_both_as_data(held_out, rival):
    boards = make_scoreboards(held_out).boards
    fronts, missed = fronts_of(
        [board.group for board in boards], against=rival, prefer={"total": 1, "natural": 1}
    )
    ((section,), _) = sections_of(boards, fronts, held_out)
    assert missed == []
    assert section.rival == "rival"
    traces = {trace["name"]: trace for trace in section.figure["data"] if "name" in trace}
    tints = [shape["fillcolor"] for shape in section.figure["layout"]["shapes"]]
    assert set(tints) == {GAINED, LOST}
    line = traces["front of rival"]
    across = line["x"][1:-1]
    assert across == sorted(across)
    assert len(across) == len(line["y"]) - 2 == 3
    said = traces["preferred run"]["hovertext"]
    assert said.startswith(f"<b>{fronts[0].choice.row.name}</b>")
    (arrow,) = section.figure["layout"]["annotations"]
    assert (arrow["ax"], arrow["ay"]) == pytest.approx((55 * 0.5**0.5, 55 * 0.5**0.5))
    assert "Ring: " in section.caption


def test_a_long_name_of_a_rival_leaves_the_whole_legend_in_the_picture(held_out, write, tmp_path):
    rival = tmp_path / "a_study_with_a_long_name"
    write(rival / "n", "natural", 98.9, (60, 44, 47, 8))
    (front,) = make_fronts(held_out, against=rival, prefer={"natural": 1}).fronts
    figure = draw_front(front)
    FigureCanvasAgg(figure).draw()
    (legend,) = figure.legends
    assert legend.get_window_extent().x1 <= figure.bbox.x1
