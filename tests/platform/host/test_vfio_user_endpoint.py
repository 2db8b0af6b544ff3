# SPDX-License-Identifier: Apache-2.0
"""A plain endpoint at the level of the vfio-user protocol: what a hypervisor that brings its own fabric relies on."""

import errno
import os
import random
import select
import struct
import time

import pytest

import vfio_user_client as vfio
from vfio_user_client import BAR0, BAR2, CONFIG, NO_REPLY, Client, Refused

PAGE = 4096
COMMAND, MEMORY_AND_MASTER, MEMORY_ONLY = 0x04, 0x6, 0x2
BARS = [0x10, 0x14, 0x18, 0x1c, 0x20, 0x24]
DEVICE_CONTROL, INITIATE_RESET = 0x48, 0x8000
MESSAGE_CONTROL, ENABLE, FUNCTION_MASK = 0x92, 0x8000, 0x4000
IDENTITY, IDENTITY_BYTES = 0x4e505531, struct.pack("<I", 0x4e505531)
TABLE, TABLE_BYTES, PENDING = 0x8000, 8 * 16, 0x9000
NONE_TRIGGER, EVENTFD_TRIGGER = 0x21, 0x24


def start(tmp_path, *arguments):
    executable = os.environ.get("NPUVP_VFIO_TEST_SERVER")
    if not executable:
        pytest.fail("NPUVP_VFIO_TEST_SERVER must name the test server's executable")
    return vfio.Server(executable, tmp_path, "endpoints", *arguments)


@pytest.fixture(name="server")
def fixture_server(tmp_path):
    server = start(tmp_path)
    yield server
    server.stop()


@pytest.fixture(name="forever")
def fixture_forever(tmp_path):
    server = start(tmp_path, "forever")
    yield server
    server.stop()


@pytest.fixture(name="client")
def fixture_client(server):
    client = Client(server.path)
    yield client
    assert client.read32(CONFIG, 0) == 0x12201eff, "the server must still be in order"
    client.socket.close()
    assert server.finish()[0] == 0


def memory(pages, contents=b""):
    fd = os.memfd_create("guest")
    os.ftruncate(fd, pages * PAGE)
    os.pwrite(fd, contents, 0)
    return fd


def write16(client, offset, value):
    client.write(CONFIG, offset, struct.pack("<H", value))


def enable(client, command=MEMORY_AND_MASTER):
    write16(client, COMMAND, command)


def copy(client, source, destination, count):
    """Has the card copy guest memory, inverted; vector 0 when done."""
    client.write(BAR0, 0x108, struct.pack("<QQ", source, destination), NO_REPLY)
    client.write32(BAR0, 0x118, count)
    client.write32(BAR0, 0x100, 1)


def raise_vector(client, vector):
    client.write32(BAR0, 0x100, 2 + vector)


def give_eventfds(client, first, count):
    fds = [os.eventfd(0) for _ in range(count)]
    client.set_irqs(EVENTFD_TRIGGER, start=first, count=count, fds=fds)
    return fds


def wait_for(eventfd):
    assert select.select([eventfd], [], [], vfio.TIMEOUT_SECONDS)[0], "no interrupt"
    return os.eventfd_read(eventfd)


def silent(fds):
    return not select.select(fds, [], [], 0.2)[0]


def inverted(data):
    return bytes(255 - byte for byte in data)


# Regions and configuration space.

def test_the_device_is_the_card(client):
    sizes = {index: client.region_info(index)[4] for index in range(9)}
    assert sizes == {0: 64 << 10, 1: 0, 2: 256 << 20, 3: 0, 4: 0, 5: 0, 6: 0, 7: PAGE, 8: 0}
    assert [client.irq_info(index)[3] for index in range(5)] == [0, 0, 8, 1, 1]
    config = client.read(CONFIG, 0, PAGE)
    assert config[:4] == bytes.fromhex("ff1e2012") and config[9:12] == bytes([0, 0, 0x12])
    assert config[0x0e] & 0x7f == 0 and config[0x3d] == 0, "type 0 header, no INTx"
    assert b"".join(client.read(CONFIG, offset, 4) for offset in range(0, PAGE, 4)) == config


