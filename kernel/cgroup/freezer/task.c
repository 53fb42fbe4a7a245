// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: a task and its door
 *
 * The tasks that leave without a thaw, the way of a task to rest at its door, and
 * its ways from there.
 */

#include <linux/freezer.h>
#include <linux/oom.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "door.h"
#include "freezer.h"

/*
 * Tasks that leave
 */

/**
 * freezer_is_past_last_door - does a task come to no further door?
 * @task: the task
 *
 * A task on its way through exit comes to no further door.  A thaw could not find
 * such a task if it were frozen in place: it leaves the list of tasks of its cgroup
 * in do_exit(), and sleeps after that, for example the init of a pid namespace until
 * its last child is gone.
 *
 * A thread that works for user space in the kernel learns of its death from
 * get_signal(), and cleans up then, with locks held that its process needs.
 *
 * Context: any.
 * Return: %true if it does not.
 */
bool freezer_is_past_last_door(struct task_struct *task)
{
	return unlikely(cgroup_freezer_is_exiting(task)) ||
	       unlikely((READ_ONCE(task->flags) &
			 (PF_SIGNALED | PF_USER_WORKER)) ==
			(PF_SIGNALED | PF_USER_WORKER));
}

/*
 * Was @task killed?  get_signal() clears the SIGKILL when it acts on the kill, and
 * sets PF_SIGNALED before that, so that one of the two is seen:
 *
 *	CPU 0 (here)				CPU 1 (@task, get_signal())
 *
 *	SIGKILL pending?			PF_SIGNALED
 *	smp_rmb()				smp_wmb()
 *	PF_SIGNALED?				SIGKILL is not pending
 *
 * Between PF_SIGNALED and exit there are a ptrace stop, and the wait of the threads
 * of a process for its core dump. A second reason to leave ends both, as it ends
 * the sleep of a task that is yet to take its SIGKILL. The dump itself is work of
 * the group, and only a SIGKILL ends the dump.
 */
static bool freezer_was_killed(struct task_struct *task)
{
	if (__fatal_signal_pending(task))
		return true;
	smp_rmb();	/* pairs with smp_wmb() in get_signal() */
	return (READ_ONCE(task->flags) & (PF_SIGNALED | PF_DUMPCORE)) ==
	       PF_SIGNALED;
}

/**
 * freezer_wants_to_leave - is a task killed that does not wait for the thaw?
 * @task: the task
 *
 * A signal waits for the thaw. On cgroup v1 a fatal one does, too, and only three
 * kinds of killed tasks leave and die without a thaw:
 *
 *  - the threads that an exec of their own process kills: otherwise the exec
 *    would wait for the thaw, even one by a thread that was moved to a cgroup
 *    that is not frozen;
 *  - an OOM victim, which has to give its memory back, with all its threads;
 *  - every one whose own cgroup has freezer.killable on.
 *
 * One that only cgroup v2 holds always leaves, and of two hierarchies the stricter wins.
 *
 * They get no further than to do_exit().  Only get_signal() clears the pending
 * SIGKILL, and TIF_SIGPENDING with it, and user mode is not entered with
 * TIF_SIGPENDING set.  In the single step of a probe that flag is put off, and the
 * step is aborted first (uprobe_deny_signal()), so it is the SIGKILL that counts.  If
 * killable is turned off meanwhile, or the task is moved, the task gets as far as
 * get_signal(), which has a door in front.
 *
 * The account of a task that was at rest stays as it is until the task has exited,
 * so a cgroup that is FROZEN stays so, which is true: the task runs no user
 * instruction, and does not fork.  A cgroup that is FREEZING is another matter.
 * A member may be the killer, as an exec is, and the list of tasks that
 * somebody reads when the group is FROZEN must not change any more.  So the
 * killed task is counted as busy once more (freezer_recount()).
 *
 * Context: any.
 * Return: %true if so; a guard may still keep @task.
 */
bool freezer_wants_to_leave(struct task_struct *task)
{
	return unlikely(freezer_was_killed(task)) &&
	       (READ_ONCE(task->signal->group_exec_task) ||
		tsk_is_oom_victim(task) || __cgroup_freezer_is_killable(task));
}

