"""The forms that an abstention takes, as patterns over the words of a clause: small letters, no punctuation.

Which subject is declined does not matter ("the fee is not stated", "the owner is not stated"). Words that may just as
well be part of an answer ("breakfast is not included", "the plan is not available") count only where what is missing
is information, or is missing from the sources.
"""

from __future__ import annotations

ABLE = (
    r"(?:answer|determine|find|tell|say|provide|confirm|help|locate|identify|verify|know|give|share|disclose|reveal"
    r"|infer|establish)\b"
)
SOURCE = (
    r"(?:passages?|contexts?|sources?|information|documents?|texts?|excerpts?|materials?|documentation|snippets?"
    r"|records|search results|knowledge base)\b"
)
PAPER = r"(?:" + SOURCE + r"|(?:contract|policy|page|article|manual|report|agreement|website|guide|handbook)s?\b)"
GIVEN = (
    r"(?:(?:the|this|these|those|my|your|our|any of the|none of the) )?"
    r"(?:(?:provided|given|available|supplied|retrieved) )?"
)
SILENT = r"(?:say|state|mention|contain|provide|specify|include|give|answer|cover|tell|indicate|name|list)"
TELL = r"(?:say|state|mention|specify|tell(?! \w+ to\b)|indicate|disclose|make clear)"
INFORMATION = (
    r"(?:information|data|details?|evidence|answers?|mention|indications?|references?|context|clues?|specifics)"
)
ATTRIBUTE = (
    r"(?:information|data|details?|answer|date|day|fee|price|cost|charge|amount|number|code|name|address|value|figure"
    r"|rate|percentage|limit|period|time|duration|length|deadline|term|tier|level|city|place|location|version|size"
    r"|total|salary|reason|identity|allowance)"
)
ROLE = r"(?:owner|manager|author|holder|contact|person|name)"
ASKED = r"(?:who|whom|whose|what|which|when|where|why|how|whether|if)\b"
ADVERB = (
    r"(?:(?:explicitly|directly|specifically|clearly|currently|actually|simply|publicly|really|yet|entirely|further"
    r"|otherwise|ever) )?"
)
SUBJECT = (
    r"(?:(?!(?:is|was|are|were|be|been|has|have|had|but|if|who|which|because|costs?|ends?|lasts?)\b)[^\W\d]\w* )"
    r"(?:(?!(?:is|was|are|were|be|been|has|have|had|but|who|which|because|costs?|ends?|lasts?)\b)\w+ ){0,13}?"
)
"""What is not told: no verb of an assertion before, and no value to begin with."""
THING = (
    r"(?:it|this|that|(?:the |this |that )?(?:requested |relevant |exact |specific )*(?:answer|information|question)) "
)
PART = r"(?:the|its|his|her|their|this|that|any|an?) (?:(?!(?:is|was|are|were|has|have|had)\b)\w+ ){0,6}?"
NAMED = PART + ATTRIBUTE + r" (?:(?:of|for|on|about) (?:(?!(?:is|was|are|were|has|have|had)\b)\w+ ){1,8}?)?"
"""An attribute, of something or not."""
PERSON = NAMED.replace(ATTRIBUTE, ROLE)
NOT = r"(?:(?:is|was|are|were) (?:not|nowhere|never)|(?:has|have) (?:not|never) been) " + ADVERB
WITHIN = r"(?:anywhere )?(?:in|by|from|within|on|with|among|to) (?:\w+ ){0,4}?" + SOURCE
ASIDE = (
    r"(?: (?:at all|anywhere|here|there|yet|explicitly|clearly|publicly|to (?:me|us)|either"
    r"|at (?:this|the) (?:time|moment)|so|and|or|nor|because|since|as the|as there))*"
)
STOP = r"(?:so|and|or|nor|because|since|as|" + WITHIN + r")"
CLOSED = ASIDE + r"(?=$| " + STOP + r")"
"""Nothing more is said of it, but where it was looked for."""
OPEN = (
    ASIDE + r"(?=$| (?:" + STOP + r"|(?:for|of|about|on|regarding|concerning|as to|from|anywhere"
    r"|in (?:the|this|these|any|either|that|your|my|our)|by (?:the|this|these|any|either)|" + ASKED + r")\b))"
)
"""What is missing may be said too."""

WHOLE = (
    r"unknown(?: " + WITHIN + r")?",
    r"not known",
    r"n/?a",
    r"(?:no answer|answer not found)",
    r"unanswerable",
    r"(?:i am )?(?:not (?:sure|certain)|unsure|uncertain)",
    r"(?:i am )?(?:so |very )?sorry",
    r"(?:my |i )?apolog(?:ies|i[sz]e)",
    r"idk",
    r"(?:i )?dunno",
    r"(?:beats|search) me",
    r"who knows",
    r"no (?:information|data|details)",
)
"""Forms that abstain only where they are all that is said: in a sentence they may be part of an assertion."""

