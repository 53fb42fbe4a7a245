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

#define CREATE_TRACE_POINTS
#include <trace/events/cgroup_freezer.h>

/* For the looks at busy tasks and the recounts. */
struct workqueue_struct *freezer_wq;

/* Serializes the passes over subtrees, see "Locks" in freezer.h. */
DEFINE_MUTEX(freezer_mutex);

/* The accounts that have busy tasks, of all cgroups; under css_set_lock. */
LIST_HEAD(freezer_busy_accounts);

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
	cgroup_file_notify(&freezer->state_file);
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
	css_get(&freezer->css);
	list_add_tail(&freezer->recount, &freezer_recounts);
	queue_work(freezer_wq, &freezer_recount_work);
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
		list_del(&account->node);
	} else {
		if (list_empty(&freezer_busy_accounts))
			queue_work(freezer_wq, &freezer_relook_work);
		list_add_tail(&account->node, &freezer_busy_accounts);
	}
	/* at the end of a walk the state is worked out anyway */
	if (!(freezer->flags & FREEZER_WALK))
		freezer_update(freezer);
}

static void freezer_account_add(struct freezer_account *account,
				struct task_struct *task)
{
	WRITE_ONCE(task->cgroup_freezer_account, account);
	list_add_tail(&task->cgroup_freezer_node, &account->tasks);
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
static void freezer_note_runtime(struct task_struct *task,
				 enum cgroup_freezer_rest how)
{
	if (how == CGROUP_FREEZER_ASLEEP || how == CGROUP_FREEZER_IN_PLACE)
		task->cgroup_freezer_runtime = task->se.sum_exec_runtime;
	else
		task->cgroup_freezer_runtime = FREEZER_NO_RUNTIME;
}

/**
 * freezer_task_rests - a task is at rest, or gone
 * @task: the task, which comes off the account that it is on
 * @how: how it is at rest
 *
 * Context: css_set_lock held.
 */
void freezer_task_rests(struct task_struct *task, enum cgroup_freezer_rest how)
{
	struct freezer_account *account = task->cgroup_freezer_account;

	lockdep_assert_held(&css_set_lock);

	freezer_note_runtime(task, how);
	WRITE_ONCE(task->cgroup_freezer_rest, how);
	WRITE_ONCE(task->cgroup_freezer_account, NULL);
	list_del(&task->cgroup_freezer_node);
	freezer_trace_rest(task, account->freezer, how);
	freezer_account_del(account);
}

/**
 * freezer_task_busy - a task is not at rest
 * @task: the task, which is on no account
 * @freezer: its cgroup, which it keeps from FROZEN
 *
 * Context: css_set_lock held.
 */
void freezer_task_busy(struct task_struct *task, struct cgroup_freezer *freezer)
{
	lockdep_assert_held(&css_set_lock);

	WRITE_ONCE(task->cgroup_freezer_rest, CGROUP_FREEZER_BUSY);
	freezer_trace_rest(task, freezer, CGROUP_FREEZER_BUSY);
	freezer_account_add(&freezer->busy, task);
}

/**
 * freezer_task_in_flight - a task is not quiescent
 * @task: the task, which is on no account
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
	struct freezer_account *from = task->cgroup_freezer_account;

	lockdep_assert_held(&css_set_lock);

	/* this order: a cgroup above both does not become FROZEN in between */
	list_del(&task->cgroup_freezer_node);
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
		struct task_struct *task;

		task = list_first_entry(&account->tasks, struct task_struct,
					cgroup_freezer_node);
		list_move_tail(&task->cgroup_freezer_node, &account->tasks);
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
 * freezer_is_killable - is freezer.killable on where a task is?
 * @task: the task
 *
 * Context: any.
 * Return: %true if it is; an answer for the moment.
 */
bool freezer_is_killable(struct task_struct *task)
{
	bool killable;

	rcu_read_lock();
	killable = READ_ONCE(task_freezer(task)->killable);
	rcu_read_unlock();
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

	rcu_read_lock();
	for (freezer = task_freezer(task); freezer && !sealed;
	     freezer = parent_freezer(freezer))
		sealed = READ_ONCE(freezer->flags) & FREEZER_SEALED;
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

	rcu_read_lock();
	for (freezer = task_freezer(task); freezer;
	     freezer = parent_freezer(freezer)) {
		if (READ_ONCE(freezer->flags) & FREEZER_GUARDED)
			WRITE_ONCE(freezer->torn, true);
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

	rcu_read_lock();
	for (freezer = task_freezer(task); freezer;
	     freezer = parent_freezer(freezer))
		WRITE_ONCE(freezer->let_go, 1);
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

/*
 * Cgroups come and go
 */

/**
 * freezer_init - make the freezer of a new cgroup
 * @freezer: the freezer, all zero
 * @parent: that of its parent, or %NULL
 * @killable: whether killed tasks leave it where there is no parent to inherit from
 *
 * Context: any.
 */
void freezer_init(struct cgroup_freezer *freezer,
		  struct cgroup_freezer *parent, bool killable)
{
	init_waitqueue_head(&freezer->wait);
	/* a reader of freezer.state waits for the very change */
	freezer->state_file.unlimited = true;
	freezer->busy.freezer = freezer;
	INIT_LIST_HEAD(&freezer->busy.tasks);
	freezer->in_flight.freezer = freezer;
	INIT_LIST_HEAD(&freezer->in_flight.tasks);
	freezer->since_ns = ktime_get_ns();
	freezer->timeout_ms = parent ? READ_ONCE(parent->timeout_ms) :
				       FREEZER_TIMEOUT_MS;
	freezer->killable = parent ? READ_ONCE(parent->killable) : killable;
}

/**
 * freezer_online - a new cgroup inherits the requests to its parent
 * @freezer: the cgroup
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

	mutex_lock(&freezer_mutex);
	spin_lock_irq(&css_set_lock);
	if (parent && parent->flags & FREEZER_FREEZING)
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
 * There are no tasks any more, but there may be writers who wait, and in-kernel
 * code that still has the checkpoint guard.
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
	freezer_wq = alloc_workqueue("cgroup_freezer", WQ_UNBOUND, 0);
	if (!freezer_wq)
		panic("cgroup: no workqueue for the freezer");
	return 0;
}
core_initcall(freezer_group_init);
