// SPDX-License-Identifier: GPL-2.0
/*
 * The signal controller: what signal.kill takes, who gets the signal, who may
 * send it, and what it does to a frozen group.
 *
 * Clauses: C9, C17, C19.
 */
#include <dirent.h>
#include <grp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "checkpoint_util.h"
#include "namespace_util.h"
#include "signal_fixture.h"
#include "syscalls.h"

#ifdef __mips__
#define SIGNALS		128
#define ONE_MORE	"129"
#else
#define SIGNALS		64
#define ONE_MORE	"65"
#endif
#define NOBODY		65534
#define SOMEBODY	65533

/* All but KILL and STOP, with the two that the C library keeps for itself. */
static const uint64_t all_signals[SIGNALS / 64] = {
	[0 ... SIGNALS / 64 - 1] = ~0ULL,
};

static void block_all(void)
{
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, all_signals, NULL, SIGNALS / 8);
}

/*
 * A process that blocks every signal and takes them one by one, so that each
 * is counted, also those that come twice.
 */
struct receiver {
	unsigned long ready;
	unsigned long total;
	unsigned long count[SIGNALS + 1];
	siginfo_t last;
};

static int receive(void *arg)
{
	struct receiver *r = arg;
	siginfo_t info;
	int sig;

	block_all();
	frz_store(&r->ready, 1);
	for (;;) {
		sig = syscall(SYS_rt_sigtimedwait, all_signals, &info, NULL,
			      SIGNALS / 8);
		if (sig <= 0)
			continue;
		r->last = info;
		frz_inc(&r->count[sig]);
		frz_inc(&r->total);
	}
	return 0;
}

static pid_t new_receiver(const char *path, struct receiver *r)
{
	pid_t pid = frz_spawn(path, receive, r);
	int err = pid < 0 ? pid : frz_wait_word(&r->ready, 1, FRZ_LIMIT);

	return err ? err : pid;
}

#define ASSERT_RECEIVERS(num) ({ \
	struct receiver *__r = frz_shared((num) * sizeof(*__r)); \
	\
	ASSERT_NE(NULL, __r); \
	__r; \
})

/* How a process ended: its signal, 0 for an exit, or -errno. */
static int ended_by(pid_t pid)
{
	int status = frz_wait_exit(pid, FRZ_LIMIT);

	return status < 0 ? status : WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Write only, for the owner; not in the root. */
SIGNAL_TEST(the_file)
{
	char name[FRZ_PATH_MAX + 64];
	struct stat st;

	snprintf(name, sizeof(name), "%s/signal.kill", self->cg);
	ASSERT_EQ(0, stat(name, &st));
	EXPECT_EQ(0200, st.st_mode & 07777);
	snprintf(name, sizeof(name), "%s/signal.kill", frz_root());
	EXPECT_EQ(-1, stat(name, &st));
	EXPECT_EQ(ENOENT, errno);
}

/*
 * Whatever is not a signal is EINVAL, and nobody gets anything. (A write of no
 * bytes at all does not come to the controller.)
 */
SIGNAL_TEST(invalid)
{
	static const char * const texts[] = {
		"0", "-1", "-9", "+9", ONE_MORE, "256", "265", "4294967305",
		"18446744073709551625", "99999999999999999999999999",
		"\n", " ", "9 9", "9 TERM", "9;", "0x9", "9.0", "nine",
		"term", "SIG", "SIG9", "SIGSIGTERM", "TERMS", "SIGTERM9",
		"RTMIN", "SIGRTMIN+1", "NULL", "(null)",
	};
	struct receiver *r = ASSERT_RECEIVERS(1);
	unsigned int i;

	ASSERT_PID(new_receiver(self->cg, r));
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		EXPECT_EQ(-EINVAL, sgn_send(self->cg, texts[i])) {
			TH_LOG("wrote '%s'", texts[i]);
		}
	}
	EXPECT_EQ(0, sgn_send(self->cg, "USR1"));
	ASSERT_EQ(0, frz_wait_word(&r->total, 1, FRZ_LIMIT));
	EXPECT_EQ(1, r->count[SIGUSR1]);
	EXPECT_EQ(1, r->total);
}

/*
 * Each number but those of KILL and STOP comes to a process that waits for it,
 * once, with the siginfo of kill(2): the process and the user of the writer.
 */
