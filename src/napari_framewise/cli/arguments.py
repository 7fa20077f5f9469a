"""What the command line understands: made from what each tool declares."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from napari_framewise.cli.manual import (
    REPRODUCE_EPILOG,
    RUN_EPILOG,
    TOP_DESCRIPTION,
    TOP_EPILOG,
    many_choices,
    option_help,
    tool_description,
    tool_epilog,
    tool_usage,
    wrapped,
)
from napari_framewise.tools.registry import TOOLS, get_tool

if TYPE_CHECKING:
    from napari_framewise.framework.fields import FieldSpec
    from napari_framewise.framework.inputs import Input
    from napari_framewise.framework.tool import Tool

PROGRAM = "napari-framewise"

SELECTION: tuple[tuple[str, str, type, str], ...] = (
    (
        "frames",
        "START:STOP:STEP",
        str,
        "frames counted from 0, the end excluded: 0:1000, 100:, ::2",
    ),
    (
        "frames_along",
        "AXES",
        str,
        "axes that the frames run along, by name or number, such as t or 0 or t,z; by default time",
    ),
    ("channel", "NUMBER", int, "one channel, counted from 0"),
    (
        "region",
        "Y0:Y1,X0:X1",
        str,
        "rows and columns in pixels, the ends excluded: 0:64,32:96",
    ),
    (
        "no_data",
        "VALUE",
        float,
        "value that stands for missing pixels, such as -9999; by default what the file says",
    ),
    ("key", "KEY", str, "array inside an HDF5, zarr, npz or mat file"),
    ("pattern", "GLOB", str, "which files of a folder, such as '*.tif'"),
)
"""What a call can choose of its inputs: name, form, type and help."""
# --region is the part of the frames that is used, in every tool.
_OWN = {"region": "--measured-region"}


def option_of(parameter: str) -> str:
    """The option of a tool's parameter."""
    return _OWN.get(parameter) or _option(parameter)


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        asked = re.match(r"argument COMMAND: invalid choice: '(.*?)'", message)
        if asked:
            message = f"there is no command {asked[1]!r}{_nearest(asked[1], ['list', *TOOLS])}"
        self.exit(2, f"{PROGRAM}: {message}; see {self.prog} --help\n")

    def check_options(self, arguments: Sequence[str]) -> None:
        """Refuse a long option that there is not."""
        known = {option for action in self._actions for option in action.option_strings}
        for each in arguments:
            if each == "--":
                return
            if each.startswith("--") and each.partition("=")[0] not in known:
                self.refuse([each])

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """Say which option there is not, and which one is like it."""
        options = [option for action in self._actions for option in action.option_strings]
        first = next((each for each in unknown if each.startswith("-")), unknown[0])
        name = first.partition("=")[0]
        kind = "option" if name.startswith("-") else "argument"
        near = _nearest(name, [each for each in options if each.startswith("--")])
        self.error(f"there is no {kind} {name}{near}")


