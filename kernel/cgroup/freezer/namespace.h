/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Container freezer: a cgroup for each container, for cgroup core and for the files
 */
#ifndef _KERNEL_CGROUP_FREEZER_NAMESPACE_H
#define _KERNEL_CGROUP_FREEZER_NAMESPACE_H

#include <linux/cgroup-defs.h>
#include <linux/cgroup_freezer.h>
#include <linux/llist.h>
#include <linux/sched/task.h>

struct pid;
struct pid_namespace;
struct user_namespace;

/* A kind of namespace: its name in /proc/PID/ns, and its flag. */
struct freezer_kind {
	const char	*name;
	u64		flag;
};

#define FREEZER_NR_KINDS	7

/* The longest name: a kind, three numbers of up to 10, 10 and 20 digits. */
#define FREEZER_NAME_MAX	56

/**
 * struct freezer_container - a cgroup of a container, or one with settings of its own
 * @css:	of the cgroup
 * @hierarchy:	its number; the css of a root stays when the root goes, and the settings
 *		do not
 * @kinds:	the CLONE_NEW* that count as a container, if @has_kinds
 * @max:	how many cgroups of containers there may be below, if @has_max
 * @has_kinds:	its freezer.per_namespace was written
 * @has_max:	its freezer.per_namespace_max was
 * @made:	it was made for a container, and is among those counted
 * @automatic:	... and nobody has adopted it
 * @owner:	the process for which it was made, with a reference, by its id: that stays
 *		when a thread other than the leader executes a program. The first process
 *		of @pid_ns is an owner as well
 * @pid_ns:	the pid namespace of the container, held so that its inode number is
 *		not given to another one; %NULL if it has none of its own, or if it was
 *		made by clone() where "pid" does not count
 * @empty:	on freezer_empty_containers ...
 * @queued:	... if bit 0 is set, with a reference to @css
 * @name:	the name that it was given
 *
 * Under cgroup_mutex, except @empty and @queued. The settings and @automatic are also
 * read without it.
 */
struct freezer_container {
	struct cgroup_subsys_state *css;
	int			hierarchy;
	u64			kinds;
	unsigned int		max;
	bool			has_kinds;
	bool			has_max;
	bool			made;
	bool			automatic;
	struct pid		*owner;
	struct pid_namespace	*pid_ns;
	struct llist_node	empty;
	unsigned long		queued;
	char			name[FREEZER_NAME_MAX];
};

/* container.c */
extern const struct freezer_kind freezer_kind_table[FREEZER_NR_KINDS];
bool freezer_may_contain(struct cgroup *cgrp);
u64 freezer_kinds(struct cgroup *cgrp);
unsigned int freezer_containers_max(struct cgroup *cgrp);
int freezer_set_kinds(struct cgroup *cgrp, u64 kinds);
int freezer_set_containers_max(struct cgroup *cgrp, unsigned int max);
struct freezer_container *freezer_container(struct cgroup *cgrp);
int freezer_check_limits(struct cgroup *parent);
struct cgroup *freezer_make_container(struct cgroup *parent, u64 kinds,
				      struct nsproxy *nsproxy,
				      struct user_namespace *user_ns, pid_t pid);
int freezer_remove_container(struct cgroup *cgrp);

#ifdef CONFIG_CGROUP_FREEZER
bool __cgroup_freezer_contains(struct task_struct *child,
			       struct kernel_clone_args *kargs);
struct cgroup *cgroup_freezer_contain(struct task_struct *child,
				      struct kernel_clone_args *kargs);
void cgroup_freezer_contained(struct task_struct *child,
			      struct kernel_clone_args *kargs);
void __cgroup_freezer_end_contain(struct kernel_clone_args *kargs);
void __cgroup_freezer_check_empty(struct cgroup *cgrp);
void __cgroup_freezer_adopt(struct cgroup *cgrp);
void __cgroup_freezer_uncontain(struct cgroup *cgrp);

/**
 * cgroup_freezer_contains - may a new task need a cgroup that is to be made for it?
 * @child: the task, which nobody else can see yet
 * @kargs: of its clone, with the css_set that it would have otherwise
 *
 * Context: process context, in a fork.
 * Return: %true if so, for the moment.
 */
static inline bool cgroup_freezer_contains(struct task_struct *child,
					   struct kernel_clone_args *kargs)
{
	return static_branch_unlikely(&cgroup_freezer_contain_key) &&
	       __cgroup_freezer_contains(child, kargs);
}

/**
 * cgroup_freezer_end_contain - a fork for which cgroup_freezer_contain() was called ends
 * @kargs: of its clone
 *
 * Context: cgroup_mutex held; may sleep.
 */
static inline void cgroup_freezer_end_contain(struct kernel_clone_args *kargs)
{
	if (unlikely(kargs->container || kargs->arrives))
		__cgroup_freezer_end_contain(kargs);
}

/**
 * cgroup_freezer_check_empty - the last task of a cgroup is gone, or the last child
 * @cgrp: the cgroup; or a task has come
 *
 * Context: css_set_lock or cgroup_mutex held.
 */
static inline void cgroup_freezer_check_empty(struct cgroup *cgrp)
{
	if (static_branch_unlikely(&cgroup_freezer_contain_key))
		__cgroup_freezer_check_empty(cgrp);
}

/**
 * cgroup_freezer_adopt - somebody has put a task into a cgroup
 * @cgrp: the cgroup, which is not removed by itself any more
 *
 * Context: cgroup_mutex held.
 */
static inline void cgroup_freezer_adopt(struct cgroup *cgrp)
{
	if (static_branch_unlikely(&cgroup_freezer_contain_key))
		__cgroup_freezer_adopt(cgrp);
}

/**
 * cgroup_freezer_uncontain - a cgroup is removed, by whomever
 * @cgrp: the cgroup
 *
 * Context: cgroup_mutex held.
 */
static inline void cgroup_freezer_uncontain(struct cgroup *cgrp)
{
	if (static_branch_unlikely(&cgroup_freezer_contain_key))
		__cgroup_freezer_uncontain(cgrp);
}
#else /* !CONFIG_CGROUP_FREEZER */
static inline bool cgroup_freezer_contains(struct task_struct *child,
					   struct kernel_clone_args *kargs)
{
	return false;
}

static inline struct cgroup *
cgroup_freezer_contain(struct task_struct *child, struct kernel_clone_args *kargs)
{
	return NULL;
}

static inline void cgroup_freezer_contained(struct task_struct *child,
					    struct kernel_clone_args *kargs)
{
}

static inline void cgroup_freezer_end_contain(struct kernel_clone_args *kargs)
{
}

static inline void cgroup_freezer_check_empty(struct cgroup *cgrp)
{
}

static inline void cgroup_freezer_adopt(struct cgroup *cgrp)
{
}

static inline void cgroup_freezer_uncontain(struct cgroup *cgrp)
{
}
#endif /* !CONFIG_CGROUP_FREEZER */

#endif /* _KERNEL_CGROUP_FREEZER_NAMESPACE_H */
