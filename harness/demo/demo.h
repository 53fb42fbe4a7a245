/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The demonstration of the cgroup freezer: what its two files share.
 *
 *   demo.c     the story: what is done to the job, and what is claimed of it, told in lines
 *   measure.c  what can be seen of a job from outside, without its help
 */
#ifndef FREEZER_DEMO_H
#define FREEZER_DEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <sys/types.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MAX_PARTS	8
#define MAX_TASKS	512

/* One part of the job, a line of the file "parts". */
struct part {
	char name[16];
	__u64 total;		/* bytes of its files when a round is done */
	char sum[65];		/* the SHA-256 that it must come to */
	int rounds;		/* that are done */
	__u64 bytes;		/* of the files of all rounds up to now */
};

/* The time that all CPUs together were busy and idle, in seconds. */
struct cpu_time {
	double busy;
	double idle;
	double own;		/* the part of "busy" that was this program */
};

enum state {
	STATE_THAWED,
	STATE_FREEZING,
	STATE_FROZEN,
	STATE_UNKNOWN,
};

/* What the kernel has counted for one task. */
struct task_sample {
	pid_t tid;
	char comm[20];
	__u64 cpu_ns;	/* user and system time */
	__u64 calls;		/* read and write calls that have ended */
	__u64 bytes;		/* bytes read and written, pipes included */
};

/* The whole job at one moment. */
struct snapshot {
	int nr;
	__u64 file_bytes;
	struct cpu_time cpu;
	struct task_sample tasks[MAX_TASKS];
};

/* What happened to the job from one snapshot to a later one. */
struct change {
	int gone;
	int born;
	__u64 cpu_ns;
	__u64 calls;
	__u64 max_calls;	/* ... of one task */
	__u64 bytes;
	__u64 file_bytes;
	char who[20];		/* the task that did most */
};

/* What the rest shows and measure.c sees; there is one. */
struct job {
	char work[256];		/* the directory of its files */
	char cgroup[256];
	struct part parts[MAX_PARTS];
	int nr_parts;
	int rounds;
	enum state state;
};

extern struct job job;

/* measure.c */
double now(void);
void sleep_until(double when);
int read_text(const char *path, char *buf, size_t size);
int write_text(const char *path, const char *text);
bool cgroup_file_exists(const char *file);
int cgroup_read(const char *file, char *buf, size_t size);
enum state read_state(void);
const char *state_name(enum state state);
void read_cpu_time(struct cpu_time *cpu);
double busy_share(const struct cpu_time *from, const struct cpu_time *to);
void measure_parts(void);
double job_fraction(void);
double part_fraction(const struct part *part);
void sample_tasks(struct snapshot *s);
void take_snapshot(struct snapshot *s);
void compare_snapshots(const struct snapshot *from, const struct snapshot *to,
		       struct change *change);

#endif /* FREEZER_DEMO_H */
