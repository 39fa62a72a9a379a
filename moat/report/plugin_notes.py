"""Runs whose plug-ins differ in their packages or versions, in words under every table."""

from collections.abc import Iterator, Mapping, Sequence

from moat.records import evaluation_names, kind_and_name, training_names
from moat.report.points import Point
from moat.report.words import some

NO_PACKAGE = "no recorded package"


def plugin_notes(points: Sequence[Point], names: Sequence[str]) -> list[str]:
    """Return a warning for each package or name that is not the same in all points.

    `names` are those of the points. A point that does not use a name differs in nothing by it: a
    run that is trained by a rule of a package and one that is trained by moat's can be compared.
    """
    trained = [(point.plugins, training_names(point.trains, point.data)) for point in points]
    judged = [
        (point.evaluation_plugins, evaluation_names(point.protocol.as_table())) for point in points
    ]
    return [*_differences("trained", trained, names), *_differences("evaluated", judged, names)]


def _differences(
    what: str, used: Sequence[tuple[Mapping[str, str], Sequence[str]]], runs: Sequence[str]
) -> Iterator[str]:
    packages: dict[str, dict[str, list[str]]] = {}  # versions of a package, and the runs of each
    homes: dict[str, dict[str, list[str]]] = {}  # packages of a name, and the runs of each
    for run, (plugins, asked) in zip(runs, used, strict=True):
        for origin in dict.fromkeys(plugins.values()):
            packages.setdefault(_package(origin), {}).setdefault(origin, []).append(run)
        for name in asked:
            home = _package(plugins[name]) if name in plugins else NO_PACKAGE
            homes.setdefault(name, {}).setdefault(home, []).append(run)
    for name, found in homes.items():
        if len(found) > 1:
            yield f"warn, plug-ins: {what} with {kind_and_name(name)[1]} of {_told(found)}. {_END}"
    for found in packages.values():
        if len(found) > 1:
            yield f"warn, plug-ins: {what} with {_told(found)}. {_END}"


def _told(found: Mapping[str, Sequence[str]]) -> str:
    return " and ".join(f"{home} ({some(runs)})" for home, runs in found.items())


def _package(origin: str) -> str:
    """Return the distribution without its version and without the packages that it needs."""
    return origin.partition(",")[0].rpartition(" ")[0] or origin


_END = "A difference between these runs may come from that alone."
