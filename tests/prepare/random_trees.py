"""Random trees of files with ignore files of every sort, and what git says of them."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

_NAMES = [
    *(b"a", b"b", b"ab", b"abc", b"A", b"Ab", b"foo", b"bar", b"foobar", b"x.log", b"y.log"),
    *(b"x.tmp", b"a.md", b"b.md", b"deep", b"sub", b"build", b"1", b"a1", b"a-b", b"a]", b"a b"),
    *("é.md".encode(), "e\u0301.md".encode(), "日本".encode(), "ß".encode(), b"\xe9.md", b"\xff"),
    *(b"#h", b"!n", b"*s", b"?q", b"[1]", b"a\\b", b"a\\", b" x", b"x ", b"x  ", b"t\t", b"r\r"),
    *(b".h", b".hid", b".log", b"a.", b"-", b"\\#h", b"~", b"v\x0b", b"n\nn", b"]", b"^", b"{a}"),
]
_SIGNS = [
    *(b"*", b"?", b"**", b"***", b"/", b"\\", b"[a-c]", b"[!a]", b"[^ab]", b"[[:alpha:]]", b"[]a]"),
    *(b"[a", b"[[:upper:]]", b"[[:digit:]b]", b"[[:nope:]]", b"[[:]", b"[a-]", b"[-a]", b"[\\]a]"),
    *(b"[b-a]", b"[A-Z]", b"[\xc3-\xff]", b"[/]", b"[!/]", b"\\*", b"\\?", b"\\[", b"\\a", b"\\A"),
    *(b"[[:space:]]", b"[[:punct:]x]", b"[[:cntrl:]]", b"[a\\-c]", b"[\\a-\\c]", b"a", b".", b"o"),
    *(b"**/", b"/**", b"/**/", b"*/", b"/*", b"\\/", b" ", b"\xff", "é".encode(), b"??", b"[!]a]"),
    *(
        b"[[.a.]]",
        b"[[=a=]]",
        b"[[a]b]",
        b"[a-[:digit:]]",
        b"[z-[:alpha:]]",
        b"[!-~]",
        b"[[:alnum:]",
    ),
]
_USUAL = [b"*", b"!*/", b"!*.md", b"/*", b"!/sub", b"**", b"!.gitignore", b"*.log", b"sub/**"]


def make_tree(root: Path, seed: int) -> None:
    """Make a repository in an empty folder, with all that makes ignoring hard."""
    chance = random.Random(seed)
    top = os.fsencode(root)
    run_git(root, "init", "-q")
    folders = [b""]
    files: list[bytes] = []
    for _ in range(chance.randint(3, 9)):
        above = chance.choice(folders)
        folder = os.path.join(above, chance.choice(_NAMES))
        if folder.count(b"/") < 5 and _make_folder(top, folder) and folder not in folders:
            folders.append(folder)
    for _ in range(chance.randint(8, 30)):
        file = os.path.join(chance.choice(folders), chance.choice(_NAMES))
        if not os.path.lexists(os.path.join(top, file)):
            _write(os.path.join(top, file), b"x")
            files.append(file)
    _add_links(chance, top, folders)
    tracked = [file for file in files if chance.random() < chance.choice((0, 0.2, 0.9))]
    if chance.random() < 0.15:
        _add_repositories(chance, root, folders)
    if chance.random() < 0.3:
        run_git(root, "update-index", "--index-version", chance.choice("234"))
    if tracked:
        run_git(root, "add", "-f", "--", *map(os.fsdecode, tracked))
        if chance.random() < 0.2:
            run_git(root, "update-index", "--split-index")
            run_git(root, "rm", "-q", "--cached", "--", os.fsdecode(chance.choice(tracked)))
            if others := [file for file in files if file not in tracked]:
                run_git(root, "add", "-f", "--", os.fsdecode(chance.choice(others)))
        for file in chance.sample(tracked, len(tracked) // 5):
            os.unlink(os.path.join(top, file))
    known = [*folders[1:], *files]
    some = chance.sample(folders, min(len(folders), chance.randint(0, 4)))
    for folder in dict.fromkeys((b"", *some)):
        place = os.path.join(top, folder, b".gitignore")
        if os.path.lexists(place) or not os.path.isdir(os.path.dirname(place)):
            continue
        if chance.random() < 0.05:
            os.mkdir(place)
        elif chance.random() < 0.05:
            os.symlink(os.path.join(top, files[0]), place)
        else:
            _write(place, _ignore_file(chance, known, folder))
    if chance.random() < 0.3:
        os.makedirs(root / ".git/info", exist_ok=True)
        (root / ".git/info/exclude").write_bytes(_ignore_file(chance, known, b""))
    if chance.random() < 0.3:
        (root / ".git/mine").write_bytes(_ignore_file(chance, known, b""))
        run_git(
            root,
            "config",
            "core.excludesFile",
            chance.choice((".git/mine", str(root / ".git/mine"))),
        )
    if chance.random() < 0.2:
        run_git(
            root, "config", "core.ignoreCase", chance.choice(("true", "yes", "false", "1", "0"))
        )


def make_files(root: Path, *names: str) -> None:
    """Make files of these names with something in them."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")


