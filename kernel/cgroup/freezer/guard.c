// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: the checkpoint guard
 *
 * A program that reads the tasks of a FROZEN cgroup must be sure that nobody thaws,
 * moves or kills one meanwhile, and that no system call of theirs is still under
 * way. The state CHECKPOINTING says so. It is entered from FROZEN and left to
 * FROZEN, and lasts for as long as its one holder wants: an open file of
 * freezer.checkpoint, or code of the kernel between
 * cgroup_freezer_begin_checkpoint() and cgroup_freezer_end_checkpoint().
 *
 * A cgroup that has a holder is guarded, with all cgroups below it. A cgroup and its
 * ancestor cannot both have a holder; the state of those below stays FROZEN.
 *
 * Quiescence
 * ----------
 *
 * A task of a FROZEN cgroup is quiescent when it is parked or frozen in place.
 * Otherwise it was seen asleep, and may finish a system call in the kernel at
 * any time. The guard is granted when all tasks are quiescent:
 *
 *  - no task is added meanwhile: nobody forks in a FROZEN cgroup, and from the
 *    beginning (FREEZER_GUARDED) none is moved into the subtree or out of it;
 *  - a task that is quiescent stays so until the thaw, with two exceptions: a
 *    killed task may leave, see freezer_wants_to_leave(), and a tracer may stop
 *    a task, see __cgroup_freezer_trap(). While FREEZER_SEALED is set no killed
 *    task leaves, unless it is an OOM victim, which tears the checkpoint, and
 *    none stops that would have to finish a system call.
 *
 * The memory of a killed process can be taken by process_mrelease() while it waits
 * for the thaw. Nothing stops process_mrelease(), but it leaves a mark in the memory
 * descriptor ahead of the first page that goes, and the holder reads "torn"
 * (freezer_guard_is_torn()).
 *
 * Hence one pass over the tasks with FREEZER_SEALED set that finds all of them
 * quiescent is enough: at its end they still are. If the pass finds others, these
 * are put on an account (in_flight), and the seal is taken off, so that an exec that
 * waits for its killed siblings makes progress. When the last one has reported, or
 * was seen to be quiescent, the pass is repeated.
 *
 *	CPU 0 (freezer_seal())			CPU 1 (the killer)
 *
 *	set FREEZER_SEALED			SIGKILL is pending
 *	(F) full barrier			(E) full barrier
 *	killed? then not quiescent		FREEZER_SEALED? let it stay
 *
 * At least one of them sees the other. freezer_unseal() is the same the other
 * way round: either the killer sees that the seal is off, or the pass finds the
 * killed task and lets it go.
 *
 *	CPU 0 (freezer_seal())			CPU 1 (the tracer, with siglock)
 *
 *						the task is traced
 *	set FREEZER_SEALED			a trap is pending
 *	(F) full barrier			(E) full barrier
 *	traced? take siglock			FREEZER_SEALED? let it stay
 *
 * At least one of them sees the other. If the tracer does not see the seal, the
 * task is awake by the time at which CPU 0 gets siglock, and CPU 0 finds it not
 * quiescent. When the seal comes off CPU 0 does the same, and retries a trap for
 * which the task was not woken (cgroup_freezer_retry_trap()).
 *
 * A task that sleeps interruptibly is brought to its door by a fake signal, as
 * the system freezer does; its system call may be restarted at the thaw. The
 * threads that work for user space in the kernel are only woken: their callers
 * would take a signal for an error. Tasks in other sleeps are waited for.
 *
 * Locks
 * -----
 *
 * As in freezer.h. A guard is granted under freezer_mutex, hence
 * not while a thaw is under way, and given back under css_set_lock alone. A waiter
 * for quiescence holds neither lock, but keeps the active protection of kernfs. The
 * removal of the cgroup waits for that with cgroup_mutex held, but not for long: a
 * cgroup is only removed without tasks, and then the waiter has no task to wait for.
 */

#include <linux/export.h>
#include <linux/freezer.h>
#include <linux/oom.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "guard.h"

/* The longest pause between two looks at the tasks that are not quiescent. */
#define FREEZER_LOOK_MAX_MS	10U

/* The holder that is not an open file. */
static const char kernel_holder[] = "kernel";

/*
 * Other code asks whether there is a guard
 */

