# SPDX-License-Identifier: Apache-2.0
"""A stock guest looks at whole servers: lspci against reviewed text, setpci against the masks of the specification, the
monitor against what the guest sees. NPUVP_UPDATE_GOLDEN=1 writes the golden files anew, for review."""

import contextlib
import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from conftest import PROGRAM, npuvp

GOLDEN = Path(__file__).parent / "golden"

# lspci of this version (3.9) has names only for these, whatever is in them: "<?>" is in its format strings.
UNDECODED = re.compile(r"(Physical Layer 16\.0 GT/s|Data Link Feature|"
                       r"Vendor Specific Information: ID=0001 Rev=0 Len=010) <\?>")


def guest(board, script, *options, timeout=180):
    result = npuvp("qemu", "--board", board, *options, "--", script, timeout=timeout)
    assert result.status == 0, result.stdout.decode() + result.stderr.decode()
    return result.stdout.decode()


def normalised(text):
    """Without what the kernel gives out by order of arrival: interrupt numbers."""
    return re.sub(r"routed to IRQ \d+", "routed to IRQ N", text)


def assert_golden(name, text):
    file = GOLDEN / name
    if os.environ.get("NPUVP_UPDATE_GOLDEN"):
        file.write_text(text)
    expected = file.read_text().splitlines()
    for number, (want, got) in enumerate(zip(expected, text.splitlines()), 1):
        assert got == want, f"{name}:{number}"
    assert len(text.splitlines()) == len(expected)


@pytest.mark.parametrize("board, cards", [("server-4", 4), ("server-16", 16)])
def test_lspci_is_the_reviewed_text_and_every_card_has_a_node(board, cards):
    text = guest(board, "lspci -tv; echo ==; lspci -vvv -d 1eff:; echo ==; ls -v /dev/accel; echo ==;"
                        "dmesg | grep -E ' 10000:.*(error|invalid capability|VPD|BAR .*(failed|no space))'; true")
    tree, functions, nodes, complaints = text.split("==\n")
    assert nodes.split() == [f"accel{index}" for index in range(cards)]
    assert complaints == "" or "window [io" in complaints, complaints
    assert_golden(f"{board}-tree.txt", tree)
    assert_golden(f"{board}.txt", normalised(functions))


@pytest.mark.parametrize("board", ["server-4", "server-16"])
def test_the_golden_text_decodes_without_a_question_mark_or_an_error(board):
    text = UNDECODED.sub("", (GOLDEN / f"{board}.txt").read_text())
    for word in ("<?>", "unknown header", "!!!", "<chain looped>", "<chain broken>", "Capabilities: <", "ignored",
                 "disabled]", "rev ff"):
        assert word not in text, word
    # What every Gen5 function or port must have come to.
    count = text.count("Kernel driver in use")
    assert text.count("LnkSta:\tSpeed 32GT/s, Width x16") == count
    assert text.count("MaxPayload 256 bytes") == count
    assert text.count("Kernel driver in use: npu") == int(board.removeprefix("server-"))


def test_setpci_writes_what_the_masks_allow():
    # A bridge's and an endpoint's registers; expected by the specification: value written, what sticks.
    masks = [
        ("10000:02:00.0", "VENDOR_ID.W", "ffff", "1eff"),            # read only
        ("10000:02:00.0", "SUBORDINATE_BUS.B", "ff", "ff"),          # any bus number
        ("10000:02:00.0", "MEMORY_BASE.W", "ffff", "fff0"),          # bits 3:0 read 0: 7.5.1.3.8
        ("10000:02:00.0", "PREF_MEMORY_BASE.W", "ffff", "fff1"),     # bits 3:0 read 1, 64-bit: 7.5.1.3.9
        ("10000:02:00.0", "IO_BASE.B", "ff", "00"),                  # no I/O windows
        ("10000:02:00.0", "BRIDGE_CONTROL.W", "0003", "0003"),       # parity response, SERR#
        ("10000:02:00.0", "CAP_EXP+8.W", "ffe0", "..e0"),            # maximum payload size sticks whole: 7.5.3.4
        ("10000:03:00.0", "CARDBUS_CIS.L", "ffffffff", "00000000"),  # hardwired 0 on PCI Express
        ("10000:03:00.0", "BASE_ADDRESS_0.L", "ffffffff", "ffff0004"),  # 64 KiB, 64-bit
        ("10000:03:00.0", "BASE_ADDRESS_2.L", "ffffffff", "f000000c"),  # 256 MiB, 64-bit, prefetchable
        ("10000:03:00.0", "ROM_ADDRESS.L", "ffffffff", "00000000"),  # no expansion ROM
        ("10000:03:00.0", "INTERRUPT_PIN.B", "ff", "00"),            # read only; no INTx
        ("10000:03:00.0", "CAP_EXP+4.L", "ffffffff", None),          # capabilities are read only
        ("10000:03:00.0", "ECAP_AER+8.L", "ffffffff", None),         # uncorrectable mask: writable bits only
    ]
    script = "rmmod npu; "
    for device, register, value, _ in masks:
        script += (f"old=$(setpci -s {device} {register}); setpci -s {device} {register}={value};"
                   f"now=$(setpci -s {device} {register}); echo $old $now; setpci -s {device} {register}=$old;")
    lines = guest("server-4", script + "lspci -s 10000:03:00.0").splitlines()
    for (device, register, _, expected), line in zip(masks, lines):
        old, now = line.split()
        if register == "CAP_EXP+4.L":
            assert now == old
        elif register == "ECAP_AER+8.L":
            # Reserved bits 3:0 (bit 0 undefined), 11:6 stay 0; those of errors that it can have stick: table 7-...
            assert int(now, 16) & 0x0000_0fcf == 0 and int(now, 16) & 0x0010_1010 == 0x0010_1010, now
        else:
            assert re.fullmatch(expected, now), (device, register, old, now)
    assert "ATOM" in lines[len(masks)]


