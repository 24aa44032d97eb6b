"""Plain words that every world uses: each a token or two, none more likely than another where they are drawn."""

from __future__ import annotations

import re

from bench.world.documents import FILLERS, PLAIN, TANGLED
from bench.world.messages import TOPICS
from bench.world.schema import ENTITY_KINDS
from bench.world.wording import TRAIN

_TEXTS = (
    *FILLERS,
    *PLAIN,
    *TANGLED,
    *TRAIN,
    *(topic.description for topic in TOPICS),
    *(core for topic in TOPICS for core in topic.train),
    *(phrase for kind in ENTITY_KINDS for attribute in kind.attributes for phrase in attribute.phrases),
)
WORDS = tuple(sorted({word for text in _TEXTS for word in re.findall(r"(?<![\w{])[a-z]{2,}(?![\w}])", text)}))
