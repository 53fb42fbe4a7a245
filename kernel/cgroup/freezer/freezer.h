/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Container freezer: start here
 *
 * A freeze stops every task of a cgroup and of its descendants without any of them
 * noticing, a thaw lets them go on. The promises, clause by clause, are in
 * Documentation/cgroups/freezer-contract.txt.
 *
 * Rooms
 * -----
 *
 * Includes and calls point down in this list, except to group.c, which all may use.
 * A room calls one above it through a function pointer that the upper one has left
 * (attempt->quiesce), or by way of a work item. The two headers are the fast part of
 * look.c and task.c, and leave the rare cases to them (freezer_look_closer(),
 * __cgroup_frozen()).
 *
 *   v2.c	the front of cgroup v2: files, cgroups that come and go
 *   kernel/cgroup_freezer.c	the front of cgroup v1: files, subsystem
 *   kernel/cgroup_freezer_checkpoint.c	the file of the guard, of cgroup v1
 *   kernel/cgroup_freezer_namespace.c	the files of namespace.c, of cgroup v1
 *   namespace.c	a cgroup for each container: which tasks come into it, and when
 *   container.c	... the cgroup: its settings, how it comes and goes
 *   member.c	what cgroup core, fork, exec and exit call: gates, birth, move, death
 *   wait.c	the wait of a writer for the outcome of a request, on cgroup v1
 *   request.c	requests
 *   show.c	what a reader is shown of a cgroup and of its tasks, on cgroup v1
 *   guard.c	the checkpoint guard
 *   quiesce.c	the tasks that are not quiescent, and what makes them so
 *   pass.c	passes over tasks, walks over subtrees, looks at busy tasks
 *   look.c	a closer look at a task that may be at rest
 *   task.c	a task and its door, from the side of the task; who leaves
 *   door.h	the door of a task, closed and opened
 *   sleep.h	a sleep, frozen in place and let go again
 *   group.c	the requests to a cgroup, its state, and its accounts
 *
 * Words
 * -----
 *
 *   door	the place which a task comes by before it gets to user mode,
 *		handles a signal, or goes behind a gate
 *   closed	the door is shut: a cgroup of the task is asked to freeze
 *   hold	the hierarchy that has closed it: the one of cgroup v2, or the one
 *		of cgroup v1 with the freezer, or both
 *   at rest	its door is closed and it is parked, in place, or asleep, or
 *		it is the writer that waits for this freeze
 *   parked	it waits at its door
 *   in place	it was frozen inside of its sleep or stop
 *   asleep	it was seen off the run queues, in a sleep that cannot be frozen
 *   blocked	in an uninterruptible sleep that cannot be frozen; on cgroup
 *		v2 it is busy for as long as U3 says
 *   busy	its door is closed and it is not at rest
 *   gate	a task that forks, execs or exits is behind a gate, and busy; in
 *		exec and exit for a limited time if it is asleep
 *   let go	it was killed, and leaves and dies without a thaw
 *   pass	a walk over the tasks of a cgroup that closes or opens their doors
 *   look	whether one task is at rest, and how
 *   account	the tasks that keep a cgroup from FROZEN, or from CHECKPOINTING
 *   quiescent	parked or in place
 *   in flight	at rest, but not quiescent
 *   guard	keeps a FROZEN cgroup as it is, for its one holder
 *   sealed	no killed task leaves, while the guard is granted
 *   torn	a task has changed or left in spite of a guard
 *   container	what runs in a namespace of a kind that freezer.per_namespace names
 *
 * Model
 * -----
 *
 * A task can break the promise of a freeze only in user mode, and there is one
 * door to user mode: resume_user_mode_work(), behind TIF_NOTIFY_RESUME.  A
 * freeze closes the door of each task (a bit in task_struct::cgroup_freezer_closed) and
 * does nothing else to it: no signal is sent, no sleep is ended, no system
 * call is restarted.  A task whose door is closed is at rest when it is
 *
 *   parked	it came to the door and waits there, in __refrigerator();
 *   in place	it slept in a TASK_FREEZABLE sleep, a job control stop or a
 *		ptrace stop, which became TASK_FROZEN: its wake-up is kept in
 *		task_struct::saved_state until the thaw;
 *   asleep	it was seen off the run queues.  Whatever wakes it, the door is
 *		on its way to user mode, and also on its way to handle a signal
 *		(get_signal()) and to fork (cgroup_freezer_can_fork()).  If it comes to
 *		a TASK_FREEZABLE sleep before, schedule() freezes it in place
 *		there (__cgroup_freezer_sleep()).
 *
 * A task that is not at rest is busy: running, runnable, or in the middle of a
 * fork.  It reports by itself when it parks or dies.  It does not report when
 * it falls asleep instead, so the busy tasks are looked at again, with
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
 * which a thaw would find it. The last door is in do_exit(), behind the last stop
 * for a tracer.
 *
 * Two hierarchies
 * ---------------
 *
 * A task is in one cgroup of v2, and in one of v1 if a hierarchy there has the freezer.
 * Each of the two may ask it to freeze. The door is one, and open when neither asks; the
 * kind of rest, the account and the state of the cgroup are kept for each of them
 * (struct cgroup_freezer_task, struct cgroup_freezer). Little crosses between the
 * two:
 *
 *   the second to close the door finds the task at rest, and wakes nobody;
 *   the first to open it leaves the task where it is (freezer_open_door());
 *   a task that parks reports to both (cgroup_freezer_hold());
 *   a killed task leaves if neither objects (cgroup_freezer_is_killable()). cgroup v2
 *   never does.
 *
 * In what else they differ: on cgroup v2 a task that is blocked is waited for
 * (freezer_look_blocked()), a request never waits for tasks, and there is no guard.
 *
 * States
 * ------
 *
 * A cgroup is asked to freeze by itself (FREEZING_SELF: "FROZEN" was written to
 * its freezer.state, or 1 to its cgroup.freeze) or by an ancestor (FREEZING_PARENT).
 * While it is asked,
 *
 *   FREEZING	if a task of it is busy, a pass over its tasks is under way, or a
 *		child cgroup is FREEZING;
 *   FROZEN	otherwise.
 *
 * While somebody has its checkpoint guard a FROZEN cgroup is CHECKPOINTING, see
 * guard.c. It is THAWED while nobody asks.  The
 * things that keep a cgroup from FROZEN are counted, or flags (busy.nr,
 * nr_busy_children, FREEZER_WALK), so the state is known at any time without a scan;
 * freezer_update() works out the state, and freezer_set_state() is the only
 * function that changes it.
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
 *           p->pi_lock		and the locks under it, for a wake-up
 *
 * css_set_lock protects all of the accounting because the accounting is about
 * membership: with it held, the cgroup of a task, the list of tasks of a cgroup
 * and the counters agree.
 * freezer_mutex only serializes the passes of writers; fork, exit, the door and
 * migration do not take it.
 *
 * Nobody sleeps with freezer_mutex held, except to let others have the CPU. So a task of
 * a frozen cgroup that waits for it, as it freezes or thaws a cgroup itself, waits
 * for some passes, far less than the patience with a task that is blocked, and needs no
 * exception there. It is one for all hierarchies: a waiter gets it after the pass that
 * is under way, and the passes of two hierarchies would compete for css_set_lock anyway.
 *
 * Barriers
 * --------
 *
 * task_struct::cgroup_freezer_closed, the flags of a cgroup, a pending SIGKILL and
 * the state of a task are written and read on different CPUs without a common lock.
 * Each row of the first table is one side: a store, a full barrier, a load. Of two
 * sides that make a pair each loads what the other has stored, so that at least one
 * of them sees the other.
 *
 *	label	store; load				in
 *
 *	(A)	closed; on a run queue, gate?		freezer_close_door()
 *	(B)	not closed; TASK_FROZEN, killed?	freezer_open_door()
 *	(C)	TASK_FROZEN; closed, killed, a trap?	cgroup_freezer_stays()
 *	(D)	gate; closed?				freezer_enter_gate()
 *	(E)	SIGKILL, killable, a trap, a newborn's	__cgroup_freezer_kill(),
 *		closed; TASK_FROZEN, sealed, killed?	__cgroup_freezer_trap()
 *	(F)	sealed, or not; killed, traced?		freezer_seal(), freezer_unseal(),
 *							freezer_end_checkpoint()
 *	(G)	JOBCTL_PTRACE_FROZEN; sealed?		__cgroup_freezer_checkpointing()
 *	(H)	TASK_FROZEN; closed, killed?		__cgroup_freezer_sleep()
 *	(I)	parked; a trap?				cgroup_freezer_hold()
 *
 *	pair		what would go wrong without
 *
 *	(A)-(C), (D)	a task is at rest and runs; a fork or an exec in a FROZEN cgroup
 *	(B)-(C), (H)	a task sleeps on after the thaw
 *	(B)-(E)		a killed task sleeps on when the last that objects is gone
 *	(E)-(C), (H)	a killed task, or one that is to stop, sleeps on
 *	(E)-(E)		the same if the kill and freezer.killable come at once; a killed
 *			newborn leaves a FROZEN cgroup
 *	(E)-(F)		a killed task leaves under a guard, or stays after it
 *	(E)-(I)		a parked task does not stop for its tracer under a guard
 *	(F)-(G)		a tracer changes a task under a guard
 *
 * The xchg() of let_go in freezer_recount() and freezer_ask() is another (F): a kill
 * that has set let_go before it is seen by the walk that follows, and one that sets
 * it later has the cgroup recounted.
 *
 * Besides, freezer_was_killed() has an smp_rmb() for the smp_wmb() of get_signal(), and
 * freezer_is_leaving() one for the smp_mb() of cgroup_freezer_begin_exit().
 *
 * System sleep
 * ------------
 *
 * The system freezer (kernel/power/process.c) has the same refrigerator.  A
 * task is frozen while either freezer wants it:
 *
 *   suspend	takes what is frozen already as it is.  A task that is asleep in
 *		a sleep that cannot be frozen gets a fake signal, as before, comes
 *		to the refrigerator, and is parked for its cgroup there, too.
 *   resume	thaws the tasks that no cgroup holds (cgroup_frozen()).
 *   a thaw	leaves a task frozen that the system freezer wants
 *		(freezer_thaw_sleep()); the resume thaws it then. A suspend
 *		begins before or after a batch of tasks is thawed, not in the
 *		middle (cgroup_freezer_sync()).
 *
 * No cgroup holds the task that suspends the system while it does so: it is busy,
 * however it sleeps, and comes to its door when it has resumed the system. So it passes
 * the gates as well: a call that is started over would never come to that door.
 */
