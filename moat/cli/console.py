"""The consoles of the commands."""

import sys

from rich.console import Console

console = Console(width=None if sys.stdout and sys.stdout.isatty() else 120)
