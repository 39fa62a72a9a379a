"""What a model's type means that is not written as a reference."""

from dataclasses import replace

import pytest

from moat.errors import RecipeError
from moat.models import registry
from moat.recipe import named_model, plan_runs, read
from moat.recipe.model_reference import FORM, meant_reference

MEANT = [
    ("python:mynet.py:Net", "python:mynet:Net"),
    ("python:./mynet.py:Net", "python:mynet:Net"),
    ("python:nets/mine.py:make", "python:nets.mine:make"),
    (r"python:nets\mine.py:make", "python:nets.mine:make"),
    ("python:mynet.Net", "python:mynet:Net"),
    ("python:mynet/Net.py", "python:mynet:Net"),
    ("python: mynet:Net", "python:mynet:Net"),
    ("python:mynet:Net ", "python:mynet:Net"),
    ("python:mynet:Net:", "python:mynet:Net"),
    ("python:mynet:Net()", "python:mynet:Net"),
    ("Python:mynet:Net", "python:mynet:Net"),
    ("mynet.py:Net", "python:mynet:Net"),
    ("./nets/mine.py:make", "python:nets.mine:make"),
    ("mynet:Net", "python:mynet:Net"),
    ("nets.mine.make", "python:nets.mine:make"),
    ("torchvison:resnet18", "torchvision:resnet18"),
    ("TorchVision:resnet18", "torchvision:resnet18"),
]
NOTHING = ["python:", "python:mynet", "python::Net", "python:mynet:", "python:a:b:c"]
NOTHING += ["python:/home/me/mynet.py:Net", "python:../mynet.py:Net", "python:mynet.py"]


def in_recipe(folder, typed):
    path = folder / "r.toml"
    path.write_text(
        f"model = '{typed}'\n"
        'data = "digits"\n[optimizer]\ntype = "adamw"\nlr = 0.01\n[training]\nepochs = 1\n'
        'batch_size = 8\n[[variant]]\nname = "natural"\n'
    )
    return plan_runs(read(path))


@pytest.mark.parametrize(("typed", "meant"), MEANT)
def test_a_network_named_otherwise_is_shown_as_it_is_written(tmp_path, typed, meant):
    with pytest.raises(RecipeError) as refused:
        in_recipe(tmp_path, typed)
    assert refused.value.message == f"no model is called {typed!r}. Did you mean {meant!r}?"
    assert refused.value.hint == FORM
    assert refused.value.where.endswith("r.toml, model.type")
    with pytest.raises(RecipeError) as refused:
        named_model(typed)
    assert refused.value.message == f"no model is called {typed!r}. Did you mean {meant!r}?"
    assert refused.value.where == f"--model {typed}"
    assert meant_reference(meant) in (meant, "")  # what is proposed is accepted


@pytest.mark.parametrize("typed", NOTHING)
def test_a_reference_without_a_module_or_a_callable_is_refused_with_the_form(tmp_path, typed):
    with pytest.raises(RecipeError) as refused:
        in_recipe(tmp_path, typed)
    assert refused.value.message == f"no model is called {typed!r}."
    assert refused.value.hint == FORM


def test_a_registered_name_with_a_dot_is_no_reference(monkeypatch):
    own = replace(registry._entries["tiny-cnn"], name="acme.net")
    monkeypatch.setitem(registry._entries, "acme.net", own)
    assert isinstance(named_model("acme.net"), registry.get("tiny-cnn"))
