import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat.report.looks.palette import DASHES, OBJECTIVES, VARIANTS, Look, Palette
from moat.report.looks.shades import luminance, on_dark, shaded

NAMES = st.lists(st.text(min_size=1, max_size=12) | st.sampled_from([*VARIANTS.fixed]), max_size=30)
PALETTES = pytest.mark.parametrize(
    "palette", [VARIANTS, OBJECTIVES], ids=["variants", "objectives"]
)
DARK_PAGE = luminance("#15161a")  # as the page's style has it


def every_colour(palette: Palette) -> list[str]:
    return [*(look.colour for look in palette.fixed.values()), *palette.colours]


@PALETTES
@given(names=NAMES, more=NAMES)
def test_further_names_change_no_look(palette, names, more):
    looks = palette.looks_of(names)
    assert {name: palette.looks_of([*names, *more])[name] for name in looks} == looks


@PALETTES
@given(names=NAMES)
def test_no_two_names_look_alike_and_others_leave_the_fixed_looks_alone(palette, names):
    looks = palette.looks_of(names)
    assert len(set(map(str, looks.values()))) == len(looks)
    fixed = {look.colour for look in palette.fixed.values()}
    assert not fixed & {look.colour for name, look in looks.items() if name not in palette.fixed}


@PALETTES
@given(names=st.sets(st.text(min_size=1, max_size=12), max_size=6))
def test_a_handful_of_names_share_neither_colours_nor_markers(palette, names):
    looks = palette.looks_of(names - set(palette.fixed))
    assert len({look.colour for look in looks.values()}) == len(looks)
    assert len({look.marker for look in looks.values()}) == len(looks)


@given(names=st.sets(st.text(min_size=1, max_size=9), min_size=400, max_size=410))
def test_of_very_many_names_each_has_some_look(names):
    assert set(VARIANTS.looks_of(names)) == names


@PALETTES
def test_every_colour_stands_out_from_white_and_from_the_dark_page(palette):
    colours = every_colour(palette)
    assert len(set(colours)) == len(colours)
    for colour in colours:
        assert 1.05 / (luminance(colour) + 0.05) >= 3
        assert (luminance(colour) + 0.05) / (DARK_PAGE + 0.05) >= 3


@PALETTES
@given(count=st.integers(2, 12), data=st.data())
def test_a_sweep_goes_from_light_to_dark_and_stays_legible(palette, count, data):
    look = Look(data.draw(st.sampled_from(every_colour(palette))), "o")
    points = [look.at(place, count) for place in range(count)]
    bright = [luminance(point.colour) for point in points]
    assert bright == sorted(bright, reverse=True)
    assert bright[0] > bright[-1]
    assert all(1.05 / (light + 0.05) >= 2.99 for light in bright)
    assert [point.dash for point in points] == [DASHES[n % len(DASHES)] for n in range(count)]
    assert all(luminance(on_dark(point.colour)) >= 0.19 for point in points)


def test_one_point_looks_as_its_variant_and_the_strongest_has_its_threat_s_marker():
    look = OBJECTIVES.fixed["flow"]
    assert look.at(0, 1) == look.of_strength(0, 1) == look
    strengths = [look.of_strength(place, 4) for place in range(4)]
    assert strengths[-1].marker == look.marker
    assert len({strength.marker for strength in strengths}) == 4
    assert {strength.dash for strength in strengths} == {look.dash}


def test_shades_of_a_colour_begin_where_white_bears_them():
    assert luminance(shaded("#000000", 0)) <= 0.3
    assert luminance(shaded("#ffffff", 0)) == 1.0  # nothing is lighter, and nothing is lost
