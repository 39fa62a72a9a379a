"""The one search loop: what is found does not depend on who is searched beside, or in what passes.

Equality is exact to rounding in float64; in float32 a flipped sign moves a pixel by two steps.
"""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from moat.errors import ModelError
from moat.geometry.balls import LinfBall
from moat.losses import is_correct
from moat.testing import examples
from moat.threats import PGD, Flow, ascend, attacked, search, to_eval

STEPS = 6


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def same(a: torch.Tensor, b: torch.Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


class TestTogetherAndApart:
    @pytest.mark.parametrize("pass_size", [1, 5, 12, 17, 1000])
    def test_threats_searched_together_find_what_each_finds_alone(
        self, every_threat, tiny_model, batch, pass_size
    ):
        generator = seeded()
        alone = [threat.perturb(tiny_model, *batch, generator=generator) for threat in every_threat]
        together = search(tiny_model, every_threat, *batch, generator=seeded(), pass_size=pass_size)
        for trace, images in zip(together, alone, strict=True):
            same(trace.images, images)

    @pytest.mark.parametrize("pass_size", [1, 7, 1000])
    def test_traces_and_measurements_do_not_depend_on_the_passes_either(
        self, every_threat, tiny_model, batch, pass_size
    ):
        found = [
            ascend(
                tiny_model,
                [
                    threat.climb(*batch, at_steps=(1, threat.steps), generator=seeded())
                    for threat in every_threat
                ],
                size,
            )
            for size in (pass_size, 13)
        ]
        for traces, others in zip(*found, strict=True):
            for count, trace in traces.items():
                same(trace.images, others[count].images)
                same(trace.loss, others[count].loss)
                assert torch.equal(trace.correct, others[count].correct)
                for block, other in zip(trace.w, others[count].w, strict=True):
                    same(block, other)

    def test_in_float32_the_losses_and_input_gradients_agree_to_1e_6(self, tiny_model):
        class Keeper(LinfBall):
            def step(self, w, gradient):
                return gradient  # so that the first iterate is the gradient at the start

        x, y = examples(count=60)
        network, x = tiny_model.float(), x.float()
        pgd = PGD(epsilon=0.1, step_size=0.1, steps=1)
        climb = replace(pgd.climb(x, y, at_steps=(0, 1)), balls=lambda x: (Keeper(1.0, 1.0),))
        (together,) = ascend(network, [climb], 1000)
        assert together[1].w[0].abs().max() > 1e-3
        for size in (1, 7, 32):
            (apart,) = ascend(network, [climb], size)
            close = {"rtol": 0, "atol": 1e-6}
            torch.testing.assert_close(apart[0].loss, together[0].loss, **close)
            torch.testing.assert_close(apart[1].w[0], together[1].w[0], **close)

    def test_in_float32_99_in_100_images_are_equal(self, every_threat, tiny_model):
        x, y = examples(count=100)
        found = [
            search(tiny_model.float(), every_threat, x.float(), y, generator=seeded(), pass_size=n)
            for n in (9, 1000)
        ]
        for trace, other in zip(*found, strict=True):
            distance = (trace.images - other.images).abs().flatten(1).amax(1)
            assert (distance < 1e-6).double().mean() >= 0.99


class TestTheImageBoxBelongsToTheBall:
    def test_pgd_takes_the_iterates_of_a_plain_box_projected_loop(self, start, tiny_model, batch):
        x, y = batch
        assert (x == 0).any()
        assert (x == 1).any()
        threat = PGD(epsilon=0.1, step_size=0.03, steps=STEPS, start=start)
        climb = threat.climb(x, y, at_steps=tuple(range(STEPS + 1)), generator=seeded())
        (traces,) = ascend(tiny_model, [climb], 1000)

        images = x + climb.start[0]
        tiny_model.eval()
        for count in range(STEPS + 1):
            same(traces[count].images, images)
            images.requires_grad_()
            loss = F.cross_entropy(tiny_model(images), y, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, images)
            images = images.detach() + 0.03 * gradient.sign()
            images = images.clamp(x - 0.1, x + 0.1).clamp(0, 1)

    def test_a_clamp_inside_apply_is_weaker_for_it_kills_the_gradient_of_what_it_touches(
        self, tiny_model, batch
    ):
        x, y = batch
        x = x.round()  # every pixel at an end of the box, as most of MNIST's are
        boxed = PGD(epsilon=0.3, step_size=0.03, steps=10, start="uniform").climb(
            x, y, generator=seeded()
        )
        noise = 0.3 * (2 * torch.rand(x.shape, generator=seeded(), dtype=x.dtype) - 1)
        clamped = replace(
            boxed,
            start=(noise,),
            apply=lambda x, w: (x + w[0]).clamp(0, 1),
            balls=lambda x: (LinfBall(0.3, 0.03),),
        )
        ends = [traces[10] for traces in ascend(tiny_model, [boxed, clamped], 1000)]
        strong, weak = (trace.loss for trace in ends)
        assert (strong > weak).all()
        frozen = (ends[1].w[0] == noise).double().mean()
        assert 0.3 < frozen < 0.7  # every pixel that the start pushed out of the box, for good


class TestTraces:
    def test_an_iterate_is_the_end_of_a_shorter_search(
        self, threat_class, start, make, tiny_model, batch
    ):
        counts = (0, 2, 5)
        whole = make(threat_class, start=start, steps=5)
        (traces,) = ascend(
            tiny_model, [whole.climb(*batch, at_steps=counts, generator=seeded())], 1000
        )
        assert list(traces) == list(counts)
        for count in (2, 5):
            shorter = make(threat_class, start=start, steps=count)
            same(traces[count].images, shorter.perturb(tiny_model, *batch, generator=seeded()))
        same(traces[0].images, whole.apply(batch[0], traces[0].w))

    @pytest.mark.parametrize("loss", ["cross-entropy", "margin", "dlr", "kl"])
    def test_the_loss_and_verdict_of_a_trace_are_those_of_a_fresh_forward_on_its_images(
        self, plain_class, make, tiny_model, batch, loss
    ):
        from moat.losses import LOSSES

        x, y = batch
        climb = make(plain_class, start="noise", loss=loss).climb(
            x, y, at_steps=(0, 1, 4), generator=seeded()
        )
        (traces,) = ascend(tiny_model, [climb], 5)
        tiny_model.eval()
        with torch.no_grad():
            natural = tiny_model(x)
            for trace in traces.values():
                logits = tiny_model(trace.images)
                same(trace.loss, LOSSES[loss](logits, y, natural))
                assert torch.equal(trace.correct, is_correct(logits, y))

    def test_what_is_not_measured_is_none(self, tiny_model, batch):
        threat = PGD(epsilon=0.1, step_size=0.1, steps=1)
        (traces,) = ascend(tiny_model, [threat.climb(*batch)], 5, measure=False)
        assert traces[1].loss is None
        assert traces[1].correct is None

    def test_images_and_blocks_are_detached(self, every_threat, tiny_model, batch):
        for trace in search(tiny_model, every_threat, *batch):
            assert not any(part.requires_grad for part in (trace.images, *trace.w))

    @pytest.mark.parametrize("measure", [True, False])
    def test_a_batch_without_examples_has_an_empty_trace(self, tiny_model, batch, measure):
        x, y = (part[:0] for part in batch)
        climb = Flow(epsilon=0.1, step_size=0.1).climb(x, y)
        (traces,) = ascend(tiny_model, [climb], 5, measure=measure)
        assert traces[10].images.shape == (0, 1, 8, 8)
        assert (traces[10].loss is None) != measure


class Meter:
    """Counts forwards and backwards of a model, an example at a time."""

    def __init__(self, model: nn.Module) -> None:
        self.forwards = self.backwards = 0
        self.largest = 0
        model.register_forward_hook(self._forward)
        model.register_full_backward_hook(self._backward)

    def _forward(self, model: nn.Module, inputs: tuple[torch.Tensor], logits: torch.Tensor) -> None:
        self.forwards += len(logits)
        self.largest = max(self.largest, len(logits))
        assert not any(parameter.requires_grad for parameter in model.parameters())

    def _backward(
        self, model: nn.Module, to_inputs: object, to_logits: tuple[torch.Tensor]
    ) -> None:
        self.backwards += len(to_logits[0])


class TestWhatASearchCosts:
    @pytest.mark.parametrize("pass_size", [5, 1000])
    def test_s_steps_cost_s_forwards_and_s_backwards_an_example_and_no_weight_gradient(
        self, every_threat, tiny_model, batch, pass_size
    ):
        meter = Meter(tiny_model)
        threats = [threat for threat in every_threat if not threat.keeps_best]
        search(tiny_model, threats, *batch, generator=seeded(), pass_size=pass_size)
        steps = sum(threat.steps for threat in threats)
        tried = sum(threat.steps * threat.candidates for threat in threats)  # of several balls
        assert (meter.forwards, meter.backwards) == (12 * (steps + tried), 12 * steps)
        assert meter.largest <= pass_size
        assert all(parameter.grad is None for parameter in tiny_model.parameters())

    @pytest.mark.parametrize("counts", [(STEPS,), (0, 1, 3, STEPS)])
    def test_measuring_costs_one_forward_more_however_many_counts_are_asked_for(
        self, tiny_model, batch, counts
    ):
        meter = Meter(tiny_model)
        climb = PGD(epsilon=0.1, step_size=0.02).climb(*batch, at_steps=counts)
        ascend(tiny_model, [climb], 5)
        assert meter.forwards == 12 * (STEPS + 1)
        assert meter.backwards == 12 * STEPS

    def test_the_kl_loss_costs_one_forward_of_the_natural_images_more(self, tiny_model, batch):
        meter = Meter(tiny_model)
        threat = PGD(epsilon=0.1, step_size=0.02, steps=STEPS, loss="kl", start="noise")
        threat.perturb(tiny_model, *batch, generator=seeded())
        assert meter.forwards == 12 * (STEPS + 1)
        assert meter.backwards == 12 * STEPS

    def test_several_threats_share_their_passes(self, tiny_model, batch):
        calls = []
        tiny_model.register_forward_hook(lambda model, x, logits: calls.append(len(logits)))
        threats = [PGD(epsilon=0.1, step_size=0.02, steps=2), Flow(epsilon=0.1, step_size=0.1)]
        search(tiny_model, threats, *batch, pass_size=1000)
        assert calls == [24, 24] + 8 * [12]


class TestTheModelMeanwhile:
    def test_it_is_in_eval_mode_and_frozen(self, tiny_model):
        with attacked(tiny_model):
            assert not any(module.training for module in tiny_model.modules())
            assert not any(parameter.requires_grad for parameter in tiny_model.parameters())
            assert torch.is_grad_enabled()

    def test_gradients_flow_whatever_mode_the_caller_is_in(self, tiny_model):
        for mode in (torch.no_grad(), torch.inference_mode()):
            with mode, attacked(tiny_model):
                assert torch.is_grad_enabled()
                assert not torch.is_inference_mode_enabled()
        assert not torch.is_inference_mode_enabled()

    def test_every_flag_comes_back_also_after_an_exception(self, tiny_model):
        tiny_model[0].eval()
        tiny_model[3].weight.requires_grad_(False)
        flags = [module.training for module in tiny_model.modules()]
        required = [parameter.requires_grad for parameter in tiny_model.parameters()]
        with pytest.raises(KeyboardInterrupt), attacked(tiny_model):
            raise KeyboardInterrupt
        assert flags == [module.training for module in tiny_model.modules()]
        assert required == [parameter.requires_grad for parameter in tiny_model.parameters()]

    def test_a_module_without_parameters_can_be_searched(self, batch):
        images = PGD(epsilon=0.1, step_size=0.1, steps=1).perturb(nn.Flatten(), *batch)
        assert (images != batch[0]).any()

    def test_a_model_made_under_inference_mode_is_refused_with_the_reason(self, batch):
        with torch.inference_mode():
            network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10)).double()
        with pytest.raises(ModelError) as caught:
            PGD(epsilon=0.1, step_size=0.1).perturb(network, *batch)
        assert str(caught.value) == (
            "the model was made under torch.inference_mode, so it has no gradient to its input.\n"
            "  Build or load it outside of inference_mode."
        )


