/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Churn: freeze and thaw a busy crowd many times and count what goes wrong.
 *
 * A mode is a crowd: worker processes which do one kind of work (or a few) in
 * a fresh cgroup. The runner freezes and thaws that cgroup and judges; a
 * supervisor process watches the runner, so that a kernel which wedges one mode
 * costs one failed result line and not the whole run.
 *
 *	churn (supervisor, prints the result lines)
 *	 `- runner, one per mode		outside of the cgroup
 *	     |- worker 0 -- descendants		inside (or outside: tracers, ...)
 *	     |- worker 1 -- descendants
 *	     `- mover				outside, modes that migrate or kill
 *
 * With -c worker 0 and the others are in containers, one each, and the rest is
 * outside of these.
 *
 * Each worker owns two slots in shared memory. Each task that works for a slot
 * adds to its counter in user mode, in each round of its loop: a counter that
 * moves while the cgroup is FROZEN is an escape, one that does not move after
 * the thaw is a task that hangs.
 */
#ifndef CHURN_H
#define CHURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "freezer_check.h"
#include "freezer_util.h"

#define CHURN_WORKERS_MAX	64
#define CHURN_TEXT		160

/* TOP / MID / LOW are nested, OTHER is a sibling of TOP which stays thawed. */
enum churn_cgroup {
	CHURN_NOWHERE = -1,
	CHURN_TOP,
	CHURN_MID,
	CHURN_LOW,
	CHURN_OTHER,
	CHURN_NR_CGROUPS,
};

/* A slot without SLOT_USED is not looked at. */
#define SLOT_USED	0x1

/**
 * struct churn_slot - what one worker, or its partner, shows of itself
 * @count: number of rounds, added to in user mode
 * @word: free for the workers (futex words, one-shot flags)
 * @flags: SLOT_*
 * @moves: odd while the mover changes @where, written by the mover alone
 * @where: cgroup that the task is in, CHURN_NOWHERE: outside
 * @tid: the task that adds to @count, or the parent of those, as the runner
 *	knows it; of a victim 0 while there is none
 * @leaks: system calls which showed that there was a freeze
 * @leak: text of the first of them
 */
struct churn_slot {
	uint64_t count;
	uint32_t word;
	uint32_t flags;
	uint32_t moves;
	int32_t where;
	int32_t tid;
	uint32_t leaks;
	char leak[CHURN_TEXT];
};

/* What the runner found; the supervisor prints it. */
struct churn_result {
	int freezes;
	int late;	/* not FROZEN within a second of what the machine has had */
	int stuck;	/* of those: not FROZEN within the limit either */
	int escapes;
	int grown;	/* of those: tasks that came into the list ... */
	int gone;	/* ... and that went away from it */
	struct frz_lists unjudged;	/* freezes that do not count */
	int leaks;
	int hung;
	int errors;	/* a write, a state or a worker was not as it should be */
	int64_t slowest_ns;
	int64_t median_ns;
	bool complete;
	char skip[CHURN_TEXT];
};

/**
 * struct churn_shared - in a memory file, for supervisor, runner and workers
 * @slot: two for each worker
 * @stop: set once, at the end: workers leave their loops
 * @hold_mover: the runner asks the mover to pause ...
 * @mover_held: ... and the mover says that it does
 * @nr_workers: number of workers, each owns slot[2 * i] and slot[2 * i + 1]
 * @beat: the runner lives
 * @result: what the runner found
 * @path: the cgroups
 */
struct churn_shared {
	struct churn_slot slot[2 * CHURN_WORKERS_MAX];
	uint32_t stop;
	uint32_t hold_mover;
	uint32_t mover_held;
	int32_t nr_workers;
	uint64_t beat;
	struct churn_result result;
	char path[CHURN_NR_CGROUPS][FRZ_PATH_MAX];
};

/**
 * struct churn_kind - one kind of work
 * @fn: loops until churn_stopped(); called in the worker, which is in its
 *	cgroup already unless @outside
 * @outside: the worker itself stays outside of all cgroups
 */
struct churn_kind {
	void (*fn)(struct churn_slot *me);
	bool outside;
};

/* Workers are spread over TOP, MID and LOW. */
#define MODE_LEVELS	0x02
/* MID is what is frozen and thawed; TOP must not notice. */
#define MODE_MID	0x04
/* A mover carries tasks between TOP and OTHER. */
#define MODE_MOVES	0x08
/* The mover carries tasks between TOP, MID and LOW. */
#define MODE_WITHIN	0x10
/* With MODE_WITHIN: the mover puts tasks of TOP into short-lived children. */
#define MODE_CHILDREN	0x80
/* kind[0] is for worker 0 alone, the others share the rest. */
#define MODE_SERVER	0x20
/* Workers break the rules: the mode passes when each breach was reported. */
#define MODE_JUDGE	0x40
/* Somebody outside kills victims, also while FROZEN. */
#define MODE_KILLS	0x100
/* Each new container gets a cgroup of its own. */
#define MODE_PER_NAMESPACE 0x200
/* Who is killed and may leave is gone after this time. */
#define KILLED_MS	4000
/* A process beside the runner is at work while FROZEN. */
#define MODE_BESIDE	(MODE_MOVES | MODE_WITHIN | MODE_KILLS)

