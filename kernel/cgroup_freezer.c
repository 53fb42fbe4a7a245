// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: stop and restart the tasks of a cgroup
 *
 * A controller for cgroup v1 hierarchies.  "echo FROZEN > freezer.state" stops
 * every task of the cgroup and of its descendants so that none of them can
 * tell, "echo THAWED" lets them go on.  Interface, errors and examples are in
 * Documentation/cgroups/freezer-subsystem.txt; what is promised, clause by
 * clause, is in Documentation/cgroups/freezer-contract.txt.
 *
 * Model
 * -----
 *
 * A task can break the promise of a freeze only in user mode, and there is one
 * door to user mode: resume_user_mode_work(), behind TIF_NOTIFY_RESUME.  A
 * freeze closes the door of each task (task_struct::cgroup_freezer_closed) and
 * does nothing else to it: no signal is sent, no sleep is ended, no system
 * call is restarted.  A task whose door is closed is at rest when it is
 *
 *   parked	it came to the door and waits there, in __refrigerator();
 *   in place	it slept in a TASK_FREEZABLE sleep, a job control stop or a
 *		ptrace stop, which became TASK_FROZEN: its wake-up is kept in
 *		task_struct::saved_state until the thaw;
 *   asleep	it was seen off the run queues.  Whatever wakes it, the door is
 *		on its way to user mode, and also on its way to handle a signal
 *		(get_signal()) and to fork (freezer_can_fork()).  If it comes to
 *		a TASK_FREEZABLE sleep before, schedule() freezes it in place
 *		there (__cgroup_freezer_sleep()).
 *
 * A task that is not at rest is busy: running, runnable, or in the middle of a
 * fork.  It reports by itself when it parks or dies.  When it falls asleep
 * instead nobody tells us, hence the busy tasks are looked at again, with
 * back-off, for as long as there are any (freezer_relook()).
 *
 * Being at rest is final until the thaw: the task may wake and finish its
 * system call in the kernel, but it only gets as far as the door.  Exceptions
 * are a task that was killed and may leave (freezer_wants_to_leave()), and the
 * one that suspends the system.
 *
 * A task that is on its way through exit has its last door behind it
 * (freezer_is_past_last_door()).  It is held nowhere any more, and its sleeps
 * are not frozen in place: at the end of that way it leaves the list of tasks by
 * which a thaw would find it.
 *
 * States
 * ------
 *
 * A cgroup is asked to freeze by itself (FREEZING_SELF: "FROZEN" was written to
 * its freezer.state) or by an ancestor (FREEZING_PARENT).  While it is asked,
 *
 *   FREEZING	if a task of it is busy, a pass over its tasks is under way, or a
 *		child cgroup is FREEZING;
 *   FROZEN	otherwise.
 *
 * While somebody has its checkpoint guard a FROZEN cgroup is CHECKPOINTING, see
 * kernel/cgroup_freezer_checkpoint.c. It is THAWED while nobody asks.  The
 * things that keep a cgroup from FROZEN are counted (nr_busy,
 * nr_busy_children), so the state is known at any time without a scan;
 * freezer_update() works it out and freezer_set_state() is the only function
 * that changes it.
 *
 * Locks
 * -----
 *
 *   cgroup_mutex
 *     freezer_mutex		one pass over a subtree at a time
 *       css_set_lock		irq-safe; all fields of struct cgroup_freezer and
 *				all cgroup_freezer_* fields of task_struct, and
 *				the tasks' membership in cgroups
 *         sighand->siglock	a fatal signal, __cgroup_freezer_kill(), or a
 *				tracer, __cgroup_freezer_trap()
 *           p->pi_lock		and what wakes a task up
 *
 * css_set_lock protects all of the accounting because the accounting is about
 * membership: with it held, the cgroup of a task, the list of tasks of a cgroup
 * and the counters agree.
 * freezer_mutex only serializes the passes of writers; fork, exit, the door and
 * migration do not take it.
 *
 * task_struct::cgroup_freezer_closed is written under css_set_lock and read
 * without it at the door; the ordering is explained at freezer_close_door(),
 * freezer_open_door(), __cgroup_freezer_kill(), __cgroup_freezer_trap(),
 * freezer_enter_gate() and, in kernel/freezer.c, __cgroup_freezer_sleep(), where
 * the barriers are labelled (A) to (E), (H) and (I).
 *
 * System sleep
 * ------------
 *
 * The system freezer (kernel/power/process.c) is another holder of the same
 * refrigerator.  A task is frozen while either of them wants it:
 *
 *   suspend	takes what is frozen already as it is.  A task that is asleep in
 *		a sleep that cannot be frozen gets a fake signal, as ever, comes
 *		to the refrigerator, and is parked for its cgroup there, too.
 *   resume	thaws the tasks that no cgroup holds (cgroup_frozen()).
 *   a thaw	leaves a task frozen that the system freezer wants
 *		(freezer_thaw_sleep()); the resume thaws it then. A suspend
 *		begins before or after a batch of tasks is thawed, not in the
 *		middle (cgroup_freezer_sync()).
 *
 * The task that suspends the system is nobody's while it does so: it is busy,
 * however it sleeps, and comes to its door when it has resumed the system.
 */

#include <linux/delay.h>
#include <linux/freezer.h>
#include <linux/kernfs.h>
#include <linux/moduleparam.h>
#include <linux/oom.h>
#include <linux/pid_namespace.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "cgroup_freezer_internal.h"

#define CREATE_TRACE_POINTS
#include <trace/events/cgroup_freezer.h>

/* How long a writer of FROZEN waits unless told otherwise. */
#define FREEZER_TIMEOUT_MS	10000U

/* The first and the longest pause between two looks at the busy tasks. */
#define FREEZER_RELOOK_MIN_US	50UL
#define FREEZER_RELOOK_MAX_US	10000UL

/* What freezer.killable is in the root cgroup, and so on the whole host. */
static bool freezer_killable;
module_param_named(killable, freezer_killable, bool, 0444);
MODULE_PARM_DESC(killable, "Let killed tasks leave frozen cgroups by default");

/* How long a freeze waits for a task on its way out that is asleep. */
#define FREEZER_EXIT_GRACE_NS	(100 * NSEC_PER_MSEC)

/* Serializes the passes over subtrees, see "Locks" above. */
DEFINE_MUTEX(freezer_mutex);

/* All busy tasks of all cgroups, under css_set_lock. */
static LIST_HEAD(busy_tasks);
static unsigned int nr_busy_tasks;

/* Pending or running for as long as there are busy tasks. */
static void freezer_relook(struct work_struct *work);
static DECLARE_WORK(relook_work, freezer_relook);

/* Cgroups that are to be recounted before they are FROZEN, under css_set_lock. */
static LIST_HEAD(recounts);
static void freezer_recount_all(struct work_struct *work);
static DECLARE_WORK(recount_work, freezer_recount_all);

static const char * const state_names[] = {
	[CGROUP_FREEZER_THAWED]		= "THAWED",
	[CGROUP_FREEZER_FREEZING]	= "FREEZING",
	[CGROUP_FREEZER_FROZEN]		= "FROZEN",
	[CGROUP_FREEZER_CHECKPOINTING]	= "CHECKPOINTING",
};

static u64 freezer_id(struct cgroup_freezer *freezer)
{
	return cgroup_id(freezer->css.cgroup);
}

/*
 * The state of a cgroup
 */

/* CHECKPOINTING is FROZEN, and more. */
static bool freezer_is_still(enum freezer_state state)
{
	return state == CGROUP_FREEZER_FROZEN ||
	       state == CGROUP_FREEZER_CHECKPOINTING;
}

static void freezer_set_state(struct cgroup_freezer *freezer,
			      enum freezer_state state)
{
	enum freezer_state old = freezer->state;
	u64 now = ktime_get_ns();
	u64 spent = now - freezer->since_ns;

	lockdep_assert_held(&css_set_lock);

	if (freezer_is_still(old))
		freezer->frozen_ns += spent;
	else if (old == CGROUP_FREEZER_FREEZING ||
		 state == CGROUP_FREEZER_FROZEN)
		freezer->freezing_ns += spent;
	if (old == CGROUP_FREEZER_THAWED)
		freezer->nr_freezes++;
	if (state == CGROUP_FREEZER_FROZEN && !freezer_is_still(old))
		WRITE_ONCE(freezer->generation, freezer->generation + 1);

