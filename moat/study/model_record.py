"""The facts of run.json about a model before its evaluation."""

import platform
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from moat import allocator
from moat.data import Data
from moat.records import ModelRecord
from moat.study.plugin_versions import training_plugins
from moat.version import __version__


def model_record(
    own: Mapping[str, Any],
    data: Data,
    test_data: Mapping[str, Any],
    machine: Mapping[str, Any],
    *,
    training: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
    command: Sequence[str] | None = None,
) -> ModelRecord:
    """Return the record of a model that was trained here or given by the user.

    `own` are its names (study, variant, sweep, seed, label) and its origin; `test_data` identifies
    the data of its evaluation, `training` is the summary of its training, `files` are the digests
    of the training's files, and `command` repeats the evaluation. The packages of plug-ins are
    recorded with their versions.
    """
    said = {"training": training, "machine": machine, "files": files, "command": command}
    said["plugins"] = training_plugins(own["trains"], test_data) or None
    return ModelRecord.model_validate(
        {
            "moat": __version__,
            **own,
            "data": {**test_data, "digest": data.test.digest()},
            "shape": list(data.shape),
            "classes": len(data.classes),
            **{key: value for key, value in said.items() if value is not None},
        }
    )


def machine_of(device: torch.device, pass_size: int | None = None) -> dict[str, Any]:
    """Return a record's facts about its machine, for a training with its pass size."""
    trained = {"threads": torch.get_num_threads(), "pass_size": pass_size} if pass_size else {}
    grid = {"grid": "normalised to [-1, 1], pixels as areas, zeros outside"} if pass_size else {}
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        **trained,
        "allocator": allocator.in_use(),
        **grid,
    }
