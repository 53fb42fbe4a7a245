/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the freezer tests share: cgroups of a v1 freezer hierarchy, their
 * files, and processes that live in them. Paths in cgroup v2 work as well, see
 * freezer_v2.h.
 *
 * Functions return 0 (or a count, a pid, a descriptor) on success and -errno
 * on failure; none of them prints on behalf of its caller. Every wait takes a
 * limit in milliseconds.
 */
#ifndef FREEZER_UTIL_H
#define FREEZER_UTIL_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FRZ_PATH_MAX	512

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#endif

/*
 * Find the v1 hierarchy with the freezer; mount one on a private directory if
 * there is none. Returns 0, or -ENODEV when the kernel has no such controller.
 * In the worlds "v2" and "both" (world.c) it finds cgroup v2, or both.
 */
int frz_setup(void);

/*
 * Where a file system of @type is mounted with the option @option (NULL: any): 0 and
 * @path, or -errno.
 */
int frz_find_mount(const char *type, const char *option, char path[FRZ_PATH_MAX]);

/* The path of the hierarchy's root, valid after frz_setup(). */
const char *frz_root(void);

/* Create the cgroup @parent/@name (@parent NULL: the root); path into @path. */
int frz_create(char path[FRZ_PATH_MAX], const char *parent, const char *name);

/* mkdir() and rmdir() of a cgroup, in each hierarchy of the world: 0 or -errno. */
int frz_mkdir(const char *path);
int frz_rmdir(const char *path);

/*
 * Thaw @path and everything below it, kill what is in there, wait until it is
 * gone, remove the cgroups bottom-up. Bounded; -EBUSY if something stayed.
 */
int frz_destroy(const char *path, int timeout_ms);

/* One write(2) of @text into @path/@file. */
int frz_write(const char *path, const char *file, const char *text);

/* The same on a descriptor opened with O_NONBLOCK. */
int frz_write_nonblock(const char *path, const char *file, const char *text);

/* The content of @path/@file without its last newline. */
int frz_read(const char *path, const char *file, char *buf, size_t size);

/* The value of @key in the flat-keyed @path/freezer.stat, or -errno. */
int64_t frz_stat(const char *path, const char *key);

/* 1 when freezer.state reads @state, 0 when it reads another. */
int frz_state_is(const char *path, const char *state);

/* Poll until freezer.state reads @state: 0, or -ETIMEDOUT. */
int frz_wait_state(const char *path, const char *state, int timeout_ms);

/*
 * Wait for a change of freezer.state as a user of the interface does: open
 * and read (arm) first, then make the change, then wait.
 */
int frz_arm(const char *path);
int frz_wait_event(int fd, int timeout_ms);

/* Freeze (blocking write) and thaw. */
static inline int frz_freeze(const char *path)
{
	return frz_write(path, "freezer.state", "FROZEN");
}

static inline int frz_thaw(const char *path)
{
	return frz_write(path, "freezer.state", "THAWED");
}

/*
 * Move the process (all threads) or one thread into @path; also to the limits of
 * the world, if it has some.
 */
int frz_move_process(const char *path, pid_t pid);
int frz_move_thread(const char *path, pid_t tid);

/*
 * fork() a child that is in the cgroup @path before it runs @fn(@arg); its
 * return value is the exit status. The child dies with the caller.
 */
pid_t frz_spawn(const char *path, int (*fn)(void *arg), void *arg);

/*
 * Put the caller and the thread @tid, which is in its cgroup, on one CPU: where a
 * cpuset lets the thread run may not be where the caller has been. 0, or -errno.
 */
int frz_share_cpu(pid_t tid);

/* Wait for @pid to end: its wait status, or -ETIMEDOUT. */
int frz_wait_exit(pid_t pid, int timeout_ms);

/* waitpid() for a stop, with @flags: its wait status, -ETIMEDOUT, or -errno. */
int frz_wait_stop(pid_t pid, int flags, int timeout_ms);

/* The state letter of a thread in /proc/<tid>/stat, or -errno. */
int frz_task_state(pid_t tid);

/*
 * Wait until the thread is asleep (S or D) in /proc, and has left its CPU, which comes
 * a moment after that: 0, or -ETIMEDOUT.
 */
int frz_wait_asleep(pid_t tid, int timeout_ms);

