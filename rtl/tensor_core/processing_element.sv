// SPDX-License-Identifier: Apache-2.0
// One cell of the array: holds a weight, passes activations right and partial sums down, one cycle each.
module processing_element
  import tensor_core_pkg::*;
(
  input  logic     clk_i,
  input  logic     weight_load_i,
  input  operand_t weight_i,
  input  operand_t activation_i,
  output operand_t activation_o,
  input  sum_t     partial_i,
  output sum_t     partial_o
);

  operand_t weight;
  logic signed [15:0] product;

  assign product = activation_i * weight;

  always_ff @(posedge clk_i) begin
    if (weight_load_i) weight <= weight_i;
    activation_o <= activation_i;
    partial_o    <= partial_i + 32'(product);
  end

endmodule
