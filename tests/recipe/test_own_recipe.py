"""A run's own recipe, as its folder keeps it."""

from pathlib import Path

import pytest

from moat.recipe import plan_runs, read
from moat.recipe.code import kept_files
from moat.recipe.own_recipe import kept_recipe

HEAD = (
    '[data]\ntype = "mnist"\nroot = "{root}"\n[model]\ntype = "resnet18"\nweights = "{weights}"\n'
)


@pytest.mark.parametrize("at", ["results/study/run", "elsewhere/deep/er/run"])
@pytest.mark.parametrize("weights", ["nets/mine.pth", "net.pt", "IMAGENET1K_V1"])
def test_paths_are_seen_from_the_folder_and_lead_where_they_led(tmp_path, at, weights):
    recipe = tmp_path / "recipes/study.toml"
    recipe.parent.mkdir()
    recipe.write_text(HEAD.format(root="../data", weights=weights))
    named = read(recipe).document
    kept, code = kept_recipe(named, tmp_path / at)
    assert code == {}
    assert str(tmp_path) not in str(kept)
    run = tmp_path / at / "recipe.toml"
    run.parent.mkdir(parents=True)
    import tomli_w

    run.write_text(tomli_w.dumps(kept))
    assert read(run).document == named
    assert kept_recipe(read(run).document, run.parent) == (kept, {})


def test_a_swept_path_is_read_from_the_recipe_s_folder_and_kept_from_the_run_s(
    tmp_path, monkeypatch
):
    import tomli_w

    recipe = tmp_path / "recipes/study.toml"
    recipe.parent.mkdir()
    recipe.write_text(
        'extends = "base/digits"\nseeds = [0]\n'
        '[data]\ntype = "image-folder"\nfolder = "f"\nvalidation = 0.0\n'
        '[[variant]]\nname = "v"\nscalarizer = "natural"\n'
        'sweep = { "data.root" = ["../one", "../two"] }\n'
    )
    monkeypatch.chdir(tmp_path)
    plans = plan_runs(read(Path("recipes/study.toml")))
    assert [plan.label for plan in plans] == ["v root=..-one", "v root=..-two"]
    for plan, name in zip(plans, ("one", "two"), strict=True):
        assert Path(plan.dataset.root) == tmp_path / name
        run = tmp_path / "results" / plan.path
        kept, _ = kept_recipe(plan.document, run)
        run.mkdir(parents=True)
        (run / "recipe.toml").write_text(tomli_w.dumps(kept), "utf-8")
        (again,) = plan_runs(read(run / "recipe.toml"))
        assert Path(again.dataset.root) == tmp_path / name
        assert str(tmp_path) not in (run / "recipe.toml").read_text("utf-8")


def test_a_recipe_without_code_and_paths_is_kept_as_it_is(recipe):
    document = read(recipe()).document
    assert kept_recipe(document, Path("anywhere")) == (document, {})


@pytest.fixture
def files(tmp_path):
    """Write files below the test's folder."""

    def write(**contents: str) -> Path:
        for place, content in contents.items():
            path = tmp_path / place.replace("__", "/").replace("_py", ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return tmp_path

    return write


def test_plug_ins_of_one_name_are_kept_side_by_side(files):
    at = files(a__plug_py="x = 1", b__plug_py="x = 2", b__Plug_py="x = 3", plug_py="import plug")
    named = [str(at / place) for place in ("a/plug.py", "b/plug.py", "b/Plug.py", "a/plug.py")]
    places, kept = kept_files({"plugins": named})
    assert places == ["plug.py", "plug-2.py", "Plug-3.py", "plug.py"]
    assert [kept[place].read_text() for place in places] == ["x = 1", "x = 2", "x = 3", "x = 1"]


def test_a_plug_in_whose_name_not_every_system_takes_gets_another(files):
    at = files(a__x_py="x = 1")
    named = []
    for name in ("-x.py", ".x.py", "con.py"):
        named.append(str((at / "a/x.py").rename(at / "a" / name)))
        (at / "a/x.py").write_text(f"y = {len(named)}")
    places, _ = kept_files({"plugins": named})
    assert places == ["plugin.py", "plugin-2.py", "plugin-3.py"]


def test_a_module_keeps_the_name_that_it_is_imported_by(files, monkeypatch):
    at = files(a__helper_py="import helper", lib__helper_py="x = 2")
    monkeypatch.syspath_prepend(at / "lib")
    places, kept = kept_files({"plugins": [str(at / "a/helper.py")]})
    assert places == ["helper-2.py"]
    assert kept["helper.py"] == at / "lib/helper.py"
