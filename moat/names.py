"""The name of the natural objective, and what a name may be that becomes a folder or a file."""

import os
import unicodedata
from collections.abc import Sequence

NATURAL = "natural"
"""The name of objective 0, the loss on the images as they are."""
MOST_BYTES = 255
"""Bytes of a name that every usual file system takes."""

SUFFIXES = (".pth", ".pt", ".safetensors")
"""The ends of the names of weights files."""

_BIDIRECTIONAL = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_UNSEEN = ("Cc", "Zl", "Zp")  # Unicode's categories: control, line and paragraph separators


def why_no_name(text: object) -> str:
    """Return why something is not a name, "" where it is one.

    A name is one part of a path: no separator, no step up, nothing unseen, at most 255 bytes. It
    begins with nothing that hides a file, makes an option of it, or a formula in a spreadsheet.

    Example:
        >>> why_no_name("digits_pareto"), why_no_name("../elsewhere")
        ('', 'it has a path separator')
    """
    if not isinstance(text, str):
        return "it is not text"
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "it is not Unicode text"
    if not text or size > MOST_BYTES:
        return f"it has {size} bytes, and a name has 1 to {MOST_BYTES}"
    if "/" in text or "\\" in text:
        return "it has a path separator"
    if any(unicodedata.category(c) in _UNSEEN or ord(c) in _BIDIRECTIONAL for c in text):
        return "it has a control character"
    return f"it begins with {text[0]!r}" if text[0] in ".-+=@" else ""


def names_file(weights: str) -> bool:
    """Say whether a recipe's `weights` are a file's, and not the name of published ones.

    Example:
        >>> names_file("nets/mine.pth"), names_file("mine.safetensors"), names_file("IMAGENET1K_V1")
        (True, True, False)
    """
    return weights.endswith(SUFFIXES) or "/" in weights or os.sep in weights


def sweep_groups(names: Sequence[str]) -> list[list[int]]:
    """Return the places of the names that follow each other and share a first word.

    So the runs of one variant's sweep, `pgd-at steps=1` and the next, form one group. If no two
    names do, all of them are one group.

    Example:
        >>> sweep_groups(["pgd-at steps=1", "pgd-at steps=3", "rt-at steps=1"])
        [[0, 1], [2]]
        >>> sweep_groups(["a", "b"])
        [[0, 1]]
    """
    groups: list[list[int]] = []
    for place, name in enumerate(names):
        same = groups and names[groups[-1][-1]].split(" ")[0] == name.split(" ")[0]
        if same:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups if any(len(group) > 1 for group in groups) else [list(range(len(names)))]
