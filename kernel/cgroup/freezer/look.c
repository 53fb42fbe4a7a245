// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: a closer look at a task that may be at rest
 *
 * The cases that freezer_look() leaves alone: a task that is no plain sleeper. It runs,
 * forks, execs, exits, was killed, waits for I/O, is frozen already, or is blocked.
 */

#include <linux/freezer.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>

#include "door.h"
#include "freezer.h"

/*
 * Tasks that are blocked
 *
 * The users of cgroup.freeze read the files of a frozen container, and expect that
 * a write() of one of its tasks is over by then. Such a task sleeps, for the disk,
 * but never for long in one sleep. One that waits for a file server that is gone
 * sleeps for ever. So a task in a sleep that ends by itself is waited for until it
 * has been in the same sleep for freezer_patience_ms, and so is one on its way out.
 * On cgroup v1 only the latter is waited for, see freezer_look_leaving().
 *
 *	CPU 0 (a look)				CPU 1 (@task)
 *
 *	sleep 7, since now
 *						wakes, writes a page, sleep 8
 *	sleep 8: another one, since now
 *
 * A sleep is told from another one by nvcsw, which @task counts when it is off the run
 * queue already, and still on its CPU. So a task that is on its CPU is busy.
 */

/*
 * How long one sleep of a blocked task is waited for. -1: as long as it lasts. 0: not at
 * all, and a task on its way out has the time that it has on cgroup v1, each of its
 * freezable sleeps for itself. U3 in
 * Documentation/cgroups/freezer-contract.txt says why it is 1000.
 */
static int freezer_patience_ms = 1000;

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "cgroup_freezer."
module_param_named(patience_ms, freezer_patience_ms, int, 0644);
MODULE_PARM_DESC(patience_ms,
		 "How long a freeze of cgroup v2 waits for one uninterruptible sleep");

/*
 * @task was seen off the run queue. Has it been in the same sleep for @patience_ms?
 * Without a limit if that is negative.
 */
static enum cgroup_freezer_rest
freezer_wait_for_sleep(struct task_struct *task, unsigned int hold, int patience_ms)
{
	struct cgroup_freezer_task *door = &task->cgroup_freezer[hold];
	u32 sleep, now = jiffies;

	lockdep_assert_held(&css_set_lock);

	/* pairs with the release at the end of the switch from @task */
	if (freezer_is_on_cpu(task))
		return CGROUP_FREEZER_BUSY;
	/* data_race: with a wake-up, and then the next look finds another sleep */
	sleep = data_race(task->nvcsw);
	if (!freezer_task_is_busy(task, hold) ||
	    door->sleep != sleep || !door->blocked) {
		door->blocked = true;
		door->sleep = sleep;
		door->since = now;
		return CGROUP_FREEZER_BUSY;
	}

	if (patience_ms < 0 || now - door->since < msecs_to_jiffies(patience_ms))
		return CGROUP_FREEZER_BUSY;
	return CGROUP_FREEZER_ASLEEP;
}

/*
 * Is a task at rest that was seen asleep, in a sleep that cannot be frozen? An
 * interruptible sleep is one for an event, and may last for any time. So may that
 * of an idle worker.
 */
static enum cgroup_freezer_rest freezer_look_blocked(struct task_struct *task)
{
	unsigned int state = READ_ONCE(task->__state);
	int patience_ms = READ_ONCE(freezer_patience_ms);

	/* again, since @task may have been woken between the two reads of its state */
	if (!freezer_is_asleep(task, state))
		return CGROUP_FREEZER_BUSY;
	if (!patience_ms || !(state & TASK_UNINTERRUPTIBLE) || state & TASK_NOLOAD)
		return CGROUP_FREEZER_ASLEEP;
	return freezer_wait_for_sleep(task, CGROUP_FREEZER_V2, patience_ms);
}

/*
 * How is a task at rest that forks, execs, exits or is killed?
 *
 * A task in the middle of a fork is never at rest, see freezer_enter_gate().
 *
 * A task that exits is going to leave the cgroup, and so is a task that dumps core;
 * an exec changes the id of its task. They get time for that, so that the list of
 * tasks of a FROZEN cgroup is stable. The time is bounded, as they may wait for a file
 * server that is gone, or for a tracer: FREEZER_EXIT_SLEEP_MS for one sleep, and
 * for none any more FREEZER_EXIT_NS after the request. A core dump that is
 * frozen in place does not go on before the thaw. On cgroup v2 the time is that of
 * a blocked task. There a task that waits for a tracer is at rest at once, and so is one
 * in a freezable sleep of its exec or of a move. A freezable sleep on the way out that is
 * not one for a file server has FREEZER_EXIT_SLEEP_MS: it is mostly that for the dumper
 * of the process, which may be about to end the dump, and the sleeper would leave a
 * cgroup that is FROZEN. A task that looks for io_uring requests to cancel sleeps a tick
 * at a time, and has FREEZER_EXIT_NS for all of them.
 */
