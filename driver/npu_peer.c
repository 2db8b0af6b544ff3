// SPDX-License-Identifier: GPL-2.0
/*
 * Device buffers for other devices: exported as dma-buf, mapped as ranges of BAR2, the window onto
 * the card's DRAM; and groups of flags, which are a page of BAR0. They have no struct page, so only importers that say they handle peer memory get
 * them. On removal they are revoked: mappings end, and new ones fail.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/pci-p2pdma.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_prime.h>

#include "npu_drv.h"
#include "npu_peer.h"
#include "npu_sync.h"

#define NPU_PEER_BAR 2
/* A scatterlist entry counts bytes in an unsigned int. */
#define NPU_PEER_CHUNK_BYTES SZ_1G

MODULE_IMPORT_NS(DMA_BUF);

/* Size of the window; 0 when the card has none or no address was found for it. */
u64 npu_peer_bar_bytes(struct npu_device *ndev)
{
	return pci_resource_start(ndev->pdev, NPU_PEER_BAR)
		       ? pci_resource_len(ndev->pdev, NPU_PEER_BAR)
		       : 0;
}

static struct npu_device_bo *npu_peer_bo(struct dma_buf *dmabuf)
{
	return to_npu_device_bo(dmabuf->priv);
}

/*
 * Do the ports between the two pass requests on? A kernel without CONFIG_PCI_P2PDMA, as the guest's,
 * knows no answer; then it is the platform's, which ends requests on a closed path with an error.
 */
static bool npu_peer_reachable(struct npu_device *ndev, struct device *importer)
{
	return !IS_ENABLED(CONFIG_PCI_P2PDMA) || !dev_is_pci(importer) ||
	       pci_p2pdma_distance(ndev->pdev, importer, false) >= 0;
}

static int npu_peer_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct npu_device *ndev = to_npu_device(npu_peer_bo(dmabuf)->base.dev);

	if (!attach->peer2peer) {
		dev_err_ratelimited(
			ndev->drm.dev,
			"%s cannot import a device buffer: its driver reaches host memory only; copy it to a buffer of placement HOST\n",
			dev_name(attach->dev));
		return -EOPNOTSUPP;
	}
	if (!npu_peer_reachable(ndev, attach->dev)) {
		dev_err_ratelimited(
			ndev->drm.dev,
			"%s does not reach this card: no path that the kernel allows leads from one to the other; put both below one switch\n",
			dev_name(attach->dev));
		return -EOPNOTSUPP;
	}
	return 0;
}

/* The buffer never moves, all there is to say is whether it is still there. */
static int npu_peer_pin(struct dma_buf_attachment *attach)
{
	dma_resv_assert_held(attach->dmabuf->resv);
	return npu_peer_bo(attach->dmabuf)->revoked ? -ENODEV : 0;
}

static void npu_peer_unpin(struct dma_buf_attachment *attach)
{
}

static void npu_peer_free_table(struct device *importer, struct sg_table *sgt,
				enum dma_data_direction direction)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(sgt, sg, i)
	{
		if (sg_dma_len(sg))
			dma_unmap_resource(importer, sg_dma_address(sg), sg_dma_len(sg), direction,
					   DMA_ATTR_SKIP_CPU_SYNC);
	}
	sg_free_table(sgt);
	kfree(sgt);
}

static struct sg_table *npu_peer_build_table(struct device *importer, phys_addr_t address, u64 size,
					     enum dma_data_direction direction)
{
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	struct scatterlist *sg;
	dma_addr_t bus;
	u32 bytes;
	int err;
	int i;

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	err = sg_alloc_table(sgt, DIV_ROUND_UP_ULL(size, NPU_PEER_CHUNK_BYTES), GFP_KERNEL);
	if (err) {
		kfree(sgt);
		return ERR_PTR(err);
	}
	for_each_sgtable_sg(sgt, sg, i)
	{
		bytes = min_t(u64, size, NPU_PEER_CHUNK_BYTES);
		bus = dma_map_resource(importer, address, bytes, direction, DMA_ATTR_SKIP_CPU_SYNC);
		if (dma_mapping_error(importer, bus)) {
			npu_peer_free_table(importer, sgt, direction);
			return ERR_PTR(-EIO);
		}
		sg_set_page(sg, NULL, bytes, 0);
		sg_dma_address(sg) = bus;
		sg_dma_len(sg) = bytes;
		address += bytes;
		size -= bytes;
	}
	return sgt;
}

