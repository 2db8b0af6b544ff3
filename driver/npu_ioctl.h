/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_IOCTL_H_
#define _NPU_IOCTL_H_

struct drm_device;
struct drm_file;

int npu_ioctl_get_info(struct drm_device *drm, void *data, struct drm_file *file);
int npu_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file);
int npu_ioctl_context_create(struct drm_device *drm, void *data, struct drm_file *file);
int npu_ioctl_context_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int npu_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file);
int npu_ioctl_wait(struct drm_device *drm, void *data, struct drm_file *file);
int npu_ioctl_fault_read(struct drm_device *drm, void *data, struct drm_file *file);
int npu_ioctl_sync_create(struct drm_device *drm, void *data, struct drm_file *file);

#endif