/* Under a checkpoint guard all but OOM victims wait until the guard is given back. */
static bool freezer_may_leave(struct task_struct *task)
{
	return unlikely(freezer_wants_to_leave(task)) &&
	       (tsk_is_oom_victim(task) || !freezer_is_sealed(task));
}

/**
 * freezer_freeze_task - freeze a task in place if its sleep can be frozen
 * @task: the task; its door has been closed, with a full barrier since then
 *
 * Context: css_set_lock held.
 * Return: how @task is at rest, or %CGROUP_FREEZER_BUSY if it is runnable.
 */
enum cgroup_freezer_rest freezer_freeze_task(struct task_struct *task)
{
	lockdep_assert_held(&css_set_lock);

	return freezer_freeze_sleep(task);
}

/**
 * freezer_is_leaving - does a task go on without a thaw, wherever it sleeps?
 * @task: the task
 *
 * A task that exits takes back the SIGKILL that has let it go from its last door:
 *
 *	CPU 0 (here)				CPU 1 (cgroup_freezer_begin_exit())
 *
 *	gate of exit?				gate |= EXIT
 *						smp_mb()
 *	SIGKILL pending?			SIGKILL is not pending
 *	smp_rmb()
 *	gate of exit?
 *
 * Context: any.
 * Return: %true if it does.
 */
bool freezer_is_leaving(struct task_struct *task)
{
	if (freezer_is_past_last_door(task) ||
	    READ_ONCE(task->cgroup_freezer_gate) &
			(CGROUP_FREEZER_EXEC | CGROUP_FREEZER_MOVE) ||
	    freezer_may_leave(task))
		return true;
	smp_rmb();	/* pairs with smp_mb() in cgroup_freezer_begin_exit() */
	return cgroup_freezer_is_exiting(task);
}

/**
 * freezer_conform - make the door of a task match the state of its cgroup
 * @task: the task
 * @hold: in which hierarchy
 *
 * Safe to repeat, and the last caller wins, since the flags of a cgroup and the
 * membership of its tasks change under css_set_lock.
 *
 * Context: css_set_lock held.
 */
void freezer_conform(struct task_struct *task, unsigned int hold)
{
	struct cgroup_freezer *freezer = task_freezer(task, hold);

	lockdep_assert_held(&css_set_lock);

	if (!(freezer->flags & FREEZER_FREEZING)) {
		if (freezer_is_closed_by(task, hold))
			freezer_open_door(task, hold);
	} else if (!freezer_is_closed_by(task, hold) &&
		   !(task->flags & PF_KTHREAD)) {
		freezer_close_door(task, freezer, hold);
	}
}

/*
 * The door, from the side of the task
 */

/* The rest of cgroup_frozen(), for a task whose door is closed. */
bool __cgroup_frozen(struct task_struct *task)
{
	return !freezer_is_past_last_door(task) && !freezer_may_leave(task);
}

/**
 * cgroup_freezer_sync - wait until the thaws under way have let their tasks go
 *
 * For the system freezer, before its first look at a task. From then on a thaw sees
 * everything that the caller has written before, see freezer_thaw_sleep().
 *
 * Context: any that may take css_set_lock.
 */
void cgroup_freezer_sync(void)
{
	spin_lock_irq(&css_set_lock);
	spin_unlock_irq(&css_set_lock);
}

/*
 *	CPU 0 (the killer)			CPU 1 (@task, __refrigerator())
 *
 *	SIGKILL is pending			state = TASK_FROZEN
 *	(E) full barrier			(C) full barrier
 *	TASK_FROZEN? wake it			killed? schedule()
 *
 * An OOM victim is killed before it is marked as a victim, and a kill may come
 * before killable is turned on.  Then the CPU that does the last of the two is
 * the killer; if they come at the same time on two CPUs,
 *
 *	CPU 0 (the killer)			CPU 1 (freezer_killable_write())
 *
 *	SIGKILL is pending			killable = 1
 *	(E) full barrier			(E) full barrier
 *	killable? wake it			killed? wake it
 *
 * at least one of them sees both, and the table above is about that one.  The
 * same goes for a task that is moved to a killable cgroup
 * (cgroup_freezer_moved()).
 */
