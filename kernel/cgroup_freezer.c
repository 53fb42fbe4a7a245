// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: the controller of cgroup v1
 *
 * "echo FROZEN > freezer.state" stops every task of the cgroup and of its
 * descendants without any of them noticing, "echo THAWED" lets them go on.
 * Interface, errors and examples are in
 * Documentation/cgroups/freezer-subsystem.txt; the promises, clause by clause,
 * are in Documentation/cgroups/freezer-contract.txt.
 *
 * This is the front of the engine in kernel/cgroup/freezer/: the files, and the
 * subsystem. The model is explained in kernel/cgroup/freezer/freezer.h.
 *
 * The files freezer.state, freezer.self_freezing and freezer.parent_freezing, and
 * the accessors of the css, are those of the controller that was here before:
 *
 * Copyright IBM Corporation, 2007
 * Author: Cedric Le Goater <clg@fr.ibm.com>
 */

#include <linux/kernfs.h>
#include <linux/moduleparam.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "cgroup/freezer/freezer.h"

/* freezer.killable of the root cgroup, hence the default of all new hierarchies. */
static bool freezer_killable;
module_param_named(killable, freezer_killable, bool, 0444);
MODULE_PARM_DESC(killable, "Let killed tasks leave frozen cgroups by default");

/*
 * The files
 */

static ssize_t freezer_state_write(struct kernfs_open_file *of, char *buf,
				   size_t nbytes, loff_t off)
{
	struct cgroup_subsys_state *css = of_css(of);
	struct cgroup_freezer *freezer = css_freezer(css);
	unsigned int timeout_ms = READ_ONCE(freezer->timeout_ms);
	struct freezer_ticket ticket = {
		.css		= css,
		.deadline	= freezer_deadline(timeout_ms),
		.nbytes		= nbytes,
	};
	int ret = 0;

	buf = strstrip(buf);
	if (!strcmp(buf, freezer_state_name(CGROUP_FREEZER_THAWED))) {
		ret = freezer_request_thawed(freezer);
		return ret ?: nbytes;
	}
	if (strcmp(buf, freezer_state_name(CGROUP_FREEZER_FROZEN)))
		return -EINVAL;

	/* the css survives the removal of its cgroup, while we wait */
	css_get(css);
	freezer_request_frozen(freezer, &ticket);

	if (!ticket.frozen && !(of->file->f_flags & O_NONBLOCK)) {
		kernfs_break_active_protection(of->kn);
		ret = freezer_wait(freezer, &ticket);
		kernfs_unbreak_active_protection(of->kn);
	}
	css_put(css);

	return ret ?: nbytes;
}

static int freezer_state_show(struct seq_file *m, void *v)
{
	struct cgroup_freezer *freezer = css_freezer(seq_css(m));

	seq_puts(m, freezer_state_name(READ_ONCE(freezer->state)));
	seq_putc(m, '\n');
	return 0;
}

static u64 freezer_self_freezing_read(struct cgroup_subsys_state *css,
				      struct cftype *cft)
{
	return !!(READ_ONCE(css_freezer(css)->flags) & FREEZER_FREEZING_SELF);
}

static u64 freezer_parent_freezing_read(struct cgroup_subsys_state *css,
					struct cftype *cft)
{
	return !!(READ_ONCE(css_freezer(css)->flags) & FREEZER_FREEZING_PARENT);
}

static u64 freezer_timeout_read(struct cgroup_subsys_state *css,
				struct cftype *cft)
{
	return READ_ONCE(css_freezer(css)->timeout_ms);
}

static ssize_t freezer_timeout_write(struct kernfs_open_file *of, char *buf,
				     size_t nbytes, loff_t off)
{
	unsigned int timeout_ms;

	if (kstrtouint(strstrip(buf), 0, &timeout_ms) || timeout_ms > INT_MAX)
		return -EINVAL;

	WRITE_ONCE(css_freezer(of_css(of))->timeout_ms, timeout_ms);
	return nbytes;
}

static u64 freezer_killable_read(struct cgroup_subsys_state *css,
				 struct cftype *cft)
{
	return READ_ONCE(css_freezer(css)->killable);
}

static unsigned int freezer_kill_task(struct task_struct *task, void *data)
{
	cgroup_freezer_kill(task);
	return FREEZER_WAKE_COST;
}

static ssize_t freezer_killable_write(struct kernfs_open_file *of, char *buf,
				      size_t nbytes, loff_t off)
{
	struct cgroup_subsys_state *css = of_css(of);
	unsigned int killable;

	if (kstrtouint(strstrip(buf), 0, &killable) || killable > 1)
		return -EINVAL;

	WRITE_ONCE(css_freezer(css)->killable, killable);
	if (!killable)
		return nbytes;

	/* those that were killed before may leave now */
	freezer_visit_own(css_freezer(css), freezer_kill_task, NULL);
	return nbytes;
}

