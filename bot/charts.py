"""Charts: the trend of a summary as a small picture, with the same figures that its words tell.

Drawn by matplotlib (https://matplotlib.org) without pyplot: nothing is kept between two charts, and the same
summary gives the same bytes. What others wrote is drawn as it stands: no mathematics, and a box for every
letter without a shape.
"""

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

from bot.attachments import Attachment
from bot.layout import words
from bot.summaries import Summary
from bot.summary_cards import day_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH = 6.0  # inches; so narrow that a phone shows the letters in a readable size
_DAYS_HEIGHT = 2.4
_FAMILY_HEIGHT = 0.3  # of each
_DOTS_PER_INCH = 200
_MAX_NAME = 32
_MOST_FAMILIES = 5
_DAY = "#1d4ed8"
_BEFORE = "#93b4e8"
_INK = "#1f2933"


def chart(summary: Summary) -> Attachment:
    """A PNG: reports a day, and the families of the last one. The label stands in it, for pictures travel."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    families = summary.families[:_MOST_FAMILIES]
    heights = [_DAYS_HEIGHT, *([0.6 + _FAMILY_HEIGHT * len(families)] if families else [])]
    figure = Figure(figsize=(_WIDTH, 0.4 + sum(heights)), dpi=_DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(str(summary.label), x=0.01, ha="left", fontsize=11, fontweight="bold", color=_INK)
    panels = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    _draw_days(panels[0].subplots(), summary)
    if families:
        _draw_families(panels[1].subplots(), families)
    picture = BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return Attachment(f"summary-{summary.bounds[-1]:%Y-%m-%d-%H%M}.png", picture.getvalue())


def _draw_days(axes: "Axes", summary: Summary) -> None:
    places = range(len(summary.days))
    colours = [_BEFORE] * (len(summary.days) - 1) + [_DAY]
    bars = axes.bar(places, summary.days, color=colours, width=0.7)
    axes.bar_label(bars, labels=[f"{number:,}" for number in summary.days], fontsize=9, color=_INK, padding=2)
    axes.set_xticks(places, [name.replace(" ", "\n", 1) for name in day_names(summary)], fontsize=9)
    _plain(axes, "New reports a day")
    axes.set_ylim(0, (max(summary.days) or 1) * 1.12)
    axes.yaxis.set_visible(False)


def _draw_families(axes: "Axes", top: Sequence[tuple[str, int]]) -> None:
    numbers = [number for _, number in top]
    bars = axes.barh(range(len(top)), numbers, color=_DAY, height=0.6)
    axes.bar_label(bars, labels=[f"{number:,}" for number in numbers], fontsize=9, color=_INK, padding=3)
    axes.set_yticks(range(len(top)), [drawable(name) for name, _ in top], fontsize=9, parse_math=False)
    _plain(axes, "Top families of the day")
    axes.set_xlim(0, max(numbers) * 1.15)
    axes.invert_yaxis()
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)


def _plain(axes: "Axes", title: str) -> None:
    axes.set_title(title, loc="left", fontsize=10, color=_INK)
    axes.tick_params(length=0, colors=_INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#c5ced8")


def drawable(name: str) -> str:
    """A name as it can be drawn: as safe as in the message, short, with a box for what has no shape."""
    return "".join(each if ord(each) in _shapes() else "□" for each in words(name, at_most=_MAX_NAME).text)


@cache
def _shapes() -> frozenset[int]:
    """Code points that the font which comes with matplotlib can draw."""
    from matplotlib import font_manager, ft2font  # noqa: PLC0415

    path = font_manager.findfont("DejaVu Sans", fallback_to_default=False)
    return frozenset(ft2font.FT2Font(path).get_charmap())
