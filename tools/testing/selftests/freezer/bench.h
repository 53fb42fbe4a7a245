/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of freezer_bench, and what they share: series of figures and the
 * way in which they are reported, and crowds of processes in the cgroups of
 * each way to freeze.
 */
#ifndef FREEZER_BENCH_H
#define FREEZER_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "freezer_util.h"

#define BENCH_ROUNDS_MAX	2000
#define BENCH_LIMIT_MS		20000

/* The ways to freeze: the v1 freezer of this kernel, cgroup.freeze, SIGSTOP. */
enum bench_method {
	BENCH_V1,
	BENCH_V2,
	BENCH_STOP,
	BENCH_NR_METHODS
};

extern const char * const bench_method_name[];

/* What a process of a crowd does. */
enum bench_kind {
	BENCH_NANOSLEEP,
	BENCH_EPOLL,
	BENCH_PIPE,
	BENCH_PAUSE,
	BENCH_MIX,	/* a quarter each of those above */
	BENCH_SPIN,
	BENCH_NR_KINDS
};

extern const char * const bench_kind_name[];

/**
 * struct bench_series - samples of one figure
 * @nr:		how many
 * @value:	the samples, sorted by bench_median()
 */
struct bench_series {
	int nr;
	double value[BENCH_ROUNDS_MAX];
};

/**
 * struct bench_group - a cgroup of each hierarchy, and the crowd in all of them
 * @v1:		its path in the hierarchy of the v1 freezer, "" if there is none
 * @v2:		its path in a cgroup2 mount, "" if there is none
 * @v1_fd:	freezer.state
 * @v2_fd:	cgroup.freeze
 * @v2_events:	cgroup.events
 * @size:	processes in it
 * @pids:	these, in a process group of their own
 */
struct bench_group {
	char v1[FRZ_PATH_MAX], v2[FRZ_PATH_MAX];
	int v1_fd, v2_fd, v2_events;
	int size;
	pid_t *pids;
};

/* A figure could not be had: says so, and makes the whole run a failure. */
void bench_fail(const char *what, int64_t seen);
extern bool bench_failed;

/* How far the program is, a line for a person. */
void bench_progress(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

void bench_add(struct bench_series *s, double value);
double bench_median(struct bench_series *s);

/* A line for a person and one for a program; nothing if @s is empty. */
void bench_report(const char *part, const char *what, const char *method,
		  int n, const char *unit, struct bench_series *s);

/* The same for a figure that is had once. */
void bench_report_one(const char *part, const char *what, const char *method,
		      int n, const char *unit, double value);

void bench_policy(int policy);

/* Are the methods there? A v1 freezer, a cgroup2 that could be mounted. */
bool bench_has(enum bench_method how);

/* Is it there, and was it asked for? */
bool bench_wanted(enum bench_method how);
bool bench_kind_wanted(enum bench_kind kind);

/* Groups, and their crowds of @n processes; @counters: what spinners count. */
int bench_group_create(struct bench_group *group, const char *name);
void bench_group_destroy(struct bench_group *group);
void bench_crowd_start(struct bench_group *group, int n, enum bench_kind kind);
void bench_crowd_end(struct bench_group *group);
pid_t bench_crowd_add(struct bench_group *group, enum bench_kind kind,
		      unsigned long *counter);
void bench_crowd_enter(struct bench_group *group);
void bench_crowd_leave(struct bench_group *group, int ready);

/* Until nobody but the caller is runnable. */
void bench_wait_quiet(void);

/* Freeze, and return when it is known; thaw. */
void bench_freeze(struct bench_group *group, enum bench_method how);
void bench_thaw(struct bench_group *group, enum bench_method how);

/* The parts. */
void bench_crowds(int min, int max, int rounds);
void bench_reading(int n, int rounds);
void bench_memory(int rounds);
void bench_hot(int n);
void bench_latency(int n, int rounds);
void bench_slices(enum bench_method how, int n, int busy, int seconds);

#endif /* FREEZER_BENCH_H */
