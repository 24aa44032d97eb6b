"""Messages that people send to the company: tickets to be routed, and orders to be taken down."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from bench.world.names import Namer
from bench.world.values import KINDS

OPENERS = {
    "train": ("Hello,", "Hi there,", "Good morning,", "Dear team,", "Hi,", "Good day,", "Hello again,", ""),
    "development": ("Greetings,", "Hello all,", "Dear support,"),
    "test": ("Dear all,", "Good afternoon,", "Hey,", "Hello support,", "To whom it may concern,", "Good evening,"),
}


@dataclass(frozen=True)
class Topic:
    """A subject that messages have; the company decides which desk takes it."""

    name: str
    description: str
    """As a guide would put it."""
    train: tuple[str, ...]
    test: tuple[str, ...]


def _topic(name: str, description: str, train: str, test: str) -> Topic:
    return Topic(name, description, tuple(train.split(" / ")), tuple(test.split(" / ")))


TOPICS: tuple[Topic, ...] = (
    _topic(
        "billing", "invoices, charges and refunds",
        "the last invoice for {e} is wrong. / we were charged twice for {e}. / please send the invoice of {e} again. / "
        "when do I get the refund for {e}? / the amount on our bill for {e} is too high.",
        "our bill for {e} shows a charge we do not know. / I still wait for my refund on {e}. / "
        "can you correct the invoice for {e}? / there are two charges for {e} this month.",
    ),
    _topic(
        "fault", "faults, errors and crashes",
        "{e} shows an error at every start. / {e} crashed again today. / {e} stopped working after the update. / "
        "there is a fault in {e}. / an error message appears when we use {e}.",
        "since the update {e} crashes all the time. / we see an error whenever {e} starts. / "
        "{e} does not work any more. / please look at a fault that {e} has.",
    ),
    _topic(
        "delivery", "shipping, parcels and delivery",
        "our parcel with {e} has not arrived. / when will {e} be delivered? / the delivery of {e} is late. / "
        "please ship {e} to our new address. / the parcel for {e} came damaged.",
        "where is the parcel with {e}? / {e} should have been shipped last week. / "
        "the delivery for {e} never arrived. / can {e} be delivered to another address?",
    ),
    _topic(
        "access", "passwords, logins and accounts",
        "I cannot log in to {e}. / please reset my password for {e}. / my account for {e} is locked. / "
        "a new colleague needs a login for {e}. / the password of {e} has expired.",
        "my login to {e} fails. / I forgot the password for {e}. / please unlock our account for {e}. / "
        "we need an account for {e} for a new colleague.",
    ),
    _topic(
        "cancellation", "cancellations and ending a contract",
        "we want to cancel {e}. / please end our contract for {e}. / how do I cancel {e}? / "
        "this is our notice to end {e}. / please confirm that {e} is cancelled.",
        "I wish to end {e} this month. / please cancel {e} for us. / we give notice for {e}. / "
        "confirm the cancellation of {e}, please.",
    ),
    _topic(
        "sales", "offers, prices and new orders",
        "please make us an offer for {e}. / what would {e} cost for a larger team? / we want to buy more of {e}. / "
        "do you have a better price for {e}? / we plan to order {e}.",
        "can we get an offer for {e}? / our team wants to buy {e}. / at which price could we order {e}? / "
        "we think of ordering more of {e}.",
    ),
    _topic(
        "training", "courses, manuals and training",
        "do you offer a course on {e}? / we need training for {e}. / where is the manual of {e}? / "
        "our staff wants to learn to use {e}. / please send the handbook for {e}.",
        "is there a manual for {e}? / my team needs a course for {e}. / how can we learn to use {e}? / "
        "please book a training on {e} for us.",
    ),
    _topic(
        "privacy", "personal data and privacy",
        "please delete my personal data from {e}. / which personal data does {e} store? / "
        "I have a privacy question on {e}. / send me the data that {e} holds on me. / who can see my data in {e}?",
        "does {e} store personal data of mine? / I want my data in {e} deleted. / "
        "this is a privacy request on {e}. / who has seen my personal data in {e}?",
    ),
)  # fmt: skip


def ticket(topic: Topic, entity: str, split: str, rng: random.Random) -> tuple[str, str]:
    """A message on the topic about the entity, and the name of its template."""
    core = rng.choice(topic.test if split == "test" else topic.train)
    return put(core, entity, split, rng), f"{topic.name}: {core}"


def put(core: str, entity: str, split: str, rng: random.Random) -> str:
    """A message with this core, opened as messages of the split are."""
    text = f"{rng.choice(OPENERS[split])} {core}".strip().format(e=entity)
    return text[0].upper() + text[1:]


ORDER_PARTS: dict[str, dict[str, tuple[str, ...]]] = {
    "person": {
        "train": ("my name is {v}.", "this is {v}.", "{v} writing.", "I am {v}.", "{v} here."),
        "test": ("you are reading a note from {v}.", "{v} is my name.", "here is {v}."),
    },
    "code": {
        "train": ("It is about order {v}.", "The order number is {v}.", "I write on order {v}.", "Order {v} is meant."),
        "test": ("Our order has the number {v}.", "Please see order {v}.", "This concerns order {v}."),
    },
    "money": {
        "train": ("We paid {v}.", "The sum was {v}.", "It came to {v}.", "You charged {v}.", "I sent you {v}."),
        "test": ("The price was {v}.", "In all we paid {v}.", "It cost us {v}."),
    },
    "date": {
        "train": ("We bought it on {v}.", "It was ordered on {v}.", "The date was {v}.", "That was on {v}."),
        "test": ("We placed it on {v}.", "The purchase was on {v}.", "It dates from {v}."),
    },
    "weekday": {
        "train": ("Please call on {v}.", "{v} suits us for a call.", "You can reach me on {v}."),
        "test": ("A call on {v} would be fine.", "I am at my desk on {v}.", "Try me on {v}."),
    },
}


@dataclass(frozen=True)
class Order:
    """A message and what stands in it; a part that is not there is ``None``."""

    text: str
    values: Mapping[str, str | None]
    """Value kind → value as written."""
    template: str


def order(split: str, rng: random.Random, namer: Namer, absent: float = 0.2) -> Order:
    """A message about an order in which each part is missing with the chance ``absent``."""
    wording = "test" if split == "test" else "train"
    values: dict[str, str | None] = {}
    sentences, template = [], []
    for kind, wordings in ORDER_PARTS.items():
        if rng.random() < absent:
            values[kind] = None
            continue
        values[kind] = KINDS[kind].draw(rng, namer)
        number = rng.randrange(len(wordings[wording]))
        sentences.append(wordings[wording][number].format(v=values[kind]))
        template.append(f"{kind}{number}")
    head, tail = sentences[:1], sentences[1:]
    rng.shuffle(tail)
    text = " ".join([rng.choice(OPENERS[split]), *head, *tail]).strip()
    return Order(text, values, "+".join(sorted(template)))


@dataclass(frozen=True)
class Orders:
    """A message about several orders by one person."""

    text: str
    person: str | None
    orders: tuple[Mapping[str, str | None], ...]
    """Of each order: value kind → value as written."""
    template: str


def orders(split: str, rng: random.Random, namer: Namer, absent: float = 0.2) -> Orders:
    """A message about two or three orders. Of each the number stands there, the sum and the date may be missing."""
    wording = "test" if split == "test" else "train"
    sentences, template = [], []

    def drawn(kind: str, missing: bool) -> str | None:
        if missing:
            return None
        value = KINDS[kind].draw(rng, namer)
        number = rng.randrange(len(ORDER_PARTS[kind][wording]))
        sentences.append(ORDER_PARTS[kind][wording][number].format(v=value))
        template.append(f"{kind}{number}")
        return value

    name = drawn("person", rng.random() < absent)
    parts = [
        {kind: drawn(kind, kind != "code" and rng.random() < absent) for kind in ("code", "money", "date")}
        for _ in range(rng.randint(2, 3))
    ]
    text = " ".join([rng.choice(OPENERS[split]), *sentences]).strip()
    return Orders(text, name, tuple(parts), "+".join(template))
