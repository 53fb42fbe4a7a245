// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: the cgroups of containers, of cgroup v1
 *
 * Their settings and limits, and how they come and go. namespace.c says for which tasks,
 * and when.
 *
 * When the last task and the last cgroup below are gone a work item removes the
 * cgroup, unless it has been adopted: somebody has put a task in, or given it another
 * name. From then on it is like one that was made by mkdir.
 */

#define pr_fmt(fmt) "cgroup: freezer: " fmt

#include <linux/cred.h>
#include <linux/ipc_namespace.h>
#include <linux/kernfs.h>
#include <linux/mnt_namespace.h>
#include <linux/moduleparam.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/utsname.h>
#include <net/net_namespace.h>
#include <trace/events/cgroup.h>

#include "freezer.h"
#include "namespace.h"

/* How many cgroups of containers there may be below a cgroup unless told otherwise. */
#define FREEZER_CONTAINERS_MAX	1000U

/* How often a name that somebody has taken before is replaced by another one. */
#define FREEZER_NAME_TRIES	8

/* How many empty cgroups are removed before others get cgroup_mutex. */
#define FREEZER_REMOVE_BATCH	16

/* In the order in which a file shows them; the first that is new names the cgroup. */
const struct freezer_kind freezer_kind_table[FREEZER_NR_KINDS] = {
	{ "pid",	CLONE_NEWPID },
	{ "user",	CLONE_NEWUSER },
	{ "mnt",	CLONE_NEWNS },
	{ "net",	CLONE_NEWNET },
	{ "ipc",	CLONE_NEWIPC },
	{ "uts",	CLONE_NEWUTS },
	{ "cgroup",	CLONE_NEWCGROUP },
};

/*
 * A cgroup has had a freezer.per_namespace. Never disabled again: what remains then is
 * a look at the flags of a clone.
 */
DEFINE_STATIC_KEY_FALSE(cgroup_freezer_contain_key);

/* How deep containers may be nested that have cgroups. */
static unsigned int freezer_depth_max = 8;

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "cgroup_freezer."
module_param_named(per_namespace_depth, freezer_depth_max, uint, 0644);
MODULE_PARM_DESC(per_namespace_depth,
		 "How deep containers with a cgroup of their own may be nested");

/* The cgroups that are to be looked at, since they may be empty. */
static LLIST_HEAD(freezer_empty_containers);

/* For names that were taken; under cgroup_mutex. */
static u64 freezer_name_serial;

/*
 * %NULL where there is no freezer, or not yet, or not any more. A cgroup that has
 * tasks or children that are alive has one.
 */
static struct freezer_shell *freezer_shell(struct cgroup *cgrp)
{
	struct cgroup_subsys_state *css =
		rcu_dereference_raw(cgrp->subsys[freezer_cgrp_id]);

	return css ? css_shell(css) : NULL;
}

/**
 * freezer_container - what is known of a cgroup here
 * @cgrp: the cgroup
 *
 * Context: any, as long as @cgrp cannot go away.
 * Return: that, or %NULL if it was made for no container and has no settings.
 */
struct freezer_container *freezer_container(struct cgroup *cgrp)
{
	struct freezer_shell *shell = freezer_shell(cgrp);
	struct freezer_container *container = shell ? READ_ONCE(shell->container) : NULL;

	/* acquire: pairs with the release in freezer_set_container() */
	return container && smp_load_acquire(&container->hierarchy) ==
	       cgrp->root->hierarchy_id ? container : NULL;
}

