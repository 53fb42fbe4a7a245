// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: a cgroup for each container, of cgroup v1
 *
 * Where freezer.per_namespace of a cgroup names a kind of namespace, a task below it
 * that gets a new namespace of this kind gets a new cgroup with it: the first task of
 * a pid namespace and a task that clone() makes are born there, a task that calls
 * unshare() for another kind goes there itself. What the files promise is in
 * Documentation/cgroups/freezer-subsystem.txt.
 *
 * When
 * ----
 *
 * A cgroup without a setting of its own has that of the next one above that has one.
 *
 * A container has one cgroup, however many namespaces it is made of. The process for
 * which a cgroup was made, its owner, stays there when it unshares more, and so do the
 * children for whose sake it has unshared a pid namespace; the first of these is an
 * owner, too. Another process of the container, or a child that the owner clones into
 * new namespaces, is a container in the container, and has a cgroup below. So a chain of
 * cgroups is as long as the containers are nested, and freezer_depth_max at most.
 *
 * A child that is born into a pid namespace which has a cgroup is born in there, the
 * first after an unshare() like the second, see freezer_find_container().
 *
 * No window
 * ---------
 *
 * The first task is linked into its css_set in cgroup_post_fork(), and that is the one
 * of the new cgroup: it has never been a member of another. cgroup_mutex is held from
 * before the cgroup is made until then, as clone() into a cgroup of v2 does. So the
 * cgroup of the parent cannot be removed, nor the parent moved, and nobody else comes
 * into the new cgroup first.
 *
 * The cgroup is made behind the gate of fork: the parent is busy, so that a freeze of
 * its cgroup either waits for it, or has closed its door before and the call starts
 * over at the thaw. A freeze that is under way has the new cgroup FROZEN when it comes
 * online (freezer_online()), and the task is born with its door closed.
 *
 *	cgroup_mutex
 *	  cgroup_threadgroup_rwsem, for reading, in a fork
 *	    the gate
 *	      what a mkdir of a cgroup takes: the locks of kernfs, freezer_mutex
 *
 * Nothing of the last line ever takes one of the two above it. The gate is no lock: a
 * holder of one of the locks never waits for a task that is behind the gate.
 */

#include <linux/cred.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "freezer.h"
#include "namespace.h"

/* Is @child born into another pid namespace than that of its parent? */
static bool freezer_leaves_pid_ns(struct task_struct *child)
{
	return child->nsproxy->pid_ns_for_children != task_active_pid_ns(current);
}

/*
 * The css of a root stays, while its cgroup goes with the hierarchy: so with cgroup_mutex
 * held, or under RCU, by which it is freed.
 */
static struct cgroup *freezer_fork_cgroup(struct kernel_clone_args *kargs)
{
	return kargs->cset->subsys[freezer_cgrp_id]->cgroup;
}

/* See cgroup_freezer_contains(). */
bool __cgroup_freezer_contains(struct task_struct *child,
			       struct kernel_clone_args *kargs)
{
	u64 kinds = kargs->flags & CGROUP_FREEZER_NAMESPACES;

	if (freezer_leaves_pid_ns(child))
		kinds |= CLONE_NEWPID;
	if (!kinds)
		return false;

	rcu_read_lock();
	kinds &= freezer_kinds(freezer_fork_cgroup(kargs));
	rcu_read_unlock();
	return kinds;
}

/*
 * The cgroup of the pid namespace @ns, for a child of a task in @cgrp; %NULL if it has
 * none.
 *
 * The task may have gone to a container of its own since it has unshared @ns. So the
 * cgroup is looked for below the one in which the task would be without containers. A
 * task that somebody else has moved since is where that one wants it, with its children.
 */
static struct cgroup *freezer_find_container(struct cgroup *cgrp,
					     struct pid_namespace *ns)
{
	struct freezer_container *container;
	struct cgroup_subsys_state *css;

