"""The registry of SOP classes, against PS3.6 Annex A and PS3.4."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import pytest

from dicomsim import sop_class
from dicomsim.sop_class import ServiceClass, SOPClass, of_service, service_of, uid_name, uid_to_sop_class
from tests.oracle import table

ROWS = table("sop_classes")

# Table cells that are no service class.
NO_SERVICE = {"retired", "well-known instance", "service class identifier", "association"}
# PS3.4-2001 Annex J describes the Pull Model as storage commitment by N-services; the table files it under storage.
COMMITMENT_PULL = "1.2.840.10008.1.20.2"


def service_in_table(row: dict[str, str]) -> str | None:
    if row["uid"] == COMMITMENT_PULL:
        return "Storage Commitment"
    service = row["service_class"].removesuffix(" (retired)")
    return None if service in NO_SERVICE else service


def services_in_table(row: dict[str, str]) -> list[str]:
    if row["uid"] == COMMITMENT_PULL:
        return []
    cells = [cell for cell in row["dimse_services"].split(";") if cell and "sub-operation" not in cell]
    return list(dict.fromkeys(cell.split()[0] for cell in cells))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["uid"])
def test_every_registered_uid_has_its_row(row: dict[str, str]) -> None:
    uid = SOPClass(row["uid"])
    assert uid.is_registered
    assert uid.name == row["name"]
    assert uid.keyword == row["keyword"]
    assert uid.kind == row["uid_type"]
    assert uid.retired == (row["retired"] == "yes")
    assert uid.service_class == service_in_table(row)
    assert service_of(row["uid"]) == service_in_table(row)
    assert list(uid.dimse_services) == services_in_table(row)
    assert ";".join(uid.well_known_instances) == row["well_known_instance"]
    assert ";".join(uid.related_general) == row["related_general_sop_classes"]
    assert uid_name(row["uid"]) == row["name"]


@pytest.mark.parametrize("row", [row for row in ROWS if row["keyword"]], ids=lambda row: row["keyword"])
def test_every_keyword_is_a_name_of_the_module(row: dict[str, str]) -> None:
    found = getattr(sop_class, row["keyword"])
    assert found == row["uid"]
    assert type(found) is SOPClass
    assert row["keyword"] in dir(sop_class)


def test_nothing_is_registered_that_the_standard_does_not_list() -> None:
    assert list(sop_class.registry()) == [row["uid"] for row in ROWS]


def test_meta_sop_classes_know_their_members() -> None:
    members: dict[str, list[str]] = {row["uid"]: [] for row in ROWS if row["uid_type"] == "Meta SOP Class"}
    for row in ROWS:
        for cell in filter(None, row["meta_sop_class"].split(";")):
            members[cell.split()[0]].append(row["uid"])
    assert {uid: list(SOPClass(uid).members) for uid in members} == members


# Names as the public documentation of pynetdicom 1.x has them, where they differ from the keywords.
FORMER_NAMES = {
    "VerificationSOPClass": "Verification",
    "ModalityWorklistInformationFind": "ModalityWorklistInformationModelFind",
    "ModalityPerformedProcedureStepSOPClass": "ModalityPerformedProcedureStep",
    "ModalityPerformedProcedureStepRetrieveSOPClass": "ModalityPerformedProcedureStepRetrieve",
    "ModalityPerformedProcedureStepNotificationSOPClass": "ModalityPerformedProcedureStepNotification",
    "StorageCommitmentPushModelSOPClass": "StorageCommitmentPushModel",
    "StorageCommitmentPushModelSOPInstance": "StorageCommitmentPushModelInstance",
    "ColorPaletteInformationModelMove": "ColorPaletteQueryRetrieveInformationModelMove",
    "DisplaySystemSOPClass": "DisplaySystem",
    "DisplaySystemSOPInstance": "DisplaySystemInstance",
    "PrinterSOPClass": "Printer",
    "PrinterSOPInstance": "PrinterInstance",
    "BasicGrayscalePrintManagementMetaSOPClass": "BasicGrayscalePrintManagementMeta",
    "PresentationLUTSOPClass": "PresentationLUT",
    "MediaCreationManagementSOPClass": "MediaCreationManagement",
    "InstanceAvailabilityNotificationSOPClass": "InstanceAvailabilityNotification",
    "ProceduralEventLoggingSOPClass": "ProceduralEventLogging",
    "ProductCharacteristicsQueryInformationModelFind": "ProductCharacteristicsQuery",
    "SubstanceApprovalQueryInformationModelFind": "SubstanceApprovalQuery",
    "UnifiedProcedureStepWatchSOPClass": "UnifiedProcedureStepWatch",
    "UPSGlobalSubscriptionSOPInstance": "UPSGlobalSubscriptionInstance",
    "DigitalXRayImagePresentationStorage": "DigitalXRayImageStorageForPresentation",
    "DigitalXRayImageProcessingStorage": "DigitalXRayImageStorageForProcessing",
    "IntravascularOpticalCoherenceTomographyImagePresentationStorage": (
        "IntravascularOpticalCoherenceTomographyImageStorageForPresentation"
    ),
    "KeyObjectSelectionStorage": "KeyObjectSelectionDocumentStorage",
    "MultiframeTrueColorSecondaryCaptureImageStorage": "MultiFrameTrueColorSecondaryCaptureImageStorage",
    "OphthlamicOpticalCoherenceTomographyBScanVolumeAnalysisStorage": (
        "OphthalmicOpticalCoherenceTomographyBscanVolumeAnalysisStorage"
    ),
    "ProcedureSRStorage": "ProcedureLogStorage",
    "PseudocolorSoftcopyPresentationStageStorage": "PseudoColorSoftcopyPresentationStateStorage",
    "UltrasoundMultiframeImageStorage": "UltrasoundMultiFrameImageStorage",
}


@pytest.mark.parametrize(("former", "keyword"), FORMER_NAMES.items())
def test_names_known_from_pynetdicom_mean_the_same_class(former: str, keyword: str) -> None:
    assert getattr(sop_class, former) == getattr(sop_class, keyword)


def test_a_former_name_never_hides_a_keyword() -> None:
    assert [name for name, uid in sop_class.names().items() if name in FORMER_NAMES and uid.keyword == name] == []


def test_names_are_imported_like_any_other() -> None:
    from dicomsim.sop_class import CTImageStorage, PatientRootQueryRetrieveInformationModelFind

    assert CTImageStorage == "1.2.840.10008.5.1.4.1.1.2"
    assert PatientRootQueryRetrieveInformationModelFind.service_class is ServiceClass.QUERY_RETRIEVE


def test_every_name_is_there_after_importing_all() -> None:
    namespace: dict[str, object] = {}
    exec("from dicomsim.sop_class import *", namespace)  # noqa: S102  # no function may import all by itself
    assert sop_class.Verification == namespace["VerificationSOPClass"] == namespace["Verification"]
    assert {"SOPClass", "ServiceClass", "uid_to_sop_class"} <= namespace.keys()


def test_a_misspelt_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(AttributeError, match=r"'CTImageStorge': did you mean CTImageStorage\?"):
        _ = sop_class.CTImageStorge
    with pytest.raises(AttributeError, match="_hidden"):
        _ = sop_class._hidden


def test_a_private_uid_has_itself_for_a_name_and_no_service() -> None:
    private = uid_to_sop_class("1.2.3.4")
    assert (private.name, private.keyword, private.kind, private.service_class) == ("1.2.3.4", "", "", None)
    assert not private.is_registered
    assert uid_name("1.2.3.4") == "1.2.3.4"


def test_a_sop_class_is_its_uid_as_text_and_stays_one_when_copied() -> None:
    uid = sop_class.Verification
    assert f"{uid}" == "1.2.840.10008.1.1" == uid.uid
    assert type(uid.uid) is str
    for twin in (copy.deepcopy(uid), pickle.loads(pickle.dumps(uid))):
        assert twin == uid
        assert twin.name == "Verification SOP Class"


def test_transfer_syntaxes_have_names_too() -> None:
    assert uid_name("1.2.840.10008.1.2") == "Implicit VR Little Endian"


@pytest.mark.parametrize("service", ServiceClass)
def test_every_service_class_has_its_sop_classes(service: ServiceClass) -> None:
    in_table = [row for row in ROWS if service_in_table(row) == service]
    assert of_service(service, retired=True) == [row["uid"] for row in in_table]
    assert of_service(service) == [row["uid"] for row in in_table if row["retired"] == "no"]
    assert of_service(service)


def test_importing_the_module_reads_no_table_and_no_pydicom() -> None:
    code = (
        "import sys, dicomsim.sop_class as s;"
        "assert s.registry.cache_info().currsize == 0;"
        "from dicomsim.sop_class import CTImageStorage;"
        "assert s.registry.cache_info().currsize == 1;"
        "assert not {'pydicom', 'csv', 'importlib.resources', 'inspect'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
