// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls: everything that comes from user space is checked here, before the rest of the driver
 * sees it.
 */

#include <linux/capability.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_vma_manager.h>

#include <driver/uapi/npu_accel.h>
#include <firmware/abi/command.h>

#include "npu_context.h"
#include "npu_drv.h"
#include "npu_ioctl.h"
#include "npu_job.h"
#include "npu_recovery.h"
#include "npu_sync.h"

static_assert(DRM_NPU_SEGMENT_WRITABLE == NPU_SEGMENT_WRITABLE);
static_assert(DRM_NPU_CONTEXT_STOP_ON_FAULT == NPU_CONTEXT_STOP_ON_FAULT);
static_assert(NPU_PRIORITY_NORMAL + DRM_NPU_PRIORITY_LOW == NPU_PRIORITY_LOW);
static_assert(NPU_PRIORITY_NORMAL + DRM_NPU_PRIORITY_URGENT == NPU_PRIORITY_URGENT);

static struct drm_gem_object *npu_bo_create(struct npu_device *ndev,
					    const struct drm_npu_bo_create *args)
{
	if (args->flags & ~DRM_NPU_BO_PEER || args->pad)
		return ERR_PTR(-EINVAL);
	switch (args->placement) {
	case DRM_NPU_PLACEMENT_HOST:
		return args->flags ? ERR_PTR(-EINVAL) : npu_host_bo_create(ndev, args->size);
	case DRM_NPU_PLACEMENT_DEVICE:
		return npu_device_bo_create(ndev, args->size, args->flags & DRM_NPU_BO_PEER);
	default:
		return ERR_PTR(-EINVAL);
	}
}

int npu_ioctl_get_info(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct npu_device *ndev = to_npu_device(drm);
	struct drm_npu_get_info *args = data;

	args->abi_version = ndev->card.abi_version;
	args->firmware_version = ndev->card.firmware_version;
	args->neural_engines = ndev->card.neural_engines;
	args->max_segments = NPU_MAX_SEGMENTS;
	args->dram_bytes = ndev->card.dram_bytes;
	args->dram_free_bytes = npu_dram_free_bytes(ndev);
	return 0;
}

int npu_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_npu_bo_create *args = data;
	struct drm_gem_object *obj;
	int index;
	long err;

	args->mmap_offset = 0;
	if (args->placement == DRM_NPU_PLACEMENT_DEVICE) { /* the card clears it */
		err = npu_wait_running(to_npu_device(drm));
		if (err)
			return err;
	}
	if (!drm_dev_enter(drm, &index))
		return -ENODEV;
	obj = npu_bo_create(to_npu_device(drm), args);
	drm_dev_exit(index);
	if (IS_ERR(obj))
		return PTR_ERR(obj);

	err = drm_gem_handle_create(file, obj, &args->handle);
	if (!err) {
		args->size = obj->size;
		if (args->placement == DRM_NPU_PLACEMENT_HOST)
			args->mmap_offset = drm_vma_node_offset_addr(&obj->vma_node);
	}
	drm_gem_object_put(obj);
	return err;
}

int npu_ioctl_sync_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_npu_sync_create *args = data;
	struct drm_gem_object *obj;
	int index;
	int err;

	if (args->pad)
		return -EINVAL;
	if (!drm_dev_enter(drm, &index))
		return -ENODEV;
	obj = npu_sync_create(to_npu_device(drm), args->count, &args->first);
	drm_dev_exit(index);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	err = drm_gem_handle_create(file, obj, &args->handle);
	drm_gem_object_put(obj);
	return err;
}

int npu_ioctl_context_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_npu_context *args = data;
	struct npu_rights rights = {
		.priority = NPU_PRIORITY_NORMAL + args->priority,
		.flags = args->flags,
		.job_limit_us = args->job_limit_us,
		.hang_limit_us = args->hang_limit_us,
	};
	int index;
	long err;

	if (args->pad || args->flags & ~DRM_NPU_CONTEXT_STOP_ON_FAULT ||
	    args->priority < DRM_NPU_PRIORITY_LOW || args->priority > DRM_NPU_PRIORITY_URGENT)
		return -EINVAL;
	if (args->priority > DRM_NPU_PRIORITY_NORMAL && !capable(CAP_SYS_NICE))
		return -EPERM;
	err = npu_wait_running(to_npu_device(drm));
	if (err)
		return err;
	if (!drm_dev_enter(drm, &index))
		return -ENODEV;
	err = npu_context_create(to_npu_device(drm), file->driver_priv, &rights, &args->id);
	drm_dev_exit(index);
	return err;
}

