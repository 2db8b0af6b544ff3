# SPDX-License-Identifier: Apache-2.0
"""Virtual functions in a stock guest: they come and go, all work at once, and none reaches or disturbs another."""

import re

import pytest

from guest_shell import GuestShell

PF = "10000:01:00.0"
DEVICES = "/sys/bus/pci/devices"
DEVICE = f"{DEVICES}/{PF}"
DRIVER = "/sys/bus/pci/drivers/npu"
MOST_VFS = 16
COUNTS = re.compile(r"accel(\d+): (\d+) submitted: (\d+) ok, (\d+) aborted, (\d+) failed, (\d+) gone, (\d+) lost;"
                    r" (\d+) wrong\nstatus (\d+)")


@pytest.fixture(scope="module")
def guest(tmp_path_factory):
    with GuestShell(tmp_path_factory.mktemp("guest"), "server-1-vf") as shell:
        yield shell
        assert shell.check("dmesg | grep -ciE 'oops|bug:|warning:|call trace|hung' || true") == "0"


def vf(number):
    """Address of virtual function `number`, from 1: behind the physical one, eight to a device number (ARI)."""
    return f"10000:01:{number >> 3:02x}.{number & 7}"


def set_vfs(guest, count):
    """Any number to any other, by way of 0 as the kernel wants it."""
    if int(guest.check(f"cat {DEVICE}/sriov_numvfs")) not in (0, count):
        guest.check(f"echo 0 > {DEVICE}/sriov_numvfs", 120)
    guest.check(f"echo {count} > {DEVICE}/sriov_numvfs", 120)
    assert int(guest.check("ls -d /dev/accel/accel* | wc -l")) == 1 + count
    assert int(guest.check(f"ls -d {DRIVER}/10000:* | wc -l")) == 1 + count


@pytest.fixture
def sixteen(guest):
    set_vfs(guest, MOST_VFS)


def start_load(guest, functions, *options):
    """Puts functions under load in the background; 0 is the physical one."""
    words = " ".join(options)
    guest.check("rm -f /tmp/load.*; " + " ".join(
        f"{{ npu_load_test --card /dev/accel/accel{number} --in-flight 4 {words}; echo status $?; }}"
        f" > /tmp/load.{number} 2>&1 &" for number in functions))


def end_load(guest, functions, seconds=120):
    """Waits for the load; by function (submitted, ok, aborted, failed, gone, lost, wrong, exit status)."""
    guest.wait_for(f"[ $(grep -l ^status /tmp/load.* | wc -l) = {len(functions)} ]", seconds)
    text = guest.check("cat /tmp/load.*")
    counts = {int(number): tuple(map(int, rest)) for number, *rest in COUNTS.findall(text)}
    assert set(counts) == set(functions), text
    return counts


def assert_all_ok(counts, jobs=None):
    for number, (submitted, ok, *bad, status) in counts.items():
        assert status == 0 and ok == submitted > 0 and not any(bad), (number, counts[number])
        assert jobs is None or ok == jobs, (number, counts[number])


def assert_each_works(guest, functions, jobs=10):
    """Copies from host memory into each function's share of the DRAM and back, compared, on all of them at once."""
    start_load(guest, functions, f"--jobs {jobs}")
    assert_all_ok(end_load(guest, functions), jobs)


def test_sixteen_functions_and_the_physical_one_work_at_the_same_time(guest, sixteen):
    assert_each_works(guest, range(MOST_VFS + 1), jobs=40)


def test_each_function_has_registers_vectors_and_a_share_of_its_own(guest, sixteen):
    for number in range(1, MOST_VFS + 1):
        text = guest.check(f"lspci -vv -s {vf(number)}")
        assert "Region 0: Memory at" in text and "[size=64K]" in text and "[size=16M]" in text, text
        assert "MSI-X: Enable+ Count=4" in text and "BusMaster+" in text, text
    bars = guest.check(f"for n in {DEVICES}/10000:01:*; do sed -n '1p;3p' $n/resource; done").splitlines()
    ranges = sorted(tuple(int(word, 16) for word in line.split()[:2]) for line in bars)
    assert len(ranges) == 2 * (MOST_VFS + 1) and all(a[1] < b[0] for a, b in zip(ranges, ranges[1:])), ranges
    # 16384 MiB less a reserve of 288; 16096 / 17 = 946.8, in whole 2 MiB.
    assert guest.check(f"dmesg | grep -c '{vf(3)}: firmware.*946 MiB DRAM for jobs, 2 queues'") != "0"


