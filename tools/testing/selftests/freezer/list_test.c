// SPDX-License-Identifier: GPL-2.0
/*
 * The list of tasks of a FROZEN group stands still: "freeze, read the list, act
 * on it" is how batch systems and checkpoint programs work. A task that is let
 * go to die while the group is asked to freeze, by an exec of its process, by
 * the OOM killer or because of freezer.killable, keeps it from FROZEN until it
 * is gone. So does one that exits, but for no longer than 100 ms in one sleep.
 *
 *	list_test -n N ...	N freezes of each kind instead of some tens
 *
 * Clauses: C1, C9.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "freezer_lost.h"
#include "freezer_test.h"
#include "fuse_util.h"
#include "memcg_util.h"

#define NR_WORKERS	8
#define NR_THREADS	3	/* beside the leader */
#define NR_VICTIMS	8	/* of one kill */
#define FREEZES		40

/* When the list is read again, after the write of FROZEN has returned. */
#define FIRST_MS	20
#define SECOND_MS	50

/* Freezes with a fault, then there is nothing to learn. */
#define ENOUGH		5

/* For an OOM kill: the limit, and what the victim and the taker have. */
#define OOM_LIMIT	(5UL << 20)
#define OOM_SIZE	(3UL << 20)

static int nr_rounds;

/* Counters of the workers; in a file, since nothing else survives an exec. */
struct words {
	unsigned long rounds[NR_WORKERS];
	unsigned long victims;		/* that have their memory */
	unsigned long errors;
};

static struct words *words;

static const char words_file[] = "/tmp/freezer_selftest.list";
static const char core_file[] = "/tmp/freezer_selftest.core";

