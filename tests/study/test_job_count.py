"""How many runs are at work at once, and with how many threads."""

import pytest
import torch

from moat.errors import MoatError
from moat.events import StudyNote
from moat.study import job_count, plan, train
from moat.study.job_count import Share, core_count, jobs_of, settle_jobs
from moat.study.runner import RunnerSettings

GIB = 2**30


@pytest.mark.parametrize(("asked", "jobs"), [(1, 1), ("1", 1), ("16", 16), ("auto", "auto")])
def test_a_number_of_jobs_is_whole_or_auto(asked, jobs):
    assert jobs_of(asked) == jobs


BAD = [
    *(0, "0", "00", -1, "-1", "2.0", "", " 2", "2 ", "two", "AUTO", "1e2"),
    *("1_0", "٣", "0x2", "+2", "nan", "inf"),
]


@pytest.mark.parametrize("asked", BAD, ids=repr)
def test_anything_else_is_refused_by_name(asked, recipe, results):
    with pytest.raises(MoatError) as refused:
        train(recipe(), results=results, jobs=asked)
    assert str(refused.value) == (
        f"jobs: {str(asked)!r} is not a number of parallel runs.\n"
        "  Give a whole number from 1 on, or auto: as many as cores and memory allow."
    )
    assert refused.value.exit_code == 2
    assert not results.exists()


@pytest.mark.parametrize("asked", [2.0, True, None, [2]], ids=repr)
def test_what_is_neither_a_number_nor_text_is_refused_by_its_type(asked, recipe, results):
    with pytest.raises(MoatError, match="jobs should be a whole number or a text, not "):
        train(recipe(), results=results, jobs=asked)
    with pytest.raises(MoatError, match=r"jobs: .* number of parallel runs"):
        jobs_of(asked)
    assert not results.exists()


@pytest.fixture
def machine(recipe, results, monkeypatch):
    """Settle the jobs of the small study's four runs on a machine; return them and what is said."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    plans = plan(recipe())

    def settle(wanted, *, cores=8, free=100 * GIB, each=GIB, left=4, device="cpu"):
        device = torch.device(device)
        monkeypatch.setattr(job_count, "core_count", lambda: cores)
        monkeypatch.setattr(job_count, "free_memory", lambda device: free)
        monkeypatch.setattr(job_count, "memory_per_job", lambda *about: each)
        monkeypatch.setattr(job_count, "device_for", lambda asked: device)
        said = []
        setting = RunnerSettings(results, "auto", overwrite=False)
        share = settle_jobs(wanted, plans[:left], len(plans), setting, said.append)
        assert all(isinstance(event, StudyNote) for event in said)
        return share, [event.text for event in said]

    return settle


@pytest.mark.parametrize(
    ("jobs", "cores", "share"),
    [(2, 8, Share(2, 4)), (3, 8, Share(3, 2)), (4, 2, Share(4, 1)), (9, 8, Share(4, 2))],
)
def test_the_cores_are_divided_among_the_jobs_of_which_there_are_no_more_than_runs(
    jobs, cores, share, machine
):
    assert machine(jobs, cores=cores) == (share, [])


def test_how_many_threads_a_run_has_does_not_depend_on_how_many_runs_are_left(machine):
    assert machine(2, left=1) == (Share(2, 4), [])
    assert machine(2, left=0) == (Share(2, 4), [])


@pytest.mark.parametrize(("said", "threads"), [("1", 1), ("3", 3), ("8", 4), ("no", 4), ("0", 4)])
def test_a_variable_may_lower_the_threads(said, threads, machine, monkeypatch):
    monkeypatch.setattr(job_count.os, "environ", {"OMP_NUM_THREADS": said})
    assert machine(2) == (Share(2, threads), [])


def test_more_jobs_than_memory_allows_are_warned_of_with_the_figure(machine):
    share, said = machine(4, free=3 * GIB, each=GIB)
    assert share == Share(4, 2)
    assert said == [
        "4 jobs may take 4.0 GiB of memory (an estimate: 1.0 GiB each), and 3.0 GiB are free. A "
        "job without memory fails, or the system ends its worker. --jobs 3 fits."
    ]
    assert machine(4, free=3 * GIB, each=GIB, left=3)[1] == []
    assert machine(4, free=None)[1] == []
    assert machine(4, each=0)[1] == []
    assert machine(2, free=1, each=GIB)[1][0].endswith("--jobs 1 fits.")


def test_auto_takes_what_cores_runs_and_memory_allow_and_says_so(machine):
    assert machine("auto", cores=3) == (
        Share(3, 1),
        [
            "--jobs auto: 3 at once, 1 thread each (3 cores, 4 runs left, memory for 100 at about "
            "1.0 GiB each)."
        ],
    )
    assert machine("auto", cores=8, free=2 * GIB)[0] == Share(2, 4)
    assert machine("auto", cores=8, free=1)[0] == Share(1, 8)
    assert machine("auto", cores=8, left=1) == (
        Share(1, 8),
        [
            "--jobs auto: 1 at once, 8 threads each (8 cores, 1 run left, memory for 100 at about "
            "1.0 GiB each)."
        ],
    )
    assert machine("auto", cores=1, free=None, left=0) == (
        Share(1, 1),
        ["--jobs auto: 1 at once, 1 thread each (1 core, 0 runs left)."],
    )


def test_auto_takes_one_job_on_a_gpu(machine):
    assert machine("auto", device="cuda") == (
        Share(1, 8),
        ["--jobs auto: 1 at once, 8 threads each (one GPU, which jobs would share)."],
    )
    assert machine(2, device="cuda") == (Share(2, 4), [])


def test_a_containers_share_of_the_cores_counts(monkeypatch):
    known = core_count()
    assert 1 <= known <= job_count.os.cpu_count()
    for text, most in (("150000 100000", 2), ("max 100000", known), ("nonsense", known)):
        monkeypatch.setattr(job_count.Path, "read_text", lambda path, *about, text=text: text)
        assert core_count() == min(known, most) if most == 2 else core_count() >= 1
