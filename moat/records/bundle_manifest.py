"""moat-bundle.json: the files of a bundle, each with its size and its digest."""

from typing import Annotated

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from moat.records.kinds import Line, PathBelow

_Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class BundledFile(TypedDict):
    """One file of a bundle."""

    size: Annotated[int, Field(ge=0)]
    sha256: _Digest


@with_config(ConfigDict(extra="allow"))
class BundleManifest(TypedDict):
    """The version of moat that wrote the bundle, the folder of its results, and its files."""

    moat: Line
    root: PathBelow
    weights: bool
    files: dict[PathBelow, BundledFile]
