"""Nothing in a step asks a GPU for a value: counted on the CPU, and run on a GPU of pretence."""

from dataclasses import replace

import pytest
import torch
from moat_photometric import Photometric
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily

from moat.data import Augmentation
from moat.geometry import enumeration, grids
from moat.losses import cross_entropy
from moat.scalarizers import (
    DWA,
    FAMO,
    IMTLG,
    MGDA,
    Aligned,
    Average,
    BatchMax,
    CAGrad,
    GradNorm,
    Max,
    Nash,
    Natural,
    PCGrad,
    Random,
    RobustError,
    Sampled,
    SmoothTchebycheff,
    Softmax,
    Tchebycheff,
    TwoMoment,
    UncertaintyWeighting,
    UPGrad,
    Weighted,
)
from moat.testing import ASKING, Counted
from moat.threats import (
    MSD,
    PGD,
    RT,
    Flow,
    Integrated,
    RTGrid,
    StAdv,
    gradient,
    joint_search,
    rt_grid,
    trusted,
)
from moat.training import (
    KL,
    MART,
    SGD,
    AdamW,
    Cosine,
    CrossEntropy,
    LogitPairing,
    MultiStep,
    Step,
    StepSettings,
    train_step,
)

RULES = [
    Natural(),
    Average(),
    Average(include_natural=True),
    Max(),
    TwoMoment(rho=0.5),
    TwoMoment(r=0.5),
    MGDA(),
    MGDA(normalize="loss+"),
    RobustError(),
    Sampled(),
    Sampled(each="example", rule=TwoMoment(rho=0.5)),
    *(Softmax(), Softmax(include_natural=True), BatchMax(), BatchMax(include_natural=True)),
    Tchebycheff(),
    *(SmoothTchebycheff(), Random(), Random(draw="normal"), UncertaintyWeighting()),
    *(DWA(window=1), FAMO(), CAGrad(), Nash()),
    *(IMTLG(), UPGrad(), PCGrad(), Aligned(), GradNorm()),
]
NAMED = [
    Weighted(preference={"pgd": 0.5, "flow": 0.0, "rt": 1.5}),
    Tchebycheff(preference={"natural": 0.1, "pgd": 1.0, "flow": 1.0, "rt": 0.0}, ideal={"rt": 0.1}),
]
STEPS = {"steps": 2, "start": "noise"}
THREATS = {
    "pgd": PGD(epsilon=0.2, step_size=0.05, **STEPS),
    "pgd-l2": PGD(epsilon=0.2, step_size=0.05, norm="l2", **STEPS),
    "pgd-l1": PGD(epsilon=2.0, step_size=0.5, norm="l1", **STEPS),
    "pgd-kl": PGD(epsilon=0.2, step_size=0.05, loss="kl", **STEPS),
    "pgd-apgd": PGD(epsilon=0.2, search="apgd", loss="targeted-dlr", **STEPS),
    "msd": MSD(linf_epsilon=0.2, linf_step_size=0.05, l1_epsilon=2.0, l1_step_size=0.5, **STEPS),
    "flow": Flow(epsilon=0.3, step_size=0.05, **STEPS),
    "rt": RT(epsilon=0.3, step_size=0.05, steps=2, start="uniform"),
    "integrated": Integrated(
        flow_epsilon=0.3, flow_step_size=0.05, rt_epsilon=0.3, rt_step_size=0.05, **STEPS
    ),
    "stadv": StAdv(step_size=0.02, steps=2),
    "stadv-untargeted": StAdv(step_size=0.02, steps=2, loss="margin", kappa=1.0),
    "flow-apgd": Flow(epsilon=0.3, search="apgd", loss="margin", **STEPS),
    "rt-random": RT(epsilon=0.3, search="random", steps=2),
    "rt-grid": RTGrid(rotations=2, translations=2),
    "rt-worst-of": RTGrid(worst_of=2),
    "photometric": Photometric(
        dark_epsilon=0.1, dark_step_size=0.05, bright_epsilon=0.1, bright_step_size=0.05, **STEPS
    ),
}
DEVICE = "lazy"
"""Stands for a GPU: without a driver autograd does not run on a pretended "cuda"."""