static enum cgroup_freezer_rest
freezer_look_leaving(struct task_struct *task, struct cgroup_freezer *freezer,
		     unsigned int hold)
{
	enum cgroup_freezer_rest how = CGROUP_FREEZER_ASLEEP;
	int patience_ms;

	if (READ_ONCE(task->cgroup_freezer_gate) & CGROUP_FREEZER_FORK)
		return CGROUP_FREEZER_BUSY;

	if (!freezer_is_leaving(task)) {
		how = freezer_freeze_sleep(task);
		smp_rmb();	/* as in freezer_look_closer() */
		if (how == CGROUP_FREEZER_ASLEEP &&
		    READ_ONCE(task->cgroup_freezer_gate))
			return CGROUP_FREEZER_BUSY;	/* the next look knows it */
		if (how == CGROUP_FREEZER_IN_PLACE ||
		    !(READ_ONCE(task->flags) & PF_SIGNALED)) {
			if (hold == CGROUP_FREEZER_V2 &&
			    how == CGROUP_FREEZER_ASLEEP)
				return freezer_look_blocked(task);
			return how;
		}
	} else {
		unsigned int state = READ_ONCE(task->__state);

		if (!freezer_is_asleep(task, state))
			return CGROUP_FREEZER_BUSY;
		if (hold == CGROUP_FREEZER_V2 && state & __TASK_TRACED)
			return how;
		if (hold == CGROUP_FREEZER_V2 && state & TASK_FREEZABLE) {
			/* io_uring_cancel_generic(), and no other, sleeps in this state */
			if (state & __TASK_FREEZABLE_UNSAFE && state & TASK_NOLOAD)
				return ktime_get_ns() < freezer->grace_ns ?
				       CGROUP_FREEZER_BUSY : how;
			if (READ_ONCE(task->cgroup_freezer_gate) &
			    (CGROUP_FREEZER_EXEC | CGROUP_FREEZER_MOVE))
				return how;
			if (!(state & __TASK_FREEZABLE_UNSAFE))
				return freezer_wait_for_sleep(task, hold,
							      FREEZER_EXIT_SLEEP_MS);
		}
	}

	if (how != CGROUP_FREEZER_ASLEEP)
		return how;

	patience_ms = READ_ONCE(freezer_patience_ms);
	if (hold == CGROUP_FREEZER_V2 && patience_ms)
		return freezer_wait_for_sleep(task, hold, patience_ms);
	if (ktime_get_ns() >= freezer->grace_ns)
		return how;
	return freezer_wait_for_sleep(task, hold, FREEZER_EXIT_SLEEP_MS);
}

/**
 * freezer_look_closer - how is a task at rest that does not sleep plainly?
 * @task: the task
 * @freezer: its cgroup
 * @hold: the hierarchy of @freezer
 *
 * The long way of freezer_look(), for each task for which the short one has no answer.
 *
 * Context: css_set_lock held.
 * Return: how, or %CGROUP_FREEZER_BUSY.
 */
enum cgroup_freezer_rest
freezer_look_closer(struct task_struct *task, struct cgroup_freezer *freezer,
		    unsigned int hold)
{
	enum cgroup_freezer_rest how;

	if (READ_ONCE(task->cgroup_freezer_gate) ||
	    READ_ONCE(task->flags) & PF_SIGNALED || task_sigpending(task))
		return freezer_look_leaving(task, freezer, hold);

	/*
	 * It has never run: the same that goes for one that is off the run queue, see
	 * freezer_close_door(), goes for one whose first wake-up is to come.
	 */
	if (READ_ONCE(task->__state) & TASK_NEW &&
	    !(task->flags & (PF_USER_WORKER | PF_IO_WORKER)))
		return CGROUP_FREEZER_ASLEEP;

	how = freezer_freeze_sleep(task);
	if (how != CGROUP_FREEZER_ASLEEP)
		return how;
	smp_rmb();	/* it may have come there by way of a gate since */
	if (READ_ONCE(task->cgroup_freezer_gate))
		return freezer_look_leaving(task, freezer, hold);
	return hold == CGROUP_FREEZER_V2 ? freezer_look_blocked(task) : how;
}