#ifndef _KERNEL_CGROUP_FREEZER_H
#define _KERNEL_CGROUP_FREEZER_H

#include <linux/cgroup.h>
#include <linux/cgroup_freezer.h>
#include <linux/mutex.h>
#include <linux/sched/cputime.h>
#include <linux/seq_file.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <trace/events/cgroup_freezer.h>

#include "../cgroup-internal.h"

/* How long a writer of FROZEN waits unless told otherwise. */
#define FREEZER_TIMEOUT_MS	10000U

/*
 * How long a freeze waits for one sleep of a task on its way out, and, on cgroup v1, from
 * when on it waits for no such sleep any more, counted from the request.
 */
#define FREEZER_EXIT_SLEEP_MS	100
#define FREEZER_EXIT_NS		(500 * NSEC_PER_MSEC)

/* No runtime is recorded: the task parks itself and uses no CPU until the thaw. */
#define FREEZER_NO_RUNTIME	U64_MAX

/* The first and the longest pause between two looks at the busy tasks. */
#define FREEZER_PAUSE_MIN_US	50U
#define FREEZER_PAUSE_MAX_US	10000U

/* The number of tasks after which a pass lets other users of css_set_lock in. */
#define FREEZER_BATCH		128U

/* The share of that for a task for which more is done: it is woken, or printed. */
#define FREEZER_WAKE_COST	16U

