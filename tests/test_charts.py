"""The chart of a summary tells what its words tell, in the same bytes every time, whatever names hold."""

import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from bot.charts import chart, drawable
from bot.summaries import DAYS
from tests.hostile import texts
from tests.oracle import unsafe
from tests.test_summary_cards import SUMMARY

ROOT = Path(__file__).parents[1]


def test_the_chart_is_a_small_png_named_after_its_day() -> None:
    file = chart(SUMMARY)

    width, height = struct.unpack(">II", file.content[16:24])
    assert file.name == "summary-2026-11-23-0730.png"
    assert file.content.startswith(b"\x89PNG\r\n\x1a\n")
    assert (width, height) == (1_200, 800)
    assert len(file.content) < 200_000


def test_the_same_figures_make_the_same_bytes() -> None:
    assert chart(SUMMARY) == chart(SUMMARY)
    assert b"matplotlib" not in chart(SUMMARY).content.lower()


def test_every_figure_makes_another_picture() -> None:
    days = (*SUMMARY.days[:-1], SUMMARY.days[-1] + 1)
    changed = [
        replace(SUMMARY, days=days),
        replace(SUMMARY, families=(("Emotet", 999), ("Lumma", 18))),
        replace(SUMMARY, families=(("Emotet", 1_000), ("Lumme", 18))),
        replace(SUMMARY, families=()),
        replace(SUMMARY, label=SUMMARY.label.CLEAR),
    ]

    assert len({chart(each).content for each in [SUMMARY, *changed]}) == 1 + len(changed)


def test_a_day_without_anything_can_be_drawn() -> None:
    empty = replace(SUMMARY, days=(0,) * DAYS, families=())

    assert chart(empty).content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "name",
    [
        "$\\frac{1}{0}$",
        "$",
        "$$$",
        "\\usepackage{x}",
        "x_{y}^2",
        "日本語",
        "🔴 name",
        "שלום",
        "\u202eevil",
        "{0} %s",
        "_nolegend_",
        "a" * 500,
        "",
    ],
)
def test_names_are_drawn_as_they_stand(name: str) -> None:
    assert chart(replace(SUMMARY, families=((name, 3), ("Emotet", 2)))).content.startswith(b"\x89PNG")


def test_mathematics_stays_text() -> None:
    """Read as a formula, the spaces would vanish from it and both would look the same."""
    wide, narrow = (replace(SUMMARY, families=((name, 3),)) for name in ("$x  y$", "$xy$"))

    assert chart(wide) != chart(narrow)


@settings(max_examples=20)
@given(texts)
def test_any_name_can_be_drawn_and_is_as_safe_as_in_the_message(name: str) -> None:
    assert chart(replace(SUMMARY, families=((name, 1),))).content.startswith(b"\x89PNG")
    assert unsafe({"text": drawable(name).replace("<", "").replace(">", "").replace("&", "")}) == []


def test_a_letter_without_a_shape_becomes_a_box() -> None:
    assert drawable("Lazarus 日本") == "Lazarus □□"


def test_nothing_global_is_kept_between_charts() -> None:
    chart(SUMMARY)

    assert "matplotlib.pyplot" not in sys.modules


def test_the_library_is_loaded_by_the_first_chart_only() -> None:
    code = "import sys, bot.charts; sys.exit('matplotlib' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=False).returncode == 0
