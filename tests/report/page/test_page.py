"""What the page says, as text."""

import base64
import gzip
import html
import json
import re
import subprocess
import sys
from hashlib import sha256

import pytest
from plotly.offline import get_plotlyjs

import moat
from moat.errors import DiskError, FrontError
from moat.report import make_scoreboards
from moat.report.page import page_of, write_page

SCORES = (10, 20, 30, 40)


def data_of(page, name):
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.S)
    return json.loads(found[1])


def visible(page):
    """Return the page's text without its scripts, styles and tags."""
    page = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_plotly_is_inside_and_only_it_and_the_pages_own_script_may_run(page, study):
    text = page(study)
    plotly = gzip.decompress(base64.b64decode(data_of(text, "plotly"))).decode()
    assert plotly == get_plotlyjs()
    (own,) = re.findall(r"<script>(.*?)</script>", text, re.S)
    (policy,) = re.findall(r'Content-Security-Policy" content="(.*?)"', text)
    for script in (own, plotly):
        digest = base64.b64encode(sha256(script.encode()).digest()).decode()
        assert f"sha256-{digest}" in html.unescape(policy)
    assert policy.startswith("default-src &#39;none&#39;;")


def test_the_page_names_no_address_to_fetch(page, rich_study):
    text = re.sub(r"<(script|style)\b.*?</\1>", "", page(rich_study), flags=re.S)
    assert re.findall(r"https?://", text) == []
    assert {link[0] for link in re.findall(r'(?:src|href)="([^"]*)"', text)} == {"#", "d"}


def test_the_same_runs_give_the_same_page(page, rich_study):
    assert page(rich_study) == page(rich_study)


def test_the_front_has_every_run_with_what_the_mouse_shows(page, study):
    figure = data_of(page(study), "front-data-0")
    axes = (figure["layout"][name]["title"]["text"] for name in ("xaxis", "yaxis"))
    assert [axis.partition(" (")[0] for axis in axes] == [
        "universal score",
        "sacrificed natural accuracy",
    ]
    points = [
        (said.split("<br>"), trace, place)
        for trace in figure["data"]
        if "customdata" in trace
        for place, said in enumerate(trace["hovertext"])
    ]
    by_name = {said[0]: said for said, _, _ in points}
    assert len(by_name) == 14
    assert by_name["<b>max-at</b>"][-2] == "dominated by pareto r=1.8"
    assert by_name["<b>max-at</b>"][-1].startswith("non-dominated in ")
    assert "pgd: 65.2" in by_name["<b>max-at</b>"]
    assert sorted(trace["customdata"][place] for _, trace, place in points) == list(range(14))
    for _, trace, place in points:
        for bar in (trace["error_x"], trace["error_y"]):
            assert bar["array"][place] >= 0
            assert bar["arrayminus"][place] >= 0
    members = sorted(
        (trace["x"][place], trace["y"][place])
        for said, trace, place in points
        if "on the front" in said
    )
    (line,) = (trace for trace in figure["data"] if trace["mode"] == "lines")
    assert list(zip(line["x"][1:-1], line["y"][1:-1], strict=True)) == members


def test_a_figure_of_the_page_is_the_one_for_a_notebook(page, golden):
    found = moat.results(golden / "demo")
    text = page(golden / "demo")
    shown = data_of(text, "front-data-0")
    whole = json.loads(found.interactive("front").to_json())
    for here, there in zip(shown["data"], whole["data"], strict=True):
        assert there.pop("type") == "scatter"
        if "customdata" in here:
            assert len(here.pop("customdata")) == len(there.pop("customdata"))
        assert here == there
    assert {**shown["layout"], "template": whole["layout"]["template"]} == whole["layout"]


def test_published_figures_and_differences_stand_below_ours(page, tmp_path, write):
    published = {"source": "a paper", "runs": {"natural": {"natural": 91.25}}}
    write(tmp_path / "natural", "natural", 90, SCORES, published=published)
    text = visible(page(tmp_path))
    assert "90.0 91.25 published, difference (-1.2)" in text
    assert "a paper" in text


def test_seeds_share_a_line_and_have_a_card_each(page, tmp_path, write):
    for seed, natural in enumerate((90, 92, 91)):
        write(tmp_path / f"{seed}", "natural", natural, SCORES, seed=seed)
    text = page(tmp_path)
    assert re.search(r"91\.0 \[8\d\.\d, 9\d\.\d\]", visible(text))
    assert "±" not in visible(text)
    assert re.findall(r'<details class="card" id="(.*?)"', text) == ["run-0", "run-1", "run-2"]


