"""Each fault that the doctor knows, faked."""

import errno
import json
import os
import sys
import tempfile
from importlib import import_module, metadata
from pathlib import Path

import pytest

from moat.cli.findings_sheet import findings_sheet
from moat.doctor import Finding, Health, diagnose

AREAS = ["moat", "packages", "devices", "back ends", "plug-ins", "folders"]
ROOMS = {
    name: import_module(f"moat.doctor.{name}")
    for name in ("backends", "devices", "folders", "installation", "packages", "plugins")
}


def looked(room: str, subject: str, *arguments) -> Finding:
    """Return the one finding of a subject that a room yields."""
    (found,) = (one for one in getattr(ROOMS[room], room)(*arguments) if one.subject == subject)
    return found


def patch(monkeypatch, target: str, value) -> None:
    room, _, name = target.partition(".")
    monkeypatch.setattr(f"moat.doctor.{room}.{name}", value)


class Broken:
    """A package that cannot be imported, for what is in sys.modules no longer."""

    def __init__(self, name, error):
        self.name, self.error = name, error

    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            raise self.error
        return


@pytest.fixture
def broken(monkeypatch):
    """Let the import of a package raise an error."""

    def let(name, error):
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setattr(sys, "meta_path", [Broken(name, error), *sys.meta_path])

    return let


def test_all_areas_are_looked_at_and_this_machine_can_run_moat(tmp_path):
    findings = diagnose(tmp_path / "results")
    assert list(dict.fromkeys(one.area for one in findings)) == AREAS
    assert [one for one in findings if one.state == Health.fault] == []
    assert not (tmp_path / "results").exists()
    assert all(one.mend for one in findings if one.state in (Health.warning, Health.absent))


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("No module named 'torch'"),
        OSError("libcudart.so.13: cannot open shared object file"),
        RuntimeError("operator torchvision::nms does not exist"),
        SystemExit("go away"),
    ],
)
def test_torch_that_cannot_be_imported_is_a_fault_and_no_end(tmp_path, broken, error):
    broken("torch", error)
    findings = diagnose(tmp_path)
    assert {*AREAS} == {one.area for one in findings}
    (torch,) = (one for one in findings if one.subject == "torch")
    assert torch.state == Health.fault
    assert f"cannot be imported: {type(error).__name__}: {error}" in torch.found
    assert "torch and torchvision together" in torch.mend
    assert {one.state for one in findings if one.area == "devices"} == {Health.fault}
    assert {one.mend for one in findings if one.area == "devices"} == {
        "mend the faults above first"
    }


@pytest.mark.parametrize(
    ("extra", "missing", "old"),
    [("", Health.fault, Health.fault), ("tensorboard", Health.absent, Health.warning)],
)
def test_a_package_that_is_missing_or_too_old_is_named_with_its_mend(
    monkeypatch, extra, missing, old
):
    wanted = ["nosuchpackage>=1", "numpy>=999"]
    patch(monkeypatch, "packages.requirements", lambda: {extra: wanted})
    found = looked("packages", "nosuchpackage")
    assert (found.state, found.mend) == (missing, "pip install 'nosuchpackage>=1'")
    assert "not installed; needs >=1" in found.found
    found = looked("packages", "numpy")
    assert (found.state, found.mend) == (old, "pip install 'numpy>=999'")
    assert "too old" in found.found


def test_a_python_that_is_too_old_is_a_fault(monkeypatch):
    patch(monkeypatch, "packages.requirements", dict)
    monkeypatch.setattr("platform.python_version", lambda: "3.9.1")
    assert looked("packages", "python").state == Health.fault
    assert looked("packages", "moat-robust").state == Health.warning


def test_the_requirements_of_an_installed_moat_are_those_of_the_checkout(monkeypatch):
    from_checkout = ROOMS["packages"].requirements()
    assert from_checkout[""][0].startswith("torch")
    listed = [*from_checkout[""]]
    for extra in ROOMS["packages"].EXTRAS:
        listed += [f"{text}; extra == '{extra}'" for text in from_checkout[extra]]
    listed += ["pytest>=8; extra == 'dev'"]
    patch(monkeypatch, "packages._PROJECT", Path("nowhere.toml"))
    monkeypatch.setattr(metadata, "requires", lambda name: listed)
    found = ROOMS["packages"].requirements()
    assert found[""] == from_checkout[""]
    assert [text.partition(";")[0] for text in found["pandas"]] == from_checkout["pandas"]


