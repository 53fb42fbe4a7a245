// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: requests, and the wait for their outcome
 */

#include <linux/freezer.h>
#include <linux/kernfs.h>
#include <linux/sched/signal.h>

#include "freezer.h"

/**
 * freezer_request_frozen - ask a cgroup to freeze, for a writer of FROZEN
 * @freezer: the cgroup
 * @ticket: the request, to be filled in for freezer_wait()
 *
 * Context: process context, may sleep.
 */
void freezer_request_frozen(struct cgroup_freezer *freezer,
			    struct freezer_ticket *ticket)
{
	unsigned int timeout_ms = READ_ONCE(freezer->timeout_ms);

	/* one more, since the first jiffy is not a whole one */
	ticket->deadline = jiffies +
			   (timeout_ms ? msecs_to_jiffies(timeout_ms) + 1 : 0);

	mutex_lock(&freezer_mutex);
	trace_cgroup_freezer_request(freezer_id(freezer), true);

	spin_lock_irq(&css_set_lock);
	ticket->generation = freezer->generation;
	ticket->cancelled = freezer->nr_cancelled;
	ticket->frozen = freezer_is_still(freezer->state);
	spin_unlock_irq(&css_set_lock);

	if (READ_ONCE(freezer->flags) & FREEZER_FREEZING) {
		freezer_ask(freezer, FREEZER_FREEZING_SELF);
		cgroup_file_notify(&freezer->state_file);
	} else {
		freezer_freeze_subtree(freezer);
	}
	mutex_unlock(&freezer_mutex);
}

/**
 * freezer_request_thawed - withdraw the own request of a cgroup
 * @freezer: the cgroup
 *
 * Context: process context, may sleep.
 * Return: 0, and the tasks may run, unless a cgroup above is asked to freeze;
 * -EBUSY if a checkpoint depends on the request.
 */
int freezer_request_thawed(struct cgroup_freezer *freezer)
{
	bool asked, changed;

	mutex_lock(&freezer_mutex);
	trace_cgroup_freezer_request(freezer_id(freezer), false);

	if (freezer_thaw_is_barred(freezer)) {
		mutex_unlock(&freezer_mutex);
		return -EBUSY;
	}

	spin_lock_irq(&css_set_lock);
	asked = freezer->flags & FREEZER_FREEZING_SELF;
	WRITE_ONCE(freezer->flags, freezer->flags & ~FREEZER_FREEZING_SELF);
	changed = asked && !(freezer->flags & FREEZER_FREEZING);
	if (asked) {
		WRITE_ONCE(freezer->nr_cancelled, freezer->nr_cancelled + 1);
		wake_up_all(&freezer->wait);
	}
	spin_unlock_irq(&css_set_lock);

	if (changed)
		freezer_thaw_subtree(freezer);
	else
		cgroup_file_notify(&freezer->state_file);
	mutex_unlock(&freezer_mutex);
	return 0;
}

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
static int freezer_wait_later(struct cgroup_freezer *freezer,
			      const struct freezer_ticket *ticket)
{
	struct restart_block *restart = &current->restart_block;

	restart->freezer.css_id = freezer->css.id;
	restart->freezer.serial_nr = freezer->css.serial_nr;
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
	if (freezer_task_is_busy(current))
		freezer_task_rests(current, CGROUP_FREEZER_WRITER);
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
		 * writer would freeze itself once more.
		 */
		if (!current->cgroup_freezer_closed)
			ret = freezer_wait_later(freezer, ticket);
	} else if (!ret) {
		freezer->nr_timeouts++;
		ret = -EBUSY;
	}
	spin_unlock_irq(&css_set_lock);

	return ret;
}

static long freezer_wait_again(struct restart_block *restart)
{
	const struct freezer_ticket ticket = {
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

	ret = freezer_wait(css_freezer(css), &ticket);
	css_put(css);
	return ret ?: ticket.nbytes;
}
