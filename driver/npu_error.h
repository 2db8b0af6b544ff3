/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_ERROR_H_
#define _NPU_ERROR_H_

struct attribute_group;
struct pci_error_handlers;

extern const struct pci_error_handlers npu_error_handlers;
extern const struct attribute_group *npu_error_groups[];

#endif
