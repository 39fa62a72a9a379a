"""The start of a run in its record: the run or the file whose weights its training began with."""

from moat.records.kinds import Line, Number, OrAbsent
from moat.records.stored_table import StoredTable


class StartRecord(StoredTable):
    """The place of the weights, their digest, and the passes that it took to train them.

    The place of a run of the same study is relative to the results folder.
    """

    place: Line
    weights: Line
    training: OrAbsent[Line] = None
    passes: OrAbsent[Number] = None
