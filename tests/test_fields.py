"""What is declared refuses wrong fields in Python as a recipe does: by name, with the mend."""

from dataclasses import MISSING, fields, replace

import pytest
from pydantic import PositiveFloat, ValidationError

from moat import data, models, scalarizers, threats
from moat.errors import FieldError, MoatError
from moat.registry import Registry
from moat.threats import PGD, RTGrid

DECLARED = [
    pytest.param(cls, id=cls.name)
    for room in (threats, scalarizers, models, data)
    for cls in room.registry
]


@pytest.mark.parametrize("cls", DECLARED)
class TestWhateverIsDeclared:
    def test_an_unknown_field_is_named_with_the_nearest_and_all_others(self, cls):
        for own in [field.name for field in fields(cls) if field.init] or ["any"]:
            with pytest.raises(FieldError) as caught:
                cls(**{f"{own}n": 1})
            assert f"{cls.__name__} has no field '{own}n'." in caught.value.message
            assert own == "any" or f"Did you mean '{own}'?" in caught.value.message
            assert caught.value.hint.startswith("Its fields: ")
            assert own == "any" or own in caught.value.hint

    def test_a_value_by_place_is_refused_with_the_way_to_write_it(self, cls):
        with pytest.raises(FieldError, match="needs its fields by name") as caught:
            cls(1)
        assert caught.value.hint.startswith(f"Write {cls.__name__}(")

    def test_a_missing_field_is_named(self, cls):
        needed = [f.name for f in fields(cls) if f.default is f.default_factory is MISSING]
        if needed:
            with pytest.raises(FieldError, match=f"{cls.__name__} needs the field '{needed[0]}'"):
                cls()

    def test_a_value_of_another_kind_is_shown_with_what_it_should_be(self, cls):
        own = [field.name for field in fields(cls) if field.init]
        if own:
            with pytest.raises(FieldError, match=rf"^{cls.__name__}\.\w+ should be .* type object"):
                cls(**dict.fromkeys(own, object()))


def test_what_is_refused_is_an_error_of_moat_and_a_value_error_with_its_cause():
    with pytest.raises(MoatError) as caught:
        PGD(epsilonn=0.1)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value.__cause__, ValidationError)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (lambda: PGD(epsilonn=0.1), "PGD has no field 'epsilonn'. Did you mean 'epsilon'?"),
        (lambda: PGD(epsilon=0), "PGD.epsilon should be greater than 0, not 0."),
        (
            lambda: PGD(epsilon=1.0, step_size=1.0, start="nose"),
            "PGD.start should be 'zero', 'noise', 'uniform' or 'wide', not 'nose'. "
            "Did you mean 'noise'?",
        ),
        (lambda: PGD(epsilon="x" * 999), "PGD.epsilon should be a valid number, not 'xxxxx"),
        (
            lambda: PGD(epsilon="8/255"),
            "PGD.epsilon should be a valid number, not '8/255'.\n  Leave the quotes out: "
            "epsilon=8 / 255.",
        ),
        (
            lambda: PGD(epsilon=0.1, step_size=0.1, steps=" 5 "),
            "PGD.steps should be a valid integer, not ' 5 '.\n  Leave the quotes out: steps=5.",
        ),
        (lambda: PGD(epsilon=0.1), "PGD: step_size is missing: sign steps have a fixed size."),
        (lambda: PGD(0.1), "PGD needs its fields by name.\n  Write PGD(epsilon=0.1)."),
        (lambda: replace(RTGrid(), pixels=-1.0), "RTGrid.pixels should be greater than or equal"),
    ],
)
def test_the_error_says_what_and_the_mend(made, text):
    with pytest.raises(FieldError) as caught:
        made()
    assert str(caught.value).startswith(text)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["1/0", "8/255/2", "eight", "", "1e5e5", "__import__('os')"])
def test_a_text_that_is_no_number_gets_no_such_mend(text):
    with pytest.raises(FieldError) as caught:
        PGD(epsilon=text)
    assert "quotes" not in str(caught.value)


def test_a_class_of_a_plug_in_refuses_in_the_same_words():
    class Fence:
        height: PositiveFloat = 1.0

    Fence.__module__ = "yard"
    made = Registry("fence", "yard.fences", Fence).declare("fence", Fence, frozen=True)
    with pytest.raises(FieldError, match=r"Fence has no field 'heigth'\. Did you mean 'height'"):
        made(heigth=2.0)
    assert made(height=2.0).height == 2.0
