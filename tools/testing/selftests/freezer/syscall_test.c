// SPDX-License-Identifier: GPL-2.0
/*
 * No system call can tell that it was frozen. The tables in syscall_*.c have
 * the calls; each sleeps in a process and a cgroup of its own,
 *
 *	selftest_syscall_test
 *	 |- 0			the first case
 *	 |- 1			the second ...
 *	 `- ...
 *
 * and a phase takes all of them through the same steps side by side:
 *
 * control	asleep; what it waits for comes; the result is right.
 * thaw		asleep; frozen and thawed three times; still asleep; then as above.
 * ended	asleep; frozen; what it waits for comes, and nothing of it gets to
 *		user mode; thawed; the result is right.
 * hammer	frozen and thawed again and again from the start on, while it is on
 *		its way into the sleep, and there; still asleep; then as above.
 * limit	with a time limit, frozen and thawed before it passes: it ends at
 *		the limit, not early, not restarted.
 * late		with a time limit that passes while frozen: it ends with the thaw.
 *
 * In all of them nobody who may wait for the process sees a stop, a
 * continuation or a trap (C13), and FROZEN comes in time (C8). A case that
 * fails says what was expected and seen; the control says whether the freezer
 * is to blame. In the world v2 that is said of cgroup.freeze (U20).
 *
 * Clauses: C8, C13, U20.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../kselftest.h"
#include "syscall_table.h"

#define MAX_CASES	400
#define LONG_MS		100000	/* a limit that does not pass */
#define SHORT_MS	4000	/* one that does */
#define WITHIN_MS	1500	/* when the freeze comes */
#define RESTART_MS	1000	/* a restarted limit is later than this */
#define LIMIT_MS	20000	/* what must come, comes in this time */
#define FREEZE_MS	3000	/* and FROZEN in this */
#define HAMMER		24	/* freezes of a hammer phase */

enum phase { CONTROL, THAW, ENDED, HAMMERED, LIMIT, LATE, NR_PHASES };

static const char * const phase_names[] = {
	"control", "thaw", "ended", "hammer", "limit", "late",
};

struct verdict {
	bool changed, stuck, broken;
	char text[6][200];
	int nr;
};

static struct sc *runs;
static struct verdict verdicts[MAX_CASES];
static const struct sc_case *all[MAX_CASES];
static uint32_t *gate;
static int nr_cases;
static char group[FRZ_PATH_MAX];
static int64_t longest_ns, sum_ns;
static int nr_freezes, nr_late, nr_stops, nr_told;
static bool stuck_before;

