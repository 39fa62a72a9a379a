"""Every rotation and translation of a grid: what is tried, what is kept, against a plain loop."""

import itertools

import numpy as np
import pytest
import torch

from moat.data import Split
from moat.errors import FieldError
from moat.evaluation import Protocol, evaluate
from moat.geometry.grids import affine_grid, identity_affine, resample, rigid_increment
from moat.losses import is_correct
from moat.outcomes import NATURAL_COLUMN, Column
from moat.testing import check_threat, examples, smooth_model
from moat.threats import RTGrid, ascend

FEW = {"degrees": 6.0, "pixels": 0.5, "rotations": 5, "translations": 3}


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def case():
    x, _ = examples((1, 8, 8), 10)
    model = smooth_model((1, 8, 8), 10).eval()
    with torch.no_grad():
        return model, x, model(x).argmax(1)


def trace_of(threat, model, x, y, **options):
    (traces,) = ascend(model, [threat.climb(x, y, generator=seeded())], 5, **options)
    return traces.popitem()[1]


def moved(x, degrees, right, down):
    """One image, turned and shifted."""
    turn = torch.tensor([[degrees, right, down]], dtype=x.dtype)
    return resample(x, affine_grid(identity_affine(x) + rigid_increment(turn, x), x)).clamp(0, 1)


def margin(logits, label):
    others = torch.cat([logits[:label], logits[label + 1 :]])
    return (others.max() - logits[label]).item()


def plain_loops(model, x, y):
    """The worst of the grid for every image by itself, the image as it is included."""
    worst = []
    for image, label in zip(x, y.tolist(), strict=True):
        tried = [image[None]]
        for degrees in np.linspace(-6, 6, 5):
            for right, down in itertools.product(np.linspace(-0.5, 0.5, 3), repeat=2):
                tried.append(moved(image[None], degrees, right, down))
        with torch.no_grad():
            margins = [margin(model(one)[0], label) for one in tried]
        best = int(np.argmax(margins))
        worst.append((margins[best], tried[best][0]))
    return worst


@pytest.mark.parametrize("worst_of", [None, 7])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 7)])
def test_it_keeps_what_the_conformance_kit_asks(worst_of, shape):
    check_threat(RTGrid(**FEW, worst_of=worst_of), shape=shape)


class TestTheGrid:
    def test_its_worst_is_that_of_a_plain_double_loop(self, case):
        model, x, y = case
        trace = trace_of(RTGrid(**FEW), *case)
        expected = plain_loops(model, x, y)
        assert trace.loss.tolist() == pytest.approx([loss for loss, _ in expected], abs=1e-12)
        images = torch.stack([image for _, image in expected])
        torch.testing.assert_close(trace.images, images, rtol=0, atol=1e-12)
        assert torch.equal(trace.correct, torch.tensor([loss < 0 for loss, _ in expected]))

    def test_some_example_falls_and_some_stands_or_the_comparison_would_say_little(self, case):
        correct = trace_of(RTGrid(**FEW), *case).correct
        assert 0 < correct.double().mean() < 1

    def test_an_example_falls_where_any_member_is_misclassified(self, case):
        trace = trace_of(RTGrid(**FEW), *case)
        assert torch.equal(trace.correct, trace.stood)

    def test_the_image_as_it_is_counts_where_nothing_moved_is_worse(self, case):
        _, x, y = case
        model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10).double())
        torch.nn.init.constant_(model[1].weight, 0.0)
        with torch.no_grad():
            model[1].weight[0] = -1.0  # the brighter the image, the less it is class 0
            model[1].bias.zero_()
        trace = trace_of(RTGrid(**FEW), model, x, torch.zeros_like(y))
        # Moving only ever pushes light out of the picture: no member beats the image by margin.
        assert (trace.loss >= trace.first).all()
        kept = (trace.images == x).flatten(1).all(1)
        assert kept.any()

    def test_its_size_is_rotations_times_translations_squared(self, case):
        model, x, y = case
        seen = []
        model.register_forward_hook(lambda module, given, logits: seen.append(len(logits)))
        threat = RTGrid(**FEW)
        assert threat.steps == 5 * 3 * 3
        threat.perturb(model, x, y)
        assert sum(seen) == len(x) * (45 + 1)

    def test_one_value_means_no_motion(self, case):
        trace = trace_of(RTGrid(degrees=20.0, pixels=2.0, rotations=1, translations=1), *case)
        torch.testing.assert_close(trace.images, case[1], rtol=0, atol=1e-12)

    def test_the_corners_of_the_grid_are_the_limits(self, case):
        _, x, y = case
        climb = RTGrid(**FEW).climb(x, y)
        search = climb.search(climb.start, x.new_zeros(len(x)))
        members = [
            search.next(climb.start, x.new_zeros(len(x)), (), ())[0][0]
            for _ in range(RTGrid(**FEW).steps)
        ]
        for member, turned in ((members[0], (-6, -0.5, -0.5)), (members[-1], (6, 0.5, 0.5))):
            turn = torch.tensor([turned], dtype=x.dtype)
            torch.testing.assert_close(member, rigid_increment(turn, x[:1])[0])


