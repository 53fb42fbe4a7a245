// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: passes over the tasks of a cgroup, and over a subtree
 *
 * And the looks at the tasks that were busy when a pass met them.
 */

#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <trace/events/cgroup.h>

#include "door.h"
#include "freezer.h"

/*
 * Busy tasks that fall asleep
 *
 * A task that goes to sleep on its way to the door does not report, so busy tasks
 * are looked at again: first after 50 us, then less often, since most tasks park
 * within microseconds and the others may take long. Each cgroup has a pause of its
 * own, or one that is frozen and thawed all the time would have the busy tasks of all
 * others looked at as often.
 */

static unsigned int freezer_look_again(struct task_struct *task, void *data)
{
	struct cgroup_freezer *freezer = data;
	enum cgroup_freezer_rest how = freezer_look(task, freezer, freezer->hold);

	if (how != CGROUP_FREEZER_BUSY)
		freezer_task_rests(task, freezer->hold,
				   freezer_how_for_both(task, freezer->hold, how));
	return 1;
}

/* Look at the busy tasks of @freezer once. css_set_lock is released in between. */
static void freezer_look_at_cgroup(struct cgroup_freezer *freezer, u64 now)
	__must_hold(&css_set_lock)
{
	css_get(freezer_css(freezer));
	freezer->pause_us = min(freezer->pause_us * 2, FREEZER_PAUSE_MAX_US);
	freezer->next_look_ns = now + freezer->pause_us * NSEC_PER_USEC;
	freezer_look_through(&freezer->busy, freezer_look_again, freezer);
	spin_unlock_irq(&css_set_lock);
	css_put(freezer_css(freezer));
	cond_resched();
	spin_lock_irq(&css_set_lock);
}

/* Look at all for which that is due. Return: true if there are still busy tasks. */
static bool freezer_look_at_busy_tasks(void)
{
	unsigned int pause = FREEZER_PAUSE_MAX_US, batch = 0;
	u64 now = ktime_get_ns();
	LIST_HEAD(looks);
	bool more;

	spin_lock_irq(&css_set_lock);
	WRITE_ONCE(freezer_pause_us, FREEZER_PAUSE_MAX_US);
	list_splice_init(&freezer_looks, &looks);
	while (!list_empty(&looks)) {
		struct cgroup_freezer *freezer =
			list_first_entry(&looks, struct cgroup_freezer, looks);
		s64 left = freezer->next_look_ns - now;

		list_move_tail(&freezer->looks, &freezer_looks);
		if (left > 0) {
			pause = min_t(u64, pause, div_u64(left, NSEC_PER_USEC));
			if (++batch % FREEZER_BATCH)
				continue;
			spin_unlock_irq(&css_set_lock);
			cond_resched();
			spin_lock_irq(&css_set_lock);
		} else {
			/* before: the cgroup may be gone after it */
			pause = min(pause, freezer->pause_us * 2);
			freezer_look_at_cgroup(freezer, now);
		}
	}
	more = !list_empty(&freezer_looks);
	/* shorter by now if one more has busy tasks (freezer_look_soon()) */
	pause = max(min(pause, freezer_pause_us), FREEZER_PAUSE_MIN_US);
	WRITE_ONCE(freezer_pause_us, more ? pause : FREEZER_PAUSE_MIN_US);
	spin_unlock_irq(&css_set_lock);

	return more;
}

static void freezer_relook(struct work_struct *work)
{
	DEFINE_WAIT(wait);

	do {
		unsigned int us = READ_ONCE(freezer_pause_us);
		ktime_t pause = ns_to_ktime(us * NSEC_PER_USEC);

		prepare_to_wait(&freezer_pause, &wait, TASK_IDLE);
		/* shorter by now? then there was a wake-up, or will be none */
		if (READ_ONCE(freezer_pause_us) == us)
			schedule_hrtimeout_range(&pause, us * NSEC_PER_USEC / 4,
						 HRTIMER_MODE_REL);
		finish_wait(&freezer_pause, &wait);
	} while (freezer_look_at_busy_tasks());
}

