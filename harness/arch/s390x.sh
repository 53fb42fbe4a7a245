# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# s390x: big endian, 64 bits; no PCI (virtio by channels), and no power management at all
ARCH_KERNEL=s390
ARCH_SOURCE=s390
ARCH_UNAME=s390x
ARCH_DEBIAN=s390x
ARCH_DEBIAN_SUITE=bookworm
ARCH_GNU=s390x-linux-gnu
ARCH_IMAGE=arch/s390/boot/bzImage
ARCH_QEMU=qemu-system-s390x
ARCH_QEMU_PACKAGE=qemu-system-misc
ARCH_MACHINE="-M s390-ccw-virtio"
ARCH_CPU_TCG=max
ARCH_CONSOLE=ttysclp0
ARCH_ONE_SERIAL=1
ARCH_TERMINAL=hvc0
ARCH_NO_HIBERNATION="this architecture has no hibernation"
ARCH_LEAVE='suspend_test this architecture has no suspend
suspend_race_test this architecture has no suspend'
ARCH_OBJECTS=1500