SIGNAL_TEST(numbers)
{
	struct receiver *r = ASSERT_RECEIVERS(1);
	unsigned long total = 0;
	char text[16];
	int sig;

	ASSERT_PID(new_receiver(self->cg, r));
	for (sig = 1; sig <= SIGNALS; sig++) {
		if (sig == SIGKILL || sig == SIGSTOP)
			continue;
		snprintf(text, sizeof(text), sig % 2 ? "%d" : " %d\n", sig);
		ASSERT_EQ(0, sgn_send(self->cg, text));
		ASSERT_EQ(0, frz_wait_word(&r->total, ++total, FRZ_LIMIT));
		EXPECT_EQ(1, r->count[sig]) {
			TH_LOG("signal %d", sig);
		}
		EXPECT_EQ(sig, r->last.si_signo);
		EXPECT_EQ(SI_USER, r->last.si_code);
		EXPECT_EQ(getpid(), r->last.si_pid);
		EXPECT_EQ(getuid(), r->last.si_uid);
	}
	EXPECT_EQ(total, r->total);
}

static const struct {
	int sig;
	const char *name;
} names[] = {
	{ SIGHUP, "HUP" }, { SIGINT, "INT" }, { SIGQUIT, "QUIT" },
	{ SIGILL, "ILL" }, { SIGTRAP, "TRAP" }, { SIGABRT, "ABRT" },
	{ SIGBUS, "BUS" }, { SIGFPE, "FPE" }, { SIGUSR1, "USR1" },
	{ SIGSEGV, "SEGV" }, { SIGUSR2, "USR2" }, { SIGPIPE, "PIPE" },
	{ SIGALRM, "ALRM" }, { SIGTERM, "TERM" }, { SIGCHLD, "CHLD" },
	{ SIGCONT, "CONT" }, { SIGTSTP, "TSTP" }, { SIGTTIN, "TTIN" },
	{ SIGTTOU, "TTOU" }, { SIGURG, "URG" }, { SIGXCPU, "XCPU" },
	{ SIGXFSZ, "XFSZ" }, { SIGVTALRM, "VTALRM" }, { SIGPROF, "PROF" },
	{ SIGWINCH, "WINCH" }, { SIGIO, "IO" }, { SIGPWR, "PWR" },
	{ SIGSYS, "SYS" },
};

/* Names, with SIG and without; STOP, CONT and KILL do what they are for. */
SIGNAL_TEST(names)
{
	struct receiver *r = ASSERT_RECEIVERS(1);
	unsigned long total = 0, *word = ASSERT_WORDS(1);
	char text[16];
	unsigned int i;
	pid_t pid;

	ASSERT_PID(new_receiver(self->cg, r));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		ASSERT_EQ(0, sgn_send(self->cg, names[i].name));
		ASSERT_EQ(0, frz_wait_word(&r->total, ++total, FRZ_LIMIT));
		snprintf(text, sizeof(text), "SIG%s\n", names[i].name);
		ASSERT_EQ(0, sgn_send(self->cg, text));
		ASSERT_EQ(0, frz_wait_word(&r->total, ++total, FRZ_LIMIT));
		EXPECT_EQ(2, r->count[names[i].sig]) {
			TH_LOG("signal %s", names[i].name);
		}
	}
	ASSERT_EQ(0, sgn_send(self->cg, "KILL"));
	ASSERT_EQ(0, sgn_wait_empty(self->cg, FRZ_LIMIT));

	pid = ASSERT_SPINNER(self->cg, word);
	ASSERT_EQ(0, sgn_send(self->cg, "STOP"));
	ASSERT_EQ(0, wait_task_state(pid, 'T'));
	EXPECT_STANDS(word);
	ASSERT_EQ(0, sgn_send(self->cg, "SIGCONT"));
	EXPECT_RUNS(word);
	ASSERT_EQ(0, sgn_send(self->cg, "SIGKILL"));
	EXPECT_EQ(SIGKILL, ended_by(pid));
}

/* Success: there was nobody whom it did not reach. */
SIGNAL_TEST(empty)
{
	char a[FRZ_PATH_MAX];

	EXPECT_EQ(0, sgn_send(self->cg, "9"));
	ASSERT_EQ(0, frz_create(a, self->cg, "a"));
	EXPECT_EQ(0, sgn_send(self->cg, "TERM"));
	EXPECT_EQ(0, sgn_send(a, "64"));
}

/* A descriptor from before rmdir has nothing to signal. */
SIGNAL_TEST(removed)
{
	char name[FRZ_PATH_MAX + 64];
	char a[FRZ_PATH_MAX];
	int fd;

	ASSERT_EQ(0, frz_create(a, self->cg, "a"));
	snprintf(name, sizeof(name), "%s/signal.kill", a);
	fd = open(name, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, rmdir(a));
	EXPECT_EQ(-1, write(fd, "9", 1));
	EXPECT_EQ(ENODEV, errno);
	close(fd);
}

/*
 *	self->cg	receiver, the first thread of a process
 *	 |- a		receiver, its second thread
 *	 |   `- b	receiver, its third thread
 *	 `- c		receiver
 *	<root>		the first thread of another process, whose second one
 *			is in b
 *
 * Real-time signals are queued, so one that was sent twice comes twice.
 */
