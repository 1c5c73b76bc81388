"""The page's HTML. Everything that comes from files is escaped here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from ..text import printable

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1f24; --dim: #667; --paper: #fff; --rule: #d8dbe0;
  --band: #9db8de; --line: #1f5fb8; --mark: #b3541e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6ea; --dim: #9aa; --paper: #16181c;
  --rule: #343840; --band: #33507c; --line: #7db0ff; --mark: #ffb27a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 78rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .75rem; border-bottom: 1px solid var(--rule); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .75rem; }
dt { color: var(--dim); font-size: .8rem; } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; } th, td { padding: .3rem .6rem; text-align: left; }
th { font-weight: 600; white-space: nowrap; } td { vertical-align: top; }
.files td { border-top: 1px solid var(--rule); white-space: nowrap; }
.panels td, .panels th { padding: .15rem; text-align: center; }
.panels th.prompt { position: sticky; left: 0; background: var(--paper); width: 9rem;
  min-width: 9rem; white-space: normal; text-align: left; font-weight: 400; font-size: .85rem; }
.panels { width: 100%; } .panels td { min-width: 7.5rem; max-width: 13rem; }
.panels img { width: 100%; max-width: 16rem; margin: auto; display: block; image-rendering: auto; }
.role { color: var(--mark); font-weight: 600; } .dim { color: var(--dim); font-size: .85rem; }
svg { width: 100%; min-width: 42rem; height: auto; display: block; }
svg text { fill: var(--dim); font-size: 12px; }
svg .name { fill: var(--ink); font-weight: 600; } svg .band { fill: var(--band); opacity: .55; }
svg .line { fill: none; stroke: var(--line); stroke-width: 2; }
svg line.epoch { stroke: var(--rule); } svg text.epoch { font-size: 10px; }
.pictures { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); }
.pictures figure { margin: 0; display: flex; gap: .75rem; }
.pictures img, .pictures .none { width: 7rem; height: 7rem; object-fit: contain; flex: none; }
.pictures figcaption { min-width: 0; overflow-wrap: anywhere; font-size: .9rem; }
pre { overflow-x: auto; padding: 1rem; border: 1px solid var(--rule); font-size: .85rem; }
"""
_NOTHING_FROM_OUTSIDE = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def document(*, title: str, sections: Sequence[tuple[str, str]]) -> str:
    """The whole page; of ``sections`` (heading, HTML) the empty ones are left out."""
    body = "".join(
        f"<section>{f'<h2>{text(heading)}</h2>' if heading else ''}{html}</section>\n"
        for heading, html in sections
        if html
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_NOTHING_FROM_OUTSIDE}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<h1>{text(title)}</h1>\n{body}</body>\n</html>\n"
    )


def text(words: str) -> str:
    """``words`` as HTML, with everything visible that would not be."""
    return escape(printable(words))


def paragraph(words: str) -> str:
    """One paragraph."""
    return f"<p>{text(words)}</p>"


def bullets(lines: Sequence[str]) -> str:
    """A list; empty for no lines."""
    items = "".join(f"<li>{text(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def facts(values: Mapping[str, str]) -> str:
    """Names with their values."""
    pairs = (
        f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in values.items()
    )
    return f"<dl>{''.join(pairs)}</dl>"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts."""
    if not rows:
        return paragraph("None yet.")
    first = "".join(f"<th>{text(head)}</th>" for head in heads)
    rest = "".join(f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return scrolling(f'<table class="files"><tr>{first}</tr>{rest}</table>')


def scrolling(html: str) -> str:
    """``html``, which is moved sideways where the window is narrower."""
    return f'<div class="wide">{html}</div>'


def panels(
    heads: Sequence[tuple[str, str]], rows: Sequence[tuple[str, Sequence[tuple[str, str]]]]
) -> str:
    """A grid: ``heads`` are (label, role) of the columns, ``rows`` (prompt, pictures), a picture
    (data URL, name)."""
    first = "".join(
        f'<th>{text(label)} <span class="role">{text(role)}</span></th>' for label, role in heads
    )
    rest = "".join(
        f'<tr><th class="prompt">{text(prompt)}</th>'
        + "".join(f"<td>{_image(url, name)}</td>" for url, name in pictures)
        + "</tr>"
        for prompt, pictures in rows
    )
    return scrolling(f'<table class="panels"><tr><th></th>{first}</tr>{rest}</table>')


def pictures(entries: Sequence[tuple[str, str, str, str]]) -> str:
    """Pictures with their captions: (data URL, name, figures, caption)."""
    figures = "".join(
        f"<figure>{_image(url, name) or '<div class=none></div>'}<figcaption>{text(caption)}"
        f'<div class="dim">{text(name)}<br>{text(size)}</div></figcaption></figure>'
        for url, name, size, caption in entries
    )
    return f'<div class="pictures">{figures}</div>'


def preformatted(words: str) -> str:
    """Text with its lines as they are."""
    return f"<pre>{escape(printable(words, keep_newlines=True))}</pre>"


def _image(url: str, name: str) -> str:
    return f'<img src="{escape(url)}" alt="{text(name)}" title="{text(name)}">' if url else ""
