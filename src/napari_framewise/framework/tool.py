"""A tool: what it declares; form, options, recipe, progress and layers follow from that."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from pydantic import ValidationError

from napari_framewise.engine import Engine
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.framework.fields import fields_of
from napari_framewise.framework.inputs import Input, Inputs
from napari_framewise.framework.masks import check_selection
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.parameters import Parameters, sentence_of
from napari_framewise.framework.partial import Partial
from napari_framewise.framework.session import Course, Sessions, drive

P = TypeVar("P", bound=Parameters)
Run: TypeAlias = Generator[Progress | Partial, None, Outcome]
Menu: TypeAlias = Literal["measure", "filter", "register", "transform", "data", "new_layer"]


@dataclass(frozen=True)
class Tool(Generic[P]):
    """One tool, reached the same way from a panel, Python, the command line and a cluster.

    Attributes
    ----------
    name : str
        Its name on every floor: module, command, recipe, docs page.
    title : str
        Its name in menus.
    menu : str
        The Layers menu that it stands in; new_layer is File > New Layer, for what makes data from
        nothing.
    sentence : str
        What it does, in one sentence.
    inputs : tuple of Input
        Roles of its inputs. The first is the one that a batch runs over.
    parameters : type of Parameters
        Its parameters.
    run : callable
        ``run(inputs, parameters, engine)``: a generator of `Progress`, and from time to time of a
        `Partial`, that returns an `Outcome`.
    preview : callable
        ``preview(inputs, parameters, index)``: the `Outcome` for one frame, quickly.
    plan : callable
        ``plan(inputs, parameters, engine)``: how the run will be cut, for the memory told before.
    settle : callable, optional
        ``settle(inputs, parameters)``: the parameters with what was left open worked out from whole
        inputs: lengths in pixels, a noise level, the method. Settled ones stay as they are.
    advise : callable, optional
        ``advise(inputs, parameters)``: what can be said before running, in a sentence.
    methods : callable
        ``methods(inputs, parameters)``: sentence for the methods part of a paper.
    citations : tuple of str
        Sources that go with it.
    session : type of Session, optional
        Of a tool whose run is steered step by step; its `run` is then `driven` by it.
    refine : callable, optional
        ``refine(inputs, parameters, index)``: the exact `Outcome` of a frame whose `preview` is a
        quick answer; it takes the place of that when it is there.
    halo : callable, optional
        ``halo(parameters)``, of settled parameters: how many pixels beyond its own place a pixel of
        the result depends on, None where it depends on the whole frame. A tool that says it can be
        previewed on a part.
    on_disk : callable, optional
        ``on_disk(inputs, parameters)``: bytes that the run writes into ``engine.folder`` because
        memory does not hold them; 0 where it does. A run that needs the folder is given one.
    instead : str
        What to choose where that is too much, the end of a sentence: "take every second frame".
    warm_up : callable, optional
        Compiles what a run needs, so that the first run does not wait.
    compile_seconds : float
        About how long that takes on one processor where nothing is compiled yet.
    """

    name: str
    title: str
    menu: Menu
    sentence: str
    inputs: tuple[Input, ...]
    parameters: type[P]
    run: Callable[[Inputs, P, Engine], Run]
    preview: Callable[[Inputs, P, int], Outcome]
    plan: Callable[[Inputs, P, Engine], Plan]
    methods: Callable[[Inputs, P], str]
    citations: tuple[str, ...] = ()
    settle: Callable[[Inputs, P], P] | None = None
    advise: Callable[[Inputs, P], str] | None = None
    refine: Callable[[Inputs, P, int], Outcome] | None = None
    halo: Callable[[P], int | None] | None = None
    on_disk: Callable[[Inputs, P], int] | None = None
    instead: str = "take fewer frames"
    warm_up: Callable[[], None] | None = None
    session: Sessions | None = None
    compile_seconds: float = 0.0

    def input(self, name: str) -> Input:
        """The role of that name."""
        return next(role for role in self.inputs if role.name == name)

    def start(
        self, inputs: Inputs, parameters: P, engine: Engine, course: Course | None = None
    ) -> Run:
        """Run the tool, of a steered one along a course that was recorded.

        Raises
        ------
        ValueError
            Where there is a course, but nothing to steer; as `check_selections`.
        """
        self.check_selections(inputs)
        if not course:
            return self.run(inputs, parameters, engine)
        if self.session is None:
            raise ValueError(
                f"{self.title} takes no steps, so there is no course to follow; leave it out."
            )
        return drive(self.session(inputs, parameters, engine), course)

    def settled(self, inputs: Inputs, parameters: P) -> P:
        """The parameters with what was left open worked out from the inputs."""
        return parameters if self.settle is None else self.settle(inputs, parameters)

    def warnings(self, inputs: Inputs, parameters: P, engine: Engine) -> tuple[str, ...]:
        """What should be known before a run: that it takes hours, or more memory than meant."""
        try:
            return self.plan(inputs, parameters, engine).warnings()
        except ValueError:
            # The run says it, in its own words.
            return ()

    def check_inputs(self, given: dict[str, Any]) -> Inputs:
        """Inputs by role.

        Raises
        ------
        ValueError
            In one sentence, where they are not what the roles ask for.
        """
        return Inputs(self.inputs, given)

    def check_selections(self, inputs: Inputs) -> None:
        """See that masks leave something: this reads them, so that it is asked before a run only.

        Raises
        ------
        ValueError
            In one sentence, where one leaves no pixel.
        """
        for role in self.inputs:
            for value in inputs[role.name]:
                check_selection(role, value)

    def check_parameters(
        self, given: dict[str, Any], called: Callable[[str], str] | None = None
    ) -> P:
        """Parameters from plain values; one value may stand for a tuple of one.

        `called` says what a parameter is called where it was given, by default its field's title.

        Raises
        ------
        ValueError
            In a sentence for each that is wrong.
        """
        many = {field.name for field in fields_of(self.parameters) if field.many}
        plain = {
            name: (value,) if name in many and isinstance(value, (str, int, float)) else value
            for name, value in given.items()
        }
        try:
            return self.parameters.model_validate(plain)
        except ValidationError as error:
            raise ValueError(sentence_of(error, self.parameters, called)) from None
