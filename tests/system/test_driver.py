# SPDX-License-Identifier: Apache-2.0
"""The driver under resets, removal and shared buffers, in a stock guest. Long jobs, so that each event meets some."""

import re

from conftest import npuvp

CARD = "10000:01:00.0"
DEVICE = f"/sys/bus/pci/devices/{CARD}"
ROOT_PORT = "10000:00:00.0"
NO_COMPLAINTS = "; echo complaints $(dmesg | grep -ciE 'oops|bug:|warning:|call trace|hung')"
COUNTS = re.compile(r"(\d+) submitted: (\d+) ok, (\d+) aborted, (\d+) failed, (\d+) gone, (\d+) lost; (\d+) wrong")


def load(seconds, event, *options):
    """Puts the card under load, lets `event` happen after two seconds; prints the load's status as "load N"."""
    words = " ".join(["npu_load_test", f"--seconds {seconds}", "--copies 1000", "--in-flight 16", *options])
    return f"{words} & load=$!; sleep 2; {event}; wait $load; echo load $?"


def run(script):
    result = npuvp("qemu", "--", script + NO_COMPLAINTS)
    text = result.stdout.decode()
    assert text.rstrip().endswith("complaints 0"), text + result.stderr.decode()
    return text


def test_buffers_are_shared_by_the_rules():
    assert "status 0" in run("npu_share_test; echo status $?")


def test_a_function_level_reset_aborts_jobs_and_later_ones_work():
    text = run(load(4, f"echo flr > {DEVICE}/reset_method; echo 1 > {DEVICE}/reset") + f"; cat {DEVICE}/npu/recoveries"
               "; npu_load_test --jobs 20; echo after $?")
    assert "load 0" in text and "after 0" in text, text
    submitted, ok, aborted, failed, gone, lost, wrong = map(int, COUNTS.search(text).groups())
    assert ok + aborted == submitted and aborted > 0 and ok > 0, text
    assert failed == gone == lost == wrong == 0, text


def test_unbinding_under_load_ends_jobs_and_binding_works():
    text = run(load(4, f"echo {CARD} > /sys/bus/pci/drivers/npu/unbind", "--removal-ok") +
               f"; echo {CARD} > /sys/bus/pci/drivers/npu/bind; npu_load_test --jobs 20; echo after $?")
    assert "load 0" in text and "after 0" in text, text


def test_a_card_that_vanishes_under_load_hangs_nobody_and_comes_back():
    # The root port stops forwarding, as if the card were pulled, and the kernel removes it only later.
    text = run(load(30, f"setpci -s {ROOT_PORT} COMMAND=0004 18.l=00ff0000; sleep 3; dmesg | grep 'does not answer';"
                        f"echo 1 > {DEVICE}/remove; ls /dev/accel", "--removal-ok") +
               f"; setpci -s {ROOT_PORT} COMMAND=0006 18.l=00010100; echo 1 > /sys/bus/pci/devices/{ROOT_PORT}/rescan;"
               "npu_load_test --jobs 20; echo after $?")
    assert "its jobs are aborted" in text and "load 0" in text and "after 0" in text, text
