"""A protocol on its own: the data set and the threats of a file, apart from any study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

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
from moat.recipe.shorthand import spell_out, with_fractions


class ProtocolTables(Table):
    """The protocol's tables of a recipe, without the data."""

    plugins: list[str] = Field(default_factory=list)
    threats: dict[Label, ThreatTable] = Field(default_factory=dict)
    evaluation: EvaluationTable = EvaluationTable()


class ProtocolFile(ProtocolTables):
    """The protocol's tables of a recipe, with the data."""

    data: DataTable


IGNORED = set(Recipe.model_fields) - set(ProtocolFile.model_fields)
"""The keys of a recipe that train and do not judge."""


@dataclass(frozen=True)
class ReadProtocol:
    """A protocol from its file, with the data set of its evaluations."""

    source: Source
    dataset: DataSet
    memory: float
    protocol: Protocol
    document: Document  # what of the file counts

    @property
    def name(self) -> str:
        """Its name: the file's stem, with a short hash of the overrides."""
        return self.source.study

    @property
    def test_data(self) -> dict[str, Any]:
        """The identity of the data set."""
        return described_data(self.dataset)

    @property
    def evaluates(self) -> dict[str, Any]:
        """Everything that determines the evaluation of given weights."""
        return described_protocol(self.protocol)

    @property
    def protocol_hash(self) -> str:
        """The hash of `evaluates`, equal for every run with the same protocol."""
        return short_hash(self.evaluates)


def read_protocol(path: Path | str, overrides: Sequence[str] = ()) -> ReadProtocol:
    """Read the protocol of a file: `plugins`, `data`, `threats` with `evaluate`, `evaluation`.

    Any study's recipe is such a file; its other tables are ignored. `overrides` are `key=value`.
    Raises RecipeError, also if no threat is evaluated.
    """
    source = read(path, overrides)
    with naming_homes(source.document):
        return _protocol_of(source, path)


def protocol_of_tables(tables: Mapping[str, Any]) -> Protocol:
    """Return the protocol that tables of a recipe state: `threats` with `evaluate`, `evaluation`.

    Lists may be tuples. Raises RecipeError as for a file.
    """
    source = Source(_as_document(tables), {(): "the protocol"}, "protocol")
    spell_out(source.document)
    with naming_homes(source.document):
        left_out = IGNORED | {"data"}
        document = {k: value for k, value in source.document.items() if k not in left_out}
        return _stated(ProtocolTables, replace(source, document=document))[1]


def _as_document(value: Any) -> Any:
    """Return Python's tables and lists as TOML reads them."""
    if isinstance(value, Mapping):
        return {key: _as_document(held) for key, held in value.items()}
    return [_as_document(held) for held in value] if isinstance(value, list | tuple) else value


def _protocol_of(source: Source, path: Path | str) -> ReadProtocol:
    document = {key: value for key, value in source.document.items() if key not in IGNORED}
    require_name(source.study, "the study", str(path))
    file, protocol = _stated(ProtocolFile, replace(source, document=document))
    dataset = data_set_of(file.data, source)
    require_known_channels(protocol.threats, dataset, source)
    return ReadProtocol(
        source=source,
        dataset=dataset,
        memory=file.data.memory,
        protocol=protocol,
        document=document,
    )


Tables = TypeVar("Tables", bound=ProtocolTables)


def _stated(cls: type[Tables], source: Source) -> tuple[Tables, Protocol]:
    """Return the tables of a document, and the protocol that they state."""
    with explained(source, (), cls):
        tables = with_fractions(cls.model_validate, source.document)
    require_plain_document(source)
    require_consent_to(tables.plugins, source)
    import_plugins(tables.plugins, source)
    require_labels(tables.threats, tables.evaluation.summed, source)
    if all(table.evaluate is None for table in tables.threats.values()):
        raise RecipeError(
            "the protocol evaluates no threat.",
            where=source.where("threats"),
            hint="A threat is evaluated where its table has the key evaluate: evaluate = { "
            "at_steps = [10, 20] }, or {}."
            + (f"\ndefined: {', '.join(tables.threats)}" if tables.threats else ""),
        )
    return tables, protocol_of(tables.threats, tables.evaluation, source)