	freezer->since_ns = now;
	if (state == CGROUP_FREEZER_FREEZING)
		freezer->grace_ns = max(freezer->grace_ns,
					now + FREEZER_EXIT_GRACE_NS);
	WRITE_ONCE(freezer->state, state);

	trace_cgroup_freezer_state(freezer_id(freezer), old, state, spent);
	cgroup_file_notify_now(&freezer->state_file);
	wake_up_all(&freezer->wait);
}

/*
 * Nothing of @freezer is busy, but a task of it was let go to die since its
 * tasks were looked at (__cgroup_freezer_kill()).  Keep it FREEZING until they
 * have been looked at again, see freezer_recount().
 */
static void freezer_ask_recount(struct cgroup_freezer *freezer)
{
	lockdep_assert_held(&css_set_lock);

	freezer->nr_busy++;
	WRITE_ONCE(freezer->flags, freezer->flags | FREEZER_RECOUNT);
	css_get(&freezer->css);
	list_add_tail(&freezer->recount, &recounts);
	queue_work(system_unbound_wq, &recount_work);
}

/*
 * Work out the state of @freezer from its flags and counters, and that of its
 * ancestors as far as they depend on it.
 */
void freezer_update(struct cgroup_freezer *freezer)
{
	lockdep_assert_held(&css_set_lock);

	while (freezer) {
		struct cgroup_freezer *parent = parent_freezer(freezer);
		enum freezer_state old = freezer->state, new;

		if (!(freezer->flags & FREEZER_FREEZING))
			new = CGROUP_FREEZER_THAWED;
		else if (freezer->nr_busy || freezer->nr_busy_children)
			new = CGROUP_FREEZER_FREEZING;
		else if (freezer->flags & FREEZER_HELD)
			new = CGROUP_FREEZER_CHECKPOINTING;
		else
			new = CGROUP_FREEZER_FROZEN;

		if (unlikely(new != old && freezer_is_still(new) &&
			     !freezer_is_still(old) &&
			     READ_ONCE(freezer->let_go))) {
			freezer_ask_recount(freezer);
			new = CGROUP_FREEZER_FREEZING;
		}
		if (new == old)
			return;

		freezer_set_state(freezer, new);
		if (!parent)
			return;

		if (new == CGROUP_FREEZER_FREEZING)
			parent->nr_busy_children++;
		else if (old == CGROUP_FREEZER_FREEZING)
			parent->nr_busy_children--;

		freezer = parent;
	}
}

static void freezer_get_busy(struct cgroup_freezer *freezer)
{
	if (!freezer->nr_busy++)
		freezer_update(freezer);
}

static void freezer_put_busy(struct cgroup_freezer *freezer)
{
	if (!WARN_ON_ONCE(!freezer->nr_busy) && !--freezer->nr_busy)
		freezer_update(freezer);
}

/*
 * The account of a task
 *
 * cgroup_freezer_busy_in names the cgroup whose nr_busy counts the task.  It is
 * not looked up from the task's css because the two differ while the task is
 * being moved.  With a cgroup_freezer_rest of BUSY it is set for exactly the
 * tasks on busy_tasks; otherwise it is the checkpoint guard's, which see.
 */

static noinline void __freezer_trace_rest(struct task_struct *task,
					  struct cgroup_freezer *freezer,
					  enum cgroup_freezer_rest how)
{
	trace_cgroup_freezer_rest(task, freezer_id(freezer), how,
				  ktime_get_ns() - freezer->since_ns);
}

static inline void freezer_trace_rest(struct task_struct *task,
				      struct cgroup_freezer *freezer,
				      enum cgroup_freezer_rest how)
{
	if (trace_cgroup_freezer_rest_enabled())
		__freezer_trace_rest(task, freezer, how);
}

/* For a task that was never seen asleep, and does nothing until the thaw. */
#define FREEZER_NO_RUNTIME	U64_MAX

/*
 * Remember how much CPU time @task has used when it comes to rest: what it uses
 * from then on it uses while its cgroup is FROZEN.  Exact for a task that is
 * asleep.  One that reports is still on its way to park, and parks for good.
 */
static void freezer_note_runtime(struct task_struct *task,
				 enum cgroup_freezer_rest how)
{
	if (how == CGROUP_FREEZER_ASLEEP || how == CGROUP_FREEZER_IN_PLACE)
		task->cgroup_freezer_runtime = task->se.sum_exec_runtime;
	else
		task->cgroup_freezer_runtime = FREEZER_NO_RUNTIME;
}

/* @task is at rest, or gone: it comes off the account that it is on. */
void freezer_task_rests(struct task_struct *task, enum cgroup_freezer_rest how)
{
	struct cgroup_freezer *freezer = task->cgroup_freezer_busy_in;
	bool busy = freezer_task_is_busy(task);

	lockdep_assert_held(&css_set_lock);

	freezer_note_runtime(task, how);
	WRITE_ONCE(task->cgroup_freezer_rest, how);
	WRITE_ONCE(task->cgroup_freezer_busy_in, NULL);
	list_del(&task->cgroup_freezer_node);
	freezer_trace_rest(task, freezer, how);

	if (busy) {
		nr_busy_tasks--;
		freezer_put_busy(freezer);
	} else {
		freezer_task_stands(freezer);
	}
}

static void freezer_task_busy(struct task_struct *task,
			      struct cgroup_freezer *freezer)
{
	lockdep_assert_held(&css_set_lock);

	WRITE_ONCE(task->cgroup_freezer_rest, CGROUP_FREEZER_BUSY);
	WRITE_ONCE(task->cgroup_freezer_busy_in, freezer);
	if (!nr_busy_tasks++)
		queue_work(system_unbound_wq, &relook_work);
	list_add_tail(&task->cgroup_freezer_node, &busy_tasks);

	freezer_trace_rest(task, freezer, CGROUP_FREEZER_BUSY);
	freezer_get_busy(freezer);
}

/*
 * Tasks that leave
 */

/*
 * A task on its way through exit comes to no further door.  If it were frozen in
 * place from there on it could not be found again: it leaves the list of tasks of
 * its cgroup in do_exit(), and sleeps after that, for example the init of a pid
 * namespace until its last child is gone.
 *
 * A thread that works for user space in the kernel is told of its death by
 * get_signal(), and cleans up then, with locks held that its process needs.
 */
bool freezer_is_past_last_door(struct task_struct *task)
{
	return unlikely(freezer_is_exiting(task)) ||
	       unlikely(READ_ONCE(task->flags) & PF_SIGNALED &&
			task_is_user_worker(task));
}

/*
 * Was @task killed?  get_signal() takes the SIGKILL back when it acts on it, and
 * sets PF_SIGNALED before that, so that one of the two is seen:
 *
 *	CPU 0 (here)				CPU 1 (@task, get_signal())
 *
 *	SIGKILL pending?			PF_SIGNALED
 *	smp_rmb()				smp_wmb()
 *	PF_SIGNALED?				SIGKILL is not pending
 *
 * What is between that and exit, a ptrace stop and the wait of the threads of a
 * process for its core dump, ends for a second reason to leave as the sleep of a
 * task does that is yet to take its SIGKILL.  The dump itself is work of the group,
 * and only a SIGKILL ends it.
 */
static bool freezer_was_killed(struct task_struct *task)
{
	if (fatal_signal_pending(task))
		return true;
	smp_rmb();	/* pairs with smp_wmb() in get_signal() */
	return (READ_ONCE(task->flags) & (PF_SIGNALED | PF_DUMPCORE)) ==
	       PF_SIGNALED;
}

static bool freezer_is_killable(struct task_struct *task)
{
	bool killable;

	rcu_read_lock();
	killable = READ_ONCE(task_freezer(task)->killable);
	rcu_read_unlock();
	return killable;
}

/*
 * A signal waits for the thaw, a fatal one too. Three kinds of killed tasks
 * leave and die all the same:
 *
 *  - the threads that an exec of their own process kills, or else the exec
 *    would wait for the thaw, even if it is done by a thread that was moved to
 *    a cgroup that is not frozen;
 *  - an OOM victim, which has to give its memory back, with all its threads;
 *  - every one whose own cgroup has freezer.killable on.
 *
 * They get no further than to do_exit().  The SIGKILL that is pending, and
 * TIF_SIGPENDING with it, is taken back by nobody but get_signal(), which acts
 * on it, and user mode is not entered with TIF_SIGPENDING set.  If killable is
 * turned off meanwhile, or the task is moved, get_signal() is as far as it
 * gets: there is the door once more.
 *
 * The account of a task that was at rest stays as it is until it has exited,
 * so a cgroup that is FROZEN stays so, which is true: the task runs no user
 * instruction, and does not fork.  While the cgroup is FREEZING it is another
 * matter.  A member may be the killer, as an exec is, and the list of tasks that
 * somebody reads when the group is FROZEN must not change any more.  So the
 * killed task is counted as busy once more (freezer_recount()).
 */
