/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Container freezer: what the two rooms of the checkpoint guard share
 */
#ifndef _KERNEL_CGROUP_FREEZER_GUARD_H
#define _KERNEL_CGROUP_FREEZER_GUARD_H

#include "freezer.h"

/* quiesce.c */
unsigned int freezer_quiesce_task(struct task_struct *task, void *data);
void freezer_quiesce_in_flight(struct freezer_attempt *attempt);

/* guard.c */
int freezer_begin_checkpoint(struct cgroup_freezer *freezer, const void *holder,
			     bool wait);
void freezer_end_checkpoint(struct cgroup_freezer *freezer);
bool freezer_guard_is_torn(struct cgroup_freezer *top);

#endif /* _KERNEL_CGROUP_FREEZER_GUARD_H */
