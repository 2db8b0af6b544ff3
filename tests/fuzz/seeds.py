# SPDX-License-Identifier: Apache-2.0
"""Writes the fuzzers' first inputs: FOLDER/TARGET/NAME. usage: seeds.py FOLDER

Right files and right sessions of each kind, so that mutations start deep inside. The steps of a vfio_user session are
laid out as in vfio_user_record.h.
"""

import struct
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]

# Action, in the order of vfio_user_record.h.
(VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, REGION_INFO, REGION_IO_FDS, IRQ_INFO, SET_IRQS, READ, WRITE, WRITE_MULTI, RESET,
 OTHER, CARD_DMA, RUN, HANG_UP, RAW) = range(17)
SIZE, SHORTER, LONGER, TYPE, COMMAND, TWO_PIECES, FLIP_BYTE = range(9, 16)
NO_REPLY, KEEP_BACK, DOES_NOT_READ = 0x10, 0x20, 0x40
CONFIG, PORT, CARD, SWITCH, REGISTERS, MSIX, OWN, MEMORY, END = range(9)
PORTS, BRANCH_CARD, BRANCH_REGISTERS = 12, 13, 14
SIZE4, SIZE8, SIZE4096, SIZE_1M = 0 << 4, 3 << 4, 10 << 4, 13 << 4
# MSI-X; eventfds, all vectors
ALL_VECTORS = dict(select=2, a=32 << 8, b=0x24)


def step(action, twist=0, fds=0, select=0, a=0, b=0):
    return struct.pack("<BBBBIQ", action, twist, fds, select, a, b)


HELLO = step(VERSION)
INTERRUPTS = step(SET_IRQS, **ALL_VECTORS)
# 64 pages from address 0.
MEMORY_MAPPED = step(DMA_MAP, b=64)


def msix_vector(vector):
    """The guest's driver points a vector of the card at vector 1 of the VMD and unmasks it."""
    base = 16 * vector
    return b"".join(step(WRITE, NO_REPLY, select=MSIX | SIZE4, a=base + offset, b=value)
                    for offset, value in ((0, 0xfee01000), (4, 0), (8, 0), (12, 0)))


# Enable of MSI-X in the card's capability: wherever it is, the fuzzer finds it from a neighbouring offset.
MSIX_ENABLED = b"".join(step(WRITE, select=CARD | SIZE4, a=offset, b=0x80000000) for offset in range(0x40, 0x100, 0x10))