/* MAP_SHARED, zeroed, inherited by children. */
void *frz_shared(size_t size);

/* CLOCK_MONOTONIC. */
int64_t frz_now_ns(void);
void frz_sleep_ms(int ms);

/*
 * Let each CPU do what it has to do: the caller sleeps on each, twice. A sleep for a
 * fixed time says nothing of a CPU of a guest that its host has stopped meanwhile.
 */
void frz_settle(void);

/*
 * Look at @cond each millisecond until it is true, for @ms at most, and once
 * more at the end: whether it was. frz_until_busy() is for what does not last
 * that long, and for a @cond that waits by itself.
 */
#define frz_until(cond, ms)	 __frz_until(cond, ms, frz_sleep_ms(1))
#define frz_until_busy(cond, ms) __frz_until(cond, ms, sched_yield())
#define __frz_until(cond, ms, pause) ({ \
	int64_t __end = frz_now_ns() + (ms) * 1000000LL; \
	bool __late, __met; \
	\
	for (;;) { \
		__late = frz_now_ns() >= __end; \
		__met = (cond); \
		if (__met || __late) \
			break; \
		pause; \
	} \
	__met; \
})

/*
 * Words in shared memory through which a test and its children talk. They are
 * always accessed whole, and a store is seen with all that was before it.
 */
static inline unsigned long frz_load(const unsigned long *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void frz_store(unsigned long *word, unsigned long value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static inline void frz_inc(unsigned long *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
}

/* Wait until *@word is @value or more: 0, or -ETIMEDOUT. */
int frz_wait_word(const unsigned long *word, unsigned long value, int timeout_ms);

/* Wait until *@word moves on from what it is now: 0, or -ETIMEDOUT. */
int frz_wait_move(const unsigned long *word, int timeout_ms);

/* Watch *@word for @ms: by how much it moved (0: it stood still). */
unsigned long frz_moved(const unsigned long *word, int ms);

/* Write FROZEN, then poll until the state reads so: 0, -ETIMEDOUT, -errno. */
int frz_freeze_wait(const char *path, int timeout_ms);

/*
 * Beside a mover (world.c) a walk over the tasks of a cgroup may miss one that
 * is moved meanwhile in another hierarchy; it is the kernel's walk, with or
 * without our controller. So nothing moves while a list is read: a descriptor
 * to be given to frz_let_mover_go(), or -1 where there is no mover.
 */
int frz_hold_mover(void);
void frz_let_mover_go(int fd);

/* The pids in @path/@file (cgroup.procs or tasks): how many, or -errno. */
int frz_list(const char *path, const char *file, pid_t *list, int max);

/* How many lines freezer.blockers has, or -errno. */
int frz_blockers(const char *path);

/*
 * A process (outside of @path unless @inside) that writes @text into
 * @path/@file with one write(2). frz_writer_result() is what the write gave:
 * 0 or -errno, -ETIMEDOUT when it still waits, -EINTR also when it was killed.
 */
pid_t frz_writer(const char *path, const char *file, const char *text,
		 bool inside);
int frz_writer_result(pid_t pid, int timeout_ms);

/* A descriptor through a socket: 0 or -errno; the descriptor, -ETIMEDOUT or -errno. */
int frz_send_fd(int sock, int fd);
int frz_receive_fd(int sock, int timeout_ms);

/* The number after "@key:" in /proc/<tid>/status, or -errno. */
int64_t frz_proc_status(pid_t tid, const char *key);

/* Bodies for frz_spawn(): count up in user mode for ever; sleep for ever. */
int frz_spin(void *counter);
int frz_sleep(void *counter);

/*
 * A process that stays in the kernel for about @ms, runnable all the time,
 * without a look at the door: one long read of random numbers, measured
 * beforehand on the machine at hand. Only a signal ends it early.
 */
struct frz_busy {
	unsigned long calls;		/* calls begun */
	unsigned long returns;	/* calls that came back */
	unsigned long cut;		/* of these, cut short or failed */
	int ms;
	unsigned char *buf;
	size_t size;
};

struct frz_busy *frz_busy_new(int ms);
int frz_busy(void *busy);

/* Wait until the process is inside of its long call: 0, or -ETIMEDOUT. */
int frz_busy_wait(struct frz_busy *busy, int timeout_ms);

#endif /* FREEZER_UTIL_H */
