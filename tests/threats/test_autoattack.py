"""AutoAttack: what the bridge adds to the package, and that it takes nothing away."""

import random
import subprocess
import sys

import numpy as np
import pyautoattack
import pytest
import torch
from torch import Tensor, nn

from moat.errors import FieldError, MissingPackageError
from moat.losses import is_correct
from moat.testing import check_threat, examples, smooth_model
from moat.threats import PGD, AutoAttack, registry

FEW = {"steps": 10, "queries": 10}
RADII = {"linf": 0.05, "l2": 0.2, "l1": 1.0}
LENGTHS = {"linf": torch.inf, "l2": 2, "l1": 1}
NAMES = {"linf": "Linf", "l2": "L2", "l1": "L1"}
APGD = pyautoattack.autopgd_base.APGDAttack
TARGETED = pyautoattack.autopgd_base.APGDAttack_targeted
FAB = pyautoattack.fab_pt.FABAttack_PT
SQUARE = pyautoattack.square.SquareAttack

norms = pytest.mark.parametrize("norm", RADII)


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def few(norm: str = "linf", **more: object) -> AutoAttack:
    return AutoAttack(**({"epsilon": RADII[norm], "norm": norm} | FEW | more))


def labelled(model: nn.Module, x: Tensor) -> Tensor:
    """The model's own answers, but for the last image: a wrong one."""
    with torch.no_grad():
        y = model.eval()(x).argmax(1)
    y[-1] = 1 - y[-1].clamp(max=1)
    return y


def the_packages_own(model: nn.Module, x: Tensor, y: Tensor, threat: AutoAttack) -> Tensor:
    """What pyautoattack finds without moat, with the seed that moat draws and as many steps."""
    seed = int(torch.randint(1 << 31, (), generator=seeded()))
    own = pyautoattack.AutoAttack(
        *(model,),
        **{"eps": threat.epsilon, "norm": NAMES[threat.norm]},
        **{"seed": seed, "version": threat.version},
    )
    own.fab.n_iter, own.square.n_queries = threat.steps, threat.queries
    for search in (own.apgd, own.apgd_targeted):
        search.n_iter = search.n_iter_orig = threat.steps
        search.n_iter_2 = max(int(0.22 * threat.steps), 1)
        search.n_iter_min = max(int(0.06 * threat.steps), 1)
        search.size_decr = max(int(0.03 * threat.steps), 1)
    with torch.random.fork_rng(devices=()):
        images: Tensor = own.run_standard_evaluation(x, y)[0]
    return images


@pytest.fixture(autouse=True)
def no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package's own evaluation takes away the tracer that coverage is measured with."""
    monkeypatch.setattr(pyautoattack.checks, "check_dynamic", lambda *given, **more: None)


class TestItKeepsWhatEveryThreatPromises:
    @pytest.mark.parametrize(
        ("norm", "shape"),
        [("linf", (1, 8, 8)), ("linf", (3, 9, 7)), ("l2", (3, 9, 7)), ("l1", (1, 8, 8))],
    )
    def test_the_conformance_kit(self, norm, shape):
        check_threat(few(norm, queries=2), shape=shape)

    def test_it_is_registered(self):
        assert registry.get("autoattack") is AutoAttack

    @norms
    def test_noise_is_no_longer_than_epsilon_and_the_image_stays_in_its_box(self, norm):
        model = smooth_model().eval()
        x, _ = examples()
        images = few(norm).perturb(model, x, labelled(model, x), generator=seeded())
        lengths = torch.linalg.vector_norm((images - x).flatten(1), LENGTHS[norm], dim=1)
        assert lengths.max().item() == pytest.approx(RADII[norm], rel=0.02)
        assert lengths.max() <= RADII[norm] + 1e-5
        assert images.min() >= 0
        assert images.max() <= 1

    @norms
    def test_who_withstands_or_is_wrong_to_begin_with_comes_back_as_it_is(self, norm):
        model = smooth_model().eval()
        x, _ = examples()
        y = labelled(model, x)
        images = few(norm, epsilon=RADII[norm] / 3).perturb(model, x, y, generator=seeded())
        moved = (images != x).flatten(1).any(1)
        assert 0 < moved.sum() < len(x) - 1
        assert not moved[-1]
        assert not is_correct(model(images), y)[moved].any()
        assert is_correct(model(images), y)[:-1][~moved[:-1]].all()

    def test_what_is_wrong_to_begin_with_costs_one_forward(self, tiny_model, batch):
        calls = []
        x, y = batch
        y = labelled(tiny_model, x)[-1:]
        tiny_model.register_forward_hook(lambda *_: calls.append(1))
        assert torch.equal(few().perturb(tiny_model, x[-1:], y), x[-1:])
        assert calls == [1]

    def test_a_batch_without_examples_comes_back_empty(self, tiny_model, batch):
        images = few().perturb(tiny_model, batch[0][:0], batch[1][:0])
        assert images.shape == (0, 1, 8, 8)


