#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Provides what the `npuvp qemu` host is made of, without touching the system's packages and without root:
#   CACHE_DIR/qemu-system-x86_64   QEMU >= 10.1 with the device vfio-user-pci (the system's, if it is good enough)
#   CACHE_DIR/qemu-system-riscv64  QEMU 11 for RISC-V: reference of the hart's tests and baseline of its benchmark
#   CACHE_DIR/kernel/              Linux 6.12 of Debian: version, boot/vmlinuz-*, boot/vmlinux, lib/modules, usr/src headers
# usage: host_tools.sh CACHE_DIR [qemu|kernel|qemu-riscv]...     The first two by default. At once, and offline, when they are there already.
# Packages come from the mirror in the system's apt sources, through lists of our own that are removed afterwards.
set -eu

fail() { echo "host_tools.sh: $*" >&2; exit 1; }
progress() { echo "npuvp: $*" >&2; }

[ $# -ge 1 ] || fail "usage: host_tools.sh CACHE_DIR [qemu|kernel|qemu-riscv]..."
cache=$1; shift
wanted=${*:-qemu kernel}

have_qemu() { [ -x "$cache/qemu-system-x86_64" ]; }
have_qemu_riscv() { [ -x "$cache/qemu-system-riscv64" ]; }
have_kernel() { [ -s "$cache/kernel/version" ]; }
missing=
for tool in $wanted; do
  case $tool in
    qemu) have_qemu || missing="$missing qemu" ;;
    kernel) have_kernel || missing="$missing kernel" ;;
    qemu-riscv) have_qemu_riscv || missing="$missing qemu-riscv" ;;
    *) fail "unknown tool $tool; there are qemu, kernel and qemu-riscv" ;;
  esac
done
[ -n "$missing" ] || exit 0

mkdir -p "$cache" || fail "$cache cannot be created; give a folder that you can write to"
cache=$(cd "$cache" && pwd)
exec 9> "$cache/.lock"
flock 9 || fail "$cache/.lock cannot be locked"
# Everything is prepared here and renamed into place when complete: an interrupted run leaves nothing half done.
staging=$cache/.staging
rm -rf "$staging"
trap 'rm -rf "$staging"' EXIT
trap 'exit 130' INT TERM

# The Debian release of this system and its mirror ---------------------------------------------------------------------

debian_release() { # sets release: bookworm or trixie
  release=$(. /etc/os-release 2> /dev/null && echo "${ID:-}:${VERSION_CODENAME:-}")
  case $release in
    debian:bookworm | debian:trixie) release=${release#*:} ;;
    *) fail "this system is not Debian 12 or 13. Remedy: install QEMU >= 10.1 for it yourself (then it is used), and copy
  a folder CACHE_DIR/kernel that this script made on Debian" ;;
  esac
  [ "$(dpkg --print-architecture)" = amd64 ] || fail "only amd64 hosts are supported"
}

# URI of the first source that has the suite $release, from one-line and deb822 files.
debian_mirror() {
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -r "$file" ] && sed -n 's/^deb  *\(\[[^]]*\]  *\)\{0,1\}\([^ ]*\)  *\([^ ]*\) .*/\3 \2/p' "$file"
  done | sed -n "s/^$release //p"
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -r "$file" ] && awk -v release="$release" '
      function flush() { if (suites ~ "(^| )" release "( |$)" && types ~ /(^| )deb( |$)/) print uri; uri = suites = types = "" }
      /^[ \t]*$/ { flush() } /^URIs:/ { uri = $2 } /^Suites:/ { $1 = ""; suites = $0 } /^Types:/ { $1 = ""; types = $0 }
      END { flush() }' "$file"
  done
  echo http://deb.debian.org/debian
}

# A private apt --------------------------------------------------------------------------------------------------------

