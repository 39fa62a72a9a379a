import subprocess
import sys

import pytest

import moat

PUBLIC = [
    *("load", "train", "MoatError", "__version__"),
    *("data", "evaluation", "fronts", "geometry", "models", "objectives"),
    *("scalarizers", "testing", "threats", "training"),
]


def in_a_fresh_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_moat_imports_nothing_heavy():
    code = (
        "import sys, moat\n"
        "print([name for name in ('torch', 'numpy', 'pydantic', 'pymoo') if name in sys.modules])\n"
        "print(moat.MoatError.__name__, 'torch' in sys.modules)"
    )
    assert in_a_fresh_python(code).splitlines() == ["[]", "MoatError False"]


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_handed_out_when_it_is_asked_for(name):
    assert getattr(moat, name) is not None
    assert name in dir(moat)


def test_what_is_exported_can_be_imported_by_star():
    names: dict[str, object] = {}
    exec("from moat import *", names)
    assert set(moat.__all__) <= set(names)


def test_the_names_that_others_import_stay():
    from moat import load, train
    from moat.evaluation import evaluate
    from moat.fronts import non_dominated
    from moat.geometry.simplex import minimize_quadratic
    from moat.objectives import LossMatrix
    from moat.scalarizers import MGDA, Average, Max, Natural, Scalarizer, TwoMoment
    from moat.threats import PGD, RT, Flow, GradientThreat, Integrated, Threat, threat

    assert all(
        callable(name)
        for name in (
            *(load, train, evaluate, non_dominated, minimize_quadratic, LossMatrix),
            *(MGDA, Average, Max, Natural, Scalarizer, TwoMoment),
            *(PGD, RT, Flow, GradientThreat, Integrated, Threat, threat),
        )
    )


def test_a_name_that_is_none_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'moat' has no attribute 'trian'"):
        _ = moat.trian


def test_a_module_that_is_not_public_is_still_importable_by_its_path():
    from moat import losses

    assert losses.LOSSES
