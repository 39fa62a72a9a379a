"""An evaluation waits for a GPU once a search and group, and runs on a GPU of pretence."""

from functools import wraps

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily

from moat.evaluation import Protocol
from moat.evaluation.batch import Batch
from moat.evaluation.room import room_for
from moat.evaluation.searching import natural_images, search_threat
from moat.geometry import grids
from moat.geometry.draws import BatchGenerator
from moat.testing import Counted
from moat.threats import PGD, RT, Flow, Integrated, RTGrid, StAdv, ascend, gradient, rt_grid

STEPS = {"steps": 3, "start": "noise"}
THREATS = {
    "pgd": PGD(epsilon=0.2, step_size=0.05, **STEPS),
    "pgd-l2": PGD(epsilon=0.2, step_size=0.05, norm="l2", **STEPS),
    "pgd-l1": PGD(epsilon=2.0, step_size=0.5, norm="l1", **STEPS),
    "pgd-kl": PGD(epsilon=0.2, step_size=0.05, loss="kl", **STEPS),
    "pgd-apgd": PGD(epsilon=0.2, search="apgd", loss="targeted-dlr", **STEPS),
    "pgd-draws": PGD(epsilon=0.2, search="random", steps=4),
    "flow": Flow(epsilon=0.3, step_size=0.05, **STEPS),
    "rt": RT(epsilon=0.3, step_size=0.05, steps=2, start="uniform"),
    "integrated": Integrated(
        flow_epsilon=0.3, flow_step_size=0.05, rt_epsilon=0.3, rt_step_size=0.05, **STEPS
    ),
    "stadv": StAdv(step_size=0.02, steps=2),
    "rt-grid": RTGrid(rotations=2, translations=2),
    "rt-worst": RTGrid(worst_of=3),
}
DEVICE = "lazy"
"""Stands for a GPU: without a driver autograd does not run on a pretended "cuda"."""
COUNT = 10


def batch_of(label, device="cpu", falls="any", memory=None, leave_every=0):
    torch.manual_seed(0)
    with torch.device(device):
        model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))
        images = torch.zeros(COUNT, 1, 8, 8, dtype=torch.uint8)
        labels = torch.arange(COUNT) % 5
    threat = THREATS[label]
    repeated = label not in ("stadv", "rt-grid")
    restarts = {label: 2} if repeated else {}
    counts = {label: (1, 3)} if label in ("pgd", "flow") else {}
    protocol = Protocol({label: threat}, counts, restarts=restarts, falls=falls, memory=memory)
    room = room_for(protocol, images.shape, torch.device("cpu"), image=100, classes=5)
    return Batch(model, images, labels, protocol, 0, room, leave_every)


@pytest.fixture
def fetches(monkeypatch):
    """What is fetched, as numbers that a GPU of pretence cannot give."""
    sizes = []

    def fetched(numbers):
        sizes.append((tuple(numbers.shape), numbers.device.type, numbers.dtype))
        return np.ones(numbers.shape)

    monkeypatch.setattr("moat.evaluation.searching.fetched", fetched)
    return sizes


def search(batch, label, standing=None):
    everybody = np.ones(COUNT, dtype=bool)
    return search_threat(batch, label, everybody if standing is None else standing, everybody)


@pytest.mark.parametrize("falls", ["last", "any"])
@pytest.mark.parametrize("label", THREATS)
def test_a_search_asks_nothing_but_what_it_fetches_once_a_group(label, falls, fetches):
    batch = batch_of(label, falls=falls)
    with Counted() as questions:
        search(batch, label)
    assert questions.asked == []
    assert len(fetches) == 1
    small = batch_of(label, falls=falls, memory=1.2 * _least(batch))
    with Counted() as questions:
        search(small, label)
    assert questions.asked == []
    attempts = len(list(batch.protocol.attempts(label)))
    assert len(fetches) - 1 == attempts * COUNT
    assert all(shape[2] == 1 for shape, *_ in fetches[1:])


def _least(batch):
    room = batch.room
    return (room.batch + sum(room.searches.values()) + room.image) / 2**30


def test_natural_images_are_fetched_once(fetches):
    with Counted() as questions:
        natural_images(batch_of("pgd"))
    assert questions.asked == []
    assert len(fetches) == 1


def _real(function):
    @wraps(function)
    def real(*args):
        with unset_fake_temporarily():
            return function(*args)

    return real


@pytest.fixture
def pretence(monkeypatch):
    """Tensors without values on a pretended GPU; what is cached by device does not outlive it."""
    on_the_host = ((gradient, "draw_seed"), (rt_grid, "_between"), (BatchGenerator, "_state"))
    for home, name in on_the_host:
        monkeypatch.setattr(home, name, _real(getattr(home, name)))
    cached = (grids._points, grids._eye)
    for function in cached:
        function.cache_clear()
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        yield mode
    for function in cached:
        function.cache_clear()


@pytest.mark.parametrize("label", THREATS)
def test_an_evaluation_runs_on_a_gpu_of_pretence(label, fetches, pretence):
    for falls in ("last", "any"):
        batch = batch_of(label, DEVICE, falls)
        natural_images(batch)
        found = search(batch, label)
        assert (found.outcomes == 1).all()
        small = batch_of(label, DEVICE, falls, memory=4 * _least(batch))
        search(small, label, np.arange(COUNT) % 3 > 0)
    assert {(device, dtype) for _, device, dtype in fetches} == {(DEVICE, torch.float64)}


def test_the_fallen_leave_a_gpu_s_passes_in_every_eighth_iteration(monkeypatch):
    monkeypatch.setattr("moat.threats.ascent._patience", lambda climb: 8)
    batch = batch_of("pgd")
    x, _ = batch.examples(np.arange(COUNT))
    with torch.no_grad():
        right = batch.model(x).argmax(1)
    y = torch.where(torch.arange(COUNT) < 4, right, (right + 1) % 5)  # the others fall at once
    threat = PGD(epsilon=1e-9, step_size=1e-9, steps=20)
    seen = []
    batch.model.register_forward_hook(lambda m, i, o: seen.append(len(o)))
    with Counted() as questions:
        ascend(batch.model, [threat.climb(x, y)], 100, until_fallen=True)
    assert seen == [COUNT] * 8 + [4] * 13
    looks = [name for name in questions.asked if name in ("_local_scalar_dense", "is_nonzero")]
    assert len(looks) == 2


@pytest.mark.parametrize("label", THREATS)
@pytest.mark.parametrize("leave_every", [0, 2, 3])
def test_when_the_fallen_leave_changes_nothing(label, leave_every):
    batch = batch_of(label)
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(COUNT, 1, 8, 8, generator=generator, dtype=torch.float64)
    model, y = batch.model.double(), batch.labels
    threat, at_steps = THREATS[label], ()
    if label in ("pgd", "flow"):
        at_steps = (1, 3)
    among = torch.arange(COUNT) % 4 > 0
    found = []
    for every in (1, leave_every):
        drawn = torch.Generator().manual_seed(2)
        climb = threat.climb(x, y, at_steps=at_steps, generator=drawn)
        object.__setattr__(climb, "among", among)
        (traces,) = ascend(model, [climb], 4, until_fallen=True, leave_every=every)
        found.append(traces)
    assert found[0].keys() == found[1].keys()
    for one, other in zip(*(traces.values() for traces in found), strict=True):
        for name, values in vars(one).items():
            pairs = [(values, getattr(other, name))]
            if not isinstance(values, Tensor):
                pairs = list(zip(*pairs[0], strict=True))
            for a, b in pairs:
                torch.testing.assert_close(a, b, equal_nan=True)
