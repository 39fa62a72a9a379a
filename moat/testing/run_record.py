"""A finished run's record, for tests of readers of run folders."""

from typing import Any

from moat.public import public
from moat.records import RunRecord


@public
def run_record(**said: Any) -> RunRecord:
    """Return a record with every required key, and those in `said`.

    Its protocol searches one threat, "pgd", with one iteration; its name follows from its variant.

    Example:
        >>> run_record(variant="max-at", seed=3).label
        'max-at'
    """
    must = {
        "moat": "0.1.0",
        "study": "study",
        "variant": "plain",
        "sweep": {},
        "seed": 0,
        "label": said.get("variant", "plain"),
        "trains": {},
        "data": {"type": "digits"},
        "shape": [1, 8, 8],
        "classes": 10,
        "protocol_hash": "0123456789abcdef",
        "protocol": {"threats": {"pgd": {"type": "pgd", "at_steps": [1]}}, "summed": ["pgd"]},
    }
    return RunRecord.model_validate({**must, **said})
