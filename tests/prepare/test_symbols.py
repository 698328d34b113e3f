from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.errors import SourceError
from orch_tui.prepare.outline import find_part_spans, outline_file
from orch_tui.prepare.symbols import find_code_skeleton, find_symbols, may_have_symbols

PYTHON = '''\
"""What it is.

More.
"""

import os

# How many.
LIMIT = {
    1: 2,
}


class Parser(Base):
    """Reads.

    Much.
    """

    size: int = 1

    @property
    # why
    @cached
    def text(
        self,
    ) -> str:
        """The text.

        Of it.
        """
        def inner(): ...
        here = 1
        return inner()

    class Inner:
        def text(self): ...


@overload
def load(a: int) -> int: ...
@overload
def load(a: str) -> str: ...
def load(a):
    return a


if TYPE_CHECKING:
    import re

    def late(): ...


print("run")
'''

TYPESCRIPT = """\
import { x } from "y";

/** Says what.
 * And more.
 */
@Decorated()
export class Parser<T> extends Base {
  size = 1;
  parse(a: string): void;
  // why
  @Bound()
  parse(a: any) {
    return 1;
  }
  later = () => {
    return 2;
  };
}
export const make = async (a) => {
  function inner() { return 1 }
  const local = 3;
  return inner();
};
const LIMIT = 3, OTHER = 2;
export interface Shape {
  draw(): void;
  name: string;
}
type Id = string;
enum Kind { A }
namespace Space { export function far() {} }
export abstract class Plan { abstract go(): void }
function App() { return <p>hi</p> }
"""

GO = """\
// Package p reads.
package p

import (
	"fmt"
)

// Parser reads.
type Parser[T any] struct {
	size int
}

type (
	Id   int
	Able interface {
		Do()
	}
)

// Parse does.
func (p *Parser[T]) Parse(
	x int,
) error {
	return nil
}

func Free() {}

const Limit = 1

var (
	A = 2
)
"""

RUST = """\
use std::fmt;

/// Reads.
/// Much.
#[derive(Debug)]
pub struct Parser<T> {
    size: T,
}

impl<T> Parser<T> {
    /// Does.
    pub fn parse(&self) -> i32 {
        1
    }
}

impl fmt::Display for Parser<i32> {
    fn fmt(&self) {}
}

trait Able {
    fn go(&self);
}

mod inner {
    fn far() {}
}

macro_rules! made {
    () => {};
}

const LIMIT: i32 = 2;
"""

JAVA = """\
package a;

import b.C;

/** Reads. */
@Component
public class Parser<T> {
  int size = 1;

  public Parser() {}

  /**
   * Does.
   */
  @Override
  public void parse(int a) {
    int x = 1;
  }

  void parse() {}

  class Inner {
    void far() {}
  }
}

interface Able {
  void go();
}

record Pair(int a) {}
"""

CPP = """\
#include <x>
#define LIMIT 3
namespace space {
/// Reads.
template <class T>
class Parser : public Base {
 public:
  Parser();
  int parse(int a) const {
    return 1;
  }
  T operator+(T o);
};
}
int space::Parser::far(char *c)
{
  int local(3);
  return 1;
}
int *pointed(void) { return 0; }
typedef struct { int a; } Pair;
#ifdef Q
void maybe() {}
#endif
"""


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        (
            "a.py",
            PYTHON,
            "LIMIT Parser Parser.text Parser.text.inner Parser.Inner Parser.Inner.text "
            "load load load late",
        ),
        (
            "a.tsx",
            TYPESCRIPT,
            "Parser Parser.parse Parser.parse Parser.later make make.inner LIMIT OTHER Shape "
            "Shape.draw Id Kind Space Space.far Plan Plan.go App",
        ),
        ("a.go", GO, "Parser Id Able Parser.Parse Free Limit A"),
        (
            "a.rs",
            RUST,
            "Parser Parser Parser.parse Parser Parser.fmt Able Able.go inner inner.far made LIMIT",
        ),
        (
            "A.java",
            JAVA,
            "Parser Parser.Parser Parser.parse Parser.parse Parser.Inner Parser.Inner.far Able "
            "Able.go Pair",
        ),
        (
            "a.hpp",
            CPP,
            "LIMIT space space.Parser space.Parser.Parser space.Parser.parse "
            "space.Parser.operator+ space.Parser.far pointed Pair maybe",
        ),
        ("a.c", "int f(int a)\n{ return a; }\nstruct s { int b; };\nint g(void);\n", "f s g"),
        ("a.js", "exports.f = function () {};\nclass A { #p() {} b = () => 1 }\n", "f A A.#p A.b"),
        ("a.csv", "a,b", ""),
    ],
)
def test_the_symbols_of_each_language(name: str, text: str, names: str) -> None:
    assert " ".join(symbol.name for symbol in find_symbols(text, name)) == names
    assert may_have_symbols(name) == bool(names)


