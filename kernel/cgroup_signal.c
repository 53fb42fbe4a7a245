// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals to the processes of a cgroup
 *
 * A controller for cgroup v1 hierarchies, to be mounted alone or beside others,
 * for instance with the freezer.  "echo TERM > signal.kill" sends a signal to
 * every process that has a task in the cgroup or in a descendant.  Interface,
 * errors and examples are in Documentation/cgroups/signal-subsystem.txt.
 *
 * Model
 * -----
 *
 * A write is one operation: it checks the permission for all processes, takes a
 * number, writes that number into the cgroups of the subtree, and then walks
 * their tasks.  A process is sent the signal when the walk meets the first of
 * its threads, and gets the number of the operation as well
 * (signal_struct::cgroup_signal_seq).  So a second thread, here or in another
 * cgroup of the subtree, is known to belong to a process that is done, and no
 * list of processes is kept.
 *
 * One question decides about a child that is forked during an operation: had the
 * parent been sent the signal, and dealt with it, when it forked?
 *
 *   no		the child is one of those that the write is meant for.  It gets
 *		the signal too, queued before its first instruction;
 *   yes	the child comes after the signal, and is left alone: the handler of
 *		a SIGTERM may fork what it needs to clean up.
 *
 * As nobody forks after a SIGKILL (or after another signal that ended it), the
 * first case alone makes sure that none survives one write of 9.
 *
 * signal_can_fork() finds the answer and notes it in the child's number: up to
 * that operation, all is settled for the child.  From there on the child is
 * like any process of the cgroup, but neither runs nor is listed yet, so
 * signal_fork() has to look once more when it is:
 *
 *	writer				parent
 *
 *	cgroup's number = 5
 *					signal_can_fork():
 *					  parent was not sent 5: child's = 4
 *	walk: parent is sent 5
 *	walk: end of the list
 *					child is listed
 *					signal_fork():
 *					  cgroup's 5 > child's 4: send, child's = 5
 *
 * Both the walk and signal_fork() may come to a child that is listed.  The first
 * one raises the child's number under signal_lock, the other one sees that.
 *
 * signal_fork() cannot miss an operation: either the child was listed before the
 * walk left the list, then the walk met the child; or it was listed after that.
 * The walk and the listing both hold css_set_lock, and the cgroup's number was
 * written before the walk began, so signal_fork() sees this number or a later one.
 *
 * Numbers of operations are odd; signal_seq is even while none is under way, and
 * a process's number becomes even when signal_can_fork() has done one last
 * thing: the signal may have come after the beginning of fork(), where
 * copy_process() sends the parent back to handle what is pending, and before
 * signal_can_fork().  Then the parent has it but has not dealt with it, so it is
 * sent back once more.  A parent that blocks the signal, as C libraries do around a
 * fork, would not deal with it then: the child gets it, too, and so does each further
 * child until the parent has taken it.  A fork with both numbers even takes no lock.
 *
 * Permission
 * ----------
 *
 * The rules are those of kill(2) with the credentials of the opener of the file,
 * not of the writer: a descriptor gives its owner what the opener had.  All
 * processes are checked before the first one is sent anything.  Credentials may
 * change in between, by exec of a set-user-ID program, so each process is
 * checked again right before its signal, exactly as late as kill(2) does it; one
 * that refuses now is left out, and the write fails with the others signalled.
 * A child has the credentials of its parent.
 *
 * Locks
 * -----
 *
 *   cgroup_mutex	one operation at a time; no cgroup of the subtree comes or
 *			goes, and no task is moved, while it is under way
 *     signal_lock	signal_seq, signal_file, signal_struct::cgroup_signal_seq
 *			and all of struct cgroup_signal; held over the sending, so
 *			that a process has the number if and only if it has the
 *			signal.  Never taken with css_set_lock held
 *       siglock of the target
 *
 * From signal_can_fork() to signal_fork() the parent holds the lock against
 * migration that all of fork is under (cgroup_threadgroup_change_begin()), so
 * both look at the same cgroup.
 */

#include <linux/atomic.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/cgroup.h>
#include <linux/cgroup_freezer.h>
#include <linux/ctype.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/kernfs.h>
#include <linux/kstrtox.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/security.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

