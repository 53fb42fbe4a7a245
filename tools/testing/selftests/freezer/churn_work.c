// SPDX-License-Identifier: GPL-2.0
/*
 * Churn: the kinds of work which are processes and threads: sleeping,
 * spinning, being born, becoming another program, dying.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "churn.h"
#include "syscalls.h"

void churn_leak(struct churn_slot *slot, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	/* While everything is being killed, a failing call proves nothing. */
	if (churn_stopped())
		return;
	if (!__atomic_fetch_add(&slot->leaks, 1, __ATOMIC_RELAXED)) {
		int len;

		va_start(ap, fmt);
		len = vsnprintf(slot->leak, sizeof(slot->leak), fmt, ap);
		va_end(ap);
		if (saved && len >= 0 && len < (int)sizeof(slot->leak))
			snprintf(slot->leak + len, sizeof(slot->leak) - len,
				 " (errno %s)", strerror(saved));
	}
}

uint32_t churn_rand(void)
{
	static __thread uint32_t x;

	if (!x)
		x = (syscall(SYS_gettid) * 2654435761u) | 1;
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

void churn_usleep(int us)
{
	struct timespec ts = { .tv_nsec = us * 1000L };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

pid_t churn_fork(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
	}
	return pid;
}

void churn_reap(struct churn_slot *me, pid_t pid, int want_status)
{
	int status = 0;
	pid_t got = waitpid(pid, &status, 0);

	if (got != pid)
		churn_leak(me, "waitpid: %d", got);
	else if (status != want_status)
		churn_leak(me, "child status 0x%x, expected 0x%x", status,
			   want_status);
}

void churn_join(struct churn_slot *slot, int where)
{
	int ret = frz_move_process(churn->path[where], getpid());

	if (ret) {
		errno = -ret;
		churn_leak(slot, "join the cgroup: %d", ret);
		_exit(1);
	}
}

void churn_use_victim(struct churn_slot *me, pid_t pid)
{
	churn_use(&me[1], me->where, pid);
}

void churn_kill_victim(struct churn_slot *me, pid_t pid)
{
	kill(pid, SIGKILL);
	/* The id may be another process's once this one is reaped. */
	__atomic_store_n(&me[1].tid, 0, __ATOMIC_SEQ_CST);
	churn_reap(me, pid, SIGKILL);
	churn_bump(me);
}

/* Seven ways to sleep for a few milliseconds; none may end early. */
void work_sleep(struct churn_slot *me)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);
	int tfd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigaddset(&none, SIGUSR2);
	sigprocmask(SIG_BLOCK, &none, NULL);

	while (!churn_stopped()) {
		int ms = 1 + churn_rand() % 4;
		struct timespec ts = { .tv_nsec = ms * 1000000L };
		struct timeval tv = { .tv_usec = ms * 1000L };
		struct itimerspec its = { .it_value = ts };
		struct epoll_event ev;
		uint64_t expired;
		uint32_t word = 0;
		int64_t start = frz_now_ns();
		const char *what;
		long ret, want = 0;
		int want_errno = 0;

		errno = 0;
		switch (churn_rand() % 7) {
		case 0:
			what = "nanosleep";
			ret = nanosleep(&ts, NULL);
			break;
		case 1:
			what = "poll";
			ret = poll(NULL, 0, ms);
			break;
		case 2:
			what = "epoll_wait";
			ret = epoll_wait(ep, &ev, 1, ms);
			break;
		case 3:
			what = "select";
			ret = select(0, NULL, NULL, NULL, &tv);
			break;
		case 4:
			what = "futex wait";
			ret = syscall(SYS_futex, &word, FUTEX_WAIT, 0, &ts);
			want = -1;
			want_errno = ETIMEDOUT;
			break;
		case 5:
			what = "sigtimedwait";
			ret = sigtimedwait(&none, NULL, &ts);
			want = -1;
			want_errno = EAGAIN;
			break;
		default:
			what = "timerfd read";
			timerfd_settime(tfd, 0, &its, NULL);
			ret = read(tfd, &expired, sizeof(expired));
			want = sizeof(expired);
			break;
		}
		if (ret != want || errno != want_errno)
			churn_leak(me, "%s: %ld, expected %ld", what, ret,
				   want);
		errno = 0;
		if (frz_now_ns() - start < ms * 1000000LL)
			churn_leak(me, "%s: slept less than %d ms", what, ms);
		churn_bump(me);
	}
}