@pytest.mark.parametrize(
    ("name", "text", "symbol", "first", "last"),
    [
        ("a.py", PYTHON, "LIMIT", "# How many.", "}"),
        ("a.py", PYTHON, "Parser.text", "    @property", "        return inner()"),
        ("a.py", PYTHON, "load", "@overload", "    return a"),
        ("a.ts", TYPESCRIPT.replace("<p>hi</p>", "1"), "Parser", "/** Says what.", "}"),
        ("a.tsx", TYPESCRIPT, "Parser.parse[2]", "  // why", "  }"),
        ("a.tsx", TYPESCRIPT, "make", "export const make = async (a) => {", "};"),
        ("a.go", GO, "Parser.Parse", "// Parse does.", "}"),
        ("a.go", GO, "Able", "\tAble interface {", "\t}"),
        ("a.rs", RUST, "Parser.parse", "    /// Does.", "    }"),
        ("a.rs", RUST, "Parser", "/// Reads.", "}"),
        ("A.java", JAVA, "Parser.parse[1]", "  /**", "  }"),
        ("a.cc", CPP, "space::Parser::far", "int space::Parser::far(char *c)", "}"),
        ("a.cc", CPP, "space.Parser", "/// Reads.", "};"),
    ],
)
def test_a_symbol_takes_its_decorators_and_comments_with_it(
    name: str, text: str, symbol: str, first: str, last: str
) -> None:
    lines = taken(text, name, symbol).splitlines()
    assert (lines[0], lines[-1]) == (first, last)


def taken(text: str, name: str, *symbols: str) -> str:
    return "".join(
        text[start:end] for start, end in find_part_spans(text, name, symbols, source=name)
    )


def test_one_of_several_can_be_named_and_all_of_them_together() -> None:
    assert taken(PYTHON, "a.py", "load[2]") == "@overload\ndef load(a: str) -> str: ...\n"
    assert taken(PYTHON, "a.py", "load").count("def load") == 3
    with pytest.raises(SourceError, match=r"has 3 symbols 'load', not 4"):
        taken(PYTHON, "a.py", "load[4]")
    names = [part.name for part in outline_file(PYTHON, "a.py", family="v4.8")]
    assert names[6:9] == ["load[1]", "load[2]", "load[3]"]
    for name in names:
        assert taken(PYTHON, "a.py", name)


def test_a_name_without_what_it_is_in_is_enough_where_it_is_clear() -> None:
    assert taken(RUST, "a.rs", "parse") == taken(RUST, "a.rs", "Parser.parse")
    with pytest.raises(SourceError, match="several") as refused:
        taken(PYTHON, "a.py", "text")
    assert refused.value.hint == "one of Parser.text, Parser.Inner.text"
    with pytest.raises(SourceError, match="no symbol 'Parser.txt'") as refused:
        taken(PYTHON, "a.py", "Parser.txt")
    assert "Parser.text" in refused.value.hint


