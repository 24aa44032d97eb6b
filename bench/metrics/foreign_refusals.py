"""Refusals in languages other than English: a few forms of each, enough that none is taken for an answer."""

from __future__ import annotations

from collections.abc import Mapping

FOREIGN: Mapping[str, tuple[str, ...]] = {
    "German": (
        r"(?:das |es )?(?:weiß|weiss) ich (?:leider |auch )?nicht|ich (?:weiß|weiss)(?: es| das)?(?: leider)? nicht",
        r"(?:dazu |dafür |hierzu |darüber )?(?:habe ich |gibt es |liegen |finden sich )?(?:mir )?(?:leider )?"
        r"keine(?:rlei)? (?:ahnung|angaben?|informationen|daten|auskunft|antwort)(?: .*)?",
        r".*\b(?:wird|ist|sind|werden|geht|steht)\b.* nicht (?:\w+ )?(?:angegeben|genannt|erwähnt|bekannt|hervor"
        r"|aufgeführt|ersichtlich|enthalten|spezifiziert)",
        r"(?:.* )?(?:ich kann|kann ich) (?:.* )?nicht (?:\w+ )?(?:beantworten|sagen|finden)",
        r"unbekannt|nicht (?:angegeben|bekannt|genannt|erwähnt)",
    ),
    "French": (
        r"je ne (?:le )?sais pas|je ne (?:peux|suis) pas .*(?:répondre|dire|trouver|déterminer).*|aucune idée",
        r".*\b(?:n est|ne sont|n a) pas (?:été )?(?:\w+ment )?(?:mentionnée?s?|précisée?s?|indiquée?s?|connue?s?"
        r"|spécifiée?s?|donnée?s?)(?: .*)?",
        r".*\b(?:aucune|pas d) (?:information|indication|réponse|mention)s?(?: .*)?",
        r"inconnue?|non (?:précisée?|mentionnée?|indiquée?)",
    ),
    "Spanish": (
        r"(?:yo )?no (?:lo )?sé|no (?:puedo|es posible) .*(?:responder|decir|determinar|encontrar).*|ni idea",
        r".*\bno (?:se|está|están|ha sido) (?:\w+mente )?(?:menciona|indica|especifica|sabe|dice|conoce"
        r"|mencionad|indicad|especificad)\w*(?: .*)?",
        r"(?:no (?:tengo|hay|dispongo de|existe)|ninguna) (?:\w+ )?(?:información|datos|respuesta)(?: .*)?",
        r"desconocid[oa]|no (?:especificad|mencionad|indicad)[oa]",
    ),
    "Italian": (
        r"(?:io )?non (?:lo )?so|non (?:posso|è possibile) .*(?:rispondere|dire|determinare|trovare).*|nessuna idea",
        r".*\bnon (?:è|sono|viene|vengono) (?:\w+mente )?(?:specificat|indicat|menzionat|not|precisat|riportat)[oaie]"
        r"(?: .*)?",
        r"(?:non (?:ho|ci sono|c è)|nessuna) (?:\w+ )?(?:informazion[ei]|dati|risposta)(?: .*)?",
        r"sconosciut[oa]|non (?:specificat|indicat|menzionat)[oa]",
    ),
}
"""Language → sentences that abstain, each as a whole."""
FOREIGN_LEAD = (
    r"(?:leider|es tut mir leid|tut mir leid|désolée?|malheureusement|lo siento|lamentablemente"
    r"|mi dispiace|purtroppo|scusa)"
)
FOREIGN_CONTRAST = (
    r"\b(?:aber|jedoch|sondern|wahrscheinlich|mais|cependant|sans doute|pero|sino|creo|ma|però|forse|penso)\b"
)