bool freezer_wants_to_leave(struct task_struct *task)
{
	return unlikely(freezer_was_killed(task)) &&
	       (READ_ONCE(task->signal->group_exec_task) ||
		tsk_is_oom_victim(task) || freezer_is_killable(task));
}

/* Under a checkpoint guard the others wait until it is given back. */
static bool freezer_may_leave(struct task_struct *task)
{
	return unlikely(freezer_wants_to_leave(task)) &&
	       (tsk_is_oom_victim(task) || !freezer_is_sealed(task));
}

/*
 * Asleep, and frozen in place
 *
 * What is from here to freezer_conform(), and css_task_iter_batch(), is what a
 * freeze and a thaw cost for each of maybe ten thousand tasks. So it is one
 * piece of code for the compiler, without a call but for p->pi_lock, and that
 * is taken once for a task that is frozen in place, and not at all for others.
 */

/* Off the run queues? The caller has seen @p in a sleep or a stop. */
static __always_inline bool freezer_is_off_queue(struct task_struct *p)
{
	/* State before on_rq, as in try_to_wake_up(), which see */
	smp_rmb();
	/* It comes and goes until it has resumed the system. */
	if (unlikely(READ_ONCE(p->flags) & PF_SUSPEND_TASK))
		return false;
	/* data_race: what it races with is a sleep or a wake-up, either will do */
	return !data_race(task_is_runnable(p));
}

static __always_inline bool freezer_is_asleep(struct task_struct *p,
					      unsigned int state)
{
	/* waiting for a spinlock is not a sleep, on PREEMPT_RT neither */
	return state != TASK_RUNNING &&
	       !(state & (TASK_WAKING | TASK_NEW | TASK_RTLOCK_WAIT)) &&
	       freezer_is_off_queue(p);
}

/* css_set_lock, which the callers hold, keeps interrupts off, but for RT. */
static __always_inline unsigned long freezer_lock_sleep(struct task_struct *p)
	__acquires(&p->pi_lock)
{
	unsigned long flags = 0;

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		raw_spin_lock_irqsave(&p->pi_lock, flags);
	else
		raw_spin_lock(&p->pi_lock);
	return flags;
}

static __always_inline void freezer_unlock_sleep(struct task_struct *p,
						 unsigned long flags)
	__releases(&p->pi_lock)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		raw_spin_unlock_irqrestore(&p->pi_lock, flags);
	else
		raw_spin_unlock(&p->pi_lock);
}

/*
 * Freeze @p where it sleeps, without waking it. Its door has been closed, with
 * a full barrier since then.
 *
 * A freezable sleep, a job control stop and a ptrace stop are frozen in place,
 * under pi_lock. That blocks try_to_wake_up(): what is asleep under it stays
 * asleep, and a wake-up that comes later finds saved_state. The kind of sleep
 * was seen without the lock. If it is another one by then, @p has just run or
 * been thawed by somebody else, and is busy until it is looked at again:
 *
 *	CPU 0 (here)				CPU 1 (a waker)
 *
 *	state is a freezable sleep
 *						lock, state = WAKING, unlock
 *	lock
 *	the same state? no, busy
 *
 * While it is the same, none of the states of a task that runs or is being
 * woken need to be looked for: they have none of these bits.
 *
 * A task that waits for I/O is woken, which a freezable sleep has to stand: when
 * it sleeps again schedule() freezes it in place, and sees to it that the time
 * for which it is frozen is not taken for a wait for I/O.
 *
 * Any other sleep is left alone: it is enough to have seen @p off the run queue
 * after its door was closed, because @p passes full barriers in the scheduler
 * between its next wake-up and its next look at the door.
 *
 * Return: how @p is at rest, or BUSY if it is runnable.
 */
static __always_inline
enum cgroup_freezer_rest freezer_freeze_sleep(struct task_struct *p)
{
	enum cgroup_freezer_rest how = CGROUP_FREEZER_BUSY;
	unsigned int state = READ_ONCE(p->__state);
	bool iowait = false;
	unsigned long flags;

	/* A sleep with locks held has to go on after its wake-up. */
	if (!(state & (TASK_FREEZABLE | __TASK_STOPPED | __TASK_TRACED |
		       TASK_FROZEN)) || state & __TASK_FREEZABLE_UNSAFE)
		return freezer_is_asleep(p, state) ? CGROUP_FREEZER_ASLEEP :
						     CGROUP_FREEZER_BUSY;

	flags = freezer_lock_sleep(p);
	if (likely(READ_ONCE(p->__state) == state) && freezer_is_off_queue(p)) {
#ifdef CONFIG_SMP
		/* It may still be in __schedule(), which holds rq->lock for it. */
		smp_cond_load_acquire(&p->on_cpu, !VAL);
#endif
		if (unlikely(freezer_is_exiting(p) ||
			     (state & TASK_FROZEN && p->cgroup_freezer_unsafe))) {
			how = CGROUP_FREEZER_ASLEEP;
		/* data_race: only @p changes it, and that is asleep */
		} else if (unlikely(data_race(!!p->in_iowait)) &&
			   state & TASK_FREEZABLE) {
			iowait = true;
		} else {
			if (likely(!(state & TASK_FROZEN))) {
				p->saved_state = state;
				WRITE_ONCE(p->__state, TASK_FROZEN);
			}
			how = CGROUP_FREEZER_IN_PLACE;
		}
	}
	freezer_unlock_sleep(p, flags);

	/* It falls asleep once more, and counts for nothing as it does. */
	if (unlikely(iowait))
		wake_up_state(p, TASK_NORMAL);

#ifdef CONFIG_LOCKDEP
	/* Not under pi_lock, which must not be held to report. */
	WARN_ON_ONCE(how == CGROUP_FREEZER_IN_PLACE && debug_locks &&
		     p->lockdep_depth);
#endif
	return how;
}

/* The same, for the checkpoint guard. */
enum cgroup_freezer_rest freezer_freeze_task(struct task_struct *task)
{
	lockdep_assert_held(&css_set_lock);

	return freezer_freeze_sleep(task);
}

/*
 * Let a task go that was found frozen, in place or in the refrigerator, and is
 * no longer held by its cgroup. The sleep that it was frozen in is restored; if
 * that is over it is woken.
 *
 * A task that has frozen itself in schedule() may still be on its CPU.  It is
 * woken instead, since an interrupt there wakes it without pi_lock, and that
 * wake-up would get lost:
 *
 *	CPU 0 (here, with pi_lock)		CPU 1 (@p, in an interrupt)
 *
 *	state = saved_state
 *						TASK_FROZEN: saved_state = RUNNING,
 *						done
 *	__state = state
 *						schedule(): sleeps
 *
 * The system freezer is kept out by css_set_lock, which it waits for between
 * pm_freezing and its first look at a task (cgroup_freezer_sync()). So it finds
 * what was let go here running or asleep, and asks it to freeze, or we see that
 * it has begun, and leave what is frozen to thaw_processes().
 */
static __always_inline void freezer_thaw_sleep(struct task_struct *p)
{
	unsigned long flags;
	unsigned int state;

	if (freezing(p))
		return;

	flags = freezer_lock_sleep(p);
	/* data_race: an interrupt on the CPU of @p may end the sleep */
	state = data_race(p->saved_state);
	/* A kill or a tracer may have let it go since we looked. */
	if (likely(READ_ONCE(p->__state) & TASK_FROZEN) &&
	    likely(state != TASK_RUNNING)) {
		/* data_race: as above */
		data_race(p->saved_state = TASK_RUNNING);
		cgroup_freezer_set_unsafe(p, false);
		/* data_race: a task that sleeps does not change */
		if (likely(!data_race(task_is_runnable(p)))) {
			WRITE_ONCE(p->__state, state);
			freezer_unlock_sleep(p, flags);
			return;
		}
	}
	freezer_unlock_sleep(p, flags);
	wake_up_state(p, TASK_FROZEN);
}

/* The same for a killed task, with interrupts disabled or not. */
static void freezer_thaw_killed(struct task_struct *p)
{
	unsigned long flags;

	local_irq_save(flags);
	if (frozen(p))
		freezer_thaw_sleep(p);
	local_irq_restore(flags);
}