static struct words *map_words(void)
{
	int fd = open(words_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *p;

	if (fd < 0 || ftruncate(fd, sizeof(struct words)))
		return NULL;
	p = mmap(NULL, sizeof(struct words), PROT_READ | PROT_WRITE,
		 MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

/*
 * The threads of a process: two in a sleep that cannot be frozen in place, one in
 * a sleep that can. Few spin, so that FROZEN comes before a killed thread is gone.
 */
static void *spin_thread(void *arg)
{
	for (;;)
		sched_yield();
	return NULL;
}

static void *nap_thread(void *arg)
{
	for (;;)
		usleep(500);
	return NULL;
}

static void *pause_thread(void *arg)
{
	for (;;)
		pause();
	return NULL;
}

static int start_threads(int worker)
{
	void *(* const fn[NR_THREADS])(void *) = {
		pause_thread, nap_thread, worker ? pause_thread : spin_thread,
	};
	pthread_t thread;
	int i;

	for (i = 0; i < NR_THREADS; i++)
		if (pthread_create(&thread, NULL, fn[i], NULL))
			return -1;
	return 0;
}

static void exec_self(const char *what, int worker)
{
	char nr[16];

	snprintf(nr, sizeof(nr), "%d", worker);
	execl("/proc/self/exe", "list_test", what, nr, NULL);
	frz_inc(&words->errors);
	_exit(1);
}

struct exec {
	const char *what;
	int nr;
};

static void *exec_thread(void *arg)
{
	struct exec *exec = arg;

	exec_self(exec->what, exec->nr);
	return NULL;
}

/* Threads, and one of them, or the leader, executes us again. */
static int run_helper(const char *what, int nr)
{
	struct exec exec = { what, nr };
	pthread_t thread;

	words = map_words();
	if (!words || !strcmp(what, "--exit"))
		return !words;
	frz_inc(&words->rounds[nr]);
	if (start_threads(nr))
		return 1;
	if (!strcmp(what, "--leader"))
		exec_self(what, nr);
	if (pthread_create(&thread, NULL, exec_thread, &exec))
		return 1;
	pause_thread(NULL);
	return 0;
}

FIXTURE(list) {
	char cg[FRZ_PATH_MAX];
	char pattern[256];
};

/*
 * What a worker does: it executes itself (@exec), or it has children that end in
 * one way (@child) and with one wait status (@status).
 */
FIXTURE_VARIANT(list) {
	const char *exec;
	void (*child)(void);
	int status;
	bool vforks;
	bool kills;
	bool dumps;
	bool ooms;
};

static void exit_child(void)
{
	usleep(200);
	_exit(9);
}

static void killed_child(void)
{
	pause_thread(NULL);
}

static void core_child(void)
{
	struct rlimit lim = { RLIM_INFINITY, RLIM_INFINITY };

	if (setrlimit(RLIMIT_CORE, &lim))
		_exit(98);
	signal(SIGQUIT, SIG_DFL);
	raise(SIGQUIT);
	_exit(97);
}

static int take_memory(const char *score)
{
	char *p;

	if (frz_write(MEMCG_DIR, "cgroup.procs", "0") ||
	    frz_write("/proc/self", "oom_score_adj", score))
		return -1;
	p = mmap(NULL, OOM_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -1;
	memset(p, 1, OOM_SIZE);
	return 0;
}

static void oom_child(void)
{
	if (take_memory("1000"))
		_exit(96);
	frz_inc(&words->victims);
	pause_thread(NULL);
}

FIXTURE_VARIANT_ADD(list, exec_by_leader) { .exec = "--leader" };
FIXTURE_VARIANT_ADD(list, exec_by_thread) { .exec = "--thread" };
FIXTURE_VARIANT_ADD(list, exec_after_vfork) { .vforks = true };
FIXTURE_VARIANT_ADD(list, exits) { .child = exit_child, .status = 9 << 8 };

FIXTURE_VARIANT_ADD(list, kills) {
	.child = killed_child, .status = SIGKILL, .kills = true,
};

FIXTURE_VARIANT_ADD(list, core_dumps) {
	.child = core_child, .status = SIGQUIT, .dumps = true,
};

FIXTURE_VARIANT_ADD(list, oom_kills) {
	.child = oom_child, .status = SIGKILL, .ooms = true,
};

struct worker {
	const struct _fixture_variant_list *kind;
	int nr;
};

static pid_t start_child(const struct worker *w)
{
	pid_t pid;

	if (w->kind->vforks) {
		pid = vfork();
		if (!pid)
			exec_self("--exit", w->nr);
		return pid;
	}
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (start_threads(w->nr))
			_exit(99);
		w->kind->child();
	}
	return pid;
}

static void reap_child(const struct worker *w, pid_t pid)
{
	int status;

	/* a dump has no file if there is another one at that moment */
	if (pid < 0 || waitpid(pid, &status, 0) != pid ||
	    (status & ~WCOREFLAG) != w->kind->status)
		frz_inc(&words->errors);
}

/*
 * A kill of many takes long, and the longer it takes the more often a freeze finds
 * the victims asleep, but the killer is not done.
 */
static void kill_children(const struct worker *w)
{
	pid_t pid[NR_VICTIMS];
	int i;

	for (i = 0; i < NR_VICTIMS; i++) {
		pid[i] = start_child(w);
		if (pid[i] < 0 || setpgid(pid[i], pid[0]))
			frz_inc(&words->errors);
	}
	if (kill(-pid[0], SIGKILL))
		frz_inc(&words->errors);
	for (i = 0; i < NR_VICTIMS; i++)
		reap_child(w, pid[i]);
}

/*
 * A victim that has done nothing but sleep, and a taker which waits, while it dies,
 * for what it has.
 */
static void oom_kill_child(const struct worker *w)
{
	unsigned long victims = frz_load(&words->victims);
	pid_t victim = start_child(w), taker;
	int status;

	if (frz_wait_word(&words->victims, victims + 1, FRZ_LIMIT))
		frz_inc(&words->errors);
	taker = fork();
	if (!taker)
		_exit(take_memory("-1000") ? 1 : 0);
	reap_child(w, victim);
	if (waitpid(taker, &status, 0) != taker || status)
		frz_inc(&words->errors);
}

static int run_worker(void *arg)
{
	const struct worker *w = arg;

	words = map_words();
	if (!words)
		return 1;
	if (w->kind->exec)
		exec_self(w->kind->exec, w->nr);
	for (;;) {
		if (w->kind->kills)
			kill_children(w);
		else if (w->kind->ooms)
			oom_kill_child(w);
		else
			reap_child(w, start_child(w));
		frz_inc(&words->rounds[w->nr]);
	}
	return 0;
}

FIXTURE_SETUP(list)
{
	const char *what = "";

	FRZ_GROUP_MAKE(self->cg);
	unlink(words_file);
	words = map_words();
	ASSERT_NE(NULL, words);
	if (variant->kills)
		ASSERT_EQ(0, frz_write(self->cg, "freezer.killable", "1"));
	if (variant->dumps) {
		ASSERT_EQ(0, frz_read("/proc/sys/kernel", "core_pattern",
				      self->pattern, sizeof(self->pattern)));
		ASSERT_EQ(0, frz_write("/proc/sys/kernel", "core_pattern",
				       core_file));
	}
	if (variant->ooms)
		ASSERT_EQ(0, memcg_setup(OOM_LIMIT, &what)) {
			TH_LOG("%s", what);
		}
}

FIXTURE_TEARDOWN(list)
{
	FRZ_GROUP_END(self->cg);
	if (self->pattern[0])
		EXPECT_EQ(0, frz_write("/proc/sys/kernel", "core_pattern",
				       self->pattern));
	if (variant->ooms)
		memcg_teardown();
	unlink(words_file);
	unlink(core_file);
}

struct ids {
	int num;
	pid_t id[1024];
};

static int compare_ids(const void *a, const void *b)
{
	return *(const pid_t *)a - *(const pid_t *)b;
}

static int read_ids(const char *cg, const char *file, struct ids *ids)
{
	ids->num = frz_list(cg, file, ids->id, ARRAY_SIZE(ids->id));
	if (ids->num < 0)
		return ids->num;
	qsort(ids->id, ids->num, sizeof(ids->id[0]), compare_ids);
	return 0;
}

/* How many of @a are not in @b; the first of them into *@which. */
static int nr_missing(const struct ids *a, const struct ids *b, pid_t *which)
{
	int i, num = 0;

	for (i = 0; i < a->num; i++) {
		if (bsearch(&a->id[i], b->id, b->num, sizeof(b->id[0]),
			    compare_ids))
			continue;
		if (!num++)
			*which = a->id[i];
	}
	return num;
}

static const char * const list_files[] = { "tasks", "cgroup.procs" };

/*
 * Read the lists once more: in how many something has changed, or -errno. What has come
 * is added to @nr_come.
 */
static int lists_differ(struct __test_metadata *_metadata, const char *cg,
			const struct ids *was, int ms, int *nr_come)
{
	static struct ids is;
	int i, gone, come, num = 0;
	pid_t went = 0, came = 0;

	for (i = 0; i < 2; i++) {
		int err = read_ids(cg, list_files[i], &is);

		if (err)
			return err;
		gone = nr_missing(&was[i], &is, &went);
		come = nr_missing(&is, &was[i], &came);
		*nr_come += come;
		if (!gone && !come)
			continue;
		num++;
		TH_LOG("%d ms after FROZEN: %s had %d ids, has %d", ms,
		       list_files[i], was[i].num, is.num);
		TH_LOG("... %d are gone (%d, ...), %d have come (%d, ...)",
		       gone, went, come, came);
	}
	return num;
}

static int wait_rounds(const unsigned long *since, int num)
{
	int i, err = 0;

	for (i = 0; i < num && !err; i++)
		err = frz_wait_word(&words->rounds[i], since[i] + 1,
				    FRZ_LIMIT);
	return err;
}

/*
 *	cg	eight processes that start and end tasks in one way; one for the
 *		OOM killer, which else has more than one victim at a time
 *
 * Forty times they run for a while and FROZEN is written. The ids in "tasks"
 * and in "cgroup.procs" when the write returns are those 20 and 50 ms later,
 * and the state still reads FROZEN then (C1); all go on after the thaw. A
 * failure is a task that was still to die (C9), or to take over the id of
 * another, when FROZEN was said.
 */
TEST_F_TIMEOUT(list, stands_still, 1800)
{
	int i, differ, come, err, num = variant->ooms ? 1 : NR_WORKERS;
	struct frz_lists unjudged = {};
	int changed = 0, unfrozen = 0;
	struct worker worker[NR_WORKERS];
	unsigned long since[NR_WORKERS] = {};
	static struct ids was[2];
	unsigned int seed = 1;
	int64_t begin, ns, lost, slowest = 0;

	ASSERT_EQ(0, frz_lost_start());
	for (i = 0; i < num; i++) {
		worker[i] = (struct worker){ variant, i };
		ASSERT_PID(frz_spawn(self->cg, run_worker, &worker[i]));
	}
	ASSERT_EQ(0, wait_rounds(since, num));

	for (i = 0; i < (nr_rounds ?: FREEZES) + unjudged.nr; i++) {
		usleep(rand_r(&seed) % 5000);
		lost = frz_lost_ns();
		begin = frz_now_ns();
		err = frz_freeze(self->cg);
		ns = frz_now_ns() - begin;
		lost = frz_lost_ns() - lost;
		ASSERT_EQ(0, err) {
			TH_LOG("freeze %d: %s", i, frz_describe(self->cg));
		}
		if (ns > slowest)
			slowest = ns;
		ASSERT_EQ(0, read_ids(self->cg, list_files[0], &was[0]));
		ASSERT_EQ(0, read_ids(self->cg, list_files[1], &was[1]));
		ASSERT_LE(num, was[1].num);
		memcpy(since, words->rounds, num * sizeof(since[0]));

		come = 0;
		frz_sleep_ms(FIRST_MS);
		differ = lists_differ(_metadata, self->cg, was, FIRST_MS, &come);
		ASSERT_LE(0, differ);
		if (!differ) {
			frz_sleep_ms(SECOND_MS - FIRST_MS);
			differ = lists_differ(_metadata, self->cg, was,
					      SECOND_MS, &come);
			ASSERT_LE(0, differ);
		}
		if (differ && (come || !frz_list_is_unjudged(&unjudged, ns, lost)))
			changed++;
		unfrozen += frz_state_is(self->cg, "FROZEN") != 1;
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, wait_rounds(since, num)) {
			TH_LOG("freeze %d: they do not go on", i);
		}
		if (!nr_rounds && changed + unfrozen >= ENOUGH) {
			i++;
			break;
		}
	}
	TH_LOG("%d freezes, slowest %lld ms", i, (long long)slowest / 1000000);
	TH_LOG("another list later: %d, no longer FROZEN: %d, not judged: %d", changed,
	       unfrozen, unjudged.nr);
	EXPECT_EQ(0, changed);
	EXPECT_EQ(0, unfrozen);
	EXPECT_EQ(0, frz_load(&words->errors));
}

/*
 * A process that is on its way out, and asleep there for somebody outside of cg
 * who can let it go on while cg is FROZEN.
 */
struct leaver {
	unsigned long ready;
	unsigned long go;
	unsigned long listener;		/* a descriptor of it */
	bool filter;
	int threads;			/* beside its first one */
};

/* Have exit_group() wait until a supervisor says. */
static int filter_exit(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {
		.len = ARRAY_SIZE(code),
		.filter = code,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		       SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
}

static void *idle_thread(void *arg)
{
	frz_sleep(arg);
	return NULL;
}

static int leave(void *arg)
{
	struct leaver *l = arg;
	pthread_t thread;
	int i, fd;

	for (i = 0; i < l->threads; i++)
		if (pthread_create(&thread, NULL, idle_thread, NULL))
			return 4;

	if (l->filter) {
		fd = filter_exit();
		if (fd < 0)
			return 1;
		frz_store(&l->listener, fd);
	}
	frz_inc(&l->ready);
	if (frz_wait_word(&l->go, 1, 3 * FRZ_LIMIT))
		return 2;
	syscall(SYS_exit_group, 7);
	return 3;
}

static pid_t start_leaver(struct __test_metadata *_metadata, const char *cg,
			  struct leaver *l)
{
	pid_t pid = frz_spawn(cg, leave, l);

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, frz_wait_word(&l->ready, 1, FRZ_LIMIT));
	return pid;
}

/* It is in the list of the FROZEN group, and stays there, with all its threads. */
static void expect_stays(struct __test_metadata *_metadata, const char *cg,
			 pid_t pid, int threads)
{
	pid_t list[8] = {};

	frz_sleep_ms(SECOND_MS);
	EXPECT_STATE(cg, "FROZEN");
	EXPECT_EQ(threads, frz_list(cg, "tasks", list, ARRAY_SIZE(list)));
	EXPECT_EQ(1, frz_list(cg, "cgroup.procs", list, ARRAY_SIZE(list)));
	EXPECT_EQ(pid, list[0]);
}

/*
 * A tracer outside wants to see the end of a process (PTRACE_O_TRACEEXIT), which
 * has stopped for that. While cg is FROZEN the tracer asks for another stop, and
 * lets it go on. The process comes as far as its last door, stops there for the
 * tracer, and is let go on once more.
 */
static pid_t start_at_its_last_door(struct __test_metadata *_metadata,
				    const char *cg)
{
	struct leaver *l = frz_shared(sizeof(*l));
	int status;
	pid_t pid;

	ASSERT_NE(NULL, l);
	pid = start_leaver(_metadata, cg, l);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXIT));
	frz_store(&l->go, 1);
	ASSERT_EQ(pid, waitpid(pid, &status, __WALL));
	ASSERT_EQ(SIGTRAP | PTRACE_EVENT_EXIT << 8, status >> 8);
	ASSERT_FREEZES(cg);
	EXPECT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	EXPECT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
	EXPECT_EQ(SIGTRAP | PTRACE_EVENT_STOP << 8,
		  frz_wait_stop(pid, 0, FRZ_LIMIT) >> 8);
	EXPECT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
	expect_stays(_metadata, cg, pid, 1);
	return pid;
}

