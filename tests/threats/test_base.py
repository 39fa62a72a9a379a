"""What a threat is: the promises of every registered one, its starts, its fields, its errors."""

import pytest
import torch
from torch import nn

from moat.errors import DefinitionError, FieldError
from moat.testing import check_threat
from moat.threats import (
    PGD,
    RT,
    Flow,
    GradientThreat,
    Integrated,
    StAdv,
    Threat,
    search,
    threat,
)
from moat.threats.gradient import START_NOISE


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


class TestEveryRegisteredThreat:
    @pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 7)])
    def test_it_keeps_what_the_conformance_kit_asks(self, threat_class, start, make, shape):
        check_threat(make(threat_class, start=start, steps=5), shape=shape)

    def test_it_lowers_what_the_model_gets_right(self, plain_class, make, tiny_model, batch):
        x, _ = batch
        y = tiny_model.eval()(x).argmax(1)
        images = make(plain_class, steps=7).perturb(tiny_model, x, y)
        assert (tiny_model(images).argmax(1) == y).double().mean() < 1

    def test_from_zero_it_reaches_the_number_of_steps_times_the_step_size(
        self, plain_class, make, tiny_model, batch
    ):
        (trace,) = search(tiny_model, [make(plain_class, steps=4)], *batch)
        for block in trace.w:
            assert block.abs().max().item() == pytest.approx(4 * 0.02)

    @pytest.mark.filterwarnings("ignore::moat.errors.MoatWarning")  # of steps beyond the radius
    def test_it_stays_within_epsilon_where_epsilon_binds(
        self, plain_class, start, make, tiny_model, batch
    ):
        steps = {name: 0.2 for name in vars(make(plain_class)) if name.endswith("step_size")}
        long = make(plain_class, start=start, steps=3, **steps)
        (trace,) = search(tiny_model, [long], *batch, generator=seeded())
        for block in trace.w:
            assert block.abs().max().item() == pytest.approx(0.15)


class TestStarts:
    def test_zero_is_the_identity(self, threat_class, make, batch):
        climb = make(threat_class).climb(*batch)
        assert all(not block.any() for block in climb.start)

    def test_noise_is_a_thousandth_of_the_unit_of_each_block(self, make):
        x, y = torch.full((500, 1, 8, 8), 0.5, dtype=torch.float64), torch.zeros(500).long()
        for cls in (PGD, Flow, RT):
            (block,) = make(cls, start="noise").climb(x, y, generator=seeded()).start
            assert block.std().item() == pytest.approx(START_NOISE, rel=0.05)
            assert block.mean().abs() < START_NOISE / 10

    def test_uniform_fills_the_ball(self, make):
        x, y = torch.full((500, 1, 8, 8), 0.5, dtype=torch.float64), torch.zeros(500).long()
        for cls in (PGD, Flow, RT):
            (block,) = make(cls, start="uniform").climb(x, y, generator=seeded()).start
            assert block.abs().max().item() == pytest.approx(0.15, rel=0.01)
            assert block.std().item() == pytest.approx(0.15 / 3**0.5, rel=0.05)

    def test_a_random_start_lies_in_the_ball_and_keeps_the_image_in_its_box(
        self, threat_class, start, make, batch
    ):
        drawn = make(threat_class, start=start)
        climb = drawn.climb(*batch, generator=seeded())
        for block, ball in zip(climb.start, drawn.balls(batch[0]), strict=True):
            assert torch.equal(ball.project(block), block)

    def test_without_a_generator_a_random_start_comes_from_torchs_global_one(self, make, batch):
        drawn = make(PGD, start="uniform")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            first = drawn.climb(*batch).start[0]
            assert not torch.equal(first, drawn.climb(*batch).start[0])
            torch.manual_seed(5)
            assert torch.equal(first, drawn.climb(*batch).start[0])

    def test_several_threats_draw_in_their_order(self, make, tiny_model, batch):
        threats = [make(PGD, start="noise", steps=1), make(Flow, start="uniform", steps=1)]
        together = search(tiny_model, threats, *batch, generator=seeded())
        generator = seeded()
        for member, trace in zip(threats, together, strict=True):
            images = member.perturb(tiny_model, *batch, generator=generator)
            assert torch.allclose(images, trace.images, rtol=0, atol=1e-12)


class TestPerturb:
    def test_existing_gradients_stay_and_no_new_ones_appear(self, make, tiny_model, batch):
        tiny_model(batch[0]).sum().backward()
        tiny_model[0].weight.grad = None
        before = [p.grad if p.grad is None else p.grad.clone() for p in tiny_model.parameters()]
        make(PGD).perturb(tiny_model, *batch)
        for old, parameter in zip(before, tiny_model.parameters(), strict=True):
            assert (old is None and parameter.grad is None) or torch.equal(old, parameter.grad)

    def test_images_that_need_gradients_themselves_get_none(self, make, tiny_model, batch):
        x = batch[0].requires_grad_()
        images = make(PGD).perturb(tiny_model, x, batch[1])
        assert not images.requires_grad
        assert x.grad is None

    def test_what_it_returns_can_be_trained_on(self, make, tiny_model, batch):
        with torch.inference_mode():
            images = make(Flow).perturb(tiny_model, *batch)
        tiny_model(images).sum().backward()
        assert all(parameter.grad is not None for parameter in tiny_model.parameters())

    def test_dropout_does_not_make_two_searches_differ(self, make, tiny_model, batch):
        tiny_model.train()
        first, second = (make(PGD).perturb(tiny_model, *batch) for _ in range(2))
        assert torch.equal(first, second)

    def test_a_pass_holds_at_least_one_example(self, make, tiny_model, batch):
        with pytest.raises(DefinitionError, match="a pass holds at least one example, not 0"):
            search(tiny_model, [make(PGD)], *batch, pass_size=0)


