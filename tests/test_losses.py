from typing import get_args

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from moat.losses import (
    LOSSES,
    TARGETED,
    LossName,
    cross_entropy,
    dlr,
    is_correct,
    kl,
    log_odds,
    margin,
    minus_logit,
)

seeds = st.integers(0, 2**31)
NAMES = list(LOSSES)


def logits_and_labels(seed: int, batch: int = 6, classes: int = 5) -> tuple:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(batch, classes, generator=generator, dtype=torch.float64)
    natural = 3 * torch.randn(batch, classes, generator=generator, dtype=torch.float64)
    return logits, torch.randint(classes, (batch,), generator=generator), natural


def test_every_name_that_a_recipe_may_use_is_a_loss():
    assert {*LOSSES, *TARGETED} == set(get_args(LossName))


@pytest.mark.parametrize("name", NAMES)
@given(seed=seeds)
def test_the_loss_of_an_example_is_the_same_alone_as_in_a_batch(name, seed):
    logits, labels, natural = logits_and_labels(seed)
    together = LOSSES[name](logits, labels, natural)
    assert together.shape == labels.shape
    for row in range(len(labels)):
        one = slice(row, row + 1)
        alone = LOSSES[name](logits[one], labels[one], natural[one])
        torch.testing.assert_close(alone, together[one])


@pytest.mark.parametrize("name", NAMES)
@given(seed=seeds, shift=st.floats(-10, 10))
def test_adding_a_number_to_all_logits_changes_no_loss(name, seed, shift):
    logits, labels, natural = logits_and_labels(seed)
    moved = LOSSES[name](logits + shift, labels, natural)
    torch.testing.assert_close(moved, LOSSES[name](logits, labels, natural))


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_of_a_loss_is_right(name):
    logits, labels, natural = logits_and_labels(3)
    loss = LOSSES[name]
    assert torch.autograd.gradcheck(lambda z: loss(z, labels, natural), logits.requires_grad_())


@given(seed=seeds)
def test_cross_entropy_is_the_surprise_at_the_label(seed):
    logits, labels, _ = logits_and_labels(seed)
    rows = torch.arange(len(labels))
    expected = logits.exp().sum(1).log() - logits[rows, labels]
    torch.testing.assert_close(cross_entropy(logits, labels), expected)


@given(seed=seeds)
def test_the_margin_is_positive_exactly_where_the_example_is_misclassified(seed):
    logits, labels, _ = logits_and_labels(seed)
    for row, label in enumerate(labels.tolist()):
        others = [z for j, z in enumerate(logits[row].tolist()) if j != label]
        loss = margin(logits, labels)[row].item()
        assert loss == max(others) - logits[row, label].item()
        assert (loss > 0) == (not is_correct(logits, labels)[row])


@given(seed=seeds, scale=st.floats(0.1, 100))
def test_dlr_does_not_depend_on_the_scale_of_the_logits(seed, scale):
    logits, labels, _ = logits_and_labels(seed)
    torch.testing.assert_close(dlr(scale * logits, labels), dlr(logits, labels))


@given(seed=seeds)
def test_dlr_is_the_margin_over_the_gap_of_the_first_and_the_third_logit(seed):
    logits, labels, _ = logits_and_labels(seed)
    ordered = logits.sort(1, descending=True).values
    expected = margin(logits, labels) / (ordered[:, 0] - ordered[:, 2])
    torch.testing.assert_close(dlr(logits, labels), expected)
    right = is_correct(logits, labels)
    assert (dlr(logits, labels)[right] >= -1 - 1e-9).all()


def test_dlr_is_finite_where_all_logits_are_equal():
    assert dlr(torch.zeros(2, 3), torch.tensor([0, 1])).tolist() == [0, 0]


def test_dlr_of_two_classes_is_refused():
    with pytest.raises(
        ValueError, match="the DLR loss needs at least three classes; use 'margin' for two"
    ):
        dlr(torch.zeros(1, 2), torch.tensor([0]))


@given(seed=seeds)
def test_kl_is_never_negative_and_zero_at_the_natural_logits(seed):
    logits, labels, natural = logits_and_labels(seed)
    assert (kl(logits, labels, natural) >= -1e-12).all()
    assert kl(natural, labels, natural).abs().max() <= 1e-12


@given(seed=seeds)
def test_kl_is_the_divergence_of_torch(seed):
    logits, labels, natural = logits_and_labels(seed)
    theirs = torch.distributions.kl_divergence(
        torch.distributions.Categorical(logits=natural),
        torch.distributions.Categorical(logits=logits),
    )
    torch.testing.assert_close(kl(logits, labels, natural), theirs)


def test_the_gradient_of_kl_at_the_natural_logits_is_zero():
    _, labels, natural = logits_and_labels(0)
    logits = natural.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(kl(logits, labels, natural).sum(), logits)
    assert gradient.abs().max() <= 1e-12


def test_kl_without_natural_logits_is_refused():
    with pytest.raises(ValueError, match="the KL loss needs the natural logits"):
        kl(torch.zeros(1, 2), torch.tensor([0]))


def test_an_example_is_correct_where_the_largest_logit_is_the_labels():
    logits = torch.tensor([[0.0, 2.0, 1.0], [3.0, 2.0, 1.0]])
    assert is_correct(logits, torch.tensor([1, 2])).tolist() == [True, False]


@given(seed=seeds)
def test_the_log_odds_are_those_of_a_wrong_answer_and_rise_with_the_cross_entropy(seed):
    logits, labels, _ = logits_and_labels(seed)
    p = logits.softmax(1).gather(1, labels[:, None]).squeeze(1)
    torch.testing.assert_close(log_odds(logits, labels), ((1 - p) / p).log())
    torch.testing.assert_close(F.softplus(log_odds(logits, labels)), cross_entropy(logits, labels))


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("lead", [1.0, 20.0, 200.0, 1e6])
def test_the_log_odds_keep_the_labels_logit_in_their_gradient_however_sure_the_answer(
    classes, lead
):
    logits = torch.zeros(3, classes).index_fill(1, torch.tensor(0), lead).requires_grad_()
    labels = torch.zeros(3).long()
    (slope,) = torch.autograd.grad(log_odds(logits, labels).sum(), logits)
    torch.testing.assert_close(slope[:, 0], torch.full((3,), -1.0))
    torch.testing.assert_close(slope[:, 1:].sum(1), torch.ones(3))


def test_the_labels_logit_alone_is_what_minus_logit_looks_at():
    logits, labels, _ = logits_and_labels(0)
    assert minus_logit(logits, labels).tolist() == [
        -logits[row, label].item() for row, label in enumerate(labels)
    ]