struct spread {
	struct receiver r;
	unsigned long tid[3];
};

static void *spread_thread(void *arg)
{
	unsigned long *tid = arg;

	frz_store(tid, gettid());
	for (;;)
		pause();
	return NULL;
}

static int spread(void *arg)
{
	struct spread *s = arg;
	pthread_t thread;
	int i;

	block_all();
	frz_store(&s->tid[0], gettid());
	for (i = 1; i < 3; i++)
		if (pthread_create(&thread, NULL, spread_thread, &s->tid[i]))
			return 1;
	return receive(&s->r);
}

static int new_spread(const char *path, struct spread *s)
{
	int err, i;
	pid_t pid;

	pid = frz_spawn(path, spread, s);
	err = pid < 0 ? pid : frz_wait_word(&s->r.ready, 1, FRZ_LIMIT);
	for (i = 0; !err && i < 3; i++)
		err = frz_wait_word(&s->tid[i], 1, FRZ_LIMIT);
	return err ? err : pid;
}

SIGNAL_TEST(once_each)
{
	struct receiver *r = ASSERT_RECEIVERS(5);
	struct spread *s = frz_shared(2 * sizeof(*s));
	char a[FRZ_PATH_MAX], b[FRZ_PATH_MAX], c[FRZ_PATH_MAX];
	pid_t outside;
	int i, k;

	ASSERT_NE(NULL, s);
	ASSERT_EQ(0, frz_create(a, self->cg, "a"));
	ASSERT_EQ(0, frz_create(b, a, "b"));
	ASSERT_EQ(0, frz_create(c, self->cg, "c"));
	ASSERT_PID(new_receiver(self->cg, &r[0]));
	ASSERT_PID(new_receiver(a, &r[1]));
	ASSERT_PID(new_receiver(b, &r[2]));
	ASSERT_PID(new_receiver(c, &r[3]));
	outside = ASSERT_PID(new_receiver(NULL, &r[4]));
	ASSERT_PID(new_spread(self->cg, &s[0]));
	ASSERT_EQ(0, frz_move_thread(a, s[0].tid[1]));
	ASSERT_EQ(0, frz_move_thread(b, s[0].tid[2]));
	ASSERT_PID(new_spread(NULL, &s[1]));
	ASSERT_EQ(0, frz_move_thread(b, s[1].tid[1]));

	for (i = 1; i <= 20; i++) {
		ASSERT_EQ(0, sgn_send(self->cg, "40"));
		for (k = 0; k < 4; k++)
			ASSERT_EQ(0, frz_wait_word(&r[k].total, i, FRZ_LIMIT));
		for (k = 0; k < 2; k++)
			ASSERT_EQ(0, frz_wait_word(&s[k].r.total, i,
						   FRZ_LIMIT));
	}
	/* Of a part of the tree: the two with a thread in b, and its own. */
	ASSERT_EQ(0, sgn_send(b, "41"));
	for (k = 0; k < 2; k++)
		ASSERT_EQ(0, frz_wait_word(&s[k].r.total, 21, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_word(&r[2].total, 21, FRZ_LIMIT));

	frz_sleep_ms(FRZ_WATCH);
	for (k = 0; k < 4; k++) {
		EXPECT_EQ(20, r[k].count[40]);
		EXPECT_EQ(k == 2, r[k].count[41]);
	}
	for (k = 0; k < 2; k++) {
		EXPECT_EQ(20, s[k].r.count[40]);
		EXPECT_EQ(1, s[k].r.count[41]);
	}
	EXPECT_EQ(0, r[4].total);

	/* A kill ends the whole process, also its threads elsewhere. */
	ASSERT_EQ(0, sgn_send(b, "9"));
	for (k = 0; k < 2; k++)
		ASSERT_EQ(SIGKILL, ended_by(s[k].tid[0]));
	EXPECT_EQ(-1, kill(s[1].tid[0], 0));
	EXPECT_EQ(0, kill(outside, SIGKILL));
}

/* The writer is a process like any other. */
static int write_own(void *arg)
{
	block_all();
	if (sgn_send(arg, "44") || sgn_send(arg, "9"))
		return 1;
	return 0;
}

SIGNAL_TEST(own_cgroup)
{
	struct receiver *r = ASSERT_RECEIVERS(1);
	pid_t pid;

	ASSERT_PID(new_receiver(self->cg, r));
	pid = ASSERT_PID(frz_spawn(self->cg, write_own, self->cg));
	EXPECT_EQ(SIGKILL, ended_by(pid));
	EXPECT_EQ(0, sgn_wait_empty(self->cg, FRZ_LIMIT));
}

/* A dead leader whose threads live on is a process with tasks, too. */
static void *late_thread(void *arg)
{
	frz_store(arg, gettid());
	for (;;)
		pause();
	return NULL;
}

static int leader_exits(void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, late_thread, arg))
		return 1;
	frz_wait_word(arg, 1, FRZ_LIMIT);
	syscall(SYS_exit, 0);
	return 0;
}

