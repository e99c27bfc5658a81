"""Which transaction a message belongs to: RFC 3261 sections 17.1.3 and 17.2.3, every transaction named by one string.

The key of a client transaction begins with "c", that of a server transaction with "s". Equal keys mean the same
transaction and nothing else does, so matching is one look-up.

A branch that does not begin with the magic cookie comes from an RFC 2543 element, and its server transactions are
named by Request-URI, From tag, Call-ID, CSeq and top Via. The RFC compares the To tag as well; for an INVITE it is
left out of the key, because the ACK has to find the INVITE and carries the tag of the response instead (that tag is
compared by `acknowledges`). Nothing is lost: an INVITE with another To tag is another dialog's or comes later in this
one, and has another Call-ID or CSeq number.
"""

from dum.message import Request, Response, parse
from dum.message.grammar import split_commas
from dum.transaction.words import ACK, INVITE

MAGIC_COOKIE = "z9hg4bk"  # in lower case, as it is compared
RFC2543 = "s2543 "


def client_key(branch: str, method: str) -> str:
    """Return the key of the client transaction that sends a request of `method` with `branch` in its top Via."""
    return f"c{branch.lower()} {method}"


def response_key(response: Response) -> str:
    """Return the key of the client transaction that `response` belongs to (17.1.3): its branch and CSeq method."""
    return f"c{response.branch.lower()} {response.cseq_method}"


def server_key(request: Request) -> str:
    """Return the key of the server transaction that `request` belongs to (17.2.3); an ACK belongs to its INVITE."""
    method = request.method
    return _server_key(request, INVITE if method == ACK else method)


def cancel_target_key(request: Request) -> str:
    """Return the key of the server transaction that `request`, a CANCEL, cancels (9.2): the INVITE's."""
    return _server_key(request, INVITE)


def acknowledges(request: Request, key: str, response: bytes) -> bool:
    """Return whether the ACK `request`, found under `key`, acknowledges `response` (encoded).

    True by the key alone when the branch has the magic cookie; from an RFC 2543 element the To tags must agree.
    """
    if not key.startswith(RFC2543):
        return True
    answered = parse(response)
    return isinstance(answered, Response) and answered.to_tag == request.to_tag


def _server_key(request: Request, method: str) -> str:
    branch = request.branch.lower()
    if branch.startswith(MAGIC_COOKIE):
        return f"s{branch} {request.sent_by.lower()} {method}"
    to_tag = "" if method == INVITE else request.to_tag
    top_via = split_commas(request.header("via") or "")[0]  # it was read when the request was parsed: it can be split
    return (
        f"{RFC2543}{request.request_uri} {to_tag} {request.from_tag} {request.call_id} {request.cseq} {method}"
        f" {top_via}"
    )
