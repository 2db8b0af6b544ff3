// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers of other devices, imported as dma-buf: pages of the host, or memory of a peer behind its
 * BAR. To the card they are a list of bus addresses like a host buffer. An exporter that goes away
 * revokes them: jobs that the card has may end, then the mapping goes; new jobs get -ESTALE.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_prime.h>

#include "npu_drv.h"
#include "npu_import.h"
#include "npu_peer.h"

struct npu_import {
	struct drm_gem_object base;
	struct list_head node; /* in npu_device.imports */

	/* Protected by base.resv, which is the dma-buf's: */
	struct sg_table *sgt; /* NULL: not mapped, or no longer */
	u64 *pages;	      /* bus address of each page */
	dma_addr_t pages_address;

	spinlock_t lock; /* protects the fields below; a job on the card keeps the mapping */
	bool revoked;
	unsigned int jobs;	       /* that the card has */
	struct work_struct unmap_work; /* when the last of them has ended */
};

static const struct drm_gem_object_funcs npu_import_funcs;

bool npu_is_import(struct drm_gem_object *obj)
{
	return obj->funcs == &npu_import_funcs;
}

static struct npu_import *to_npu_import(struct drm_gem_object *obj)
{
	return container_of(obj, struct npu_import, base);
}

/* Bus address of the page list. Only for a buffer in use. */
dma_addr_t npu_import_pages(struct drm_gem_object *obj)
{
	return to_npu_import(obj)->pages_address;
}

/* Mapping */

static size_t npu_import_list_bytes(struct npu_import *import)
{
	return import->base.size / NPU_HOST_PAGE_BYTES * sizeof(u64);
}

/* Return: 0, or -EINVAL when the exporter's pieces are not whole pages. */
static int npu_import_list_pages(struct npu_import *import)
{
	size_t count = import->base.size / NPU_HOST_PAGE_BYTES;
	struct scatterlist *sg;
	size_t page = 0;
	u32 offset;
	int i;

	for_each_sgtable_dma_sg(import->sgt, sg, i)
	{
		if (!IS_ALIGNED(sg_dma_address(sg) | sg_dma_len(sg), NPU_HOST_PAGE_BYTES))
			return -EINVAL;
		for (offset = 0; offset < sg_dma_len(sg) && page < count;
		     offset += NPU_HOST_PAGE_BYTES)
			import->pages[page++] = sg_dma_address(sg) + offset;
	}
	return page == count ? 0 : -EINVAL;
}

static void npu_import_unmap(struct npu_import *import)
{
	struct dma_buf_attachment *attach = import->base.import_attach;

	dma_resv_assert_held(import->base.resv);
	if (!import->sgt)
		return;
	if (import->pages)
		dma_free_coherent(attach->dev, npu_import_list_bytes(import), import->pages,
				  import->pages_address);
	dma_buf_unmap_attachment(attach, import->sgt, DMA_BIDIRECTIONAL);
	import->pages = NULL;
	import->sgt = NULL;
}

static int npu_import_map(struct npu_import *import)
{
	struct dma_buf_attachment *attach = import->base.import_attach;
	struct sg_table *sgt;
	int err;

	dma_resv_assert_held(import->base.resv);
	sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	import->sgt = sgt;
	import->pages = dma_alloc_coherent(attach->dev, npu_import_list_bytes(import),
					   &import->pages_address, GFP_KERNEL | __GFP_NOWARN);
	err = import->pages ? npu_import_list_pages(import) : -ENOMEM;
	if (err)
		npu_import_unmap(import);
	return err;
}

static void npu_import_unmap_locked(struct npu_import *import)
{
	dma_resv_lock(import->base.resv, NULL);
	npu_import_unmap(import);
	dma_resv_unlock(import->base.resv);
}

static void npu_import_unmap_work(struct work_struct *work)
{
	npu_import_unmap_locked(container_of(work, struct npu_import, unmap_work));
}

/* The exporter takes the buffer back. Called with the reservation held. */
static void npu_import_move_notify(struct dma_buf_attachment *attach)
{
	struct npu_import *import = attach->importer_priv;
	bool idle;

	spin_lock(&import->lock);
	import->revoked = true;
	idle = !import->jobs;
	spin_unlock(&import->lock);
	if (idle)
		npu_import_unmap(import);
}

static const struct dma_buf_attach_ops npu_import_attach_ops = {
	.allow_peer2peer = true,
	.move_notify = npu_import_move_notify,
};

/* Use by jobs */

static int npu_import_begin_use(struct npu_import *import)
{
	int err = 0;

	spin_lock(&import->lock);
	if (import->revoked)
		err = -ESTALE;
	else
		import->jobs++;
	spin_unlock(&import->lock);
	return err;
}

