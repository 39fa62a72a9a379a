"""A protocol on its own: the data set and the threats of a file, apart from any study."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import Field

from moat.data import DataSet
from moat.digests import short_hash
from moat.errors import RecipeError
from moat.evaluation import Protocol
from moat.recipe.checks import require_labels, require_name
from moat.recipe.code import require_consent_to
from moat.recipe.explain import explained
from moat.recipe.homes import naming_homes
from moat.recipe.load import read, require_plain_document
from moat.recipe.objects import (
    data_set_of,
    import_plugins,
    protocol_of,
    require_known_channels,
)
from moat.recipe.plan import described_data, described_protocol
from moat.recipe.provenance import Document, Source
from moat.recipe.schema import DataTable, EvaluationTable, Label, Recipe, Table, ThreatTable
from moat.recipe.shorthand import with_fractions


class ProtocolFile(Table):
    """What of a recipe says how models are judged."""

    plugins: list[str] = Field(default_factory=list)
    data: DataTable
    threats: dict[Label, ThreatTable] = Field(default_factory=dict)
    evaluation: EvaluationTable = EvaluationTable()


IGNORED = set(Recipe.model_fields) - set(ProtocolFile.model_fields)
"""The keys of a recipe that train and do not judge."""


@dataclass(frozen=True)
class ReadProtocol:
    """A protocol as its file says it, with the data set that models are judged on."""

    source: Source
    dataset: DataSet
    memory: float
    protocol: Protocol
    document: Document  # what of the file counts

    @property
    def name(self) -> str:
        """What it is called: the file's stem, with a short hash of the overrides."""
        return self.source.study

    @property
    def test_data(self) -> dict[str, Any]:
        """What identifies the data set."""
        return described_data(self.dataset)

    @property
    def evaluates(self) -> dict[str, Any]:
        """Everything that determines the evaluation of given weights."""
        return described_protocol(self.protocol)

    @property
    def protocol_hash(self) -> str:
        """The hash of `evaluates`: that of every run whose recipe judges alike."""
        return short_hash(self.evaluates)


def read_protocol(path: Path | str, overrides: Sequence[str] = ()) -> ReadProtocol:
    """Read how a file judges: `plugins`, `data`, `threats` with `evaluate`, `evaluation`.

    Any study's recipe is such a file; what else it says is not looked at. `overrides` are
    `key=value`. Raises RecipeError, also where nothing is evaluated.
    """
    source = read(path, overrides)
    with naming_homes(source.document):
        return _protocol_of(source, path)


def _protocol_of(source: Source, path: Path | str) -> ReadProtocol:
    document = {key: value for key, value in source.document.items() if key not in IGNORED}
    with explained(source, (), ProtocolFile):
        file = with_fractions(ProtocolFile.model_validate, document)
    counted = replace(source, document=document)
    require_plain_document(counted)
    require_name(source.study, "the study", str(path))
    require_consent_to(file.plugins, counted)
    import_plugins(file.plugins, source)
    require_labels(file.threats, file.evaluation.summed, source)
    if all(table.evaluate is None for table in file.threats.values()):
        raise RecipeError(
            "the protocol evaluates no threat.",
            where=source.where("threats"),
            hint="Give the table of a threat the key evaluate: evaluate = { "
            "at_steps = [10, 20] }, or {}."
            + (f"\ndefined: {', '.join(file.threats)}" if file.threats else ""),
        )
    dataset = data_set_of(file.data, source)
    protocol = protocol_of(file.threats, file.evaluation, source)
    require_known_channels(protocol.threats, dataset, source)
    return ReadProtocol(
        source=source,
        dataset=dataset,
        memory=file.data.memory,
        protocol=protocol,
        document=document,
    )
