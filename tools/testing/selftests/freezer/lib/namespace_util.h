/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Containers for the tests of freezer.per_namespace: what is in new namespaces, and
 * where it is. A "host" is a process in a cgroup of the test that makes containers.
 */
#ifndef NAMESPACE_UTIL_H
#define NAMESPACE_UTIL_H

#include "freezer_util.h"

#define NS_KINDS	"freezer.per_namespace"
#define NS_MAX		"freezer.per_namespace_max"

/* How a container comes to be. */
enum ns_way { BY_CLONE, BY_CLONE3, BY_UNSHARE };

/* clone(2) with these flags, as fork(). */
pid_t ns_clone(unsigned long flags);

/* The same by clone3(), into the cgroup of v2 whose directory @fd is. */
pid_t ns_clone_into(int fd, unsigned long flags);

/* fork() into new namespaces, that of pids among them. */
pid_t ns_begin(enum ns_way way, unsigned long flags);

/* The cgroup of a task (0: ours) in our mount of the hierarchy, or "". */
void ns_cgroup(pid_t pid, char path[FRZ_PATH_MAX]);

/* The inode number of a namespace of ours, "pid", "net", ... */
unsigned long ns_inum(const char *kind);

/* How many cgroups there are below @path at all levels, or -errno. */
int ns_below(const char *path);

bool ns_is_below(const char *path, const char *parent);
bool ns_is_gone(const char *path);

/* A host with a container, as the first task of that sees it; in shared memory. */
struct ns_container {
	enum ns_way way;
	unsigned long flags;
	char path[FRZ_PATH_MAX];	/* its cgroup, at the first instruction */
	unsigned long inum;		/* of its pid namespace */
	unsigned long pid;		/* for the host */
	unsigned long count;		/* by user mode in there */
	unsigned long second;		/* a second child of the host is there ... */
	char second_path[FRZ_PATH_MAX];	/* ... and in this cgroup */
	unsigned long error;
};

struct ns_container *ns_new(enum ns_way way, unsigned long flags);

/* A host in @path with a container that counts: its pid, or -errno. */
pid_t ns_start(const char *path, struct ns_container *c);

#define ASSERT_CONTAINER(path, c) ASSERT_PID(ns_start(path, c))

/* In shared memory: containers in each other. */
struct ns_nest {
	int want;
	unsigned long level;		/* how many there are, at the end */
	unsigned long error;		/* of the clone of the next one */
};

/* A body for frz_spawn(). */
int ns_nest(void *nest);

#endif /* NAMESPACE_UTIL_H */