void __cgroup_freezer_kill(struct task_struct *task)
{
	smp_mb();	/* (E) pairs with (C), (F) and (H), and with itself */
	if (!freezer_may_leave(task))
		return;

	if (tsk_is_oom_victim(task))
		freezer_tear(task);
	freezer_note_let_go(task);
	freezer_thaw_killed(task);
}

/*
 * %current has frozen the rest of the system, and is the only task that can thaw
 * the system again, so it must never wait for a thaw.  In the kernel %current is
 * busy until it has resumed the system (freezer_is_off_queue()), but it may also be
 * in user mode meanwhile, with /dev/snapshot.  If %current was at rest before it
 * began, its cgroup is no longer FROZEN when it gets to user mode.
 */
static void freezer_suspender_passes(void)
{
	unsigned int hold;

	spin_lock_irq(&css_set_lock);
	for_each_freezer_hold(hold) {
		struct cgroup_freezer_task *door = &current->cgroup_freezer[hold];

		/* from an attempt on the checkpoint guard that failed, or will */
		if (freezer_task_is_in_flight(current, hold))
			freezer_task_rests(current, hold, door->rest);
		if (freezer_is_closed_by(current, hold) && !door->account)
			freezer_task_busy(current, task_freezer(current, hold),
					  hold);
	}
	spin_unlock_irq(&css_set_lock);
}

/* Has @task reported as parked to each hierarchy that holds it? */
static bool freezer_is_parked(struct task_struct *task)
{
	unsigned int hold;

	for_each_freezer_hold(hold) {
		if (freezer_is_closed_by(task, hold) &&
		    READ_ONCE(task->cgroup_freezer[hold].rest) !=
		    CGROUP_FREEZER_PARKED)
			return false;
	}
	return true;
}

/*
 * Tracers
 *
 * A tracer may stop a task that is at rest.  The task is woken if it is parked
 * or in place, as by a fatal signal, and goes to the door, where it takes the
 * stop instead of waiting (__cgroup_freezer_door()).  When the tracer lets go the
 * task comes back to the door, from wherever the stop was: there is a door behind
 * each kind of stop (get_signal(), ptrace_notify(), do_exit()).
 *
 *	CPU 0 (the tracer)			CPU 1 (@task, __refrigerator())
 *
 *	a trap is pending			state = TASK_FROZEN
 *	(E) full barrier			(C) full barrier
 *	TASK_FROZEN? wake it			a trap? schedule()
 *
 * All the time @task is at rest for its cgroup: it only runs in the kernel, from
 * its sleep to the door, as if its sleep had ended by itself.
 *
 * @task may finish its system call on that way, so under a checkpoint guard a task
 * that is in place stays there, and the trap waits until the guard is given
 * back. A task that is parked has no system call to finish. Nor has one in a job
 * control stop, which has JOBCTL_TRAPPING set: its tracer waits, within
 * PTRACE_ATTACH or PTRACE_SEIZE, until the task has changed over to the other stop.
 *
 *	CPU 0 (the tracer)			CPU 1 (@task, __refrigerator())
 *
 *	a trap is pending			it is parked
 *	(E) full barrier			(I) full barrier
 *	parked? wake it				a trap? do not stay
 */
static bool freezer_may_trap(struct task_struct *task)
{
	return freezer_is_parked(task) ||
	       READ_ONCE(task->jobctl) & JOBCTL_TRAPPING ||
	       !freezer_is_sealed(task);
}

void __cgroup_freezer_trap(struct task_struct *task)
{
	smp_mb();	/* (E) pairs with (C), (F) and (I) */
	if (ptrace_trap_pending(task) && freezer_may_trap(task))
		freezer_thaw_trapped(task);
}

/**
 * cgroup_freezer_retry_trap - wake a task for its tracer if the tracer waits for a stop
 * @task: the task; under the seal it is not woken
 *
 * Context: any that may take @task's siglock.
 */
void cgroup_freezer_retry_trap(struct task_struct *task)
{
	struct sighand_struct *sighand;
	unsigned long flags;

	/* data_race: a tracer not seen here sees the seal, or that it is off */
	if (likely(!data_race(READ_ONCE(task->ptrace))))
		return;
	sighand = lock_task_sighand(task, &flags);
	if (!sighand)
		return;
	cgroup_freezer_trap(task);
	spin_unlock_irqrestore(&sighand->siglock, flags);
}