static void fault(struct sc *s, enum phase during, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void fault(struct sc *s, enum phase during, const char *fmt, ...)
{
	struct verdict *v = &verdicts[s - runs];
	va_list ap;
	int n;

	if (during == CONTROL)
		v->broken = true;
	else
		v->changed = true;
	if (v->nr == 6)
		return;
	n = snprintf(v->text[v->nr], sizeof(v->text[0]), "%s: ",
		     phase_names[during]);
	va_start(ap, fmt);
	vsnprintf(v->text[v->nr++] + n, sizeof(v->text[0]) - n, fmt, ap);
	va_end(ap);
}

static void on_signal(int sig)
{
}

static void on_child(int sig, siginfo_t *info, void *context)
{
	if (info->si_code == CLD_STOPPED || info->si_code == CLD_CONTINUED ||
	    info->si_code == CLD_TRAPPED)
		__atomic_fetch_add(&nr_stops, 1, __ATOMIC_SEQ_CST);
}

/* Close what belongs to other cases, for who holds it keeps its peer alive. */
static void close_others(const struct sc *s)
{
	int next = 3, fd, i;

	for (;;) {
		fd = INT_MAX;
		for (i = 0; i < SC_FDS; i++) {
			if (s->fd[i] >= next && s->fd[i] < fd)
				fd = s->fd[i];
		}
		if (fd > next)
			syscall(SYS_close_range, next,
				fd == INT_MAX ? ~0U : (unsigned int)fd - 1, 0);
		if (fd == INT_MAX)
			return;
		next = fd + 1;
	}
}

/* It moves with the ticks, so it is late when they are, as on a busy host. */
static int64_t tick_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static int run_case(void *arg)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct sc *s = arg;

	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	signal(SIGCHLD, SIG_DFL);
	close_others(s);
	frz_store(&s->ready, 1);
	while (!__atomic_load_n(gate, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, gate, FUTEX_WAIT, 0, NULL, NULL, 0);
	s->ticks0 = tick_ns();
	s->t0 = frz_now_ns();
	frz_store(&s->begun, 1);
	s->ret = s->c->call(s);
	s->t1 = frz_now_ns();
	s->ticks1 = tick_ns();
	frz_store(&s->done, 1);
	return 0;
}

static void close_fds(struct sc *s)
{
	int i;

	for (i = 0; i < SC_FDS; i++) {
		if (s->fd[i] >= 0)
			close(s->fd[i]);
		s->fd[i] = -1;
	}
}

/* What it may still wait for goes away first. */
static void finish(struct sc *s)
{
	if (s->pid > 0)
		kill(s->pid, SIGKILL);
	if (s->helper > 0)
		kill(s->helper, SIGKILL);
	if (s->c->cleanup)
		s->c->cleanup(s);
	close_fds(s);
	if (s->path[0])
		unlink(s->path);
	if (s->helper > 0)
		frz_wait_exit(s->helper, LIMIT_MS);
	if (s->pid > 0 && frz_wait_exit(s->pid, LIMIT_MS) == -ETIMEDOUT)
		ksft_print_msg("%s: does not die\n", s->c->name);
}

static bool takes_part(const struct sc_case *c, enum phase phase)
{
	if (phase == LIMIT || phase == LATE)
		return c->flags & SC_TIMED;
	return !(c->flags & SC_ONLY_LIMIT);
}

static void start(struct sc *s, const struct sc_case *c, enum phase phase)
{
	char cg[FRZ_PATH_MAX];
	int err, i;

	memcpy(cg, s->cg, sizeof(cg));
	memset(s, 0, sizeof(*s));
	memcpy(s->cg, cg, sizeof(cg));
	for (i = 0; i < SC_FDS; i++)
		s->fd[i] = -1;
	s->c = c;
	s->ms = phase == LIMIT || phase == LATE ? SHORT_MS : LONG_MS;
	s->skip = !takes_part(c, phase);
	if (s->skip)
		return;
	err = c->prepare ? c->prepare(s) : 0;
	if (!err) {
		s->pid = frz_spawn(s->cg, run_case, s);
		err = s->pid < 0 ? s->pid : 0;
	}
	if (err) {
		fault(s, phase, "cannot be prepared: %s", strerror(-err));
		finish(s);
		s->skip = true;
	}
}

static bool asleep(const struct sc *s)
{
	int state = frz_task_state(s->pid);

	return state == 'S' || state == 'D' ||
	       ((s->c->flags & SC_STOPPED) && (state == 'T' || state == 't'));
}

/* All of them at the gate, then through it. */
static void open_gate(void)
{
	struct sc *s;

	for (s = runs; s < runs + nr_cases; s++) {
		if (!s->skip)
			frz_wait_word(&s->ready, 1, LIMIT_MS);
	}
	for (s = runs; s < runs + nr_cases; s++) {
		if (!s->skip && s->c->pump)
			s->c->pump(s);
	}
	__atomic_store_n(gate, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, gate, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Seen asleep at two looks in a row, or say what it does instead. */
static void wait_blocked(enum phase phase, int limit_ms)
{
	int64_t end = frz_now_ns() + limit_ms * 1000000LL;
	int left, look = 0;
	struct sc *s;

	for (s = runs; s < runs + nr_cases; s++)
		s->blocked = s->skip;
	do {
		left = 0;
		nr_stops = 0;
		for (s = runs; s < runs + nr_cases; s++) {
			if (s->skip || frz_load(&s->done))
				continue;
			if (s->c->pump)
				s->c->pump(s);
			if (!frz_load(&s->begun) || !asleep(s)) {
				s->val[2] = look + 1;
				left++;
			} else if (s->val[2] >= look) {
				left++;
			} else {
				s->blocked = true;
			}
		}
		look++;
		frz_sleep_ms(10);
	} while (left && frz_now_ns() < end);
	for (s = runs; s < runs + nr_cases; s++) {
		if (!s->skip && !frz_load(&s->done) && !s->blocked)
			fault(s, phase, "expected asleep, seen in state %c",
			      frz_task_state(s->pid));
	}
}

static bool frozen(int ms)
{
	int64_t begin = frz_now_ns(), took;
	int err;

	nr_freezes++;
	err = frz_freeze(group);
	/* A case that stops itself tells its parent: the write ends with it. */
	if (err == -EINTR)
		err = 0;
	if (err)
		ksft_print_msg("write of FROZEN: %s\n", strerror(-err));
	else
		err = frz_wait_state(group, "FROZEN", ms);
	took = frz_now_ns() - begin;
	sum_ns += took;
	if (took > longest_ns)
		longest_ns = took;
	return !err;
}

static void freeze(enum phase phase)
{
	/* A hammer does not wait for what is known not to freeze. */
	bool brief = phase == HAMMERED && stuck_before;
	char blockers[256] = "";
	struct sc *s;

	if (frozen(brief ? 50 : FREEZE_MS) || brief)
		return;
	stuck_before = true;
	for (s = runs; s < runs + nr_cases; s++) {
		if (s->skip || frz_state_is(s->cg, "FROZEN") == 1)
			continue;
		verdicts[s - runs].stuck = true;
		frz_read(s->cg, "freezer.blockers", blockers,
			 sizeof(blockers));
		ksft_print_msg("%s: in the way: %s\n", s->c->name, blockers);
	}
}

static void thaw(void)
{
	frz_thaw(group);
}

/* Before anything came: none is back. */
static void check_blocked(enum phase phase, const char *when)
{
	struct sc *s;

	for (s = runs; s < runs + nr_cases; s++) {
		if (s->skip || s->seen_done || !frz_load(&s->done))
			continue;
		s->seen_done = 1;
		fault(s, phase, "%s: expected still asleep, seen back with %ld",
		      when, s->ret);
	}
}

/* The parent sees nothing of a freeze, nor does a tracer. */
static void check_parent(enum phase phase)
{
	struct sc *s;

	nr_told += nr_stops;
	for (s = runs; s < runs + nr_cases; s++) {
		siginfo_t info = {};

		if (s->skip || frz_load(&s->done))
			continue;
		if (waitid(P_PID, s->pid, &info, WSTOPPED | WCONTINUED |
			   WNOHANG | WNOWAIT))
			fault(s, phase, "waitid: %s", strerror(errno));
		else if (info.si_pid)
			fault(s, phase, "the parent: expected nothing, seen si_code %d status %d",
			      info.si_code, info.si_status);
	}
}

static void end_all(void)
{
	struct sc *s;

	for (s = runs; s < runs + nr_cases; s++) {
		if (!s->skip && !frz_load(&s->done) && s->c->end)
			s->c->end(s);
	}
}

/* The results, once they are there. */
static void check_results(enum phase phase, bool late)
{
	int64_t end = frz_now_ns() + LIMIT_MS * 1000000LL;
	struct sc *s;
	int left;

	do {
		left = 0;
		for (s = runs; s < runs + nr_cases; s++) {
			if (s->skip || frz_load(&s->done))
				continue;
			left++;
			if (!late && (s->c->flags & SC_REPEAT))
				s->c->end(s);
		}
		if (left)
			frz_sleep_ms(2);
	} while (left && frz_now_ns() < end);
	for (s = runs; s < runs + nr_cases; s++) {
		long want = late ? s->c->late : s->c->want;

		if (s->skip || s->seen_done)
			continue;
		if (!frz_load(&s->done))
			fault(s, phase, "expected %ld, seen asleep for ever",
			      want);
		else if (s->ret != want)
			fault(s, phase, "expected %ld, seen %ld", want, s->ret);
		if (s->val[3])
			fault(s, phase, "the other side: expected nothing, seen %ld",
			      s->val[3]);
	}
}

static int64_t last_start(void)
{
	int64_t last = 0;
	struct sc *s;

	for (s = runs; s < runs + nr_cases; s++) {
		if (!s->skip && s->t0 > last)
			last = s->t0;
	}
	return last;
}

static void sleep_until(int64_t when)
{
	int64_t now = frz_now_ns();

	if (when > now)
		frz_sleep_ms((when - now) / 1000000 + 1);
}

/* How long a call with a limit of SHORT_MS took; @from, @slack: the latest. */
static void check_limits(enum phase phase, int64_t from, int slack)
{
	struct sc *s;

	for (s = runs; s < runs + nr_cases; s++) {
		int64_t took = (s->t1 - s->t0) / 1000000, least = SHORT_MS;
		int64_t most = (from ? from - s->t0 : 0) / 1000000 + slack;

		if (s->skip || s->seen_done || !frz_load(&s->done))
			continue;
		/* Two ticks of HZ=100 for those who count them. */
		if (s->c->flags & SC_JIFFIES) {
			took = (s->ticks1 - s->ticks0) / 1000000;
			least -= 20;
		}
		if (took < least || took > most)
			fault(s, phase, "expected back after %lld to %lld ms, seen after %lld",
			      (long long)least, (long long)most,
			      (long long)took);
	}
}

/* Which returned although frozen; those that were late for it do not count. */
static void mark_done(void)
{
	struct sc *s;

	for (s = runs; s < runs + nr_cases; s++) {
		if (s->skip || !frz_load(&s->done))
			continue;
		s->skip = true;
		nr_late++;
		finish(s);
	}
}

static void check_frozen(enum phase phase)
{
	struct sc *s;

	for (s = runs; s < runs + nr_cases; s++) {
		if (s->skip || !frz_load(&s->done) ||
		    verdicts[s - runs].stuck)
			continue;
		s->seen_done = 1;
		fault(s, phase, "expected nothing while FROZEN, seen back with %ld",
		      s->ret);
	}
}

static void steps(enum phase phase)
{
	int64_t thawed;
	int i;

	open_gate();
	if (phase == HAMMERED) {
		for (i = 0; i < HAMMER; i++) {
			freeze(phase);
			thaw();
			if (i % 4 == 3)
				frz_sleep_ms(i % 3);
		}
	}
	wait_blocked(phase, phase == LIMIT || phase == LATE ? 1400 : LIMIT_MS);
	switch (phase) {
	case THAW:
		for (i = 0; i < 3; i++) {
			freeze(phase);
			thaw();
		}
		frz_sleep_ms(30);
		break;
	case ENDED:
		check_blocked(phase, "before");
		freeze(phase);
		check_blocked(phase, "frozen");
		check_parent(phase);
		end_all();
		frz_sleep_ms(50);
		check_frozen(phase);
		thaw();
		check_results(phase, false);
		return;
	case LIMIT:
		sleep_until(last_start() + WITHIN_MS * 1000000LL);
		for (i = 0; i < 2; i++) {
			freeze(phase);
			thaw();
		}
		check_parent(phase);
		check_results(phase, true);
		check_limits(phase, 0, SHORT_MS + RESTART_MS);
		return;
	case LATE:
		freeze(phase);
		mark_done();
		sleep_until(last_start() + (SHORT_MS + 200) * 1000000LL);
		check_frozen(phase);
		check_parent(phase);
		thawed = frz_now_ns();
		thaw();
		check_results(phase, true);
		check_limits(phase, thawed, SHORT_MS - RESTART_MS);
		return;
	default:
		break;
	}
	check_blocked(phase, "after");
	check_parent(phase);
	end_all();
	check_results(phase, false);
}

static void run_phase(enum phase phase)
{
	int64_t begin = frz_now_ns();
	int i;

	*gate = 0;
	for (i = 0; i < nr_cases; i++)
		start(&runs[i], all[i], phase);
	steps(phase);
	for (i = 0; i < nr_cases; i++) {
		if (!runs[i].skip)
			finish(&runs[i]);
	}
	ksft_print_msg("phase %s: %lld ms\n", phase_names[phase],
		       (long long)(frz_now_ns() - begin) / 1000000);
}

static void add_topic(const struct sc_topic *topic, const char *only)
{
	const struct sc_case *c;

	for (c = topic->cases; c < topic->cases + topic->nr; c++) {
		if (only && !strstr(c->name, only))
			continue;
		if (c->exists && !c->exists())
			ksft_print_msg("%s: not in this kernel\n", c->name);
		else if (nr_cases < MAX_CASES)
			all[nr_cases++] = c;
	}
}

static int set_up(void)
{
	char name[16];
	int i, err;

	err = frz_create(group, NULL, "selftest_syscall_test");
	if (err == -EEXIST) {
		frz_destroy(group, LIMIT_MS);
		err = frz_create(group, NULL, "selftest_syscall_test");
	}
	if (err)
		return err;
	/* Mainline has no such file. */
	frz_write(group, "freezer.timeout_ms", "3000");
	runs = frz_shared(sizeof(*runs) * nr_cases);
	gate = frz_shared(4096);
	if (!runs || !gate)
		return -ENOMEM;
	for (i = 0; i < nr_cases && !err; i++) {
		snprintf(name, sizeof(name), "%d", i);
		err = frz_create(runs[i].cg, group, name);
	}
	return err;
}

static void report(void)
{
	int i, j, changed = 0, stuck = 0, broken = 0;

	for (i = 0; i < nr_cases; i++) {
		struct verdict *v = &verdicts[i];

		for (j = 0; j < v->nr; j++)
			ksft_print_msg("%s\n", v->text[j]);
		if (v->stuck)
			ksft_print_msg("expected FROZEN, seen FREEZING\n");
		changed += v->changed && !v->broken;
		stuck += v->stuck;
		broken += v->broken;
		ksft_test_result(!v->nr && !v->stuck, "%s\n", all[i]->name);
	}
	ksft_print_msg("%d system calls: %d changed, %d not frozen, %d failed without a freeze\n",
		       nr_cases, changed, stuck, broken);
	ksft_print_msg("%d freezes of all of them: %lld us on average, %lld us at most\n",
		       nr_freezes, (long long)sum_ns / nr_freezes / 1000,
		       (long long)longest_ns / 1000);
	ksft_print_msg("%d calls were over before the freeze across their limit\n",
		       nr_late);
	ksft_print_msg("told of a stop or a continuation: expected 0, seen %d\n",
		       nr_told);
	ksft_test_result(!nr_told, "no parent is told\n");
}

int main(int argc, char **argv)
{
	static const struct sc_topic * const topics[] = {
		&sc_sleep, &sc_futex, &sc_pipe, &sc_tty, &sc_socket,
		&sc_connect, &sc_ipc, &sc_proc, &sc_file, &sc_ring,
	};
	struct sigaction sa = {
		.sa_sigaction = on_child,
		.sa_flags = SA_SIGINFO | SA_RESTART,
	};
	unsigned int i;
	int err;

	ksft_print_header();
	err = frz_setup();
	if (err)
		ksft_exit_skip("no v1 freezer: %s\n", strerror(-err));
	for (i = 0; i < ARRAY_SIZE(topics); i++)
		add_topic(topics[i], argc > 1 ? argv[1] : NULL);
	ksft_set_plan(nr_cases + 1);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN);
	sigaction(SIGCHLD, &sa, NULL);
	err = set_up();
	if (err)
		ksft_exit_fail_msg("the cgroups: %s\n", strerror(-err));
	for (i = 0; i < NR_PHASES; i++)
		run_phase(i);
	err = frz_destroy(group, LIMIT_MS);
	if (err)
		ksft_print_msg("%s does not go away\n", group);
	report();
	ksft_finished();
}

/* What many cases share. */

int sc_prep_pipe(struct sc *s)
{
	return pipe2(s->fd, O_CLOEXEC) ? -errno : 0;
}

int sc_fill(int fd)
{
	int flags = fcntl(fd, F_GETFL), quiet = 0;
	static char zeros[4096];
	socklen_t len = sizeof(int);
	int domain;

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	/* Of a terminal or TCP, others move it on, and make room again. */
	while (quiet < 3) {
		quiet++;
		while (write(fd, zeros, sizeof(zeros)) > 0)
			quiet = 0;
		while (write(fd, zeros, 1) > 0)
			quiet = 0;
		if (isatty(fd))
			frz_sleep_ms(3);
		else if (!getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain,
				     &len) && domain == AF_INET)
			frz_sleep_ms(80);
	}
	fcntl(fd, F_SETFL, flags);
	return 0;
}

int sc_prep_pipe_full(struct sc *s)
{
	int err = sc_prep_pipe(s);

	return err ? err : sc_fill(s->fd[1]);
}

int sc_prep_path(struct sc *s)
{
	static int serial;

	/* Never the same twice: keys are remembered by their name. */
	snprintf(s->path, sizeof(s->path), "/tmp/syscall_test.%d.%d", getpid(),
		 serial++);
	unlink(s->path);
	return 0;
}

void sc_put(struct sc *s)
{
	if (write(s->fd[1], "a", 1) != 1)
		s->val[3] = errno;
}

void sc_put4(struct sc *s)
{
	if (write(s->fd[1], "bcd", 3) != 3)
		s->val[3] = errno;
}

void sc_drain(struct sc *s)
{
	struct pollfd pfd = { .fd = s->fd[0], .events = POLLIN };
	static char buf[65536];

	while (poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLIN) &&
	       read(s->fd[0], buf, sizeof(buf)) > 0)
		;
}

void sc_signal(struct sc *s)
{
	kill(s->pid, SIGUSR1);
}

void sc_kill_helper(struct sc *s)
{
	kill(s->helper, SIGKILL);
}

int sc_free_helper(struct sc *s)
{
	return frz_move_process(frz_root(), s->helper);
}

static int (*helper_fn)(void *arg);

static int run_helper(void *arg)
{
	close_others(arg);
	return helper_fn(arg);
}

pid_t sc_spawn_helper(struct sc *s, int (*fn)(void *arg))
{
	helper_fn = fn;
	s->helper = frz_spawn(NULL, run_helper, s);
	return s->helper;
}

int sc_take_fd(struct sc *s, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, s->pid, 0);
	int ret = pidfd < 0 ? -errno :
		  sc_ret(syscall(SYS_pidfd_getfd, pidfd, fd, 0));

	if (pidfd >= 0)
		close(pidfd);
	return ret;
}
