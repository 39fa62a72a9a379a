import pytest

from moat.errors import RunFolderError
from moat.report.status.run_status import Live, RunStatus, State
from moat.report.status.study_status import StatusReader, StudyStatus, time_left
from moat.runs import RunFolder, StudyFolder
from moat.testing.run_record import run_record

RECORD = run_record(variant="natural", protocol_hash="1" * 16, training={"seconds": 20.0})


def planned(label: str, seed: int) -> dict:
    return {"folder": f"{label}/seed-{seed}", "label": label, "seed": seed, "batch_size": 50}


RUNS = [planned(label, seed) for label in ("natural", "pareto") for seed in (0, 1)]


@pytest.fixture
def results(tmp_path):
    """A study of four runs that are planned, in a results folder."""
    StudyFolder(tmp_path / "results" / "study").plan(RUNS, RUNS)
    return tmp_path / "results"


def folder(results, run: int) -> RunFolder:
    made = RunFolder(results / "study" / RUNS[run]["folder"])
    made.path.mkdir(parents=True, exist_ok=True)
    return made


def states(studies: list[StudyStatus]) -> list[str]:
    (study,) = studies
    return [str(run.state) for run in study.runs]


# Reading.


def test_a_study_is_what_its_runs_are_at_in_the_order_of_the_plan(results):
    folder(results, 0).write_record(RECORD)
    folder(results, 1).write_failure({"message": "no"})
    reader = StatusReader(results)
    with folder(results, 2).locked():
        studies = reader.read()
        assert states(studies) == ["done", "failed", "running", "waiting"]
    (study,) = studies
    assert (study.name, study.note, study.is_over, study.failed) == ("study", "", False, True)
    assert states(StatusReader(results / "study").read())[:2] == ["done", "failed"]


def test_a_study_is_over_when_every_run_is_done_or_failed(results):
    for run in (0, 1, 2):
        folder(results, run).write_record(RECORD)
    reader = StatusReader(results)
    assert not reader.read()[0].is_over
    folder(results, 3).write_failure({"message": "no"})
    assert reader.read()[0].is_over


def test_what_is_settled_is_read_once_until_something_changes(results, monkeypatch):
    for run in (0, 1):
        folder(results, run).write_record(RECORD)
    folder(results, 2).write_failure({"message": "no"})
    read = []
    truly = RunFolder.read_record

    def count(self):
        read.append(self.path)
        return truly(self)

    monkeypatch.setattr(RunFolder, "read_record", count)
    reader = StatusReader(results)
    first = reader.read()
    assert len(read) == 3
    assert reader.read() == first
    assert len(read) == 3
    with folder(results, 2).locked():
        assert states(reader.read())[2] == "running"
    folder(results, 0).write_failure({"message": "no"})
    assert states(reader.read()) == ["failed", "done", "waiting", "waiting"]


def test_a_changed_plan_judges_a_settled_run_anew(results):
    folder(results, 0).write_record(RECORD)
    reader = StatusReader(results)
    assert states(reader.read())[0] == "done"
    changed = [{**run, "protocol_hash": "2" * 16} for run in RUNS]
    StudyFolder(results / "study").plan(changed, changed)
    assert states(reader.read())[0] == "waiting"


def test_several_studies_and_runs_of_no_plan_are_told_apart(results):
    StudyFolder(results / "another").plan(RUNS[:1], RUNS)
    old = RunFolder(results / "old" / "natural" / "seed-0")
    old.path.mkdir(parents=True)
    old.write_record(RECORD)
    another, study, rest = StatusReader(results).read()
    assert (another.name, study.name, rest.name) == ("another", "study", "results")
    assert (another.note, study.note) == ("", "")
    assert rest.note == "The plan is unknown until `moat train` starts."
    assert [run.name for run in rest.runs] == ["old/natural/seed-0"]


def test_a_run_may_be_watched_alone(results):
    folder(results, 0).write_record(RECORD)
    assert states(StatusReader(folder(results, 0).path).read()) == ["done"]


