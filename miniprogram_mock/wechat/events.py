"""Events in the shapes in which the platform pushes them, and their two spellings, JSON and XML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from .messages import SentMessage
from .phones import Phone

Event = dict[str, Any]
_XML_WRAPPERS = {
    "subscribe_msg_popup_event": "SubscribeMsgPopupEvent",
    "subscribe_msg_change_event": "SubscribeMsgChangeEvent",
    "subscribe_msg_sent_event": "SubscribeMsgSentEvent",
}


def popup(phone: Phone, answers: Mapping[str, str]) -> Event:
    """The person answered the consent sheet: template id to `accept` or `reject`."""
    rows = [
        {"TemplateId": template_id, "SubscribeStatusString": answer, "PopupScene": "0"}
        for template_id, answer in answers.items()
    ]
    return _event(phone.openid, "subscribe_msg_popup_event") | {"List": _one_or_many(rows)}


def change(phone: Phone, template_ids: Sequence[str]) -> Event:
    """The person turned templates off in the settings."""
    rows = [{"TemplateId": template_id, "SubscribeStatusString": "reject"} for template_id in template_ids]
    return _event(phone.openid, "subscribe_msg_change_event") | {"List": _one_or_many(rows)}


def subscribe_sent(message: SentMessage) -> Event:
    """What became of a subscribe message."""
    row = {
        "TemplateId": message.template_id,
        "MsgID": str(message.msgid),
        "ErrorCode": "0",
        "ErrorStatus": "success",
    }
    return _event(message.openid, "subscribe_msg_sent_event") | {"List": row}


def template_sent(message: SentMessage, blocked: bool) -> Event:
    """What became of a service account's template message."""
    status = "failed:user block" if blocked else "success"
    return _event(message.openid, "TEMPLATESENDJOBFINISH") | {"MsgID": message.msgid, "Status": status}


def follow(phone: Phone, following: bool) -> Event:
    """The person began or ceased to follow the service account."""
    return _event(phone.service_openid, "subscribe" if following else "unsubscribe") | {"EventKey": ""}


def media_checked(openid: str, appid: str, trace_id: str, suggest: str, label: int) -> Event:
    """The verdict on a picture."""
    verdict = {"suggest": suggest, "label": label}
    detail = [{"strategy": "content_model", "errcode": 0, "prob": 90} | verdict]
    extra = {"appid": appid, "trace_id": trace_id, "version": 2, "errcode": 0, "errmsg": "ok"}
    return _event(openid, "wxa_media_check") | extra | {"result": verdict, "detail": detail}


def spell(event: Event, form: str) -> bytes:
    """The event as `json` or `xml` bytes."""
    return _xml(event).encode() if form == "xml" else orjson.dumps(event)


def _event(openid: str, name: str) -> Event:
    return {"FromUserName": openid, "MsgType": "event", "Event": name}


def _one_or_many(rows: list[dict[str, str]]) -> dict[str, str] | list[dict[str, str]]:
    return rows[0] if len(rows) == 1 else rows


def _xml(event: Event) -> str:
    wrapper = _XML_WRAPPERS.get(event.get("Event", ""))
    if wrapper and "List" in event:
        event = {key: value for key, value in event.items() if key != "List"} | {wrapper: {"List": event["List"]}}
    return f"<xml>{_elements(event)}</xml>"


def _elements(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(_named(name, inner) for name, inner in value.items())
    if isinstance(value, str):
        return f"<![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]>"
    return str(value)


def _named(name: str, value: Any) -> str:
    rows = value if isinstance(value, list) else [value]
    return "".join(f"<{name}>{_elements(row)}</{name}>" for row in rows)