class TestTheLossThatIsClimbed:
    def test_kl_climbs_away_from_the_natural_logits(self, tiny_model, batch):
        threat = PGD(epsilon=0.1, step_size=0.02, loss="kl", start="noise")
        climb = threat.climb(*batch, at_steps=(0, 10), generator=seeded())
        (traces,) = ascend(tiny_model, [climb], 5)
        assert (traces[0].loss < 1e-5).all()
        assert (traces[10].loss > 10 * traces[0].loss).all()
        natural = tiny_model.eval()(batch[0]).log_softmax(1)
        found = tiny_model(traces[10].images).log_softmax(1)
        divergence = F.kl_div(found, natural, log_target=True, reduction="none").sum(1)
        same(traces[10].loss, divergence.detach())

    def test_the_margin_search_lowers_the_margin(self, tiny_model, batch):
        climb = PGD(epsilon=0.1, step_size=0.02, loss="margin").climb(*batch, at_steps=(0, 10))
        (traces,) = ascend(tiny_model, [climb], 1000)
        assert (traces[10].loss > traces[0].loss).all()

    def test_dlr_with_two_classes_is_refused_and_the_flags_come_back(self, batch):
        network = nn.Sequential(nn.Flatten(), nn.Linear(64, 2)).double()
        x, y = batch[0], batch[1] % 2
        with pytest.raises(
            ValueError, match="the DLR loss needs at least three classes; use 'margin' for two"
        ):
            PGD(epsilon=0.1, step_size=0.02, loss="dlr").perturb(network, x, y)
        assert network.training
        assert all(parameter.requires_grad for parameter in network.parameters())


class Odd(nn.Linear):
    def train(self):
        return self


class Raising(nn.Linear):
    def eval(self):
        raise ValueError("no eval")


@pytest.mark.parametrize(("network", "why"), [(Odd, "TypeError: "), (Raising, "ValueError: no ev")])
def test_a_network_that_cannot_be_put_into_eval_mode_is_refused_by_name(network, why):
    with pytest.raises(ModelError) as refused:
        to_eval(network(2, 2))
    assert refused.value.message.startswith(f"the network cannot be put into eval mode ({why}")
    assert "def train(self, mode=True)" in refused.value.hint
