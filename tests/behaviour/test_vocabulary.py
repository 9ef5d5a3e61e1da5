"""Every fault that a peer can have on the wire is a rule, or a matter of a script that says what is sent when."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from dicomsim.behaviour import ACTIONS, TRIGGERS, parse_rule, rule_schema, vocabulary

SCRIPT = "script"
"""A listener that is not there, a fault in the order of whole exchanges, or something that is measured: no rule."""

FAULTS = {
    # The connection.
    "tcp/refuse": SCRIPT,
    "tcp/blackhole": SCRIPT,
    "tcp/accept-late": "on connected side=acceptor: delay 5",
    "tcp/accept-mute": "on connected side=acceptor: vanish",
    "tcp/accept-close": "on connected side=acceptor: close",
    "tcp/accept-rst": "on connected side=acceptor: reset",
    "tcp/idle-client": "on A-ASSOCIATE-RQ out: stall",
    "tcp/partial-rq-hold": "on A-ASSOCIATE-RQ out: truncate 30; stall after",
    "tcp/slow-rq": "on A-ASSOCIATE-RQ out: slice 1 pause=2",
    "tcp/close-in-rq": "on A-ASSOCIATE-RQ out: truncate 30; close after",
    "tcp/fin-in-pdu": "on P-DATA-TF out nth=3: truncate 40; close after",
    "tcp/rst-in-pdu": "on P-DATA-TF out nth=3: truncate 40; reset after",
    "tcp/rst-in-sta": "on Sta6: reset",
    "tcp/half-close": "on A-ASSOCIATE-AC out: half-close",
    "tcp/stop-reading": "on in offset=20000: stop-reading",
    "tcp/drip": "on bytes out: slice 5 pause=0.05",
    "tcp/slice@k": "on pdu out: slice at=[1, 5, 6, 10, 11, 12] pause=0.05",
    "tcp/coalesce": "on P-DATA-TF out part=last: coalesce",
    "tcp/bandwidth": "on bytes out: throttle 1000",
    "tcp/latency": "on bytes out: delay normal(0.2,0.05)",
    "tcp/limit-data": "on in offset=10000: close",
    "tcp/close-not-release": "on A-RELEASE-RQ out: close",
    "tcp/close-not-rp": "on A-RELEASE-RP out: close",
    "tcp/keep-open-after-rp": "on A-RELEASE-RP in: drop",
    "tcp/keep-open-after-rj": "on A-ASSOCIATE-RJ in: drop",
    "tcp/keep-open-after-abort": "on A-ABORT in: drop",
    "tcp/second-association": "on A-RELEASE-RP in: drop; raw A-ASSOCIATE-RQ",
    "tcp/other-protocol": r'on connected side=requestor: raw "text:GET / HTTP/1.0\r\n\r\n"',
    "tcp/banner-first": r'on connected side=acceptor: raw "text:220 ready\r\n"',
    "tcp/vanish": "on P-DATA-TF out nth=2: vanish",
    "tcp/restart": SCRIPT,
    "tcp/nagle-delayed-ack": "on P-DATA-TF out: slice at=6 pause=0.2",
    # PDUs.
    "pdu/unknown-type": "on P-DATA-TF out nth=1: substitute pdu_type=0x42",
    "pdu/reserved-nonzero": "on A-ASSOCIATE-RQ out: substitute reserved=0xFF items.*.reserved=0xFF reserved3=random:32",
    "pdu/len-short": "on A-ASSOCIATE-RQ out: substitute pdu_length=100",
    "pdu/len-long": "on A-ASSOCIATE-RQ out: substitute pdu_length=5000; stall after",
    "pdu/len-zero": "on A-RELEASE-RQ out: substitute pdu_length=0",
    "pdu/len-huge": "on P-DATA-TF out nth=1: substitute pdu_length=0xFFFFFFFF",
    "pdu/fixed-len-wrong": "on A-RELEASE-RQ out: pad 4 lengths=fix",
    "pdu/trailing": "on A-ASSOCIATE-RQ out: pad 3 byte=0x55 lengths=fix",
    "pdu/truncate-rq": "on A-ASSOCIATE-RQ out: truncate 40 lengths=fix",
    "pdu/version-0": "on A-ASSOCIATE-RQ out: substitute protocol_version=0",
    "pdu/version-more": "on A-ASSOCIATE-RQ out: substitute protocol_version=0xFFFF",
    "pdu/aet": 'on A-ASSOCIATE-RQ out: substitute called_ae_title="" calling_ae_title="\u00e9 "',
    "pdu/ac-aet-changed": "on A-ASSOCIATE-AC out: substitute called_ae_title=CHANGED",
    "pdu/item-unknown": "on A-ASSOCIATE-RQ out: append hex:6000000401020304",
    "pdu/subitem-unknown": "on A-ASSOCIATE-RQ out: append hex:5A00000401020304 path=user",
    "pdu/item-order": "on A-ASSOCIATE-RQ out: reverse",
    "pdu/item-len-overrun": "on A-ASSOCIATE-RQ out: substitute contexts.1.abstract_syntax.length=0xFFFF",
    "pdu/item-len-zero": "on A-ASSOCIATE-RQ out: substitute application_context=zeros:0",
    "pdu/appctx-missing": "on A-ASSOCIATE-RQ out: remove application_context",
    "pdu/appctx-twice": "on A-ASSOCIATE-RQ out: repeat application_context",
    "pdu/appctx-unknown": "on A-ASSOCIATE-RQ out: substitute application_context=1.2.3",
    "pdu/pc-none": "on A-ASSOCIATE-RQ out: remove contexts.*",
    "pdu/pc-128": "on A-ASSOCIATE-RQ out: repeat contexts.first count=127",
    "pdu/pc-129": "on A-ASSOCIATE-RQ out: repeat contexts.first count=128",
    "pdu/pc-id-even": "on A-ASSOCIATE-RQ out: substitute contexts.first.context_id=2",
    "pdu/pc-id-zero": "on A-ASSOCIATE-RQ out: substitute contexts.first.context_id=0",
    "pdu/pc-id-dup": "on A-ASSOCIATE-RQ out: repeat contexts.first",
    "pdu/pc-no-abstract": "on A-ASSOCIATE-RQ out: remove contexts.first.abstract_syntax",
    "pdu/pc-two-abstract": "on A-ASSOCIATE-RQ out: repeat contexts.first.abstract_syntax",
    "pdu/pc-no-ts": "on A-ASSOCIATE-RQ out: remove contexts.first.transfer_syntax.*",
    "pdu/pc-many-ts": "on A-ASSOCIATE-RQ out: repeat contexts.first.transfer_syntax.last count=60",
    "pdu/pc-dup-ts": "on A-ASSOCIATE-RQ out: repeat contexts.first.transfer_syntax",
    "pdu/userinfo-missing": "on A-ASSOCIATE-RQ out: remove user",
    "pdu/userinfo-twice": "on A-ASSOCIATE-RQ out: repeat user",
    "pdu/maxlen-missing": "on A-ASSOCIATE-RQ out: remove user.maximum_length",
    "pdu/maxlen-twice": "on A-ASSOCIATE-RQ out: repeat user.maximum_length",
    "pdu/maxlen-wrong-size": "on A-ASSOCIATE-RQ out: substitute user.maximum_length=hex:4000",
    "pdu/maxlen-0": "on A-ASSOCIATE-RQ out: substitute user.maximum_length=0",
    "pdu/maxlen-tiny": "on A-ASSOCIATE-AC out: substitute user.maximum_length=7",
    "pdu/maxlen-huge": "on A-ASSOCIATE-RQ out: substitute user.maximum_length=0xFFFFFFFF",
    "pdu/implclass-missing": "on A-ASSOCIATE-RQ out: remove user.implementation_class_uid",
    "pdu/uid-form": 'on A-ASSOCIATE-RQ out: substitute contexts.first.abstract_syntax="1.2.840.10008.1.1 "',
    "pdu/pdata-empty": "on P-DATA-TF out nth=1: remove pdv.*",
    "pdu/pdv-len": "on P-DATA-TF out nth=1: substitute pdv.1.length=1",
    "pdu/pdv-pcid": "on P-DATA-TF out nth=1: substitute pdv.1.context_id=99",
    "pdu/pdv-ctrl-bits": "on P-DATA-TF out: xor pdv.*.control=0xFC",
    "pdu/oversize": "on P-DATA-TF out part=data: append zeros:20000 path=pdv.last",
    "pdu/limit-exact": SCRIPT,
    "pdu/many-pdv": "on P-DATA-TF out part=data nth=1: append hex:000000020100 path=pdu",
    "pdu/mixed-messages": "on C-ECHO-RQ out at=pdu: repeat pdv.1",
    "pdu/pdv-empty-last": "on P-DATA-TF out part=last: xor pdv.last.control=2; append hex:000000020102",
    "pdu/garbage-after": "on C-ECHO-RQ out: raw random:40 place=after",
    "pdu/flood-small": SCRIPT,
    # The association.
    "acse/reject": "on A-ASSOCIATE-RQ in: reject 2/3/1",
    "acse/reject-illegal": "on A-ASSOCIATE-RQ in: reject 0/4/9",
    "acse/reject-late": "on A-ASSOCIATE-RQ in: delay 20; reject 1/1/1",
    "acse/reject-nth": "on A-ASSOCIATE-RQ in after=5: reject limit",
    "acse/accept-none": "on A-ASSOCIATE-RQ in: accept result=3",
    "acse/accept-result": "on A-ASSOCIATE-RQ in: accept result={1: 0, 3: 1, 5: 2, 7: 3, 9: 4}",
    "acse/accept-result-5+": "on A-ASSOCIATE-RQ in: accept result=5",
    "acse/accept-ts-foreign": "on A-ASSOCIATE-RQ in: accept transfer_syntax=JPEG2000Lossless",
    "acse/accept-ts-two": (
        "on A-ASSOCIATE-RQ in: accept transfer_syntax=[ImplicitVRLittleEndian, ExplicitVRLittleEndian]"
    ),
    "acse/accept-ts-none": "on A-ASSOCIATE-RQ in: accept transfer_syntax=none",
    "acse/accept-pc-missing": "on A-ASSOCIATE-RQ in: accept missing=1",
    "acse/accept-pc-extra": "on A-ASSOCIATE-RQ in: accept extra=99",
    "acse/accept-pc-dup": "on A-ASSOCIATE-RQ in: accept twice=1",
    "acse/accept-order": "on A-ASSOCIATE-RQ in: accept order=reversed",
    "acse/accept-implicit-only": "on A-ASSOCIATE-RQ in: accept only=ImplicitVRLittleEndian",
    "acse/accept-expl-be": "on A-ASSOCIATE-RQ in: accept only=ExplicitVRBigEndian",
    "acse/accept-deflated": "on A-ASSOCIATE-RQ in: accept only=DeflatedExplicitVRLittleEndian",
    "acse/accept-jpeg": "on A-ASSOCIATE-RQ in: accept only=JPEGBaseline8Bit",
    "acse/role-grant": "on A-ASSOCIATE-RQ in: roles same",
    "acse/role-refuse": "on A-ASSOCIATE-RQ in: roles 0/0",
    "acse/role-absent": "on A-ASSOCIATE-RQ in: roles absent",
    "acse/role-widen": "on A-ASSOCIATE-RQ in: roles 1/1",
    "acse/role-unasked": "on A-ASSOCIATE-RQ in: roles {Verification: 1/1}",
    "acse/role-none-cget": "on A-ASSOCIATE-RQ in: roles {'*Storage*': 1/0}",
    "acse/async": "on A-ASSOCIATE-RQ in: async 9/9",
    "acse/extneg": "on A-ASSOCIATE-RQ in: extended longer",
    "acse/userid-ok": "on A-ASSOCIATE-RQ in: identity empty",
    "acse/userid-ok-noreply": "on A-ASSOCIATE-RQ in: identity absent",
    "acse/userid-reply-wrong-type": "on A-ASSOCIATE-RQ in: identity text:ticket",
    "acse/userid-reply-garbage": "on A-ASSOCIATE-RQ in: identity random:200",
    "acse/userid-reply-unasked": "on A-ASSOCIATE-RQ in: identity empty",
    "acse/userid-reject": "on A-ASSOCIATE-RQ in item=user_identity_rq: reject identity",
    "acse/userid-missing": "on A-ASSOCIATE-RQ in field={user.user_identity: absent}: reject 1/2/1",
    "acse/maxlen-answer": "on A-ASSOCIATE-RQ in: maximum-length 1024",
    "acse/no-answer": "on A-ASSOCIATE-RQ in: drop",
    "acse/abort-on-rq": "on A-ASSOCIATE-RQ in: abort 2/1",
    "acse/abort-in-sta": "on Sta6: abort 1/255 as=raw",
    "acse/second-rq": "on Sta6 side=requestor: raw A-ASSOCIATE-RQ",
    "acse/rq-from-acceptor": "on Sta6 side=acceptor: raw A-ASSOCIATE-RQ",
    "acse/ac-twice": "on A-ASSOCIATE-AC out: duplicate",
    "acse/ac-unasked": "on Sta6 side=requestor: raw A-ASSOCIATE-AC",
    "acse/rj-late": "on C-ECHO-RQ in: raw A-ASSOCIATE-RJ",
    "acse/pdata-before-ac": "on A-ASSOCIATE-AC out: insert P-DATA-TF",
    "acse/pdata-first": "on A-ASSOCIATE-RQ out: insert P-DATA-TF",
    "acse/release-before-ac": "on A-ASSOCIATE-AC out: insert A-RELEASE-RQ",
    "acse/release-ignored": "on A-RELEASE-RQ in: drop",
    "acse/release-abort": "on A-RELEASE-RQ in: abort",
    "acse/release-late-data": "on A-RELEASE-RP out: insert C-ECHO-RQ",
    "acse/data-after-own-release-rq": "on A-RELEASE-RQ out: insert C-ECHO-RQ place=after",
    "acse/release-collision-a": "on A-RELEASE-RQ in side=requestor: release place=before",
    "acse/release-collision-b": "on A-RELEASE-RQ in side=acceptor: release place=before",
    "acse/release-twice": "on A-RELEASE-RQ out: duplicate",
    "acse/rp-unasked": "on Sta6: raw A-RELEASE-RP",
    "acse/release-outstanding": "on C-STORE-RQ out: release",
    "acse/abort-ignored": "on A-ABORT in: drop; raw P-DATA-TF",
    "acse/long-idle": SCRIPT,
    # Messages.
    "dimse/msgid-foreign": "on *-RSP out: set MessageIDBeingRespondedTo=4711",
    "dimse/msgid-dup": "on *-RQ out: set MessageID=1",
    "dimse/status-missing": "on C-ECHO-RSP out: delete Status",
    "dimse/status-twice": "on C-ECHO-RSP out: repeat command.Status",
    "dimse/status-undefined": "on C-ECHO-RSP out: set Status=1234",
    "dimse/cmd-unknown": "on C-ECHO-RQ out: set CommandField=0x0099",
    "dimse/cmd-wrong-rsp": "on C-FIND-RQ in: answer as=C-STORE-RSP",
    "dimse/rsp-unasked": "on Sta6: raw C-ECHO-RSP",
    "dimse/rsp-twice": "on C-STORE-RSP out: duplicate",
    "dimse/pending-after-final": "on C-FIND-RSP out Status=0000: duplicate; raw C-FIND-RSP",
    "dimse/never-final": "on C-FIND-RQ in: answer FF00; duplicate 1000 pause=1",
    "dimse/no-answer": "on C-STORE-RQ in: drop",
    "dimse/answer-after-timeout": "on C-ECHO-RSP out: delay 60",
    "dimse/group-length-wrong": "on C-ECHO-RQ out: set CommandGroupLength=4",
    "dimse/group-length-missing": "on C-ECHO-RQ out: remove command.CommandGroupLength",
    "dimse/cmd-explicit-vr": "on C-ECHO-RQ out: recode explicit-little",
    "dimse/cmd-big-endian": "on C-ECHO-RQ out: recode implicit-big",
    "dimse/cmd-foreign-element": "on C-ECHO-RQ out: append hex:08000500020000004142 path=command",
    "dimse/cmd-order": "on C-ECHO-RQ out: reverse command",
    "dimse/dstype-mismatch-a": "on C-ECHO-RQ out: set CommandDataSetType=0",
    "dimse/dstype-mismatch-b": "on C-STORE-RQ out: substitute command.CommandDataSetType=0x0101",
    "dimse/data-before-cmd": "on P-DATA-TF out part=command: reorder",
    "dimse/two-cmds": "on C-STORE-RQ out at=pdu: duplicate",
    "dimse/interleave": SCRIPT,
    "dimse/never-last": "on P-DATA-TF out part=last: xor pdv.last.control=2",
    "dimse/other-pc": "on *-RSP out: set context=99",
    "dimse/data-other-pc": "on P-DATA-TF out part=data: substitute pdv.last.context_id=99",
    "dimse/sop-foreign": "on C-STORE-RQ out: set AffectedSOPClassUID=MRImageStorage",
    "dimse/affected-changed": "on C-STORE-RSP out: set AffectedSOPInstanceUID=1.2.3.4",
    "dimse/async-overrun": SCRIPT,
    "dimse/async-reorder": "on C-STORE-RSP out every=2: reorder",
    "dimse/cancel-unknown": "on Sta6: raw C-CANCEL-RQ 1/4711",
    "dimse/cancel-late": SCRIPT,
    "dimse/cancel-twice": "on C-CANCEL-RQ out: duplicate",
    "dimse/cancel-ignored": "on C-CANCEL-RQ in: drop",
    "dimse/cancel-race": "on C-CANCEL-RQ in: drop",
    "dimse/cancel-abort": "on C-CANCEL-RQ in: abort",
    "dimse/n-status": "on N-*-RQ in: answer [0105, 0106, 0107, 0110, 0119, 0120, 0124, 0210, 0213]",
    "dimse/priority-odd": "on C-STORE-RQ out: set Priority=3",
    "dimse/vm-or-vr-bad": "on C-ECHO-RQ out: set MessageID=hex:01000000",
    # Services.
    "svc/echo-status": "on C-ECHO-RQ in: answer 0122",
    "svc/store-status": "on C-STORE-RQ in: answer [0000, A700, A900, C000, B000, B006, B007, 0122, 0124, FE00]",
    "svc/store-nth": "on C-STORE-RQ in nth=3: answer A700",
    "svc/store-sop": "on C-STORE-RQ in sop_class=CTImageStorage: answer A900",
    "svc/store-size": "on C-STORE-RQ in size=1000000..: answer A700",
    "svc/store-prob": "on C-STORE-RQ in probability=0.3 seed=7: answer A700",
    "svc/store-delay": "on C-STORE-RSP out: delay [0, 1, 5]",
    "svc/store-slow-read": "on bytes in: throttle 10000",
    "svc/store-abort-after": "on C-STORE-RSP out nth=3: abort place=after",
    "svc/store-abort-during": "on C-STORE-RQ in part=data nth=5: abort",
    "svc/store-drop-silent": "on C-STORE-RQ in: answer 0000",
    "svc/store-coerce": "on C-STORE-RSP out: set Status=B000",
    "svc/unsupported": "on A-ASSOCIATE-RQ in: accept result={'1.2.840.10008.5.1.4.1.1.88.*': 3}",
    # Time.
    "time/delay@point": "on A-ASSOCIATE-AC A-ASSOCIATE-RJ A-RELEASE-RP out: delay 3",
    "time/dist": "on C-ECHO-RSP out: delay pareto(2,0.1)",
    "time/stall-mid-pdv": "on P-DATA-TF out part=data: slice at=20 pause=30",
    "time/stall-mid-item": "on A-ASSOCIATE-RQ out: truncate 76; stall after",
    "time/stall-mid-header": "on P-DATA-TF out nth=2: slice at=3 pause=30",
    "time/artim-edge": SCRIPT,
    "time/dimse-edge": SCRIPT,
    "time/idle-edge": SCRIPT,
    "time/burst": "on C-FIND-RSP out Status=FF00..FF01: coalesce count=100",
    "time/clock": SCRIPT,
}
"""What peers do wrong, by layer: the rule that does it."""

RULES = {name: text for name, text in FAULTS.items() if text != SCRIPT}


@pytest.mark.parametrize("fault", RULES)
def test_a_fault_is_a_rule_that_reads_back_the_same(fault: str) -> None:
    rule = parse_rule(RULES[fault])

    assert rule == parse_rule(str(rule))
    assert rule.steps or rule.answers


def test_every_trigger_and_every_action_says_in_one_line_what_it_is() -> None:
    helps = [trigger.help for trigger in TRIGGERS.values()] + [action.help for action in ACTIONS.values()]
    helps += [parameter.help for action in ACTIONS.values() for parameter in action.parameters]

    assert [] == [text for text in helps if not text or "\n" in text or text.endswith(".")]


def test_the_vocabulary_is_plain_data() -> None:
    words = json.loads(json.dumps(vocabulary()))

    assert list(TRIGGERS) == list(words["triggers"])
    assert list(ACTIONS) == list(words["actions"])
    assert "A-ASSOCIATE-RQ" in words["triggers"]["pdu"]["words"]
    assert "codes" == words["actions"]["reject"]["main"]
    assert "C-STORE-RQ" in words["triggers"]["command"]["words"]


def fits(schema: dict[str, Any], value: Any) -> bool:
    """Whether a value fits the words of JSON Schema that the schema of a rule uses."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    name = "null" if value is None else names[type(value)]
    if kinds and name not in kinds and not (name == "integer" and "number" in kinds):
        return False
    if "anyOf" in schema and not any(fits(choice, value) for choice in schema["anyOf"]):
        return False
    if value not in schema.get("enum", [value]):
        return False
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        return False
    if name == "integer" and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return False
    if isinstance(value, dict):
        properties, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        for key, item in value.items():
            found = [properties[key]] if key in properties else [s for p, s in patterns.items() if re.search(p, key)]
            if not all(fits(each, item) for each in found) or (
                not found and schema.get("additionalProperties", True) is False
            ):
                return False
        count = len(value)
        within = schema.get("minProperties", 0) <= count <= schema.get("maxProperties", count)
        return within and value.keys() >= set(schema.get("required", ()))
    return not isinstance(value, list) or all(fits(schema.get("items", {}), item) for item in value)


