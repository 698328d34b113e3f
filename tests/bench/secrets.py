"""How many kinds of keys are found, and how often something harmless is taken for one.

    python -m tests.bench.secrets                    # the standard library, and installed packages
    python -m tests.bench.secrets --seed 7 --each 5 --missed pip textual

The keys are made up from a seed, by what their providers tell of their form and not from the rules
that find them. Each is put into every shape of file it can stand in. A kind is found if all of its
keys are, in all shapes. An alarm is false unless it is of a private key: those that lie in packages
are real ones.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import string
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from orch_tui.prepare.secrets import find_secrets
from tests.bench.secret_kinds import KINDS, NAMED, PEMS

PACKAGES = ("pip", "mypy", "textual", "hypothesis", "pygments", "setuptools")
_ALPHABETS = {
    "A": string.ascii_letters + string.digits,
    "U": string.ascii_uppercase + string.digits,
    "l": string.ascii_lowercase + string.digits,
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "w": string.ascii_letters + string.digits + "_-",
    "d": string.digits,
    "b": string.ascii_letters + string.digits + "+/",
    "2": string.ascii_uppercase + "234567",
    "c": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
}
Shape = Callable[[str, str], tuple[str, str]]
"""Of a name and a value: the name of a file, and its text."""


def make_key(form: str, dice: random.Random) -> str:
    """Make up a key: ``{A36}`` are 36 letters and digits, ``{uuid}`` is a UUID."""

    def fill(part: str) -> str:
        if part == "uuid":
            hexes = "".join(dice.choices("0123456789abcdef", k=32))
            return "-".join((hexes[:8], hexes[8:12], hexes[12:16], hexes[16:20], hexes[20:]))
        if part == "jwt":
            return ".".join(
                base64.urlsafe_b64encode(data).decode().rstrip("=")
                for data in (
                    b'{"alg":"HS256","typ":"JWT"}',
                    json.dumps({"sub": make_key("{d10}", dice), "iat": 1700000000}).encode(),
                    dice.randbytes(32),
                )
            )
        drawn = "".join(dice.choices(_ALPHABETS[part[0]], k=int(part[1:])))
        has_digit = len(drawn) < 8 or part[0] == "c" or any(map(str.isdigit, drawn))
        return drawn if has_digit else fill(part)

    pieces = form.replace("}", "{").split("{")
    return "".join(fill(piece) if at % 2 else piece for at, piece in enumerate(pieces))


def make_pem(head: str, dice: random.Random) -> str:
    """Make up what looks like a private key of a form."""
    begin, _, inner = head.partition("|")
    lines = [base64.b64encode(dice.randbytes(48)).decode() for _ in range(12)]
    end = begin.replace("BEGIN", "END")
    return "\n".join((begin, *inner.split("|")[: bool(inner)], *lines, end)) + "\n"


SHAPES: dict[str, Shape] = {
    "env": lambda n, v: (".env.txt", f"DEBUG=1\n{n}={v}\nPORT=80\n"),
    "sh": lambda n, v: ("run.sh", f"#!/bin/sh\nset -e\nexport {n}={v}\nrun\n"),
    "sh, quoted": lambda n, v: ("run.sh", f"#!/bin/sh\n{n}='{v}' make\n"),
    "docker": lambda n, v: ("Dockerfile", f"FROM scratch\nENV {n} {v}\nRUN true\n"),
    "docker run": lambda n, v: ("README.md", f"Run it:\n\n    docker run -e {n}={v} image\n"),
    "markdown": lambda n, v: ("notes.md", f"# Notes\n\nSet `{n}={v}` first.\n"),
    "yaml": lambda n, v: ("ci.yml", f"env:\n  {n}: {v}\n  other: 1\n"),
    "ini": lambda n, v: ("app.ini", f"[app]\n{n.lower()} = {v}\n"),
    "toml": lambda n, v: ("app.toml", f'[app]\n{n.lower()} = "{v}"\n'),
    "json": lambda n, v: ("app.json", json.dumps({n.lower(): v, "b": 1}, indent=1)),
    "json in json": lambda n, v: ("a.ipynb", json.dumps({"s": json.dumps({n.lower(): v})})),
    "python": lambda n, v: ("a.py", f'import os\n\n{n} = "{v}"\n\nprint(os.name)\n'),
    "javascript": lambda n, v: ("a.js", f"const {n.lower()} = '{v}';\nrun();\n"),
}


def bare_shapes(value: str) -> Iterator[tuple[str, str]]:
    """Yield files in which a key stands without a name that would give it away."""
    yield "notes.md", f"It said\n\n{value}\n\nthen.\n"
    yield "a.py", f'client = connect("{value}", 3)\n'
    yield "a.txt", f"(see {value})"
    yield "a.json", json.dumps({"text": f"first\n{value}\nlast"})
    yield "a.log", f"GET /?q={value}&b=1 200"


def try_kinds(seed: int, each: int) -> tuple[dict[str, list[str]], Counter[str]]:
    """Try every kind; gives for each the shapes in which a key was missed, and how many tries
    there were of each group."""
    missed: dict[str, list[str]] = {}
    tried: Counter[str] = Counter()
    for kind, form in KINDS.items():
        dice = random.Random(f"{seed} {kind}")
        missed[kind] = []
        for _ in range(each):
            key = make_key(form, dice)
            for name, text in bare_shapes(key):
                tried["by form"] += 1
                if not find_secrets(text):
                    missed[kind].append(f"{name}: {key}")
    for kind, head in PEMS.items():
        dice = random.Random(f"{seed} {kind}")
        missed[kind] = []
        for _ in range(each):
            key = make_pem(head, dice)
            indented = key.replace("\n", "\n    ")
            for name, text in (
                ("key.txt", key),
                ("a.yml", f"key: |\n    {indented}\n"),
                ("a.json", json.dumps({"private": key})),
                ("a.py", f'KEY = """{key}"""\n'),
                ("a.env", f'K="{json.dumps(key)[1:-1]}"\n'),
            ):
                tried["private keys"] += 1
                if not find_secrets(text):
                    missed[kind].append(f"{name}: {text[:60]!r}")
    for kind, (variable, form) in NAMED.items():
        dice = random.Random(f"{seed} {kind}")
        missed[kind] = []
        for _ in range(each):
            key = make_key(form, dice)
            for shape, write in SHAPES.items():
                tried["by name"] += 1
                name, text = write(variable, key)
                if not find_secrets(text):
                    missed[kind].append(f"{shape}: {variable} {key}")
    return missed, tried


def package_folders(names: list[str]) -> dict[str, Path]:
    """Find the folders of the standard library and of installed packages."""
    from importlib.util import find_spec

    folders = {"standard library": Path(sysconfig.get_path("stdlib"))}
    for name in names:
        spec = find_spec(name)
        if spec and spec.submodule_search_locations:
            folders[name] = Path(next(iter(spec.submodule_search_locations)))
    return folders


def text_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of a folder that are text, without what is installed or compiled in it."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - {"__pycache__", "site-packages"})
        for name in sorted(names):
            path = Path(parent, name)
            try:
                yield path, path.read_text(encoding="utf-8")
            except (UnicodeDecodeError, OSError):
                continue


def main() -> None:
    """Print kinds found of kinds tried, and alarms by file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="*", default=PACKAGES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=3, help="keys of each kind")
    parser.add_argument("--missed", action="store_true", help="tell what was not found")
    arguments = parser.parse_args()
    missed, tried = try_kinds(arguments.seed, arguments.each)
    for group, kinds in (("by form", KINDS), ("private keys", PEMS), ("by name", NAMED)):
        found = sum(not missed[kind] for kind in kinds)
        hidden = sum(len(missed[kind]) for kind in kinds)
        print(
            f"{group}: {found} of {len(kinds)} kinds, "
            f"{tried[group] - hidden:,} of {tried[group]:,} places"
        )
    if arguments.missed:
        for kind, places in missed.items():
            for place in places[:4]:
                print(f"  {kind}: {place}")
    count, alarms, size = 0, 0, 0
    began = time.process_time()
    for package, folder in package_folders(list(arguments.packages)).items():
        for path, text in text_files(folder):
            count, size = count + 1, size + len(text)
            secrets = find_secrets(text)
            alarms += any("rivate" not in each.kind for each in secrets)
            for each in secrets:
                print(f"  {package}: {path.relative_to(folder)}: {each}")
    print(
        f"alarms in {alarms} of {count:,} files that are none: {alarms / count * 1000:.2f} of 1,000"
    )
    print(f"{size / 1e6:.0f} MB in {time.process_time() - began:.1f} s of CPU")


if __name__ == "__main__":
    main()
