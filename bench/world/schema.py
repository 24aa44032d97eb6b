"""What a company has: kinds of entities and the attributes each kind can have. One table, no code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Attribute:
    """Something that can be known of an entity."""

    name: str
    kind: str
    """A key of ``values.KINDS``."""
    phrases: tuple[str, ...]
    """The ways people name it, the first in documents and questions, the others in either."""
    section: str
    """Heading under which documents state it."""


@dataclass(frozen=True)
class EntityKind:
    """A kind of entity; ``form`` makes its name from an invented word or person."""

    name: str
    prefix: str
    """Begins the ids of its documents."""
    form: str
    roles: tuple[str, ...]
    """Who may read its documents; empty: everyone."""
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True)
class LinkKind:
    """How entities of one kind point to those of another. ``states`` has ``{e}`` and ``{t}``, ``asks`` has ``{e}``."""

    source: str
    target: str
    states: tuple[str, ...]
    asks: str
    """The target, named by its source alone: completes "the approval limit of ..."."""


LINK_KINDS: tuple[LinkKind, ...] = (
    LinkKind("product", "plan", ("{e} is sold under the {t}.", "The {t} covers {e}."), "the plan {e} is sold under"),
    LinkKind("plan", "policy", ("The {e} follows the {t}.", "The {t} binds the {e}."), "the policy the {e} follows"),
    LinkKind("policy", "person", ("{t} wrote the {e}.", "The {e} was written by {t}."), "the author of the {e}"),
    LinkKind("contract", "site", ("The {e} lies at the {t}.", "The {t} keeps the {e}."), "the site that keeps the {e}"),
    LinkKind("person", "product", ("{e} works on {t}.", "The work of {e} is {t}."), "the product {e} works on"),
    LinkKind("site", "plan", ("The {e} is on the {t}.", "The {t} serves the {e}."), "the plan the {e} is on"),
)
"""One for each kind of entity."""


def _kind(name: str, prefix: str, form: str, roles: tuple[str, ...], *rows: tuple[str, str, str]) -> EntityKind:
    """Rows are (section, value kind, phrases parted by '/')."""
    attributes = []
    for section, kind, phrases in rows:
        first, *others = phrases.split("/")
        attributes.append(Attribute(f"{name}.{first.replace(' ', '_')}", kind, (first, *others), section))
    return EntityKind(name, prefix, form, roles, tuple(attributes))


ENTITY_KINDS: tuple[EntityKind, ...] = (
    _kind(
        "product", "PRD", "{word}", (),
        ("Overview", "money", "list price/retail price"),
        ("Overview", "date", "launch date/release date"),
        ("Overview", "person", "product owner/product lead"),
        ("Service", "months", "warranty period/guarantee period"),
        ("Service", "tier", "support tier/support level"),
        ("Service", "code", "spare part code/part number"),
    ),
    _kind(
        "plan", "PLN", "{word} plan", (),
        ("Pricing", "money", "monthly fee/monthly charge"),
        ("Pricing", "percent", "annual discount/yearly discount"),
        ("Pricing", "code", "billing code/invoice code"),
        ("Limits", "seats", "seat limit/maximum seat count"),
        ("Limits", "hours", "response time/reply time"),
        ("Limits", "tier", "service tier/service level"),
    ),
    _kind(
        "policy", "POL", "{word} policy", (),
        ("Rules", "money", "approval limit/spending limit"),
        ("Rules", "days", "notice period/notice time"),
        ("Rules", "weekday", "submission day/filing day"),
        ("Administration", "person", "policy owner/policy keeper"),
        ("Administration", "date", "review date/revision date"),
        ("Administration", "months", "retention period/storage period"),
    ),
    _kind(
        "contract", "CTR", "{word} contract", ("sales", "finance"),
        ("Terms", "money", "annual value/yearly value"),
        ("Terms", "date", "renewal date/extension date"),
        ("Terms", "percent", "late fee/late charge"),
        ("Contacts", "person", "account manager/client manager"),
        ("Contacts", "place", "signing city/city of signature"),
        ("Contacts", "code", "reference number/file number"),
    ),
    _kind(
        "person", "EMP", "{person}", (),
        ("Work", "place", "home office/base office"),
        ("Work", "person", "line manager/direct manager"),
        ("Work", "date", "start date/entry date"),
        ("Details", "code", "badge number/pass number"),
        ("Details", "days", "holiday allowance/leave allowance"),
        ("Details", "weekday", "remote day/home working day"),
    ),
    _kind(
        "site", "SIT", "{word} site", ("facilities", "finance"),
        ("Building", "seats", "desk capacity/desk count"),
        ("Building", "date", "opening date/inauguration date"),
        ("Building", "person", "site manager/building manager"),
        ("Operations", "code", "door code/entry code"),
        ("Operations", "weekday", "cleaning day/maintenance day"),
        ("Operations", "money", "monthly rent/monthly lease"),
    ),
)  # fmt: skip
