"""The tour of the README: each of its lines does in the demo's project what the README says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orch_tui.assets import asset
from tests.cli.conftest import Run, Shell, did, orch, project, shell

README = Path(__file__).parent.parent / "README.md"
__all__ = ["Run", "did", "orch", "project", "shell"]

ENDLESS = "orch watch"
"""Follows what happens until somebody ends it."""
ASKS = "orch install"
"""Asks before it changes anything: here is nobody to ask."""


def list_tour() -> list[str]:
    """List the shell commands of the tour; a command that goes on over lines is one."""
    _, _, rest = README.read_text("utf-8").partition("\n## A tour\n")
    tour, _, _ = rest.partition("\n## ")
    blocks = re.findall(r"(?ms)^```sh\n(.*?)^```", tour)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    commands = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return [c.replace(ASKS, f"{ASKS} --yes") for c in commands if not c.startswith(ENDLESS)]


@pytest.mark.slow
def test_every_line_of_the_tour_works_in_the_project_of_the_demo(shell: Shell) -> None:
    made = shell("orch demo --no-tui")
    assert made.returncode == 0, made.stderr.decode()
    commands = list_tour()
    assert len(commands) > 40
    assert all(c.startswith(("orch ", "echo ")) for c in commands)
    each = "\n".join(f"{c}\necho {n} $? >> ../codes" for n, c in enumerate(commands))
    done = shell(f"cd orch-demo\n{each}\ncat ../codes >&2")
    codes = done.stderr.decode().splitlines()[-len(commands) :]
    failed = [c for n, c in enumerate(commands) if codes[n] != f"{n} 0"]
    assert failed == [], done.stderr.decode()


def test_names_of_columns_that_are_explained_are_those_that_are_printed() -> None:
    words = README.parent / "docs" / "words.md"
    explained = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", words.read_text("utf-8")))
    schemas = "".join(p.read_text("utf-8") for p in sorted(asset("schemas").glob("*.json")))
    assert explained >= {"complexity_estimate", "frame_tokens", "n_priced"}
    assert [name for name in sorted(explained) if f'"{name}"' not in schemas] == []


def test_links_of_the_pages_lead_to_files_and_headings() -> None:
    pages = [README, *sorted((README.parent / "docs").glob("*.md"))]
    for page in pages:
        for link in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
            if link.startswith("https://"):
                continue
            path, _, heading = link.partition("#")
            there = (page.parent / path).resolve() if path else page
            assert there.exists(), f"{page.name}: {link}"
            if heading:
                titles = re.findall(r"(?m)^#+ (.+)$", there.read_text("utf-8"))
                slugs = {re.sub(r"[^a-z0-9 -]", "", t.lower()).replace(" ", "-") for t in titles}
                assert heading in slugs, f"{page.name}: {link}"


def test_every_page_is_reached_from_the_readme() -> None:
    text = README.read_text("utf-8")
    pages = [page.name for page in (README.parent / "docs").glob("*.md")]
    assert [name for name in pages if f"docs/{name}" not in text and name != "releasing.md"] == []