/**
 * struct signal_message - a signal and who sends it
 * @sig:	the signal
 * @uid:	the writer's user id
 * @sender:	the writer's process
 */
struct signal_message {
	int			sig;
	kuid_t			uid;
	struct pid		*sender;
};

/**
 * struct cgroup_signal - what was last sent to a cgroup
 * @css:	what cgroup core knows of it
 * @seq:	the number of the last operation on this cgroup or an ancestor
 * @kill_seq:	the number of the last one that sent SIGKILL
 * @last:	what @seq sends; its sender is counted
 *
 * From @seq on under signal_lock; @seq is also read without it in fork.
 */
struct cgroup_signal {
	struct cgroup_subsys_state	css;

	atomic64_t			seq;
	u64				kill_seq;
	struct signal_message		last;
};

static DEFINE_SPINLOCK(signal_lock);

/*
 * The number of the last operation, odd; plus one when it is over. Atomic since
 * signal_can_fork() reads it without signal_lock, and 32 bits are not enough.
 */
static atomic64_t signal_seq = ATOMIC64_INIT(0);

/* The open file of the operation under way, for the opener's credentials. */
static struct file *signal_file;

/* Those that all architectures have; the rest is sent by number. */
static const char * const signal_names[] = {
	[SIGHUP] = "HUP",		[SIGINT] = "INT",
	[SIGQUIT] = "QUIT",		[SIGILL] = "ILL",
	[SIGTRAP] = "TRAP",		[SIGABRT] = "ABRT",
	[SIGBUS] = "BUS",		[SIGFPE] = "FPE",
	[SIGKILL] = "KILL",		[SIGUSR1] = "USR1",
	[SIGSEGV] = "SEGV",		[SIGUSR2] = "USR2",
	[SIGPIPE] = "PIPE",		[SIGALRM] = "ALRM",
	[SIGTERM] = "TERM",		[SIGCHLD] = "CHLD",
	[SIGCONT] = "CONT",		[SIGSTOP] = "STOP",
	[SIGTSTP] = "TSTP",		[SIGTTIN] = "TTIN",
	[SIGTTOU] = "TTOU",		[SIGURG] = "URG",
	[SIGXCPU] = "XCPU",		[SIGXFSZ] = "XFSZ",
	[SIGVTALRM] = "VTALRM",		[SIGPROF] = "PROF",
	[SIGWINCH] = "WINCH",		[SIGIO] = "IO",
	[SIGPWR] = "PWR",		[SIGSYS] = "SYS",
};

static struct cgroup_signal *css_signal(struct cgroup_subsys_state *css)
{
	return container_of(css, struct cgroup_signal, css);
}

static struct cgroup_subsys_state *
signal_css_alloc(struct cgroup_subsys_state *parent)
{
	struct cgroup_signal *scg;

	scg = kzalloc(sizeof(*scg), GFP_KERNEL);
	if (!scg)
		return ERR_PTR(-ENOMEM);
	/* A child may be born here whose parent, above, was sent the last one. */
	if (parent) {	/* under cgroup_mutex, so no operation is under way */
		scg->last = css_signal(parent)->last;
		get_pid(scg->last.sender);
		scg->kill_seq = css_signal(parent)->kill_seq;
		atomic64_set(&scg->seq, atomic64_read(&css_signal(parent)->seq));
	}
	return &scg->css;
}

static void signal_css_free(struct cgroup_subsys_state *css)
{
	struct cgroup_signal *scg = css_signal(css);

	put_pid(scg->last.sender);
	kfree(scg);
}

/* Of a decimal number, or a name with or without SIG: 1 to _NSIG, or -EINVAL. */
static int signal_of_text(const char *text)
{
	unsigned int sig;

	if (isdigit(*text)) {
		if (kstrtouint(text, 10, &sig) || !sig || sig > _NSIG)
			return -EINVAL;
		return sig;
	}
	if (!strncmp(text, "SIG", 3))
		text += 3;
	for (sig = 1; sig < ARRAY_SIZE(signal_names); sig++)
		if (signal_names[sig] && !strcmp(text, signal_names[sig]))
			return sig;
	return -EINVAL;
}