	lockdep_assert_held(&cgroup_mutex);

	while ((container = freezer_container(cgrp)) && container->made)
		cgrp = cgroup_parent(cgrp);

	css_for_each_descendant_pre(css, &cgrp->self) {
		container = freezer_container(css->cgroup);
		if (container && container->pid_ns == ns &&
		    !cgroup_is_dead(css->cgroup))
			return css->cgroup;
	}
	return NULL;
}

/*
 * A child is about to come into a cgroup that its parent is not in. That is a move for
 * the checkpoint guard, which has to be refused, or is waited for, see
 * freezer_can_attach(). The parent is outside, so no door keeps it from the fork. A
 * cgroup that is made for the child is empty until then, and at rest for somebody who
 * finds it.
 */
static int freezer_begin_arrival(struct cgroup *cgrp)
{
	int ret = 0;

	spin_lock_irq(&css_set_lock);
	if (freezer_is_guarded(&cgrp->container_freezer))
		ret = -EAGAIN;
	else
		freezer_migrations++;
	spin_unlock_irq(&css_set_lock);

	return ret;
}

static void freezer_end_arrival(void)
{
	spin_lock_irq(&css_set_lock);
	freezer_migrations++;
	spin_unlock_irq(&css_set_lock);
}

/**
 * cgroup_freezer_contain - the cgroup for a new task that is in a new container
 * @child: the task, which nobody else can see yet
 * @kargs: of its clone, with the css_set that it would have otherwise;
 *	   @kargs->container is the cgroup if it was made for @child
 *
 * Context: cgroup_mutex held, %current is behind the gate of fork; may sleep. On each
 * way out of the fork __cgroup_freezer_end_contain() has to be called.
 * Return: the cgroup, %NULL if the css_set has the right one already, or an error
 * pointer.
 */
struct cgroup *cgroup_freezer_contain(struct task_struct *child,
				      struct kernel_clone_args *kargs)
{
	struct cgroup *cgrp, *old = freezer_fork_cgroup(kargs), *parent = old;
	struct pid_namespace *ns = child->nsproxy->pid_ns_for_children;
	bool leaves = freezer_leaves_pid_ns(child);
	u64 kinds = freezer_kinds(old);
	u64 new = kargs->flags & kinds;
	int ret;

	lockdep_assert_held(&cgroup_mutex);

	/* by clone() the namespace is new, else by unshare(), or by setns() another's */
	if (leaves && kinds & CLONE_NEWPID && !(new & CLONE_NEWPID)) {
		cgrp = freezer_find_container(old, ns);
		if (cgrp)
			parent = cgrp;
		else if (!READ_ONCE(ns->child_reaper))
			new |= CLONE_NEWPID;
	}
	if (new || parent != old) {
		ret = freezer_begin_arrival(parent);
		if (ret)
			return ERR_PTR(ret);
		kargs->arrives = true;
	}
	if (!new)
		return parent == old ? NULL : parent;

	cgrp = freezer_make_container(parent, new, child->nsproxy,
				      task_cred_xxx(child, user_ns), child->pid);
	if (IS_ERR(cgrp))
		return cgrp;

	/* not of a namespace that is another's, by setns(): that has its container */
	if (new & CLONE_NEWPID)
		freezer_container(cgrp)->pid_ns = get_pid_ns(ns);
	kargs->container = cgrp;
	return cgrp;
}

/**
 * cgroup_freezer_contained - a new task is in the cgroup that was made for it
 * @child: the task, which does not run yet
 * @kargs: of its clone
 *
 * Context: cgroup_mutex held.
 */
void cgroup_freezer_contained(struct task_struct *child,
			      struct kernel_clone_args *kargs)
{
	lockdep_assert_held(&cgroup_mutex);

	freezer_container(kargs->container)->owner = get_pid(task_tgid(child));
	kargs->container = NULL;
}

