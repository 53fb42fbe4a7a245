// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: requests
 *
 * A request that changes nothing has an event as well, since its writer waits for
 * one: the cgroup may be where it is to be already, or a cgroup above may keep it.
 * On cgroup v2 it has none if it is the same as the one before.
 */

#include "freezer.h"

/* Is the request of @freezer, on cgroup v2, what it was? */
static bool freezer_is_repeated(struct cgroup_freezer *freezer, bool freeze)
{
	return freezer->hold == CGROUP_FREEZER_V2 &&
	       !(READ_ONCE(freezer->flags) & FREEZER_FREEZING_SELF) == !freeze;
}

/**
 * freezer_request_frozen - ask a cgroup to freeze
 * @freezer: the cgroup
 * @ticket: the request, to be filled in for freezer_wait(), or %NULL
 *
 * Waits for no task: when it returns the doors of all tasks are closed.
 *
 * Context: process context, may sleep.
 */
void freezer_request_frozen(struct cgroup_freezer *freezer,
			    struct freezer_ticket *ticket)
{
	mutex_lock(&freezer_mutex);
	trace_cgroup_freezer_request(freezer_id(freezer), true);

	if (ticket) {
		spin_lock_irq(&css_set_lock);
		ticket->generation = freezer->generation;
		ticket->cancelled = freezer->nr_cancelled;
		ticket->frozen = freezer_is_still(freezer->state);
		spin_unlock_irq(&css_set_lock);
	}

	if (freezer_is_repeated(freezer, true)) {
		/* nothing */
	} else if (READ_ONCE(freezer->flags) & FREEZER_FREEZING) {
		freezer_ask(freezer, FREEZER_FREEZING_SELF);
		freezer_notify(freezer);
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
	if (freezer_is_repeated(freezer, false)) {
		mutex_unlock(&freezer_mutex);
		return 0;
	}

	spin_lock_irq(&css_set_lock);
	asked = freezer->flags & FREEZER_FREEZING_SELF;
	WRITE_ONCE(freezer->flags, freezer->flags & ~FREEZER_FREEZING_SELF);
	changed = asked && !(freezer->flags & FREEZER_FREEZING);
	if (asked) {
		WRITE_ONCE(freezer->nr_cancelled, freezer->nr_cancelled + 1);
		wake_up_all(&freezer->wait);
		/* Now: the door of a task that comes from here on stays open. */
		freezer_update(freezer);
	}
	spin_unlock_irq(&css_set_lock);

	if (changed)
		freezer_thaw_subtree(freezer);
	else
		freezer_notify(freezer);
	mutex_unlock(&freezer_mutex);
	return 0;
}
