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
 * guarded	asleep; frozen; the checkpoint guard of its cgroup is granted five
 *		times, with a thaw and a freeze in between, and no task is merely
 *		asleep then; what it waits for comes under the guard, and is still
 *		there; the guard is given back; thawed; the result is right (C11).
 * fed		asleep; frozen, and that in place; what it waits for comes, and is
 *		still there; no task has run; thawed; the result is right (C18).
 *
 * In all of them nobody who may wait for the process sees a stop, a
 * continuation or a trap (C13), and FROZEN comes in time (C8). A case that
 * fails says what was expected and seen; the control says whether the freezer
 * is to blame. The last two phases have a result of their own for each case; a
 * case without one of them says why. In the world v2 all that is said of
 * cgroup.freeze (U20).
 *
 * Clauses: C8, C11, C13, C18, U20.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/wait.h>

#include "../kselftest.h"
#include "checkpoint_util.h"
#include "freezer_check.h"
#include "syscall_table.h"
#include "syscalls.h"

#define MAX_CASES	400
#define LONG_MS		100000	/* a limit that does not pass */
#define SHORT_MS	8000	/* one that does */
#define WITHIN_MS	4000	/* when the freeze comes */
#define ASLEEP_MS	2900	/* when all are to be asleep; before RESTART_MS */
#define RESTART_MS	3000	/* a restarted limit is later than this */
#define LIMIT_MS	20000	/* what must come, comes in this time */
#define FREEZE_MS	3000	/* and FROZEN in this */
#define HAMMER		24	/* freezes of a hammer phase */
#define GUARDS		5	/* guards of a guarded phase */

enum phase { CONTROL, THAW, ENDED, HAMMERED, LIMIT, LATE, GUARDED, FED,
	     NR_PHASES };

static const char * const phase_names[] = {
	"control", "thaw", "ended", "hammer", "limit", "late", "guarded", "fed",
};

/* The results of a case: of the first phases, of guarded, of fed. */
enum result { CALL, GUARD, FEED, NR_RESULTS };

static const char * const result_names[] = { "", ": guarded", ": fed" };

struct verdict {
	bool changed, stuck, broken;
	char text[6][200];
	int nr;
};

static struct sc *runs;
static struct verdict verdicts[MAX_CASES][NR_RESULTS];
static const struct sc_case *all[MAX_CASES];
static int guards[MAX_CASES];
static uint32_t *gate;
static int nr_cases;
static char group[FRZ_PATH_MAX];
static int64_t longest_ns, sum_ns;
static int nr_freezes, nr_late, nr_stops, nr_told;
static bool stuck_before;
static bool without[NR_PHASES];	/* left out by -T */

static struct verdict *verdict_of(const struct sc *s, enum phase phase)
{
	return &verdicts[s - runs][phase == GUARDED ? GUARD :
				   phase == FED ? FEED : CALL];
}

