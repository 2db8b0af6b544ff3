/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Command stream: an array of 128-byte commands that the Task Manager fetches, orders by tokens and dispatches.
 * The kinds are the profiler's tracks. Arithmetic is defined in models/arithmetic/README.md.
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
		5, /* peer card <-> DRAM over PCIe; engine 0 peer to card, 1 card to peer */
	NPU_COMMAND_DEVICE_SYNC = 6, /* flags between cards; engine 0..NPU_SYNC_CHANNELS-1 */
	NPU_COMMAND_CONTROL = 7,     /* the Task Manager's own: loops, barriers, tokens; engine 0 */
};

/*
 * A Neural Engine has two queues, so that its units work side by side: one of all its commands and, with this bit in the
 * command's engine, one of those for the vector and transpose units.
 */
#define NPU_ENGINE_VECTOR_QUEUE 0x80u

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
	NPU_TYPE_BF16 = 5,
	NPU_TYPE_FP8_E4M3 = 6, /* OCP 8-bit: no infinity, 448 is the largest */
	NPU_TYPE_FP8_E5M2 = 7,
	NPU_TYPE_INT4 = 8, /* two a byte, the first in bits 3:0; each row begins with a byte */
};

/* The instruction set of the Neural Engine; models/ne/README.md describes each. */
enum npu_ne_opcode {
	NPU_NE_GEMM = 1,
	NPU_NE_VECTOR = 2,
	NPU_NE_CONVOLUTION = 3,
	NPU_NE_ELEMENTWISE = 4,
	NPU_NE_REDUCE = 5,
	NPU_NE_SOFTMAX = 6,
	NPU_NE_NORMALIZE = 7,
	NPU_NE_ROTARY = 8,
	NPU_NE_GATHER = 9,
	NPU_NE_SCATTER = 10,
	NPU_NE_TOP_K = 11,
	NPU_NE_TRANSPOSE = 12,
};

enum npu_dma_opcode {
	NPU_DMA_COPY = 1,   /* struct npu_dma */
	NPU_DMA_TENSOR = 2, /* struct npu_dma_tensor */
	NPU_DMA_CHAIN = 3,  /* struct npu_dma_chain: linked descriptors in memory */
};

#define NPU_GEMM_TRANSPOSE_A 1u /* A is stored as k rows of m */
#define NPU_GEMM_TRANSPOSE_B 2u /* B is stored as n rows of k */

/*
 * C[m,n] = (accumulate ? C : 0) + sum over k of A[m,k] * B[k,n], `batch` times.
 * INT8, INT4 -> INT32; FP16, BF16, FP8 -> FP32.
 */
