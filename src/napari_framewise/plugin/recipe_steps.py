"""The steps of a recipe: their inputs in words, their parameters to be edited."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from napari_framewise.framework.recipe import InputRef, Recipe, Step
from napari_framewise.io.recipes.naming import text_of
from napari_framewise.plugin.forms.parameters_form import ParametersForm
from napari_framewise.tools.registry import get_tool


class RecipeSteps(QScrollArea):
    """A form for each step, with a button that runs it alone."""

    run_alone = Signal(int)
    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.forms: list[ParametersForm] = []
        self.buttons: list[QPushButton] = []
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)

    def show_recipe(self, recipe: Recipe) -> None:
        """Show the steps of another recipe."""
        self.forms, self.buttons = [], []
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(0, 4, 6, 0)
        for number, step in enumerate(recipe.steps):
            tool = get_tool(step.tool)
            layout.addWidget(QLabel(f"<b>{number + 1}. {tool.title}</b>"))
            words = QLabel("\n".join(_inputs_in_words(step, recipe)))
            words.setWordWrap(True)
            layout.addWidget(words)
            form = ParametersForm(tool.parameters)
            form.set_values(step.parameters)
            form.changed.connect(self.changed)
            layout.addWidget(form)
            button = QPushButton("Run this step alone")
            button.setToolTip("On the recipe's own inputs; steps that it needs are run before it.")
            button.clicked.connect(partial(self._pressed, number))
            layout.addWidget(button)
            self.forms.append(form)
            self.buttons.append(button)
        layout.addStretch()
        self.setWidget(inside)

    def edited(self, recipe: Recipe) -> Recipe:
        """The recipe with the parameters in the forms.

        Raises
        ------
        ValueError
            Where those of a step make no sense; it is named.
        """
        steps = []
        for number, (step, form) in enumerate(zip(recipe.steps, self.forms, strict=True), 1):
            tool = get_tool(step.tool)
            try:
                parameters = tool.check_parameters(form.values())
            except ValueError as error:
                raise ValueError(f"Step {number}, {tool.title}: {error}") from None
            plain = parameters.model_dump(mode="json")
            steps.append(step.model_copy(update={"parameters": plain}))
        return recipe.model_copy(update={"steps": tuple(steps)})

    def _pressed(self, number: int, *_: object) -> None:
        self.run_alone.emit(number)


def _inputs_in_words(step: Step, recipe: Recipe) -> list[str]:
    """What stands in each role: "Stack: film.tif", "References: result of step 1"."""
    tool = get_tool(step.tool)
    return [
        f"{tool.input(role).title}: {', '.join(_in_words(ref, recipe) for ref in refs)}"
        for role, refs in step.inputs.items()
    ]


def _in_words(ref: InputRef, recipe: Recipe) -> str:
    if ref.step is not None:
        title = get_tool(recipe.steps[ref.step].tool).title
        item = f"{ref.item} of " if ref.item else ""
        return f"{item}step {ref.step + 1} ({title})"
    text = text_of(ref)
    return text.rpartition("/")[2] if ref.path is not None else text
