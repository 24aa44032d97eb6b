"""How questions are put. The wordings of the splits are disjoint: none asked in training is asked in the test."""

from __future__ import annotations

import random
from dataclasses import dataclass

from bench.world.company import Entity
from bench.world.schema import Attribute

DONT_KNOW = "I don't know."
"""How an answer says that it has none."""

TRAIN = (
    "{what} is the {a} of {e}?",
    "Tell me the {a} of {e}.",
    "{what} is the {a} for {e}?",
    "I need the {a} of {e}.",
    "For {e}, {what_} is the {a}?",
    "Please give the {a} for {e}.",
    "Could you look up the {a} of {e}?",
    "State the {a} of {e}.",
    "{e}: {a}?",
    "Do you know the {a} of {e}?",
    "{what} is recorded as the {a} of {e}?",
    "Please find the {a} of {e}.",
    "{what} should I write down as {a} of {e}?",
    "Looking for the {a} of {e}.",
    "Name the {a} of {e}.",
    "Which {a} does {e} have?",
    "I was asked for the {a} of {e}. {what} is it?",
    "The {a} of {e} is needed for a form.",
    "Can I have the {a} of {e}?",
    "About {e}: {what_} is its {a}?",
)
DEVELOPMENT = (
    "Kindly share the {a} of {e}.",
    "{what} do we list as {a} for {e}?",
    "Remind me of the {a} of {e}.",
    "{what} would be the {a} of {e}?",
    "Search for the {a} of {e}.",
    "A colleague wants the {a} of {e}.",
)
TEST = (
    "{what} is the current {a} of {e}?",
    "Can you tell me the {a} of {e}?",
    "Give me the {a} of {e}, please.",
    "I would like to know the {a} of {e}.",
    "{what} does our documentation say is the {a} of {e}?",
    "Regarding {e}: {what_} is the {a}?",
    "Please tell me the {a} that {e} has.",
    "{what} is listed as the {a} of {e}?",
    "What do we have on file for {e} as {a}?",
    "A customer asks about {e}: {what_} is its {a}?",
    "Please look up {e} and report the {a}.",
    "In short, {what_} is the {a} of {e}?",
    "Help me find the {a} for {e}.",
    "Concerning {e}, I need the {a}.",
    "I forgot the {a} of {e}. {what} is it?",
    "{e} has which {a}?",
    "My manager wants the {a} of {e}.",
    "Quick question: {what_} is the {a} of {e}?",
    "Would you check the {a} of {e}?",
    "For my report I need the {a} of {e}.",
    "{what} is {e}'s {a}?",
    "Let me know the {a} for {e}.",
    "The {a} of {e}, please.",
    "According to our records, {what_} is the {a} of {e}?",
)
FRAMES = {"train": TRAIN, "development": DEVELOPMENT, "test": TEST}


@dataclass(frozen=True)
class Wording:
    """A question as put, and the name of its template."""

    text: str
    template: str


def ask(entity: Entity, attribute: Attribute, frame: str, rng: random.Random) -> Wording:
    """The question for one attribute of one entity in the given frame."""
    what = "Who" if attribute.kind == "person" else "What"
    phrase = rng.choice(attribute.phrases)
    text = frame.format(what=what, what_=what.lower(), a=phrase, e=entity.name)
    return Wording(text[0].upper() + text[1:], frame)