SIGNAL_TEST(dead_leader)
{
	unsigned long *tid = ASSERT_WORDS(1);
	pid_t pid = ASSERT_PID(frz_spawn(self->cg, leader_exits, tid));

	ASSERT_EQ(0, frz_wait_word(tid, 1, FRZ_LIMIT));
	ASSERT_EQ(0, wait_task_state(pid, 'Z'));
	ASSERT_EQ(0, sgn_send(self->cg, "TERM"));
	EXPECT_EQ(SIGTERM, ended_by(pid));
}

struct blocker {
	unsigned long ready;
	unsigned long go;
	unsigned long pending[3];
};

/* 1, or 2 where SIGTERM is pending for a child from its beginning. */
static void fork_and_tell(unsigned long *pending)
{
	sigset_t set;
	pid_t pid = fork();

	if (!pid) {
		sigpending(&set);
		frz_store(pending, 1 + sigismember(&set, SIGTERM));
		_exit(0);
	}
	frz_wait_exit(pid, FRZ_LIMIT);
}

static int fork_while_blocked(void *arg)
{
	struct blocker *b = arg;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	frz_store(&b->ready, 1);
	if (frz_wait_word(&b->go, 1, FRZ_LIMIT))
		return 1;
	fork_and_tell(&b->pending[0]);
	fork_and_tell(&b->pending[1]);
	if (sigwaitinfo(&set, NULL) != SIGTERM)
		return 2;
	fork_and_tell(&b->pending[2]);
	return 0;
}

/*
 * A signal that the parent has not dealt with, because it blocks it, is for its
 * children as well. C libraries block all signals in fork().
 */
SIGNAL_TEST(blocked_around_fork)
{
	struct blocker *b = frz_shared(sizeof(*b));
	pid_t pid;

	ASSERT_NE(NULL, b);
	pid = ASSERT_PID(frz_spawn(self->cg, fork_while_blocked, b));
	ASSERT_EQ(0, frz_wait_word(&b->ready, 1, FRZ_LIMIT));
	ASSERT_EQ(0, sgn_send(self->cg, "TERM"));
	frz_store(&b->go, 1);
	EXPECT_EQ(0, frz_wait_exit(pid, FRZ_LIMIT));
	EXPECT_EQ(2, b->pending[0]);
	EXPECT_EQ(2, b->pending[1]);
	EXPECT_EQ(1, b->pending[2]);
}

/* Kernel threads that can be moved in are not signalled, and do no harm. */
SIGNAL_TEST(kernel_threads)
{
	struct receiver *r = ASSERT_RECEIVERS(1);
	DIR *proc = opendir("/proc");
	struct dirent *ent;
	pid_t moved[16];
	int num = 0;

	ASSERT_NE(NULL, proc);
	while (num < 16 && (ent = readdir(proc))) {
		pid_t pid = atoi(ent->d_name);

		if (pid > 2 && frz_proc_status(pid, "PPid") == 2 &&
		    !frz_move_process(self->cg, pid))
			moved[num++] = pid;
	}
	closedir(proc);
	ASSERT_PID(new_receiver(self->cg, r));
	EXPECT_EQ(0, sgn_send(self->cg, "40"));
	EXPECT_EQ(0, frz_wait_word(&r->total, 1, FRZ_LIMIT));
	EXPECT_EQ(0, sgn_send(self->cg, "9"));
	frz_sleep_ms(FRZ_WATCH);
	ASSERT_LT(0, num);
	while (num--) {
		EXPECT_EQ(0, kill(moved[num], 0)) {
			TH_LOG("kernel thread %d is gone", moved[num]);
		}
		EXPECT_EQ(0, frz_move_process(frz_root(), moved[num]));
	}
}

/*
 * Permission. A writer changes its user, opens the file as that user, or as the
 * one that it was before, and writes.
 */
struct attempt {
	const char *path;
	const char *text;
	uid_t open_as;
	uid_t write_as;
};

static int become(uid_t uid)
{
	return setgroups(0, NULL) || setresgid(uid, uid, uid) ||
	       setresuid(uid, uid, uid) ? -errno : 0;
}

