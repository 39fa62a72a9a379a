import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from moat.errors import RunFolderError
from moat.records import ModelRecord, RunRecord, command_of, typed
from moat.runs import RunFolder
from moat.testing.run_record import run_record

WHOLE = run_record(
    train_hash="f" * 16,
    weights="w",
    training={"epoch": 3},
    machine={"device": "cpu"},
    files={"log.jsonl": "0" * 64},
    scores={"total": 200.0},
    foreign=False,
    of="/runs/one",
    command=["moat", "evaluate", "one"],
).as_table()
NEEDED = [name for name, field in RunRecord.model_fields.items() if field.is_required()]
UNTYPED = {"command"}  # of another kind it is none of moat's, and never shown

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-1e300, 1e300),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


def read(record: dict) -> RunRecord:
    return typed(RunRecord, record, Path("run.json"), "the mend")


@pytest.mark.parametrize("key", NEEDED)
def test_a_key_that_is_missing_is_named(key):
    with pytest.raises(RunFolderError) as refused:
        read({name: value for name, value in WHOLE.items() if name != key})
    assert str(refused.value) == (
        f"run.json: its record is not moat's: {key} is missing.\n  the mend"
    )


def test_a_misspelled_key_is_named_beside_the_one_that_is_missing():
    record = {"varient" if name == "variant" else name: value for name, value in WHOLE.items()}
    with pytest.raises(RunFolderError, match="variant is missing, but 'varient' is there"):
        read(record)


@pytest.mark.parametrize("key", sorted(set(RunRecord.model_fields) - UNTYPED))
def test_a_key_of_another_type_is_named(key):
    with pytest.raises(RunFolderError, match=f"its record is not moat's: {key} is .* and should "):
        read({**WHOLE, key: 1.5j})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("shape", shape) for shape in ([], [1, 8], [1, 8, 8, 8], [1, 8, 0], [1, 8, 2.5])),
        *(("classes", classes) for classes in (0, "ten", 2.5, True)),
        *(("seed", seed) for seed in (-1, "0", True, None)),
        *((key, None) for key in ("moat", "train_hash", "weights", "of", "files", "scores")),
    ],
)
def test_values_that_no_run_has_are_refused_with_their_key(key, value):
    with pytest.raises(RunFolderError, match=rf"not moat's: {key}[.\d]* is .* and should "):
        read({**WHOLE, key: value})


def test_a_record_as_the_first_moat_wrote_it_is_read_by_the_rules_of_its_time():
    record = read({key: WHOLE[key] for key in NEEDED})
    assert (record.foreign, record.of, record.files, record.scores) == (False, None, None, None)
    assert (record.training, record.machine, record.is_evaluation_alone) == ({}, {}, False)
    protocol = record.protocol
    assert (protocol.falls, protocol.sample, protocol.ensembles) == ("last", "first", {})
    assert [threat.restarts for threat in protocol.threats.values()] == [1]


@given(more=st.dictionaries(st.text(max_size=5), plain, max_size=3), data=st.data())
def test_what_is_written_again_is_what_was_read_to_the_byte(tmp_path, more, data):
    table = {**more, **WHOLE}
    table["protocol"] = {**table["protocol"], "examples": 100, "seed": 0}
    keys = data.draw(st.permutations(list(table)))
    run = RunFolder(tmp_path)
    content = json.dumps({"format": 1, **{key: table[key] for key in keys}}, indent=2) + "\n"
    (tmp_path / "run.json").write_text(content, "utf-8")
    run.write_record(run.read_record())
    assert (tmp_path / "run.json").read_text("utf-8") == content


def test_an_older_record_is_never_rewritten_by_reading_it(tmp_path):
    content = json.dumps({"format": 1, **{key: WHOLE[key] for key in NEEDED}})
    (tmp_path / "run.json").write_text(content, "utf-8")
    RunFolder(tmp_path).read_record()
    assert (tmp_path / "run.json").read_text("utf-8") == content


def test_a_record_does_not_change():
    record = run_record()
    with pytest.raises(ValidationError, match="frozen"):
        record.seed = 1
    record.as_table()["seed"] = 1
    assert (record.seed, record.as_table()["seed"]) == (0, 0)


def test_a_model_is_known_before_its_evaluation_and_keeps_its_place_in_the_record():
    names = {"study": "s", "variant": "v", "sweep": {}, "seed": 0, "label": "v", "trains": {}}
    model = ModelRecord.model_validate(
        {**names, "data": {}, "shape": [1, 8, 8], "classes": 2, "files": {"a": "1"}, "later": 1}
    )
    judged = model.judged(
        protocol_hash="h",
        protocol={"threats": {}, "summed": []},
        scores={"natural": 90.0},
        files={"a": "1", "b": "2"},
    )
    assert list(judged.as_table()) == [*model.as_table(), "protocol_hash", "protocol", "scores"]
    assert (judged.files, judged.model.study) == ({"a": "1", "b": "2"}, "s")


def test_elsewhere_a_record_has_its_own_names_and_nothing_of_how_it_was_judged():
    record = read(WHOLE)
    told = {"study": "study@other", "of": "here", "weights": "w", "data": {"type": "digits"}}
    there = record.elsewhere(**told)
    assert (there.study, there.label, there.trains) == ("study@other", "plain", record.trains)
    assert (there.command, there.files, there.is_evaluation_alone) == (None, None, True)
    assert not {"protocol", "protocol_hash", "scores"} & set(there.as_table())


@pytest.mark.parametrize(
    "words", [["rm", "-rf", "~"], ["moat"], ["moat", "evaluate", "a\x1bb"], 3, None, ["moat", 3]]
)
def test_a_command_that_is_shown_again_is_one_of_moats(words):
    assert command_of(words) is run_record(command=words).command is None
    assert command_of(["moat", "evaluate", "a b"]) == ("moat", "evaluate", "a b")
