"""Places a call, holds it for a moment and ends it.

python examples/uac.py [sip:bob@127.0.0.1:5060]
"""

import sys

from dum import Call, DialogUsageManager, Progress, Terminated

SILENCE = (
    b"v=0\r\no=uac 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=inactive\r\n"
)

target = sys.argv[1] if len(sys.argv) > 1 else "sip:bob@127.0.0.1:5060"
manager = DialogUsageManager(listen=["udp:127.0.0.1:0"])


@manager.on(Progress)
def progress(call: Call, provisional: Progress) -> None:
    """Say that it rings."""
    print(provisional.status, provisional.response.reason, flush=True)


with manager:
    call = manager.call(target, offer=SILENCE)
    try:
        call.wait_established(timeout=60)
    except Terminated as error:
        sys.exit(f"no call: {error}")
    except TimeoutError:
        call.end()
        sys.exit("nobody answers")
    print("established", call.call_id)
    try:
        ended = call.wait_ended(timeout=0.5)
    except TimeoutError:
        call.end()
        ended = call.wait_ended(timeout=40)
    print("ended", call.call_id, ended.status, ended.why)
