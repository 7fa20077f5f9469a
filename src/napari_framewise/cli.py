"""The command line: the tools on files, on this machine or a cluster."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `napari-framewise` with arguments (those of the process by default); the exit code."""
    raise NotImplementedError
