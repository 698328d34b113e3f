"""Symbols in languages whose grammars are installed apart."""

from __future__ import annotations

import pytest

from orch_tui.errors import SourceError
from orch_tui.prepare import symbols
from orch_tui.prepare.more_languages import EXTRA_LANGUAGES
from orch_tui.prepare.outline import find_part_spans
from orch_tui.prepare.symbols import (
    find_code_skeleton,
    find_missing_grammar,
    find_symbols,
    may_have_symbols,
)

CS = """\
using System;
namespace Demo.Core {
/// <summary>Parses.</summary>
[Serializable]
public class Parser<T> : Base {
    public const int Max = 3;
    private int _n;
    public string Name { get; set; }
    public Parser(int n) { _n = n; }
    // Runs it.
    public async Task<int> Parse(string text) { return 1; }
    public static bool operator ==(Parser<T> a, Parser<T> b) => true;
    public event EventHandler Done;
    ~Parser() { }
}
public interface IRun { void Run(int a); int Size { get; } }
public struct P { public int X; }
public enum Color { Red, Green }
public record Person(string Name);
public delegate void Handler(int x);
}
"""

PHP = """\
<?php
namespace App\\Models;
use Foo\\Bar;
const LIMIT = 3;
define('X', 1);
/** Doc. */
#[Attr]
abstract class User extends Model implements A {
    const MAX = 3;
    private int $n = 0;
    public function __construct(private string $name) {}
    /** Get. */
    public static function find(int $id): ?self { return null; }
    abstract public function run(): void;
}
interface A { public function go(); }
trait T { function t() {} }
enum Suit: string { case Hearts = 'H'; public function label(): string { return ''; } }
function helper($x) { return $x; }
"""

RB = """\
require 'json'
# A module.
module Outer
  LIMIT = 3
  # Parser.
  class Parser < Base
    attr_reader :name
    def initialize(name)
      @name = name
    end
    # Parse.
    def parse(text)
      text
    end
    def self.build(x) = new(x)
    class << self
      def make; end
    end
  end
end
def top; end
"""

KT = """\
package demo.core

import kotlin.math.max

const val LIMIT = 3

/** Parser. */
@Serializable
class Parser<T>(val n: Int) : Base() {
    val size: Int = 3

    // Parse.
    fun parse(text: String): Int {
        return 1
    }

    fun short() = 2

    companion object {
        fun make(): Int = 1
    }
}

interface Run {
    fun run(a: Int)
}

object Single {
    fun x() {}
}

enum class Color {
    RED, GREEN;

    fun hex() = ""
}

data class P(val a: Int)

typealias Name = String

fun String.shout(): String = uppercase()
"""

SWIFT = """\
import Foundation
let limit = 3
/// Parser.
@objc
public class Parser<T>: Base {
    var n: Int = 0
    init(n: Int) { self.n = n }
    // Parse.
    func parse(_ text: String) -> Int { return 1 }
    static func make() -> Parser { Parser(n: 1) }
    deinit { }
}
struct P { var x: Int; func area() -> Int { 1 } }
protocol Run { func run(a: Int); var size: Int { get } }
enum Color { case red, green; func hex() -> String { "" } }
extension P { func more() {} }
actor A { func go() {} }
typealias Name = String
func top(x: Int) -> Int { x }
"""

SH = """\
#!/usr/bin/env bash
LIMIT=3
readonly MAX=4
# Does.
do_it() {
  echo 1
}
function other {
  echo 2
}
"""

SYMBOLS = {
    "cs": (
        CS,
        "Parser Parser.Name Parser.Parser Parser.Parse IRun "
        "IRun.Run IRun.Size P Color Person Handler",
    ),
    "php": (
        PHP,
        "LIMIT User User.MAX User.__construct User.find User.run "
        "A A.go T T.t Suit Suit.label helper",
    ),
    "rb": (
        RB,
        "Outer Outer.LIMIT Outer.Parser Outer.Parser.initialize "
        "Outer.Parser.parse Outer.Parser.build Outer.Parser.make top",
    ),
    "kt": (
        KT,
        "LIMIT Parser Parser.parse Parser.short Parser.make Run Run.run "
        "Single Single.x Color Color.hex P Name shout",
    ),
    "swift": (
        SWIFT,
        "limit Parser Parser.init Parser.parse Parser.make P P.area Run "
        "Run.run Color Color.hex P P.more A A.go Name top",
    ),
    "sh": (
        SH,
        "LIMIT MAX do_it other",
    ),
}


def _needs(name: str) -> None:
    if find_missing_grammar(name):
        pytest.skip("needs orch-tui[languages]")


@pytest.mark.parametrize("suffix", SYMBOLS)
def test_symbols_have_the_names_of_what_they_are_in(suffix: str) -> None:
    _needs(f"a.{suffix}")
    text, names = SYMBOLS[suffix]
    assert [symbol.name for symbol in find_symbols(text, f"a.{suffix}")] == names.split()
    parts = [
        text[symbol.span.start : symbol.span.end] for symbol in find_symbols(text, "a." + suffix)
    ]
    last = {name.rpartition(".")[2] for name in names.split()}
    assert all(any(each in part for each in last) for part in parts)


@pytest.mark.parametrize("suffix", SYMBOLS)
def test_a_skeleton_keeps_heads_and_leaves_out_bodies(suffix: str) -> None:
    _needs(f"a.{suffix}")
    text, names = SYMBOLS[suffix]
    lines = [text[span.start : span.end] for span in find_code_skeleton(text, f"a.{suffix}")]
    skeleton = "".join(lines)
    assert all(name.rpartition(".")[2] in skeleton for name in names.split())
    assert "echo 1" not in skeleton and "@name = name" not in skeleton
    assert not any(line.strip() == "return 1" for line in lines)


@pytest.mark.parametrize("text", ["", "\n", "\0", "((((", "class", "}" * 500, "é\ud800"])
def test_what_cannot_be_parsed_is_passed_over(text: str) -> None:
    for extra in EXTRA_LANGUAGES:
        find_symbols(text, f"a.{extra.suffixes[0]}")
        find_code_skeleton(text, f"a.{extra.suffixes[0]}")


def test_without_the_grammar_a_part_is_refused_with_what_would_help(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(symbols, "_is_installed", lambda module: False)
    assert not may_have_symbols("a.kt")
    with pytest.raises(SourceError) as refused:
        find_part_spans(KT, "a.kt", ["Parser"], source="a.kt#Parser")
    assert refused.value.reason == "names a part, and the grammar of Kotlin is not installed"
    assert "pip install 'orch-tui[languages]'" in refused.value.hint
    assert "a.kt:FIRST-LAST" in refused.value.hint
