"""Scenario files to cases: every mistake of a file at its line and column, and what `use` and `{name}` stand for."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from dicomsim import resources
from dicomsim.scenario.finding import find_scenarios
from dicomsim.scenario.loader import BUILTIN_USES, FillError, fill, load, load_steps, names_in
from dicomsim.scenario.source import ScenarioError
from tests.scenario.doubles import HEAD, case_of, write_scenario

GOOD = HEAD.format(role="requestor") + "steps:\n  - connect\n"


def mistakes(root: Path, text: str, name: str = "ps3.8/9.2/case") -> list[str]:
    """The mistakes of a file, each as `line:column: what`."""
    path = write_scenario(root, name, text)
    with pytest.raises(ScenarioError) as error:
        load(path)
    lines = str(error.value).splitlines()
    assert all(line.startswith(f"{path}:") for line in lines)
    return [line.removeprefix(f"{path}:") for line in lines]


def test_a_good_file_is_a_case(tmp_path: Path) -> None:
    case = load(write_scenario(tmp_path, "ps3.8/9.2/case", GOOD))
    assert ("ps3.8/9.2/case", "", "script", 1, False) == (
        case.id, case.actors[0].name, case.actors[0].kind, len(case.actors[0].steps), case.slow,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("level: shall", "level: shal", "4:1: level cannot be 'shal', did you mean shall?"),
        ("role: requestor", "role: peer", "5:1: role cannot be 'peer'; known: requestor, acceptor"),
        ("clause:", "claus:", "3:1: unknown key claus, did you mean clause?"),
        ("requirement: A", "requirement: 3 #", "2:1: requirement: should be text; write '3' if 3 is meant"),
        ("- connect", "- conect", "7:5: conect is no step, did you mean connect?"),
        ("- connect", "- A-ABORT", "7:5: A-ABORT is no step; write `send: A-ABORT`"),
        ("- connect", "- expect", "7:5: expect is no step; expect needs a value"),
        ("- connect", "- {}", "7:5: a step has one of send, connect, accept"),
        ("- connect", "- snd: A-ABORT", "7:5: snd is no step, did you mean send?"),
        ("- connect", "- send: A-ABROT", "7:5: nothing to send is called A-ABROT, did you mean A-ABORT?"),
        ("- connect", "- send: C-ECO-RQ", "7:5: nothing to send is called C-ECO-RQ, did you mean C-ECHO-RQ?"),
        ("- connect", "- {send: A-ABORT, sorce: 2}", "7:21: unknown key sorce, did you mean source?"),
        ("- connect", "- {send: A-ABORT, source: two}", "7:21: source: should be a whole number, or {name}, not 'two'"),
        ("- connect", "- {send: A-ABORT, source: 256}", "7:21: source: should be 0 to 255, not 256"),
        ("- connect", "- {send: C-ECHO-RQ, mesage_id: 1}", "7:23: unknown key mesage_id, did you mean message_id?"),
        ("- connect", "- {send: C-STORE-RQ, data: xyz}", "7:24: data: should be pairs of hexadecimal digits"),
        ("- connect", "- raw: 07", "7:5: raw: should be hexadecimal digits in quotes"),
        ("- connect", "- raw: {hex: FF, text: a}", "7:5: bytes are given as exactly one of hex, text, zeros"),
        ("- connect", "- {raw: '00', mutate: [{truncat: 3}]}", '7:17: no action is called "truncat", did you mean'),
        ("- connect", "- {raw: '00', mutate: [{reject: 1/1/1}]}", "7:17: reject changes no bytes"),
        ("- connect", "- expect: {pdu: A-ABORD}", "7:5: no PDU is called A-ABORD, did you mean A-ABORT?"),
        ("- connect", "- expect: [clos]", "7:14: clos is nothing to wait for, did you mean close?"),
        ("- connect", "- expect: []", "7:5: expect is empty"),
        ("- connect", "- expect: [{massage: C-ECHO-RSP}]", "7:14: an alternative has one of pdu, message, close"),
        ("- connect", "- expect: {message: C-ECHO-RESP}", "7:14: no message is called C-ECHO-RESP, did you mean"),
        ("- connect", "- expect: {message: C-ECHO-RSP, status: A7}", "7:35: 'A7' is no status"),
        ("- connect", "- expect: {message: C-ECHO-RSP, status: 0122}", "7:43: 0122 is read as the decimal number 122"),
        ("- connect", "- expect: {pdu: A-ABORT, source: {form: 1}}", "7:28: a matcher has from, not, regex, to"),
        ("- connect", "- {expect: close, within: soon}", "7:21: within: should be seconds, from 0 to 3600, not 'soon'"),
        ("- connect", "- {expect: close, widhin: 3}", "7:21: unknown key widhin, did you mean within?"),
        ("- connect", "- {expect: close, otherwise: pass}", "7:21: otherwise cannot be 'pass'; known: fail"),
        ("- connect", "- {wait: 1, signal: go}", "7:5: a wait is for a number of seconds or for a signal"),
        ("- connect", "- {connect: 3}", "7:6: connect takes no value"),
        ("- connect", "- use: asociate", "7:5: no sub-scenario is called asociate, did you mean associate?"),
        ("- connect", "- {use: associate, with: {maximum: 3}}", "7:29: associate has no parameter maximum"),
        ("- connect", "- {use: echo, with: {otherwise: pass}}", "7:17: in echo: otherwise cannot be 'pass'"),
        ("- connect", "- accept", "7:5: dicomsim is the requestor here, which has no step accept"),
        ("- connect", "- echo", "7:5: an actor of kind script, as requestor, has no step echo; write use: echo"),
        ("- connect", "- signal: ready", "7:5: no actor gives the signal ready"),
        ("- connect", "- {send: A-ASSOCIATE-RQ, called: '{calld}'}", "7:28: nothing is kept as calld, did you mean"),
        (
            "- connect",
            "- send: A-ASSOCIATE-RQ\n    contexts: [{id: 1, abstract_syntax: Verificaton}]",
            "8:24: Verificaton is no SOP class or transfer syntax, did you mean Verification?",
        ),
        ("steps:", "rules: [on A-ABORT in: drop]\nsteps:", "6:1: rules are put around an actor of kind ae"),
        ("steps:", "actors: {other: {steps: [connect]}}\nsteps:", "1:1: a scenario has either steps or actors"),
        ("level: shall", "level: shall\nlevel: shall", "5:1: level is there twice"),
        ("steps:", "values: {Name: 3}\nsteps:", "6:10: a name has small letters, digits and _, unlike 'Name'"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_at_its_line_and_column(tmp_path: Path, old: str, new: str, mistake: str) -> None:
    found = mistakes(tmp_path, GOOD.replace(old, new))
    assert [True] == [True for each in found if each.startswith(mistake)], found


def test_all_mistakes_of_a_file_are_said_at_once(tmp_path: Path) -> None:
    text = """\
        requirment: A peer does what it should.
        clause: PS3.8 §9.2
        level: shal
        role: requestor
        steps:
          - conect
          - use: asociate
          - send: A-ABROT
          - {send: C-ECHO-RSP, status: 0122}
          - expect:
              - {pdu: A-ABORT, sorce: 2}
              - clos
            withn: 3
        """
    found = mistakes(tmp_path, dedent(text).replace("id: ps3.8/9.2/case\n", ""), "ps3.8/9.2/case")
    assert [
        "1:1: requirement is missing",
        "2:1: unknown key requirment, did you mean requirement?",
        "4:1: level cannot be 'shal', did you mean shall?",
        "7:5: conect is no step, did you mean connect?",
        "8:5: no sub-scenario is called asociate, did you mean associate?",
        "9:5: nothing to send is called A-ABROT, did you mean A-ABORT?",
        "10:32: 0122 is read as the decimal number 122; write 0x0122 or, for text, '0122'",
        "12:24: unknown key sorce, did you mean source?",
        "13:9: clos is nothing to wait for, did you mean close?",
        "14:5: unknown key withn, did you mean within?",
    ] == found


def test_an_id_that_is_not_the_path_is_a_mistake(tmp_path: Path) -> None:
    path = write_scenario(tmp_path, "ps3.8/9.2/case", GOOD)
    path.rename(path.with_name("renamed.yaml"))
    with pytest.raises(ScenarioError, match="1:1: the id does not match the path: this file is"):
        load(path.with_name("renamed.yaml"))


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text\n"])
def test_what_is_no_mapping_is_no_scenario(tmp_path: Path, text: str) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match="1:1: a scenario should be a mapping of keys to values"):
        load(path)


def test_the_steps_of_a_use_stand_in_its_place_and_know_where_they_come_from(tmp_path: Path) -> None:
    case = case_of(tmp_path, "  - use: accept-association\n  - close\n", role="acceptor")
    steps = case.actors[0].steps
    assert (["Accept", "ExpectAssociateRQ", "SendAssociateAC", "Close"], [("steps", 0)] * 3 + [("steps", 1)]) == (
        [type(getattr(each.step, "expect", (each.step,))[0]).__name__ for each in steps],
        [each.path for each in steps],
    )
    assert ["accept-association"] == [source.path.stem for source, _ in steps[0].used]
    assert () == steps[3].used


def test_parameters_of_a_use_may_be_anything(tmp_path: Path) -> None:
    case = case_of(
        tmp_path,
        """\
          - use: associate
            with:
              contexts: [{id: 5, abstract_syntax: CTImageStorage}]
              needed: {5: {result: 0}}
        """,
    )
    _, sending, expecting = (each.step for each in case.actors[0].steps)
    assert ([5], [5]) == ([each.id for each in sending.contexts], list(expecting.expect[0].contexts))


def test_a_folder_use_beside_or_above_a_scenario_goes_before_those_of_dicomsim(tmp_path: Path) -> None:
    (tmp_path / "use").mkdir()
    (tmp_path / "use" / "associate.yaml").write_text("use: associate\nabout: Ours.\nsteps: [connect, reset]\n")
    case = case_of(tmp_path, "  - use: associate\n")
    assert ["Connect", "Reset"] == [type(each.step).__name__ for each in case.actors[0].steps]


def test_mistakes_of_a_sub_scenario_are_said_in_its_own_file(tmp_path: Path) -> None:
    path = tmp_path / "use" / "mine.yaml"
    path.parent.mkdir()
    path.write_text("use: yours\nabout: Wrong.\nsteps:\n  - conect\n")
    with pytest.raises(ScenarioError) as error:
        case_of(tmp_path, "  - use: mine\n")
    assert [
        f"{path}:1:1: the name does not match the file: mine",
        f"{path}:4:5: conect is no step, did you mean connect?",
    ] == str(error.value).splitlines()


def test_a_sub_scenario_without_its_keys_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "use" / "mine.yaml"
    path.parent.mkdir()
    path.write_text("use: mine\nstep: []\n")
    with pytest.raises(ScenarioError) as error:
        case_of(tmp_path, "  - use: mine\n")
    assert [
        f"{path}:1:1: about is missing",
        f"{path}:1:1: steps is missing",
        f"{path}:2:1: unknown key step, did you mean steps?",
    ] == sorted(str(error.value).splitlines())


def test_a_sub_scenario_that_uses_itself_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "use" / "loop.yaml"
    path.parent.mkdir()
    path.write_text("use: loop\nabout: Round and round.\nsteps:\n  - use: loop\n")
    found = mistakes(tmp_path, HEAD.format(role="requestor") + "steps:\n  - use: loop\n")
    assert ["7:5: loop uses itself, or too many others"] == found


def test_values_that_are_kept_anywhere_are_known(tmp_path: Path) -> None:
    case = case_of(
        tmp_path,
        """\
          - connect
          - expect: {pdu: A-ASSOCIATE-AC, keep: {most: maximum_length}}
          - {send: C-ECHO-RQ, maximum: "{most}", message_id: "{number}"}
          - raw: "04 00 {most:08x}"
          - raw: {text: "{anything}"}
        """,
        more="values: {number: 7}\n",
    )
    assert 5 == len(case.actors[0].steps)


def test_a_signal_is_known_if_another_actor_gives_it(tmp_path: Path) -> None:
    text = HEAD.format(role="requestor") + dedent(
        """\
        actors:
          first: {steps: [connect, {give: ready}]}
          second: {count: 3, steps: [{signal: ready}, connect]}
        """
    )
    case = load(write_scenario(tmp_path, "ps3.8/9.2/case", text))
    assert [("first", 1), ("second", 3)] == [(actor.name, actor.count) for actor in case.actors]


def test_a_script_and_an_ae_cannot_both_listen(tmp_path: Path) -> None:
    text = HEAD.format(role="acceptor") + dedent(
        """\
        actors:
          one: {kind: script, steps: [accept]}
          two: {kind: ae, steps: [{expect: close}]}
        """
    )
    assert ["6:1: a script and an ae cannot both listen for the peer"] == mistakes(tmp_path, text)


@pytest.mark.parametrize(
    ("rule", "mistake"),
    [
        ("{when: {pdu: A-ABORT}, do: {dorp: }}", '7:33: no action is called "dorp"'),
        ("{when: {pdo: A-ABORT}, do: drop}", '7:13: no trigger is called "pdo", did you mean "pdu"?'),
        ("on A-ABORT in: dropp", 'no action is called "dropp", did you mean'),
        ("{do: drop}", "a rule needs when"),
        ("profile:store-hnag", "did you mean"),
    ],
)
def test_a_rule_that_cannot_be_read_is_said_at_its_place(tmp_path: Path, rule: str, mistake: str) -> None:
    text = HEAD.format(role="acceptor") + f"rules:\n  - {rule}\nkind: ae\nsteps:\n  - expect: close\n"
    (found,) = mistakes(tmp_path, text)
    assert (True, "7") == (mistake.replace('"', "") in found.replace('"', ""), found.partition(":")[0])


def test_a_profile_stands_for_its_rules(tmp_path: Path) -> None:
    more = "kind: ae\nrules:\n  - profile:store-hang\n  - on A-ABORT in: drop\n"
    case = case_of(tmp_path, "  - expect: close\n", role="acceptor", more=more)
    assert ("on A-ABORT in: drop", True) == (str(case.actors[0].rules[-1]), len(case.actors[0].rules) > 1)


def test_an_ae_has_its_own_steps_and_a_script_has_not(tmp_path: Path) -> None:
    text = HEAD.format(role="requestor") + "kind: ae\nsteps: [associate, echo, store, release, {raw: '00'}]\n"
    assert ["7:42: an actor of kind ae, as requestor, has no step raw"] == mistakes(tmp_path, text)


def test_fill_keeps_the_kind_of_a_value_that_stands_alone_and_formats_others() -> None:
    values = {"most": 16384, "name": "SCP", "list": [1, 2]}
    written = {
        "a": "{most}",
        "b": "x {name} y",
        "c": ["{list}"],
        "d": "{most:08x}",
        "e": "{none}",
        "note": "{name}",
        "f": 3,
    }
    assert {
        "a": 16384,
        "b": "x SCP y",
        "c": [[1, 2]],
        "d": "00004000",
        "e": "{none}",
        "note": "{name}",
        "f": 3,
    } == fill(written, values)


def test_the_names_in_a_text_are_found_with_their_paths() -> None:
    written = {"send": "A-ABORT", "data": ["{one}", {"hex": "{two:02x}{one}"}], "note": "{three}"}
    assert [(("data", 0), "one"), (("data", 1, "hex"), "two"), (("data", 1, "hex"), "one")] == list(
        names_in(written, ())
    )


@pytest.mark.parametrize("path", sorted(BUILTIN_USES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_sub_scenario_that_comes_with_dicomsim_can_be_used(path: Path) -> None:
    assert load_steps(path.stem)


@pytest.mark.slow
def test_every_scenario_that_is_shipped_is_a_case() -> None:
    cases = [load(path) for path in find_scenarios([str(resources.scenarios())])]
    roles = [case.scenario.role for case in cases]
    assert (True, True, len(cases)) == (
        roles.count("requestor") >= 20,
        roles.count("acceptor") >= 10,
        len({case.id for case in cases}),
    )
    assert {"field", "ps3.4", "ps3.7", "ps3.8"} == {case.id.partition("/")[0] for case in cases}


def write_use(root: Path, name: str, *steps: str) -> None:
    """A sub-scenario beside the scenarios of the folder."""
    (root / "use").mkdir(exist_ok=True)
    lines = "".join(f"  - {step}\n" for step in steps)
    (root / "use" / f"{name}.yaml").write_text(f"use: {name}\nabout: A test.\nsteps:\n{lines}")


def test_sub_scenarios_that_use_each_other_in_a_circle_are_a_mistake(tmp_path: Path) -> None:
    write_use(tmp_path, "ping", *["use: pong"] * 20)
    write_use(tmp_path, "pong", *["use: ping"] * 20)
    found = mistakes(tmp_path, GOOD.replace("- connect", "- use: ping"))
    assert ["7:5: ping uses itself, or too many others"] == found


def test_sub_scenarios_that_multiply_are_a_mistake(tmp_path: Path) -> None:
    for level in range(8):
        write_use(tmp_path, f"level{level}", *[f"use: level{level + 1}"] * 10)
    write_use(tmp_path, "level8", "connect")
    found = mistakes(tmp_path, GOOD.replace("- connect", "- use: level0"))
    assert ["7:5: more than 1000 sub-scenarios up to here"] == found


@pytest.mark.parametrize("name", ["x" * 5000, '"a\\0b"', "../../etc/passwd"])
def test_a_sub_scenario_whose_name_no_file_can_have_is_not_found(tmp_path: Path, name: str) -> None:
    (found,) = mistakes(tmp_path, GOOD.replace("- connect", f"- use: {name}"))
    assert found.startswith("7:5: no sub-scenario is called ")


@pytest.mark.parametrize(
    ("written", "value", "reason"),
    [
        ("{a:02x}", "text", "{a:02x} cannot be made of 'text': "),
        ("{a:02x}", [1], "{a:02x} cannot be made of [1]: "),
        ("{a:02000000000x}", 1, "{a:02000000000x} is wider than any value"),
    ],
)
def test_a_value_that_cannot_be_written_that_way_is_an_error(written: str, value: object, reason: str) -> None:
    with pytest.raises(FillError, match=re.escape(reason)):
        fill(f"before {written} behind", {"a": value})


def test_a_parameter_that_cannot_be_written_that_way_is_a_mistake_where_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "use").mkdir()
    (tmp_path / "use" / "raw.yaml").write_text(
        "use: raw\nabout: A test.\nparameters: {a: 1}\nsteps:\n  - raw: '{a:02x}'\n"
    )
    (found,) = mistakes(tmp_path, GOOD.replace("- connect", "- {use: raw, with: {a: text}}"))
    assert found.startswith("7:16: in raw: {a:02x} cannot be made of 'text': ")
