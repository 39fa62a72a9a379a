"""Digests identify finished runs: what they say of the same thing never changes."""

import hashlib

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from moat.data import Split
from moat.digests import digest_of_file, digest_of_parts, digest_of_text, short_hash
from moat.models.network_digest import digest_of_network
from moat.models.weights import digest_of_state

SPLIT = Split(
    torch.arange(32, dtype=torch.uint8).view(2, 1, 4, 4), torch.tensor([0, 1]), torch.tensor([0, 1])
)
KEPT = {  # as folders hold them that were written before
    "353ceb5a3856e4eb": lambda: short_hash({"b": 1, "a": [1.5, "é"]}),
    "0da2e13995681f91": lambda: digest_of_network(
        nn.Sequential(nn.LeakyReLU(0.1), nn.Dropout(0.5))
    ),
    "4d0872dad66e8b49": lambda: digest_of_state({"a": torch.ones(2), "b": torch.arange(3)}),
    "81b2409dbc7cc7ae": SPLIT.digest,
}


@pytest.mark.parametrize("digest", KEPT)
def test_a_digest_is_what_older_folders_say(digest):
    assert KEPT[digest]() == digest


@given(parts=st.lists(st.binary()))
def test_a_digest_is_the_beginning_of_the_sha256_of_all_parts(parts):
    assert digest_of_parts(parts) == hashlib.sha256(b"".join(parts)).hexdigest()[:16]


@given(content=st.binary(max_size=100))
def test_a_file_has_the_digest_of_its_content(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("file") / "held"
    path.write_bytes(content)
    assert digest_of_file(path) == digest_of_parts([content])


def test_a_large_file_is_read_in_parts_and_has_the_same_digest(tmp_path):
    path = tmp_path / "large"
    path.write_bytes(content := bytes(range(256)) * 8193)
    assert digest_of_file(path) == digest_of_parts([content]) != digest_of_parts([content[:-1]])


def test_a_name_that_is_no_utf8_has_a_digest():
    assert digest_of_text("a\udcff") != digest_of_text("a\udcfe")


@given(table=st.dictionaries(st.text(), st.integers()))
def test_plain_data_has_one_digest_whatever_the_order_of_its_keys(table):
    assert short_hash(table) == short_hash(dict(reversed(table.items())))
