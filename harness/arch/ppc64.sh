# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# ppc64: big endian, pages of 4 KB, POWER8, which calls the kernel by "sc"; POWER9 and its
# "scv":  make ARCH=ppc64 ... PPC_CPU=power9
ARCH_KERNEL=powerpc
ARCH_SOURCE=powerpc
ARCH_UNAME=ppc64
ARCH_DEBIAN=ppc64
ARCH_DEBIAN_SUITE=			# no release; busybox is compiled here
ARCH_GNU=powerpc64-linux-gnu
ARCH_IMAGE=vmlinux
ARCH_QEMU=qemu-system-ppc64
ARCH_QEMU_PACKAGE=qemu-system-ppc
# Emulation has none of the mitigations that the machine would ask for.
ARCH_MACHINE="-M pseries,x-vof=on,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off"
ARCH_CPU_TCG=${PPC_CPU:-power8}
ARCH_CONSOLE=hvc0
ARCH_TERMINAL=hvc1
ARCH_NO_HIBERNATION="nothing is known yet of this machine's hibernation in QEMU"
ARCH_LEAVE='suspend_test the clock of the machine does not wake it
suspend_race_test the clock of the machine does not wake it'
ARCH_OBJECTS=1750
