"""Secrets under names that say so, in the files of every kind."""

from __future__ import annotations

import pytest

from orch_tui.prepare.assigned_secrets import find_assigned, is_password, is_random

PASSWORD = "x8Kq2LmN5vB9" + "zR3tY"


@pytest.mark.parametrize(
    "line",
    [
        f"DB_PASSWORD={PASSWORD}",
        f"export DB_PASSWORD={PASSWORD}",
        f"ENV DB_PASSWORD {PASSWORD}",
        f"ARG DB_PASSWORD={PASSWORD}",
        f"docker run -e DB_PASSWORD={PASSWORD} image",
        f"mysql --password {PASSWORD}",
        f"mysql --password={PASSWORD}",
        f"machine a.b login ann password {PASSWORD}",
        f"  db_password: {PASSWORD}",
        f"db.password = {PASSWORD}",
        f"dbPassword: '{PASSWORD}',",
        f'"db_password": "{PASSWORD}",',
        rf'"text": "{{\"db_password\": \"{PASSWORD}\"}}"',
        f'password: str = "{PASSWORD}"',
        f'if password == "{PASSWORD}":',
        f"<password>{PASSWORD}</password>",
        f'<add key="DbPassword" value="{PASSWORD}" />',
        f"define('DB_PASSWORD', '{PASSWORD}');",
        f'os.environ["DB_PASSWORD"] = "{PASSWORD}"',
        f"Server=db;User Id=sa;Password={PASSWORD};Encrypt=true",
        f"https://a.b/?api_key={PASSWORD}&page=2",
        f"PGPASSWORD={PASSWORD} psql",
        f"API_TOKEN_PROD={PASSWORD}",
        f"STRIPE_KEY={PASSWORD}",
        f"client-secret: {PASSWORD}",
        "HEROKU_API_KEY=8d1f7a52-93c4-4e0b-a6d8-5b2c9e7f1034",
        f"postgres://app:{PASSWORD}@db.internal/app",
        f"redis://:{PASSWORD}@cache:6379/0",
    ],
)
def test_it_is_found_however_it_is_given(line: str) -> None:
    assert list(find_assigned(f"one\n{line}\nthree\n"))


@pytest.mark.parametrize(
    "line",
    [
        "DB_PASSWORD=$DB_PASSWORD_2",
        "DB_PASSWORD=${DB_PASSWORD_2:-x8Kq2LmN}",
        "token: ${{ secrets.NPM_TOKEN_2 }}",
        'password = os.environ["DB_PASSWORD_1"]',
        "const token = process.env.API_TOKEN_2;",
        "password = get_password_v2(user1, host2)",
        "api_key: <your-key-1234567>",
        "api_key=YOUR_API_KEY_12345",
        "password: changeme123",
        'password = "test-password-1"',
        'secret = "foobar1234"',
        "token = sha256_hash2",
        "key = base64EncodedKey2",
        "max_tokens = 4096000",
        "def token_count(text: str, limit: int = 2000) -> int:",
        "cache_key = 'x8Kq2LmN5vB9zR3tY'",
        "public_key: x8Kq2LmN5vB9zR3tY",
        "csrf_token: x8Kq2LmN5vB9zR3tY",
        "password_file: /run/secrets/db_pass2.txt",
        "PASSWORD_FILE=/run/secrets/x8Kq2LmN5vB9",
        "secret: vault:kv/data/app2#x8Kq2LmN",
        "key: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        '"integrity": "sha512-x8Kq2LmN5vB9zR3tYx8Kq2LmN5vB9zR3tY=="',
        "commit 8f14e45fceea167a5a36dedd4bea2543d1a9e8b7",
        "the token x8Kq2LmN5vB9zR3tY in the middle of a sentence",
        "('password', 'localhost:8080')",
        "postgres://user:password@localhost/app",
        "https://user:$PASSWORD_1@host/path",
        "git@github.com:owner/name2.git",
    ],
)
def test_references_stand_ins_and_hashes_are_none(line: str) -> None:
    assert list(find_assigned(f"one\n{line}\nthree\n")) == []


@pytest.mark.parametrize("value", [PASSWORD, "9f86d081884c7d659a2feaa0", "W1QP04WEYB3ICJQW"])
def test_what_nobody_chose_is_random(value: str) -> None:
    assert is_random(value) and is_password(value)


@pytest.mark.parametrize("value", ["sha256_hash2", "readFileSync2", "version_1_2", "utf8"])
def test_names_are_not_random(value: str) -> None:
    assert not is_random(value)
