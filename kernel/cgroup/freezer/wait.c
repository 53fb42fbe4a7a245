// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: the wait of a writer for the outcome of a request, on cgroup v1
 */

#include <linux/freezer.h>
#include <linux/kernfs.h>
#include <linux/sched/signal.h>

#include "freezer.h"

/*
 * The outcome of the request of @ticket, which is the condition of the wait and its
 * end: 0 as long as it is open, 1 if the cgroup was FROZEN since, or an error.
 */
static int freezer_outcome(struct cgroup_freezer *freezer,
			   const struct freezer_ticket *ticket)
{
	if (freezer_is_still(READ_ONCE(freezer->state)) ||
	    READ_ONCE(freezer->generation) != ticket->generation)
		return 1;
	if (!(READ_ONCE(freezer->flags) & FREEZER_ONLINE))
		return -ENODEV;
	if (READ_ONCE(freezer->nr_cancelled) != ticket->cancelled)
		return -ECANCELED;
	return 0;
}

static long freezer_wait_again(struct restart_block *restart);

/*
 * The wait was interrupted by something that is no signal. It goes on with the
 * same request, which a THAWED may end meanwhile, and with the rest of the time.
 * So the wait is started over, and not the write.
 */
static int freezer_wait_later(const struct freezer_ticket *ticket)
{
	struct restart_block *restart = &current->restart_block;

	restart->freezer.css_id = ticket->css->id;
	restart->freezer.serial_nr = ticket->css->serial_nr;
	restart->freezer.generation = ticket->generation;
	restart->freezer.cancelled = ticket->cancelled;
	restart->freezer.deadline = ticket->deadline;
	restart->freezer.nbytes = ticket->nbytes;
	return set_restart_fn(restart, freezer_wait_again);
}

/**
 * freezer_wait - wait until a request has come to an end
 * @freezer: the cgroup
 * @ticket: the request
 *
 * The writer holds of->mutex and its reference to the open file here, but has
 * given up kernfs's active protection, so the cgroup can be removed.
 *
 * Context: process context, may sleep.
 * Return: 0 if the cgroup was FROZEN since, or %current is in it; -EBUSY if the
 * time has passed, -ECANCELED after a THAWED, -ENODEV if the cgroup is gone,
 * -EINTR after a signal, or an error that starts the wait once more.
 */
int freezer_wait(struct cgroup_freezer *freezer,
		 const struct freezer_ticket *ticket)
{
	long left = ticket->deadline - jiffies;
	int interrupted = 0;
	int ret;

	/* a writer inside of the subtree does not wait for itself */
	spin_lock_irq(&css_set_lock);
	if (freezer_task_is_busy(current, freezer->hold))
		freezer_task_rests(current, freezer->hold, CGROUP_FREEZER_WRITER);
	spin_unlock_irq(&css_set_lock);

	left = wait_event_interruptible_timeout(freezer->wait,
						freezer_outcome(freezer, ticket),
						max(left, 0L));
	if (left < 0)
		interrupted = freezer_interrupted();

	spin_lock_irq(&css_set_lock);
	ret = freezer_outcome(freezer, ticket);
	if (ret > 0) {
		ret = 0;
	} else if (!ret && interrupted == -EINTR) {
		ret = -EINTR;
	} else if (!ret && interrupted) {
		/*
		 * A writer inside of the subtree is done, with its door ahead. A
		 * wait that starts over would do so after the thaw, and the
		 * writer would freeze itself once more. One that is frozen
		 * elsewhere waits on, after the thaw there.
		 */
		if (!cgroup_is_descendant(freezer_cgroup(task_freezer(current, freezer->hold)),
					  freezer_cgroup(freezer)))
			ret = freezer_wait_later(ticket);
	} else if (!ret) {
		freezer->nr_timeouts++;
		ret = -EBUSY;
	}
	spin_unlock_irq(&css_set_lock);

	return ret;
}

static long freezer_wait_again(struct restart_block *restart)
{
	struct freezer_ticket ticket = {
		.generation	= restart->freezer.generation,
		.cancelled	= restart->freezer.cancelled,
		.deadline	= restart->freezer.deadline,
		.nbytes		= restart->freezer.nbytes,
	};
	struct cgroup_subsys_state *css;
	long ret;

	rcu_read_lock();
	css = css_from_id(restart->freezer.css_id, &freezer_cgrp_subsys);
	if (css && (css->serial_nr != restart->freezer.serial_nr ||
		    !css_tryget(css)))
		css = NULL;
	rcu_read_unlock();
	if (!css)
		return -ENODEV;

	ticket.css = css;
	ret = freezer_wait(css_freezer(css), &ticket);
	css_put(css);
	return ret ?: ticket.nbytes;
}
