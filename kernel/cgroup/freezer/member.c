// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: a task becomes a member of a cgroup, moves, and dies
 *
 * The gates of fork, exec and move, and what cgroup core calls.
 */

#include <linux/freezer.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "door.h"
#include "freezer.h"

static void freezer_leave_gate(enum cgroup_freezer_gate gate)
{
	/* release: what was done behind the gate comes first */
	smp_store_release(&current->cgroup_freezer_gate,
			  current->cgroup_freezer_gate & ~gate);
}

/*
 * Fork, exec and move
 *
 * A closed door is also closed for calls that change the list of tasks.  A task that
 * is at rest asleep inside of fork() must not add a task to a FROZEN cgroup, and
 * one that is asleep inside of execve() must not kill the other threads of its
 * process and take the id of one of them. Nor must one that is asleep in a write to
 * cgroup.procs move a task. So there is a gate to each.
 *
 *	CPU 0 (freezer_close_door())		CPU 1 (the parent)
 *
 *	closed = 1				gate |= FORK, EXEC or MOVE
 *	(A) full barrier			(D) full barrier
 *	gate? then busy				closed? then start over
 *
 * At least one of them sees the other.  A fork that is past this point goes
 * through. Until the fork is over the parent is busy, hence the cgroup not FROZEN,
 * and the child is born with its door closed: by the pass if the pass finds the
 * child in the cgroup, else by cgroup_freezer_born().  An exec goes through as well, but
 * may wait for a tracer of one of the threads, and a move for a lock, so their time is
 * limited (freezer_look_closer()).
 */
static bool freezer_enter_gate(enum cgroup_freezer_gate gate)
{
	WRITE_ONCE(current->cgroup_freezer_gate,
		   current->cgroup_freezer_gate | gate);
	smp_mb();	/* (D) pairs with (A) */
	/* the task that suspends the system comes to no door, and stays busy */
	if (likely(!cgroup_freezer_closed(current)) ||
	    current->flags & PF_SUSPEND_TASK)
		return true;

	freezer_leave_gate(gate);
	return false;
}

/**
 * cgroup_freezer_can_fork - may %current add a task?
 * @child: the new task, which nobody else can see yet
 *
 * The gate is one for all hierarchies.
 *
 * Context: process context, may sleep.
 * Return: 0, and %current is busy until cgroup_freezer_forked(); -ERESTARTNOINTR if
 * its door is closed.
 */
int cgroup_freezer_can_fork(struct task_struct *child)
{
	/* a new task starts with an open door: what was copied is the parent's */
	child->cgroup_freezer_closed = 0;
	child->cgroup_freezer_gate = 0;
	child->cgroup_freezer_unsafe = 0;
	memset(child->cgroup_freezer, 0, sizeof(child->cgroup_freezer));
	/* it is not killed, as one that makes a worker may be, and suspends nothing */
	child->flags &= ~(PF_SIGNALED | PF_DUMPCORE | PF_SUSPEND_TASK);

	if (freezer_enter_gate(CGROUP_FREEZER_FORK))
		return 0;
	/*
	 * io_uring tries again, some time after the call that is under way. A
	 * signal would be an error of that call. The call that makes a submission
	 * thread is started over by io_uring itself.
	 */
	if (child->flags & PF_IO_WORKER) {
		set_notify_signal(current);
		return -ERESTARTNOINTR;
	}
	return cgroup_freezer_start_over();
}

/**
 * cgroup_freezer_begin_exec - may %current kill the other threads of its process?
 *
 * Context: process context, in execve() while that may still be started over.
 * Return: 0, and %current is busy until cgroup_freezer_end_exec();
 * -ERESTARTNOINTR if its door is closed.
 */
int cgroup_freezer_begin_exec(void)
{
	/* the first program of a kernel thread is not started by a call */
	if (thread_group_empty(current) || !current->mm ||
	    freezer_enter_gate(CGROUP_FREEZER_EXEC))
		return 0;
	return cgroup_freezer_start_over();
}

/**
 * cgroup_freezer_begin_move - may %current move or kill the tasks of a cgroup?
 *
 * By a file of that cgroup. Such a write sleeps for locks that all moves share, and must
 * not change the list of tasks of a FROZEN cgroup behind that. A worker of io_uring
 * could not start its request over, and is let through.
 *
 * Context: process context, in a write that has changed nothing yet.
 * Return: 0, and %current is busy until cgroup_freezer_end_move(); -ERESTARTNOINTR if
 * its door is closed.
 */
