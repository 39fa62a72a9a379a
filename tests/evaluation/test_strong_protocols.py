"""Restarts, radii, falling by any iterate, the union alone, and going on after a kill."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from moat.data import Split
from moat.errors import MoatError
from moat.evaluation import Protocol, evaluate
from moat.evaluation.search_results import Found
from moat.outcomes import Column, union
from moat.randomness import seed_named
from moat.runs import RunFolder
from moat.threats import PGD, RT, Flow, Threat, ascend


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, 4))


@pytest.fixture
def split(model):
    """Half of the images are labelled as the model sees them, so that something can fall."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (40, 1, 8, 8), generator=generator, dtype=torch.uint8)
    with torch.no_grad():
        labels = model(images.float() / 255).argmax(1)
    labels[30:] = torch.randint(0, 4, (10,), generator=generator)
    return Split(images, labels, torch.arange(40))


THREATS = {
    "pgd": PGD(epsilon=0.04, step_size=0.01, steps=6, start="uniform"),
    "apgd": PGD(epsilon=0.04, step_size=1.0, steps=6, start="uniform", search="apgd"),
    "rt": RT(epsilon=0.1, step_size=0.02, steps=4),
}


def strong(**more):
    return Protocol(THREATS, restarts={"pgd": 2, "apgd": 3}, falls="any", **more)


class TestRestarts:
    def test_each_has_a_column_and_begins_elsewhere(self, model, split):
        found = evaluate(model, split, strong())
        columns = [c for c in found.outcomes.columns if c.threat == "apgd"]
        assert columns == [Column("apgd", 6, restart) for restart in range(3)]
        places = [found.outcomes.columns.index(column) for column in columns]
        first = found.found.first[:, places]
        assert (first[:, :1] != first[:, 1:]).any()

    def test_the_first_is_the_search_without_restarts(self, model, split):
        once = dataclasses.replace(strong(), restarts={})
        alone, several = (evaluate(model, split, p).outcomes for p in (once, strong()))
        for column in alone.columns:
            here, there = (o.values[:, o.columns.index(column)] for o in (alone, several))
            assert (here == there).all()

    def test_a_targeted_loss_aims_at_another_class_each_time(self, model, split):
        threat = PGD(epsilon=0.1, step_size=0.02, loss="targeted-margin", search="apgd")
        found = evaluate(model, split, Protocol({"t": threat}, restarts={"t": 3})).found
        assert (np.diff(found.first[:, 1:], axis=1) < 0).all()  # ever less likely targets

    def test_as_many_targets_as_wrong_classes_can_be_aimed_at(self, model, split):
        threat = PGD(epsilon=0.1, step_size=0.02, loss="targeted-margin")
        with pytest.raises(ValueError, match="no target of rank 4 exists among 3 wrong classes"):
            evaluate(model, split, Protocol({"t": threat}, restarts={"t": 4}))


class TestFallingByAnyIterate:
    def test_the_counts_are_those_of_the_whole_search(self, model, split):
        found = evaluate(model, split, strong()).outcomes
        x, y = split.images.float() / 255, split.labels
        with torch.no_grad():
            natural = model(x).argmax(1) == y
        for label, threat in THREATS.items():
            for column in (c for c in found.columns if c.threat == label):
                seed = seed_named(0, label, column.restart, 0)
                climb = threat.climb(x, y, generator=torch.Generator().manual_seed(seed))
                ((trace,),) = (t.values() for t in ascend(model, [climb], 128))
                expected = trace.stood & natural
                assert found.values[:, found.columns.index(column)].tolist() == expected.tolist()
        assert 0 < found.values[:, -1].sum() < 40

    def test_it_is_never_higher_than_by_the_last_iterate_nor_with_more_steps(self, model, split):
        threats = {"pgd": PGD(epsilon=0.3, step_size=0.1, steps=8)}
        counts = {"pgd": (1, 2, 4, 8)}
        last, anywhere = (
            evaluate(model, split, Protocol(threats, counts, falls=falls)).outcomes.values
            for falls in ("last", "any")
        )
        assert (anywhere <= last).all()
        assert (np.diff(anywhere[:, 1:], axis=1) <= 0).all()

    def test_it_costs_less(self, model, split):
        calls = []
        model.register_forward_hook(lambda module, inputs, logits: calls.append(len(logits)))
        costs = []
        for falls in ("last", "any"):
            calls.clear()
            evaluate(model, split, Protocol({"pgd": PGD(epsilon=0.2, step_size=0.05)}, falls=falls))
            costs.append(sum(calls))
        assert costs[1] < 0.6 * costs[0]


class TestTheUnionAlone:
    def test_is_that_of_the_whole_evaluation_for_fewer_passes(self, model, split):
        calls = []
        model.register_forward_hook(lambda module, inputs, logits: calls.append(len(logits)))
        whole = evaluate(model, split, strong()).outcomes
        cost = sum(calls)
        calls.clear()
        alone = evaluate(model, split, strong(union_only=True)).outcomes
        assert sum(calls) < cost
        assert union(alone, list(THREATS)) == union(whole, list(THREATS))
        searched = alone.values != -1
        assert (alone.values[searched] == whole.values[searched]).all()
        assert not searched.all()

    def test_who_fell_is_not_searched_again_and_the_cheapest_come_first(self, model, split):
        protocol = strong(union_only=True)
        assert protocol.order() == ["rt", "pgd", "apgd"]
        values = evaluate(model, split, protocol).outcomes.values
        order = [0, 6, 1, 2, 3, 4, 5]  # natural, rt, pgd, pgd, apgd, ...
        for row in values[:, order].tolist():
            fell = row.index(0) if 0 in row else len(row)
            assert set(row[:fell]) <= {1}
            assert set(row[fell + 1 :]) <= {-1}

    def test_it_asks_for_falls_that_last(self):
        with pytest.raises(MoatError, match="an example must fall for good"):
            Protocol(THREATS, union_only=True)