struct freezer_container;

/**
 * enum freezer_flags - the requests to a cgroup, and whether it is there
 * @FREEZER_ONLINE:		between its creation and its removal
 * @FREEZER_FREEZING_SELF:	it is asked by its own file
 * @FREEZER_FREEZING_PARENT:	its parent is asked to freeze, for any reason
 * @FREEZER_PASS:		a pass over its tasks is under way
 * @FREEZER_RECOUNT:		a recount of its tasks is under way
 * @FREEZER_GUARDED:		somebody has its checkpoint guard, or is about to
 *				get it; no task is moved into or out of the
 *				subtree
 * @FREEZER_SEALED:		a killed task may not leave the subtree, unless it
 *				is an OOM victim, and a task that is frozen in
 *				place does not stop for a tracer
 * @FREEZER_HELD:		the guard was granted: while FROZEN it is
 *				CHECKPOINTING, and no request may end that
 * @FREEZER_FREEZING:		asked to freeze for any reason
 * @FREEZER_WALK:		the cgroup is not FROZEN before the end of these
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
	FREEZER_WALK		= FREEZER_PASS | FREEZER_RECOUNT,
	FREEZER_GUARD		= FREEZER_GUARDED | FREEZER_SEALED | FREEZER_HELD,
};

/**
 * struct freezer_attempt - what a future holder remembers of its attempt
 * @quiesce:	the function for a task that is not quiescent, under css_set_lock
 * @freezer:	the cgroup whose guard it wants
 * @generation:	of @freezer, at the start: unchanged while @freezer stays FROZEN
 * @migration:	the migration that was under way then, or 0
 * @deadline:	when it gives up, in jiffies
 * @files:	the table of open files of the future holder
 * @shared:	a task of the subtree has the same one, so that the death of the
 *		holder would not close the file with the guard
 */