@pytest.mark.parametrize("count", [1, 7, 16, 8, 15])
def test_any_number_and_back(guest, count):
    set_vfs(guest, count)
    assert_each_works(guest, sorted({0, 1, count // 2 + 1, count} - {count + 1}))
    set_vfs(guest, 0)
    assert_each_works(guest, [0])


def test_more_than_there_are_is_refused(guest, sixteen):
    status, text = guest.run(f"echo 17 > {DEVICE}/sriov_numvfs")
    assert status and "Numerical result out of range" in text, text
    assert guest.check(f"cat {DEVICE}/sriov_numvfs") == "16"
    assert_each_works(guest, [0, 16])


def test_another_number_is_refused_while_there_are_functions(guest, sixteen):
    status, text = guest.run(f"echo 4 > {DEVICE}/sriov_numvfs")
    assert status and "busy" in text, text
    assert_each_works(guest, [0, 16])


@pytest.mark.parametrize("count, wanted", [(0, 16), (16, 0)])
def test_a_change_is_refused_while_the_physical_function_is_in_use(guest, count, wanted):
    set_vfs(guest, count)
    start_load(guest, [0, *range(1, count, 4)], "--seconds 4", "--copies 20")
    guest.check("sleep 1")
    status, text = guest.run(f"echo {wanted} > {DEVICE}/sriov_numvfs")
    assert status and "busy" in text, text
    assert guest.check(f"cat {DEVICE}/sriov_numvfs") == str(count)
    assert_all_ok(end_load(guest, [0, *range(1, count, 4)]))
    set_vfs(guest, wanted)
    assert_each_works(guest, [0, *range(1, wanted, 5)])


def test_functions_go_away_under_load(guest, sixteen):
    """What programs on virtual functions do is no reason to keep these: their jobs end with them."""
    loaded = range(1, MOST_VFS + 1, 3)
    start_load(guest, loaded, "--seconds 30", "--copies 50", "--removal-ok")
    guest.check("sleep 2")
    guest.check(f"echo 0 > {DEVICE}/sriov_numvfs", 120)
    for number, (submitted, ok, *_, lost, wrong, status) in end_load(guest, loaded).items():
        assert status == lost == wrong == 0 and ok > 0, (number, submitted)
    set_vfs(guest, MOST_VFS)
    assert_each_works(guest, range(MOST_VFS + 1))


def test_a_reset_of_one_function_is_felt_by_that_one_alone(guest, sixteen):
    functions = [0, 1, 4, 5, 16]
    start_load(guest, functions, "--seconds 6", "--copies 100")
    guest.check("sleep 2")
    guest.check(f"echo flr > {DEVICES}/{vf(4)}/reset_method; echo 1 > {DEVICES}/{vf(4)}/reset", 120)
    counts = end_load(guest, functions)
    submitted, ok, aborted, *bad, status = counts.pop(4)
    assert status == 0 and aborted > 0 and ok + aborted == submitted and not any(bad), (submitted, ok, aborted, bad)
    assert_all_ok(counts)
    assert_each_works(guest, functions)


def test_a_reset_of_the_physical_function_ends_jobs_and_all_come_back(guest, sixteen):
    functions = [0, 1, 9, 16]
    start_load(guest, functions, "--seconds 8", "--copies 100")
    guest.check("sleep 2")
    guest.check(f"echo flr > {DEVICE}/reset_method; echo 1 > {DEVICE}/reset", 120)
    for number, (submitted, ok, aborted, *bad, status) in end_load(guest, functions).items():
        assert status == 0 and ok > 0 and ok + aborted == submitted, (number, submitted, ok, aborted)
        assert not any(bad), (number, bad)
    assert int(guest.check(f"cat {DEVICE}/npu/recoveries")) > 0
    assert_each_works(guest, range(MOST_VFS + 1))


def test_unbinding_the_physical_function_takes_the_others_along(guest, sixteen):
    functions = [0, 1, 8, 16]
    start_load(guest, functions, "--seconds 30", "--copies 50", "--removal-ok")
    guest.check("sleep 2")
    guest.check(f"echo {PF} > {DRIVER}/unbind", 120)
    assert guest.check("ls -d /dev/accel/accel* 2> /dev/null | wc -l") == "0"
    for number, (submitted, ok, *_, lost, wrong, status) in end_load(guest, functions).items():
        assert status == lost == wrong == 0 and ok > 0, (number, submitted)
    guest.check(f"echo {PF} > {DRIVER}/bind", 120)
    assert_each_works(guest, [0])
    set_vfs(guest, MOST_VFS)
    assert_each_works(guest, range(MOST_VFS + 1))


def test_the_driver_can_be_reloaded_with_functions_on(guest, sixteen):
    guest.check("rmmod npu", 120)
    assert guest.check(f"cat {DEVICE}/sriov_numvfs") == "0"
    guest.check("insmod /lib/modules/*/npu.ko", 120)
    set_vfs(guest, 3)
    assert_each_works(guest, range(4))


def test_attacks_from_one_function_get_nothing_and_disturb_nobody(guest, sixteen):
    """Raw registers, messages, jobs and DMA of a function whose driver is out of the way, while others keep secrets."""
    attacker, keepers, workers = 2, [0, 1, 3], [4, 16]
    guest.check(f"rm -f /tmp/over; echo {vf(attacker)} > {DRIVER}/unbind")
    recoveries = f"cat {DEVICE}/npu/recoveries {DEVICES}/{vf(1)}/npu/recoveries {DEVICES}/{vf(16)}/npu/recoveries"
    before = guest.check(recoveries)
    for number in keepers:
        guest.check(f"npu_secret_test /dev/accel/accel{number} {number} 8 /tmp/over > /tmp/secret.{number} 2>&1 &")
    for number in workers:
        guest.check(f"while [ ! -e /tmp/over ]; do npu_load_test --card /dev/accel/accel{number} --jobs 20 || echo bad;"
                    f" done > /tmp/work.{number} 2>&1 &")
    guest.wait_for(f"[ $(grep -l kept /tmp/secret.* | wc -l) = {len(keepers)} ]")
    status, text = guest.run(f"npu_attack_test {vf(attacker)}", 240)
    guest.check("touch /tmp/over")
    guest.wait_for("! pidof npu_secret_test npu_load_test")
    assert status == 0 and " 0 succeeded" in text.strip().splitlines()[-1], text
    for number in keepers:
        secret = guest.check(f"cat /tmp/secret.{number}")
        assert secret == "secret is kept\nsecret is unharmed", secret
    for number in workers:
        work = guest.check(f"cat /tmp/work.{number}")
        assert "20 ok, 0 aborted" in work and "bad" not in work, work
    assert guest.check(recoveries) == before, "somebody was reset"
    guest.check(f"echo {vf(attacker)} > {DRIVER}/bind", 120)
    assert_each_works(guest, range(MOST_VFS + 1))