/**
 * freezer_is_traced_now - does a tracer work on a task that has stopped for it?
 * @task: the task
 *
 * Under a guard the tracer may read along. siglock is needed, see
 * __cgroup_freezer_checkpointing().
 *
 * Context: any, the siglock of @task not held.
 * Return: %true if so.
 */
bool freezer_is_traced_now(struct task_struct *task)
{
	struct sighand_struct *sighand;
	unsigned long flags;
	bool traced;

	sighand = lock_task_sighand(task, &flags);
	if (!sighand)
		return false;
	traced = task->jobctl & JOBCTL_PTRACE_FROZEN;
	spin_unlock_irqrestore(&sighand->siglock, flags);

	return traced;
}

/**
 * cgroup_freezer_stays - does %current have to stay frozen for its cgroup?
 *
 * __refrigerator() asks once more when it has taken its last lock. Where a
 * spinlock sleeps (PREEMPT_RT) %current waits for it in another state, from which
 * TASK_FROZEN is restored afterwards:
 *
 *	CPU 0 (the thaw, a killer, a tracer)	CPU 1 (%current, __refrigerator())
 *
 *						state = TASK_FROZEN
 *						(C) full barrier
 *						closed? stay, and report
 *						state = TASK_RTLOCK_WAIT
 *	closed = 0
 *	(B) full barrier
 *	TASK_FROZEN? no
 *						state = TASK_FROZEN
 *						(C) full barrier
 *						closed? no, go
 *
 * Context: %current has set its state to TASK_FROZEN.
 * Return: %true if it has to stay.
 */
bool cgroup_freezer_stays(void)
{
	smp_mb();	/* (C) pairs with (A), (B) and (E) */
	return cgroup_frozen(current) && !ptrace_trap_pending(current);
}

/**
 * cgroup_freezer_hold - does the cgroup of %current want it to stay frozen?
 *
 * The condition on which __refrigerator() keeps a task, apart from the system
 * freezer's.  Reports %current as parked.
 *
 * Context: %current has set its state to TASK_FROZEN; takes css_set_lock.
 * Return: %true if %current has to stay.
 */
bool cgroup_freezer_hold(void)
{
	if (!cgroup_freezer_stays())
		return false;

	if (unlikely(current->flags & PF_SUSPEND_TASK)) {
		freezer_suspender_passes();
		return false;
	}

	if (!freezer_is_parked(current)) {
		unsigned int hold;

		spin_lock_irq(&css_set_lock);
		for_each_freezer_hold(hold) {
			struct cgroup_freezer_task *door =
				&current->cgroup_freezer[hold];

			if (door->account)
				freezer_task_rests(current, hold,
						   CGROUP_FREEZER_PARKED);
			else if (freezer_is_closed_by(current, hold))
				WRITE_ONCE(door->rest, CGROUP_FREEZER_PARKED);
		}
		spin_unlock_irq(&css_set_lock);

		smp_mb();	/* (I) pairs with (E) */
		if (ptrace_trap_pending(current))
			return false;
	}

	return true;
}

/**
 * cgroup_freezer_is_busy - is %current on its way to rest?
 *
 * A SIGSTOP to a task that is at rest waits for the thaw, see get_signal().
 *
 * Context: process context, takes css_set_lock.
 * Return: %true if its door is closed and it is busy for each hierarchy that has closed
 * it, and that is so until it sleeps, or the door is opened.
 */
bool cgroup_freezer_is_busy(void)
{
	bool busy = cgroup_freezer_closed(current);
	unsigned int hold;

	spin_lock_irq(&css_set_lock);
	for_each_freezer_hold(hold) {
		if (freezer_is_closed_by(current, hold) &&
		    !freezer_task_is_busy(current, hold))
			busy = false;
	}
	spin_unlock_irq(&css_set_lock);

	return busy;
}

/* The rest of cgroup_freezer_sleep(), which schedule() calls. */
void __cgroup_freezer_sleep(void)
{
	freezer_freeze_current();
}

