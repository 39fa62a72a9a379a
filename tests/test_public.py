"""Every public callable refuses wrong arguments by name, as an error of moat and of Python."""

import importlib
import inspect
from collections.abc import Sequence

import jaxtyping
import pytest
import torch
from torch import nn

import moat
from moat.errors import MoatError
from moat.evaluation import Protocol
from moat.public import public
from moat.scalarizers import TwoMoment
from moat.threats import PGD, RT
from moat.training import SGD, Step, Training, train_step

ROOMS = (
    *("moat", "moat.threats", "moat.scalarizers", "moat.training", "moat.evaluation"),
    *("moat.fronts", "moat.frames", "moat.testing", "moat.models", "moat.data", "moat.objectives"),
    *(
        "moat.losses",
        "moat.geometry.simplex",
        "moat.geometry.balls",
        "moat.geometry.grids",
        "moat.geometry.boxes",
    ),
)
HANDED_OUT = {
    **dict.fromkeys(("Counted", "Killed", "LiveBytes"), "made without arguments, by the kit"),
    **dict.fromkeys(("Inputs", "Repetition", "Spent", "Column"), "named tuples that moat returns"),
    **dict.fromkeys(("Fitted", "EvaluationProgress", "Gallery", "InPrecision"), "moat returns it"),
    **dict.fromkeys(("JointSearch", "Parts", "Ball"), "an interface to write"),
    **dict.fromkeys(("Equality", "Solution"), "named tuples of the quadratic program"),
    **dict.fromkeys(("Scalarizer", "LaggedScalarizer"), "an interface to inherit from"),
    "seed_globally": "its seed and epoch are counted by moat's own loop",
    "MoatError": "takes a text, as exceptions do",
    "InputError": "takes a text, as exceptions do",
}
"""Public classes that nobody makes by hand, each with its reason."""


def public_callables():
    found = {}
    for room in ROOMS:
        module = importlib.import_module(room)
        own = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == room]
        for name in getattr(module, "__all__", own):
            value = getattr(module, name)
            if name.startswith("_") or name in HANDED_OUT:
                continue
            made = inspect.isclass(value) and not inspect.isabstract(value)
            if made or inspect.isfunction(value):
                found[f"{room}.{name}"] = value
    return found


CALLABLES = public_callables()


@pytest.fixture(autouse=True)
def as_in_production():
    """Without the suite's own checks of shapes, which would refuse first."""
    jaxtyping.config.update("jaxtyping_disable", True)


every_callable = pytest.mark.parametrize("name", CALLABLES)
KINDS = (None, 3, "nonsense", [1, 2], object())


def refusal_of(call):
    """Return what a call raises, None where it returns; what the kit says of a threat is none."""
    try:
        call()
    except AssertionError:
        return None
    except Exception as error:
        return error
    return None


def require_ours(error):
    """Hold an error to moat's family, to Python's two kinds and to words."""
    if error is not None:
        told = f"{type(error).__name__}: {error}"
        assert isinstance(error, MoatError), told
        assert isinstance(error, ValueError | TypeError), told
        assert str(error).strip()


def takes_any_keyword(called):
    return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(called).parameters.values())


@pytest.mark.parametrize("name", [n for n, one in CALLABLES.items() if not takes_any_keyword(one)])
def test_an_unknown_keyword_is_named(name):
    error = refusal_of(lambda: CALLABLES[name](no_such_argument=1))
    require_ours(error)
    assert "no_such_argument" in str(error)


