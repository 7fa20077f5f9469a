"""The command line: the tools on files, on this machine or a cluster."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

CANCELLED = 130
TERMINATED = 143


class Terminated(KeyboardInterrupt):
    """The system asks the process to end; what Ctrl-C does is right then as well."""


def _terminate(number: int, frame: object) -> None:
    raise Terminated


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `napari-framewise`.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.

    Returns
    -------
    int
        0 where all went well, 1 where some of several inputs failed, 2 where the call or its
        input is wrong, 130 where it was cancelled, 143 where the system ended it.
    """
    if arguments is not None:
        return _done(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    code = _done(sys.argv[1:])
    # All is on the disk by now; taking the libraries down would take half a second more.
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _done(arguments: Sequence[str]) -> int:
    # Everything is imported in here, so that Ctrl-C is answered while libraries load, too.
    try:
        from napari_framewise.cli.arguments import parsed

        given = parsed(list(arguments))
        if given.command == "list":
            from napari_framewise.cli.listing import print_list

            return print_list(given)
        if given.command == "compile":
            from napari_framewise.cli.compiling import compile_tools

            return compile_tools(given)
        from napari_framewise.cli.commands import reproduce_recipe, run_recipe, run_tool

        if given.command == "reproduce":
            return reproduce_recipe(given)

        return run_recipe(given) if given.command == "run" else run_tool(given)
    except KeyboardInterrupt as end:
        kept = getattr(end, "__notes__", None) or ["what was not finished was not kept"]
        sys.stderr.write(f"napari-framewise: cancelled; {kept[0]}\n")
        return TERMINATED if isinstance(end, Terminated) else CANCELLED
    except BrokenPipeError:
        # Whoever read our output has enough; Python would complain when it closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        sys.stderr.write(f"napari-framewise: {_told(error)}\n")
        return 2


def _told(error: ValueError | OSError) -> str:
    """What is wrong; of what nobody caught, a sentence in place of the system's numbers."""
    from napari_framewise.stacks.faults import os_fault

    if isinstance(error, OSError) and error.errno is not None and error.filename is not None:
        return os_fault(error.filename, error)
    return str(error)
