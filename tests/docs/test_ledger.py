"""The figures of docs/reproduction.md are those of the results in docs/results."""

import re
from importlib import import_module
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import polars as pl
import pytest

import moat
from moat.races import examples_error, race_looks, verdicts_of
from moat.report.race.plan import design_of, read_plan
from moat.report.race.race import read_race

ROOT = Path(__file__).parents[2]
STORED = ROOT / "docs" / "results"
LEDGER = (ROOT / "docs" / "reproduction.md").read_text("utf-8")
STUDIES = ("digits_front", "digits_front_twofold", "mnist14_front")
MINUS = "\N{MINUS SIGN}"
SCORES = ("natural", "pgd", "flow", "rt", "total", "union")
BOTH = ("weak", "strong")
pytestmark = pytest.mark.skipif(
    not STORED.exists(), reason="the source distribution has no results"
)


def table_after(start):
    """Return the cells of the first table after a text, without its two lines of heading."""
    lines = LEDGER[LEDGER.index(start) :].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            return rows
        rows.append([cell.strip().replace("*", "") for cell in line.strip("|").split("|")])
    raise AssertionError("the table has no end")


def test_the_scores_of_the_rules_are_the_means_of_the_stored_runs():
    runs = moat.results(STORED / "mnist14_rules.zip")
    threats = runs.scores.filter(
        pl.col("score") == "robustness", pl.col("threat").is_in(SCORES)
    ).pivot("threat", index="run", values="value")
    means = (
        runs.runs.join(threats, on="run")
        .group_by("label")
        .agg(pl.len().alias("seeds"), pl.col(SCORES).mean())
    )
    rows = table_after("`recipes/mnist14_rules.toml` states")
    assert {row[0]: row[1:7] for row in rows} == {
        row["label"]: [f"{row[name]:.1f}" for name in SCORES] for row in means.rows(named=True)
    }
    assert set(means["seeds"]) == {5}


