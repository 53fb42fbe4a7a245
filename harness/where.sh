#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# where.sh image|initramfs|tree: print the path
. "$(dirname "$0")/lib.sh"
case ${1:-} in
image) echo "$IMAGE" ;;
initramfs) echo "$INITRD" ;;
tree) echo "$TREE" ;;
*) die "where.sh image|initramfs|tree" ;;
esac
