/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Container freezer: what the rest of the kernel sees of it.
 *
 * The model is explained in kernel/cgroup/freezer/freezer.h.
 */
#ifndef _LINUX_CGROUP_FREEZER_H
#define _LINUX_CGROUP_FREEZER_H

#include <linux/cgroup_freezer_types.h>
#include <linux/errno.h>
#include <linux/jump_label.h>
#include <linux/sched.h>

struct cred;
struct nsproxy;

/**
 * enum cgroup_freezer_rest - how a task whose door is closed is at rest
 * @CGROUP_FREEZER_BUSY:	it is not: on a run queue, or forking; on cgroup v2 also
 *				in a sleep that ends by itself, for as long as
 *				that may be
 * @CGROUP_FREEZER_ASLEEP:	it was seen asleep; whatever wakes it, it cannot
 *				get past its door
 * @CGROUP_FREEZER_IN_PLACE:	frozen inside of its sleep or stop; its wake-up
 *				waits for the thaw
 * @CGROUP_FREEZER_PARKED:	it waits at the door
 * @CGROUP_FREEZER_WRITER:	it waits for the very freeze that it has asked for
 * @CGROUP_FREEZER_EXITED:	it has died instead
 */
enum cgroup_freezer_rest {
	CGROUP_FREEZER_BUSY,
	CGROUP_FREEZER_ASLEEP,
	CGROUP_FREEZER_IN_PLACE,
	CGROUP_FREEZER_PARKED,
	CGROUP_FREEZER_WRITER,
	CGROUP_FREEZER_EXITED,
};

/**
 * enum cgroup_freezer_gate - a call of a task that changes the list of tasks
 * @CGROUP_FREEZER_FORK:	it adds one, or goes to a cgroup that is made for it
 * @CGROUP_FREEZER_EXEC:	it kills the other threads of its process, and may
 *				take the id of one of them
 * @CGROUP_FREEZER_EXIT:	it leaves the list, and is never back from behind
 *				this gate
 * @CGROUP_FREEZER_MOVE:	it moves or kills others by a file of a cgroup
 *
 * A task behind one of the gates is busy, except in fork for a limited time if it is
 * asleep there. A closed door closes the gates of fork, exec and move, and there is a
 * door in front of the one of exit. A task may fork behind the gate of exec, for
 * io_uring.
 */
enum cgroup_freezer_gate {
	CGROUP_FREEZER_FORK	= 1 << 0,
	CGROUP_FREEZER_EXEC	= 1 << 1,
	CGROUP_FREEZER_EXIT	= 1 << 2,
	CGROUP_FREEZER_MOVE	= 1 << 3,
};

#ifdef CONFIG_CGROUPS
/* kernel/cgroup/freezer/task.c */
void __cgroup_freezer_sleep(void);
bool __cgroup_frozen(struct task_struct *task);
bool cgroup_freezer_stays(void);
bool cgroup_freezer_hold(void);
bool cgroup_freezer_is_busy(void);
void cgroup_freezer_sync(void);
void __cgroup_freezer_door(void);
void __cgroup_freezer_user_door(void);
bool __cgroup_freezer_call_door(void);
void __cgroup_freezer_kill(struct task_struct *task);
void __cgroup_freezer_trap(struct task_struct *task);
void cgroup_freezer_retry_trap(struct task_struct *task);

int cgroup_freezer_start_over(void);

/* kernel/cgroup/freezer/group.c */
void cgroup_freezer_init(struct cgroup *cgrp);
bool __cgroup_freezer_is_killable(struct task_struct *task);

/* kernel/cgroup/freezer/member.c */
int cgroup_freezer_can_fork(struct task_struct *child);
void cgroup_freezer_born(struct task_struct *child);
void cgroup_freezer_forked(void);
int cgroup_freezer_begin_exec(void);
int cgroup_freezer_begin_move(void);
void cgroup_freezer_end_move(void);
void cgroup_freezer_begin_exit(void);
void __cgroup_freezer_left(struct task_struct *task);
void cgroup_freezer_moved(struct task_struct *task);

