"""A recipe into the form: its inputs as layers, its parameters as values."""

from __future__ import annotations

from typing import Any

from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_framewise.framework.inputs import Input, Kind
from napari_framewise.framework.outcome import PointsResult, ShapesResult
from napari_framewise.framework.recipe import InputRef, Step
from napari_framewise.framework.tool import Tool
from napari_framewise.io.recipes.files import load_recipe
from napari_framewise.io.recipes.references import resolve
from napari_framewise.plugin.forms.inputs_form import DRAWN, InputsForm
from napari_framewise.plugin.forms.parameters_form import ParametersForm
from napari_framewise.plugin.layers.layers_in import stack_of_layer, with_origin
from napari_framewise.plugin.layers.new_layers import drawn_layer
from napari_framewise.plugin.readers import image_tuple
from napari_framewise.stacks.stack import Stack


def ask_and_load(
    parent: QWidget,
    viewer: ViewerModel,
    tool: Tool[Any],
    inputs: InputsForm,
    parameters: ParametersForm,
) -> str:
    """Ask for a recipe and fill the form from its step for this tool; what to say of it.

    Raises
    ------
    ValueError
        Where the recipe has no such step, or names what is not there.
    """
    path, _ = QFileDialog.getOpenFileName(parent, "Load recipe", "", "Recipes (*.json)")
    return load(path, viewer, tool, inputs, parameters) if path else ""


def load(
    path: str,
    viewer: ViewerModel,
    tool: Tool[Any],
    inputs: InputsForm,
    parameters: ParametersForm,
) -> str:
    """Fill the form from a recipe file's last step for this tool; what to say of it."""
    recipe = load_recipe(path)
    steps = [step for step in recipe.steps if step.tool == tool.name]
    if not steps:
        tools = ", ".join(sorted({step.tool for step in recipe.steps}))
        raise ValueError(f"{path} holds no step of {tool.name}; it is a recipe for {tools}.")
    tool.check_parameters(steps[-1].parameters)
    fill(steps[-1], viewer, tool, inputs)
    parameters.set_values(steps[-1].parameters)
    return f"Inputs and parameters were filled from {path}."


def fill(step: Step, viewer: ViewerModel, tool: Tool[Any], inputs: InputsForm) -> None:
    """Choose the step's image inputs, opening what is not open yet."""
    for name, refs in step.inputs.items():
        role = tool.input(name)
        if role.images or DRAWN & set(role.kinds):
            under = inputs.layer_under(name)
            layers = [(_layer_for(ref, role, viewer, under), ref.selection) for ref in refs]
            inputs.choose(name, layers)
            inputs.write_numbers(name, refs)


def _layer_for(ref: InputRef, role: Input, viewer: ViewerModel, under: Layer | None) -> Layer:
    """The open layer that a reference names, or a new one."""
    if ref.step is not None:
        raise ValueError(
            f"{role.title} is a result of an earlier step; open the recipe with Run a recipe "
            "(File > IO Utilities), or choose that result's layer."
        )
    value = resolve(ref, role.kinds)
    if isinstance(value, PointsResult | ShapesResult):
        return viewer.add_layer(drawn_layer(value, under))
    assert isinstance(value, Stack)
    for layer in viewer.layers:
        if isinstance(layer, Image | Labels):
            open_one = with_origin(stack_of_layer(layer), layer)
            if value.origin is not None and open_one.origin == value.origin:
                return layer
    data, options, kind = image_tuple(value)
    if kind == "labels":
        return viewer.add_labels(data, **options)
    if Kind.LABELS in role.kinds and value.dtype.kind in "biu":
        for name in ("contrast_limits", "rgb", "colormap", "multiscale"):
            options.pop(name, None)
        return viewer.add_labels(data, **options)
    return viewer.add_image(data, **options)
