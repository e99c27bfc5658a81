from collections.abc import Callable

import pytest

from dum.message import HeaderError, Message, Request
from dum.message.extensions import (
    DialogIdentifier,
    Reason,
    SessionExpires,
    SubscriptionState,
    addresses,
    allow_events,
    entity_tag,
    event,
    if_match,
    join,
    min_expires,
    min_se,
    parse_replaces,
    privacy,
    rack,
    reasons,
    refer_to,
    referred_by,
    replaces,
    rseq,
    session_expires,
    subscription_state,
    target_dialog,
)
from tests.dum.message.examples import invite, request


def holding(*lines: str) -> Request:
    return request(invite(*lines, content_type="", body=b""))


def test_absent_headers() -> None:
    nothing = holding()
    readers: list[Callable[[Message], object]] = [
        *(rseq, rack, event, subscription_state, session_expires, min_se, min_expires, refer_to, referred_by),
        *(replaces, join, target_dialog),
    ]
    assert [read(nothing) for read in readers] == [None] * len(readers)
    assert (allow_events(nothing), reasons(nothing), privacy(nothing)) == ((), (), frozenset())
    assert (entity_tag(nothing), if_match(nothing)) == ("", "")


@pytest.mark.parametrize(
    ("read", "line"),
    [
        *((rseq, f"RSeq: {text}") for text in ("0", "-1", "4294967296", "x")),
        *((rack, f"RAck: {text}") for text in ("1 1", "1 1 a b", "x 1 INVITE", "1 2147483648 INVITE")),
        *((subscription_state, f"Subscription-State: {text}") for text in ("", "active;expires=x", "a;;")),
        *((session_expires, f"Session-Expires: {text}") for text in ("x", "90;refresher=both")),
        (refer_to, "Refer-To: <sip:a>, <sip:b>"),
        (refer_to, "Refer-To: <sip:>"),
        *((replaces, f"Replaces: {text}") for text in ("x", "x;to-tag=1", "x;to-tag=;from-tag=2", "x;to-tag=1;;")),
        (replaces, "Replaces: x;to-tag=1;from-tag=2\r\nReplaces: y;to-tag=1;from-tag=2"),
        (replaces, "Replaces: x;to-tag=1;from-tag=2\r\nJoin: x;to-tag=1;from-tag=2"),
        (reasons, "Reason: SIP;cause=x"),
        (entity_tag, "SIP-ETag: a b"),
    ],
)
def test_broken_headers_raise_naming_themselves(read: Callable[[Message], object], line: str) -> None:
    with pytest.raises(HeaderError) as caught:
        read(holding(line))
    assert caught.value.header == line.partition(":")[0]


def test_reliability() -> None:
    """RFC 3262 section 7."""
    assert rseq(holding("RSeq: 988789")) == 988789
    assert rack(holding("RAck: 776656 1 INVITE")) == (776656, 1, "INVITE")


def test_events() -> None:
    found = event(holding("o: presence.winfo;id=a"))
    assert found is not None
    assert (found.value, found.parameters["id"]) == ("presence.winfo", "a")
    assert allow_events(holding("u: presence", "Allow-Events: dialog, refer")) == ("presence", "dialog", "refer")


def test_subscription_state() -> None:
    found = subscription_state(holding("Subscription-State: Terminated;reason=Timeout;retry-after=5;expires=0"))
    assert found is not None
    assert (found.state, found.reason, found.expires, found.retry_after) == ("terminated", "timeout", 0, 5)
    assert str(SubscriptionState("active", expires=60)) == "active;expires=60"
    assert str(found) == "terminated;reason=timeout;expires=0;retry-after=5"


def test_session_timers() -> None:
    found = session_expires(holding("x: 1800;Refresher=UAS"))
    assert found is not None
    assert (found.seconds, found.refresher, str(found)) == (1800, "uas", "1800;refresher=uas")
    assert str(SessionExpires(90)) == "90"
    assert min_se(holding("Min-SE: 90")) == 90
    assert min_expires(holding("Min-Expires: 60")) == 60


def test_reference() -> None:
    found = refer_to(holding("r: <sip:a@b?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2>"))
    assert found is not None
    assert found.uri.headers[0][0] == "Replaces"
    by = referred_by(holding('b: "Carol" <sip:c@d>;cid="x@y"'))
    assert by is not None
    assert (by.display, by.parameters["cid"]) == ("Carol", "x@y")


def test_dialogs_named_by_headers() -> None:
    found = replaces(holding("Replaces: 425928@bobster.example.org ;to-tag=7743;from-tag=6472;early-only"))
    assert found is not None
    assert (found.call_id, found.local_tag, found.remote_tag) == ("425928@bobster.example.org", "7743", "6472")
    assert found.early_only
    assert str(found) == "425928@bobster.example.org;to-tag=7743;from-tag=6472;early-only"
    assert parse_replaces(str(found)).local_tag == "7743"
    other = target_dialog(holding("Target-Dialog: x;local-tag=sender;remote-tag=mine"))
    assert other is not None
    assert (other.local_tag, other.remote_tag) == ("mine", "sender")
    assert join(holding("Join: x;to-tag=1;from-tag=2")) is not None
    assert str(DialogIdentifier("c", "l", "r")) == "c;to-tag=l;from-tag=r"


def test_reasons() -> None:
    found = reasons(holding('Reason: SIP ;cause=200 ;text="Call completed, elsewhere"', "Reason: q.850;cause=16, x"))
    assert [(each.protocol, each.cause, each.text) for each in found] == [
        ("SIP", 200, "Call completed, elsewhere"),
        ("Q.850", 16, ""),
        ("X", None, ""),
    ]
    assert str(Reason("SIP", 487, 'a "b"')) == r'SIP;cause=487;text="a \"b\""'


def test_addresses() -> None:
    message = holding("Path: <sip:p1;lr>,<sip:p2;lr>", 'P-Asserted-Identity: "C" <sip:c@d>, tel:+123')
    assert [str(each.uri) for each in addresses(message, "Path")] == ["sip:p1;lr", "sip:p2;lr"]
    assert [each.uri.scheme for each in addresses(message, "P-Asserted-Identity")] == ["sip", "tel"]
    with pytest.raises(HeaderError):
        addresses(holding("Service-Route: <sip:"), "Service-Route")


def test_privacy_and_entity_tags() -> None:
    assert privacy(holding("Privacy: ID; header,critical")) == {"id", "header", "critical"}
    assert entity_tag(holding("SIP-ETag: dx200xyz")) == "dx200xyz"
    assert if_match(holding("SIP-If-Match: dx200xyz")) == "dx200xyz"