SESSIONS = {
    "discovery": HELLO + step(GET_INFO) + b"".join(step(REGION_INFO, select=index) + step(REGION_IO_FDS, select=index)
                                                   for index in range(9)) +
                 b"".join(step(IRQ_INFO, select=index) for index in range(5)),
    "configuration": HELLO + b"".join(step(READ, select=place | SIZE4, a=offset)
                                      for place in (CONFIG, PORT, CARD, SWITCH, PORTS, BRANCH_CARD) for offset in (0, 4, 0x10, 0x34, 0x100)),
    "whole-page": HELLO + step(READ, select=CARD | SIZE4096) + step(READ, select=CONFIG | SIZE4096),
    "bars": HELLO + b"".join(step(WRITE, select=place | SIZE4, a=0x10 + 4 * bar, b=0xffffffff) +
                             step(READ, select=place | SIZE4, a=0x10 + 4 * bar)
                             for place in (CONFIG, CARD) for bar in range(6)),
    "registers": HELLO + step(WRITE, NO_REPLY, select=REGISTERS | SIZE8, a=0x200, b=0x1122334455667788) +
                 step(READ, select=REGISTERS | SIZE8, a=0x200) + step(READ, select=REGISTERS | SIZE4),
    "memory": HELLO + step(WRITE, select=MEMORY | SIZE4096, b=1) + step(READ, select=OWN | SIZE_1M),
    "deaf": HELLO + step(READ, DOES_NOT_READ, select=OWN | SIZE_1M),
    "dma": HELLO + INTERRUPTS + MEMORY_MAPPED + MSIX_ENABLED + msix_vector(0) +
           step(CARD_DMA, a=1 << 16, b=4096) + step(RUN, a=100000) + step(DMA_UNMAP, b=64) +
           step(CARD_DMA, a=1 << 16, b=4096),
    "maps": HELLO + MEMORY_MAPPED + step(DMA_MAP, select=1 << 4, b=64) + step(DMA_MAP, select=2 << 4, b=1) +
            step(DMA_MAP, a=64, b=1 | 1 << 16) + step(DMA_MAP, a=63, b=2) + step(DMA_MAP, fds=0x10, a=200, b=16) +
            step(DMA_UNMAP, a=64, b=1),
    "interrupts": HELLO + INTERRUPTS + msix_vector(1) + MSIX_ENABLED + step(WRITE, select=REGISTERS | SIZE4, a=0x100, b=3) +
                  step(RUN, a=10000) + step(SET_IRQS, select=2, a=1 << 8, b=0x21) +
                  step(SET_IRQS, select=2, a=4 << 8, b=0x0122) + step(SET_IRQS, select=2, b=0x21),
    "full-eventfd": HELLO + step(SET_IRQS, fds=0x05, select=3, a=1 << 8, b=0x24) +
                    step(SET_IRQS, select=3, a=1 << 8, b=0x21),
    "multi": HELLO + step(WRITE_MULTI, select=REGISTERS | 4 << 4, a=0x200, b=7) +
             step(WRITE_MULTI, select=END | 2 << 4, a=0x7c),
    "reset": HELLO + MEMORY_MAPPED + step(RESET) + step(READ, select=REGISTERS | SIZE4),
    "flr": HELLO + step(WRITE, select=CARD | SIZE4, a=0x48, b=0x8000) + step(RUN, a=1000000) +
           step(READ, select=CARD | SIZE4),
    "hot-reset": HELLO + step(WRITE, select=PORT | SIZE4, a=0x3c, b=0x400000) + step(READ, select=CARD | SIZE4) +
                 step(WRITE, select=PORT | SIZE4, a=0x3c),
    "virtual-functions": HELLO + step(WRITE, select=BRANCH_CARD | SIZE4, a=0x228, b=0) +
                         step(WRITE, select=BRANCH_CARD | SIZE4, a=0x230, b=1) +
                         step(WRITE, select=BRANCH_CARD | SIZE4, a=0x228, b=9) +
                         step(WRITE, select=BRANCH_CARD | SIZE4, a=0x1004, b=6) +
                         step(READ, select=BRANCH_REGISTERS | SIZE4, a=0x80000),
    # A card of the branch copies from one peer to the other, first straight on, then with access control of both ports.
    "peers": HELLO + b"".join(
                 b"".join(step(WRITE, NO_REPLY, select=PORTS | SIZE4, a=port + 0x204, b=control << 16) for port in (0, 0x8000)) +
                 b"".join(step(WRITE, NO_REPLY, select=BRANCH_REGISTERS | SIZE8, a=offset, b=value)
                          for offset, value in ((0x108, 0xe0200000), (0x110, 0x4030000000), (0x118, 4096), (0x100, 1))) +
                 step(RUN, a=100000) for control in (0, 0x1c, 0x3c)),
    "take-out": HELLO + step(WRITE, select=PORTS | SIZE4, a=0x58, b=0x1fff0000) +
                step(WRITE, select=PORTS | SIZE4, a=0x50, b=0x10) + step(READ, select=BRANCH_CARD | SIZE4) +
                step(WRITE, select=PORTS | SIZE4, a=0x50) + step(RUN, a=1000000) + step(READ, select=BRANCH_CARD | SIZE4),
    "pipelined": HELLO + 8 * step(WRITE, NO_REPLY | KEEP_BACK, select=REGISTERS | SIZE4, a=0x300) +
                 step(READ, select=REGISTERS | SIZE4),
    "pieces": HELLO + step(READ, TWO_PIECES, select=CONFIG | SIZE4, a=10) +
              step(DMA_MAP, TWO_PIECES, a=20, b=1) + step(GET_INFO, TWO_PIECES, a=3),
    "wrong": HELLO + step(READ, SHORTER) + step(WRITE, LONGER) + step(GET_INFO, TYPE, a=7) + step(OTHER, a=14) +
             step(OTHER, a=99) + step(GET_INFO, fds=0x20) + step(DMA_MAP, FLIP_BYTE, a=0x105, b=1) +
             step(GET_INFO, COMMAND, a=11) + step(VERSION),
    "too-large": HELLO + step(GET_INFO, SIZE, a=0x200000),
    "raw": step(RAW, a=0x00020001, b=0x10) + step(HANG_UP),
    "no-hello": step(READ) + step(VERSION, select=2) + step(VERSION, a=1) + HELLO,
}