def _nearest(word: str, words: Sequence[str]) -> str:
    """A question after the word that is most like one that is not known; empty without any."""
    found = difflib.get_close_matches(word, words, 1, 0.6)
    return f" (did you mean {found[0]}?)" if found else ""


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments as a namespace; `command` is list, run or the name of a tool.

    Only the tool that is asked for is imported.
    """
    arguments = _with_negative_values(arguments)
    parser = _Parser(
        prog=PROGRAM,
        description=TOP_DESCRIPTION,
        epilog=TOP_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, help="show the version and exit")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", required=True
    )
    _add_list(commands)
    _add_run(commands)
    _add_reproduce(commands)
    _add_compile(commands)
    asked = next((each for each in arguments if not each.startswith("-")), None)
    for name, entry in TOOLS.items():
        if name == asked:
            _add_tool(commands, name, entry.sentence)
        else:
            commands.add_parser(name, help=entry.sentence)
    if asked in commands.choices:
        # before what is missing is said: a mistyped option is not the one that is required
        commands.choices[asked].check_options(arguments)
    given, unknown = parser.parse_known_args(arguments)
    if unknown:
        own: _Parser = commands.choices[given.command]
        own.refuse(unknown)
    return given


class _Version(argparse.Action):
    """`--version`; asks for the version only when it is wanted."""

    def __init__(self, option_strings: Sequence[str], dest: str, **kwargs: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **kwargs)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from napari_framewise import __version__

        sys.stdout.write(f"{PROGRAM} {__version__}\n")
        parser.exit()


def _add_list(commands: Any) -> None:
    parser = commands.add_parser(
        "list",
        help="Which tools there are; also samples and file formats.",
        description="Print the tools, each with a sentence.",
        allow_abbrev=False,
    )
    parser.add_argument("--samples", action="store_true", help="print the samples instead")
    parser.add_argument("--formats", action="store_true", help="print the file formats instead")


def _add_run(commands: Any) -> None:
    parser = commands.add_parser(
        "run",
        help="Run a recipe again, on its own input or on any number of others.",
        description="Run a recipe again, on its own input or on any number of others.",
        epilog=RUN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("recipe", metavar="RECIPE", help="JSON file that a run or the panel wrote")
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="*",
        help="takes the place of the recipe's first input; none: the recipe's own",
    )
    _add_output(parser)
    _add_running(parser)


def _add_compile(commands: Any) -> None:
    text = "Compile what tools need before their first use, as in a container image or a cluster."
    parser = commands.add_parser("compile", help=text, description=text, allow_abbrev=False)
    parser.add_argument("tools", metavar="TOOL", nargs="*", help="which tools; by default all")
    parser.add_argument(
        "--cluster", metavar="ADDRESS", help="compile in every worker of this dask scheduler"
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")


def _add_reproduce(commands: Any) -> None:
    sentence = "Run a recipe that holds its results again, and compare with them item by item."
    parser = commands.add_parser(
        "reproduce",
        help=sentence,
        description=sentence,
        epilog=REPRODUCE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("recipe", metavar="RECIPE", help="written with --with-results")
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT.csv",
        default=None,
        help="write the comparison as a table",
    )
    _add_running(parser)


def _add_tool(commands: Any, name: str, sentence: str) -> None:
    tool = get_tool(name)
    parser = commands.add_parser(
        name,
        help=sentence,
        usage=tool_usage(tool),
        description=tool_description(tool),
        epilog=tool_epilog(tool),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    others = tool.inputs[1:]
    roles = [role.name for role in others]
    inputs = parser.add_argument_group("inputs")
    for first in tool.inputs[:1]:
        inputs.add_argument(
            "inputs",
            metavar=first.name.upper(),
            nargs="+" if first.least else "*",
            help=_percent(f"{first.description} {_how_many_first(first)}"),
        )
    for role in others:
        inputs.add_argument(
            _option(role.name),
            dest=f"role.{role.name}",
            metavar="FILE",
            nargs=1 if role.most == 1 else "+",
            action="extend",
            required=role.least > 0,
            help=_percent(f"{role.description} [{role.wanted}]"),
        )
    for role in tool.inputs:
        if role.value is not None:
            from napari_framewise.io.recipes.numbers import SYNTAX

            inputs.add_argument(
                f"{_option(role.name)}-{_word(role.value.title)}",
                dest=f"value.{role.name}",
                metavar="NUMBERS",
                action="append",
                help=_percent(f"{role.value.label} of each {role.value.per}: {SYNTAX}"),
            )
    if tool.inputs:
        taken = [*roles, *(each for each in tool.parameters.model_fields if each not in _OWN)]
        _add_selection(parser, [_option(each) for each in taken])
    _add_parameters(parser, tool)
    _add_output(parser)
    _add_running(parser)


def _how_many_first(role: Input) -> str:
    if role.most == 1:
        return "Several are run one after the other."
    return f"[{role.wanted}]"


def _add_selection(parser: argparse.ArgumentParser, taken: Collection[str]) -> None:
    group = parser.add_argument_group(
        "what of the inputs is used",
        wrapped(
            "These hold for the inputs that stand without an option. Further images whose frames "
            "are as large as the whole frames of those take the same channel and region."
        ),
    )
    for name, metavar, kind, text in SELECTION:
        # A tool's own option of that name goes before.
        option = _option(name) if _option(name) not in taken else f"--input-{name}"
        group.add_argument(option, dest=name, metavar=metavar, type=kind, default=None, help=text)


def _add_parameters(parser: argparse.ArgumentParser, tool: Tool[Any]) -> None:
    from napari_framewise.framework.fields import fields_of

    groups: dict[str, Any] = {}
    for spec in fields_of(tool.parameters):
        title = f"parameters, {spec.group.lower()}" if spec.group else "parameters"
        if title not in groups:
            groups[title] = parser.add_argument_group(title)
        options: dict[str, Any] = {"dest": f"parameter.{spec.name}", "help": option_help(spec)}
        if spec.type is bool and not spec.optional and not spec.many:
            options["action"] = argparse.BooleanOptionalAction
        else:
            options["type"] = spec.parse
            options["metavar"] = _metavar(spec)
            if spec.choices and not spec.many and not spec.optional:
                options["choices"] = spec.choices
        groups[title].add_argument(option_of(spec.name), **options)


def _metavar(spec: FieldSpec) -> str:
    if spec.choices:
        return "NAME" if many_choices(spec) else "{" + ",".join(spec.choices) + "}"
    if spec.shapes is not None or spec.is_length:
        return "MATRIX" if spec.shapes is not None else "LENGTH"
    kind = {int: "INTEGER", float: "NUMBER", bool: "BOOL"}.get(spec.type, "TEXT")
    return f"{kind},..." if spec.many else kind


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        default=None,
        help="folder for the results and the recipe that made them; or one file ending in .csv, "
        ".json, .zarr, .tif or .npz for the first table, image or model alone (transforms also as "
        ".npy or .txt); without it only the summary is printed",
    )
    group.add_argument(
        "--layers",
        choices=("shown", "all", "none"),
        default="shown",
        help="images, points and vectors to write: those that napari would show at once, also the "
        "hidden ones such as residuals, or none (default: shown)",
    )
    group.add_argument(
        "--image-format",
        choices=("zarr", "tif"),
        default="zarr",
        help="of the images in the folder (default: zarr)",
    )
    group.add_argument(
        "--overwrite", action="store_true", default=False, help="replace results that are there"
    )
    group.add_argument(
        "--with-results",
        action="store_true",
        default=False,
        help="record hashes of inputs and results in the recipe, for 'napari-framewise reproduce'",
    )
    group.add_argument(
        "--save-recipe",
        metavar="FILE",
        default=None,
        help="write the recipe of this run to a file of its own as well",
    )


def _add_running(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where and how it runs")
    group.add_argument(
        "--cluster",
        metavar="ADDRESS",
        default=None,
        help="dask scheduler to run on, such as tcp://host:8786; its workers must see the files",
    )
    group.add_argument(
        "--workers",
        metavar="N",
        type=int,
        default=None,
        help="threads on this machine; by default one per processor",
    )
    group.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        default=False,
        help="print nothing but errors",
    )
    group.add_argument(
        "--traceback",
        action="store_true",
        default=False,
        help="show where in the program an input failed, for a report",
    )


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _word(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower()).strip("-")


def _percent(text: str) -> str:
    return text.replace("%", "%%")


def _with_negative_values(arguments: Sequence[str]) -> list[str]:
    """Join an option with the negative number behind it, which argparse takes for an option."""
    joined: list[str] = []
    for each in arguments:
        before = joined[-1] if joined else ""
        if re.match(r"-\.?\d", each) and before.startswith("--") and "=" not in before:
            joined[-1] = f"{before}={each}"
        else:
            joined.append(each)
    return joined