/* The process exits after the thaw, with the status that it had (C9). */
FREEZER_TEST(not_let_out_by_a_tracer)
{
	pid_t pid = start_at_its_last_door(_metadata, self->cg);

	ASSERT_THAWS(self->cg);
	EXPECT_EQ(7 << 8, frz_wait_exit(pid, FRZ_LIMIT));
}

/*
 * C9. A process that exits takes no signal any more, but a SIGKILL lets it go from
 * its last door: it waits for the thaw, or for freezer.killable. It has the status
 * with which it wanted to exit.
 */
FREEZER_TEST(killed_at_its_last_door)
{
	pid_t pid = start_at_its_last_door(_metadata, self->cg);

	ASSERT_EQ(0, kill(pid, SIGKILL));
	if (!frz_killable(self->cg)) {
		EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, FRZ_WATCH));
		ASSERT_EQ(0, frz_write(self->cg, "freezer.killable", "1"));
	}
	EXPECT_EQ(7 << 8, frz_wait_exit(pid, FRZ_LIMIT));
	EXPECT_STATE(self->cg, "FROZEN");
}

/*
 * The exit_group() of a process with three threads waits for a supervisor outside,
 * who lets it go on while cg is FROZEN. The process and its threads are still there
 * until the thaw, also where a killed thread does not wait for that.
 */