/* User mode only, or a storm of short system calls. */
void work_spin(struct churn_slot *me)
{
	bool calls = churn_index(me) & 1;

	while (!churn_stopped()) {
		churn_bump(me);
		if (calls)
			syscall(SYS_getppid);
	}
}

/* For the judge mode: said to be inside, and is not, from now on. */
void work_liar(struct churn_slot *me)
{
	int ret = frz_move_process(frz_root(), getpid());

	if (ret)
		churn_leak(me, "move to the root: %d", ret);
	work_spin(me);
}

/* For the judge mode: adds tasks to the cgroup at any time. */
void work_intruder(struct churn_slot *me)
{
	while (!churn_stopped()) {
		uint64_t was = me->count;
		pid_t pid = churn_fork();

		if (!pid) {
			/* until the move is over, on the slowest kernel, too */
			while (__atomic_load_n(&me->count, __ATOMIC_SEQ_CST) == was &&
			       !churn_stopped())
				churn_usleep(1000);
			churn_usleep(20000);
			_exit(0);
		}
		frz_move_process(churn->path[CHURN_TOP], pid);
		churn_bump(me);
		churn_usleep(2000);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

/* Children, grandchildren, some of them orphans. */
void work_fork(struct churn_slot *me)
{
	while (!churn_stopped()) {
		uint32_t r = churn_rand();
		pid_t pid = fork();

		if (!pid) {
			pid_t grand;

			churn_bump(me);
			if ((r & 3) == 3) {
				grand = fork();
				if (!grand) {
					churn_bump(me);
					_exit(0);
				}
				if (grand < 0)
					churn_leak(me, "fork: %d", grand);
				else if (r & 4)
					churn_reap(me, grand, 0);
			}
			_exit(0);
		}
		if (pid < 0)
			churn_leak(me, "fork: %d", pid);
		else
			churn_reap(me, pid, 0);
		churn_bump(me);
	}
}

/* Children which do not count: the parent may be moved elsewhere meanwhile. */
void work_fork_quiet(struct churn_slot *me)
{
	while (!churn_stopped()) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (pid < 0)
			churn_leak(me, "fork: %d", pid);
		else
			churn_reap(me, pid, 0);
		churn_bump(me);
	}
}

static void vfork_round(struct churn_slot *me, int child_us)
{
	struct __kernel_old_timespec ts = { .tv_nsec = child_us * 1000L };
	pid_t pid = vfork();

	if (!pid) {
		churn_bump(me);
		if (child_us)
			syscall(SYS_nanosleep, &ts, NULL);
		_exit(0);
	}
	if (pid < 0)
		churn_leak(me, "vfork: %d", pid);
	else
		churn_reap(me, pid, 0);
	churn_bump(me);
}

void work_vfork(struct churn_slot *me)
{
	while (!churn_stopped())
		vfork_round(me, churn_rand() % 2 * (churn_rand() % 1000));
}

/* A vfork parent is in D state for as long as its child lives. */
void work_dstate(struct churn_slot *me)
{
	while (!churn_stopped())
		vfork_round(me, 3000 + churn_rand() % 9000);
}

static void exec_self(const char *what, struct churn_slot *me)
{
	char fd[16], slot[16];

	snprintf(fd, sizeof(fd), "%d", churn_fd);
	snprintf(slot, sizeof(slot), "%d", (int)(me - churn->slot));
	execl("/proc/self/exe", "churn", "--exec", what, fd, slot,
	      (char *)NULL);
	churn_leak(me, "exec");
}

void work_forkexec(struct churn_slot *me)
{
	while (!churn_stopped()) {
		bool shared = churn_rand() & 1;
		pid_t pid = shared ? vfork() : fork();

		if (!pid) {
			churn_bump(me);
			exec_self("leaf", me);
			_exit(1);
		}
		if (pid < 0)
			churn_leak(me, "%s: %d", shared ? "vfork" : "fork",
				   pid);
		else
			churn_reap(me, pid, 0);
		churn_bump(me);
	}
}

static void *bump_thread(void *arg)
{
	struct churn_slot *me = arg;

	while (!churn_stopped()) {
		churn_bump(me);
		if (churn_rand() % 4)
			churn_usleep(churn_rand() % 500);
	}
	return NULL;
}

static void *exec_thread(void *arg)
{
	churn_usleep(churn_rand() % 2000);
	exec_self("texec", arg);
	return NULL;
}

static int thread_start(pthread_t *t, void *(*fn)(void *arg), void *arg)
{
	pthread_attr_t attr;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	ret = pthread_create(t, &attr, fn, arg);
	pthread_attr_destroy(&attr);
	return ret;
}

static void thread_start_or_leak(struct churn_slot *me, pthread_t *t,
				 void *(*fn)(void *arg))
{
	int ret = thread_start(t, fn, me);

	if (ret) {
		errno = ret;
		churn_leak(me, "pthread_create: %d", ret);
		_exit(1);
	}
}

/* A thread which is not the leader executes this program again, and again. */
void work_texec(struct churn_slot *me)
{
	pthread_t t;

	churn_bump(me);
	thread_start_or_leak(me, &t, bump_thread);
	thread_start_or_leak(me, &t, bump_thread);
	thread_start_or_leak(me, &t, exec_thread);
	bump_thread(me);
	_exit(0);
}

int churn_exec_main(int argc, char **argv)
{
	struct churn_slot *me;
	struct stat st;

	if (argc != 5)
		return 2;
	churn_fd = atoi(argv[3]);
	if (fstat(churn_fd, &st) || st.st_size < (off_t)sizeof(*churn))
		return 2;
	churn = mmap(NULL, sizeof(*churn), PROT_READ | PROT_WRITE, MAP_SHARED,
		     churn_fd, 0);
	if (churn == MAP_FAILED)
		return 2;
	me = &churn->slot[atoi(argv[4]) % (2 * CHURN_WORKERS_MAX)];
	churn_bump(me);
	if (!strcmp(argv[2], "texec") && !churn_stopped())
		work_texec(me);
	return 0;
}

static void *short_thread(void *arg)
{
	churn_bump(arg);
	return NULL;
}

void work_threads(struct churn_slot *me)
{
	while (!churn_stopped()) {
		pthread_t t[3];
		int i, nr = 1 + churn_rand() % 3;

		for (i = 0; i < nr; i++)
			thread_start_or_leak(me, &t[i], short_thread);
		for (i = 0; i < nr; i++)
			pthread_join(t[i], NULL);
		churn_bump(me);
	}
}

static void *partner_thread(void *arg)
{
	struct churn_slot *peer = arg;

	churn_use(peer, peer->where, syscall(SYS_gettid));
	return bump_thread(peer);
}

/* Two threads that stay, each with a slot: the mover may part them. */
void work_two_threads(struct churn_slot *me)
{
	pthread_t t;

	me[1].where = me->where;
	if (thread_start(&t, partner_thread, &me[1])) {
		churn_leak(me, "pthread_create");
		return;
	}
	while (!(__atomic_load_n(&me[1].flags, __ATOMIC_ACQUIRE) & SLOT_USED))
		churn_usleep(100);
	bump_thread(me);
}

static void *exit_group_thread(void *arg)
{
	struct churn_slot *me = arg;

	churn_bump(me);
	churn_usleep(churn_rand() % 1000);
	syscall(SYS_exit_group, 7);
	return NULL;
}

static int killed_child(struct churn_slot *me, void *(*fn)(void *arg))
{
	pthread_t t;
	pid_t pid = churn_fork();

	if (pid)
		return pid;
	thread_start_or_leak(me, &t, bump_thread);
	thread_start_or_leak(me, &t, fn);
	bump_thread(me);
	_exit(0);
}

/* Processes of three threads; one that is not the leader ends them all. */
void work_exit_group(struct churn_slot *me)
{
	while (!churn_stopped()) {
		pid_t pid = killed_child(me, exit_group_thread);

		if (pid < 0)
			churn_leak(me, "fork: %d", pid);
		else
			churn_reap(me, pid, 7 << 8);
		churn_bump(me);
	}
}

/* Processes of three threads which are killed at any moment. */
void work_kill(struct churn_slot *me)
{
	while (!churn_stopped()) {
		pid_t pid = killed_child(me, bump_thread);

		if (pid < 0) {
			churn_leak(me, "fork: %d", pid);
			continue;
		}
		churn_usleep(churn_rand() % 1000);
		kill(pid, SIGKILL);
		churn_reap(me, pid, SIGKILL);
		churn_bump(me);
	}
}

/*
 * A core file is core_name, or core_name with the pid in the place of "%p", or
 * core_name.pid (core_uses_pid).
 */
static char core_dir[256], core_name[256];
static bool core_dir_is_ours;

static int coredump_skip(const char *why)
{
	snprintf(churn->result.skip, CHURN_TEXT, "%s: %s", why,
		 strerror(errno));
	teardown_coredump();
	return 1;
}

/*
 * The core files of a worker go to a file system of its own, which nobody else sees
 * and which dies with the worker: mounted where core_pattern says, or where we are.
 * In containers they have the same names.
 */
int setup_coredump(void)
{
	char *slash, *percent;
	size_t len;

	errno = 0;
	if (frz_read("/proc/sys/kernel", "core_pattern", core_dir,
		     sizeof(core_dir)) || strchr("|@", core_dir[0]))
		return coredump_skip("core_pattern does not name a file");
	slash = strrchr(core_dir, '/');
	snprintf(core_name, sizeof(core_name), "%s",
		 slash ? slash + 1 : core_dir);
	percent = strchr(core_dir, '%');
	if (percent && (percent < slash || percent[1] != 'p' ||
			strchr(percent + 1, '%')))
		return coredump_skip("core_pattern is not as simple as core.%p");
	core_dir_is_ours = core_dir[0] != '/';
	if (core_dir_is_ours) {
		snprintf(core_dir, sizeof(core_dir), "/tmp/churn.XXXXXX");
		if (slash || !mkdtemp(core_dir))
			return coredump_skip(core_dir);
	} else {
		*slash = 0;
		len = slash - core_dir;
		if (!percent || !len ||
		    (!strncmp(frz_root(), core_dir, len) &&
		     frz_root()[len] == '/'))
			return coredump_skip("core_pattern names no place for core files");
	}
	return 0;
}

void teardown_coredump(void)
{
	if (core_dir_is_ours)
		rmdir(core_dir);
}

/* Nobody wants the core files, and there is not much room. */
static void remove_core_file(pid_t pid)
{
	const char *percent = strchr(core_name, '%');
	char name[600];

	if (percent)
		snprintf(name, sizeof(name), "%.*s%d%s",
			 (int)(percent - core_name), core_name, pid,
			 percent + 2);
	else
		snprintf(name, sizeof(name), "%s.%d", core_name, pid);
	unlink(name);
	if (!percent)
		unlink(core_name);
}

static void *abort_thread(void *arg)
{
	churn_bump(arg);
	churn_usleep(churn_rand() % 500);
	signal(SIGABRT, SIG_DFL);
	abort();
}

void work_coredump(struct churn_slot *me)
{
	struct rlimit size = { 8 << 20, 8 << 20 };

	if (setrlimit(RLIMIT_CORE, &size))
		churn_leak(me, "setrlimit of RLIMIT_CORE");
	if (unshare(CLONE_NEWNS) ||
	    mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("churn", core_dir, "tmpfs", 0, "size=32m") ||
	    chdir(core_dir))
		churn_leak(me, "a place for the core files");
	while (!churn_stopped()) {
		pid_t pid = killed_child(me, abort_thread);

		if (pid < 0)
			churn_leak(me, "fork: %d", pid);
		else
			churn_reap(me, pid, SIGABRT | WCOREFLAG);
		remove_core_file(pid);
		churn_bump(me);
	}
}