static int open_kill(const char *path)
{
	char name[FRZ_PATH_MAX + 64];
	int fd;

	snprintf(name, sizeof(name), "%s/signal.kill", path);
	fd = open(name, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int attempt(void *arg)
{
	struct attempt *a = arg;
	int fd;

	if (a->open_as) {
		/* Back to root by the saved uid, when root is to write. */
		if (setresgid(a->open_as, a->open_as, 0) ||
		    setresuid(a->open_as, a->open_as, 0))
			return 255;
		fd = open_kill(a->path);
		if (setresuid(0, 0, 0) || setresgid(0, 0, 0))
			return 255;
	} else {
		fd = open_kill(a->path);
	}
	if (fd < 0)
		return -fd;
	if (a->write_as && become(a->write_as))
		return 255;
	return write(fd, a->text, strlen(a->text)) < 0 ? errno : 0;
}

static int try_kill(const char *path, const char *text, uid_t open_as,
		    uid_t write_as)
{
	struct attempt a = {
		.path = path,
		.text = text,
		.open_as = open_as,
		.write_as = write_as,
	};
	int status = frz_wait_exit(frz_spawn(NULL, attempt, &a), FRZ_LIMIT);

	if (status < 0)
		return status;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

/* A receiver that runs as somebody. */
struct as {
	struct receiver r;
	uid_t uid;
};

static int receive_as(void *arg)
{
	struct as *as = arg;

	if (become(as->uid))
		return 255;
	return receive(&as->r);
}

static pid_t new_as(const char *path, struct as *as, uid_t uid)
{
	pid_t pid;
	int err;

	as->uid = uid;
	pid = frz_spawn(path, receive_as, as);
	err = pid < 0 ? pid : frz_wait_word(&as->r.ready, 1, FRZ_LIMIT);
	return err ? err : pid;
}

static int give(const char *path, uid_t uid)
{
	char name[FRZ_PATH_MAX + 64];

	snprintf(name, sizeof(name), "%s/signal.kill", path);
	return chown(name, uid, uid) ? -errno : 0;
}

/*
 *	self->cg	nobody's process, signal.kill belongs to nobody
 *	 `- a		nobody's process
 *	     `- b	somebody's process
 *
 * Nobody is refused as long as somebody's process is there, and not one process
 * gets anything (C17); whoever writes, it is the opener that counts.
 */
SIGNAL_TEST(all_or_nothing)
{
	struct as *as = frz_shared(3 * sizeof(*as));
	char a[FRZ_PATH_MAX], b[FRZ_PATH_MAX];
	pid_t pid[3];
	int k;

	ASSERT_NE(NULL, as);
	ASSERT_EQ(0, frz_create(a, self->cg, "a"));
	ASSERT_EQ(0, frz_create(b, a, "b"));
	ASSERT_EQ(0, give(self->cg, NOBODY));
	pid[0] = ASSERT_PID(new_as(self->cg, &as[0], NOBODY));
	pid[1] = ASSERT_PID(new_as(a, &as[1], NOBODY));
	pid[2] = ASSERT_PID(new_as(b, &as[2], SOMEBODY));

	EXPECT_EQ(-EACCES, try_kill(a, "9", NOBODY, NOBODY));
	EXPECT_EQ(-EPERM, try_kill(self->cg, "40", NOBODY, NOBODY));
	EXPECT_EQ(-EPERM, try_kill(self->cg, "9", NOBODY, NOBODY));
	EXPECT_EQ(-EPERM, try_kill(self->cg, "CONT", NOBODY, NOBODY));
	/* Root's hand does not lend it root's right. */
	EXPECT_EQ(-EPERM, try_kill(self->cg, "9", NOBODY, 0));
	EXPECT_EQ(-EPERM, try_kill(self->cg, "9", NOBODY, SOMEBODY));
	/* An invalid number stays one. */
	EXPECT_EQ(-EINVAL, try_kill(self->cg, "0", NOBODY, NOBODY));
	frz_sleep_ms(FRZ_WATCH);
	for (k = 0; k < 3; k++) {
		EXPECT_EQ(0, as[k].r.total);
		EXPECT_EQ(0, kill(pid[k], 0));
	}
	/* What root opened is root's, in nobody's hand as well. */
	EXPECT_EQ(0, try_kill(self->cg, "40", 0, NOBODY));
	for (k = 0; k < 3; k++)
		EXPECT_EQ(0, frz_wait_word(&as[k].r.count[40], 1, FRZ_LIMIT));
	EXPECT_EQ(NOBODY, as[2].r.last.si_uid);

	/* Without somebody's process nobody may. */
	ASSERT_EQ(0, kill(pid[2], SIGKILL));
	ASSERT_EQ(SIGKILL, ended_by(pid[2]));
	EXPECT_EQ(0, try_kill(self->cg, "41", NOBODY, NOBODY));
	for (k = 0; k < 2; k++)
		EXPECT_EQ(0, frz_wait_word(&as[k].r.count[41], 1, FRZ_LIMIT));
	EXPECT_EQ(0, try_kill(self->cg, "9", NOBODY, SOMEBODY));
	for (k = 0; k < 2; k++)
		EXPECT_EQ(SIGKILL, ended_by(pid[k]));
}

/*
 * A descriptor that goes through a socket: nobody opens the file, root gets it
 * and writes. That gives nobody's rights, as it does the other way round.
 */
struct passing {
	const char *path;
	int sock;
	uid_t uid;
};

static int open_and_pass(void *arg)
{
	struct passing *p = arg;
	int fd;

	if (p->uid && become(p->uid))
		return 1;
	fd = open_kill(p->path);
	return fd < 0 || frz_send_fd(p->sock, fd) ? 2 : 0;
}

static int pass_and_write(const char *path, const char *text, uid_t uid)
{
	struct passing p = { .path = path, .uid = uid };
	int sv[2], fd, err;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sv))
		return -errno;
	p.sock = sv[0];
	err = frz_wait_exit(frz_spawn(NULL, open_and_pass, &p), FRZ_LIMIT);
	fd = err ? -EIO : frz_receive_fd(sv[1], 0);
	if (fd >= 0) {
		err = write(fd, text, strlen(text)) < 0 ? -errno : 0;
		close(fd);
	}
	close(sv[0]);
	close(sv[1]);
	return fd < 0 ? fd : err;
}

SIGNAL_TEST(passed_descriptor)
{
	struct as *as = frz_shared(2 * sizeof(*as));
	pid_t pid[2];

	ASSERT_NE(NULL, as);
	ASSERT_EQ(0, give(self->cg, NOBODY));
	pid[0] = ASSERT_PID(new_as(self->cg, &as[0], NOBODY));
	pid[1] = ASSERT_PID(new_as(self->cg, &as[1], SOMEBODY));
	EXPECT_EQ(-EPERM, pass_and_write(self->cg, "40", NOBODY));
	EXPECT_EQ(-EPERM, pass_and_write(self->cg, "9", NOBODY));
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ(0, as[0].r.total);
	EXPECT_EQ(0, as[1].r.total);
	ASSERT_EQ(0, kill(pid[1], SIGKILL));
	ASSERT_EQ(SIGKILL, ended_by(pid[1]));
	EXPECT_EQ(0, pass_and_write(self->cg, "40", NOBODY));
	EXPECT_EQ(0, frz_wait_word(&as[0].r.count[40], 1, FRZ_LIMIT));
	EXPECT_EQ(0, pass_and_write(self->cg, "9", 0));
	EXPECT_EQ(SIGKILL, ended_by(pid[0]));
}

/*
 * A user namespace: who is root in there may signal the processes of that
 * namespace, whatever their user, and no others of the same user outside.
 */
#define NS_BASE		100000

struct ns {
	struct as target;
	struct receiver outside;
	unsigned long made;
	unsigned long mapped;
	unsigned long told;
	unsigned long result;
	const char *path;
};

static int ns_root(void *arg)
{
	struct ns *ns = arg;
	unsigned long done = 0;
	struct as *as = &ns->target;
	int fd;

	block_all();
	if (unshare(CLONE_NEWUSER))
		return 1;
	frz_store(&ns->made, 1);
	if (frz_wait_word(&ns->mapped, 1, FRZ_LIMIT))
		return 2;
	if (setresgid(0, 0, 0) || setresuid(0, 0, 0))
		return 3;
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(receive_as(as));
	}
	if (frz_wait_word(&as->r.ready, 1, FRZ_LIMIT))
		return 4;
	fd = open_kill(ns->path);
	if (fd < 0)
		return 5;
	for (;;) {
		if (frz_wait_word(&ns->told, done + 1, FRZ_LIMIT))
			return 6;
		frz_store(&ns->result, write(fd, "40", 2) < 0 ? errno : 0);
		frz_store(&ns->made, ++done + 1);
	}
}

