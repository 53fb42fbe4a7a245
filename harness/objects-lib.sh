# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Which objects a configuration builds of files of the kernel. Sourced by bisectable.sh and
# objects.sh, after lib.sh.

# options_of MAKEFILE NAME: the first words of the lines that name the object, or the directory
options_of() {
	sed -e ':a' -e '/\\$/N; s/\\\n/ /; ta' "$1" | tr '\t' ' ' | awk -v o=" $2 " '
		index($0 " ", o) { print $1 }'
}

option_of() { options_of "$@" | head -n 1; }

# is_built OPTION: does the configuration have what stands in front of += or := ?
is_built() {
	local option=${1#*\$\(CONFIG_}
	[ "$option" = "$1" ] || grep -q "^CONFIG_${option%%)*}=[ym]" "$BUILD/.config"
}

# is_entered DIR: does it enter this directory, and those above? By one of the lines that name it;
# what no line names, make enters in another way.
is_entered() {
	local place=$1 above option named entered
	while [ "$place" != . ]; do
		above=$(dirname "$place") named='' entered=''
		while read -r option; do
			named=1
			if is_built "$option"; then entered=1; fi
		done < <(cat "$TREE/$above/Makefile" "$TREE/$above/Kbuild" 2>/dev/null |
			options_of /dev/stdin "${place##*/}/")
		[ -z "$named" ] || [ -n "$entered" ] || return 1
		place=$above
	done
}

# objects_of FILES: of the .c files among them those that the configuration builds, as objects
objects_of() {
	local file place object option
	while read -r file; do
		if [[ $file != *.c || $file == @(tools|samples)/* || ! -f $TREE/$file ]]; then
			continue
		fi
		# What is of another architecture is not built here.
		[[ $file != arch/* || $file == arch/$ARCH_SOURCE/* ]] || continue
		# The line that names it, of the next Makefile above, continuation lines joined
		place=$(dirname "$file") object=$(basename "$file" .c).o
		while [ ! -f "$TREE/$place/Makefile" ]; do
			object=$(basename "$place")/$object place=$(dirname "$place")
		done
		option=$(option_of "$TREE/$place/Makefile" "$object")
		# a part of a module: what the module depends on
		while [[ $option =~ ^(.+)-(y|objs)$ && $option != obj-y ]]; do
			option=$(option_of "$TREE/$place/Makefile" "${BASH_REMATCH[1]}.o")
		done
		if [ -n "$option" ] && is_built "$option" && is_entered "$place"; then
			echo "${file%.c}.o"
		fi
	done
}
