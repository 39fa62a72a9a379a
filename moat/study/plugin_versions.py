"""The packages that threats, scalarizers, models and data sets come from, with their versions."""

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from typing import Any

from moat import data, models, scalarizers, threats
from moat.offers import Offer
from moat.other_moats import DISTRIBUTION
from moat.records import evaluation_names, kind_and_name, training_names
from moat.registry import Registry

_REGISTRIES: dict[str, Registry[Any]] = {
    "datasets": data.registry,
    "models": models.registry,
    "scalarizers": scalarizers.registry,
    "threats": threats.registry,
}


def training_plugins(trains: Mapping[str, Any], test_data: Mapping[str, Any]) -> dict[str, str]:
    """Return the packages of a run's training, and of the data of its evaluation.

    `trains` is everything that determines the weights, as in a run's record. The key of a package
    is kind and name, "threats: recolor"; its value is the distribution with the version.
    """
    return _versions(training_names(trains, test_data))


def evaluation_plugins(evaluates: Mapping[str, Any]) -> dict[str, str]:
    """Return the packages of the threats of a protocol."""
    return _versions(evaluation_names(evaluates))


def _versions(used: Iterable[str]) -> dict[str, str]:
    """Return the packages; moat's own names and those of local files have none."""
    found = {}
    for one in used:
        kind, name = kind_and_name(one)
        if offer := _REGISTRIES[kind].offer_of(name):
            found[one] = ", ".join([offer.origin, *_needed_by(offer)])
    return found


def _needed_by(offer: Offer) -> Iterator[str]:
    """Yield what a package requires beside moat and what moat requires, with its version."""
    try:
        of_moat = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        of_moat = []
    known = {DISTRIBUTION, *(_distribution(one) for one in of_moat if "extra ==" not in one)}
    needed = {_distribution(one) for one in offer.requires if "extra ==" not in one}
    for name in sorted(needed - known):
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:  # of another system, say
            continue


def _distribution(requirement: str) -> str:
    """Return the name in a requirement.

    Example:
        >>> _distribution("TorchJD[cagrad]>=0.18; python_version>'3'")
        'torchjd'
    """
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    return found[0].lower().replace("_", "-") if found else ""
