/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Container freezer: the front of cgroup v2, for cgroup core
 */
#ifndef _KERNEL_CGROUP_FREEZER_V2_H
#define _KERNEL_CGROUP_FREEZER_V2_H

#include <linux/types.h>

struct cgroup;
struct kernfs_open_file;
struct seq_file;

void cgroup_freezer_online(struct cgroup *cgrp);
void cgroup_freezer_offline(struct cgroup *cgrp);
bool cgroup_freezer_frozen(struct cgroup *cgrp);
int cgroup_freezer_stat_show(struct seq_file *seq, void *v);
int cgroup_freeze_show(struct seq_file *seq, void *v);
ssize_t cgroup_freeze_write(struct kernfs_open_file *of, char *buf,
			    size_t nbytes, loff_t off);

#endif /* _KERNEL_CGROUP_FREEZER_V2_H */
