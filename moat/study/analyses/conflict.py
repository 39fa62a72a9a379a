"""The conflict of the objectives of runs and models by name."""

from collections.abc import Sequence
from pathlib import Path

from moat import analysis
from moat.analysis.conflict_log import with_logs
from moat.events import Listener
from moat.precision import plain_torch
from moat.study.analyses.folder import Complete, complete_analysis
from moat.study.analyses.inputs import AnalysisRequest, analysis_inputs


@plain_torch()
def conflict_of(
    request: AnalysisRequest,
    out: Path,
    listener: Listener,
    *,
    threats: Sequence[str] = (),
    batch_size: int = 32,
) -> Complete:
    """Return the conflict in each model, as `moat.analysis.conflict` does, with the runs' logs."""
    inputs = analysis_inputs(request, listener=listener, out=out)
    found, parts = complete_analysis(
        "conflict",
        inputs,
        {"threats": list(threats), "batch_size": batch_size},
        out,
        listener,
        lambda parts, tell: analysis.conflict(
            inputs.models,
            inputs.data,
            inputs.protocol,
            threats=threats,
            batch_size=batch_size,
            parts=parts,
            progress=tell,
        ),
    )
    logs = {name: run.folder.read_log() for name, run in inputs.runs.items()}
    return with_logs(found, logs), parts