@pytest.mark.parametrize("fault", RULES)
def test_a_rule_fits_the_schema_in_each_of_its_forms(fault: str) -> None:
    schema, rule = rule_schema(), parse_rule(RULES[fault])
    when, _, do = str(rule).removeprefix("on ").partition(": ")

    assert fits(schema, rule.as_mapping())
    assert fits(schema, str(rule))
    assert fits(schema, {f"on {when}": do})


@pytest.mark.parametrize(
    "mapping",
    [
        {"when": {"pdu": "A-ABORT"}},
        {"when": {"pdv": "A-ABORT"}, "do": "drop"},
        {"when": {"pdu": "A-ABORT"}, "do": "drop", "tims": 3},
        {"when": {"pdu": "A-ABORT"}, "do": {"drp": None}},
        {"when": {"pdu": "A-ABORT"}, "do": {"close": {"plce": "after"}}},
        {"when": {"pdu": "A-ABORT", "direction": "inward"}, "do": "drop"},
        {"when": {"pdu": "A-ABORT"}, "do": {"close": "afterwards"}},
        {"when": {"offset": -1}, "do": "close"},
        "reject everything",
    ],
)
def test_what_is_no_rule_does_not_fit_the_schema(mapping: Any) -> None:
    assert not fits(rule_schema(), mapping)


def test_the_schema_of_a_rule_knows_all_words() -> None:
    mapping = rule_schema()["anyOf"][0]
    do = mapping["properties"]["do"]["anyOf"][0]
    when = mapping["properties"]["when"]["anyOf"][0]

    assert set(ACTIONS) == set(do["properties"])
    assert set(TRIGGERS) <= set(when["properties"])
    assert ["when", "do"] == mapping["required"]
    assert json.loads(json.dumps(rule_schema())) == rule_schema()
