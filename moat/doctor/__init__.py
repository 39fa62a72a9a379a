"""The checks of a machine: packages, devices, back ends, plug-ins, folders; none raises."""

from moat.doctor.diagnosis import diagnose
from moat.doctor.finding import Finding, Health

__all__ = ["Finding", "Health", "diagnose"]
