import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transport.conftest import Bench
from transport import Address
from transport.flow_token import FlowTokens

INVITE = b"INVITE sip:bob@127.0.0.1 SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_token_leads_back_to_its_flow(bench: Bench, transport: str, host: str) -> None:
    flow = bench.reactor.flow_to(bench.listen(f"{transport}:{host}:0"))
    bench.reactor.send(flow, INVITE)
    bench.until(lambda: bench.received)
    for each in (flow, bench.received[0][1]):
        token = bench.reactor.flow_token(each)
        assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
        assert bench.reactor.flow_of(token) == each


def test_a_token_of_a_flow_that_is_over_leads_nowhere(bench: Bench) -> None:
    """RFC 5626 section 5.3: the proxy then answers 430."""
    tcp, udp = bench.listen("tcp:127.0.0.1:0"), bench.listen("udp:127.0.0.1:0")
    flow = bench.reactor.flow_to(tcp)
    bench.turn()
    tokens = [bench.reactor.flow_token(flow), bench.reactor.flow_token(bench.reactor.flow_to(udp))]
    bench.reactor.close_flow(flow)
    bench.turn()
    bench.reactor.close(udp)
    bench.reactor.flow_to(tcp)
    assert [bench.reactor.flow_of(token) for token in tokens] == [None, None]


def test_nobody_else_can_write_a_token(bench: Bench, make_bench: Callable[..., Bench]) -> None:
    token = bench.reactor.flow_token(bench.reactor.flow_to(bench.listen()))
    assert make_bench().reactor.flow_of(token) is None
    for index in range(len(token)):
        changed = token[:index] + ("A" if token[index] != "A" else "B") + token[index + 1 :]
        assert bench.reactor.flow_of(changed) is None


@given(st.text(max_size=80))
def test_no_text_raises(text: str) -> None:
    assert FlowTokens().read(text) is None


def test_a_secret_lets_a_token_outlive_the_process(bench: Bench) -> None:
    flow = bench.reactor.flow_to(bench.listen())
    secret = bytes(range(20))
    assert FlowTokens(secret).read(FlowTokens(secret).write(flow)) == (flow.local, flow.remote, 0)
    with pytest.raises(ValueError, match="at least 16 random bytes"):
        FlowTokens(b"short")
    assert Address.parse(str(flow.local)) == flow.local
