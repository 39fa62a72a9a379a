"""Any tree in a stored record, and any bytes in its file: a result, or an error of moat's.

Whatever one run's files say, the runs beside it are read.
"""

import copy
import json
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from rich.console import Console

from moat.consent import Consent, consenting
from moat.digests import short_hash
from moat.outcomes import NATURAL_COLUMN, Column, Outcomes, summary
from moat.report import (
    StatusReader,
    compare_runs,
    comparison_shown,
    front_table,
    interval_table,
    make_fronts,
    make_plots,
    make_scoreboards,
    read_points,
    run_table,
    score_runs,
    score_table,
    status_table,
    write_comparison,
    write_plots,
    write_report,
)
from moat.report.page import write_page
from moat.runs import RunFolder, StudyFolder
from moat.study.loading import finished_record, plan_of
from moat.study.run_list import trained_runs
from moat.testing.run_record import run_record

CASES = int(os.environ.get("MOAT_SOAK") or 0)
EVERY = list(HealthCheck)
QUICK = settings(max_examples=CASES or 60, derandomize=not CASES, suppress_health_check=EVERY)
LOOKS = 9  # ways to read a study; in a soak each case tries three, so that there are more cases
SOME_LOOKS = st.lists(st.integers(0, LOOKS - 1), min_size=3, max_size=3, unique=True)
FEW = settings(max_examples=CASES // 100 or 2, derandomize=not CASES, suppress_health_check=EVERY)

PROTOCOL = {
    "threats": {
        "pgd": {"type": "pgd", "epsilon": 0.1, "step_size": 0.05, "at_steps": [1, 2]},
        "flow": {"type": "flow", "epsilon": 0.3, "at_epsilon": [0.1, 0.3], "restarts": 2},
    },
    "summed": ["pgd", "flow"],
    "ensembles": {"both": ["pgd", "flow"]},
    "falls": "last",
    "examples": None,
}
COLUMNS = (
    NATURAL_COLUMN,
    *(Column("pgd", n) for n in (1, 2)),
    *(Column("flow", e, r, "epsilon") for r in (0, 1) for e in (0.1, 0.3)),
)
CHECK = {"name": "loss", "verdict": "warn", "text": "It rises.", "figure": 2.0, "unit": "%"}


def write_run(folder: Path, variant: str, seed: int, keep: int) -> None:
    run = RunFolder(folder)
    folder.mkdir(parents=True)
    values = (np.arange(8)[:, None] * np.ones(len(COLUMNS)) < keep).astype(np.int8)
    found = Outcomes(values, COLUMNS, np.arange(8), None, {"both": ("pgd", "flow")})
    about = {"protocol_hash": short_hash(PROTOCOL), "sanity": [CHECK]}
    run.save_evaluation(found.to_arrays(), about)
    trains = {"scalarizer": {"type": variant}, "seed": seed}
    small = tomllib.loads((Path(__file__).parents[1] / "small.toml").read_text("utf-8"))
    small["variant"] = [{"name": variant, "threats": ["pgd"]}]
    run.write_recipe({**small, "published": {"source": "x", "runs": {variant: {"pgd": 1.0}}}})
    for step in (1, 2, 3):
        figures = {"loss": {"natural": 1 / step, "pgd": 2 / step}, "weight": {"pgd": 1.0}}
        run.append_log({"step": step, "steps": 3, "epoch": 1, **figures, "clamped": step == 2})
    run.append_log({"step": 3, "epoch": 1, "validation": {"natural": 9.0}, "score": 9.0})
    run.write_record(
        run_record(
            variant=variant,
            sweep={"scalarizer.r": 1},
            seed=seed,
            label=f"{variant} r=1",
            train_hash=short_hash(trains),
            trains=trains,
            training={"epoch": 1, "steps": 3, "seconds": 2.5, "scalarizer": {}},
            data={"type": "digits", "digest": "d"},
            machine={"device": "cpu"},
            protocol_hash=short_hash(PROTOCOL),
            protocol=PROTOCOL,
            files={},
            scores=summary(found, ["pgd", "flow"]),
        )
    )


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """A study of three runs; the last is the one whose files are changed."""
    folder = tmp_path_factory.mktemp("results") / "study"
    runs = [("natural", 0, 7), ("average", 1, 5), ("average", 0, 4)]
    for variant, seed, keep in runs:
        write_run(folder / variant / f"seed-{seed}", variant, seed, keep)
    planned = [
        {"folder": f"{v}/seed-{s}", "label": v, "seed": s, "epochs": 1, "batch_size": 4}
        for v, s, _ in runs
    ]
    StudyFolder(folder).plan(planned, planned)
    RunFolder(folder / "average/seed-0").write_failure({"message": "m", "where": "w", "hint": "h"})
    return folder


FILES = {
    **{"run.json": 10, "evaluation.json": 3, "log.jsonl": 5, "recipe.toml": 3},
    **{"failed.json": 1, "../../study.json": 2, "evaluation.npz": 1, ".holder.json": 1},
}
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.integers(-(10**40), 10**40),
    st.just(10**400),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", "..", "../../x", "/x", "\0", "a" * 300, "=1", "\x1b[2J", "$x$", "<b>"]),
    st.sampled_from(["\ud800", "natural", "pgd", "flow", "last", "any", "a" * 16]),
)
keys = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["type", "step", "loss", "natural", "at_steps", "at_epsilon", "restarts"]),
)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=8,
)