def test_bars_are_sized_as_on_a_bus(client):
    for offset, mask in zip(BARS, [0xffff0004, 0xffffffff, 0xf000000c, 0xffffffff, 0, 0]):
        client.write32(CONFIG, offset, 0xffffffff)
        assert client.read32(CONFIG, offset) == mask
    client.write(CONFIG, 0x19, b"\x12\x34\x56\x78\x9a")  # into both halves of a BAR, and not aligned
    assert client.read(CONFIG, 0x18, 8) == bytes.fromhex("0c000050789affff")


@pytest.mark.parametrize("low, high", [(0, 0), (0xfebf0000, 0), (0x12340000, 0x70), (0xffffffff, 0xffffffff)])
def test_a_region_answers_wherever_its_bar_is(client, low, high):
    for offset in (0x10, 0x18):
        client.write32(CONFIG, offset, low)
        client.write32(CONFIG, offset + 4, high)
    before = client.read(CONFIG, 0x10, 24)
    enable(client)
    assert client.read32(BAR0, 0) == IDENTITY
    client.write(BAR2, 0xffff8, b"abcdefgh")
    assert client.read(BAR2, 0xffff8, 8) == b"abcdefgh"
    assert client.read32(BAR0, 0xfffc) == 0
    assert client.read(CONFIG, 0x10, 24) == before


def test_memory_enable_and_power_state_are_honoured(client):
    assert client.read32(BAR0, 0) == 0xffffffff
    client.write32(BAR0, 0x40, 5)
    enable(client, MEMORY_ONLY)
    assert (client.read32(BAR0, 0), client.read32(BAR0, 0x40)) == (IDENTITY, 0)
    write16(client, 0x84, 3)  # D3hot
    assert client.read32(BAR0, 0) == 0xffffffff
    write16(client, 0x84, 0)
    assert client.read32(BAR0, 0) == IDENTITY


# DMA and interrupts.

def test_dma_goes_to_guest_memory_and_ends_with_an_interrupt(client):
    data = bytes(range(256)) * 16
    ram = memory(2, data)
    client.dma_map(0, 2 * PAGE, fds=[ram])  # where a bridge without a window would have one
    enable(client)
    write16(client, MESSAGE_CONTROL, ENABLE)
    event, = give_eventfds(client, 0, 1)
    copy(client, 0, PAGE, PAGE)
    assert wait_for(event) == 1
    assert os.pread(ram, PAGE, PAGE) == inverted(data)
    enable(client, MEMORY_ONLY)
    copy(client, PAGE, 0, PAGE)
    assert client.read32(BAR0, 0) == IDENTITY
    assert os.pread(ram, PAGE, 0) == data, "not without bus mastering"
    os.close(ram)
    os.close(event)


def test_addresses_of_our_own_are_no_way_into_the_card(client):
    ram = memory(1, bytes(64))
    client.dma_map(0, PAGE, fds=[ram])
    enable(client)
    for bar in range(3):
        copy(client, 0xff000000_00000000 | bar << 48, 0, 64)
        assert client.read32(BAR0, 0) == IDENTITY
    assert os.pread(ram, 64, 0) == bytes(64)
    os.close(ram)


def test_each_vector_has_its_eventfd(client):
    enable(client)
    write16(client, MESSAGE_CONTROL, ENABLE)
    events = give_eventfds(client, 0, 8)
    for vector in (3, 0, 7):
        raise_vector(client, vector)
        assert wait_for(events[vector]) == 1
    assert silent(events)
    for event in events:
        os.close(event)


