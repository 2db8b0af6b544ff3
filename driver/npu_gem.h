/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_GEM_H_
#define _NPU_GEM_H_

#include <linux/mutex.h>

#include <drm/drm_gem.h>
#include <drm/drm_mm.h>

struct npu_device;
struct npu_segment;

/* Allocator of the card DRAM that the firmware leaves to jobs; addresses are card physical. */
struct npu_dram {
	struct mutex lock; /* protects mm, free_bytes */
	struct drm_mm mm;
	u64 free_bytes;
};

int npu_dram_init(struct npu_device *ndev);
u64 npu_dram_free_bytes(struct npu_device *ndev);

struct drm_gem_object *npu_gem_create_object(struct drm_device *drm, size_t size);
struct drm_gem_object *npu_host_bo_create(struct npu_device *ndev, u64 size);
struct drm_gem_object *npu_device_bo_create(struct npu_device *ndev, u64 size);
void npu_bo_describe(struct drm_gem_object *obj, struct npu_segment *segment);
void npu_host_bos_unmap(struct npu_device *ndev);

#endif
