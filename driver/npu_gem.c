// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers. A host buffer is pinned shmem, mapped for DMA, with a list of the bus address of each 4
 * KiB page for the card. A device buffer is a range of card DRAM that only commands reach; it has
 * no CPU mapping. Buffers of other devices are in npu_import.c, device buffers for them in
 * npu_peer.c.
 */

#include <linux/dma-mapping.h>
#include <linux/mm.h>

#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_managed.h>

#include <firmware/abi/context.h>
#include <firmware/abi/page_table.h>

#include "npu_drv.h"
#include "npu_gem.h"
#include "npu_import.h"
#include "npu_peer.h"
#include "npu_recovery.h"
#include "npu_space.h"

static_assert(PAGE_SIZE == NPU_HOST_PAGE_BYTES, "page lists assume pages of 4 KiB");

struct npu_host_bo {
	struct drm_gem_shmem_object base;
	struct list_head node; /* in npu_device.host_bos while mapped for DMA */
	struct sg_table *sgt;
	u64 *pages; /* bus address of each page */
	dma_addr_t pages_address;
};

static struct npu_host_bo *to_npu_host_bo(struct drm_gem_object *obj)
{
	return container_of(to_drm_gem_shmem_obj(obj), struct npu_host_bo, base);
}

/* Card DRAM */

static void npu_dram_fini(struct drm_device *drm, void *data)
{
	struct npu_dram *dram = data;

	drm_mm_takedown(&dram->mm);
}

static void npu_dram_start(struct npu_device *ndev)
{
	struct npu_dram *dram = &ndev->dram;

	dram->base = ndev->card.dram_base;
	dram->bytes = ndev->card.dram_bytes;
	dram->free_bytes = dram->bytes;
	dram->window_bytes = min(dram->bytes, npu_peer_bar_bytes(ndev));
	drm_mm_init(&dram->mm, dram->base, dram->bytes);
}

/* The allocator lives as long as the drm_device, for buffers can outlive the card. */
int npu_dram_init(struct npu_device *ndev)
{
	struct npu_dram *dram = &ndev->dram;
	int err;

	err = drmm_mutex_init(&ndev->drm, &dram->lock);
	if (err)
		return err;
	npu_dram_start(ndev);
	return drmm_add_action_or_reset(&ndev->drm, npu_dram_fini, dram);
}

/*
 * Keeps device buffers from coming into being until npu_dram_thaw(). Return: 0, or -EBUSY when
 * there are any.
 */
int npu_dram_freeze(struct npu_device *ndev)
{
	struct npu_dram *dram = &ndev->dram;
	int err = 0;

	mutex_lock(&dram->lock);
	if (drm_mm_clean(&dram->mm))
		dram->frozen = true;
	else
		err = -EBUSY;
	mutex_unlock(&dram->lock);
	return err;
}

/* Makes a frozen allocator follow npu_device.card. */
void npu_dram_resize(struct npu_device *ndev)
{
	struct npu_dram *dram = &ndev->dram;

	mutex_lock(&dram->lock);
	drm_mm_takedown(&dram->mm);
	npu_dram_start(ndev);
	mutex_unlock(&dram->lock);
}

void npu_dram_thaw(struct npu_device *ndev)
{
	mutex_lock(&ndev->dram.lock);
	ndev->dram.frozen = false;
	mutex_unlock(&ndev->dram.lock);
}

u64 npu_dram_free_bytes(struct npu_device *ndev)
{
	u64 bytes;

	mutex_lock(&ndev->dram.lock);
	bytes = ndev->dram.free_bytes;
	mutex_unlock(&ndev->dram.lock);
	return bytes;
}

static void npu_dram_remove(struct npu_dram *dram, struct drm_mm_node *node)
{
	mutex_lock(&dram->lock);
	dram->free_bytes += node->size;
	drm_mm_remove_node(node);
	mutex_unlock(&dram->lock);
}

/* Device buffers */

static void npu_device_bo_free(struct drm_gem_object *obj)
{
	struct npu_device *ndev = to_npu_device(obj->dev);
	struct npu_device_bo *bo = to_npu_device_bo(obj);

	mutex_lock(&ndev->bo_lock);
	list_del(&bo->peer_node);
	mutex_unlock(&ndev->bo_lock);
	npu_space_forget_bo(bo);
	npu_dram_remove(&ndev->dram, &bo->node);
	drm_gem_object_release(obj);
	kfree(bo);
}

/* There are no host pages that another device could map. */
static struct dma_buf *npu_device_bo_export(struct drm_gem_object *obj, int flags)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static const struct drm_gem_object_funcs npu_device_bo_funcs = {
	.free = npu_device_bo_free,
	.close = npu_space_close,
	.export = npu_device_bo_export,
};

