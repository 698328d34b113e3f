from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.prepare.secrets import find_secrets

MIXED = "x8Kq2LmN5vB9zR3tY7wE1uI4oP6aS0dF8gHj"
"""Put together here, so that no key stands in this file."""


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("AWS access key", "AKIA" + "Q3EGR7J2XKLM4P5T"),
        ("AWS secret key", f"aws_secret_access_key = '{MIXED}aZ9b'"),
        ("GitHub token", "ghp_" + MIXED),
        ("GitHub fine-grained token", "github_pat_" + MIXED + MIXED),
        ("Slack token", "xoxb-" + "123456789012-1234567890123-AbCdEfGhIjKl"),
        ("Stripe or Clerk key", "sk_live_" + MIXED[:24]),
        ("Anthropic key", f"key: sk-ant-api03-{MIXED}{MIXED}AA"),
        ("OpenAI project key", f"sk-proj-{MIXED}T3Blbk" + f"FJ{MIXED}"),
        ("GitLab personal token", "glpat-" + MIXED[:20]),
        ("Google API key", "AIza" + MIXED[:35]),
        ("npm configuration", "//registry.npmjs.org/:_authToken=npm_" + MIXED),
        ("Password in a URL", "postgres://admin:" + "Zx9Qw7Er5Ty@db.internal/app"),
        ("Secret under its name", 'password = "' + 'hunter2-Zx9Qw7Er5Ty"'),
        ("RSA private key", "-----BEGIN RSA PRIVATE " + "KEY-----\r\nMIIEowIBAAKCAQEA\r\n"),
    ],
)
def test_keys_are_found_by_kind_and_line(kind: str, text: str) -> None:
    assert [(s.kind, s.line) for s in find_secrets(f"one\r\n{text}\nthree\n")] == [(kind, 2)]


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
    assert find_secrets(text) == ()


def test_who_is_told_of_a_thousand_knows_what_a_text_is() -> None:
    assert len(find_secrets(f"AKIA{'Q3EGR7J2XKLM4P5T'}\n" * 2_000)) == 1_000


@pytest.mark.parametrize(
    "text",
    ["password=" * 20_000, "a" * 200_000, "key='" + "1" * 200_000, "://a:b" * 9999],
    ids=lambda text: text[:9],
)
def test_long_lines_and_many_hints_are_looked_through(text: str) -> None:
    """In the square of their length it would take longer than any test may."""
    assert find_secrets(text) == ()


@given(st.text(st.sampled_from("password=:'\"1aZ@/ \n\r."), max_size=60))
def test_no_text_fails(text: str) -> None:
    find_secrets(text)
