// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: the checkpoint guard
 *
 * Who reads the tasks of a FROZEN cgroup has to know that nobody thaws, moves
 * or kills one meanwhile, and that no system call of theirs is still under way.
 * That is the state CHECKPOINTING. It is entered from FROZEN and left to FROZEN,
 * and lasts for as long as its one holder wants it to: an open file of
 * freezer.checkpoint, or code of the kernel between
 * cgroup_freezer_begin_checkpoint() and cgroup_freezer_end_checkpoint().
 *
 * A cgroup that has a holder is guarded, with all below it. Of two cgroups of
 * which one is above the other only one can have a holder; the state of those
 * below stays FROZEN.
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
 *    none stops that would have to finish a system call. A killed process whose
 *    memory is taken by process_mrelease() tears it as well.
 *
 * Hence one pass over the tasks with FREEZER_SEALED set that finds all of them
 * quiescent is enough: at its end they still are. If it finds others, these are
 * put on an account (nr_moving), the seal is taken off, so that an exec that
 * waits for its killed siblings gets on, and when the last one has reported, or
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
 * At least one of them sees the other. If the tracer does not see the seal it
 * has woken the task by the time at which CPU 0 gets siglock, which then finds
 * that it is not quiescent. When the seal comes off CPU 0 does the same, and
 * sees to a trap for which the task was not woken (freezer_retry_trap()).
 *
 * A task that sleeps interruptibly is brought to its door by a fake signal, as
 * the system freezer does; its system call may be restarted at the thaw. The
 * threads that work for user space in the kernel are only woken: their callers
 * would take a signal for an error. Whatever sleeps otherwise is waited for.
 *
 * Locks
 * -----
 *
 * As in kernel/cgroup_freezer.c. A guard is granted under freezer_mutex, hence
 * not while a thaw is under way, and given back under css_set_lock alone. Who
 * waits for quiescence has neither, but keeps kernfs's active protection, which
 * the removal of the cgroup waits for with cgroup_mutex held. It does not wait
 * long: a cgroup is only removed without tasks, and then nothing is waited for.
 */

#include <linux/export.h>
#include <linux/freezer.h>
#include <linux/kernfs.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "cgroup_freezer_internal.h"

/* The longest pause between two looks at the tasks that are not quiescent. */
#define FREEZER_LOOK_MAX_MS	10U

/* The holder that is not an open file. */
static const char kernel_holder[] = "kernel";

/*
 * Odd while tasks are on their way from one cgroup to another. Migrations are
 * serialized by cgroup_mutex; under css_set_lock.
 */
static unsigned int migrations;

/* How many processes are being reaped; written under css_set_lock. */
static unsigned int reaps;

/*
 * What a guard means to the others
 */

/* Has @freezer, or one above it, a holder? An answer for the moment. */
bool freezer_is_guarded(struct cgroup_freezer *freezer)
{
	for (; freezer; freezer = parent_freezer(freezer)) {
		if (READ_ONCE(freezer->flags) & FREEZER_GUARDED)
			return true;
	}
	return false;
}

/* Does a guard keep @task, which was killed, from leaving? */
bool freezer_is_sealed(struct task_struct *task)
{
	struct cgroup_freezer *freezer;
	bool sealed = false;

	rcu_read_lock();
	for (freezer = task_freezer(task); freezer && !sealed;
	     freezer = parent_freezer(freezer))
		sealed = READ_ONCE(freezer->flags) & FREEZER_SEALED;
	rcu_read_unlock();

	return sealed;
}

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
 * has brought along all that CPU 1 has done to the task.
 */
bool __cgroup_freezer_checkpointing(struct task_struct *task)
{
	smp_mb();	/* (G) pairs with (F) */
	return freezer_is_sealed(task);
}

/* @task leaves although it may be guarded. */
void freezer_tear(struct task_struct *task)
{
	struct cgroup_freezer *freezer;

	rcu_read_lock();
	for (freezer = task_freezer(task); freezer;
	     freezer = parent_freezer(freezer)) {
		if (READ_ONCE(freezer->flags) & FREEZER_GUARDED)
			WRITE_ONCE(freezer->torn, true);
	}
	rcu_read_unlock();
}

/**
 * cgroup_freezer_reap_begins - the memory of a killed process is going to be freed
 * @task: a thread of the process, which may be in a frozen cgroup still
 *
 * Whoever has the checkpoint guard by now reads "torn", since the memory changes
 * under it, and nobody gets it before cgroup_freezer_reap_ends().
 *
 * Context: process context, a reference to @task.
 */
