"""Chunks: worked out by hand, and no text ever lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from systems.base import Chunk, Document, UserError
from systems.knowledge.chunking import ByHeadings, BySentences, ByTokens, Chunker
from systems.knowledge.spans import TABLE, TOKEN, sections

PIECES = st.sampled_from(
    [
        "word ",
        "two words. ",
        "End! ",
        "e.g. this",
        "\n",
        "\n\n",
        "# Head\n",
        "## Sub head\n",
        "| a | b |\n",
        "|---|\n",
        "| cell.  Next? |\n",
        "  ",
        "```\n# code\n```\n",
        "- item\n",
        "ü€\u2028",
        "3.5 ",
        "()",
        '"Quoted." He',
        "\r\n",
        "_x_",
    ]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=40).map("".join), st.text(max_size=200))


def document(text: str, title: str = "Doc") -> Document:
    return Document(id="d", title=title, text=text, metadata={"version": 2, "roles": ["hr"]})


def texts(chunks: list[Chunk]) -> list[str]:
    return [chunk.text for chunk in chunks]


def squeezed(text: str) -> str:
    return "".join(text.split())


def body(text: str) -> list[str]:
    """The text but for the headings that a chunk's title says; what is left out has to stand in the path."""
    for section in sections(text):
        left_out = [line.lstrip("#").strip() for line in text[section.start : section.body].splitlines()]
        assert {line for line in left_out if line} <= set(section.path)
    return [text[section.body : section.end] for section in sections(text)]


def length(text: str) -> int:
    return len(TOKEN.findall(text))


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.integers(1, 12))
def test_without_overlap_the_chunks_are_the_text(text: str, size: int) -> None:
    chunkers: list[Chunker] = [
        ByTokens(size=size, overlap=0),
        BySentences(size=size, overlap_sentences=0),
        ByHeadings(size=size),
    ]
    for chunker in chunkers:
        chunks = chunker.chunk(document(text))
        kept = "".join(body(text)) if isinstance(chunker, ByHeadings) else text
        assert squeezed("".join(texts(chunks))) == squeezed(kept)
        assert [chunk.id for chunk in chunks] == [f"d#{number}" for number in range(len(chunks))]


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.integers(2, 12), st.integers(0, 11))
def test_chunks_fit_and_tables_stay_whole(text: str, size: int, overlap: int) -> None:
    chunkers: list[Chunker] = [
        ByTokens(size=size, overlap=min(overlap, size - 1)),
        BySentences(size=size, overlap_sentences=overlap),
        ByHeadings(size=size),
    ]
    tables = [table for match in TABLE.finditer(text) if (table := match.group().strip())]
    for chunker in chunkers:
        found = texts(chunker.chunk(document(text)))
        for table in tables:
            assert any(table in chunk for chunk in found)
        for chunk in found:
            assert length(chunk) <= size or any(table in chunk for table in tables)
        squeezed_text = squeezed(text)
        assert all(squeezed(chunk) in squeezed_text for chunk in found)


def test_tokens_by_hand() -> None:
    chunks = ByTokens(size=4, overlap=1).chunk(document("one two, three four five six."))
    # tokens: one | two | , | three | four | five | six | .
    assert texts(chunks) == ["one two, three", "three four five six", "six."]
    assert {chunk.title for chunk in chunks} == {"Doc"}
    assert chunks[0].document == "d"
    assert chunks[0].metadata == {"version": 2, "roles": ["hr"]}


def test_sentences_by_hand() -> None:
    text = 'First one here. "Second (e.g. this)." Third 3.5 one!\n\nfourth without end\n- item one\n- item two'
    # 4, 11, 6, 3, 3 and 3 tokens
    assert texts(BySentences(size=11, overlap_sentences=0).chunk(document(text))) == [
        "First one here.",
        '"Second (e.g. this)."',
        "Third 3.5 one!\n\nfourth without end",
        "- item one\n- item two",
    ]
    assert texts(BySentences(size=8, overlap_sentences=1).chunk(document("A b. C d. E f. G h."))) == [
        "A b. C d.",
        "C d. E f.",
        "E f. G h.",
    ]


def test_a_long_sentence_is_cut() -> None:
    assert texts(BySentences(size=3, overlap_sentences=0).chunk(document("a b c d e f g"))) == ["a b c", "d e f", "g"]


POLICY = """# Leave policy

## Carry-over

Five days.

```
# not a heading
```

## Sick leave
### Notice

Call by nine. Then write.

# Annex
| a | b |
|---|---|
| # | 2 |
"""


def test_headings_by_hand() -> None:
    chunks = ByHeadings(size=100).chunk(document(POLICY, title="Leave policy"))
    assert [(chunk.title, chunk.text.splitlines()[0], chunk.text.splitlines()[-1]) for chunk in chunks] == [
        ("Leave policy - Carry-over", "Five days.", "```"),
        ("Leave policy - Sick leave - Notice", "Call by nine. Then write.", "Call by nine. Then write."),
        ("Leave policy - Annex", "| a | b |", "| # | 2 |"),
    ]


def test_long_sections_are_cut_between_sentences() -> None:
    chunks = ByHeadings(size=5).chunk(document("# T\nOne two three. Four five six.", title="T"))
    assert texts(chunks) == ["One two three.", "Four five six."]
    assert {chunk.title for chunk in chunks} == {"T"}


def test_text_before_the_first_heading_and_headings_at_the_end_are_kept() -> None:
    assert [(s.path, s.start) for s in sections("intro\n# A\ntext\n# B\n")] == [((), 0), (("A",), 6), (("B",), 15)]
    assert sections(" \n") == []


@pytest.mark.parametrize("chunker", [ByTokens(), BySentences(), ByHeadings()])
def test_an_empty_text_has_no_chunks(chunker: Chunker) -> None:
    assert chunker.chunk(document(" \n\n ")) == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ByTokens(size=0), "chunking.size=0"),
        (lambda: ByTokens(size=8, overlap=8), "chunking.overlap=8: must be 0 or more and less than size=8"),
        (lambda: BySentences(overlap_sentences=-1), "chunking.overlap_sentences=-1"),
        (lambda: ByHeadings(size=-1), "chunking.size=-1"),
    ],
)
def test_wrong_settings_name_their_key(make: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        make()  # type: ignore[operator]
