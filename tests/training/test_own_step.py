"""A step in halves is the whole step, whatever is done between them, and goes on where it was."""

import copy
import io

import jaxtyping
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from moat.errors import DefinitionError, MoatError, ModelError, TrainingError
from moat.objectives import LossMatrix
from moat.scalarizers import MGDA, Average, LaggedScalarizer, Max, Natural, TwoMoment
from moat.threats import PGD, RT, trusted
from moat.training import KL, Step, StepSettings, train_step

EVERY = [Natural(), Average(), Max(), TwoMoment(rho=0.5, window=3), MGDA()]
unchecked = pytest.mark.usefixtures("without_checks_of_types")
every_scalarizer = pytest.mark.parametrize("scalarizer", EVERY, ids=lambda rule: rule.name)


@pytest.fixture
def without_checks_of_types():
    """Let a wrong argument through to what refuses it, as in production."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def x(images):
    return images[0]


@pytest.fixture
def y(images):
    return images[1]


def sgd(network):
    return torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)


def made(network, threats, scalarizer, **more):
    own = copy.deepcopy(network)
    return Step(own, sgd(own), threats, copy.deepcopy(scalarizer), **more)


def weights(network):
    return torch.cat([parameter.detach().reshape(-1) for parameter in network.parameters()])


def gradients(network):
    return torch.cat([parameter.grad.reshape(-1) for parameter in network.parameters()])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def by_update(step, x, y):
    step.backward(x, y)
    step.update()


def by_own_optimizer(step, x, y):
    step.optimizer.zero_grad()
    step.backward(x, y)
    step.optimizer.step()


def by_scaler(step, x, y):
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    step.optimizer.zero_grad()
    step.backward(x, y, scale=scaler.get_scale())
    scaler.scale(torch.zeros(()))  # as scaler.scale(loss) would, it makes the scaler ready
    scaler.unscale_(step.optimizer)
    scaler.step(step.optimizer)
    scaler.update()


def by_trusted_halves(step, x, y):
    with trusted():
        by_update(step, x, y)


@every_scalarizer
@pytest.mark.parametrize(
    "way", [Step.__call__, by_update, by_own_optimizer, by_scaler, by_trusted_halves]
)
def test_every_way_through_a_step_is_train_step(network, threats, scalarizer, x, y, way):
    step, same, own = made(network, threats, scalarizer), copy.deepcopy(network), None
    optimizer, own = sgd(same), copy.deepcopy(scalarizer)
    for _ in range(3):
        way(step, x, y)
        train_step(same, optimizer, threats, own, x, y)
    assert torch.equal(weights(step.model), weights(same))
    assert str(step.scalarizer.state_dict()) == str(own.state_dict())


@every_scalarizer
def test_a_step_returns_what_train_step_returns(network, threats, scalarizer, x, y):
    found = made(network, threats, scalarizer)(x, y)
    same = copy.deepcopy(network)
    expected = train_step(same, sgd(same), threats, copy.deepcopy(scalarizer), x, y)
    assert torch.equal(found.weights, expected.weights)
    torch.testing.assert_close(found.losses.values, expected.losses.values, equal_nan=True)


@pytest.mark.parametrize(
    "scalarizer",
    [Natural(), Average(), Max(), TwoMoment(rho=0.5, window=3)],
    ids=lambda rule: rule.name,
)
def test_batches_that_are_accumulated_are_one_batch(network, threats, scalarizer, x, y):
    whole, halves = made(network, threats, scalarizer), made(network, threats, scalarizer)
    for _ in range(3):
        whole(x, y)
        halves.backward(x[:6], y[:6], scale=0.5)
        halves.backward(x[6:], y[6:], scale=0.5)
        halves.update()
    torch.testing.assert_close(weights(halves.model), weights(whole.model), rtol=0, atol=1e-12)


@every_scalarizer
def test_a_scalarizer_learns_once_a_move(network, threats, scalarizer, x, y):
    seen = []
    step = made(network, threats, scalarizer)
    step.scalarizer.update = lambda losses: seen.append(losses.values.shape)
    step.backward(x, y)
    step.backward(x[:5], y[:5])
    assert seen == []
    step.optimizer.step()
    step.optimizer.step()
    assert seen == [(4, 17)]


@every_scalarizer
def test_gradients_are_added_to_those_that_stand(network, threats, scalarizer, x, y):
    step = made(network, threats, scalarizer)
    step.backward(x, y)
    once = gradients(step.model)
    step.backward(x, y)
    torch.testing.assert_close(gradients(step.model), 2 * once)
    step.optimizer.zero_grad()
    step.backward(x, y, scale=torch.tensor(3.0))
    torch.testing.assert_close(gradients(step.model), 3 * once)


def test_gradients_may_be_clipped_between_the_halves(network, threats, x, y):
    step = made(network, threats, Average())
    before = weights(step.model)
    step.backward(x, y)
    nn.utils.clip_grad_norm_(step.model.parameters(), 0.01)
    step.update()
    assert (weights(step.model) - before).norm().item() == pytest.approx(0.001, rel=1e-4)
    assert all(parameter.grad is None for parameter in step.model.parameters())


def test_a_step_that_a_gradient_scaler_skips_teaches_nothing(network, threats, x, y):
    step = made(network, threats, TwoMoment(rho=0.5))
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    scaler.scale(torch.zeros(()))
    step.backward(x, y, scale=scaler.get_scale())
    next(step.model.parameters()).grad.fill_(torch.inf)
    before = weights(step.model)
    scaler.step(step.optimizer)
    assert torch.equal(before, weights(step.model))
    assert step.scalarizer.state_dict()["history"] is None


class Wrapping:
    """An optimizer around another, as accelerate's is."""

    def __init__(self, optimizer):
        self.optimizer, self.param_groups = optimizer, optimizer.param_groups

    def zero_grad(self, set_to_none=True):
        self.optimizer.zero_grad(set_to_none)

    def step(self):
        self.optimizer.step()


