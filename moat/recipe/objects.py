"""From the tables of a recipe to objects: a model, a threat, a scalarizer, a protocol."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_type_hints

from moat import data, models, scalarizers, threats
from moat.data import DataSet, TrainingShare
from moat.errors import RecipeError
from moat.evaluation import Protocol
from moat.evaluation.protocol_fields import MOST_RESTARTS
from moat.local_code import import_file
from moat.models import Model
from moat.models.python import PYTHON_PREFIX, PythonModel
from moat.models.torchvision import TORCHVISION_PREFIX, torchvision_model
from moat.models.weights import DIGEST
from moat.names import NATURAL
from moat.recipe.checks import require_ascending
from moat.recipe.code import require_consent_to_model
from moat.recipe.conditioned import Conditioned, ConditionedTable
from moat.recipe.construction import constructed
from moat.recipe.explain import explained
from moat.recipe.model_reference import require_reference
from moat.recipe.provenance import Document, Source
from moat.recipe.schema import (
    DataTable,
    EvaluationTable,
    ModelTable,
    Recipe,
    ThreatTable,
    VariantTable,
)
from moat.recipe.shorthand import numbers_of, with_fractions
from moat.registry import Registry
from moat.scalarizers import Scalarizer
from moat.scalarizers.random_preference import preference_at
from moat.threats import GradientThreat, Threat
from moat.threats.arguments import require_channels


def import_plugins(files: Sequence[str], source: Source) -> None:
    """Run the local files that a recipe names, which registers their declarations.

    Declarations of other recipes' files are then unknown. A file runs once in a process.
    """
    paths, root = [Path(path).resolve() for path in files], source.code
    _know(())
    for number, path in enumerate(paths):
        with explained(source, ("plugins", str(number)), Recipe):
            import_file(path, root)
            _know(paths[: number + 1])


def _know(files: Sequence[Path]) -> None:
    for registry in _REGISTRIES:
        registry.adopt(files)


def data_set_of(table: DataTable, source: Source) -> DataSet:
    """Build the data set."""
    cls = _registered(data.registry, table.type, source, "data")
    made: DataSet = filled(cls, table.own, source, ("data",), DataTable.model_fields)
    return made


def share_of(table: DataTable) -> TrainingShare:
    """Return the used share of the training split, and the share held out of it."""
    return TrainingShare(table.train_examples, table.validation, table.split_seed)


def model_of(table: ModelTable, source: Source) -> Model:
    """Build the model: a registered one, torchvision's, or a callable of the user's."""
    require_reference(table.type, source.where("model", "type"))
    if table.type.startswith(PYTHON_PREFIX):
        root = source.code
        require_consent_to_model(table.type, source.where("model", "type"), root=root)
        return _python_model(table, root, source)
    with explained(source, ("model", "type"), object):
        published = table.type.startswith(TORCHVISION_PREFIX)
        cls = (torchvision_model if published else models.registry.get)(table.type)
    made: Model = filled(cls, table.own, source, ("model",), ModelTable.model_fields)
    return made


def _python_model(table: ModelTable, root: Path | None, source: Source) -> PythonModel:
    """Return the user's callable with its arguments, and the weights that training begins with."""
    arguments = dict(table.own)
    if (weights := arguments.pop("initial_weights", None)) is None:
        return PythonModel(table.type, arguments, root)
    digest = arguments.pop(DIGEST, None)
    for key, said in (("initial_weights", weights), (DIGEST, digest)):
        if not isinstance(said, str | None):
            raise RecipeError(
                f"should be a file of weights, not {said!r}."
                if key != DIGEST
                else f"should be 16 hex digits, not {said!r}.",
                where=source.where("model", key),
            )
    return PythonModel(table.type, arguments, root, Path(weights), digest)


def with_digests(model: Model, document: Document) -> Model:
    """Write the digests of the named files into the run's own recipe and the model."""
    digests = model.digests()
    document["model"] |= digests
    return replace(model, **digests) if digests else model  # type: ignore[type-var]


def threat_of(table: ThreatTable, source: Source, label: str, purpose: str) -> Threat:
    """Build a threat for "train" or "evaluate": its table, overridden for that purpose."""
    key = ("threats", label)
    name = table.type or label
    overrides = dict((table.train if purpose == "train" else table.evaluate) or {})
    if purpose == "evaluate":
        restarts = overrides.pop("restarts", 1)
        if type(restarts) is not int or not 1 <= restarts <= MOST_RESTARTS:
            most = (
                f" and at most {MOST_RESTARTS:,}" if type(restarts) is int and restarts > 1 else ""
            )
            raise RecipeError(
                f"restarts should be a whole number of at least 1{most}, not {restarts!r}.",
                where=source.where(*key, purpose, "restarts"),
            )
        cls = _registered(threats.registry, name, source, *key)
        for strength in ("at_steps", "at_epsilon"):
            if (listed := numbers_of(overrides.pop(strength, None))) is None:
                continue
            where = source.where(*key, purpose, strength)
            require_ascending(strength, listed, where)
            if strength == "at_steps" and "steps" in overrides:
                raise RecipeError(
                    "steps has no effect beside at_steps, whose largest count is the length of "
                    "the search.",
                    where=source.where(*key, purpose, "steps"),
                    hint="Leave one of them out.",
                )
            if not issubclass(cls, GradientThreat):
                raise RecipeError(
                    f"{label!r} is not searched by ascent, so it takes no {strength}.", where=where
                )
            if strength == "at_steps":
                overrides["steps"] = listed[-1]  # one search serves every count
    keys, also = {**table.own, **overrides}, ThreatTable.model_fields
    cls = _registered(threats.registry, name, source, *key)
    made: Threat = filled(cls, keys, source, key, also, purpose)
    return made