static int ns_map(pid_t pid, const char *file)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/%d", pid);
	return frz_write(name, file, "0 100000 1000\n");
}

SIGNAL_TEST(user_namespace)
{
	struct ns *ns = frz_shared(sizeof(*ns));
	struct as *same = frz_shared(sizeof(*same));
	pid_t pid, outside;

	ASSERT_NE(NULL, ns);
	ASSERT_NE(NULL, same);
	ASSERT_EQ(0, give(self->cg, NS_BASE));
	ns->path = self->cg;
	ns->target.uid = 5;
	pid = ASSERT_PID(frz_spawn(self->cg, ns_root, ns));
	ASSERT_EQ(0, frz_wait_word(&ns->made, 1, FRZ_LIMIT));
	ASSERT_EQ(0, ns_map(pid, "uid_map"));
	ASSERT_EQ(0, ns_map(pid, "gid_map"));
	frz_store(&ns->mapped, 1);
	ASSERT_EQ(0, frz_wait_word(&ns->target.r.ready, 1, FRZ_LIMIT));

	/* The same user as the target, but not of the namespace. */
	outside = ASSERT_PID(new_as(self->cg, same, NS_BASE + 5));
	frz_store(&ns->told, 1);
	ASSERT_EQ(0, frz_wait_word(&ns->made, 2, FRZ_LIMIT));
	EXPECT_EQ(EPERM, ns->result);
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ(0, same->r.total);
	EXPECT_EQ(0, ns->target.r.total);

	ASSERT_EQ(0, kill(outside, SIGKILL));
	ASSERT_EQ(SIGKILL, ended_by(outside));
	frz_store(&ns->told, 2);
	EXPECT_EQ(0, frz_wait_word(&ns->target.r.count[40], 1, FRZ_LIMIT));
	EXPECT_EQ(0, ns->target.r.last.si_uid);
}