def driver(monkeypatch, there: bool) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/nvidia-smi" if there else None)
    monkeypatch.setattr("os.path.exists", lambda path: False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)


@pytest.mark.parametrize(
    ("there", "cuda", "state", "found"),
    [
        (False, None, Health.ok, "none; torch"),
        (False, "13.0", Health.ok, "none; torch"),
        (True, None, Health.warning, "an NVIDIA driver is there, but"),
        (True, "13.0", Health.warning, "for CUDA 13.0 finds no GPU"),
    ],
)
def test_a_gpu_that_torch_cannot_use_is_told_from_none(monkeypatch, there, cuda, state, found):
    driver(monkeypatch, there)
    monkeypatch.setattr("torch.version.cuda", cuda)
    cuda_finding = looked("devices", "cuda")
    assert cuda_finding.state == state
    assert found in cuda_finding.found
    assert bool(cuda_finding.mend) == there


class Gpu:
    name, major, minor = "A Card", 9, 0


@pytest.mark.parametrize(
    ("free", "state", "said"),
    [
        (70 << 30, Health.ok, "70.0 of 80.0 GiB free"),
        (1 << 20, Health.warning, "0.0 of 80.0 GiB free"),
    ],
)
def test_a_gpu_is_described_and_tried(monkeypatch, free, state, said):
    import torch

    ones = torch.ones
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda index: Gpu)
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda index: (free, 80 << 30))
    monkeypatch.setattr("torch.ones", lambda n, device: ones(n))
    found = looked("devices", "cuda:0")
    assert (found.state, said in found.found) == (state, True)
    assert "A Card, capability 9.0, bf16" in found.found
    monkeypatch.setattr("torch.ones", lambda n, device: 1 / 0)
    assert looked("devices", "cuda:0").state == Health.fault


def test_a_solver_that_fails_or_errs_is_a_warning_and_moats_own_a_fault(monkeypatch):
    import torch

    def answer(program, solver):
        if solver in ("exact", "broken"):
            raise RuntimeError("singular")
        return torch.tensor([1.0, 0.0] if solver == "wrong" else [0.75, 0.25]).double()

    names = ["exact", "broken", "wrong", "right"]
    monkeypatch.setattr("moat.geometry.simplex.known_solvers", lambda: names)
    monkeypatch.setattr("moat.geometry.simplex.minimize_quadratic", answer)
    states = {name: looked("backends", f"solver {name}").state for name in names}
    assert states == {
        "exact": Health.fault,
        "broken": Health.warning,
        "wrong": Health.warning,
        "right": Health.ok,
    }


@pytest.mark.parametrize(
    ("gpu", "triton", "cxx", "state"),
    [
        *((True, object(), None, Health.ok), (True, None, None, Health.absent)),
        *((False, None, None, Health.ok), (False, None, "none-such", Health.absent)),
    ],
)
def test_what_torch_compile_lacks_is_said(monkeypatch, gpu, triton, cxx, state):
    monkeypatch.setattr("torch.cuda.is_available", lambda: gpu)
    patch(monkeypatch, "backends.find_spec", lambda name: triton)
    monkeypatch.setattr("shutil.which", lambda name: None if name == "none-such" else name)
    monkeypatch.delenv("CXX", raising=False)
    if cxx:
        monkeypatch.setenv("CXX", cxx)
    found = looked("backends", "torch.compile")
    assert (found.state, bool(found.mend)) == (state, state == Health.absent)


class Package:
    """A plug-in's distribution."""

    name, version = "recolor", "2.0"

    def __init__(self, *requires):
        self.requires = list(requires)


class Point:
    """An entry point that loads what it is told to."""

    name, value = "recolor", "recolor:Recolor"

    def __init__(self, load, package):
        self.load, self.dist = load, package


