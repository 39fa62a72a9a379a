"""Landscape, curvature, saliency and skewness of runs and models by name."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from moat import analysis
from moat.analysis import (
    Analysis,
    CurvatureSettings,
    LandscapeSettings,
    SaliencySettings,
    SkewnessSettings,
)
from moat.events import Listener
from moat.precision import plain_torch
from moat.study.analyses.folder import Complete, complete_analysis
from moat.study.analyses.inputs import AnalysisRequest, analysis_inputs

InstrumentSettings = LandscapeSettings | CurvatureSettings | SaliencySettings | SkewnessSettings

_INSTRUMENTS: dict[type[InstrumentSettings], Callable[..., Analysis]] = {
    LandscapeSettings: analysis.landscape,
    CurvatureSettings: analysis.curvature,
    SaliencySettings: analysis.saliency,
    SkewnessSettings: analysis.skewness,
}


@plain_torch()
def instrument_of(
    request: AnalysisRequest, out: Path, listener: Listener, settings: InstrumentSettings
) -> Complete:
    """Return the analysis that the settings are of, as the function of `moat.analysis` does."""
    inputs = analysis_inputs(request, listener=listener, out=out)
    make: Any = _INSTRUMENTS[type(settings)]
    return complete_analysis(
        make.__name__,
        inputs,
        asdict(settings),
        out,
        listener,
        lambda parts, tell: make(
            inputs.models,
            inputs.data,
            inputs.protocol,
            settings=settings,
            pass_size=inputs.pass_size,
            parts=parts,
            progress=tell,
        ),
    )
