"""Every SOP class with every DIMSE service it has, in each role, over real associations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicomsim.ae import AE
from dicomsim.association import Association
from dicomsim.dimse.messages import Message
from dicomsim.presentation import MAX_CONTEXTS, build_context
from dicomsim.services import PROVIDERS
from dicomsim.services.judge import UPS_PUSH
from dicomsim.sop_class import ServiceClass, SOPClass
from tests.meeting import IMPLICIT, LOOPBACK
from tests.oracle import document, table
from tests.services.archive import as_scp, query

RETIRED = "1.2.840.10008.1.20.2"
"""Storage commitment by pull, which the table files under storage, was retired with its N-services in 2001."""


def _services(row: dict[str, str]) -> list[str]:
    cells = [cell for cell in row["dimse_services"].split(";") if cell and "sub-operation" not in cell]
    return list(dict.fromkeys(cell.split()[0] for cell in cells))


ROWS = {row["uid"]: row for row in table("sop_classes") if _services(row) and row["uid"] != RETIRED}
CASES = [(uid, service) for uid, row in ROWS.items() for service in _services(row)]
MEMBERS = [
    (cell.split()[0], row["uid"], service)
    for row in ROWS.values()
    for cell in row["meta_sop_class"].split(";")
    if cell
    for service in _services(row)
]
METAS = sorted({meta for meta, _, _ in MEMBERS})
ABSTRACT_SYNTAXES = [*ROWS, *METAS]
INSTANCE = "1.2.3.4.5"


def _attributes() -> Dataset:
    dataset = Dataset()
    dataset.PatientID = "1"
    return dataset


class Everything(AE):
    """Has a handler for every service, which remembers the context it was asked on and succeeds."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.maximum_associations = 100
        self.asked: list[tuple[str, str]] = []
        self.instead: dict[str, Any] = {}

    def handler(self, name: str) -> Any:
        service = name.removeprefix("on_").upper().replace("_", "-")
        if service not in PROVIDERS or name in self.instead:
            return self.instead.get(name) or super().handler(name)

        def handle(*arguments: Any) -> Any:
            context = arguments[-2]
            self.asked.append((service, str(context.abstract_syntax)))
            if service == "C-FIND":
                return [(0xFF00, _attributes())]
            if service == "C-GET":
                return [0]
            return [("127.0.0.1", 1), 0] if service == "C-MOVE" else 0x0000

        return handle


class Pair:
    """Two of them, with an association for each block of 128 abstract syntaxes and each distribution of the roles."""

    def __init__(self) -> None:
        self.requestor, self.acceptor = Everything("REQUESTOR"), Everything("ACCEPTOR")
        for uid in ABSTRACT_SYNTAXES:
            self.acceptor.add_supported_context(uid, IMPLICIT, scu_role=True, scp_role=True)
        self.server = self.acceptor.start_server(LOOPBACK)
        self.by_roles: dict[bool, dict[str, tuple[Association, Association]]] = {}
        for requestor_is_scp in (False, True):
            self.by_roles[requestor_is_scp] = dict(self._associate(requestor_is_scp))

    def _associate(self, requestor_is_scp: bool) -> Iterator[tuple[str, tuple[Association, Association]]]:
        for start in range(0, len(ABSTRACT_SYNTAXES), MAX_CONTEXTS):
            block = ABSTRACT_SYNTAXES[start : start + MAX_CONTEXTS]
            ours = self.requestor.associate(
                *self.server.address,
                contexts=[build_context(uid, IMPLICIT) for uid in block],
                ext_neg=as_scp(*block) if requestor_is_scp else None,
            )
            assert ours.is_established
            theirs = self.acceptor.active_associations[-1]
            for uid in block:
                yield uid, (ours, theirs)

    def scu_and_scp(self, uid: str, requestor_is_scp: bool) -> tuple[Association, Association]:
        """The association of that abstract syntax, as its SCU and as its SCP see it."""
        ours, theirs = self.by_roles[requestor_is_scp][uid]
        return (theirs, ours) if requestor_is_scp else (ours, theirs)

    def close(self) -> None:
        """End all associations."""
        self.requestor.stop()
        self.acceptor.stop()


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.close()


def _image(uid: str) -> Dataset:
    dataset = _attributes()
    dataset.SOPClassUID, dataset.SOPInstanceUID = uid, INSTANCE
    return dataset


def ask(association: Association, service: str, uid: str, meta: str | None = None) -> list[Message]:
    """Ask for a service of a SOP class; the responses."""
    attributes = _attributes()
    normalized: dict[str, Any] = {"class_uid": uid, "instance_uid": INSTANCE, "meta_uid": meta}
    requests: dict[str, Any] = {
        "C-ECHO": association.c_echo,
        "C-STORE": lambda: association.c_store(_image(uid)),
        "C-FIND": lambda: list(association.c_find(query(), query_model=uid)),
        "C-GET": lambda: list(association.c_get(query(), query_model=uid)),
        "C-MOVE": lambda: list(association.c_move(query(), "DEST", query_model=uid)),
        "N-EVENT-REPORT": lambda: association.n_event_report(attributes, 1, **normalized),
        "N-GET": lambda: association.n_get([], **normalized),
        "N-SET": lambda: association.n_set(attributes, **normalized),
        "N-ACTION": lambda: association.n_action(attributes, 1, **normalized),
        "N-CREATE": lambda: association.n_create(attributes, **normalized),
        "N-DELETE": lambda: association.n_delete(**normalized),
    }
    answer = requests[service]()
    return answer if isinstance(answer, list) else [answer]


