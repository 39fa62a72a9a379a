"""Adversarial examples of runs and models by name."""

from collections.abc import Sequence
from pathlib import Path

from moat import analysis
from moat.analysis import ExampleChoice
from moat.events import Listener
from moat.precision import plain_torch
from moat.study.analyses.folder import Complete, complete_analysis
from moat.study.analyses.inputs import AnalysisRequest, analysis_inputs


@plain_torch()
def adversarial_examples_of(
    request: AnalysisRequest,
    out: Path,
    listener: Listener,
    choice: ExampleChoice,
    *,
    threats: Sequence[str] = (),
    iterates: bool = False,
) -> Complete:
    """Return the examples of models, as `moat.analysis.adversarial_examples` does."""
    inputs = analysis_inputs(request, listener=listener, out=out)
    return complete_analysis(
        "examples",
        inputs,
        {"threats": list(threats), "choice": repr(choice), "iterates": iterates},
        out,
        listener,
        lambda parts, tell: analysis.adversarial_examples(
            inputs.models,
            inputs.data,
            inputs.protocol,
            choice,
            threats=threats,
            iterates=iterates,
            pass_size=inputs.pass_size,
            parts=parts,
            progress=tell,
        ),
    )
