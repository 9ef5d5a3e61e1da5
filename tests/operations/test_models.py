"""The letters of the information models, against the table of SOP classes."""

from __future__ import annotations

from typing import Any

import pytest

from dicomsim.operations.models import MODELS, model_uid
from dicomsim.sop_class import SOPClass

KEYWORDS = {
    ("P", "C-FIND"): "PatientRootQueryRetrieveInformationModelFind",
    ("S", "C-MOVE"): "StudyRootQueryRetrieveInformationModelMove",
    ("O", "C-GET"): "PatientStudyOnlyQueryRetrieveInformationModelGet",
    ("C", "C-FIND"): "CardiacRelevantPatientInformationQuery",
    ("C", "C-MOVE"): "CompositeInstanceRootRetrieveMove",
    ("C", "C-GET"): "CompositeInstanceRootRetrieveGet",
    ("CB", "C-GET"): "CompositeInstanceRetrieveWithoutBulkDataGet",
    ("W", "C-FIND"): "ModalityWorklistInformationModelFind",
    ("G", "C-FIND"): "GeneralRelevantPatientInformationQuery",
    ("B", "C-FIND"): "BreastImagingRelevantPatientInformationQuery",
    ("PC", "C-FIND"): "ProductCharacteristicsQuery",
    ("SA", "C-FIND"): "SubstanceApprovalQuery",
    ("H", "C-GET"): "HangingProtocolInformationModelGet",
    ("CP", "C-MOVE"): "ColorPaletteQueryRetrieveInformationModelMove",
    ("D", "C-FIND"): "DefinedProcedureProtocolInformationModelFind",
    ("IG", "C-GET"): "GenericImplantTemplateInformationModelGet",
    ("IA", "C-MOVE"): "ImplantAssemblyTemplateInformationModelMove",
    ("IT", "C-FIND"): "ImplantTemplateGroupInformationModelFind",
}


@pytest.mark.parametrize(("letter", "service"), KEYWORDS)
def test_a_letter_stands_for_a_sop_class(letter: str, service: str) -> None:
    assert KEYWORDS[letter, service] == SOPClass(model_uid(letter, service)).keyword


@pytest.mark.parametrize("letter", MODELS)
def test_every_letter_stands_for_sop_classes_of_its_services(letter: str) -> None:
    for service, uid in MODELS[letter].items():
        assert (service,) == SOPClass(uid).dimse_services


def test_a_uid_stands_for_itself_known_or_not() -> None:
    assert "1.2.840.10008.5.1.4.34.6.3" == model_uid("1.2.840.10008.5.1.4.34.6.3", "C-FIND")
    assert "1.2.3" == model_uid("1.2.3", "C-GET")


@pytest.mark.parametrize(("model", "service"), [("X", "C-FIND"), ("", "C-GET"), ("W", "C-MOVE"), ("p", "C-FIND")])
def test_anything_else_is_an_error_that_names_it(model: str, service: str) -> None:
    with pytest.raises(ValueError, match=f"one of P, S, O, .* for a {service}, not {model!r}"):
        model_uid(model, service)


@pytest.mark.parametrize("model", [None, 5, b"P"])
def test_a_model_is_text(model: Any) -> None:
    with pytest.raises(TypeError, match="query_model"):
        model_uid(model, "C-FIND")
