#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# prepare.sh [tree|image|all]: the steps from nothing to a kernel and an initramfs. Each does only
# what is to be done.

dir=$(dirname "$0")
. "$dir/lib.sh"

"$dir/tools.sh"
"$dir/fetch.sh"
"$dir/apply.sh"
[ "${1:-all}" != tree ] || exit 0
"$dir/configure.sh"
"$dir/build.sh"
[ "${1:-all}" != image ] || exit 0
"$dir/initramfs.sh"
