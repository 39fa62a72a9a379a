"""A bundle is read as the folder that it was made of, and nothing in one is trusted."""

import json
import shutil
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

import moat
from moat.errors import BundleError
from moat.report import make_fronts
from moat.runs import RunFolder, opened
from moat.runs.bundle import MANIFEST


@pytest.fixture
def demo(golden, tmp_path, monkeypatch) -> Path:
    """A copy of two runs of the demo, in the working folder."""
    monkeypatch.chdir(tmp_path)
    for run in ("max-at", "pareto/r=0.2"):
        shutil.copytree(golden / "demo" / run, f"demo/{run}")
    shutil.copy(golden / "demo/study.json", "demo")
    return Path("demo")


@pytest.fixture
def bundled(demo) -> Path:
    moat.bundle(demo, "demo.zip")
    return Path("demo.zip")


def test_the_same_results_give_the_same_bytes_wherever_and_whenever(demo, tmp_path):
    moat.bundle(demo, "one.zip")
    shutil.copytree(demo, tmp_path / "there" / "demo")
    for file in (tmp_path / "there").rglob("*.json"):
        file.chmod(0o600)
    moat.bundle(tmp_path / "there" / "demo", "two.zip")
    assert Path("one.zip").read_bytes() == Path("two.zip").read_bytes()


def test_what_a_colleague_needs_is_in_it_and_nothing_else(demo):
    run = demo / "max-at/seed-0"
    for name in ("checkpoint.pt", ".lock", "mine.txt", "model.safetensors"):
        (run / name).write_bytes(b"x")
    (run / ".evaluation/abc").mkdir(parents=True)
    (run / ".evaluation/abc/00000-pgd.npz").write_bytes(b"x")
    RunFolder(run).write_code({"pkg/threat.py": b"x = 1\n"})
    (run / "code/secret.py").write_text("SECRET = 1\n")
    (run / "tensorboard").mkdir()
    (run / "tensorboard/events.out.tfevents.1").write_bytes(b"x")
    (demo / "secret.json").write_text("{}")
    from moat.report import write_front

    write_front(make_fronts(demo), demo)
    (demo / "front.json").write_text("changed by hand")
    made = moat.bundle(demo, "demo.zip")
    own = "moat did not write it into the folder of the run's code."
    assert made.left_out == (f"{run / 'code/secret.py'}: {own}",)
    with ZipFile("demo.zip") as held:
        names = held.namelist()
        manifest = json.loads(held.read(MANIFEST))
        for place, about in manifest["files"].items():
            content = held.read(place)
            assert about == {"size": len(content), "sha256": sha256(content).hexdigest()}
    own = "demo/max-at/seed-0/"
    of_run = {name.removeprefix(own) for name in names if name.startswith(own)}
    assert of_run == {
        *("recipe.toml", "run.json", "log.jsonl", "code/pkg/threat.py"),
        *("evaluation.json", "evaluation.npz", "validation.npz", "gallery.npz"),
    }
    assert {name for name in names if name.count("/") < 2} == {
        *("demo/study.json", "demo/front.csv", "demo/front.png", "demo/front.svg", MANIFEST),
    }
    assert set(names) == {MANIFEST, *manifest["files"]}
    moat.bundle(demo, "demo.zip", weights=True, overwrite=True)
    with ZipFile("demo.zip") as held:
        assert "demo/max-at/seed-0/model.safetensors" in held.namelist()
        assert not any("checkpoint" in name for name in held.namelist())


@pytest.mark.parametrize("named", ["", "max-at", "max-at/seed-0"])
def test_a_part_of_a_study_is_found_below_its_study(demo, named):
    shutil.rmtree(demo / "pareto")
    study = demo.rename("digits_pareto")
    made = moat.bundle(study / named, "part.zip")
    assert made.runs == 1
    assert opened(Path("part.zip")).as_posix().endswith(f"digits_pareto/{named}".rstrip("/"))
    (point,) = moat.results("part.zip").runs["label"].to_list()
    assert point == "max-at"


def test_results_are_those_of_the_folder(demo, bundled):
    one, other = moat.results(demo), moat.results(bundled)
    assert one.scores.equals(other.scores)
    assert one.examples.equals(other.examples)
    assert one.front().settings.equals(other.front().settings)
    assert one.front(against=bundled).settings.equals(one.front(against=demo).settings)
    assert moat.results("demo.zip/max-at").runs["label"].to_list() == ["max-at"]


