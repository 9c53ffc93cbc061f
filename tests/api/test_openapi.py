"""The document says all there is, and is valid."""

from openapi_spec_validator import validate

from api.app import collect
from api.openapi import describe
from api.openapi.document import CODES, refusals_of
from api.openapi.refusals import catalogue
from tests.api.conftest import Client


def test_the_document_is_valid_openapi_3_1() -> None:
    document = describe(collect())
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_operation_is_described_in_chinese_and_named_once() -> None:
    operations = [one for path in describe(collect())["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    assert len(names) == len(set(names))
    for one in operations:
        assert any("一" <= char <= "鿿" for char in one["summary"]), one["operationId"]
        assert {"500", "503"} <= one["responses"].keys(), one["operationId"]


def test_every_error_code_a_route_names_is_one_that_the_rules_give() -> None:
    known = CODES.keys() | catalogue().keys()
    unknown = {(route.name, code) for route in collect() for code in route.errors if code not in known}
    assert not unknown


def test_whoever_must_sign_in_is_told_how() -> None:
    for route in collect():
        codes = {refusal.status for refusal in refusals_of(route)}
        assert (401 in codes) >= bool(route.roles), route.name


def test_required_fields_and_headers_are_said_to_be_required() -> None:
    document = describe(collect())
    assert document["components"]["schemas"]["SignInIn"]["required"] == ["code"]
    out = document["paths"]["/api/mini/sign-out"]["post"]
    key = next(one for one in out["parameters"] if one["name"] == "Idempotency-Key")
    assert key["required"] is True


def test_files_may_come_raw_or_as_the_phones_form_and_go_out_as_they_are() -> None:
    paths = describe(collect())["paths"]
    upload = paths["/api/mini/evidence/upload"]["post"]["requestBody"]["content"]
    assert upload.keys() == {"application/octet-stream", "multipart/form-data"}
    assert upload["multipart/form-data"]["schema"]["required"] == ["file"]
    file = paths["/api/mini/evidence/{evidence_id}/view"]["get"]["responses"]
    assert "image/webp" in file["200"]["content"] and "204" not in file


async def test_the_document_and_its_page_need_no_other_server(anyone: Client) -> None:
    served = await anyone.get("/openapi.json?audience=console")
    assert all(path.startswith("/api/console") for path in served.content["paths"])
    page = await anyone.get("/docs")
    assert page.status == 200 and "接口文档" in page.text
    assert "http://" not in page.text.replace("http://127.0.0.1", "") and "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