FREEZER_TEST(not_let_out_by_a_supervisor)
{
	struct seccomp_notif_resp resp = {
		.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE,
	};
	struct leaver *l = frz_shared(sizeof(*l));
	struct pollfd pfd = { .events = POLLIN };
	struct seccomp_notif notice = {};
	int pidfd;
	pid_t pid;

	ASSERT_NE(NULL, l);
	l->filter = true;
	l->threads = 2;
	frz_write(self->cg, "freezer.killable", "1");
	pid = start_leaver(_metadata, self->cg, l);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	ASSERT_LE(0, pidfd);
	pfd.fd = syscall(SYS_pidfd_getfd, pidfd, (int)l->listener, 0);
	ASSERT_LE(0, pfd.fd);
	frz_store(&l->go, 1);
	ASSERT_EQ(1, poll(&pfd, 1, FRZ_LIMIT));
	ASSERT_EQ(0, ioctl(pfd.fd, SECCOMP_IOCTL_NOTIF_RECV, &notice));
	ASSERT_FREEZES(self->cg);
	resp.id = notice.id;
	EXPECT_EQ(0, ioctl(pfd.fd, SECCOMP_IOCTL_NOTIF_SEND, &resp));
	expect_stays(_metadata, self->cg, pid, 3);
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(7 << 8, frz_wait_exit(pid, FRZ_LIMIT));
	close(pfd.fd);
	close(pidfd);
}

