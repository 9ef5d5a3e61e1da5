"""The forms of arguments that commands take: peers, titles, files, SOP classes, rules, bytes, settings …"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from dicomsim import sop_class
from dicomsim.behaviour.kinds import COMMANDS
from dicomsim.behaviour.payload import PAYLOAD, PREFIXES
from dicomsim.engine.timeouts import NAMES
from dicomsim.peer_address import check_title, parse_peer, parse_port
from dicomsim.repl import raw_pdu, trace
from dicomsim.repl.form import Form, Knowledge, Offer, Typed, choice, number
from dicomsim.repl.proposals import check_context, list_names
from dicomsim.repl.rule_words import rule_offers
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.render import one_line


def _peers(knowledge: Knowledge, typed: Typed) -> Iterable[Offer]:
    return (
        Offer(peer, "our own acceptor" if peer == knowledge.acceptor else "called before") for peer in knowledge.peers
    )


PEER = Form("[AET@]HOST:PORT", parse_peer, _peers)
PORT = Form("PORT", parse_port)
HOST = Form("HOST", str, lambda knowledge, typed: [Offer("127.0.0.1", "this machine"), Offer("0.0.0.0", "all")])
TITLE = Form("AET", check_title)
COUNT = number("COUNT", 1, 1_000_000)
BYTE = number("0-255", 0, 255)
MAX_PDU = number("BYTES", 0, 0xFFFFFFFF)


# -- files -------------------------------------------------------------------------------------------------------------


def _files(knowledge: Knowledge, typed: Typed) -> Iterable[Offer]:
    """What is in the folder of what is typed; hidden names only if the name begins so."""
    folder, _, beginning = typed.prefix.rpartition("/")
    folder = f"{folder}/" if "/" in typed.prefix else ""
    for name, is_folder in sorted(knowledge.folder(folder)):
        if beginning.startswith(".") or not name.startswith("."):
            yield Offer(f"{folder}{name}/" if is_folder else f"{folder}{name}", "folder" if is_folder else "")


def _folders(knowledge: Knowledge, typed: Typed) -> Iterable[Offer]:
    return (offer for offer in _files(knowledge, typed) if offer.text.endswith("/"))


def list_folder(folder: str) -> list[tuple[str, bool]]:
    """The names in a folder, each with whether it is a folder; nothing if it cannot be read."""
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            return [(entry.name, entry.is_dir()) for entry in entries]
    except OSError:
        return []


def _path(text: str) -> Path:
    if not text:
        raise ValueError("a path is empty")
    return Path(text).expanduser()


PATH = Form("PATH", _path, _files)
FILE = Form("FILE", _path, _files)
FOLDER = Form("DIR", _path, _folders)

# -- contexts ----------------------------------------------------------------------------------------------------------


@cache
def _classes() -> tuple[Offer, ...]:
    lists = [Offer(name, "all of them") for name in list_names() if name != "Verification"]
    known = map(sop_class.SOPClass, sop_class.registry())
    classes = [Offer(each.keyword, each.name) for each in known if each.keyword and each.kind.endswith("SOP Class")]
    return (*classes, *lists)


def _contexts(knowledge: Knowledge, typed: Typed) -> Iterable[Offer]:
    if "/" in typed.prefix or typed.prefix.startswith((".", "~")):
        return _files(knowledge, typed)
    return (*_classes(), *(_files(knowledge, typed) if typed.prefix else ()))


CONTEXT = Form("CONTEXT", check_context, _contexts)

# -- rules -------------------------------------------------------------------------------------------------------------


def _rules_on(knowledge: Knowledge, typed: Typed) -> Iterable[Offer]:
    off = (Offer(name, rule, len(typed.prefix)) for name, rule, on in knowledge.rules if not on)
    return (*off, *rule_offers(typed.prefix))


def _rule_names(knowledge: Knowledge, typed: Typed) -> Iterable[Offer]:
    return (Offer(name, rule) for name, rule, _ in knowledge.rules)


def _enabled_names(knowledge: Knowledge, typed: Typed) -> Iterable[Offer]:
    return (Offer(name, rule) for name, rule, on in knowledge.rules if on)


RULE = Form("RULE", str, _rules_on, rest=True)
RULE_NAME = Form("NAME", str, _rule_names)
ENABLED_RULE = Form("NAME", str, _enabled_names)

# -- bytes -------------------------------------------------------------------------------------------------------------

_PREFIX_HELP = {
    "hex": "hexadecimal digits: hex 04 00",
    "text": "text as it stands",
    "random": "so many random bytes: random 100",
    "zeros": "so many zeros: zeros 100",
}


def _payloads(knowledge: Knowledge, typed: Typed) -> Iterable[Offer]:
    before = [word for word in typed.before if "=" not in word]
    if before:
        return _files(knowledge, typed) if before == [raw_pdu.FILE] else ()
    return _payload_words()


@cache
def _payload_words() -> tuple[Offer, ...]:
    prefixes = [Offer(word, _PREFIX_HELP.get(word, "")) for word in PREFIXES]
    named = [Offer(word, _about(word)) for word in PAYLOAD.words() if not word.endswith(":")]
    return (*named, *prefixes, Offer(raw_pdu.FILE, "the bytes of a file: file PATH"))


def _about(name: str) -> str:
    if name in COMMANDS:
        return "message in one P-DATA-TF"
    return one_line(decode_pdu(raw_pdu.raw_bytes([name], {}, raw_pdu.Circumstances()))).removeprefix(name).strip()


def _fields(knowledge: Knowledge, typed: Typed) -> Iterable[Offer]:
    """The fields of the PDU that is named, each with the value it has."""
    words = [word for word in typed.before if "=" not in word]
    if typed.key or not words or words[0] == raw_pdu.FILE:
        return
    try:
        data = raw_pdu.raw_bytes(words, {}, raw_pdu.Circumstances())
    except ValueError:
        return
    given = {word.partition("=")[0] for word in typed.before}
    for name, value in raw_pdu.field_names(data).items():
        if name not in given:
            yield Offer(f"{name}=", f"now {value or 'empty'}")


BYTES = Form("BYTES", str, _payloads)
FIELD = Form("FIELD", str, _fields)
LENGTHS = choice("fix|keep", {"fix": "lengths follow the fields", "keep": "lengths stay as they were"})

# -- the rest ----------------------------------------------------------------------------------------------------------

TRACED = choice("KIND", {**trace.KINDS, "all": "all of them"})
ENDING = choice("fin|reset", {"fin": "with a FIN", "reset": "with a RST"})

SETTINGS: dict[str, str] = {
    **dict.fromkeys(NAMES, "timeout in seconds, or none"),
    "calling": "our AE title as requestor",
    "max_pdu": "longest P-DATA-TF that we take, 0 for any",
}
"""What `set` sets, each with its help."""


def _values(knowledge: Knowledge, typed: Typed) -> Iterable[Offer]:
    name = typed.before[0] if typed.before else ""
    if name in knowledge.settings:
        yield Offer(knowledge.settings[name], "as it is")
        if name in NAMES and name != "artim":
            yield Offer("none", "no limit")


SETTING = choice("NAME", SETTINGS)
SETTING_VALUE = Form("VALUE", str, _values)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number of seconds") from None
    if not 0 <= seconds <= 1e6:
        raise ValueError(f"{text!r} is out of range: 0 to a million seconds")
    return seconds


SECONDS = Form("SECONDS", _seconds)
TEXT = Form("TEXT", str)


def _commands(knowledge: Knowledge, typed: Typed) -> Iterable[Offer]:
    """The next word of the commands that begin with those before."""
    words: dict[str, str] = {}
    for name, summary in knowledge.commands.items():
        parts = name.split()
        if tuple(parts[: len(typed.before)]) == typed.before and len(parts) > len(typed.before):
            words.setdefault(parts[len(typed.before)], summary)
    return (Offer(word, summary) for word, summary in words.items())


COMMAND = Form("COMMAND", str, _commands)
