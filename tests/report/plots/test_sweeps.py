import pytest
from matplotlib.figure import Figure

from moat.errors import PlotError
from moat.report.plots.sweeps import Swept, key_text, swept, unswept

STUDY, KEY = "digits_pareto", "scalarizer.r"


@pytest.fixture
def runs(swept, runs_of):
    return runs_of(swept)


def test_points_ascend_behind_the_variant_at_zero(runs):
    assert swept(runs, STUDY, "pareto", KEY).values == (0.5, 1.0, 2.0)
    across = swept(runs, STUDY, "pareto", KEY, "natural")
    assert across.values == (0, 0.5, 1.0, 2.0)
    assert across.columns[0].name == "natural"


def test_a_variant_that_does_not_sweep_has_one_point(runs):
    assert unswept(runs, STUDY, "pgd-at", KEY).name == "pgd-at"
    assert unswept(runs, STUDY, "pareto", KEY) is None


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            ("parto", KEY),
            "no run of 'parto' is finished. Did you mean 'pareto'?\n"
            "  finished: natural, pareto, pgd-at",
        ),
        (
            ("pareto", "scalarizer.rho"),
            "no finished run of 'pareto' sweeps 'scalarizer.rho'. Did you mean 'scalarizer.r'?\n"
            "  swept: scalarizer.r",
        ),
        (
            ("pgd-at", KEY),
            "no finished run of 'pgd-at' sweeps 'scalarizer.r'.\n  swept: nothing",
        ),
        (("pareto", KEY, "pareto"), "'pareto' has 3 points, but the figure needs one."),
    ],
)
def test_what_is_not_there_is_refused_with_the_nearest(runs, asked, said):
    with pytest.raises(PlotError) as caught:
        swept(runs, STUDY, *asked)
    assert str(caught.value) == said


def test_two_points_at_one_value_are_refused(tmp_path, write, runs_of):
    for place in (0, 1):  # copies: the same seed twice
        write(tmp_path / str(place), "pareto", 98, (40, 30, 20, 10), r=1.0)
    with pytest.raises(PlotError) as caught:
        swept(runs_of(tmp_path), STUDY, "pareto", KEY)
    assert str(caught.value) == "'pareto' has several points at one value of 'scalarizer.r'."


@pytest.mark.parametrize(
    ("values", "places", "ticks"),
    [
        ((1, 2.5), [1, 2.5], ["1", "2.5"]),
        (("constant", "cosine"), [0, 1], ["constant", "cosine"]),
        ((True, False), [0, 1], ["True", "False"]),
    ],
)
def test_numbers_stand_at_their_size_and_names_evenly(values, places, ticks):
    across = Swept((), values, "optimizer.lr")
    axes = Figure().add_subplot()
    axes.plot(across.places, across.places)
    across.dress(axes)
    assert across.places == places
    assert [label.get_text() for label in axes.get_xticklabels()] == ticks
    assert axes.get_xlabel() == "optimizer.lr"


def test_many_points_have_fewer_ticks():
    across = Swept((), tuple(range(40)), "optimizer.lr")
    axes = Figure().add_subplot()
    axes.plot(across.places, across.places)
    across.dress(axes)
    assert 3 < len(axes.get_xticks()) < 12


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("threats.pgd.train.epsilon", "epsilon of pgd in training"),
        ("threats.pgd.evaluate.steps", "steps of pgd in evaluation"),
        ("threats.pgd.epsilon", "epsilon of pgd"),
        ("scalarizer.r", "r"),
        ("optimizer.lr", "optimizer.lr"),
    ],
)
def test_an_axis_is_called_as_one_would_say_it(key, text):
    assert key_text(key) == text
