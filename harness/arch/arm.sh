# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# arm: version 7, 32 bits, hard floating point; it restarts system calls inside of the kernel
ARCH_KERNEL=arm
ARCH_SOURCE=arm
ARCH_UNAME=armv7l
ARCH_DEBIAN=armhf
ARCH_DEBIAN_SUITE=bookworm
ARCH_GNU=arm-linux-gnueabihf
ARCH_IMAGE=arch/arm/boot/zImage
ARCH_QEMU=qemu-system-arm
ARCH_QEMU_PACKAGE=qemu-system-arm
ARCH_MACHINE="-M virt,highmem=off"
ARCH_CPU_TCG=cortex-a15
ARCH_CONSOLE=ttyAMA0
ARCH_ONE_SERIAL=1
ARCH_TERMINAL=hvc0
ARCH_COMMAND_LINE=1000
ARCH_OBJECTS=1720
