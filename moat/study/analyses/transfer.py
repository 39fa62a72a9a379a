"""Transfer between runs and models by name."""

from collections.abc import Sequence
from pathlib import Path

from moat import analysis
from moat.events import Listener
from moat.precision import plain_torch
from moat.study.analyses.folder import Complete, complete_analysis
from moat.study.analyses.inputs import AnalysisRequest, analysis_inputs


@plain_torch()
def transfer_of(
    request: AnalysisRequest,
    out: Path,
    listener: Listener,
    *,
    threats: Sequence[str] = (),
    examples: int | None = None,
) -> Complete:
    """Return the transfer between models, as `moat.analysis.transfer` does."""
    inputs = analysis_inputs(request, listener=listener, out=out)
    protocol = inputs.protocol_on(examples)
    return complete_analysis(
        "transfer",
        inputs,
        {"threats": list(threats), "examples": examples},
        out,
        listener,
        lambda parts, tell: analysis.transfer(
            inputs.models,
            inputs.data,
            protocol,
            threats=threats,
            pass_size=inputs.pass_size,
            parts=parts,
            progress=tell,
        ),
    )
