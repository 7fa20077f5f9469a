"""The house keeps its floors: what imports what, what a worker loads, how long a file may be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from napari_framewise.tools.registry import TOOLS

PACKAGE = "napari_framewise"
ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src" / PACKAGE
FLOORS = (
    "numerics", "stacks", "engine", "framework", "tools", "samples", "io", "cli", "plugin",
)  # fmt: skip
# Floors whose rooms are subjects: the others' are parts of one machine.
OF_SUBJECTS = ("numerics", "tools")
COMMON = "common"
GUI = {
    "PyQt5", "PyQt6", "PySide2", "PySide6", "app_model", "magicgui", "napari", "qtpy", "superqt",
    "vispy",
}  # fmt: skip
NUMERICS_STANDS_ON = {"numba", "numpy", "scipy", "skimage", *sys.stdlib_module_names}
LONGEST_FILE = 437


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCES.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_names(source: str, module: str, is_package: bool = False) -> Iterator[str]:
    """Every absolute dotted name that `source` imports, wherever in the file it does."""
    package = module if is_package else module.rpartition(".")[0]

    def absolute(name: str, level: int) -> str:
        if not level:
            return name
        base = package.rsplit(".", level - 1)[0]
        return f"{base}.{name}" if name else base

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node.module or "", node.level)
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func).rpartition(".")[2]
            first = node.args[0]
            if (
                called in {"import_module", "__import__", "find_spec"}
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str)
            ):
                name = first.value.lstrip(".")
                yield absolute(name, len(first.value) - len(name))


def floor_of(name: str) -> str:
    """The floor of a module of ours; "" for the package itself, its public face."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def complaints(source: str, module: str, is_package: bool = False) -> list[str]:
    """What `module` imports and must not."""
    floor = floor_of(module)
    if floor and floor not in FLOORS:
        return [f"{module} stands on no floor"]
    # The face shows the Python calls and the files, neither the command line nor the plugin.
    own = FLOORS.index(floor) if floor else FLOORS.index("io")
    found = []
    for name in imported_names(source, module, is_package):
        top = name.partition(".")[0]
        if top == PACKAGE:
            target = floor_of(name)
            if target in FLOORS:
                if FLOORS.index(target) > own:
                    found.append(f"{module} reaches up to {name}")
            elif floor and target != "__version__":
                found.append(f"{module} reaches up to the public face for {name}")
        elif floor == "numerics" and top not in NUMERICS_STANDS_ON:
            found.append(f"{module} imports {top}: numerics takes arrays and nothing else")
        elif floor != "plugin" and top in GUI:
            found.append(f"{module} imports {top}: only the plugin may load the GUI")
    return found


FILES = sorted(SOURCES.rglob("*.py"))
FILE_NAMES = [str(path.relative_to(SOURCES)) for path in FILES]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MODULES = {module_name(path): path for path in FILES}