def test_a_run_and_its_copy_in_a_bundle_count_once_and_it_is_said(demo, bundled):
    both = moat.results(demo, bundled)
    assert both.runs.height == 2
    assert both.skipped == (
        "demo.zip/max-at/seed-0: the same run as demo/max-at/seed-0, and so are 1 more of its "
        "runs. Each counts once.",
    )
    shutil.copytree(demo, "copy")
    assert len(moat.results(demo, "copy").skipped) == 1
    assert moat.results(demo, "copy", demo).runs.height == 2


def test_runs_that_differ_in_what_was_found_are_no_copies(demo, golden):
    shutil.copytree(golden / "digits_pareto/max-at/seed-1", "other/max-at/seed-1")
    both = moat.results(demo, "other")
    assert (both.runs.height, both.skipped) == (3, ())


# What cannot be bundled.


def test_an_existing_file_is_kept_unless_it_may_be_replaced(demo):
    Path("out.zip").write_text("mine")
    with pytest.raises(BundleError, match=r"out\.zip: a file of this name exists\.") as refused:
        moat.bundle(demo, "out.zip")
    assert "--overwrite" in refused.value.hint
    assert Path("out.zip").read_text() == "mine"
    moat.bundle(demo, "out.zip", overwrite=True)
    assert moat.results("out.zip").runs.height == 2


@pytest.mark.parametrize(
    ("results", "out", "why"),
    [
        ("nowhere", "a.zip", "nowhere: the folder does not exist."),
        ("empty", "a.zip", "empty: this folder contains no run to bundle."),
        ("demo.zip", "a.zip", "demo.zip: this is a file; a bundle is made from a folder."),
        ("demo", "a.tar", "a.tar: a bundle is a file whose name ends in .zip."),
        ("demo", "folder.zip", "folder.zip: a bundle is a file whose name ends in .zip."),
    ],
)
def test_what_is_no_bundle_to_be_is_refused_and_nothing_is_written(bundled, results, out, why):
    Path("empty").mkdir()
    Path("folder.zip").mkdir()
    before = sorted(Path().rglob("*"))
    with pytest.raises(BundleError) as refused:
        moat.bundle(results, out)
    assert str(refused.value).startswith(f"{why}\n")
    assert sorted(Path().rglob("*")) == before