/* The files that a process closes when it exits, and how long each of them takes. */
#define SLOW_FILES	16
#define SLOW_FILE_MS	10

/*
 * A machine that gives its guest no CPU for a while makes one of these sleeps last for
 * longer than the time that it has, which is real time. Such a freeze says nothing.
 */
#define SLOW_SLEEP_MS	80	/* of 100 */
#define SLOW_EXIT_MS	400	/* of 500 */
#define SLOW_TRIES	40

struct slow_files {
	unsigned long open;
	unsigned long closing;		/* so many have begun to close */
	int64_t begin_ns;		/* the last of them */
	int64_t longest_ms;		/* from there to the next one */
	int fuse;
};

static void note_sleep(struct slow_files *f)
{
	int64_t ms = (frz_now_ns() - f->begin_ns) / 1000000;

	if (ms > f->longest_ms)
		f->longest_ms = ms;
}

/* Outside of the group: the server of the files. */
static int serve_slowly(void *arg)
{
	struct slow_files *f = arg;
	struct request req;

	while (!serve_file_until(f->fuse, FUSE_FLUSH, &req)) {
		if (f->begin_ns)
			note_sleep(f);
		f->begin_ns = frz_now_ns();
		frz_inc(&f->closing);
		frz_sleep_ms(SLOW_FILE_MS);
		if (serve_file(f->fuse, &req))
			break;
	}
	return 0;
}