def npy(descr, shape, data, version=1):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + header + data


def image(payload, load, entry):
    """A firmware image as firmware/abi/image.h says, behind the host's ABI version."""
    abi = next(int(line.split()[2].rstrip("u")) for line in (TOP / "firmware/abi/abi.h").read_text().splitlines()
               if line.startswith("#define NPU_ABI_MAJOR")) << 16
    header = struct.pack("<IIIIIIQQ312x", 0x4657504e, 2, abi, 0x10000, len(payload), 0, load, entry)
    return struct.pack("<I", abi) + header + payload


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number, value):
    """A field of a protobuf message: an integer, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def onnx_tensor(name, dims, values):
    return (b"".join(field(1, dim) for dim in dims) + field(2, 1) + field(8, name) +
            field(9, struct.pack(f"<{len(values)}f", *values)))


def onnx_node(op, inputs, output, attributes=b""):
    return b"".join(field(1, name) for name in inputs) + field(2, output) + field(3, output) + field(4, op) + attributes


def onnx_value(name, dims):
    shape = b"".join(field(1, field(1, dim)) for dim in dims)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))


def onnx_model(nodes, tensors, in_dims, out):
    """Field numbers: sw/compiler/onnx.proto."""
    graph = (b"".join(field(1, node) for node in nodes) + field(2, "g") + b"".join(field(5, each) for each in tensors) +
             field(11, onnx_value("x", in_dims)) + field(12, onnx_value(out, in_dims[:1])))
    return field(1, 7) + field(7, graph) + field(8, field(2, 13))


WEIGHT = onnx_tensor("w", (3, 2), [0.5] * 6)
BIAS = onnx_tensor("b", (2,), [1.0, -1.0])

def gdb(*packets):
    """A debugger's packets, one a piece."""
    def framed(payload):
        return b"$" + payload + b"#%02x" % (sum(payload) & 255)
    return b"\0".join(each if each in (b"+", b"-", b"\3") else framed(each) for each in packets)


FILES = {
    "vfio_user": SESSIONS,
    "gdb": {
        "attach": gdb(b"qSupported:swbreak+;hwbreak+;vContSupported+", b"+", b"QStartNoAckMode", b"vMustReplyEmpty", b"?",
                      b"qXfer:features:read:target.xml:0,fff", b"qXfer:threads:read::0,fff", b"Hg1", b"qC", b"qAttached",
                      b"qfThreadInfo", b"qsThreadInfo", b"g", b"T2", b"qThreadExtraInfo,2"),
        "run": gdb(b"vCont?", b"Z0,100000,4", b"Z2,100040,8", b"vCont;s:1;c", b"vCont;c", b"c", b"\3", b"s",
                   b"z0,100000,4", b"D"),
        "memory": gdb(b"m100000,10", b"M100000,2:abcd", b"X100000,2:}\x03x", b"p1", b"P1=0102030405060708", b"p9",
                      b"G" + b"00" * 32, b"qRcmd,68656c70", b"-", b"k"),
    },
    "board": {
        "server": (TOP / "platform/boards/servers/server-1.yaml").read_bytes(),
        "card": (TOP / "platform/boards/cards/atom-ca22.yaml").read_bytes(),
    },
    "npy": {
        "u1": npy("|u1", "(2, 3)", bytes(range(6))),
        "f4": npy("<f4", "(2,)", bytes(8), version=2),
        "f2": npy("<f2", "(1, 2)", b"\0\x3c\1\0"),
        "i8": npy("<i8", "()", bytes(8)),
    },
    "image": {
        "good": image(bytes(64), 0x100000, 0x100010),
        "outside": image(bytes(64), 0x200000, 0x200000),
    },
    "onnx": {
        "dense": onnx_model([onnx_node("MatMul", ("x", "w"), "p"), onnx_node("Add", ("p", "b"), "s"),
                             onnx_node("Relu", ("s",), "y")], [WEIGHT, BIAS], (4, 3), "y"),
        "gemm": onnx_model([onnx_node("Flatten", ("x",), "f"), onnx_node("Gemm", ("f", "w", "b"), "y")],
                           [WEIGHT, BIAS], (4, 3, 1), "y"),
    },
}


