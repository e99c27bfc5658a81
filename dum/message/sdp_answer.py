"""Offer and answer over session descriptions (RFC 3264): making an answer, judging one, holding and resuming."""

from __future__ import annotations

from dum.message.sdp import Media, Origin, SdpError, SessionDescription

_SENDS = ("sendrecv", "sendonly")
_RECEIVES = ("sendrecv", "recvonly")


def make_direction(sends: bool, receives: bool) -> str:
    """The direction of one who sends, receives, both or neither."""
    if sends:
        return "sendrecv" if receives else "sendonly"
    return "recvonly" if receives else "inactive"


def answer(
    offer: SessionDescription, capabilities: SessionDescription, origin: Origin | None = None
) -> SessionDescription:
    """The answer of one who can do what ``capabilities`` says (written as an offer of its own) (RFC 3264 section 6).

    As many media sections as offered, in the same order. Each takes the first capability of its kind and protocol that
    has a format in common and is not taken yet; it answers with the offer's format numbers, in the offer's order, and
    with the direction both allow. A section without a match is rejected with port 0; tones and comfort noise alone are
    no match. ``origin`` is that of the capabilities unless given; t= is the offer's. Format parameters (fmtp) are not
    compared: ours are told.
    """
    free = list(capabilities.media)
    media = []
    for offered in offer.media:
        able = next((each for each in free if _common(offered, each)), None)
        if able is None or offered.rejected:
            connection = [] if capabilities.connection else [line for line in offered.lines if line[0] == "c"][:1]
            media.append(offered.replaced(port=0, lines=connection))
            continue
        free.remove(able)
        theirs, ours = offer.direction(offered), capabilities.direction(able)
        sends = ours in _SENDS and theirs in _RECEIVES
        receives = ours in _RECEIVES and theirs in _SENDS
        media.append(_answered(offered, able).with_direction(make_direction(sends, receives)))
    session = [line for line in capabilities.replaced(lines=capabilities._directed("")).lines if line[0] not in "tr"]
    times = [line for line in offer.lines if line[0] in "tr"] or [("t", "0 0")]
    place = next((index for index, line in enumerate(session) if line[0] in "zka"), len(session))
    return capabilities.replaced(origin=origin, lines=[*session[:place], *times, *session[place:]], media=media)


def _common(offered: Media, able: Media) -> list[tuple[str, str]]:
    """(format of the offer, format of ours) for each format that both have, in the offer's order."""
    if offered.kind != able.kind or offered.protocol.upper() != able.protocol.upper():
        return []
    if "RTP" not in offered.protocol.upper():
        return [(name, name) for name in offered.formats if name in able.formats]
    ours = {able.encoding(payload) or payload: payload for payload in reversed(able.formats)}
    pairs = [(payload, offered.encoding(payload) or payload) for payload in offered.formats]
    common = [(payload, encoding) for payload, encoding in pairs if encoding in ours]
    if all(encoding.startswith(("telephone-event/", "cn/")) for _, encoding in common):
        return []
    return [(payload, ours[encoding]) for payload, encoding in common]


def _answered(offered: Media, able: Media) -> Media:
    pairs = _common(offered, able)
    numbers = {ours: theirs for theirs, ours in reversed(pairs)}
    lines = []
    for letter, value in able.lines:
        name, colon, rest = value.partition(":")
        if letter == "a" and colon and name in ("rtpmap", "fmtp", "rtcp-fb"):
            number, _, what = rest.partition(" ")
            if number != "*" and number not in numbers:
                continue
            value = f"{name}:{numbers.get(number, number)} {what}"
        lines.append((letter, value))
    return able.replaced(formats=[theirs for theirs, _ in pairs], lines=lines)


def answer_fault(offer: SessionDescription, given: SessionDescription) -> str:
    """What makes ``given`` no valid answer to ``offer`` (RFC 3264 section 6), "" when it is one."""
    if len(offer.media) != len(given.media):
        return f"{len(given.media)} media sections answer {len(offer.media)}"
    for index, (offered, answered) in enumerate(zip(offer.media, given.media, strict=True)):
        where = f"media section {index + 1}"
        if offered.kind != answered.kind:
            return f"{where}: {answered.kind} answers {offered.kind}"
        if answered.rejected:
            continue
        if offered.rejected:
            return f"{where}: a port answers port 0"
        if offered.protocol.upper() != answered.protocol.upper():
            return f"{where}: {answered.protocol} answers {offered.protocol}"
        if given.connection_of(answered) is None:
            return f"{where}: no connection"
        theirs, ours = offer.direction(offered), given.direction(answered)
        if (ours in _SENDS and theirs not in _RECEIVES) or (ours in _RECEIVES and theirs not in _SENDS):
            return f"{where}: {ours} answers {theirs}"
        if not _share_format(offered, answered):
            return f"{where}: no format in common"
    return ""


def _share_format(offered: Media, answered: Media) -> bool:
    if set(offered.formats) & set(answered.formats):
        return True
    # An answer may number a codec otherwise than the offer (RFC 3264 section 6.1).
    encodings = {offered.encoding(payload) for payload in offered.formats} - {""}
    return any(answered.encoding(payload) in encodings for payload in answered.formats)


def is_valid_answer(offer: SessionDescription, given: SessionDescription) -> bool:
    """Whether ``given`` answers ``offer`` as RFC 3264 section 6 asks."""
    return not answer_fault(offer, given)


def next_offer_fault(previous: SessionDescription, offer: SessionDescription) -> str:
    """What makes ``offer`` no valid successor of the same side's last (RFC 3264 section 8), "" when it is one."""
    if not previous.origin.same_session(offer.origin):
        return "another session in o="
    if len(offer.media) < len(previous.media):
        return "fewer media sections than before"
    if offer.origin.version == previous.origin.version:
        return "" if offer == previous else "changed without a new version in o="
    return "" if offer.origin.version == previous.origin.version + 1 else "the version in o= did not rise by one"


def hold(session: SessionDescription) -> SessionDescription:
    """The offer that puts the other side on hold (RFC 3264 section 8.4): we stop to receive; version raised by one."""
    return _redirected(session, receives=False)


def resume(session: SessionDescription) -> SessionDescription:
    """The offer that ends ``hold``: we receive again; version raised by one."""
    return _redirected(session, receives=True)


def _redirected(session: SessionDescription, receives: bool) -> SessionDescription:
    directions = [make_direction(session.direction(media) in _SENDS, receives) for media in session.media]
    return session.with_directions(directions).replaced(origin=session.origin.next())


def is_held(session: SessionDescription) -> bool:
    """Whether the side that says this receives nothing on any section in use, in either of the ways hold is written."""
    used = [media for media in session.media if not media.rejected]
    return bool(used) and all(
        session.direction(media) not in _RECEIVES or (session.connection_of(media) or ("", "", ""))[2] == "0.0.0.0"
        for media in used
    )


def offer_of(body: bytes) -> SessionDescription | SdpError:
    """The description in a body, or what is wrong with it, as a value."""
    try:
        return SessionDescription.parse(body)
    except SdpError as error:
        # A traceback would make a cycle with the frames of whoever keeps the error.
        return error.with_traceback(None)
