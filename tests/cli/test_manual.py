from __future__ import annotations

import pytest
from tests.cli.calling import CallCli

import napari_framewise as fw
from napari_framewise.cli.arguments import parsed
from napari_framewise.tools import registry


def test_the_list_names_every_tool_with_its_sentence(call: CallCli) -> None:
    code, out, err = call("list")
    assert (code, err) == (0, "")
    for name, entry in registry.TOOLS.items():
        assert f"{name}\n    {entry.sentence[:30]}" in out


def test_samples_and_formats_are_listed(call: CallCli) -> None:
    assert "sample:two_references\n" in call("list", "--samples")[1]
    assert ".tif" in call("list", "--formats")[1]


@pytest.mark.parametrize(
    "command", [(), ("list",), ("run",), *((name,) for name in registry.TOOLS)]
)
def test_every_command_has_a_manual(call: CallCli, command: tuple[str, ...]) -> None:
    code, out, err = call(*command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith("usage: napari-framewise")
    assert max(map(len, out.splitlines())) <= 100


def test_the_manual_of_a_tool_says_all_there_is_to_know(call: CallCli) -> None:
    _, out, _ = call("shifts", "--help")
    words = " ".join(out.split())
    for part in (
        "usage: napari-framewise shifts STACK [...] --reference FILE [options] [-o OUT]",
        "How far every frame is shifted against its reference frame.",
        "--reference FILE What each frame is compared with. [one stack]",
        "--upsampling INTEGER Shifts are found to one part in this many of a pixel. [1 to 100; def",
        "--normalization {phase,none}",
        "--largest NUMBER Longer ones are taken as failed. [in pixels; more than 0; default: none]",
        "parameters, edges",
        "[0 or more, less than 0.5; default: 0]",
        "--frames START:STOP:STEP",
        "sample:NAME",
        "napari-framewise shifts stack.tif --reference reference.tif -o results",
        "Guizar-Sicairos, M. et al. (2008), Optics Letters 33, 156-158",
    ):
        assert part in words
    assert "100 % frames" in " ".join(call("everything", "--help")[1].split())


def test_the_version_is_told(call: CallCli) -> None:
    assert call("--version") == (0, f"napari-framewise {fw.__version__}\n", "")


def test_every_parameter_of_every_tool_is_an_option() -> None:
    for name in registry.TOOLS:
        tool = registry.get_tool(name)
        needed = [
            word
            for role in tool.inputs[1:]
            if role.least
            for word in (f"--{role.name.replace('_', '-')}", "x")
        ]
        stack = ["x"] if tool.inputs else []
        given = vars(parsed([name, *stack, *needed]))
        assert not [key for key in given if key.startswith("parameter.")]
        for field, info in tool.parameters.model_fields.items():
            if isinstance(info.default, bool):
                options = [f"--{field.replace('_', '-')}", f"--no-{field.replace('_', '-')}"]
                values = [vars(parsed([name, "x", *needed, each])) for each in options]
                assert [value[f"parameter.{field}"] for value in values] == [True, False]