def network(device="cpu"):
    torch.manual_seed(0)
    with torch.device(device):
        return nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(144, 5)
        )


def batch(device="cpu"):
    return torch.rand(6, 1, 8, 8, device=device), torch.arange(6, device=device) % 5


MIXED = {
    "natural": CrossEntropy(label_smoothing=0.1),
    "pgd": KL(),
    "flow": LogitPairing(partner="rt"),
    "rt": MART(),
}


def step(model, threats, rule, x, y, losses=cross_entropy):
    optimizer = SGD(lr=0.1, momentum=0.9).build(model.parameters())
    generator = torch.Generator().manual_seed(1)
    with trusted():  # as in the loop, which looks at its data set once
        descent = train_step(
            model,
            optimizer,
            threats,
            replace(rule),
            x,
            y,
            StepSettings(100, generator, loss=losses),
        )
    return descent.faults()


@pytest.mark.parametrize("rule", RULES + NAMED, ids=repr)
def test_a_step_of_a_rule_asks_nothing(rule):
    with Counted() as questions:
        step(network(), {label: THREATS[label] for label in ("pgd", "flow", "rt")}, rule, *batch())
    assert questions.asked == []


@pytest.mark.parametrize("rule", RULES + NAMED, ids=repr)
def test_a_step_of_losses_with_partners_asks_nothing(rule):
    threats = {label: THREATS[label] for label in ("pgd", "flow", "rt")}
    with Counted() as questions:
        step(network(), threats, rule, *batch(), losses=MIXED)
    assert questions.asked == []


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_the_halves_of_a_step_ask_nothing_where_they_are_trusted(rule):
    model, (x, y) = network(), batch()
    optimizer = SGD(lr=0.1, momentum=0.9).build(model.parameters())
    loss = nn.CrossEntropyLoss(reduction="none", label_smoothing=0.1)
    own = Step(model, optimizer, [THREATS["pgd"], THREATS["rt"]], replace(rule), losses=loss)
    weight, scale = torch.arange(6.0), torch.tensor(0.5)
    with trusted(), Counted() as questions:
        own.backward(x, y, weight=weight, scale=scale)
        own.backward(x[:4], y[:4], scale=0.5)
        own.update()
    assert questions.asked == []


@pytest.mark.parametrize("label", THREATS)
def test_the_search_of_a_threat_asks_nothing(label):
    generator = torch.Generator().manual_seed(1)  # a step has one, on the host
    model, (x, y) = network(), batch()
    with Counted() as questions:
        joint_search(model, [THREATS[label]], x, y, generator=generator, pass_size=100)
    assert questions.asked == []


@pytest.mark.parametrize("label", THREATS)
def test_the_search_of_a_threat_that_grows_asks_nothing(label):
    generator = torch.Generator().manual_seed(1)
    model, (x, y) = network(), batch()
    with Counted() as questions:
        joint_search(model, [THREATS[label]], x, y, generator=generator, pass_size=100, reach=0.3)
    assert questions.asked == []


AUGMENTATIONS = [
    Augmentation(),
    Augmentation(flip=True, crop_padding=2),
    Augmentation(flip=True, resized_crop=(0.3, 1.0)),
]


@pytest.mark.parametrize("augmentation", AUGMENTATIONS, ids=repr)
def test_varying_the_images_asks_nothing(augmentation):
    images = torch.randint(0, 256, (6, 1, 9, 9), dtype=torch.uint8)
    with Counted() as questions:
        augmentation.on((8, 8), torch.Generator().manual_seed(1))(images)
    assert questions.asked == []


