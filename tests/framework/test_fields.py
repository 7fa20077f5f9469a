from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge
from hypothesis import given
from hypothesis import strategies as st

from napari_framewise.framework.fields import FieldSpec, fields_of
from napari_framewise.framework.parameters import GIVEN, Parameters, parameter
from napari_framewise.tools.registry import all_tools


class Many(Parameters):
    count: int = parameter(3, "Count", "How many.", unit="frames", ge=1, le=9)
    share: float = parameter(0.5, "Share", "Part.", gt=0, lt=1, rare=True, group="Edges")
    limit: float | None = parameter(None, "Limit", "Bound.")
    wanted: bool = parameter(False, "Wanted", "Whether.")
    note: str = parameter("none", "Note", "Text.")
    kind: Literal["a", "b"] = parameter("a", "Kind", "Which.")
    values: tuple[float, ...] = parameter((1.0, 2.0), "Values", "Several.")
    counts: tuple[Annotated[int, Ge(0)], ...] = parameter((), "Counts", "Several.")
    kinds: tuple[Literal["x", "y"], ...] | None = parameter(None, "Kinds", "Several or none.")


SPECS = {spec.name: spec for spec in fields_of(Many)}


def test_fields_keep_their_order() -> None:
    assert list(SPECS) == list(Many.model_fields)


def test_what_was_declared_is_read() -> None:
    count, share = SPECS["count"], SPECS["share"]
    assert (count.title, count.description, count.unit) == ("Count", "How many.", "frames")
    assert (count.type, count.default, count.low, count.high) == (int, 3, 1, 9)
    assert (count.open_low, count.open_high, count.rare, count.group) == (False, False, False, "")
    assert (share.low, share.high, share.open_low, share.open_high) == (0, 1, True, True)
    assert (share.rare, share.group) == (True, "Edges")


@pytest.mark.parametrize(
    ("name", "kind", "many", "optional", "choices"),
    [
        ("limit", float, False, True, ()),
        ("wanted", bool, False, False, ()),
        ("kind", str, False, False, ("a", "b")),
        ("values", float, True, False, ()),
        ("counts", int, True, False, ()),
        ("kinds", str, True, True, ("x", "y")),
    ],
)
def test_types_are_unwrapped(
    name: str, kind: type, many: bool, optional: bool, choices: tuple[str, ...]
) -> None:
    spec = SPECS[name]
    assert (spec.type, spec.many, spec.optional, spec.choices) == (kind, many, optional, choices)


def test_bounds_of_what_a_tuple_holds_are_found() -> None:
    assert SPECS["counts"].low == 0


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("count", " 7 ", 7),
        ("count", "seven", "seven"),
        ("share", "1e-3", 0.001),
        ("limit", "", None),
        ("limit", "None", None),
        ("note", "None", "None"),
        ("wanted", "yes", True),
        ("wanted", "OFF", False),
        ("wanted", "maybe", "maybe"),
        ("values", "1, 2.5,", (1.0, 2.5)),
        ("values", "1; 2", (1.0, 2.0)),
        ("values", "", ()),
        ("values", "1, x", (1.0, "x")),
        ("kinds", "", None),
        ("kinds", "x,y", ("x", "y")),
    ],
)
def test_texts_are_parsed(name: str, text: str, value: object) -> None:
    parsed = SPECS[name].parse(text)
    assert parsed == value
    assert type(parsed) is type(value)


@given(
    st.builds(
        Many,
        count=st.integers(1, 9),
        share=st.floats(0, 1, exclude_min=True, exclude_max=True),
        limit=st.none() | st.floats(allow_nan=False, allow_infinity=False),
        wanted=st.booleans(),
        kind=st.sampled_from(["a", "b"]),
        values=st.lists(st.floats(allow_nan=False, allow_infinity=False)).map(tuple),
        kinds=st.none() | st.lists(st.sampled_from(["x", "y"]), min_size=1).map(tuple),
    )
)
def test_parse_reads_what_format_writes(values: Many) -> None:
    for spec in SPECS.values():
        value = getattr(values, spec.name)
        assert spec.parse(spec.format(value)) == value


@pytest.mark.parametrize("annotation", [dict[str, int], int | str, Literal[1, 2], list[int], Any])
def test_what_no_form_can_show_is_refused(annotation: Any) -> None:
    model = type("Odd", (Parameters,), {"__annotations__": {"odd": annotation}, "odd": None})
    with pytest.raises(TypeError, match="The parameter odd is annotated"):
        fields_of(model)


ALL_FIELDS = [
    pytest.param(tool, spec, id=f"{tool.name}-{spec.name}")
    for tool in all_tools()
    for spec in fields_of(tool.parameters)
]


@pytest.mark.parametrize(("tool", "spec"), ALL_FIELDS)
def test_every_parameter_of_every_tool_is_explained(tool: Any, spec: FieldSpec) -> None:
    assert spec.title
    assert spec.title[0].isupper() or spec.title == spec.name
    assert spec.description.endswith(".")
    assert spec.name not in [role.name for role in tool.inputs]


CONDITIONAL = [each for each in ALL_FIELDS if each.values[1].shown_when]


@pytest.mark.parametrize(("tool", "spec"), CONDITIONAL)
def test_what_a_field_hangs_on_can_be_chosen(tool: Any, spec: FieldSpec) -> None:
    others = {each.name: each for each in fields_of(tool.parameters)}
    for name, wanted in spec.shown_when:
        for value in wanted if isinstance(wanted, tuple) else (wanted,):
            other = others[name]
            assert value is GIVEN or value in (other.choices or (True, False))
            assert value is not GIVEN or other.optional
