"""An analysis of each kind, made up: pictures need no model."""

import numpy as np
import pytest

from moat.records import Analysis, AnalysisFinding, AnalysisSubject, NamedArray


def of(kind, arrays, subjects=("a", "b"), **more):
    made = {
        name: NamedArray(np.asarray(values), axes, unit)
        for name, (values, axes, unit) in arrays.items()
    }
    return Analysis(kind, made, tuple(map(AnalysisSubject, subjects)), notes=("Note.",), **more)


def made_up_transfer():
    names, rng = ["a run with a long name", "b $x$ <&>", "c"], np.random.default_rng(0)
    axes, matrix = ("source", "target", "threat"), rng.uniform(0, 100, (3, 3, 2))
    apart = matrix - matrix[range(3), range(3)]
    return of(
        "transfer",
        {
            "source": (names, ("source",), ""),
            "target": (names, ("target",), ""),
            "threat": (["pgd", "rt"], ("threat",), ""),
            "accuracy": (matrix, axes, "%"),
            "difference": (apart, axes, "percentage points"),
            "difference_high": (apart + 5, axes, "percentage points"),
        },
        names,
        findings=(AnalysisFinding("weak", -3.0, -5.0, -1.0, "percentage points", True),),
    )


def made_up_examples(channels=1, models=("a", "b")):
    rng = np.random.default_rng(0)
    m, t, e, side, frames = len(models), 2, 2, 8, 3
    searched, image = ("model", "threat", "example"), ("channel", "row", "column")

    def pixels(*shape):
        return rng.integers(0, 256, (*shape, channels, side, side), dtype=np.uint8)

    moved = np.full((m, t, e, side, side, 2), np.nan, np.float32)
    moved[:, 1] = rng.normal(0, 0.05, moved[:, 1].shape)
    film = ("model", "threat", "iterate", "example")
    return of(
        "examples",
        {
            "threat": (["pgd", "flow"], ("threat",), ""),
            "example": ([3, 8], ("example",), ""),
            "class": (["cat", "a class with a name beyond the width"], ("class",), ""),
            "strength": (["10 steps", "radius 0.3"], ("threat",), ""),
            "label": ([0, 1], ("example",), ""),
            "image": (pixels(e), ("example", *image), "1/255"),
            "natural_predicted": (np.tile([0, 1], (m, 1)), ("model", "example"), ""),
            "natural_confidence": (np.full((m, e), 97.0), ("model", "example"), "%"),
            "adversarial": (pixels(m, t, e), (*searched, *image), "1/255"),
            "predicted": (np.ones((m, t, e), int), searched, ""),
            "confidence": (np.full((m, t, e), 61.0), searched, "%"),
            "displacement": (moved, (*searched, "row", "column", "direction"), "grid units"),
            "film": (pixels(m, t, frames, e), (*film, *image), "1/255"),
            "film_predicted": (np.zeros((m, t, frames, e), int), film, ""),
            "film_confidence": (np.full((m, t, frames, e), 50.0), film, "%"),
            "film_step": (np.tile(np.arange(frames)[:, None], (m, t, 1, e)), film, ""),
        },
        models,
    )


def made_up_frequency():
    rng, side, signals = np.random.default_rng(0), 8, ["natural", "pgd", "still"]
    both, ringed = ("model", "signal"), ("model", "signal", "frequency")
    share = rng.dirichlet(np.ones(side * side), (2, 3)).reshape(2, 3, side, side)
    ring = rng.uniform(0, 40, (2, 3, 7))
    ring[:, 2] = np.nan
    return of(
        "frequency",
        {
            "model": (["a", "b"], ("model",), ""),
            "signal": (signals, ("signal",), ""),
            "frequency": (np.arange(7) / 8, ("frequency",), "cycles per pixel"),
            "share": (100 * share, (*both, "vertical", "horizontal"), "%"),
            "ring_density": (ring, ringed, ""),
            "ring_density_low": (0.9 * ring, ringed, ""),
            "ring_density_high": (1.1 * ring, ringed, ""),
        },
    )


MODELS = ("natural", "a run with quite a long name, seed 3")


def named(**names):
    return {axis: NamedArray(np.array(values), (axis,)) for axis, values in names.items()}


def made_up_landscape(constant: bool = False) -> Analysis:
    axis = np.linspace(-1, 1, 5)
    bowl = axis[:, None] ** 2 + axis**2
    mean = np.broadcast_to(0 * bowl if constant else bowl, (2, 1, 3, 5, 5)).copy()
    arrays = named(model=MODELS, threat=["rt"], view=["far", "near", "end"], a=axis, b=axis)
    arrays["mean"] = NamedArray(mean, ("model", "threat", "view", "a", "b"), "nats")
    return Analysis("landscape", arrays, notes=("Note.",))


def made_up_curvature(flat: bool = False) -> Analysis:
    axes = ("model", "threat", "place")
    arrays = named(model=MODELS, threat=["rt", "integrated"], place=["start", "end"])
    values = np.arange(8.0).reshape(2, 2, 2) * (0 if flat else 1)
    for quantity in ("lowest", "highest", "negative", "convexity"):
        sign = -1 if quantity == "lowest" else 1
        for end in ("", "_low", "_high"):
            own = np.full_like(values, np.nan) if flat and quantity == "convexity" else values
            arrays[f"median_{quantity}{end}"] = NamedArray(sign * own, axes)
    return Analysis("curvature", arrays, notes=("Note.",))


