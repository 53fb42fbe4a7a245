// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: a cgroup
 *
 * The requests to a cgroup, its state, and the accounts of its tasks.
 * The model, the locks and the words are explained in freezer.h.
 */

#include <linux/init.h>
#include <linux/workqueue.h>

#include "freezer.h"

#include <trace/events/cgroup.h>
#define CREATE_TRACE_POINTS
#include <trace/events/cgroup_freezer.h>

/*
 * For the looks at busy tasks, and the recounts.  A cgroup may be frozen because
 * memory is short, and must not wait for the memory of a worker: each has a rescuer.
 * The looks go on for as long as any task is busy.
 */
static struct workqueue_struct *freezer_look_wq;
static struct workqueue_struct *freezer_recount_wq;

/* Serializes the passes over subtrees, see "Locks" in freezer.h. */
DEFINE_MUTEX(freezer_mutex);

/* The cgroups that have busy tasks, by cgroup_freezer::looks; under css_set_lock. */
LIST_HEAD(freezer_looks);

/* The pause before the next look at one of them; under css_set_lock. */
unsigned int freezer_pause_us = FREEZER_PAUSE_MIN_US;
DECLARE_WAIT_QUEUE_HEAD(freezer_pause);

/*
 * Odd while tasks are on their way from one cgroup to another. Migrations are
 * serialized by cgroup_mutex; under css_set_lock.
 */
unsigned int freezer_migrations;

/* Cgroups that are to be recounted before they are FROZEN, under css_set_lock. */
LIST_HEAD(freezer_recounts);

/*
 * The state of a cgroup
 */

/**
 * freezer_notify - tell those who wait for an event of a cgroup
 * @freezer: the cgroup
 *
 * Context: any.
 */
void freezer_notify(struct cgroup_freezer *freezer)
{
	/* a cgroup that comes or goes has no file yet, or any more */
	if (freezer->hold == CGROUP_FREEZER_V2 && READ_ONCE(freezer->file->kn))
		TRACE_CGROUP_PATH(notify_frozen, freezer_cgroup(freezer),
				  freezer_is_still(freezer->state));
	cgroup_file_notify_now(freezer->file);
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
	else
		freezer->freezing_ns += spent;
	if (old == CGROUP_FREEZER_THAWED)
		freezer->nr_freezes++;
	if (state == CGROUP_FREEZER_FROZEN && !freezer_is_still(old))
		WRITE_ONCE(freezer->generation, freezer->generation + 1);

	freezer->since_ns = now;
	if (state == CGROUP_FREEZER_FREEZING)
		freezer->grace_ns = max(freezer->grace_ns,
					now + FREEZER_EXIT_NS);
	WRITE_ONCE(freezer->state, state);

	trace_cgroup_freezer_state(freezer_id(freezer), old, state, spent);
	/* cgroup.events says "frozen" or not, and nothing of the way there */
	if (freezer->hold != CGROUP_FREEZER_V2 ||
	    freezer_is_still(state) != freezer_is_still(old))
		freezer_notify(freezer);
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

	WRITE_ONCE(freezer->flags, freezer->flags | FREEZER_RECOUNT);
	css_get(freezer_css(freezer));
	list_add_tail(&freezer->recount, &freezer_recounts);
	queue_work(freezer_recount_wq, &freezer_recount_work);
}

/**
 * freezer_update - work out the state of a cgroup from its flags and counters
 * @freezer: the cgroup of which a flag or a counter has changed
 *
 * And that of its ancestors as far as they depend on it.
 *
 * Context: css_set_lock held.
 */
