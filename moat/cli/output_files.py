"""The files of a command: written before it prints, so that a closed pipe loses none."""

from collections.abc import Callable, Iterable
from pathlib import Path

from moat.cli.lines import say
from moat.errors import RunFolderError


class OutputFiles:
    """The files of a command. What the disk refuses is raised at the end, after all is shown."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self.refusal: RunFolderError | None = None

    def write(self, made: Callable[[], Iterable[Path]]) -> None:
        """Write files now; keep their paths, or the first refusal."""
        try:
            self.paths += made()
        except RunFolderError as error:
            self.refusal = self.refusal or error

    def say(self, *, err: bool = False) -> None:
        """Print the path of each file; raise RunFolderError where some could not be written."""
        for path in self.paths:
            say(f"wrote {path}", err=err)
        if self.refusal:
            raise self.refusal
