"""What `--help` says: the texts, and how a tool's declaration reads as a manual."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_framewise.framework.fields import FieldSpec
    from napari_framewise.framework.tool import Tool

TOP_DESCRIPTION = """\
Measured answers from stacks of frames: the tools of napari-framewise on files. A tool gives the
same numbers here as in napari and in Python; so does a recipe, whoever wrote it."""

TOP_EPILOG = """\
examples:
  napari-framewise list
  napari-framewise compile
  napari-framewise mixing --help
  napari-framewise mixing sample:two_references --references \\
      sample:two_references/reference-1 sample:two_references/reference-2
  napari-framewise mixing stack.tif --references first.tif second.tif -o results
  napari-framewise run results/stack.recipe.json monday.tif tuesday.tif -o week

exit codes: 0 all went well; 1 some of several inputs failed; 2 the call or its input is wrong;
130 cancelled with Ctrl-C. What is wrong is said in one line on the standard error."""

INPUT_SYNTAX = """\
how inputs are written:
  stack.tif               a file or a folder
  stack.tif@7             its frame 7, counted from 0
  stack.tif@0:100         frames 0 to 99; also @100: and @0:100:2
  data.h5::/entry/frames  an array inside a file; frames may follow: data.h5::/entry/frames@0:100
  sample:NAME             a sample of 'list --samples'; sample:NAME/reference-1 is a part of it
A file whose name really contains @ or :: is taken as it stands."""

WRITTEN = """\
what is written:
  OUT/INPUT-TABLE.csv     a table, named after the input
  OUT/INPUT-LAYER.zarr    an image (or .tif); also .points.csv, .vectors.csv and .shapes.csv
  OUT/INPUT-MODEL.npz     what was fitted and can be applied to other data
  OUT/INPUT.recipe.json   how it was made: for 'napari-framewise run', and for the panel in napari
  OUT/TABLE.csv           with several inputs: all of them, with a column for the file"""

RUN_EPILOG = f"""\
Each INPUT takes the place of the first input of the recipe's first step, with the frame axes,
frames, channel and region that the recipe has for it; a range of frames ends with a shorter file.
All other inputs stay. With several inputs the tables come as one as well, with a column for the
file; an input that fails is reported and the rest goes on.

{WRITTEN}

{INPUT_SYNTAX}

examples:
  napari-framewise run stack.recipe.json -o again
  napari-framewise run stack.recipe.json day*.tif -o week
  napari-framewise run stack.recipe.json day*.tif -o week.csv --cluster tcp://host:8786"""


REPRODUCE_EPILOG = """\
A result is "identical" to the bit, "equal to rounding" (every value is within 1e-9 of the largest
one's size), or it "differs"; "figures agree" where only extremes, mean and deviation were kept to
compare with. Inputs whose files have changed and packages of another version are named.

examples:
  napari-framewise mixing stack.tif --references a.tif b.tif -o results --with-results
  napari-framewise reproduce results/stack.recipe.json

exit codes: 0 every result came out again; 1 at least one did not; 2 the call is wrong."""


_MOST_CHOICES = 72


def option_help(spec: FieldSpec) -> str:
    """Description, unit, bounds and default of a parameter."""
    unit = f"in {spec.unit}" if spec.unit else ""
    texts = (_form_text(spec), bounds_text(spec), _condition_text(spec), _default_text(spec))
    facts = "; ".join(filter(None, (unit, *texts)))
    return f"{spec.description} [{facts}]".replace("%", "%%")


def many_choices(spec: FieldSpec) -> bool:
    """Whether there are more choices than fit behind an option: they go into its description."""
    return sum(len(each) + 1 for each in spec.choices or ()) > _MOST_CHOICES


def bounds_text(spec: FieldSpec) -> str:
    """Bounds in words: "0 or more", "more than 0", "0 to 1"."""
    low = None if spec.low is None else f"{spec.low:g}"
    high = None if spec.high is None else f"{spec.high:g}"
    if low is not None and high is not None and not (spec.open_low or spec.open_high):
        return f"{low} to {high}"
    words = []
    if low is not None:
        words.append(f"more than {low}" if spec.open_low else f"{low} or more")
    if high is not None:
        words.append(f"less than {high}" if spec.open_high else f"{high} or less")
    return ", ".join(words)


