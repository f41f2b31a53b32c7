"""One HTML page that opens offline: headings, sentences, tables and inline SVG, no script and nothing to load."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; color: #222;
  background: #fff; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.2rem; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 13px; display: block; overflow-x: auto; }
th, td { padding: 3px 9px; text-align: right; border-bottom: 1px solid #eee; white-space: nowrap; }
th { background: #f4f4f4; vertical-align: bottom; white-space: normal; min-width: 3.5rem; }
.words { text-align: left; } td.words:last-child { white-space: normal; }
figure { margin: 1rem 0; } figcaption { color: #555; max-width: 760px; } svg { max-width: 100%; height: auto; }
code { background: #f4f4f4; padding: 0 3px; }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """The whole document; ``parts`` come from the functions below."""
    return (
        f"<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{_STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def heading(words: str) -> str:
    return f"<h2>{escape(words)}</h2>"


def sentence(words: str) -> str:
    return f"<p>{escape(words)}</p>"


def command(words: str) -> str:
    return f"<p><code>{escape(words)}</code></p>"


def figure(svg: str, caption: str) -> str:
    """svg : an ``svg`` element, as the functions of ``charts`` return it."""
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """None is shown as a dash, a number with four digits; columns of words are aligned on the left."""
    cells = [tuple(row) for row in rows]
    kinds = [_kind([row[column] for row in cells]) for column in range(len(head))]

    def line(tag: str, row: Sequence[object]) -> str:
        return "".join(f"<{tag}{kind}>{escape(_shown(cell))}</{tag}>" for cell, kind in zip(row, kinds, strict=True))

    body = "".join(f"<tr>{line('td', row)}</tr>" for row in cells)
    return f"<table><tr>{line('th', head)}</tr>{body}</table>"


def share(value: float | None, interval: Sequence[float] | None = None) -> str:
    """In per cent, with its interval."""
    if value is None:
        return "–"
    return f"{100 * value:.1f} %" + (f" ({100 * interval[0]:.1f}–{100 * interval[1]:.1f})" if interval else "")


def _kind(column: Sequence[object]) -> str:
    words = any(isinstance(cell, str) and not cell[:1].isdigit() and cell != "–" for cell in column)
    return " class='words'" if words else ""


def _shown(cell: object) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.4g}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
