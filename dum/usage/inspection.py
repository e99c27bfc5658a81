"""What every request has to pass before a usage sees it: RFC 3261 section 8.2, in its order."""

from dum.message import HeaderError, Request
from dum.profile import KNOWN_METHODS, Profile

type Refusal = tuple[int, tuple[tuple[str, str], ...]]

_SCHEMES = ("sip:", "sips:")


def refusal(request: Request, profile: Profile) -> Refusal | None:
    """Return the status and header fields that refuse `request`, or None when it may pass.

    405 or 501 for the method (8.2.1, 21.5.2), 416 for the scheme of the Request-URI (8.2.2.1), 420 for an extension
    that is required but not supported (8.2.2.3), 415 for a body that is not understood and not optional (8.2.3), 406
    for an INVITE whose Accept excludes every answer (21.4.7), 400 when one of these headers can't be read. ACK and
    CANCEL are never refused for an extension. Pure; never raises.
    """
    method = request.method
    if method not in profile.allow:
        allow = (("Allow", ", ".join(profile.allow)),)
        return (405, allow) if method in KNOWN_METHODS else (501, allow)
    if method in ("ACK", "CANCEL"):
        return None
    if not request.request_uri.lower().startswith(_SCHEMES):
        return 416, ()
    try:
        return _negotiation_refusal(request, profile)
    except HeaderError:
        return 400, ()


def _negotiation_refusal(request: Request, profile: Profile) -> Refusal | None:
    """Return 420, 415 or 406, or None; raises HeaderError for a list with an unclosed quote."""
    required = [tag for tag in request.headers("Require") if tag.lower() not in profile.supported]
    if required:
        return 420, tuple(("Unsupported", tag) for tag in required)
    refused = _content_refusal(request, profile) if request.body else None
    if refused is None and request.method == "INVITE" and not _takes_answer(request, profile):
        return 406, (("Accept", ", ".join(profile.accept)),)
    return refused


def _takes_answer(request: Request, profile: Profile) -> bool:
    """Tell whether the Accept of an INVITE, if it has one, has room for a body of ours (20.1, 21.4.7).

    An empty one has room for nothing.
    """
    ranges = {value.partition(";")[0].replace(" ", "").lower() for value in request.headers("Accept")}
    if request.header("Accept") is None or "*/*" in ranges:
        return True
    return any(kind in ranges or kind.partition("/")[0] + "/*" in ranges for kind in profile.accept)


def _content_refusal(request: Request, profile: Profile) -> Refusal | None:
    """Return 415 for a body of a type, encoding or language that is not understood (8.2.3)."""
    disposition = (request.header("Content-Disposition") or "").replace(" ", "").lower()
    if "handling=optional" in disposition:
        return None
    encoding = (request.header("Content-Encoding") or "identity").lower()
    if encoding != "identity":
        return 415, (("Accept-Encoding", "identity"),)
    kind = request.content_type.partition(";")[0].strip().lower()
    accepted = profile.accept
    if request.method in ("INVITE", "OPTIONS", "ACK", "UPDATE", "PRACK") and kind and kind not in accepted:
        return 415, (("Accept", ", ".join(accepted)),)
    return None
