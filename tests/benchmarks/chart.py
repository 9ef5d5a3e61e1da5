"""Line charts with logarithmic axes as SVG, written by hand: a drawing library would be the largest thing installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from pathlib import Path

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 50
STYLE = "font-family:sans-serif;font-size:12px"


@dataclass(frozen=True, slots=True)
class Chart:
    """How a cost grows with one quantity."""

    title: str
    """What is done."""
    across: str
    """What grows."""
    up: str
    """What it costs."""
    points: Sequence[tuple[float, float]]
    """Quantity and cost, both above 0, in ascending order."""

    @property
    def slope(self) -> float:
        """The steepest rise between two points on the logarithmic axes: 1 is linear growth."""
        pairs = zip(self.points, self.points[1:], strict=False)
        return max(log10(b[1] / a[1]) / log10(b[0] / a[0]) for a, b in pairs)

    def svg(self, left: int) -> str:
        """The chart as a group, that far from the left."""
        x_least, x_most = _decades([x for x, _ in self.points])
        y_least, y_most = _decades([y for _, y in self.points])

        def x(value: float) -> float:
            return LEFT + (log10(value) - x_least) / (x_most - x_least) * (WIDTH - LEFT - RIGHT)

        def y(value: float) -> float:
            return HEIGHT - BOTTOM - (log10(value) - y_least) / (y_most - y_least) * (HEIGHT - TOP - BOTTOM)

        parts = [_text(WIDTH / 2, 20, self.title, "middle", "font-weight:bold")]
        for decade in range(x_least, x_most + 1):
            at = x(10.0**decade)
            parts.append(_line(at, TOP, at, HEIGHT - BOTTOM, "#ddd"))
            parts.append(_text(at, HEIGHT - BOTTOM + 16, _number(10.0**decade), "middle"))
        for decade in range(y_least, y_most + 1):
            at = y(10.0**decade)
            parts.append(_line(LEFT, at, WIDTH - RIGHT, at, "#ddd"))
            parts.append(_text(LEFT - 6, at + 4, _number(10.0**decade), "end"))
        parts.append(_text(WIDTH / 2, HEIGHT - 14, self.across, "middle"))
        parts.append(_text(8, 34, self.up, "start"))
        line = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in self.points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="#1f6fb4" stroke-width="2"/>')
        parts += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="#1f6fb4"/>' for a, b in self.points]
        return f'<g transform="translate({left},0)">' + "".join(parts) + "</g>"


def draw(path: Path, charts: Sequence[Chart]) -> None:
    """Write the charts side by side."""
    body = "\n".join(chart.svg(number * WIDTH) for number, chart in enumerate(charts))
    width = WIDTH * len(charts)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}">\n'
        f'<rect width="{width}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def _decades(values: Sequence[float]) -> tuple[int, int]:
    least, most = floor(log10(min(values))), ceil(log10(max(values)))
    return least, max(most, least + 1)


def _number(value: float) -> str:
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:g}{suffix}"
    return f"{value:g}"


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, anchor: str, style: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="{STYLE};{style}">{text}</text>'