int cgroup_freezer_begin_move(void)
{
	if (freezer_enter_gate(CGROUP_FREEZER_MOVE) ||
	    current->flags & PF_IO_WORKER)
		return 0;
	return cgroup_freezer_start_over();
}

/**
 * cgroup_freezer_end_move - the counterpart of cgroup_freezer_begin_move()
 *
 * Context: any.
 */
void cgroup_freezer_end_move(void)
{
	freezer_leave_gate(CGROUP_FREEZER_MOVE);
}

/**
 * cgroup_freezer_begin_exit - %current dies, and comes to no further door
 *
 * do_exit() has its last door ahead of this, behind the last stop for a tracer and
 * the last sleep of the system call, if it was one. From here on the task is on its
 * way out: if it were at rest in one of the sleeps to come it would leave a FROZEN
 * cgroup, for example when it gets past cgroup_threadgroup_change_begin(), which
 * waits while somebody moves tasks. A look that finds the task off the run queue in
 * such a sleep finds this, too.
 *
 * A process that exits already is sent a SIGKILL only to let its threads go from their
 * last door (kill_frozen_threads()). That signal is taken from the queue, as
 * get_signal() takes that of any other process, since the sleeps to come are not to
 * end for it. Behind the gate none is sent: siglock keeps the two apart, and where the
 * door is open the two barriers,
 *
 *	CPU 0 (kill_frozen_threads())		CPU 1 (here)
 *
 *	closed? send it				gate |= EXIT
 *	full barrier				full barrier
 *	gate of exit? do not			closed? take it, under siglock
 *
 * A task that dies of an oops may hold locks, and calls this first: it comes to no
 * door.
 *
 * Context: process context.
 */
void cgroup_freezer_begin_exit(void)
{
	struct sighand_struct *sighand = freezer_own_sighand();
	u8 gate = current->cgroup_freezer_gate | CGROUP_FREEZER_EXIT;

	WRITE_ONCE(current->cgroup_freezer_gate, gate);
	smp_mb();	/* pairs with that in kill_frozen_threads() */
	if (likely(!cgroup_freezer_closed(current) &&
		   !__fatal_signal_pending(current)))
		return;

	spin_lock_irq(&sighand->siglock);
	if (current->signal->flags & SIGNAL_GROUP_EXIT) {
		/* the barrier above pairs with smp_rmb() in freezer_is_leaving(), too */
		sigdelset(&current->pending.signal, SIGKILL);
		recalc_sigpending();
	}
	spin_unlock_irq(&sighand->siglock);
}

/**
 * freezer_begin_unshare - may %current go to a cgroup that is made for it?
 *
 * The same gate as that of fork: the list of tasks of a FROZEN cgroup stands.
 *
 * Context: process context, in unshare() while that may still be started over.
 * Return: 0, and %current is busy until cgroup_freezer_forked(); -ERESTARTNOINTR if
 * its door is closed.
 */
int freezer_begin_unshare(void)
{
	if (freezer_enter_gate(CGROUP_FREEZER_FORK))
		return 0;
	return cgroup_freezer_start_over();
}

/**
 * cgroup_freezer_born - there is a new task
 * @child: the task, which has been added to its css_set and does not run yet
 *
 * If the flags of its cgroup do not say freezing yet, the pass after they are set
 * finds @child. Otherwise it is at rest from its birth: it is on no run queue, and
 * when it is woken the first thing on its way is the door. So a task that is cloned
 * into a FROZEN cgroup leaves the cgroup FROZEN. A thread that works in the kernel
 * comes to its door in its own time.
 *
 * A new thread that is killed before its door is closed dies as one that was let go
 * (__cgroup_freezer_kill()). Here, or where the killer is:
 *
 *	CPU 0 (the killer)			CPU 1 (here)
 *
 *	SIGKILL is pending			closed |= hold
 *	full barrier, in the wake-up		(E) full barrier
 *	closed? let it go			killed? let it go
 *
 * Context: css_set_lock held, since @child was added.
 */
void cgroup_freezer_born(struct task_struct *child)
{
	unsigned int hold;

	lockdep_assert_held(&css_set_lock);

	for_each_freezer_hold(hold) {
		struct cgroup_freezer *freezer = task_freezer(child, hold);

		if (likely(!(freezer->flags & FREEZER_FREEZING)))
			continue;
		if (child->flags & (PF_KTHREAD | PF_USER_WORKER | PF_IO_WORKER))
			freezer_conform(child, hold);
		else
			freezer_close_newborn(child, freezer, hold);
	}
	cgroup_freezer_kill(child);
}

