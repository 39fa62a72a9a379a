import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat.runs import RunFolder, log
from moat.runs.log import newest_first


@given(lengths=st.lists(st.integers(0, 60), max_size=12), block=st.integers(1, 40))
def test_backwards_is_the_reverse_of_forwards_whatever_the_blocks(tmp_path_factory, lengths, block):
    run = RunFolder(tmp_path_factory.mktemp("run"))
    for step, length in enumerate(lengths):
        run.append_log({"step": step, "text": "ü" * length})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log, "BLOCK", block)
        assert list(run.newest_log()) == run.read_log()[::-1]


def test_of_no_log_there_is_nothing(tmp_path):
    assert list(newest_first(tmp_path / "log.jsonl")) == []
    assert list(newest_first(tmp_path)) == []


@pytest.mark.parametrize("torn", [b'{"step": 3, "lo', b'{"text": "\xc3', b"[1]", b"2\n", b"\xff\n"])
def test_a_last_line_that_is_being_written_is_passed_over(tmp_path, torn):
    run = RunFolder(tmp_path)
    run.append_log({"step": 1})
    run.append_log({"step": 2})
    with (tmp_path / "log.jsonl").open("ab") as file:
        file.write(torn)
    assert list(run.newest_log()) == [{"step": 2}, {"step": 1}]


def test_the_end_of_a_long_log_is_read_without_the_rest(tmp_path):
    path = tmp_path / "log.jsonl"
    with path.open("w") as file:
        file.writelines(json.dumps({"step": step}) + "\n" for step in range(100_000))
    sought = []
    opened = type(path).open

    class Counted:
        """A file that notes how much is read of it."""

        def __init__(self, file) -> None:
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *error) -> None:
            self.file.close()

        def seek(self, *where) -> int:
            return self.file.seek(*where)

        def read(self, size: int) -> bytes:
            sought.append(size)
            return self.file.read(size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(path), "open", lambda *args: Counted(opened(*args)))
        records = newest_first(path)
        assert [next(records)["step"] for _ in range(3)] == [99_999, 99_998, 99_997]
        records.close()
    assert sum(sought) <= log.BLOCK
