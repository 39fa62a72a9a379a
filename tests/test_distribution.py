"""What is built of the tree can be installed and used without it."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))


def run(*words: object, cwd: Path, code: int = 0) -> str:
    """Run a program without the checkout on its path; return what it printed."""
    hidden = ("PYTHONPATH", "MOAT_DATA")
    done = subprocess.run(
        [*map(str, words)],
        cwd=cwd,
        env={key: value for key, value in os.environ.items() if key not in hidden},
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def build(source: Path, folder: Path, *targets: str) -> None:
    asked = [word for target in targets for word in ("--target", target)]
    run(sys.executable, "-m", "hatchling", "build", "--directory", folder, *asked, cwd=source)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The wheel and the sdist, built of a tree with leftovers, and the plug-ins' wheels."""
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder, "sdist", "wheel")
    for plugin in PLUGINS:
        build(plugin, folder, "wheel")
    return folder


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """The scripts of a fresh environment: all wheels, and this one's packages but moat's."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    needed = folder / "needed"
    needed.mkdir()
    known = [sysconfig.get_path("purelib"), *filter(_is_site, sys.path)]
    for package in (one for place in dict.fromkeys(known) for one in Path(place).iterdir()):
        if "moat" not in package.name and not (needed / package.name).is_symlink():
            (needed / package.name).symlink_to(package)
    (site / "needed.pth").write_text(f"{needed}\n")
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    offline = ("--quiet", "--no-deps", "--no-index")
    run(*pip, "install", *offline, *built.glob("*.whl"), cwd=folder)
    return folder / "bin"


def _is_site(place: str) -> bool:
    return any(Path(place).glob("torch/__init__.py"))


def test_the_distributions_are_called_moat_robust(built):
    assert sorted(path.name.partition("-")[0] for path in built.iterdir()) == [
        *("moat_robust", "moat_robust"),
        *(plugin.name.replace("moat-", "moat_robust_") for plugin in PLUGINS),
    ]
    for wheel in built.glob("*.whl"):
        with zipfile.ZipFile(wheel) as held:
            (metadata,) = (name for name in held.namelist() if name.endswith("/METADATA"))
            requires = held.read(metadata).decode()
        assert "Requires-Dist: moat\n" not in requires
        assert "Requires-Dist: moat[" not in requires


def test_the_wheel_has_the_package_and_its_recipes_and_nothing_else(built):
    (wheel,) = built.glob("moat_robust-*.whl")
    with zipfile.ZipFile(wheel) as held:
        names = {name for name in held.namelist() if ".dist-info/" not in name}
    tree = {path.relative_to(ROOT).as_posix() for path in (ROOT / "moat").rglob("*")}
    recipes = {
        "moat/" + path.relative_to(ROOT).as_posix() for path in (ROOT / "recipes").rglob("*")
    }
    assert names <= tree | recipes | {"moat_robust.py"}
    assert {name for name in tree if name.endswith((".py", ".npz", ".css", ".jinja"))} <= names
    assert {name for name in recipes if name.endswith(".toml")} <= names
    assert not [name for name in names if "__pycache__" in name]


def test_the_sdist_has_what_was_kept_and_makes_the_same_wheel(built, tmp_path):
    with tarfile.open(next(built.glob("*.tar.gz"))) as held:
        names = held.getnames()
        held.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    tops = {name.split("/")[1] for name in names}
    assert {"moat", "recipes", "tests", "docs", "LICENSE", "README.md", "pyproject.toml"} <= tops
    caches = {"results", "build", "dist", "site", "__pycache__", ".venv", "shared", ".hypothesis"}
    assert not [name for name in names if caches & {*name.split("/")[1:2], name.split("/")[-2]}]
    assert not [name for name in names if name.endswith((".pyc", ".pt", ".safetensors"))]
    build(source, tmp_path / "again", "wheel")
    (wheel,) = built.glob("moat_robust-*.whl")
    assert (tmp_path / "again" / wheel.name).read_bytes() == wheel.read_bytes()


def test_an_untracked_result_stays_out_of_the_sdist(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore", "moat_robust.py"):
        shutil.copy(ROOT / name, tree)
    (tree / "moat").mkdir()
    shutil.copy(ROOT / "moat" / "version.py", tree / "moat")
    (tree / "recipes").mkdir()
    for name in ("mine/study/run.json", "notes.txt", "results/a.json", "moat/__pycache__/a.pyc"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("mine")
    build(tree, tmp_path / "dist", "sdist")
    with tarfile.open(next((tmp_path / "dist").glob("*.tar.gz"))) as held:
        names = {name.partition("/")[2] for name in held.getnames()}
    assert names == {
        *("pyproject.toml", "README.md", "LICENSE", ".gitignore", "PKG-INFO"),
        *("moat_robust.py", "moat/version.py"),
    }


def test_an_installed_moat_trains_the_demo_without_the_checkout(installed, tmp_path):
    cut = ("--set", "training.epochs=1", "--set", "evaluation.examples=20", "--only", "natural")
    said = run(installed / "moat", "demo", *cut, cwd=tmp_path)
    assert "1 run(s) done, 0 skipped as finished, 0 failed." in said
    (study,) = (tmp_path / "results").glob("digits_pareto+*")
    assert f"Next: moat front results/{study.name}\n" in said
    assert str(installed.parent) in said  # the recipe in the package, to copy
    assert (study / "natural" / "seed-0" / "run.json").is_file()


def test_installed_plug_ins_are_found_and_named_by_a_recipe(installed, tmp_path):
    listed = run(installed / "moat", "list", "threats", "--format", "csv", cwd=tmp_path)
    assert 'photometric,moat-robust-photometric 0.1.0,"Change brightness' in listed
    assert 'torchattacks:*,moat-robust-torchattacks 0.1.0,"Every attack of' in listed
    (tmp_path / "own.toml").write_text(
        'extends = "base/digits"\n[threats.photometric]\ndark_epsilon = 0.3\n'
        "dark_step_size = 0.1\nbright_epsilon = 0.3\nbright_step_size = 0.1\nsteps = 1\n"
        "[threats.recolor]\nepsilon = 0.1\nstep_size = 0.1\nsteps = 1\n"
        "[threats.fog]\nepsilon = 0.5\nstep_size = 0.5\nsteps = 1\n"
        '[threats.theirs]\ntype = "torchattacks:FGSM"\nevaluate = {}\n'
        '[[variant]]\nname = "own"\nthreats = ["photometric", "recolor", "fog"]\n'
        'scalarizer = "torchjd:UPGrad"\n'
    )
    cut = ("--set", "training.epochs=1", "--set", "data.train_examples=64")
    cut += ("--set", "evaluation.examples=20")
    assert "1 run(s) done" in run(installed / "moat", "train", "own.toml", *cut, cwd=tmp_path)
    told = json.loads(next(tmp_path.rglob("run.json")).read_text())
    assert {**told["plugins"], **told["evaluation_plugins"]}.keys() == {
        *("threats: photometric", "threats: recolor", "threats: fog"),
        *("scalarizers: torchjd:UPGrad", "threats: torchattacks:FGSM"),
    }


def test_the_doctor_finds_an_installed_moat_well(installed, tmp_path):
    said = run(installed / "moat", "doctor", "--format", "csv", cwd=tmp_path)
    assert f"moat,module,ok,0.1.0 in {installed.parent}" in said
    assert "moat,another moat,ok,none," in said
    assert "plug-ins,threats: photometric,ok,moat-robust-photometric 0.1.0," in said
    assert "plug-ins,scalarizers: torchjd:*,ok,moat-robust-torchjd 0.1.0," in said
    assert not [*tmp_path.iterdir()]  # it leaves nothing behind


PIP = """#!/bin/sh
exec {python} -m pip --python {environment} "$@" --quiet --no-deps --no-index --no-build-isolation
"""


def test_the_tutorial_for_plug_ins_is_followed_to_the_letter(installed, tmp_path):
    page = (ROOT / "docs" / "write-a-plugin.md").read_text("utf-8")
    tutorial = page.partition("## From a skeleton")[2].partition("\n## ")[0]
    script = ["set -e"]
    for language, text in re.findall(r"^```(python|sh)\n(.*?)^```$", tutorial, re.S | re.M):
        file = re.match(r"# (\S+)\n", text)
        script.append(f"cat > {file[1]} <<'END'\n{text}END" if file else text)
        assert language == "sh" or file
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "pip").write_text(
        PIP.format(python=sys.executable, environment=installed / "python")  # which has no pip
    )
    (tools / "pip").chmod(0o755)
    path = f"{tools}:{installed}:/usr/bin:/bin"
    said = run("env", f"PATH={path}", "OMP_NUM_THREADS=1", "bash", "-c", "\n".join(script),
               cwd=tmp_path)  # fmt: skip
    assert "wrote moat-haze/moat_haze/haze.py\n" in said
    assert re.search(r"\n\d+ promise\(s\) kept, 0 broken\.\n", said)
    assert "\n5 passed in " in said
    assert re.search(r"haze +moat-robust-haze 0\.1\.0 +Lay a white veil", said)
    assert "1 run(s) done, 0 skipped as finished, 0 failed." in said
    record = json.loads(next(tmp_path.rglob("haze-at/seed-0/run.json")).read_text())
    assert "moat-robust-haze" in json.dumps(record)
