"""The endpoint for Prometheus: on this machine alone, or with a token."""

from __future__ import annotations

import http.client
import socket

import pytest

from audiogmm.errors import ChoiceError
from audiogmm.live.deliver.endpoint import MetricsEndpoint, parse_address


def get(port: int, path: str = "/metrics", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_it_answers_this_machine_and_no_page_of_the_web() -> None:
    endpoint = MetricsEndpoint(lambda: "audiogmm_frames_total 3\n", ("127.0.0.1", 0), None)
    assert get(endpoint.port) == (200, "audiogmm_frames_total 3\n")
    assert get(endpoint.port, "/")[0] == 404
    assert get(endpoint.port, Host="evil.example:80")[0] == 403
    with socket.create_connection(("127.0.0.1", endpoint.port)):  # says nothing, and others are answered
        assert get(endpoint.port)[0] == 200
    with pytest.raises(ChoiceError, match="needed: a free port"):
        MetricsEndpoint(str, ("127.0.0.1", endpoint.port), None)
    endpoint.close()


def test_others_need_the_token() -> None:
    with pytest.raises(ChoiceError, match="--metrics-token FILE"):
        MetricsEndpoint(str, ("0.0.0.0", 0), None)
    endpoint = MetricsEndpoint(lambda: "", ("0.0.0.0", 0), "t0ken")
    assert get(endpoint.port)[0] == get(endpoint.port, Authorization="Bearer other")[0] == 401
    assert get(endpoint.port, Authorization="Bearer t0ken", Host="monitor.example") == (200, "")
    endpoint.close()


@pytest.mark.parametrize("text", ["", "x", "host", "1:99999", "-1", "٣"])
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(ChoiceError, match="needed: PORT or HOST:PORT"):
        parse_address(text)
