import zipfile
from io import BytesIO

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.errors import RunFolderError
from moat.runs import RunFolder
from moat.runs.seal import is_sealed, seal


def sealed(whose: str = "") -> bytes:
    file = BytesIO()
    np.savez(file, a=np.arange(4))
    seal(file, whose)
    return file.getvalue()


def plain() -> bytes:
    file = BytesIO()
    np.savez(file, a=np.arange(4))
    return file.getvalue()


def test_a_sealed_file_is_read_as_before():
    content = sealed("mine")
    assert is_sealed(content, "mine")
    assert np.load(BytesIO(content))["a"].tolist() == [0, 1, 2, 3]
    assert zipfile.ZipFile(BytesIO(content)).comment.startswith(b"moat sha256 ")
    file = BytesIO()
    torch.save({"a": torch.arange(3)}, file)
    seal(file)
    assert is_sealed(file.getvalue())
    assert torch.load(BytesIO(file.getvalue()), weights_only=True)["a"].tolist() == [0, 1, 2]


@given(at=st.integers(0, len(sealed()) - 1), bit=st.integers(0, 7))
def test_no_flipped_bit_is_read(at, bit):
    content = bytearray(sealed())
    content[at] ^= 1 << bit
    with pytest.raises(ValueError, match="its digest does not match its content"):
        is_sealed(bytes(content))


@given(cut=st.integers(0, len(sealed()) - 1))
def test_no_file_that_was_cut_is_read(cut):
    if cut != len(plain()):
        with pytest.raises(ValueError, match="its digest does not match its content"):
            is_sealed(sealed()[:cut])


def test_a_file_of_another_owner_is_not_read():
    with pytest.raises(ValueError, match="its digest does not match its content"):
        is_sealed(sealed("mine"), "yours")


def test_a_file_of_a_time_before_has_no_seal(tmp_path):
    assert not is_sealed(plain())
    run = RunFolder(tmp_path)
    torch.save({"epoch": 3}, run.checkpoint)
    assert run.load_checkpoint() == {"epoch": 3}
    parts = run.evaluation_parts("f")
    parts.save(0, "pgd", {"a": np.arange(4)})
    (file,) = parts.path.iterdir()
    file.write_bytes(plain())
    assert parts.load(0, "pgd") is None  # it is searched again


def test_a_damaged_checkpoint_says_so(tmp_path):
    run = RunFolder(tmp_path)
    run.save_checkpoint({"weights": torch.rand(99)})
    content = bytearray(run.checkpoint.read_bytes())
    content[len(content) // 2] ^= 1
    run.checkpoint.write_bytes(bytes(content))
    with pytest.raises(RunFolderError, match="its digest does not match its content"):
        run.load_checkpoint()
