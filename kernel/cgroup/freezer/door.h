/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Container freezer: the door of a task, closed and opened
 *
 * Inline, as sleep.h is, and for the same reason.
 */
#ifndef _KERNEL_CGROUP_FREEZER_DOOR_H
#define _KERNEL_CGROUP_FREEZER_DOOR_H

#include <linux/sched/signal.h>

#include "sleep.h"

/*
 * How is @task, which is in the cgroup of @freezer, at rest? Freezes @task in
 * place where that is possible.
 */
static __always_inline
enum cgroup_freezer_rest freezer_look(struct task_struct *task,
				      struct cgroup_freezer *freezer)
{
	if (unlikely(READ_ONCE(task->cgroup_freezer_gate) ||
		     READ_ONCE(task->flags) & PF_SIGNALED ||
		     task_sigpending(task)))
		return freezer_look_closer(task, freezer);
	return freezer_freeze_sleep(task);
}

/*
 * Close the door of @task, which is in the cgroup of @freezer.
 *
 *	CPU 0 (here)				CPU 1 (@task)
 *
 *	closed = 1				[woken] on_rq = 1
 *	set TIF_NOTIFY_RESUME			full barrier, in __schedule()
 *	(A) full barrier			read the TIF flags, irqs off
 *	on_rq?					go to user mode
 *
 * At least one of them sees the other.  If the look finds @task off the run
 * queue, its next wake-up comes later, and @task sees the flag when it gets to its
 * door; no lock is needed to know that (freezer_freeze_sleep()).  If the look
 * finds @task on the run queue, @task is busy, and the kick makes a task that
 * is past its last look at the flags, or is in user mode already, come back
 * and look again.  The group is not FROZEN before @task has reported.
 *
 * TIF_NOTIFY_RESUME may already be set for another reason. resume_user_mode_work()
 * clears that flag before it comes to the door, with a full barrier in between, so
 * either the flag is still set after (A) or the door is seen closed.
 *
 * Return: true if @task is at rest.
 */
static __always_inline bool freezer_close_door(struct task_struct *task,
					       struct cgroup_freezer *freezer)
{
	enum cgroup_freezer_rest how;

	WRITE_ONCE(task->cgroup_freezer_closed, 1);
	set_tsk_thread_flag(task, TIF_NOTIFY_RESUME);
	smp_mb__after_atomic();	/* (A) pairs with (C) and (D) */

	how = freezer_look(task, freezer);
	if (likely(how != CGROUP_FREEZER_BUSY)) {
		/* as freezer_note_runtime(), it is off the run queue */
		task->cgroup_freezer_runtime = task->se.sum_exec_runtime;
		WRITE_ONCE(task->cgroup_freezer_rest, how);
		freezer_trace_rest(task, freezer, how);
		return true;
	}

	freezer_task_busy(task, freezer);
	kick_process(task);
	return false;
}

/*
 * Open the door of @task, and wake @task if it waits there, or in place.
 *
 *	CPU 0 (here)				CPU 1 (@task, __refrigerator())
 *
 *	closed = 0				state = TASK_FROZEN
 *	(B) full barrier			(C) full barrier
 *	TASK_FROZEN? wake it			closed? schedule()
 *
 * Without the barriers both could read the old value, and @task would sleep on
 * with nobody left to wake it.
 *
 * A sleeper that was not frozen in place is not touched.
 *
 * Return: true if @task had to be woken.
 */
static __always_inline bool freezer_open_door(struct task_struct *task)
{
	if (unlikely(task->cgroup_freezer_account))
		freezer_task_rests(task, CGROUP_FREEZER_BUSY);

	/* cgroup_freezer_hold() has to report again the next time */
	WRITE_ONCE(task->cgroup_freezer_rest, CGROUP_FREEZER_BUSY);
	WRITE_ONCE(task->cgroup_freezer_closed, 0);
	smp_mb();	/* (B) pairs with (C) and (H) */
	if (!(READ_ONCE(task->__state) & TASK_FROZEN))
		return false;

	freezer_thaw_sleep(task);
	return true;
}

#endif /* _KERNEL_CGROUP_FREEZER_DOOR_H */