OPENING = (
    r"i (?:really |simply |just |honestly )*"
    r"(?:do not|cannot|could not) (?:actually |currently |really )?know\b"
    r"(?! about (?!it\b|that\b|this\b))",
    r"(?:i (?:have|know|see|found|find) )(?:absolutely )?(?:no (?:idea|clue|knowledge|records?|access"
    r"|way (?:to|of) (?:tell|know|say|find|determin)\w*|" + INFORMATION + r")\b|nothing (?:of|about|on)\b)",
    r"(?:absolutely )?no (?:idea|clue)(?=$| (?:sorry|about|" + ASKED + r"))",
    r"i (?:do not|did not) (?:currently |really |actually )?(?:have|find|see) "
    r"(?:it\b|(?:any|the|that|this|those|enough|sufficient|access)\b)",
    r"i (?:cannot|could not|am not able to|am unable to|was unable to|was not able to"
    r"|am not (?:allowed|permitted|authori[sz]ed|in a position) to) (?:reliably |accurately |directly )?" + ABLE,
    r"i (?:am|was) (?:not (?:sure|certain)|unsure|uncertain) (?:about |of |as to )?" + ASKED,
    r"i am not aware of\b",
    r"(?:i (?:would|will)? ?(?:need|require) )?(?:more|further|additional) (?:information|context|details?|data)"
    r"(?: (?:is|are|would be) (?:needed|required|necessary)\b"
    r"|(?= (?:to|before i can) (?:answer|say|tell|determine)\b))",
    r"that is (?:not something i|something i (?:do not|cannot)) (?:can\b|know\b|answer\b)",
    r"(?:there (?:is|was|are|were) )?(?:no|not any) (?:\w+ )?"
    + INFORMATION
    + r"(?! (?:\w+ ){0,6}?(?:needed|required|necessary)\b)(?=$| (?:about|on|regarding|concerning|of"
    r"|in|within|for|as to|here|there|and|so|provided|given|available|found)\b"
    r"| to (?:answer|say|tell|determine|go on|suggest|support)\b"
    r"| (?:\w+ ){0,6}?(?:is|was|are|were|has been|have been|can be) "
    r"(?:available|given|provided|found|stated|mentioned|included|present)\b)",
    r"(?:there (?:is|was|are) )?(?:not (?:enough|sufficient)|insufficient) " + INFORMATION,
    r"there (?:is|was) nothing (?:\w+ )?(?:about|on|in|regarding)\b",
    r"(?:there is )?no way (?:to|of) (?:tell|know|say|determin)\w*",
    r"(?:it is )?(?:impossible|not possible) (?:for me )?to "
    r"(?:say|tell|determine|know|answer|infer|identify|establish)\b",
    r"(?:there (?:is|was) )?nothing (?:in|within) " + GIVEN + PAPER + r" (?:\w+ )?" + SILENT,
    r"nothing is (?:said|stated|mentioned|known|written)\b",
    r"no (?:\w+ ){1,4}?(?:is|was|are|were) (?:explicitly )?(?:stated|specified|mentioned|indicated|disclosed|named)"
    + OPEN,
    r"no " + ATTRIBUTE + r" (?:is|was|are|were|can be) (?:given|provided|found|listed|available)" + CLOSED,
    SUBJECT + NOT + r"(?:stated|specified|mentioned|indicated|disclosed|revealed)" + OPEN,
    SUBJECT
    + r"(?:cannot|could not) be "
    + ADVERB
    + r"(?:determined|answered|inferred|deduced|established|ascertained|identified)"
    + OPEN,
    SUBJECT + NOT + r"(?:known|given|provided|included|available|found|covered|listed|named|defined|described|discussed"
    r"|addressed|recorded|documented|noted|explained|detailed|identified|clear|shown) " + WITHIN,
    NAMED + NOT + r"(?:known|given|provided|available|found|listed|named|defined|recorded|identified|clear)" + CLOSED,
    PERSON + NOT + r"(?:known|given|named|identified|listed|clear)" + CLOSED,
    THING + NOT + r"(?:known|clear|found|answered|determined)(?:" + CLOSED + r"|(?= (?:from|" + ASKED + r")))",
    THING + r"(?:cannot|could not) be (?:found|given|provided|known)" + CLOSED,
    r"the (?:\w+ )?(?:answer|information) (?:is|was) not (?:given|available|provided|included|possible)",
    r"(?:it|that|this) (?:is|was) (?:not (?:possible|given|available|provided|included)) " + WITHIN,
    SUBJECT
    + r"(?:(?:is|are|was|were|remains?) )(?:left )?(?:unspecified|undisclosed|unstated|open(?= "
    + ASKED
    + r"))"
    + OPEN,
    SUBJECT
    + r"(?:is|are|was|were|remains?) (?:still |currently )?(?:unknown|unclear)(?:"
    + CLOSED
    + r"|(?= (?:from|"
    + ASKED
    + r")))",
    r"(?:unclear|not clear)(?:" + CLOSED + r"|(?= (?:from|" + ASKED + r")))",
    NAMED + r"(?:is|are|was|were) (?:missing|absent|left out|omitted) from " + GIVEN + SOURCE,
    SUBJECT + r"(?:is|are|was|were) (?:not|nowhere) (?:to be found )?(?:in|within|among) " + GIVEN + SOURCE,
    SUBJECT + r"(?:does|do|did) not appear (?:in|within|among|anywhere)\b",
    r"(?:" + NAMED + r"|(?:\w+ )?" + ATTRIBUTE + r" )?not (?:explicitly )?"
    r"(?:stated|mentioned|specified|indicated|disclosed)" + OPEN,
    r"(?:(?:answer|information|details?) )?not (?:given|available|provided|found|answered|determined|known|covered"
    r"|listed|included)(?:(?= " + WITHIN + r")|(?<!included)(?<!covered)" + CLOSED + r")",
    r"cannot be (?:stated|given|available|mentioned|provided|specified|found|answered|determined)" + OPEN,
    GIVEN
    + SOURCE
    + r" (?:above |below |provided |given )?(?:do|does|did) not (?:\w+ly |(?:seem|appear) to )?"
    + SILENT,
    r"i do not (?:think|believe) (?:that )?" + GIVEN + SOURCE + " " + SILENT,
    r"i (?:was|were|am|are) not (?:told\b|given (?:\w+ )?" + INFORMATION + r")",
    r"you (?:did not|have not) (?:give|given|provide|provided|share|shared) (?:\w+ ){0,3}?" + INFORMATION,
    GIVEN + PAPER + r" (?:do|does|did) not (?:\w+ly )?" + TELL,
    r"(?:it|they) (?:do|does|did) not (?:" + TELL + r")(?=$| (?:" + ASKED + r"))",
    GIVEN
    + PAPER
    + r" (?:(?:above|below|provided|given) )?(?:fails? to "
    + SILENT
    + r"|(?:is|are) silent(?=$| (?:on|about|as to)\b)|(?:says?|tells?) nothing\b"
    r"|(?:makes?|contains?|gives?|provides?|has|have|offers?|includes?) no (?:\w+ ){0,2}?" + INFORMATION + r")",
    r"(?:none of (?:the|these)|neither|no|neither of the) (?:\w+ )?" + PAPER + r" " + SILENT,
    r"(?:unable to|cannot|could not) (?:be )?" + ABLE + r"(?! (?:calls|support)\b)",
)
"""Forms that abstain where the answer opens with them."""

