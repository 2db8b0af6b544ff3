/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Command stream: an array of 128-byte commands that the Task Manager fetches, orders by tokens and dispatches.
 * The seven kinds are the profiler's tracks. Arithmetic is defined in models/arithmetic/README.md.
 *
 * Order: commands of one queue (kind, engine) start and finish in stream order. Between queues only tokens order:
 * a token is a counter, 0 at the start of a job; a command starts when each token it waits for has at least the given
 * count, and adds 1 to its signal token when it has finished and its writes are visible.
 */
#ifndef NPU_ABI_COMMAND_H
#define NPU_ABI_COMMAND_H

#include "abi.h"

#define NPU_TOKENS 256u
#define NPU_TOKEN_NONE 0xffffu
#define NPU_TOKEN_WAITS 4u

enum npu_command_kind {
	NPU_COMMAND_NEURAL_ENGINE = 1, /* engine: Neural Engine */
	NPU_COMMAND_NEURAL_DMA =
		2, /* DRAM or shared memory <-> scratchpad; engine: whose scratchpad */
	NPU_COMMAND_TASK_DMA = 3,      /* DRAM <-> shared memory; engine 0 */
	NPU_COMMAND_EXTERNAL_HDMA = 4, /* host <-> DRAM; engine 0 host to card, 1 card to host */
	NPU_COMMAND_DEVICE_HDMA =
		5, /* card <-> card: not in this ABI version, NPU_FAULT_ILLEGAL_COMMAND */
	NPU_COMMAND_DEVICE_SYNC =
		6, /* between cards: not in this ABI version, NPU_FAULT_ILLEGAL_COMMAND */
};

/*
 * Address in a command: space in bits 63:56, offset in 55:0. Spaces 0..15 are the job's segments.
 * Scratchpad: the engine's own (Neural DMA and Neural Engine name the engine in the command).
 */
#define NPU_SPACE_SCRATCHPAD 0x80u
#define NPU_SPACE_SHARED 0x81u
#define NPU_ADDRESS(space, offset) (((uint64_t)(space) << 56) | (uint64_t)(offset))
#define NPU_ADDRESS_SPACE(address) ((uint32_t)((address) >> 56))
#define NPU_ADDRESS_OFFSET(address) ((address)&0x00ffffffffffffffull)

enum npu_type {
	NPU_TYPE_INT8 = 1,
	NPU_TYPE_INT32 = 2,
	NPU_TYPE_FP16 = 3,
	NPU_TYPE_FP32 = 4,
};

enum npu_ne_opcode {
	NPU_NE_GEMM = 1,
	NPU_NE_VECTOR = 2,
};

enum npu_dma_opcode {
	NPU_DMA_COPY = 1,
};

/* C[m,n] = (accumulate ? C : 0) + sum over k of A[m,k] * B[k,n]. INT8 -> INT32 or FP16 -> FP32. */
struct npu_gemm {
	uint32_t a, b, c; /* byte offsets in the scratchpad; a, b 16-byte, c 64-byte aligned */
	uint32_t m, n, k; /* elements, 1..65535 */
	uint32_t a_stride, b_stride, c_stride; /* bytes from row to row; multiples of 16, 16, 64 */
	uint8_t type;			       /* enum npu_type of A and B: INT8 or FP16 */
	uint8_t accumulate;		       /* 0 or 1 */
	uint16_t reserved0;
	uint32_t reserved[14];
};
static_assert(sizeof(struct npu_gemm) == 96, "gemm layout");

#define NPU_VECTOR_BIAS 1u /* add bias[n]: INT32 for INT32 input, else FP32 */
#define NPU_VECTOR_RELU 2u
#define NPU_VECTOR_SCALE 4u /* multiply by scale[n], FP32 */

/* OUT[m,n] = convert(scale[n] * relu(IN[m,n] + bias[n])), each stage only if its flag is set. */
struct npu_vector {
	uint32_t in, out, bias,
		scale; /* byte offsets in the scratchpad, aligned to their element */
	uint32_t m, n; /* elements, 1..65535 */
	uint32_t in_stride, out_stride; /* bytes from row to row */
	uint8_t in_type, out_type;	/* enum npu_type */
	uint8_t flags;			/* NPU_VECTOR_* */
	uint8_t reserved0;
	uint32_t reserved[15];
};
static_assert(sizeof(struct npu_vector) == 96, "vector layout");

/* Copies `rows` rows of `row_bytes`; both sides strided. */
struct npu_dma {
	uint64_t source, destination;
	uint32_t rows, row_bytes;
	uint64_t source_stride, destination_stride; /* bytes from row to row, any when rows is 1 */
	uint64_t reserved[7];
};
static_assert(sizeof(struct npu_dma) == 96, "dma layout");

struct npu_token_wait {
	uint16_t token; /* NPU_TOKEN_NONE: no wait */
	uint16_t count;
};

struct npu_command {
	uint8_t kind;	/* enum npu_command_kind */
	uint8_t opcode; /* of the kind */
	uint8_t engine;
	uint8_t flags; /* 0 */
	uint32_t tag;  /* the compiler's operator number, for profilers */
	struct npu_token_wait wait[NPU_TOKEN_WAITS];
	uint16_t signal; /* token, or NPU_TOKEN_NONE */
	uint16_t reserved[3];
	union {
		struct npu_gemm gemm;
		struct npu_vector vector;
		struct npu_dma dma;
		uint8_t bytes[96];
	} u;
};
static_assert(sizeof(struct npu_command) == 128, "command layout");

#endif