/* See cgroup_freezer_end_contain(). */
void __cgroup_freezer_end_contain(struct kernel_clone_args *kargs)
{
	lockdep_assert_held(&cgroup_mutex);

	/* the fork has failed, and nobody can have come into it */
	if (kargs->container)
		freezer_remove_container(kargs->container);
	kargs->container = NULL;

	if (kargs->arrives)
		freezer_end_arrival();
	kargs->arrives = false;
}

/* A new cgroup namespace of %current has its root where %current is now. */
static void freezer_root_namespace(struct cgroup_namespace *ns)
{
	struct css_set *old;

	spin_lock_irq(&css_set_lock);
	old = ns->root_cset;
	ns->root_cset = task_css_set(current);
	get_css_set(ns->root_cset);
	spin_unlock_irq(&css_set_lock);

	put_css_set(old);
}

/*
 * Is @container that of the process of %current? Of the one for which it was made, or
 * of the first one of its pid namespace.
 */
static bool freezer_is_owner(struct freezer_container *container)
{
	return container->owner == task_tgid(current) ||
	       (container->pid_ns == task_active_pid_ns(current) &&
		task_tgid_vnr(current) == 1);
}

/* If the children of %current are to have a new pid namespace, it is of @container. */
static void freezer_take_pid_ns(struct freezer_container *container,
				struct pid_namespace *ns)
{
	if (!container->pid_ns && ns != task_active_pid_ns(current) &&
	    !READ_ONCE(ns->child_reaper))
		container->pid_ns = get_pid_ns(ns);
}

static int freezer_unshare(u64 flags, struct nsproxy *nsproxy,
			   const struct cred *cred)
{
	struct cgroup *parent = task_css(current, freezer_cgrp_id)->cgroup;
	struct freezer_container *container = freezer_container(parent);
	struct pid_namespace *pid_ns = nsproxy->pid_ns_for_children;
	u64 kinds = flags & freezer_kinds(parent);
	struct cgroup *cgrp;
	int ret;

	if (!kinds)
		return 0;

	if (container && freezer_is_owner(container)) {
		freezer_take_pid_ns(container, pid_ns);
		if (container->pid_ns == pid_ns)
			return 0;
		/* the first task of another one has a cgroup below */
		kinds &= CLONE_NEWPID;
		if (!kinds)
			return 0;
	}
	/* %current does not enter it; an error is more useful here than in fork() */
	if (kinds == CLONE_NEWPID)
		return freezer_check_limits(parent);

	cgrp = freezer_make_container(parent, kinds & ~CLONE_NEWPID, nsproxy,
				      cred ? cred->user_ns : NULL, task_pid_nr(current));
	if (IS_ERR(cgrp))
		return PTR_ERR(cgrp);

	ret = cgroup_attach_task(cgrp, current, false);
	if (ret) {
		freezer_remove_container(cgrp);
		/* a guard: somebody waits for the freeze of our cgroup */
		return ret == -EBUSY ? cgroup_freezer_start_over() : ret;
	}

	container = freezer_container(cgrp);
	container->owner = get_pid(task_tgid(current));
	freezer_take_pid_ns(container, pid_ns);
	if (flags & CLONE_NEWCGROUP)
		freezer_root_namespace(nsproxy->cgroup_ns);
	return 0;
}

/* See cgroup_freezer_unshare(). */
int __cgroup_freezer_unshare(unsigned long flags, struct nsproxy *nsproxy,
			     const struct cred *cred)
{
	u64 kinds;
	int ret;

	rcu_read_lock();
	kinds = freezer_kinds(task_css(current, freezer_cgrp_id)->cgroup);
	rcu_read_unlock();
	if (!(flags & kinds))
		return 0;

	cgroup_lock();
	ret = freezer_begin_unshare();
	if (!ret) {
		ret = freezer_unshare(flags, nsproxy ?: current->nsproxy, cred);
		cgroup_freezer_forked();
	}
	cgroup_unlock();

	return ret;
}