def shown_by(path: Path) -> set[str]:
    """What a face lists in `__all__`."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value)) if isinstance(node.value, ast.List) else set()
    return set()


FACES = {name: shown_by(path) for name, path in MODULES.items() if path.name == "__init__.py"}


def imports_of(path: Path, module: str) -> set[str]:
    """Modules of ours that a file imports, type-only imports and those in functions as well."""
    found = set()
    source = path.read_text(encoding="utf-8")
    for name in imported_names(source, module, path.name == "__init__.py"):
        base, _, last = name.rpartition(".")
        if name.partition(".")[0] == PACKAGE:
            # A face may show a function that has the name of the part it comes from.
            is_part = name in MODULES and last not in FACES.get(base, ())
            found.add(name if is_part else base)
    return found


IMPORTS = {module: imports_of(path, module) - {module} for module, path in MODULES.items()}


def subject_of(module: str) -> tuple[str, str] | None:
    """Floor and subject of a module on a floor of subjects; None elsewhere."""
    parts = module.split(".")
    if len(parts) < 3 or parts[1] not in OF_SUBJECTS:
        return None
    return parts[1], parts[2]


def inner(module: str) -> bool:
    """Whether a module is a part of a subject, behind its face."""
    subject = subject_of(module)
    return subject is not None and subject[1] != COMMON and len(module.split(".")) > 3


def reached_past_a_face(imports: set[str], own: tuple[str, str] | None) -> list[str]:
    """Parts of other subjects that are imported."""
    return sorted(name for name in imports if inner(name) and subject_of(name) != own)


@pytest.mark.parametrize("module", MODULES)
def test_a_subject_is_imported_by_its_face(module: str) -> None:
    assert not reached_past_a_face(IMPORTS[module], subject_of(module))


@pytest.mark.parametrize("path", TESTS, ids=[str(path.relative_to(ROOT)) for path in TESTS])
def test_only_a_subject_s_own_tests_look_behind_its_face(path: Path) -> None:
    parts = path.relative_to(ROOT / "tests").with_suffix("").parts
    own = (parts[0], parts[1].removeprefix("test_")) if len(parts) > 1 else None
    assert not reached_past_a_face(imports_of(path, "tests"), own)


@pytest.mark.parametrize("module", [name for name in MODULES if f".{COMMON}" in name])
def test_what_is_common_knows_no_subject_and_serves_two(module: str) -> None:
    subjects = {subject_of(name) for name in IMPORTS[module]} - {None}
    floor = module.split(".")[1]
    assert not {each for each in subjects if each and each[0] == floor and each[1] != COMMON}
    if not module.endswith(COMMON):
        users = {subject_of(name) for name, imports in IMPORTS.items() if module in imports}
        assert len(users - {None}) > 1 or (floor, COMMON) in users


def test_nothing_shared_names_a_tool() -> None:
    """Only the registry, tools themselves, samples and the face know tools by name."""
    named = {
        module: sorted(
            name
            for name in imports
            if name.startswith(f"{PACKAGE}.tools.")
            and name.split(".")[2] not in ("registry", "calls", COMMON)
        )
        for module, imports in IMPORTS.items()
        if floor_of(module) not in ("", "tools")
    }
    assert not {module: names for module, names in named.items() if names}


def test_no_file_hides_behind_an_underscore() -> None:
    hidden = [name for name in FILE_NAMES if Path(name).name.startswith("_")]
    assert {Path(name).name for name in hidden} <= {"__init__.py", "__main__.py"}


def test_a_package_has_parts() -> None:
    """A subject of one file stays a file."""
    faces = [path for path in FILES if path.name == "__init__.py"]
    alone = [
        path
        for path in faces
        if path.parent != SOURCES
        and len(list(path.parent.glob("*.py"))) == 1
        and not any(
            inner.is_dir() and inner.name != "__pycache__" for inner in path.parent.iterdir()
        )
    ]
    assert [str(path.relative_to(SOURCES)) for path in alone] == []


def test_there_are_no_circles() -> None:
    # The public face imports nothing before it is used, and shows its version to every floor.
    inside = set(MODULES) - {PACKAGE}
    left = {module: IMPORTS[module] & inside for module in inside}
    while free := {module for module, imports in left.items() if not imports & left.keys()}:
        left = {module: imports for module, imports in left.items() if module not in free}
    assert not sorted(left)


def test_tests_mirror_the_sources() -> None:
    """A folder of tests stands for a floor, and what lies in it for a room or subject there."""
    astray = []
    for path in TESTS:
        floor, *rest = path.relative_to(ROOT / "tests").parts
        if floor not in FLOORS or len(rest) < 2 or path.name == "__init__.py":
            continue
        place = SOURCES.joinpath(floor, *rest[:-1])
        if not (place.is_dir() or place.with_suffix(".py").is_file()):
            astray.append(str(path.relative_to(ROOT)))
    assert not astray


def test_tests_of_numerics_need_neither_napari_nor_qt() -> None:
    for path in TESTS:
        if (ROOT / "tests" / "numerics") in path.parents:
            names = imported_names(path.read_text(encoding="utf-8"), "tests.numerics")
            assert not {name.partition(".")[0] for name in names} & GUI, path


@pytest.mark.parametrize("path", FILES, ids=FILE_NAMES)
def test_imports_only_from_floors_below(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not complaints(source, module_name(path), path.name == "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=FILE_NAMES)
def test_file_is_short_enough_to_be_about_one_thing(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize(
    "places",
    [
        ("src/napari_framewise/tools/{}.py", "src/napari_framewise/tools/{}/__init__.py"),
        ("tests/tools/test_{}.py", "tests/tools/{}/test_{}.py"),
        ("docs/tools/{}.md",),
    ],
)
def test_who_knows_the_name_of_a_tool_finds_all_of_it(name: str, places: tuple[str, ...]) -> None:
    there = [(ROOT / place.format(name, name)).is_file() for place in places]
    assert there.count(True) == 1


SUBJECTS = sorted(
    path.stem if path.suffix else path.name
    for path in (SOURCES / "numerics").iterdir()
    if path.stem not in ("__init__", "__pycache__", COMMON)
)


@pytest.mark.parametrize("name", SUBJECTS)
def test_who_knows_the_name_of_a_subject_finds_its_tests(name: str) -> None:
    tests = ROOT / "tests" / "numerics"
    assert (tests / f"test_{name}.py").is_file() or list((tests / name).glob("test_*.py"))


def test_what_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["cluster"]]
    # "dask[array]>=2025.1" is dask.
    declared = {re.split(r"[^\w-]", requirement)[0].lower() for requirement in required}
    distributions = packages_distributions()
    imported = {
        name.partition(".")[0]
        for path in FILES
        for name in imported_names(
            path.read_text(encoding="utf-8"), module_name(path), path.name == "__init__.py"
        )
    }
    undeclared = {
        top
        for top in imported - sys.stdlib_module_names - {PACKAGE}
        if not declared & {name.lower().replace("_", "-") for name in distributions.get(top, ())}
    }
    assert not undeclared


@pytest.mark.parametrize(
    ("module", "source", "message"),
    [
        ("numerics.mixing", "from napari_framewise.stacks import Stack", "reaches up"),
        ("stacks.stack", "from napari_framewise.engine import Engine", "reaches up"),
        ("engine.passes", "from napari_framewise.framework.tool import Tool", "reaches up"),
        ("framework.recipe", "from napari_framewise.tools.mixing import TOOL", "reaches up"),
        ("numerics.mixing", "from napari_framewise import stacks", "reaches up"),
        ("numerics.mixing", "from ..tools.mixing import run", "reaches up"),
        ("stacks.stack", "from .. import io", "reaches up"),
        ("tools.mixing", "def run():\n    from napari_framewise.io import read", "reaches up"),
        ("tools.mixing", "from napari_framewise import fit_mixing", "public face"),
        ("io.tables", "import napari_framewise.cli", "reaches up"),
        ("io", "import importlib\nimportlib.import_module('..cli', __package__)", "reaches up"),
        ("cli", "from importlib import import_module\nimport_module('.plugin')", "reaches up"),
        ("numerics.mixing", "import dask.array as da", "imports dask"),
        ("numerics.mixing", "import pandas", "imports pandas"),
        ("numerics.mixing", "__import__('zarr')", "imports zarr"),
        ("stacks.plan", "if TYPE_CHECKING:\n    from napari.layers import Image", "imports napari"),
        ("tools.mixing", "class A:\n    import magicgui", "imports magicgui"),
        ("samples.mixtures", "from qtpy.QtCore import Qt", "imports qtpy"),
        ("cli", "def main():\n    import superqt", "imports superqt"),
        ("helpers", "import numpy", "stands on no floor"),
    ],
)
def test_a_forbidden_import_is_found(module: str, source: str, message: str) -> None:
    (found,) = complaints(source, f"{PACKAGE}.{module}", is_package=module in FLOORS[:-2])
    assert message in found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("numerics.mixing", "import math\nimport numpy as np\nfrom numba import njit"),
        ("numerics.mixing", "from ._solve import qr\nfrom . import bounds"),
        ("tools.mixing", "from napari_framewise import __version__, stacks"),
        ("tools.mixing", "from ..numerics.mixing import fit"),
        ("io.tables", "import pandas\nfrom napari_framewise.samples import mixture"),
        ("cli", "from napari_framewise.io import read"),
        ("plugin.panel", "import napari\nfrom napari_framewise import tools, cli"),
        ("plugin.panel", "TEXT = 'import napari_framewise.nothing'"),
    ],
)
def test_a_rightful_import_is_left_alone(module: str, source: str) -> None:
    assert complaints(source, f"{PACKAGE}.{module}") == []


def test_a_package_counts_its_relative_imports_from_itself() -> None:
    assert list(imported_names("from .mixing import run", f"{PACKAGE}.tools", is_package=True)) == [
        f"{PACKAGE}.tools.mixing.run"
    ]


def test_the_public_face_leaves_the_plugin_alone() -> None:
    assert complaints("from .io import read", PACKAGE, is_package=True) == []
    assert complaints("from .plugin import panel", PACKAGE, is_package=True)


def loaded_by(*floors: str) -> set[str]:
    """What a fresh interpreter has loaded after it imported every module of these floors."""
    modules = [module_name(path) for path in FILES if floor_of(module_name(path)) in floors]
    assert {floor_of(module) for module in modules} == set(floors)
    script = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    script += "print('loaded:', *{name.partition('.')[0] for name in sys.modules})"
    run = subprocess.run(
        [sys.executable, "-c", script, *modules], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.rpartition("loaded:")[2].split())


def test_a_worker_never_loads_the_gui() -> None:
    loaded = loaded_by(*FLOORS[:-1])
    assert "numpy" in loaded
    assert not loaded & GUI


def test_numerics_alone_load_no_files_and_no_cluster() -> None:
    loaded = loaded_by("numerics")
    assert "numpy" in loaded
    assert not loaded & {*GUI, "dask", "distributed", "h5py", "pandas", "tifffile", "zarr"}
