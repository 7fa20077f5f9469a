"""The manifest: everything that it names is there, and everything that there is is named."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import Any, get_args

import npe2
import pytest
from magicgui.widgets import Widget
from npe2.cli import app
from qtpy.QtWidgets import QWidget
from typer.testing import CliRunner

import napari_framewise
from napari_framewise.framework.tool import Menu
from napari_framewise.io import readable_formats
from napari_framewise.plugin import panels, samples
from napari_framewise.samples import SAMPLES
from napari_framewise.tools import registry
from napari_framewise.tools.registry import get_tool

MANIFEST = npe2.PluginManifest.from_file(
    str(Path(napari_framewise.__file__).with_name("napari.yaml"))
)
CONTRIBUTED = MANIFEST.contributions
ROOT = Path(__file__).parents[2]
LAYERS = ("measure", "filter", "register", "transform", "data")
MENUS = {
    "new_layer": "napari/file/new_layer",
    **{
        menu: f"napari/layers/{menu}"
        for menu in ("measure", "filter", "register", "transform", "data")
    },
}
# As they are before a fixture adds the tests' own.
TOOLS = tuple(registry.TOOLS)


def test_npe2_finds_nothing_wrong() -> None:
    result = CliRunner().invoke(app, ["validate", "napari-framewise"])
    assert result.exit_code == 0, result.output


def test_every_command_is_there() -> None:
    MANIFEST.validate_imports()


@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_has_its_command_widget_and_menu_line(name: str) -> None:
    tool = get_tool(name)
    (command,) = [c for c in CONTRIBUTED.commands if c.id == f"napari-framewise.{name}"]
    assert command.python_name == f"napari_framewise.plugin.panels:{name}"
    assert command.title == tool.title
    (widget,) = [w for w in CONTRIBUTED.widgets if w.command == command.id]
    assert widget.display_name == tool.title
    submenu = f"framewise/{tool.menu}"
    assert command.id in [item.command for item in CONTRIBUTED.menus[submenu]]
    assert submenu in [item.submenu for item in CONTRIBUTED.menus[MENUS[tool.menu]]]


@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_stands_in_its_own_menu_alone(name: str) -> None:
    standing = [
        menu
        for menu, items in CONTRIBUTED.menus.items()
        if f"napari-framewise.{name}" in [getattr(item, "command", None) for item in items]
    ]
    assert standing == [f"framewise/{get_tool(name).menu}"]


def test_napari_has_every_menu_that_a_tool_may_stand_in() -> None:
    from napari._app_model.constants import MenuId

    assert set(MENUS) == set(get_args(Menu))
    assert set(MENUS.values()) <= MenuId.contributables()
    ours = {f"framewise/{menu}" for menu in MENUS}
    assert set(CONTRIBUTED.menus) <= {*MENUS.values(), *ours, "napari/file/io_utilities"}


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_is_found_by_the_words_of_other_programs(name: str) -> None:
    tool = get_tool(name)
    (command,) = [c for c in CONTRIBUTED.commands if c.id == f"napari-framewise.search.{name}"]
    title, words = command.title.split(": ")
    assert title == tool.title
    assert words
    assert command.python_name == f"napari_framewise.plugin.search:{name}"


def test_the_palette_finds_what_fiji_calls_them() -> None:
    titles = " ".join(command.title for command in CONTRIBUTED.commands)
    for word in ("StackReg", "Bleach Correction", "Image Stabilizer"):
        assert word in titles


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_has_one_name_in_menus_docs_and_readme(name: str) -> None:
    tool = get_tool(name)
    page = (ROOT / "docs" / "tools" / f"{name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {tool.title}\n")
    top = {"new_layer": "File > New Layer"}.get(tool.menu, f"Layers > {tool.menu.title()}")
    assert f"*{top} > Framewise > {tool.title}*" in page
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"| [{tool.title}](docs/tools/{name}.md) |" in readme


def test_the_manifest_shows_no_tool_that_there_is_not() -> None:
    shown = {widget.command.rpartition(".")[2] for widget in CONTRIBUTED.widgets}
    assert shown <= {*TOOLS, "run_recipe"}


def test_panels_are_classes_that_take_the_viewer_by_name() -> None:
    import inspect

    for name in TOOLS:
        panel = getattr(panels, name)
        assert panel is getattr(panels, name)
        assert issubclass(panel, QWidget | Widget)
        assert list(inspect.signature(panel.__init__).parameters) == ["self", "napari_viewer"]
    with pytest.raises(AttributeError):
        _ = panels.nothing


def test_the_reader_is_asked_for_every_format() -> None:
    (reader,) = CONTRIBUTED.readers
    assert reader.accepts_directories
    for each in readable_formats():
        for ending in each.extensions:
            assert any(fnmatch(f"a{ending}", pattern) for pattern in reader.filename_patterns)


def test_every_sample_is_in_the_menu() -> None:
    listed = {each.key: each.display_name for each in CONTRIBUTED.sample_data}
    assert listed == {name: sample.title for name, sample in SAMPLES.items()}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_gives_layers_with_their_parts_and_truth(name: str, viewer: Any) -> None:
    layers = getattr(samples, name)()
    for data, options, kind in layers:
        layer = viewer._add_layer_from_data(data, options, kind)[0]
        noted = layer.metadata["framewise"]
        assert noted["origin"]["sample"] == name
        assert "truth" in noted
    # Labels lie above the stack, which would hide them, and the stack above the other images.
    kinds = [kind for _, _, kind in layers]
    images = kinds.count("image")
    assert kinds == ["image"] * images + ["labels"] * (len(kinds) - images)
    assert viewer.layers[images - 1].metadata["framewise"]["part"] == "stack"


def test_the_preferences_are_those_that_the_engine_reads() -> None:
    (configuration,) = CONTRIBUTED.configurations.items()
    assert configuration[0] == "engine"
    assert set(configuration[1].properties) == {"scheduler", "threads", "memory"}
