/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Container freezer: what its own files share.
 *
 * The model and the locks are explained at the head of kernel/cgroup_freezer.c,
 * the checkpoint guard at that of kernel/cgroup_freezer_checkpoint.c.
 */
#ifndef _KERNEL_CGROUP_FREEZER_INTERNAL_H
#define _KERNEL_CGROUP_FREEZER_INTERNAL_H

#include <linux/cgroup.h>
#include <linux/cgroup_freezer.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/wait.h>

/* What a pass does before it lets other users of css_set_lock in, in tasks. */
#define FREEZER_BATCH		128U

/* What a task costs of that for which more is done: it is woken, or printed. */
#define FREEZER_WAKE_COST	16U

/**
 * enum freezer_flags - what is asked of a cgroup, and whether it is there
 * @FREEZER_ONLINE:		between css_online and css_offline
 * @FREEZER_FREEZING_SELF:	FROZEN was written to its own freezer.state
 * @FREEZER_FREEZING_PARENT:	its parent is asked to freeze, for any reason
 * @FREEZER_PASS:		a pass over its tasks holds one of nr_busy
 * @FREEZER_RECOUNT:		a recount of its tasks holds one of nr_busy
 * @FREEZER_GUARDED:		somebody has its checkpoint guard, or is about to
 *				get it; no task is moved into or out of the
 *				subtree
 * @FREEZER_SEALED:		a killed task may not leave the subtree, unless it
 *				is an OOM victim, and a task that is frozen in
 *				place does not stop for a tracer
 * @FREEZER_HELD:		the guard was granted: while FROZEN it is
 *				CHECKPOINTING, and no request may end that
 * @FREEZER_FREEZING:		asked to freeze for any reason
 * @FREEZER_GUARD:		all that belongs to the guard
 */
enum freezer_flags {
	FREEZER_ONLINE		= 1 << 0,
	FREEZER_FREEZING_SELF	= 1 << 1,
	FREEZER_FREEZING_PARENT	= 1 << 2,
	FREEZER_PASS		= 1 << 3,
	FREEZER_RECOUNT		= 1 << 4,
	FREEZER_GUARDED		= 1 << 5,
	FREEZER_SEALED		= 1 << 6,
	FREEZER_HELD		= 1 << 7,

	FREEZER_FREEZING	= FREEZER_FREEZING_SELF | FREEZER_FREEZING_PARENT,
	FREEZER_GUARD		= FREEZER_GUARDED | FREEZER_SEALED | FREEZER_HELD,
};

/**
 * struct cgroup_freezer - the freezer of one cgroup
 * @css:		what cgroup core knows of it
 * @state_file:		freezer.state, for its notifications
 * @wait:		writers of FROZEN wait here, and who wants the guard
 * @flags:		enum freezer_flags
 * @state:		enum freezer_state
 * @nr_busy:		own tasks that are not at rest, plus one for a pass, and
 *			one for a recount
 * @nr_busy_children:	children whose state is FREEZING
 * @nr_cancelled:	how often FREEZING_SELF was cleared; tells a writer that
 *			its request is gone
 * @timeout_ms:		the patience of writers, in milliseconds
 * @let_go:		a task of the subtree was let go to die since the last
 *			recount; not under css_set_lock
 * @recount:		on the list of those that are to be recounted
 * @killable:		a killed task of this cgroup does not wait for the thaw
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
 * @torn:		an OOM victim left, or a killed process was reaped, while the
 *			guard was held
 * @attempt:		the attempt on the guard that is under way
 * @nr_guards:		how many cgroups of the subtree have a holder
 * @nr_moving:		tasks of the subtree that keep the guard from being
 *			granted, as far as they were seen
 * @moving:		these tasks, by cgroup_freezer_node
 *
 * From @flags on: written under css_set_lock, but for @torn.  @state, @flags,
 * @generation, @nr_cancelled and @nr_moving are also read without it, by readers
 * of freezer.state and in the wait conditions.
 */
struct cgroup_freezer {
	struct cgroup_subsys_state	css;
	struct cgroup_file		state_file;
	wait_queue_head_t		wait;

	unsigned int			flags;
	enum freezer_state	state;
	unsigned int			nr_busy;
	unsigned int			nr_busy_children;
	unsigned int			nr_cancelled;
	unsigned int			timeout_ms;
	unsigned int			let_go;
	struct list_head		recount;
	bool				killable;
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
	unsigned int			nr_moving;
	struct list_head		moving;
};

static inline struct cgroup_freezer *
css_freezer(struct cgroup_subsys_state *css)
{
	return css ? container_of(css, struct cgroup_freezer, css) : NULL;
}

static inline struct cgroup_freezer *task_freezer(struct task_struct *task)
{
	return css_freezer(task_css(task, freezer_cgrp_id));
}

static inline struct cgroup_freezer *
parent_freezer(struct cgroup_freezer *freezer)
{
	return css_freezer(freezer->css.parent);
}

/*
 * cgroup_freezer_busy_in names the cgroup on whose account a task is. There are
 * two of them: a task that is not at rest keeps its own cgroup from FROZEN
 * (nr_busy), one that is at rest but not quiescent keeps a cgroup from
 * CHECKPOINTING (nr_moving). No task is on both.
 */
static inline bool freezer_task_is_busy(struct task_struct *task)
{
	return task->cgroup_freezer_busy_in &&
	       task->cgroup_freezer_rest == CGROUP_FREEZER_BUSY;
}

static inline bool freezer_task_is_moving(struct task_struct *task)
{
	return task->cgroup_freezer_busy_in &&
	       task->cgroup_freezer_rest != CGROUP_FREEZER_BUSY;
}

/* Off the run queues an answer is final, see cgroup_freezer_begin_exit(). */
static inline bool freezer_is_exiting(struct task_struct *task)
{
	return READ_ONCE(task->cgroup_freezer_gate) & CGROUP_FREEZER_EXIT;
}

/* kernel/cgroup_freezer.c */
extern struct mutex freezer_mutex;
void freezer_update(struct cgroup_freezer *freezer);
void freezer_task_rests(struct task_struct *task, enum cgroup_freezer_rest how);
enum cgroup_freezer_rest freezer_freeze_task(struct task_struct *task);
bool freezer_wants_to_leave(struct task_struct *task);
bool freezer_is_past_last_door(struct task_struct *task);
int freezer_interrupted(void);
void freezer_visit(struct cgroup_freezer *top,
		   unsigned int (*fn)(struct task_struct *task, void *data),
		   void *data);
void freezer_show_task(struct seq_file *m, struct task_struct *task,
		       const char *what);

/* kernel/cgroup_freezer_checkpoint.c */
bool freezer_is_guarded(struct cgroup_freezer *freezer);
bool freezer_is_sealed(struct task_struct *task);
bool freezer_thaw_is_barred(struct cgroup_freezer *freezer);
void freezer_task_stands(struct cgroup_freezer *freezer);
void freezer_tear(struct task_struct *task);
void freezer_migration_begins(void);
void freezer_migration_ends(void);
void freezer_requiesce_task(struct task_struct *task,
			    struct cgroup_freezer *freezer);
void freezer_show_moving(struct seq_file *m, struct task_struct *task);
int freezer_checkpoint_open(struct kernfs_open_file *of);
void freezer_checkpoint_release(struct kernfs_open_file *of);
int freezer_checkpoint_show(struct seq_file *m, void *v);
ssize_t freezer_checkpoint_write(struct kernfs_open_file *of, char *buf,
				 size_t nbytes, loff_t off);

#endif /* _KERNEL_CGROUP_FREEZER_INTERNAL_H */
