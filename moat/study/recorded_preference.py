"""The conditioned network of a finished run, by its record alone, made plain for any preference."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from moat.errors import ForeignFileError, InputError
from moat.models import FiLM
from moat.names import NATURAL
from moat.records import RunRecord
from moat.runs import RunFolder, as_typed
from moat.scalarizers.choice import scalarizer_from
from moat.scalarizers.random_preference import preference_at
from moat.study.conditioned import load_trained

At = float | Mapping[str, float]
"""A point of the line from natural (0) to robust (1), or the weights of a preference by name."""


def one_place(at: float | None, preference: Mapping[str, float] | None) -> At | None:
    """Return the point or the preference that is asked for, None for neither.

    Raises InputError for both.
    """
    if at is not None and preference is not None:
        raise InputError(
            "at and preference both choose the network.",
            hint="Pass one of them: at=0.5 is a point of the line from natural to robust training.",
        )
    return preference if at is None else at


def require_conditioned(record: RunRecord, folder: RunFolder) -> Mapping[str, Any]:
    """Return a record's table of its conditioned network; InputError for a run without one."""
    table = record.trains.get("conditioned")
    if not isinstance(table, Mapping):
        raise InputError(
            "the run has one network, for no other preference than its own.",
            where=str(folder.path),
            hint="Name a run of a variant with `conditioned`, or leave the preference out.",
        )
    return table


def trunk_of(record: RunRecord, folder: RunFolder) -> tuple[Path, str]:
    """Return the folder of the run that trained the conditioned network, and its training hash."""
    start = record.start
    if start is None or start.training is None:
        return folder.path, str(record.train_hash)
    beside = Path(start.place).parts[-2:]  # the folder of the point, and that of the seed
    return folder.path.parent.parent.joinpath(*beside), start.training


def plain_of_record(network: nn.Module, folder: RunFolder, record: RunRecord, at: At) -> nn.Module:
    """Return the plain network of a run for a point or a preference.

    `network` is a new one of the run's model. Raises InputError for an invalid preference and for a
    run that is not conditioned, and RunFolderError if the conditioned network is missing.
    """
    table, trains = require_conditioned(record, folder), record.trains
    place, training = trunk_of(record, folder)
    names = (NATURAL, *trains["order"])
    conditioned = FiLM(network, names, table["hidden"])
    preference = preference_at(at, scalarizer_from(trains["scalarizer"]), names)
    try:
        load_trained(conditioned, place, training)
    except ForeignFileError as error:
        if place == folder.path:
            raise
        raise ForeignFileError(
            error.message,
            error.where,
            f"The network was trained again after this point. Name a run of the network as it is "
            f"now, such as {as_typed(str(place))}.",
        ) from error
    return conditioned.plain(preference)
