"""HTML to text that keeps what retrieval needs: headings as '#' lines, lists, and tables as rows of pipes."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_DROPPED = frozenset({"script", "style", "nav", "noscript", "template", "svg"})
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "br", "dd", "div", "dl", "dt", "fieldset", "figcaption"}
    | {"figure", "footer", "form", "header", "hr", "html", "li", "main", "ol", "p", "pre", "section", "table"}
    | {"tbody", "td", "tfoot", "th", "thead", "tr", "ul"}
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})


def html_to_text(html: str) -> tuple[str, str]:
    """``(title, text)``: the title is the ``<title>``, else the first heading, else empty."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    parser.end_table()
    lines = [re.sub(r"[^\S\n]+", " ", line).strip() for line in "".join(parser.out).split("\n")]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    heading = next((line.lstrip("#").strip() for line in lines if re.match(r"#{1,6} \S", line)), "")
    return " ".join("".join(parser.title).split()) or heading, text


class _Parser(HTMLParser):
    """Collects text in ``out``; a table is gathered row by row and written when it ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.title: list[str] = []
        self.dropped: list[str] = []
        self.rows: list[list[str]] = []
        self.tables = 0
        self.in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self.dropped.append(tag)
        elif self.dropped:
            return
        elif tag == "title":
            self.in_title = True
        elif tag == "table":
            self.tables += 1
        elif self.tables:
            self._in_table(tag)
        elif tag in _HEADINGS:
            self.out.append("\n\n" + "#" * int(tag[1]) + " ")
        elif tag == "li":
            self.out.append("\n- ")
        elif tag in _BLOCKS:
            self.out.append("\n" if tag in ("br", "dd", "dt") else "\n\n")

    def _in_table(self, tag: str) -> None:
        if tag == "tr" and self.tables == 1:
            self.rows.append([])
        elif tag in ("td", "th") and self.tables == 1:
            if not self.rows:
                self.rows.append([])
            self.rows[-1].append("")
        elif tag in _BLOCKS or tag in _HEADINGS:
            self.handle_data(" ")  # a nested table, or blocks in a cell, stay in that cell

    def handle_endtag(self, tag: str) -> None:
        if tag in self.dropped:
            while self.dropped.pop() != tag:
                pass
        elif self.dropped:
            return
        elif tag == "title":
            self.in_title = False
        elif tag == "table" and self.tables:
            self.tables -= 1
            if not self.tables:
                self.end_table()
        elif not self.tables and (tag in _BLOCKS or tag in _HEADINGS):
            self.out.append("\n" if tag == "li" else "\n\n")

    def handle_data(self, data: str) -> None:
        if self.dropped:
            return
        if self.in_title:
            self.title.append(data)
        elif not self.tables:
            self.out.append(re.sub(r"\s+", " ", data))
        elif self.rows and self.rows[-1]:
            self.rows[-1][-1] += data
        elif data.strip():  # a caption stands above its table
            self.out.append("\n\n" + " ".join(data.split()))

    def end_table(self) -> None:
        """Write the gathered rows; also called at the end of a page that never closed its table."""
        rows = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in self.rows if row]
        if rows:
            self.out.append("\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n\n")
        self.rows = []
