"""Units as files write them, and as pint and napari know them."""

from __future__ import annotations

import re
from functools import lru_cache
from math import isfinite
from typing import Any

from napari_framewise.stacks.axes import Axis

PIXEL = "pixel"
_NAMES = {
    "ångström": "angstrom", "Å": "angstrom", "A": "angstrom",
    "nm": "nanometer", "nanometre": "nanometer",
    "um": "micrometer", "µm": "micrometer", "μm": "micrometer", "micron": "micrometer",
    "microns": "micrometer", "micrometre": "micrometer", "\\u00b5m": "micrometer",
    "mm": "millimeter", "millimetre": "millimeter", "cm": "centimeter", "centimetre": "centimeter",
    "m": "meter", "metre": "meter", "in": "inch",
    "ns": "nanosecond", "us": "microsecond", "µs": "microsecond", "μs": "microsecond",
    "ms": "millisecond", "msec": "millisecond", "s": "second", "sec": "second", "seconds": "second",
    "min": "minute", "minutes": "minute", "h": "hour", "hours": "hour", "hr": "hour", "d": "day",
    "pm": "picometer", "km": "kilometer", "ps": "picosecond", "fs": "femtosecond",
    "as": "attosecond", "mi": "mile", "ft": "foot", "yd": "yard", "ly": "light_year",
    "pc": "parsec", "ua": "astronomical_unit", "mil": "thou", "rad": "radian", "deg": "degree",
    "Hz": "hertz", "ev": "electron_volt", "eV": "electron_volt",
}  # fmt: skip
_KNOWN = frozenset(_NAMES.values()) | {
    "picometer", "kilometer", "picosecond", "day", "foot", "mile", "yard", "attosecond",
    "femtosecond", "decimeter", "nanometer", "hertz", "light_year", "parsec", "astronomical_unit",
    "thou", "radian", "degree", "electron_volt", "arcminute", "week", "year", "nautical_mile",
}  # fmt: skip

_LONGEST = 40

SYMBOLS = {
    "angstrom": "Å", "nanometer": "nm", "micrometer": "µm", "millimeter": "mm",
    "centimeter": "cm", "meter": "m", "inch": "in", "nanosecond": "ns", "microsecond": "µs",
    "millisecond": "ms", "second": "s", "minute": "min", "hour": "h",
}  # fmt: skip
SECONDS = {
    "nanosecond": 1e-9, "microsecond": 1e-6, "millisecond": 1e-3, "second": 1.0, "minute": 60.0,
    "hour": 3600.0,
}  # fmt: skip
CENTIMETRES = {
    "angstrom": 1e-8, "nanometer": 1e-7, "micrometer": 1e-4, "millimeter": 0.1, "centimeter": 1.0,
    "meter": 100.0, "inch": 2.54,
}  # fmt: skip


# What pint names a unit without its prefix, where axes of images run in it.
_BASES = frozenset({
    "meter", "second", "hertz", "electron_volt", "radian", "degree", "arcsecond", "kelvin", "volt",
    "ampere", "tesla", "pascal", "newton", "watt", "joule", "gram",
})  # fmt: skip
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_RECIPROCAL = re.compile(r"(?:1\s*/\s*|/\s*)(\S+)|(\S+?)\s*(?:\^|\*\*)?\s*\(?(?:-1|⁻¹)\)?")


def unit_name(written: object) -> str | None:
    """The full name of a unit ("um" gives "micrometer"); None for one that is not known.

    Known are lengths and times with any prefix, their reciprocals ("1/nm" gives "1 / nanometer"),
    energies, frequencies, angles and what else is varied from frame to frame (temperature, voltage,
    current, field, pressure, force, power, mass), in all ways that pint reads, and as microscopes
    write them.
    """
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), str(written).strip())
    for wrong in ("Â", "Î¼"):
        # Letters that were encoded once and decoded as if they were not.
        text = text.replace(wrong, "" if wrong == "Â" else "μ")
    for name in (text, text.lower()):
        found = _NAMES.get(name, name)
        known = found if found in _KNOWN else _of_pint(name)
        if known is not None:
            return known
    reciprocal = _RECIPROCAL.fullmatch(text)
    inner = unit_name(reciprocal[1] or reciprocal[2]) if reciprocal else None
    return None if inner is None or "/" in inner else f"1 / {inner}"


def _of_pint(text: str) -> str | None:
    """What pint makes of a name, where that is a unit that an axis can have."""
    # Most names are in the table; making pint's registry takes longer than opening a file.
    if not text.isalpha() or len(text) > _LONGEST:
        return None
    for prefix, unit, _ in _registry().parse_unit_name(text):
        if unit in _BASES or (f"{prefix}{unit}" in _KNOWN):
            return f"{prefix}{unit}"
    return None


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint

    return pint.get_application_registry()  # type: ignore[no-untyped-call]


def scaled(size: object, written: object) -> tuple[float, str]:
    """Pixel size and unit of an axis; (1, "pixel") where size or unit can't be made sense of."""
    unit = unit_name(written)
    try:
        value = abs(float(size))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 1.0, PIXEL
    if unit is None or not 0 < value < float("inf"):
        return 1.0, PIXEL
    return value, unit


def calibrated(name: str, size: object, unit: object, origin: object = 0.0) -> Axis:
    """An axis with what a file says of it, as far as that makes sense.

    Parameters
    ----------
    name : str
        Of the axis.
    size : number
        Step from one pixel to the next; negative where the axis runs downwards.
    unit : str
        As the file writes it.
    origin : number
        Position of pixel 0, in the same unit.

    Returns
    -------
    Axis
        In pixels, from 0 on, where the step is 0, not finite or no number, or the unit is unknown.
    """
    step, known = scaled(size, unit)
    if known == PIXEL:
        return Axis(name)
    try:
        place = float(origin)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        place = 0.0
    return Axis(name, step, place if isfinite(place) else 0.0, known)


def unit_ratio(unit: str, wanted: str) -> float:
    """How many of the wanted unit one unit is; 1 where they measure different things."""
    names = unit_name(unit), unit_name(wanted)
    if names[0] == names[1] or None in names:
        return 1.0
    for sizes in (SECONDS, CENTIMETRES):
        if names[0] in sizes and names[1] in sizes:
            return sizes[names[0]] / sizes[names[1]]
    try:
        return float(_registry().Quantity(1.0, names[0]).to(names[1]).magnitude)
    except Exception:  # noqa: BLE001 - pint raises its own kinds for what does not go together
        return 1.0
