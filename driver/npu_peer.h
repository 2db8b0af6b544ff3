/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_PEER_H_
#define _NPU_PEER_H_

#include <linux/types.h>

struct dma_buf;
struct drm_device;
struct drm_gem_object;
struct npu_device;

u64 npu_peer_bar_bytes(struct npu_device *ndev);
struct dma_buf *npu_peer_export(struct drm_gem_object *obj, int flags);
struct drm_gem_object *npu_peer_own(struct drm_device *drm, struct dma_buf *dmabuf);
void npu_peers_revoke(struct npu_device *ndev);

#endif
