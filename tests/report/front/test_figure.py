import io
import re
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from moat.report import draw_front, make_fronts
from moat.report.style import render

SVG = "{http://www.w3.org/2000/svg}"


def svg_of(results):
    (front,) = make_fronts(results).fronts
    return ElementTree.fromstring(render(draw_front(front), "svg")), front


def texts(svg):
    return ["".join(text.itertext()).strip() for text in svg.iter(f"{SVG}text")]


def groups(svg, name):
    return [group for group in svg.iter(f"{SVG}g") if re.fullmatch(name, group.get("id", ""))]


def test_every_run_is_a_marker_and_a_label_and_text_stays_text(study):
    svg, front = svg_of(study)
    assert len(groups(svg, r"run-\d+")) == 14
    written = texts(svg)
    for row in front.settings:
        assert row.name in written


def test_title_axes_and_caption_say_what_is_shown(study):
    svg, _ = svg_of(study)
    written = texts(svg)
    assert "digits_pareto on digits (size 16)" in written
    assert "universal score (percentage points, higher is better)" in written
    assert "sacrificed natural accuracy" in written
    assert "(percentage points, lower is better)" in written
    caption = " ".join(written)
    assert "Protocol 0123456789abcdef: pgd ε 0.1 at 2, 4 steps; flow ε 0.3 at 2, 4" in caption
    assert "integrated at 4 steps" in caption
    assert "1,000 test examples" in caption


def test_the_members_are_joined_by_one_line_and_dominated_runs_are_faded(study):
    svg, front = svg_of(study)
    assert len(groups(svg, "front-line")) == 1
    for place, member in enumerate(front.members):
        (run,) = groups(svg, f"run-{place}")
        assert ("opacity: 0.6" in ElementTree.tostring(run, "unicode")) != member


def test_each_variant_has_its_own_marker_and_a_place_in_the_legend(study):
    figure = draw_front(make_fronts(study).fronts[0])
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    shapes = [handle.get_marker() for handle in legend.legend_handles[:-2]]
    assert names[-2:] == ["filled: on the front", "hollow: dominated"]
    assert len(set(shapes)) == len(names) - 2 == 7


def test_no_label_covers_another_or_leaves_the_picture(study):
    figure = draw_front(make_fronts(study).fronts[0])
    (axes,) = figure.axes
    boxes = [Text.get_window_extent(text) for text in axes.texts]  # without the leader
    for i, box in enumerate(boxes):
        assert all(not box.overlaps(other) for other in boxes[i + 1 :])
        assert axes.bbox.x0 <= box.x0 < box.x1 <= axes.bbox.x1
        assert axes.bbox.y0 <= box.y0 < box.y1 <= axes.bbox.y1


def test_the_png_has_200_dots_an_inch_and_is_not_blank(study):
    (front,) = make_fronts(study).fronts
    picture = Image.open(io.BytesIO(render(draw_front(front), "png")))
    assert picture.size == (1600, 1200)
    assert picture.info["dpi"] == pytest.approx((200, 200), abs=0.1)
    pixels = np.asarray(picture.convert("L"))
    assert 0.01 < (pixels < 250).mean() < 0.3


def test_the_same_front_gives_the_same_bytes_without_a_date(study):
    (front,) = make_fronts(study).fronts
    first, second = (render(draw_front(front), "svg") for _ in range(2))
    assert first == second
    assert b"<dc:date>" not in first


def test_a_reader_s_own_style_changes_nothing_and_stays_as_it_was(study):
    (front,) = make_fronts(study).fronts
    plain = render(draw_front(front), "svg")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        assert render(draw_front(front), "svg") == plain
        assert matplotlib.rcParams["font.size"] == 30


def test_one_run_alone_is_drawn(tmp_path, write):
    write(tmp_path / "a", "natural", 90, (1, 2, 3, 4))
    svg, _ = svg_of(tmp_path)
    assert "natural" in texts(svg)