SCHEDULES = [Cosine(), MultiStep(milestones=(1, 2))]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_an_optimizer_and_its_schedule_ask_nothing(schedule):
    model, (x, y) = network(), batch()
    optimizer = AdamW(lr=0.1, weight_decay=0.01).build(model.parameters())
    scheduler = schedule.build(optimizer, 3, 1)
    threats = {"pgd": THREATS["pgd"]}
    with Counted() as questions, trusted():
        for _ in range(2):
            train_step(model, optimizer, threats, Average(), x, y, StepSettings(100))
            scheduler.step()
    # AdamW counts its steps on the host, in tensors that no GPU has
    assert set(questions.asked) <= {"_local_scalar_dense"}
    states = optimizer.state.values()
    assert all(state["step"].device.type == "cpu" for state in states)


def test_the_counter_sees_the_questions_of_a_network():
    plain = network()

    class Peeking(nn.Module):
        def forward(self, x):
            return plain(x) if x.sum() > 0 else plain(-x)

    with Counted() as questions:
        joint_search(Peeking(), [THREATS["pgd"]], *batch(), pass_size=100)
    assert set(questions.asked) & ASKING


# On a GPU of pretence: every tensor has a shape and a device, and no values.


@pytest.fixture
def pretence(monkeypatch):
    """Tensors without values on a pretended GPU; what is cached by device does not outlive it."""

    def keep_real(owner, name):
        function = getattr(owner, name)

        def real(*given):
            with unset_fake_temporarily():  # host data
                return function(*given)

        monkeypatch.setattr(owner, name, real)

    for rule in {type(rule) for rule in RULES + NAMED}:
        keep_real(rule, "plan")
    keep_real(rt_grid, "_between")
    keep_real(gradient, "draw_seed")
    cached = (grids._points, grids._eye, enumeration.every_support)
    for function in cached:
        function.cache_clear()
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        yield mode
    for function in cached:
        function.cache_clear()


@pytest.mark.parametrize(
    ("rule", "losses"),
    [
        *((rule, cross_entropy) for rule in RULES + NAMED),
        *((rule, MIXED) for rule in (Average(), Max(), MGDA())),
    ],
    ids=lambda one: getattr(one, "__name__", repr(one)),
)
def test_a_step_of_a_rule_runs_on_a_gpu_of_pretence(pretence, rule, losses):
    model = network(DEVICE)
    threats = {label: THREATS[label] for label in ("pgd", "flow", "rt")}
    faults = step(model, threats, rule, *batch(DEVICE), losses=losses)
    assert faults.device.type == DEVICE
    assert faults.shape == (3, 4)


@pytest.mark.parametrize("label", THREATS)
def test_the_search_of_a_threat_runs_on_a_gpu_of_pretence(pretence, label):
    x, y = batch(DEVICE)
    generator = torch.Generator().manual_seed(1)
    (trace,) = joint_search(
        network(DEVICE), [THREATS[label]], x, y, generator=generator, pass_size=100
    )
    assert isinstance(trace.images, Tensor)
    assert trace.images.device.type == DEVICE
    assert trace.images.shape == x.shape


@pytest.mark.parametrize("augmentation", AUGMENTATIONS, ids=repr)
def test_images_are_varied_on_a_gpu_of_pretence(pretence, augmentation):
    images = torch.zeros(6, 1, 9, 9, dtype=torch.uint8, device=DEVICE)
    varied = augmentation.on((8, 8), torch.Generator().manual_seed(1))(images)
    assert (varied.device.type, varied.shape) == (DEVICE, (6, 1, 8, 8))


def test_a_tensor_that_stays_on_the_host_is_noticed_on_a_gpu_of_pretence(pretence):
    class Shifted(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network(DEVICE)

        def forward(self, x):
            return self.network(x + torch.zeros(8))

    with pytest.raises(RuntimeError, match="device"):
        joint_search(Shifted(), [THREATS["pgd"]], *batch(DEVICE), pass_size=100)
