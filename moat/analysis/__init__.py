"""Analyses of trained models: numbers with axes, units and intervals. They draw nothing."""

from moat.analysis.batching import Batching
from moat.analysis.choice import ExampleChoice
from moat.analysis.climbed_loss import require_gradient_threat
from moat.analysis.conflict import conflict
from moat.analysis.curvature import CurvatureSettings, curvature
from moat.analysis.directions import filter_normalised, random_directions
from moat.analysis.examples import adversarial_examples
from moat.analysis.frequency import frequency
from moat.analysis.hessian_spectrum import Curvature, Lanczos, loss_curvature
from moat.analysis.lanczos import Spectrum, lanczos
from moat.analysis.landscape import LandscapeSettings, landscape
from moat.analysis.loss_surface import SurfaceGrid, loss_surfaces
from moat.analysis.map_skewness import fisher_pearson, saliency_skewness
from moat.analysis.overfitting import overfitting
from moat.analysis.parts import AnalysisParts, AnalysisProgress, AnalysisWork
from moat.analysis.relationship import relationship
from moat.analysis.saliency import SaliencySettings, saliency
from moat.analysis.skewness import SkewnessSettings, skewness
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
    "CurvatureSettings",
    "ExampleChoice",
    "Lanczos",
    "LandscapeSettings",
    "NamedArray",
    "SaliencySettings",
    "SkewnessSettings",
    "SmoothGrad",
    "Spectrum",
    "SurfaceGrid",
    "adversarial_examples",
    "conflict",
    "curvature",
    "filter_normalised",
    "fisher_pearson",
    "frequency",
    "lanczos",
    "landscape",
    "loss_curvature",
    "loss_surfaces",
    "overfitting",
    "random_directions",
    "relationship",
    "require_gradient_threat",
    "saliency",
    "saliency_maps",
    "saliency_skewness",
    "skewness",
    "transfer",
]
