// SPDX-License-Identifier: Apache-2.0
// Types that the tensor core's modules share.
package tensor_core_pkg;

  typedef logic signed [7:0]  operand_t;  // element of A or B
  typedef logic signed [31:0] sum_t;      // element of C; wraps modulo 2^32

  // struct npu_gemm of firmware/abi/command.h, checked by the Neural Engine. Addresses and strides in bytes.
  typedef struct packed {
    logic [31:0] a;
    logic [31:0] b;
    logic [31:0] c;
    logic [15:0] m;
    logic [15:0] n;
    logic [15:0] k;
    logic [31:0] a_stride;
    logic [31:0] b_stride;
    logic [31:0] c_stride;
    logic        accumulate;
  } command_t;

endpackage