def test_of_several_seeds_the_mark_of_the_front_is_the_settings_alone(page, tmp_path, write):
    """The mean of a lies on the front by one run, which dominates both of its others and of b."""
    for seed, score in enumerate((60, 30, 31)):
        write(tmp_path / f"a{seed}", "a", 90, (score, 20, 20, 0), seed=seed)
        write(tmp_path / f"b{seed}", "b", 89, (35, 20, 20, 0), seed=seed)
    text = page(tmp_path)
    scores, runs, cards = (
        text.partition(f'<section aria-labelledby="{part}-0">')[2].partition("</section>")[0]
        for part in ("scores", "runs", "cards")
    )
    assert visible(scores).count("on the front") == 1
    assert "< dominated by a" in visible(scores).replace("&lt;", "<")
    assert "on the front" not in visible(runs).replace("whether its setting is on the front", "")
    assert visible(runs).count("by none") == 1
    assert visible(runs).count("dominated by") == 5
    assert "●" not in visible(cards)
    assert "dominated by a seed 0; its setting, the mean of 3 seeds, is on the front" in text
    assert "no other run dominates it; its setting, the mean of 3 seeds, is on the front" in text
    assert "dominated by a seed 0; its setting, the mean of 3 seeds, is dominated by a" in text


def test_runs_that_cannot_be_compared_get_sections_of_their_own(page, study, write):
    write(study / "other", "natural", 90, SCORES, data={"type": "mnist"})
    text = page(study)
    assert re.findall(r'<h2 id="study-\d">(.*?)</h2>', text) == [
        "digits_pareto on digits (size 16)",
        "digits_pareto on mnist",
    ]
    assert len(set(re.findall(r'<details class="card" id="(run-\d+)"', text))) == 15


def test_a_run_that_cannot_be_read_is_named(page, study):
    broken = study / "natural" / "plain" / "seed-0"
    (broken / "evaluation.npz").write_bytes(b"no")
    text = visible(page(study))
    assert "Unreadable runs" in text
    assert f"skipped: {broken / 'evaluation.npz'}: the file is truncated" in text
    assert "13 runs in" in text
    assert "A universal score needs a natural run" in text


@pytest.mark.parametrize("name", ["log.jsonl", "recipe.toml", "gallery.npz"])
def test_what_is_broken_beside_the_scores_is_said_on_the_card(page, tmp_path, write, name):
    run = write(tmp_path / "natural", "natural", 90, SCORES)
    (run.path / name).write_text("= broken\n= twice")
    text = visible(page(tmp_path))
    assert f"{run.path / name}: the file is truncated or not moat's" in text
    assert "90.0" in text


def test_a_bare_run_says_what_is_missing(page, tmp_path, write):
    write(tmp_path / "natural", "natural", 90, SCORES, sanity=None)
    text = visible(page(tmp_path))
    for said in (
        "This run's folder has no training log",
        "No images were kept with this run's evaluation.",
        f"moat evaluate {tmp_path / 'natural'} keeps some",
        "No sanity gate is stored with this run.",
        "This run's folder has no recipe.",
    ):
        assert said in text


def test_scores_that_cannot_be_made_are_dashes(page, tmp_path, write):
    write(tmp_path / "natural", "natural", 90, SCORES, union_only=True)
    text = page(tmp_path)
    assert "union_only" in visible(text)
    assert "pgd 2: - · 4: - - - -" in visible(text)
    assert data_of(text, "run-data-0")["figures"]["steps"]["data"][1]["y"] == [None, None]


def test_a_constant_guess_is_marked_on_table_and_card(page, tmp_path, write):
    write(tmp_path / "natural", "natural", 11, SCORES, classes=10)
    text = visible(page(tmp_path))
    assert "natural constant guess" in text
    assert "it did not learn: its other scores mean nothing" in text


def test_radii_and_ensembles_have_their_places(page, tmp_path, write, judged_any_way):
    write(tmp_path / "natural", "natural", 90, (30, 40, 50), protocol=judged_any_way)
    text = page(tmp_path)
    assert "strong ce and dlr together" in visible(text)
    assert "ε 0.031: 50.0 · ε 0.3: 50.0" in visible(text)
    _, flow = data_of(text, "run-data-0")["figures"]["radius"]["data"]
    assert flow["customdata"] == ["ε 0.031", "ε 0.3"]
    assert flow["x"] == pytest.approx([0.031 / 0.3, 1])
    assert re.findall(r'class="plot" id="plot-0-(\w+)"', text) == ["steps", "radius"]
    assert "flow 50.0 at ε 0.031" in text