def test_an_outline_tells_depth_and_tokens() -> None:
    parts = {part.name: part for part in outline_file(PYTHON, "a.py", family="v4.8")}
    assert [parts[name].level for name in ("Parser", "Parser.text", "Parser.text.inner")] == [
        1,
        2,
        3,
    ]
    assert parts["Parser"].count.tokens > parts["Parser.text"].count.tokens > 10
    sections = outline_file("# A\n## B\n# A\n", "a.md", family="v4.8")
    assert [(part.name, part.level) for part in sections] == [("A[1]", 1), ("B", 2), ("A[2]", 1)]


def bones(text: str, name: str) -> str:
    return "".join(text[start:end] for start, end in find_code_skeleton(text, name))


def test_the_skeleton_of_python() -> None:
    assert (
        bones(PYTHON, "a.py")
        == '''\
"""What it is.
import os
# How many.
LIMIT = {
class Parser(Base):
    """Reads.
    size: int = 1
    @property
    # why
    @cached
    def text(
        self,
    ) -> str:
        """The text.
    class Inner:
        def text(self): ...
@overload
def load(a: int) -> int: ...
@overload
def load(a: str) -> str: ...
def load(a):
if TYPE_CHECKING:
    import re
    def late(): ...
'''
    )


@pytest.mark.parametrize(
    ("name", "text", "kept", "gone"),
    [
        (
            "a.tsx",
            TYPESCRIPT,
            ["import {", "@Decorated()", "  size = 1;", "  @Bound()", "  name: string;", "  later"],
            ["return 1;", "And more", "const local"],
        ),
        ("a.go", GO, ['\t"fmt"', "\tsize int", "\tx int,", "\t\tDo()", "\tA = 2"], ["return"]),
        ("a.rs", RUST, ["use std", "/// Reads.", "    size: T,", "    fn go(&self);"], ["  1\n"]),
        ("A.java", JAVA, ["import b.C;", "   * Does.", "  void parse() {}"], ["int x"]),
        ("a.cpp", CPP, ["#include <x>", " public:", "  T operator+(T o);"], ["return 1", "local"]),
    ],
)
def test_a_skeleton_keeps_heads_and_fields(
    name: str, text: str, kept: list[str], gone: list[str]
) -> None:
    found = bones(text, name)
    assert [each for each in kept if each not in found] == []
    assert [each for each in gone if each in found] == []
    assert len(found) < len(text)


def test_a_skeleton_of_one_symbol() -> None:
    found = taken(PYTHON, "a.py", "Parser.Inner", "(skeleton)")
    assert found == "    class Inner:\n        def text(self): ...\n"


def test_what_cannot_be_parsed_is_passed_over() -> None:
    broken = "def good():\n    return 1\n\n)(*&^ class def :::\n\ndef other(x:\n    pass\n"
    assert find_symbols(broken, "a.py")[0].name == "good"
    assert find_symbols("\0\ufffe" * 50, "a.rs") == ()
    assert taken("class A:\n  x = 'open\n", "a.py", "A")


@pytest.mark.slow
def test_large_and_deep_sources_are_read() -> None:
    """In the square of their size it would take longer than any test may."""
    many = "\n".join(f"# about\ndef f{n}():\n    return {n}" for n in range(9_000))
    assert len(find_symbols(many, "a.py")) == 9_000
    for token in ("(", "{", "class A { ", "1 + ", "def f():\n "):
        find_symbols(token * 8_000, "a.ts")
        find_symbols(token * 8_000, "a.py")


@given(
    st.lists(
        st.sampled_from([*"(){}:;,.#@/\"' \n\t\r=<>é\U0001f600x", "def f", "class A", "fn g"])
    ),
    st.sampled_from(["a.py", "a.ts", "a.go", "a.rs", "A.java", "a.c", "a.cpp", "a.jsx"]),
)
def test_any_text_gives_whole_lines(pieces: list[str], name: str) -> None:
    text = "".join(pieces)
    for start, end in [
        *(symbol.span for symbol in find_symbols(text, name)),
        *find_code_skeleton(text, name),
    ]:
        assert 0 <= start < end <= len(text)
        assert start == 0 or text[start - 1] == "\n"
        assert end == len(text) or text[end - 1] == "\n"
