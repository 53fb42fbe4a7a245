// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: the tasks that are not quiescent, and their way there
 */

#include <linux/freezer.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "guard.h"

/*
 * The guard is one of cgroup v1.
 *
 * Put @task on the account of @freezer. On its next way to the door @task reports,
 * even if it has reported before, see cgroup_freezer_hold(). A task that has
 * reported there, and is still on its CPU, does not report once more:
 *
 *	CPU 0 (the writer of FROZEN)		CPU 1 (the last task to park)
 *
 *						state = TASK_FROZEN
 *						rest = PARKED, and so FROZEN
 *	asks for the guard
 *	runnable? it is in flight
 *						schedule()
 *	off the run queue? it is not
 *
 * So PARKED stays: otherwise @task would look frozen in place, in a system call,
 * and a tracer could not stop @task under the guard. If @task does leave the
 * refrigerator for a stop, freezer_stops() takes PARKED away.
 */
static void freezer_await_task(struct task_struct *task,
			       struct cgroup_freezer *freezer)
{
	struct cgroup_freezer_task *door = &task->cgroup_freezer[CGROUP_FREEZER_V1];

	lockdep_assert_held(&css_set_lock);

	if (door->account == &freezer->in_flight)
		return;
	/* only one that suspends the system: no guard while it is busy */
	if (freezer_task_is_busy(task, CGROUP_FREEZER_V1))
		return;
	/* left over from a guard above or below that was not granted */
	if (door->account)
		freezer_task_rests(task, CGROUP_FREEZER_V1, door->rest);

	if (door->rest != CGROUP_FREEZER_PARKED)
		WRITE_ONCE(door->rest, CGROUP_FREEZER_ASLEEP);
	freezer_task_in_flight(task, freezer);
}

/*
 * End an interruptible sleep of @task, whose door is closed: by a fake signal, as
 * the system freezer does, the system call ends early or is restarted. A thread
 * that works for user space in the kernel would report that as an error, so such a
 * thread is merely woken, and sleeps again unless it is idle. A core dump would end
 * where it is, and is left alone: the dumper comes to a door by itself.
 */
static void freezer_wake_to_door(struct task_struct *task)
{
	struct sighand_struct *sighand;
	unsigned long flags;

	if (!(READ_ONCE(task->__state) & TASK_INTERRUPTIBLE) ||
	    READ_ONCE(task->flags) & PF_DUMPCORE)
		return;

	if (READ_ONCE(task->flags) & PF_USER_WORKER) {
		wake_up_state(task, TASK_INTERRUPTIBLE);
		return;
	}
	sighand = lock_task_sighand(task, &flags);
	if (!sighand)
		return;
	signal_wake_up(task, 0);
	spin_unlock_irqrestore(&sighand->siglock, flags);
}

/**
 * freezer_quiesce_task - account for a task, and bring it to its door if need be
 * @task: the task
 * @data: the attempt on the guard, struct freezer_attempt
 *
 * Context: css_set_lock held.
 * Return: the cost, for css_task_iter_batch().
 */
unsigned int freezer_quiesce_task(struct task_struct *task, void *data)
{
	struct cgroup_freezer_task *door = &task->cgroup_freezer[CGROUP_FREEZER_V1];
	struct freezer_attempt *attempt = data;
	enum cgroup_freezer_rest how;

	if (!freezer_is_closed_by(task, CGROUP_FREEZER_V1))
		return 1;

	/* data_race: only exit clears it, and then the answer does not matter */
	if (unlikely(data_race(task->files) == attempt->files))
		WRITE_ONCE(attempt->shared, true);

	/* a tracer wakes a parked one itself; in a uprobe's step that goes back to sleep */
	if (door->rest != CGROUP_FREEZER_PARKED)
		cgroup_freezer_retry_trap(task);
	how = freezer_freeze_task(task);
	if (how == CGROUP_FREEZER_IN_PLACE && !freezer_wants_to_leave(task) &&
	    !freezer_is_traced_now(task)) {
		if (door->rest == CGROUP_FREEZER_PARKED)
			how = CGROUP_FREEZER_PARKED;
		if (door->account)
			freezer_task_rests(task, CGROUP_FREEZER_V1, how);
		else
			WRITE_ONCE(door->rest, how);
		return 1;
	}

	freezer_await_task(task, attempt->freezer);
	if (unlikely(freezer_wants_to_leave(task)))
		cgroup_freezer_kill(task);
	else if (how == CGROUP_FREEZER_ASLEEP &&
		 !freezer_is_past_last_door(task))
		freezer_wake_to_door(task);
	return FREEZER_WAKE_COST;
}

/**
 * freezer_quiesce_in_flight - look once at each task that an attempt waits for
 * @attempt: the attempt
 *
 * Context: process context, may sleep; the cgroup must not go away.
 */
void freezer_quiesce_in_flight(struct freezer_attempt *attempt)
{
	spin_lock_irq(&css_set_lock);
	freezer_look_through(&attempt->freezer->in_flight, freezer_quiesce_task,
			     attempt);
	spin_unlock_irq(&css_set_lock);
}