void cgroup_freezer_reap_begins(struct task_struct *task)
{
	struct task_struct *t;

	spin_lock_irq(&css_set_lock);
	WRITE_ONCE(reaps, reaps + 1);
	rcu_read_lock();
	for_each_thread(task, t)
		freezer_tear(t);
	rcu_read_unlock();
	spin_unlock_irq(&css_set_lock);
}

/**
 * cgroup_freezer_reap_ends - the counterpart
 *
 * Context: process context.
 */
void cgroup_freezer_reap_ends(void)
{
	spin_lock_irq(&css_set_lock);
	WRITE_ONCE(reaps, reaps - 1);
	spin_unlock_irq(&css_set_lock);
}

/*
 * Does a cgroup that is CHECKPOINTING depend on the own request of @top? Not if
 * something between the two is asked to freeze. A request above @top makes no
 * difference: it may have come later, with the holder in it, and would then be
 * the one that nobody could withdraw.
 */
bool freezer_thaw_is_barred(struct cgroup_freezer *top)
{
	struct cgroup_subsys_state *pos;
	bool barred = false;

	lockdep_assert_held(&freezer_mutex);

	if (!(READ_ONCE(top->flags) & FREEZER_FREEZING_SELF) ||
	    !READ_ONCE(top->nr_guards))
		return false;

	rcu_read_lock();
	css_for_each_descendant_pre(pos, &top->css) {
		unsigned int flags = READ_ONCE(css_freezer(pos)->flags);

		if (pos != &top->css && flags & FREEZER_FREEZING_SELF) {
			pos = css_rightmost_descendant(pos);
		} else if (flags & FREEZER_HELD) {
			barred = true;
			break;
		}
	}
	rcu_read_unlock();

	return barred;
}

void freezer_migration_begins(void)
{
	lockdep_assert_held(&css_set_lock);
	migrations++;
}

void freezer_migration_ends(void)
{
	lockdep_assert_held(&css_set_lock);
	migrations++;
}

/*
 * The tasks that are not quiescent
 */

/**
 * struct freezer_attempt - what a future holder remembers of its attempt
 * @freezer:	whose guard it wants
 * @generation:	of that, when it began: unchanged while it stays FROZEN
 * @migration:	the migration that was under way then, or 0
 * @deadline:	when it gives up, in jiffies
 * @files:	the table of open files of the future holder
 * @shared:	a task of the subtree has the same one, so that the death of the
 *		holder would not close the file with the guard
 */
struct freezer_attempt {
	struct cgroup_freezer	*freezer;
	u64			generation;
	unsigned int		migration;
	unsigned long		deadline;
	struct files_struct	*files;
	bool			shared;
};

/* One of the tasks that @freezer was waiting for has come off its account. */
void freezer_task_stands(struct cgroup_freezer *freezer)
{
	lockdep_assert_held(&css_set_lock);

	WRITE_ONCE(freezer->nr_moving, freezer->nr_moving - 1);
	if (!freezer->nr_moving)
		wake_up_all(&freezer->wait);
}

/*
 * Put @task on the account of @freezer. On its next way to the door it reports,
 * be it for the second time, see cgroup_freezer_hold(). A task that has reported
 * there and did not get off its CPU yet is past that:
 *
 *	CPU 0 (the writer of FROZEN)		CPU 1 (the last task to park)
 *
 *						state = TASK_FROZEN
 *						rest = PARKED, and so FROZEN
 *	asks for the guard
 *	runnable? it moves
 *						schedule()
 *	off the run queue? it does not move
 *
 * So PARKED stays, or @task would be taken for one that is frozen in place, in
 * a system call, and that does not stop for a tracer under the guard. If it
 * does leave the refrigerator for a stop, freezer_stops() takes PARKED away.
 */
static void freezer_task_moves(struct task_struct *task,
			       struct cgroup_freezer *freezer)
{
	lockdep_assert_held(&css_set_lock);

	if (task->cgroup_freezer_busy_in == freezer)
		return;
	/* only one that suspends the system: no guard while it is busy */
	if (freezer_task_is_busy(task))
		return;
	/* left over from a guard above or below that was not granted */
	if (task->cgroup_freezer_busy_in)
		freezer_task_rests(task, task->cgroup_freezer_rest);

