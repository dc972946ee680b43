"""Draws the rate over the number of contacts stored, as SVG that reads well in light and dark."""

from collections.abc import Sequence
from math import log10

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 70, 45, 30, 50


def draw(points: Sequence[tuple[int, float]]) -> str:
    """An SVG of `points`: contacts stored (logarithmic) and events per second (from zero)."""
    least, most = log10(points[0][0]), log10(points[-1][0])
    top = max(rate for _, rate in points) * 1.2

    def place(size: int, rate: float) -> tuple[float, float]:
        x = LEFT + (log10(size) - least) / (most - least) * (WIDTH - LEFT - RIGHT)
        return x, HEIGHT - BOTTOM - rate / top * (HEIGHT - TOP - BOTTOM)

    places = [(*place(size, rate), size, rate) for size, rate in points]
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y, _, _ in places)
    marks = "".join(
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4"/>'
        f'<text x="{x:.0f}" y="{y - 12:.0f}" text-anchor="middle">{rate:,.0f}/s</text>'
        f'<text x="{x:.0f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{size:,}</text>'
        for x, y, size, rate in places
    )
    style = (
        "text{font:13px system-ui,sans-serif;fill:#555}circle{fill:#4f46e5}polyline{stroke:#4f46e5}"
        "line{stroke:#9995}@media(prefers-color-scheme:dark){text{fill:#bbb}circle{fill:#a5b4fc}"
        "polyline{stroke:#a5b4fc}}"
    )
    base = HEIGHT - BOTTOM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Events per second over the number of contacts stored"><style>{style}</style>'
        f'<line x1="{LEFT}" y1="{base}" x2="{WIDTH - RIGHT}" y2="{base}"/>'
        f'<polyline points="{line}" fill="none" stroke-width="2"/>{marks}'
        f'<text x="{WIDTH / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">contacts stored</text>'
        f'<text x="16" y="{TOP - 10}">events per second</text></svg>\n'
    )