class Foreign:
    """An optimizer that is not torch's: it has no hooks."""

    def __init__(self, parameters):
        self.param_groups = [{"params": list(parameters)}]

    def zero_grad(self, set_to_none=True):
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = None

    @torch.no_grad()
    def step(self):
        for parameter in self.param_groups[0]["params"]:
            parameter -= 0.1 * parameter.grad


@unchecked
@pytest.mark.parametrize("way", [Step.__call__, by_update, by_own_optimizer])
@pytest.mark.parametrize(
    "optimizer_of",
    [
        lambda net: Wrapping(torch.optim.SGD(net.parameters(), lr=0.1)),
        lambda net: Foreign(net.parameters()),
    ],
)
def test_an_optimizer_of_another_library_moves_the_parameters(
    network, threats, x, y, optimizer_of, way
):
    own, same = copy.deepcopy(network), copy.deepcopy(network)
    step = Step(own, optimizer_of(own), threats, TwoMoment(rho=0.5))
    plain = Step(same, torch.optim.SGD(same.parameters(), lr=0.1), threats, TwoMoment(rho=0.5))
    for _ in range(2):
        way(step, x, y)
        plain(x, y)
    torch.testing.assert_close(weights(own), weights(same))
    assert torch.equal(*(one.scalarizer.weights(("natural", *threats)) for one in (step, plain)))


def test_an_optimizer_keeps_no_step_alive_and_the_next_step_learns_alone(network, threats, x, y):
    optimizer, first = sgd(network), TwoMoment(rho=0.5)
    Step(network, optimizer, threats, first).backward(x, y)
    step = Step(network, optimizer, threats, TwoMoment(rho=0.5))
    step(x, y)
    assert first.state_dict()["history"] is None
    assert step.scalarizer.state_dict()["steps"] == 1


@pytest.mark.parametrize("scalarizer", [Average(), Max(), MGDA()], ids=lambda rule: rule.name)
def test_which_hooks_of_a_parameter_fire(network, threats, x, y, scalarizer):
    step = made(network, threats, scalarizer)
    fired = {"tensor": 0, "accumulated": 0}
    parameter = next(step.model.parameters())
    count = fired.__setitem__
    parameter.register_hook(lambda _: count("tensor", fired["tensor"] + 1))
    parameter.register_post_accumulate_grad_hook(
        lambda _: count("accumulated", fired["accumulated"] + 1)
    )
    step.backward(x, y)
    combined = isinstance(scalarizer, MGDA)  # its gradients are combined, and set
    assert fired["tensor"] == (4 if combined else 1)
    assert fired["accumulated"] == (0 if combined else 1)


@pytest.mark.parametrize("threats", [[], {}, ()])
def test_without_threats_the_natural_loss_is_trained_on_or_nothing(network, x, y, threats):
    step = made(network, threats, Natural())
    before = weights(step.model)
    step(x, y)
    assert not torch.equal(before, weights(step.model))
    for scalarizer in ("average", "max"):
        with pytest.raises(DefinitionError, match="weighs threats; pass some") as refused:
            Step(network, sgd(network), threats, scalarizer)
        assert '"natural"' in refused.value.hint


