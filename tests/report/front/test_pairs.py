import re
import xml.etree.ElementTree as ElementTree

from moat.report import draw_pairs, make_fronts, write_front
from moat.report.style import render

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ("natural", "pgd", "sacrificed")


def drawn(results, names=NAMES):
    (front,) = make_fronts(results, objectives=names).fronts
    figure = draw_pairs(front)
    return front, figure, ElementTree.fromstring(render(figure, "svg"))


def test_every_pair_has_a_panel_with_every_run(study):
    front, figure, svg = drawn(study)
    assert len(figure.axes) == 3
    marks = [g for g in svg.iter(f"{SVG}g") if re.fullmatch(r"run-\d+", g.get("id", ""))]
    assert len(marks) == 3 * len(front.settings)


def test_better_is_right_and_up(study):
    _, figure, _ = drawn(study)
    labels = {axes.get_ylabel(): axes for axes in figure.axes if axes.get_ylabel()}
    assert not labels["pgd\n(%, higher is better)"].yaxis_inverted()
    assert labels[
        "sacrificed natural accuracy\n(percentage points, lower is better)"
    ].yaxis_inverted()


def test_members_are_numbered_and_named_in_the_caption(study):
    front, _, svg = drawn(study)
    text = " ".join("".join(t.itertext()) for t in svg.iter(f"{SVG}text"))
    for number, row in enumerate(front.settings[: int(front.members.sum())], 1):
        assert f"{number} {row.name}" in text


def test_the_files_of_such_a_front_hold_the_pairs(study, tmp_path):
    report = make_fronts(study, objectives=NAMES)
    paths = write_front(report, tmp_path)
    assert {path.suffix for path in paths} == {".csv", ".json", ".png", ".svg"}
    assert "sacrificed natural accuracy" in (tmp_path / "front.svg").read_text("utf-8")


def test_the_same_front_gives_the_same_bytes(study):
    (first, second) = (render(drawn(study)[1], "svg") for _ in range(2))
    assert first == second


def test_of_many_objectives_the_first_twelve_are_shown_and_the_caption_says_so(tmp_path, write):
    names = [f"t{n:02}" for n in range(20)]
    threats = {name: {"type": "pgd", "epsilon": 0.1, "at_steps": [2]} for name in names}
    protocol = {"threats": threats, "summed": ["t00"], "examples": None}
    write(tmp_path / "a", "a", 90, [50] * 20, protocol=protocol, examples=10)
    (front,) = make_fronts(tmp_path, objectives=names).fronts
    figure = draw_pairs(front)
    assert len(figure.axes) == 66
    assert any("The first 12 of 20 objectives." in text.get_text() for text in figure.texts)