/**
 * freezer_may_contain - may there be cgroups of containers in the hierarchy of a cgroup?
 * @cgrp: the cgroup
 *
 * A new cgroup has to be neutral but for the freezer. One of cpuset has no CPUs at
 * first, one of cpu has a share of its own.
 *
 * A hierarchy that has gone with its last mount still has all tasks until its
 * controllers are back in cgroup v2. By then it must have no cgroup but its root, see
 * cgroup_destroy_root(). It begins to go with cgroup_mutex held (cgroup_kill_sb()), so
 * with cgroup_mutex held the answer stays what it is.
 *
 * Context: any, as long as @cgrp cannot go away; cgroup_mutex held if a cgroup is to be
 * made, else the answer is one for the moment.
 * Return: %true if there is no other controller that would mind, and the hierarchy is
 * not about to go.
 */
bool freezer_may_contain(struct cgroup *cgrp)
{
	u32 mask = READ_ONCE(cgrp->root->subsys_mask) & ~BIT(freezer_cgrp_id);

#ifdef CONFIG_CGROUP_SIGNAL
	mask &= ~BIT(signal_cgrp_id);
#endif
	return !mask && !cgroup_on_dfl(cgrp) &&
	       !percpu_ref_is_dying(&cgrp->root->cgrp.self.refcnt);
}

/**
 * freezer_kinds - what counts as a container in a cgroup
 * @cgrp: the cgroup
 *
 * Context: any, as long as @cgrp and the root of its hierarchy cannot go away.
 * Return: CLONE_NEW*, or 0 if nothing does.
 */
u64 freezer_kinds(struct cgroup *cgrp)
{
	if (!freezer_may_contain(cgrp))
		return 0;

	for (; cgrp; cgrp = cgroup_parent(cgrp)) {
		struct freezer_container *container = freezer_container(cgrp);

		/* acquire: pairs with the release in freezer_set_kinds() */
		if (container && smp_load_acquire(&container->has_kinds))
			return READ_ONCE(container->kinds);
	}
	return 0;
}

/**
 * freezer_containers_max - how many cgroups of containers there may be below a cgroup
 * @cgrp: the cgroup
 *
 * Context: any, as long as @cgrp cannot go away.
 * Return: the number that the cgroup has, or that the next one above has which has one.
 */
unsigned int freezer_containers_max(struct cgroup *cgrp)
{
	for (; cgrp; cgrp = cgroup_parent(cgrp)) {
		struct freezer_container *container = freezer_container(cgrp);

		/* acquire: pairs with the release in freezer_set_containers_max() */
		if (container && smp_load_acquire(&container->has_max))
			return READ_ONCE(container->max);
	}
	return FREEZER_CONTAINERS_MAX;
}

static void freezer_set_container(struct cgroup *cgrp,
				  struct freezer_container *container)
{
	struct freezer_shell *shell = freezer_shell(cgrp);

	lockdep_assert_held(&cgroup_mutex);

	container->css = &shell->css;
	/* release: a reader without cgroup_mutex finds no setting of a former hierarchy */
	smp_store_release(&container->hierarchy, cgrp->root->hierarchy_id);
	/* release: ... and finds what is in it */
	smp_store_release(&shell->container, container);
}

/*
 * A cgroup is removed
 */

/**
 * freezer_remove_container - remove the cgroup of a container
 * @cgrp: the cgroup
 *
 * Context: cgroup_mutex held; may sleep.
 * Return: 0, or -EBUSY if there is a task or a cgroup in it.
 */
int freezer_remove_container(struct cgroup *cgrp)
{
	int ret = cgroup_destroy_locked(cgrp);

	if (!ret)
		TRACE_CGROUP_PATH(rmdir, cgrp);
	return ret;
}

/* ... if it is empty, and has neither gone nor been adopted. */
static void freezer_try_to_remove(struct freezer_container *container)
{
	struct cgroup *cgrp = container->css->cgroup;
	char name[FREEZER_NAME_MAX];

	if (!container->automatic || cgroup_is_dead(cgrp))
		return;

	kernfs_name(cgrp->kn, name, sizeof(name));
	if (strcmp(name, container->name))
		WRITE_ONCE(container->automatic, false);
	else
		freezer_remove_container(cgrp);
}