def test_a_copy_of_a_step_learns_when_its_own_optimizer_moves(network, threats, x, y):
    step = made(network, threats, TwoMoment(rho=0.5))
    other = copy.deepcopy(step)
    by_own_optimizer(other, x, y)
    assert other.scalarizer.state_dict()["steps"] == 1
    assert step.scalarizer.state_dict()["steps"] == 0


# state


class Counting(LaggedScalarizer):
    def __init__(self):
        self.count = 0

    def weights(self, names):
        return torch.full((len(names),), 1.0 + self.count).softmax(0)

    def update(self, losses):
        self.count += 1

    def state_dict(self):
        return {"count": self.count}

    def load_state_dict(self, state):
        self.count = state["count"]


@pytest.mark.parametrize("scalarizer", [*EVERY, Counting()], ids=lambda rule: type(rule).__name__)
def test_a_step_that_takes_back_its_state_goes_on_to_the_byte(network, scalarizer, x, y):
    drawn = {
        "pgd": PGD(epsilon=0.2, step_size=0.05, steps=2, start="uniform"),
        "rt": RT(epsilon=0.3, step_size=0.05, steps=1, start="uniform"),
    }
    step = made(network, drawn, scalarizer, generator=seeded())
    for _ in range(3):
        step(x, y)
    file = io.BytesIO()
    parts = {"step": step, "net": step.model, "optimizer": step.optimizer}
    torch.save({name: part.state_dict() for name, part in parts.items()}, file)
    for _ in range(3):
        step(x, y)

    again = made(network, drawn, scalarizer, generator=seeded(7))
    file.seek(0)
    kept = torch.load(file, weights_only=True)
    again.model.load_state_dict(kept["net"])
    again.optimizer.load_state_dict(kept["optimizer"])
    again.load_state_dict(kept["step"])
    for _ in range(3):
        again(x, y)
    assert torch.equal(weights(again.model), weights(step.model))
    assert str(again.state_dict()) == str(step.state_dict())


class Wandering(PGD):
    """A threat with a state, as a plug-in may have: its k-th search has k steps."""

    counts: list = [0]  # noqa: RUF012 - shared on purpose

    def state_dict(self):
        return {"count": self.counts[0]}

    def load_state_dict(self, state):
        self.counts[0] = state["count"]


def test_the_state_of_a_threat_is_kept(network, x, y):
    threat = Wandering(epsilon=0.1, step_size=0.05, steps=1)
    step = made(network, {"own": threat}, Average())
    threat.counts[0] = 5
    state = step.state_dict()
    threat.counts[0] = 0
    step.load_state_dict(state)
    assert threat.counts[0] == 5


RULES = {
    "another rule": (TwoMoment(rho=0.9), Max(), "of the scalarizer 'two-moment', and the step has"),
    "a rule without a state": (Max(), TwoMoment(rho=0.9), "'max', and the step has 'two-moment'"),
    "another field": (
        TwoMoment(rho=0.5),
        TwoMoment(rho=0.9),
        "of the scalarizer 'two-moment' with rho = 0.5, and the step has rho = 0.9.",
    ),
    "a rule of one's own": (Counting(), Average(), "'Counting', and the step has 'average'."),
}


@pytest.mark.parametrize(("then", "now", "said"), RULES.values(), ids=RULES)
def test_the_state_of_another_scalarizer_is_refused(network, threats, then, now, said):
    state = made(network, threats, then).state_dict()
    step = made(network, threats, now)
    before = str(step.state_dict())
    with pytest.raises(DefinitionError) as refused:
        step.load_state_dict(state)
    assert said in refused.value.message
    assert str(step.state_dict()) == before
    made(network, threats, then).load_state_dict(state)  # its own is taken


LABELLED = PGD(epsilon=0.1, step_size=0.05, steps=1)


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([LABELLED, LABELLED], "of the threats 'pgd', and the step has the threats 'pgd', 'pgd-2'"),
        ({"own": LABELLED}, "and the step has the threats 'own' (pgd)."),
        ({"pgd": RT(epsilon=0.1, step_size=0.05)}, "and the step has the threats 'pgd' (rt)."),
        ({}, "and the step has no threats."),
    ],
)
def test_the_state_of_other_threats_is_refused(network, others, said):
    state = made(network, [LABELLED], Average(include_natural=True)).state_dict()
    with pytest.raises(DefinitionError) as refused:
        made(network, others, Average(include_natural=True)).load_state_dict(state)
    assert said in refused.value.message