class TestRadii:
    def test_each_is_the_search_in_a_ball_of_that_size(self, model, split):
        threat = Flow(epsilon=0.1, step_size=0.02, steps=5)
        protocol = Protocol({"flow": threat}, at_epsilon={"flow": (0.05, 0.1, 0.4)})
        found = evaluate(model, split, protocol).outcomes
        for column in found.columns[1:]:
            scale = column.strength / 0.1
            alone = Flow(epsilon=0.1 * scale, step_size=0.02 * scale, steps=5)
            expected = evaluate(model, split, Protocol({"flow": alone})).outcomes
            place = found.columns.index(column)
            assert column == Column("flow", column.strength, 0, "epsilon")
            assert (found.values[:, place] == expected.values[:, 1]).all()

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            ({"at_epsilon": {"pgd": (0.2, 0.1)}}, "at_epsilon of 'pgd' must be ascending radii"),
            ({"at_epsilon": {"still": (0.2,)}}, "'still' is not searched by ascent"),
            ({"at_epsilon": {"pgd": (0.2,)}, "at_steps": {"pgd": (1,)}}, "at_steps and at_epsilon"),
            ({"restarts": {"rt": 2}}, "every restart of 'rt' would be the same search"),
            ({"restarts": {"pgd": 0}}, "needs at least one search, not 0"),
            ({"ensembles": {"pgd": ("rt",)}}, "the ensemble 'pgd' has the name of a threat"),
            ({"ensembles": {"both": ()}}, "the ensemble 'both' has no members"),
            ({"ensembles": {"both": ("pdg",)}}, "no threat labelled 'pdg'. Did you mean 'pgd'"),
        ],
    )
    def test_what_cannot_be_is_refused(self, more, message):
        class Still(Threat):
            def perturb(self, model, x, y, *, generator=None):
                return x

        with pytest.raises(MoatError, match=message):
            Protocol({**THREATS, "still": Still()}, **more)


class TestWhatElseIsFound:
    def test_losses_reach_and_gradients_are_told_of_every_search(self, model, split):
        found = evaluate(model, split, Protocol(THREATS)).found
        assert (found.losses[:, 1:] >= found.first[:, 1:]).all()
        assert (found.losses[:, 1:] >= found.last[:, 1:]).all()
        assert not found.blind.any()
        assert found.reached[:, -1].max() == pytest.approx(4 * 0.02 / 0.1)  # rt
        assert (found.reached[:, 2] <= 1 + 1e-6).all()


class Killed(Exception):
    pass


class TestGoingOn:
    @pytest.mark.parametrize("union_only", [False, True])
    def test_an_evaluation_killed_anywhere_ends_with_the_same_arrays(
        self, model, split, tmp_path, monkeypatch, union_only
    ):
        monkeypatch.setattr("moat.evaluation.evaluator.BATCH", 16)
        protocol = strong(union_only=union_only)
        expected = evaluate(model, split, protocol).arrays()
        searched = []
        for kill in range(14):
            parts = RunFolder(tmp_path / "run").evaluation_parts("f")
            left = [kill % 4 + 1]

            def tell(told, left=left):
                left[0] -= 1
                if left[0] < 0:
                    raise Killed

            calls = []
            hook = model.register_forward_hook(lambda m, i, o, calls=calls: calls.append(len(o)))
            try:
                arrays = evaluate(model, split, protocol, progress=tell, parts=parts).arrays()
                break
            except Killed:
                searched.append(sum(calls))
            finally:
                hook.remove()
        else:
            arrays = evaluate(model, split, protocol, parts=parts).arrays()
        assert arrays.keys() == expected.keys()
        for name, values in expected.items():
            np.testing.assert_array_equal(arrays[name], values)

    def test_what_is_done_is_not_searched_again(self, model, split, tmp_path):
        folder = RunFolder(tmp_path / "run")
        evaluate(model, split, strong(), parts=folder.evaluation_parts("f"))
        calls = []
        model.register_forward_hook(lambda m, i, o: calls.append(len(o)))
        evaluate(model, split, strong(), parts=folder.evaluation_parts("f"))
        checked = sum(calls)
        assert max(calls) <= 32
        calls.clear()
        evaluate(model, split, strong(), parts=folder.evaluation_parts("another"))
        assert sum(calls) > 3 * checked
        assert [path.name for path in (folder.path / ".evaluation").iterdir()] == ["another"]

    def test_a_broken_part_is_searched_again(self, model, split, tmp_path):
        folder = RunFolder(tmp_path / "run")
        expected = evaluate(model, split, strong(), parts=folder.evaluation_parts("f")).arrays()
        (path,) = (folder.path / ".evaluation" / "f").glob("*-rt.npz")
        path.write_bytes(path.read_bytes()[:100])
        again = evaluate(model, split, strong(), parts=folder.evaluation_parts("f")).arrays()
        for name, values in expected.items():
            np.testing.assert_array_equal(again[name], values)

    def test_found_arrays_come_back_as_they_were_stored(self):
        found = Found.nothing(3, 2)
        again = Found.of(found.stored())
        assert all(
            np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
            for a, b in zip(found.stored().values(), again.stored().values(), strict=True)
        )
