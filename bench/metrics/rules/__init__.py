"""Rules of an answer's form that a program can check, after IFEval (Zhou et al. 2023, arXiv 2311.07911).

A rule is a pure function of a text and its arguments, known by a name (``registry.RULES``). A sample carries its rules
in ``tags["rules"]`` as ``[{"rule": NAME, ARGUMENT: VALUE, ...}, ...]``.
"""
