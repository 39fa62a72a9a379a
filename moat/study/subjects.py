"""The model under evaluation, and the place of its evaluation."""

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from moat.data import Data, Split
from moat.errors import RunFolderError
from moat.evaluation import Protocol
from moat.recipe import RunPlan
from moat.records import ModelRecord
from moat.runs import RunFolder
from moat.study.failures import asked_for


@dataclass(frozen=True)
class Subject:
    """A model under evaluation, and the folder of its evaluation.

    A trained run is evaluated in its own folder; a run under another protocol, or a user's network,
    in a folder of that protocol.
    """

    folder: RunFolder
    model: nn.Module
    record: ModelRecord  # what run.json says of it, without an evaluation
    pass_size: int | None = None
    held_out: Split | None = None  # examples held out from its training, searched as the test's are


class StatedProtocol(typing.Protocol):
    """The source of a protocol: a run's plan, or the file of a protocol."""

    @property
    def protocol(self) -> Protocol:
        """The threats, their strengths, and the evaluated examples."""

    @property
    def evaluates(self) -> Mapping[str, Any]:
        """Everything that determines the evaluation of given weights."""

    @property
    def protocol_hash(self) -> str:
        """The hash of `evaluates`."""

    @property
    def memory(self) -> float:
        """GiB of images that may be on the device at once."""


def run_subject(
    plan: RunPlan, folder: RunFolder, model: nn.Module, data: Data, record: ModelRecord
) -> Subject:
    """Return a trained run as the subject of an evaluation in its own folder.

    Raises RunFolderError if the test images differ from those of its earlier evaluation.
    """
    then, now = record.data.get("digest"), data.test.digest()
    if then != now:
        raise RunFolderError(
            f"the test images differ from those of this run: digest {then} then, {now} now.",
            where=str(folder.path),
            hint="Restore the data of the training, or train it again with --overwrite.",
        )
    return Subject(folder, model, record, plan.training.pass_size, held_out_of(plan, data))


def held_out_of(plan: RunPlan, data: Data) -> Split | None:
    """Return the held-out part of a run's training data, as its model gets it."""
    with asked_for(plan, "data"):
        _, held_out = plan.share.of(data.train)
    return held_out.at(data.shape[1:]) if held_out else None