/* Does @task go on without a thaw, wherever it sleeps? */
static bool freezer_is_leaving(struct task_struct *task)
{
	return freezer_is_past_last_door(task) ||
	       READ_ONCE(task->cgroup_freezer_gate) & CGROUP_FREEZER_EXEC ||
	       freezer_may_leave(task);
}

/*
 * A task in the middle of a fork is never at rest, see freezer_enter_gate().
 *
 * A task that exits is going to leave the cgroup, as one that dumps core will,
 * and an exec changes the id of the task that does it. A reader of the list of
 * tasks of a FROZEN cgroup would rather not see it change, so they get some time
 * to do so; not for ever, as they may wait for a file server that is gone, or for
 * a tracer. A core dump that is frozen in place does not go on before the thaw.
 */
static noinline enum cgroup_freezer_rest
freezer_look_closer(struct task_struct *task, struct cgroup_freezer *freezer)
{
	enum cgroup_freezer_rest how = CGROUP_FREEZER_BUSY;

	if (READ_ONCE(task->cgroup_freezer_gate) & CGROUP_FREEZER_FORK)
		return CGROUP_FREEZER_BUSY;

	if (!freezer_is_leaving(task)) {
		how = freezer_freeze_sleep(task);
		if (how == CGROUP_FREEZER_IN_PLACE ||
		    !(READ_ONCE(task->flags) & PF_SIGNALED))
			return how;
	} else if (freezer_is_asleep(task, READ_ONCE(task->__state))) {
		how = CGROUP_FREEZER_ASLEEP;
	}

	return ktime_get_ns() < freezer->grace_ns ? CGROUP_FREEZER_BUSY : how;
}

/*
 * How is @task, which is in the cgroup of @freezer, at rest? Freezes it in
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
 * queue, its next wake-up comes later, and it sees the flag when it gets to its
 * door; no lock is needed to know that (freezer_freeze_sleep()).  If the look
 * finds @task on the run queue, @task is busy, and the kick makes a task that
 * is past its last look at the flags, or is in user mode already, come back
 * and look again.  The group is not FROZEN before it has reported.
 *
 * The flag may already be set for another reason.  resume_user_mode_work()
 * clears it before it comes to the door, with a full barrier in between, so
 * either it is still set after (A) or the door is seen closed.
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
 * Open the door of @task and wake it if it waits there, or in place.
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
	if (unlikely(task->cgroup_freezer_busy_in))
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

/*
 * Make the door of @task match the state of its cgroup, which is that of
 * @freezer.  Safe to repeat, and whoever comes last is right, since the flags
 * of a cgroup and the membership of its tasks change under css_set_lock.
 */
static void freezer_conform(struct task_struct *task,
			    struct cgroup_freezer *freezer)
{
	lockdep_assert_held(&css_set_lock);

