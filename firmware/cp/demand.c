// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/demand.h"

/* An address field cannot get from one space to another in shorter steps without leaving its segment on the way. */
static const int64_t kFarStep = 1ll << 40;

static bool shared(uint64_t address) {
  return NPU_ADDRESS_SPACE(address) == NPU_SPACE_SHARED;
}

static void need_shared(struct demand* demand, uint64_t end) {
  if (end > demand->shared_bytes) demand->shared_bytes = end;
}

/* End of rows from `address` on; they may overlap, and their strides may be any. */
static uint64_t end_of_rows(uint64_t address, const struct npu_dma* dma, uint64_t stride) {
  uint64_t offset = NPU_ADDRESS_OFFSET(address), last = 0, end = 0;
  if (dma->rows > 1 && __builtin_mul_overflow((uint64_t)dma->rows - 1, stride, &last)) return DEMAND_ALL_SHARED;
  if (__builtin_add_overflow(offset, last, &end) || __builtin_add_overflow(end, dma->row_bytes, &end)) {
    return DEMAND_ALL_SHARED;
  }
  return end;
}

/* End of a tensor's elements, none of which is wider than 4 bytes. */
static uint64_t end_of_elements(uint64_t address, const uint32_t* size, const int32_t* stride) {
  uint64_t end = NPU_ADDRESS_OFFSET(address) + 4; /* below 2^57 */
  for (uint32_t i = 0; i < NPU_DMA_DIMENSIONS; ++i) {
    if (size[i] > 1 && stride[i] > 0) end += (uint64_t)(size[i] - 1) * (uint32_t)stride[i]; /* five times below 2^63 */
    if (end >= 1ull << 57) return DEMAND_ALL_SHARED;
  }
  return end;
}

static void add_copy(struct demand* demand, const struct npu_dma* dma) {
  if (shared(dma->source)) need_shared(demand, end_of_rows(dma->source, dma, dma->source_stride));
  if (shared(dma->destination)) need_shared(demand, end_of_rows(dma->destination, dma, dma->destination_stride));
}

static void add_tensor(struct demand* demand, const struct npu_dma_tensor* tensor) {
  bool source = !(tensor->flags & NPU_DMA_FILL) && shared(tensor->source), destination = shared(tensor->destination);
  if (tensor->flags & (NPU_DMA_GATHER | NPU_DMA_SCATTER)) {
    if (source || destination || shared(tensor->indices)) demand->shared_bytes = DEMAND_ALL_SHARED;
    return;
  }
  if (source) need_shared(demand, end_of_elements(tensor->source, tensor->size, tensor->source_stride));
  if (destination) need_shared(demand, end_of_elements(tensor->destination, tensor->size, tensor->destination_stride));
}

static void add_dma(struct demand* demand, const struct npu_command* command) {
  struct demand own = {0};
  switch (command->opcode) {
    case NPU_DMA_COPY:
      add_copy(&own, &command->u.dma);
      break;
    case NPU_DMA_TENSOR:
      add_tensor(&own, &command->u.tensor);
      break;
    case NPU_DMA_CHAIN: /* its descriptors stand in memory that changes */
      own.shared_bytes = DEMAND_ALL_SHARED;
      break;
    default: /* refused by the engine */
      break;
  }
  if (demand->stepped && (own.shared_bytes != 0 || demand->steps_far)) own.shared_bytes = DEMAND_ALL_SHARED;
  need_shared(demand, own.shared_bytes);
}

static void note_step(struct demand* demand, const struct npu_step* step) {
  demand->stepped = true;
  demand->steps_far = false;
  for (uint32_t i = 0; i < NPU_STEPS; ++i) {
    int64_t by = step->field[i].step;
    demand->steps_far |= by >= kFarStep || by <= -kFarStep;
  }
}

void demand_add(struct demand* demand, const struct npu_command* command, uint32_t neural_engines) {
  uint32_t engine = command->engine;
  switch (command->kind) {
    case NPU_COMMAND_CONTROL:
      if (command->opcode == NPU_CONTROL_STEP) {
        note_step(demand, &command->u.step);
        return;
      }
      break;
    case NPU_COMMAND_NEURAL_ENGINE:
      engine &= ~NPU_ENGINE_VECTOR_QUEUE;
      if (engine < neural_engines) demand->engines |= 1u << engine;
      break;
    case NPU_COMMAND_NEURAL_DMA:
      if (engine < neural_engines) demand->engines |= 1u << engine;
      add_dma(demand, command);
      break;
    case NPU_COMMAND_TASK_DMA:
    case NPU_COMMAND_EXTERNAL_HDMA:
    case NPU_COMMAND_DEVICE_HDMA:
      add_dma(demand, command);
      break;
    default: /* reaches no on-chip memory */
      break;
  }
  demand->stepped = false;
}