int npu_ioctl_context_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_npu_context *args = data;

	if (args->pad || args->flags || args->priority || args->job_limit_us || args->hang_limit_us)
		return -EINVAL;
	return npu_context_destroy(to_npu_device(drm), file->driver_priv, args->id);
}

static void npu_put_buffers(struct npu_job_request *request)
{
	while (request->bo_count)
		drm_gem_object_put(request->bos[--request->bo_count]);
}

static int npu_get_buffers(struct drm_file *file, const struct drm_npu_submit *args,
			   struct npu_job_request *request)
{
	struct drm_npu_segment segments[NPU_MAX_SEGMENTS];
	struct drm_gem_object *obj;
	unsigned int i;
	int err;

	if (copy_from_user(segments, u64_to_user_ptr(args->segments),
			   args->segment_count * sizeof(*segments)))
		return -EFAULT;
	for (i = 0; i < args->segment_count; i++) {
		err = -EINVAL;
		if (segments[i].flags & ~DRM_NPU_SEGMENT_WRITABLE)
			goto err_put;
		err = -ENOENT;
		obj = drm_gem_object_lookup(file, segments[i].handle);
		if (!obj)
			goto err_put;
		request->bos[request->bo_count] = obj;
		request->segment_flags[request->bo_count++] = segments[i].flags;
		err = -EINVAL;
		if (npu_is_sync(obj)) /* a card has no window onto its own flags */
			goto err_put;
	}
	obj = request->bos[args->command_segment];
	err = -EINVAL;
	if (args->command_offset > obj->size ||
	    args->command_bytes > obj->size - args->command_offset)
		goto err_put;
	return 0;

err_put:
	npu_put_buffers(request);
	return err;
}

static bool npu_submit_valid(const struct drm_npu_submit *args)
{
	return !args->pad && args->segment_count && args->segment_count <= NPU_MAX_SEGMENTS &&
	       args->command_segment < args->segment_count && args->command_bytes &&
	       args->command_bytes <= NPU_MAX_COMMAND_BYTES &&
	       args->command_bytes % sizeof(struct npu_command) == 0 &&
	       args->command_offset % sizeof(struct npu_command) == 0;
}

int npu_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_npu_submit *args = data;
	struct npu_job_request request = {
		.command_segment = args->command_segment,
		.command_bytes = args->command_bytes,
		.command_offset = args->command_offset,
		.timeout_us = args->timeout_us,
	};
	struct npu_context *context;
	int err;

	if (!npu_submit_valid(args))
		return -EINVAL;
	context = npu_context_get(file->driver_priv, args->context);
	if (!context)
		return -ENOENT;
	err = npu_get_buffers(file, args, &request);
	if (!err) {
		err = npu_job_submit(context, &request, file->filp->f_flags & O_NONBLOCK,
				     &args->job);
		if (err)
			npu_put_buffers(&request);
	}
	npu_context_put(context);
	return err;
}

int npu_ioctl_wait(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_npu_wait *args = data;
	struct npu_completion completion;
	struct npu_context *context;
	int err;

	if (args->pad)
		return -EINVAL;
	context = npu_context_get(file->driver_priv, args->context);
	if (!context)
		return -ENOENT;
	err = npu_job_wait(context, args->job, &args->timeout_ns, &completion);
	npu_context_put(context);
	if (err)
		return err;
	args->status = completion.status;
	args->fault = completion.fault;
	args->fault_address = completion.fault_address;
	args->fault_command = completion.fault_command;
	args->commands = completion.commands;
	args->start_ns = completion.start_ns;
	args->end_ns = completion.end_ns;
	return 0;
}

int npu_ioctl_fault_read(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_npu_fault_read *args = data;
	int index;
	int err;

	if (args->lost || args->after == U64_MAX)
		return -EINVAL;
	if (!drm_dev_enter(drm, &index))
		return -ENODEV;
	err = npu_faults_read(to_npu_device(drm), file->driver_priv, args);
	drm_dev_exit(index);
	return err;
}
