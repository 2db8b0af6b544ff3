// SPDX-License-Identifier: GPL-2.0
/*
 * Flags of Device Sync, by which cards tell each other that data has come. Commands wait for their
 * own function's flags and signal another one's through its window, a page of BAR0. A group of flags
 * is a buffer object without memory: exported, it is that page, which other cards import like a
 * device buffer. The card does not keep the flags of a function's programs apart; who has which is
 * agreed on here.
 */

#include <linux/bitmap.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>

#include <firmware/abi/command.h>

#include "npu_drv.h"
#include "npu_peer.h"
#include "npu_sync.h"

static_assert(NPU_DEVICE_SYNC_WINDOW_BYTES == PAGE_SIZE);
static_assert(NPU_BAR0_DEVICE_SYNC % PAGE_SIZE == 0);
static_assert(NPU_DEVICE_SYNC_FLAGS == NPU_SYNC_FLAGS);

static void npu_sync_free(struct drm_gem_object *obj)
{
	struct npu_device *ndev = to_npu_device(obj->dev);
	struct npu_device_bo *bo = to_npu_device_bo(obj);

	mutex_lock(&ndev->bo_lock);
	list_del(&bo->peer_node);
	bitmap_clear(ndev->sync_flags, bo->first_flag, bo->flags);
	mutex_unlock(&ndev->bo_lock);
	drm_gem_object_release(obj);
	kfree(bo);
}

static const struct drm_gem_object_funcs npu_sync_funcs = {
	.free = npu_sync_free,
	.export = npu_peer_export,
};

bool npu_is_sync(struct drm_gem_object *obj)
{
	return obj->funcs == &npu_sync_funcs;
}

/**
 * npu_sync_create - take flags that nobody has
 * @ndev: the card
 * @count: how many, one behind the other
 * @first: out: number of the first one
 *
 * Return: the object, with whose last reference they are given back, or ERR_PTR -EINVAL, -ENOSPC,
 * -ENOMEM.
 */
struct drm_gem_object *npu_sync_create(struct npu_device *ndev, u32 count, u32 *first)
{
	struct npu_device_bo *bo;
	unsigned long place;

	if (!count || count > NPU_DEVICE_SYNC_FLAGS)
		return ERR_PTR(-EINVAL);
	bo = kzalloc(sizeof(*bo), GFP_KERNEL);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&ndev->bo_lock);
	place = bitmap_find_next_zero_area(ndev->sync_flags, NPU_DEVICE_SYNC_FLAGS, 0, count, 0);
	if (place >= NPU_DEVICE_SYNC_FLAGS) {
		mutex_unlock(&ndev->bo_lock);
		kfree(bo);
		return ERR_PTR(-ENOSPC);
	}
	bitmap_set(ndev->sync_flags, place, count);
	bo->first_flag = place;
	bo->flags = count;
	bo->base.funcs = &npu_sync_funcs;
	INIT_LIST_HEAD(&bo->mappings);
	drm_gem_private_object_init(&ndev->drm, &bo->base, NPU_DEVICE_SYNC_WINDOW_BYTES);
	list_add(&bo->peer_node, &ndev->peer_bos);
	mutex_unlock(&ndev->bo_lock);
	*first = place;
	return &bo->base;
}
