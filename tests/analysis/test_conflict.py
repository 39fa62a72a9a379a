"""The conflict of the objectives of a model: what opposed, orthogonal and equal gradients show."""

import numpy as np
import pytest
import torch
from torch import nn

from moat.analysis import conflict
from moat.analysis.batches import all_rows, batches_of, evaluated_examples
from moat.analysis.conflict import gramians_on, mean_over_batches
from moat.analysis.conflict_log import logged_arrays, loss_correlations
from moat.errors import AnalysisError
from moat.evaluation import Protocol
from moat.evaluation.searching import searched_images
from moat.threats import PGD
from moat.training.objective_gradients import cosines_of


class Two(nn.Module):
    """Two logits, ±(a·x₁ + b·x₂): the gradient is along x, up to the sign of the residual."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))

    def forward(self, x):
        score = x.flatten(1)[:, :2] @ self.weight
        return torch.stack([score, -score], 1)


@pytest.mark.parametrize(
    ("other", "expected"),
    [([1.0, 0.0], 1.0), ([0.0, 1.0], 0.0), ([1.0, 1.0], 0.5**0.5), ([-1.0, 0.0], -1.0)],
)
def test_the_cosine_of_two_objectives_is_that_of_their_directions(other, expected):
    objectives = [torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[other]]])]
    gramians, losses = gramians_on(Two(), objectives, torch.tensor([0]), pass_size=8)
    assert cosines_of(gramians)[0, 0, 1].item() == pytest.approx(expected)
    torch.testing.assert_close(losses, torch.full((2, 1), 0.5).log().neg())


def test_a_threat_that_changes_nothing_agrees_with_the_natural_objective(network, batch):
    still = Protocol({"still": PGD(epsilon=1e-6, step_size=1e-6, steps=1)})
    found = conflict({"a": network()}, batch, still, batch_size=4)
    np.testing.assert_allclose(found["cosine"], 1, atol=1e-3)
    assert found.coordinates("layer") == ["network", "0", "3"]
    assert found["wins"].tolist() == [[100.0]]


def test_the_numbers_are_those_of_plain_gradients(network, batch, protocol):
    model = network()
    found = conflict({"a": model}, batch, protocol, batch_size=100)
    x, y = batch
    split, _, stated = evaluated_examples(batch, protocol)
    (one,) = batches_of(model, split, stated)
    images = [x, *(searched_images(one, t, all_rows(one))[0] for t in ("pgd", "flow", "rt"))]
    flat = []
    for each in images:
        loss = nn.functional.cross_entropy(model(each), y)
        grads = torch.autograd.grad(loss, list(model.parameters()))
        flat.append(torch.cat([g.flatten() for g in grads]))
    expected = [
        torch.cosine_similarity(flat[i], flat[j], dim=0).item()
        for i in range(4)
        for j in range(i + 1, 4)
    ]
    np.testing.assert_allclose(found["cosine"][0, 0], expected, rtol=1e-4)
    assert found["wins"].sum() == pytest.approx(100)
    assert np.isnan(found["cosine_low"]).all()  # of one mini-batch
    assert all(parameter.grad is None for parameter in model.parameters())


def test_networks_of_other_layers_stand_side_by_side(network, batch, protocol):
    other = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    found = conflict(
        {"a": network(), "b": other}, batch, protocol, threats=["flow", "pgd"], batch_size=4
    )
    assert found.coordinates("layer") == ["network", "0", "3", "1"]
    assert found.coordinates("pair") == ["natural, flow", "natural, pgd", "flow, pgd"]
    missing = np.isnan(found["cosine"]).all(-1)
    assert missing.tolist() == [[False, False, False, True], [False, True, True, False]]
    assert (found["cosine_low"][0, 0] <= found["cosine"][0, 0]).all()
    assert [finding.text.partition(":")[0] for finding in found.findings] == ["a", "b"]


def entry(step, cosines, objectives=("natural", "pgd", "flow")):
    layers = {"0": {"cosines": [c / 2 for c in cosines], "norms": [1.0] * len(objectives)}}
    return {
        "step": step,
        "conflict": {"objectives": objectives, "cosines": cosines, "layers": layers},
    }


def test_the_log_gives_cosines_by_the_names_of_the_objectives():
    log = [entry(2, [0.1, 0.2, 0.3]), entry(4, [0.4, 0.5, 0.6])]
    other = [entry(4, [0.9], ("flow", "natural"))]
    found = logged_arrays(
        {"a": log, "b": other, "c": []}, ["natural", "flow", "pgd"], ["network", "0"]
    )
    assert found["step"].values.tolist() == [2, 4]
    cosines = found["logged_cosine"].values  # natural-flow, natural-pgd, flow-pgd
    np.testing.assert_allclose(cosines[0, 0], [[0.2, 0.1, 0.3], [0.1, 0.05, 0.15]])
    np.testing.assert_allclose(cosines[1, 1, 0], [0.9, np.nan, np.nan])
    assert np.isnan(cosines[2]).all()


def test_losses_that_move_together_correlate_and_only_the_last_window_counts():
    early = [{"loss": {"a": 100.0 + n, "b": -50.0 * n}} for n in range(60)]
    late = [{"loss": {"a": float(n), "b": 3 - n / 2, "c": 1.0, "d": None}} for n in range(50)]
    pairs = [("a", "b"), ("a", "c"), ("a", "d"), ("a", "e")]
    found = loss_correlations([*early, *late], pairs)
    assert found[0] == pytest.approx(-1)
    assert np.isnan(found[1:]).all()
    assert np.isnan(loss_correlations(late[:2], pairs)).all()


def test_the_wins_of_a_training_are_the_mean_weights_of_its_last_epoch():
    log = [
        {"epoch": 1, "weight": {"natural": 0.0, "pgd": 1.0, "flow": 0.0}},
        {"epoch": 2, "weight": {"natural": 0.0, "pgd": 0.5, "flow": 0.5}},
        {"epoch": 2, "weight": {"natural": 0.0, "pgd": 0.25, "flow": 0.75}},
    ]
    found = logged_arrays({"a": log, "b": []}, ["natural", "pgd", "flow"], ["network"])
    np.testing.assert_allclose(found["training_wins"].values, [[37.5, 62.5], [np.nan, np.nan]])


def test_the_interval_over_mini_batches_is_students():
    each = np.random.default_rng(0).normal(0.2, 0.1, (2000, 5))
    covered = 0
    for cosines in each:
        _, low, high = mean_over_batches(cosines)
        covered += low <= 0.2 <= high
    assert covered / 2000 == pytest.approx(0.95, abs=0.015)
    mean, low, high = mean_over_batches(np.array([1.0, 1.0, 0.9]))
    assert -1 <= low < mean < high <= 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"batch_size": 0}, "a batch holds at least one example, not 0."),
        (
            {"threats": ["flwo"]},
            "threats: the protocol evaluates no threat labelled 'flwo'. Did you mean 'flow'?\n"
            "  evaluated: pgd, flow, rt",
        ),
    ],
)
def test_what_has_no_conflict_is_refused(network, batch, protocol, words, message):
    with pytest.raises(AnalysisError) as caught:
        conflict({"a": network()}, batch, protocol, **words)
    assert str(caught.value) == message


def test_a_model_without_trained_parameters_is_refused(network, batch, protocol):
    frozen = network().requires_grad_(False)
    with pytest.raises(AnalysisError) as caught:
        conflict({"a": frozen}, batch, protocol)
    assert str(caught.value) == (
        "a: the model has no parameter that is trained, so no gradient.\n"
        "  Let its parameters require gradients."
    )


@pytest.mark.parametrize(
    ("size", "words"), [(12, "1 mini-batch is too few"), (6, "2 mini-batches are too few")]
)
def test_too_few_mini_batches_are_said_with_the_option(network, batch, protocol, size, words):
    found = conflict({"a": network()}, batch, protocol, threats=("rt",), batch_size=size)
    (finding,) = found.findings
    assert finding.text.startswith(f"a: {words} for an interval, a smaller --batch-size gives more")
    assert finding.low is None
