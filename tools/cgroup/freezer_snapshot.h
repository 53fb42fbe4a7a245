/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * freezer_snapshot: what its parts share
 *
 *   freezer_snapshot.c		options, the supervisor, the order of things
 *   freezer_snapshot_group.c	the cgroup: freeze, guard, list of tasks
 *   freezer_snapshot_proc.c	the files of a process, its descriptors
 *   freezer_snapshot_regs.c	registers
 *   freezer_snapshot_core.c	memory and the core file
 *   freezer_snapshot_util.c	files, notes, the end
 *
 * All of it but the supervisor runs in a worker process.  An error that makes
 * the snapshot useless ends the worker with die(), and the supervisor tidies
 * up. A part that is missing is written down with note().
 */
#ifndef FREEZER_SNAPSHOT_H
#define FREEZER_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum exit_code {
	EXIT_DONE		= 0,
	EXIT_ERROR		= 1,
	EXIT_USAGE		= 2,
	EXIT_NOT_FROZEN		= 3,
	EXIT_GUARD_BUSY		= 4,
	EXIT_TORN		= 5,
	EXIT_STALLED		= 6,
	EXIT_NO_GUARD		= 7,
	/* 128 + n: ended by signal n */
};

enum regs_mode {
	REGS_AUTO,
	REGS_PTRACE,
	REGS_SYSCALL,
	REGS_NONE,
};

/**
 * struct options - what was asked for
 * @cgroup:	directory of the cgroup, NULL with @pids
 * @pids:	processes to take instead of a cgroup, ends with 0; or NULL
 * @name:	the snapshot
 * @partial:	its name until it is complete
 * @regs:	where registers come from
 * @stall_s:	seconds without progress after which the worker is ended
 * @regs_ms:	how long to wait for a thread to stop for its registers
 * @freeze:	freeze first, and thaw afterwards if that did it
 * @guard:	hold freezer.checkpoint
 * @smaps:	keep smaps
 * @files:	copy the content of open files
 * @all:	also memory that could be had from elsewhere or is not wanted
 * @keep:	do not remove a partial snapshot
 * @quiet:	no progress
 */
struct options {
	const char	*cgroup;
	pid_t		*pids;
	const char	*name;
	char		*partial;
	enum regs_mode	regs;
	unsigned int	stall_s;
	unsigned int	regs_ms;
	bool		freeze;
	bool		guard;
	bool		smaps;
	bool		files;
	bool		all;
	bool		keep;
	bool		quiet;
};

/**
 * struct shared - what supervisor and worker both know
 * @doing:	what the worker is at, for when it stalls
 * @froze:	the request to freeze is ours, and not yet withdrawn
 * @making:	the directory of the partial snapshot may be ours
 * @made:	it is
 * @bytes:	written so far
 * @summary:	what is said of a snapshot that is complete
 */
struct shared {
	char		doing[160];
	bool		froze;
	bool		making;
	bool		made;
	uint64_t	bytes;
	char		summary[256];
};

/* A register set, as the kernel gives it and as it goes into the core file. */
struct regset {
	unsigned int	type;
	void		*data;
	size_t		size;
};

/* More than any architecture has. */
#define MAX_REGSETS	32

/**
 * struct thread - a task
 * @tid:	its thread id
 * @flags:	PF_* of the kernel, from stat
 * @nr_sets:	how many of @sets are filled in; 0: no registers known
 * @partial:	the first of @sets holds only what /proc/<pid>/syscall tells
 * @foreign:	its registers do not fit into a core file of our word size
 * @sets:	@sets[0] is NT_PRSTATUS
 */
struct thread {
	pid_t		tid;
	unsigned long	flags;
	unsigned int	nr_sets;
	bool		partial;
	bool		foreign;
	struct regset	sets[MAX_REGSETS];
};

/**
 * struct process - a process
 * @pid:	its process id
 * @rep:	index of a thread that has not exited, to read /proc through
 * @nr_threads:	threads in the group
 * @threads:	the leader comes first
 * @comm:	its name
 */
struct process {
	pid_t		pid;
	unsigned int	rep;
	unsigned int	nr_threads;
	struct thread	*threads;
	char		comm[64];
};

struct group {
	struct process	*procs;
	unsigned int	nr_procs;
	unsigned int	nr_threads;
	unsigned int	nr_cgroups;
};

extern struct options opt;
extern struct shared *shared;

/* freezer_snapshot_util.c */

/* The directory of the snapshot, and the file of what is missing in it. */
extern int out_dir;
extern FILE *notes;
extern unsigned int nr_notes;

void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void die(enum exit_code code, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));
void note(pid_t pid, pid_t tid, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void doing(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void *xalloc(void *old, size_t num, size_t size);

/* A file of @dir, whole, with a NUL behind it: NULL and errno if it cannot. */
char *read_at(int dir, const char *file, size_t *size);
char *read_proc(pid_t pid, pid_t tid, const char *file, size_t *size);
int open_proc(pid_t pid, pid_t tid, const char *file, int flags);

/* Directories and files of the snapshot. */
int out_mkdir(int dir, const char *name);
int out_create(int dir, const char *name);
void out_write(int fd, const void *buf, size_t size, off_t offset);
void out_file(int dir, const char *name, const void *buf, size_t size);
void out_close(int fd, const char *name);

bool is_zero(const void *buf, size_t size);

/* freezer_snapshot_group.c */

void group_open(void);
void group_check_self(void);
void group_freeze(void);
bool group_thaw(void);
void group_hold(void);
const char *group_release(void);
void group_scan(struct group *group);
void group_write(void);
uint64_t group_generation(void);

/* freezer_snapshot_proc.c */

unsigned long proc_number(const char *status, const char *key, unsigned int base);
char *stat_fields(char *stat);
void proc_write(struct process *proc, int dir);

/* freezer_snapshot_regs.c */

void regs_read(struct process *proc);
void regs_free(struct process *proc);
void regs_let_go(void);
bool regs_hold(struct process *proc);
void regs_release(struct process *proc);
const char *regs_how(void);

/* freezer_snapshot_core.c */

void core_write(struct process *proc, int dir);

#endif /* FREEZER_SNAPSHOT_H */