def test_a_state_from_before_it_named_its_step_is_taken(network, threats):
    state = made(network, threats, TwoMoment(rho=0.5)).state_dict()
    del state["of"]
    made(network, threats, TwoMoment(rho=0.5)).load_state_dict(state)
    made(network, threats, Max()).load_state_dict(state)  # nothing says whose it is


def test_a_state_that_lacks_a_part_is_refused_in_words(network, threats):
    step = made(network, threats, TwoMoment(rho=0.5))
    with pytest.raises(DefinitionError, match=r"this step: it lacks 'history'\.\n"):
        step.load_state_dict({**step.state_dict(), "scalarizer": {}})
    with pytest.raises(DefinitionError, match="it is of torch's global generator, and the step"):
        made(network, threats, TwoMoment(rho=0.5), generator=seeded()).load_state_dict(
            step.state_dict()
        )


@unchecked
@pytest.mark.parametrize(
    "state", [{}, {"generator": None}, {"generator": 3, "threats": {}}, 7, torch.zeros(3)]
)
def test_a_state_of_another_step_is_refused(network, threats, state):
    with pytest.raises(DefinitionError) as refused:
        made(network, threats, Max()).load_state_dict(state)
    assert refused.value.message.startswith("the state does not fit this step: ")
    assert refused.value.hint.startswith("Create the step like that of the state")


# refusals


def test_what_is_refused_moves_nothing_and_clears_the_gradients(network, threats, x, y):
    step = made(network, threats, TwoMoment(rho=0.5))
    before = weights(step.model)
    step.backward(x, y)
    broken = Step(step.model, step.optimizer, threats, "max", losses=lambda z, y: z[:, 0] / 0)
    with pytest.raises(TrainingError, match="is no longer finite"):
        broken.backward(x, y)
    assert all(parameter.grad is None for parameter in step.model.parameters())
    step._clear()
    step.backward(x, y)
    next(step.model.parameters()).grad.fill_(torch.nan)
    with pytest.raises(TrainingError, match=r"the gradient of the parameter .* is not finite"):
        step.update()
    assert all(parameter.grad is None for parameter in step.model.parameters())
    assert torch.equal(before, weights(step.model))
    step(x, y)
    assert not torch.equal(before, weights(step.model))


def test_there_is_nothing_to_move_along_before_a_backward(network, threats, x, y):
    step = made(network, threats, Max())
    with pytest.raises(DefinitionError, match="a move needs gradients"):
        step.update()
    step(x, y)
    with pytest.raises(DefinitionError, match="a move needs gradients"):
        step.update()


@unchecked
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threats": PGD}, "`threats` is the class PGD, not a threat."),
        ({"threats": "pgd"}, "`threats` is the text 'pgd', not a threat."),
        ({"threats": None}, "`threats` is of type NoneType, not a threat."),
        ({"threats": {"natural": RT(epsilon=0.1, step_size=0.1, steps=1)}}, "a threat cannot be"),
        ({"threats": {3: RT(epsilon=0.1, step_size=0.1, steps=1)}}, "a threat cannot be called 3"),
        ({"threats": ["pgd"]}, "one of the threats is the text 'pgd', not a threat."),
        ({"threats": {"pgd": 8 / 255}}, "the threat 'pgd' is of type float, not a threat."),
        ({"scalarizer": "averge"}, "no scalarizer is called 'averge'. Did you mean 'average'?"),
        ({"scalarizer": "two-moment"}, "TwoMoment: exactly one of r and rho is given, not neither"),
        ({"scalarizer": Max}, "the scalarizer is the class Max, not a scalarizer."),
        ({"scalarizer": None}, "the scalarizer is None, not a scalarizer."),
        ({"losses": "cross_entropy"}, "no loss is called 'cross_entropy'. Did you mean 'cross-ent"),
        ({"losses": {"pgd": "klx"}}, "no loss is called 'klx'. Did you mean 'kl'?"),
        ({"losses": "kl"}, "the loss of 'natural' looks at its own logits as those of a partner."),
        ({"losses": "logit-pairing"}, "LogitPairing needs the field 'partner'."),
        ({"losses": {"pgd": 3}}, "the loss of 'pgd' is 3, not a function of logits and labels."),
        ({"losses": {"pgb": "kl"}}, "there is a loss for 'pgb', which is not an objective. Did yo"),
        ({"losses": {"rt": KL(partner="rt")}}, "the loss of 'rt' looks at its own logits as"),
        (
            {"losses": {"rt": KL(partner="flwo")}},
            "the loss of 'rt' looks at the logits of 'flwo', which is not an objective. Did you m",
        ),
        ({"losses": nn.CrossEntropyLoss}, "the loss is the class CrossEntropyLoss, not a functio"),
        ({"losses": None}, "the loss is of type NoneType, not a function of logits and labels."),
        ({"pass_size": 0}, "a pass holds at least one example, not 0."),
        ({"generator": 7}, "the generator is 7, not a torch.Generator."),
        ({"optimizer": torch.optim.SGD}, "the optimizer is the class SGD, not an optimizer of"),
        ({"model": nn.Linear}, "the model is the class Linear, not a network."),
        (
            {"optimizer": torch.optim.SGD([nn.Parameter(torch.zeros(1))])},
            "the optimizer moves none of the network's parameters.",
        ),
    ],
)  # fmt: skip
def test_what_no_step_can_be_made_of_is_refused_at_once(network, threats, change, message):
    given = {
        "model": network,
        "optimizer": sgd(network),
        "threats": threats,
        "scalarizer": "max",
    } | change
    with pytest.raises(MoatError) as refused:
        Step(**given)
    assert refused.value.message.startswith(message)
    assert refused.value.hint