class TestFields:
    def test_the_defaults_are_ten_steps_from_zero_up_the_cross_entropy(self):
        assert repr(PGD(epsilon=0.3, step_size=0.01)) == (
            "PGD(steps=10, start='zero', loss='cross-entropy', search='sign', epsilon=0.3, "
            "step_size=0.01, norm='linf')"
        )

    @pytest.mark.parametrize(
        ("key", "value", "message"),
        [
            ("epsilon", -0.1, "greater than 0"),
            ("step_size", 0, "greater than 0"),
            ("steps", 0, "greater than 0"),
            ("steps", 2.5, "valid integer"),
            ("steps", "3", "valid integer"),
            ("epsilon", "0.3", "valid number"),
            ("start", "middle", "'zero', 'noise', 'uniform' or 'wide'"),
            ("loss", "mse", "'cross-entropy', 'margin', 'dlr', 'kl', 'targeted-cross-entropy'"),
            ("search", "apdg", "'sign', 'apgd' or 'random'"),
            ("alpha", 0.1, "Its fields: steps, start"),
        ],
    )
    def test_a_wrong_number_is_refused_by_name(self, key, value, message):
        with pytest.raises(FieldError, match=rf"(?s){key}.*{message}"):
            PGD(**({"epsilon": 0.3, "step_size": 0.01} | {key: value}))

    def test_a_missing_one_is_named(self):
        with pytest.raises(FieldError, match="step_size"):
            PGD(epsilon=0.3)

    def test_a_threat_does_not_change(self):
        with pytest.raises(AttributeError, match="assign to field"):
            PGD(epsilon=0.3, step_size=0.01).steps = 3

    def test_equal_numbers_make_equal_threats(self):
        assert PGD(epsilon=0.3, step_size=0.01) == PGD(epsilon=0.3, step_size=0.01)
        assert hash(PGD(epsilon=0.3, step_size=0.01)) == hash(PGD(epsilon=0.3, step_size=0.01))
        assert PGD(epsilon=0.3, step_size=0.01) != Flow(epsilon=0.3, step_size=0.01)


class TestDeclaration:
    def test_only_a_threat_can_be_declared_as_one(self):
        with pytest.raises(
            DefinitionError, match="is declared as the threat 'square' but is not a"
        ):

            @threat("square")
            class Square:
                pass

    def test_a_name_belongs_to_one_class(self):
        with pytest.raises(DefinitionError, match="the threat 'pgd' is declared twice: by moat"):

            @threat("pgd")
            class Another(PGD):
                pass

    def test_a_threat_without_its_methods_cannot_be_made(self):
        class Unfinished(GradientThreat):
            pass

        with pytest.raises(TypeError, match="abstract"):
            Unfinished()

    def test_a_threat_that_searches_its_own_way_needs_perturb_alone(self, batch):
        class Darken(Threat):
            def perturb(self, model, x, y, *, generator=None):
                return x / 2

        images = Darken().perturb(nn.Identity(), *batch)
        assert torch.equal(images, batch[0] / 2)


def test_the_kl_loss_refuses_a_start_where_its_gradient_is_rounding_noise():
    with pytest.raises(ValueError, match=r"no gradient at the natural image.*start = \"noise\""):
        PGD(epsilon=0.1, step_size=0.1, loss="kl")
    assert PGD(epsilon=0.1, step_size=0.1, loss="kl", start="noise").loss == "kl"


class TestReach:
    def test_a_share_of_the_reach_is_the_threat_with_that_share_of_radius_and_step(
        self, threat_class, start, make, tiny_model, batch
    ):
        whole = make(threat_class, start=start, steps=4)
        halved = {
            name: value / 2
            for name, value in vars(whole).items()
            if name.endswith(("epsilon", "step_size"))
        }
        small = make(threat_class, start=start, steps=4, **halved)
        (found,) = search(tiny_model, [whole], *batch, generator=seeded(), reach=0.5)
        (expected,) = search(tiny_model, [small], *batch, generator=seeded())
        assert torch.allclose(found.images, expected.images, atol=1e-12)

    def test_the_whole_reach_is_the_threat_itself(self, threat_class, make, tiny_model, batch):
        threat = make(threat_class, steps=3)
        (found,) = search(tiny_model, [threat], *batch, reach=1.0)
        assert torch.equal(found.images, threat.perturb(tiny_model, *batch))


@pytest.mark.parametrize("cls", [PGD, Flow, RT, Integrated, StAdv])
class TestStepSize:
    def test_sign_steps_ask_for_their_size_by_name(self, cls, make):
        for name in sizes_of(cls, make):
            with pytest.raises(FieldError, match=f"{name} is missing: sign steps have a"):
                make(cls, **{name: None})

    @pytest.mark.parametrize("search", ["apgd", "random"])
    def test_other_searches_find_the_same_with_and_without_one(
        self, cls, make, tiny_model, batch, search
    ):
        given = make(cls, search=search, steps=5)
        without = make(cls, search=search, steps=5, **dict.fromkeys(sizes_of(cls, make)))
        found, expected = (
            threat.perturb(tiny_model, *batch, generator=seeded()) for threat in (without, given)
        )
        assert torch.equal(found, expected)


def sizes_of(cls, make):
    return [name for name in vars(make(cls)) if name.endswith("step_size")]
