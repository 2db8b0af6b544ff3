/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_GEM_H_
#define _NPU_GEM_H_

#include <linux/mutex.h>
#include <linux/sizes.h>

#include <drm/drm_gem.h>
#include <drm/drm_mm.h>

#include <firmware/abi/queue.h>

struct dma_buf;
struct npu_device;
struct npu_segment;

/* Allocator of the card DRAM that the firmware leaves to our jobs; addresses are card physical. */
struct npu_dram {
	struct mutex lock; /* protects the fields below */
	struct drm_mm mm;
	u64 base, bytes;
	u64 free_bytes;
	u64 window_bytes; /* from `base` on, that BAR2 shows */
	bool frozen;	  /* it is being resized: no new buffers */
};

int npu_dram_init(struct npu_device *ndev);
int npu_dram_freeze(struct npu_device *ndev);
void npu_dram_resize(struct npu_device *ndev);
void npu_dram_thaw(struct npu_device *ndev);
u64 npu_dram_free_bytes(struct npu_device *ndev);

struct npu_device_bo {
	struct drm_gem_object base;
	struct drm_mm_node node;
	struct list_head mappings; /* in contexts; protected by npu_device.space_lock */
	/* Those that other devices can import only: */
	struct list_head peer_node; /* in npu_device.peer_bos */
	struct dma_buf *dmabuf;	    /* while exported; protected by base.resv */
	bool revoked;		    /* likewise: the card is leaving, no new mapping */
	/* Those of npu_sync.c, which have no memory: */
	unsigned int first_flag, flags;
};

static inline struct npu_device_bo *to_npu_device_bo(struct drm_gem_object *obj)
{
	return container_of(obj, struct npu_device_bo, base);
}

struct drm_gem_object *npu_gem_create_object(struct drm_device *drm, size_t size);
struct drm_gem_object *npu_host_bo_create(struct npu_device *ndev, u64 size);
struct drm_gem_object *npu_device_bo_create(struct npu_device *ndev, u64 size, bool peer);
bool npu_is_device_bo(struct drm_gem_object *obj);
void npu_bo_describe(struct drm_gem_object *obj, struct npu_segment *segment);
void npu_host_bos_unmap(struct npu_device *ndev);

/*
 * The page list of a buffer that is not DRAM of its card is one coherent allocation of at most 4
 * MiB, the largest that the page allocator gives.
 */
#define NPU_PAGES_BO_MAX_BYTES (SZ_4M / sizeof(u64) * (u64)NPU_HOST_PAGE_BYTES)

#endif