class TestItFindsWhatThePackageFinds:
    @pytest.mark.parametrize(
        ("version", "norm"),
        [
            *(("standard", "linf"), ("standard", "l2"), ("standard", "l1")),
            *(("plus", "linf"), ("plus", "l2"), ("rand", "linf"), ("rand", "l2")),
        ],
    )
    def test_the_images_are_those_of_the_packages_own_evaluation(
        self, tiny_model, batch, version, norm
    ):
        model, x = tiny_model.float().eval(), batch[0].float()
        y = labelled(model, x)
        threat = few(norm, version=version, epsilon=RADII[norm] / 3)
        images = threat.perturb(model, x, y, generator=seeded())
        assert torch.equal(images, the_packages_own(model, x, y, threat))
        assert 0 < (images != x).flatten(1).any(1).sum() < len(x) - 1

    @pytest.mark.slow
    def test_so_they_are_at_full_length(self, tiny_model, batch):
        model, x = tiny_model.float().eval(), batch[0].float()
        y = labelled(model, x)
        threat = AutoAttack(epsilon=RADII["linf"] / 3)
        assert (threat.steps, threat.queries) == (100, 5000)
        images = threat.perturb(model, x, y, generator=seeded())
        assert torch.equal(images, the_packages_own(model, x, y, threat))

    @norms
    def test_it_leaves_no_more_standing_than_a_long_search_of_pgd(self, tiny_model, batch, norm):
        x, _ = batch
        y = labelled(tiny_model, x)
        epsilon = RADII[norm] / 2
        climb = PGD(epsilon=epsilon, step_size=epsilon / 10, steps=40, norm=norm)
        kept = [
            is_correct(tiny_model.eval()(threat.perturb(tiny_model, x, y, generator=seeded())), y)
            for threat in (few(norm, epsilon=epsilon, steps=30), climb)
        ]
        assert kept[0].sum() <= kept[1].sum()


class TestAnyNumberOfClasses:
    @pytest.mark.parametrize(
        ("classes", "version", "searches"),
        [
            (2, "standard", {"APGDAttack", "FABAttack_PT 1", "SquareAttack"}),
            (3, "standard", {"APGDAttack", "FABAttack_PT 2", "SquareAttack"}),
            (
                *(4, "standard"),
                {"APGDAttack", "APGDAttack_targeted 3", "FABAttack_PT 3", "SquareAttack"},
            ),
            (
                *(12, "standard"),
                {"APGDAttack", "APGDAttack_targeted 9", "FABAttack_PT 9", "SquareAttack"},
            ),
            (2, "rand", {"APGDAttack"}),
        ],
    )
    def test_a_search_whose_loss_is_undefined_is_left_out(
        self, monkeypatch, classes, version, searches
    ):
        made = set()
        for cls in (APGD, TARGETED, FAB, SQUARE):

            def noted(search, x, y, perturb=cls.perturb, name=cls.__name__):
                targets = getattr(search, "n_target_classes", None)
                made.add(name if targets is None else f"{name} {targets}")
                return perturb(search, x, y)

            monkeypatch.setattr(cls, "perturb", noted)
        model, (x, _) = smooth_model(classes=classes).eval(), examples()
        threat = few(version=version, epsilon=1e-4)
        threat.perturb(model, x, model(x).argmax(1), generator=seeded())
        assert made == searches

    def test_l1_has_five_targets_for_apgd_and_nine_for_fab(self, monkeypatch, tiny_model, batch):
        targets = {}
        for cls in (TARGETED, FAB):

            def noted(search, x, y, cls=cls):
                targets[cls] = search.n_target_classes
                return x

            monkeypatch.setattr(cls, "perturb", noted)
        y = tiny_model.eval()(batch[0]).argmax(1)
        few("l1", epsilon=1e-4).perturb(tiny_model, batch[0], y)
        assert targets == {TARGETED: 5, FAB: 9}


