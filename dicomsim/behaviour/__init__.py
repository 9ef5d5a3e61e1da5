"""Misbehaviour, put around the conforming engine and never inside it.

A `Rule` says *when* and *do*. Its *when* is a conjunction of triggers (`triggers.py`) judged on an `Occasion`: one PDU,
read, message, answer or transition of one session, at one of the six hops. Its *do* is a list of actions, and an action
is a function from steps to steps: `tcp.py` for the connection and the flow of bytes, `pdu.py` for the bytes of a PDU
(with the places of its fields from `fields.py`), `negotiation.py` for the answer to an association request, `dimse.py`
for command sets, `service.py` for statuses. `Behaviour` holds the installed rules and is what a session's hops are.

The three forms of a rule meet in `rule.py`: values are read by kinds (`values.py`, `kinds.py`, `payload.py`) that take
text as well as numbers, so Python, YAML (`loading.py`) and the one-line form (`text.py`) say the same. `profiles.py`
has named bundles, `vocabulary.py` describes all words as data.
"""

from __future__ import annotations

from dicomsim.behaviour.behaviour import Behaviour, Installed
from dicomsim.behaviour.loading import load_rules
from dicomsim.behaviour.profiles import PROFILES
from dicomsim.behaviour.rule import Rule, parse_rule, rule_of
from dicomsim.behaviour.triggers import TRIGGERS
from dicomsim.behaviour.values import RuleError
from dicomsim.behaviour.vocabulary import ACTIONS, rule_schema, vocabulary

__all__ = [
    "ACTIONS",
    "PROFILES",
    "TRIGGERS",
    "Behaviour",
    "Installed",
    "Rule",
    "RuleError",
    "load_rules",
    "parse_rule",
    "rule_of",
    "rule_schema",
    "vocabulary",
]