def made_up_saliency(channels: int = 1, flat: bool = False) -> Analysis:
    generator = np.random.default_rng(0)
    pixels = (channels, 6, 8)
    arrays = named(model=MODELS, example=[3, 70])
    arrays["label"] = NamedArray(np.array([1, 2]), ("example",))
    arrays["image"] = NamedArray(
        generator.random((2, *pixels)), ("example", "channel", "row", "column")
    )
    maps = generator.normal(size=(2, 2, *pixels)) * (0 if flat else 1)
    arrays["map"] = NamedArray(maps, ("model", "example", "channel", "row", "column"))
    return Analysis("saliency", arrays, notes=("Note.",))


def made_up_skewness() -> Analysis:
    arrays = named(model=MODELS, maps=["signed", "absolute"], scale=["raw", "unit"])
    values = np.arange(8.0).reshape(2, 2, 2)
    for name, shift in (("median", 0), ("median_low", -0.5), ("median_high", 0.5)):
        arrays[name] = NamedArray(values + shift, ("model", "maps", "scale"))
    return Analysis("skewness", arrays, settings={"reference": "natural"}, notes=("Note.",))


def with_ends(name, values, axes, unit, apart=5.0):
    ends = (("", 0.0), ("_low", -apart), ("_high", apart))
    return {f"{name}{end}": NamedArray(values + by, axes, unit) for end, by in ends}


def made_up_relationship(seeds: int = 3, threats: int = 2) -> Analysis:
    names = ["flow", "rt", "a threat with a long name"][:threats]
    searches = [f"{name}, {count} iterations" for name in names for count in (5, 10)]
    arrays = named(strength=[0.0, 5.0, 10.0], search=searches, threat=names)
    arrays["search_threat"] = NamedArray(np.repeat(names, 2), ("search",))
    values = np.linspace(20, 80, len(searches) * 3).reshape(len(searches), 3)
    width = np.nan if seeds == 2 else 5.0
    arrays |= with_ends("accuracy", values, ("search", "strength"), "%", width)
    arrays |= with_ends("correlation", np.linspace(-0.9, 0.9, threats), ("threat",), "", width)
    settings = {"strength": "steps", "conditional": True, "interval_over": "examples"}
    return Analysis("relationship", arrays, settings=settings, notes=("Note.",))


def made_up_overfitting() -> Analysis:
    arrays = named(strength=[0.1, 0.2, 0.3], threat=["pgd", "flow"])
    values = np.array([[-5.0, -2.0, 0.0], [30.0, 10.0, 2.0]])
    arrays |= with_ends("difference", values, ("threat", "strength"), "percentage points")
    arrays |= with_ends("correlation", np.array(-1.0), (), "", 0.0)
    settings = {"strength": "epsilon", "conditional": False, "interval_over": "examples"}
    return Analysis("overfitting", arrays, settings=settings, notes=("Note.",))


def made_up_conflict(logged: bool = True, subjects: int = 2) -> Analysis:
    layers = ["network", "features.0.convolution", "1"]
    pairs = ["natural, pgd", "natural, flow", "pgd, flow"]
    names = [f"a run of number {number}" for number in range(subjects)]
    arrays = named(subject=names, layer=layers, pair=pairs, threat=["pgd", "flow"])
    cosines = np.linspace(-0.9, 0.9, subjects * 9).reshape(subjects, 3, 3)
    cosines[-1, 2] = np.nan
    arrays |= with_ends("cosine", cosines, ("subject", "layer", "pair"), "", 0.1)
    if logged:
        arrays["step"] = NamedArray(np.arange(20, 120, 20), ("step",))
        over = np.repeat(cosines[:, None], 5, axis=1)
        over[-1] = np.nan
        axes = ("subject", "step", "layer", "pair")
        arrays["logged_cosine"] = NamedArray(over, axes)
    return Analysis("conflict", arrays, notes=("Note.",))


MADE_UP = {
    "relationship": made_up_relationship,
    "relationship of two seeds": lambda: made_up_relationship(seeds=2, threats=3),
    "overfitting": made_up_overfitting,
    "conflict": made_up_conflict,
    "conflict without a log": lambda: made_up_conflict(logged=False),
    "conflict of many": lambda: made_up_conflict(subjects=10),
    "transfer": made_up_transfer,
    "examples": made_up_examples,
    "examples in colour": lambda: made_up_examples(channels=3, models=("one",)),
    "frequency": made_up_frequency,
    "landscape": made_up_landscape,
    "a constant landscape": lambda: made_up_landscape(constant=True),
    "curvature": made_up_curvature,
    "curvature of a flat loss": lambda: made_up_curvature(flat=True),
    "saliency": made_up_saliency,
    "saliency in colour": lambda: made_up_saliency(channels=3),
    "saliency of a constant model": lambda: made_up_saliency(flat=True),
    "skewness": made_up_skewness,
}


@pytest.fixture(params=MADE_UP)
def analysis(request):
    return MADE_UP[request.param]()


@pytest.fixture
def made_up():
    """Return a made-up analysis of a kind."""
    return lambda kind: MADE_UP[kind]()
