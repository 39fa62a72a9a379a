"""Searches beside the sign's: what they keep, when they halve, what dropping the fallen changes."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from moat.geometry.balls import LinfBall
from moat.losses import TARGETED, is_correct, nth_other_class
from moat.testing import check_threat, examples
from moat.threats import PGD, RT, ascend
from moat.threats.searches import (
    APGD,
    BestSignSearch,
    ListSearch,
    RandomSearch,
    SignSearch,
)

STEPS = 12


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.fixture(params=["apgd", "random"])
def kind(request):
    return request.param


def traces_of(threat, model, x, y, at_steps=(), **options):
    climb = threat.climb(x, y, at_steps=at_steps, generator=seeded())
    (traces,) = ascend(model, [climb], options.pop("pass_size", 5), **options)
    return traces


def test_every_threat_keeps_what_the_conformance_kit_asks_under_every_search(
    threat_class, make, kind
):
    check_threat(make(threat_class, search=kind, steps=6))


def test_the_best_iterate_is_reported(plain_class, make, kind, tiny_model, batch):
    x, y = batch
    trace = traces_of(make(plain_class, search=kind, steps=STEPS), tiny_model, x, y)[STEPS]
    assert torch.equal(trace.loss, trace.best)
    assert (trace.loss >= trace.first).all()
    tiny_model.eval()
    with torch.no_grad():
        logits = tiny_model(trace.images)
    torch.testing.assert_close(trace.loss, F.cross_entropy(logits, y, reduction="none"))
    assert torch.equal(trace.correct, is_correct(logits, y))


def test_an_unmeasured_search_ends_at_its_best_iterate_too(make, threat_class, tiny_model, batch):
    threat = make(threat_class, search="apgd", steps=STEPS)
    images = threat.perturb(tiny_model, *batch)
    assert torch.equal(images, traces_of(threat, tiny_model, *batch, pass_size=128)[STEPS].images)


def test_auto_pgd_climbs_as_high_as_sign_steps_of_a_well_chosen_size(tiny_model, batch):
    numbers = {"epsilon": 0.15, "step_size": 0.02, "steps": 30}
    x, _ = batch
    y = tiny_model.eval()(x).argmax(1)
    sign = traces_of(PGD(**numbers), tiny_model, x, y)[30]
    apgd = traces_of(PGD(**numbers, search="apgd"), tiny_model, x, y)[30]
    assert apgd.loss.mean() >= 0.99 * sign.loss.mean()


def test_auto_pgd_takes_the_iterates_of_a_plain_loop_that_follows_the_paper(tiny_model, batch):
    x, y = batch
    steps, epsilon = 30, 0.1
    threat = PGD(epsilon=epsilon, step_size=1.0, steps=steps, search="apgd")
    found = traces_of(threat, tiny_model, x, y)[steps]
    tiny_model.eval()
    apart = []
    for row in range(len(x)):
        loss, images = plain_apgd(tiny_model, x[row : row + 1], y[row : row + 1], epsilon, steps)
        assert found.loss[row].item() == pytest.approx(loss, rel=1e-3)
        apart.append((found.images[row : row + 1] - images).abs().max().item())
    # Once a search has converged, rounding decides whether its loss rose, and so who halves.
    assert sorted(apart)[len(x) * 3 // 4] < 1e-12


def plain_apgd(model, x, y, epsilon, steps):
    """Algorithm 1 of Croce and Hein, for one image."""

    def project(z):
        return z.clamp(x - epsilon, x + epsilon).clamp(0, 1)

    def slope(z):
        z = z.detach().requires_grad_()
        loss = F.cross_entropy(model(z), y)
        return loss.item(), torch.autograd.grad(loss, z)[0]

    eta, checks, p = 2 * epsilon, [], [0, max(int(0.22 * steps), 1)]
    while p[-1] < steps:
        checks.append(p[-1])
        period = max(p[-1] - p[-2] - max(int(0.03 * steps), 1), max(int(0.06 * steps), 1))
        p.append(p[-1] + period)
    value, gradient = slope(x)
    values, best, best_image, best_gradient = [value], value, x, gradient
    here, before, halved, checked = x, x, True, value
    last_check = 0
    for k in range(steps):
        if k in checks:
            rises = sum(values[i + 1] > values[i] for i in range(last_check, k))
            halve = rises <= 0.75 * (k - last_check) or (not halved and checked >= best)
            if halve:
                eta, here, gradient = eta / 2, best_image, best_gradient
            halved, checked, last_check = halve, best, k
        a = 0.75 if k else 1.0
        z = project(here + eta * gradient.sign())
        here, before = project(here + a * (z - here) + (1 - a) * (here - before)), here
        value, gradient = slope(here)
        values.append(value)
        if value > best:
            best, best_image, best_gradient = value, here, gradient
    return best, best_image


def test_blocks_climb_at_their_own_lengths_and_halve_together(make, tiny_model, batch):
    like = torch.zeros(3, dtype=torch.float64)
    w = (torch.zeros(3, 2, dtype=torch.float64), torch.zeros(3, 4, dtype=torch.float64))
    search = APGD(w, like, 10)
    balls = (LinfBall(1.0, 1.0), LinfBall(0.1, 1.0))
    ones = tuple(torch.ones_like(block) for block in w)
    search.see(w, like, like.bool(), ones)
    wide, narrow = search.next(w, like, ones, balls)
    assert wide.unique().tolist() == [1.0]
    assert narrow.unique().tolist() == pytest.approx([0.1])


class TestDroppingTheFallen:
    @pytest.mark.parametrize("search", ["sign", "apgd", "random"])
    @pytest.mark.parametrize("pass_size", [3, 1000])
    def test_the_same_examples_stand_as_in_the_whole_search(
        self, threat_class, make, tiny_model, search, pass_size
    ):
        x, _ = examples(count=40)
        y = tiny_model.eval()(x).argmax(1)
        numbers = {n: 0.1 for n in vars(make(threat_class)) if n.endswith("epsilon")}
        threat = make(threat_class, search=search, start="uniform", steps=8, **numbers)
        counts = (2, 8) if search != "apgd" else (8,)
        whole = traces_of(threat, tiny_model, x, y, counts)
        short = traces_of(threat, tiny_model, x, y, counts, until_fallen=True, pass_size=pass_size)
        for count in counts:
            assert torch.equal(short[count].stood, whole[count].stood)
            standing = whole[count].stood
            torch.testing.assert_close(
                short[count].best[standing], whole[count].best[standing], rtol=0, atol=1e-12
            )
        assert 0 < int(short[8].stood.sum()) < 40

    def test_a_fallen_example_is_reported_by_the_iterate_that_felled_it(self, tiny_model):
        x, _ = examples(count=40)
        y = tiny_model.eval()(x).argmax(1)
        threat = PGD(epsilon=0.2, step_size=0.02)
        trace = traces_of(threat, tiny_model, x, y, until_fallen=True)[10]
        with torch.no_grad():
            correct = is_correct(tiny_model(trace.images), y)
        assert torch.equal(correct, trace.stood)

    def test_whoever_has_fallen_costs_nothing_more(self, tiny_model):
        x, _ = examples(count=40)
        y = tiny_model.eval()(x).argmax(1)
        calls = []
        tiny_model.register_forward_hook(lambda model, inputs, logits: calls.append(len(logits)))
        threat = PGD(epsilon=0.3, step_size=0.05)
        ascend(tiny_model, [threat.climb(x, y)], 1000, until_fallen=True)
        assert calls == sorted(calls, reverse=True)
        assert calls[0] == 40
        assert calls[-1] < 40
        fell_at_once = (y + 1) % 10
        calls.clear()
        ascend(tiny_model, [threat.climb(x, fell_at_once)], 1000, until_fallen=True)
        assert calls == [40]


class TestTargets:
    @pytest.mark.parametrize("loss", list(TARGETED))
    @pytest.mark.parametrize("rank", [1, 9])
    def test_the_search_brings_the_target_up(self, tiny_model, batch, loss, rank):
        x, _ = batch
        tiny_model.eval()
        y = tiny_model(x).argmax(1)
        threat = PGD(epsilon=0.2, step_size=0.03, loss=loss, search="apgd")
        (traces,) = ascend(tiny_model, [threat.climb(x, y, rank=rank)], 5)
        with torch.no_grad():
            before, after = tiny_model(x), tiny_model(traces[10].images)
        target = nth_other_class(before, y, rank)[:, None]
        natural, found = (TARGETED[loss](logits, y, target[:, 0]) for logits in (before, after))
        assert (found > natural).all()
        torch.testing.assert_close(traces[10].loss, found)

    def test_a_rank_beyond_the_wrong_classes_is_refused(self, tiny_model, batch):
        climb = replace(
            PGD(epsilon=0.2, step_size=0.03, loss="targeted-dlr").climb(*batch), rank=10
        )
        with pytest.raises(ValueError, match="no target of rank 10 exists among 9 wrong classes"):
            ascend(tiny_model, [climb], 5)

    def test_the_targeted_dlr_loss_wants_four_classes(self, batch):
        network = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).double()
        threat = PGD(epsilon=0.1, step_size=0.02, loss="targeted-dlr")
        with pytest.raises(ValueError, match="at least four classes; use 'targeted-margin'"):
            threat.perturb(network, batch[0], batch[1] % 3)


class TestBlindness:
    def test_a_gradient_of_zero_at_the_start_is_marked(self, batch):
        class Flat(nn.Module):
            def forward(self, x):
                return (x.flatten(1)[:, :10] * 1e4).round() / 1e4 + 0 * x.flatten(1)[:, :10]

        trace = traces_of(PGD(epsilon=0.1, step_size=0.1), Flat(), *batch)[10]
        assert trace.blind.all()
        assert torch.equal(trace.images, batch[0])

    def test_a_gradient_that_is_no_number_is_marked_and_moves_nothing(self, batch):
        class Broken(nn.Module):
            def forward(self, x):
                return (x.flatten(1)[:, :10] - x.flatten(1)[:, :10]).sqrt() + x.flatten(1)[:, 10:20]

        trace = traces_of(RT(epsilon=0.1, step_size=0.1), Broken(), *batch)[10]
        assert trace.blind.all()
        assert trace.images.isfinite().all()

    def test_a_usual_gradient_is_not(self, tiny_model, batch):
        assert not traces_of(PGD(epsilon=0.1, step_size=0.1), tiny_model, *batch)[10].blind.any()


COUNT = 7
BALLS = (LinfBall(0.1, 0.05),)


def made(kind):
    w, like = (torch.rand(COUNT, 3, generator=seeded()),), torch.zeros(COUNT)
    members = [torch.rand(COUNT, 3, generator=seeded()) for _ in range(3)]
    return {
        "sign": lambda: SignSearch(),
        "best-sign": lambda: BestSignSearch(w, like),
        "apgd": lambda: APGD(w, like, 5),
        "random": lambda: RandomSearch(w, like, BALLS, seeded()),
        "list": lambda: ListSearch(w, like, members),
    }[kind]()


def parts_of(search):
    """Return what a search holds as tensors, by the name of the attribute."""
    held = {n: v if isinstance(v, tuple) else (v,) for n, v in vars(search).items()}
    return {n: v for n, v in held.items() if v and all(isinstance(p, torch.Tensor) for p in v)}


@pytest.mark.parametrize("kind", ["sign", "best-sign", "apgd", "random", "list"])
def test_a_search_cuts_what_it_declares_and_leaves_the_rest(kind):
    search, w = made(kind), (torch.rand(COUNT, 3, generator=seeded()),)
    for number in range(2):
        loss, correct = torch.full((COUNT,), float(number)), torch.ones(COUNT, dtype=torch.bool)
        slopes = (torch.rand(COUNT, 3, generator=seeded()),)
        search.see(w, loss, correct, slopes)
        w = search.next(w, loss, slopes, BALLS)
    before = parts_of(search)
    for_all = {"all"} if kind == "random" else set()  # from which the draws of everyone are made
    with_a_row = {name for name, parts in before.items() if all(len(p) == COUNT for p in parts)}
    assert with_a_row - for_all == set(search.per_example)
    chosen = torch.arange(COUNT) % 3 == 0
    search.keep(chosen)
    for name, parts in parts_of(search).items():
        rows = chosen if name in search.per_example else slice(None)
        for part, whole in zip(parts, before[name], strict=True):
            assert torch.equal(part, whole[rows])
