# SPDX-License-Identifier: Apache-2.0
"""Peer to peer in a stock guest: cards below one switch exchange data without the host, and by the root with ACS."""

import re

import pytest

from guest_shell import GuestShell

MIB = 1 << 20
BYTES = 64 * MIB
ROOT_PORT, SWITCH_PORTS = "10000:00:00.0", [f"10000:02:0{port}.0" for port in range(4)]
CARDS = [f"10000:0{bus}:00.0" for bus in (3, 4, 5, 6)]
# Bits of the ACS control register: PCI Express Base Specification 7.7.11.3.
REQUEST_REDIRECT, COMPLETION_REDIRECT, UPSTREAM_FORWARDING = 0x04, 0x08, 0x10
# What Linux sets once an IOMMU is in use: these and source validation.
ALL_ACS = 0x01 | REQUEST_REDIRECT | COMPLETION_REDIRECT | UPSTREAM_FORWARDING

# Gen5 x16 after line coding, GB/s, times the share of payload at MPS 256. Writes: 24 bytes a TLP beside it, published
# as 57.6, and as 52.0 with the worst traffic of acknowledgements. Reads of 512 bytes: two completions with 20 each, and
# the 8 of the request's acknowledgement between them.
LINE_RATE = 16 * 32 / 8 * 128 / 130
WRITE_RATE = LINE_RATE * 256 / (256 + 24)
WORST_WRITE_RATE = 52.0
READ_RATE = LINE_RATE * 512 / (512 + 2 * 20 + 8)

RESULT = re.compile(r"64 MiB in [\d.]+ us of card time, ([\d.]+) GB/s")


@pytest.fixture(scope="module")
def guest(tmp_path_factory):
    with GuestShell(tmp_path_factory.mktemp("guest"), "server-4") as shell:
        yield shell
        assert shell.check("dmesg | grep -ciE 'oops|bug:|warning:|call trace|hung' || true") == "0"


@pytest.fixture(autouse=True)
def no_acs(guest):
    yield
    set_acs(guest, 0, ROOT_PORT, *SWITCH_PORTS)


def set_acs(guest, control, *ports):
    guest.check("; ".join(f"setpci -s {port} ECAP_ACS+6.w={control:04x}" for port in ports))


def counters(guest):
    answer = guest.monitor("counters")
    return {**answer["switches"][0], **answer["root_complex"]}


def exchange(guest, source, target, *options):
    """Copies 64 MiB; npu_peer_test compares them. Gives (GB/s, what the counters of switch and root complex gained)."""
    before = counters(guest)
    words = " ".join(options)
    text = guest.check(f"npu_peer_test --from /dev/accel/accel{source} --to /dev/accel/accel{target} {words}", 120)
    after = counters(guest)
    gained = {name: after[name] - before[name] for name in after if name != "name"}
    return float(RESULT.search(text)[1]), gained


def test_the_guest_programs_the_payload_that_the_rates_are_for(guest):
    for card in CARDS:
        text = guest.check(f"lspci -vv -s {card} | grep -E 'MaxPayload|LnkSta:'")
        assert "MaxPayload 256 bytes, MaxReadReq 512 bytes" in text, text
        assert "Speed 32GT/s, Width x16" in text, text


@pytest.mark.parametrize("source, target", [(0, 1), (1, 0), (3, 2)])
@pytest.mark.parametrize("options, rate", [((), WRITE_RATE), (("--read",), READ_RATE)], ids=["write", "read"])
def test_64_mib_go_through_the_switch_at_the_links_rate(guest, source, target, options, rate):
    bandwidth, gained = exchange(guest, source, target, *options)
    assert 0.98 * rate < bandwidth <= rate, (bandwidth, rate)
    assert gained.pop("direct_bytes") == BYTES
    assert gained.pop("direct_requests") == BYTES / 4096
    assert not any(gained.values()), gained


def test_two_cards_write_to_each_other_at_the_same_time(guest):
    before = counters(guest)
    text = guest.check("npu_peer_test --both", 120)
    rates = [float(rate) for rate in RESULT.findall(text)]
    assert len(rates) == 2 and all(0.98 * WORST_WRITE_RATE < rate <= WRITE_RATE for rate in rates), text
    assert counters(guest)["direct_bytes"] - before["direct_bytes"] == 2 * BYTES


@pytest.mark.parametrize("options", [(), ("--read",)], ids=["write", "read"])
def test_acs_redirect_sends_the_data_by_the_root(guest, options):
    set_acs(guest, ALL_ACS, ROOT_PORT, *SWITCH_PORTS)
    bandwidth, gained = exchange(guest, 0, 1, *options)
    assert bandwidth > 1
    assert gained["direct_bytes"] == gained["blocked_requests"] == gained["refused_requests"] == 0
    assert gained["redirected_bytes"] == gained["peer_bytes"] == BYTES
    assert gained["redirected_requests"] == gained["peer_requests"] == BYTES / 4096
    set_acs(guest, 0, ROOT_PORT, *SWITCH_PORTS)
    assert exchange(guest, 0, 1, *options)[1]["direct_bytes"] == BYTES


@pytest.mark.parametrize("card, peer", [(0, 1), (3, 2)])
def test_cards_exchange_data_and_tell_each_other_without_the_host(guest, card, peer):
    before = counters(guest)
    text = guest.check(f"npu_sync_test /dev/accel/accel{card} /dev/accel/accel{peer}", 120)
    assert text.endswith("npu_sync_test: ok"), text
    gained = counters(guest)["direct_bytes"] - before["direct_bytes"]
    # 2 x 8 blocks of 256 KiB there and back, and a word for each of their signals.
    assert gained == 2 * 8 * (2 * (256 << 10) + 2 * 4), gained


def test_the_runtime_joins_two_cards(guest):
    assert guest.check("npu_pair_test /dev/accel/accel1 /dev/accel/accel3", 120) == "npu_pair_test: ok"


def test_redirect_at_the_requesters_port_is_enough(guest):
    set_acs(guest, REQUEST_REDIRECT, SWITCH_PORTS[2])
    set_acs(guest, UPSTREAM_FORWARDING, ROOT_PORT)
    assert exchange(guest, 2, 3)[1]["redirected_bytes"] == BYTES
    assert exchange(guest, 3, 2)[1]["direct_bytes"] == BYTES


def test_completion_redirect_belongs_to_the_completers_port(guest):
    set_acs(guest, COMPLETION_REDIRECT, SWITCH_PORTS[0])
    set_acs(guest, UPSTREAM_FORWARDING, ROOT_PORT)
    gained = exchange(guest, 0, 1, "--read")[1]
    assert gained["direct_bytes"] == BYTES and gained["redirected_bytes"] == 0
    assert gained["redirected_completions"] == gained["peer_completions"] == BYTES / 4096


def test_egress_control_blocks_a_peer(guest):
    egress_control = 0x20
    guest.check(f"setpci -s {SWITCH_PORTS[0]} ECAP_ACS+8.l=00000002")  # port 1
    set_acs(guest, egress_control, SWITCH_PORTS[0])
    before = counters(guest)
    status, text = guest.run("npu_peer_test --from /dev/accel/accel1 --to /dev/accel/accel0 --read --mib 1")
    assert status == 2 and "read from the peer): status 2, fault 4" in text, text
    assert counters(guest)["blocked_requests"] > before["blocked_requests"]
    assert counters(guest)["direct_bytes"] == before["direct_bytes"]
    set_acs(guest, 0, SWITCH_PORTS[0])
    assert exchange(guest, 1, 0, "--read")[1]["direct_bytes"] == BYTES