void freezer_update(struct cgroup_freezer *freezer)
{
	lockdep_assert_held(&css_set_lock);

	while (freezer) {
		struct cgroup_freezer *parent = parent_freezer(freezer);
		enum freezer_state old = freezer->state, new;

		if (!(freezer->flags & FREEZER_FREEZING))
			new = CGROUP_FREEZER_THAWED;
		else if (freezer->busy.nr || freezer->nr_busy_children ||
			 freezer->flags & FREEZER_WALK)
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

/*
 * The accounts of the tasks
 */

/*
 * One more cgroup has busy tasks. The pause may have grown for the sake of another one,
 * which waits for a disk.
 */
static void freezer_look_soon(struct cgroup_freezer *freezer)
{
	freezer->pause_us = FREEZER_PAUSE_MIN_US;
	freezer->next_look_ns = ktime_get_ns() + FREEZER_PAUSE_MIN_US * NSEC_PER_USEC;
	if (list_empty(&freezer_looks))
		queue_work(freezer_look_wq, &freezer_relook_work);
	if (freezer_pause_us != FREEZER_PAUSE_MIN_US) {
		WRITE_ONCE(freezer_pause_us, FREEZER_PAUSE_MIN_US);
		wake_up(&freezer_pause);
	}
}

/* @account is empty, or no longer. */
static void freezer_account_changes(struct freezer_account *account)
{
	struct cgroup_freezer *freezer = account->freezer;

	if (account == &freezer->in_flight) {
		if (!account->nr)
			wake_up_all(&freezer->wait);
		return;
	}

	if (!account->nr) {
		list_del(&freezer->looks);
	} else {
		freezer_look_soon(freezer);
		list_add_tail(&freezer->looks, &freezer_looks);
	}
	/* at the end of a walk the state is worked out anyway */
	if (!(freezer->flags & FREEZER_WALK))
		freezer_update(freezer);
}

static void freezer_account_add(struct freezer_account *account,
				struct task_struct *task)
{
	struct cgroup_freezer_task *door =
		&task->cgroup_freezer[account->freezer->hold];

	WRITE_ONCE(door->account, account);
	list_add_tail(&door->node, &account->tasks);
	WRITE_ONCE(account->nr, account->nr + 1);
	if (account->nr == 1)
		freezer_account_changes(account);
}

static void freezer_account_del(struct freezer_account *account)
{
	if (WARN_ON_ONCE(!account->nr))
		return;
	WRITE_ONCE(account->nr, account->nr - 1);
	if (!account->nr)
		freezer_account_changes(account);
}

/**
 * __freezer_trace_rest - the slow path of freezer_trace_rest()
 * @task: the task
 * @freezer: its cgroup
 * @how: how it is at rest
 *
 * Context: css_set_lock held.
 */
void __freezer_trace_rest(struct task_struct *task,
			  struct cgroup_freezer *freezer,
					  enum cgroup_freezer_rest how)
{
	trace_cgroup_freezer_rest(task, freezer_id(freezer), how,
				  ktime_get_ns() - freezer->since_ns);
}

/*
 * Remember how much CPU time @task has used when it comes to rest: all beyond that
 * is used while its cgroup is FROZEN.  Exact for a task that is asleep.  Not
 * recorded for a task that reports itself: it is about to park.
 */
static void freezer_note_runtime(struct task_struct *task, unsigned int hold,
				 enum cgroup_freezer_rest how)
{
	if (how == CGROUP_FREEZER_ASLEEP || how == CGROUP_FREEZER_IN_PLACE)
		task->cgroup_freezer[hold].runtime = freezer_runtime(task);
	else
		task->cgroup_freezer[hold].runtime = FREEZER_NO_RUNTIME;
}

/**
 * freezer_task_rests - a task is at rest, or gone
 * @task: the task, which comes off the account that it is on
 * @hold: in which hierarchy
 * @how: how it is at rest
 *
 * Context: css_set_lock held.
 */
void freezer_task_rests(struct task_struct *task, unsigned int hold,
			enum cgroup_freezer_rest how)
{
	struct cgroup_freezer_task *door = &task->cgroup_freezer[hold];
	struct freezer_account *account = door->account;

	lockdep_assert_held(&css_set_lock);

	freezer_note_runtime(task, hold, how);
	WRITE_ONCE(door->rest, how);
	WRITE_ONCE(door->account, NULL);
	list_del(&door->node);
	freezer_trace_rest(task, account->freezer, how);
	freezer_account_del(account);
}

/**
 * freezer_task_busy - a task is not at rest
 * @task: the task, which is on no account of the hierarchy
 * @freezer: its cgroup, which it keeps from FROZEN
 * @hold: the hierarchy of @freezer
 *
 * Context: css_set_lock held.
 */
void freezer_task_busy(struct task_struct *task, struct cgroup_freezer *freezer,
		       unsigned int hold)
{
	lockdep_assert_held(&css_set_lock);

	WRITE_ONCE(task->cgroup_freezer[hold].rest, CGROUP_FREEZER_BUSY);
	freezer_trace_rest(task, freezer, CGROUP_FREEZER_BUSY);
	freezer_account_add(&freezer->busy, task);
}

/**
 * freezer_task_in_flight - a task is not quiescent
 * @task: the task, which is on no account of the hierarchy
 * @freezer: the cgroup whose guard waits for it
 *
 * Context: css_set_lock held.
 */
void freezer_task_in_flight(struct task_struct *task,
			    struct cgroup_freezer *freezer)
{
	lockdep_assert_held(&css_set_lock);

	freezer_account_add(&freezer->in_flight, task);
}

/**
 * freezer_task_changes_account - a busy task is in another cgroup now
 * @task: the task
 * @freezer: that cgroup
 *
 * Context: css_set_lock held.
 */
void freezer_task_changes_account(struct task_struct *task,
				  struct cgroup_freezer *freezer)
{
	struct cgroup_freezer_task *door = &task->cgroup_freezer[freezer->hold];
	struct freezer_account *from = door->account;

	lockdep_assert_held(&css_set_lock);

	/* this order: a cgroup above both does not become FROZEN in between */
	list_del(&door->node);
	freezer_account_add(&freezer->busy, task);
	freezer_account_del(from);
}

/**
 * freezer_look_through - call a function for each task that is on an account
 * @account: the account; its cgroup must not go away
 * @fn: the function, which may take its task off; returns what it has spent of
 *	%FREEZER_BATCH, at least 1
 * @data: for @fn
 *
 * Once for each task that was on it at the beginning, or for another that has come
 * since.
 *
 * Context: css_set_lock held, which is dropped now and then; may sleep.
 */
void freezer_look_through(struct freezer_account *account,
			  unsigned int (*fn)(struct task_struct *task, void *data),
			  void *data)
{
	unsigned int nr, batch = FREEZER_BATCH;

	for (nr = account->nr; nr && account->nr; nr--) {
		struct cgroup_freezer_task *door;
		struct task_struct *task;

		door = list_first_entry(&account->tasks,
					struct cgroup_freezer_task, node);
		list_move_tail(&door->node, &account->tasks);
		task = container_of(door - account->freezer->hold,
				    struct task_struct, cgroup_freezer[0]);
		batch -= min(batch, fn(task, data));
		if (!batch) {
			batch = FREEZER_BATCH;
			spin_unlock_irq(&css_set_lock);
			cond_resched();
			spin_lock_irq(&css_set_lock);
		}
	}
}

/*
 * The flags, from the side of a task
 */

/**
 * __cgroup_freezer_is_killable - does nothing that holds a task keep it from dying?
 * @task: the task
 *
 * cgroup v2 never does. On cgroup v1 freezer.killable of its cgroup says so.
 *
 * Context: any.
 * Return: %true if none does; an answer for the moment.
 */
bool __cgroup_freezer_is_killable(struct task_struct *task)
{
	bool killable = true;

#ifdef CONFIG_CGROUP_FREEZER
	if (freezer_is_closed_by(task, CGROUP_FREEZER_V1)) {
		rcu_read_lock();
		killable = READ_ONCE(task_freezer(task, CGROUP_FREEZER_V1)->killable);
		rcu_read_unlock();
	}
#endif
	return killable;
}

/**
 * freezer_is_guarded - has a cgroup, or one above it, a holder of its guard?
 * @freezer: the cgroup, or %NULL
 *
 * Context: any; the cgroups above @freezer must not go away.
 * Return: %true if so, or if somebody is about to get it; for the moment.
 */
bool freezer_is_guarded(struct cgroup_freezer *freezer)
{
	for (; freezer; freezer = parent_freezer(freezer)) {
		if (READ_ONCE(freezer->flags) & FREEZER_GUARDED)
			return true;
	}
	return false;
}

/**
 * freezer_is_sealed - does a guard keep a task from leaving?
 * @task: the task, which was killed
 *
 * Context: any.
 * Return: %true if it does; an answer for the moment.
 */
bool freezer_is_sealed(struct task_struct *task)
{
	struct cgroup_freezer *freezer;
	bool sealed = false;
	unsigned int hold;

	rcu_read_lock();
	for_each_freezer_hold(hold) {
		for (freezer = task_freezer(task, hold); freezer && !sealed;
		     freezer = parent_freezer(freezer))
			sealed = READ_ONCE(freezer->flags) & FREEZER_SEALED;
	}
	rcu_read_unlock();

	return sealed;
}

/**
 * freezer_tear - a task leaves or changes although it may be guarded
 * @task: the task; the holder of the guard reads "torn" from now on
 *
 * Context: any.
 */
void freezer_tear(struct task_struct *task)
{
	struct cgroup_freezer *freezer;
	unsigned int hold;

	rcu_read_lock();
	for_each_freezer_hold(hold) {
		for (freezer = task_freezer(task, hold); freezer;
		     freezer = parent_freezer(freezer)) {
			if (READ_ONCE(freezer->flags) & FREEZER_GUARDED)
				WRITE_ONCE(freezer->torn, true);
		}
	}
	rcu_read_unlock();
}

/**
 * freezer_note_let_go - a task is let go to die
 * @task: the task
 *
 * Its cgroup and those above it are recounted before they are FROZEN
 * (freezer_recount()). A killer that is a member has noted that before it comes
 * to rest itself, hence before the last member does.
 *
 * Context: any.
 */
void freezer_note_let_go(struct task_struct *task)
{
	struct cgroup_freezer *freezer;
	unsigned int hold;

	rcu_read_lock();
	for_each_freezer_hold(hold) {
		for (freezer = task_freezer(task, hold); freezer;
		     freezer = parent_freezer(freezer))
			WRITE_ONCE(freezer->let_go, 1);
	}
	rcu_read_unlock();
}

/**
 * freezer_thaw_is_barred - does a CHECKPOINTING cgroup depend on a request?
 * @top: the cgroup whose own request that is
 *
 * Not if a cgroup between the two is asked to freeze. A request above @top makes
 * no difference: such a request may have come later, with the holder in its
 * cgroup, and then nobody could withdraw it.
 *
 * Context: freezer_mutex held.
 * Return: %true if the request must stay.
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
	css_for_each_descendant_pre(pos, freezer_css(top)) {
		unsigned int flags = READ_ONCE(css_freezer(pos)->flags);

		if (pos != freezer_css(top) && flags & FREEZER_FREEZING_SELF) {
			pos = css_rightmost_descendant(pos);
		} else if (flags & FREEZER_HELD) {
			barred = true;
			break;
		}
	}
	rcu_read_unlock();

	return barred;
}

/*
 * Cgroups come and go
 */

/**
 * cgroup_freezer_init - make the freezer of a new cgroup
 * @cgrp: the cgroup, all zero there
 *
 * Context: any.
 */
void cgroup_freezer_init(struct cgroup *cgrp)
{
	struct cgroup_freezer *freezer = &cgrp->container_freezer;

	init_waitqueue_head(&freezer->wait);
	freezer->busy.freezer = freezer;
	INIT_LIST_HEAD(&freezer->busy.tasks);
	freezer->in_flight.freezer = freezer;
	INIT_LIST_HEAD(&freezer->in_flight.tasks);
	freezer->timeout_ms = FREEZER_TIMEOUT_MS;
}

/**
 * freezer_online - a new cgroup inherits the requests to its parent
 * @freezer: the cgroup, no root, with its @hold and @file
 *
 * The mark of a pass that has marked the parent is seen here; otherwise the pass
 * will reach this cgroup.
 *
 * Context: process context, may sleep.
 */
void freezer_online(struct cgroup_freezer *freezer)
{
	struct cgroup_freezer *parent = parent_freezer(freezer);
	unsigned int flags = FREEZER_ONLINE;

	freezer->timeout_ms = READ_ONCE(parent->timeout_ms);
	freezer->since_ns = ktime_get_ns();

	mutex_lock(&freezer_mutex);
	spin_lock_irq(&css_set_lock);
	if (parent->flags & FREEZER_FREEZING)
		flags |= FREEZER_FREEZING_PARENT;
	WRITE_ONCE(freezer->flags, flags);
	freezer_update(freezer);
	spin_unlock_irq(&css_set_lock);
	mutex_unlock(&freezer_mutex);
}

/**
 * freezer_offline - a cgroup is removed
 * @freezer: the cgroup
 *
 * There are no tasks any more but those that have died and are on their way out of the
 * last switch. There may be writers that wait, and in-kernel code that still has the
 * checkpoint guard.
 *
 * Context: process context, may sleep.
 */
void freezer_offline(struct cgroup_freezer *freezer)
{
	mutex_lock(&freezer_mutex);
	spin_lock_irq(&css_set_lock);
	WRITE_ONCE(freezer->flags, 0);
	freezer_update(freezer);
	wake_up_all(&freezer->wait);
	spin_unlock_irq(&css_set_lock);
	mutex_unlock(&freezer_mutex);
}

static int __init freezer_group_init(void)
{
	const unsigned int flags = WQ_UNBOUND | WQ_MEM_RECLAIM;

	freezer_look_wq = alloc_workqueue("freezer_look", flags, 0);
	freezer_recount_wq = alloc_workqueue("freezer_recount", flags, 0);
	if (!freezer_look_wq || !freezer_recount_wq)
		panic("cgroup: no workqueue for the freezer");
	return 0;
}
core_initcall(freezer_group_init);