/* The siginfo of kill(2), with the numbers that mean the sender to @task. */
static void signal_siginfo(const struct signal_message *msg,
			   struct task_struct *task,
			   struct kernel_siginfo *info)
{
	clear_siginfo(info);
	info->si_signo = msg->sig;
	info->si_code = SI_USER;
	info->si_pid = pid_nr_ns(msg->sender, task_active_pid_ns(task));
	/* send_signal_locked() translates it for the target's namespace. */
	info->si_uid = from_kuid_munged(current_user_ns(), msg->uid);
}

/**
 * signal_permission - may the opener of a file signal a process?
 * @file: the open signal.kill
 * @info: what is to be sent
 * @leader: leader of the process
 *
 * The SIGCONT within a session that kill(2) allows is left out: a session
 * belongs to a process, and it is the opener's credentials that count.
 *
 * Context: RCU read lock held. Does not sleep.
 * Return: 0, -EPERM, or what a security module says.
 */
static int signal_permission(struct file *file, struct kernel_siginfo *info,
			     struct task_struct *leader)
{
	const struct cred *cred = file->f_cred;
	const struct cred *tcred = __task_cred(leader);

	if (!uid_eq(cred->euid, tcred->suid) &&
	    !uid_eq(cred->euid, tcred->uid) &&
	    !uid_eq(cred->uid, tcred->suid) &&
	    !uid_eq(cred->uid, tcred->uid) &&
	    !file_ns_capable(file, tcred->user_ns, CAP_KILL))
		return -EPERM;

	return security_task_kill(leader, info, info->si_signo, cred);
}

/*
 * May the opener of @file signal the process of which @task is any thread? 0, also when
 * the process has gone, or the error of signal_permission().
 */
static int signal_check(const struct signal_message *msg, struct file *file,
			struct task_struct *task)
{
	struct kernel_siginfo info;
	struct task_struct *leader;
	int ret = 0;

	rcu_read_lock();
	leader = pid_task(task_tgid(task), PIDTYPE_TGID);
	if (leader) {
		signal_siginfo(msg, leader, &info);
		ret = signal_permission(file, &info, leader);
	}
	rcu_read_unlock();
	return ret;
}

/**
 * signal_send - send a signal to the process of a task
 * @msg: what to send
 * @task: any thread of the process
 *
 * Context: signal_lock held. Takes the siglock of the process.
 */
static void signal_send(const struct signal_message *msg,
			struct task_struct *task)
{
	struct kernel_siginfo info;
	struct task_struct *leader;
	int ret;

	lockdep_assert_held(&signal_lock);

	/*
	 * A leader that was released since is gone together with its process,
	 * or a thread took its place in exec. Then that is the leader now.
	 */
	do {
		ret = 0;
		rcu_read_lock();
		leader = pid_task(task_tgid(task), PIDTYPE_TGID);
		if (leader) {
			/* Afresh for each process, for sending changes it. */
			signal_siginfo(msg, leader, &info);
			audit_signal_info(msg->sig, leader);
			ret = do_send_sig_info(msg->sig, &info, leader, PIDTYPE_TGID);
		}
		rcu_read_unlock();
	} while (ret == -ESRCH);
}

/* First part of an operation: may all processes of a cgroup be signalled? */
static int signal_check_css(struct cgroup_subsys_state *css,
			    const struct signal_message *msg, struct file *file)
{
	struct css_task_iter it;
	struct task_struct *task;
	int ret = 0;

	css_task_iter_start(css, 0, &it);
	while (!ret && (task = css_task_iter_next(&it))) {
		if (!(task->flags & PF_KTHREAD))
			ret = signal_check(msg, file, task);
		cond_resched();
	}
	css_task_iter_end(&it);
	return ret;
}

/* Second part: from here on the processes of the cgroup are concerned. */
static void signal_mark_css(struct cgroup_subsys_state *css,
			    const struct signal_message *msg)
{
	struct cgroup_signal *scg = css_signal(css);
	struct pid *old = scg->last.sender;
	u64 seq;

	get_pid(msg->sender);
	spin_lock(&signal_lock);
	seq = atomic64_read(&signal_seq);
	scg->last = *msg;
	if (msg->sig == SIGKILL)
		scg->kill_seq = seq;
	atomic64_set(&scg->seq, seq);
	spin_unlock(&signal_lock);
	put_pid(old);
}

