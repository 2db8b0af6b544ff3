/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_JOB_H_
#define _NPU_JOB_H_

#include <firmware/abi/queue.h>

struct npu_context;

/* What a job needs, checked. The references to the buffers pass to the queue with the job. */
struct npu_job_request {
	u32 command_segment;
	u32 command_bytes;
	u64 command_offset;
	u32 timeout_us;
	unsigned int bo_count;
	struct drm_gem_object *bos[NPU_MAX_SEGMENTS];
	u32 segment_flags[NPU_MAX_SEGMENTS]; /* NPU_SEGMENT_* */
};

int npu_job_submit(struct npu_context *context, const struct npu_job_request *request,
		   bool nonblock, u64 *job);
int npu_job_wait(struct npu_context *context, u64 job, s64 *timeout_ns,
		 struct npu_completion *completion);

#endif