	if (!(freezer->flags & FREEZER_FREEZING)) {
		if (task->cgroup_freezer_closed)
			freezer_open_door(task);
	} else if (!task->cgroup_freezer_closed &&
		   !(task->flags & PF_KTHREAD)) {
		freezer_close_door(task, freezer);
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
 * For the system freezer, before it looks which tasks are frozen. From then on
 * a thaw sees what the caller has written before, see freezer_thaw_sleep().
 *
 * Context: any that may take css_set_lock.
 */
void cgroup_freezer_sync(void)
{
	spin_lock_irq(&css_set_lock);
	spin_unlock_irq(&css_set_lock);
}

/*
 * @task is let go to die: its cgroup and those above it are recounted before they
 * are FROZEN (freezer_recount()). A killer that is a member has noted that before
 * it comes to rest itself, hence before the last member does.
 */
static void freezer_note_let_go(struct task_struct *task)
{
	struct cgroup_freezer *freezer;

	rcu_read_lock();
	for (freezer = task_freezer(task); freezer;
	     freezer = parent_freezer(freezer))
		WRITE_ONCE(freezer->let_go, 1);
	rcu_read_unlock();
}

/*
 *	CPU 0 (the killer)			CPU 1 (@task, __refrigerator())
 *
 *	SIGKILL is pending			state = TASK_FROZEN
 *	(E) full barrier			(C) full barrier
 *	TASK_FROZEN? wake it			killed? schedule()
 *
 * An OOM victim is killed before it is marked as a victim, and a kill may come
 * before killable is turned on.  Then the killer is whoever does the last of
 * the two; if they come at the same time on two CPUs,
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
 * %current has frozen the rest of the system, and is the only one who can thaw
 * it again: that it waits for a thaw must not be.  In the kernel it is busy
 * until it has resumed the system (freezer_is_off_queue()), but it may also be
 * in user mode meanwhile, with /dev/snapshot.  If it was at rest before it began,
 * its cgroup is not FROZEN any more when it gets there.
 */
static void freezer_suspender_passes(void)
{
	spin_lock_irq(&css_set_lock);
	/* from an attempt on the checkpoint guard that failed, or will */
	if (freezer_task_is_moving(current))
		freezer_task_rests(current, current->cgroup_freezer_rest);
	if (current->cgroup_freezer_closed && !current->cgroup_freezer_busy_in)
		freezer_task_busy(current, task_freezer(current));
	spin_unlock_irq(&css_set_lock);
}

/*
 * Tracers
 *
 * A tracer may stop a task that is at rest.  The task is woken if it is parked
 * or in place, as by a fatal signal, and goes to the door, where it takes the
 * stop instead of waiting (__cgroup_freezer_door()).  When the tracer lets go it
 * comes back to the door, from wherever the stop was: there is a door behind
 * each of them (get_signal(), ptrace_notify()).
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
 * It may finish its system call on that way, so under a checkpoint guard a task
 * that is in place stays there, and the trap waits until the guard is given
 * back. A task that is parked has no system call to finish. Nor has one in a job
 * control stop, which has JOBCTL_TRAPPING set: its tracer waits, within
 * PTRACE_ATTACH or PTRACE_SEIZE, until it has changed over to the other stop.
 *
 *	CPU 0 (the tracer)			CPU 1 (@task, __refrigerator())
 *
 *	a trap is pending			it is parked
 *	(E) full barrier			(I) full barrier
 *	parked? wake it				a trap? do not stay
 */
static bool freezer_may_trap(struct task_struct *task)
{
	return READ_ONCE(task->cgroup_freezer_rest) == CGROUP_FREEZER_PARKED ||
	       READ_ONCE(task->jobctl) & JOBCTL_TRAPPING ||
	       !freezer_is_sealed(task);
}

void __cgroup_freezer_trap(struct task_struct *task)
{
	smp_mb();	/* (E) pairs with (C), (F) and (I) */
	if (ptrace_trap_pending(task) && freezer_may_trap(task))
		thaw_trapped_task(task);
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
	smp_mb();	/* (C) pairs with (B) and (E) */
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

	if (READ_ONCE(current->cgroup_freezer_rest) != CGROUP_FREEZER_PARKED) {
		spin_lock_irq(&css_set_lock);
		if (current->cgroup_freezer_busy_in)
			freezer_task_rests(current, CGROUP_FREEZER_PARKED);
		else if (current->cgroup_freezer_closed)
			WRITE_ONCE(current->cgroup_freezer_rest,
				   CGROUP_FREEZER_PARKED);
		spin_unlock_irq(&css_set_lock);

		smp_mb();	/* (I) pairs with (E) */
		if (ptrace_trap_pending(current))
			return false;
	}

	return true;
}

/* A stop is a rest in place, for freezer.stat, until %current is back. */
static void freezer_stops(void)
{
	spin_lock_irq(&css_set_lock);
	if (current->cgroup_freezer_closed && !freezer_task_is_busy(current))
		WRITE_ONCE(current->cgroup_freezer_rest,
			   CGROUP_FREEZER_IN_PLACE);
	spin_unlock_irq(&css_set_lock);
}

/*
 * Not a loop for the sake of the door: if it is closed again before %current
 * gets away from __refrigerator() it stays there, and later it is closed with
 * TIF_NOTIFY_RESUME set.  But after a stop for a tracer the door may be closed
 * still.
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

static void freezer_leave_gate(enum cgroup_freezer_gate gate)
{
	/* release: what was done behind the gate comes first */
	smp_store_release(&current->cgroup_freezer_gate,
			  current->cgroup_freezer_gate & ~gate);
}

/*
 * Fork and exec
 *
 * A closed door is also closed for what changes the list of tasks.  A task that
 * is at rest asleep inside of fork() must not add a task to a FROZEN cgroup, and
 * one that is asleep inside of execve() must not kill the other threads of its
 * process and take the id of one of them.  So there is a gate to each.
 *
 *	CPU 0 (freezer_close_door())		CPU 1 (the parent)
 *
 *	closed = 1				gate |= FORK, or EXEC
 *	(A) full barrier			(D) full barrier
 *	gate? then busy				closed? then start over
 *
 * At least one of them sees the other.  A fork that is past this point goes
 * through: until it is over its parent is busy, hence the cgroup not FROZEN,
 * and the child is born with its door closed, by the pass if that finds it in
 * the cgroup, or else by freezer_fork().  An exec goes through as well, but may
 * wait for a tracer of one of the threads, so there is a limit to it
 * (freezer_look_closer()).
 */
static bool freezer_enter_gate(enum cgroup_freezer_gate gate)
{
	WRITE_ONCE(current->cgroup_freezer_gate,
		   current->cgroup_freezer_gate | gate);
	smp_mb();	/* (D) pairs with (A) */
	if (likely(!cgroup_freezer_closed(current)))
		return true;

	freezer_leave_gate(gate);
	return false;
}

/**
 * cgroup_freezer_start_over - let %current come to its door and repeat its call
 *
 * By TIF_SIGPENDING and not by TIF_NOTIFY_SIGNAL, which some architectures do not
 * look at where they restart a call, and others serve without a look at the door.
 *
 * Context: process context, in a system call that has changed nothing yet.
 * Return: -ERESTARTNOINTR, which the system call has to return.
 */
int cgroup_freezer_start_over(void)
{
	/* one's own: only exec changes it, and not before the gate */
	struct sighand_struct *sighand =
		rcu_dereference_protected(current->sighand, true);

	spin_lock_irq(&sighand->siglock);
	set_thread_flag(TIF_SIGPENDING);
	spin_unlock_irq(&sighand->siglock);
	return -ERESTARTNOINTR;
}

static int freezer_can_fork(struct task_struct *child, struct css_set *cset)
{
	/* a new task starts with an open door, whatever was copied */
	child->cgroup_freezer_closed = 0;
	child->cgroup_freezer_gate = 0;
	child->cgroup_freezer_unsafe = 0;
	child->cgroup_freezer_rest = CGROUP_FREEZER_BUSY;
	child->cgroup_freezer_busy_in = NULL;
	/* and is not killed, where a killed one may still make a worker */
	child->flags &= ~(PF_SIGNALED | PF_DUMPCORE);

	if (freezer_enter_gate(CGROUP_FREEZER_FORK))
		return 0;
	/*
	 * io_uring tries again, some time after the call that it is in. A signal
	 * would be an error of that call. For its submission thread it starts over
	 * by itself.
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

static void freezer_cancel_fork(struct task_struct *child, struct css_set *cset)
{
	freezer_leave_gate(CGROUP_FREEZER_FORK);
}

/*
 * @child has been added to its css_set, under css_set_lock.  If the flags read
 * here do not say freezing yet, a pass that sets them later finds @child.
 */
static void freezer_fork(struct task_struct *child)
{
	rcu_read_lock();
	if (READ_ONCE(task_freezer(child)->flags) & FREEZER_FREEZING) {
		spin_lock_irq(&css_set_lock);
		freezer_conform(child, task_freezer(child));
		spin_unlock_irq(&css_set_lock);
	}
	rcu_read_unlock();

	/* only now may the parent count as at rest */
	freezer_leave_gate(CGROUP_FREEZER_FORK);
}

/*
 * @task dies, and no pass finds it any more, so it does not become busy again.
 * Called where the task leaves its css_set and not from cgroup_subsys::exit,
 * since there are kernels on which that comes long before.
 */
void __cgroup_freezer_left(struct task_struct *task)
{
	freezer_task_rests(task, CGROUP_FREEZER_EXITED);
}

/*
 * Busy tasks that fall asleep
 *
 * A task that goes to sleep on its way to the door does not tell. The looks
 * begin soon after the first task was found busy and get rarer, since most
 * tasks park within microseconds and the others may take long.
 */

/* Look at each busy task once. Return: true if there are still some. */
static bool freezer_look_at_busy_tasks(void)
{
	unsigned int nr, batch = FREEZER_BATCH;
	bool more;

	spin_lock_irq(&css_set_lock);
	for (nr = nr_busy_tasks; nr && nr_busy_tasks; nr--) {
		enum cgroup_freezer_rest how;
		struct task_struct *task;

		task = list_first_entry(&busy_tasks, struct task_struct,
					cgroup_freezer_node);
		list_move_tail(&task->cgroup_freezer_node, &busy_tasks);
		how = freezer_look(task, task->cgroup_freezer_busy_in);
		if (how != CGROUP_FREEZER_BUSY)
			freezer_task_rests(task, how);

		if (!--batch) {
			batch = FREEZER_BATCH;
			spin_unlock_irq(&css_set_lock);
			cond_resched();
			spin_lock_irq(&css_set_lock);
		}
	}
	more = nr_busy_tasks;
	spin_unlock_irq(&css_set_lock);

	return more;
}

static void freezer_relook(struct work_struct *work)
{
	unsigned long us = FREEZER_RELOOK_MIN_US;

	do {
		usleep_range_state(us, us + us / 4, TASK_IDLE);
		us = min(us * 2, FREEZER_RELOOK_MAX_US);
	} while (freezer_look_at_busy_tasks());
}

/*
 * Tasks that were let go to die
 */

static unsigned int freezer_recount_task(struct task_struct *task, void *data)
{
	struct cgroup_freezer *freezer = task_freezer(task);

	if (!task->cgroup_freezer_closed || freezer_task_is_busy(task) ||
	    !freezer_is_leaving(task))
		return 1;
	/* a cgroup below that is CHECKPOINTING is not to become FREEZING */
	if (freezer != data && freezer_is_guarded(freezer))
		return 1;

	if (freezer_task_is_moving(task))
		freezer_task_rests(task, task->cgroup_freezer_rest);
	freezer->grace_ns = ktime_get_ns() + FREEZER_EXIT_GRACE_NS;
	freezer_task_busy(task, freezer);
	return 1;
}

/*
 * Count the tasks of @freezer and of all below it as busy that were at rest and
 * have been let go to die since.  A task that is let go meanwhile sets let_go
 * again.
 */
static void freezer_recount(struct cgroup_freezer *freezer)
{
	/* full barrier; pairs with (E): a kill that is noted here is seen below */
	xchg(&freezer->let_go, 0);
	freezer_visit(freezer, freezer_recount_task, freezer);
}

static void freezer_recount_all(struct work_struct *work)
{
	struct cgroup_freezer *freezer;

	spin_lock_irq(&css_set_lock);
	while ((freezer = list_first_entry_or_null(&recounts,
						   struct cgroup_freezer,
						   recount))) {
		list_del(&freezer->recount);
		spin_unlock_irq(&css_set_lock);

		freezer_recount(freezer);

		spin_lock_irq(&css_set_lock);
		if (freezer->flags & FREEZER_RECOUNT) {
			WRITE_ONCE(freezer->flags,
				   freezer->flags & ~FREEZER_RECOUNT);
			freezer_put_busy(freezer);
		}
		spin_unlock_irq(&css_set_lock);
		css_put(&freezer->css);
		spin_lock_irq(&css_set_lock);
	}
	spin_unlock_irq(&css_set_lock);
}

/*
 * Passes over the tasks of a cgroup and over a subtree
 */

struct freezer_pass {
	struct cgroup_freezer	*freezer;
	unsigned int		woken;
};

/*
 * These two are what a freeze and a thaw cost for each task. They do what
 * freezer_conform() does; the flags of a cgroup do not change during its pass.
 */
static __always_inline
unsigned int freezer_pass_close(struct task_struct *task, void *data)
{
	struct freezer_pass *pass = data;

	if (task->cgroup_freezer_closed || task->flags & PF_KTHREAD ||
	    freezer_close_door(task, pass->freezer))
		return 1;
	return FREEZER_WAKE_COST;
}

static __always_inline
unsigned int freezer_pass_open(struct task_struct *task, void *data)
{
	struct freezer_pass *pass = data;

	if (!task->cgroup_freezer_closed || !freezer_open_door(task))
		return 1;
	pass->woken++;
	return FREEZER_WAKE_COST;
}

/* Call @fn for each task of @top and of all below it, in batches. */
void freezer_visit(struct cgroup_freezer *top,
		   unsigned int (*fn)(struct task_struct *task, void *data),
		   void *data)
{
	struct cgroup_subsys_state *pos;

	rcu_read_lock();
	css_for_each_descendant_pre(pos, &top->css) {
		struct css_task_iter it;

		if (!css_tryget_online(pos))
			continue;
		rcu_read_unlock();

		css_task_iter_start(pos, 0, &it);
		while (css_task_iter_batch(&it, fn, data, FREEZER_BATCH))
			cond_resched();
		css_task_iter_end(&it);

		rcu_read_lock();
		css_put(pos);
	}
	rcu_read_unlock();
}

/* Make the doors of all tasks of @freezer match its flags. */
static void freezer_pass(struct cgroup_freezer *freezer)
{
	bool freeze = READ_ONCE(freezer->flags) & FREEZER_FREEZING;
	struct freezer_pass pass = { .freezer = freezer };
	struct css_task_iter it;

	lockdep_assert_held(&freezer_mutex);

	css_task_iter_start(&freezer->css, 0, &it);
	if (freeze) {
		while (css_task_iter_batch(&it, freezer_pass_close, &pass,
					   FREEZER_BATCH))
			cond_resched();
	} else {
		while (css_task_iter_batch(&it, freezer_pass_open, &pass,
					   FREEZER_BATCH))
			cond_resched();
	}
	css_task_iter_end(&it);

	if (!freeze)
		trace_cgroup_freezer_thaw(freezer_id(freezer), pass.woken);
}

/*
 * Ask @freezer to freeze, for the reason @flag.
 *
 * Its state changes when the pass is over, so a group of sleepers is announced
 * as FROZEN and not as FREEZING first, unless a task makes a difference before.
 *
 * Return: true if its tasks have to be passed over.  Until that is done,
 * FREEZER_PASS keeps it and its ancestors from FROZEN.
 */
static bool freezer_ask(struct cgroup_freezer *freezer, unsigned int flag)
{
	bool pass = false;

	spin_lock_irq(&css_set_lock);
	if (freezer->flags & FREEZER_ONLINE) {
		pass = !(freezer->flags & FREEZER_FREEZING);
		WRITE_ONCE(freezer->flags, freezer->flags | flag |
			   (pass ? FREEZER_PASS : 0));
		if (pass) {
			/* the pass finds those; full barrier as in freezer_recount() */
			xchg(&freezer->let_go, 0);
			freezer->nr_busy++;
			freezer->since_ns = ktime_get_ns();
			freezer->grace_ns = freezer->since_ns +
					    FREEZER_EXIT_GRACE_NS;
		}
	}
	spin_unlock_irq(&css_set_lock);

	return pass;
}

static void freezer_end_pass(struct cgroup_freezer *freezer)
{
	spin_lock_irq(&css_set_lock);
	if (freezer->flags & FREEZER_PASS) {
		WRITE_ONCE(freezer->flags, freezer->flags & ~FREEZER_PASS);
		freezer->nr_busy--;
		freezer_update(freezer);
	}
	spin_unlock_irq(&css_set_lock);
}

/*
 * Freeze @top and all below it, in two walks.  The first, parents before
 * children, tells every cgroup; a cgroup that is made meanwhile either is met
 * by it or inherits from a parent that knows (freezer_css_online()).  The
 * second, children before parents, closes the doors.  No cgroup can become
 * FROZEN before all of its descendants are done.
 */
static void freezer_freeze_subtree(struct cgroup_freezer *top)
{
	struct cgroup_subsys_state *pos;

	lockdep_assert_held(&freezer_mutex);

	if (!freezer_ask(top, FREEZER_FREEZING_SELF))
		return;

	rcu_read_lock();
	css_for_each_descendant_pre(pos, &top->css) {
		if (pos != &top->css)
			freezer_ask(css_freezer(pos), FREEZER_FREEZING_PARENT);
	}

	css_for_each_descendant_post(pos, &top->css) {
		struct cgroup_freezer *freezer = css_freezer(pos);

		if (!(READ_ONCE(freezer->flags) & FREEZER_PASS) ||
		    !css_tryget_online(pos))
			continue;
		rcu_read_unlock();

		freezer_pass(freezer);
		freezer_end_pass(freezer);

		rcu_read_lock();
		css_put(pos);
	}
	rcu_read_unlock();
}

/*
 * Thaw @top, whose own request is gone, and what is below it as far as nobody
 * else asks.  The state of a cgroup changes before the first of its tasks runs.
 *
 * Whether there are doors to be opened is not to be seen from the state: when
 * the last busy task of a FREEZING cgroup reports after the request was
 * withdrawn, and before we come here, it is THAWED already.
 */
static void freezer_thaw_subtree(struct cgroup_freezer *top)
{
	struct cgroup_subsys_state *pos;

	lockdep_assert_held(&freezer_mutex);

	rcu_read_lock();
	css_for_each_descendant_pre(pos, &top->css) {
		struct cgroup_freezer *freezer = css_freezer(pos);
		struct cgroup_freezer *parent = parent_freezer(freezer);
		bool thaw;

		spin_lock_irq(&css_set_lock);
		thaw = pos == &top->css || freezer->flags & FREEZER_FREEZING;
		if (pos != &top->css && !(parent->flags & FREEZER_FREEZING))
			WRITE_ONCE(freezer->flags, freezer->flags &
				   ~FREEZER_FREEZING_PARENT);
		if (freezer->flags & FREEZER_FREEZING)
			thaw = false;
		freezer_update(freezer);
		spin_unlock_irq(&css_set_lock);

		if (!thaw || !css_tryget_online(pos))
			continue;
		rcu_read_unlock();

		freezer_pass(freezer);

		rcu_read_lock();
		css_put(pos);
	}
	rcu_read_unlock();
}

/*
 * Requests
 */

/*
 * The system freezer, a debugger and task_work end the sleep of a writer by the
 * same means as a signal does.  Nobody has to know of them, nor of a suspend that
 * was given up meanwhile.
 */
int freezer_interrupted(void)
{
	/* one's own: only exec changes it, and that is not where we are */
	struct sighand_struct *sighand =
		rcu_dereference_protected(current->sighand, true);
	bool signalled;

	spin_lock_irq(&sighand->siglock);
	signalled = !freezing(current) &&
		    (next_signal(&current->pending, &current->blocked) ||
		     next_signal(&current->signal->shared_pending,
				 &current->blocked));
	spin_unlock_irq(&sighand->siglock);

	return signalled ? -EINTR : cgroup_freezer_start_over();
}

/**
 * struct freezer_ticket - what a writer of FROZEN remembers of its request
 * @generation:	of its cgroup, when it asked
 * @cancelled:	nr_cancelled of its cgroup, when it asked
 * @frozen:	the cgroup was FROZEN already
 * @deadline:	when it gives up, in jiffies
 * @nbytes:	what it has written
 */
struct freezer_ticket {
	u64		generation;
	unsigned int	cancelled;
	bool		frozen;
	unsigned long	deadline;
	size_t		nbytes;
};

static void freezer_request_frozen(struct cgroup_freezer *freezer,
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
		cgroup_file_notify_now(&freezer->state_file);
	} else {
		freezer_freeze_subtree(freezer);
	}
	mutex_unlock(&freezer_mutex);
}

static int freezer_request_thawed(struct cgroup_freezer *freezer)
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
		cgroup_file_notify_now(&freezer->state_file);
	mutex_unlock(&freezer_mutex);
	return 0;
}

