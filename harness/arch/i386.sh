# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# i386: 32 bits, SMP, all of power management
ARCH_KERNEL=i386
ARCH_SOURCE=x86
ARCH_UNAME=i686
ARCH_KVM="i686 x86_64"
ARCH_DEBIAN=i386
ARCH_DEBIAN_SUITE=bookworm
ARCH_GNU=i686-linux-gnu
ARCH_IMAGE=arch/x86/boot/bzImage
ARCH_QEMU=qemu-system-i386
ARCH_QEMU_PACKAGE=qemu-system-x86
ARCH_MACHINE="-M q35"
ARCH_CPU_TCG=max
ARCH_CONSOLE=ttyS0
ARCH_TERMINAL=ttyS1
ARCH_INTERRUPT='^asm_(sysvec_|common_interrupt)'
ARCH_OBJECTS=1760
