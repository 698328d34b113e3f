"""Secrets: files named like one, and texts that hold one."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from orch_tui.errors import SourceError

_NAMES = {
    *(".env", ".envrc", "id_rsa", "id_dsa", ".netrc", "_netrc", ".pgpass", ".npmrc", ".pypirc"),
    *(".htpasswd", ".git-credentials", ".vault-token", "credentials", ".credentials", "kubeconfig"),
    *(
        f"{name}.{kind}"
        for name in ("credentials", "secrets", ".credentials", ".secrets")
        for kind in ("json", "yml", "yaml", "toml", "ini", "env", "txt", "csv")
    ),
}
_STARTS = (".env.", "id_ecdsa", "id_ed25519")
_ENDINGS = (
    *(".env", ".pem", ".key", ".p12", ".pfx", ".jks", ".ppk", ".keystore", ".kdbx", ".tfvars"),
)
_JSON = ("client_secret", "service-account", "service_account")
_PATHS = ("/.aws/config", "/.docker/config.json", "/.kube/config", "/.ssh/config")
_EXAMPLE = r"(?:^|[._-])(?:example|sample|template|dist|tmpl|pub)(?:[._-]|$)"

_SHORT = 2_000
"""Characters of what people type: scopes, descriptions."""
_MOST = 1_000
"""Of the secrets in a text: who is told of so many knows what the text is."""


class Secret(NamedTuple):
    """Something in a text that looks like a secret."""

    kind: str
    line: int
    """Counted from 1."""

    def __str__(self) -> str:
        return f"{self.kind}, line {self.line}"


def named_like_one(path: Path | str, real: str = "") -> bool:
    """Tell whether a file's name, or that of what it links to, is one that secrets are kept under.

    ``real``: the path without links, where it is known.
    """
    return any(map(_names_secret, {os.path.abspath(path), real or os.path.realpath(path)}))


def refuse_found(what: str, found: Sequence[Secret]) -> SourceError:
    """Give the error that says which secrets stand in something, without showing them."""
    first, *others = found
    more = f", and {len(others)} more" if others else ""
    return SourceError(
        what,
        f"holds what looks like a secret ({first}{more})",
        hint="--allow-secret hands it over",
    )


def find_secrets(text: str) -> tuple[Secret, ...]:
    """Find what looks like a secret in a text, one of a line, in order.

    Placeholders (``AKIA...EXAMPLE``, ``password = "changeme"``), references (``$TOKEN``) and hashes
    are none.
    """
    if len(text) <= _SHORT and _holds_none(text):
        return ()
    from orch_tui.prepare.assigned_secrets import find_assigned
    from orch_tui.prepare.secret_rules import find_keys

    found: dict[int, str] = {}
    for start, kind in islice(chain(find_keys(text), find_assigned(text)), _MOST):
        found.setdefault(start, kind)
    lines: dict[int, str] = {}
    line, counted = 1, 0
    for start in sorted(found):
        line += text.count("\n", counted, start)
        counted = start
        lines.setdefault(line, found[start])
    return tuple(Secret(kind, line) for line, kind in lines.items())


def _holds_none(text: str) -> bool:
    """Tell whether a short text holds none for sure, found out without loading the rules.

    A part of each is a word of eight characters or more with a digit, or the head of a private key.
    """
    return "-----BEGIN" not in text and not any(
        len(word) >= 8 and any(map(str.isdigit, word)) for word in text.split()
    )


def _names_secret(path: str) -> bool:
    """Tell whether a path is called as secrets are, without patterns, which take 3 ms to compile: a
    bundle asks this of every file."""
    path = path.lower()
    name = os.path.basename(path)
    return (
        (
            name in _NAMES
            or name.startswith(_STARTS)
            or name.endswith(_ENDINGS)
            or (name.startswith(_JSON) and name.endswith(".json"))
        )
        and not _example().search(name)
        or path.endswith(_PATHS)
    )


@cache
def _example() -> re.Pattern[str]:
    return re.compile(_EXAMPLE)