LEAD = (
    r"(?:(?:i am |we are )?(?:very |so |really )?sorry|unfortunately|regrettably|sadly|alas|(?:my )?apologies"
    r"|i apologi[sz]e|i am afraid|i fear|hmm+|well|honestly|to be honest|frankly)(?: but| that| for that)?",
    r"(?:based (?:only |solely )?on|according to|from|given|in|judging by|going by|looking at"
    r"|after (?:reading|checking)|having (?:read|checked)|with|using) (?:\w+ ){0,4}?" + SOURCE + r"(?: \w+)?",
    r"as an? (?:\w+ ){0,8}?(?:ai|assistant|model)\b(?: without (?:\w+ ){1,6})?",
    r"as far as i (?:can (?:tell|see)|know)",
    r"without (?:more|further|additional|access|the|that|this)(?: \w+){1,6}",
    r"(?:the )?(?:correct |final )?answer(?: is)?",
    r"i wish i could (?:\w+ ){0,4}?but",
)
"""What may stand before an abstention: a regret, where it was looked for, who speaks."""

PREAMBLE = (
    r"i (?:have |did )?(?:look|search|check|review|examin|read|went)",
    r"thank(?:s| you)\b",
    GIVEN + SOURCE + r" (?:only )?(?:talk|are|is|discuss|describe|deal|refer|focus)",
)
"""A sentence that says no more than what was done, or what the sources are about."""

FURTHER = (
    r"(?:please|if you|you (?:may|might|could|can|should)|feel free|let me|is there anything)\b",
    r"i (?:can|could|would|will|recommend|suggest)\b",
    r"(?:more|further|additional) " + SOURCE,
    r"\D*\b(?:no|not|none|neither|nor|nothing|without)\b\D*$",
    GIVEN + SOURCE + r"\b(?! (?:above |below )?(?:says?|states?|tells?|gives?)\b)\D*$",
)
"""What may follow an abstention without taking it back: an offer, a denial, or a word on what the sources are about."""
