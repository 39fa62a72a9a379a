import json
import shutil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.data.decoding import decode
from moat.data.kept_images import mapped
from moat.data.tree import read_tree

TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["digest", "broken", "0", "-1", "999", "9" * 6000])
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@pytest.fixture
def kept(write_tree, tmp_path):
    """Decode a few images into a cache; return their folder, and how to ask for them again."""
    root = write_tree({"a": 2, "b": 1})
    (root / "b" / "001_0000.jpg").write_bytes(b"no image")
    tree = read_tree(root)

    def again():
        return decode(tree, list(tree.stamps), 8, tmp_path / "cache")

    again()
    (folder,) = (tmp_path / "cache").glob("images-*")
    return folder, again


@pytest.mark.parametrize("name", ["images.npy", "broken.json"])
@pytest.mark.parametrize("at", [0.0, 0.3, 0.7, 1.0])
def test_one_flipped_bit_is_never_trained_on(kept, name, at):
    folder, again = kept
    expected, why = again().images.clone(), again().broken
    content = bytearray((folder / name).read_bytes())
    content[int(at * (len(content) - 1))] ^= 1
    (folder / name).write_bytes(bytes(content))
    found = again()
    assert torch.equal(found.images, expected)
    assert found.broken == why == {2: "no known image format"}


def test_another_folders_images_are_not_taken(kept, tmp_path):
    folder, again = kept
    expected = again().images.clone()
    tree = read_tree(tmp_path / "pictures")
    decode(tree, list(tree.stamps)[::-1], 8, tmp_path / "cache")
    (other,) = (path for path in folder.parent.glob("images-*") if path != folder)
    shutil.rmtree(folder)
    shutil.copytree(other, folder)
    assert torch.equal(again().images, expected)


@given(tree=TREES)
def test_any_tree_in_the_file_beside_them_makes_them_anew(kept, tree):
    folder, _ = kept
    before = (folder / "broken.json").read_bytes()
    try:
        (folder / "broken.json").write_text(json.dumps(tree))
        assert mapped(folder, folder.name, (3, 3, 8, 8)) is None
    finally:
        (folder / "broken.json").write_bytes(before)
    assert mapped(folder, folder.name, (3, 3, 8, 8)) is not None


def test_images_of_a_time_before_are_decoded_again(kept):
    folder, again = kept
    (folder / "broken.json").write_text('{"0": "blamed"}')
    assert again().broken == {2: "no known image format"}
    assert json.loads((folder / "broken.json").read_text())["digest"]
