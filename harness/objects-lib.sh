# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Which objects a configuration builds of files of the kernel. Sourced by bisectable.sh and
# objects.sh, after lib.sh.

# option_of MAKEFILE OBJECT: the first word of the line that names the object
option_of() {
	sed -e ':a' -e '/\\$/N; s/\\\n/ /; ta' "$1" | tr '\t' ' ' | awk -v o=" $2 " '
		option == "" && index($0 " ", o) { option = $1 }
		END { print option }'
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
		case $option in
		*\$\(CONFIG_*)
			option=${option#*\$\(}
			grep -q "^${option%%)*}=[ym]" "$BUILD/.config" || continue ;;
		'') continue ;;
		esac
		echo "${file%.c}.o"
	done
}