/**
 * cgroup_freezer_closed - is the door of this task closed?
 * @task: the task to look at
 *
 * Context: any. The answer may be out of date on return unless the caller
 * keeps the freezers from changing their state.
 * Return: %true from the moment at which the cgroup of @task is asked to freeze
 * until it is thawed, whether or not @task has come to rest yet.
 */
static inline bool cgroup_freezer_closed(struct task_struct *task)
{
	/*
	 * Only this test stands in the paths of all tasks. There is no static key
	 * in front: a key would save nothing where nothing is frozen, and add two
	 * jumps where something is.  A plain load, since gcc does not make one
	 * instruction of READ_ONCE() and a test; a byte that is looked at once
	 * does not need READ_ONCE().
	 */
	return unlikely(data_race(task->cgroup_freezer_closed));
}

/**
 * cgroup_frozen - does a cgroup hold this task?
 * @task: the task to look at
 *
 * For the system freezer, which leaves such a task alone when it thaws others.
 *
 * Context: any, as long as @task cannot be released.
 * Return: %true if the door of @task is closed, and @task is neither killed and
 * may leave nor on its way through exit.
 */
static inline bool cgroup_frozen(struct task_struct *task)
{
	return cgroup_freezer_closed(task) && __cgroup_frozen(task);
}

/**
 * cgroup_freezer_door - wait here while the cgroup of %current is frozen
 *
 * Stands where a task is about to run user code or to handle a signal, and in
 * the loops of those tasks that work for user space and never return to it.
 *
 * Context: process context, with no locks held that a task of another cgroup
 * could need; may sleep until the thaw.
 */
static inline void cgroup_freezer_door(void)
{
	if (cgroup_freezer_closed(current))
		__cgroup_freezer_door();
}

/**
 * cgroup_freezer_user_door - the same, on the last steps to user mode
 *
 * A signal that is pending on the way to rest comes first, with the door of get_signal().
 *
 * Context: process context, in resume_user_mode_work(), whose callers look at
 * the flags of %current again, and deal with a signal: before they return to user
 * mode, or when an io_uring worker has no work left. Or ahead of another look for a
 * signal.
 */
static inline void cgroup_freezer_user_door(void)
{
	if (cgroup_freezer_closed(current))
		__cgroup_freezer_user_door();
}

/**
 * cgroup_freezer_call_door - the same, in the middle of a system call
 *
 * A stop for a tracer is not taken here, where the call has no result yet.
 *
 * Context: as for cgroup_freezer_door().
 * Return: %true if the call has to end with what it has done so far.
 */
static inline bool cgroup_freezer_call_door(void)
{
	return cgroup_freezer_closed(current) && __cgroup_freezer_call_door();
}

/**
 * cgroup_freezer_sleep - freeze %current in place if it may be
 *
 * For schedule(), when %current is about to sleep: a task that was at rest
 * asleep, woke, and goes on in the kernel stops at its next freezable sleep.
 *
 * Context: any that may sleep, the state of %current is not %TASK_RUNNING.
 */
static inline void cgroup_freezer_sleep(void)
{
	if (cgroup_freezer_closed(current))
		__cgroup_freezer_sleep();
}

/**
 * cgroup_freezer_kill - let a killed task leave, if it may
 * @task: a task that has just been woken by a fatal signal, or has become an
 *	  OOM victim after that
 *
 * Context: any, interrupts disabled or not; @task's siglock may be held.
 */
static inline void cgroup_freezer_kill(struct task_struct *task)
{
	if (cgroup_freezer_closed(task))
		__cgroup_freezer_kill(task);
}

/**
 * cgroup_freezer_is_killable - does a fatal signal end a task ahead of the thaw?
 * @task: the task
 *
 * A task that waits at its door may have TIF_SIGPENDING set and no signal in its
 * queue, since a tracer let it go or the system froze it: that flag is no sign then
 * that it is about to look for one.
 *
 * Context: any.
 * Return: %true if a cgroup holds @task, and none keeps it from dying.
 */
static inline bool cgroup_freezer_is_killable(struct task_struct *task)
{
	return cgroup_freezer_closed(task) && __cgroup_freezer_is_killable(task);
}

