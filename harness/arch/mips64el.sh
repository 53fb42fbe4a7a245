# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# mips64el: little endian, one CPU, 128 signals
ARCH_KERNEL=mips
ARCH_SOURCE=mips
ARCH_UNAME=mips64
ARCH_DEBIAN=mips64el
ARCH_DEBIAN_SUITE=bookworm
ARCH_GNU=mips64el-linux-gnuabi64
ARCH_IMAGE=vmlinux
ARCH_QEMU=qemu-system-mips64el
ARCH_QEMU_PACKAGE=qemu-system-mips
ARCH_MACHINE="-M malta"
ARCH_CPU_TCG=5KEf
ARCH_TCG_THREAD=single			# QEMU 7.2 warns of the other
ARCH_CPUS=1
ARCH_CONSOLE=ttyS0
ARCH_TERMINAL=ttyS1
ARCH_NO_HIBERNATION="nothing is known yet of this machine's hibernation in QEMU"
ARCH_LEAVE='suspend_test the clock of the machine does not wake it
suspend_race_test the clock of the machine does not wake it'
ARCH_OBJECTS=1650
