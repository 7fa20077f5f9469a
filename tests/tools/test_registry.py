from __future__ import annotations

import subprocess
import sys

import pytest

from napari_framewise.tools.registry import TOOLS, all_tools, get_tool


def test_every_tool_is_what_its_entry_says() -> None:
    for (name, entry), tool in zip(TOOLS.items(), all_tools(), strict=True):
        assert tool.name == name
        assert tool.sentence == entry.sentence
        assert entry.sentence.endswith(".")


def test_an_unknown_tool_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"There is no tool 'knitting'; the tools are: mixing, "):
        get_tool("knitting")


def test_the_list_of_tools_loads_none_of_them() -> None:
    script = (
        "import sys, napari_framewise.tools.registry as registry; print(len(registry.TOOLS));"
        "assert not {'numba', 'scipy', 'zarr', 'pydantic'} & set(sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(run.stdout) == len(TOOLS)
