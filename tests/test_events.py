"""What a study tells, as records that cross a process."""

import pickle
from dataclasses import FrozenInstanceError, fields, is_dataclass
from pathlib import Path

import pytest

import moat
from moat import errors, events
from moat.events import Event, NamedRunEvent, RunFailure, RunHold, StudyNote, each, ignore

NAMED = {"run": Path("r/a/seed-0"), "label": "a r=1", "variant": "a", "sweep": {"r": 1}, "seed": 0}
GIVEN = {
    **NAMED,
    **{"runs": 2, "text": "so", "folder": Path("r"), "what": "run.json", "scores": {"union": 1.0}},
    **{"message": "no", "epoch": 1, "epochs": 2, "step": 3, "steps": 4, "record": {"step": 3}},
    **{"before": 0, "done": 1.0, "of": 2.0, "threat": "pgd", "batch": 1, "batches": 1},
    "kind": "transfer",
}
KINDS = [
    kind
    for name, kind in vars(events).items()
    if is_dataclass(kind) and issubclass(kind, Event) and not name.startswith("_")
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_is_frozen_and_comes_out_of_another_process_as_it_went_in(kind):
    needed = {one.name for one in fields(kind)} & GIVEN.keys()
    event = kind(**{name: GIVEN[name] for name in needed})
    assert pickle.loads(pickle.dumps(event)) == event
    for one in fields(kind):
        with pytest.raises(FrozenInstanceError):
            setattr(event, one.name, None)


def test_several_listeners_hear_everything_in_turn():
    heard = []
    both = each(lambda event: heard.append((1, event)), lambda event: heard.append((2, event)))
    event = StudyNote(text="so")
    both(event)
    ignore(event)
    assert heard == [(1, event), (2, event)]


@pytest.mark.parametrize("kind", [RunFailure, RunHold])
@pytest.mark.parametrize(
    ("name", "code", "made"),
    [
        ("DiskError", 2, errors.DiskError),
        ("TrainingError", 1, errors.TrainingError),
        ("OfAPlugIn", 1, errors.TrainingError),
        ("OfAPlugIn", 2, errors.MoatError),
        ("did_you_mean", 2, errors.MoatError),
    ],
)
def test_a_failure_tells_its_error_as_text_and_makes_it_anew(kind, name, code, made):
    event = kind(**NAMED, message="no", where="there", hint="mend", kind=name, exit_code=code)
    assert type(event.error) is made
    assert str(event.error) == "there: no\n  mend"
    assert event.error.exit_code == code


def test_what_names_a_run_says_what_it_is_called():
    named = [kind for kind in KINDS if issubclass(kind, NamedRunEvent)]
    assert len(named) >= 6
    for kind in named:
        assert {one.name for one in fields(kind)} >= NAMED.keys()


def test_events_are_handed_out_by_the_package():
    assert moat.events is events


def test_a_note_is_said_once_a_study_and_everything_else_as_often_as_it_happens():
    heard = []
    listen = events.without_repeats(heard.append)
    told = [
        events.Note(run=Path(run), text=text)
        for run in ("a", "b")
        for text in ("not compiled", "not captured")
    ]
    again = [events.LogEntry(run=Path("a"), record={})] * 2
    for event in (*told, *again):
        listen(event)
    assert heard == [*told[:2], *again]