NONE = 0xffff
SHARED, SCRATCHPAD = 0x81 << 56, 0x80 << 56
NEURAL_ENGINE, NEURAL_DMA, TASK_DMA, EXTERNAL_HDMA, DEVICE_HDMA, DEVICE_SYNC, CONTROL = range(1, 8)


def command(kind, opcode, operands=b"", engine=0, waits=(), signal=NONE, tag=7):
    """A command of firmware/abi/command.h."""
    tokens = list(waits) + [(NONE, 0)] * (4 - len(waits))
    return struct.pack("<BBBBI", kind, opcode, engine, 0, tag) + b"".join(struct.pack("<HH", *each) for each in tokens) + \
        struct.pack("<H6x", signal) + operands.ljust(96, b"\0")


def copy(source, destination, rows, row_bytes, source_stride=0, destination_stride=0):
    return struct.pack("<QQIIQQ", source, destination, rows, row_bytes, source_stride, destination_stride)


def tensor(source, destination, size, strides, types=(1, 1), flags=0, dimension=0, indices=0, limit=0):
    five = lambda values, fill: list(values) + [fill] * (5 - len(values))
    return struct.pack("<QQ5I5i5iBBBBQII", source, destination, *five(size, 1), *five(strides[0], 0),
                       *five(strides[1], 0), *types, flags, dimension, indices, limit, 0)


def streams():
    moved = command(TASK_DMA, 1, copy(0, SHARED, 4, 512, 600, 512), signal=1)
    loop = command(CONTROL, 1, struct.pack("<I", 3))
    loop_end = command(CONTROL, 2)
    steps = command(CONTROL, 3, struct.pack("<qBBB5x", 64, 8, 8, 0))
    sync = struct.pack("<QIIBBHII", 0, 3, 1, 1, 0, 0, 0, 5)
    update = struct.pack("<QIIBBHII", 0, 3, 1, 0, 2, 0, 0, 0)
    return {
        "copies": moved + command(NEURAL_DMA, 1, copy(SHARED, SCRATCHPAD, 1, 2048), waits=[(1, 1)], signal=2) +
                  command(NEURAL_ENGINE, 1, waits=[(2, 1)]) + command(EXTERNAL_HDMA, 1, copy(2 << 56, 0, 1, 9000)) +
                  command(DEVICE_HDMA, 1, copy(0, 2 << 56 | 100, 1, 5000), engine=1),
        "tensors": command(TASK_DMA, 2, tensor(0, SHARED, (40, 50, 2), ((2, 80, 4000), (100, 2, 4000)), (3, 3))) +
                   command(TASK_DMA, 2, tensor(0, SHARED, (64, 3), ((4, 256), (2, 128)), (4, 3))) +
                   command(TASK_DMA, 2, tensor(0x55, SHARED, (64, 3), ((), (1, 64)), flags=1)) +
                   command(NEURAL_DMA, 2, tensor(0, SCRATCHPAD, (64, 8), ((1, 64), (1, 64)), flags=2, dimension=1,
                                                 indices=1 << 56, limit=9)),
        "chain": command(TASK_DMA, 3, struct.pack("<QI", 1 << 56, 9)),
        "loops": loop + loop + steps + command(TASK_DMA, 1, copy(0, SHARED, 1, 64), waits=[(1, 0xffff)], signal=1) +
                 loop_end + command(NEURAL_DMA, 1, copy(SHARED, SCRATCHPAD, 1, 64), waits=[(1, 3)]) + loop_end,
        "barrier": moved + command(CONTROL, 4) + command(CONTROL, 5, struct.pack("<HH", 1, 1) +
                   b"\xff\xff\0\0" * 15 + b"\xff\xff" * 16) + command(NEURAL_ENGINE, 1, tag=63, signal=4) +
                   command(NEURAL_ENGINE, 1, waits=[(4, 1)]),
        "sync": command(DEVICE_SYNC, 1, sync) + command(DEVICE_SYNC, 3, update, engine=1) +
                command(DEVICE_SYNC, 2, struct.pack("<QII", 2 << 56, 0, 9), engine=2),
        "abort": command(TASK_DMA, 1, copy(0, SHARED, 0xffffffff, 64)) + command(DEVICE_SYNC, 1, struct.pack("<QIIB", 0, 9, 1, 1)),
    }


