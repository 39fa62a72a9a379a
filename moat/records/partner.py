"""The run on whose model the sanity gate finds images for another, in records."""

from typing import Annotated

from pydantic import Field

from moat.records.kinds import Count, Line, PathBelow
from moat.records.stored_table import StoredTable


class PartnerRecord(StoredTable):
    """A run's partner: where in the study it lies, and what it is called."""

    run: PathBelow
    label: Line
    seed: Count


class OpenTransfer(StoredTable):
    """The gate's last question waits for the partner, and why; in what passes it is to be asked."""

    why: str
    pass_size: Annotated[int, Field(ge=1)] | None = None