static int freezer_blockers_show(struct seq_file *m, void *v)
{
	freezer_show_blockers(css_freezer(seq_css(m)), m);
	return 0;
}

static int freezer_stat_show(struct seq_file *m, void *v)
{
	freezer_show_stat(css_freezer(seq_css(m)), m);
	return 0;
}

/*
 * Migration: cgroup_freezer_moved() sets the door of each task
 */

/* No task comes, or goes, where somebody has the checkpoint guard. */
static bool freezer_attach_is_barred(struct cgroup_taskset *tset)
{
	struct cgroup_freezer *from = NULL, *to = NULL;
	struct cgroup_subsys_state *css;
	struct task_struct *task;

	lockdep_assert_held(&css_set_lock);

	cgroup_taskset_for_each(task, css, tset) {
		struct cgroup_freezer *now = task_freezer(task, CGROUP_FREEZER_V1);

		/* the threads of a process mostly come from one place and go to one */
		if (now == from && css_freezer(css) == to)
			continue;
		from = now;
		to = css_freezer(css);
		if (freezer_is_guarded(from) || freezer_is_guarded(to))
			return true;
	}
	return false;
}

static int freezer_can_attach(struct cgroup_taskset *tset)
{
	spin_lock_irq(&css_set_lock);
	if (freezer_attach_is_barred(tset)) {
		spin_unlock_irq(&css_set_lock);
		return -EBUSY;
	}
	freezer_migrations++;
	spin_unlock_irq(&css_set_lock);
	return 0;
}

/* The end of a migration, a cancelled one too */
static void freezer_attach(struct cgroup_taskset *tset)
{
	spin_lock_irq(&css_set_lock);
	freezer_migrations++;
	spin_unlock_irq(&css_set_lock);
}

/*
 * Cgroups
 */

static struct cgroup_subsys_state *
freezer_css_alloc(struct cgroup_subsys_state *parent_css)
{
	struct freezer_shell *shell;

	shell = kzalloc(sizeof(*shell), GFP_KERNEL);
	return shell ? &shell->css : ERR_PTR(-ENOMEM);
}

/* A root is asked for nothing. */
static int freezer_css_online(struct cgroup_subsys_state *css)
{
	struct cgroup_freezer *freezer = css_freezer(css);
	struct cgroup_freezer *parent = parent_freezer(freezer);

	if (!parent)
		return 0;

	freezer->hold = CGROUP_FREEZER_V1;
	freezer->file = &css_shell(css)->state_file;
	freezer->killable = parent_freezer(parent) ?
			    READ_ONCE(parent->killable) : freezer_killable;
	freezer_online(freezer);
	return 0;
}

static void freezer_css_offline(struct cgroup_subsys_state *css)
{
	freezer_offline(css_freezer(css));
}

static void freezer_css_free(struct cgroup_subsys_state *css)
{
	kfree(css_shell(css)->container);
	kfree(css_shell(css));
}

static struct cftype freezer_files[] = {
	{
		.name = "state",
		.flags = CFTYPE_NOT_ON_ROOT,
		.file_offset = offsetof(struct freezer_shell, state_file),
		.seq_show = freezer_state_show,
		.write = freezer_state_write,
	},
	{
		.name = "self_freezing",
		.flags = CFTYPE_NOT_ON_ROOT,
		.read_u64 = freezer_self_freezing_read,
	},
	{
		.name = "parent_freezing",
		.flags = CFTYPE_NOT_ON_ROOT,
		.read_u64 = freezer_parent_freezing_read,
	},
	{
		.name = "timeout_ms",
		.flags = CFTYPE_NOT_ON_ROOT,
		.read_u64 = freezer_timeout_read,
		.write = freezer_timeout_write,
	},
	{
		.name = "killable",
		.flags = CFTYPE_NOT_ON_ROOT,
		.read_u64 = freezer_killable_read,
		.write = freezer_killable_write,
	},
	{
		.name = "blockers",
		.flags = CFTYPE_NOT_ON_ROOT,
		.seq_show = freezer_blockers_show,
	},
	{
		.name = "stat",
		.flags = CFTYPE_NOT_ON_ROOT,
		.seq_show = freezer_stat_show,
	},
	{ }	/* terminate */
};

struct cgroup_subsys freezer_cgrp_subsys = {
	.css_alloc	= freezer_css_alloc,
	.css_online	= freezer_css_online,
	.css_offline	= freezer_css_offline,
	.css_free	= freezer_css_free,
	.can_attach	= freezer_can_attach,
	.cancel_attach	= freezer_attach,
	.attach		= freezer_attach,
	.legacy_cftypes	= freezer_files,
};
