"""The text of `docs/compatibility.md`: what was compared, and the differences."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.compat.compare import Difference
from tools.compat.suites import FAILED, PASSED, SKIPPED, Outcomes

HEAD = """# Compatibility of linked environments

Written by `make compat` on {date}: Python {python}, {arch}. Not edited by hand.

Each app was built twice with the real lifecycle: with `BP_PYTHON_LAYOUT=linked`, where
`site-packages` consists of links to [shards](layers.md), and with `merged`, where it has ordinary
files. Both images were then examined, and run as a container would be: read-only, as an unknown
user, without a network.

## Popular distributions

{popular} popular distributions and their dependencies, {all} in all, installed in sets. For each
set these were compared:

- `importlib.metadata`: names, versions, requirements, entry points, files and their sizes,
- the names of all modules that `pkgutil` finds,
- the import of every top-level module, its `__file__` and `__path__`, and its resources,
- the object of every entry point,
- programs in `bin/`, and files in `etc/`, `include/` and `share/`,
- the output of `python -m` tools.

"""
SUITES = """
## Test suites

The distributions' own tests, compared test by test. A test that fails without being listed under
the differences fails in both layouts: there is no network, no pager and little else than Python.

"""


@dataclass(frozen=True, slots=True)
class Compared:
    """One set of distributions."""

    popular: Sequence[str]
    """The distributions of the set, without their dependencies."""
    python: str
    links: int
    distributions: Sequence[str]
    works: Mapping[str, int]
    """Number of modules, entry points and commands that were run."""
    failed: Sequence[tuple[str, str]]
    """Path and message of each failure, linked; the same merged unless it is a difference."""
    differences: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """One test suite, run in both layouts."""

    name: str
    version: str
    part: str
    linked: Outcomes
    merged: Outcomes
    differences: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was compared."""

    date: str
    arch: str
    sets: Mapping[str, Compared]
    suites: Sequence[SuiteRun]

    @property
    def differences(self) -> list[Difference]:
        """All differences, explained or not."""
        parts: list[Compared | SuiteRun] = [*self.sets.values(), *self.suites]
        return [difference for part in parts for difference in part.differences]


def text(report: Report) -> str:
    """Return the whole document."""
    sets = report.sets.values()
    head = HEAD.format(
        date=report.date,
        arch=report.arch,
        python=", ".join(sorted({compared.python for compared in sets})),
        popular=len({name for compared in sets for name in compared.popular}),
        all=len({name for compared in sets for name in compared.distributions}),
    )
    parts = [head, *_sets(report.sets), SUITES, *_suites(report.suites)]
    parts += _differences(report.differences)
    return "".join([*parts, *_failed(report.sets), *_failed_tests(report.suites)])


def _sets(sets: Mapping[str, Compared]) -> list[str]:
    rows = [
        (
            name,
            len(compared.distributions),
            compared.links,
            *(_successes(compared, kind) for kind in ("modules", "entry points", "commands")),
            len(compared.differences),
        )
        for name, compared in sets.items()
    ]
    head = (
        "set",
        "distributions",
        "links",
        "modules",
        "entry points",
        "`python -m`",
        "differences",
    )
    return table(head, rows)


def _successes(compared: Compared, kind: str) -> str:
    """Return `3 of 4`: how many succeeded, linked, of those that were run."""
    part = "commands" if kind == "commands" else f"/{kind}/"
    failed = sum(part in where for where, _ in compared.failed)
    return f"{compared.works[kind] - failed} of {compared.works[kind]}"


def _suites(suites: Sequence[SuiteRun]) -> list[str]:
    rows = [
        (
            f"{run.name} {run.version}",
            run.part or "all",
            *(_outcomes(outcomes) for outcomes in (run.linked, run.merged)),
            f"{run.linked.seconds:.0f} / {run.merged.seconds:.0f} s",
            len(run.differences),
        )
        for run in suites
    ]
    return table(("suite", "part", "linked", "merged", "time", "differences"), rows)


def _outcomes(outcomes: Outcomes) -> str:
    return ", ".join(
        f"{outcomes.count(outcome)} {outcome}" for outcome in (PASSED, FAILED, SKIPPED)
    )


def _differences(differences: Sequence[Difference]) -> list[str]:
    if not differences:
        return ["\n## Differences\n\nNone.\n"]
    rows = [
        (
            f"`{difference.where}`",
            _cell(difference.linked),
            _cell(difference.merged),
            difference.reason or "**unexplained**",
        )
        for difference in differences
    ]
    return ["\n## Differences\n\n", *table(("where", "linked", "merged", "reason"), rows)]


def _failed(sets: Mapping[str, Compared]) -> list[str]:
    """Return the table of failures in both layouts, which no difference shows."""
    rows = [
        (f"`{where}`", _cell(how)) for compared in sets.values() for where, how in compared.failed
    ]
    title = "\n## What fails in both layouts\n\n"
    return [title, *table(("where", "how"), rows)] if rows else []


def _failed_tests(suites: Sequence[SuiteRun]) -> list[str]:
    """Return the table of messages of failed tests, the most frequent first."""
    reasons = Counter((run.name, why) for run in suites for why in run.linked.why.values())
    rows = [(name, count, _cell(why)) for (name, why), count in reasons.most_common()]
    title = "\n## Tests that fail\n\n"
    return [title, *table(("suite", "tests", "why (linked)"), rows)] if rows else []


def _cell(text: str) -> str:
    line = " ".join(text.split()).replace("|", "\\|").replace("`", "'")
    return f"`{line[:160]}`"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Return the lines of a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines]
