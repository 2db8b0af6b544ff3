#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the guest's initramfs, an uncompressed newc archive, the same bytes from the same inputs.
#   build_initramfs.sh OUT KERNEL_DIR MODULE.ko TOOLS_DIR FIRMWARE.bin
# KERNEL_DIR is what launcher/host_tools.sh unpacked. The files of TOOLS_DIR come to /usr/bin with the libraries they
# need. BusyBox and pciutils are the host's.
set -eu

fail() { echo "build_initramfs.sh: $*" >&2; exit 1; }
need() { command -v "$1" > /dev/null || fail "$1 was not found; apt-get install $2"; }

[ $# -eq 5 ] || fail "usage: build_initramfs.sh OUT KERNEL_DIR MODULE.ko TOOLS_DIR FIRMWARE.bin"
out=$1 kernel=$2 module=$3 tools=$4 firmware=$5
here=$(cd "$(dirname "$0")" && pwd)
need cpio cpio; need xz xz-utils; need lspci pciutils; need busybox busybox-static
depmod=$(PATH=$PATH:/usr/sbin:/sbin command -v depmod) || fail "depmod was not found; apt-get install kmod"
[ -r "$kernel/version" ] || fail "no kernel in $kernel; run launcher/host_tools.sh CACHE_DIR, then give CACHE_DIR/kernel"
[ -r "$module" ] || fail "$module is missing; build the target npuvp_driver"
[ -r "$firmware" ] || fail "$firmware is missing; build the firmware"
[ -d "$tools" ] || fail "$tools is not a folder"
version=$(cat "$kernel/version")
[ -d "$kernel/lib/modules" ] || kernel=$kernel/usr
modules=$kernel/lib/modules/$version

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
cd_out=$(cd "$(dirname "$out")" && pwd)/$(basename "$out")
mkdir -p "$root/bin" "$root/sbin" "$root/usr/bin" "$root/usr/sbin" "$root/usr/share/misc" "$root/lib/firmware/npu" \
  "$root/lib/modules/$version" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/root" "$root/etc" "$root/run"
ln -s lib "$root/lib64"

# BusyBox and one link for each of its commands.
busybox=$(command -v busybox)
cp "$busybox" "$root/bin/busybox"
for applet in $("$busybox" --list-full); do
  case $applet in */busybox | linuxrc) ;; *) [ ! -d "$root/${applet%/*}" ] || ln -s /bin/busybox "$root/$applet" ;; esac
done

# pciutils, with the names of the classes and of the vendors that can be in this guest.
for program in lspci setpci; do
  rm -f "$root/bin/$program" "$root/usr/bin/$program" "$root/sbin/$program" "$root/usr/sbin/$program"
  cp "$(command -v $program)" "$root/usr/bin/$program"
done
awk '/^[^\t#]/ { keep = $1 == "C" || $1 ~ /^(1eff|1af4|1b36|1234|8086)$/; intel = $1 == "8086"; known = known || $1 == "1eff" }
     keep && (!intel || /^8086/ || /^\t[0-9a-f].*(Volume Management|Q35|82801I|Express DRAM)/)
     END { if (!known) print "1eff  Rebellions Inc.\n\t1220  ATOM (CA22)" }' /usr/share/misc/pci.ids > "$root/usr/share/misc/pci.ids"

find -L "$tools" -maxdepth 1 -type f | while IFS= read -r tool; do cp -L "$tool" "$root/usr/bin/"; done

# Shared libraries, all into /lib: the loader looks there without a cache.
find "$root/usr/bin" -type f -perm /111 | sort | while IFS= read -r program; do
  ldd "$program" 2> /dev/null || true
done | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | sort -u |
  while IFS= read -r library; do cp -Ln "$library" "$root/lib/"; done

# Modules, flat. modules.order lists them so that each comes after those it needs: /init loads them so.
destination=$root/lib/modules/$version
index=$(cd "$modules" && find . -name '*.ko*' | sed 's/^\.\///')
builtin=" $(sed 's/.*\///; s/\.ko$//; y/-/_/' "$modules/modules.builtin" | tr '\n' ' ') "
: > "$destination/modules.order"

# add_module NAME: copies a module of the kernel and all it needs, unless built in or there already
add_module() {
  name=$(echo "$1" | tr - _)
  case $builtin in *" $name "*) return 0 ;; esac
  [ ! -e "$destination/$name.ko" ] || return 0
  file=$(echo "$index" | awk -F/ -v name="$name.ko" '
    { base = $NF; sub(/\.(xz|zst|gz)$/, "", base); gsub(/-/, "_", base) } base == name { print; exit }')
  [ -n "$file" ] || fail "kernel $version has no module $1; remove its folder and run launcher/host_tools.sh again"
  case $file in
    *.xz) xz -dc "$modules/$file" ;;
    *.zst) zstd -dqc "$modules/$file" ;;
    *) cat "$modules/$file" ;;
  esac > "$destination/$name.ko"
  add_dependencies "$name"
}

# add_dependencies NAME: of a module that is in place, from its own .modinfo section
add_dependencies() (
  this=$1
  for dependency in $(tr '\0' '\n' < "$destination/$this.ko" | sed -n 's/^depends=//p' | tr ',-' ' _'); do
    add_module "$dependency"
  done
  echo "$this.ko" >> "$destination/modules.order"
)

for name in virtio_pci virtio_console drm_shmem_helper vmd; do add_module $name; done
cp "$module" "$destination/npu.ko"
strip --strip-debug "$destination/npu.ko"
add_dependencies npu
# For modprobe and lspci -k.
cp "$modules/modules.builtin" "$modules/modules.builtin.modinfo" "$destination/"
"$depmod" -b "$root" "$version"
rm "$destination/modules.builtin" "$destination/modules.builtin.modinfo"
cp "$firmware" "$root/lib/firmware/npu/atom-ca22.bin"

cp "$here/init" "$root/init"
chmod 755 "$root/init"
echo 'root:x:0:0:root:/root:/bin/sh' > "$root/etc/passwd"
echo 'root:x:0:' > "$root/etc/group"

find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc --reproducible -R 0:0) > "$cd_out.part"
mv "$cd_out.part" "$cd_out"
