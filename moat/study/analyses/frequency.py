"""Power spectra of the perturbations of runs and models by name."""

from collections.abc import Sequence
from pathlib import Path

from moat import analysis
from moat.analysis.frequency import SALIENCY, saliency_signal
from moat.events import Listener
from moat.precision import plain_torch
from moat.study.analyses.folder import Complete, complete_analysis
from moat.study.analyses.inputs import AnalysisRequest, analysis_inputs


@plain_torch()
def frequency_of(
    request: AnalysisRequest,
    out: Path,
    listener: Listener,
    *,
    threats: Sequence[str] = (),
    examples: int | None = None,
    saliency: bool = False,
) -> Complete:
    """Return the spectra of models' perturbations, as `moat.analysis.frequency` does."""
    inputs = analysis_inputs(request, listener=listener, out=out)
    protocol = inputs.protocol_on(examples)
    return complete_analysis(
        "frequency",
        inputs,
        {"threats": list(threats), "examples": examples, "saliency": saliency},
        out,
        listener,
        lambda parts, tell: analysis.frequency(
            inputs.models,
            inputs.data,
            protocol,
            threats=threats,
            signals={SALIENCY: saliency_signal()} if saliency else {},
            pass_size=inputs.pass_size,
            parts=parts,
            progress=tell,
        ),
    )