class TestWhatThePackageCannotTake:
    @pytest.mark.parametrize("norm", ["l2", "l1"])
    @pytest.mark.parametrize("shape", [(1, 3, 3), (1, 12, 12), (3, 14, 9), (1, 24, 28)])
    def test_square_sees_sizes_that_it_cannot_tile_in_a_frame(self, norm, shape):
        model, (x, _) = smooth_model(shape).eval(), examples(shape, count=3)
        threat = few(norm, version="standard", epsilon=RADII[norm] / 100)
        images = threat.perturb(model, x, model(x).argmax(1), generator=seeded())
        assert images.shape == x.shape

    @norms
    def test_a_gradient_of_nan_is_no_answer(self, tiny_model, batch, norm):
        class Broken(nn.Module):
            def forward(self, images):
                rooted = (0 * images).sum((1, 2, 3)).square().sqrt()  # 0 / 0 in its backward
                return tiny_model(images) + rooted[:, None]

        y = tiny_model.eval()(batch[0]).argmax(1)
        images = few(norm, epsilon=1e-4).perturb(Broken(), batch[0], y, generator=seeded())
        assert torch.equal(images, batch[0])

    def test_a_model_may_return_a_view_of_its_images(self, batch):
        class View(nn.Module):
            def forward(self, images):
                assert images.isfinite().all()  # Square writes -inf into its logits
                return images.flatten(1)

        x, y = 0.4 * batch[0].float(), torch.arange(12)
        x.view(12, 64)[range(12), y] = 0.9
        assert torch.equal(few(epsilon=0.01).perturb(View(), x, y, generator=seeded()), x)

    @norms
    def test_images_may_be_channels_last(self, norm):
        model, (x, _) = smooth_model((3, 9, 7)).eval(), examples((3, 9, 7))
        y = labelled(model, x)
        expected = few(norm).perturb(model, x, y, generator=seeded())
        turned = x.contiguous(memory_format=torch.channels_last)
        found = few(norm).perturb(model, turned, y, generator=seeded())
        torch.testing.assert_close(found, expected, rtol=0, atol=0)

    def test_nothing_is_printed_though_the_package_warns(self, capfd, caplog):
        class Flat(nn.Module):
            def forward(self, images):
                return 2 * torch.eye(10)[0].repeat(len(images), 1).to(images) + 0 * images.mean()

        x, _ = examples()
        few().perturb(Flat(), x, torch.zeros(len(x)).long(), generator=seeded())
        assert capfd.readouterr() == ("", "")
        assert not caplog.records


