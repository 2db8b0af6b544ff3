# SPDX-License-Identifier: Apache-2.0
"""The driver under resets, removal and shared buffers, in a stock guest. Long jobs, so that each event meets some."""

import re

from conftest import npuvp
from guest_shell import GuestShell

CARD = "10000:01:00.0"
DEVICE = f"/sys/bus/pci/devices/{CARD}"
ROOT_PORT = "10000:00:00.0"
NO_COMPLAINTS = "; echo complaints $(dmesg | grep -ciE 'oops|bug:|warning:|call trace|hung')"
COUNTS = re.compile(r"(\d+) submitted: (\d+) ok, (\d+) aborted, (\d+) failed, (\d+) gone, (\d+) lost; (\d+) wrong")


def load(event, *options):
    """Puts the card under load, lets `event` happen when the first job has ended; prints the load's status as "load N".

    Not after some seconds: on a busy host no job may have ended by then, and a card that is taken away ends no other.
    """
    words = " ".join(["npu_load_test --seconds 1000 --copies 1000 --in-flight 16 --under-way /tmp/under-way", *options])
    return (f"{words} & load=$!; until [ -e /tmp/under-way ] || ! kill -0 $load; do usleep 20000; done; {event};"
            " wait $load; echo load $?")


def run(script):
    result = npuvp("qemu", "--", script + NO_COMPLAINTS, timeout=300)
    text = result.stdout.decode()
    assert text.rstrip().endswith("complaints 0"), text + result.stderr.decode()
    return text


def test_buffers_are_shared_by_the_rules():
    assert "status 0" in run("npu_share_test; echo status $?")


def test_one_process_gets_nothing_of_another(tmp_path):
    with GuestShell(tmp_path, "server-1") as guest:
        assert guest.check("npu_isolation_test", 240) == "npu_isolation_test: ok"
        assert guest.check("dmesg | grep -ciE 'oops|bug:|warning:|call trace|hung task|refused' || true").strip() == "0"
        assert guest.power_off() == 0


def test_a_function_level_reset_aborts_jobs_and_later_ones_work():
    text = run(load(f"echo flr > {DEVICE}/reset_method; echo 1 > {DEVICE}/reset; kill $load") + f"; cat {DEVICE}/npu/recoveries"
               "; npu_load_test --jobs 20; echo after $?")
    assert "load 0" in text and "after 0" in text, text
    submitted, ok, aborted, failed, gone, lost, wrong = map(int, COUNTS.search(text).groups())
    assert ok + aborted == submitted and aborted > 0 and ok > 0, text
    assert failed == gone == lost == wrong == 0, text


def test_unbinding_under_load_ends_jobs_and_binding_works():
    text = run(load(f"echo {CARD} > /sys/bus/pci/drivers/npu/unbind", "--removal-ok") +
               f"; echo {CARD} > /sys/bus/pci/drivers/npu/bind; npu_load_test --jobs 20; echo after $?")
    assert "load 0" in text and "after 0" in text, text


def test_a_card_that_vanishes_under_load_hangs_nobody_and_comes_back():
    # The root port stops forwarding, as if the card were pulled, and the kernel removes it only later.
    text = run(load(f"setpci -s {ROOT_PORT} COMMAND=0004 18.l=00ff0000;"
                    "until dmesg | grep 'does not answer' || ! kill -0 $load; do usleep 100000; done;"
                    f"echo 1 > {DEVICE}/remove; ls /dev/accel", "--removal-ok") +
               f"; setpci -s {ROOT_PORT} COMMAND=0006 18.l=00010100; echo 1 > /sys/bus/pci/devices/{ROOT_PORT}/rescan;"
               "npu_load_test --jobs 20; echo after $?")
    assert "its jobs are aborted" in text and "load 0" in text and "after 0" in text, text


DRAM_BYTES = 16 << 30  # of the card on this board
TROUBLES = ["deadlock", "illegal-command", "bad-address", "read-only", "double-error", "hang"]


def test_only_the_guilty_context_ends_and_the_driver_has_its_record(tmp_path):
    with GuestShell(tmp_path, "server-1") as guest:
        for trouble in TROUBLES:
            if trouble == "hang":
                guest.monitor("hang", "card0", "external_hdma1")
            if trouble == "double-error":
                # Buffers are cleared when they are made, which would mend it: the program waits with one in place.
                guest.check(f"npu_fault_test {trouble} > /tmp/double 2>&1 &")
                guest.wait_for("grep spoil /tmp/double")
                guest.monitor("spoil", "card0", DRAM_BYTES - (56 << 10))
                guest.check("touch /tmp/spoiled")
                guest.wait_for("! pidof npu_fault_test")
                assert guest.check("tail -1 /tmp/double") == f"npu_fault_test: {trouble}: ok"
            else:
                assert guest.check(f"npu_fault_test {trouble}") == f"npu_fault_test: {trouble}: ok"
        # Without a limit of its own the same hang ends by the driver's.
        guest.check("echo 5 > /sys/module/npu/parameters/job_limit_ms")
        guest.monitor("hang", "card0", "external_hdma1")
        assert guest.check("npu_fault_test --no-limit hang") == "npu_fault_test: hang: ok"
        guest.check("echo 60000 > /sys/module/npu/parameters/job_limit_ms")
        guest.check("npu_fault_test kill")
        guest.check("npu_fault_test rights")
        # The administrator sees all of them; the first one is the core dump, until somebody takes it.
        guest.check("mount -t debugfs none /sys/kernel/debug")
        faults = guest.check(f"cat /sys/kernel/debug/accel/{CARD}/faults")
        assert re.findall(r"fault (\d+): context", faults) == [str(n + 1) for n in range(len(TROUBLES) + 1)], faults
        # Deadlock, read-only and double error stop a DMA command before its first byte, the bad address after its first
        # row; a hang tells nothing.
        assert faults.count("position: 0 elements moved of descriptor 0") == 3, faults
        assert faults.count("position: 1024 elements moved of descriptor 0") == 1, faults
        dump = guest.check("cat /sys/class/devcoredump/devcd*/data")
        assert f"npu {CARD}" in dump and "fault 1: context" in dump and "status 2 fault 6" in dump, dump
        log = guest.check("dmesg")
        assert len(re.findall(r"engine 1 of kind 4 hung in job 1 and was reset", log)) == 2, log
        assert "resetting the card" not in log
        assert guest.check("dmesg | grep -ciE 'oops|bug:|warning:|call trace|hung task' || true").strip() == "0"
        assert guest.power_off() == 0
