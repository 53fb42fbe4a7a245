# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# x86_64: how its kernel is named, built and booted. Sourced by lib.sh. What the variables mean:
# harness/README.md, "Architectures".
ARCH_KERNEL=x86_64
ARCH_SOURCE=x86
ARCH_UNAME=x86_64
ARCH_DEBIAN=amd64
ARCH_DEBIAN_SUITE=bookworm
ARCH_GNU=x86_64-linux-gnu
ARCH_IMAGE=arch/x86/boot/bzImage
ARCH_QEMU=qemu-system-x86_64
ARCH_QEMU_PACKAGE=qemu-system-x86
ARCH_MACHINE="-M q35"
ARCH_CPU_TCG=max
ARCH_CONSOLE=ttyS0
ARCH_TERMINAL=ttyS1
ARCH_INTERRUPT='^asm_(sysvec_|common_interrupt)'
ARCH_OBJECTS=1780
