"""`napari-framewise list`: what there is, without loading it."""

from __future__ import annotations

import sys
from argparse import Namespace

from napari_framewise.cli.manual import wrapped
from napari_framewise.tools.registry import TOOLS


def print_list(given: Namespace) -> int:
    """Print tools, samples or file formats, a sentence each; the exit code."""
    if given.samples:
        from napari_framewise.samples import SAMPLES

        rows = [(f"sample:{name}", entry.sentence) for name, entry in SAMPLES.items()]
    elif given.formats:
        from napari_framewise.io.opening import readable_formats

        rows = [
            (" ".join(each.extensions), f"{each.title}: {each.reads}")
            for each in readable_formats()
        ]
    else:
        rows = [(name, entry.sentence) for name, entry in TOOLS.items()]
    for name, sentence in rows:
        sys.stdout.write(f"{name}\n{wrapped(sentence, '    ')}\n")
    return 0