apt_prepare() { # apt_prepare "SUITE..." : downloads their package lists
  private=$staging/apt
  mkdir -p "$private/lists/partial" "$private/cache/archives/partial" "$private/debs"
  : > "$private/status"
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -r "$keyring" ] || keyring=/usr/share/keyrings/debian-archive-keyring.pgp
  [ -r "$keyring" ] || fail "Debian's archive keys are missing; apt-get install debian-archive-keyring"
  mirror=$(debian_mirror | head -n 1)
  for suite in $1; do echo "deb [signed-by=$keyring] $mirror $suite main"; done > "$private/sources.list"
  # Of the system's configuration only how to reach a mirror (proxies, certificates): its hooks are not for us.
  {
    cat << CONFIG
Dir::Etc::Main "/dev/null";
Dir::Etc::Parts "/dev/null";
Dir::Etc::SourceList "$private/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "$private";
Dir::State::Lists "$private/lists";
Dir::State::Status "$private/status";
Dir::Cache "$private/cache";
Dir::Log "$private";
APT::Sandbox::User "$(id -un)";
APT::Install-Recommends "false";
Acquire::Languages "none";
Debug::NoLocking "true";
CONFIG
    apt-config dump | grep -E '^Acquire::(http|https|ftp|Retries|ForceIPv|Check)' || true
  } > "$private/apt.conf"
  progress "reading Debian's package lists ($1) from $mirror"
  apt_get update > "$private/log" 2>&1 && ! grep -q '^[WE]: .*Failed to fetch' "$private/log" || {
    grep '^[WE]:' "$private/log" >&2 || cat "$private/log" >&2
    fail "the package lists of $1 could not be read from $mirror.
  Remedy: connect this machine to the network, or copy CACHE_DIR ($cache) from a machine that has it"
  }
}

apt_get() { APT_CONFIG=$private/apt.conf apt-get -qq "$@"; }

