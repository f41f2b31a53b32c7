from __future__ import annotations

import pytest

from spikebridge.sources.net.address import Address, read_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost:7777", Address("localhost", 7777)), ("0.0.0.0:0", Address("0.0.0.0", 0)),
        ("jetson-3.lab:65535", Address("jetson-3.lab", 65535)), ("[::1]:80", Address("::1", 80)),
        ("[fe80::1%eth0]:80", Address("fe80::1%eth0", 80)),
    ],
)  # fmt: skip
def test_an_address_and_how_it_is_written(text: str, address: Address) -> None:
    assert read_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", "host", "host:", ":7777", "host:65536", "host:123456", "::1:80", "[::1]", "a b:1", "host:-1", "host:٣"]
)
def test_what_is_no_address(text: str) -> None:
    assert read_address(text) is None