	if (task->cgroup_freezer_rest != CGROUP_FREEZER_PARKED)
		WRITE_ONCE(task->cgroup_freezer_rest, CGROUP_FREEZER_ASLEEP);
	WRITE_ONCE(task->cgroup_freezer_busy_in, freezer);
	list_add_tail(&task->cgroup_freezer_node, &freezer->moving);
	WRITE_ONCE(freezer->nr_moving, freezer->nr_moving + 1);
}

/*
 * Does a tracer work on @task, which has stopped for it? Under a guard it may
 * read along. Why with siglock: see __cgroup_freezer_checkpointing().
 */
static bool freezer_is_traced_now(struct task_struct *task)
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

/* Does @task have to be woken for a tracer? Not under the seal. */
static void freezer_retry_trap(struct task_struct *task)
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

/* Account for @task, and do what makes it quiescent. */
static unsigned int freezer_quiesce_task(struct task_struct *task, void *data)
{
	struct freezer_attempt *attempt = data;
	enum cgroup_freezer_rest how;

	if (!task->cgroup_freezer_closed)
		return 1;

	/* data_race: only a task that exits lets go of it, and then it may */
	if (unlikely(data_race(task->files) == attempt->files))
		attempt->shared = true;

	freezer_retry_trap(task);
	how = freezer_freeze_task(task);
	if (how == CGROUP_FREEZER_IN_PLACE && !freezer_wants_to_leave(task) &&
	    !freezer_is_traced_now(task)) {
		if (task->cgroup_freezer_rest == CGROUP_FREEZER_PARKED)
			how = CGROUP_FREEZER_PARKED;
		if (task->cgroup_freezer_busy_in)
			freezer_task_rests(task, how);
		else
			WRITE_ONCE(task->cgroup_freezer_rest, how);
		return 1;
	}

	freezer_task_moves(task, attempt->freezer);
	if (unlikely(freezer_wants_to_leave(task)))
		cgroup_freezer_kill(task);
	else if (how == CGROUP_FREEZER_ASLEEP &&
		 !freezer_is_past_last_door(task))
		wake_task_to_door(task);
	return FREEZER_WAKE_COST;
}

/*
 * @task, which is in the cgroup of @freezer, has changed its css_set. A pass for
 * a guard may have missed it, and it is looked at in place of that. If it was for
 * a guard that is granted by now, @task is quiescent.
 */
void freezer_requiesce_task(struct task_struct *task,
			    struct cgroup_freezer *freezer)
{
	lockdep_assert_held(&css_set_lock);

	freezer_retry_trap(task);
	for (; freezer; freezer = parent_freezer(freezer)) {
		if (freezer->attempt)
			freezer_quiesce_task(task, freezer->attempt);
	}
}

/* Look once at each task that is on the account. */
static void freezer_quiesce_moving(struct freezer_attempt *attempt)
{
	struct cgroup_freezer *freezer = attempt->freezer;
	unsigned int nr, batch = FREEZER_BATCH;

	spin_lock_irq(&css_set_lock);
	for (nr = freezer->nr_moving; nr && freezer->nr_moving; nr--) {
		struct task_struct *task;
		unsigned int cost;

		task = list_first_entry(&freezer->moving, struct task_struct,
					cgroup_freezer_node);
		list_move_tail(&task->cgroup_freezer_node, &freezer->moving);
		cost = freezer_quiesce_task(task, attempt);

		batch -= min(batch, cost);
		if (!batch) {
			batch = FREEZER_BATCH;
			spin_unlock_irq(&css_set_lock);
			cond_resched();
			spin_lock_irq(&css_set_lock);
		}
	}
	spin_unlock_irq(&css_set_lock);
}

/*
 * The line of freezer.blockers for a task that a guard waits for, or has waited
 * for in vain.
 */