def test_a_plan_that_is_not_ours_leaves_the_runs_that_were_begun_and_says_so(results):
    (results / "study" / "study.json").write_text("{}")
    folder(results, 0).write_record(RECORD)
    (study,) = StatusReader(results).read()
    assert [run.name for run in study.runs] == ["natural/seed-0"]
    assert study.note.startswith("the file is truncated or not moat's (its format is not 1")


@pytest.mark.parametrize("where", ["/elsewhere", "../up", "a/../../b", "a//b", "", "a\nb", ".a"])
def test_a_planned_run_lies_below_its_study(results, where):
    away = [{"folder": where}]
    StudyFolder(results / "study").plan(away, away)
    (study,) = StatusReader(results).read()
    assert study.runs == ()
    assert f"runs.0.folder is {where!r} and should be a path below its folder" in study.note


HINT = "\n  `moat train RECIPE` trains runs; name the folder they are written to."


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RunFolderError) as raised:
        StatusReader(tmp_path / "nowhere").read()
    assert str(raised.value) == f"{tmp_path / 'nowhere'}: the folder does not exist.{HINT}"


def test_a_folder_with_nothing_in_it_is_refused(tmp_path):
    with pytest.raises(RunFolderError) as raised:
        StatusReader(tmp_path).read()
    said = f"{tmp_path}: this folder contains neither a study nor a run.{HINT}"
    assert str(raised.value) == said


# The time that is left.


def run(label: str, state: State, **about: object) -> RunStatus:
    return RunStatus(f"{label}/seed-0", label, 0, state, **about)


def done(label: str, seconds: float | None) -> RunStatus:
    return run(label, State.done, trained=1.0, seconds=seconds)


WAITING = run("pareto", State.waiting)
HALF_WAY = run("pareto", State.running, live=Live(step=50, steps=100), trained=0.5, seconds=40.0)


@pytest.mark.parametrize(
    ("runs", "left"),
    [
        ([], None),
        ([WAITING], None),  # nothing says how long one takes
        ([done("pareto", 10.0)], None),  # nothing is left
        ([done("pareto", 10.0), WAITING], 10.0),
        ([done("pareto", 10.0), done("pareto", 30.0), WAITING, WAITING], 40.0),
        ([done("natural", 2.0), done("pareto", 10.0), WAITING], 10.0),  # its own label counts
        ([done("natural", 2.0), done("pgd-at", 6.0), WAITING], 4.0),
        ([done("natural", None), WAITING], None),
        ([HALF_WAY], 20.0),
        ([HALF_WAY, WAITING], 60.0),
        ([done("pareto", 10.0), HALF_WAY, WAITING], 30.0),
        ([HALF_WAY, HALF_WAY, WAITING, WAITING], 60.0),  # two at a time
        ([done("pareto", 10.0), run("pareto", State.running), WAITING], 20.0),
        ([done("pareto", 10.0), run("pareto", State.interrupted, trained=0.25)], 7.5),
        ([done("pareto", 10.0), run("pareto", State.failed), WAITING], 10.0),
        ([done("pareto", 10.0), run("pareto", State.evaluating, trained=1.0)], None),
        ([done("pareto", 10.0), run("pareto", State.waiting, trained=1.0)], None),
    ],
)
def test_the_time_left_follows_from_what_others_took_and_from_the_last_rate(runs, left):
    assert time_left(runs) == left
    assert StudyStatus("study", tuple(runs)).left == left


def test_a_thousand_runs_are_looked_at_in_a_moment(results, monkeypatch):
    runs = [planned("natural", seed) for seed in range(1000)]
    StudyFolder(results / "study").plan(runs, runs)
    for one in runs:
        made = RunFolder(results / "study" / one["folder"])
        made.path.mkdir(parents=True)
        made.write_record(run_record(variant="natural", seed=one["seed"]))
    reader = StatusReader(results)
    first = reader.read()
    assert len(first[0].of(State.done)) == 1000

    def refuse(*args: object, **keys: object):
        pytest.fail("a finished run was read again")

    for reading in ("read_record", "read_failure", "newest_log"):
        monkeypatch.setattr(RunFolder, reading, refuse)
    assert reader.read() == first
