"""Draws the speed chart of the README from `build/bench.json`: `python3 -m tools.bench.chart`.

Writes `docs/speed.svg`. Equal figures give an equal file. A page shows it with `<img>`, where its
text cannot follow the page's theme: all colours are readable on white and on dark grey.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from tools.bench.contestants import OURS, PLAIN
from tools.bench.rounds import COLD, DEPENDENCY, REGISTRY, SOURCE, UNCHANGED, VIEW
from tools.package.assemble import ROOT

REPORT = ROOT / "build/bench.json"
CHART = ROOT / "docs/speed.svg"
APP, EXPORT = "pip_django", REGISTRY
TITLE = "Seconds that pack build takes for a Django app (shorter is better)"
ROWS = {
    COLD: "Cold build",
    UNCHANGED: "Nothing changed",
    VIEW: "Line of a view",
    SOURCE: "Line of settings",
    DEPENDENCY: "One dependency",
}
NAMES = {OURS: "cnb-python", PLAIN: "venv and pip with cached layers"}
COLOURS = ("#2f81f7", "#8c959f", "#bf8700", "#a371f7", "#2da44e")
"""Of the contestants in turn; the first is this buildpack's."""
TEXT = "#768390"

WIDTH = 760
LEFT = 130
"""Where the bars begin."""
RIGHT = 60
"""Room for the figure behind the longest bar."""
BAR, GAP, ROW_GAP = 18, 3, 16
HEAD = 66
"""Height of the title and the legend."""


@dataclass(frozen=True, slots=True)
class Bars:
    """The figures of one chart."""

    seconds: Mapping[str, Mapping[str, float]]
    """By case, then by contestant."""
    contestants: Sequence[str]
    """This buildpack first."""
    source: str
    """The line below the bars."""


def bars(report: Mapping[str, Any]) -> Bars:
    """Select the figures to draw from *report*, the contents of `build/bench.json`.

    Draws the contestants that have a cold build. The others make an image only once and then do
    nothing: they measure what a build costs at least, and are no alternative to this buildpack.
    """
    seconds: dict[str, dict[str, float]] = {case: {} for case in ROWS}
    for summary in report["medians"]:
        if (summary["app"], summary["export"]) == (APP, EXPORT) and summary["case"] in ROWS:
            seconds[summary["case"]][summary["contestant"]] = summary["pack_s"]
    contestants = sorted(seconds[COLD], key=lambda name: (name != OURS, name != PLAIN, name))
    if not contestants:
        message = f"{REPORT.name} has no cold build of {APP} to a {EXPORT}."
        raise ValueError(message)
    rounds = report["rounds"]
    source = (
        f"make bench: {APP}, published to a registry; {report['cpus']} CPUs, {report['arch']}, "
        f"{report['file_system']}; {f'median of {rounds} rounds' if rounds > 1 else 'one round'}"
    )
    return Bars({case: row for case, row in seconds.items() if row}, contestants, source)


def draw(figures: Bars) -> str:
    """Return *figures* as the text of an SVG file: a group of horizontal bars for each case."""
    longest = max(max(row.values()) for row in figures.seconds.values())
    scale = (WIDTH - LEFT - RIGHT) / longest
    lines = [_text(0, 18, TITLE, "title"), *_legend(figures.contestants)]
    top = HEAD
    for case, row in figures.seconds.items():
        names = [name for name in figures.contestants if name in row]
        height = len(names) * (BAR + GAP) - GAP
        lines.append(_text(LEFT - 12, top + height / 2 + 5, ROWS[case], "end"))
        for number, name in enumerate(names):
            colour = COLOURS[figures.contestants.index(name) % len(COLOURS)]
            lines += _bar(top + number * (BAR + GAP), row[name], scale, colour)
        top += height + ROW_GAP
    lines.append(_text(0, top + 10, figures.source, "source"))
    return _page(top + 18, lines)


def _legend(contestants: Sequence[str]) -> list[str]:
    lines, x = [], 0.0
    for number, name in enumerate(contestants):
        title = NAMES.get(name, name)
        colour = COLOURS[number % len(COLOURS)]
        lines.append(f'<rect x="{x:g}" y="34" width="12" height="12" rx="2" fill="{colour}"/>')
        lines.append(_text(x + 18, 44.5, title))
        # SVG does not measure text: about 7 px for each character of this size.
        x += 18 + 7 * len(title) + 20
    return lines


def _bar(top: float, seconds: float, scale: float, colour: str) -> list[str]:
    width = max(round(seconds * scale, 1), 1)
    rectangle = (
        f'<rect x="{LEFT}" y="{top:g}" width="{width:g}" height="{BAR}" rx="2" fill="{colour}"/>'
    )
    return [rectangle, _text(LEFT + width + 6, top + 13.5, f"{seconds:.1f}")]


def _text(x: float, y: float, content: str, kind: str = "") -> str:
    kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}"{kind}>{escape(content)}</text>'


def _page(height: float, lines: Sequence[str]) -> str:
    size = f'width="{WIDTH}" height="{height:g}" viewBox="0 0 {WIDTH} {height:g}"'
    fonts = "-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif"
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>',
            f"<title>{escape(TITLE)}</title>",
            "<style>",
            f"text {{ font: 13px {fonts}; fill: {TEXT}; }}",
            ".title { font-size: 16px; font-weight: 600; }",
            ".end { text-anchor: end; }",
            ".source { font-size: 11px; }",
            "</style>",
            *lines,
            "</svg>\n",
        )
    )


def main() -> None:
    """Draw the chart of the last benchmark."""
    try:
        figures = bars(json.loads(REPORT.read_text()))
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"No chart without figures of `make bench`: {error}")
    CHART.write_text(draw(figures))


if __name__ == "__main__":
    main()