/*
 * The first process of a pid namespace is protected as it is from kill(2): it
 * survives a 9 from inside, and not one from outside.
 */
struct pidns {
	unsigned long result;
	unsigned long child;
	unsigned long alive;
	const char *path;
};

static int pidns_init(struct pidns *p)
{
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (frz_move_process(p->path, 0))
		return 1;
	pid = fork();
	if (!pid)
		_exit(pause());
	frz_store(&p->result, -sgn_send(p->path, "9"));
	frz_store(&p->child, frz_wait_exit(pid, FRZ_LIMIT));
	for (;;) {
		frz_inc(&p->alive);
		usleep(1000);
	}
}

static int pidns_parent(void *arg)
{
	struct pidns *p = arg;
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return 1;
	pid = fork();
	if (!pid)
		_exit(pidns_init(p));
	if (waitpid(pid, &status, 0) != pid)
		return 3;
	return WIFSIGNALED(status) ? 100 + WTERMSIG(status) : 4;
}

SIGNAL_TEST(pid_namespace)
{
	struct pidns *p = frz_shared(sizeof(*p));
	pid_t pid;
	int status;

	ASSERT_NE(NULL, p);
	p->path = self->cg;
	pid = ASSERT_PID(frz_spawn(NULL, pidns_parent, p));
	/* The init moves in by itself: its parent must not be hit. */
	ASSERT_EQ(0, frz_wait_word(&p->alive, 1, FRZ_LIMIT));
	EXPECT_EQ(0, p->result);
	EXPECT_EQ(SIGKILL, p->child);
	EXPECT_RUNS(&p->alive);
	ASSERT_EQ(0, sgn_send(self->cg, "9"));
	status = frz_wait_exit(pid, FRZ_LIMIT);
	ASSERT_LE(0, status);
	EXPECT_EQ(100 + SIGKILL, WEXITSTATUS(status));
}

/*
 * A frozen group (C9): the signal waits for the thaw. A kill as well where
 * freezer.killable is 0, and it takes one write for a subtree in which cgroups
 * are frozen by themselves.
 *
 *	self->cg	frozen
 *	 |- a		frozen by itself, too
 *	 |   `- b
 *	 `- c
 */
SIGNAL_TEST(frozen)
{
	unsigned long *word = ASSERT_WORDS(4);
	char cg[4][FRZ_PATH_MAX];
	struct receiver *r = ASSERT_RECEIVERS(1);
	pid_t pid[4];
	int k;

	snprintf(cg[0], sizeof(cg[0]), "%s", self->cg);
	ASSERT_EQ(0, frz_create(cg[1], cg[0], "a"));
	ASSERT_EQ(0, frz_create(cg[2], cg[1], "b"));
	ASSERT_EQ(0, frz_create(cg[3], cg[0], "c"));
	for (k = 0; k < 4; k++)
		ASSERT_EQ(0, frz_write(cg[k], "freezer.killable", "0"));
	for (k = 0; k < 4; k++)
		pid[k] = k % 2 ? ASSERT_SLEEPER(cg[k], &word[k]) :
				 ASSERT_SPINNER(cg[k], &word[k]);
	ASSERT_PID(new_receiver(cg[2], r));
	ASSERT_FREEZES(cg[1]);
	ASSERT_FREEZES(cg[0]);

	ASSERT_EQ(0, sgn_send(cg[2], "WINCH"));
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ(0, r->total);
	ASSERT_EQ(0, sgn_send(cg[0], "9"));
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_STATE(cg[0], "FROZEN");
	EXPECT_STATE(cg[1], "FROZEN");
	for (k = 0; k < 4; k++)
		EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid[k], 0));

	/* What is thawed dies; what is frozen by itself waits for its own. */
	ASSERT_EQ(0, frz_thaw(cg[0]));
	EXPECT_EQ(SIGKILL, ended_by(pid[0]));
	EXPECT_EQ(SIGKILL, ended_by(pid[3]));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid[1], FRZ_WATCH));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid[2], 0));
	ASSERT_EQ(0, frz_thaw(cg[1]));
	EXPECT_EQ(SIGKILL, ended_by(pid[1]));
	EXPECT_EQ(SIGKILL, ended_by(pid[2]));
	for (k = 0; k < 4; k++)
		EXPECT_EQ(0, sgn_wait_empty(cg[k], FRZ_LIMIT));
}

