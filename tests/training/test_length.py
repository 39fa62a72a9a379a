"""Epochs, or the steps that a budget of passes pays for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat.data import batches_per_epoch
from moat.errors import FieldError, InputError
from moat.threats import Spent
from moat.training import Training
from moat.training.length import length_of

COST = Spent(19, 16)


def batches(examples, size):
    whole = [min(size, examples - start) for start in range(0, examples, size)]
    return [count for count in whole if count > 1 or size == 1 or examples == 1]


@given(
    examples=st.integers(1, 300),
    size=st.integers(1, 64),
    passes=st.floats(0.01, 900),
    forwards=st.integers(1, 40),
    backwards=st.integers(0, 40),
)
def test_a_budget_pays_for_as_many_whole_steps_as_it_covers(
    examples, size, passes, forwards, backwards
):
    training, cost = Training(passes=passes, batch_size=size), Spent(forwards, backwards)
    each, budget = batches(examples, size), passes * examples
    assert len(each) == batches_per_epoch(examples, size)
    try:
        length = length_of(training, examples, cost)
    except InputError:
        assert each[0] * cost.total > budget
        return
    whole, rest = divmod(length.steps, len(each))
    spent = (whole * sum(each) + sum(each[:rest])) * cost.total
    assert spent <= budget * (1 + 1e-9)
    assert spent + each[rest] * cost.total > budget * (1 - 1e-9)
    assert length.epochs == whole + bool(rest)


@pytest.mark.parametrize("epochs", [1, 3, 7])
@pytest.mark.parametrize("cost", [Spent(1, 1), COST, Spent(18 + 1 / 3, 17.6)])
def test_a_budget_of_whole_epochs_is_whole_epochs(epochs, cost):
    training = Training(passes=epochs * cost.total, batch_size=64)
    assert length_of(training, 1294, cost) == length_of(
        Training(epochs=epochs, batch_size=64), 1294, cost
    )


def test_a_budget_below_one_step_is_refused_with_the_least_one():
    with pytest.raises(InputError, match=r"3 passes .* do not pay for one step, which takes 35"):
        length_of(Training(passes=3), 1000, COST)
    length_of(Training(passes=4.5), 1000, COST)  # the hint's, of one step


@pytest.mark.parametrize("given", [{}, {"epochs": 2, "passes": 10.0}])
def test_a_training_has_one_length(given):
    with pytest.raises(FieldError) as error:
        Training(**given)
    assert "passes" in str(error.value)


@pytest.mark.parametrize("examples", [100, 1000, 1294])
@pytest.mark.parametrize("cost", [COST, Spent(2, 1), Spent(18 + 1 / 3, 17.6), Spent(1.5, 1.5)])
def test_the_least_budget_that_is_named_pays_for_a_step(examples, cost):
    with pytest.raises(InputError) as refused:
        length_of(Training(passes=0.01), examples, cost)
    least = float(refused.value.hint.split()[5].rstrip(";"))
    assert length_of(Training(passes=least), examples, cost).steps == 1
