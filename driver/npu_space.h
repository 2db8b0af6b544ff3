/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_SPACE_H_
#define _NPU_SPACE_H_

#include <linux/types.h>

struct drm_file;
struct drm_gem_object;
struct npu_device;
struct npu_device_bo;
struct npu_queue;

int npu_space_begin_use(struct npu_queue *queue, struct drm_gem_object *const *bos,
			unsigned int count, u32 *epoch);
void npu_space_end_use(struct npu_queue *queue, struct drm_gem_object *const *bos,
		       unsigned int count);
void npu_space_close(struct drm_gem_object *obj, struct drm_file *file);
void npu_space_forget_bo(struct npu_device_bo *bo);
void npu_space_fini(struct npu_queue *queue);
int npu_space_clear(struct npu_device *ndev, u64 base, u64 bytes);

#endif
