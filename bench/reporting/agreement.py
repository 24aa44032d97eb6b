"""How far people's labels agree with each other and with the run's own measures, as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class AgreementRow:
    """Two raters on one question; finished words."""

    question: str
    raters: str
    n: int
    agreed: str
    kappa: str
    interval: str


def agreement_rows(agreement: Mapping[str, Any]) -> list[AgreementRow]:
    """Rows in the order of the file; none where nobody labelled."""
    return [
        AgreementRow(
            question=row["question"],
            raters=f"{row['first']} and {row['second']}",
            n=row["n"],
            agreed=f"{100 * row['agreed']:.0f} %",
            kappa=f"{row['kappa']:.2f}" if "kappa" in row else "–",
            interval=f"{row['low']:.2f} to {row['high']:.2f}" if "low" in row else row.get("reason", ""),
        )
        for row in agreement.get("pairs", ())
    ]