@pytest.mark.parametrize("requires", ["moat", "moat>=0.1", "moat[pandas]"])
def test_a_plug_in_that_is_broken_or_requires_a_stranger_is_named(monkeypatch, requires):
    from moat.registry import Registry
    from moat.threats import Threat

    points = [Point(lambda: 1 / 0, Package(requires, "torch"))]
    monkeypatch.setattr(metadata, "entry_points", lambda group: points * (group == "moat.threats"))
    registry = Registry("threat", "moat.threats", Threat)
    monkeypatch.setattr("moat.threats.registry", registry)
    broken = looked("plugins", "threats: recolor")
    assert broken.state == Health.warning
    assert broken.found == "recolor 2.0: ZeroDivisionError: division by zero"
    stranger = looked("plugins", "recolor")
    assert (stranger.state, stranger.mend) == (
        Health.warning,
        "its pyproject.toml should require 'moat-robust'",
    )


def test_a_name_of_two_packages_is_named_with_both_and_the_mend(monkeypatch):
    from moat.registry import Registry
    from moat.threats import Threat

    other = Package("torch")
    other.name = "hues"
    points = [Point(lambda: 1 / 0, Package("torch")), Point(lambda: 1 / 0, other)]
    monkeypatch.setattr(metadata, "entry_points", lambda group: points * (group == "moat.threats"))
    monkeypatch.setattr("moat.threats.registry", Registry("threat", "moat.threats", Threat))
    found = next(one for one in ROOMS["plugins"].plugins() if one.subject == "threats: recolor")
    assert found.state == Health.warning
    assert "offered by more than one package: hues 2.0 and recolor 2.0." in found.found
    assert found.mend.startswith("uninstall all but one: `pip uninstall recolor`")


def test_that_there_is_no_plug_in_is_in_order(monkeypatch):
    monkeypatch.setattr(metadata, "entry_points", lambda group: [])
    assert looked("plugins", "none").state == Health.ok


def refuse(*_arguments, **_options):
    raise OSError(errno.EROFS, "Read-only file system")


def test_results_that_cannot_be_written_are_a_fault(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    blocked = looked("folders", "results", tmp_path / "file" / "below")
    assert (blocked.state, blocked.found) == (Health.fault, f"{tmp_path / 'file'} is not a folder")
    monkeypatch.setattr(tempfile, "TemporaryDirectory", refuse)
    found = looked("folders", "results", tmp_path)
    assert (found.state, found.mend) == (Health.fault, "name another with --results")
    assert "Read-only file system" in found.found


def test_a_disk_without_locks_or_without_room_is_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: os.terminal_size((0, 0)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 5}))
        assert looked("folders", "results", tmp_path).state == Health.warning
        patched.setattr("moat.doctor.folders._locks", lambda path: False)
        found = looked("folders", "results", tmp_path)
    assert found.state == Health.warning
    assert "file locks do not work here" in found.found


def test_that_there_is_nowhere_for_temporary_files_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "gettempdir", refuse)
    found = looked("folders", "temporary", tmp_path)
    assert (found.state, found.mend) == (Health.fault, "set TMPDIR to a writable folder")


@pytest.mark.parametrize(
    ("name", "state"), [("missing", Health.warning), ("there", Health.ok), ("file", Health.warning)]
)
def test_the_folder_of_the_data_is_looked_at(tmp_path, monkeypatch, name, state):
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MOAT_DATA", str(tmp_path / name))
    assert looked("folders", "MOAT_DATA", tmp_path).state == state
    monkeypatch.delenv("MOAT_DATA")
    monkeypatch.chdir(tmp_path)
    assert looked("folders", "data", tmp_path).state == Health.absent