/* Pending or running for as long as there are busy tasks. */
DECLARE_WORK(freezer_relook_work, freezer_relook);

/*
 * Passes over the tasks of a cgroup and over a subtree
 */

/* The same as the two functions below, for a task that the other hierarchy holds, too. */
static noinline unsigned int freezer_pass_held(struct task_struct *task,
					       unsigned int hold)
{
	freezer_conform(task, hold);
	return freezer_task_is_busy(task, hold) || freezer_wants_to_leave(task) ?
	       FREEZER_WAKE_COST : 1;
}

/*
 * These two functions dominate the cost of a freeze and of a thaw. They do the same
 * as freezer_conform(); the flags of a cgroup do not change during its pass. There is
 * one of each for a hierarchy. They look at the mask of hierarchies first, and
 * once: the compiler knows what it is from there on.
 */
static __always_inline
unsigned int freezer_pass_close(struct task_struct *task, void *data,
				unsigned int hold)
{
	if (unlikely(task->cgroup_freezer_closed))
		return freezer_pass_held(task, hold);
	/* data_race: this flag does not change */
	if (data_race(task->flags & PF_KTHREAD) ||
	    freezer_close_door(task, data, hold))
		return 1;
	return FREEZER_WAKE_COST;
}

static __always_inline
unsigned int freezer_pass_open(struct task_struct *task, void *data,
			       unsigned int hold)
{
	unsigned int *woken = data;

	if (unlikely(task->cgroup_freezer_closed != BIT(hold)))
		return freezer_pass_held(task, hold);
	if (!freezer_open_door(task, hold))
		return 1;
	*woken += 1;
	return FREEZER_WAKE_COST;
}

/*
 * A function for each of the four loops, and none of them inline: in one function the
 * compiler would run out of registers.
 */
static __always_inline
unsigned int freezer_close_v2(struct task_struct *task, void *data)
{
	return freezer_pass_close(task, data, CGROUP_FREEZER_V2);
}

static noinline void freezer_pass_close_v2(struct css_task_iter *it,
					   struct cgroup_freezer *freezer)
{
	while (css_task_iter_batch(it, freezer_close_v2, freezer, FREEZER_BATCH))
		cond_resched();
}

static __always_inline
unsigned int freezer_open_v2(struct task_struct *task, void *data)
{
	return freezer_pass_open(task, data, CGROUP_FREEZER_V2);
}

static noinline void freezer_pass_open_v2(struct css_task_iter *it,
					  unsigned int *woken)
{
	while (css_task_iter_batch(it, freezer_open_v2, woken, FREEZER_BATCH))
		cond_resched();
}

#ifdef CONFIG_CGROUP_FREEZER
static __always_inline
unsigned int freezer_close_v1(struct task_struct *task, void *data)
{
	return freezer_pass_close(task, data, CGROUP_FREEZER_V1);
}

static noinline void freezer_pass_close_v1(struct css_task_iter *it,
					   struct cgroup_freezer *freezer)
{
	while (css_task_iter_batch(it, freezer_close_v1, freezer, FREEZER_BATCH))
		cond_resched();
}

static __always_inline
unsigned int freezer_open_v1(struct task_struct *task, void *data)
{
	return freezer_pass_open(task, data, CGROUP_FREEZER_V1);
}

static noinline void freezer_pass_open_v1(struct css_task_iter *it,
					  unsigned int *woken)
{
	while (css_task_iter_batch(it, freezer_open_v1, woken, FREEZER_BATCH))
		cond_resched();
}
#endif

/**
 * freezer_visit_own - call a function for each task of a cgroup
 * @freezer: the cgroup
 * @fn: the function, called under css_set_lock; returns what it has spent of
 *	%FREEZER_BATCH, at least 1
 * @data: for @fn
 *
 * Context: process context, may sleep.
 */