def test_curves_are_there_with_their_summary_in_words(page, tmp_path, write, log):
    run = write(tmp_path / "natural", "natural", 90, SCORES, clamped=0.25)
    log(run, 2000, ("natural", "pgd"))
    text = page(tmp_path)
    figures = data_of(text, "run-data-0")["figures"]
    losses = {trace["name"]: trace for trace in figures["losses"]["data"]}
    assert len(losses["pgd"]["x"]) == len(losses["pgd"]["y"]) == 250
    (shaded,) = figures["weights"]["layout"]["shapes"]
    assert (shaded["x0"], shaded["x1"]) == (500, 999)
    assert 'aria-label="Losses while training: natural from 0.998 to 0.369; pgd from' in text
    assert "Each point is the mean of 8 logged steps." in text
    assert "Shaded: steps in which no weights reach r, 25.0 % of all." in text
    assert "natural from 10 % to 100 %" in text


def test_a_loss_that_is_no_number_is_absent(page, tmp_path, write):
    run = write(tmp_path / "natural", "natural", 90, SCORES)
    line = {"step": 1, "loss": {"natural": float("inf"), "pgd": 1}, "weight": {"natural": 1.0}}
    (run.path / "log.jsonl").write_text(json.dumps(line) + "\n")
    losses = data_of(page(tmp_path), "run-data-0")["figures"]["losses"]["data"]
    assert {trace["name"]: trace["y"] for trace in losses} == {"natural": [None], "pgd": [1.0]}


def test_text_of_a_run_never_ends_a_script(page, tmp_path, write):
    run = write(tmp_path / "natural", "<script>alert(1)<script>", 90, SCORES)
    label = "</script><script>alert(1)</script>"
    run.write_record(run.read_record().replace(label=label, data={"type": label, label: label}))
    text = page(tmp_path)
    assert "<script>alert" not in text
    names = [trace.get("name", "") for trace in data_of(text, "front-data-0")["data"]]
    assert any(name.startswith("&lt;script&gt;") for name in names)


def test_a_folder_without_runs_has_no_page(tmp_path):
    with pytest.raises(FrontError, match="this folder contains no finished run"):
        page_of(make_scoreboards(tmp_path), tmp_path)


def test_the_page_is_written_whole_and_makes_no_folder(study, tmp_path):
    file = tmp_path / "new" / "report.html"
    with pytest.raises(FrontError, match=r"the folder .* for it does not exist"):
        write_page(make_scoreboards(study), study, file)
    file.parent.mkdir()
    write_page(make_scoreboards(study), study, file)
    assert file.read_text("utf-8").endswith("</html>")
    assert [path.name for path in file.parent.iterdir()] == ["report.html"]


@pytest.mark.parametrize("how", ["mine", "changed", "cut"])
def test_a_page_is_replaced_only_if_it_is_moats_and_nobody_changed_it(study, tmp_path, how):
    file, made = tmp_path / "report.html", make_scoreboards(study)
    write_page(made, study, file)
    page = file.read_bytes()
    write_page(made, study, file)
    assert file.read_bytes() == page
    content = {"mine": b"mine", "changed": page.replace(b"Scores", b"Marks"), "cut": page[:-9]}[how]
    file.write_bytes(content)
    with pytest.raises(DiskError) as refused:
        write_page(made, study, file)
    assert str(refused.value) == (
        f"{file}: cannot write: the file there is not a moat page, or was changed since.\n  It "
        "was left as it is. Move it away, or name another file with --html."
    )
    assert file.read_bytes() == content


# The processor's time, not the clock's: other work on the machine is not ours.
BUILD = """
import sys, time
from pathlib import Path
from moat.report import make_scoreboards
from moat.report.page import write_page

begin, results = time.process_time(), Path(sys.argv[1])
write_page(make_scoreboards(results), results, Path(sys.argv[2]))
print(time.process_time() - begin)
"""


@pytest.mark.slow
def test_sixty_runs_take_less_than_five_seconds_and_ten_megabytes(
    hang, tmp_path, write, gallery, log
):
    results = tmp_path / "results"
    names = ("natural", "pgd", "flow", "rt")
    for number in range(60):
        variant, seed = divmod(number, 3)
        scores = (20 + 2 * variant + seed, 10 + variant, 15 + variant, 8 + variant)
        run = write(
            *(results / f"{number}", "pareto", 98 - variant / 5, scores),
            **{"r": float(variant), "seed": seed, "examples": 10_000, "clamped": 0.2},
        )
        log(run, 5000, names)
        hang(run, gallery(6, 3, 32, seed=number))
    built = subprocess.run(  # a process of its own: shapes are checked in this one
        [sys.executable, "-c", BUILD, results, tmp_path / "report.html"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(built.stdout) < 5
    assert (tmp_path / "report.html").stat().st_size < 10_000_000


def test_a_folder_is_no_file_for_the_page(study):
    with pytest.raises(FrontError, match="it is a folder") as refused:
        write_page(make_scoreboards(study), study, study)
    assert "--html report.html" in str(refused.value)