void freezer_show_moving(struct seq_file *m, struct task_struct *task)
{
	unsigned int state = READ_ONCE(task->__state);
	const char *what;

	lockdep_assert_held(&css_set_lock);

	if (freezer_is_exiting(task) || READ_ONCE(task->flags) & PF_SIGNALED)
		what = "exiting";
	else if (freezer_is_traced_now(task))
		what = "traced";
	else if (state & TASK_FROZEN)
		return;
	else if (state & TASK_INTERRUPTIBLE)
		what = "asleep";
	else if (state)
		what = "blocked";
	else
		what = task_curr(task) ? "running" : "runnable";
	freezer_show_task(m, task, what);
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
	struct cgroup_freezer *freezer = attempt->freezer, *pos;
	struct cgroup *cgrp = freezer->css.cgroup;
	int ret = 0;

	spin_lock_irq(&css_set_lock);
	/* a task of the group would wait for itself */
	if (!(freezer->flags & FREEZER_ONLINE))
		ret = -ENODEV;
	else if (freezer->state != CGROUP_FREEZER_FROZEN ||
		 freezer->nr_guards || freezer_is_guarded(freezer) ||
		 cgroup_is_descendant(task_freezer(current)->css.cgroup, cgrp))
		ret = -EBUSY;

	if (!ret) {
		freezer->attempt = attempt;
		attempt->generation = freezer->generation;
		attempt->migration = migrations & 1 ? migrations : 0;
		WRITE_ONCE(freezer->holder, holder);
		WRITE_ONCE(freezer->torn, false);
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

/* Is over what @attempt was too late for: a migration, the end of a process? */
static bool freezer_is_settled(struct freezer_attempt *attempt)
{
	return !READ_ONCE(reaps) &&
	       (!attempt->migration ||
		READ_ONCE(migrations) != attempt->migration);
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
	freezer_set_guard(freezer, FREEZER_GUARDED | FREEZER_SEALED);
	spin_unlock_irq(&css_set_lock);

	smp_mb();	/* (F) pairs with (E) */
	freezer_visit(freezer, freezer_quiesce_task, attempt);

	spin_lock_irq(&css_set_lock);
	granted = !freezer->nr_moving && freezer_is_settled(attempt) &&
		  !attempt->shared && freezer->state == CGROUP_FREEZER_FROZEN;
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

/* Why can the guard not be had any more? */
static int freezer_is_lost(struct freezer_attempt *attempt)
{
	struct cgroup_freezer *freezer = attempt->freezer;
	int ret = 0;

	spin_lock_irq(&css_set_lock);
	if (!(freezer->flags & FREEZER_ONLINE))
		ret = -ENODEV;
	else if (freezer->state == CGROUP_FREEZER_THAWED ||
		 freezer->generation != attempt->generation)
		ret = -ECANCELED;
	else if (freezer->state != CGROUP_FREEZER_FROZEN)
		ret = -EBUSY;
	spin_unlock_irq(&css_set_lock);

	return ret;
}

static bool freezer_is_worth_a_look(struct freezer_attempt *attempt)
{
	struct cgroup_freezer *freezer = attempt->freezer;

	return (!READ_ONCE(freezer->nr_moving) && freezer_is_settled(attempt)) ||
	       READ_ONCE(freezer->state) != CGROUP_FREEZER_FROZEN ||
	       READ_ONCE(freezer->generation) != attempt->generation ||
	       !(READ_ONCE(freezer->flags) & FREEZER_ONLINE);
}

/*
 * Wait until no task is on the account of @attempt->freezer.
 *
 * A task that parks reports. One that falls asleep again does not, nor one that
 * is then frozen in place, hence the looks.
 */
static int freezer_wait_quiescent(struct freezer_attempt *attempt)
{
	struct cgroup_freezer *freezer = attempt->freezer;
	unsigned long pause = 1;

	while (!freezer_is_worth_a_look(attempt)) {
		long left = attempt->deadline - jiffies;

		if (left <= 0)
			return -EBUSY;

		left = wait_event_interruptible_timeout(freezer->wait,
							freezer_is_worth_a_look(attempt),
							min_t(long, left, pause));
		if (left < 0)
			return freezer_interrupted();
		if (left)
			break;

		pause = min(pause * 2, msecs_to_jiffies(FREEZER_LOOK_MAX_MS));
		freezer_quiesce_moving(attempt);
	}

	return freezer_is_lost(attempt);
}

/*
 * Make @holder the holder of the guard of @freezer.
 *
 * When this fails freezer.blockers goes on to name the tasks that were not
 * quiescent, until they are.
 */
static int freezer_begin_checkpoint(struct cgroup_freezer *freezer,
				    const void *holder, bool wait)
{
	unsigned int timeout_ms = wait ? READ_ONCE(freezer->timeout_ms) : 0;
	struct freezer_attempt attempt = {
		.freezer	= freezer,
		.files		= current->files,
		.deadline	= jiffies + (timeout_ms ?
				  msecs_to_jiffies(timeout_ms) + 1 : 0),
	};
	int ret;

	mutex_lock(&freezer_mutex);
	ret = freezer_take_guard(&attempt, holder);
	if (ret)
		goto out;

	while (!freezer_seal(&attempt)) {
		freezer_unseal(&attempt);

		mutex_unlock(&freezer_mutex);
		ret = attempt.shared ? -EBUSY : freezer_wait_quiescent(&attempt);
		mutex_lock(&freezer_mutex);

		/* a thaw may have come in between */
		ret = ret ?: freezer_is_lost(&attempt);
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
 * Whoever was killed meanwhile, and may leave a FROZEN cgroup, leaves now, and a
 * tracer gets the stop that it has asked for.
 */
static unsigned int freezer_release_task(struct task_struct *task, void *data)
{
	freezer_retry_trap(task);
	if (likely(!freezer_wants_to_leave(task)))
		return 1;
	cgroup_freezer_kill(task);
	return FREEZER_WAKE_COST;
}

static void freezer_end_checkpoint(struct cgroup_freezer *freezer)
{
	freezer_give_back(freezer);

	smp_mb();	/* (F) pairs with (E) */
	freezer_visit(freezer, freezer_release_task, NULL);
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
 * until cgroup_freezer_end_checkpoint(), except for the victims of the OOM
 * killer.  Waits for tasks that are in a system call, for freezer.timeout_ms at
 * most.
 *
 * Context: process context, no locks held, a reference to @task.  May sleep.
 * Return: 0; -EBUSY if the cgroup is not FROZEN, if it, or one above or below
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
	freezer = task_freezer(task);
	if (!parent_freezer(freezer) || !css_tryget_online(&freezer->css))
		freezer = NULL;
	rcu_read_unlock();
	if (!freezer)
		return -ENODEV;

	ret = freezer_begin_checkpoint(freezer, kernel_holder, true);
	if (!ret) {
		/* it may have been moved before the guard was there */
		rcu_read_lock();
		if (task_freezer(task) != freezer)
			ret = -EBUSY;
		rcu_read_unlock();
		if (!ret)
			return 0;
		freezer_end_checkpoint(freezer);
	}
	css_put(&freezer->css);
	return ret;
}
EXPORT_SYMBOL_GPL(cgroup_freezer_begin_checkpoint);

/**
 * cgroup_freezer_end_checkpoint - the counterpart
 * @task: a task of the cgroup, dead or alive
 *
 * The cgroup is FROZEN again.  Warns, and does nothing, if it was not
 * CHECKPOINTING by cgroup_freezer_begin_checkpoint(): then somebody may have
 * thawed the tasks, and what was read of them is not consistent.
 *
 * Context: process context, no locks held, a reference to @task.  May sleep.
 */
void cgroup_freezer_end_checkpoint(struct task_struct *task)
{
	struct cgroup_freezer *freezer;
	bool held;

	rcu_read_lock();
	freezer = task_freezer(task);
	held = READ_ONCE(freezer->holder) == kernel_holder;
	rcu_read_unlock();

	/* the holder has a reference to the css */
	if (WARN_ON(!held))
		return;

	freezer_end_checkpoint(freezer);
	css_put(&freezer->css);
}
EXPORT_SYMBOL_GPL(cgroup_freezer_end_checkpoint);

/* An open for writing takes the guard, whoever has the open file keeps it. */
int freezer_checkpoint_open(struct kernfs_open_file *of)
{
	if (!(of->file->f_mode & FMODE_WRITE))
		return 0;

	return freezer_begin_checkpoint(css_freezer(of_css(of)), of,
					!(of->file->f_flags & O_NONBLOCK));
}

/* The last reference to the open file is gone, or the cgroup is removed. */
void freezer_checkpoint_release(struct kernfs_open_file *of)
{
	struct cgroup_freezer *freezer = css_freezer(of_css(of));

	if (READ_ONCE(freezer->holder) == of)
		freezer_end_checkpoint(freezer);
}

int freezer_checkpoint_show(struct seq_file *m, void *v)
{
	struct cgroup_freezer *freezer = css_freezer(seq_css(m));
	const char *what;

	if (READ_ONCE(freezer->holder) == m->private)
		what = READ_ONCE(freezer->torn) ? "torn" : "consistent";
	else if (READ_ONCE(freezer->nr_guards) || freezer_is_guarded(freezer))
		what = "held";
	else
		what = "free";

	seq_puts(m, what);
	seq_putc(m, '\n');
	return 0;
}

/* Only there so that the file can be opened for writing. */
ssize_t freezer_checkpoint_write(struct kernfs_open_file *of, char *buf,
				 size_t nbytes, loff_t off)
{
	return -EINVAL;
}