def _check(pair: Pair, service: str, uid: str, meta: str | None, requestor_is_scp: bool) -> None:
    scu, scp = pair.scu_and_scp(meta or uid, requestor_is_scp)
    asking, asked = (scp, scu) if service == "N-EVENT-REPORT" else (scu, scp)
    assert 0x0000 == ask(asking, service, uid, meta)[-1].status
    performer = asked.ae
    assert isinstance(performer, Everything)
    assert (service, meta or uid) == performer.asked.pop()
    assert [] == performer.asked


ROLES = pytest.mark.parametrize("requestor_is_scp", [False, True], ids=["requestor is SCU", "requestor is SCP"])


@ROLES
@pytest.mark.parametrize(("uid", "service"), CASES, ids=[f"{ROWS[uid]['keyword']} {name}" for uid, name in CASES])
def test_every_sop_class_is_served_in_each_role(pair: Pair, uid: str, service: str, requestor_is_scp: bool) -> None:
    _check(pair, service, uid, None, requestor_is_scp)


@ROLES
@pytest.mark.parametrize(("meta", "uid", "service"), MEMBERS)
def test_members_are_served_on_the_contexts_of_their_meta_sop_class(
    pair: Pair, meta: str, uid: str, service: str, requestor_is_scp: bool
) -> None:
    _check(pair, service, uid, meta, requestor_is_scp)


UPS = [(uid, name) for uid, name in CASES if SOPClass(uid).service_class is ServiceClass.UNIFIED_PROCEDURE_STEP]


@pytest.mark.parametrize(("uid", "service"), [(uid, name) for uid, name in UPS if name.startswith("N-")])
def test_n_services_of_unified_procedure_steps_name_ups_push_on_any_of_their_contexts(
    pair: Pair, uid: str, service: str
) -> None:
    _check(pair, service, UPS_PUSH, uid, requestor_is_scp=False)


def test_every_service_class_that_has_dimse_services_is_among_them() -> None:
    without = {ServiceClass.MEDIA_STORAGE, ServiceClass.REAL_TIME_COMMUNICATION}
    assert set(ServiceClass) - without == {SOPClass(uid).service_class for uid in ROWS} - {None}


MODELS = document("query_retrieve")["hierarchical_models"] + document("query_retrieve")["single_level_models"]
MODEL_CASES = [
    (model["name"], f"C-{verb}", uid)
    for model in MODELS
    for verb, uid in model["sop_classes"].items()
    if " " not in uid
]


@pytest.mark.parametrize(("name", "service", "uid"), MODEL_CASES)
def test_every_information_model_is_asked_with_the_service_of_its_sop_class(
    pair: Pair, name: str, service: str, uid: str
) -> None:
    assert [service] == [one for one in _services(ROWS[uid]) if one.startswith("C-")]
    _check(pair, service, uid, None, requestor_is_scp=False)


TYPES = document("n_service_types")


@pytest.mark.parametrize(
    ("row", "number"),
    [(row, kind["id"]) for row in TYPES["event_and_action_types"] for kind in row["types"]],
    ids=lambda value: value["sop_class"] if isinstance(value, dict) else str(value),
)
def test_every_event_and_action_type_reaches_the_handler(pair: Pair, row: dict[str, Any], number: int) -> None:
    got: list[dict[str, Any]] = []
    name = "on_" + row["dimse"].lower().replace("-", "_")

    def handler(dataset: Dataset, context: Any, info: dict[str, Any]) -> int:
        got.append(info["parameters"])
        return 0x0000

    sop_class = next(uid for uid, service in CASES if service == row["dimse"])
    scu, scp = pair.scu_and_scp(sop_class, requestor_is_scp=False)
    performer, asking = (scu.ae, scp) if row["kind"] == "event" else (scp.ae, scu)
    assert isinstance(performer, Everything)
    performer.instead[name] = handler
    try:
        if row["kind"] == "event":
            response = asking.n_event_report(_attributes(), number, sop_class, INSTANCE)
        else:
            response = asking.n_action(_attributes(), number, sop_class, INSTANCE)
    finally:
        performer.instead.clear()
    assert 0x0000 == response.status
    assert [number] == [parameters[f"{row['kind']}_type_id"] for parameters in got]


@pytest.mark.parametrize("uid", sorted(set(TYPES["well_known_instances"].values())))
def test_every_well_known_instance_can_be_named(pair: Pair, uid: str) -> None:
    owner = next(one for one in ROWS if uid in SOPClass(one).well_known_instances)
    service = next(one for one in _services(ROWS[owner]) if one in ("N-GET", "N-ACTION"))
    scu, scp = pair.scu_and_scp(owner, requestor_is_scp=False)
    response = scu.n_get([], owner, uid) if service == "N-GET" else scu.n_action(_attributes(), 1, owner, uid)
    assert (0x0000, uid) == (response.status, response.affected_sop_instance_uid)
    assert isinstance(scp.ae, Everything)
    scp.ae.asked.clear()
