// SPDX-License-Identifier: GPL-2.0
/*
 * Signals to frozen tasks: queued while FROZEN, handled at the thaw, in the
 * order and with the values that they would have had, and job control signals
 * with the effect that they would have had.
 *
 * Clauses: C9.
 */
#include <sys/eventfd.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "freezer_test.h"

#define MAX_SEEN	80

struct target {
	unsigned long word;
	unsigned long num;
	unsigned long bad;
	unsigned long no_cont;	/* a SIGCONT is not recorded */
	int event;
	struct {
		int sig;
		int value;
	} seen[MAX_SEEN];
};

static struct target *me;

static void record(int sig, siginfo_t *info, void *context)
{
	if (sig == SIGCONT && frz_load(&me->no_cont))
		return;
	if (me->num < MAX_SEEN) {
		me->seen[me->num].sig = sig;
		me->seen[me->num].value =
			info->si_code == SI_QUEUE ? info->si_value.sival_int : 0;
	}
	frz_inc(&me->num);
}

static void set_handlers(struct target *t)
{
	struct sigaction sa = {
		.sa_sigaction = record,
		.sa_flags = SA_SIGINFO | SA_RESTART,
	};
	int sig;

	me = t;
	sigfillset(&sa.sa_mask);
	for (sig = SIGRTMIN; sig < SIGRTMIN + 4; sig++)
		sigaction(sig, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR2, &sa, NULL);
	sigaction(SIGCONT, &sa, NULL);
}

static int spin(void *arg)
{
	set_handlers(arg);
	return frz_spin(&me->word);
}

static int sleep_in_place(void *arg)
{
	struct timespec ts = { .tv_sec = 100000 };

	set_handlers(arg);
	frz_inc(&me->word);
	for (;;)
		if (!clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL))
			frz_inc(&me->bad);
	return 0;
}

/*
 * SA_RESTART: the read goes on after the handlers. Where it sleeps it cannot be
 * frozen in place: it is asleep, and no more.
 */
static int read_event(void *arg)
{
	eventfd_t value;

	set_handlers(arg);
	frz_inc(&me->word);
	eventfd_read(me->event, &value);
	frz_inc(&me->bad);
	return 0;
}

/* All blocked, taken one by one. */
static int wait_for_signals(void *arg)
{
	siginfo_t info;
	sigset_t set;

	set_handlers(arg);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	frz_inc(&me->word);
	for (;;) {
		int sig = sigwaitinfo(&set, &info);

		if (sig > 0)
			record(sig, &info, NULL);
		else
			frz_inc(&me->bad);
	}
	return 0;
}

FIXTURE(queue) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(queue) {
	int (*fn)(void *arg);
	bool asleep;
	bool stopped;
	bool traced;
};

FIXTURE_VARIANT_ADD(queue, parked) { .fn = spin };
FIXTURE_VARIANT_ADD(queue, in_place) { .fn = sleep_in_place, .asleep = true };
FIXTURE_VARIANT_ADD(queue, asleep) { .fn = read_event, .asleep = true };
FIXTURE_VARIANT_ADD(queue, stopped) { .fn = spin, .stopped = true };
FIXTURE_VARIANT_ADD(queue, traced) { .fn = spin, .traced = true };

FIXTURE_SETUP(queue)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(queue)
{
	FRZ_GROUP_END(self->cg);
}

static int send(pid_t pid, int sig, int value)
{
	union sigval val = { .sival_int = value };

	return sigqueue(pid, sig, val) ? -errno : 0;
}

/* What a test has sent, in a mixed order, and the order of handling. */
static const struct {
	int sig;
	int value;
} sent[] = {
	{ 1, 11 }, { 0, 10 }, { -1, 5 }, { 1, 12 }, { 0, 20 }, { -2, 6 },
	{ -1, 7 },
}, handled[] = {
	{ -1, 5 }, { -2, 6 }, { 0, 10 }, { 0, 20 }, { 1, 11 }, { 1, 12 },
};

#define NUM_SENT	ARRAY_SIZE(sent)
#define NUM_HANDLED	ARRAY_SIZE(handled)