void freezer_visit_own(struct cgroup_freezer *freezer,
		       unsigned int (*fn)(struct task_struct *task, void *data),
		       void *data)
{
	struct css_task_iter it;

	css_task_iter_start(freezer_css(freezer), 0, &it);
	while (css_task_iter_batch(&it, fn, data, FREEZER_BATCH))
		cond_resched();
	css_task_iter_end(&it);
}

/**
 * freezer_visit - call a function for each task of a subtree
 * @top: the cgroup on top of it
 * @fn: as for freezer_visit_own()
 * @data: for @fn
 *
 * Context: process context, may sleep.
 */
void freezer_visit(struct cgroup_freezer *top,
		   unsigned int (*fn)(struct task_struct *task, void *data),
		   void *data)
{
	struct cgroup_subsys_state *pos;

	rcu_read_lock();
	css_for_each_descendant_pre(pos, freezer_css(top)) {
		if (!css_tryget_online(pos))
			continue;
		rcu_read_unlock();

		freezer_visit_own(css_freezer(pos), fn, data);

		rcu_read_lock();
		css_put(pos);
	}
	rcu_read_unlock();
}

/*
 * Tasks that were let go to die
 */

static unsigned int freezer_recount_task(struct task_struct *task, void *data)
{
	struct cgroup_freezer *top = data;
	unsigned int hold = top->hold;
	struct cgroup_freezer *freezer = task_freezer(task, hold);

	if (!freezer_is_closed_by(task, hold) || freezer_task_is_busy(task, hold) ||
	    !freezer_is_leaving(task))
		return 1;
	/*
	 * A cgroup below that is CHECKPOINTING is not to become FREEZING. Nor is one of
	 * v2 that is frozen: its event was sent, and a task that is killed there dies.
	 */
	if (freezer != top &&
	    (freezer_is_guarded(freezer) ||
	     (hold == CGROUP_FREEZER_V2 && freezer_is_still(freezer->state))))
		return 1;

	if (freezer_task_is_in_flight(task, hold))
		freezer_task_rests(task, hold, task->cgroup_freezer[hold].rest);
	freezer->grace_ns = ktime_get_ns() + FREEZER_EXIT_NS;
	freezer_task_busy(task, freezer, hold);
	return 1;
}

/*
 * Some tasks of @freezer and of the cgroups below it were at rest, and have been let
 * go to die since. Count these as busy.  A task that is let go meanwhile sets let_go
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
	while ((freezer = list_first_entry_or_null(&freezer_recounts,
						   struct cgroup_freezer,
						   recount))) {
		list_del(&freezer->recount);
		spin_unlock_irq(&css_set_lock);

		freezer_recount(freezer);

		spin_lock_irq(&css_set_lock);
		if (freezer->flags & FREEZER_RECOUNT) {
			WRITE_ONCE(freezer->flags,
				   freezer->flags & ~FREEZER_RECOUNT);
			freezer_update(freezer);
		}
		spin_unlock_irq(&css_set_lock);
		css_put(freezer_css(freezer));
		spin_lock_irq(&css_set_lock);
	}
	spin_unlock_irq(&css_set_lock);
}

DECLARE_WORK(freezer_recount_work, freezer_recount_all);

/*
 * Freeze and thaw
 */

/* Make the doors of all tasks of @freezer match its flags. */
static void freezer_pass(struct cgroup_freezer *freezer)
{
	bool freeze = READ_ONCE(freezer->flags) & FREEZER_FREEZING;
	struct css_task_iter it;
	unsigned int woken = 0;

	lockdep_assert_held(&freezer_mutex);

	if (freezer->hold == CGROUP_FREEZER_V2) {
		if (freeze)
			TRACE_CGROUP_PATH(freeze, freezer_cgroup(freezer));
		else
			TRACE_CGROUP_PATH(unfreeze, freezer_cgroup(freezer));
	}

	css_task_iter_start(freezer_css(freezer), 0, &it);
	if (freezer->hold == CGROUP_FREEZER_V2) {
		if (freeze)
			freezer_pass_close_v2(&it, freezer);
		else
			freezer_pass_open_v2(&it, &woken);
	}
#ifdef CONFIG_CGROUP_FREEZER
	else if (freeze)
		freezer_pass_close_v1(&it, freezer);
	else
		freezer_pass_open_v1(&it, &woken);
#endif
	css_task_iter_end(&it);

	if (!freeze)
		trace_cgroup_freezer_thaw(freezer_id(freezer), woken);
}

