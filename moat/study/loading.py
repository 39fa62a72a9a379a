"""From a run folder back to a model."""

from pathlib import Path

import torch
from torch import nn

from moat.errors import ModelError, RunFolderError
from moat.recipe import RunPlan, plan_runs, read
from moat.runs import Record, RunFolder


def load(run_folder: Path | str, device: torch.device | str = "cpu") -> nn.Module:
    """Return the trained model of a finished run: eval mode, images in [0, 1] to logits.

    Raises RunFolderError where the folder holds no finished run.
    """
    folder = RunFolder(run_folder)
    record = finished_record(folder)
    (plan,) = plan_of(folder)
    channel, height, width = record["shape"]
    model = plan.model.build((channel, height, width), record["classes"])
    return with_weights(model, folder).to(device).eval()


def finished_record(folder: RunFolder) -> Record:
    """Return run.json of a finished run; raise RunFolderError where there is none."""
    record = folder.read_record()
    if record is None:
        raise RunFolderError(
            "there is no finished run here (no run.json).",
            where=str(folder.path),
            hint="Name a run's own folder, results/<study>/<variant>/.../seed-<n>, or finish it "
            "by running its `moat train` again.",
        )
    return record


def plan_of(folder: RunFolder) -> list[RunPlan]:
    """Return the plan of the one run that a folder's own recipe describes."""
    path = folder.recipe
    if not path.exists():
        raise RunFolderError("the run's recipe.toml is missing.", where=str(folder.path))
    return plan_runs(read(path))


def with_weights(model: nn.Module, folder: RunFolder) -> nn.Module:
    """Load a folder's trained weights into a model; raise ModelError where they do not fit."""
    weights = folder.load_model()
    if weights is None:
        raise RunFolderError("the run has no trained weights yet.", where=str(folder.path))
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ModelError(
            f"the weights do not fit the network: {error}", where=str(folder.path)
        ) from error
    return model
