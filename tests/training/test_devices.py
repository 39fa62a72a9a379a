import os
import subprocess
import sys

import pytest
import torch
from lightning_fabric.strategies import SingleDeviceStrategy

from moat.errors import MoatError
from moat.training import device_for, fabric_for

LAUNCHED = {
    "slurm, several tasks": {"SLURM_NTASKS": "2", "SLURM_JOB_NAME": "train", "SLURM_PROCID": "1"},
    "slurm, no procid": {"SLURM_NTASKS": "many", "SLURM_JOB_ID": "7"},
    "lsf": {
        "LSB_JOBID": "3",
        "LSB_DJOB_RANKFILE": "/nowhere",
        "JSM_NAMESPACE_LOCAL_RANK": "0",
        "JSM_NAMESPACE_SIZE": "2",
    },
    "torchrun": {
        "TORCHELASTIC_RUN_ID": "1",
        "RANK": "1",
        "GROUP_RANK": "0",
        "LOCAL_RANK": "1",
        "LOCAL_WORLD_SIZE": "2",
        "WORLD_SIZE": "2",
    },
    "mpi": {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1"},
    "kubeflow": {"MASTER_ADDR": "", "MASTER_PORT": "", "WORLD_SIZE": "2", "RANK": "1"},
    "fabric run": {"LT_CLI_USED": "1", "LT_STRATEGY": "ddp", "LT_DEVICES": "2"},
    "another accelerator": {"LT_ACCELERATOR": "tpu"},
    "another precision": {"LT_PRECISION": "16-true"},
    "numbers that are none": {"LT_NUM_NODES": "x", "LT_CLI_USED": "yes", "RANK": ""},
}


@pytest.mark.parametrize("launcher", LAUNCHED)
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_run_has_one_device_wherever_it_is_started(launcher, precision, monkeypatch):
    for key, value in LAUNCHED[launcher].items():
        monkeypatch.setenv(key, value)
    before = dict(os.environ)
    fabric = fabric_for("cpu", precision)
    assert isinstance(fabric.strategy, SingleDeviceStrategy)
    assert (fabric.device, fabric.world_size) == (torch.device("cpu"), 1)
    with fabric.autocast():
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.float32 if precision == "32-true" else torch.bfloat16)
    assert dict(os.environ) == before


def test_moat_is_imported_in_the_environment_of_any_launcher():
    """A rank that is not a number stops Fabric's import, and one above 0 silences its loggers."""
    script = (
        "from moat.training import fabric_for\n"
        "device = fabric_for('cpu', '32-true').device\n"
        "from lightning_fabric.utilities import rank_zero_only\n"
        "print(device, rank_zero_only.rank)\n"
    )
    variables = {key: value for one in LAUNCHED.values() for key, value in one.items()}
    for rank in ("1", "none"):
        environment = {**os.environ, **variables, "RANK": rank, "SLURM_PROCID": rank}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True
        )
        assert (done.stdout, done.returncode) == ("cpu 0\n", 0), done.stderr


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_a_device_alone_is_that_of_its_fabric(name):
    assert device_for(name) == fabric_for(name, "32-true").device


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_an_absent_device_is_refused():
    with pytest.raises(MoatError, match="no CUDA device was found") as caught:
        fabric_for("cuda", "32-true")
    assert "--device cpu" in caught.value.hint


@pytest.mark.parametrize("name", ["cuda:7", "gpu", "mps", "CUDA", "", "cpu:0"])
def test_another_name_is_refused_with_those_that_there_are(name):
    with pytest.raises(MoatError, match=f"no device is called '{name}'") as caught:
        fabric_for(name, "32-true")
    assert caught.value.hint.startswith("known: auto, cpu, cuda\n")
    assert "CUDA_VISIBLE_DEVICES" in caught.value.hint
    if name == "cuda:7":
        assert caught.value.message.endswith("Did you mean 'cuda'?")