def engine_commands():
    """One of each instruction of a Neural Engine, FP32 or INT8, with its output at 0x4000."""
    def place(offset, row=256, plane=0):
        return struct.pack("<3I", offset, row, plane)
    out, first, second, third = place(0x4000), place(0), place(0x2000), place(0x3000)
    fp32 = struct.pack("<4B", 4, 0, 0, 0)
    shape = struct.pack("<3I", 1, 8, 64)
    one = struct.pack("<f", 1.0)
    operands = {
        1: struct.pack("<9IBBHI3I", 0, 0x2000, 0x4000, 16, 32, 48, 48, 32, 128, 1, 1, 0, 2, 768, 0, 2048),
        2: struct.pack("<8I4B", 0, 0x4000, 0x2000, 0x3000, 8, 64, 256, 256, 2, 1, 7, 0),
        3: struct.pack("<3I8H7I8HBBbB", 0, 0x2000, 0x4000, 1, 8, 8, 4, 6, 6, 16, 1, 4, 32, 256, 64, 384, 2304, 16, 3, 3, 1, 1,
                       1, 1, 0, 0, 1, 0, 0, 0),
        4: shape + out + first + second + third + fp32 + struct.pack("<5B3x2I", 64, 0, 4, 4, 4, 0, 0),
        5: shape + out + first + fp32 + struct.pack("<3Bx", 1, 0, 4),
        6: shape + out + first + fp32 + one + b"\4",
        7: shape + out + first + fp32 + struct.pack("<2I", 0x2000, 0x3000) + one + b"\4\6",
        8: shape + out + first + place(0x2000, 128) + place(0x3000, 128) + fp32 + b"\4\0",
        9: struct.pack("<8IBB", 4, 10, 16, 0x4000, 64, 0, 64, 0x2000, 4, 0),
        10: struct.pack("<8IBB", 4, 10, 16, 0, 64, 0x4000, 64, 0x8000, 4, 1),
        11: struct.pack("<9IBB", 4, 50, 5, 0, 200, 0x4000, 20, 0x5000, 20, 4, 0),
        12: shape + place(0x4000, 32) + first + b"\4",
    }
    return {f"opcode{opcode}": command(NEURAL_ENGINE, opcode, each) for opcode, each in operands.items()}


FILES["engine"] = engine_commands() | {"all": b"".join(list(engine_commands().values())[:8])}
FILES["commands"] = {f"{name}-{option}": bytes([split, option]) + stream for name, stream in streams().items()
                     for split, option in ((255, 0), (2, 1))}


def main():
    folder = Path(sys.argv[1])
    for target, files in FILES.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for name, contents in files.items():
            (folder / target / name).write_bytes(contents)


main()