/**
 * cgroup_freezer_resumed - %current has resumed the system
 *
 * While %current suspended the system no cgroup could hold it, see
 * cgroup_freezer_hold().  Now %current has to look at its door again.
 *
 * Context: process context, %PF_SUSPEND_TASK of %current has been cleared.
 */
static inline void cgroup_freezer_resumed(void)
{
	if (cgroup_freezer_closed(current))
		set_thread_flag(TIF_NOTIFY_RESUME);
}

/**
 * cgroup_freezer_trap - let a task of a frozen cgroup stop for its tracer
 * @task: a task that has just been told to, or been let go from another stop
 *
 * Does nothing unless ptrace_trap_pending().
 *
 * Context: any, with the siglock of @task held.
 */
static inline void cgroup_freezer_trap(struct task_struct *task)
{
	if (cgroup_freezer_closed(task))
		__cgroup_freezer_trap(task);
}

/**
 * cgroup_freezer_end_exec - the other threads of the process are gone
 *
 * Or are not going to be killed.  The counterpart of cgroup_freezer_begin_exec().
 *
 * Context: process context.
 */
static inline void cgroup_freezer_end_exec(void)
{
	if (unlikely(current->cgroup_freezer_gate))
		WRITE_ONCE(current->cgroup_freezer_gate,
			   current->cgroup_freezer_gate &
			   ~CGROUP_FREEZER_EXEC);
}

/**
 * cgroup_freezer_is_exiting - is a task past its last door, on its way through exit?
 * @task: the task
 *
 * Off the run queues an answer is final, see cgroup_freezer_begin_exit().
 *
 * Context: any.
 * Return: %true if it is.
 */
static inline bool cgroup_freezer_is_exiting(struct task_struct *task)
{
	return READ_ONCE(task->cgroup_freezer_gate) & CGROUP_FREEZER_EXIT;
}

/**
 * cgroup_freezer_is_unsafe - was a task frozen with locks held?
 * @task: a task that the system freezer has frozen
 *
 * The system freezer freezes TASK_FREEZABLE_UNSAFE sleeps as well. When it thaws,
 * such a task goes on even if its cgroup is frozen, as it would have done without
 * a suspend, since others may want the locks.
 *
 * Context: any.
 * Return: %true if it was.
 */
static inline bool cgroup_freezer_is_unsafe(struct task_struct *task)
{
	return READ_ONCE(task->cgroup_freezer_unsafe);
}

/**
 * cgroup_freezer_set_unsafe - note whether a task is frozen with locks held
 * @task: the task
 * @unsafe: whether it is
 *
 * Context: @task's pi_lock held, or @task is %current.
 */
static inline void cgroup_freezer_set_unsafe(struct task_struct *task,
					     bool unsafe)
{
	WRITE_ONCE(task->cgroup_freezer_unsafe, unsafe);
}

/**
 * cgroup_freezer_left - a task has died and left its cgroup
 * @task: the task, which no walk over the tasks of a cgroup finds any more
 *
 * Context: css_set_lock held, interrupts disabled.
 */
static inline void cgroup_freezer_left(struct task_struct *task)
{
	unsigned int hold;

	for (hold = 0; hold < CGROUP_FREEZER_HOLDS; hold++) {
		if (unlikely(task->cgroup_freezer[hold].account)) {
			__cgroup_freezer_left(task);
			return;
		}
	}
}
#else /* !CONFIG_CGROUPS */
static inline bool cgroup_frozen(struct task_struct *task)
{
	return false;
}

static inline bool cgroup_freezer_hold(void)
{
	return false;
}

static inline void cgroup_freezer_sync(void)
{
}

static inline bool cgroup_freezer_closed(struct task_struct *task)
{
	return false;
}

static inline void cgroup_freezer_door(void)
{
}

static inline void cgroup_freezer_user_door(void)
{
}

static inline bool cgroup_freezer_call_door(void)
{
	return false;
}

static inline void cgroup_freezer_sleep(void)
{
}

static inline void cgroup_freezer_kill(struct task_struct *task)
{
}

static inline void cgroup_freezer_resumed(void)
{
}

static inline void cgroup_freezer_trap(struct task_struct *task)
{
}