static const struct drm_gem_object_funcs npu_peer_bo_funcs = {
	.free = npu_device_bo_free,
	.close = npu_space_close,
	.export = npu_peer_export,
};

static int npu_dram_insert_aligned(struct npu_dram *dram, struct drm_mm_node *node, u64 size,
				   bool peer, u64 alignment)
{
	/* Buffers for peers from the bottom, where the window is; all others from the top. */
	return drm_mm_insert_node_in_range(&dram->mm, node, size, alignment, 0, dram->base,
					   dram->base + (peer ? dram->window_bytes : dram->bytes),
					   peer ? DRM_MM_INSERT_LOW : DRM_MM_INSERT_HIGH);
}

/*
 * Whole pages of the device MMU, so that no two buffers share one; large ones, if possible, where
 * they need few entries of its TLB.
 */
static int npu_dram_insert(struct npu_dram *dram, struct drm_mm_node *node, u64 size, bool peer)
{
	int err = -ENOSPC;

	lockdep_assert_held(&dram->lock);
	if (dram->frozen)
		return -EBUSY;
	if (size > dram->bytes)
		return -ENOSPC;
	if (peer && !dram->window_bytes)
		return -EOPNOTSUPP;
	size = ALIGN(size, NPU_CONTEXT_PAGE_BYTES);
	if (size >= NPU_PAGE_LARGE_BYTES)
		err = npu_dram_insert_aligned(dram, node, size, peer, NPU_PAGE_LARGE_BYTES);
	if (err == -ENOSPC)
		err = npu_dram_insert_aligned(dram, node, size, peer, NPU_CONTEXT_PAGE_BYTES);
	if (!err)
		dram->free_bytes -= size;
	return err;
}

/* What the last owner left is gone when this returns 0. */
static int npu_device_bo_clear(struct npu_device *ndev, const struct drm_mm_node *node)
{
	int err;

	if (!npu_has_spaces(ndev))
		return 0;
	mutex_lock(&ndev->control_lock);
	err = npu_make_ready(ndev);
	if (!err)
		err = npu_space_clear(ndev, node->start, node->size);
	mutex_unlock(&ndev->control_lock);
	return err;
}

/*
 * `peer`: can be exported to other cards. Return: the buffer, or ERR_PTR -ENOSPC when no range of
 * the card's DRAM, or of the window onto it, is large enough, -EOPNOTSUPP when there is no window,
 * -EBUSY while the DRAM is being divided or the card is reset, -EIO when it is dead or the memory
 * cannot be cleared, -ETIMEDOUT, -EINVAL, -ENOMEM. Call it inside drm_dev_enter().
 */
struct drm_gem_object *npu_device_bo_create(struct npu_device *ndev, u64 size, bool peer)
{
	struct npu_dram *dram = &ndev->dram;
	struct npu_device_bo *bo;
	int err;

	if (!size)
		return ERR_PTR(-EINVAL);
	if (size > U64_MAX - PAGE_SIZE)
		return ERR_PTR(-ENOSPC);
	bo = kzalloc(sizeof(*bo), GFP_KERNEL);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	size = PAGE_ALIGN(size);
	mutex_lock(&dram->lock);
	err = npu_dram_insert(dram, &bo->node, size, peer);
	mutex_unlock(&dram->lock);
	if (err)
		goto err_free;
	err = npu_device_bo_clear(ndev, &bo->node);
	if (err)
		goto err_remove;
	INIT_LIST_HEAD(&bo->mappings);
	INIT_LIST_HEAD(&bo->peer_node);
	bo->base.funcs = peer ? &npu_peer_bo_funcs : &npu_device_bo_funcs;
	drm_gem_private_object_init(&ndev->drm, &bo->base, size);
	if (peer) {
		mutex_lock(&ndev->bo_lock);
		list_add(&bo->peer_node, &ndev->peer_bos);
		mutex_unlock(&ndev->bo_lock);
	}
	return &bo->base;

err_remove:
	npu_dram_remove(dram, &bo->node);
err_free:
	kfree(bo);
	return ERR_PTR(err);
}

/* Host buffers */

static size_t npu_host_bo_list_bytes(struct npu_host_bo *bo)
{
	return bo->base.base.size / PAGE_SIZE * sizeof(u64);
}

