import pytest
from matplotlib.patches import Rectangle

from moat.errors import PlotError
from moat.report.plots.training import draw_training


def caption_of(figure) -> str:
    return figure.texts[-1].get_text().replace("\n", " ")


def shaded(axes) -> list[Rectangle]:
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def test_a_row_is_a_variant_with_losses_on_the_left_and_weights_on_the_right(swept, runs_of):
    figure = draw_training(runs_of(swept))
    assert len(figure.axes) == 10
    names = [axes.get_title(loc="left") for axes in figure.axes[::2]]
    assert names == ["natural", "pareto r=0.5", "pareto r=1.0", "pareto r=2.0", "pgd-at"]
    losses, weights = figure.axes[:2]
    assert [list(line.get_xdata()) for line in losses.lines] == [[10, 20, 30, 40]] * 3
    natural, pgd, _ = losses.lines
    assert list(natural.get_ydata()) == pytest.approx([2, 1, 2 / 3, 1 / 2])
    assert list(pgd.get_ydata()) == pytest.approx([1, 2 / 3, 1 / 2, 2 / 5])
    assert [line.get_ydata()[0] for line in weights.lines] == pytest.approx([0.5, 0.3, 0.2])
    assert "Means over 3 seeds; bands: from the lowest seed to the highest." in caption_of(figure)


def test_the_clamped_stretch_is_shaded_and_named(swept, runs_of):
    figure = draw_training(runs_of(swept))
    for axes in (*figure.axes[:6], *figure.axes[8:]):
        assert shaded(axes) == []
    for axes in figure.axes[6:8]:
        assert [(patch.get_x(), patch.get_width()) for patch in shaded(axes)] == [(10, 20)] * 3
    assert figure.legends[0].get_texts()[-1].get_text() == "r out of reach"
    assert "Shaded: r out of reach, the darker the more seeds." in caption_of(figure)


def test_nothing_is_said_of_what_no_run_has(tmp_path, write, log, runs_of):
    log(write(tmp_path / "a", "pgd-at", 97, (40, 30, 20, 10)))
    figure = draw_training(runs_of(tmp_path))
    assert "Means" not in caption_of(figure)
    assert "Shaded" not in caption_of(figure)
    assert "Each point" not in caption_of(figure)


def test_a_long_log_is_averaged_and_the_caption_says_so(tmp_path, write, log, runs_of):
    log(write(tmp_path / "a", "pgd-at", 97, (40, 30, 20, 10)), steps=6000)
    figure = draw_training(runs_of(tmp_path))
    assert len(figure.axes[0].lines[0].get_xdata()) == 200
    assert "Each point is a mean over up to 3 logged steps." in caption_of(figure)


def test_seeds_are_averaged_over_the_steps_that_all_of_them_logged(tmp_path, write, log, runs_of):
    for seed, steps in enumerate((40, 60)):
        run = write(tmp_path / str(seed), "pgd-at", 97, (40, 30, 20, 10), seed=seed)
        log(run, steps=steps)
    losses, _ = draw_training(runs_of(tmp_path)).axes
    assert list(losses.lines[0].get_xdata()) == [10, 20, 30, 40]


def test_what_was_not_measured_is_a_gap(tmp_path, write, runs_of):
    run = write(tmp_path / "a", "pgd-at", 97, (40, 30, 20, 10))
    for step, loss in ((1, 2.0), (2, None), (3, float("inf"))):
        run.append_log({"step": step, "loss": {"pgd": loss}, "weight": {"pgd": 1.5}})
    losses, weights = draw_training(runs_of(tmp_path)).axes
    first, *others = losses.lines[0].get_ydata()
    assert first == 2
    assert all(value != value for value in others)
    assert weights.get_ylim()[1] > 1.5


def seen(line) -> list[bool]:
    """Say of each value whether the line shows it: as an end of a stroke, or by a mark."""
    known = [False, *(value == value for value in line.get_ydata()), False]
    places = range(len(known) - 2)
    marks = line.get_markevery() if line.get_marker() not in ("", "None") else []
    marked = set(places if marks is None else marks)
    return [known[p] or known[p + 2] or p in marked for p in places if known[p + 1]]


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("losses", [[2.0], [2.0, None], [None, 2.0, None], [1.0, 2.0, None, 3.0]])
def test_a_value_without_neighbours_is_a_mark(tmp_path, write, runs_of, losses, seeds):
    for seed in range(seeds):
        run = write(tmp_path / str(seed), "pgd-at", 97, (40, 30, 20, 10), seed=seed)
        for step, loss in enumerate(losses, 1):
            run.append_log(
                {"step": step, "loss": {"pgd": loss and loss + seed}, "weight": {"pgd": 1.0}}
            )
    figure = draw_training(runs_of(tmp_path))
    drawn, _ = (axes.lines[0] for axes in figure.axes)
    assert seen(drawn) == [True] * sum(loss is not None for loss in losses)
    ends = [path for axes in figure.axes for c in axes.collections for path in c.get_paths()]
    assert bool(ends) == (seeds > 1)  # the range over the seeds


def test_runs_without_a_log_or_with_a_broken_one_are_named(tmp_path, write, log, runs_of):
    log(write(tmp_path / "a", "pgd-at", 97, (40, 30, 20, 10)))
    write(tmp_path / "b", "natural", 97, (40, 30, 20, 10))
    broken = write(tmp_path / "c", "max-at", 97, (40, 30, 20, 10))
    (broken.path / "log.jsonl").write_text("no record\n{}\n")
    figure = draw_training(runs_of(tmp_path))
    assert len(figure.axes) == 2
    assert "natural has no log." in caption_of(figure)
    assert "log.jsonl" in caption_of(figure)
    (tmp_path / "a" / "log.jsonl").unlink()
    with pytest.raises(PlotError, match=r"^no run has a log of its training\."):
        draw_training(runs_of(tmp_path))


def test_many_rows_stand_side_by_side(tmp_path, write, log, runs_of):
    for place in range(13):
        log(write(tmp_path / str(place), "pareto", 97, (40, 30, 20, 10), r=float(place)))
    figure = draw_training(runs_of(tmp_path))
    assert len(figure.axes) == 2 * 13
    tops = {round(axes.get_position().y0, 6) for axes in figure.axes}
    assert len(tops) == 7


def test_an_objective_that_a_row_does_not_have_is_not_drawn_in_it(tmp_path, write, log, runs_of):
    log(write(tmp_path / "a", "pgd-at", 97, (40, 30, 20, 10)))
    plain = write(tmp_path / "b", "natural", 98, (4, 3, 2, 1))
    plain.append_log({"step": 10, "loss": {"natural": 1.0}, "weight": {"natural": 1.0}})
    figure = draw_training(runs_of(tmp_path))
    assert [len(axes.lines) for axes in figure.axes] == [1, 1, 3, 3]