/* 0 and up: real-time; -1, -2: SIGUSR1, SIGUSR2. */
static int number(int sig)
{
	return sig >= 0 ? SIGRTMIN + sig : sig == -1 ? SIGUSR1 : SIGUSR2;
}

/*
 *	cg	a process with handlers: parked, in place, asleep, stopped, or in
 *		the stop of a tracer
 *
 * While it is FROZEN real-time signals with values and two ordinary ones are
 * queued, one of these twice. None is handled before the thaw; then each is,
 * lowest number first, real-time ones in their order and all of them, the
 * doubled one once, with the first value: what any process sees that has been
 * off its CPU for a while. The same signals, sent with a single freeze for each,
 * would be handled likewise. One that was stopped is still stopped after the
 * thaw, and handles them when it is let go.
 */
TEST_F_TIMEOUT(queue, order_and_values, 90)
{
	struct target *t = frz_shared(sizeof(*t));
	unsigned int i;
	pid_t pid;

	ASSERT_NE(NULL, t);
	t->event = eventfd(0, EFD_CLOEXEC);
	ASSERT_LE(0, t->event);
	pid = ASSERT_PID(frz_spawn(self->cg, variant->fn, t));
	ASSERT_EQ(0, frz_wait_word(&t->word, 1, FRZ_LIMIT));
	if (variant->asleep)
		ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	if (variant->stopped) {
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_LE(0, frz_wait_stop(pid, WUNTRACED, FRZ_LIMIT));
	}
	if (variant->traced) {
		ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
		ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
		ASSERT_LE(0, frz_wait_stop(pid, 0, FRZ_LIMIT));
	}
	ASSERT_FREEZES(self->cg);
	for (i = 0; i < NUM_SENT; i++)
		ASSERT_EQ(0, send(pid, number(sent[i].sig), sent[i].value));
	EXPECT_STANDS(&t->num);
	EXPECT_EQ(0, frz_load(&t->num));
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	if (variant->stopped || variant->traced) {
		EXPECT_EQ(0, frz_moved(&t->num, FRZ_WATCH));
		EXPECT_EQ(0, frz_load(&t->num));
	}
	if (variant->stopped) {
		EXPECT_EQ('T', frz_task_state(pid));
		frz_store(&t->no_cont, 1);
		ASSERT_EQ(0, kill(pid, SIGCONT));
	}
	if (variant->traced) {
		EXPECT_EQ('t', frz_task_state(pid));
		ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
	}
	EXPECT_EQ(0, frz_wait_word(&t->num, NUM_HANDLED, FRZ_LIMIT));
	EXPECT_EQ(0, frz_moved(&t->num, FRZ_WATCH));
	EXPECT_EQ(NUM_HANDLED, frz_load(&t->num));
	for (i = 0; i < NUM_HANDLED; i++) {
		EXPECT_EQ(number(handled[i].sig), t->seen[i].sig) {
			TH_LOG("signal %u", i);
		}
		EXPECT_EQ(handled[i].value, t->seen[i].value) {
			TH_LOG("signal %u", i);
		}
	}
	EXPECT_EQ(0, frz_load(&t->bad));
}

/* The same for signals that are taken with sigwaitinfo(). */
FREEZER_TEST(sigwaitinfo_order)
{
	struct target *t = frz_shared(sizeof(*t));
	unsigned int i;
	pid_t pid;

	ASSERT_NE(NULL, t);
	pid = ASSERT_PID(frz_spawn(self->cg, wait_for_signals, t));
	ASSERT_EQ(0, frz_wait_word(&t->word, 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	for (i = 0; i < NUM_SENT; i++)
		ASSERT_EQ(0, send(pid, number(sent[i].sig), sent[i].value));
	EXPECT_STANDS(&t->num);
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&t->num, NUM_HANDLED, FRZ_LIMIT));
	EXPECT_EQ(0, frz_moved(&t->num, FRZ_WATCH));
	for (i = 0; i < NUM_HANDLED; i++) {
		EXPECT_EQ(number(handled[i].sig), t->seen[i].sig);
		EXPECT_EQ(handled[i].value, t->seen[i].value);
	}
	EXPECT_EQ(0, frz_load(&t->bad));
}

