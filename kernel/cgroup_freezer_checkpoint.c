// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: the checkpoint guard as a file of cgroup v1
 *
 * The guard itself is in kernel/cgroup/freezer/guard.c.
 */

#include <linux/init.h>
#include <linux/kernfs.h>
#include <linux/seq_file.h>

#include "cgroup/freezer/guard.h"

/* An open for writing takes the guard, and the open file keeps it. */
static int freezer_checkpoint_open(struct kernfs_open_file *of)
{
	if (!(of->file->f_mode & FMODE_WRITE))
		return 0;

	return freezer_begin_checkpoint(css_freezer(of_css(of)), of,
					!(of->file->f_flags & O_NONBLOCK));
}

/* The last reference to the open file is gone, or the cgroup is removed. */
static void freezer_checkpoint_release(struct kernfs_open_file *of)
{
	struct cgroup_freezer *freezer = css_freezer(of_css(of));

	if (READ_ONCE(freezer->holder) == of)
		freezer_end_checkpoint(freezer);
}

static int freezer_checkpoint_show(struct seq_file *m, void *v)
{
	struct cgroup_freezer *freezer = css_freezer(seq_css(m));
	const char *what;

	if (READ_ONCE(freezer->holder) == m->private)
		what = freezer_guard_is_torn(freezer) ? "torn" : "consistent";
	else if (READ_ONCE(freezer->nr_guards) || freezer_is_guarded(freezer))
		what = "held";
	else
		what = "free";

	seq_puts(m, what);
	seq_putc(m, '\n');
	return 0;
}

/* Only there so that the file can be opened for writing. */
static ssize_t freezer_checkpoint_write(struct kernfs_open_file *of, char *buf,
					size_t nbytes, loff_t off)
{
	return -EINVAL;
}

static struct cftype freezer_checkpoint_files[] = {
	{
		.name = "checkpoint",
		.flags = CFTYPE_NOT_ON_ROOT,
		.open = freezer_checkpoint_open,
		.release = freezer_checkpoint_release,
		.seq_show = freezer_checkpoint_show,
		.write = freezer_checkpoint_write,
	},
	{ }	/* terminate */
};

static int __init freezer_checkpoint_init(void)
{
	return cgroup_add_legacy_cftypes(&freezer_cgrp_subsys,
					 freezer_checkpoint_files);
}
subsys_initcall(freezer_checkpoint_init);
