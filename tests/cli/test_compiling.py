"""`napari-framewise compile`, here and in every worker of a cluster."""

from __future__ import annotations

import pytest
from tests.cli.calling import CallCli

from napari_framewise.tools.registry import TOOLS


def test_one_tool_is_made_ready(call: CallCli) -> None:
    code, out, err = call("compile", "statistics")
    assert (code, err) == (0, "")
    assert out.startswith("statistics: ")
    assert call("compile", "statistics")[1] == "statistics: ready already\n"


@pytest.mark.timeout(900)  # Compiles every kernel there is where none is kept.
def test_all_tools_are_meant_by_default(call: CallCli) -> None:
    code, out, _ = call("compile")
    assert code == 0
    assert [line.partition(":")[0] for line in out.splitlines()] == list(TOOLS)


def test_quietly(call: CallCli) -> None:
    assert call("compile", "statistics", "--quiet") == (0, "", "")


def test_an_unknown_tool_is_one_sentence(call: CallCli) -> None:
    code, _, err = call("compile", "mixingg")
    assert code == 2
    assert "There is no tool 'mixingg'" in err


def test_a_cluster_that_is_not_there_is_one_sentence(call: CallCli) -> None:
    code, _, err = call("compile", "statistics", "--cluster", "tcp://127.0.0.1:1")
    assert code == 2
    assert "No dask scheduler answers" in err
