# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# m68k: big endian, 32 bits, one CPU, no preemption, no power management, ticks of 10 ms
ARCH_KERNEL=m68k
ARCH_SOURCE=m68k
ARCH_UNAME=m68k
ARCH_DEBIAN=m68k
ARCH_DEBIAN_SUITE=			# no release; busybox is compiled here
ARCH_GNU=m68k-linux-gnu
ARCH_IMAGE=vmlinux
ARCH_QEMU=qemu-system-m68k
ARCH_QEMU_PACKAGE=qemu-system-misc
ARCH_MACHINE="-M virt"
ARCH_CPU_TCG=m68040
ARCH_TCG_THREAD=single
ARCH_CPUS=1
ARCH_CONSOLE=ttyGF0
ARCH_ONE_SERIAL=1
ARCH_TERMINAL=hvc0
ARCH_COMMAND_LINE=250
ARCH_NO_HIBERNATION="this architecture has no hibernation"
ARCH_LEAVE='suspend_test this architecture has no suspend
suspend_race_test this architecture has no suspend'
ARCH_OBJECTS=1400
