"""What moat needs of a machine: packages, devices, back ends, plug-ins, folders; nothing raises."""

from moat.doctor.examination import examine
from moat.doctor.finding import ABSENT, FAULT, OK, WARNING, Finding

__all__ = ["ABSENT", "FAULT", "OK", "WARNING", "Finding", "examine"]
