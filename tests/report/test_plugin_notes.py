from dataclasses import replace

import pytest

from moat.report.gate import gate_notes
from moat.report.gate_brief import gate_brief
from moat.report.plugin_notes import plugin_notes
from moat.report.points import read_points

ONE, TWO = "hues 1.0", "hues 2.0"
MGDA, UPGRAD = {"type": "torchjd:MGDA"}, {"type": "torchjd:UPGrad"}


@pytest.fixture
def points(tmp_path, write):
    """Three runs whose protocol has the threats pgd, flow, rt and integrated."""
    for name in "abc":
        write(tmp_path / name, name, 90, (30, 30, 30, 30))
    return read_points(tmp_path)[0]


def told(points) -> list[str]:
    return plugin_notes(points, [point.label for point in points])


def with_rules(points, *rules, **plugins):
    """Give each run a scalarizer, and the package of each as `a`, `b` and `c` say."""
    return [
        replace(
            point,
            trains={"scalarizer": rule},
            plugins={f"scalarizers: {rule['type']}": plugins[point.label]}
            if point.label in plugins
            else {},
        )
        for point, rule in zip(points, rules, strict=True)
    ]


def judged_with(points, **plugins):
    return [
        replace(
            p, evaluation_plugins={"threats: pgd": plugins[p.label]} if p.label in plugins else {}
        )
        for p in points
    ]


def test_equal_versions_and_no_plug_ins_are_not_told(points):
    assert told(points) == []
    assert told(judged_with(points, a=ONE, b=ONE, c=ONE)) == []
    assert told(with_rules(points, MGDA, UPGRAD, MGDA, a=ONE, b=ONE, c=ONE)) == []


def test_versions_of_one_package_that_differ_are_told_with_their_runs(points):
    assert told(judged_with(points, a=ONE, b=TWO, c=ONE)) == [
        "warn, plug-ins: evaluated with hues 1.0 (a, c) and hues 2.0 (b). A difference between "
        "these runs may come from that alone."
    ]
    (line,) = told(with_rules(points, MGDA, MGDA, MGDA, a=ONE, b=TWO, c=ONE))
    assert line.startswith("warn, plug-ins: trained with hues 1.0 (a, c) and hues 2.0 (b).")


def test_versions_are_those_of_a_package_whichever_of_its_names_is_used(points):
    (line,) = told(with_rules(points, MGDA, UPGRAD, MGDA, a=ONE, b=TWO, c=ONE))
    assert "hues 1.0 (a, c) and hues 2.0 (b)" in line


def test_a_library_that_the_package_needs_counts(points):
    old, new = "hues 1.0, torchjd 0.18.0", "hues 1.0, torchjd 0.19.0"
    (line,) = told(judged_with(points, a=old, b=new, c=old))
    assert f"{old} (a, c) and {new} (b)" in line


def test_a_name_that_some_runs_have_of_a_package_and_some_have_not_is_told(points):
    assert told(judged_with(points, a=ONE, b=ONE)) == [
        "warn, plug-ins: evaluated with pgd of hues (a, b) and no recorded package (c). A "
        "difference between these runs may come from that alone."
    ]
    (line,) = told(judged_with(points, a=ONE, b=ONE, c="paints 1.0"))
    assert "pgd of hues (a, b) and paints (c)" in line


def test_a_run_that_does_not_use_the_name_differs_in_nothing(points):
    average = {"type": "average"}
    assert told(with_rules(points, MGDA, average, average, a=ONE)) == []


@pytest.mark.parametrize("notes", [gate_notes, gate_brief])
def test_the_warning_stands_with_the_sanity_gate_under_every_table(points, notes):
    assert notes(judged_with(points, a=ONE, b=TWO, c=ONE))[-1].startswith("warn, plug-ins: ")


def test_a_points_plug_ins_are_those_of_its_record(tmp_path, write):
    run = write(tmp_path / "a", "a", 90, (30, 30, 30, 30))
    told = {"plugins": {"models: net": "nets 1.0"}, "evaluation_plugins": {"threats: pgd": ONE}}
    run.write_record(run.read_record().replace(**told))
    ((point,), _) = read_points(tmp_path)
    assert point.plugins == told["plugins"]
    assert point.evaluation_plugins == told["evaluation_plugins"]