static int npu_host_bo_map(struct npu_device *ndev, struct npu_host_bo *bo)
{
	struct device *dev = npu_dev(ndev);
	struct sg_dma_page_iter page;
	size_t i = 0;
	int err;

	err = drm_gem_shmem_pin(&bo->base);
	if (err)
		return err;
	bo->sgt = drm_gem_shmem_get_sg_table(&bo->base);
	if (IS_ERR(bo->sgt)) {
		err = PTR_ERR(bo->sgt);
		goto err_unpin;
	}
	err = dma_map_sgtable(dev, bo->sgt, DMA_BIDIRECTIONAL, 0);
	if (err)
		goto err_free_table;
	bo->pages = dma_alloc_coherent(dev, npu_host_bo_list_bytes(bo), &bo->pages_address,
				       GFP_KERNEL | __GFP_NOWARN);
	if (!bo->pages) {
		err = -ENOMEM;
		goto err_unmap;
	}
	for_each_sgtable_dma_page(bo->sgt, &page, 0)
		bo->pages[i++] = sg_page_iter_dma_address(&page);

	mutex_lock(&ndev->bo_lock);
	list_add(&bo->node, &ndev->host_bos);
	mutex_unlock(&ndev->bo_lock);
	return 0;

err_unmap:
	dma_unmap_sgtable(dev, bo->sgt, DMA_BIDIRECTIONAL, 0);
err_free_table:
	sg_free_table(bo->sgt);
	kfree(bo->sgt);
err_unpin:
	bo->sgt = NULL;
	drm_gem_shmem_unpin(&bo->base);
	return err;
}

/*
 * Ends the card's access. The pages stay pinned, and mapped in programs, until the buffer is freed.
 */
static void npu_host_bo_unmap(struct npu_device *ndev, struct npu_host_bo *bo)
{
	lockdep_assert_held(&ndev->bo_lock);
	if (!bo->pages)
		return;
	dma_free_coherent(npu_dev(ndev), npu_host_bo_list_bytes(bo), bo->pages, bo->pages_address);
	dma_unmap_sgtable(npu_dev(ndev), bo->sgt, DMA_BIDIRECTIONAL, 0);
	bo->pages = NULL;
	list_del(&bo->node);
}

static void npu_host_bo_free(struct drm_gem_object *obj)
{
	struct npu_device *ndev = to_npu_device(obj->dev);
	struct npu_host_bo *bo = to_npu_host_bo(obj);

	mutex_lock(&ndev->bo_lock);
	npu_host_bo_unmap(ndev, bo);
	mutex_unlock(&ndev->bo_lock);
	if (bo->sgt) {
		sg_free_table(bo->sgt);
		kfree(bo->sgt);
		drm_gem_shmem_unpin(&bo->base);
	}
	drm_gem_shmem_free(&bo->base);
}

static const struct drm_gem_object_funcs npu_host_bo_funcs = {
	.free = npu_host_bo_free,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

/* Called by drm_gem_shmem_create(). */
struct drm_gem_object *npu_gem_create_object(struct drm_device *drm, size_t size)
{
	struct npu_host_bo *bo = kzalloc(sizeof(*bo), GFP_KERNEL);

	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->base.base.funcs = &npu_host_bo_funcs;
	return &bo->base.base;
}

/*
 * Return: the buffer, pinned and mapped, or ERR_PTR -ENOMEM, -EINVAL. Call it inside
 * drm_dev_enter().
 */
struct drm_gem_object *npu_host_bo_create(struct npu_device *ndev, u64 size)
{
	struct drm_gem_shmem_object *shmem;
	int err;

	if (!size)
		return ERR_PTR(-EINVAL);
	if (size > NPU_PAGES_BO_MAX_BYTES || size >> PAGE_SHIFT > totalram_pages())
		return ERR_PTR(-ENOMEM);
	shmem = drm_gem_shmem_create(&ndev->drm, size);
	if (IS_ERR(shmem))
		return ERR_CAST(shmem);
	err = npu_host_bo_map(ndev, to_npu_host_bo(&shmem->base));
	if (err) {
		drm_gem_object_put(&shmem->base);
		return ERR_PTR(err);
	}
	return &shmem->base;
}

/* On removal, when the card can no longer reach memory and no buffer can be created any more. */
void npu_host_bos_unmap(struct npu_device *ndev)
{
	struct npu_host_bo *bo, *next;

	mutex_lock(&ndev->bo_lock);
	list_for_each_entry_safe(bo, next, &ndev->host_bos, node)
		npu_host_bo_unmap(ndev, bo);
	mutex_unlock(&ndev->bo_lock);
}

bool npu_is_device_bo(struct drm_gem_object *obj)
{
	return obj->funcs == &npu_device_bo_funcs || obj->funcs == &npu_peer_bo_funcs;
}

/* Fills base, size and kind of a segment table's entry. */
void npu_bo_describe(struct drm_gem_object *obj, struct npu_segment *segment)
{
	segment->size = obj->size;
	if (npu_is_device_bo(obj)) {
		segment->kind = NPU_SEGMENT_DEVICE;
		segment->base = to_npu_device_bo(obj)->node.start;
	} else {
		segment->kind = NPU_SEGMENT_HOST_PAGES;
		segment->base = npu_is_import(obj) ? npu_import_pages(obj)
						   : to_npu_host_bo(obj)->pages_address;
	}
}
