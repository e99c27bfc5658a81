"""Answers every call, and says how each ended.

python examples/uas.py [udp:127.0.0.1:5060]
"""

import signal
import sys

from dum import Call, DialogUsageManager, Ended, Established, IncomingCall
from dum.message.sdp import SdpError, SessionDescription
from dum.message.sdp_answer import answer

# Audio on the discard port, inactive: calls without a sound. A telephone puts its RTP address here.
SILENCE = (
    b"v=0\r\no=uas 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 9 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=inactive\r\n"
)

manager = DialogUsageManager(listen=sys.argv[1:] or ["udp:127.0.0.1:5060"], workers=2)


@manager.on(IncomingCall)
def ring(call: Call, incoming: IncomingCall) -> None:
    """Let it ring, then answer the offer, or make one where the caller made none."""
    try:
        body = (
            incoming.offer
            and answer(SessionDescription.parse(incoming.offer), SessionDescription.parse(SILENCE)).encode()
        )
    except SdpError:
        call.reject(488)
        return
    call.ring()
    call.answer(body or SILENCE)


@manager.on(Established)
def stands(call: Call) -> None:
    """Say that the call stands."""
    print("established", call.call_id, flush=True)


@manager.on(Ended)
def ended(call: Call, how: Ended) -> None:
    """Say how it ended."""
    print("ended", call.call_id, how.status, how.why, flush=True)


# Blocked before the threads start, so that they wait for sigwait.
STOP = {signal.SIGINT, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, STOP)
with manager:
    print("listening on", *manager.addresses, flush=True)
    signal.sigwait(STOP)
