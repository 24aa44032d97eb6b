"""IFEval's rules on what can be detected: placeholders, postscripts, lists, titles, sections, JSON."""

from __future__ import annotations

import json
import re

PLACEHOLDER = re.compile(r"\[[^\]\n]*+(\]?)")
"""From an opening bracket to the closing one, or to the end of a line that has none."""
STAR_BULLET = re.compile(r"^[^\S\n]*\*[^*].*", re.MULTILINE)
DASH_BULLET = re.compile(r"^[^\S\n]*-", re.MULTILINE)
ITALIC = re.compile(r"\*([^*\n]*)\*")
BOLD = re.compile(r"\*\*([^*\n]*)\*\*")
FENCE = re.compile(r"\A```(?:json|Json|JSON)?")
CHOICES = ("My answer is yes.", "My answer is no.", "My answer is maybe.")


def number_placeholders(text: str, *, num_placeholders: int) -> bool:
    """At least so many stretches in square brackets."""
    return sum(map(bool, PLACEHOLDER.findall(text))) >= num_placeholders


def postscript(text: str, *, postscript_marker: str) -> bool:
    """The marker (``P.S.``, ``P.P.S``) stands in the text; a space may follow each of its full stops."""
    letters = postscript_marker.strip().lower().split(".")
    return bool(re.search(r"\.\s?".join(map(re.escape, letters)), text.lower()))


def constrained_response(text: str) -> bool:
    """One of three answers stands in the text: yes, no, maybe, each as "My answer is yes."."""
    return any(choice in text for choice in CHOICES)


def number_bullet_lists(text: str, *, num_bullets: int) -> bool:
    """Exactly so many lines that begin with one asterisk or with a hyphen."""
    return len(STAR_BULLET.findall(text)) + len(DASH_BULLET.findall(text)) == num_bullets


def number_highlighted_sections(text: str, *, num_highlights: int) -> bool:
    """At least so many stretches of a line between asterisks, one or two at either end."""
    found = ITALIC.findall(text) + BOLD.findall(text)
    return sum(bool(inner.strip()) for inner in found) >= num_highlights


def title(text: str) -> bool:
    """A line holds a title as <<this one>>."""
    return any(_title(line) for line in text.split("\n"))


def _title(line: str) -> str:
    start, end = line.find("<<"), line.rfind(">>")
    return line[start : end + 2].lstrip("<").rstrip(">").strip() if 0 <= start < end - 2 else ""


def multiple_sections(text: str, *, section_spliter: str, num_sections: int) -> bool:
    """At least so many sections, each begun by this word and a number."""
    return len(re.findall(re.escape(section_spliter.strip()) + r"\s?\d+", text)) >= num_sections


def json_format(text: str) -> bool:
    """All of the text is JSON, be it in a Markdown fence."""
    try:
        json.loads(FENCE.sub("", text.strip()).removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True