@every_callable
@pytest.mark.parametrize("kind", KINDS, ids=lambda value: type(value).__name__)
def test_what_is_no_argument_for_it_is_refused_in_words(name, kind, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    called = CALLABLES[name]
    needed = [
        p.name
        for p in inspect.signature(called).parameters.values()
        if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    ]
    require_ours(refusal_of(lambda: called(**dict.fromkeys(needed, kind))))
    require_ours(refusal_of(lambda: called(*[kind] * len(needed))))


@public
def draw(count: int, *, names: Sequence[str] = (), scale: float | None = None) -> int:
    return count + len(names) + int(scale or 0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: draw(1, nmaes=["a"]), "draw has no argument 'nmaes'. Did you mean 'names'?"),
        (lambda: draw(), "draw: it needs the argument 'count'.\n  Write draw(count, names=()"),
        (lambda: draw("1"), "draw: count should be a whole number, not '1'."),
        (lambda: draw(1, names=3), "draw: names should be a list, each entry a text, not 3."),
        (lambda: draw(1, scale=[2]), "draw: scale should be a number or None, not [2]."),
        (lambda: moat.train("r.toml", only="natural"), "Write only=['natural']."),
        (lambda: moat.train("r.toml", sed=1), "train has no argument 'sed'. Did you mean 'seeds'?"),
        (lambda: moat.load(3), "load: run_folder should be a path or a text, not 3."),
        (lambda: PGD(nn.Linear(2, 2), eps=0.1, alpha=0.1), "PGD has no field 'eps'. Did you mean"),
        (lambda: PGD(nn.Linear(2, 2), eps=0.1, alpha=0.1), "Did you mean 'step_size'?"),
        (lambda: PGD(nn.Linear(2, 2), eps=0.1), "threat.perturb(model, x, y)"),
        (lambda: LINF(IMAGES, LABELS), "PGD(...): it needs the argument 'model'."),
        (lambda: LINF.perturb(NET, LABELS), "PGD.perturb: it needs the argument 'x'."),
        (lambda: LINF(NET, IMAGES), "PGD(...): it needs the argument 'y'."),
        (
            lambda: moat.evaluate((IMAGES, LABELS), [LINF]),
            "evaluate: it needs the argument 'model'",
        ),
        (lambda: Step(NET, [LINF], "average"), "Step: it needs the argument 'optimizer'."),
        (lambda: LINF(IMAGES, LABELS, NET), "The model comes first, then images and labels"),
        (lambda: LINF.perturb(NET, IMAGES, LABELS, steps=3), "PGD.perturb has no argument 'steps'"),
        (lambda: Training(epoch=3), "Training has no field 'epoch'. Did you mean 'epochs'?"),
        (lambda: SGD(learning_rate=0.1), "SGD has no field 'learning_rate'. Did you mean 'lr'?"),
        (lambda: Training(3), "Training needs its fields by name.\n  Write Training(epochs=3)."),
        (lambda: TwoMoment(rho=0.5, solver="cvxop"), "Did you mean 'cvxopt'?"),
        (lambda: PGD(8 / 255, 2 / 255, 10), f"Write PGD(epsilon={8 / 255}, step_size={2 / 255}, "),
        (lambda: PGD(NET, 0.1, 0.02, 10), "Write PGD(epsilon=0.1, step_size=0.02, steps=10)."),
        (lambda: PGD(0.1, steps=3, norm="l2"), "Write PGD(epsilon=0.1, steps=3, norm='l2')."),
        (lambda: SGD(0.1, 0.9), "Write SGD(lr=0.1, momentum=0.9)."),
        (lambda: PGD(restarts=5), "no field 'restarts'. An evaluation repeats a search: Protocol("),
        (lambda: RT(n_restarts=5), "no field 'n_restarts'. An evaluation repeats a search"),
        (lambda: PGD(targeted=True), "no field 'targeted'. A targeted search climbs a targeted"),
        (lambda: PGD(clip_min=0), "no field 'clip_min'. Images lie in [0, 1]"),
        (lambda: PGD(random_start=True), "no field 'random_start'. Did you mean 'start'?"),
        (
            lambda: train_step(NET, None, {}, None, IMAGES, LABELS, pass_size=4, generator=None),
            "train_step has no argument 'pass_size'.\n  Write settings=moat.training.StepSettings("
            "pass_size=..., generator=...).\n  Or call moat.training.Step(model, optimizer, ",
        ),
        (
            lambda: moat.evaluate(NET, (IMAGES, LABELS), [LINF], restarts={}),
            "Write protocol=moat.evaluation.Protocol(restarts=...).",
        ),
        (lambda: Step(), "scalarizer, losses=cross_entropy, pass_size=None, generator=None)."),
        (lambda: Protocol(), "Write Protocol(threats, at_steps=..., summed=(), examples=None"),
    ],
)
def test_the_error_says_which_argument_the_nearest_and_the_mend(call, text):
    error = refusal_of(call)
    require_ours(error)
    assert text in str(error)


@pytest.mark.parametrize("name", CALLABLES)
def test_no_signature_in_an_error_has_a_text_that_is_cut(name):
    said = str(refusal_of(CALLABLES[name]) or "")
    assert "<" not in said
    assert said.count("(") == said.count(")")


@pytest.mark.parametrize("kind", [MemoryError, torch.OutOfMemoryError])
def test_an_error_of_memory_is_explained_by_no_argument(kind):
    @public
    def full(count: int) -> None:
        raise kind

    with pytest.raises(kind):
        full("many")


def test_an_error_that_no_argument_explains_passes_as_it_is():
    with pytest.raises(ZeroDivisionError):
        public(lambda count: 1 / count)(0)
    with pytest.raises(OverflowError):
        draw(1, scale=float("inf"))


def test_a_threat_is_called_as_perturb_is():
    assert torch.equal(LINF(NET, IMAGES, LABELS), LINF.perturb(NET, IMAGES, LABELS))


LINF = PGD(epsilon=0.1, step_size=0.1, steps=2)
NET = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
IMAGES, LABELS = torch.full((2, 1, 2, 2), 0.5), torch.tensor([0, 2])