struct freezer_attempt {
	unsigned int		(*quiesce)(struct task_struct *task, void *attempt);
	struct cgroup_freezer	*freezer;
	u64			generation;
	unsigned int		migration;
	unsigned long		deadline;
	struct files_struct	*files;
	bool			shared;
};

/**
 * struct freezer_ticket - what a writer of FROZEN remembers of its request
 * @css:	of its cgroup, by which the wait can be started over
 * @generation:	of its cgroup, when it asked
 * @cancelled:	nr_cancelled of its cgroup, when it asked
 * @frozen:	the cgroup was FROZEN already
 * @deadline:	when it gives up, in jiffies
 * @nbytes:	what it has written
 */
struct freezer_ticket {
	struct cgroup_subsys_state *css;
	u64		generation;
	unsigned int	cancelled;
	bool		frozen;
	unsigned long	deadline;
	size_t		nbytes;
};

#ifdef CONFIG_CGROUP_FREEZER
/**
 * struct freezer_shell - what a cgroup of v1 has besides struct cgroup_freezer
 * @css:	what cgroup core knows of the controller
 * @state_file:	freezer.state, for its notifications
 * @container:	what container.c has to know of the cgroup, or %NULL: it was made for a
 *		container, or has settings of its own for those below
 * @nr_containers: how many cgroups below it were made for containers
 *
 * @container and @nr_containers are written under cgroup_mutex.
 */
struct freezer_shell {
	struct cgroup_subsys_state	css;
	struct cgroup_file		state_file;
	struct freezer_container	*container;
	unsigned int			nr_containers;
};

static inline struct freezer_shell *css_shell(struct cgroup_subsys_state *css)
{
	return container_of(css, struct freezer_shell, css);
}
#endif /* CONFIG_CGROUP_FREEZER */

/* The two kinds of hierarchies. The one of cgroup v1 does not exist without a driver. */
#define for_each_freezer_hold(hold)	\
	for ((hold) = 0; (hold) < CGROUP_FREEZER_HOLDS; (hold)++)

static inline struct cgroup *freezer_cgroup(struct cgroup_freezer *freezer)
{
	return container_of(freezer, struct cgroup, container_freezer);
}

/* The css by which cgroup core walks over a subtree and over its tasks. */
static inline struct cgroup_subsys_state *
freezer_css(struct cgroup_freezer *freezer)
{
	return &freezer_cgroup(freezer)->self;
}

static inline struct cgroup_freezer *
css_freezer(struct cgroup_subsys_state *css)
{
	return &css->cgroup->container_freezer;
}

static inline struct cgroup_freezer *
parent_freezer(struct cgroup_freezer *freezer)
{
	struct cgroup *parent = cgroup_parent(freezer_cgroup(freezer));

	return parent ? &parent->container_freezer : NULL;
}

/*
 * The cgroup of @task in one of the two hierarchies. Where none has the freezer of
 * cgroup v1 it is the root of cgroup v2, which nobody asks for anything.
 */
static __always_inline
struct cgroup_freezer *task_freezer(struct task_struct *task, unsigned int hold)
{
#ifdef CONFIG_CGROUP_FREEZER
	if (hold == CGROUP_FREEZER_V1)
		return css_freezer(task_css(task, freezer_cgrp_id));
#endif
	return &task_dfl_cgroup(task)->container_freezer;
}

static inline bool freezer_task_is_busy(struct task_struct *task,
					unsigned int hold)
{
	struct freezer_account *account = task->cgroup_freezer[hold].account;

	return account && account == &account->freezer->busy;
}

static inline bool freezer_task_is_in_flight(struct task_struct *task,
					     unsigned int hold)
{
	struct freezer_account *account = task->cgroup_freezer[hold].account;

	return account && account == &account->freezer->in_flight;
}

/* Does one hierarchy hold @task, or want to? */
static inline bool freezer_is_closed_by(struct task_struct *task,
					unsigned int hold)
{
	return READ_ONCE(task->cgroup_freezer_closed) & BIT(hold);
}

static inline u64 freezer_id(struct cgroup_freezer *freezer)
{
	return cgroup_id(freezer_cgroup(freezer));
}

/*
 * When a wait ends that begins now, in jiffies. One more than @ms, since the first is
 * not a whole one; and at once if @ms is 0.
 */
static inline unsigned long freezer_deadline(unsigned int ms)
{
	if (!ms)
		return jiffies;
	return jiffies + min_t(unsigned long, msecs_to_jiffies(ms), MAX_JIFFY_OFFSET) + 1;
}

