import pytest

from moat.errors import PlotError
from moat.records import Difference
from moat.report.plots.difference import differences_of, draw_difference

STUDY = "digits_pareto"


def between(runs, **keys):
    figure = Difference(**{"across": "scalarizer.r", "of": "pareto", "minus": "pgd-at", **keys})
    return differences_of(runs, STUDY, figure)


def test_a_line_is_a_threat_s_difference_seed_by_seed(swept, runs_of):
    across, lines = between(runs_of(swept), threats=("pgd", "flow"))
    assert across.values == (0.5, 1.0, 2.0)
    # pgd: 40, 50 and 70 against 60, each with the seed added; flow with twice the seed
    assert lines["pgd"] == [pytest.approx([gap] * 3) for gap in (-20, -10, 10)]
    assert list(lines) == ["pgd", "flow"]


def test_two_swept_variants_are_compared_where_both_stand(tmp_path, write, runs_of):
    for variant, r, score in (
        *(("pareto", 1.0, 40), ("pareto", 2.0, 50), ("pareto", 3.0, 60)),
        *(("max-at", 2.0, 45), ("max-at", 3.0, 65), ("max-at", 4.0, 70)),
    ):
        write(tmp_path / variant / str(r), variant, 98, (score,) * 4, r=r)
    across, lines = between(runs_of(tmp_path), minus="max-at", threats=("pgd",))
    assert across.values == (2.0, 3.0)
    assert lines == {"pgd": [pytest.approx([5]), pytest.approx([-5])]}


def test_without_a_shared_seed_means_are_compared(tmp_path, write, runs_of):
    for seed, score in ((0, 40), (1, 50)):
        run = {"r": 1.0, "seed": seed}
        write(tmp_path / f"p{seed}", "pareto", 98, (score,) * 4, **run)
        write(tmp_path / f"m{seed}", "pgd-at", 98, (score - 5,) * 4, seed=seed + 7)
    _, lines = between(runs_of(tmp_path), threats=("pgd",))
    assert lines == {"pgd": [pytest.approx([5])]}


def test_conditional_scores_are_taken_where_they_are_asked_for(swept, runs_of):
    runs = runs_of(swept)
    _, plain = between(runs, threats=("pgd",))
    _, conditional = between(runs, threats=("pgd",), measure="conditional")
    assert conditional["pgd"][0][0] == pytest.approx(100 * (40 / 98 - 60 / 97), abs=0.2)
    assert plain["pgd"][0][0] == pytest.approx(-20)


def test_the_picture_has_a_zero_line_a_band_and_says_what_is_taken_from_what(swept, runs_of):
    runs = runs_of(swept)
    figure = draw_difference(
        runs, STUDY, Difference(across="scalarizer.r", of="pareto", minus="pgd-at")
    )
    (axes,) = figure.axes
    assert list(axes.lines[0].get_ydata()) == [0, 0]
    assert len(axes.lines) == 1 + 4
    assert len(axes.collections) == 4
    assert axes.get_ylabel() == "pareto \N{MINUS SIGN} pgd-at (points)"
    caption = figure.texts[-1].get_text().replace("\n", " ")
    assert "scores of pareto less those of pgd-at, in points." in caption
    assert "Means over 3 seeds" in caption
    asked = Difference(across="scalarizer.r", of="pareto", minus="pgd-at", measure="conditional")
    caption = draw_difference(runs, STUDY, asked).texts[-1].get_text().replace("\n", " ")
    assert "among the examples that each model classifies correctly without a threat." in caption


def test_what_cannot_be_compared_is_refused(tmp_path, write, runs_of):
    write(tmp_path / "a", "pareto", 98, (40, 30, 20, 10), r=1.0)
    write(tmp_path / "b", "max-at", 98, (40, 30, 20, 10), r=2.0)
    with pytest.raises(PlotError) as caught:
        between(runs_of(tmp_path), minus="max-at")
    assert str(caught.value) == "'pareto' and 'max-at' have no common value of 'scalarizer.r' yet."


def test_scores_that_are_absent_have_no_difference(tmp_path, write, runs_of):
    write(tmp_path / "a", "pareto", 98, (40, 30, 20, 10), r=1.0, union_only=True)
    write(tmp_path / "b", "pgd-at", 98, (40, 30, 20, 10), union_only=True)
    with pytest.raises(PlotError) as caught:
        between(runs_of(tmp_path))
    assert str(caught.value) == (
        "no threat has a score.\n  An evaluation with union_only has no score for a single threat."
    )


def test_a_band_is_the_interval_of_the_paired_seeds(swept, runs_of):
    runs = runs_of(swept)
    for measure in ("accuracy", "conditional"):
        figure = Difference(across="scalarizer.r", of="pareto", minus="pgd-at", measure=measure)
        (axes,) = draw_difference(runs, STUDY, figure).axes
        bands = [band for band in axes.collections if len(band.get_paths())]
        assert len(bands) == 4
        lines = [line for line in axes.lines if len(line.get_xdata()) == 3]
        for line, band in zip(lines, bands, strict=True):
            low, high = band.get_datalim(axes.transData).intervaly
            assert low < min(line.get_ydata()) <= max(line.get_ydata()) < high
            assert high - low < 40
