"""The examples run: a few steps of each, as they stand."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from moat.data import Digits
from moat.scalarizers import TwoMoment
from moat.threats import PGD, RT
from moat.training import Step

EXAMPLES = Path(__file__).parents[2] / "examples"
NEEDED = {
    "plain_pytorch": "torch",
    "lightning_module": "pytorch_lightning",
    "with_accelerate": "accelerate",
    "multi_task": "torch",
}


def example(name):
    """Return an example as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def random_state_as_before():
    with torch.random.fork_rng(devices=[]):
        yield


def test_every_example_is_run_here():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*NEEDED, "several_processes"}


@pytest.mark.filterwarnings("ignore")  # of other libraries
@pytest.mark.parametrize("name", NEEDED)
def test_an_example_runs(name, capsys):
    pytest.importorskip(NEEDED[name])
    made = example(name).main(epochs=2, steps=4)
    if isinstance(made, nn.Module):
        assert all(parameter.isfinite().all() for parameter in made.parameters())
    else:
        assert sum(made) == pytest.approx(1)
        assert abs(made[0] - made[1]) > 0.1  # the rule tells the tasks apart


def test_the_plain_loop_goes_on_from_its_checkpoint_to_the_byte(tmp_path, monkeypatch, capsys):
    plain = example("plain_pytorch")
    whole = plain.main(epochs=2, steps=3)
    state = tmp_path / "state.pt"
    with monkeypatch.context() as stopped:  # after its first epoch
        stopped.setattr(plain, "range", lambda begin, end: range(begin, 1), raising=False)
        plain.main(epochs=2, steps=3, checkpoint=state)
    again = plain.main(epochs=2, steps=3, checkpoint=state)
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


TWO_PROCESSES = """
import os, sys
import torch
from several_processes import train
from moat.data import Digits
folder, other = sys.argv[1], os.fork()  # here, where nothing but this thread runs
rank = 0 if other else 1
torch.distributed.init_process_group(
    "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
)
split = Digits().load(None).train
net = train(split.images.double() / 255, split.labels, 3, 16)
torch.save(net.state_dict(), f"{folder}/{rank}.pt")
torch.distributed.destroy_process_group()
if other and os.waitpid(other, 0)[1]:
    sys.exit("the other process failed")
"""


@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch lacks torch.distributed")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_two_processes_train_the_network_of_one(tmp_path):
    path = os.pathsep.join([str(EXAMPLES), str(EXAMPLES.parent), *filter(None, sys.path)])
    command = [sys.executable, "-c", TWO_PROCESSES, str(tmp_path)]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=True, timeout=300)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))

    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 10)).double()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    pgd, rt = PGD(epsilon=0.15, step_size=0.03, steps=3), RT(epsilon=0.2, step_size=0.05, steps=3)
    step = Step(net, optimizer, [pgd, rt], TwoMoment(rho=0.5))
    split = Digits().load(None).train
    for number in range(3):
        rows = slice(16 * number, 16 * number + 16)
        step(split.images[rows].double() / 255, split.labels[rows])
    for name, value in net.state_dict().items():
        assert torch.equal(first[name], second[name])
        torch.testing.assert_close(first[name], value, rtol=0, atol=1e-9)
