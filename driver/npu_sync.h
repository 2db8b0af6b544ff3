/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_SYNC_H_
#define _NPU_SYNC_H_

#include <linux/types.h>

struct drm_gem_object;
struct npu_device;

struct drm_gem_object *npu_sync_create(struct npu_device *ndev, u32 count, u32 *first);
bool npu_is_sync(struct drm_gem_object *obj);

#endif