static phys_addr_t npu_peer_address(struct npu_device_bo *bo)
{
	struct npu_device *ndev = to_npu_device(bo->base.dev);

	if (npu_is_sync(&bo->base))
		return pci_resource_start(ndev->pdev, 0) + NPU_BAR0_DEVICE_SYNC;
	return pci_resource_start(ndev->pdev, NPU_PEER_BAR) + bo->node.start - ndev->dram.base;
}

static struct sg_table *npu_peer_map(struct dma_buf_attachment *attach,
				     enum dma_data_direction direction)
{
	struct npu_device_bo *bo = npu_peer_bo(attach->dmabuf);
	struct npu_device *ndev = to_npu_device(bo->base.dev);
	struct sg_table *sgt;

	dma_resv_assert_held(attach->dmabuf->resv);
	if (bo->revoked)
		return ERR_PTR(-ENODEV);
	sgt = npu_peer_build_table(attach->dev, npu_peer_address(bo), bo->base.size, direction);
	if (!IS_ERR(sgt))
		atomic_inc(&ndev->peer_mappings);
	return sgt;
}

static void npu_peer_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			   enum dma_data_direction direction)
{
	struct npu_device *ndev = to_npu_device(npu_peer_bo(attach->dmabuf)->base.dev);

	npu_peer_free_table(attach->dev, sgt, direction);
	if (atomic_dec_and_test(&ndev->peer_mappings))
		wake_up_all(&ndev->peer_wait);
}

static void npu_peer_release(struct dma_buf *dmabuf)
{
	struct npu_device_bo *bo = npu_peer_bo(dmabuf);

	dma_resv_lock(bo->base.resv, NULL);
	bo->dmabuf = NULL;
	dma_resv_unlock(bo->base.resv);
	drm_gem_dmabuf_release(dmabuf);
}

static const struct dma_buf_ops npu_peer_ops = {
	.attach = npu_peer_attach,
	.pin = npu_peer_pin,
	.unpin = npu_peer_unpin,
	.map_dma_buf = npu_peer_map,
	.unmap_dma_buf = npu_peer_unmap,
	.release = npu_peer_release,
};

/* drm_gem_object_funcs.export of buffers of DRM_NPU_BO_PEER and of flags. Programs cannot map the dma-buf. */
struct dma_buf *npu_peer_export(struct drm_gem_object *obj, int flags)
{
	struct npu_device_bo *bo = to_npu_device_bo(obj);
	struct dma_buf_export_info info = {
		.exp_name = NPU_DRIVER_NAME,
		.owner = obj->dev->driver->fops->owner,
		.ops = &npu_peer_ops,
		.size = obj->size,
		.flags = flags,
		.priv = obj,
		.resv = obj->resv,
	};
	struct dma_buf *dmabuf = drm_gem_dmabuf_export(obj->dev, &info);

	if (IS_ERR(dmabuf))
		return dmabuf;
	dma_resv_lock(obj->resv, NULL);
	bo->dmabuf = dmabuf;
	dma_resv_unlock(obj->resv);
	return dmabuf;
}

/* Return: the buffer behind a dma-buf of this very card, with a reference, or NULL. */
struct drm_gem_object *npu_peer_own(struct drm_device *drm, struct dma_buf *dmabuf)
{
	struct drm_gem_object *obj = dmabuf->priv;

	if (dmabuf->ops != &npu_peer_ops || obj->dev != drm)
		return NULL;
	drm_gem_object_get(obj);
	return obj;
}

/*
 * On removal, after drm_dev_unplug(): tells the importers, and gives them time to end the jobs that
 * are just using the buffers.
 */
void npu_peers_revoke(struct npu_device *ndev)
{
	const struct npu_timeouts *timeouts = ndev->timeouts;
	struct npu_device_bo *bo;

	mutex_lock(&ndev->bo_lock);
	list_for_each_entry(bo, &ndev->peer_bos, peer_node) {
		dma_resv_lock(bo->base.resv, NULL);
		bo->revoked = true;
		if (bo->dmabuf)
			dma_buf_move_notify(bo->dmabuf);
		dma_resv_unlock(bo->base.resv);
	}
	mutex_unlock(&ndev->bo_lock);
	if (!wait_event_timeout(ndev->peer_wait, !atomic_read(&ndev->peer_mappings),
				msecs_to_jiffies(npu_disconnected(ndev) ? timeouts->watch_ms
									: timeouts->message_ms)))
		dev_warn(npu_dev(ndev),
			 "%d mappings of device buffers by other devices are still in use\n",
			 atomic_read(&ndev->peer_mappings));
}
