"""Reads control files: dependencies, what works without maintainer scripts, what these write.

Maintainer scripts are never run. Most of them only update caches, or remove what older releases
left.

Separate from `deb`, which only reads files.
"""

import posixpath
import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from cnb_python.system_packages.deb import Control

# Where a command of a shell starts, with variables for it, and the directory of its program.
_START = (
    r"(?:^|[;&|(){`]|\b(?:if|elif|then|else|while|until|do|exec|eval|command|env)\s|!\s)"
    r"\s*(?:\w+=\S*\s+)*(?:[\w./-]*/)?"
)
_SAME_COMMAND = r"[^\n;&|]*"
# What a script does that the package does not work without, as a clause.
_NEEDED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(f"{_START}(?:{command})", re.MULTILINE), reason)
    for command, reason in (
        (
            r"(?:adduser|addgroup|useradd|groupadd|systemd-sysusers)(?![\w.(-])",
            "its installation adds a user or a group",
        ),
        (
            r"(?:systemctl|deb-systemd-(?:invoke|helper)|invoke-rc\.d|update-rc\.d)(?![\w.(-])",
            "its installation registers a service",
        ),
        (
            rf"dpkg-divert\b(?!{_SAME_COMMAND}--(?:remove|list|truename))",
            "its installation replaces files of other packages",
        ),
        (
            rf"dpkg-statoverride\b{_SAME_COMMAND}--add\b",
            "its installation changes owners or permissions of files",
        ),
        (
            r"(?:mktexlsr|texhash|update-texmf-config|(?:update-)?(?:fmtutil|updmap))(?![\w.(])",
            "its installation generates the formats and font maps of TeX",
        ),
        (r"mecab-dict-index(?![\w.(-])", "its installation compiles a dictionary"),
        # It is not configured before the other package has done its part (deb-triggers(5)).
        (
            rf"dpkg-trigger\s(?!{_SAME_COMMAND}--(?:no-await|check-supported))",
            "its installation waits until another package has done a part of it",
        ),
    )
)
_COMMENT_LINE = re.compile(r"^[ \t]*#.*", re.MULTILINE)
_HERE_DOCUMENT = re.compile(
    r"<<-?[ \t]*([\"']?)(\w+)\1([^\n]*)\n.*?^[ \t]*\2$", re.MULTILINE | re.DOTALL
)
# In one line.
_QUOTED = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")
_SUBSTITUTION = re.compile(r"\"[^\n]*(?:\$\(|`)")
_COMMENT = re.compile(r"[ \t]#.*")
# https://www.debian.org/doc/debian-policy/ch-archive.html#sections
_DEVELOPMENT = frozenset({"devel", "libdevel"})
# One value for a variable, and a loop over words, neither with another variable or command.
_ASSIGNMENT = re.compile(r"^[ \t]*(\w+)=([\"']?)([^\"'`()\s;]*)\2[ \t]*$", re.MULTILINE)
_LOOP = re.compile(r"\bfor\s+(\w+)\s+in\s+([^;$`\n]+);?\s*\bdo\b(.*?)\bdone\b", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_MOST_STEPS = 3
_LONGEST = 200
_LARGEST = 1 << 16
_MOST_WORDS = 100
_DEPENDENCIES = ("Pre-Depends", "Depends")
_DRIVER_TEMPLATE = re.compile(
    rf"{_START}odbcinst\b(?={_SAME_COMMAND}\s-i\b)(?={_SAME_COMMAND}\s-d\b)"
    rf"{_SAME_COMMAND}?\s-f\s*[\"']?([^\s;&|\"']+)",
    re.MULTILINE,
)
_INSTALL = "--install"
_SLAVE = "--slave"


def reason_against(control: Control) -> str:
    """Return why the package does not work when its files are only unpacked; empty if it does."""
    scripts = "\n".join(map(_commands, control.scripts.values()))
    return next((reason for pattern, reason in _NEEDED if pattern.search(scripts)), "")


def _commands(script: str) -> str:
    """Return the commands of *script*, each in one line, without comments and plain texts."""
    # A comment does not continue in the next line.
    text = _COMMENT_LINE.sub("", script).replace("\\\n", " ")
    text = _QUOTED.sub(_without_text, _HERE_DOCUMENT.sub(r"\3", text))
    return _COMMENT.sub("", text)


def _without_text(quoted: re.Match[str]) -> str:
    """Return an empty text in place of *quoted*, unless the shell runs a command in it."""
    return quoted[0] if _SUBSTITUTION.match(quoted[0]) else "''"


def left_out_dependency(
    control: Control, controls: Mapping[str, Control], left_out: Collection[str]
) -> str:
    """Return the first dependency of *control* that only packages in *left_out* satisfy, or ""."""
    providers = _providers(controls)
    for kind in _DEPENDENCIES:
        for relation in control.fields.get(kind, "").split(","):
            named = [each for name in _names(relation) for each in providers.get(name, ())]
            if named and set(named) <= set(left_out):
                return named[0]
    return ""


def is_for_development(control: Control) -> bool:
    """Whether the package is for builds: headers, compilers and the like."""
    # x11proto-dev is in the section x11.
    return _section(control) in _DEVELOPMENT or control.name.endswith("-dev")


def _section(control: Control) -> str:
    return control.fields.get("Section", "").rpartition("/")[2]


def alternatives(controls: Iterable[Control]) -> dict[str, str]:
    """Return the files that `update-alternatives` would choose, by the links to them.

    Paths are relative to the root. Scripts are not run: variables are known where they have a
    plain text, and in loops over plain words.
    """
    chosen: dict[str, tuple[int, str, Sequence[tuple[str, str]]]] = {}
    for control in controls:
        for line in _expanded(control.scripts.get("postinst", "")).splitlines():
            for link, path, priority, slaves in _installed(line):
                chosen[link] = max(
                    chosen.get(link, (priority, path, slaves)), (priority, path, slaves)
                )
    links = {link: path for link, (_, path, _) in chosen.items()}
    for _, _, slaves in chosen.values():
        links |= dict(slaves)
    return {link.lstrip("/"): path.lstrip("/") for link, path in sorted(links.items())}


def driver_templates(controls: Iterable[Control]) -> list[str]:
    """Return the files that `odbcinst` would register as ODBC drivers, relative to the root."""
    scripts = (_expanded(control.scripts.get("postinst", "")) for control in controls)
    paths = (match[1] for script in scripts for match in _DRIVER_TEMPLATE.finditer(script))
    return [path.lstrip("/") for path in paths if _is_plain(path)]


def _expanded(script: str) -> str:
    """Return *script* with the values of its constants, and its loops written out.

    A script that is too large stays as it is.
    """
    text = script.replace("\\\n", " ")
    if len(text) > _LARGEST:
        return text
    values: dict[str, set[str]] = {}
    for match in _ASSIGNMENT.finditer(text):
        values.setdefault(match[1], set()).add(match[3])
    constants = {name: texts.pop() for name, texts in values.items() if len(texts) == 1}
    for _ in range(_MOST_STEPS):
        named = {name: _with_values(value, constants) for name, value in constants.items()}
        constants = {name: value for name, value in named.items() if len(value) <= _LONGEST}
    with_constants = _with_values(text, constants)
    return _LOOP.sub(_unrolled, with_constants if len(with_constants) <= _LARGEST else text)


def _with_values(text: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values.get(match[1] or match[2], match[0]), text)


def _unrolled(loop: re.Match[str]) -> str:
    words = loop[2].split()[:_MOST_WORDS]
    return "\n".join(_with_values(loop[3], {loop[1]: word}) for word in words)


def _installed(line: str) -> Iterator[tuple[str, str, int, Sequence[tuple[str, str]]]]:
    if _INSTALL not in line or "update-alternatives" not in line:
        return
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return
    match words[words.index(_INSTALL) + 1 :] if _INSTALL in words else []:
        case [link, _, path, priority, *slaves] if priority.lstrip("-").isdecimal():
            if _is_plain(link) and _is_plain(path):
                yield link, path, int(priority), tuple(_slaves(slaves))
        case _:
            return


def _slaves(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    for position, word in enumerate(words):
        match words[position + 1 : position + 4]:
            case [link, _, path] if word == _SLAVE and _is_plain(link) and _is_plain(path):
                yield link, path
            case _:
                continue


def _is_plain(path: str) -> bool:
    return path.startswith("/") and "$" not in path and posixpath.normpath(path) == path


def needed_to_run(controls: Mapping[str, Control], requested: Collection[str]) -> frozenset[str]:
    """Return the names of those packages of *controls* that the *requested* ones need to run.

    Packages for development are left out. What a library's headers depend on is included, since
    the library is among it; what a compiler depends on is not.
    """
    providers = _providers(controls)
    waiting = [each for name in requested for each in providers.get(name, ())]
    seen = set[str]()
    while waiting:
        name = waiting.pop()
        control = controls.get(name)
        if control is None or name in seen:
            continue
        seen.add(name)
        if _section(control) == "devel":
            continue
        for other in _dependencies(control):
            waiting += providers.get(other, ())
    return frozenset(name for name in seen if not is_for_development(controls[name]))


def _providers(controls: Mapping[str, Control]) -> dict[str, list[str]]:
    """Return the packages that have, or provide, each name."""
    providers: dict[str, list[str]] = {}
    for name, control in controls.items():
        for provided in (name, *_names(control.fields.get("Provides", ""))):
            providers.setdefault(provided, []).append(name)
    return providers


def _dependencies(control: Control) -> Iterator[str]:
    for kind in _DEPENDENCIES:
        yield from _names(control.fields.get(kind, ""))


def _names(relations: str) -> Iterator[str]:
    """Yield the names in a field such as `libc6 (>= 2.34), default-mta | mail-transport-agent`."""
    for relation in re.split(r"[,|]", relations):
        name = relation.strip().partition(" ")[0].partition(":")[0].partition("(")[0]
        if name:
            yield name
