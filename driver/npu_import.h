/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_IMPORT_H_
#define _NPU_IMPORT_H_

#include <linux/types.h>

struct dma_buf;
struct drm_device;
struct drm_gem_object;
struct npu_device;

struct drm_gem_object *npu_gem_prime_import(struct drm_device *drm, struct dma_buf *dmabuf);
bool npu_is_import(struct drm_gem_object *obj);
dma_addr_t npu_import_pages(struct drm_gem_object *obj);
void npu_imports_unmap(struct npu_device *ndev);

int npu_bos_begin_use(struct drm_gem_object *const *bos, unsigned int count);
void npu_bos_end_use(struct drm_gem_object *const *bos, unsigned int count);

#endif