def test_another_moat_is_a_warning_and_in_one_folder_with_this_one_a_fault(tmp_path, monkeypatch):
    assert looked("installation", "another moat").state in (Health.ok, Health.warning)
    stranger = tmp_path / "moat-0.10.1.dist-info"
    stranger.mkdir()
    (stranger / "METADATA").write_text("Metadata-Version: 2.1\nName: moat\nVersion: 0.10.1\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    found = looked("installation", "another moat")
    assert (found.state, found.mend) == (
        Health.warning,
        "pip uninstall moat, then install moat-robust again",
    )
    assert found.found == f"moat 0.10.1 in {tmp_path}: another project's"
    patch(monkeypatch, "installation.PACKAGE", tmp_path / "moat")
    assert looked("installation", "another moat").state == Health.fault
    (stranger / "entry_points.txt").write_text("[console_scripts]\nmoat = moat.cli:main\n")
    found = looked("installation", "another moat")
    assert (found.state, "former name" in found.found) == (Health.warning, True)


@pytest.mark.parametrize(
    ("script", "state", "said"),
    [
        (None, Health.warning, "not on PATH"),
        ("from moat.main import cmd", Health.warning, "is another project's"),
        ("from moat_robust import main", Health.warning, "belongs to another environment"),
        ("from moat.cli import main", Health.warning, "under this project's former name"),
    ],
)
def test_a_command_that_is_not_this_ones_is_named(tmp_path, monkeypatch, script, state, said):
    place = tmp_path / "moat"
    if script:
        place.write_text(script)
    monkeypatch.setattr("shutil.which", lambda name: str(place) if script else None)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    found = looked("installation", "command")
    assert (found.state, said in found.found) == (state, True)
    assert found.mend.endswith(("-m moat_robust is the same command", "install moat-robust again"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    if script and "robust" in script:
        assert looked("installation", "command").state == Health.ok


def absent(name):
    raise metadata.PackageNotFoundError(name)


@pytest.mark.parametrize(
    ("find", "said"), [(absent, "not installed"), (None, "the module is 9.9.9")]
)
def test_a_distribution_that_is_absent_or_stale_is_a_warning(monkeypatch, find, said, tmp_path):
    (tmp_path / "METADATA").write_text("Metadata-Version: 2.1\nName: moat-robust\nVersion: 0.0.1\n")
    made = metadata.Distribution.at(tmp_path)
    monkeypatch.setattr(metadata, "distribution", find or (lambda name: made))
    patch(monkeypatch, "installation.__version__", "9.9.9")
    found = looked("installation", "moat-robust")
    assert (found.state, said in found.found) == (Health.warning, True)


def distribution(folder, name, version, url):
    """Return a distribution whose metadata lie in a folder, installed as editable from `url`."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    if url:
        record = {"url": url, "dir_info": {"editable": True}}
        (info / "direct_url.json").write_text(json.dumps(record))
    return metadata.Distribution.at(info)


@pytest.mark.parametrize("editable", [True, False])
@pytest.mark.parametrize("listed", [True, False])
def test_a_module_that_comes_from_elsewhere_than_its_distribution_is_a_warning(
    tmp_path, monkeypatch, editable, listed
):
    from moat.version import __version__

    installed, other = tmp_path / "my checkout", tmp_path / "other"
    made = distribution(installed, "moat-robust", __version__, editable and installed.as_uri())
    monkeypatch.setattr(metadata, "distribution", lambda name: made)
    monkeypatch.setenv("PYTHONPATH", f"/nowhere:{other}" if listed else "")
    patch(monkeypatch, "installation.PACKAGE", installed / "moat")
    assert looked("installation", "moat-robust").state == Health.ok
    patch(monkeypatch, "installation.PACKAGE", other / "moat")
    found = looked("installation", "moat-robust")
    assert found.state == Health.warning
    assert found.found.endswith(f"; the module comes from {other}")
    of = "PYTHONPATH" if listed else "Python's path"
    assert found.mend == f"take {other} out of {of}, or pip install -e {other}"


def test_a_plug_in_whose_code_comes_from_elsewhere_is_a_warning(tmp_path, monkeypatch):
    from moat.registry import Registry, as_dataclass
    from moat.threats import Threat

    (tmp_path / "recolor.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    made = distribution(tmp_path / "installed", "recolor", "2.0", "")
    cls = as_dataclass(type("Recolor", (Threat,), {}), "recolor", frozen=True)
    points = [Point(lambda: cls, made)]
    monkeypatch.setattr(metadata, "entry_points", lambda group: points * (group == "moat.threats"))
    monkeypatch.setattr("moat.threats.registry", Registry("threat", "moat.threats", Threat))
    found = looked("plugins", "threats: recolor")
    assert found.state == Health.warning
    assert found.found == f"recolor 2.0, whose code comes from {tmp_path}"


def test_the_verdict_counts_faults_and_warnings():
    found = [
        Finding("a", "b", state, "c", "d")
        for state in (Health.ok, Health.absent, Health.warning, Health.fault)
    ]
    assert findings_sheet(found).notes == (
        "1 fault(s), 1 warning(s). A fault stops moat: mend it first.",
    )
    assert findings_sheet(found[:2]).notes == ("0 fault(s), 0 warning(s). moat can work here.",)
