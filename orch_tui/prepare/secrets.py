"""Secrets: files named like one, and texts that hold one.

What a key looks like is the knowledge of detect-secrets (the fork of it that is maintained,
``bc-detect-secrets``), with a few kinds of key added that it does not know. Loading it takes eight
times as long as starting Python, so it is only asked about a text in which something stands that
one of its patterns would need. Nothing is verified: no key ever leaves the machine.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

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

# By the detector: what stands in every text that it finds something in.
_MARKS = {
    "aws.AWSKeyDetector": ("AKIA", "ASIA", "ABIA", "ACCA", "A3T", "aws_secret", "AWS_SECRET"),
    "artifactory.ArtifactoryDetector": ("AKC",),
    "azure_storage_key.AzureStorageKeyDetector": ("AccountKey=",),
    "github_token.GitHubTokenDetector": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    "jwt.JwtTokenDetector": ("eyJ",),
    "mailchimp.MailchimpDetector": ("-us1", "-us2"),
    "npm.NpmDetector": ("npm_", "_authToken", "NPM_TOKEN"),
    "private_key.PrivateKeyDetector": ("PRIVATE KEY-", "PuTTY-User-Key-File-2:"),
    "sendgrid.SendGridDetector": ("SG.",),
    "slack.SlackDetector": ("xox", "hooks.slack.com/services/"),
    "square_oauth.SquareOAuthDetector": ("sq0csp-",),
    "stripe.StripeDetector": ("sk_live_", "rk_live_"),
}
_TOKENS = {
    "Anthropic API Key": r"sk-ant-[a-z]+\d\d-[\w-]{60,}",
    "OpenAI API Key": r"sk-(?:[a-z]+-)?[\w-]{20,}T3BlbkFJ[\w-]{20,}",
    "GitLab Token": r"glpat-[\w-]{20,}",
    "GitHub Token": r"github_pat_\w{50,}",
    "PyPI Token": r"pypi-AgE[\w-]{50,}",
    "Hugging Face Token": r"hf_[A-Za-z]{34}",
    "Google API Key": r"AIza[\w-]{35}",
}
_TOKEN_MARKS = ("sk-ant-", "T3BlbkFJ", "glpat-", "github_pat_", "pypi-AgE", "hf_", "AIza")

# What is in every name that speaks of a secret, and how a value is given to it there.
_WORDS = ("assw", "ASSW", "pwd", "PWD", "ecret", "ECRET", "oken", "OKEN", "key", "Key", "KEY")
_ASSIGNED = (
    r"[\w\]'\"]{0,24}[ \t]{0,3}(?:=>|:=|[:=(])[ \t]{0,3}[@\"'`]{0,2}"
    r"(?=[^\s\"'`]{0,40}\d)([^\s\"'`]{8,200})"
)
_WORD = r"[A-Za-z_-]+\d{0,4}"
_IN_URL = r"://[^\s:/?#@]{1,80}:[^\s:/?#@]{8,}@"
_PLACEHOLDER = r"(?i)example|sample|dummy|change.?me|placeholder|your|fake|xxxx|\*\*\*|\.\.\.|<|\{"


class Secret(NamedTuple):
    """Something in a text that looks like a secret."""

    kind: str
    line: int
    """Counted from 1."""

    def __str__(self) -> str:
        return f"{self.kind}, line {self.line}"


def named_like_one(path: Path | str, real: str = "") -> bool:
    """Whether a file's name, or that of what it links to, is one that secrets are kept under.

    ``real``: the path without links, where it is known.
    """
    return any(map(_names_secret, {os.path.abspath(path), real or os.path.realpath(path)}))


def find_secrets(text: str, name: str = "") -> tuple[Secret, ...]:
    """What looks like a secret in a text, in order; the name of its file tells how it is written.

    Placeholders (``AKIA...EXAMPLE``, ``password = "changeme"``) are none.
    """
    detectors = [path for path, marks in _MARKS.items() if any(mark in text for mark in marks)]
    tokens = any(mark in text for mark in _TOKEN_MARKS)
    passwords = _suspects(text)
    if not (detectors or tokens or passwords):
        return ()
    found = dict(_passwords(text, passwords, name)) if passwords else {}
    unbroken = text.replace("\r\n", "\n")
    for path in detectors:
        detector = _detector(path)
        for value in detector.analyze_string(unbroken):
            at = max(unbroken.find(value or _MARKS[path][0]), 0)
            if _is_meant(value):
                found[_line_of(unbroken, at)] = detector.secret_type
    for kind, pattern in _TOKENS.items() if tokens else ():
        for match in _pattern(pattern).finditer(unbroken):
            if _is_meant(match[0]):
                found[_line_of(unbroken, match.start())] = kind
    return tuple(Secret(kind, line) for line, kind in sorted(found.items()))


def _suspects(text: str) -> set[int]:
    """Where something is assigned to a name that speaks of a secret, or a URL holds a password."""
    assigned = _pattern(_ASSIGNED).match
    found = set()
    for word in _WORDS:  # ten times as fast as one pattern of them all
        at = text.find(word)
        while at >= 0:
            if (match := assigned(text, at)) and _is_password(match[1].rstrip(",;)")):
                found.add(at)
            at = text.find(word, at + len(word))
    if "://" in text and "@" in text:
        found.update(match.start() for match in _pattern(_IN_URL).finditer(text))
    return found


def _passwords(text: str, places: set[int], name: str) -> Iterator[tuple[int, str]]:
    """The lines of those places with a secret under a name that says so, or in a URL."""
    with _without_requests():
        from detect_secrets.filters import heuristic
        from detect_secrets.plugins.keyword import (
            QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP,
            REGEX_BY_FILETYPE,
            KeywordDetector,
        )
        from detect_secrets.util.filetype import determine_file_type

    keyword, basic = KeywordDetector(), _detector("basic_auth.BasicAuthDetector")
    how = REGEX_BY_FILETYPE.get(determine_file_type(name), QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP)
    for start in {text.rfind("\n", 0, place) + 1 for place in places}:
        line = text[start : start + _LONGEST_LINE].partition("\n")[0]
        if any(map(_is_password, basic.analyze_string(line))):
            yield _line_of(text, start), basic.secret_type
        elif not heuristic.is_indirect_reference(line) and any(
            _is_password(value)
            and not heuristic.is_potential_uuid(value)
            and not heuristic.is_sequential_string(value)
            and not heuristic.is_likely_id_string(value, line)
            for value in keyword.analyze_string(line, denylist_regex_to_group=how)
        ):
            yield _line_of(text, start), keyword.secret_type


_LONGEST_LINE = 2_000
"""Characters looked at: its patterns take long over the longer ones that machines make."""


def _is_password(value: str) -> bool:
    """Whether somebody made it up to be hard to guess: letters and digits, no words or code."""
    return (
        len(value) >= 8
        and not re.search(r"[\s()$;]", value)
        and any(map(str.isdigit, value))
        and any(map(str.isalpha, value))
        and not _pattern(_WORD).fullmatch(value)
        and len(set(value)) >= 7
        and _is_meant(value)
    )


def _is_meant(value: str) -> bool:
    return not _pattern(_PLACEHOLDER).search(value)


def _line_of(text: str, position: int) -> int:
    return text.count("\n", 0, max(position, 0)) + 1


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    """Compiled when it is first needed: that takes milliseconds."""
    return re.compile(pattern)


@cache
def _detector(path: str) -> BasePlugin:
    from importlib import import_module

    module, name = path.split(".")
    with _without_requests():
        found: BasePlugin = getattr(import_module(f"detect_secrets.plugins.{module}"), name)()
    return found


@contextmanager
def _without_requests() -> Iterator[None]:
    """Spare the detectors the loading of ``requests``, two thirds of what loading them takes.

    They would verify keys with it over the network, which is never asked of them.
    """
    with _importing:
        if "requests" in sys.modules:
            yield
            return
        sys.modules["requests"] = StandInModule("requests")
        try:
            yield
        finally:
            sys.modules.pop("requests", None)


class StandInModule(ModuleType):
    """A module that has whatever is looked for in it, for annotations to name; once it is no longer
    in its place, what the real one has: who has it by then may mean to use it."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            return object
        from importlib import import_module

        return getattr(import_module(self.__name__), name)


_importing = RLock()


def _names_secret(path: str) -> bool:
    """Plain comparisons: a bundle asks this of every file, and patterns take 3 ms to compile."""
    path = path.lower()
    name = os.path.basename(path)
    return (
        (
            name in _NAMES
            or name.startswith(_STARTS)
            or name.endswith(_ENDINGS)
            or (name.startswith(_JSON) and name.endswith(".json"))
        )
        and not _pattern(_EXAMPLE).search(name)
        or path.endswith(_PATHS)
    )
