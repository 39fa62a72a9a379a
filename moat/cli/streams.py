"""Closed or full standard streams: the command ends quietly, with its files written."""

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Any

PIPE_CLOSED = 141
"""The exit code after a closed pipe, as after SIGPIPE: 128 + 13."""
NOT_PRINTED = 1
"""The exit code after a failed write to standard output, such as to a full device."""

_ERRORS = "replace"
"""The treatment of a sign that a terminal lacks, such as →: it is replaced."""


class LastingStream(io.FileIO):
    """A file descriptor whose end ends the program by its exit code, and never by an error.

    SystemExit passes by all that handles a run's failure, so that no run is said to have failed.
    """

    lost = False

    def write(self, content: Any) -> int:
        """Write, or end the program; what comes after is dropped."""
        if not self.lost:
            try:
                return super().write(content) or 0
            except BlockingIOError:
                raise
            except OSError as error:
                self.lost = True
                self._end(error)
        return len(content)

    def _end(self, error: OSError) -> None:
        if self.fileno() != 1:  # messages: there is nowhere to say it
            return
        if error.errno == errno.EPIPE:
            sys.exit(PIPE_CLOSED)
        with suppress(OSError, ValueError):
            print(f"cannot write to standard output: {error.strerror}.", file=sys.stderr)
        sys.exit(NOT_PRINTED)


def take_streams() -> None:
    """Put streams in place that outlast a closed pipe, a full device, or no stream at all."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = getattr(sys, name)
        if stream is None:  # closed when the program began, as by `>&-`
            mode = "w" if number else "r"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - for good
        elif number and isinstance(stream, io.TextIOWrapper):
            if _is_descriptor(stream, number):
                setattr(sys, name, _lasting(stream, number))
            else:
                stream.reconfigure(errors=_ERRORS)


def _is_descriptor(stream: io.TextIOWrapper, number: int) -> bool:
    with suppress(OSError, ValueError):
        return stream.fileno() == number and not isinstance(stream.buffer, LastingStream)
    return False


def _lasting(stream: io.TextIOWrapper, number: int) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(LastingStream(number, "w", closefd=False)),
        encoding=stream.encoding,
        errors=_ERRORS,
        line_buffering=stream.line_buffering or number == 2,
    )