/* Look at one cgroup that may be empty. %false: there is none. */
static bool freezer_remove_next(void)
{
	struct freezer_container *container;
	struct cgroup_subsys_state *css;
	struct llist_node *node;

	/* also for llist_del_first(), of which there may be one at a time */
	lockdep_assert_held(&cgroup_mutex);

	node = llist_del_first(&freezer_empty_containers);
	if (!node)
		return false;

	container = llist_entry(node, struct freezer_container, empty);
	css = container->css;
	/* from now on it may be queued again, and is looked at again then */
	clear_bit(0, &container->queued);
	smp_mb__after_atomic();	/* pairs with test_and_set_bit() */
	freezer_try_to_remove(container);
	css_put(css);
	return true;
}

static void freezer_remove_empty(struct work_struct *work)
{
	bool more = true;
	int i;

	while (more) {
		cgroup_lock();
		for (i = 0; more && i < FREEZER_REMOVE_BATCH; i++)
			more = freezer_remove_next();
		cgroup_unlock();
		cond_resched();
	}
}

static DECLARE_WORK(freezer_remove_work, freezer_remove_empty);

/* See cgroup_freezer_check_empty(). The work looks again, with cgroup_mutex held. */
void __cgroup_freezer_check_empty(struct cgroup *cgrp)
{
	struct freezer_container *container;
	bool populated;

	/* data_race: without css_set_lock it may be old, and then its change comes here */
	populated = data_race(cgroup_is_populated(cgrp));

	rcu_read_lock();
	container = freezer_container(cgrp);
	if (container && READ_ONCE(container->automatic) && !populated &&
	    css_tryget(container->css)) {
		if (test_and_set_bit(0, &container->queued)) {
			css_put(container->css);
		} else {
			llist_add(&container->empty, &freezer_empty_containers);
			schedule_work(&freezer_remove_work);
		}
	}
	rcu_read_unlock();
}

/* See cgroup_freezer_adopt(). */
void __cgroup_freezer_adopt(struct cgroup *cgrp)
{
	struct freezer_container *container = freezer_container(cgrp);

	if (container)
		WRITE_ONCE(container->automatic, false);
}

/* See cgroup_freezer_uncontain(). */
void __cgroup_freezer_uncontain(struct cgroup *cgrp)
{
	struct freezer_container *container = freezer_container(cgrp);

	lockdep_assert_held(&cgroup_mutex);

	if (!container || !container->made)
		return;

	container->made = false;
	WRITE_ONCE(container->automatic, false);
	put_pid(container->owner);
	container->owner = NULL;
	if (container->pid_ns)
		put_pid_ns(container->pid_ns);
	container->pid_ns = NULL;
	while ((cgrp = cgroup_parent(cgrp)))
		freezer_shell(cgrp)->nr_containers--;
}

/*
 * A cgroup is made
 */

static void freezer_say_limit(struct cgroup *cgrp, const char *what,
			      unsigned int max)
{
	static DEFINE_RATELIMIT_STATE(limit, HZ, 1);
	static char path[256];	/* under cgroup_mutex */

	if (!__ratelimit(&limit))
		return;
	if (cgroup_path(cgrp, path, sizeof(path)) < 0)
		strscpy(path, "a cgroup with a long path", sizeof(path));
	pr_info("%s[%d] gets no container: %s is %u in %s\n", current->comm,
		task_pid_nr(current), what, max, path);
}

/*
 * Are there as many as there may be? Those that are empty do not count. On later kernels
 * a task may leave its cgroup after its parent has reaped it. A cgroup with no other
 * tasks can be removed, but is not on the list of those that are empty.
 */
static bool freezer_is_full(struct cgroup *cgrp)
{
	struct freezer_shell *shell = freezer_shell(cgrp);
	unsigned int max = freezer_containers_max(cgrp);
	struct freezer_container *container;
	struct cgroup_subsys_state *css;

	while (shell->nr_containers >= max && freezer_remove_next())
		;
	if (shell->nr_containers < max)
		return false;

	css_for_each_descendant_pre(css, &cgrp->self) {
		container = freezer_container(css->cgroup);
		if (container)
			freezer_try_to_remove(container);
	}
	return shell->nr_containers >= max;
}