def test_a_vector_nobody_listens_to_stays_pending(client):
    enable(client)
    write16(client, MESSAGE_CONTROL, ENABLE)
    raise_vector(client, 5)
    raise_vector(client, 5)
    assert client.read(BAR0, PENDING, 8) == bytes([1 << 5]) + bytes(7)
    event, = give_eventfds(client, 5, 1)
    assert wait_for(event) == 1
    assert client.read(BAR0, PENDING, 8) == bytes(8)
    client.set_irqs(NONE_TRIGGER)  # all are taken back
    raise_vector(client, 5)
    assert client.read(BAR0, PENDING, 1) == bytes([1 << 5])
    assert silent([event])
    os.close(event)


def test_enable_and_function_mask_are_the_functions(client):
    enable(client)
    event, = give_eventfds(client, 2, 1)
    raise_vector(client, 2)
    write16(client, MESSAGE_CONTROL, ENABLE | FUNCTION_MASK)
    assert silent([event]), "what happens while MSI-X is off is lost"
    raise_vector(client, 2)
    assert silent([event])
    write16(client, MESSAGE_CONTROL, ENABLE)
    assert wait_for(event) == 1
    os.close(event)


def test_the_vector_table_is_the_clients(client):
    enable(client)
    write16(client, MESSAGE_CONTROL, ENABLE)
    event, = give_eventfds(client, 0, 1)
    client.write(BAR0, TABLE - 8, bytes(range(8)) + b"\1" * TABLE_BYTES + bytes(range(8, 16)))
    assert client.read(BAR0, TABLE - 8, 8) == bytes(range(8))
    assert client.read(BAR0, TABLE + TABLE_BYTES, 8) == bytes(range(8, 16))
    assert client.read(BAR0, TABLE, TABLE_BYTES) == b"\xff" * TABLE_BYTES
    raise_vector(client, 0)
    assert wait_for(event) == 1
    os.close(event)


# Resets.

@pytest.mark.parametrize("kind", ["client", "guest"])
def test_a_reset_clears_the_function_and_keeps_eventfds(client, kind):
    event, = give_eventfds(client, 1, 1)
    client.write32(CONFIG, 0x10, 0xfebf0000)
    enable(client)
    client.write32(BAR0, 0x40, 0x55)
    if kind == "client":
        client.call(vfio.RESET)
    else:
        write16(client, DEVICE_CONTROL, INITIATE_RESET)
    assert client.read32(CONFIG, COMMAND) & 0x7 == 0
    assert client.read(CONFIG, 0x10, 24) == bytes.fromhex("04000000" "00000000" "0c000000") + bytes(12)
    assert client.read32(BAR0, 0) == 0xffffffff
    enable(client)
    assert (client.read32(BAR0, 0), client.read32(BAR0, 0x40)) == (IDENTITY, 0)
    write16(client, MESSAGE_CONTROL, ENABLE)
    raise_vector(client, 1)
    assert wait_for(event) == 1
    os.close(event)


def test_the_next_client_finds_a_card_as_after_power_on(forever):
    first = None
    for _ in range(3):
        client = Client(forever.path)
        seen = client.read(CONFIG, 0, PAGE), forever.open_files()
        first = first or seen
        assert seen == first
        ram = memory(1)
        client.dma_map(0, PAGE, fds=[ram])
        event, = give_eventfds(client, 0, 1)
        write16(client, DEVICE_CONTROL, 0x2850)
        client.write32(CONFIG, 0x10, 0xfebf0000)
        client.read32(BAR2, 0)  # an unsupported request, logged in sticky bits
        enable(client)
        write16(client, MESSAGE_CONTROL, ENABLE)
        assert client.read32(BAR0, 0x40) == 0
        client.write32(BAR0, 0x40, 0x55)
        copy(client, 0, 64, 64)
        assert wait_for(event) == 1
        client.socket.close()
        os.close(ram)
        os.close(event)
    forever.process.stdin.close()
    forever.process.stdin = None
    assert forever.finish()[0] == 0
    assert not os.path.exists(forever.path)


