// SPDX-License-Identifier: Apache-2.0
// INT8 tensor core: C[m,n] = (accumulate ? C : 0) + A[m,k] * B[k,n] on a weight-stationary systolic array, INT32 sums
// modulo 2^32. Commands have been checked: m, n, k at least 1, operands apart and inside the scratchpad.
// Memory ports answer in the cycle after the request and never stall; bytes (words of C) without strobe are not
// accessed and their read data is ignored.
module tensor_core
  import tensor_core_pkg::*;
#(
  parameter int unsigned ROWS      = 16,   // array rows, along k; power of two
  parameter int unsigned COLUMNS   = 16,   // array columns, along n; power of two, at least 4
  parameter int unsigned ACC_DEPTH = 256   // rows of C in work; power of two
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,  // synchronous, active low

  input  logic                     command_valid_i,
  output logic                     command_ready_o,
  input  logic [31:0]              command_a_i,
  input  logic [31:0]              command_b_i,
  input  logic [31:0]              command_c_i,
  input  logic [15:0]              command_m_i,
  input  logic [15:0]              command_n_i,
  input  logic [15:0]              command_k_i,
  input  logic [31:0]              command_a_stride_i,
  input  logic [31:0]              command_b_stride_i,
  input  logic [31:0]              command_c_stride_i,
  input  logic                     command_accumulate_i,
  output logic                     done_o,  // for one cycle, with the last write of the command

  output logic                     a_read_o,
  output logic [31:0]              a_address_o,
  output logic [ROWS-1:0]          a_strobe_o,
  input  logic [ROWS-1:0][7:0]     a_data_i,

  output logic                     b_read_o,
  output logic [31:0]              b_address_o,
  output logic [COLUMNS-1:0]       b_strobe_o,
  input  logic [COLUMNS-1:0][7:0]  b_data_i,

  output logic                     c_read_o,
  output logic [31:0]              c_read_address_o,
  output logic [COLUMNS-1:0]       c_read_strobe_o,
  input  logic [COLUMNS-1:0][31:0] c_read_data_i,

  output logic                     c_write_o,
  output logic [31:0]              c_write_address_o,
  output logic [COLUMNS-1:0]       c_write_strobe_o,
  output logic [COLUMNS-1:0][31:0] c_write_data_o
);

  localparam int unsigned RowBits = $clog2(ACC_DEPTH);
  localparam int unsigned ArrayLatency = ROWS + COLUMNS - 1;

  // What goes with a row of A to the accumulators.
  typedef struct packed {
    logic               valid;
    logic               overwrite;
    logic [RowBits-1:0] index;
  } row_tag_t;

  command_t command;
  logic                    weight;
  logic [$clog2(ROWS)-1:0] weight_row;
  logic                    c_write;
  logic [31:0]             c_address;
  logic [COLUMNS-1:0]      c_strobe;
  logic [RowBits-1:0]      row;
  logic                    overwrite;

  assign command = '{
    a: command_a_i, b: command_b_i, c: command_c_i,
    m: command_m_i, n: command_n_i, k: command_k_i,
    a_stride: command_a_stride_i, b_stride: command_b_stride_i, c_stride: command_c_stride_i,
    accumulate: command_accumulate_i
  };

  sequencer #(.ROWS(ROWS), .COLUMNS(COLUMNS), .ACC_DEPTH(ACC_DEPTH)) u_sequencer (
    .clk_i, .rst_ni,
    .command_valid_i, .command_ready_o, .command_i(command), .done_o,
    .a_read_o, .a_address_o, .a_strobe_o,
    .weight_o(weight), .weight_row_o(weight_row), .b_read_o, .b_address_o, .b_strobe_o,
    .c_read_o, .c_write_o(c_write), .c_address_o(c_address), .c_strobe_o(c_strobe),
    .row_o(row), .overwrite_o(overwrite)
  );

  assign c_read_address_o = c_address;
  assign c_read_strobe_o  = c_strobe;

  // The cycle in which the memories answer.
  logic [ROWS-1:0]    a_strobe_q;
  logic [COLUMNS-1:0] b_strobe_q;
  logic [COLUMNS-1:0] c_strobe_q;
  logic [ROWS-1:0]    weight_load_q;
  row_tag_t           row_tag_q;
  logic               preload_q;
  logic [RowBits-1:0] preload_index_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      row_tag_q     <= '0;
      weight_load_q <= '0;
      preload_q     <= 1'b0;
      c_write_o     <= 1'b0;
    end else begin
      row_tag_q     <= '{valid: a_read_o, overwrite: overwrite, index: row};
      weight_load_q <= weight ? ROWS'(1) << weight_row : '0;
      preload_q     <= c_read_o;
      c_write_o     <= c_write;
    end
    a_strobe_q        <= a_read_o ? a_strobe_o : '0;
    b_strobe_q        <= b_read_o ? b_strobe_o : '0;
    c_strobe_q        <= c_strobe;
    preload_index_q   <= row;
    c_write_address_o <= c_address;
  end
  assign c_write_strobe_o = c_strobe_q;

  logic [ROWS-1:0][7:0]     activations;
  logic [COLUMNS-1:0][7:0]  weights;
  logic [COLUMNS-1:0][31:0] preload;
  logic [COLUMNS-1:0][31:0] sums;

  always_comb begin
    for (int unsigned r = 0; r < ROWS; r++) activations[r] = a_strobe_q[r] ? a_data_i[r] : '0;
    for (int unsigned c = 0; c < COLUMNS; c++) begin
      weights[c] = b_strobe_q[c] ? b_data_i[c] : '0;
      preload[c] = c_strobe_q[c] ? c_read_data_i[c] : '0;
    end
  end

  systolic_array #(.ROWS(ROWS), .COLUMNS(COLUMNS)) u_array (
    .clk_i, .rst_ni, .weight_load_i(weight_load_q), .weights_i(weights), .activations_i(activations), .sums_o(sums)
  );

  row_tag_t sums_tag;
  delay_line #(.WIDTH($bits(row_tag_t)), .DEPTH(ArrayLatency)) u_tag (
    .clk_i, .rst_ni, .data_i(row_tag_q), .data_o(sums_tag)
  );

  accumulator_buffer #(.COLUMNS(COLUMNS), .DEPTH(ACC_DEPTH)) u_accumulators (
    .clk_i, .rst_ni,
    .row_valid_i    (preload_q || sums_tag.valid),
    .row_overwrite_i(preload_q || sums_tag.overwrite),
    .row_index_i    (preload_q ? preload_index_q : sums_tag.index),
    .row_i          (preload_q ? preload : sums),
    .read_i         (c_write),
    .read_index_i   (row),
    .read_data_o    (c_write_data_o)
  );

endmodule