static int exit_with_slow_files(void *arg)
{
	struct slow_files *f = arg;
	int i;

	for (i = 0; i < SLOW_FILES; i++)
		if (open(fuse_file, O_RDONLY | O_CLOEXEC) < 0)
			return 1;
	frz_store(&f->open, 1);
	return 0;
}

/* A freeze in the middle of such an exit. False: it has taken too long to be judged. */
static bool freeze_slow_exit(struct __test_metadata *_metadata, const char *cg,
			     struct slow_files *f)
{
	pid_t list[8] = {}, pid, server;
	int64_t begin, exit_ms;
	int n;

	f->fuse = mount_fuse_file();
	ASSERT_LE(0, f->fuse);
	server = fork();
	if (!server)
		_exit(serve_slowly(f));
	pid = frz_spawn(cg, exit_with_slow_files, f);
	EXPECT_LT(0, pid);
	EXPECT_EQ(0, frz_wait_word(&f->open, 1, FRZ_LIMIT));
	EXPECT_EQ(0, frz_wait_word(&f->closing, 1, FRZ_LIMIT));
	begin = frz_now_ns();
	EXPECT_EQ(0, frz_freeze(cg));
	n = frz_list(cg, "cgroup.procs", list, ARRAY_SIZE(list));
	EXPECT_EQ(0, frz_wait_exit(pid, FRZ_LIMIT));
	exit_ms = (frz_now_ns() - begin) / 1000000;
	note_sleep(f);
	EXPECT_EQ(SLOW_FILES, frz_load(&f->closing));
	unmount_fuse_file(f->fuse);
	kill(server, SIGKILL);
	EXPECT_EQ(server, waitpid(server, NULL, 0));
	EXPECT_EQ(0, frz_thaw(cg));

	if (exit_ms > SLOW_EXIT_MS || f->longest_ms > SLOW_SLEEP_MS) {
		TH_LOG("not judged: %lld ms for the exit, %lld for one sleep",
		       (long long)exit_ms, (long long)f->longest_ms);
		return false;
	}
	EXPECT_EQ(0, n) {
		TH_LOG("%d was in the list, %lld ms before the end of its exit",
		       list[0], (long long)exit_ms);
	}
	return true;
}

