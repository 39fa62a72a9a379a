"""A pipe that is closed, a device that is full, no stream at all: files first, then a quiet end."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from moat.cli.output_files import OutputFiles
from moat.errors import DiskError

CALL = f'{sys.executable} -W error -c "from moat.cli import main; main()"'


@pytest.fixture(scope="module")
def finished(shared_folder) -> Path:
    """Two finished runs, and nothing that a report wrote."""
    from moat import study

    def fill(folder: Path) -> None:
        small = Path(__file__).parents[1] / "small.toml"
        study.train(small, only=("plain", "pgd-at"), results=folder, device="cpu")

    return shared_folder("to be piped", fill) / "small"


def shell(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = line.replace("moat", CALL)
    return subprocess.run(["bash", "-c", command], cwd=cwd, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("moat --help >&-", 0),
        ("moat list threats >/dev/full", 1),
        ("moat schema | true; exit ${PIPESTATUS[0]}", 141),
        ("moat front nowhere 2>&-", 2),
        ("moat front nowhere 2>/dev/full", 2),
        ("moat --version <&- >&- 2>&-", 0),
    ],
)
def test_a_stream_that_takes_nothing_ends_in_a_code_and_no_traceback(line, code, tmp_path):
    done = shell(line, tmp_path)
    assert done.returncode == code
    full = "cannot write to standard output: No space left on device.\n"
    assert done.stderr == (full if ">/dev/full" in line and "2>" not in line else "")


WRITTEN = {
    "front": (["front", "RUNS", "--out", "out"], ["front.csv", "front.json", "front.svg"]),
    "front as csv": (["front", "RUNS", "--out", "out", "--format", "csv"], ["front.csv"]),
    "plot": (["plot", "RUNS", "--kind", "front,strengths", "--out", "out"], ["front.svg"]),
    "report": (["report", "RUNS", "--out", "out"], ["report.md", "report.csv"]),
    "page": (["report", "RUNS", "--out", "out", "--html", "page.html"], ["../page.html"]),
    "compare": (["compare", "RUNS/plain/seed-0", "RUNS/pgd-at/seed-0", "--out", "out"], []),
    "bundle": (["bundle", "RUNS", "runs.zip"], ["../runs.zip"]),
}


class Closed(io.StringIO):
    """Standard output whose reader has gone."""

    def write(self, text: str) -> int:
        raise SystemExit(141)


@pytest.mark.parametrize("command", WRITTEN)
def test_files_are_written_before_anything_is_printed(finished, tmp_path, monkeypatch, command):
    from moat.cli.app import app

    words, files = WRITTEN[command]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdout", Closed())
    with pytest.raises(SystemExit) as ended:
        app([word.replace("RUNS", str(finished)) for word in words])
    monkeypatch.undo()
    assert ended.value.code == 141
    assert all((tmp_path / "out" / name).resolve().exists() for name in files or ["compare.md"])


@pytest.mark.parametrize("command", ["front", "report", "plot"])
def test_what_cannot_be_written_is_said_after_all_is_shown(moat, finished, tmp_path, command):
    (tmp_path / "file").write_text("")
    answer = moat(command, finished, "--out", "file/out")
    assert answer.code == 2
    assert "Name a folder you may write to with --out." in answer.err
    assert command == "plot" or "pgd-at" in answer.out


def test_the_first_refusal_is_raised_after_the_paths_are_said(capsys):
    def refuse() -> list[Path]:
        raise DiskError("cannot write: no.")

    written = OutputFiles()
    written.write(refuse)
    written.write(lambda: [Path("a")])
    with pytest.raises(DiskError, match="cannot write: no"):
        written.say()
    assert capsys.readouterr().out == "wrote a\n"


@pytest.mark.parametrize("command", [[], ["front"], ["train"], ["list"], ["evaluate"], ["report"]])
def test_every_command_explains_itself_by_one_letter(moat, command):
    assert moat(*command, "-h").out == moat(*command, "--help").out


def test_a_report_is_of_several_folders(moat, finished):
    answer = moat("report", finished / "plain", finished / "pgd-at", "--html", "both.html")
    assert answer.code == 0
    assert all(name in answer.out for name in ("plain", "pgd-at", "wrote both.html"))
    refused = moat("report", finished, finished / "plain", "--against", finished)
    assert refused.code == 2
    assert "--against takes one folder" in refused.err


def test_the_page_says_of_unfinished_runs_that_they_are_not_finished(moat, finished, tmp_path):
    import shutil

    shutil.copytree(finished, tmp_path / "some")
    (tmp_path / "some" / "plain" / "seed-0" / "run.json").unlink()
    assert moat("report", "some", "--html", "page.html").code == 0
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "Runs that are not finished" in page
    assert "Unreadable runs" not in page
