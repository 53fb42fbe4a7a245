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
 * A task that is parked for one hierarchy looks frozen in place to the other, and is
 * parked for both.
 */
static inline enum cgroup_freezer_rest
freezer_how_for_both(struct task_struct *task, unsigned int hold,
		     enum cgroup_freezer_rest how)
{
	unsigned int other = CGROUP_FREEZER_HOLDS - 1 - hold;

	if (how == CGROUP_FREEZER_IN_PLACE && other != hold &&
	    freezer_is_closed_by(task, other) &&
	    task->cgroup_freezer[other].rest == CGROUP_FREEZER_PARKED)
		return CGROUP_FREEZER_PARKED;
	return how;
}

/*
 * How is @task, which is in the cgroup of @freezer, at rest? Freezes @task in
 * place where that is possible. @hold, here and below, is the hierarchy of @freezer,
 * and a constant for the compiler in the loops over many tasks.
 */
static __always_inline
enum cgroup_freezer_rest freezer_look(struct task_struct *task,
				      struct cgroup_freezer *freezer,
				      unsigned int hold)
{
	enum cgroup_freezer_rest how = freezer_freeze_plain_sleep(task);

	if (unlikely(how == CGROUP_FREEZER_BUSY))
		how = freezer_look_closer(task, freezer, hold);
	return how;
}

/*
 * Close the door of @task, which is in the cgroup of @freezer.
 *
 *	CPU 0 (here)				CPU 1 (@task)
 *
 *	closed |= hold				[woken] on_rq = 1
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
 * clears that flag before it comes to the door, with a full barrier in between. The
 * door is closed ahead of the flag, so either the flag is still set after (A) or the
 * door is seen closed.
 *
 * A task that the other hierarchy holds is at rest already, and is not woken.
 *
 * Return: true if @task is at rest.
 */
static __always_inline bool freezer_close_door(struct task_struct *task,
					       struct cgroup_freezer *freezer,
					       unsigned int hold)
{
	u8 others = task->cgroup_freezer_closed;
	enum cgroup_freezer_rest how;

	WRITE_ONCE(task->cgroup_freezer_closed, others | BIT(hold));
	smp_mb__before_atomic();	/* a task that clears the flag sees it closed */
	set_tsk_thread_flag(task, TIF_NOTIFY_RESUME);
	smp_mb__after_atomic();	/* (A) pairs with (C) and (D) */

	how = freezer_look(task, freezer, hold);
	if (likely(how != CGROUP_FREEZER_BUSY)) {
		struct cgroup_freezer_task *door = &task->cgroup_freezer[hold];

		if (unlikely(others))
			how = freezer_how_for_both(task, hold, how);
		door->runtime = freezer_runtime(task); /* as freezer_note_runtime() */
		WRITE_ONCE(door->rest, how);
		freezer_trace_rest(task, freezer, how);
		return true;
	}

	freezer_task_busy(task, freezer, hold);
	kick_process(task);
	return false;
}

/*
 * Close the door of a task that has been added to its cgroup and has never run. It
 * needs no barrier on its way to the door: its first wake-up comes later, under locks
 * that the caller has yet to take.
 */
static inline void freezer_close_newborn(struct task_struct *task,
					 struct cgroup_freezer *freezer,
					 unsigned int hold)
{
	WRITE_ONCE(task->cgroup_freezer_closed,
		   task->cgroup_freezer_closed | BIT(hold));
	set_tsk_thread_flag(task, TIF_NOTIFY_RESUME);
	WRITE_ONCE(task->cgroup_freezer[hold].rest, CGROUP_FREEZER_ASLEEP);
	freezer_trace_rest(task, freezer, CGROUP_FREEZER_ASLEEP);
}

/*
 * Open the door of @task for one hierarchy, and if no other holds @task wake it if it
 * waits there, or in place.
 *
 *	CPU 0 (here)				CPU 1 (@task, __refrigerator())
 *
 *	closed &= ~hold				state = TASK_FROZEN
 *	(B) full barrier			(C) full barrier
 *	TASK_FROZEN? wake it			closed? schedule()
 *
 * Without the barriers both could read the old value, and @task would sleep on
 * with nobody left to wake it.
 *
 * A sleeper that was not frozen in place is not touched.
 *
 * The objection to a kill may go with this hierarchy. Then the killer and this CPU
 * both let @task go, or the one that comes last does:
 *
 *	CPU 0 (here)				CPU 1 (the killer)
 *
 *	closed &= ~hold				SIGKILL is pending
 *	(B) full barrier			(E) full barrier
 *	killed? let it go			does each one let it leave?
 *
 * Return: true if @task had to be woken.
 */
static __always_inline bool freezer_open_door(struct task_struct *task,
					      unsigned int hold)
{
	u8 others = task->cgroup_freezer_closed & ~BIT(hold);

	if (unlikely(task->cgroup_freezer[hold].account))
		freezer_task_rests(task, hold, CGROUP_FREEZER_BUSY);

	/* cgroup_freezer_hold() has to report again the next time */
	WRITE_ONCE(task->cgroup_freezer[hold].rest, CGROUP_FREEZER_BUSY);
	WRITE_ONCE(task->cgroup_freezer_closed, others);
	smp_mb();	/* (B) pairs with (C), (E) and (H) */
	if (unlikely(others)) {
		cgroup_freezer_kill(task);
		return false;
	}
	if (!(READ_ONCE(task->__state) & TASK_FROZEN))
		return false;

	return freezer_thaw_sleep(task);
}

#endif /* _KERNEL_CGROUP_FREEZER_DOOR_H */
