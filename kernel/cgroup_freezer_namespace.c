// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: the files of a cgroup for each container, of cgroup v1
 *
 * What they do is in kernel/cgroup/freezer/container.c and namespace.c.
 */

#include <linux/init.h>
#include <linux/kernfs.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "cgroup/freezer/freezer.h"
#include "cgroup/freezer/namespace.h"

/* The words of @buf, which is changed: 0 and @kinds, or -EINVAL. */
static int freezer_parse_kinds(char *buf, u64 *kinds)
{
	char *word;
	int i;

	*kinds = 0;
	buf = strstrip(buf);
	if (!strcmp(buf, "none"))
		return 0;

	while ((word = strsep(&buf, " \t\n"))) {
		if (!*word)
			continue;
		for (i = 0; i < FREEZER_NR_KINDS; i++) {
			if (!strcmp(word, freezer_kind_table[i].name))
				break;
		}
		if (i == FREEZER_NR_KINDS)
			return -EINVAL;
		*kinds |= freezer_kind_table[i].flag;
	}
	return *kinds ? 0 : -EINVAL;
}

static ssize_t freezer_kinds_write(struct kernfs_open_file *of, char *buf,
				   size_t nbytes, loff_t off)
{
	struct cgroup *cgrp = of_css(of)->cgroup;
	u64 kinds;
	int ret;

	if (freezer_parse_kinds(buf, &kinds))
		return -EINVAL;
	if (kinds && !freezer_may_contain(cgrp))
		return -EOPNOTSUPP;

	/* before a fork can find the setting */
	if (kinds)
		static_branch_enable(&cgroup_freezer_contain_key);

	cgrp = cgroup_kn_lock_live(of->kn, false);
	if (!cgrp)
		return -ENODEV;
	ret = freezer_set_kinds(cgrp, kinds);
	cgroup_kn_unlock(of->kn);

	return ret ?: nbytes;
}

static int freezer_kinds_show(struct seq_file *m, void *v)
{
	u64 kinds = freezer_kinds(seq_css(m)->cgroup);
	const char *blank = "";
	int i;

	if (!kinds)
		seq_puts(m, "none");
	for (i = 0; i < FREEZER_NR_KINDS; i++) {
		if (kinds & freezer_kind_table[i].flag) {
			seq_printf(m, "%s%s", blank, freezer_kind_table[i].name);
			blank = " ";
		}
	}
	seq_putc(m, '\n');
	return 0;
}

static ssize_t freezer_max_write(struct kernfs_open_file *of, char *buf,
				 size_t nbytes, loff_t off)
{
	struct cgroup *cgrp;
	unsigned int max;
	int ret;

	if (kstrtouint(strstrip(buf), 0, &max) || max > INT_MAX)
		return -EINVAL;

	cgrp = cgroup_kn_lock_live(of->kn, false);
	if (!cgrp)
		return -ENODEV;
	ret = freezer_set_containers_max(cgrp, max);
	cgroup_kn_unlock(of->kn);

	return ret ?: nbytes;
}

static u64 freezer_max_read(struct cgroup_subsys_state *css, struct cftype *cft)
{
	return freezer_containers_max(css->cgroup);
}

/* Also in the root: for each container of the machine. */
static struct cftype freezer_namespace_files[] = {
	{
		.name = "per_namespace",
		.seq_show = freezer_kinds_show,
		.write = freezer_kinds_write,
	},
	{
		.name = "per_namespace_max",
		.read_u64 = freezer_max_read,
		.write = freezer_max_write,
	},
	{ }	/* terminate */
};

static int __init freezer_namespace_init(void)
{
	return cgroup_add_legacy_cftypes(&freezer_cgrp_subsys,
					 freezer_namespace_files);
}
subsys_initcall(freezer_namespace_init);