/*
 *	CPU 0 (freezer_seal())			CPU 1 (the tracer)
 *
 *	set FREEZER_SEALED			set JOBCTL_PTRACE_FROZEN, with siglock
 *	(F) full barrier			(G) full barrier
 *	take siglock				FREEZER_SEALED? change nothing
 *	PTRACE_FROZEN? then not quiescent	else change the task
 *						clear it, with siglock
 *
 * At least one of them sees the other. If CPU 0 finds the flag cleared, siglock
 * has made visible all that CPU 1 has done to the task.
 */
bool __cgroup_freezer_checkpointing(struct task_struct *task)
{
	smp_mb();	/* (G) pairs with (F) */
	return freezer_is_sealed(task);
}

/**
 * cgroup_freezer_tear - a task changes although it may be guarded
 * @task: the task; the holder of the guard reads "torn" from now on
 *
 * Context: any, as long as @task cannot be released.
 */
void cgroup_freezer_tear(struct task_struct *task)
{
	freezer_tear(task);
}

/*
 * Taking the guard and giving it back
 */

static void freezer_set_guard(struct cgroup_freezer *freezer,
			      unsigned int guard)
{
	lockdep_assert_held(&css_set_lock);

	WRITE_ONCE(freezer->flags,
		   (freezer->flags & ~FREEZER_GUARD) | guard);
}

/* From here on nobody is moved, and nobody else gets a guard that overlaps. */
static int freezer_take_guard(struct freezer_attempt *attempt,
			      const void *holder)
{
	struct cgroup_freezer *freezer = attempt->freezer, *own, *pos;
	int ret = 0;

	spin_lock_irq(&css_set_lock);
	own = task_freezer(current, CGROUP_FREEZER_V1);
	/* a task of the group would wait for itself */
	if (!(freezer->flags & FREEZER_ONLINE))
		ret = -ENODEV;
	else if (freezer->state != CGROUP_FREEZER_FROZEN ||
		 freezer->nr_guards || freezer_is_guarded(freezer) ||
		 cgroup_is_descendant(freezer_cgroup(own), freezer_cgroup(freezer)))
		ret = -EBUSY;

	if (!ret) {
		freezer->attempt = attempt;
		attempt->generation = freezer->generation;
		attempt->migration = freezer_migrations & 1 ? freezer_migrations : 0;
		WRITE_ONCE(freezer->holder, holder);
		freezer_set_guard(freezer, FREEZER_GUARDED);
		for (pos = freezer; pos; pos = parent_freezer(pos))
			WRITE_ONCE(pos->nr_guards, pos->nr_guards + 1);
	}
	spin_unlock_irq(&css_set_lock);

	return ret;
}

static void freezer_give_back(struct cgroup_freezer *freezer)
{
	struct cgroup_freezer *pos;

	spin_lock_irq(&css_set_lock);
	WRITE_ONCE(freezer->holder, NULL);
	freezer->attempt = NULL;
	freezer_set_guard(freezer, 0);
	for (pos = freezer; pos; pos = parent_freezer(pos))
		WRITE_ONCE(pos->nr_guards, pos->nr_guards - 1);
	freezer_update(freezer);
	spin_unlock_irq(&css_set_lock);
}

/* Is the migration over that began before @attempt? */
static bool freezer_is_settled(struct freezer_attempt *attempt)
{
	return !attempt->migration ||
	       READ_ONCE(freezer_migrations) != attempt->migration;
}

/*
 * The outcome of @attempt, which is the condition of the wait and its end: 0 as long
 * as tasks are waited for, 1 if another pass is worth while, or an error.
 */
static int freezer_outcome(struct freezer_attempt *attempt)
{
	struct cgroup_freezer *freezer = attempt->freezer;
	enum freezer_state state = READ_ONCE(freezer->state);

	if (!(READ_ONCE(freezer->flags) & FREEZER_ONLINE))
		return -ENODEV;
	if (state == CGROUP_FREEZER_THAWED ||
	    READ_ONCE(freezer->generation) != attempt->generation)
		return -ECANCELED;
	if (state != CGROUP_FREEZER_FROZEN || READ_ONCE(attempt->shared))
		return -EBUSY;
	return !READ_ONCE(freezer->in_flight.nr) && freezer_is_settled(attempt);
}

/*
 * Grant the guard if all tasks are quiescent, else put those that are not on
 * the account of @attempt->freezer.
 */
