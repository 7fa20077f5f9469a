"""Units as files write them, and as pint and napari know them."""

from __future__ import annotations

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
    "min": "minute", "minutes": "minute", "h": "hour", "hours": "hour",
}  # fmt: skip
_KNOWN = frozenset(_NAMES.values()) | {
    "picometer", "kilometer", "picosecond", "day", "foot", "mile", "yard", "attosecond",
    "femtosecond", "decimeter", "nanometer", "hertz",
}  # fmt: skip

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


def unit_name(written: object) -> str | None:
    """The full name of a unit ("um" gives "micrometer"); None for one that is not known."""
    text = str(written).strip()
    for name in (text, text.lower()):
        found = _NAMES.get(name, name)
        if found in _KNOWN:
            return found
    return None


def scaled(size: object, written: object) -> tuple[float, str]:
    """Pixel size and unit of an axis; (1, "pixel") where size or unit can't be made sense of."""
    unit = unit_name(written)
    try:
        value = abs(float(size))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return 1.0, PIXEL
    if unit is None or not 0 < value < float("inf"):
        return 1.0, PIXEL
    return value, unit
