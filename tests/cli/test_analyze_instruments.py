"""`moat analyze` landscape, curvature, saliency and skewness, as a user types them."""

from pathlib import Path

import pytest

from moat.runs import read_analysis

STUDY = Path("results", "study")
PLAIN = STUDY / "plain" / "seed-0"


@pytest.fixture
def runs(trained, recipe):
    return trained(recipe(), "plain", "pgd-at")


@pytest.mark.parametrize(
    ("words", "shape"),
    [
        (["landscape", "--points", 3, "--examples", 2, "--threats", "flow"], ("loss", 2)),
        (["curvature", "--products", 2, "--examples", 2, "--threats", "flow"], ("lowest", 2)),
        (["saliency", "--copies", 2, "--examples", 2], ("map", 2)),
        (["skewness", "--copies", 2, "--examples", 3], ("skewness", 1)),
    ],
)
def test_a_study_is_looked_into(moat, runs, words, shape):
    answer = moat("analyze", *words, STUDY)
    assert (answer.code, answer.err) == (0, "")
    kind, (name, count) = words[0], shape
    found = read_analysis(STUDY / "analysis" / f"{kind}.json")
    assert len(found[name]) == count
    assert [one.name for one in found.subjects] == ["plain", "pgd-at"]
    assert {"weights", "data", "train_hash"} <= found.subjects[0].identity.keys()
    for ending in ("npz", "csv", "png", "svg"):
        assert (STUDY / "analysis" / f"{kind}.{ending}").stat().st_size
    assert not (STUDY / "analysis" / ".parts").exists()
    said = [line for line in answer.out.splitlines() if not line.startswith("wrote ")]
    assert len(said) == len(found.findings)


def test_the_same_call_writes_the_same_bytes(moat, runs):
    for out in "ab":
        words = ("landscape", PLAIN, "--points", 3, "--examples", 1, "--threats", "flow")
        moat("analyze", *words, "--views", "end", "--out", out, "--format", "svg,pdf")
    first, second = ({path.name: path.read_bytes() for path in Path(out).iterdir()} for out in "ab")
    assert first == second
    assert len(first) == 6


def test_ids_choose_the_examples(moat, runs):
    moat("analyze", "skewness", STUDY, "--copies", 1, "--out", "ids")
    known = read_analysis(Path("ids/skewness.json")).coordinates("example")
    moat("analyze", "saliency", PLAIN, "--copies", 1, "--ids", f"{known[3]},{known[1]}")
    found = read_analysis(PLAIN / "analysis" / "saliency.json")
    assert found.coordinates("example") == [known[1], known[3]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["landscape", PLAIN, "--views", "ned"], "no view is called 'ned'. Did you mean 'end'?"),
        (["landscape", PLAIN, "--points", 4], "points is 4: a surface has an odd number"),
        (
            ["landscape", PLAIN, "--threats", "rt"],
            "threats: the protocol evaluates no threat labelled 'rt'.",
        ),
        (["curvature", PLAIN, "--products", 0], "products is 0, and must be above 0."),
        (["saliency", PLAIN, "--noise", "inf"], "noise is inf, and must be finite.\n"),
        (["skewness", STUDY, "--noise", "inf"], "noise is inf, and must be finite.\n"),
        (["landscape", PLAIN, "--extent", "inf"], "extent is inf, and must be finite.\n"),
        (
            ["landscape", PLAIN, "--views", "end,far,end"],
            "views: the view 'end' is named twice.\n  Name each of them once.\n",
        ),
        (
            ["curvature", PLAIN, "--threats", "pgd,pgd"],
            "threats: the threat 'pgd' is named twice.\n",
        ),
        (
            ["saliency", PLAIN, "--ids", "3,3"],
            "examples: the example 3 is named twice.\n",
        ),
        (
            ["saliency", PLAIN, "--ids", "3", "--examples", 2],
            "--examples: --ids names the test examples, so their count has no effect.\n"
            "  Leave one of the two out.\n",
        ),
        (
            ["saliency", PLAIN, "--ids", "999999"],
            "examples: the test set has no example 999999: its ",
        ),
        (
            ["saliency", PLAIN, "--examples", "41"],
            "examples: 41 test examples are asked for, and the protocol evaluates 40.\n",
        ),
        (
            ["skewness", PLAIN],
            "models: skewness compares models with a reference, so it needs two or more, not 1.\n",
        ),
        (
            ["skewness", STUDY, "--reference", "plane"],
            "reference: no model is called 'plane'. Did you mean 'plain'?\n"
            "  known: plain, pgd-at\n",
        ),
    ],
)
def test_bad_input_exits_with_2_and_the_mend(moat, runs, words, message):
    answer = moat("analyze", *words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(message)
