// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: what a reader is shown of a cgroup of v1 and of its tasks
 */

#include <linux/freezer.h>
#include <linux/pid_namespace.h>
#include <linux/sched/cputime.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "freezer.h"

static const char * const state_names[] = {
	[CGROUP_FREEZER_THAWED]		= "THAWED",
	[CGROUP_FREEZER_FREEZING]	= "FREEZING",
	[CGROUP_FREEZER_FROZEN]		= "FROZEN",
	[CGROUP_FREEZER_CHECKPOINTING]	= "CHECKPOINTING",
};

/**
 * freezer_state_name - a state in the words of freezer.state
 * @state: the state
 *
 * Return: its name.
 */
const char *freezer_state_name(enum freezer_state state)
{
	return state_names[state];
}

/* The reason why a task is busy, in a word; @task may have gone on meanwhile. */
static const char *freezer_reason(struct task_struct *task)
{
	unsigned int gate = READ_ONCE(task->cgroup_freezer_gate);

	if (gate & CGROUP_FREEZER_FORK)
		return "forking";
	if (gate & CGROUP_FREEZER_EXEC)
		return "execing";
	if (gate & CGROUP_FREEZER_MOVE)
		return "moving";
	if (cgroup_freezer_is_exiting(task) || READ_ONCE(task->flags) & PF_SIGNALED)
		return "exiting";
	if (READ_ONCE(task->flags) & PF_SUSPEND_TASK)
		return "suspending";
	if (READ_ONCE(task->__state) & TASK_NEW)
		return "starting";
	return task_curr(task) ? "running" : "runnable";
}

/* A line of freezer.blockers. */
static void freezer_show_task(struct seq_file *m, struct task_struct *task,
			      const char *what)
{
	char comm[TASK_COMM_LEN];

	strscpy(comm, task->comm, sizeof(comm));
	seq_printf(m, "%d ", task_pid_nr_ns(task, task_active_pid_ns(current)));
	seq_escape(m, comm, " \t\n\\");
	seq_printf(m, " %s\n", what);
}

/*
 * A line for a task on which an attempt on the guard blocks or has blocked.
 */
static void freezer_show_in_flight(struct seq_file *m, struct task_struct *task)
{
	unsigned int state = READ_ONCE(task->__state);
	const char *what;

	lockdep_assert_held(&css_set_lock);

	if (cgroup_freezer_is_exiting(task) || READ_ONCE(task->flags) & PF_SIGNALED)
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

static unsigned int freezer_show_blocker(struct task_struct *task, void *data)
{
	if (likely(!task->cgroup_freezer[CGROUP_FREEZER_V1].account) ||
	    seq_has_overflowed(data))
		return 1;

	if (freezer_task_is_busy(task, CGROUP_FREEZER_V1))
		freezer_show_task(data, task, freezer_reason(task));
	else
		freezer_show_in_flight(data, task);
	return FREEZER_WAKE_COST;
}

/**
 * freezer_show_blockers - a line for each task that keeps a cgroup from a state
 * @freezer: the cgroup
 * @m: where to
 *
 * The tasks of the cgroup and of those below it that are on an account: busy tasks,
 * and tasks that an attempt on the guard waits for. This is a walk over the subtree in
 * batches, not over the accounts, so the busy tasks of others are left out.
 *
 * Context: process context, may sleep.
 */
void freezer_show_blockers(struct cgroup_freezer *freezer, struct seq_file *m)
{
	freezer_visit(freezer, freezer_show_blocker, m);
}

struct freezer_count {
	u64	tasks;
	u64	rest[CGROUP_FREEZER_EXITED];
	u64	runtime_ns;
};

static unsigned int freezer_count_task(struct task_struct *task, void *data)
{
	struct freezer_count *count = data;
	struct cgroup_freezer_task *door = &task->cgroup_freezer[CGROUP_FREEZER_V1];
	enum cgroup_freezer_rest how;

	if (task->flags & PF_KTHREAD)
		return 1;

	count->tasks++;
	if (!freezer_is_closed_by(task, CGROUP_FREEZER_V1))
		return 1;

	how = READ_ONCE(door->rest);
	if (how != CGROUP_FREEZER_BUSY && door->runtime != FREEZER_NO_RUNTIME)
		count->runtime_ns += task_sched_runtime(task) - door->runtime;
	/* @task woke, and has come to a sleep where it could be frozen. */
	if (how == CGROUP_FREEZER_ASLEEP &&
	    READ_ONCE(task->__state) & TASK_FROZEN &&
	    !cgroup_freezer_is_unsafe(task))
		how = CGROUP_FREEZER_IN_PLACE;
	count->rest[how]++;
	return 1;
}

/**
 * freezer_show_stat - counters and times of a cgroup
 * @freezer: the cgroup
 * @m: where to
 *
 * Context: process context, may sleep.
 */
void freezer_show_stat(struct cgroup_freezer *freezer, struct seq_file *m)
{
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
}
