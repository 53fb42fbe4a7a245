# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# x86_64: how its kernel is named, built and booted. Sourced by lib.sh.
ARCH_KERNEL=x86_64			# ARCH= of the kernel's make
ARCH_SOURCE=x86				# its directory below arch/
ARCH_IMAGE=arch/x86/boot/bzImage	# below the O= directory
ARCH_QEMU=qemu-system-x86_64
ARCH_QEMU_PACKAGE=qemu-system-x86
ARCH_MACHINE="-M q35"
ARCH_CPU_TCG=max			# everything that emulation offers
ARCH_CONSOLE=ttyS0			# the kernel's messages
ARCH_TERMINAL=ttyS1			# what the guest's programs print
CROSS_COMPILE=${CROSS_COMPILE:-}
[ "$(uname -m)" = x86_64 ] || CROSS_COMPILE=${CROSS_COMPILE:-x86_64-linux-gnu-}
# Where a backtrace goes on with whom an interrupt interrupted
ARCH_INTERRUPT='^asm_(sysvec_|common_interrupt)'
ARCH_OBJECTS=1780			# about so many, for the percentage of the first build