def test_a_second_client_waits_for_the_first(forever):
    first = Client(forever.path)
    second = Client(forever.path, negotiate=False)
    second.send(vfio.VERSION, struct.pack("<HH", 0, 0))
    assert second.is_silent()
    assert first.read32(CONFIG, 0) == 0x12201eff
    first.socket.close()
    assert second.reply(second.next_id, vfio.VERSION)[:4] == bytes(4)


# Several endpoints.

def test_endpoints_are_strangers(forever):
    clients = [Client(forever.path), Client(forever.path + ".1")]
    rams = [memory(2, text) for text in (b"first", b"other")]
    events = []
    for client, ram in zip(clients, rams):
        client.dma_map(0, 2 * PAGE, fds=[ram])
        enable(client)
        write16(client, MESSAGE_CONTROL, ENABLE)
        events += give_eventfds(client, 0, 1)
    for client in clients:  # both are asked before either is waited for
        copy(client, 0, PAGE, 5)
    for event, ram, text in zip(events, rams, (b"first", b"other")):
        assert wait_for(event) == 1
        assert os.pread(ram, 5, PAGE) == inverted(text)
    clients[0].socket.close()
    clients[1].write32(BAR0, 0x40, 7)
    clients[0] = Client(forever.path)
    assert clients[0].read32(CONFIG, COMMAND) & 0x7 == 0
    assert clients[1].read32(BAR0, 0x40) == 7, "only the card whose client has gone is reset"
    for fd in rams + events:
        os.close(fd)


def test_a_client_that_floods_does_not_starve_the_other(forever):
    flood, other = Client(forever.path), Client(forever.path + ".1")
    enable(flood)
    flood.socket.setblocking(False)
    write = vfio.HEADER.pack(1, vfio.REGION_WRITE, 36, NO_REPLY, 0) + struct.pack("<QIII", 0x40, BAR0, 4, 1)
    end = time.monotonic() + 1
    reads = 0
    while time.monotonic() < end:
        try:
            flood.socket.send(write * 500)
        except BlockingIOError:
            pass
        assert other.read32(CONFIG, 0) == 0x12201eff
        reads += 1
    assert reads > 20


# Wrong messages: the server is the one that test_vfio_user_raw.py attacks; here only what the device makes of them.

def test_accesses_outside_a_region_are_refused(client):
    for region, size in [(BAR0, 64 << 10), (BAR2, 256 << 20), (CONFIG, PAGE), (1, 0), (8, 0)]:
        for offset, count in [(size, 1), (max(size, 1) - 1, 2), (0, size + 1), ((1 << 64) - 1, 1), (1 << 48, 4)]:
            with pytest.raises(Refused) as error:
                client.read(region, offset, count)
            assert error.value.errno == errno.EINVAL


def test_random_configuration_writes_do_no_harm(client):
    generator = random.Random(2)
    for _ in range(2000):
        offset = generator.randrange(PAGE)
        count = min(generator.choice([1, 2, 4, 4, 8, 64]), PAGE - offset)
        client.write(CONFIG, offset, generator.randbytes(count), NO_REPLY)
        if generator.randrange(8) == 0:
            client.write(BAR0, generator.randrange(0x1000), generator.randbytes(4), NO_REPLY)
    client.call(vfio.RESET)
    assert client.read(CONFIG, 0x10, 8) == bytes.fromhex("0400000000000000")
    enable(client)
    assert client.read32(BAR0, 0) == IDENTITY


def test_two_idle_endpoints_cost_no_cpu(server):
    clients = [Client(server.path), Client(server.path + ".1")]
    for client in clients:
        enable(client)
        assert client.read(BAR0, 0, 4) == IDENTITY_BYTES
    before = server.cpu_seconds()
    time.sleep(1)
    assert server.cpu_seconds() - before < 0.1