static void npu_import_end_use(struct npu_import *import)
{
	spin_lock(&import->lock);
	if (!--import->jobs && import->revoked)
		schedule_work(&import->unmap_work);
	spin_unlock(&import->lock);
}

/*
 * The buffers' memory stays where it is until npu_bos_end_use(), when the card no longer has the
 * job. Does not sleep. Return: 0, or -ESTALE when an exporter has taken one back.
 */
int npu_bos_begin_use(struct drm_gem_object *const *bos, unsigned int count)
{
	unsigned int i;
	int err;

	for (i = 0; i < count; i++) {
		if (!npu_is_import(bos[i]))
			continue;
		err = npu_import_begin_use(to_npu_import(bos[i]));
		if (err) {
			npu_bos_end_use(bos, i);
			return err;
		}
	}
	return 0;
}

/* Before the references are dropped. */
void npu_bos_end_use(struct drm_gem_object *const *bos, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (npu_is_import(bos[i]))
			npu_import_end_use(to_npu_import(bos[i]));
	}
}

/* Life */

static void npu_import_free(struct drm_gem_object *obj)
{
	struct npu_device *ndev = to_npu_device(obj->dev);
	struct npu_import *import = to_npu_import(obj);

	mutex_lock(&ndev->bo_lock); /* removal must not end between the two steps */
	list_del(&import->node);
	npu_import_unmap_locked(import);
	mutex_unlock(&ndev->bo_lock);
	cancel_work_sync(&import->unmap_work);
	drm_prime_gem_destroy(obj, NULL);
	drm_gem_object_release(obj);
	kfree(import);
}

static const struct drm_gem_object_funcs npu_import_funcs = {
	.free = npu_import_free,
};

static struct drm_gem_object *npu_import_create(struct npu_device *ndev, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;
	struct npu_import *import;
	int err;

	if (!dmabuf->size || !IS_ALIGNED(dmabuf->size, NPU_HOST_PAGE_BYTES))
		return ERR_PTR(-EINVAL);
	if (dmabuf->size > NPU_PAGES_BO_MAX_BYTES)
		return ERR_PTR(-ENOMEM);
	import = kzalloc(sizeof(*import), GFP_KERNEL);
	if (!import)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&import->node);
	INIT_WORK(&import->unmap_work, npu_import_unmap_work);
	spin_lock_init(&import->lock);
	import->base.funcs = &npu_import_funcs;
	drm_gem_private_object_init(&ndev->drm, &import->base, dmabuf->size);

	attach = dma_buf_dynamic_attach(dmabuf, npu_dev(ndev), &npu_import_attach_ops, import);
	if (IS_ERR(attach)) {
		drm_gem_object_release(&import->base);
		kfree(import);
		return ERR_CAST(attach);
	}
	get_dma_buf(dmabuf); /* drm_prime_gem_destroy() drops it */
	import->base.import_attach = attach;
	import->base.resv = dmabuf->resv;

	dma_resv_lock(dmabuf->resv, NULL);
	err = npu_import_map(import);
	dma_resv_unlock(dmabuf->resv);
	if (err) {
		drm_gem_object_put(&import->base);
		return ERR_PTR(err);
	}
	mutex_lock(&ndev->bo_lock);
	list_add(&import->node, &ndev->imports);
	mutex_unlock(&ndev->bo_lock);
	return &import->base;
}

/*
 * drm_driver.gem_prime_import. Return: the buffer, or ERR_PTR -EOPNOTSUPP when the exporter refuses,
 * -EINVAL when it is not made of whole pages, -ENODEV when either card is gone, -ENOMEM.
 */
struct drm_gem_object *npu_gem_prime_import(struct drm_device *drm, struct dma_buf *dmabuf)
{
	struct drm_gem_object *obj = npu_peer_own(drm, dmabuf);
	int index;

	if (obj)
		return obj;
	/* Knows our own host buffers, and refuses all others with -EINVAL. */
	obj = drm_gem_prime_import(drm, dmabuf);
	if (obj != ERR_PTR(-EINVAL))
		return obj;
	if (!drm_dev_enter(drm, &index))
		return ERR_PTR(-ENODEV);
	obj = npu_import_create(to_npu_device(drm), dmabuf);
	drm_dev_exit(index);
	return obj;
}

/* On removal, when the card has no jobs and no buffer can be imported any more. */
void npu_imports_unmap(struct npu_device *ndev)
{
	struct npu_import *import;

	mutex_lock(&ndev->bo_lock);
	list_for_each_entry(import, &ndev->imports, node)
		npu_import_unmap_locked(import);
	mutex_unlock(&ndev->bo_lock);
}