/**
 * freezer_ask - ask a cgroup to freeze
 * @freezer: the cgroup
 * @flag: the reason
 *
 * The state changes when the pass is over, so a group of sleepers is announced as
 * FROZEN and not as FREEZING first, unless a task turns out to be busy.
 *
 * Context: freezer_mutex held.
 * Return: %true if a pass over its tasks is needed.  Until the end of that pass
 * FREEZER_PASS keeps the cgroup and its ancestors from FROZEN.
 */
bool freezer_ask(struct cgroup_freezer *freezer, unsigned int flag)
{
	bool pass = false;

	spin_lock_irq(&css_set_lock);
	if (freezer->flags & FREEZER_ONLINE) {
		pass = !(freezer->flags & FREEZER_FREEZING);
		WRITE_ONCE(freezer->flags, freezer->flags | flag |
			   (pass ? FREEZER_PASS : 0));
		if (pass) {
			/* the pass finds these; full barrier as in freezer_recount() */
			xchg(&freezer->let_go, 0);
			freezer->since_ns = ktime_get_ns();
			freezer->grace_ns = freezer->since_ns +
					    FREEZER_EXIT_NS;
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
		freezer_update(freezer);
	}
	spin_unlock_irq(&css_set_lock);
}

/**
 * freezer_freeze_subtree - freeze a cgroup and all below it
 * @top: the cgroup
 *
 * In two walks.  The first, parents before children, marks every cgroup; a cgroup
 * that is made meanwhile either is met by that walk or inherits from a marked parent
 * (freezer_online()).  The second, children before parents, closes the doors.  No
 * cgroup can become FROZEN before all of its descendants are done.
 *
 * Context: freezer_mutex held; may sleep.
 */
void freezer_freeze_subtree(struct cgroup_freezer *top)
{
	struct cgroup_subsys_state *pos;

	lockdep_assert_held(&freezer_mutex);

	if (!freezer_ask(top, FREEZER_FREEZING_SELF))
		return;

	rcu_read_lock();
	css_for_each_descendant_pre(pos, freezer_css(top)) {
		if (pos != freezer_css(top))
			freezer_ask(css_freezer(pos), FREEZER_FREEZING_PARENT);
	}

	css_for_each_descendant_post(pos, freezer_css(top)) {
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

/**
 * freezer_thaw_subtree - thaw a cgroup, and all below it for which nobody else asks
 * @top: the cgroup, whose own request is gone
 *
 * The state of a cgroup changes in the same section of css_set_lock as the flags
 * from which a task that is born or moved there learns that its door stays open, so
 * before the first of its tasks runs. That of @top has changed with the request: the
 * state does not tell whether there are doors to be opened.
 *
 * Context: freezer_mutex held; may sleep.
 */
void freezer_thaw_subtree(struct cgroup_freezer *top)
{
	struct cgroup_subsys_state *pos;

	lockdep_assert_held(&freezer_mutex);

	rcu_read_lock();
	css_for_each_descendant_pre(pos, freezer_css(top)) {
		struct cgroup_freezer *freezer = css_freezer(pos);
		struct cgroup_freezer *parent = parent_freezer(freezer);
		bool thaw;

		spin_lock_irq(&css_set_lock);
		thaw = pos == freezer_css(top) || freezer->flags & FREEZER_FREEZING;
		if (pos != freezer_css(top) && !(parent->flags & FREEZER_FREEZING))
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