# apt_resolve SUITE PACKAGE: "name=version" of it and of all it needs
apt_resolve() { apt_get -s -t "$1" install "$2" | sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1=\2/p'; }

# apt_unpack TARGET PACKAGE...: downloads and unpacks
apt_unpack() {
  target=$1; shift
  progress "downloading $# packages"
  (cd "$private/debs" && apt_get download "$@") > "$private/log" 2>&1 || {
    grep '^[WE]:' "$private/log" >&2 || cat "$private/log" >&2
    fail "a download from $mirror failed. Remedy: check network and free space of $cache, then run it again"
  }
  mkdir -p "$target"
  for deb in "$private"/debs/*.deb; do
    dpkg-deb -x "$deb" "$target" || fail "$deb could not be unpacked; is there space left in $cache?"
    rm "$deb"
  done
}

# QEMU -----------------------------------------------------------------------------------------------------------------

system_qemu() { # is the system's QEMU good enough?
  command -v qemu-system-x86_64 > /dev/null || return 1
  found=$(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
  [ -n "$found" ] || return 1
  [ "${found% *}" -gt 10 ] || { [ "${found% *}" -eq 10 ] && [ "${found#* }" -ge 1 ]; } || return 1
  qemu-system-x86_64 -device help 2> /dev/null | grep -q '"vfio-user-pci"'
}

install_wrapper() { # install_wrapper PROGRAM; stdin: its text
  cat > "$staging/wrapper"
  chmod 755 "$staging/wrapper"
  mv "$staging/wrapper" "$cache/$1"
}

# unpack_qemu FOLDER PACKAGE PROGRAM: QEMU's package of trixie-backports, with a wrapper in CACHE_DIR
unpack_qemu() {
  debian_release
  apt_prepare "trixie trixie-backports"
  packages=$(apt_resolve trixie-backports "$2")
  case $packages in *"$2"=*) ;; *) fail "trixie-backports has no $2; see $mirror" ;; esac
  # One word a package: names and versions have no spaces.
  # shellcheck disable=SC2086
  apt_unpack "$staging/$1" $packages
  rm -rf "$staging/$1/usr/share/doc" "$staging/$1/usr/share/man" "$staging/$1/usr/share/locale" \
    "$staging/$1/usr/share/icons" "$private"
  rm -rf "${cache:?}/$1"
  mv "$staging/$1" "$cache/$1"
  install_wrapper "$3" << WRAPPER
#!/bin/sh
# QEMU with the libraries it was built for, wherever this folder lies.
usr=\$(dirname "\$(readlink -f "\$0")")/$1/usr
libraries=\$usr/lib/x86_64-linux-gnu
QEMU_MODULE_DIR=\$libraries/qemu exec "\$libraries/ld-linux-x86-64.so.2" --library-path "\$libraries" \\
  "\$usr/bin/$3" -L "\$usr/share/qemu" -L "\$usr/share/seabios" "\$@"
WRAPPER
  "$cache/$3" --version > /dev/null || {
    rm -f "$cache/$3"
    fail "the unpacked QEMU does not start; remove $cache/$1 and run it again"
  }
  progress "QEMU is ready: $("$cache/$3" --version | head -n 1)"
}

provide_qemu() {
  mkdir -p "$staging"
  if system_qemu; then
    path=$(command -v qemu-system-x86_64)
    progress "using the system's $path"
    printf '#!/bin/sh\nexec "%s" "$@"\n' "$path" | install_wrapper qemu-system-x86_64
    return
  fi
  unpack_qemu qemu qemu-system-x86 qemu-system-x86_64
}

# The tests' plugin is for this version's interface: the system's QEMU is not asked.
provide_qemu_riscv() {
  mkdir -p "$staging"
  unpack_qemu qemu-riscv qemu-system-riscv qemu-system-riscv64
}

# Kernel ---------------------------------------------------------------------------------------------------------------

# The kernel as ELF, which QEMU starts directly (PVH): without it the guest spends seconds on decompression.
# Offsets: Documentation/arch/x86/boot.rst (setup_sects, payload_offset, payload_length).
extract_vmlinux() { # extract_vmlinux VMLINUZ OUT
  field() { od -An -t "u$2" -j "$1" -N "$2" "$vmlinuz" | tr -d ' '; }
  vmlinuz=$1
  sectors=$(field 497 1)
  offset=$(((sectors + 1) * 512 + $(field 584 4)))
  # The last four bytes are the size, not part of the compressed stream.
  tail -c +$((offset + 1)) "$vmlinuz" | head -c $(($(field 588 4) - 4)) | zstd -dqc > "$2"
}

provide_kernel() {
  command -v zstd > /dev/null || fail "zstd was not found; apt-get install zstd"
  debian_release
  case $release in
    bookworm) suites="bookworm bookworm-backports"; from=bookworm-backports ;;
    trixie) suites=trixie; from=trixie ;;
  esac
  apt_prepare "$suites"
  version=$(apt_resolve $from linux-image-amd64 | sed -n 's/^linux-image-\([0-9][^=]*\)=.*/\1/p' | head -n 1)
  case $version in
    6.12.*-amd64) abi=${version%-amd64} ;;
    *) fail "$from has kernel '$version' where 6.12 was expected; the driver is for 6.12" ;;
  esac
  progress "Linux $version"
  apt_unpack "$staging/kernel" "linux-image-$version" "linux-headers-$version" "linux-headers-$abi-common" \
    "linux-kbuild-$abi"
  kernel=$staging/kernel
  [ -d "$kernel/lib/modules" ] || { [ -d "$kernel/usr/lib/modules" ] && ln -s usr/lib "$kernel/lib"; }
  rm -rf "$private" "$kernel/usr/share" "$kernel/usr/lib/.build-id"
  # Drivers of devices that this guest never has.
  for folder in sound drivers/net drivers/media drivers/staging drivers/usb drivers/infiniband drivers/iio drivers/hwmon \
    drivers/input drivers/scsi drivers/mtd drivers/gpu/drm/amd drivers/gpu/drm/i915 drivers/gpu/drm/xe \
    drivers/gpu/drm/nouveau drivers/gpu/drm/radeon; do
    rm -rf "$kernel/lib/modules/$version/kernel/$folder"
  done
  extract_vmlinux "$kernel/boot/vmlinuz-$version" "$kernel/boot/vmlinux" ||
    fail "the kernel's payload could not be unpacked; is it compressed with zstd?"
  echo "$version" > "$kernel/version"
  rm -rf "$cache/kernel"
  mv "$kernel" "$cache/kernel"
  progress "kernel is ready: $version"
}

for tool in $missing; do
  case $tool in
    qemu) have_qemu || provide_qemu ;; # another run may have done it while this one waited for the lock
    kernel) have_kernel || provide_kernel ;;
    qemu-riscv) have_qemu_riscv || provide_qemu_riscv ;;
  esac
done