@unchecked
@pytest.mark.parametrize("call", ["__call__", "backward"])
@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (lambda x, y: (x[:0], y[:0], {}), ModelError, "the batch"),
        (lambda x, y: (x.to("meta"), y, {}), ModelError, "the images are on meta, but the model"),
        (lambda x, y: (x, y.double(), {}), ModelError, "labels are integers, not float64."),
        (lambda x, y: (x, y + 1, {}), ModelError, "a label is 4, but the model has 4 classes, cou"),
        (lambda x, y: (255 * x, y, {}), ModelError, "images lie in [0, 1], not in ["),
        (lambda x, y: (x, y, {"weight": y[:3]}), DefinitionError, "the examples' weights ha"),
        (lambda x, y: (x, y, {"weight": y - 1}), DefinitionError, "the examples' weights ar"),
        (lambda x, y: (x, y, {"weight": [1e999] * 12}), DefinitionError, "the examples' weights a"),
        (lambda x, y: (x, y, {"weight": "heavy"}), DefinitionError, "the examples' weights ar"),
        (lambda x, y: (x, y, {"reach": 0}), DefinitionError, "reach is a share of the t"),
    ],
)  # fmt: skip
def test_what_no_step_can_be_taken_on_is_refused_and_nothing_moves(
    network, threats, x, y, call, change, kind, message
):
    step = made(network, threats, TwoMoment(rho=0.5))
    before = weights(step.model)
    x, y, more = change(x, y)
    with pytest.raises(kind) as refused:
        getattr(step, call)(x, y, **more)
    assert refused.value.message.startswith(message)
    assert torch.equal(before, weights(step.model))
    assert step.scalarizer.state_dict()["history"] is None


@unchecked
@pytest.mark.parametrize(
    "scale", [0, -1.0, float("nan"), float("inf"), True, "1", None, torch.ones(2), torch.tensor(1)]
)
def test_a_scale_is_one_number_above_zero(network, threats, x, y, scale):
    with pytest.raises(DefinitionError, match="scale is one number above 0, not") as refused:
        made(network, threats, Max()).backward(x, y, scale=scale)
    assert "GradScaler" in refused.value.hint


@unchecked
def test_losses_of_several_processes_are_what_a_scalarizer_learns_from(network, threats, x, y):
    step, whole = (
        made(network, threats, TwoMoment(rho=0.5)),
        made(network, threats, TwoMoment(rho=0.5)),
    )
    seen = whole.backward(x, y)
    whole.update()
    step.backward(x[:6], y[:6])
    step.update(losses=LossMatrix(seen.losses.values, seen.losses.names))
    names = seen.losses.names
    assert torch.equal(step.scalarizer.weights(names), whole.scalarizer.weights(names))
    step.backward(x, y)
    with pytest.raises(DefinitionError, match="the losses are of type list, not a Loss"):
        step.update(losses=[1.0])


# losses


SMOOTH = nn.CrossEntropyLoss(reduction="none", label_smoothing=0.1)


def focal(logits, labels):
    plain = F.cross_entropy(logits, labels, reduction="none")
    return (1 - (-plain).exp()) ** 2 * plain


