"""The rooms of the library are as docs/architecture.md draws them."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests import ROOT

PAGE = (ROOT / "docs/architecture.md").read_text()
# Room: the rooms that it imports from; the lowest first.
ROOMS = {
    room: set(filter(None, imported.split(", ")))
    for room, imported in re.findall(r"^\| `(\w+)` \| ([\w, ]*?) ?\|", PAGE, re.MULTILINE)
}
LIBRARY = sorted((ROOT / "ssr").rglob("*.py"))
USERS = sorted(
    path for part in ("workflow_scripts", "benchmarks", "rules") for path in ROOT.glob(f"{part}/*")
)


@cache
def path_of(module: str) -> Path | None:
    base = ROOT.joinpath(*module.split("."))
    return next(filter(Path.is_file, (base.with_suffix(".py"), base / "__init__.py")), None)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "ssr").with_suffix("").parts[0]


def imports(source: str) -> Iterator[tuple[str, str]]:
    """Room, and module or name of its package, of every import of the library."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, "a relative import, which the hash of the code would overlook"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in (name for name in names if name.startswith("ssr.")):
            _, room, *rest = name.split(".")
            yield room, rest[0] if rest else ""


def python_of(path: Path) -> str:
    """A file's Python: of a rule file, its imports alone."""
    text = path.read_text()
    if path.suffix == ".py":
        return text
    return "".join(re.findall(r"^from ssr[\w.]* import (?:\w.*|\([^)]*\))\n", text, re.MULTILINE))


@cache
def offered(room: str) -> set[str]:
    """What the `__all__` of a room names."""
    for node in ast.parse((ROOT / "ssr" / room / "__init__.py").read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def test_every_room_stands_in_the_table() -> None:
    assert set(ROOMS) == {room_of(path) for path in LIBRARY} - {"__init__"}


def test_rooms_import_from_the_rooms_that_the_table_names_and_from_no_other() -> None:
    found: dict[str, set[str]] = {room: set() for room in ROOMS}
    for path in LIBRARY:
        if path != ROOT / "ssr/__init__.py":  # open_results, when it is asked for
            found[room_of(path)] |= {room for room, _ in imports(path.read_text())}
    assert {room: used - {room} for room, used in found.items()} == ROOMS


def test_no_room_imports_upwards() -> None:
    order = list(ROOMS)
    for room, imported in ROOMS.items():
        assert imported <= set(order[: order.index(room)]), room


@pytest.mark.parametrize("room", [room for room in ROOMS if (ROOT / "ssr" / room).is_dir()])
def test_a_room_says_what_goes_in_what_comes_out_and_offers_what_is_used(room: str) -> None:
    package = ast.parse((ROOT / "ssr" / room / "__init__.py").read_text())
    text = ast.get_docstring(package) or ""
    assert "\nIn: " in text
    assert "\nOut: " in text
    outside = [path for path in LIBRARY if room_of(path) != room] + [
        path for path in (*USERS, ROOT / "Snakefile") if path.suffix in (".py", ".smk", "")
    ]
    used = {
        name
        for path in filter(Path.is_file, outside)
        for other, name in imports(python_of(path))
        if other == room
    }
    assert used <= offered(room)
    modules = {name for name in offered(room) if path_of(f"ssr.{room}.{name}")}
    assert modules <= used, "offered, but used by nobody outside"


def test_packages_import_nothing_by_themselves() -> None:
    for path in (ROOT / "ssr").glob("*/__init__.py"):
        assert room_of(path) == "config" or not list(imports(path.read_text()))


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(ssr(?:\.\w+)+)`", PAGE))))
def test_what_the_page_names_is_there(name: str) -> None:
    parts = name.split(".")
    module = next(
        ".".join(parts[:end]) for end in range(len(parts), 0, -1) if path_of(".".join(parts[:end]))
    )
    body = ast.parse(path_of(module).read_text()).body
    for part in parts[module.count(".") + 1 :]:
        node = next(node for node in body if getattr(node, "name", "") == part)
        body = node.body


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(tests/[\w/.:]+)`", PAGE))))
def test_the_tests_that_the_page_names_are_there(name: str) -> None:
    path, _, test = name.partition("::")
    assert f"def {test}" in (ROOT / path).read_text()
