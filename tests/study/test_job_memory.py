"""What a job takes of memory, estimated."""

import pytest
import torch

from moat.evaluation.room import GIB
from moat.study import job_memory, plan
from moat.study.job_memory import PROCESS, free_memory, memory_per_job
from moat.study.runner import RunnerSettings

CPU = torch.device("cpu")


@pytest.fixture
def each(recipe, results):
    """Return what a job of the small study takes, with a piece of its text replaced."""

    def estimate(*text: str) -> int:
        setting = RunnerSettings(results, "cpu", overwrite=False)
        return memory_per_job(plan(recipe(*text)), setting, CPU)

    return estimate


def test_a_small_run_takes_little_more_than_its_process(each):
    assert PROCESS < each() < PROCESS + GIB / 10


def test_a_larger_network_a_larger_pass_and_more_examples_take_more(each):
    usual = each()
    assert each("width = 4", "width = 64") > usual
    assert each("epochs = 1", "epochs = 1\npass_size = 1000000") > usual
    assert each("examples = 40", "examples = 300") > usual


def test_the_largest_of_the_runs_counts(each, recipe):
    text = 'name = "pgd-at"\nthreats = ["pgd"]'
    wide = each(text, f'{text}\nsweep = {{ "training.pass_size" = [64, 1000000] }}')
    assert wide == each("epochs = 1", "epochs = 1\npass_size = 1000000") or wide > each()


def test_what_cannot_be_estimated_is_nothing_and_stops_nobody(each):
    assert each('"digits"', '"mnist"\nroot = "nowhere"') == 0


def test_the_random_state_and_the_working_folder_are_left_alone(each):
    before = torch.get_rng_state()
    each()
    assert torch.equal(torch.get_rng_state(), before)


def test_what_the_machine_has_is_known_or_not(monkeypatch):
    found = free_memory(CPU)
    assert found is None or found > 0
    told = {
        "/proc/meminfo": "MemTotal: 9 kB\nMemAvailable:  2048 kB\n",
        "/sys/fs/cgroup/memory.max": "1000000",
        "/sys/fs/cgroup/memory.current": "400000",
    }
    monkeypatch.setattr(job_memory.Path, "read_text", lambda path, *about: told[str(path)])
    assert free_memory(CPU) == 600_000
    told["/sys/fs/cgroup/memory.max"] = "max"
    assert free_memory(CPU) == 2048 << 10