def _form_text(spec: FieldSpec) -> str:
    """How a value of several numbers is written, and what many choices are."""
    if spec.choices and many_choices(spec):
        return f"one of {', '.join(spec.choices)}"
    if spec.shapes is not None:
        return f"{spec.shapes.words} numbers, a semicolon behind each row: '1 0 2; 0 1 3'"
    if spec.is_length:
        return "such as 2px or 0.5um; or one number per axis: 2,1,1px"
    return ""


def _condition_text(spec: FieldSpec) -> str:
    """With which other options it has an effect: "only with --to running_mean"."""
    from napari_framewise.framework.parameters import GIVEN

    words = []
    for name, wanted in spec.shown_when:
        option = f"--{name.replace('_', '-')}"
        if wanted is GIVEN or wanted is True:
            words.append(option)
        elif wanted is False:
            words.append(f"--no-{name.replace('_', '-')}")
        else:
            several = wanted if isinstance(wanted, (tuple, list)) else (wanted,)
            words.append(f"{option} {' or '.join(map(str, several))}")
    return f"only with {' and '.join(words)}" if words else ""


def _default_text(spec: FieldSpec) -> str:
    if spec.type is bool and not spec.many and spec.default is not None:
        return f"default: {'yes' if spec.default else 'no'}"
    text = (
        f"{spec.default:g}"
        if spec.type is float and isinstance(spec.default, float)
        else spec.format(spec.default)
    )
    return f"default: {text}" if text else "default: none"


def tool_usage(tool: Tool[Any]) -> str:
    """How a call is made, without its forty options."""
    first = [f"{role.name.upper()} [...]" for role in tool.inputs[:1]]
    needed = [f"--{role.name.replace('_', '-')} FILE" for role in tool.inputs[1:] if role.least]
    return " ".join(["%(prog)s", *first, *needed, "[options] [-o OUT]"])


def tool_description(tool: Tool[Any]) -> str:
    """What a tool does."""
    return f"{tool.title}\n\n{wrapped(tool.sentence)}"


def tool_epilog(tool: Tool[Any]) -> str:
    """What comes out, how inputs are written, examples and sources."""
    if not tool.inputs:
        parts = [WRITTEN, f"examples:\n  napari-framewise {tool.name} -o results"]
        return "\n\n".join([*parts, *_sources(tool)])
    first, *others = tool.inputs
    needed = "".join(
        f" --{role.name.replace('_', '-')} {' '.join(_example_files(role))}"
        for role in others
        if role.least or role is next(iter(others))
    )
    call = f"napari-framewise {tool.name} {' '.join(_example_files(first))}"
    many = "" if first.most > 1 else f"\n  {call.replace('.', '*.')}{needed} -o results"
    examples = f"""\
examples:
  {call}{needed} -o results
  {call}{needed} -o results.csv --frames 0:1000{many}"""
    return "\n\n".join([WRITTEN, INPUT_SYNTAX, examples, *_sources(tool)])


def _sources(tool: Tool[Any]) -> list[str]:
    if not tool.citations:
        return []
    cited = "\n".join(wrapped(each, "  ", "  ") for each in tool.citations)
    return [f"sources:\n{cited}"]


def _example_files(role: Any) -> list[str]:
    ending = {"model": ".npz", "table": ".csv", "points": ".csv", "shapes": ".csv"}
    suffix = ending.get(role.kinds[0].value, ".tif")
    if role.most == 1:
        return [f"{role.name}{suffix}"]
    return [f"{letter}{suffix}" for letter in "abc"[: max(2, min(role.least, 3))]]


def wrapped(text: str, indent: str = "", hanging: str = "") -> str:
    """The text in lines that fit the terminal."""
    width = min(100, shutil.get_terminal_size().columns) - 2
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent + hanging)
