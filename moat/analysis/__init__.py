"""Analyses of trained models: numbers with axes, units and intervals. They draw nothing."""

from moat.analysis.batching import Batching
from moat.analysis.climbed_loss import require_gradient_threat
from moat.analysis.curvature import Curvature, Lanczos, loss_curvature
from moat.analysis.directions import filter_normalised, random_directions
from moat.analysis.lanczos import Spectrum, lanczos
from moat.analysis.loss_surface import SurfaceGrid, loss_surfaces
from moat.analysis.parts import AnalysisParts, AnalysisProgress, AnalysisWork
from moat.analysis.skewness import saliency_skewness, skewness
from moat.analysis.smoothgrad import SmoothGrad, saliency_maps
from moat.analysis.transfer import transfer
from moat.records import Analysis, AnalysisFinding, AnalysisSubject, NamedArray

__all__ = [
    "Analysis",
    "AnalysisFinding",
    "AnalysisParts",
    "AnalysisProgress",
    "AnalysisSubject",
    "AnalysisWork",
    "Batching",
    "Curvature",
    "Lanczos",
    "NamedArray",
    "SmoothGrad",
    "Spectrum",
    "SurfaceGrid",
    "filter_normalised",
    "lanczos",
    "loss_curvature",
    "loss_surfaces",
    "random_directions",
    "require_gradient_threat",
    "saliency_maps",
    "saliency_skewness",
    "skewness",
    "transfer",
]