@every_scalarizer
@pytest.mark.parametrize("loss", [SMOOTH, focal, "margin"], ids=["smooth", "focal", "margin"])
@pytest.mark.parametrize("pass_size", [5, 1000])
def test_the_descent_takes_the_loss_that_is_given_and_the_search_its_own(
    network, threats, x, y, scalarizer, loss, pass_size
):
    one, other = (
        made(network, threats, scalarizer, losses=own, pass_size=pass_size)
        for own in (loss, "cross-entropy")
    )
    function = one._settings.loss
    images = [x, *(threat.perturb(network, x, y) for threat in threats.values())]
    found, plain = one.backward(x, y), other.backward(x, y)
    measured = ~plain.losses.values[:, 0].isnan()
    expected = torch.stack([function(network(own), y) for own in images]).detach()
    torch.testing.assert_close(found.losses.values[measured], expected[measured])
    assert not torch.allclose(gradients(one.model), gradients(other.model))


@every_scalarizer
def test_a_weight_of_zero_leaves_an_example_out_and_of_two_takes_it_twice(
    network, threats, x, y, scalarizer
):
    heavy = torch.tensor([2.0] * 4 + [1.0] * 4 + [0.0] * 4, dtype=torch.float64)
    weighted, repeated = made(network, threats, scalarizer), made(network, threats, scalarizer)
    rows = torch.tensor([0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7])
    weighted(x, y, weight=heavy)
    repeated(x[rows], y[rows])
    torch.testing.assert_close(weights(weighted.model), weights(repeated.model))


class Mixed(Max):
    """Weights an example at a time, read by value: the other way to choose images."""

    support = None


@pytest.mark.parametrize("pass_size", [5, 1000])
def test_examples_weigh_the_same_on_both_ways_to_choose_images(network, threats, x, y, pass_size):
    heavy = torch.arange(12.0)
    steps = [made(network, threats, rule, pass_size=pass_size) for rule in (Max(), Mixed())]
    for step in steps:
        step(x, y, weight=heavy)
    torch.testing.assert_close(weights(steps[0].model), weights(steps[1].model))


@every_scalarizer
@pytest.mark.parametrize(
    ("loss", "message", "mend"),
    [
        (F.cross_entropy, "the loss returns the shape () for ", 'reduction="none"'),
        (
            lambda z, y: F.cross_entropy(z, y, reduction="none").mean(0, keepdim=True),
            "the loss returns the shape (1,) for ",
            'reduction="none"',
        ),
        (lambda z, y: z**2, "the loss returns the shape (", "sum or average over the other axes"),
        (lambda z, y: 0.5, "the result of the loss is of type float, not", "one number for"),
        (lambda z, y: (z[:, 0], z), "the result of the loss is of type tuple, not", "one number"),
        (lambda z, y: z.argmax(1), "the loss has no gradient to the logits.", "argmax"),
        (lambda z, y: z[:, 0].long(), "the loss has no gradient to the logits.", "argmax"),
        (lambda z: z[:, 0], "the loss cannot be computed from logits (", "It needs both"),
        (
            nn.CrossEntropyLoss(weight=torch.ones(3).double(), reduction="none"),
            "the loss cannot be computed from logits (",
            "It needs both",
        ),
    ],
)  # fmt: skip
def test_a_loss_that_is_not_a_number_an_example_is_refused(
    network, threats, x, y, scalarizer, loss, message, mend
):
    step = made(network, threats, scalarizer, losses=loss)
    with pytest.raises(DefinitionError) as refused:
        step(x, y)
    assert refused.value.message.startswith(message)
    assert mend in refused.value.hint


@every_scalarizer
def test_a_detached_loss_is_refused(network, threats, x, y, scalarizer):
    loss = lambda z, y: F.cross_entropy(z.detach(), y, reduction="none")  # noqa: E731
    with pytest.raises(DefinitionError, match="the loss has no gradient to the logits"):
        made(network, threats, scalarizer, losses=loss)(x, y)


def test_train_step_takes_the_same_settings(network, threats, x, y):
    heavy, own = torch.arange(12.0), copy.deepcopy(network)
    settings = StepSettings(loss=SMOOTH, weight=heavy)
    train_step(own, sgd(own), threats, Average(), x, y, settings)
    step = made(network, threats, "average", losses=SMOOTH)
    step(x, y, weight=heavy)
    assert torch.equal(weights(own), weights(step.model))