def list_git_files(root: Path) -> set[bytes]:
    """List what git lists and is there, without what are folders of their own."""
    told = run_git(root, "ls-files", "-coz", "--exclude-standard").split(b"\0")
    return {name for name in told if name and _is_file(os.path.join(os.fsencode(root), name))}


def _is_file(path: bytes) -> bool:
    return os.path.lexists(path) and (os.path.islink(path) or not os.path.isdir(path))


def _ignore_file(chance: random.Random, known: list[bytes], folder: bytes) -> bytes:
    lines = [_line(chance, known, folder) for _ in range(chance.randint(1, 6))]
    end = chance.choice((b"\n", b"\n", b"\r\n"))
    mark = b"\xef\xbb\xbf" if chance.random() < 0.1 else b""
    return mark + end.join(lines) + chance.choice((b"", end, b"\r", b" "))


def _line(chance: random.Random, known: list[bytes], folder: bytes) -> bytes:
    kind = chance.random()
    if kind < 0.15:
        return chance.choice(_USUAL)
    if kind < 0.2:
        return chance.choice(
            (b"", b"# note", b" ", b"/", b"!", b"\\", b"!/", b"//", b"\0", b"a\0b")
        )
    path = chance.choice(known)
    if kind < 0.4:
        prefix = folder + b"/"
        path = path.removeprefix(prefix) if chance.random() < 0.7 else os.path.basename(path)
        text = _with_signs(chance, path)
    elif kind < 0.7:
        text = _with_signs(chance, os.path.basename(path))
    else:
        text = b"".join(chance.choice(_SIGNS + _NAMES) for _ in range(chance.randint(1, 4)))
    if chance.random() < 0.25:
        text = chance.choice((b"/", b"**/", b"*/")) + text
    if chance.random() < 0.3:
        text += chance.choice((b"/", b"/*", b"/**", b"*", b"**", b" ", b"  ", b"\\ ", b"\t", b"\r"))
    if chance.random() < 0.3:
        text = b"!" + text
    return text


def _with_signs(chance: random.Random, path: bytes) -> bytes:
    """A path with some of its parts as signs that may stand for them."""
    if chance.random() < 0.3:
        return path
    made = bytearray()
    for byte in path:
        one = bytes((byte,))
        made += one if chance.random() < 0.75 else _sign_for(chance, one)
    return bytes(made)


def _sign_for(chance: random.Random, one: bytes) -> bytes:
    if one == b"/":
        return chance.choice((b"/", b"/**/", b"/*/", b"\\/", b"**/", b"/**", b"[/]", b"*"))
    return chance.choice(
        (b"?", b"*", b"\\" + one, b"[" + one + b"]", b"[!" + one + b"]", b"**", b"", one.swapcase())
        + ((b"[!x]", b"[" + one + b"-" + one + b"]", b"[[:alpha:]" + one + b"]", b"[^/]"))
    )


def _add_links(chance: random.Random, top: bytes, folders: list[bytes]) -> None:
    for _ in range(chance.choice((0, 0, 1, 2))):
        link = os.path.join(top, chance.choice(folders), chance.choice(_NAMES))
        if not os.path.lexists(link):
            target = os.path.join(top, chance.choice(folders))
            os.symlink(chance.choice((target, b"nowhere", os.path.join(top, b"a"))), link)


def _add_repositories(chance: random.Random, root: Path, folders: list[bytes]) -> None:
    for folder in chance.sample(folders[1:], min(2, len(folders) - 1)):
        inner = root / os.fsdecode(folder)
        kind = chance.randint(0, 3)
        if kind == 0:
            (inner / ".git").mkdir(exist_ok=True)  # no repository
            continue
        run_git(inner, "init", "-q")
        if kind > 1:
            who = ("-c", "user.name=n", "-c", "user.email=e")
            run_git(inner, *who, "commit", "-q", "--allow-empty", "-m", "m")
        if kind > 2:
            run_git(root, "add", "-f", "--", os.fsdecode(folder))


def _make_folder(top: bytes, folder: bytes) -> bool:
    try:
        os.makedirs(os.path.join(top, folder), exist_ok=True)
    except OSError:
        return False
    return True


def _write(path: bytes, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


def run_git(folder: Path, *arguments: str) -> bytes:
    """Run git as nobody has configured it."""
    surroundings = {key: value for key, value in os.environ.items() if key[:4] != "GIT_"}
    surroundings |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    surroundings |= {"GIT_LITERAL_PATHSPECS": "1"}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=surroundings, capture_output=True, check=False
    )
    return done.stdout
