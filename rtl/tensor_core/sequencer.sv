// SPDX-License-Identifier: Apache-2.0
// Cuts a command into strips of COLUMNS columns, blocks of ACC_DEPTH rows and tiles of ROWS steps of k, and drives the
// memory ports. For each block: C into the accumulators (if accumulating), then for each tile weights and activations,
// then the accumulators to C. Strobes name the bytes (words of C) that lie inside the matrix; nothing else is read or
// written. A memory port delivers its data in the cycle after the request.
module sequencer
  import tensor_core_pkg::*;
#(
  parameter int unsigned ROWS      = 16,
  parameter int unsigned COLUMNS   = 16,
  parameter int unsigned ACC_DEPTH = 256
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,

  input  logic                         command_valid_i,
  output logic                         command_ready_o,
  input  command_t                     command_i,
  output logic                         done_o,  // one cycle, with the last write or after it

  output logic                         a_read_o,
  output logic [31:0]                  a_address_o,
  output logic [ROWS-1:0]              a_strobe_o,

  output logic                         weight_o,  // row weight_row_o of the array takes B's data, or zeros, next cycle
  output logic [$clog2(ROWS)-1:0]      weight_row_o,
  output logic                         b_read_o,
  output logic [31:0]                  b_address_o,
  output logic [COLUMNS-1:0]           b_strobe_o,

  output logic                         c_read_o,
  output logic                         c_write_o,  // to be written in the next cycle, when the accumulators answer
  output logic [31:0]                  c_address_o,
  output logic [COLUMNS-1:0]           c_strobe_o,

  output logic [$clog2(ACC_DEPTH)-1:0] row_o,       // accumulator row of a_read_o, c_read_o and c_write_o
  output logic                         overwrite_o  // the row of A starts its sums
);

  typedef enum logic [2:0] {
    IDLE,
    PRELOAD,
    WEIGHTS,
    STREAM,
    TURN,   // the last row leaves the array's right edge, then weights may change
    DRAIN,  // the last sums reach the accumulators
    STORE,
    DONE
  } state_t;

  localparam logic [15:0] TurnCycles  = 16'(COLUMNS - 2);
  localparam logic [15:0] DrainCycles = 16'(ROWS + COLUMNS + 1);

  state_t      state;
  command_t    command;     // b, c and n advance from strip to strip
  logic [15:0] count;       // of the state's cycles
  logic [15:0] m_left;      // rows from this block on
  logic [15:0] k_left;      // steps from this tile on
  logic [15:0] k_done;
  logic [31:0] a_block;     // first row of the block, k = 0
  logic [31:0] a_row;
  logic [31:0] b_row;
  logic [31:0] c_block;
  logic [31:0] c_row;
  logic [15:0] block_rows;
  logic        last_row;    // of the block
  logic        last_tile;
  logic        last_block;
  logic        last_strip;

  assign block_rows = m_left < 16'(ACC_DEPTH) ? m_left : 16'(ACC_DEPTH);
  assign last_row   = count == block_rows - 16'd1;
  assign last_tile  = k_left <= 16'(ROWS);
  assign last_block = m_left <= 16'(ACC_DEPTH);
  assign last_strip = command.n <= 16'(COLUMNS);

  assign command_ready_o = state == IDLE;
  assign done_o          = state == DONE;
  assign a_read_o        = state == STREAM;
  assign a_address_o     = a_row;
  assign weight_o        = state == WEIGHTS;
  assign weight_row_o    = count[$clog2(ROWS)-1:0];
  assign b_read_o        = state == WEIGHTS && count < k_left;
  assign b_address_o     = b_row;
  assign c_read_o        = state == PRELOAD;
  assign c_write_o       = state == STORE;
  assign c_address_o     = c_row;
  assign row_o           = count[$clog2(ACC_DEPTH)-1:0];
  assign overwrite_o     = k_done == '0 && !command.accumulate;

  always_comb begin
    for (int unsigned r = 0; r < ROWS; r++) a_strobe_o[r] = 16'(r) < k_left;
    for (int unsigned c = 0; c < COLUMNS; c++) b_strobe_o[c] = 16'(c) < command.n;
  end
  assign c_strobe_o = b_strobe_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state <= IDLE;
      count <= '0;
    end else begin
      count <= count + 16'd1;
      unique case (state)
        IDLE: begin
          count <= '0;
          if (command_valid_i) state <= command_i.accumulate ? PRELOAD : WEIGHTS;
        end
        PRELOAD: if (last_row) begin
          state <= WEIGHTS;
          count <= '0;
        end
        WEIGHTS: if (count == 16'(ROWS - 1)) begin
          state <= STREAM;
          count <= '0;
        end
        STREAM: if (last_row) begin
          state <= last_tile ? DRAIN : TURN;
          count <= '0;
        end
        TURN: if (count == TurnCycles - 16'd1) begin
          state <= WEIGHTS;
          count <= '0;
        end
        DRAIN: if (count == DrainCycles - 16'd1) begin
          state <= STORE;
          count <= '0;
        end
        STORE: if (last_row) begin
          if (last_block && last_strip) state <= DONE;
          else state <= command.accumulate ? PRELOAD : WEIGHTS;
          count <= '0;
        end
        DONE: state <= IDLE;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    unique case (state)
      IDLE: begin
        command <= command_i;
        m_left  <= command_i.m;
        k_left  <= command_i.k;
        k_done  <= '0;
        a_block <= command_i.a;
        a_row   <= command_i.a;
        b_row   <= command_i.b;
        c_block <= command_i.c;
        c_row   <= command_i.c;
      end
      PRELOAD: c_row <= last_row ? c_block : c_row + command.c_stride;
      WEIGHTS: if (b_read_o) b_row <= b_row + command.b_stride;
      STREAM: begin
        if (!last_row) begin
          a_row <= a_row + command.a_stride;
        end else if (!last_tile) begin
          a_row <= a_block + 32'(k_done) + 32'(ROWS);
        end else begin
          a_row <= a_row + command.a_stride - 32'(k_done);
        end
      end
      TURN: if (count == TurnCycles - 16'd1) begin
        k_left <= k_left - 16'(ROWS);
        k_done <= k_done + 16'(ROWS);
      end
      STORE: begin
        c_row <= c_row + command.c_stride;
        if (last_row) begin
          k_left <= command.k;
          k_done <= '0;
          if (!last_block) begin
            m_left  <= m_left - 16'(ACC_DEPTH);
            a_block <= a_row;
            b_row   <= command.b;
            c_block <= c_row + command.c_stride;
          end else begin
            m_left  <= command.m;
            command.n <= command.n - 16'(COLUMNS);
            a_block <= command.a;
            a_row   <= command.a;
            command.b <= command.b + 32'(COLUMNS);
            b_row   <= command.b + 32'(COLUMNS);
            command.c <= command.c + 32'(COLUMNS * 4);
            c_block <= command.c + 32'(COLUMNS * 4);
            c_row   <= command.c + 32'(COLUMNS * 4);
          end
        end
      end
      default: ;
    endcase
  end

endmodule
