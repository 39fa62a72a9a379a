"""Evaluation: the matrix says what separate attacks would say, for the passes it promises."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn

from moat.data import Data, Split
from moat.errors import MoatWarning
from moat.evaluation import Protocol, evaluate
from moat.evaluation.model_checks import check_model
from moat.outcomes import Column
from moat.threats import PGD, RT, Threat


@pytest.fixture
def model():
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Dropout(), nn.Linear(144, 4)]
    return nn.Sequential(*layers)


@pytest.fixture
def split():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (21, 1, 8, 8), generator=generator, dtype=torch.uint8)
    return Split(images, torch.randint(0, 4, (21,), generator=generator), torch.arange(100, 121))


@pytest.fixture
def protocol():
    return Protocol(
        {
            "pgd": PGD(epsilon=0.1, step_size=0.02, steps=5),
            "rt": RT(epsilon=0.3, step_size=0.05, steps=2),
        },
        at_steps={"pgd": (1, 3, 5)},
    )


def test_each_column_is_what_a_search_of_that_length_gives(model, split, protocol):
    found = evaluate(model, split, protocol).outcomes
    x = split.images.float() / 255
    model.eval()
    for column in found.columns:
        images = x
        if column.threat == "pgd":
            threat = PGD(epsilon=0.1, step_size=0.02, steps=int(column.strength))
            images = threat.perturb(model, x, split.labels)
        elif column.threat == "rt":
            images = protocol.threats["rt"].perturb(model, x, split.labels)
        with torch.no_grad():
            correct = model(images).argmax(1) == split.labels
        assert found.values[:, found.columns.index(column)].tolist() == correct.tolist(), column
    assert found.columns == (
        Column("natural", 0),
        *(Column("pgd", n) for n in (1, 3, 5)),
        Column("rt", 2),
    )
    assert found.ids.tolist() == list(range(100, 121))


@pytest.mark.parametrize("pass_size", [4, 21, 1000])
def test_an_example_costs_the_largest_counts_and_a_forward_each(model, split, protocol, pass_size):
    forwards, backwards = [], []

    def count(module, inputs, output):
        forwards.append(len(output))
        if output.requires_grad:
            output.register_hook(lambda gradient: backwards.append(len(gradient)))

    model.register_forward_hook(count)
    check_model(model, split.images.float() / 255, None)
    for_checks = sum(forwards), sum(backwards)
    forwards.clear()
    backwards.clear()
    evaluate(model, split, protocol, pass_size=pass_size)
    assert protocol.passes() == 5 + 2
    assert sum(backwards) - for_checks[1] == protocol.passes() * 21
    # + last iterates + natural
    assert sum(forwards) - for_checks[0] == (protocol.passes() + 2 + 1) * 21


def test_the_model_is_left_as_it_was(model, split, protocol):
    model.train()
    before = torch.get_rng_state()
    evaluate(model, split, protocol)
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(before, torch.get_rng_state())


def test_it_takes_the_test_split_of_a_data_set_and_the_first_examples_where_told(
    model, split, protocol
):
    data = Data(split.take(torch.arange(3)), split, ("a", "b", "c", "d"))
    few = Protocol(protocol.threats, examples=5, sample="first")
    assert evaluate(model, data, few).outcomes.ids.tolist() == [100, 101, 102, 103, 104]


def test_a_sample_has_every_class_by_its_share_and_is_the_same_for_every_model(
    model, split, protocol
):
    split = replace(split, labels=torch.arange(len(split)).gt(14).long())  # 15 and 6, in order
    few = Protocol(protocol.threats, examples=7)
    ids = evaluate(model, split, few).outcomes.ids
    assert sum(ids < 115) == 5
    assert list(ids) == sorted(ids)
    assert list(ids) != list(range(100, 107))
    other = Protocol(protocol.threats, examples=7, seed=1)
    assert list(evaluate(model, split, other).outcomes.ids) != list(ids)
    fewer = evaluate(model, split, Protocol(protocol.threats, examples=4)).outcomes.ids
    assert set(fewer) < set(ids)
    more = Protocol(protocol.threats, examples=100)
    assert len(evaluate(model, split, more).outcomes.ids) == len(split)


def test_progress_names_the_threat_and_ends_at_all_passes_with_the_accuracies(
    model, split, protocol
):
    heard = []
    found = evaluate(model, split, protocol, progress=heard.append).outcomes
    assert list(dict.fromkeys(told.threat for told in heard)) == ["natural", "pgd", "rt"]
    assert all(told.done <= later.done for told, later in pairwise(heard))
    assert heard[-1].done == pytest.approx(heard[-1].of)
    assert (heard[-1].batch, heard[-1].batches) == (1, 1)
    stood = {"natural": found.values[:, :1], "pgd": found.values[:, 1:4], "rt": found.values[:, 4:]}
    expected = {name: 100 * values.all(1).mean() for name, values in stood.items()}
    assert heard[-1].accuracy == pytest.approx(expected)


def test_random_starts_come_from_the_protocol_s_seed(model, split):
    def matrix(seed):
        threat = PGD(epsilon=0.3, step_size=0.001, steps=1, start="uniform")
        return evaluate(model, split, Protocol({"pgd": threat}, seed=seed)).outcomes.values

    assert (matrix(1) == matrix(1)).all()
    assert (matrix(1) != matrix(2)).any()


def test_what_one_threat_draws_does_not_depend_on_the_others(model, split):
    drawn = PGD(epsilon=0.2, step_size=0.001, steps=1, start="uniform")
    alone = evaluate(model, split, Protocol({"b": drawn})).outcomes
    beside = evaluate(model, split, Protocol({"a": drawn, "b": drawn})).outcomes
    assert (alone.withstood(alone.of("b")) == beside.withstood(beside.of("b"))).all()


def test_logits_that_are_no_numbers_withstand_nothing(split, protocol):
    class Broken(nn.Module):
        def forward(self, x):
            return x.flatten(1)[:, :4] * float("nan")

    count = len(split)
    with pytest.warns(MoatWarning, match=f"not finite .NaN or infinite. for {count} of {count} im"):
        assert evaluate(Broken(), split, protocol).outcomes.values.sum() == 0


def test_a_threat_that_is_no_gradient_threat_has_one_column(model, split):
    class Blackout(Threat):
        def perturb(self, model, x, y, *, generator=None):
            return torch.zeros_like(x)

    found = evaluate(model, split, Protocol({"black": Blackout()})).outcomes
    assert found.columns[1:] == (Column("black", 1),)
    with torch.no_grad():
        label = model.eval()(torch.zeros(1, 1, 8, 8)).argmax().item()
    assert found.values[:, 1].tolist() == [int(y == label) for y in split.labels.tolist()]


def test_tf32_is_off_while_it_evaluates_and_as_before_afterwards(model, split, protocol):
    matmul = torch.backends.cuda.matmul
    seen = []
    model.register_forward_hook(lambda *_: seen.append(matmul.allow_tf32))
    matmul.allow_tf32 = True
    try:
        evaluate(model, split, protocol)
        assert matmul.allow_tf32
    finally:
        matmul.allow_tf32 = False
    assert not any(seen)


def test_scores_and_arrays_are_made_of_the_matrix(model, split, protocol):
    evaluation = evaluate(model, split, protocol)
    scores, arrays = evaluation.scores(), evaluation.arrays()
    assert scores["summed"] == ["pgd", "rt"]
    assert scores["total"] == pytest.approx(sum(scores["scores"].values()))
    assert arrays["outcomes"].shape == (21, 5)
    assert arrays["threats"].tolist() == ["natural", "pgd", "pgd", "pgd", "rt"]
    assert arrays["strengths"].tolist() == [0, 1, 3, 5, 2]
