"""Files to documents, and one line for everything that can be wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from systems.base import UserError
from systems.knowledge.html_text import html_to_text
from systems.knowledge.reading import read_corpus


def pdf(text: str) -> bytes:
    """A one-page PDF, written by hand."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    return body + b"xref\n0 6\n0000000000 65535 f \n" + table + trailer


def test_a_directory_of_every_kind(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "plan.md").write_text("Before.\n\n## The *plan* ##\n\nText.\n")
    (tmp_path / "a.txt").write_text("Plain text.")
    (tmp_path / "c.PDF").write_bytes(pdf("Hello page"))
    (tmp_path / "d.html").write_text("<html><title>Web</title><body><p>Body</p></body></html>")
    (tmp_path / "e.jsonl").write_text(
        '{"_id": 7, "text": "seven", "metadata": {}}\n\n{"id": "x", "text": "t", "title": "T"}'
    )
    (tmp_path / "image.png").write_bytes(b"\x89PNG")
    (tmp_path / ".hidden.md").write_text("# no")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.md").write_text("# no")
    found = [(d.id, d.title, d.text.strip()) for d in read_corpus(tmp_path)]
    assert found == [
        ("a.txt", "a", "Plain text."),
        ("b/plan.md", "The *plan*", "Before.\n\n## The *plan* ##\n\nText."),
        ("c.PDF", "c", "Hello page"),
        ("d.html", "Web", "Body"),
        ("7", "", "seven"),
        ("x", "T", "t"),
    ]
    assert read_corpus(tmp_path)[4].metadata == {"source": "e.jsonl"}
    assert read_corpus(tmp_path / "a.txt")[0].id == "a.txt"


def test_front_matter_is_metadata(tmp_path: Path) -> None:
    (tmp_path / "p.md").write_text(
        "---\ntitle: Leave\ntype: policy\nversion: 3\ndate: 2026-01-31\nroles: [hr, legal]\n"
        "owner: {name: Ada}\n---\n# Other\n"
    )
    (document,) = read_corpus(tmp_path)
    assert document.title == "Leave"
    assert document.text == "# Other\n"
    assert document.metadata == {
        "source": "p.md",
        "type": "policy",
        "version": 3,
        "date": "2026-01-31",
        "roles": ["hr", "legal"],
        "owner": {"name": "Ada"},
    }


def test_a_rule_further_down_is_not_front_matter(tmp_path: Path) -> None:
    (tmp_path / "p.md").write_text("# Title\n---\ntype: policy\n---\n")
    assert read_corpus(tmp_path)[0].metadata == {"source": "p.md"}


@pytest.mark.parametrize(
    ("front", "message"),
    [
        ("roles:", r"roles=None must be a list of names; \[\] is everyone"),
        ("roles: [1]", "must be a list of names"),
        ("role: hr", "role is not a known key"),
        ("version: 1.5", "version=1.5 must be a whole number"),
        ("version: true", "version=True must be a whole number"),
        ("date: last week", "must be an ISO date"),
        ("type: 3", "type=3 must be text"),
        ("a: [", "front matter is not YAML"),
        ("just words", "must be 'key: value' lines"),
    ],
)
def test_wrong_front_matter(tmp_path: Path, front: str, message: str) -> None:
    (tmp_path / "p.md").write_text(f"---\n{front}\n---\ntext\n")
    with pytest.raises(UserError, match=message) as caught:
        read_corpus(tmp_path)
    assert str(caught.value).startswith(str(tmp_path / "p.md"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"caf\xe9", "not UTF-8 at byte 3"),
        ("a.txt", b" \n", "no text in it"),
        ("a.pdf", b"%PDF-1.4 broken", "unreadable PDF"),
        ("a.jsonl", b'{"id": "1", "text": "x"}\n{"id": "2", "text": ', r"a\.jsonl:2: not JSON"),
        ("a.jsonl", b'{"text": "x"}', r"a\.jsonl:1: id must be text or a number"),
        ("a.jsonl", b'{"id": "1"}', r"a\.jsonl:1: text must be text"),
        ("a.jsonl", b'["1"]', "must be an object"),
        ("a.jsonl", b'{"id": "1", "text": "x", "roles": ["hr"]}', "unknown key 'roles'; put it under metadata"),
        ("a.jsonl", b'{"id": "1", "text": "x"}\n{"id": "1", "text": "y"}', r"a\.jsonl:2: duplicate document id '1'"),
        ("a.docx", b"x", "no documents in it; it may hold .md"),
    ],
)
def test_wrong_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        read_corpus(tmp_path)
    assert "\n" not in str(caught.value)


def test_missing_empty_and_unreadable_corpus(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no documents in it"):
        read_corpus(tmp_path)
    with pytest.raises(UserError, match="no such file or directory"):
        read_corpus(tmp_path / "none")
    (tmp_path / "a.docx").write_text("x")
    with pytest.raises(UserError, match="must be a directory or one of"):
        read_corpus(tmp_path / "a.docx")


@pytest.mark.parametrize("target", ["secret.md", "secrets", "gone.md"])
def test_links_out_of_the_corpus_are_refused(tmp_path: Path, target: str) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.md").write_text("text")
    (tmp_path / "secret.md").write_text("secret")
    (tmp_path / "secrets").mkdir()
    (corpus / "link.md").symlink_to(tmp_path / target)
    with pytest.raises(UserError, match="a link that leaves the corpus"):
        read_corpus(corpus)


def test_links_inside_the_corpus_do_not_double(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("text")
    (tmp_path / "b.md").symlink_to(tmp_path / "a.md")
    assert [d.id for d in read_corpus(tmp_path)] == ["a.md"]


def test_html_keeps_headings_lists_and_tables() -> None:
    title, text = html_to_text(
        "<head><style>p{}</style></head><nav><ul><li>Menu</ul></nav><h1>Leave &amp; rest</h1><p>One <b>bold</b>\n line."
        "<ul><li>first</li><li>second</li></ul><table><caption>Days</caption><tr><th>Plan<th>Days</tr>"
        "<tr><td>A|B<td><p>5</p><p>days</p></tr></table><script>if (a < b) alert('<p>x')</script><h3>After</h3>end"
    )
    assert title == "Leave & rest"
    assert text == (
        "# Leave & rest\n\nOne bold line.\n\n- first\n\n- second\n\nDays\n\n| Plan | Days |\n| A\\|B | 5 days |\n\n"
        "### After\n\nend"
    )


def test_html_that_is_cut_off_loses_no_table() -> None:
    assert html_to_text("<table><tr><td>a<td>b")[1] == "| a | b |"
    assert html_to_text("<table><tr><td>a<table><tr><td>in</table><td>b</table>")[1] == "| a in | b |"