/**
 * freezer_check_limits - may there be one more cgroup of a container?
 * @parent: the cgroup that it would be below
 *
 * Context: cgroup_mutex held; may sleep.
 * Return: 0, or -ENOSPC and a line in the log, or -ENOMEM if @parent was empty and has
 * gone: mostly that of a pid namespace that has ended, into which no fork succeeds.
 */
int freezer_check_limits(struct cgroup *parent)
{
	unsigned int depth = 1, depth_max = READ_ONCE(freezer_depth_max);
	struct cgroup *cgrp;

	lockdep_assert_held(&cgroup_mutex);

	for (cgrp = parent; cgrp; cgrp = cgroup_parent(cgrp)) {
		struct freezer_container *container = freezer_container(cgrp);

		if (!container)
			continue;
		if ((container->has_kinds || container->has_max) &&
		    freezer_is_full(cgrp)) {
			freezer_say_limit(cgrp, "freezer.per_namespace_max",
					  freezer_containers_max(cgrp));
			return -ENOSPC;
		}
		depth += container->made;
	}
	if (depth > depth_max) {
		freezer_say_limit(parent, "cgroup_freezer.per_namespace_depth",
				  depth_max);
		return -ENOSPC;
	}
	/* it may have been among those that were empty */
	return cgroup_is_dead(parent) ? -ENOMEM : 0;
}

/* The first of @kinds is @name. */
static u64 freezer_first_kind(u64 kinds, const char **name)
{
	int i;

	for (i = 0; i < FREEZER_NR_KINDS; i++) {
		if (kinds & freezer_kind_table[i].flag) {
			*name = freezer_kind_table[i].name;
			return freezer_kind_table[i].flag;
		}
	}
	return 0;
}

/* The inode number of a namespace, as /proc/PID/ns shows it. */
static unsigned int freezer_inum(u64 kind, struct nsproxy *nsproxy,
				 struct user_namespace *user_ns)
{
	switch (kind) {
	case CLONE_NEWPID:
		return nsproxy->pid_ns_for_children->ns.inum;
	case CLONE_NEWUSER:
		return user_ns->ns.inum;
	case CLONE_NEWNS:
		return from_mnt_ns(nsproxy->mnt_ns)->inum;
	case CLONE_NEWNET:
		return nsproxy->net_ns->ns.inum;
	case CLONE_NEWIPC:
		return nsproxy->ipc_ns->ns.inum;
	case CLONE_NEWUTS:
		return nsproxy->uts_ns->ns.inum;
	default:
		return nsproxy->cgroup_ns->ns.inum;
	}
}

/*
 * The directory belongs to the owner of the one above, as if that owner had made it. A
 * task gets no right to its own cgroup by making a container.
 */
static struct cgroup *freezer_mkdir(struct cgroup *parent, const char *name)
{
	const struct cred *saved;
	struct cgroup *cgrp;
	struct cred *cred;

	cred = prepare_creds();
	if (!cred)
		return ERR_PTR(-ENOMEM);

	kernfs_get_owner(parent->kn, &cred->fsuid, &cred->fsgid);
	saved = override_creds(cred);
	cgrp = cgroup_mkdir_locked(parent, name, 0755);
	revert_creds(saved);
	put_cred(cred);

	return cgrp;
}

/**
 * freezer_make_container - make a cgroup for a container
 * @parent: the cgroup above it, which is alive
 * @kinds: the new namespaces, CLONE_NEW*
 * @nsproxy: these, as far as @kinds names them
 * @user_ns: the user namespace, if @kinds names it
 * @pid: of the first task, in the initial pid namespace
 *
 * A name has the inode number of a namespace that is there, and a pid, for people.
 * Somebody may have made a directory of this name, or kept one: then a number is added
 * that is never used twice.
 *
 * Context: cgroup_mutex held; may sleep.
 * Return: the cgroup, which is empty, or an error pointer.
 */
