"""Stage (c), strong evaluation: the finished runs of a study, taken on by several processes."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.gpu.output import save
from benchmarks.gpu.study import on_change, run_together, threads_of
from moat.errors import BusyError, MoatError
from moat.recipe import read_protocol
from moat.runs import RunFolder, find_runs
from moat.study import evaluate_under


def evaluate_study(asked: argparse.Namespace, found: dict[str, Any]) -> int:
    """Let processes evaluate the finished runs until the time is up; return how many failed.

    What is known is written whenever one is evaluated.
    """
    started = time.monotonic()
    _require_runs(asked)
    name = read_protocol(asked.protocol, _overrides(asked)).name

    def write(failed: int = 0) -> None:
        found["evaluation"] = {
            "protocol": asked.protocol.name,
            "examples": asked.examples,
            "side by side": asked.side_by_side,
            "seconds of this call": round(time.monotonic() - started, 1),
            "finished": _finished(asked, name),
            "runs": len(_runs(asked)),
            "failed processes": failed,
        }
        save(asked, found)

    command = [sys.executable, "-m", "benchmarks.gpu", "judge", *_options(asked)]
    shares = [[*command, "--share", str(number)] for number in range(asked.side_by_side)]
    environment = {**os.environ, "OMP_NUM_THREADS": threads_of(asked)}
    look = on_change(lambda: len(_records(asked, name)), write)
    failed = run_together(shares, 60 * asked.minutes, environment, look)
    write(failed)
    return failed


def judge_share(asked: argparse.Namespace) -> int:
    """Evaluate the finished runs that no other process has or had; return how many failed.

    The processes begin at runs of their own.
    """
    runs = _runs(asked)
    begin = asked.share * len(runs) // asked.side_by_side
    failed = 0
    for one in evaluate_under(
        asked.protocol,
        [*runs[begin:], *runs[:begin]],
        overrides=_overrides(asked),
        results=asked.results,
        device=asked.device,
    ):
        if one.error is not None and not isinstance(one.error, BusyError):
            print(f"{one.folder}: {one.error}", file=sys.stderr)
            failed += 1
    return failed


def _overrides(asked: argparse.Namespace) -> list[str]:
    return [f"evaluation.examples={asked.examples}", *asked.set]


def _runs(asked: argparse.Namespace) -> list[Path]:
    """Return the folders of the study's finished runs."""
    studies = [asked.results / asked.study, *sorted(asked.results.glob(f"{asked.study}+*"))]
    return [run.path for study in studies if "@" not in study.name for run in find_runs(study)]


def _require_runs(asked: argparse.Namespace) -> None:
    if not _runs(asked):
        raise MoatError(
            f"no run of the study {asked.study!r} is finished there.",
            where=str(asked.results),
            hint="Train them first (study), bring them here (--go-on), or name another --study.",
        )


def _records(asked: argparse.Namespace, name: str) -> list[Path]:
    """Return the records of what is evaluated under the protocol of that name."""
    studies = [f"{asked.study}@{name}", f"{asked.study}+*@{name}"]
    return [path for one in studies for path in sorted(asked.results.glob(f"{one}/**/run.json"))]


def _finished(asked: argparse.Namespace, name: str) -> dict[str, Any]:
    """Return the scores of what is evaluated, by study and run."""
    found: dict[str, Any] = {}
    for path in _records(asked, name):
        record = RunFolder(path.parent).read_record()
        if record is None or record.scores is None:
            continue
        study, _, _ = record.study.rpartition("@")
        found[f"{study}: {record.label}, seed {record.seed}"] = {
            name: round(value, 2)
            for name, value in record.scores.items()
            if isinstance(value, float)
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
    return [*named, *(part for one in asked.set for part in ("--set", one)), "--tied"]
