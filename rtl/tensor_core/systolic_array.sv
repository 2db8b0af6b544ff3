// SPDX-License-Identifier: Apache-2.0
// Weight-stationary array. A row of activations, one for each array row, gives COLUMNS sums ROWS + COLUMNS - 1 cycles
// later; a new row may enter each cycle. Skewing and deskewing are inside. Loading the weights of row r affects
// activations that enter at the same time or later, minus r cycles: the sequencer keeps the distance.
module systolic_array
  import tensor_core_pkg::*;
#(
  parameter int unsigned ROWS    = 16,
  parameter int unsigned COLUMNS = 16
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic [ROWS-1:0]        weight_load_i,  // one bit for each array row
  input  logic [COLUMNS-1:0][7:0] weights_i,     // for the row being loaded
  input  logic [ROWS-1:0][7:0]   activations_i,
  output logic [COLUMNS-1:0][31:0] sums_o
);

  operand_t activation[ROWS][COLUMNS+1];
  sum_t     partial[ROWS+1][COLUMNS];

  for (genvar r = 0; r < ROWS; r++) begin : gen_row
    delay_line #(.WIDTH(8), .DEPTH(r)) skew (
      .clk_i, .rst_ni, .data_i(activations_i[r]), .data_o(activation[r][0])
    );

    for (genvar c = 0; c < COLUMNS; c++) begin : gen_column
      processing_element element (
        .clk_i,
        .weight_load_i(weight_load_i[r]),
        .weight_i     (weights_i[c]),
        .activation_i (activation[r][c]),
        .activation_o (activation[r][c+1]),
        .partial_i    (partial[r][c]),
        .partial_o    (partial[r+1][c])
      );
    end

    logic unused;
    assign unused = &{1'b0, activation[r][COLUMNS]};
  end

  for (genvar c = 0; c < COLUMNS; c++) begin : gen_edge
    assign partial[0][c] = '0;

    delay_line #(.WIDTH(32), .DEPTH(COLUMNS - 1 - c)) deskew (
      .clk_i, .rst_ni, .data_i(partial[ROWS][c]), .data_o(sums_o[c])
    );
  end

endmodule
