/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Container freezer: a sleep
 *
 * A sleep is seen, frozen in place and let go again here, under p->pi_lock. No other
 * code of the freezer deals with __state == TASK_FROZEN and saved_state. Outside of
 * the freezer __refrigerator(), the system freezer and a wake-up that is kept, in
 * ttwu_state_match(), do.
 *
 * The functions here and in door.h, and css_task_iter_batch(), run once for each of
 * maybe ten thousand tasks, and dominate the cost of a freeze and of a thaw. So
 * they are one piece of code for the compiler, without a call except for p->pi_lock.
 * That lock is taken once for a task that is frozen in place, and not at all for
 * others.
 */
#ifndef _KERNEL_CGROUP_FREEZER_SLEEP_H
#define _KERNEL_CGROUP_FREEZER_SLEEP_H

#include <linux/freezer.h>
#include <linux/sched/signal.h>

#include "freezer.h"

/* Off the run queues? The caller has seen @p in a sleep or a stop. */
static __always_inline bool freezer_is_off_queue(struct task_struct *p)
{
	/* State before on_rq, see try_to_wake_up() */
	smp_rmb();
	/* The task that suspends the system is busy until it has resumed it. */
	if (unlikely(READ_ONCE(p->flags) & PF_SUSPEND_TASK))
		return false;
	/* data_race: with a sleep or a wake-up, and either answer will do */
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

/* The callers hold css_set_lock, which disables interrupts except on PREEMPT_RT. */
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

static __always_inline bool freezer_is_on_cpu(struct task_struct *p)
{
#ifdef CONFIG_SMP
	/* acquire: what @p has written in __schedule(), and before, is seen behind this */
	return smp_load_acquire(&p->on_cpu);
#else
	return false;
#endif
}

/*
 * How many locks does @p hold in its sleep, as far as lockdep knows? Under p->pi_lock,
 * since @p may be let go as soon as that is released. The caller warns behind pi_lock,
 * which must not be held to report.
 */
static __always_inline int freezer_nr_locks(struct task_struct *p)
{
#ifdef CONFIG_LOCKDEP
	return debug_locks ? p->lockdep_depth : 0;
#else
	return 0;
#endif
}

/*
 * Is there nothing about @p that takes a closer look? The caller has seen @p in a sleep
 * or a stop. These are the questions of freezer_is_off_queue(), freezer_look_closer()
 * and freezer_freeze_sleep(), each asked once, in the order that all of them need: the
 * run queue behind the state, and what @p itself changes behind the run queue, so that
 * a task that has come to its sleep by way of a gate is seen behind that gate.
 */
static __always_inline bool freezer_sleeps_plainly(struct task_struct *p)
{
	/* State before on_rq, see try_to_wake_up() */
	smp_rmb();
	/* data_race: with a sleep or a wake-up, and either answer will do */
	if (data_race(p->on_rq) != 0)
		return false;
	smp_rmb();	/* a gate, an exit and a kill that @p has taken come before */
	/* data_race: only @p changes it, and that does not run */
	if (unlikely(data_race(p->cgroup_freezer_gate)))
		return false;
	/* data_race: the same */
	if (unlikely(data_race(p->flags & (PF_SUSPEND_TASK | PF_SIGNALED))))
		return false;
	/* data_race: the same */
	if (unlikely(data_race(!!p->in_iowait)))
		return false;
	/* data_race: a signal that is not seen here has (E) to come */
	return likely(!data_race(task_thread_info(p)->flags & _TIF_SIGPENDING));
}

/*
 * The short way of freezer_look(), for most of ten thousand tasks: one that sleeps in
 * a freezable sleep or a stop is frozen in place, as by freezer_freeze_sleep(), and one
 * that sleeps for a signal is left asleep. None of the two is blocked, see
 * freezer_look_blocked().
 *
 * Return: how @p is at rest, or BUSY if that takes a closer look.
 */
static __always_inline
enum cgroup_freezer_rest freezer_freeze_plain_sleep(struct task_struct *p)
{
	enum cgroup_freezer_rest how = CGROUP_FREEZER_BUSY;
	unsigned int state = READ_ONCE(p->__state);
	unsigned long flags;
	int nr_locks = 0;

	if (likely(state & (TASK_FREEZABLE | __TASK_STOPPED | __TASK_TRACED)) &&
	    likely(!(state & (__TASK_FREEZABLE_UNSAFE | TASK_FROZEN)))) {
		flags = freezer_lock_sleep(p);
		/* data_race: @p may run, and changes its own state then */
		if (likely(data_race(p->__state) == state) &&
		    likely(freezer_sleeps_plainly(p)) &&
		    likely(!freezer_is_on_cpu(p))) {
			p->saved_state = state;
			WRITE_ONCE(p->__state, TASK_FROZEN);
			how = CGROUP_FREEZER_IN_PLACE;
			nr_locks = freezer_nr_locks(p);
		}
		freezer_unlock_sleep(p, flags);
		WARN_ON_ONCE(nr_locks);
	} else if (state == TASK_INTERRUPTIBLE && likely(freezer_sleeps_plainly(p))) {
		/* again, since @p may have come to another sleep between the two */
		if (likely(READ_ONCE(p->__state) == TASK_INTERRUPTIBLE))
			how = CGROUP_FREEZER_ASLEEP;
	}
	return how;
}

/*
 * Freeze @p where it sleeps, without waking it. Its door has been closed, with
 * a full barrier since then.
 *
 * A freezable sleep, a job control stop and a ptrace stop are frozen in place,
 * under pi_lock. That lock blocks try_to_wake_up(): a task that is asleep under it
 * stays asleep, and a wake-up that comes later finds saved_state. The kind of sleep
 * was seen without the lock. If the sleep is another one by then, @p has just run
 * or been thawed by somebody else, and is busy until the next look:
 *
 *	CPU 0 (here)				CPU 1 (a waker)
 *
 *	state is a freezable sleep
 *						lock, state = WAKING, unlock
 *	lock
 *	the same state? no, busy
 *
 * While the state is the same, none of the states of a task that runs or is being
 * woken need to be looked for: those have none of these bits.
 *
 * A task that waits for I/O is woken, which a freezable sleep has to stand. When
 * the task sleeps again schedule() freezes it in place, and does not count the time
 * for which it is frozen as a wait for I/O.
 *
 * Any other sleep is left alone: it is enough to have seen @p off the run queue
 * after its door was closed, because @p passes full barriers in the scheduler
 * between its next wake-up and its next look at the door.
 *
 * Return: how @p is at rest, or BUSY if it is runnable.
 */
static inline enum cgroup_freezer_rest freezer_freeze_sleep(struct task_struct *p)
{
	enum cgroup_freezer_rest how = CGROUP_FREEZER_BUSY;
	unsigned int state = READ_ONCE(p->__state);
	bool iowait = false;
	unsigned long flags;
	int nr_locks = 0;

	/* A task that sleeps with locks held must be able to run and drop them. */
	if (!(state & (TASK_FREEZABLE | __TASK_STOPPED | __TASK_TRACED |
		       TASK_FROZEN)) || state & __TASK_FREEZABLE_UNSAFE)
		return freezer_is_asleep(p, state) ? CGROUP_FREEZER_ASLEEP :
						     CGROUP_FREEZER_BUSY;

	flags = freezer_lock_sleep(p);
	if (likely(READ_ONCE(p->__state) == state) &&
	    likely(freezer_is_off_queue(p))) {
#ifdef CONFIG_SMP
		/* It may still be in __schedule(), which holds rq->lock for it. */
		smp_cond_load_acquire(&p->on_cpu, !VAL);
#endif
		if (unlikely(cgroup_freezer_is_exiting(p) ||
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
			nr_locks = freezer_nr_locks(p);
		}
	}
	freezer_unlock_sleep(p, flags);

	/* @p falls asleep once more, and does not count as waiting for I/O then. */
	if (unlikely(iowait))
		wake_up_state(p, TASK_NORMAL);

	WARN_ON_ONCE(nr_locks);
	return how;
}

/*
 * Let a task go that was found frozen, in place or in the refrigerator, and is
 * no longer held by its cgroup. The sleep in which the task was frozen is restored;
 * if that sleep is over the task is woken.
 *
 * A task that has frozen itself in schedule() may still be on its CPU.  Such a task
 * is woken instead, since an interrupt there wakes it without pi_lock, and that
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
 * The look at the run queue comes first. A task that is off its queue by then has no
 * such interrupt ahead of it. Behind saved_state the look would be too late: the
 * interrupt ends the sleep, or finds nothing to end, and the task is off its queue by
 * the time of the look.
 *
 * The system freezer is kept out by css_set_lock, for which it waits between
 * pm_freezing and its first look at a task (cgroup_freezer_sync()). So either the
 * system freezer finds the task running or asleep, and asks it to freeze; or
 * freezing() is true here, and the task is left to thaw_processes().
 *
 * Return: true if the task had to be woken.
 */
static __always_inline bool freezer_thaw_sleep(struct task_struct *p)
{
	unsigned long flags;
	unsigned int state;

	if (freezing(p))
		return false;

	flags = freezer_lock_sleep(p);
	/* data_race: a task that sleeps does not change */
	if (likely(!data_race(task_is_runnable(p)))) {
		smp_rmb();	/* first, see above */
		state = data_race(p->saved_state);
		/* A kill or a tracer may have let @p go since the last look. */
		if (likely(data_race(p->__state) == TASK_FROZEN) &&
		    likely(state != TASK_RUNNING)) {
			p->saved_state = TASK_RUNNING;
			cgroup_freezer_set_unsafe(p, false);
			WRITE_ONCE(p->__state, state);
			freezer_unlock_sleep(p, flags);
			return false;
		}
	/* data_race: an interrupt on the CPU of @p may end the sleep, too */
	} else if (data_race(p->__state) == TASK_FROZEN) {
		/* data_race: the same */
		data_race(p->saved_state = TASK_RUNNING);
		cgroup_freezer_set_unsafe(p, false);
	}
	freezer_unlock_sleep(p, flags);
	wake_up_state(p, TASK_FROZEN);
	return true;
}

/* The same for a killed task, with interrupts disabled or not. */
static inline void freezer_thaw_killed(struct task_struct *p)
{
	unsigned long flags;

	local_irq_save(flags);
	if (frozen(p))
		freezer_thaw_sleep(p);
	local_irq_restore(flags);
}

/*
 * Let a frozen task go to the stop that its tracer wants. The tracer has told the
 * task, and woken it as far as its sleep allows that.
 *
 * A task whose sleep does not end for a tracer is left alone: it stays frozen in
 * its sleep, and stops later.
 */
static inline void freezer_thaw_trapped(struct task_struct *p)
{
	unsigned long flags;
	bool woken;

	if (!frozen(p) || freezing(p))
		return;

	raw_spin_lock_irqsave(&p->pi_lock, flags);
	woken = p->saved_state == TASK_RUNNING;
	raw_spin_unlock_irqrestore(&p->pi_lock, flags);
	if (woken)
		wake_up_state(p, TASK_FROZEN);
}

/*
 * %current is on its way into a sleep, with its door closed. A freezable sleep is
 * frozen in place from the start.
 *
 *	CPU 0 (freezer_open_door(), a killer)	CPU 1 (here)
 *
 *	closed = 0, or @p may leave		state = TASK_FROZEN
 *	(B) or (E) full barrier			(H) full barrier
 *	TASK_FROZEN? restore or wake it		still held? otherwise undo
 *
 * At least one of them sees the other. If both do, CPU 0 gets p->pi_lock after
 * the undo and finds nothing left to do.
 *
 * A wake-up that took p->pi_lock first has made %current TASK_RUNNING, and
 * %current does not sleep; a wake-up that takes the lock later finds saved_state,
 * and is kept there. With interrupts off there is no third kind, the wake-up of
 * %current on its own CPU. The same goes for a signal, whose TIF flag is set
 * before its wake-up: either the signal is seen pending here, and __schedule() sees
 * it as well and does not let %current sleep, or its wake-up comes later.
 *
 * No cgroup holds the task that suspends the system until that task has resumed it.
 */
static inline void freezer_freeze_current(void)
{
	struct task_struct *p = current;
	unsigned long flags;
	unsigned int state;

	state = READ_ONCE(p->__state);
	if (!(state & TASK_FREEZABLE) || state & __TASK_FREEZABLE_UNSAFE)
		return;
	/* Not under pi_lock, which counts for %current. */
	WARN_ON_ONCE(freezer_nr_locks(p));

	raw_spin_lock_irqsave(&p->pi_lock, flags);
	/* Others only wake it. */
	state = READ_ONCE(p->__state);
	if (state & TASK_FREEZABLE && !signal_pending_state(state, p) &&
	    !(p->flags & PF_SUSPEND_TASK)) {
		p->saved_state = state;
		WRITE_ONCE(p->__state, TASK_FROZEN);
		smp_mb();	/* (H) pairs with (B) and (E) */
		if (!cgroup_frozen(p)) {
			WRITE_ONCE(p->__state, state);
			p->saved_state = TASK_RUNNING;
		} else {
			/* It waits for the thaw now, and for no I/O. */
			p->in_iowait = 0;
		}
	}
	raw_spin_unlock_irqrestore(&p->pi_lock, flags);
}

#endif /* _KERNEL_CGROUP_FREEZER_SLEEP_H */
