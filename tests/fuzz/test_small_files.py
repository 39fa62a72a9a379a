"""Any tree in a small file of moat's: a result, or an error of moat's; and a study goes on."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moat.report.manifest import REPORT_MANIFEST, write_files
from moat.runs import RunFolder, StudyFolder
from moat.runs.holder import is_alive

KEYS = st.sampled_from(
    [
        *("format", "files", "front.csv", "pid", "host", "namespace", "training", "evaluation"),
        *("protocol_hash", "message", "where", "hint", "when", "runs", "variants", "folder"),
        *("../../x", "\0", "", "\ud800"),
    ]
) | st.text(max_size=3)
SCALARS = st.sampled_from([None, True, 1, 2, -1, 10**400, 0.5, float("nan"), "", "x", "../y"])
TREES = st.recursive(
    SCALARS | st.text(max_size=4) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=9,
)
TABLES = st.dictionaries(KEYS, TREES, max_size=4)
DOCUMENTS = TREES | TABLES | st.builds(lambda files: {"format": 1, "files": files}, TREES | TABLES)
BYTES = st.builds(lambda tree: json.dumps(tree).encode(), DOCUMENTS) | st.binary(max_size=20)
CASES = int(os.environ.get("MOAT_SOAK") or 0)
OFTEN = settings(
    max_examples=CASES or 40, derandomize=not CASES, suppress_health_check=list(HealthCheck)
)


@pytest.fixture
def put(tmp_path):
    """Put bytes into a new folder, under a name."""

    def write(name: str, content: bytes) -> Path:
        folder = tmp_path / "study" / "a" / "seed-0"
        shutil.rmtree(tmp_path, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / name).write_bytes(content)
        return folder

    return write


@OFTEN
@given(content=BYTES)
def test_a_list_of_reports(put, tally, content):
    folder = put(REPORT_MANIFEST, content)
    for text in ("a", "b"):
        files = {"front.csv": text}
        tally.result_or_refusal(lambda: write_files(files, folder, ["front"], ["csv"]))  # noqa: B023
        assert (folder / "front.csv").read_text() == text


@OFTEN
@given(name=st.sampled_from(["clock.json", "failed.json", ".holder.json"]), content=BYTES)
def test_a_runs_small_files(put, tally, name, content):
    folder = put(name, content)
    run = RunFolder(folder)

    def hold() -> None:
        with run.locked():
            run.write_clock({"training": 1.0})

    for look in (
        lambda: run.read_clock()["training"] + 0.0 if run.read_clock().get("training") else None,
        run.read_failure,
        lambda: is_alive(folder / ".holder.json"),
        lambda: run.write_failure({"message": "no"}),
        run.clear_failure,
        hold,
        run.make_way,
        hold,
    ):
        tally.result_or_refusal(look)
    with run.locked():  # whatever was in the way is aside
        pass


@OFTEN
@given(content=BYTES)
def test_a_list_of_planned_runs(put, tally, content):
    study = StudyFolder(put("notes", b"").parents[1])
    (study.path / "study.json").write_bytes(content)
    run = {"folder": "a/seed-0", "label": "a", "seed": 0}
    for look in (study.planned, study.variants, lambda: study.plan([run], [run]), study.runs):
        tally.result_or_refusal(look)
    study.make_way()
    study.plan([run], [run])
    assert study.planned() == [run]


@OFTEN
@given(content=BYTES | st.just(b"PK"))
def test_a_part_of_an_evaluation(put, content):
    run = RunFolder(put("notes", b""))
    parts = run.evaluation_parts("f")
    parts.save(0, "pgd", {"a": np.zeros(2)})
    (file,) = parts.path.iterdir()
    file.write_bytes(content)
    assert parts.load(0, "pgd") is None
