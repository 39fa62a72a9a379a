import sys

import pytest

from moat.other_moats import other_moats, warning


def distribution(folder, name, files=(), entry="", version="0.10.1", record=True):
    """Make a distribution's metadata in a folder, as an installer leaves them."""
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    if record:
        (metadata / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    if entry:
        (metadata / "entry_points.txt").write_text(f"[console_scripts]\nmoat = {entry}\n")
    return folder


@pytest.mark.parametrize(
    ("name", "files", "record"),
    [
        ("moat", ("moat/__init__.py", "moat/main.py"), True),
        ("moat", (), False),
        ("moat-util", ("moat/util/__init__.py",), True),  # MoaT's parts share one namespace
        ("MoaT-main", ("moat/main.py",), True),
    ],
)
def test_a_distribution_that_brings_a_module_moat_is_another_one(tmp_path, name, files, record):
    distribution(tmp_path, name.lower(), files, "moat.main:cmd", record=record)
    (other,) = other_moats([str(tmp_path)])
    assert (other.name, other.version, other.folder) == (name.lower(), "0.10.1", tmp_path)
    assert not other.former
    assert other.mend == f"pip uninstall {name.lower()}, then install moat-robust again"


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("moat-robust", ("moat/__init__.py",)),
        ("moat_robust", ("moat/__init__.py",)),
        ("moat-robust-photometric", ("moat_photometric/__init__.py",)),
        ("moat-recolor", ("moat_recolor/__init__.py",)),
        ("moatless", ("moatless/__init__.py",)),
    ],
)
def test_ours_and_plug_ins_are_none(tmp_path, name, files):
    assert other_moats([str(distribution(tmp_path, name, files))]) == []


def test_this_project_under_its_former_name_is_told_apart(tmp_path, monkeypatch):
    distribution(tmp_path, "moat", ("_editable_impl_moat.pth",), "moat.cli:main", "0.1.0")
    (other,) = other_moats([str(tmp_path)])
    assert other.former
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert warning() == ""


def test_what_cannot_be_read_is_passed_over(tmp_path):
    (tmp_path / "moat-1.dist-info").mkdir()
    (tmp_path / "moat-2.dist-info").write_text("a file")
    missing = tmp_path / "missing"
    assert other_moats([str(tmp_path), str(missing), str(tmp_path / "moat-2.dist-info")]) == []


def test_the_start_of_a_command_says_it_in_one_line_and_goes_on(tmp_path, monkeypatch, capsys):
    from moat import cli

    distribution(tmp_path, "moat", ("moat/__init__.py",), "moat.main:cmd")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.setattr(sys, "argv", ["moat", "--version"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert not stopped.value.code
    out, err = capsys.readouterr()
    assert out.startswith("moat ")
    assert err == (
        f"moat-robust: another project's `moat` is installed beside this one, moat 0.10.1 in "
        f"{tmp_path}, and may replace its module and command: pip uninstall moat, then install "
        "moat-robust again.\n"
    )
