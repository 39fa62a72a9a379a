import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat import errors
from moat.errors import MoatError, RecipeError, TrainingError, did_you_mean

FAMILY = sorted(
    (cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, MoatError)),
    key=lambda cls: cls.__name__,
)


def test_an_error_says_where_then_what_then_the_mend():
    error = RecipeError("no such key.", where="r.toml, threats.pgd", hint="known: a\nor b")
    assert str(error) == "r.toml, threats.pgd: no such key.\n  known: a\n  or b"


def test_without_a_place_and_a_hint_an_error_is_its_message():
    assert str(MoatError("it broke.")) == "it broke."


@pytest.mark.parametrize("kind", FAMILY)
def test_an_error_said_of_a_place_is_the_same_error(kind):
    placed = kind("it broke.", hint="mend it").at("run 3")
    assert type(placed) is kind
    assert str(placed) == "run 3: it broke.\n  mend it"


@pytest.mark.parametrize("kind", FAMILY)
@pytest.mark.parametrize("through", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_survives_the_way_to_another_process(kind, through):
    error = kind("it broke.", where="run 3", hint="mend it")
    again = through(error)
    assert type(again) is kind
    assert (again.message, again.where, again.hint) == ("it broke.", "run 3", "mend it")


@pytest.mark.parametrize("kind", FAMILY)
def test_bad_input_exits_with_2_and_a_failed_run_with_1(kind):
    assert kind.exit_code == (1 if kind is TrainingError else 2)


def test_the_nearest_known_name_is_offered():
    assert did_you_mean("flwo", ["pgd", "flow", "rt"]) == " Did you mean 'flow'?"


def test_nothing_is_offered_where_nothing_is_near():
    assert did_you_mean("zzz", iter(["pgd", "flow"])) == ""
    assert did_you_mean("pgd", []) == ""


@given(names=st.lists(st.text(min_size=1), min_size=1))
def test_a_known_name_is_its_own_nearest(names):
    assert did_you_mean(names[0], names) == f" Did you mean {names[0]!r}?"