/* A handler for every signal that can have one. */
static int handle_all(void *arg)
{
	struct sigaction sa = {
		.sa_sigaction = record,
		.sa_flags = SA_SIGINFO | SA_RESTART,
	};
	int sig;

	me = arg;
	sigfillset(&sa.sa_mask);
	for (sig = 1; sig <= SIGRTMAX; sig++)
		sigaction(sig, &sa, NULL);
	return frz_spin(&me->word);
}

/* KILL and STOP have no handler, and two the C library keeps for itself. */
static bool can_be_handled(int sig)
{
	return sig != SIGKILL && sig != SIGSTOP &&
	       (sig < 32 || sig >= SIGRTMIN);
}

/*
 * Every signal there is, with a handler: none is handled while FROZEN, each once
 * after the thaw, with its value. (Of SIGCONT and the signals that stop the last
 * one sent counts, see stop_and_cont; these are sent by themselves.)
 */
FREEZER_TEST(every_signal)
{
	static const int jobctl[] = { SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU };
	struct target *t = frz_shared(sizeof(*t));
	unsigned int i, num = 0;
	int count[65] = {};
	int sig;
	pid_t pid;

	ASSERT_NE(NULL, t);
	pid = ASSERT_PID(frz_spawn(self->cg, handle_all, t));
	ASSERT_EQ(0, frz_wait_word(&t->word, 1, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	for (sig = 1; sig <= SIGRTMAX; sig++) {
		for (i = 0; i < ARRAY_SIZE(jobctl) && sig != jobctl[i]; i++)
			;
		if (!can_be_handled(sig) || i < ARRAY_SIZE(jobctl))
			continue;
		ASSERT_EQ(0, send(pid, sig, 100 + sig));
		num++;
	}
	EXPECT_STANDS(&t->word);
	EXPECT_EQ(0, frz_load(&t->num));
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&t->num, num, FRZ_LIMIT));
	for (i = 0; i < ARRAY_SIZE(jobctl); i++) {
		ASSERT_FREEZES(self->cg);
		ASSERT_EQ(0, send(pid, jobctl[i], 100 + jobctl[i]));
		EXPECT_STANDS(&t->word);
		EXPECT_EQ(num, frz_load(&t->num));
		ASSERT_THAWS(self->cg);
		EXPECT_EQ(0, frz_wait_word(&t->num, ++num, FRZ_LIMIT));
	}
	EXPECT_EQ(0, frz_moved(&t->num, FRZ_WATCH));
	ASSERT_EQ(num, frz_load(&t->num));
	ASSERT_GE(MAX_SEEN, num);
	for (i = 0; i < num; i++) {
		sig = t->seen[i].sig;
		count[sig]++;
		EXPECT_EQ(100 + sig, t->seen[i].value) {
			TH_LOG("signal %d", sig);
		}
	}
	for (sig = 1; sig <= SIGRTMAX; sig++)
		EXPECT_EQ(can_be_handled(sig), count[sig]) {
			TH_LOG("signal %d", sig);
		}
	EXPECT_RUNS(&t->word);
}

/*
 * Job control while FROZEN: the last of SIGSTOP and SIGCONT counts at the thaw,
 * and a handler of SIGCONT runs once for each time that SIGCONT was last. The
 * state stays FROZEN and nothing runs before.
 */