struct npu_gemm {
	uint32_t a, b, c; /* byte offsets in the scratchpad; a, b 16-byte, c 64-byte aligned */
	uint32_t m, n, k; /* elements, 1..65535 */
	uint32_t a_stride, b_stride, c_stride; /* bytes from row to row; multiples of 16, 16, 64 */
	uint8_t type;			       /* enum npu_type of A and B; not INT32, not FP32 */
	uint8_t accumulate;		       /* 0 or 1 */
	uint16_t flags;			       /* NPU_GEMM_* */
	uint32_t batch;			       /* matrices, 0 and 1: one; up to 65535 */
	uint32_t a_batch_stride, b_batch_stride,
		c_batch_stride; /* bytes from matrix to matrix; a and b: 0 for the same one */
	uint32_t reserved[10];
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

/*
 * A stack of matrices in the scratchpad: planes x rows x columns. Elements of a row lie side by side; a stride of 0 in an
 * input is the same row or plane again.
 */
struct npu_operand {
	uint32_t offset;		   /* bytes, aligned to the element */
	uint32_t row_stride, plane_stride; /* bytes from row to row and from plane to plane */
};

/* How a result becomes a number of its type: models/arithmetic/README.md, section Conversion. */
enum npu_rounding {
	NPU_ROUND_NEAREST_EVEN = 0,
	NPU_ROUND_TOWARD_ZERO = 1,
	NPU_ROUND_DOWN = 2,
	NPU_ROUND_UP = 3,
	NPU_ROUND_NEAREST_AWAY = 4,
};

enum npu_saturation {
	NPU_SATURATE_INTEGERS = 0, /* floating-point overflow becomes infinity, NaN in FP8 E4M3 */
	NPU_SATURATE_ALL = 1,  /* floating-point overflow and infinity become the largest number */
	NPU_SATURATE_NONE = 2, /* integers wrap */
};

/* Of a result: type, and how numbers come to it. */
struct npu_result {
	uint8_t type;	    /* enum npu_type */
	uint8_t rounding;   /* enum npu_rounding */
	uint8_t saturation; /* enum npu_saturation */
	uint8_t reserved;
};

/*
 * OUT[image, y, x, o] = (accumulate ? OUT : 0) + sum over (ky, kx, i) of
 * IN[image, y * stride_y - pad_top + ky * dilation_y, x * stride_x - pad_left + kx * dilation_x, group's i]
 * * WEIGHTS[ky, kx, i, o]. Pixels outside of the image are `pad_value`.
 */
struct npu_convolution {
	uint32_t in, weights, out; /* byte offsets in the scratchpad */
	uint16_t images, in_height, in_width, in_channels;
	uint16_t out_height, out_width, out_channels, groups;
	uint32_t in_pixel_stride, in_row_stride, in_image_stride;    /* bytes */
	uint32_t out_pixel_stride, out_row_stride, out_image_stride; /* bytes; multiples of 4 */
	uint32_t
		weight_stride; /* bytes from one (ky, kx, i) to the next; the out_channels lie side by side */
	uint16_t kernel_height, kernel_width;
	uint16_t stride_y, stride_x, dilation_y, dilation_x;
	uint16_t pad_top, pad_left;
	uint8_t type;	    /* as in npu_gemm */
	uint8_t accumulate; /* 0 or 1 */
	int8_t pad_value;   /* 0 for floating-point types */
	uint8_t reserved0;
	uint32_t reserved[5];
};
static_assert(sizeof(struct npu_convolution) == 96, "convolution layout");

/* One operand: a. */
enum npu_elementwise_operation {
	NPU_OP_COPY = 1, /* converts a */
	NPU_OP_NEGATE = 2,
	NPU_OP_ABSOLUTE = 3,
	NPU_OP_SIGN = 4,
	NPU_OP_FLOOR = 5,
	NPU_OP_CEILING = 6,
	NPU_OP_ROUND = 7, /* to nearest even */
	NPU_OP_NOT = 8,
	NPU_OP_SQRT = 16,
	NPU_OP_RSQRT = 17,
	NPU_OP_RECIPROCAL = 18,
	NPU_OP_EXP = 19,
	NPU_OP_LOG = 20,
	NPU_OP_SIGMOID = 21,
	NPU_OP_TANH = 22,
	NPU_OP_ERF = 23,
	NPU_OP_GELU = 24,      /* with erf */
	NPU_OP_GELU_TANH = 25, /* its approximation with tanh */
	NPU_OP_SILU = 26,
	/* two operands: a, b */
	NPU_OP_ADD = 32,
	NPU_OP_SUBTRACT = 33,
	NPU_OP_MULTIPLY = 34,
	NPU_OP_DIVIDE = 35,
	NPU_OP_MINIMUM = 36,
	NPU_OP_MAXIMUM = 37,
	NPU_OP_AND = 38,
	NPU_OP_OR = 39,
	NPU_OP_XOR = 40,
	NPU_OP_EQUAL = 41, /* comparisons give INT32 1 or 0 */
	NPU_OP_NOT_EQUAL = 42,
	NPU_OP_LESS = 43,
	NPU_OP_LESS_EQUAL = 44,
	NPU_OP_GREATER = 45,
	NPU_OP_GREATER_EQUAL = 46,
	/* three operands: a, b, c */
	NPU_OP_MULTIPLY_ADD = 64, /* a * b + c, rounded once */
	NPU_OP_CLAMP = 65,	  /* between b and c */
	NPU_OP_SELECT = 66,	  /* a != 0 ? b : c */
	NPU_OP_QUANTIZE = 67,	  /* round(a / b) + c; b scale, c zero point */
	NPU_OP_DEQUANTIZE = 68,	  /* (a - c) * b */
};

#define NPU_ELEMENTWISE_BROADCAST_A 1u /* one element a row, for all of its columns */
#define NPU_ELEMENTWISE_BROADCAST_B 2u
#define NPU_ELEMENTWISE_BROADCAST_C 4u
#define NPU_ELEMENTWISE_IMMEDIATE_B 8u /* b is immediate_b, of type INT32 or FP32 */
#define NPU_ELEMENTWISE_IMMEDIATE_C 16u

/* OUT = operation(A, B, C), element by element. */
struct npu_elementwise {
	uint32_t planes, rows, columns; /* 1..65535 */
	struct npu_operand out, a, b, c;
	struct npu_result result;
	uint8_t operation; /* enum npu_elementwise_operation */
	uint8_t flags;	   /* NPU_ELEMENTWISE_* */
	uint8_t a_type, b_type, c_type;
	uint8_t reserved0[3];
	uint32_t immediate_b, immediate_c; /* bits */
	uint32_t reserved[4];
};
static_assert(sizeof(struct npu_elementwise) == 96, "elementwise layout");

enum npu_reduction {
	NPU_REDUCE_SUM = 1,
	NPU_REDUCE_SUM_OF_SQUARES = 2,
	NPU_REDUCE_MAXIMUM = 3,
	NPU_REDUCE_MINIMUM = 4,
};

enum npu_axis {
	NPU_AXIS_COLUMNS = 0, /* OUT: planes x rows x 1 */
	NPU_AXIS_ROWS = 1,    /* OUT: planes x 1 x columns */
};

struct npu_reduce {
	uint32_t planes, rows, columns; /* of IN */
	struct npu_operand out, in;
	struct npu_result result; /* not INT4 with NPU_AXIS_COLUMNS */
	uint8_t operation;	  /* enum npu_reduction */
	uint8_t axis;		  /* enum npu_axis */
	uint8_t in_type;
	uint8_t reserved0;
	uint32_t reserved[13];
};
static_assert(sizeof(struct npu_reduce) == 96, "reduce layout");

/* Each row: exp(scale * x - max) / sum of them. */
struct npu_softmax {
	uint32_t planes, rows, columns;
	struct npu_operand out, in;
	struct npu_result result;
	uint32_t scale; /* FP32 bits */
	uint8_t in_type;
	uint8_t reserved0[3];
	uint32_t reserved[12];
};
static_assert(sizeof(struct npu_softmax) == 96, "softmax layout");

#define NPU_NORMALIZE_RMS 1u /* root mean square; else mean and variance */
#define NPU_NORMALIZE_GAMMA 2u
#define NPU_NORMALIZE_BETA 4u

/* Each row: (x - mean) / sqrt(variance + epsilon) * gamma + beta, or x / sqrt(mean of squares + epsilon) * gamma + beta. */
struct npu_normalize {
	uint32_t planes, rows, columns;
	struct npu_operand out, in;
	struct npu_result result;
	uint32_t gamma, beta; /* byte offsets of `columns` FP32 numbers */
	uint32_t epsilon;     /* FP32 bits */
	uint8_t in_type;
	uint8_t flags; /* NPU_NORMALIZE_* */
	uint16_t reserved0;
	uint32_t reserved[10];
};
static_assert(sizeof(struct npu_normalize) == 96, "normalize layout");

#define NPU_ROTARY_INTERLEAVED \
	1u /* pairs (0, 1), (2, 3), ...; else (0, columns / 2), (1, columns / 2 + 1), ... */

/* Rotary position embedding: turns each pair of a row by an angle given as its cosine and sine. */
struct npu_rotary {
	uint32_t planes, rows, columns; /* columns even */
	struct npu_operand out, in;
	struct npu_operand cosine, sine; /* FP32, columns / 2 wide */
	struct npu_result result;
	uint8_t in_type;
	uint8_t flags; /* NPU_ROTARY_* */
	uint16_t reserved0;
	uint32_t reserved[7];
};
static_assert(sizeof(struct npu_rotary) == 96, "rotary layout");

enum npu_scatter_mode {
	NPU_SCATTER_STORE = 0,
	NPU_SCATTER_ADD = 1,
	NPU_SCATTER_MAXIMUM = 2,
	NPU_SCATTER_MINIMUM = 3,
};

/*
 * GATHER: ROWS[i] = TABLE[index[i]]. SCATTER: TABLE[index[i]] = ROWS[i], or combined with what is there, for i = 0, 1, ...
 * A negative index counts from the table's end. An index outside of the table is NPU_FAULT_ADDRESS, nothing is written.
 */
struct npu_gather {
	uint32_t rows, columns, table_rows;
	uint32_t data, data_stride;   /* ROWS: byte offset and bytes from row to row */
	uint32_t table, table_stride; /* TABLE */
	uint32_t index;		      /* byte offset of `rows` INT32 numbers */
	uint8_t type;		      /* of ROWS and TABLE */
	uint8_t mode;		      /* enum npu_scatter_mode; 0 for GATHER */
	uint16_t reserved0;
	uint32_t reserved[15];
};
static_assert(sizeof(struct npu_gather) == 96, "gather layout");

#define NPU_TOP_K_SMALLEST 1u

/* The k largest (or smallest) elements of each row in order, and their columns. Of equal ones the first comes first. */
struct npu_top_k {
	uint32_t rows, columns, k; /* k <= columns */
	uint32_t in, in_stride;
	uint32_t values, values_stride;	  /* of the type of IN */
	uint32_t indices, indices_stride; /* INT32 */
	uint8_t type;			  /* not INT4 */
	uint8_t flags;			  /* NPU_TOP_K_* */
	uint16_t reserved0;
	uint32_t reserved[14];
};
static_assert(sizeof(struct npu_top_k) == 96, "top-k layout");

/* OUT[plane, column, row] = IN[plane, row, column]; bits unchanged. */
struct npu_transpose {
	uint32_t planes, rows, columns; /* of IN */
	struct npu_operand out, in;
	uint8_t type;
	uint8_t reserved0[3];
	uint32_t reserved[14];
};
static_assert(sizeof(struct npu_transpose) == 96, "transpose layout");

/* Copies `rows` rows of `row_bytes`; both sides strided. */
struct npu_dma {
	uint64_t source, destination;
	uint32_t rows, row_bytes;
	uint64_t source_stride, destination_stride; /* bytes from row to row, any when rows is 1 */
	uint64_t reserved[7];
};
static_assert(sizeof(struct npu_dma) == 96, "dma layout");

#define NPU_DMA_DIMENSIONS 5u
#define NPU_DMA_FILL 1u	   /* nothing is read: `source` holds the element's bits */
#define NPU_DMA_GATHER 2u  /* the source's coordinate along index_dimension comes from the list */
#define NPU_DMA_SCATTER 4u /* the same for the destination */

/*
 * Moves a tensor of up to 5 dimensions: element (i0..i4), dimension 0 fastest, goes from source + sum of
 * i * source_stride to destination + sum of i * destination_stride. Strides are signed bytes, multiples of the side's
 * element like its address; 0 repeats the source. Elements of equal types are copied bit by bit, others converted as
 * models/arithmetic/README.md defines. With GATHER or SCATTER (not both) the coordinate along index_dimension is
 * list[i], a u32 below index_limit, in place of i. Unused dimensions have size 1.
 */
struct npu_dma_tensor {
	uint64_t source, destination;
	uint32_t size[NPU_DMA_DIMENSIONS]; /* elements, > 0; less than 2^48 together */
	int32_t source_stride[NPU_DMA_DIMENSIONS];
	int32_t destination_stride[NPU_DMA_DIMENSIONS];
	uint8_t source_type, destination_type; /* enum npu_type; equal with FILL */
	uint8_t flags;			       /* NPU_DMA_* */
	uint8_t index_dimension;	       /* 0 without a list, as the next two */
	uint64_t indices; /* u32[size[index_dimension]] on the card, 4-byte aligned */
	uint32_t index_limit;
	uint32_t reserved;
};
static_assert(sizeof(struct npu_dma_tensor) == 96, "dma tensor layout");

#define NPU_DMA_CHAIN_END 0xffffffffffffffffull
#define NPU_DMA_CHAIN_LIMIT 65535u

/* Runs descriptors one after the other. Each is read when the one before it starts. */
struct npu_dma_chain {
	uint64_t
		descriptor; /* address of the first struct npu_dma_descriptor, on the card, 128-byte aligned */
	uint32_t
		limit; /* 1..NPU_DMA_CHAIN_LIMIT; a longer chain is NPU_FAULT_ILLEGAL_COMMAND at its end */
	uint32_t reserved0;
	uint64_t reserved[10];
};
static_assert(sizeof(struct npu_dma_chain) == 96, "dma chain layout");

struct npu_dma_descriptor {
	uint64_t next;	/* address, or NPU_DMA_CHAIN_END */
	uint8_t opcode; /* NPU_DMA_COPY or NPU_DMA_TENSOR */
	uint8_t reserved0[7];
	uint64_t reserved[2];
	union {
		struct npu_dma dma;
		struct npu_dma_tensor tensor;
	} u;
};
static_assert(sizeof(struct npu_dma_descriptor) == 128, "dma descriptor layout");

/*
 * FAULT_POSITION of a DMA command: elements (bytes of a COPY) that were moved before the fault, in the order above; all of
 * them and no other. Of a chain: of this descriptor, whose number in the chain is in bits 63:48.
 */
#define NPU_DMA_POSITION(descriptor, elements) \
	(((uint64_t)(descriptor) << 48) | (uint64_t)(elements))
#define NPU_DMA_POSITION_DESCRIPTOR(position) ((uint32_t)((position) >> 48))
#define NPU_DMA_POSITION_ELEMENTS(position) ((position)&0x0000ffffffffffffull)

enum npu_sync_opcode {
	NPU_SYNC_WAIT = 1,   /* until this card's flag compares true */
	NPU_SYNC_SIGNAL = 2, /* posted write to another card's flag */
	NPU_SYNC_UPDATE = 3, /* of this card's own flag */
};

enum npu_sync_compare {
	NPU_SYNC_GREATER_EQUAL = 1, /* (int32_t)(flag - value) >= 0: counters may wrap around */
	NPU_SYNC_EQUAL = 2,
};

enum npu_sync_update {
	NPU_SYNC_SET = 1,
	NPU_SYNC_ADD = 2,
};

#define NPU_SYNC_CHANNELS 4u
#define NPU_SYNC_FLAGS 256u /* of each PCIe function */
/* The function's window in BAR0 (and its registers FLAG and ADD): u32 at +4*flag sets, at +0x400+4*flag adds. */
#define NPU_SYNC_WINDOW_ADD 0x400u

/* WAIT and UPDATE use `flag`, SIGNAL `address`: in a host segment that holds the other card's window. */
struct npu_device_sync {
	uint64_t address; /* SIGNAL: of the flag's word, 4-byte aligned; else 0 */
	uint32_t flag;	  /* WAIT, UPDATE: below NPU_SYNC_FLAGS; SIGNAL: 0 */
	uint32_t value;
	uint8_t compare; /* WAIT: enum npu_sync_compare; else 0 */
	uint8_t update; /* UPDATE: enum npu_sync_update; WAIT: 0, or NPU_SYNC_ADD: adds `addend` when it is true */
	uint16_t reserved0;
	uint32_t addend;     /* WAIT with NPU_SYNC_ADD, for example -value to consume; else 0 */
	uint32_t timeout_us; /* WAIT: NPU_FAULT_SYNC_TIMEOUT after this; 0: none */
	uint32_t reserved[17];
};
static_assert(sizeof(struct npu_device_sync) == 96, "device sync layout");

enum npu_control_opcode {
	NPU_CONTROL_LOOP =
		1, /* struct npu_loop: the commands up to the matching LOOP_END run `count` times */
	NPU_CONTROL_LOOP_END = 2,
	NPU_CONTROL_STEP = 3,	 /* struct npu_step: of the next command */
	NPU_CONTROL_BARRIER = 4, /* what follows starts when all that precedes has ended */
	NPU_CONTROL_TOKENS = 5,	 /* struct npu_fan: waits and signals, nothing else */
};

#define NPU_LOOP_DEPTH 4u
#define NPU_LOOPS 1024u /* of one stream */
/* Commands that a stream may execute with its loops unrolled. */
#define NPU_MAX_EXECUTED_COMMANDS 0xffffffffull

/*
 * A loop means its body written `count` times, with two rules that make the copies differ. Steps: see below. Tokens: a wait
 * inside a loop counts from the beginning of its iteration: to the command's count are added the signals to that token that
 * the earlier iterations of all enclosing loops make. The count is signed there (int16_t): -1 waits for one signal less than
 * the earlier iterations make, which lets an iteration overlap with the one before. Below 0 it is 0.
 * LOOP, LOOP_END, STEP and BARRIER carry no waits and no signal.
 */
struct npu_loop {
	uint32_t count; /* 1..2^32-1; times the body within NPU_MAX_EXECUTED_COMMANDS */
	uint32_t reserved[23];
};
static_assert(sizeof(struct npu_loop) == 96, "loop layout");

#define NPU_STEPS 6u

/* Adds `step` times the iteration (0, 1, ..) to a field of the next command's operands, modulo the field's size. */
struct npu_field_step {
	int64_t step;
	uint8_t offset; /* of the field in the 96 bytes of operands, a multiple of `bytes` */
	uint8_t bytes;	/* 4 or 8; 0: entry not used, all of it 0 */
	uint8_t level;	/* of the loop: 0 the innermost that encloses the command */
	uint8_t reserved[5];
};

struct npu_step {
	struct npu_field_step field[NPU_STEPS];
};
static_assert(sizeof(struct npu_step) == 96, "step layout");

#define NPU_FAN 16u

struct npu_token_wait {
	uint16_t token; /* NPU_TOKEN_NONE: no wait */
	uint16_t count;
};

/* Fan-in and fan-out beyond the command's own tokens; NPU_TOKEN_NONE for entries not used. */
struct npu_fan {
	struct npu_token_wait wait[NPU_FAN];
	uint16_t signal[NPU_FAN];
};
static_assert(sizeof(struct npu_fan) == 96, "fan layout");

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
		struct npu_convolution convolution;
		struct npu_elementwise elementwise;
		struct npu_reduce reduce;
		struct npu_softmax softmax;
		struct npu_normalize normalize;
		struct npu_rotary rotary;
		struct npu_gather gather;
		struct npu_top_k top_k;
		struct npu_transpose transpose;
		struct npu_dma dma;
		struct npu_dma_tensor tensor;
		struct npu_dma_chain chain;
		struct npu_device_sync sync;
		struct npu_loop loop;
		struct npu_step step;
		struct npu_fan fan;
		uint8_t bytes[96];
	} u;
};
static_assert(sizeof(struct npu_command) == 128, "command layout");

#endif