/**
 * cgroup_freezer_forked - the fork, or the unshare, is over, with success or without
 *
 * Does nothing if %current is not behind the gate.
 *
 * Context: process context; if there is a new task cgroup_freezer_born() was called.
 */
void cgroup_freezer_forked(void)
{
	/* only now may the parent count as at rest */
	freezer_leave_gate(CGROUP_FREEZER_FORK);
}

/*
 * @task dies, and no pass finds @task any more, so it does not become busy again.
 * Called where the task leaves its css_set and not from cgroup_subsys::exit,
 * since that callback comes long before on some kernels.
 */
void __cgroup_freezer_left(struct task_struct *task)
{
	unsigned int hold;

	for_each_freezer_hold(hold) {
		if (task->cgroup_freezer[hold].account)
			freezer_task_rests(task, hold, CGROUP_FREEZER_EXITED);
	}
}

/*
 * Migration
 *
 * A task changes its css_set and with it, under the same css_set_lock, its door
 * and its account: cgroup_freezer_moved() is called for each move, also for
 * one in another hierarchy, which changes no cgroup of ours. A pass lets go of
 * css_set_lock now and then and may miss such a task, since the tasks of a
 * cgroup are listed by css_set:
 *
 *	CPU 0 (freezer_pass())			CPU 1 (cgroup_migrate_execute())
 *
 *	the flags of the cgroup change
 *	all of css_set X, some of Y, unlock
 *						lock, a task from Y to X, and
 *						its door as the flags say, unlock
 *	lock, the rest of Y
 *
 * The flags change before the pass begins, under css_set_lock. So each task has
 * been met by the pass, or was moved after that, and its move has set its door.
 *
 * The checkpoint guard refuses moves between cgroups (can_attach), and waits for
 * a migration that began before the guard was taken.
 */

/* The account and the door of @task in one hierarchy. */
static void freezer_task_moved(struct task_struct *task, unsigned int hold)
{
	struct cgroup_freezer_task *door = &task->cgroup_freezer[hold];
	struct cgroup_freezer *freezer = task_freezer(task, hold);
	struct freezer_account *from = door->account;

	if (freezer_task_is_in_flight(task, hold)) {
		/* this attempt on a guard no longer concerns the task */
		if (!cgroup_is_descendant(freezer_cgroup(freezer),
					  freezer_cgroup(from->freezer)))
			freezer_task_rests(task, hold, door->rest);
	} else if (from && freezer->flags & FREEZER_FREEZING) {
		if (from->freezer != freezer)
			freezer_task_changes_account(task, freezer);
	}
	/* @task comes here to die: not in a group that somebody has found FROZEN */
	if (unlikely(freezer->flags & FREEZER_FREEZING &&
		     !freezer_is_closed_by(task, hold) &&
		     freezer_is_leaving(task))) {
		freezer->grace_ns = ktime_get_ns() + FREEZER_EXIT_NS;
		freezer_note_let_go(task);
	}
	freezer_conform(task, hold);
}

/*
 * The pass of an attempt on a guard may have missed @task. If that guard is granted
 * by now, @task is quiescent.
 */
static void freezer_quiesce_moved(struct task_struct *task, unsigned int hold)
{
	struct cgroup_freezer *freezer = task_freezer(task, hold);

	for (; freezer; freezer = parent_freezer(freezer)) {
		if (freezer->attempt)
			freezer->attempt->quiesce(task, freezer->attempt);
	}
}

/**
 * cgroup_freezer_moved - a task has another css_set
 * @task: the task
 *
 * For every move, also one that changes no cgroup of the freezer: a walk over the
 * tasks of a cgroup may have missed @task between the two.
 *
 * Context: css_set_lock held since the css_set was changed.
 */
void cgroup_freezer_moved(struct task_struct *task)
{
	unsigned int hold;

	lockdep_assert_held(&css_set_lock);

	for_each_freezer_hold(hold)
		freezer_task_moved(task, hold);
	/* the new cgroup may be killable where the old one was not */
	cgroup_freezer_kill(task);
	cgroup_freezer_retry_trap(task);
	for_each_freezer_hold(hold)
		freezer_quiesce_moved(task, hold);
}
