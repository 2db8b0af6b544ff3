// SPDX-License-Identifier: Apache-2.0
// DEPTH rows of COLUMNS sums in a memory with one read and one write port. An incoming row is added to its place, or
// replaces it, in two cycles: read, then add and write. Rows that come in successive cycles have different indices.
// Reading out (read_i) must not coincide with incoming rows.
module accumulator_buffer
  import tensor_core_pkg::*;
#(
  parameter int unsigned COLUMNS = 16,
  parameter int unsigned DEPTH   = 256
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  input  logic                     row_valid_i,
  input  logic                     row_overwrite_i,
  input  logic [$clog2(DEPTH)-1:0] row_index_i,
  input  logic [COLUMNS-1:0][31:0] row_i,
  input  logic                     read_i,
  input  logic [$clog2(DEPTH)-1:0] read_index_i,
  output logic [COLUMNS-1:0][31:0] read_data_o  // one cycle after read_i
);

  logic [COLUMNS*32-1:0]    memory[DEPTH];
  logic                     write_valid;
  logic                     write_overwrite;
  logic [$clog2(DEPTH)-1:0] write_index;
  logic [COLUMNS-1:0][31:0] added;
  logic [COLUMNS-1:0][31:0] write_data;
  logic [$clog2(DEPTH)-1:0] memory_index;

  assign memory_index = read_i ? read_index_i : row_index_i;

  always_ff @(posedge clk_i) begin
    if (read_i || row_valid_i) read_data_o <= memory[memory_index];
    if (write_valid) memory[write_index] <= write_data;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) write_valid <= 1'b0;
    else write_valid <= row_valid_i;
    write_overwrite <= row_overwrite_i;
    write_index     <= row_index_i;
    added           <= row_i;
  end

  for (genvar c = 0; c < COLUMNS; c++) begin : gen_add
    assign write_data[c] = added[c] + (write_overwrite ? 32'd0 : read_data_o[c]);
  end

endmodule