/* Third part: send it. */
static int signal_send_css(struct cgroup_subsys_state *css,
			   const struct signal_message *msg, struct file *file)
{
	struct css_task_iter it;
	struct task_struct *task;
	int ret = 0, err;
	u64 *done, seq;

	css_task_iter_start(css, 0, &it);
	while ((task = css_task_iter_next(&it))) {
		if (task->flags & PF_KTHREAD)
			continue;
		done = &task->signal->cgroup_signal_seq;
		spin_lock(&signal_lock);
		seq = atomic64_read(&signal_seq);
		if (*done < seq) {
			err = signal_check(msg, file, task);
			if (!err) {
				signal_send(msg, task);
				WRITE_ONCE(*done, seq);
			}
			ret = ret ?: err;
		}
		spin_unlock(&signal_lock);
		cond_resched();
	}
	css_task_iter_end(&it);
	return ret;
}

/**
 * signal_subtree - send a signal to all processes of a cgroup and below
 * @root: the cgroup
 * @msg: what to send
 * @file: the open signal.kill
 *
 * Context: process context, cgroup_mutex held.
 * Return: 0, or the error of signal_permission(); unless credentials changed
 * meanwhile nobody was sent anything then, see "Permission" above.
 */
static int signal_subtree(struct cgroup_subsys_state *root,
			  const struct signal_message *msg, struct file *file)
{
	struct cgroup_subsys_state *pos;
	int ret = 0, err;

	css_for_each_descendant_pre(pos, root) {
		ret = signal_check_css(pos, msg, file);
		if (ret)
			return ret;
	}

	spin_lock(&signal_lock);
	signal_file = file;
	atomic64_inc(&signal_seq);
	spin_unlock(&signal_lock);

	css_for_each_descendant_pre(pos, root)
		signal_mark_css(pos, msg);

	css_for_each_descendant_pre(pos, root) {
		err = signal_send_css(pos, msg, file);
		ret = ret ?: err;
	}

	spin_lock(&signal_lock);
	/* Pairs with the acquire in signal_can_fork(). */
	atomic64_set_release(&signal_seq, atomic64_read(&signal_seq) + 1);
	signal_file = NULL;
	spin_unlock(&signal_lock);
	return ret;
}

static ssize_t signal_kill_write(struct kernfs_open_file *of, char *buf,
				 size_t nbytes, loff_t off)
{
	struct cgroup_subsys_state *css = of_css(of);
	struct signal_message msg = {
		.sig = signal_of_text(strstrip(buf)),
		.uid = current_uid(),
		.sender = task_tgid(current),
	};
	int ret;

	if (msg.sig < 0)
		return msg.sig;

	/* rmdir waits for us with cgroup_mutex held, unless we step aside. */
	css_get(css);
	kernfs_break_active_protection(of->kn);
	cgroup_lock();
	ret = css_is_dying(css) ? -ENODEV : cgroup_freezer_begin_move();
	if (!ret) {
		ret = signal_subtree(css, &msg, of->file);
		cgroup_freezer_end_move();
	}
	cgroup_unlock();
	kernfs_unbreak_active_protection(of->kn);
	css_put(css);

	return ret ?: nbytes;
}

/*
 * Is @sig pending for the process of %current? It is one that is sent to processes. One
 * that another thread was chosen for counts while it is pending. When that thread has
 * taken it, then what it does with it and the fork of %current have no order.
 *
 * @blocked says whether %current cannot handle it now. If it can, it has to, which is
 * the question that copy_process() asks at its beginning.
 */
static bool signal_is_pending(int sig, bool *blocked)
{
	/* %current's own: only exec changes it, and this is fork */
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, true);
	bool ret;

	spin_lock_irq(&sighand->siglock);
	ret = sigismember(&current->signal->shared_pending.signal, sig);
	*blocked = sigismember(&current->blocked, sig);
	/* For the restart, which is done on the way to handle a signal. */
	if (ret && !*blocked)
		recalc_sigpending();
	spin_unlock_irq(&sighand->siglock);
	return ret;
}

