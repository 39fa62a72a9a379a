"""For authors of plug-ins: what can be checked, by name or file, and skeletons of packages."""

from moat.plugin_kit.candidate import Candidate, candidate_of
from moat.plugin_kit.kinds import Kind
from moat.plugin_kit.trials import trial_of

__all__ = ["Candidate", "Kind", "candidate_of", "trial_of"]