def test_a_read_write_1_to_clear_bit_clears_only_where_a_1_is_written():
    # Bad TLP is bit 6 of the correctable error status (7.8.4.5). The kernel does not hear of it: no interrupt (7.8.4.9).
    status = "setpci -s 10000:03:00.0 ECAP_AER+10.L"
    script = ("setpci -s 10000:00:00.0 ECAP_AER+2c.L=0; echo ready;"
              f"while [ $((0x$({status}) & 0x40)) = 0 ]; do usleep 100000; done;"
              f"{status}; {status}=00000001; {status}; {status}=00000040; {status}")
    with monitored("server-4", script) as (process, ask):
        assert process.stdout.readline() == "ready\n"
        assert ask("inject", "card0", "bad-tlp")["count"] == 1
        output, _ = process.communicate(timeout=120)
    assert [int(word, 16) & 0x41 for word in output.split()] == [0x40, 0x40, 0]


@contextlib.contextmanager
def monitored(board, script, folder="/tmp"):
    """A guest that runs `script`, and a function that asks its monitor."""
    path = Path(folder) / f"npuvp-test-monitor-{os.getpid()}"
    process = subprocess.Popen([PROGRAM, "qemu", "--board", board, "--monitor", path, "--", script],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ask(*command):
        result = npuvp("monitor", path, "--json", *command, timeout=60)
        return json.loads(result.stdout)

    try:
        for _ in range(200):
            if path.exists():
                break
            time.sleep(0.05)
        yield process, ask
    finally:
        process.kill()
        process.wait()
        path.unlink(missing_ok=True)


def test_the_monitor_sees_what_the_guest_sees_and_the_guest_what_the_monitor_does():
    script = ("echo ready; while ! dmesg | grep -q 'Slot(2): Card not present'; do usleep 100000; done;"
              "ls /dev/accel; while [ $(ls /dev/accel | wc -l) != 4 ]; do usleep 100000; done; lspci -d 1eff:1220; dmesg")
    with monitored("server-4", script) as (process, ask):
        assert process.stdout.readline() == "ready\n"
        port = ask("topology")["root_ports"][0]["below"]["ports"][1]
        assert (port["bdf"], port["below"]["bdf"], port["slot"]) == ("02:01.0", "04:00.0", 2)
        assert port["link"] == {"state": "up", "generation": 5, "lanes": 16}
        before = ask("time")["simulated_ps"]
        assert ask("inject", "card0", "receiver-error")["injected"] == "receiver-error"
        assert ask("unplug", "card1") == {"name": "card1", "slot": 2, "present": False}
        assert "already" in ask("unplug", "card1")["error"]
        assert process.stdout.readline() + process.stdout.readline() + process.stdout.readline() == \
            "accel0\naccel2\naccel3\n"
        assert ask("topology")["root_ports"][0]["below"]["ports"][1]["present"] is False
        assert ask("plug", "card1")["present"] is True
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert ask_after_end_fails(ask)
    assert output.count("ATOM") == 4
    assert re.search(r"10000:03:00.0: PCIe Bus Error: severity=Corr.*", output), output
    assert "RxErr" in output and "Slot(2): Card present" in output
    assert before > 0


def ask_after_end_fails(ask):
    try:
        ask("time")
    except json.JSONDecodeError:
        return True
    return False


def test_monitor_errors_are_one_line(tmp_path):
    result = npuvp("monitor", tmp_path / "none", "time")
    assert result.status == 2 and "start a guest with --monitor" in result.error_lines[0]
    (tmp_path / "taken").write_text("")
    result = npuvp("qemu", "--monitor", tmp_path / "taken", "--", "true")
    assert result.status == 2 and len(result.error_lines) == 1 and "remove it" in result.error_lines[0]
    result = npuvp("boot", "--card", "1")
    assert result.status == 2 and "cards 0 to 0" in result.error_lines[0]


@pytest.mark.parametrize("card", [0, 3])
def test_any_card_runs_in_process(card):
    result = npuvp("boot", "--board", "server-4", "--card", card)
    assert result.status == 0, result.stderr
    assert b"card ready" in result.stderr
