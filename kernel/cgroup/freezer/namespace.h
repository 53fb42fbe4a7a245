/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Container freezer: a cgroup for each container, for cgroup core and for the files
 */
#ifndef _KERNEL_CGROUP_FREEZER_NAMESPACE_H
#define _KERNEL_CGROUP_FREEZER_NAMESPACE_H

#include <linux/cgroup-defs.h>
#include <linux/cgroup_freezer.h>
#include <linux/sched/task.h>

/* A kind of namespace: its name in /proc/PID/ns, and its flag. */
struct freezer_kind {
	const char	*name;
	u64		flag;
};

#define FREEZER_NR_KINDS	7

extern const struct freezer_kind freezer_kind_table[FREEZER_NR_KINDS];
bool freezer_may_contain(struct cgroup *cgrp);
u64 freezer_kinds(struct cgroup *cgrp);
unsigned int freezer_containers_max(struct cgroup *cgrp);
int freezer_set_kinds(struct cgroup *cgrp, u64 kinds);
int freezer_set_containers_max(struct cgroup *cgrp, unsigned int max);

#ifdef CONFIG_CGROUP_FREEZER
bool __cgroup_freezer_contains(struct task_struct *child,
			       struct kernel_clone_args *kargs);
struct cgroup *cgroup_freezer_contain(struct task_struct *child,
				      struct kernel_clone_args *kargs);
void cgroup_freezer_contained(struct task_struct *child,
			      struct kernel_clone_args *kargs);
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
