# SPDX-License-Identifier: Apache-2.0
"""What a guest sees of temperature, power and P-state of its card: hwmon and debugfs."""

import re

from conftest import npuvp

SHOW = ("mount -t debugfs none /sys/kernel/debug 2>/dev/null; cd /sys/class/hwmon; for each in hwmon*; do "
        "[ \"$(cat $each/name)\" = npu ] && cd $each && break; done; "
        "for file in temp1_label temp1_input temp1_max temp1_crit temp1_emergency power1_label power1_input power4_label "
        "in3_input energy2_input; do echo $file=$(cat $file); done; cat /sys/kernel/debug/accel/*/telemetry")


def test_the_guest_reads_sensors_and_telemetry():
    result = npuvp("qemu", "--", "sh", "-c", SHOW)
    text = result.stdout.decode()
    values = dict(re.findall(r"^(\w+)=(\S+)\s*$", text, re.MULTILINE))
    assert values["temp1_label"] == "die" and values["power1_label"] == "neural" and values["power4_label"] == "pcie"
    # Air of 30 C, and a card that idles at about 7 W below 0.5 K/W.
    assert 30000 <= int(values["temp1_input"]) <= 45000, text
    assert (values["temp1_max"], values["temp1_crit"], values["temp1_emergency"]) == ("75000", "85000", "115000")
    # uW: 1.5 W idle, 9.5 W with clocks that run. How much of its milliseconds the filter has had is the host's affair.
    assert 1500000 <= int(values["power1_input"]) <= 9500000, text
    assert 885 <= int(values["in3_input"]) <= 900, text  # mV, channels count from 0: pcie, 0.9 V less its regulator's drop
    assert int(values["energy2_input"]) > 0, text
    assert "\npstate P14" in text and "\nself_test 0x0" in text and "\nwatchdog_resets 0" in text, text