/*
 * C9. A process exits, and sleeps for each of its files: all together for longer than
 * the time that one sleep has. It keeps cg from FROZEN until it is gone.
 */
FREEZER_LONG_TEST(many_sleeps_on_the_way_out)
{
	struct slow_files *f = frz_shared(sizeof(*f));
	bool judged = false;
	int i;

	ASSERT_NE(NULL, f);
	for (i = 0; i < SLOW_TRIES && !judged; i++) {
		memset(f, 0, sizeof(*f));
		judged = freeze_slow_exit(_metadata, self->cg, f);
	}
	EXPECT_TRUE(judged);
}

struct moves {
	char from[FRZ_PATH_MAX];
	char to[FRZ_PATH_MAX];
	unsigned long pid;
	unsigned long moves;
	unsigned long bad;
};

/* Moves a task to and fro for ever. */
static int move_others(void *arg)
{
	struct moves *m = arg;

	for (;;) {
		if (frz_move_process(m->to, m->pid) ||
		    frz_move_process(m->from, m->pid))
			frz_inc(&m->bad);
		frz_inc(&m->moves);
	}
	return 0;
}

/*
 * A member moves a task from one cgroup of the group to another, all the time. The
 * ids in both are the same 20 ms after FROZEN. Its writes sleep for locks, and a
 * failure is a move behind such a sleep.
 *
 *	cg		the mover
 *	 |- from	} the task
 *	 `- to		}
 */
FREEZER_LONG_TEST(not_moved_by_a_member)
{
	struct moves *m = frz_shared(sizeof(*m));
	int i, k, err, changed = 0, differ;
	struct frz_lists unjudged = {};
	static struct ids was[2], is[2];
	int64_t begin, ns, lost;

	ASSERT_NE(NULL, m);
	ASSERT_EQ(0, frz_lost_start());
	ASSERT_EQ(0, frz_create(m->from, self->cg, "from"));
	ASSERT_EQ(0, frz_create(m->to, self->cg, "to"));
	m->pid = ASSERT_PID(frz_spawn(m->from, frz_sleep, NULL));
	ASSERT_PID(frz_spawn(self->cg, move_others, m));
	for (i = 0; i < (nr_rounds ?: 5 * FREEZES) + unjudged.nr; i++) {
		ASSERT_EQ(0, frz_wait_move(&m->moves, FRZ_LIMIT));
		lost = frz_lost_ns();
		begin = frz_now_ns();
		err = frz_freeze(self->cg);
		ns = frz_now_ns() - begin;
		lost = frz_lost_ns() - lost;
		ASSERT_EQ(0, err) {
			TH_LOG("freeze %d: %s", i, frz_describe(self->cg));
		}
		ASSERT_EQ(0, read_ids(m->from, "tasks", &was[0]));
		ASSERT_EQ(0, read_ids(m->to, "tasks", &was[1]));
		frz_sleep_ms(FIRST_MS);
		ASSERT_EQ(0, read_ids(m->from, "tasks", &is[0]));
		ASSERT_EQ(0, read_ids(m->to, "tasks", &is[1]));
		for (k = 0, differ = 0; k < 2; k++)
			differ |= was[k].num != is[k].num;
		if (differ && !frz_list_is_unjudged(&unjudged, ns, lost))
			changed++;
		EXPECT_STATE(self->cg, "FROZEN");
		ASSERT_THAWS(self->cg);
	}
	EXPECT_EQ(0, changed) {
		TH_LOG("%d of %d times the task was moved while FROZEN", changed, i);
	}
	EXPECT_EQ(0, frz_load(&m->bad));
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strncmp(argv[1], "--", 2))
		_exit(run_helper(argv[1], atoi(argv[2]) % NR_WORKERS));
	if (argc > 2 && !strcmp(argv[1], "-n")) {
		nr_rounds = atoi(argv[2]);
		argv[2] = argv[0];
		argc -= 2;
		argv += 2;
	}
	return test_harness_run(argc, argv);
}