/* TERM to a frozen process with a handler: handled at the thaw, once. */
SIGNAL_TEST(frozen_handler)
{
	struct receiver *r = ASSERT_RECEIVERS(1);

	ASSERT_PID(new_receiver(self->cg, r));
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, sgn_send(self->cg, "TERM"));
	ASSERT_EQ(0, sgn_send(self->cg, "40"));
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ(0, r->total);
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&r->total, 2, FRZ_LIMIT));
	EXPECT_EQ(1, r->count[SIGTERM]);
	EXPECT_EQ(1, r->count[40]);
}

/*
 * The session of the cover letter of 2008, command by command, with THAWED for
 * RUNNING. A write of FROZEN waits now, so FROZEN is what is read first.
 */
SIGNAL_TEST(cover_letter_of_2008)
{
	static const char script[] =
		"set -e\n"
		"mkdir -p /containers/freezer\n"
		"mount -t cgroup -ofreezer,signal freezer /containers\n"
		"trap 'rmdir /containers/0; umount /containers; "
		"rmdir /containers/freezer /containers' EXIT\n"
		"mkdir /containers/0\n"
		"sleep 1000 & some_pid=$!\n"
		"echo $some_pid > /containers/0/tasks\n"
		"cat /containers/0/freezer.state\n"
		"echo FROZEN > /containers/0/freezer.state\n"
		"cat /containers/0/freezer.state\n"
		"echo THAWED > /containers/0/freezer.state\n"
		"cat /containers/0/freezer.state\n"
		"echo 9 > /containers/0/signal.kill\n"
		"wait $some_pid && true\n"
		"echo $?\n"
		"cat /containers/0/tasks\n";
	char buf[256] = "";
	size_t len;
	FILE *f;

	f = popen(script, "r");
	ASSERT_NE(NULL, f);
	len = fread(buf, 1, sizeof(buf) - 1, f);
	buf[len] = 0;
	EXPECT_EQ(0, pclose(f));
	EXPECT_STREQ("THAWED\nFROZEN\nTHAWED\n137\n", buf);
}

#define NR_NEWBORN	4

/* In shared memory: what a process and its children count. */
struct newborn {
	unsigned long count;
	unsigned long born;
	unsigned long errors;
};

/* Has children in new uts namespaces, which spin until there are newer ones. */
static int have_newborn(void *arg)
{
	pid_t alive[NR_NEWBORN] = {}, *child;
	struct newborn *n = arg;

	for (;;) {
		child = &alive[n->born % NR_NEWBORN];
		if (*child) {
			kill(*child, SIGKILL);
			waitpid(*child, NULL, 0);
		}
		*child = ns_clone(CLONE_NEWUTS);
		if (!*child) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(frz_spin(&n->count));
		}
		if (*child < 0) {
			frz_inc(&n->errors);
			*child = 0;
		}
		frz_inc(&n->born);
	}
	return 0;
}

/*
 * C9, C19: a SIGSTOP to the cgroup reaches each child that is born into a container, a
 * cgroup below that is made in the middle of the write: none goes on behind it.
 */
SIGNAL_TEST(newborn_in_a_container)
{
	struct newborn *n = frz_shared(sizeof(*n));
	int i, went_on = 0;

	ASSERT_NE(NULL, n);
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "uts"));
	ASSERT_PID(frz_spawn(self->cg, have_newborn, n));
	for (i = 0; i < 200 && went_on < 3; i++) {
		ASSERT_EQ(0, frz_wait_move(&n->born, FRZ_LIMIT));
		usleep(i % 7 * 100);
		ASSERT_EQ(0, sgn_send(self->cg, "STOP"));
		/* one that is stopped may have been on a CPU that the host has taken */
		went_on += !frz_until(!frz_moved(&n->count, 5), 200);
		ASSERT_EQ(0, sgn_send(self->cg, "CONT"));
	}
	EXPECT_EQ(0, went_on) {
		TH_LOG("in %d of %d rounds, %lu born", went_on, i, frz_load(&n->born));
	}
	EXPECT_EQ(0, frz_load(&n->errors));
}

int main(int argc, char **argv)
{
	sgn_begin();
	return test_harness_run(argc, argv);
}