def test_the_steps_out_of_reach_and_the_natural_weights_are_those_of_the_stored_logs(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    role, said = import_module("benchmarks.role_of_r"), " ".join(LEDGER.split())
    place, weights = (
        {label: of.mean(0) for label, of in role.shares(STORED / "mnist14_rules.zip", by).items()}
        for by in (role.out_of_reach, role.natural_weight)
    )
    low, near, high, most = (place[f"pareto r={r}"] for r in (0.4, 0.8, 1.2, 1.5))
    assert not low.any()
    assert (
        f"r = 0.4 is never out of reach, r = 0.8 in {near[0]:.1f} % of the steps, r = 1.2 in "
        f"{high[0]:.0f} % and r = 1.5 in {most[0]:.0f} %; over the quarters of the training, r = "
        f"1.2 in {listed(high[1:])} %, r = 1.5 in {listed(most[1:])} %."
    ) in said
    by_r = [weights[f"pareto r={r}"] for r in (0.4, 0.8, 1.2, 1.5)]
    by_rho = [weights[f"pareto-relative rho={rho}"] for rho in (0.3, 0.6, 0.85, 0.95)]
    assert (
        f"{by_r[0][0]:.0f} % of the weight at r = 0.4, {by_r[1][0]:.0f} % at 0.8, and "
        f"{by_r[3][0]:.0f} to {by_r[2][0]:.0f} % above; "
    ) in said
    assert (
        f"{by_rho[0][0]:.0f}, {by_rho[1][0]:.0f}, {by_rho[2][0]:.0f} and {by_rho[3][0]:.1f} % at "
        "the four rho"
    ) in said
    assert f"at r = 0.8 from {by_r[1][1]:.0f} % in the first quarter to nothing" in said
    assert by_r[1][4] == 0


def listed(values):
    *others, last = (f"{value:.0f}" for value in values)
    return f"{', '.join(others)} and {last}"


def test_the_race_of_h1_is_that_of_the_stored_runs(tmp_path):
    with ZipFile(STORED / "mnist14_race.zip") as bundle:
        bundle.extractall(tmp_path)
    race = read_race(tmp_path / "mnist14_rules" / "race.json")
    said = " ".join(LEDGER.split())
    for label, name in (("pareto r=0.8", "r = 0.8"), ("pareto-relative rho=0.6", "rho = 0.6")):
        found = race.verdicts[label]
        assert found.verdict == "worse"
        points = (
            rf"{-found.difference:.1f}( points of total)? \[{-found.high:.1f}, {-found.low:.1f}\]"
        )
        assert re.search(f"by {points} for {name}", said)


def test_the_race_of_h2_is_that_of_the_stored_runs(benchmark):
    runs = pl.read_csv(STORED / "mnist14_h2.csv").sort("seed")
    scores = {
        rule: [
            benchmark.share_of_the_box(runs) for _, runs in of.group_by("seed", maintain_order=True)
        ]
        for (rule,), of in runs.group_by("variant")
    }
    plan = read_plan(STORED / "mnist14_h2.json")
    looks = race_looks(scores, design_of(plan), "weighted")
    found = verdicts_of(looks)["pareto-relative"]
    assert (looks[-1].seeds, found.verdict) == (8, "within the margin")
    said = " ".join(LEDGER.split())
    covers = [f"{np.mean(scores[rule]):.1f}" for rule in ("pareto-relative", "weighted")]
    assert f"the four rho covers {covers[0]}, that of the four fixed weights {covers[1]}:" in said
    points = f"{found.difference:.2f} points more [{found.low:.2f}, {found.high:.2f}]"
    assert f"{points.replace('-', MINUS)}, at a margin of 1." in said


@pytest.fixture(scope="module")
def held():
    """Return what the test images of each run withstand, by protocol, seed and setting."""
    return pl.read_csv(STORED / "mnist14_strong.csv").sort("protocol", "seed", "example")


def share(held, protocol, seeds, label, letter):
    """Return the percentages of a setting, for each seed and image."""
    rows = held.filter(pl.col("protocol") == protocol, pl.col("seed").is_in(seeds))
    return 100 * np.stack(
        [of[label].str.contains(letter).cast(float) for of in rows.partition_by("seed")]
    )


def sum_of(held, protocol, seeds, label):
    return sum(share(held, protocol, seeds, label, letter) for letter in "pfr")


def test_the_accuracies_under_the_strong_protocol_are_those_of_the_stored_outcomes(held):
    rows = table_after("### Under the strong protocol")
    assert {row[0] for row in rows} == set(held.columns[3:])
    best = sum_of(held, "strong", (5, 6), "average-at")
    for label, *cells, less in rows:
        for letter, cell in zip((*"pfr", "npfr"), (*cells[:3], cells[4]), strict=True):
            assert cell == arrow(share(held, p, (5, 6), label, letter) for p in BOTH)
        assert cells[3] == arrow(sum_of(held, p, (5, 6), label) for p in BOTH)
        apart = (sum_of(held, "strong", (5, 6), label) - best).mean()
        assert less == ("" if label == "average-at" else f"{apart:.1f}".replace("-", MINUS))


def arrow(values):
    return " \N{RIGHTWARDS ARROW} ".join(f"{value.mean():.1f}" for value in values)


def test_h1_under_the_strong_protocol_is_that_of_the_stored_outcomes(held):
    seeds, found = (5, 6, 7, 8, 9), []
    for protocol in reversed(BOTH):
        best = sum_of(held, protocol, seeds, "average-at")
        for label in ("pareto r=0.8", "pareto-relative rho=0.6"):
            less = best - sum_of(held, protocol, seeds, label)
            error = np.hypot(less.mean(1).std(ddof=1) / 5**0.5, examples_error(less))
            found.append(f"{less.mean():.1f} \N{PLUS-MINUS SIGN} {error:.1f}")
    (line,) = [line for line in LEDGER.split("\n- ") if line.startswith("**H1 stays rejected.**")]
    assert re.findall(r"\d+\.\d \S \d+\.\d", line) == found


def test_the_fronts_under_the_strong_protocol_are_those_of_the_stored_outcomes(benchmark, held):
    rules = ("pareto-relative ", "weighted ")
    one, other = (
        [benchmark.share_of_the_box(front_of(held, rule, seed)) for seed in (5, 6)]
        for rule in rules
    )
    assert (
        f"four rho covers {np.mean(one):.1f} % of the box, that of the four fixed weights "
        f"{np.mean(other):.1f} %: {one[0] - other[0]:.1f} and {one[1] - other[1]:.1f} points more"
    ) in " ".join(LEDGER.split())


def front_of(held, rule, seed):
    """Return natural accuracy and sum, under the strong protocol, of the settings of a rule."""
    labels = [label for label in held.columns if label.startswith(rule)]
    natural = [share(held, "strong", (seed,), label, "n").mean() for label in labels]
    sums = [sum_of(held, "strong", (seed,), label).mean() for label in labels]
    return pl.DataFrame({"natural": natural, "total": sums})


@pytest.fixture(scope="module")
def means():
    """Return the mean scores of mnist_cpu by setting, each of three seeds."""
    runs = pl.read_csv(STORED / "mnist_cpu.csv")
    assert set(runs.group_by("label").len()["len"]) == {3}
    return {row["label"]: row for row in runs.group_by("label").mean().iter_rows(named=True)}


def test_the_scores_of_mnist_cpu_beside_table_1_are_the_means_of_its_runs(means):
    for label, *cells in table_after("Ours, means of three seeds"):
        ours = [cell.partition(" / ")[0] for cell in cells]
        names = ("natural", "pgd", "flow", "rt", "universal")
        assert ours == [f"{means[label][name]:.1f}" for name in names]


def test_the_rules_of_mnist_cpu_and_their_differences_are_those_of_its_runs(means):
    images = pl.read_csv(STORED / "mnist_cpu_images.csv").sort("seed", "example")

    def totals(label):  # of each seed and image: of the four strengths of three threats
        return 25 * np.stack([of[label] for of in images.partition_by("seed")])

    for label, *cells, less, share in table_after("### An r that is out of reach"):
        assert cells == [f"{means[label][name]:.1f}" for name in SCORES]
        assert totals(label).mean() == pytest.approx(means[label]["total"], abs=1e-3)
        if label == "average-at":
            assert less == share == ""
            continue
        apart = totals(label) - totals("average-at")
        error = np.hypot(apart.mean(1).std(ddof=1) / 3**0.5, examples_error(apart))
        assert less == f"{apart.mean():+.1f} \N{PLUS-MINUS SIGN} {error:.1f}".replace("-", MINUS)
        known = means[label]["out_of_reach"]
        assert share == ("" if known is None else f"{known:.1f}")


def test_the_choice_between_two_threats_is_that_of_the_stored_runs():
    runs = pl.read_csv(STORED / "digits_choice.csv")
    means = {
        label: [f"{value:.1f}" for value in row]
        for label, *row in runs.group_by("label").agg(pl.col("pgd", "rt").mean()).iter_rows()
    }
    shares = {
        "0.1": ("pgd=0.1111", "0.1pgd+0.9rt"),
        "0.25": ("pgd=0.3333", "0.25pgd+0.75rt"),
        "0.5": ("pgd=1", "0.5pgd+0.5rt"),
        "0.75": ("pgd=3", "0.75pgd+0.25rt"),
        "0.9": ("pgd=9", "0.9pgd+0.1rt"),
    }
    rows = table_after("(`recipes/digits_choice.toml`")
    assert [row[0] for row in rows] == list(shares)
    for share, *cells in rows:
        weight, at = shares[share]
        assert cells == [*means[f"independent {weight}"], *means[f"film at={at}"]]


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return import_module("benchmarks.front_for_one")


@pytest.mark.parametrize("study", STUDIES)
def test_the_table_of_fronts_is_that_of_the_stored_runs(benchmark, study):
    found = benchmark.fronts(benchmark.finished(study, STORED))
    rows = table_after(f"(`recipes/{study}.toml`")
    assert sorted(figures(" ".join(row[1:])) for row in rows) == sorted(
        without_repeats(line) for line in benchmark.table(found).splitlines()[1:]
    )
    assert set(found.group_by("method").len()["len"]) == {5}


def figures(line):
    """Return the numbers of a line that have decimals, but for the share of the full front."""
    return [number for number in re.findall(r"-?\d+\.\d+", line) if number != "100.0"]


def without_repeats(line):
    """Return the figures of a benchmark's line that the ledger's table has.

    The last column has a table of its own. One training is its own best point, and has no range.
    """
    *cells, _ = re.split(r" {2,}", line)
    return figures(" ".join(cells[1:-3] if line.startswith("one training") else cells[1:]))


def test_the_paired_differences_are_those_of_the_stored_runs(benchmark):
    fronts = [benchmark.fronts(benchmark.finished(study, STORED)) for study in STUDIES]
    for one, other, *cells in table_after("Paired differences"):
        for study, found, cell in zip(STUDIES, fronts, cells, strict=True):
            first, second = (method_of(name, study) for name in (one, other))
            if {first, second} <= set(found["method"]):
                lines = benchmark.table(found, second).splitlines()
                (line,) = [line for line in lines if line.startswith(f"{first}  ")]
                difference = re.split(r" {2,}", line)[-1].replace("-", MINUS)
                assert cell.removeprefix("+") == difference
            else:
                assert cell == "\N{EN DASH}"


def test_the_goal_of_a_front_is_met_as_the_ledger_says(benchmark):
    shares = {}
    for study in STUDIES:
        found = benchmark.fronts(benchmark.finished(study, STORED))
        of = {method: group for (method,), group in found.group_by("method")}
        full = of[benchmark.FULL].sort("seed")["hypervolume"]
        for name in ("conditioned network", "one training"):
            for threats in ("all threats", "drawn threats"):
                own = of[method_of(f"{name}, {threats}", study)].sort("seed")["hypervolume"]
                shares.setdefault((name, threats), []).append(100 * (own / full).mean())
    (all_, drawn), (_, rival) = (
        [f"{min(of):.0f} to {max(of):.0f} %" for (kind, _), of in shares.items() if kind == name]
        for name in ("conditioned network", "one training")
    )
    said = " ".join(LEDGER.split())
    assert f"in all three studies: {all_} with all threats, {drawn} with drawn ones." in said
    assert f"one plain training with drawn threats**: it reaches {rival}, and" in said


def test_the_points_that_a_conditioned_network_dominates_are_those_of_the_ledger(benchmark):
    found = {}
    for study in STUDIES:
        runs = benchmark.finished(study, STORED).with_columns(method=benchmark.method_of())
        network = method_of("conditioned network, drawn threats", study)
        for threats in ("all threats", "drawn threats"):
            pairs = runs.filter(pl.col("method") == f"five trainings, {threats}").join(
                runs.filter(pl.col("method") == network), on="seed", suffix="_of_network"
            )
            ahead = (pl.col(f"{name}_of_network") >= pl.col(name) for name in ("natural", "total"))
            points = pairs.with_columns(below=pl.all_horizontal(*ahead)).group_by("seed", "label")
            found[study, threats] = points.agg(pl.col("below").any())["below"].sum()
    digits, twofold, mnist = (found[study, "drawn threats"] for study in STUDIES)
    assert {found[study, "all threats"] for study in STUDIES} == {25}
    assert (
        f"dominates {digits} on the digits, {twofold} with threats of twice the size, and {mnist} "
        "on MNIST."
    ) in " ".join(LEDGER.split())


def test_the_robust_ends_under_the_strong_protocol_are_those_of_the_stored_runs():
    runs = pl.read_csv(STORED / "mnist14_front_strong.csv")
    by_seed = {
        label: group.sort("seed").select("total", "weak_total")
        for (label,), group in runs.group_by("label")
    }
    pairs = (
        ("film-sampled passes=800 at=1", "independent-sampled passes=800 natural=0"),
        ("film passes=800 at=1", "independent passes=800 natural=0"),
    )
    (one, other), (third, fourth) = (
        [by_seed[label].mean().row(0) for label in pair] for pair in pairs
    )
    assert (
        f"network has {one[0]:.1f} points of total, the plain training {other[0]:.1f}; with all "
        f"threats {third[0]:.1f} and {fourth[0]:.1f}. Both seeds agree. The weak protocol, on the "
        f"same images, gives {one[1]:.1f} and {other[1]:.1f}, {third[1]:.1f} and {fourth[1]:.1f}."
    ) in " ".join(LEDGER.split())
    for network, plain in pairs:
        assert (by_seed[plain]["total"] > by_seed[network]["total"]).to_list() == [True, True]


def method_of(name, study):
    """Return the benchmark's name of a method at one U, or of five full trainings."""
    if "training" in name:
        return name
    full = 800 if study.startswith("mnist") else 900
    return f"{name}, passes={full // 2 if name.startswith('path') else full}"