def test_a_link_that_leads_out_of_the_results_is_left_out_by_name(demo, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (demo / "max-at/seed-0/gallery.npz").unlink()
    (demo / "max-at/seed-0/gallery.npz").symlink_to(tmp_path / "secret")
    made = moat.bundle(demo, "demo.zip")
    assert made.left_out == ("demo/max-at/seed-0/gallery.npz: it is a link out of the results.",)
    with ZipFile("demo.zip") as held:
        assert not any(b"secret" in held.read(name) for name in held.namelist())


def test_a_sweep_over_callables_which_puts_colons_into_names_can_be_bundled(demo):
    (demo / "pareto/r=0.2").rename(demo / "pareto/type=python:nets:make")
    moat.bundle(demo, "demo.zip")
    assert moat.results("demo.zip").runs.height == 2


def test_a_run_that_a_process_writes_is_left_out_by_name(demo):
    with RunFolder(demo / "max-at/seed-0").locked():
        made = moat.bundle(demo, "demo.zip")
    assert made.left_out == ("demo/max-at/seed-0: a process is writing this run.",)
    assert moat.results("demo.zip").runs["label"].to_list() == ["pareto r=0.2"]


@pytest.mark.parametrize("name", ["run.json", "evaluation.json", "evaluation.npz"])
def test_a_run_that_cannot_be_read_is_left_out_by_name(demo, name):
    broken = demo / "max-at/seed-0" / name
    broken.write_bytes(broken.read_bytes()[:20])
    made = moat.bundle(demo, "demo.zip")
    (why,) = made.left_out
    assert why.startswith(f"{broken}: the file is truncated or not moat's")
    assert made.runs == 1
    assert moat.results("demo.zip").skipped == ()
    with pytest.raises(BundleError, match="no run to bundle") as refused:
        moat.bundle(demo / "max-at", "none.zip")
    assert str(broken) in refused.value.hint


def test_the_folder_of_the_zip_is_not_made_unasked(demo):
    with pytest.raises(BundleError) as refused:
        moat.bundle(demo, "nowhere/x.zip")
    assert str(refused.value) == (
        "nowhere/x.zip: the folder 'nowhere' for it does not exist.\n"
        "  Nothing was written. Make the folder first, or name a file in an existing one."
    )
    assert not Path("nowhere").exists()


def test_a_folder_that_not_every_system_can_make_is_refused(demo):
    (demo / "max-at").rename(demo / "aux")
    with pytest.raises(BundleError, match="'aux' cannot be a name on every system") as refused:
        moat.bundle(demo, "demo.zip")
    assert refused.value.hint == "Rename the folder, and bundle the results again."
    assert not Path("demo.zip").exists()


def test_a_bundle_within_its_results_is_not_part_of_itself(demo):
    first = moat.bundle(demo, demo / "out.zip")
    content = first.path.read_bytes()
    assert moat.bundle(demo, demo / "out.zip", overwrite=True).path.read_bytes() == content


# What cannot be read.


def written(entries: list[tuple[ZipInfo | str, bytes]], to: str = "bad.zip") -> Path:
    with ZipFile(to, "w") as held:
        for name, content in entries:
            held.writestr(name, content)
    return Path(to)


def entries_of(file: Path) -> list[tuple[str, bytes]]:
    with ZipFile(file) as held:
        return [(name, held.read(name)) for name in held.namelist()]


def with_more(file: Path, name: str, content: bytes = b"x", **about: int) -> Path:
    """Return the bundle with one more file, which its manifest lists."""
    entries = dict(entries_of(file))
    manifest = json.loads(entries.pop(MANIFEST))
    if not about.pop("unlisted", 0):
        listed = {"size": len(content), "sha256": sha256(content).hexdigest()}
        manifest["files"][name] = listed
    info = ZipInfo(name)
    for key, value in about.items():
        setattr(info, key, value)
    text = json.dumps(manifest).encode()
    return written([*entries.items(), (info, content), (MANIFEST, text)])


def with_manifest(file: Path, **changes: object) -> Path:
    entries = dict(entries_of(file))
    manifest = {**json.loads(entries[MANIFEST]), **changes}
    return written(
        [
            *(e for e in entries.items() if e[0] != MANIFEST),
            (MANIFEST, json.dumps(manifest).encode()),
        ]
    )


def without_format(file: Path) -> Path:
    entries = dict(entries_of(file))
    manifest = json.loads(entries.pop(MANIFEST))
    del manifest["format"]
    return written([*entries.items(), (MANIFEST, json.dumps(manifest).encode())])


def changed(file: Path) -> Path:
    entries = [
        (n, c if n == MANIFEST else c.replace(b"max-at", b"max-AT")) for n, c in entries_of(file)
    ]
    return written(entries)


def twice(file: Path) -> Path:
    with pytest.warns(UserWarning, match="Duplicate"):
        return written([*entries_of(file), entries_of(file)[0]])


def cut(file: Path, share: float) -> Path:
    content = file.read_bytes()
    Path("bad.zip").write_bytes(content[: int(share * (len(content) - 1))])
    return Path("bad.zip")


def with_remark(file: Path) -> Path:
    with ZipFile(shutil.copy(file, "bad.zip"), "a") as held:
        held.comment = b"a remark"
    return Path("bad.zip")


def with_prefix(file: Path) -> Path:
    Path("bad.zip").write_bytes(b"#!/bin/sh\n" + file.read_bytes())
    return Path("bad.zip")


def corrupt(file: Path) -> Path:
    """Change a byte of a file's content, beside its checksum."""
    content = bytearray(file.read_bytes())
    content[200] ^= 255
    Path("bad.zip").write_bytes(content)
    return Path("bad.zip")


def bomb(file: Path) -> Path:
    with ZipFile("bad.zip", "w", ZIP_DEFLATED) as held:
        held.writestr("a", bytes(1 << 26))
        held.writestr(MANIFEST, "{}")
    return Path("bad.zip")


SHARES = (0.01, 0.3, 0.6, 0.9, 0.99, 1.0)
UNSAFE = ["../x", "/x", "demo/../../x", "demo\\..\\x", "C:x", "demo/con", "demo/x.", "demo//x"]
UNSAFE += ["demo/\x1b[31m", "demo/.ssh", "demo/x\u202etxt", "demo/" + "x" * 300]
BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    **{
        f"place {name!r}": (lambda file, name=name: with_more(file, name), "cannot be a file of a")
        for name in UNSAFE
    },
    "no zip": (
        lambda file: Path(shutil.copy("demo/study.json", "bad.zip")),
        "the file is not a zip",
    ),
    "empty": (lambda file: written([]), "not a bundle of moat's"),
    "another zip": (lambda file: written([("a.txt", b"a")]), "not a bundle of moat's"),
    **{
        f"cut at {share}": (lambda file, share=share: cut(file, share), "truncated or broken")
        for share in SHARES
    },
    "a remark": (lambda file: with_remark(file), "truncated or broken"),
    "a prefix": (lambda file: with_prefix(file), "truncated or broken"),
    "byte": (corrupt, "is broken"),
    "changed": (changed, "its digest differs"),
    "twice": (twice, "is there twice"),
    "case": (lambda file: with_more(file, "demo/STUDY.json"), "differs from another by case"),
    "below a file": (lambda file: with_more(file, "demo/study.json/x"), "lies below a file"),
    "unlisted": (lambda file: with_more(file, "demo/x", unlisted=1), "is not listed"),
    "missing": (
        lambda file: written([one for one in entries_of(file) if "log" not in one[0]]),
        "is missing, though",
    ),
    "folder": (lambda file: with_more(file, "demo/x/", b""), "cannot be a file of a bundle"),
    "link": (
        lambda file: with_more(file, "demo/x", external_attr=(stat.S_IFLNK | 0o777) << 16),
        "is a link",
    ),
    "device": (
        lambda file: with_more(file, "demo/x", external_attr=(stat.S_IFCHR | 0o777) << 16),
        "is no plain file",
    ),
    "packed otherwise": (
        lambda file: with_more(file, "demo/x", compress_type=ZIP_BZIP2),
        "has another compression than a bundle's files",
    ),
    "bomb": (bomb, "that is not a bundle of moat's"),
    "newer": (lambda file: with_manifest(file, format=2), "format 2, from a newer moat"),
    **{
        f"format {found!r}": (
            lambda file, found=found: with_manifest(file, format=found),
            f"the format of a bundle is 1, not {found!r}.",
        )
        for found in (0, -1, True, None, "1", 1.5, [1])
    },
    "no format": (
        lambda file: without_format(file),
        "the format of a bundle is 1, and none is there.",
    ),
    "outside of its root": (
        lambda file: with_more(file, "more/x"),
        "'more/x' in the bundle lies outside of 'demo', where its results lie.",
    ),
    "files": (lambda file: with_manifest(file, files=[]), "files is [] and should be of type dict"),
    "root": (lambda file: with_manifest(file, root="../x"), "root is '../x'"),
    "elsewhere": (lambda file: with_manifest(file, root="other"), "contains no file"),
    "text": (lambda file: written([(MANIFEST, b"{")]), "is broken"),
    "list": (lambda file: written([(MANIFEST, b"[]")]), "is not a table"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_whole_bundle_is_refused_by_name_with_the_mend(bundled, kind, tmp_path):
    make, why = BAD[kind]
    file = make(bundled)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BundleError) as refused:
        moat.results(file)
    assert why in str(refused.value)
    assert str(file) in refused.value.where
    assert refused.value.hint
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_a_bundle_does_not_have_is_named_with_the_nearest(bundled):
    with pytest.raises(BundleError) as refused:
        moat.results("demo.zip/max-t")
    assert str(refused.value).startswith("demo.zip: the bundle has no folder 'max-t'. Did you mean")
    with pytest.raises(BundleError):
        moat.results("demo.zip/../demo")


def test_a_bundle_without_weights_loads_no_model(bundled):
    with pytest.raises(BundleError, match="has no weights") as refused:
        moat.load("demo.zip/max-at/seed-0")
    assert "--weights" in refused.value.hint


def test_the_files_of_a_bundle_are_gone_when_the_process_ends(bundled):
    import subprocess
    import sys

    code = "import moat.runs as r; print(r.opened('demo.zip'))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    assert not Path(ran.stdout.strip()).exists()
