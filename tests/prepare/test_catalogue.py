"""The catalogue of models: names people and files use, relatives, additions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orch_tui.errors import FormatError, UsageError
from orch_tui.prepare.catalogue import load_catalogue
from tests.generate.models import find_differences


@pytest.mark.parametrize(
    ("name", "model_id", "family"),
    [
        ("sonnet", "claude-sonnet-5-5", "v4.8"),
        ("Opus", "claude-opus-5-5", "v4.8"),
        ("haiku", "claude-haiku-5-5", "v4.8"),
        ("fable", "claude-fable-5-2", "v4.8"),
        ("best", "claude-opus-5-5", "v4.8"),
        ("opusplan", "claude-sonnet-5-5", "v4.8"),
        ("default", "claude-opus-5-5", "v4.8"),
        ("claude-mythos-preview", "claude-mythos-preview", "v4.8"),
        ("sonnet[1m]", "claude-sonnet-5-5", "v4.8"),
        ("fable[1m]", "claude-fable-5-2", "v4.8"),
        ("claude-mythos-5-1", "claude-mythos-5-1", "v4.8"),
        ("claude-3-7-sonnet-20250219", "claude-3-7-sonnet", "v3"),
        ("claude-sonnet-4-20250514", "claude-sonnet-4", "v3"),
        ("claude-opus-4-0", "claude-opus-5-5", "v4.8"),
        ("claude-opus-4-1", "claude-opus-5-5", "v4.8"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku", "v3"),
        ("claude-opus-4-8", "claude-opus-4-8", "v4.8"),
        ("claude-opus-4-7", "claude-opus-4-7", "v4.7"),
        ("claude-opus-4-6", "claude-opus-4-6", "v3"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5", "v3"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "v3"),
        ("claude-opus-4-5@20251101", "claude-opus-4-5", "v3"),
        ("anthropic/claude-sonnet-4.6", "claude-sonnet-4-6", "v3"),
        ("", "claude-sonnet-5-5", "v4.8"),
        ("inherit", "claude-sonnet-5-5", "v4.8"),
    ],
)
def test_a_model_is_found_by_every_name_it_goes_by(name: str, model_id: str, family: str) -> None:
    model = load_catalogue().model(name)
    assert (model.model_id, model.family, model.assumed) == (model_id, family, False)


def test_a_retired_model_is_asked_for_by_another_name_and_costs_what_it_cost() -> None:
    catalogue = load_catalogue()
    ran = catalogue.model_that_ran("claude-opus-4-1-20250805")
    assert (ran.model_id, ran.family, ran.prices[0].input) == ("claude-opus-4-1", "v3", 15)
    assert catalogue.model("claude-opus-4-1-20250805").model_id == "claude-opus-5-5"


@pytest.mark.parametrize("name", ["claude-opus-4-6", "claude-sonnet-4-6", "claude-sonnet-4-5"])
def test_a_million_tokens_are_had_by_asking(name: str) -> None:
    catalogue = load_catalogue()
    assert [catalogue.model(n).window for n in (name, f"{name}[1m]")] == [200_000, 1_000_000]


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("claude-sonnet-4-2", "claude-sonnet-4"),
        ("claude-opus-4-4", "claude-opus-4-1"),
        ("claude-opus-6", "claude-opus-5-5"),
        ("claude-fable-5-3", "claude-fable-5-2"),
        ("claude-mythos-6", "claude-mythos-5-2"),
        ("opus-next", "claude-opus-5-5"),
        ("gemini-9", "claude-sonnet-5-5"),
        ("gpt2", "claude-sonnet-5-5"),  # its encoding does not ship with orch
    ],
)
def test_an_unknown_name_gets_the_figures_of_its_nearest_relative(name: str, like: str) -> None:
    model, relative = load_catalogue().model(name), load_catalogue().model_that_ran(like)
    assert (model.model_id, model.assumed) == (name, True)
    assert (model.window, model.family, model.prices) == (
        relative.window,
        relative.family,
        relative.prices,
    )


def test_a_million_tokens_can_be_asked_for() -> None:
    assert load_catalogue().model("claude-sonnet-4-5").window == 200_000
    assert load_catalogue().model("claude-sonnet-4-5[1m]").window == 1_000_000
    assert load_catalogue().model("opus[1m]").model_id == "claude-opus-5-5"


def test_every_shipped_entry_is_valid_priced_and_says_where_from() -> None:
    for model in load_catalogue().models.values():
        assert model.source and model.date.startswith("2026-")
        assert bool(model.prices) != ("not published" in model.source)
        assert model.window >= 200_000
        for price in model.prices:
            assert price.cache_read < price.input < price.cache_write_5m < price.cache_write_1h


def test_a_price_depends_on_the_size_of_the_prompt() -> None:
    haiku = load_catalogue().model("haiku")
    small, edge, large = (haiku.price(tokens) for tokens in (1, 100_000, 100_001))
    assert small and large
    assert small == edge and (small.input, large.input, large.cache_read) == (0.10, 0.50, 0.05)


def test_the_default_is_the_users() -> None:
    assert load_catalogue(default="haiku").model().model_id == "claude-haiku-5-5"
    assert load_catalogue(default="gemini-9").model("gemini-8").window == 1_000_000


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("gpt-4o", "o200k_base"),
        ("gpt-4o-mini-2024-07-18", "o200k_base"),
        ("openai/gpt-5", "o200k_base"),
        ("chatgpt-4o-latest", "o200k_base"),
        ("ft:gpt-4o:mine", "o200k_base"),
        ("o3", "o200k_base"),
        ("gpt-oss-120b", "o200k_base"),
        ("gpt-9", "o200k_base"),
        ("gpt-4", "cl100k_base"),
        ("GPT-3.5-turbo-0125", "cl100k_base"),
        ("o200k_base", "o200k_base"),
        ("cl100k_base", "cl100k_base"),
    ],
)
def test_models_of_openai_and_encodings_are_counted_with_tiktoken(name: str, family: str) -> None:
    model = load_catalogue().model(name)
    assert (model.model_id, model.family, model.assumed) == (name, family, True)
    assert (model.window, model.prices) == (128_000, ())


def test_a_configured_model_of_openai_has_the_figures_it_was_given() -> None:
    own = {"gpt-5": {"window": 400_000, "family": "o200k_base"}}
    model = load_catalogue(own).model("gpt-5")
    assert (model.window, model.family, model.assumed) == (400_000, "o200k_base", False)


def test_additions_extend_change_and_take_aliases_over() -> None:
    extra: dict[str, dict[str, Any]] = {
        "house-model": {"window": 64_000, "family": "o200k_base"},
        "claude-sonnet-6": {
            "window": 2_000_000,
            "family": "v4.8",
            "aliases": ["sonnet"],
        },
        "claude-opus-5-5": {"window": 500_000},
    }
    known = load_catalogue(extra)
    assert known.model("house-model").window == 64_000
    assert known.model("house-model").price(1) is None
    assert known.model("sonnet").model_id == "claude-sonnet-6"
    assert known.model("claude-sonnet-7").window == 2_000_000
    assert (known.model("opus").window, known.model("opus").family) == (500_000, "v4.8")
    assert load_catalogue().model("opus").window == 1_000_000


WHOLE = {"window": 1000, "family": "v3"}


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"windw": 1}, r"models\.x\.windw: is not known"),
        ({"window": 1}, r"models\.x: family missing"),
        (WHOLE | {"window": "big"}, r"models\.x\.window: must be a number of tokens, not 'big'"),
        (WHOLE | {"window": True}, r"models\.x\.window: must be"),
        (WHOLE | {"window": 0}, r"models\.x\.window: must be at least 1"),
        (WHOLE | {"family": "v9"}, r"models\.x\.family: 'v9' is no tokenizer"),
        (WHOLE | {"family": ["v3"]}, r"models\.x\.family: \['v3'\] is no tokenizer"),
        (WHOLE | {"aliases": "sonnet"}, r"models\.x\.aliases: must be a list of texts"),
        (WHOLE | {"aliases": [1]}, r"models\.x\.aliases: must be a list of texts"),
        (WHOLE | {"assumed": True}, r"models\.x\.assumed: is not known"),
        (WHOLE | {"prices": [{"input": 1}]}, r"models\.x\.prices\[0\]: output, .* missing"),
        (WHOLE | {"prices": [{"inptu": 1}]}, r"models\.x\.prices\[0\]\.inptu: is not known"),
        (
            WHOLE
            | {
                "prices": [
                    {
                        "input": -1,
                        "output": 1,
                        "cache_write_5m": 1,
                        "cache_write_1h": 1,
                        "cache_read": 1,
                    }
                ]
            },
            r"models\.x\.prices\[0\]\.input: a price is not negative",
        ),
    ],
)
def test_a_wrong_addition_is_named(entry: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FormatError, match=complaint):
        load_catalogue({"x": entry})


def test_what_a_client_says_otherwise_of_its_models_is_told() -> None:
    same = ["sonnet", "claude-sonnet-5-5", "1000000", "128000", "2.0", "10.0", "2500.104"]
    other = ["best", "claude-fable-5-2", "200000", "128000", "8.0", "40.0", "10000.216"]
    new = ["claude-opus-6", "claude-opus-6", "1000000", "128000", "4.0", "20.0", "5000.208"]
    assert list(find_differences([same, other, new], load_catalogue())) == [
        "best: the client sends claude-fable-5-2, not claude-opus-5-5",
        "best: its window is 200,000 tokens, not 1,000,000",
        "best: input costs 8.0, not 4",
        "best: output costs 40.0, not 20",
        "best: cache costs 10000.216, not 5000.21",
        "claude-opus-6: the catalogue does not know it; the client sends claude-opus-6",
    ]


@pytest.mark.parametrize(
    ("name", "doubt"),
    [
        ("sonnet", ""),
        (
            "sonett",
            "model 'sonett' is not in the catalogue (nearest: sonnet): its figures are assumed",
        ),
        ("llama", "model 'llama' is not in the catalogue: its figures are assumed"),
    ],
)
def test_a_model_nobody_knows_is_told_with_names_like_it(name: str, doubt: str) -> None:
    assert load_catalogue().doubt(name) == doubt


def test_the_default_that_nobody_knows_is_told_by_its_name() -> None:
    catalogue = replace(load_catalogue(), default="sonett")
    assert catalogue.doubt("") == catalogue.doubt("sonett") != ""


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("sonet", "sonnet"),
        ("sonnett", "sonnet"),
        ("Sonet[1m]", "sonnet"),
        ("hiaku", "haiku"),
        ("claude-sonet-4-5", "claude-sonnet-4-5"),
    ],
)
def test_a_misspelt_model_that_is_asked_for_is_refused(name: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean {meant}") as refused:
        load_catalogue().check_asked(name)
    assert "--allow-model" in refused.value.hint


@pytest.mark.parametrize(
    "name",
    [
        *("", "sonnet", "Opus[1m]", "inherit", "claude-opus-9", "claude-nova-1", "llama"),
        *("us.anthropic.claude-opus-7-20291101-v1:0", "gpt-4", "gpt-9o", "o200k_base"),
    ],
)
def test_a_model_that_may_be_called_so_is_taken(name: str) -> None:
    load_catalogue().check_asked(name)


def test_a_model_of_the_settings_is_no_misspelling() -> None:
    load_catalogue({"sonet": {"window": 9_000, "family": "v3"}}).check_asked("sonet")