class TestWorstOfK:
    def test_draws_lie_within_the_limits_and_reach_towards_them(self, case):
        _, x, y = case
        threat = RTGrid(degrees=20.0, pixels=2.0, worst_of=200)
        climb = threat.climb(x, y, generator=seeded())
        search = climb.search(climb.start, x.new_zeros(len(x)))
        drawn = torch.cat(
            [search.next(climb.start, x.new_zeros(len(x)), (), ())[0] for _ in range(200)]
        )
        angles = torch.atan2(drawn[:, 1, 0], 1 + drawn[:, 0, 0]).rad2deg()
        shifts = 4 * drawn[:, :, 2]
        assert 19 < angles.abs().max() <= 20
        assert 1.9 < shifts.abs().max() <= 2
        assert angles.mean().abs() < 1

    def test_every_example_has_draws_of_its_own(self, case):
        _, x, y = case
        climb = RTGrid(**FEW, worst_of=1).climb(x, y, generator=seeded())
        (drawn,) = climb.search(climb.start, x.new_zeros(len(x))).next(
            climb.start, x.new_zeros(len(x)), (), ()
        )
        assert len(drawn.flatten(1).unique(dim=0)) == len(x)

    def test_more_draws_fell_more(self, case):
        few, many = (trace_of(RTGrid(**FEW, worst_of=k), *case).loss for k in (3, 100))
        assert (many >= few).all()  # the first three are the same draws
        assert many.mean() > few.mean()

    def test_what_an_example_meets_does_not_depend_on_who_has_left(self, case):
        model, x, y = case
        threat = RTGrid(**FEW, worst_of=30)
        whole = trace_of(threat, model, x, y)
        left = trace_of(threat, model, x, y, until_fallen=True)
        assert torch.equal(whole.stood, left.stood)
        stood = whole.stood
        torch.testing.assert_close(whole.images[stood], left.images[stood])


def test_in_a_protocol_it_is_one_column_and_restarts_draw_anew(case):
    model, x, y = case
    x = (255 * x).byte()
    split, x = Split(x, y, torch.arange(len(x))), x.float() / 255
    model = model.float()
    threats = {"grid": RTGrid(**FEW), "random": RTGrid(**FEW, worst_of=3)}
    found = evaluate(model, split, Protocol(threats, restarts={"random": 2}))
    assert found.outcomes.columns == (
        NATURAL_COLUMN,
        Column("grid", 45),
        Column("random", 3),
        Column("random", 3, 1),
    )
    with torch.no_grad():
        correct = is_correct(model(threats["grid"].perturb(model, x, y)), y)
    assert found.outcomes.values[:, 1].tolist() == correct.int().tolist()
    assert not np.array_equal(found.found.losses[:, 2], found.found.losses[:, 3])


@pytest.mark.parametrize("wrong", [{"degrees": -1}, {"rotations": 0}, {"worst_of": 0}, {"turn": 1}])
def test_limits_and_counts_that_make_no_grid_are_refused(wrong):
    with pytest.raises(FieldError):
        RTGrid(**wrong)