static inline void cgroup_freezer_retry_trap(struct task_struct *task)
{
}

static inline bool cgroup_freezer_stays(void)
{
	return false;
}

static inline bool cgroup_freezer_is_busy(void)
{
	return false;
}

static inline int cgroup_freezer_start_over(void)
{
	return -ERESTARTNOINTR;
}

static inline int cgroup_freezer_begin_exec(void)
{
	return 0;
}

static inline void cgroup_freezer_end_exec(void)
{
}

static inline void cgroup_freezer_begin_exit(void)
{
}

static inline bool cgroup_freezer_is_killable(struct task_struct *task)
{
	return false;
}

static inline bool cgroup_freezer_is_exiting(struct task_struct *task)
{
	return false;
}

static inline bool cgroup_freezer_is_unsafe(struct task_struct *task)
{
	return false;
}

static inline void cgroup_freezer_set_unsafe(struct task_struct *task,
					     bool unsafe)
{
}
#endif /* !CONFIG_CGROUPS */

/*
 * The checkpoint guard, of cgroup v1
 */

#ifdef CONFIG_CGROUP_FREEZER
/* kernel/cgroup/freezer/guard.c */
int cgroup_freezer_begin_checkpoint(struct task_struct *task);
bool cgroup_freezer_end_checkpoint(struct task_struct *task);
bool __cgroup_freezer_checkpointing(struct task_struct *task);
void cgroup_freezer_tear(struct task_struct *task);

/**
 * cgroup_freezer_checkpointing - must a task stay as it is?
 * @task: a stopped task with JOBCTL_PTRACE_FROZEN set, or any other for a hint
 *
 * Context: any, as long as @task cannot be released.
 * Return: %true while a checkpoint is made of the cgroup of @task.
 */
static inline bool cgroup_freezer_checkpointing(struct task_struct *task)
{
	return cgroup_freezer_closed(task) &&
	       __cgroup_freezer_checkpointing(task);
}
#else /* !CONFIG_CGROUP_FREEZER */
static inline int cgroup_freezer_begin_checkpoint(struct task_struct *task)
{
	return -EOPNOTSUPP;
}

static inline bool cgroup_freezer_end_checkpoint(struct task_struct *task)
{
	return false;
}

static inline bool cgroup_freezer_checkpointing(struct task_struct *task)
{
	return false;
}

static inline void cgroup_freezer_tear(struct task_struct *task)
{
}
#endif /* !CONFIG_CGROUP_FREEZER */

/*
 * A cgroup for each container, of cgroup v1
 */

/* The kinds of namespaces that may count as a container. */
#define CGROUP_FREEZER_NAMESPACES	(CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | \
					 CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUSER | \
					 CLONE_NEWUTS)

#ifdef CONFIG_CGROUP_FREEZER
/* kernel/cgroup/freezer/namespace.c */
DECLARE_STATIC_KEY_FALSE(cgroup_freezer_contain_key);
int __cgroup_freezer_unshare(unsigned long flags, struct nsproxy *nsproxy,
			     const struct cred *cred);

/**
 * cgroup_freezer_unshare - %current is about to enter namespaces of its own
 * @flags: the CLONE_NEW* of the call
 * @nsproxy: the namespaces, which only %current knows, or %NULL
 * @cred: the credentials with its new user namespace, or %NULL
 *
 * Context: process context, in unshare() where all that may fail is done; may sleep.
 * Return: 0, or why %current must not enter them.
 */
static inline int cgroup_freezer_unshare(unsigned long flags,
					 struct nsproxy *nsproxy,
					 const struct cred *cred)
{
	if (static_branch_unlikely(&cgroup_freezer_contain_key) &&
	    flags & CGROUP_FREEZER_NAMESPACES)
		return __cgroup_freezer_unshare(flags, nsproxy, cred);
	return 0;
}
#else /* !CONFIG_CGROUP_FREEZER */
static inline int cgroup_freezer_unshare(unsigned long flags,
					 struct nsproxy *nsproxy,
					 const struct cred *cred)
{
	return 0;
}
#endif /* !CONFIG_CGROUP_FREEZER */

#endif /* _LINUX_CGROUP_FREEZER_H */
