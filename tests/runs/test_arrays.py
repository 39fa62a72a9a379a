import struct
import zipfile

import numpy as np
import pytest

from moat.errors import RunFolderError
from moat.runs import arrays

HEADERS = {
    "more than there is": "{'descr': '|i1', 'fortran_order': False, 'shape': (8000000000,)}",
    "more than any memory": "{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,)}",
    "less than nothing": "{'descr': '<f8', 'fortran_order': False, 'shape': (-5,)}",
    "a sum": "{'descr': '<f8', 'fortran_order': False, 'shape': (2 ** 40, 2 ** 40)}",
    "long texts": "{'descr': '<U100000000', 'fortran_order': False, 'shape': (3,)}",
    "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (3,)}",
    "levels": "{'descr': " + "(" * 9000,
    "a long header": "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1, " * 9000 + ")}",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=list(HEADERS))
def test_a_header_that_promises_something_else_is_refused(tmp_path, header):
    line = header.encode() + b"\n"
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(line)) + line + bytes(64)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("outcomes.npy", array)
    with pytest.raises(RunFolderError, match="the file is truncated or not moat's"):
        arrays.load_arrays(tmp_path / "a.npz")


def test_what_unpacks_to_more_than_is_read_is_refused(tmp_path, monkeypatch):
    arrays.save_arrays(tmp_path / "a.npz", {"zeros": np.zeros(1 << 20, np.int8)})
    assert (tmp_path / "a.npz").stat().st_size < 2000
    assert arrays.load_arrays(tmp_path / "a.npz")
    monkeypatch.setattr(arrays, "MOST", 1 << 20)
    with pytest.raises(RunFolderError, match=r"unpacked it takes 1,048,704 bytes"):
        arrays.load_arrays(tmp_path / "a.npz")