FREEZER_TEST(stop_and_cont)
{
	static const struct {
		bool stopped_before;
		const char *sent;
		bool stopped_after;
		int handlers;
	} cases[] = {
		{ false, "SC", false, 1 },
		{ false, "SCS", true, 0 },
		{ false, "CS", true, 0 },
		{ false, "C", false, 1 },
		{ true, "", true, 0 },
		{ true, "S", true, 0 },
		{ true, "C", false, 1 },
		{ true, "CSC", false, 1 },
		{ true, "CS", true, 0 },
	};
	struct target *t = frz_shared(sizeof(*t));
	unsigned long num, seen;
	const char *s;
	unsigned int i;
	pid_t pid;

	ASSERT_NE(NULL, t);
	pid = ASSERT_PID(frz_spawn(self->cg, spin, t));
	ASSERT_EQ(0, frz_wait_word(&t->word, 1, FRZ_LIMIT));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		num = frz_load(&t->num);
		if (cases[i].stopped_before) {
			ASSERT_EQ(0, kill(pid, SIGSTOP));
			ASSERT_LE(0, frz_wait_stop(pid, WUNTRACED, FRZ_LIMIT));
		}
		ASSERT_FREEZES(self->cg);
		seen = frz_load(&t->word);
		for (s = cases[i].sent; *s; s++)
			ASSERT_EQ(0, kill(pid, *s == 'S' ? SIGSTOP : SIGCONT));
		EXPECT_STANDS(&t->word);
		EXPECT_STATE(self->cg, "FROZEN");
		EXPECT_EQ(num, frz_load(&t->num));
		ASSERT_THAWS(self->cg);
		if (cases[i].stopped_after) {
			EXPECT_EQ(0, wait_task_state(pid, 'T')) {
				TH_LOG("case %u", i);
			}
			EXPECT_EQ(0, frz_moved(&t->word, FRZ_WATCH));
			EXPECT_EQ(seen, frz_load(&t->word));
			EXPECT_EQ(num, frz_load(&t->num));
			while (frz_wait_stop(pid, WUNTRACED | WCONTINUED, 1) >= 0)
				;
			num = frz_load(&t->num);
			ASSERT_EQ(0, kill(pid, SIGCONT));
			EXPECT_EQ(0, frz_wait_word(&t->num, num + 1,
						   FRZ_LIMIT));
		} else {
			EXPECT_EQ(0, frz_wait_word(&t->num,
						   num + cases[i].handlers,
						   FRZ_LIMIT)) {
				TH_LOG("case %u", i);
			}
			EXPECT_EQ(num + cases[i].handlers, frz_load(&t->num));
		}
		EXPECT_RUNS(&t->word);
		while (frz_wait_stop(pid, WUNTRACED | WCONTINUED, 1) >= 0)
			;
	}
}

static unsigned long *nr_handled;

static void count_signal(int sig)
{
	frz_inc(nr_handled);
}

static int sleep_with_handler(void *arg)
{
	struct sigaction sa = { .sa_handler = count_signal };
	unsigned long *word = arg;

	nr_handled = &word[1];
	sigaction(SIGUSR1, &sa, NULL);
	return frz_sleep(&word[0]);
}

static int spin_with_handler(void *arg)
{
	struct sigaction sa = { .sa_handler = count_signal };
	unsigned long *word = arg;

	nr_handled = &word[1];
	sigaction(SIGUSR1, &sa, NULL);
	return frz_spin(&word[0]);
}

/*
 * A signal for a frozen task is queued (C9): its handler runs after the thaw,
 * once per freeze, for a sleeper and for a task parked at the door.
 */
FREEZER_TEST(signal_waits_for_thaw)
{
	unsigned long *word = ASSERT_WORDS(4);
	pid_t pid[2];
	int i, k;

	pid[0] = ASSERT_PID(frz_spawn(self->cg, sleep_with_handler, &word[0]));
	pid[1] = ASSERT_PID(frz_spawn(self->cg, spin_with_handler, &word[2]));
	for (k = 0; k < 2; k++)
		ASSERT_EQ(0, frz_wait_word(&word[2 * k], 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid[0], FRZ_LIMIT));
	for (i = 1; i <= 10; i++) {
		ASSERT_FREEZES(self->cg);
		for (k = 0; k < 2; k++)
			ASSERT_EQ(0, kill(pid[k], SIGUSR1));
		ASSERT_BECOMES(self->cg, "FROZEN");
		frz_sleep_ms(5);
		for (k = 0; k < 2; k++)
			ASSERT_EQ(i - 1, frz_load(&word[2 * k + 1]));
		ASSERT_THAWS(self->cg);
		for (k = 0; k < 2; k++)
			ASSERT_EQ(0, frz_wait_word(&word[2 * k + 1], i,
						   FRZ_LIMIT));
	}
	EXPECT_EQ(10, frz_load(&word[1]));
	EXPECT_EQ(10, frz_load(&word[3]));
}

TEST_HARNESS_MAIN
