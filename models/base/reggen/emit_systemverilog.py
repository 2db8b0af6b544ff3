# SPDX-License-Identifier: Apache-2.0
"""SystemVerilog package: offsets, resets and field positions as localparams."""


def _register(prefix, register):
    name = f"{prefix}_{register.name}"
    yield f"  localparam int unsigned {name}_OFFSET = 32'h{register.offset:x};"
    if register.is_array:
        yield f"  localparam int unsigned {name}_COUNT = {register.count};"
        yield f"  localparam int unsigned {name}_STRIDE = {register.stride};"
    yield f"  localparam logic [{register.width - 1}:0] {name}_RESET = {register.width}'h{register.reset:x};"
    for field in register.fields:
        yield f"  localparam int unsigned {name}_{field.name}_LSB = {field.lsb};"
        yield f"  localparam int unsigned {name}_{field.name}_WIDTH = {field.msb - field.lsb + 1};"
        width = field.msb - field.lsb + 1
        for key, value in field.enum.items():
            yield f"  localparam logic [{width - 1}:0] {name}_{field.name}_{key} = {width}'h{value:x};"


def emit(block):
    package = f"{block.name}_registers_pkg"
    lines = ["// SPDX-License-Identifier: Apache-2.0",
             f"// {block.title}: generated from the registers of models/{block.name}.",
             "/* verilator lint_off UNUSEDPARAM */", f"package {package};"]
    for register_map in block.maps:
        for register in register_map.registers:
            lines.extend(_register(block.prefix(register_map), register))
    lines += [f"endpackage : {package}", "/* verilator lint_on UNUSEDPARAM */"]
    return "\n".join(lines) + "\n"