/* A stop is a rest in place, for freezer.stat, until %current is back. */
static void freezer_stops(void)
{
	unsigned int hold;

	spin_lock_irq(&css_set_lock);
	for_each_freezer_hold(hold) {
		if (freezer_is_closed_by(current, hold) &&
		    !freezer_task_is_busy(current, hold))
			WRITE_ONCE(current->cgroup_freezer[hold].rest,
				   CGROUP_FREEZER_IN_PLACE);
	}
	spin_unlock_irq(&css_set_lock);
}

/*
 * The loop is needed only after a stop for a tracer, when the door may still be
 * closed.  If the door is closed again before %current gets away from
 * __refrigerator(), %current stays there; and if it is closed later that sets
 * TIF_NOTIFY_RESUME.
 */
void __cgroup_freezer_door(void)
{
	if (freezer_is_past_last_door(current))
		return;

	do {
		__refrigerator(false);
		if (!cgroup_frozen(current) || current->flags & PF_SUSPEND_TASK)
			return;
		freezer_stops();
		ptrace_trap_frozen();
	} while (cgroup_frozen(current));
}

/*
 * %current may have lost its CPU since it has looked at its flags, and a signal may have
 * come. It may be one that stops %current before it is frozen, see get_signal(),
 * which comes first then. A task that is at rest takes no way but that through the door.
 *
 * On arc the registers that a tracer may change are saved on the way to get_signal() and
 * not on the way here, so the stop for a tracer is there. A user worker has none.
 *
 * The flag leads back to this door: get_signal() has a way out ahead of its own.
 */
void __cgroup_freezer_user_door(void)
{
	bool stops_later = IS_ENABLED(CONFIG_ARC) && !(current->flags & PF_USER_WORKER);

	if (task_sigpending(current) && cgroup_freezer_is_busy())
		set_thread_flag(TIF_NOTIFY_RESUME);
	else if (!stops_later)
		__cgroup_freezer_door();
	else if (__cgroup_freezer_call_door())
		set_thread_flag(TIF_NOTIFY_RESUME);
}

/*
 * A task that waits here is parked, and goes on in its system call. If it is killed and
 * may leave it does nothing more there, and for a tracer it ends the call.
 */
bool __cgroup_freezer_call_door(void)
{
	if (freezer_is_past_last_door(current))
		return false;

	do {
		__refrigerator(false);
	} while (cgroup_frozen(current) && !ptrace_trap_pending(current) &&
		 !(current->flags & PF_SUSPEND_TASK));

	return ptrace_trap_pending(current) || fatal_signal_pending(current);
}

/**
 * cgroup_freezer_start_over - let %current come to its door and repeat its call
 *
 * By TIF_SIGPENDING and not by TIF_NOTIFY_SIGNAL: some architectures do not look at
 * that flag where they restart a call, and others serve it without a look at the
 * door.
 *
 * Context: process context, in a system call that has changed nothing yet.
 * Return: -ERESTARTNOINTR, which the system call has to return.
 */
int cgroup_freezer_start_over(void)
{
	struct sighand_struct *sighand = freezer_own_sighand();

	spin_lock_irq(&sighand->siglock);
	set_thread_flag(TIF_SIGPENDING);
	spin_unlock_irq(&sighand->siglock);
	return -ERESTARTNOINTR;
}

/**
 * freezer_interrupted - what ended the interruptible sleep of %current?
 *
 * The system freezer, a debugger and task_work end the sleep of a writer by the
 * same means as a signal does.  They must not be visible to the writer, nor must a
 * suspend that was given up meanwhile.
 *
 * Context: process context.
 * Return: -EINTR for a signal, else -ERESTARTNOINTR, with the door ahead.
 */
int freezer_interrupted(void)
{
	struct sighand_struct *sighand = freezer_own_sighand();
	bool signalled;

	spin_lock_irq(&sighand->siglock);
	signalled = !freezing(current) &&
		    (next_signal(&current->pending, &current->blocked) ||
		     next_signal(&current->signal->shared_pending,
				 &current->blocked));
	spin_unlock_irq(&sighand->siglock);

	return signalled ? -EINTR : cgroup_freezer_start_over();
}
