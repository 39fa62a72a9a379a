"""For authors of plug-ins: candidates for a check, by name or file, and skeletons of packages."""
