# SPDX-License-Identifier: Apache-2.0
"""C header: offsets, masks and enumerations as plain constants, for firmware and the kernel driver."""


def _number(value):
    return f"{value:#x}ull" if value >> 32 else f"{value:#x}u"


def _register(prefix, register):
    name = f"{prefix}_{register.name}"
    if register.is_array:
        yield f"#define {name}(n) ({register.offset:#x}u + (n) * {register.stride:#x}u)"
        yield f"#define {name}_COUNT {register.count}u"
    else:
        yield f"#define {name} {register.offset:#x}u"
    for field in register.fields:
        yield f"#define {name}_{field.name}_SHIFT {field.lsb}u"
        yield f"#define {name}_{field.name}_MASK {_number(field.mask)}"
        for key, value in field.enum.items():
            yield f"#define {name}_{field.name}_{key} {value}u"


def emit(block):
    guard = f"NPU_REGISTERS_{block.name.upper()}_H"
    lines = ["/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */",
             f"/* {block.title}: generated from the registers of models/{block.name}. */",
             f"#ifndef {guard}", f"#define {guard}", ""]
    for register_map in block.maps:
        prefix = block.prefix(register_map)
        lines.append(f"#define {prefix}_MAP_BYTES {register_map.size:#x}u")
        for register in register_map.registers:
            lines.extend(_register(prefix, register))
        lines.append("")
    lines.append("#endif")
    return "\n".join(lines) + "\n"