/**
 * signal_can_fork - note which operations %current has been through
 * @child: the child that is being made
 * @cset: where it will be
 *
 * Context: process context, migration excluded.
 * Return: 0, or -ERESTARTNOINTR when there is a signal to handle first.
 */
static int signal_can_fork(struct task_struct *child, struct css_set *cset)
{
	u64 *done = &child->signal->cgroup_signal_seq;
	u64 *sent = &current->signal->cgroup_signal_seq;
	struct cgroup_signal *scg;
	bool blocked;
	int ret = 0;
	u64 seq;

	/* A new thread belongs to a process that has its number. */
	if (done == sent)
		return 0;

	/* Pairs with the release in signal_subtree(): then @sent is seen, too. */
	seq = atomic64_read_acquire(&signal_seq);
	if (!((seq | READ_ONCE(*sent)) & 1)) {
		*done = seq;
		return 0;
	}

	scg = css_signal(cset->subsys[signal_cgrp_id]);
	spin_lock(&signal_lock);
	if (*sent & 1) {
		if (*sent == atomic64_read(&scg->seq) &&
		    signal_is_pending(scg->last.sig, &blocked)) {
			/* if it blocks the signal: signal_fork() sends that */
			*done = *sent - 1;
			ret = blocked ? 0 : -ERESTARTNOINTR;
			goto unlock;
		}
		/* not before: another thread may be in fork, too */
		WRITE_ONCE(*sent, *sent + 1);
	}
	/* If it is under way, then the walk may yet come to the parent. */
	*done = atomic64_read(&signal_seq);
	if ((*done & 1) && *sent < *done)
		*done -= 1;
unlock:
	spin_unlock(&signal_lock);
	return ret;
}

/**
 * signal_fork - send to a child what came while it was made
 * @child: the child, listed in its cgroup, not running yet
 *
 * If more than one signal came it is sent the last one, but in any case a
 * SIGKILL.
 *
 * A signal that was sent to the parent may be sent to the child, who has its
 * credentials. If it was not, the walk has not come to the parent, or was refused:
 *
 *	writer				parent
 *
 *	check: may be signalled
 *					exec of a set-user-ID program
 *					signal_can_fork()
 *	cgroup's number = 5
 *					signal_fork(): check the child
 *	walk: check the parent
 *
 * After the end of the operation there is nobody to ask, and no need to: then
 * the walk did come to the parent, and was refused.
 *
 * Context: process context, migration excluded.
 */
static void signal_fork(struct task_struct *child)
{
	u64 *done = &child->signal->cgroup_signal_seq;
	struct signal_message msg;
	struct cgroup_signal *scg;
	u64 sent, seq;

	if ((child->flags & PF_KTHREAD) || !thread_group_leader(child))
		return;

	rcu_read_lock();
	scg = css_signal(task_css(child, signal_cgrp_id));
	if (atomic64_read(&scg->seq) <= READ_ONCE(*done))
		goto out;

	spin_lock(&signal_lock);
	seq = atomic64_read(&scg->seq);
	if (seq > *done) {
		sent = current->signal->cgroup_signal_seq;
		msg = scg->last;
		if (scg->kill_seq > *done && sent >= scg->kill_seq) {
			msg.sig = SIGKILL;
			signal_send(&msg, child);
		} else if (sent >= seq ||
			   (seq == atomic64_read(&signal_seq) &&
			    !signal_check(&msg, signal_file, child))) {
			signal_send(&msg, child);
		}
		WRITE_ONCE(*done, seq);
	}
	spin_unlock(&signal_lock);
out:
	rcu_read_unlock();
}

static struct cftype signal_files[] = {
	{
		.name = "kill",
		.flags = CFTYPE_NOT_ON_ROOT,
		.write = signal_kill_write,
	},
	{ }	/* terminate */
};

struct cgroup_subsys signal_cgrp_subsys = {
	.css_alloc	= signal_css_alloc,
	.css_free	= signal_css_free,
	.can_fork	= signal_can_fork,
	.fork		= signal_fork,
	.legacy_cftypes	= signal_files,
};
