/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_CONTEXT_H_
#define _NPU_CONTEXT_H_

#include <linux/kref.h>
#include <linux/xarray.h>

#include "npu_queue.h"

struct drm_device;
struct drm_file;
struct drm_printer;

/* One hardware queue, owned by one open file. */
struct npu_context {
	struct kref refcount;
	/* The card is done with it and its rings are freed; protected by npu_device.control_lock. */
	bool stopped;
	struct npu_queue queue;
};

/* drm_file.driver_priv */
struct npu_file {
	struct xarray contexts;
	struct npu_counters
		ended; /* of contexts that are no more; protected by the lock of `contexts` */
};

int npu_file_open(struct drm_device *drm, struct drm_file *file);
void npu_file_close(struct drm_device *drm, struct drm_file *file);

void npu_file_show_fdinfo(struct drm_printer *p, struct drm_file *file);

int npu_context_create(struct npu_device *ndev, struct npu_file *file,
		       const struct npu_rights *rights, u32 *id);
int npu_context_destroy(struct npu_device *ndev, struct npu_file *file, u32 id);
u32 npu_context_find(struct npu_file *file, u32 number);
struct npu_context *npu_context_get(struct npu_file *file, u32 id);
void npu_context_put(struct npu_context *context);

bool npu_contexts_exist(struct npu_device *ndev);
void npu_contexts_stop(struct npu_device *ndev);
void npu_queues_set_state(struct npu_device *ndev, enum npu_queue_state state);
void npu_queues_abort(struct npu_device *ndev);
int npu_queues_attach(struct npu_device *ndev, const struct npu_context *except);

#endif
