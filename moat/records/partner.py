"""The run on whose model the sanity gate finds images to transfer, in records."""

from typing import Annotated

from pydantic import Field

from moat.records.kinds import Count, Line, PathBelow
from moat.records.stored_table import StoredTable


class PartnerRecord(StoredTable):
    """A run's partner: its place in the study, and its name."""

    run: PathBelow
    label: Line
    seed: Count


class OpenTransfer(StoredTable):
    """The transfer check that waits for the partner: the reason, and the size of its passes."""

    why: str
    pass_size: Annotated[int, Field(ge=1)] | None = None
