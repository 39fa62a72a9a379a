"""The packages with threats, scalarizers, models and data sets."""

import re
from collections.abc import Iterator
from importlib import import_module, metadata

from moat.catalogue import ROOMS
from moat.doctor.finding import Finding, Health, told
from moat.doctor.origins import folder_instead, mend_of_folder, package_of
from moat.offers import MEND, offers_of
from moat.other_moats import DISTRIBUTION

_AREA = "plug-ins"
_KINDS = ("threats", "scalarizers", "models", "datasets")


def plugins() -> Iterator[Finding]:
    """Yield each entry point of a package, with its group, origin and error."""
    distributions: dict[str, metadata.Distribution] = {}
    found = False
    for kind in _KINDS:
        offers = offers_of(f"moat.{kind}")
        errors = _errors(kind) if offers else {}
        whole = errors.get(("", ""))  # of the room itself
        for offer in offers:
            found = True
            if offer.point.dist:
                distributions[offer.point.dist.name] = offer.point.dist
            subject = f"{kind}: {offer.name}"
            error, mend = whole or errors.get((offer.name, offer.origin), ("", ""))
            if error:
                text = f"{offer.origin}: {error}"
                yield Finding(_AREA, subject, Health.warning, text, _as_mend(mend))
            elif folder := _folder_instead(offer.point):
                text = f"{offer.origin}, whose code comes from {folder}"
                yield Finding(_AREA, subject, Health.warning, text, mend_of_folder(folder))
            else:
                yield Finding(_AREA, subject, Health.ok, offer.origin)
    if not found:
        yield Finding(
            _AREA, "none", Health.ok, "no package adds threats, scalarizers, models or data sets"
        )
    for distribution in distributions.values():
        if any(map(_needs_a_stranger, distribution.requires or [])):
            text = f"{distribution.name} requires 'moat', which is another project's on PyPI"
            mend = f"its pyproject.toml should require {DISTRIBUTION!r}"
            yield Finding(_AREA, distribution.name, Health.warning, text, mend)


def _folder_instead(point: metadata.EntryPoint) -> str:
    package = package_of(point.value)
    return folder_instead(point.dist, package) if point.dist and package else ""


def _errors(kind: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Import what is registered under a kind; return errors and mends by name and origin.

    Where moat itself cannot be imported, the one error is that of the name "".
    """
    try:
        registry = import_module(f"moat.{ROOMS.get(kind, kind)}").registry
    except Exception as error:  # moat's own modules, for want of torch
        return {("", ""): (f"moat.{kind} cannot be imported: {told(error)}", MEND)}
    return {
        (entry.name.removesuffix(f" ({entry.origin})"), entry.origin): (entry.error, entry.mend)
        for entry in registry.entries()
    }


def _as_mend(sentences: str) -> str:
    return sentences[:1].lower() + sentences[1:].removesuffix(".")


def _needs_a_stranger(requirement: str) -> bool:
    """Say whether a requirement names the distribution `moat`.

    Example:
        >>> _needs_a_stranger("moat>=0.1"), _needs_a_stranger("moat-robust")
        (True, False)
    """
    return re.match(r"moat(?![\w.-])", requirement, re.IGNORECASE) is not None
