"""The memory that a process frees: kept for its next use, or given back to the system.

glibc, the C library of most Linux machines, asks the system for every large block and gives it back
as soon as it is freed, so that each pass of a network has the pages of its activations mapped and
cleared anew. Other systems do otherwise, and nothing is changed there.
"""

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

Allocator = Literal["keep", "system"]

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h
TUNED_BY = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_")
"""Variables of glibc's: one that is set is a decision."""

_own = ContextVar("own process", default=False)
_in_use: Allocator = "system"


@contextmanager
def own_process() -> Iterator[None]:
    """Let the runs inside set the allocator of this process: it does nothing else."""
    token = _own.set(True)
    try:
        yield
    finally:
        _own.reset(token)


def take(asked: Allocator) -> None:
    """Keep freed memory from now on where a run asks for it and the process is its own."""
    if asked == "keep" and _own.get():
        keep_memory()


def keep_memory() -> bool:
    """Keep freed memory for the rest of this process; say whether that is so.

    False where the C library is not glibc, or where the environment sets its allocator.
    """
    global _in_use
    mallopt = _mallopt()
    if mallopt is None or any(name in os.environ for name in TUNED_BY):
        return False
    if "glibc.malloc." in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    if mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, -1):
        _in_use = "keep"
    return _in_use == "keep"


def in_use() -> Allocator:
    """Return what this process does with freed memory."""
    return _in_use


def _mallopt() -> Callable[[int, int], int] | None:
    """Return glibc's function, None where the C library is another."""
    if sys.platform != "linux":
        return None
    try:
        library = ctypes.CDLL(None)
    except OSError:  # a program that loads no library
        return None
    is_glibc = hasattr(library, "gnu_get_libc_version")
    return library.mallopt if is_glibc else None
