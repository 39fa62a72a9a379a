"""The start of a finished run against the weights that lie in its place now."""

from pathlib import Path

from moat.digests import digest_of_file
from moat.errors import RunFolderError
from moat.records import RunRecord
from moat.runs.folder import RunFolder
from moat.runs.model_file import weights_file


def is_stale(folder: RunFolder, record: RunRecord) -> bool:
    """Say whether the run of the study that a finished run starts from was trained again since.

    A run whose start is missing is not known to be stale.
    """
    start = record.start
    if start is None or start.training is None:
        return False
    depth = 3 + bool(record.sweep)  # of a run's folder: study, variant, sweep values, seed
    if len(folder.path.parents) < depth:
        return False
    now = _weights_now(folder.path.parents[depth - 1] / start.place)
    return now is not None and not now.startswith(start.weights)


def _weights_now(place: Path) -> str | None:
    """Return the digest of a run's weights: from its record, else of the file; None without one."""
    try:
        record = RunFolder(place).read_record()
        file = weights_file(place)
        held = None if record is None else (record.files or {}).get(file.name)
        return held or (digest_of_file(file) if file.is_file() else None)
    except (RunFolderError, OSError):  # its own reader says why
        return None