struct cgroup *freezer_make_container(struct cgroup *parent, u64 kinds,
				      struct nsproxy *nsproxy,
				      struct user_namespace *user_ns, pid_t pid)
{
	struct freezer_container *container;
	struct cgroup *cgrp, *pos;
	unsigned int inum, tries;
	const char *kind = NULL;
	int ret;

	ret = freezer_check_limits(parent);
	if (ret)
		return ERR_PTR(ret);

	container = kzalloc(sizeof(*container), GFP_KERNEL);
	if (!container)
		return ERR_PTR(-ENOMEM);

	inum = freezer_inum(freezer_first_kind(kinds, &kind), nsproxy, user_ns);
	snprintf(container->name, sizeof(container->name), "%s-%u-%d", kind, inum,
		 pid);
	cgrp = freezer_mkdir(parent, container->name);
	for (tries = 0; cgrp == ERR_PTR(-EEXIST) && tries < FREEZER_NAME_TRIES;
	     tries++) {
		snprintf(container->name, sizeof(container->name), "%s-%u-%d-%llu",
			 kind, inum, pid, ++freezer_name_serial);
		cgrp = freezer_mkdir(parent, container->name);
	}
	if (IS_ERR(cgrp)) {
		kfree(container);
		return cgrp == ERR_PTR(-EEXIST) ? ERR_PTR(-EAGAIN) : cgrp;
	}

	container->made = true;
	container->automatic = true;
	freezer_set_container(cgrp, container);
	for (pos = parent; pos; pos = cgroup_parent(pos))
		freezer_shell(pos)->nr_containers++;

	return cgrp;
}

/*
 * The settings of a cgroup
 */

/* What @cgrp has of its own, which is made if need be; %NULL if there is no memory. */
static struct freezer_container *freezer_own(struct cgroup *cgrp)
{
	struct freezer_container *container = freezer_container(cgrp);

	if (container)
		return container;

	/* of a root in a former hierarchy: nobody has looked at it since */
	container = freezer_shell(cgrp)->container;
	if (container) {
		WRITE_ONCE(container->has_kinds, false);
		WRITE_ONCE(container->has_max, false);
	} else {
		container = kzalloc(sizeof(*container), GFP_KERNEL);
	}
	if (container)
		freezer_set_container(cgrp, container);
	return container;
}

/**
 * freezer_set_kinds - say what counts as a container in a cgroup and below
 * @cgrp: the cgroup, which is alive
 * @kinds: CLONE_NEW*, or 0 for nothing
 *
 * Context: cgroup_mutex held; may sleep.
 * Return: 0 or -ENOMEM.
 */
int freezer_set_kinds(struct cgroup *cgrp, u64 kinds)
{
	struct freezer_container *container = freezer_own(cgrp);

	if (!container)
		return -ENOMEM;
	WRITE_ONCE(container->kinds, kinds);
	/* release: a reader that sees that there is a setting sees which */
	smp_store_release(&container->has_kinds, true);
	return 0;
}

/**
 * freezer_set_containers_max - say how many cgroups of containers there may be below
 * @cgrp: the cgroup, which is alive
 * @max: the number
 *
 * Context: cgroup_mutex held; may sleep.
 * Return: 0 or -ENOMEM.
 */
int freezer_set_containers_max(struct cgroup *cgrp, unsigned int max)
{
	struct freezer_container *container = freezer_own(cgrp);

	if (!container)
		return -ENOMEM;
	WRITE_ONCE(container->max, max);
	smp_store_release(&container->has_max, true);	/* as in freezer_set_kinds() */
	return 0;
}
