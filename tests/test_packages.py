"""What is installed is what stands in the folders."""

from __future__ import annotations

import re
import runpy
import shutil
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["setuptools"]
ROOTS = {"orch_tui": "orch_tui", "screens": "orch_tui.screens", "models": "orch_tui.models"}


def folders() -> dict[str, str]:
    """Every folder with code in it, by the package it is."""
    found = {"orch_tui.assets": "assets"}
    for root, package in ROOTS.items():
        for init in (CHECKOUT / root).rglob("__init__.py"):
            within = init.parent.relative_to(CHECKOUT / root).parts
            found[".".join((package, *within))] = "/".join((root, *within))
    return found


def test_every_folder_of_code_is_in_the_wheel() -> None:
    assert SETTINGS["package-dir"] == folders()
    assert sorted(SETTINGS["packages"]) == sorted(folders())


def test_what_is_no_code_beside_it_is_in_the_wheel_too() -> None:
    told = SETTINGS["package-data"]
    for package, folder in folders().items():
        others = {path.suffix for path in (CHECKOUT / folder).iterdir() if path.is_file()}
        kept = {pattern.rpartition(".")[2] for pattern in told.get(package, [])}
        assert package == "orch_tui.assets" or others - {".py", ".pyc"} <= {f".{k}" for k in kept}


def test_the_long_description_leads_to_the_repository_with_every_link(tmp_path: Path) -> None:
    for name in ("README.md", "pyproject.toml"):
        shutil.copyfile(CHECKOUT / name, tmp_path / name)
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    home = "https://example.org/orch"
    if "urls" in settings:  # an sdist: it was built with its addresses filled in
        home = settings["urls"]["Homepage"]
    else:
        build = runpy.run_path(str(CHECKOUT / ".ci" / "build"), run_name="build")
        build["fill_in_addresses"](tmp_path, home)
    settings = tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]
    there = f"{home}/blob/v{settings['version']}"
    assert settings["urls"]["Changelog"] == f"{there}/CHANGELOG.md"
    links = re.findall(r"\]\(([^)]+)\)", (tmp_path / "README.md").read_text())
    assert f"{there}/docs/settings.md" in links
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    own = [
        link.removeprefix(home).split("/", 3)[3].split("?")[0]
        for link in links
        if link.startswith(f"{home}/")
    ]
    assert [path for path in own if not (CHECKOUT / path).exists()] == []
