// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: the front of cgroup v2
 *
 * The file cgroup.freeze, the line "frozen" of cgroup.events and the line
 * "frozen_usec" of cgroup.stat.local. Their promises are in
 * Documentation/admin-guide/cgroup-v2.rst and, clause by clause, in
 * Documentation/cgroups/freezer-contract.txt. The model is explained in freezer.h.
 */

#include <linux/kernfs.h>
#include <linux/math64.h>
#include <linux/seq_file.h>

#include "freezer.h"
#include "v2.h"

/**
 * cgroup_freezer_online - a cgroup of v2 has been linked below its parent
 * @cgrp: the cgroup; no reader or writer can find its files yet
 *
 * Either a request to the parent is seen here, or the walk of that request, which
 * comes later, finds @cgrp:
 *
 *	CPU 0 (here)				CPU 1 (freezer_freeze_subtree())
 *
 *	@cgrp is among the children		lock
 *	lock					the parent is asked
 *	is the parent asked?			walk over the children
 *	unlock					unlock
 *
 * Context: cgroup_mutex held; may sleep.
 */
void cgroup_freezer_online(struct cgroup *cgrp)
{
	struct cgroup_freezer *freezer = &cgrp->container_freezer;

	if (!cgroup_on_dfl(cgrp))
		return;

	freezer->hold = CGROUP_FREEZER_V2;
	freezer->file = &cgrp->events_file;
	freezer_online(freezer);
}

/**
 * cgroup_freezer_offline - a cgroup of v2 is removed
 * @cgrp: the cgroup, which has no children and no files any more, and no tasks that a
 *	  reader could see
 *
 * Context: cgroup_mutex held; may sleep.
 */
void cgroup_freezer_offline(struct cgroup *cgrp)
{
	if (cgroup_on_dfl(cgrp))
		freezer_offline(&cgrp->container_freezer);
}

/**
 * cgroup_freezer_frozen - the line "frozen" of cgroup.events
 * @cgrp: the cgroup
 *
 * Context: any.
 * Return: %true if every task of @cgrp and below is at rest.
 */
bool cgroup_freezer_frozen(struct cgroup *cgrp)
{
	return freezer_is_still(READ_ONCE(cgrp->container_freezer.state));
}

/**
 * cgroup_freezer_stat_show - read cgroup.stat.local
 * @seq: where to
 * @v: unused
 *
 * The time from each request to its thaw, whoever has asked.
 *
 * Return: 0.
 */
int cgroup_freezer_stat_show(struct seq_file *seq, void *v)
{
	struct cgroup_freezer *freezer = css_freezer(seq_css(seq));
	u64 nsec;

	spin_lock_irq(&css_set_lock);
	nsec = freezer->freezing_ns + freezer->frozen_ns;
	if (freezer->state != CGROUP_FREEZER_THAWED)
		nsec += ktime_get_ns() - freezer->since_ns;
	spin_unlock_irq(&css_set_lock);

	seq_printf(seq, "frozen_usec %llu\n", div_u64(nsec, NSEC_PER_USEC));
	return 0;
}

/**
 * cgroup_freeze_show - read cgroup.freeze
 * @seq: where to
 * @v: unused
 *
 * The own request of the cgroup, whatever those above ask for.
 *
 * Return: 0.
 */
int cgroup_freeze_show(struct seq_file *seq, void *v)
{
	struct cgroup_freezer *freezer = css_freezer(seq_css(seq));

	seq_printf(seq, "%d\n",
		   !!(READ_ONCE(freezer->flags) & FREEZER_FREEZING_SELF));
	return 0;
}

/**
 * cgroup_freeze_write - write cgroup.freeze
 * @of: the file
 * @buf: what was written
 * @nbytes: its length
 * @off: unused
 *
 * Does not wait for tasks: "frozen" in cgroup.events tells when they are at rest.
 * The active protection of the file keeps the cgroup, but not from being dead already.
 *
 * Context: process context, may sleep.
 * Return: @nbytes, or -EINVAL or -ERANGE for what is not 0 or 1, or -ENOENT.
 */
ssize_t cgroup_freeze_write(struct kernfs_open_file *of, char *buf,
			    size_t nbytes, loff_t off)
{
	struct cgroup_subsys_state *css = of_css(of);
	int freeze, ret;

	ret = kstrtoint(strstrip(buf), 0, &freeze);
	if (ret)
		return ret;
	if (freeze < 0 || freeze > 1)
		return -ERANGE;
	if (cgroup_is_dead(css->cgroup))
		return -ENOENT;

	if (freeze)
		freezer_request_frozen(css_freezer(css), NULL);
	else
		freezer_request_thawed(css_freezer(css));
	return nbytes;
}