static bool freezer_seal(struct freezer_attempt *attempt)
{
	struct cgroup_freezer *freezer = attempt->freezer;
	bool granted;

	lockdep_assert_held(&freezer_mutex);

	spin_lock_irq(&css_set_lock);
	/* left over from before the seal: such a change is complete by now */
	WRITE_ONCE(freezer->torn, false);
	freezer_set_guard(freezer, FREEZER_GUARDED | FREEZER_SEALED);
	spin_unlock_irq(&css_set_lock);

	smp_mb();	/* (F) pairs with (E) and (G) */
	freezer_visit(freezer, freezer_quiesce_task, attempt);

	spin_lock_irq(&css_set_lock);
	granted = freezer_outcome(attempt) > 0;
	if (granted) {
		freezer->attempt = NULL;
		freezer_set_guard(freezer, FREEZER_GUARD);
		freezer_update(freezer);
	}
	spin_unlock_irq(&css_set_lock);

	return granted;
}

/* Let those go that were killed under the seal. */
static void freezer_unseal(struct freezer_attempt *attempt)
{
	struct cgroup_freezer *freezer = attempt->freezer;

	spin_lock_irq(&css_set_lock);
	freezer_set_guard(freezer, FREEZER_GUARDED);
	spin_unlock_irq(&css_set_lock);

	smp_mb();	/* (F) pairs with (E) */
	freezer_visit(freezer, freezer_quiesce_task, attempt);
}

/*
 * Wait until no task is on the account of @attempt->freezer.
 *
 * A task that parks reports. One that falls asleep again does not, nor one that
 * is then frozen in place, so these are polled.
 */
static int freezer_wait_quiescent(struct freezer_attempt *attempt)
{
	struct cgroup_freezer *freezer = attempt->freezer;
	unsigned long pause = 1;
	int ret;

	while (!(ret = freezer_outcome(attempt))) {
		long left = attempt->deadline - jiffies;

		if (left <= 0)
			return -EBUSY;

		left = wait_event_interruptible_timeout(freezer->wait,
							freezer_outcome(attempt),
							min_t(long, left, pause));
		if (left < 0)
			return freezer_interrupted();
		if (left)
			continue;

		pause = min(pause * 2, msecs_to_jiffies(FREEZER_LOOK_MAX_MS));
		freezer_quiesce_in_flight(attempt);
	}

	return min(ret, 0);
}

/**
 * freezer_begin_checkpoint - make somebody the holder of the guard of a cgroup
 * @freezer: the cgroup
 * @holder: the holder
 * @wait: for tasks that are not quiescent, up to freezer.timeout_ms
 *
 * When this fails freezer.blockers keeps naming the tasks that were not quiescent,
 * until they are.
 *
 * Context: process context, may sleep.
 * Return: as cgroup_freezer_begin_checkpoint().
 */
int freezer_begin_checkpoint(struct cgroup_freezer *freezer,
			     const void *holder, bool wait)
{
	unsigned int timeout_ms = wait ? READ_ONCE(freezer->timeout_ms) : 0;
	struct freezer_attempt attempt = {
		.quiesce	= freezer_quiesce_task,
		.freezer	= freezer,
		.files		= current->files,
		.deadline	= freezer_deadline(timeout_ms),
	};
	int ret;

	mutex_lock(&freezer_mutex);
	ret = freezer_take_guard(&attempt, holder);
	if (ret)
		goto out;

	while (!freezer_seal(&attempt)) {
		freezer_unseal(&attempt);

		mutex_unlock(&freezer_mutex);
		ret = freezer_wait_quiescent(&attempt);
		mutex_lock(&freezer_mutex);

		/* a thaw may have come in between */
		ret = ret ?: min(freezer_outcome(&attempt), 0);
		if (!ret && time_after(jiffies, attempt.deadline))
			ret = -EBUSY;
		if (ret) {
			freezer_give_back(freezer);
			break;
		}
	}
out:
	mutex_unlock(&freezer_mutex);
	return ret;
}

/*
 * A task that was killed meanwhile, and may leave a FROZEN cgroup, leaves now, and a
 * tracer gets the stop that it has asked for.
 */
static unsigned int freezer_release_task(struct task_struct *task, void *data)
{
	cgroup_freezer_retry_trap(task);
	if (likely(!freezer_wants_to_leave(task)))
		return 1;
	cgroup_freezer_kill(task);
	return FREEZER_WAKE_COST;
}

/**
 * freezer_end_checkpoint - give the guard of a cgroup back
 * @freezer: the cgroup
 *
 * Context: process context, may sleep.
 */
void freezer_end_checkpoint(struct cgroup_freezer *freezer)
{
	freezer_give_back(freezer);

	smp_mb();	/* (F) pairs with (E) */
	freezer_visit(freezer, freezer_release_task, NULL);
}