def test_runs_at_the_same_point_are_all_labelled(tmp_path, write):
    for number in range(5):
        write(tmp_path / f"{number}", f"run {number}", 90, (1, 2, 3, 4))
    svg, _ = svg_of(tmp_path)
    assert {f"run {number}" for number in range(5)} <= set(texts(svg))


def test_a_point_of_several_seeds_has_its_interval_and_the_seeds_their_surfaces(tmp_path, write):
    for seed in range(3):
        for number, variant in enumerate(("natural", "a", "b")):
            scores = (10 * number + seed, 20, 30, 0)
            write(tmp_path / f"{variant}{seed}", variant, 90 - 3 * number, scores, seed=seed)
    svg, front = svg_of(tmp_path)
    assert [len(setting.rows) for setting in front.settings] == [3, 3, 3]
    for gid in (
        "interval-x-0",
        "interval-y-0",
        "attained-best",
        "attained-median",
        "attained-worst",
    ):
        assert svg.find(f".//*[@id='{gid}']") is not None
    assert {"one seed", "half of the seeds", "all seeds"} <= set(texts(svg))


def test_the_staircase_runs_on_the_worse_side_of_its_corners(tmp_path, write):
    write(tmp_path / "n", "natural", 95, (0, 0, 0, 0))
    write(tmp_path / "a", "a", 90, (30, 0, 0, 0))
    write(tmp_path / "b", "b", 80, (60, 0, 0, 0))
    styles = {}
    for names in (("universal", "sacrificed"), ("sacrificed", "universal")):
        (front,) = make_fronts(tmp_path, objectives=names).fronts
        lines = draw_front(front).axes[0].lines
        (line,) = [one for one in lines if one.get_gid() == "front-line"]
        styles[names[0]] = line.get_drawstyle()
    assert styles == {"universal": "steps-pre", "sacrificed": "steps-post"}


def test_a_far_outlier_makes_its_axis_symlog(study, write):
    assert draw_front(make_fronts(study).fronts[0]).axes[0].get_yscale() == "linear"
    write(study / "collapsed", "collapsed", 10, (80, 80, 80, 80))
    figure = draw_front(make_fronts(study).fronts[0])
    assert figure.axes[0].get_yscale() == "symlog"
    assert figure.axes[0].get_ylabel().endswith("lower is better, logarithmic beyond 1)")
    assert figure.axes[0].get_xscale() == "linear"


def test_nothing_is_cut_off_at_the_edge_of_the_picture(study, write):
    write(study / "collapsed", "collapsed", 10, (80, 80, 80, 80))
    (front,) = make_fronts(study).fronts
    pixels = np.asarray(Image.open(io.BytesIO(render(draw_front(front), "png"))).convert("L"))
    for edge in (pixels[:5], pixels[-5:], pixels[:, :5], pixels[:, -5:]):
        assert (edge == 255).all()


def test_of_very_many_runs_only_the_members_are_labelled(tmp_path, write):
    write(tmp_path / "n", "natural", 99, (1, 1, 1, 1), examples=50)
    for r in range(155):
        write(tmp_path / f"{r}", "pareto", 90, (r / 4, r / 4, 9, 9), r=r, examples=50)
    svg, front = svg_of(tmp_path)
    written = set(texts(svg))
    for setting, member in zip(front.settings, front.members, strict=True):
        assert (setting.name in written) == member
    assert len(groups(svg, r"run-\d+")) == front.members.sum()
    lines = draw_front(front).axes[0].lines
    others = [line for line in lines if str(line.get_gid()).startswith("dominated")]
    assert sum(len(line.get_xdata()) for line in others) == (~front.members).sum() > 140


def test_a_title_that_is_too_long_is_shortened(tmp_path, write):
    for number in range(12):
        write(tmp_path / f"{number}", "natural", 90, (1, 2, 3, 4), study=f"a_long_name_{number}")
    svg, _ = svg_of(tmp_path)
    assert any(text.startswith("a_long_name_0,") and text.endswith(" …") for text in texts(svg))
