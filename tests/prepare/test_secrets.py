from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.prepare.secrets import find_secrets

MIXED = "x8Kq2LmN5vB9zR3tY7wE1uI4oP6aS0dF8gHj"
"""Put together here, so that no key stands in this file."""


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("AWS Access Key", "AKIA" + "Q3EGR7J2XKLM4P5T"),
        ("AWS Access Key", f"aws_secret_access_key = '{MIXED}aZ9b'"),
        ("GitHub Token", "ghp_" + MIXED),
        ("GitHub Token", "github_pat_" + MIXED + MIXED),
        ("Slack Token", "xoxb-" + "123456789012-1234567890123-AbCdEfGhIjKl"),
        ("Stripe Access Key", "sk_live_" + MIXED[:24]),
        ("Anthropic API Key", f"key: sk-ant-api03-{MIXED}{MIXED}AA"),
        ("OpenAI API Key", f"sk-proj-{MIXED}T3Blbk" + f"FJ{MIXED}"),
        ("GitLab Token", "glpat-" + MIXED[:20]),
        ("Google API Key", "AIza" + MIXED[:35]),
        ("NPM tokens", "//registry.npmjs.org/:_authToken=npm_" + MIXED),
        ("Basic Auth Credentials", "postgres://admin:" + "Zx9Qw7Er5Ty@db.internal/app"),
        ("Secret Keyword", 'password = "' + 'hunter2-Zx9Qw7Er5Ty"'),
        ("Private Key", "-----BEGIN RSA PRIVATE " + "KEY-----\r\nMIIEowIBAAKCAQEA\r\n"),
    ],
)
def test_keys_are_found_by_kind_and_line(kind: str, text: str) -> None:
    assert [(s.kind, s.line) for s in find_secrets(f"one\r\n{text}\nthree\n", "a.py")] == [
        (kind, 2)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        'password = "changeme123"',
        "password = os.environ['DB_PASSWORD_1']",
        'token = "${TOKEN_2}"',
        "postgres://user:password@localhost/app",
        "api_key: <your-key-1234567>",
        "def token_count(text: str, limit: int = 2000) -> int:",
        "tokenize='unicode61', prefix='3'",
        "sha512-" + "a1B2" * 22 + "==",
        "commit 8f14e45fceea167a5a36dedd4bea2543d1a9e8b7",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQ\n",
    ],
)
def test_what_only_looks_a_little_like_one_is_let_pass(text: str) -> None:
    assert find_secrets(text, "a.py") == ()


def test_the_library_is_only_loaded_for_what_may_hold_one() -> None:
    code = (
        "import sys; from orch_tui.prepare.secrets import find_secrets; "
        "find_secrets('token and key, ' * 999 + 'a plain text with a password in words'); "
        "sys.exit('detect_secrets' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_who_else_uses_the_library_has_all_of_it() -> None:
    key = "k = 'AKIA" + "Z7Q4" * 4 + "'"
    code = (
        "import sys; from orch_tui.prepare.secrets import find_secrets; "
        f"assert find_secrets({key!r}); assert 'requests' not in sys.modules; "
        "from detect_secrets.plugins import base; import requests; "
        "assert base.requests.exceptions.RequestException is requests.exceptions.RequestException"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    "text",
    ["password=" * 100_000, "a" * 1_000_000, "key='" + "1" * 1_000_000, "://a:b" * 9999],
    ids=lambda text: text[:9],
)
def test_long_lines_and_many_hints_are_looked_through(text: str) -> None:
    """In the square of their length it would take longer than any test may."""
    assert find_secrets(text, "a.js") == ()


@given(st.text(st.sampled_from("password=:'\"1aZ@/ \n\r."), max_size=60))
def test_no_text_fails(text: str) -> None:
    find_secrets(text, "a.yaml")