/* Of %current, and stable: only exec changes it, and no caller is past its gate. */
static inline struct sighand_struct *freezer_own_sighand(void)
{
	return rcu_dereference_protected(current->sighand, true);
}

/*
 * The CPU time that @task has used; exact if it is off the run queue. It may have been
 * woken since it was seen there, so the plain way is for one load only.
 */
static inline u64 freezer_runtime(struct task_struct *task)
{
	if (IS_ENABLED(CONFIG_64BIT)) {
		/* data_race: with its next time slice, and either answer will do */
		return data_race(task->se.sum_exec_runtime);
	}
	return task_sched_runtime(task);
}

/* CHECKPOINTING is FROZEN, and more. */
static inline bool freezer_is_still(enum freezer_state state)
{
	return state == CGROUP_FREEZER_FROZEN ||
	       state == CGROUP_FREEZER_CHECKPOINTING;
}

/* group.c */
extern struct mutex freezer_mutex;
extern struct list_head freezer_looks;
extern unsigned int freezer_pause_us;
extern wait_queue_head_t freezer_pause;
extern struct list_head freezer_recounts;
extern unsigned int freezer_migrations;
void freezer_notify(struct cgroup_freezer *freezer);
void freezer_update(struct cgroup_freezer *freezer);
void __freezer_trace_rest(struct task_struct *task,
			  struct cgroup_freezer *freezer,
			  enum cgroup_freezer_rest how);
void freezer_task_rests(struct task_struct *task, unsigned int hold,
			enum cgroup_freezer_rest how);
void freezer_task_busy(struct task_struct *task, struct cgroup_freezer *freezer,
		       unsigned int hold);
void freezer_task_in_flight(struct task_struct *task,
			    struct cgroup_freezer *freezer);
void freezer_task_changes_account(struct task_struct *task,
				  struct cgroup_freezer *freezer);
void freezer_look_through(struct freezer_account *account,
			  unsigned int (*fn)(struct task_struct *task, void *data),
			  void *data);
bool freezer_is_guarded(struct cgroup_freezer *freezer);
bool freezer_is_sealed(struct task_struct *task);
void freezer_tear(struct task_struct *task);
void freezer_note_let_go(struct task_struct *task);
bool freezer_thaw_is_barred(struct cgroup_freezer *top);
void freezer_online(struct cgroup_freezer *freezer);
void freezer_offline(struct cgroup_freezer *freezer);

static inline void freezer_trace_rest(struct task_struct *task,
				      struct cgroup_freezer *freezer,
				      enum cgroup_freezer_rest how)
{
	if (trace_cgroup_freezer_rest_enabled())
		__freezer_trace_rest(task, freezer, how);
}

/* member.c */
int freezer_begin_unshare(void);

/* task.c */
bool freezer_is_past_last_door(struct task_struct *task);
bool freezer_wants_to_leave(struct task_struct *task);
bool freezer_is_leaving(struct task_struct *task);
enum cgroup_freezer_rest freezer_freeze_task(struct task_struct *task);
void freezer_conform(struct task_struct *task, unsigned int hold);
bool freezer_is_traced_now(struct task_struct *task);
int freezer_interrupted(void);

/* look.c */
enum cgroup_freezer_rest freezer_look_closer(struct task_struct *task,
					     struct cgroup_freezer *freezer,
					     unsigned int hold);

/* pass.c */
extern struct work_struct freezer_relook_work;
extern struct work_struct freezer_recount_work;
void freezer_visit_own(struct cgroup_freezer *freezer,
		       unsigned int (*fn)(struct task_struct *task, void *data),
		       void *data);
void freezer_visit(struct cgroup_freezer *top,
		   unsigned int (*fn)(struct task_struct *task, void *data),
		   void *data);
bool freezer_ask(struct cgroup_freezer *freezer, unsigned int flag);
void freezer_freeze_subtree(struct cgroup_freezer *top);
void freezer_thaw_subtree(struct cgroup_freezer *top);

/* show.c */
const char *freezer_state_name(enum freezer_state state);
void freezer_show_blockers(struct cgroup_freezer *freezer, struct seq_file *m);
void freezer_show_stat(struct cgroup_freezer *freezer, struct seq_file *m);

/* request.c */
void freezer_request_frozen(struct cgroup_freezer *freezer,
			    struct freezer_ticket *ticket);
int freezer_request_thawed(struct cgroup_freezer *freezer);

/* wait.c */
int freezer_wait(struct cgroup_freezer *freezer,
		 const struct freezer_ticket *ticket);

#endif /* _KERNEL_CGROUP_FREEZER_H */
