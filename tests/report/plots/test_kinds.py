import io
import itertools

import pytest
from PIL import Image

from moat.errors import PlotError
from moat.records import Difference
from moat.report.manifest import REPORT_MANIFEST, write_files
from moat.report.plots import KINDS, make_plots, write_plots

ALL = ["front", "pairs", "parallel", "radar", "training", "strengths", "cost"]


def test_every_picture_that_the_runs_support_is_drawn_and_written_twice(swept, tmp_path):
    plots = make_plots([swept])
    assert list(plots.figures) == [*ALL, "relationship", "difference"] == list(KINDS)
    assert plots.missing == plots.skipped == []
    paths = write_plots(plots, tmp_path / "figures")
    assert [path.name for path in paths] == [
        f"{kind}.{format}" for kind in KINDS for format in ("png", "svg")
    ]
    for path in paths:
        if path.suffix == ".png":
            picture = Image.open(io.BytesIO(path.read_bytes()))
            assert picture.info["dpi"] == pytest.approx((200, 200), abs=0.01)
        else:
            assert path.read_text("utf-8").startswith("<?xml")


def test_named_kinds_alone_are_drawn_in_the_order_of_all(swept):
    assert list(make_plots([swept], ["strengths", "radar"]).figures) == ["radar", "strengths"]


def test_a_picture_that_nobody_draws_is_refused_with_the_nearest(swept):
    with pytest.raises(PlotError) as caught:
        make_plots([swept], ["radr"])
    assert str(caught.value) == (
        "kind: no picture is called 'radr'. Did you mean 'radar'?\n"
        "  known: front, pairs, parallel, radar, training, strengths, cost, relationship, "
        "difference"
    )


def test_what_the_runs_do_not_support_is_told_in_a_line_each(tmp_path, write):
    write(tmp_path / "a", "natural", 98, (40, 30, 20, 10), union_only=True)
    write(tmp_path / "b", "pgd-at", 97, (60, 50, 40, 30), union_only=True)
    plots = make_plots([tmp_path])
    assert list(plots.figures) == ["front", "parallel"]
    title = "digits_pareto on digits (size 16)"
    none = "An evaluation with union_only has no score for a single threat."
    assert plots.missing == [
        f"pairs of {title}: two scores form a single pair; see the front.",
        f"radar of {title}: a radar needs three scores; these runs have 2: natural, union. {none}",
        f"training of {title}: no run has a log of its training. natural has no log. pgd-at has "
        "no log.",
        f"strengths of {title}: no threat has an accuracy at its strengths. {none}",
        f"cost of {title}: no run has recorded the passes of its training. Runs of older versions "
        "have not counted them: train with this one.",
        "relationship: no recipe of these runs has a [[figure]] of this type.",
        "difference: no recipe of these runs has a [[figure]] of this type.",
    ]


def test_pictures_of_a_kind_are_numbered_a_group_after_the_other(tmp_path, write):
    for place, size in enumerate((8, 16)):
        data = {"type": "digits", "size": size}
        write(tmp_path / str(place), "natural", 98, (4, 3, 2, 1), data=data, union_only=place == 0)
    plots = make_plots([tmp_path], ["radar", "parallel"])
    assert list(plots.figures) == ["parallel-1", "parallel-2", "radar-2"]
    assert [message.partition(":")[0] for message in plots.missing] == [
        "radar-1 of digits_pareto on digits (size 8)"
    ]


def test_pictures_of_an_earlier_call_are_deleted_and_other_files_stay(swept, tmp_path):
    stale = ["radar-1.png", "radar-2.svg", "relationship.png"]
    kept = ["radar-of-mine.png", "radar.pdf", "strengths.png", "radar-3.png"]
    write_files(dict.fromkeys(stale, b"moat's"), tmp_path, ["radar", "relationship"], ["png"])
    for name in kept:
        (tmp_path / name).write_bytes(b"")
    plots = make_plots([swept], ["radar", "relationship"], figures=[])
    assert plots.missing == ["relationship: no recipe of these runs has a [[figure]] of this type."]
    write_plots(plots, tmp_path)
    left = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert left == {"radar.png", "radar.svg", REPORT_MANIFEST, *kept}


def test_figures_of_another_recipe_replace_those_of_the_runs(swept):
    asked = [
        Difference(across="scalarizer.r", of="pareto", minus="natural"),
        Difference(across="r", of="pareto", minus="natural"),
    ]
    plots = make_plots([swept], ["difference", "relationship"], figures=asked)
    assert list(plots.figures) == ["difference-1"]
    assert plots.missing == [
        "relationship: no recipe of these runs has a [[figure]] of this type.",
        "difference-2 of digits_pareto on digits (size 16): no finished run of 'pareto' sweeps "
        "'r'. swept: scalarizer.r",
    ]


def test_runs_of_several_folders_are_drawn_together_and_none_twice(swept, tmp_path, write, runs_of):
    write(tmp_path / "more" / "a", "mgda", 96, (40, 30, 20, 10))
    plots = make_plots([swept, tmp_path / "more", swept / "natural"], ["parallel"])
    (axes,) = plots.figures["parallel"].axes
    lines = [line for line in axes.lines if str(line.get_gid()).startswith("line-")]
    assert len(lines) == 6


def test_a_run_that_cannot_be_read_is_told_and_the_others_are_drawn(swept):
    broken = next(itertools.islice(swept.rglob("evaluation.npz"), 1))
    broken.write_bytes(b"no archive")
    plots = make_plots([swept], ["radar"])
    assert list(plots.figures) == ["radar"]
    (message,) = plots.skipped
    assert message.startswith(f"{broken}: the file is truncated or not moat's")