/* Has the memory of @task been taken, as by process_mrelease()? */
static bool freezer_is_reaped(struct task_struct *task)
{
	bool reaped;

	task_lock(task);
	reaped = task->mm && check_stable_address_space(task->mm);
	task_unlock(task);
	return reaped;
}

/**
 * freezer_guard_is_torn - has a task left or changed under a guard?
 * @top: the cgroup whose guard it is
 *
 * Context: process context, may sleep; the guard is held.
 * Return: %true if a task has left or changed since the pass that granted the guard
 * began, or has no memory any more.
 */
bool freezer_guard_is_torn(struct cgroup_freezer *top)
{
	struct cgroup_subsys_state *pos;

	rcu_read_lock();
	css_for_each_descendant_pre(pos, freezer_css(top)) {
		struct task_struct *task;
		struct css_task_iter it;

		if (READ_ONCE(top->torn))
			break;
		if (!css_tryget_online(pos))
			continue;
		rcu_read_unlock();

		css_task_iter_start(pos, 0, &it);
		while ((task = css_task_iter_next(&it))) {
			if (freezer_is_reaped(task))
				WRITE_ONCE(top->torn, true);
			cond_resched();
		}
		css_task_iter_end(&it);

		rcu_read_lock();
		css_put(pos);
	}
	rcu_read_unlock();

	return READ_ONCE(top->torn);
}

/*
 * The two entrances
 */

/**
 * cgroup_freezer_begin_checkpoint - keep the cgroup of a task as it is
 * @task: a task of the cgroup, which is FROZEN; not %current
 *
 * On success the freezer cgroup of @task, with all below it, is CHECKPOINTING:
 * every task is parked or frozen in place, and is not thawed, moved or let go
 * until cgroup_freezer_end_checkpoint(). Exceptions are the victims of the OOM
 * killer, and a killed task whose memory process_mrelease() takes.  Waits for tasks
 * that are in a system call, for freezer.timeout_ms at most.
 *
 * Context: process context, no locks held, a reference to @task.  May sleep.
 * Return: 0; -EBUSY if the cgroup is not FROZEN, if this cgroup, or one above or below
 * it, is CHECKPOINTING already, if %current is in it, or if the time has passed;
 * -ENODEV if @task is in no cgroup that can be frozen, or that is being removed;
 * -ECANCELED if somebody has thawed it meanwhile; -EINTR or -ERESTARTNOINTR if
 * %current was interrupted.
 */
int cgroup_freezer_begin_checkpoint(struct task_struct *task)
{
	struct cgroup_freezer *freezer;
	int ret;

	rcu_read_lock();
	freezer = task_freezer(task, CGROUP_FREEZER_V1);
	if (!parent_freezer(freezer) || !css_tryget_online(freezer_css(freezer)))
		freezer = NULL;
	rcu_read_unlock();
	if (!freezer)
		return -ENODEV;

	ret = freezer_begin_checkpoint(freezer, kernel_holder, true);
	if (!ret) {
		/* @task may have been moved before the guard was there */
		rcu_read_lock();
		if (task_freezer(task, CGROUP_FREEZER_V1) != freezer)
			ret = -EBUSY;
		rcu_read_unlock();
		if (!ret)
			return 0;
		freezer_end_checkpoint(freezer);
	}
	css_put(freezer_css(freezer));
	return ret;
}
EXPORT_SYMBOL_GPL(cgroup_freezer_begin_checkpoint);

/**
 * cgroup_freezer_end_checkpoint - give the guard of the cgroup of a task back
 * @task: a task of the cgroup, dead or alive
 *
 * The cgroup is FROZEN again.  Warns, and does nothing, if it was not
 * CHECKPOINTING by cgroup_freezer_begin_checkpoint(): then somebody may have
 * thawed the tasks.
 *
 * Context: process context, no locks held, a reference to @task.  May sleep.
 * Return: %true if all that was read of the tasks is of one moment; %false if a task
 * had to leave, has lost its memory, or may have been changed by a tracer.
 */
bool cgroup_freezer_end_checkpoint(struct task_struct *task)
{
	struct cgroup_freezer *freezer;
	bool held, torn;

	rcu_read_lock();
	freezer = task_freezer(task, CGROUP_FREEZER_V1);
	held = READ_ONCE(freezer->holder) == kernel_holder;
	rcu_read_unlock();

	/* the holder has a reference to the css */
	if (WARN_ON(!held))
		return false;

	torn = freezer_guard_is_torn(freezer);
	freezer_end_checkpoint(freezer);
	css_put(freezer_css(freezer));
	return !torn;
}
EXPORT_SYMBOL_GPL(cgroup_freezer_end_checkpoint);
