# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# riscv64
ARCH_KERNEL=riscv
ARCH_SOURCE=riscv
ARCH_UNAME=riscv64
ARCH_DEBIAN=riscv64
ARCH_DEBIAN_SUITE=trixie		# bookworm does not have it
ARCH_GNU=riscv64-linux-gnu
ARCH_IMAGE=arch/riscv/boot/Image
ARCH_QEMU=qemu-system-riscv64
ARCH_QEMU_PACKAGE=qemu-system-misc
ARCH_MACHINE="-M virt"
ARCH_CPU_TCG=rv64
ARCH_CONSOLE=ttyS0
ARCH_ONE_SERIAL=1
ARCH_TERMINAL=hvc0
ARCH_COMMAND_LINE=1000
ARCH_NO_HIBERNATION="the firmware of QEMU 7.2 (OpenSBI 1.1) forbids the read of its own memory"
ARCH_LEAVE='suspend_test the clock of the machine does not wake it
suspend_race_test the clock of the machine does not wake it'
ARCH_OBJECTS=1700
