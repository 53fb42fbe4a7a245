/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Container freezer: what a struct cgroup holds of it.
 *
 * The model is explained in kernel/cgroup/freezer/freezer.h.
 */
#ifndef _LINUX_CGROUP_FREEZER_TYPES_H
#define _LINUX_CGROUP_FREEZER_TYPES_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/wait.h>

struct cgroup;
struct cgroup_file;
struct cgroup_freezer;
struct freezer_attempt;

/**
 * enum freezer_state - the effective state of a cgroup
 * @CGROUP_FREEZER_THAWED:	its tasks run
 * @CGROUP_FREEZER_FREEZING:	it is asked to freeze and something is not at rest
 * @CGROUP_FREEZER_FROZEN:	every task of it and of its descendants is at rest
 * @CGROUP_FREEZER_CHECKPOINTING: they are quiescent, and nobody can thaw, move
 *				or kill them
 */
enum freezer_state {
	CGROUP_FREEZER_THAWED,
	CGROUP_FREEZER_FREEZING,
	CGROUP_FREEZER_FROZEN,
	CGROUP_FREEZER_CHECKPOINTING,
};

/**
 * struct freezer_account - tasks that keep a cgroup from a state
 * @freezer:	the cgroup
 * @nr:		how many there are
 * @tasks:	by cgroup_freezer_task::node
 *
 * cgroup_freezer_task::account names the one that a task is on; no task is on two of
 * one hierarchy. The account is not looked up from the cgroup of the task: one that is
 * at rest, but not quiescent, is on the account of the cgroup whose guard is wanted,
 * which may be above its own. Under css_set_lock.
 */
struct freezer_account {
	struct cgroup_freezer	*freezer;
	unsigned int		nr;
	struct list_head	tasks;
};

/**
 * struct cgroup_freezer - the freezer of one cgroup
 * @hold:		enum cgroup_freezer_hold, the kind of hierarchy it is in
 * @pause_us:		between two looks at the busy tasks
 * @file:		has an event when @state changes: freezer.state of cgroup v1,
 *			cgroup.events of cgroup v2
 * @wait:		writers of FROZEN wait here, and future holders of the guard
 * @flags:		enum freezer_flags
 * @state:		enum freezer_state
 * @busy:		own tasks that are not at rest
 * @nr_busy_children:	children whose state is FREEZING
 * @nr_cancelled:	how often FREEZING_SELF was cleared; tells a writer that
 *			its request is gone
 * @timeout_ms:		how long a writer waits, in milliseconds
 * @let_go:		a task of the subtree was let go to die since the last
 *			recount; not under css_set_lock
 * @looks:		on the list of those that have busy tasks
 * @next_look_ns:	when the next look at them is due
 * @recount:		on the list of those that are to be recounted
 * @killable:		a killed task of this cgroup does not wait for the thaw; on
 *			cgroup v2 none does, whatever this says
 * @generation:		how often FROZEN was reached
 * @nr_freezes:		how often THAWED was left
 * @nr_timeouts:	writers that gave up
 * @since_ns:		when @state was entered, or, while THAWED is still shown,
 *			when a freeze was asked for (CLOCK_MONOTONIC)
 * @grace_ns:		until when a task on its way out counts as busy
 * @freezing_ns:	time spent FREEZING up to @since_ns
 * @frozen_ns:		time spent FROZEN or CHECKPOINTING up to @since_ns
 * @holder:		who has the guard: an open file of freezer.checkpoint,
 *			or the kernel
 * @torn:		an OOM victim left, a killed process was reaped, or a tracer
 *			may have changed a task, while the guard was held
 * @attempt:		the attempt on the guard that is under way
 * @nr_guards:		how many cgroups of the subtree have a holder
 * @in_flight:		tasks of the subtree that are at rest, but not quiescent, as
 *			far as an attempt on the guard has seen them
 *
 * From @flags on: written under css_set_lock, except @torn and @let_go.  @state, @flags,
 * @generation, @nr_cancelled and @in_flight.nr are also read without it, by readers
 * of the state and in the wait conditions.
 */
struct cgroup_freezer {
	u8				hold;
	bool				killable;
	unsigned int			pause_us;
	struct cgroup_file		*file;
	wait_queue_head_t		wait;

	unsigned int			flags;
	enum freezer_state		state;
	struct freezer_account		busy;
	unsigned int			nr_busy_children;
	unsigned int			nr_cancelled;
	unsigned int			timeout_ms;
	unsigned int			let_go;
	struct list_head		looks;
	u64				next_look_ns;
	struct list_head		recount;
	u64				generation;
	u64				nr_freezes;
	u64				nr_timeouts;
	u64				since_ns;
	u64				grace_ns;
	u64				freezing_ns;
	u64				frozen_ns;

	const void			*holder;
	struct freezer_attempt		*attempt;
	bool				torn;
	unsigned int			nr_guards;
	struct freezer_account		in_flight;
};

#endif /* _LINUX_CGROUP_FREEZER_TYPES_H */
