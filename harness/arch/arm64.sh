# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# arm64: little endian, pages of 4 KB (CONFIG=harness/config/arm64-64k.config: 64 KB)
ARCH_KERNEL=arm64
ARCH_SOURCE=arm64
ARCH_UNAME=aarch64
ARCH_DEBIAN=arm64
ARCH_DEBIAN_SUITE=bookworm
ARCH_GNU=aarch64-linux-gnu
ARCH_IMAGE=arch/arm64/boot/Image
ARCH_QEMU=qemu-system-aarch64
ARCH_QEMU_PACKAGE=qemu-system-arm
ARCH_MACHINE="-M virt"
ARCH_CPU_TCG=cortex-a57
ARCH_CONSOLE=ttyAMA0
ARCH_ONE_SERIAL=1
ARCH_TERMINAL=hvc0
ARCH_INTERRUPT='^el[01]t?_(64_|32_)?(irq|fiq)'
ARCH_OBJECTS=1420