class TestChance:
    def test_other_generators_give_other_images_equal_ones_the_same(self, tiny_model, batch):
        y = labelled(tiny_model, batch[0])
        first, again, other = (
            few().perturb(tiny_model, batch[0], y, generator=seeded(seed)) for seed in (3, 3, 4)
        )
        assert torch.equal(first, again)
        assert not torch.equal(first, other)

    def test_one_number_is_drawn_from_the_generator_whatever_is_found(self, tiny_model, batch):
        for end in (12, 0):
            generator, beside = seeded(), seeded()
            few().perturb(tiny_model, batch[0][:end], batch[1][:end], generator=generator)
            torch.randint(1 << 31, (), generator=beside)
            assert torch.equal(generator.get_state(), beside.get_state())

    def test_without_a_generator_it_is_drawn_from_torchs_global_one(self, tiny_model, batch):
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(5)
            first = few().perturb(tiny_model, *batch)
            after = torch.get_rng_state()
            torch.manual_seed(5)
            assert torch.equal(first, few().perturb(tiny_model, *batch))
            torch.manual_seed(5)
            torch.randint(1 << 31, ())
            assert torch.equal(after, torch.get_rng_state())

    @pytest.mark.parametrize("raises", [False, True])
    def test_every_global_generator_stays_as_it_is(self, tiny_model, batch, monkeypatch, raises):
        before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
        for_cuda = []
        monkeypatch.setattr(torch.cuda, "manual_seed_all", for_cuda.append)
        if raises:
            monkeypatch.setattr(SQUARE, "perturb", interrupted)
            with pytest.raises(KeyboardInterrupt):
                few(epsilon=1e-4).perturb(tiny_model, *batch, generator=seeded())
        else:
            few().perturb(tiny_model, *batch, generator=seeded())
        after = torch.get_rng_state(), np.random.get_state()[1], random.getstate()
        assert torch.equal(before[0], after[0])
        assert (before[1] == after[1]).all()
        assert before[2] == after[2]
        if not torch.cuda.is_initialized():
            assert for_cuda[-1] == torch.initial_seed()  # what it will begin with


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


class TestWithoutThePackage:
    def test_it_says_what_to_install(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pyautoattack", None)
        with pytest.raises(MissingPackageError) as caught:
            AutoAttack(epsilon=0.1)
        head, mend = str(caught.value).splitlines()
        assert head.startswith("the threat 'autoattack' needs the package pyautoattack: ")
        assert mend == "  pip install pyautoattack"

    def test_one_that_was_made_elsewhere_says_so_when_it_searches(
        self, monkeypatch, tiny_model, batch
    ):
        threat = few()
        monkeypatch.setitem(sys.modules, "pyautoattack", None)
        y = labelled(tiny_model, batch[0])
        with pytest.raises(MissingPackageError, match="needs the package pyautoattack"):
            threat.perturb(tiny_model, batch[0], y)

    def test_it_is_listed_all_the_same(self):
        code = (
            "import sys; sys.modules['pyautoattack'] = None\n"
            "from moat.threats import registry\n"
            "assert registry.get('autoattack').name == 'autoattack'"
        )
        subprocess.run([sys.executable, "-c", code], check=True)


class TestWhatIsRefused:
    @pytest.mark.parametrize("version", ["plus", "rand"])
    def test_l1_has_the_standard_version_alone(self, version):
        with pytest.raises(FieldError) as caught:
            AutoAttack(epsilon=1, norm="l1", version=version)
        assert (
            f"its authors publish no version '{version}' for l1; use version = \"standard\""
        ) in str(caught.value)

    @pytest.mark.parametrize(
        "wrong", [{"epsilon": 0}, {"norm": "l0"}, {"version": "custom"}, {"steps": 9}, {"n": 1}]
    )
    def test_other_numbers_and_names_are_refused(self, wrong):
        with pytest.raises(FieldError, match=next(iter(wrong))):
            AutoAttack(**({"epsilon": 0.1} | wrong))


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_equal_logits_of_every_class_leave_square_nothing_to_do(norm):
    """As of a network whose last layer starts at zero: each search ends, and no image is lost."""
    x, y = examples((1, 8, 8), count=4)
    equal = nn.Sequential(nn.Flatten(), nn.Linear(64, 10)).double()
    nn.init.zeros_(equal[1].weight)
    nn.init.zeros_(equal[1].bias)
    images = few(norm, queries=2).perturb(equal, x, torch.zeros_like(y))
    assert images.shape == x.shape
    assert 0 <= images.min() <= images.max() <= 1