@st.composite
def near(draw, document):
    """Draw a tree with one to three of its keys changed, added or left out, anywhere."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        held = document
        while True:
            places = list(held) if isinstance(held, dict) else list(range(len(held)))
            place = draw(st.sampled_from(places)) if places else None
            deeper = place is not None and isinstance(held[place], dict | list)
            if not deeper or not draw(st.integers(0, 2)):
                break
            held = held[place]
        action = draw(st.sampled_from(["change", "change", "add", "leave out"]))
        if action == "add" and isinstance(held, dict):
            held[draw(keys)] = draw(trees)
        elif place is not None and action == "change":
            held[place] = draw(trees)
        elif place is not None:
            del held[place]
    return document


def content_of(data: st.DataObject, path: Path) -> bytes:
    """Draw another content for a file: a tree near its own, any tree, or broken bytes."""
    before = path.read_bytes() if path.exists() else b"{}"
    how = data.draw(st.sampled_from(["near", "near", "near", "near", "any", "bytes"]))
    if how == "bytes" or path.suffix == ".npz":
        at, to = sorted(data.draw(st.integers(0, len(before))) for _ in "12")
        return before[:at] + data.draw(st.binary(max_size=9)) + before[to:]
    if path.suffix == ".toml":
        document = tomllib.loads(before.decode())
        document = data.draw(near(document)) if how == "near" else data.draw(trees)
        try:
            return tomli_w.dumps(document).encode()
        except (TypeError, ValueError, AttributeError):  # TOML has no null, and no surrogates
            assume(False)
    lines = before.decode().splitlines() if path.suffix == ".jsonl" else [before.decode()]
    held = [json.loads(line) for line in lines]
    held = data.draw(near(held)) if how == "near" else data.draw(st.lists(trees, max_size=2))
    if data.draw(st.booleans()) and held and isinstance(held[0], dict):
        held[0].pop("files", None)  # else a changed run.json contradicts its hashes, and ends there
    try:
        return "\n".join(map(json.dumps, held)).encode() + b"\n"
    except ValueError:  # Python writes no number of so many digits
        assume(False)
    raise AssertionError


class Changed:
    """Files of a study with other contents, until it is over."""

    def __init__(self, run: Path) -> None:
        self.run, self.before = run, dict[Path, bytes | None]()

    def write(self, name: str, content: bytes) -> None:
        path = self.run / name
        self.before.setdefault(path, path.read_bytes() if path.exists() else None)
        path.write_bytes(content)

    def __enter__(self) -> "Changed":
        return self

    def __exit__(self, *_: object) -> None:
        while self.before:
            path, content = self.before.popitem()
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(content)


@pytest.fixture
def changed(results) -> Iterator[Changed]:
    return Changed(results / "average/seed-0")


def change(data: st.DataObject, changed: Changed) -> None:
    weighed = [name for name, weight in FILES.items() for _ in range(weight)]
    for name in data.draw(st.lists(st.sampled_from(weighed), min_size=1, max_size=2, unique=True)):
        changed.write(name, content_of(data, changed.run / name))


def shown(renderable: object) -> None:
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        Console(file=nowhere, width=100).print(renderable)


def show_fronts(results: Path) -> None:
    for one in make_fronts(results).fronts:
        shown(front_table(one))
        shown(interval_table(one) or "")


def show_report(results: Path, out: Path) -> None:
    made = make_scoreboards(results)
    for board in made.boards:
        shown(score_table(board, 100))
    write_report(made, out)


def show_comparison(results: Path, run: Path, out: Path) -> None:
    comparison = compare_runs([results / "natural", run])
    shown(comparison_shown(comparison, 100))
    write_comparison(comparison, out)


@QUICK
@given(data=st.data())
def test_any_record_is_read_or_refused_and_the_others_go_on(
    results, changed, tmp_path, tally, data
):
    with changed, consenting(Consent(named=False)):
        change(data, changed)
        looked = data.draw(SOME_LOOKS) if CASES else range(LOOKS)
        tally.end_in_time()  # after what is drawn: hypothesis wants the same draws again
        points, _ = read_points(results)
        assert {"natural/seed-0", "average/seed-1"} <= {point.where for point in points}
        looks = (
            lambda: show_fronts(results),
            lambda: show_report(results, tmp_path),
            lambda: show_comparison(results, changed.run, tmp_path),
            lambda: [shown(run_table(one)) for one in score_runs([changed.run])],
            lambda: shown(status_table(StatusReader(results).read(), 100)),
            lambda: trained_runs([results]),
            lambda: finished_record(RunFolder(changed.run)),
            lambda: plan_of(RunFolder(changed.run)),
            lambda: RunFolder(changed.run).read_log(),
        )
        for number in looked:
            tally.result_or_refusal(looks[number])


@FEW
@given(data=st.data())
def test_any_record_is_drawn_or_refused(results, changed, tmp_path, tally, data):
    with changed:
        change(data, changed)
        tally.end_in_time()
        kinds = ("training", "strengths", "parallel", "relationship")
        tally.result_or_refusal(
            lambda: write_plots(make_plots([results], kinds), tmp_path / "figures")
        )
        tally.result_or_refusal(
            lambda: write_page(make_scoreboards(results), results, tmp_path / "page.html")
        )