static bool freezer_wait_is_over(struct cgroup_freezer *freezer,
				 const struct freezer_ticket *ticket)
{
	return freezer_is_still(READ_ONCE(freezer->state)) ||
	       READ_ONCE(freezer->generation) != ticket->generation ||
	       READ_ONCE(freezer->nr_cancelled) != ticket->cancelled ||
	       !(READ_ONCE(freezer->flags) & FREEZER_ONLINE);
}

static long freezer_wait_again(struct restart_block *restart);

/*
 * The wait was interrupted by something that is no signal. It goes on with the
 * same request, which a THAWED may end meanwhile, and with what is left of the
 * time. So the write is not started over, but this.
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

/*
 * Wait until the request of @ticket has come to an end.
 *
 * The writer holds of->mutex and its reference to the open file here, but has
 * given up kernfs's active protection, so the cgroup can be removed.
 */
static int freezer_wait(struct cgroup_freezer *freezer,
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
						freezer_wait_is_over(freezer, ticket),
						max(left, 0L));
	if (left < 0)
		interrupted = freezer_interrupted();

	spin_lock_irq(&css_set_lock);
	if (freezer_is_still(freezer->state) ||
	    freezer->generation != ticket->generation) {
		ret = 0;
	} else if (!(freezer->flags & FREEZER_ONLINE)) {
		ret = -ENODEV;
	} else if (freezer->nr_cancelled != ticket->cancelled) {
		ret = -ECANCELED;
	} else if (interrupted == -EINTR) {
		ret = -EINTR;
	} else if (interrupted) {
		/*
		 * A writer inside of the subtree is done, the door is ahead of
		 * it.  It would start over after the thaw, and freeze itself
		 * once more.
		 */
		ret = current->cgroup_freezer_closed ? 0 :
		      freezer_wait_later(freezer, ticket);
	} else {
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

/*
 * The files
 */

static ssize_t freezer_state_write(struct kernfs_open_file *of, char *buf,
				   size_t nbytes, loff_t off)
{
	struct cgroup_freezer *freezer = css_freezer(of_css(of));
	struct freezer_ticket ticket = { .nbytes = nbytes };
	int ret = 0;

	buf = strstrip(buf);
	if (!strcmp(buf, state_names[CGROUP_FREEZER_THAWED])) {
		ret = freezer_request_thawed(freezer);
		return ret ?: nbytes;
	}
	if (strcmp(buf, state_names[CGROUP_FREEZER_FROZEN]))
		return -EINVAL;

	/* the css survives the removal of its cgroup, while we wait */
	css_get(&freezer->css);
	freezer_request_frozen(freezer, &ticket);

	if (!ticket.frozen && !(of->file->f_flags & O_NONBLOCK)) {
		kernfs_break_active_protection(of->kn);
		ret = freezer_wait(freezer, &ticket);
		kernfs_unbreak_active_protection(of->kn);
	}
	css_put(&freezer->css);

	return ret ?: nbytes;
}

static int freezer_state_show(struct seq_file *m, void *v)
{
	struct cgroup_freezer *freezer = css_freezer(seq_css(m));

	seq_puts(m, state_names[READ_ONCE(freezer->state)]);
	seq_putc(m, '\n');
	return 0;
}

static u64 freezer_self_freezing_read(struct cgroup_subsys_state *css,
				      struct cftype *cft)
{
	return !!(READ_ONCE(css_freezer(css)->flags) & FREEZER_FREEZING_SELF);
}

static u64 freezer_parent_freezing_read(struct cgroup_subsys_state *css,
					struct cftype *cft)
{
	return !!(READ_ONCE(css_freezer(css)->flags) & FREEZER_FREEZING_PARENT);
}

static u64 freezer_timeout_read(struct cgroup_subsys_state *css,
				struct cftype *cft)
{
	return READ_ONCE(css_freezer(css)->timeout_ms);
}

static ssize_t freezer_timeout_write(struct kernfs_open_file *of, char *buf,
				     size_t nbytes, loff_t off)
{
	unsigned int timeout_ms;

	if (kstrtouint(strstrip(buf), 0, &timeout_ms) || timeout_ms > INT_MAX)
		return -EINVAL;

	WRITE_ONCE(css_freezer(of_css(of))->timeout_ms, timeout_ms);
	return nbytes;
}

static u64 freezer_killable_read(struct cgroup_subsys_state *css,
				 struct cftype *cft)
{
	return READ_ONCE(css_freezer(css)->killable);
}

static unsigned int freezer_kill_task(struct task_struct *task, void *data)
{
	cgroup_freezer_kill(task);
	return FREEZER_WAKE_COST;
}

static ssize_t freezer_killable_write(struct kernfs_open_file *of, char *buf,
				      size_t nbytes, loff_t off)
{
	struct cgroup_subsys_state *css = of_css(of);
	struct css_task_iter it;
	unsigned int killable;

	if (kstrtouint(strstrip(buf), 0, &killable) || killable > 1)
		return -EINVAL;

	WRITE_ONCE(css_freezer(css)->killable, killable);
	if (!killable)
		return nbytes;

	/* those that were killed before may leave now */
	css_task_iter_start(css, 0, &it);
	while (css_task_iter_batch(&it, freezer_kill_task, NULL, FREEZER_BATCH))
		cond_resched();
	css_task_iter_end(&it);
	return nbytes;
}

/* What a busy task is doing, in a word; it may have gone on meanwhile. */
static const char *freezer_reason(struct task_struct *task)
{
	unsigned int gate = READ_ONCE(task->cgroup_freezer_gate);

	if (gate & CGROUP_FREEZER_FORK)
		return "forking";
	if (gate & CGROUP_FREEZER_EXEC)
		return "execing";
	if (freezer_is_exiting(task) || READ_ONCE(task->flags) & PF_SIGNALED)
		return "exiting";
	if (READ_ONCE(task->flags) & PF_SUSPEND_TASK)
		return "suspending";
	if (READ_ONCE(task->__state) & TASK_NEW)
		return "starting";
	return task_curr(task) ? "running" : "runnable";
}

/* A line of freezer.blockers. */
void freezer_show_task(struct seq_file *m, struct task_struct *task,
		       const char *what)
{
	char comm[TASK_COMM_LEN];

	strscpy(comm, task->comm, sizeof(comm));
	seq_printf(m, "%d ", task_pid_nr_ns(task, task_active_pid_ns(current)));
	seq_escape(m, comm, " \t\n\\");
	seq_printf(m, " %s\n", what);
}

static unsigned int freezer_show_blocker(struct task_struct *task, void *data)
{
	if (likely(!task->cgroup_freezer_busy_in) || seq_has_overflowed(data))
		return 1;

	if (freezer_task_is_busy(task))
		freezer_show_task(data, task, freezer_reason(task));
	else
		freezer_show_moving(data, task);
	return FREEZER_WAKE_COST;
}

/*
 * The tasks of the cgroup and of those below it that are on an account: of those
 * that are not at rest, or that a checkpoint guard waits for. A walk and not that
 * account, so as not to walk over the busy tasks of others, and in batches.
 */
static int freezer_blockers_show(struct seq_file *m, void *v)
{
	freezer_visit(css_freezer(seq_css(m)), freezer_show_blocker, m);
	return 0;
}

struct freezer_count {
	u64	tasks;
	u64	rest[CGROUP_FREEZER_EXITED];
	u64	runtime_ns;
};

static unsigned int freezer_count_task(struct task_struct *task, void *data)
{
	struct freezer_count *count = data;
	enum cgroup_freezer_rest how;

	if (task->flags & PF_KTHREAD)
		return 1;

	count->tasks++;
	if (!task->cgroup_freezer_closed)
		return 1;

	how = READ_ONCE(task->cgroup_freezer_rest);
	if (how != CGROUP_FREEZER_BUSY &&
	    task->cgroup_freezer_runtime != FREEZER_NO_RUNTIME)
		count->runtime_ns += task_sched_runtime(task) -
				     task->cgroup_freezer_runtime;
	/* It woke, and has come to a sleep where it could be frozen. */
	if (how == CGROUP_FREEZER_ASLEEP &&
	    READ_ONCE(task->__state) & TASK_FROZEN &&
	    !cgroup_freezer_is_unsafe(task))
		how = CGROUP_FREEZER_IN_PLACE;
	count->rest[how]++;
	return 1;
}

static int freezer_stat_show(struct seq_file *m, void *v)
{
	struct cgroup_freezer *freezer = css_freezer(seq_css(m));
	u64 generation, nr_freezes, nr_timeouts, freezing_ns, frozen_ns, spent;
	struct freezer_count count = {};

	spin_lock_irq(&css_set_lock);
	generation = freezer->generation;
	nr_freezes = freezer->nr_freezes;
	nr_timeouts = freezer->nr_timeouts;
	freezing_ns = freezer->freezing_ns;
	frozen_ns = freezer->frozen_ns;
	spent = ktime_get_ns() - freezer->since_ns;
	if (freezer->state == CGROUP_FREEZER_FREEZING)
		freezing_ns += spent;
	else if (freezer_is_still(freezer->state))
		frozen_ns += spent;
	spin_unlock_irq(&css_set_lock);

	freezer_visit(freezer, freezer_count_task, &count);

	seq_printf(m, "frozen_usec %llu\n", div_u64(frozen_ns, NSEC_PER_USEC));
	seq_printf(m, "freezing_usec %llu\n",
		   div_u64(freezing_ns, NSEC_PER_USEC));
	seq_printf(m, "nr_freezes %llu\n", nr_freezes);
	seq_printf(m, "nr_timeouts %llu\n", nr_timeouts);
	seq_printf(m, "generation %llu\n", generation);
	seq_printf(m, "nr_tasks %llu\n", count.tasks);
	seq_printf(m, "nr_parked %llu\n", count.rest[CGROUP_FREEZER_PARKED]);
	seq_printf(m, "nr_in_place %llu\n",
		   count.rest[CGROUP_FREEZER_IN_PLACE]);
	seq_printf(m, "nr_asleep %llu\n", count.rest[CGROUP_FREEZER_ASLEEP] +
		   count.rest[CGROUP_FREEZER_WRITER]);
	seq_printf(m, "nr_busy %llu\n", count.rest[CGROUP_FREEZER_BUSY]);
	seq_printf(m, "cpu_usec_at_rest %llu\n",
		   div_u64(count.runtime_ns, NSEC_PER_USEC));
	return 0;
}

/*
 * Migration
 *
 * A task changes its css_set and with it, under the same css_set_lock, its door
 * and its account: cgroup_freezer_moved(). That is called for each move, also
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
 * been met by the pass, or was moved after that and has been seen to there.
 *
 * The checkpoint guard refuses moves between cgroups (can_attach), and waits for
 * a migration that it was too late for.
 */

/* No task comes, or goes, where somebody has the checkpoint guard. */
static bool freezer_attach_is_barred(struct cgroup_taskset *tset)
{
	struct cgroup_subsys_state *css;
	struct task_struct *task;

	lockdep_assert_held(&css_set_lock);

	cgroup_taskset_for_each(task, css, tset) {
		if (freezer_is_guarded(task_freezer(task)) ||
		    freezer_is_guarded(css_freezer(css)))
			return true;
	}
	return false;
}

static int freezer_can_attach(struct cgroup_taskset *tset)
{
	spin_lock_irq(&css_set_lock);
	if (freezer_attach_is_barred(tset)) {
		spin_unlock_irq(&css_set_lock);
		return -EBUSY;
	}
	freezer_migration_begins();
	spin_unlock_irq(&css_set_lock);
	return 0;
}

/* The end of a migration, whether it came about or not */
static void freezer_attach(struct cgroup_taskset *tset)
{
	spin_lock_irq(&css_set_lock);
	freezer_migration_ends();
	spin_unlock_irq(&css_set_lock);
}

/**
 * cgroup_freezer_moved - a task has another css_set
 * @task: the task
 *
 * For every move, also one that changes no cgroup of the freezer: a walk over the
 * tasks of a cgroup may have missed @task between the two.
 *
 * Context: css_set_lock held since the css_set was changed, interrupts disabled.
 */
void cgroup_freezer_moved(struct task_struct *task)
{
	struct cgroup_freezer *from = task->cgroup_freezer_busy_in;
	struct cgroup_freezer *freezer = task_freezer(task);

	lockdep_assert_held(&css_set_lock);

	if (freezer_task_is_moving(task)) {
		/* a guard that was not granted has to do with others now */
		if (!cgroup_is_descendant(freezer->css.cgroup, from->css.cgroup))
			freezer_task_rests(task, task->cgroup_freezer_rest);
	} else if (from && from != freezer) {
		/* a busy task goes on being busy, but on the new account */
		WRITE_ONCE(task->cgroup_freezer_busy_in, freezer);
		freezer_get_busy(freezer);
		freezer_put_busy(from);
	}
	/* it comes here to die: not in a group that somebody has found FROZEN */
	if (unlikely(freezer->flags & FREEZER_FREEZING &&
		     !task->cgroup_freezer_closed && freezer_is_leaving(task))) {
		freezer->grace_ns = ktime_get_ns() + FREEZER_EXIT_GRACE_NS;
		freezer_note_let_go(task);
	}
	freezer_conform(task, freezer);
	/* the new one may be killable where the old one was not */
	cgroup_freezer_kill(task);
	freezer_requiesce_task(task, freezer);
}

/*
 * Cgroups
 */

static struct cgroup_subsys_state *
freezer_css_alloc(struct cgroup_subsys_state *parent_css)
{
	struct cgroup_freezer *parent = css_freezer(parent_css);
	struct cgroup_freezer *freezer;

	freezer = kzalloc(sizeof(*freezer), GFP_KERNEL);
	if (!freezer)
		return ERR_PTR(-ENOMEM);

	init_waitqueue_head(&freezer->wait);
	INIT_LIST_HEAD(&freezer->moving);
	freezer->since_ns = ktime_get_ns();
	freezer->timeout_ms = parent ? READ_ONCE(parent->timeout_ms) :
				       FREEZER_TIMEOUT_MS;
	freezer->killable = parent ? READ_ONCE(parent->killable) :
				     freezer_killable;
	return &freezer->css;
}

/*
 * A new cgroup inherits what is asked of its parent.  If a pass has marked the
 * parent it is seen here; if not, the pass will come by.
 */
static int freezer_css_online(struct cgroup_subsys_state *css)
{
	struct cgroup_freezer *freezer = css_freezer(css);
	struct cgroup_freezer *parent = parent_freezer(freezer);
	unsigned int flags = FREEZER_ONLINE;

	mutex_lock(&freezer_mutex);
	spin_lock_irq(&css_set_lock);
	if (parent && parent->flags & FREEZER_FREEZING)
		flags |= FREEZER_FREEZING_PARENT;
	WRITE_ONCE(freezer->flags, flags);
	freezer_update(freezer);
	spin_unlock_irq(&css_set_lock);
	mutex_unlock(&freezer_mutex);
	return 0;
}

/*
 * There are no tasks any more, but there may be writers who wait, and in-kernel
 * code that still has the checkpoint guard.
 */
static void freezer_css_offline(struct cgroup_subsys_state *css)
{
	struct cgroup_freezer *freezer = css_freezer(css);

	mutex_lock(&freezer_mutex);
	spin_lock_irq(&css_set_lock);
	WRITE_ONCE(freezer->flags, 0);
	freezer_update(freezer);
	wake_up_all(&freezer->wait);
	spin_unlock_irq(&css_set_lock);
	mutex_unlock(&freezer_mutex);
}

static void freezer_css_free(struct cgroup_subsys_state *css)
{
	kfree(css_freezer(css));
}

static struct cftype freezer_files[] = {
	{
		.name = "state",
		.flags = CFTYPE_NOT_ON_ROOT,
		.file_offset = offsetof(struct cgroup_freezer, state_file),
		.seq_show = freezer_state_show,
		.write = freezer_state_write,
	},
	{
		.name = "self_freezing",
		.flags = CFTYPE_NOT_ON_ROOT,
		.read_u64 = freezer_self_freezing_read,
	},
	{
		.name = "parent_freezing",
		.flags = CFTYPE_NOT_ON_ROOT,
		.read_u64 = freezer_parent_freezing_read,
	},
	{
		.name = "timeout_ms",
		.flags = CFTYPE_NOT_ON_ROOT,
		.read_u64 = freezer_timeout_read,
		.write = freezer_timeout_write,
	},
	{
		.name = "killable",
		.flags = CFTYPE_NOT_ON_ROOT,
		.read_u64 = freezer_killable_read,
		.write = freezer_killable_write,
	},
	{
		.name = "blockers",
		.flags = CFTYPE_NOT_ON_ROOT,
		.seq_show = freezer_blockers_show,
	},
	{
		.name = "stat",
		.flags = CFTYPE_NOT_ON_ROOT,
		.seq_show = freezer_stat_show,
	},
	{
		.name = "checkpoint",
		.flags = CFTYPE_NOT_ON_ROOT,
		.open = freezer_checkpoint_open,
		.release = freezer_checkpoint_release,
		.seq_show = freezer_checkpoint_show,
		.write = freezer_checkpoint_write,
	},
	{ }	/* terminate */
};

struct cgroup_subsys freezer_cgrp_subsys = {
	.css_alloc	= freezer_css_alloc,
	.css_online	= freezer_css_online,
	.css_offline	= freezer_css_offline,
	.css_free	= freezer_css_free,
	.can_attach	= freezer_can_attach,
	.cancel_attach	= freezer_attach,
	.attach		= freezer_attach,
	.can_fork	= freezer_can_fork,
	.cancel_fork	= freezer_cancel_fork,
	.fork		= freezer_fork,
	.legacy_cftypes	= freezer_files,
};
