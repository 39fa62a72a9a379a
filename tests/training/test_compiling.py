"""A compiler that fails, wherever it does: the run goes on as if nobody had asked for it."""

from functools import partial

import pytest
import torch
from torch import nn

from moat.data import Split
from moat.events import Note
from moat.runs import RunFolder
from moat.scalarizers import MGDA, Max, TwoMoment
from moat.threats import PGD, RT
from moat.training import (
    SGD,
    Constant,
    Fit,
    Training,
    compiling,
    fabric_for,
    fit,
    loop,
)
from moat.training.compile_modes import Compiled
from moat.training.compiling import CompiledNetwork

COMPILE = torch.compile


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def plain(graph, inputs):
    """A compiler that changes nothing."""
    return graph.forward


def broken(graph, inputs):
    raise RuntimeError("no such target\nand many lines more")


def at_the_second_shape():
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        if len(graphs) > 3:  # those of the search and of the descent were made
            raise RuntimeError("one shape too many")
        return graph.forward

    return backend


class _NoSlope(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        return x.clone()

    @staticmethod
    def backward(context, slope):
        raise RuntimeError("no slope for you")


def in_the_backward(graph, inputs):
    return lambda *given: [_NoSlope.apply(part) for part in graph(*given)]


def absent(model):
    raise RuntimeError("torch.compile is not supported here")


COMPILERS = {
    "nothing happens": (partial(COMPILE, backend=plain), ""),
    "the backend raises": (
        partial(COMPILE, backend=broken),
        "BackendCompilerFailed: backend='broken' raised:",
    ),
    "at the second shape": (
        lambda model: COMPILE(model, backend=at_the_second_shape()),
        "BackendCompilerFailed: backend='backend' raised:",
    ),
    "in the backward": (
        partial(COMPILE, backend=in_the_backward),
        "RuntimeError: no slope for you",
    ),
    "no compiler for this system": (absent, "RuntimeError: torch.compile is not supported here"),
}


class Network(nn.Module):
    """What a failed try could leave behind: a draw, a batch norm's counts, buffers made anew."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(
            nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Tanh(), nn.Flatten(), nn.Dropout(0.5)
        )
        self.head = nn.Linear(108, 2)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x):
        if self.training:
            self.seen = self.seen + 1
        return self.head(self.body(x))


class Heard:
    def __init__(self):
        self.lines = []

    def __call__(self, event):
        if isinstance(event, Note):
            self.lines.append(event.text)


def trained(folder, monkeypatch, mode, compiler=COMPILE, rule=None, network=Network):
    """Train for two epochs, the last batch of each smaller, as on a GPU."""
    monkeypatch.setattr(torch, "compile", compiler)
    on_gpu = torch.device("cuda")
    monkeypatch.setattr(loop, "Compiled", lambda m, mode, d, **more: Compiled(m, mode, on_gpu))
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(20) % 2
    images = torch.randint(0, 200, (20, 1, 8, 8), generator=generator, dtype=torch.uint8)
    folder.mkdir(parents=True)
    job = Fit(
        model=network(),
        split=Split(images, labels, torch.arange(20)),
        threats={
            "pgd": PGD(epsilon=0.1, step_size=0.05, steps=2, start="noise"),
            "rt": RT(epsilon=0.2, step_size=0.1, steps=1),
        },
        scalarizer=rule or TwoMoment(rho=0.5),
        training=Training(epochs=2, batch_size=8, log_every=1, compile=mode),
        optimizer=SGD(lr=0.05),
        schedule=Constant(),
        seed=0,
        folder=RunFolder(folder),
        fabric=fabric_for("cpu", "32-true"),
    )
    heard = Heard()
    fitted = fit(job, heard)
    log = [{**line, "images_per_second": 0} for line in job.folder.read_log()]
    return {**job.model.state_dict()}, log, fitted.compiled, heard.lines


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("case", COMPILERS)
def test_a_compiler_that_fails_costs_nothing_but_the_compiling(case, tmp_path, monkeypatch):
    compiler, why = COMPILERS[case]
    weights, log, _, _ = trained(tmp_path / "none", monkeypatch, "none")
    found, own_log, outcome, lines = trained(tmp_path / "own", monkeypatch, "default", compiler)
    assert same(found, weights)
    assert own_log == log
    if why:
        assert outcome == f"graph, no search captured; the network is not compiled: {why}"
        assert lines == [f"training.compile: the network is not compiled: {why}."]
    else:
        assert (outcome, lines) == ("default, no search captured", [])


@pytest.mark.parametrize("rule", [Max(), MGDA()], ids=repr)
def test_so_it_is_with_every_way_to_descend(rule, tmp_path, monkeypatch):
    weights, log, _, _ = trained(tmp_path / "none", monkeypatch, "none", rule=rule)
    compiler, _ = COMPILERS["at the second shape"]
    found, own, _, _ = trained(tmp_path / "own", monkeypatch, "default", compiler, rule)
    assert same(found, weights)
    assert own == log


def test_python_that_torch_does_not_compile_runs_between_what_it_does(tmp_path, monkeypatch):
    class Odd(Network):
        def forward(self, x):
            with open(__file__) as file:  # torch breaks its graph here
                share = 1.0 if file.readline() else 0.0
            return share * super().forward(x)

    compiler, _ = COMPILERS["nothing happens"]
    weights, _, _, _ = trained(tmp_path / "none", monkeypatch, "none", network=Odd)
    found, _, outcome, _ = trained(tmp_path / "own", monkeypatch, "default", compiler, network=Odd)
    assert same(found, weights)
    assert outcome == "default, no search captured"


def test_without_a_compiler_on_the_machine_the_reason_names_what_is_missing(monkeypatch):
    import torch._inductor.config as settings

    monkeypatch.setattr(settings.cpp, "cxx", ("no-such-compiler",))
    network = CompiledNetwork(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)))
    assert network(torch.rand(3, 1, 8, 8)).shape == (3, 2)
    assert network.refusal.startswith("InductorError: InvalidCxxCompiler: No working C++ compiler")


def test_too_little_memory_is_not_the_compilers_fault(monkeypatch):
    def full(graph, inputs):
        def run(*given):
            raise torch.OutOfMemoryError("2 GiB wanted")

        return run

    monkeypatch.setattr(torch, "compile", partial(COMPILE, backend=full))
    network = CompiledNetwork(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)))
    with pytest.raises(torch.OutOfMemoryError, match="2 GiB wanted"):
        network(torch.rand(3, 1, 8, 8))
    assert network.refusal == ""


def test_a_networks_own_error_is_its_own_and_not_the_compilers(monkeypatch):
    monkeypatch.setattr(torch, "compile", partial(COMPILE, backend=plain))
    network = CompiledNetwork(nn.Sequential(nn.Flatten(), nn.Linear(63, 2)))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        network(torch.rand(3, 1, 8, 8))


def test_what_is_known_is_not_tried_again(monkeypatch):
    tried = []
    monkeypatch.setattr(torch, "compile", partial(COMPILE, backend=plain))
    undone = compiling._undone
    monkeypatch.setattr(compiling, "_undone", lambda *given: tried.append(given) or undone(*given))
    network = CompiledNetwork(Network())
    for _ in range(2):
        for count in (4, 3):
            for mode in (True, False):
                network.train(mode)(torch.rand(count, 1, 8, 8))
    assert len(tried) == 4


def test_the_network_behind_a_compiler_is_the_network():
    network = Network()
    compiled = CompiledNetwork(network)
    assert [*compiled.parameters()] == [*network.parameters()]
    assert not compiled.eval().model.body.training
