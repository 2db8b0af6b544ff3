// SPDX-License-Identifier: Apache-2.0
#pragma once

/* Version of this firmware: major << 16 | minor << 8 | patch. The image header takes it from the ELF file. */
#define CP_VERSION_MAJOR 1u
#define CP_VERSION_MINOR 3u
#define CP_VERSION_PATCH 0u
#define CP_VERSION (CP_VERSION_MAJOR << 16 | CP_VERSION_MINOR << 8 | CP_VERSION_PATCH)
