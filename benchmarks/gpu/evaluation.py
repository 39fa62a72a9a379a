"""Stage (c), strong evaluation: the finished runs of a study, shared out among processes."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.gpu.study import run_together
from moat.runs import RunFolder, find_runs
from moat.storage import replace, to_json
from moat.study import evaluate_under


def evaluate_study(asked: argparse.Namespace, found: dict[str, Any]) -> int:
    """Let processes evaluate the finished runs until the time is up; return how many failed."""
    started = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.gpu", "judge", *_options(asked)]
    threads = str(max(1, (os.cpu_count() or 1) // asked.side_by_side))
    shares = [[*command, "--share", str(number)] for number in range(asked.side_by_side)]
    failed = run_together(shares, 60 * asked.minutes, {**os.environ, "OMP_NUM_THREADS": threads})
    found["evaluation"] = {
        "protocol": asked.protocol.name,
        "examples": asked.examples,
        "side by side": asked.side_by_side,
        "seconds of this call": round(time.monotonic() - started, 1),
        "finished": _finished(asked),
        "failed processes": failed,
    }
    replace(asked.out, to_json(found))
    return failed


def judge_share(asked: argparse.Namespace) -> int:
    """Evaluate every so-many-th finished run, and return how many failed."""
    runs = _runs(asked)[asked.share :: asked.side_by_side]
    overrides = [f"evaluation.examples={asked.examples}", *asked.set]
    judged = evaluate_under(
        asked.protocol, runs, overrides=overrides, results=asked.results, device=asked.device
    )
    errors = [one.error for one in judged if one.error is not None]
    for error in errors:
        print(error, file=sys.stderr)
    return len(errors)


def _runs(asked: argparse.Namespace) -> list[Path]:
    """Return the folders of the study's finished runs."""
    studies = sorted(asked.results.glob(f"{asked.study}*"))
    return [run.path for study in studies if "@" not in study.name for run in find_runs(study)]


def _finished(asked: argparse.Namespace) -> dict[str, Any]:
    """Return the scores of what is evaluated, by run, beside those of the run's own protocol."""
    stem = asked.protocol.stem
    found: dict[str, Any] = {}
    for path in sorted(asked.results.glob(f"{asked.study}*@{stem}*/**/run.json")):
        record = RunFolder(path.parent).read_record() or {}
        scores = record.get("scores", {})
        found[f"{record.get('label')}, seed {record.get('seed')}"] = {
            name: round(value, 2) for name, value in scores.items() if isinstance(value, float)
        }
    return found


def _options(asked: argparse.Namespace) -> list[str]:
    given = {
        "--protocol": asked.protocol,
        "--study": asked.study,
        "--examples": asked.examples,
        "--results": asked.results,
        "--device": asked.device,
        "--side-by-side": asked.side_by_side,
    }
    named = [part for name, value in given.items() for part in (name, str(value))]
    return [*named, *(part for one in asked.set for part in ("--set", one))]
