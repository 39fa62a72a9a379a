"""Runs that were judged on different examples of one test set: their scores on the common ones."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from moat.dotted import differing
from moat.errors import FrontError
from moat.report.groups import Group
from moat.report.points import Point
from moat.runs import RunFolder, as_typed, command_again

FEWEST = 10
"""Common examples of a comparison, unless they are all that a run was judged on."""
_CHOICE = {"examples", "sample"}
"""The keys of a protocol that choose the examples, and nothing else."""


def differ_in_examples_alone(one: Group, other: Group) -> bool:
    """Say whether two groups differ in nothing but the examples that their protocols choose."""
    ours, theirs = (group.protocol.as_table() for group in (one, other))
    apart = differing(ours, theirs).keys()
    return one.data == other.data and bool(apart) and apart <= _CHOICE


def common_ids(
    points: Sequence[Point], names: Sequence[object], mend: Callable[[], str]
) -> NDArray[np.int64]:
    """Return the ids of the examples that all runs were judged on, ascending.

    Raises FrontError where these are none or too few: `names` are whose examples they are, and
    `mend` returns how the same ones are evaluated.
    """
    each = [np.unique(point.outcomes.ids) for point in points]
    common: NDArray[np.int64] = reduce(np.intersect1d, each)
    counts = list(dict.fromkeys(map(len, each)))
    if len(common) >= max(1, min(FEWEST, *counts)):
        return common
    of = _and([f"{count:,}" for count in counts]) + ("" if counts[1:] else " each")
    some = f"only {len(common)} in common, too few to compare"
    shared = some if len(common) else "none in common"
    raise FrontError(
        f"{_and(list(map(str, names)))} were evaluated on different test examples: of {of}, "
        f"{shared}.",
        hint=mend(),
    )


def common_text(common: int, evaluated: Sequence[int]) -> str:
    """Return what scores are of, in words: all test examples, or those that all runs share.

    Example:
        >>> common_text(1000, [1000, 1000]), common_text(30, [60, 30])
        ('of 1,000 test examples', 'on the 30 test examples that both evaluated, of 60 and 30')
    """
    if set(evaluated) == {common}:
        return f"of {common:,} test examples"
    whose = "both" if len(evaluated) == 2 else "all"
    of = _and([f"{count:,}" for count in evaluated])
    return f"on the {common:,} test examples that {whose} evaluated, of {of}"


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def same_examples_hint(judged: Point, like: Point) -> str:
    """Return the command that evaluates what `judged` is of on the examples of `like`.

    That is the command of its record with other settings; of a run that was judged by its own
    recipe, one that names the protocol of `like`.
    """
    ours, theirs = _command(judged), _command(like)
    if ours:
        words = _with_settings(ours, _choice(judged, like))
    elif theirs and not theirs[2].startswith("-"):
        words = ["moat", "evaluate", _above(judged.place, judged), *theirs[3:]]
    elif (recipe := RunFolder(like.folder).recipe).exists():
        protocol = ["--protocol", as_typed(str(recipe))]
        words = ["moat", "evaluate", _above(judged.place, judged), *protocol]
    else:
        return "`moat evaluate RUN --protocol FILE` evaluates each run with the same protocol."
    return f"This evaluates the same examples:\n{shlex.join(words)}"


def _with_settings(words: Sequence[str], settings: Mapping[str, object]) -> list[str]:
    """Return a command that sets some keys, in place of what it set them to before."""
    made: list[str] = []
    for word in words:
        if made[-1:] == ["--set"] and word.partition("=")[0].strip() in settings:
            made.pop()
        else:
            made.append(word)
    return [*made, *(word for key in settings for word in ("--set", f"{key}={settings[key]}"))]


def _command(point: Point) -> list[str] | None:
    """Return the words that make an evaluation again, of all runs that a reader named with it."""
    record = RunFolder(point.folder).read_record()
    words = record and command_again(record.command, record.study, point.folder)
    return [*words[:2], _above(words[2], point), *words[3:]] if words else None


def _above(run: str, point: Point) -> str:
    """Return the folder of a run without what the reader of its point put below it."""
    return run.removesuffix(f"/{point.where}")


def _choice(judged: Point, like: Point) -> dict[str, object]:
    """Return the settings with which one protocol chooses the examples of another."""
    ours, theirs = (point.protocol.as_table() for point in (judged, like))
    wanted = {
        "examples": len(like.outcomes.ids),
        "sample": like.protocol.sample,
        "seed": theirs.get("seed", 0),
    }
    return {f"evaluation.{key}": new for key, new in wanted.items() if ours.get(key) != new}
