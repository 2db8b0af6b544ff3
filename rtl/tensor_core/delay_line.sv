// SPDX-License-Identifier: Apache-2.0
// data_o is data_i of DEPTH cycles ago; DEPTH 0 is a wire. Zero after reset.
module delay_line #(
  parameter int unsigned WIDTH = 8,
  parameter int unsigned DEPTH = 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic [WIDTH-1:0] data_i,
  output logic [WIDTH-1:0] data_o
);

  if (DEPTH == 0) begin : gen_wire
    assign data_o = data_i;
    logic unused;
    assign unused = &{1'b0, clk_i, rst_ni};
  end else begin : gen_registers
    logic [DEPTH-1:0][WIDTH-1:0] stages;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        stages <= '0;
      end else begin
        stages[0] <= data_i;
        for (int unsigned i = 1; i < DEPTH; i++) stages[i] <= stages[i-1];
      end
    end

    assign data_o = stages[DEPTH-1];
  end

endmodule