static void fault(struct sc *s, enum phase during, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void fault(struct sc *s, enum phase during, const char *fmt, ...)
{
	struct verdict *v = verdict_of(s, during);
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
	sc_close_others(s);
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

/* NULL, or why the case has no such phase. */
static const char *left_out(const struct sc_case *c, enum phase phase)
{
	if (without[phase])
		return "the phase is left out";
	if (phase == LIMIT || phase == LATE)
		return c->flags & SC_TIMED ? NULL : "it has no limit";
	if (c->flags & SC_ONLY_LIMIT)
		return "nothing but its limit ends it";
	return phase == GUARDED ? c->unguarded :
	       phase == FED ? c->unfed : NULL;
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
	s->skip = left_out(c, phase);
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

/* How many were not seen asleep at two looks in a row. */
static int nr_awake(int look)
{
	struct sc *s;
	int left = 0;

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
	return left;
}

/* All asleep, or say what they do instead. */
static void wait_blocked(enum phase phase, int limit_ms)
{
	struct sc *s;
	int look = 0;

	for (s = runs; s < runs + nr_cases; s++) {
		s->blocked = s->skip;
		s->val[2] = 0;
	}
	frz_until_busy(!nr_awake(look++) || (frz_sleep_ms(10), false), limit_ms);
	for (s = runs; s < runs + nr_cases; s++) {
		if (!s->skip && !frz_load(&s->done) && !s->blocked)
			fault(s, phase, "expected asleep, seen in state %c",
			      frz_task_state(s->pid));
	}
}

static int64_t times_run(const struct sc *s)
{
	return frz_proc_status(s->pid, "voluntary_ctxt_switches") +
	       frz_proc_status(s->pid, "nonvoluntary_ctxt_switches");
}

static int64_t sum_of_runs(void)
{
	int64_t sum = 0;
	struct sc *s;

	for (s = runs; s < runs + nr_cases; s++) {
		if (!s->skip)
			sum += times_run(s);
	}
	return sum;
}

/* In their last sleep, not in one before: none has run for a while. */
static void settle(void)
{
	int64_t before;
	bool quiet;

	quiet = frz_until_busy((before = sum_of_runs(), frz_sleep_ms(60),
				frz_settle(), sum_of_runs() == before), LIMIT_MS);
	if (!quiet)
		ksft_print_msg("they do not come to an end\n");
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
		verdict_of(s, phase)->stuck = true;
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

/* Those with SC_HELD_BACK, or those without. */
static void end_some(int flag)
{
	struct sc *s;

	for (s = runs; s < runs + nr_cases; s++) {
		if (!s->skip && !frz_load(&s->done) && s->c->end &&
		    (s->c->flags & SC_HELD_BACK) == flag)
			s->c->end(s);
	}
}

static void end_all(void)
{
	end_some(0);
	end_some(SC_HELD_BACK);
}

/* How many are not back; what they wait for comes once more for some. */
static int nr_left(bool late)
{
	struct sc *s;
	int left = 0;

	for (s = runs; s < runs + nr_cases; s++) {
		if (s->skip || frz_load(&s->done))
			continue;
		left++;
		if (!late && (s->c->flags & SC_REPEAT))
			s->c->end(s);
	}
	return left;
}

/* The results, once they are there. */
static void check_results(enum phase phase, bool late)
{
	struct sc *s;

	frz_until(!nr_left(late), LIMIT_MS);
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
		    verdict_of(s, phase)->stuck)
			continue;
		s->seen_done = 1;
		fault(s, phase, "expected nothing while FROZEN, seen back with %ld",
		      s->ret);
	}
}

/* Woken or not, it is FROZEN, or becomes so again. */
static void check_state(enum phase phase, const char *state)
{
	char seen[64];
	struct sc *s;

	for (s = runs; s < runs + nr_cases; s++) {
		if (s->skip || verdict_of(s, phase)->stuck)
			continue;
		if (phase == ENDED ? !frz_wait_state(s->cg, state, FREEZE_MS) :
				     frz_state_is(s->cg, state) == 1)
			continue;
		frz_read(s->cg, "freezer.state", seen, sizeof(seen));
		fault(s, phase, "expected %s, seen %s", state, seen);
	}
}

/* What has come is there still, and nothing was sent. */
static void check_queue(enum phase phase)
{
	struct sc *s;

	for (s = runs; s < runs + nr_cases; s++) {
		long seen;

		if (s->skip || !s->c->queue)
			continue;
		/* Under the guard it came once; some of it is on its way. */
		if (phase == GUARDED && (s->c->flags & SC_REPEAT))
			continue;
		seen = s->c->queue(s);
		if (seen != s->c->fed)
			fault(s, phase, "expected %ld in the queue, seen %ld",
			      s->c->fed, seen);
	}
}

/* Take one guard for each case; @keep: and keep it. */
static void take_guards(bool keep)
{
	struct sc *s;
	int fd;

	for (s = runs; s < runs + nr_cases; s++) {
		int64_t loose;

		if (s->skip || verdict_of(s, GUARDED)->nr)
			continue;
		fd = guard_open(s->cg);
		if (fd < 0) {
			fault(s, GUARDED, "guard: %s, %s", strerror(-fd),
			      frz_describe(s->cg));
			continue;
		}
		loose = not_quiescent(s->cg);
		if (loose)
			fault(s, GUARDED, "expected none asleep, seen %lld",
			      (long long)loose);
		if (strcmp(guard_verdict(fd), "consistent"))
			fault(s, GUARDED, "expected consistent, seen %s",
			      guard_verdict(fd));
		if (frz_blockers(s->cg))
			fault(s, GUARDED, "expected no blockers, seen %s",
			      frz_content(s->cg, "freezer.blockers"));
		if (keep)
			guards[s - runs] = fd;
		else
			close(fd);
	}
}

static void give_back_guards(void)
{
	int i;

	for (i = 0; i < nr_cases; i++) {
		if (guards[i] >= 0)
			close(guards[i]);
		guards[i] = -1;
	}
}

static void guarded(void)
{
	int i;

	memset(guards, -1, sizeof(guards));
	settle();
	freeze(GUARDED);
	for (i = 1; i < GUARDS; i++) {
		take_guards(false);
		if (i != GUARDS / 2)
			continue;
		thaw();
		wait_blocked(GUARDED, LIMIT_MS);
		check_blocked(GUARDED, "after a guard");
		freeze(GUARDED);
	}
	take_guards(true);
	check_parent(GUARDED);
	end_some(0);
	frz_sleep_ms(50);
	check_frozen(GUARDED);
	check_state(GUARDED, "CHECKPOINTING");
	check_queue(GUARDED);
	give_back_guards();
	check_state(GUARDED, "FROZEN");
	end_some(SC_HELD_BACK);
	thaw();
	check_results(GUARDED, false);
}

/* Each task of the case is frozen in its sleep; only a worker is asleep. */
static void check_in_place(enum phase phase)
{
	struct sc *s;

	for (s = runs; s < runs + nr_cases; s++) {
		long long all, in_place, asleep;

		if (s->skip)
			continue;
		all = frz_stat(s->cg, "nr_tasks");
		in_place = frz_stat(s->cg, "nr_in_place");
		asleep = frz_stat(s->cg, "nr_asleep");
		asleep = frz_or_missing(s->cg, asleep, 0);
		if (s->c->flags & (SC_WORKER | SC_POLLER)) {
			all -= asleep;
			asleep = 0;
		}
		in_place = frz_or_missing(s->cg, in_place, all);
		if (all < 1 || in_place != all || asleep)
			fault(s, phase,
			      "expected all in place, seen %lld of %lld, %lld asleep",
			      in_place, all, asleep);
		s->runs = times_run(s);
	}
}

/* Those that wait for room get all of it; how much there is to take still. */
static long make_room(void)
{
	struct sc *s;
	long left = 0;

	for (s = runs; s < runs + nr_cases; s++) {
		if (s->skip || !s->c->queue || !(s->c->flags & SC_REPEAT) ||
		    frz_load(&s->done) || s->c->queue(s) == s->c->fed)
			continue;
		s->c->end(s);
		left++;
	}
	return left;
}

static void check_at_rest(enum phase phase)
{
	struct sc *s;

	for (s = runs; s < runs + nr_cases; s++) {
		int64_t ran, used;

		if (s->skip || s->seen_done)
			continue;
		ran = times_run(s) - s->runs;
		used = s->c->flags & SC_POLLER ? 0 :
		       frz_stat(s->cg, "cpu_usec_at_rest");
		used = frz_or_missing(s->cg, used, 0);
		if (ran || used)
			fault(s, phase,
			      "expected at rest, seen run %lld times, for %lld us",
			      (long long)ran, (long long)used);
	}
}

static void fed(void)
{
	settle();
	freeze(FED);
	check_in_place(FED);
	check_blocked(FED, "frozen");
	check_parent(FED);
	end_all();
	frz_until(!make_room(), LIMIT_MS);
	frz_sleep_ms(50);
	check_frozen(FED);
	check_queue(FED);
	check_at_rest(FED);
	check_state(FED, "FROZEN");
	thaw();
	check_results(FED, false);
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
	wait_blocked(phase, phase == LIMIT || phase == LATE ? ASLEEP_MS : LIMIT_MS);
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
		check_state(phase, "FROZEN");
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
	case GUARDED:
		guarded();
		return;
	case FED:
		fed();
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

	err = frz_group_make(group);
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

static bool has_result(int i, enum result result)
{
	return result == CALL ||
	       !left_out(all[i], result == GUARD ? GUARDED : FED);
}

static int nr_results(enum result result)
{
	int i, nr = 0;

	for (i = 0; i < nr_cases; i++)
		nr += has_result(i, result);
	return nr;
}

static void report_one(int i, enum result result)
{
	struct verdict *v = &verdicts[i][result];
	int j;

	if (!has_result(i, result)) {
		enum phase phase = result == GUARD ? GUARDED : FED;

		if (!without[phase])
			ksft_print_msg("%s: not %s, for %s\n", all[i]->name,
				       phase_names[phase],
				       left_out(all[i], phase));
		return;
	}
	for (j = 0; j < v->nr; j++)
		ksft_print_msg("%s\n", v->text[j]);
	if (v->stuck)
		ksft_print_msg("expected FROZEN, seen FREEZING\n");
	ksft_test_result(!v->nr && !v->stuck, "%s%s\n", all[i]->name,
			 result_names[result]);
}

static void report(void)
{
	int i, changed = 0, stuck = 0, broken = 0;
	enum result r;

	for (i = 0; i < nr_cases; i++) {
		for (r = 0; r < NR_RESULTS; r++) {
			struct verdict *v = &verdicts[i][r];

			report_one(i, r);
			changed += v->changed && !verdicts[i][CALL].broken;
			stuck += v->stuck;
			broken += v->broken;
		}
	}
	ksft_print_msg("%d system calls, %d of them under the guard, %d fed\n",
		       nr_cases, nr_results(GUARD), nr_results(FEED));
	ksft_print_msg("of these results %d changed, %d not frozen, %d failed without a freeze\n",
		       changed, stuck, broken);
	ksft_print_msg("%d freezes of all of them: %lld us on average, %lld us at most\n",
		       nr_freezes, (long long)sum_ns / nr_freezes / 1000,
		       (long long)longest_ns / 1000);
	ksft_print_msg("%d calls were over before the freeze across their limit\n",
		       nr_late);
	ksft_print_msg("told of a stop or a continuation: expected 0, seen %d\n",
		       nr_told);
	ksft_test_result(!nr_told, "no parent is told\n");
}

/* -T PHASE as in the harness of the other tests, and what a name has in it. */
static const char *parse_options(int argc, char **argv)
{
	int opt, i;

	while ((opt = getopt(argc, argv, "T:")) != -1) {
		for (i = 0; opt == 'T' && i < NR_PHASES; i++)
			if (!strcmp(phase_names[i], optarg))
				break;
		if (opt != 'T' || i == NR_PHASES)
			ksft_exit_fail_msg("usage: syscall_test [-T PHASE] [NAME]\n");
		without[i] = true;
	}
	return argv[optind];
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
	const char *only;
	unsigned int i;
	int err;

	ksft_print_header();
	only = parse_options(argc, argv);
	err = frz_setup();
	if (err)
		ksft_exit_skip("no v1 freezer: %s\n", strerror(-err));
	for (i = 0; i < ARRAY_SIZE(topics); i++)
		add_topic(topics[i], only);
	ksft_set_plan(nr_results(CALL) + nr_results(GUARD) + nr_results(FEED) +
		      1);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN);
	sigaction(SIGCHLD, &sa, NULL);
	err = set_up();
	if (err)
		ksft_exit_fail_msg("the cgroups: %s\n", strerror(-err));
	for (i = 0; i < NR_PHASES; i++)
		if (!without[i])
			run_phase(i);
	err = frz_group_end(group);
	if (err)
		ksft_print_msg("%s does not go away\n", group);
	report();
	ksft_finished();
}
