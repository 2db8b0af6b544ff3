#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Builds npu.ko for the guest kernel.
#   build_module.sh REPOSITORY GENERATED_DIR KERNEL_DIR OUT_DIR
# GENERATED_DIR holds npu/registers/mailbox.h; KERNEL_DIR is what launcher/host_tools.sh unpacked; npu.ko appears in
# OUT_DIR. The kernel's build writes beside the sources and accepts no spaces in paths, so sources are copied to OUT_DIR
# and, where a path has spaces, everything is staged in a temporary folder.
set -eu

fail() { echo "build_module.sh: $*" >&2; exit 1; }
has_space() { case $1 in *[[:space:]:]*) return 0 ;; *) return 1 ;; esac; }
# Copies only what changed, so that kbuild does not build what did not.
copy() { mkdir -p "$2"; for file in $1; do cmp -s "$file" "$2/${file##*/}" || cp "$file" "$2/"; done; }

[ $# -eq 4 ] || fail "usage: build_module.sh REPOSITORY GENERATED_DIR KERNEL_DIR OUT_DIR"
repository=$(cd "$1" && pwd) generated=$(cd "$2" && pwd)
kernel=$(cd "$3" 2>/dev/null && pwd) || fail "no kernel in $3; run launcher/host_tools.sh CACHE_DIR, then give CACHE_DIR/kernel"
mkdir -p "$4"; out=$(cd "$4" && pwd)
version=$(cat "$kernel/version") || fail "$kernel/version is missing; remove $kernel and run launcher/host_tools.sh again"
# A module is built with the compiler of its kernel.
config=$kernel/usr/src/linux-headers-$version/.config
compiler=$(sed -n 's/^CONFIG_CC_VERSION_TEXT="[^ ]*\(gcc-[0-9]*\) .*/\1/p' "$config")
command -v "${compiler:=gcc-12}" > /dev/null || fail "$compiler, with which the kernel was built, was not found; apt-get install $compiler"

temporary=
trap '[ -z "$temporary" ] || rm -rf "$temporary"' EXIT
if has_space "$kernel" || has_space "$out"; then temporary=$(mktemp -d /tmp/npuvp-module.XXXXXX); fi
work=$out
if has_space "$out"; then work=$temporary/work; mkdir "$work"; fi
headers=$kernel/usr/src
if has_space "$kernel"; then cp -a "$kernel/usr" "$temporary/usr"; headers=$temporary/usr/src; fi

cd "$repository/driver"
copy "*.c *.h Kbuild" "$work"
copy "uapi/*.h" "$work/include/driver/uapi"
cd "$repository/firmware/abi"
copy "*.h" "$work/include/firmware/abi"
cd "$generated/npu/registers"
copy "mailbox.h" "$work/include/npu/registers"

# Debian's Makefile in the headers of one flavour names those common to all by an absolute path, hence -f.
# Without BTF, which is for BPF programs, the build needs no pahole.
common=$(echo "$headers"/linux-headers-*-common)
make -s -C "$headers/linux-headers-$version" -f "$common/Makefile" M="$work" CC="$compiler" CONFIG_DEBUG_INFO_BTF_MODULES= modules
[ "$work" = "$out" ] || cp "$work/npu.ko" "$out/npu.ko"