def scalarizer_of(
    table: str | dict[str, Any], source: Source, position: int, labels: Sequence[str]
) -> Scalarizer:
    """Build a variant's scalarizer, which must suit its threats."""
    key = ("variant", str(position), "scalarizer")
    keys = {"type": table} if isinstance(table, str) else dict(table)
    if not isinstance(name := keys.pop("type", None), str):
        raise RecipeError(
            "the table of a scalarizer needs its type.",
            where=source.where(*key, "type"),
            hint=f"known: {', '.join(cls.name for cls in scalarizers.registry)}",
        )
    cls = _registered(scalarizers.registry, name, source, *key)
    made: Scalarizer = filled(cls, keys, source, key, ["type"])
    if not labels and made.name != "natural":
        raise RecipeError(
            f"the scalarizer {made.name!r} weighs threats, but this variant names none.",
            where=source.where("variant", position),
            hint='Give it threats = [...], or set scalarizer = "natural".',
        )
    with explained(source, key, cls):
        made.require_objectives((NATURAL, *labels))
    return made


def conditioned_of(
    variant: VariantTable, scalarizer: Scalarizer, source: Source, position: int
) -> Conditioned | None:
    """Return the conditioned network of a run, None for a run without; its point must be valid."""
    table = variant.conditioned
    if table is None:
        return None
    (at,) = table.at
    key = ("variant", str(position), "conditioned", "at")
    with explained(source, key, ConditionedTable):
        preference_at(at, scalarizer, (NATURAL, *variant.threats))
    return Conditioned(table.by, table.hidden, at)


def require_known_channels(threats: Mapping[str, Threat], dataset: DataSet, source: Source) -> None:
    """Raise RecipeError for a threat that the data set's images have too few channels for.

    Of a data set that says its channels; the others' are looked at once they are read.
    """
    for label, threat in threats.items():
        if dataset.channels is not None:
            with explained(source, ("threats", label), object):
                require_channels(threat, dataset.channels, label)


def protocol_of(
    tables: Mapping[str, ThreatTable], own: EvaluationTable, source: Source
) -> Protocol:
    """Build the protocol from the threats' `evaluate` tables and the evaluation table."""
    evaluated = {n: t.evaluate for n, t in tables.items() if t.evaluate is not None}
    made = {label: threat_of(tables[label], source, label, "evaluate") for label in evaluated}
    at_steps, at_epsilon = (
        {n: tuple(numbers_of(t[strength])) for n, t in evaluated.items() if strength in t}
        for strength in ("at_steps", "at_epsilon")
    )
    restarts = {n: table["restarts"] for n, table in evaluated.items() if "restarts" in table}
    said: dict[str, Any] = dict(own)
    ensembles, summed = said.pop("ensembles"), said.pop("summed")
    with explained(source, ("evaluation",), Recipe):
        protocol = Protocol(made, at_steps, at_epsilon=at_epsilon, restarts=restarts, **said)
    # One after the other: an error then says which.
    with explained(source, ("evaluation", "ensembles"), Recipe):
        protocol = replace(protocol, ensembles=ensembles)
    with explained(source, ("evaluation", "summed"), Recipe):
        return replace(protocol, summed=summed)


def _registered(registry: Registry[Any], name: str, source: Source, *key: str) -> Any:
    """Return the class that is registered under the name that a table gives as its type."""
    with explained(source, (*key, "type"), object):
        return registry.get(name)


def filled(
    cls: Any,
    keys: Mapping[str, Any],
    source: Source,
    key: tuple[str, ...],
    also: Iterable[str],
    purpose: str = "",
) -> Any:
    """Build an object of a class from the keys of its table."""
    hints = get_type_hints(cls)
    typed = {
        k: Path(v) if isinstance(v, str) and "Path" in str(hints.get(k)) else v
        for k, v in keys.items()
    }
    with explained(source, key, cls, purpose, also):
        return with_fractions(lambda values: constructed(cls, values), typed)


_REGISTRIES: tuple[Registry[Any], ...] = (
    data.registry,
    models.registry,
    scalarizers.registry,
    threats.registry,
)