struct churn_mode {
	const char *name;
	const char *what;
	unsigned int flags;
	int workers;
	struct churn_kind kind[8];
	/* In the runner, before the workers: 0, or 1 for "skip" (text set). */
	int (*setup)(void);
	/* In the runner, before the workers are killed. */
	void (*teardown)(void);
};

struct churn_options {
	int freezes;
	int workers;	/* 0: what the mode says */
	int limit_ms;
	int how;	/* CHURN_BOTH, ... */
	bool contained;	/* each worker inside is in a container */
	int verbose;
};

enum { CHURN_BOTH, CHURN_BLOCKING, CHURN_NONBLOCK };

extern struct churn_shared *churn;
extern int churn_fd;
extern const struct churn_mode churn_modes[];
extern const int churn_nr_modes;

/* churn_run.c: the runner; does not return */
void churn_run(const struct churn_mode *mode, const struct churn_options *opt);

/* churn_check.c: what the runner looks at */
struct churn_tasks {
	int nr;
	int id[4096];
};

int churn_read_tasks(struct churn_tasks *t, const char *file, int from, int to);
bool churn_in_tasks(const struct churn_tasks *t, int id);
void churn_dump_tasks(int from, int to, bool only_unfrozen);
void churn_mover(unsigned int mode_flags);

/* churn_work.c: for the workers */
static inline bool churn_stopped(void)
{
	return __atomic_load_n(&churn->stop, __ATOMIC_RELAXED);
}

static inline void churn_bump(struct churn_slot *slot)
{
	__atomic_fetch_add(&slot->count, 1, __ATOMIC_RELAXED);
}

static inline int churn_index(const struct churn_slot *slot)
{
	return (slot - churn->slot) / 2;
}

/* churn_container.c: @tid as the runner knows it */
int churn_outer_id(int tid);
pid_t churn_fork_contained(struct churn_slot *me, int where);

static inline void churn_use(struct churn_slot *slot, int where, int tid)
{
	slot->where = where;
	slot->tid = churn_outer_id(tid);
	__atomic_or_fetch(&slot->flags, SLOT_USED, __ATOMIC_RELEASE);
}

void churn_leak(struct churn_slot *slot, const char *fmt, ...);
uint32_t churn_rand(void);
void churn_usleep(int us);
/* fork() a partner that dies with the worker; 0 in the partner */
pid_t churn_fork(void);
/* wait for @pid; says so when the wait or the status is not as expected */
void churn_reap(struct churn_slot *me, pid_t pid, int want_status);
/* put the calling process into the cgroup of this slot, give up if refused */
void churn_join(struct churn_slot *slot, int where);
/* me[1] has a victim, its parent is the worker */
void churn_use_victim(struct churn_slot *me, pid_t pid);
/* kill it and wait for it; somebody else may have killed it before */
void churn_kill_victim(struct churn_slot *me, pid_t pid);
/* the image that an exec starts: churn --exec WHAT FD SLOT */
int churn_exec_main(int argc, char **argv);

/* one function per kind of work */
void work_sleep(struct churn_slot *me);
void work_spin(struct churn_slot *me);
void work_liar(struct churn_slot *me);
void work_intruder(struct churn_slot *me);
void work_fork(struct churn_slot *me);
void work_fork_quiet(struct churn_slot *me);
void work_vfork(struct churn_slot *me);
void work_dstate(struct churn_slot *me);
void work_forkexec(struct churn_slot *me);
void work_texec(struct churn_slot *me);
void work_threads(struct churn_slot *me);
void work_two_threads(struct churn_slot *me);
void work_exit_group(struct churn_slot *me);
void work_kill(struct churn_slot *me);
void work_coredump(struct churn_slot *me);
void work_faults(struct churn_slot *me);
void work_pipes(struct churn_slot *me);
void work_sockets(struct churn_slot *me);
void work_futex(struct churn_slot *me);
void work_signals(struct churn_slot *me);
void work_signals_outside(struct churn_slot *me);
void work_timers(struct churn_slot *me);
void work_ptrace_step(struct churn_slot *me);
void work_ptrace_syscall(struct churn_slot *me);
void work_ptrace_interrupt(struct churn_slot *me);
void work_jobctl(struct churn_slot *me);
void work_fuse_server(struct churn_slot *me);
void work_fuse_client(struct churn_slot *me);
void work_uring_async(struct churn_slot *me);
void work_uring_sqpoll(struct churn_slot *me);
void work_uring_timeout(struct churn_slot *me);
void work_uring_kill(struct churn_slot *me);
void work_ptrace_kill(struct churn_slot *me);
void work_containers(struct churn_slot *me);

int setup_coredump(void);
void teardown_coredump(void);
int setup_fuse(void);
void teardown_fuse(void);
/* a new private mapping of a page of the file, or NULL */
const void *churn_map_fuse(void);
void churn_unmap_fuse(const void *map);
int setup_uring(void);

#endif /* CHURN_H */
