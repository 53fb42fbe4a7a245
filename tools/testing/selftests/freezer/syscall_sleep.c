// SPDX-License-Identifier: GPL-2.0
/*
 * Blocking system calls: signals, sleeps on a clock, select, poll, epoll, and
 * the descriptors for events, timers and signals.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#include "syscall_table.h"

static void send_usr2(struct sc *s)
{
	kill(s->pid, SIGUSR2);
}

static sigset_t set_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	if (sig)
		sigaddset(&set, sig);
	return set;
}

static void block_usr2(void)
{
	sigset_t set = set_of(SIGUSR2);

	sigprocmask(SIG_BLOCK, &set, NULL);
}

static long call_pause(struct sc *s)
{
	return sc_ret(pause());
}

static long call_sigsuspend(struct sc *s)
{
	sigset_t set = set_of(0);

	return sc_ret(sigsuspend(&set));
}

static long call_sigwaitinfo(struct sc *s)
{
	sigset_t set = set_of(SIGUSR2);
	siginfo_t info;

	block_usr2();
	return sc_ret(sigwaitinfo(&set, &info));
}

static long call_sigtimedwait(struct sc *s)
{
	struct timespec ts = sc_limit(s);
	sigset_t set = set_of(SIGUSR2);
	siginfo_t info;

	block_usr2();
	return sc_ret(sigtimedwait(&set, &info, &ts));
}

static long call_alarm(struct sc *s)
{
	struct itimerval it = {
		.it_value = {
			.tv_sec = s->ms / 1000,
			.tv_usec = s->ms % 1000 * 1000,
		},
	};

	setitimer(ITIMER_REAL, &it, NULL);
	return sc_ret(pause());
}

static long call_posix_timer(struct sc *s)
{
	struct sigevent ev = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGUSR2,
	};
	struct itimerspec it = { .it_value = sc_limit(s) };
	sigset_t set = set_of(SIGUSR2);
	siginfo_t info;
	timer_t timer;

	block_usr2();
	if (timer_create(s->c->arg[0], &ev, &timer) ||
	    timer_settime(timer, 0, &it, NULL))
		return -errno;
	return sc_ret(sigwaitinfo(&set, &info));
}

static long call_nanosleep(struct sc *s)
{
	struct __kernel_old_timespec ts = sc_old_limit(s);

	return sc_ret(syscall(SYS_nanosleep, &ts, &ts));
}

static long call_clock_nanosleep(struct sc *s)
{
	struct timespec ts = s->c->arg[1] ? sc_deadline(s, s->c->arg[0]) :
			     sc_limit(s);

	return sc_ret(syscall(SYS_clock_nanosleep, s->c->arg[0],
			      s->c->arg[1] ? TIMER_ABSTIME : 0, &ts, &ts));
}

/* select() changes what it is given; @arg[0]: with a limit, [1]: with a set */
static long call_select(struct sc *s)
{
	struct timeval tv = {
		.tv_sec = s->ms / 1000,
		.tv_usec = s->ms % 1000 * 1000,
	};
	fd_set set;

	FD_ZERO(&set);
	if (s->c->arg[1])
		FD_SET(s->fd[0], &set);
	return sc_ret(select(s->c->arg[1] ? s->fd[0] + 1 : 0, &set, NULL,
			     NULL, s->c->arg[0] ? &tv : NULL));
}

static long call_pselect(struct sc *s)
{
	struct timespec ts = sc_limit(s);
	sigset_t mask = set_of(SIGUSR2);
	fd_set set;

	FD_ZERO(&set);
	FD_SET(s->fd[0], &set);
	return sc_ret(pselect(s->fd[0] + 1, &set, NULL, NULL,
			      s->c->arg[0] ? &ts : NULL, &mask));
}

/* @arg[0]: with a limit, [1]: how many descriptors, [2]: what for */
static long call_poll(struct sc *s)
{
	struct pollfd pfd = {
		.fd = s->fd[s->c->arg[2] == POLLOUT],
		.events = s->c->arg[2] ? s->c->arg[2] : POLLIN,
	};

	return sc_ret(poll(&pfd, s->c->arg[1], s->c->arg[0] ? s->ms : -1));
}

/* A wait for a byte, and what takes it: of the two together the byte, or -errno. */
static long read_after(struct sc *s, long ret)
{
	char c = 0;

	if (ret == 1)
		ret = sc_ret(read(s->fd[0], &c, 1));
	return ret == 1 && c != 'a' ? SC_TORN : ret;
}

static long call_poll_read(struct sc *s)
{
	return read_after(s, call_poll(s));
}

static long call_select_read(struct sc *s)
{
	return read_after(s, call_select(s));
}

static long call_ppoll(struct sc *s)
{
	struct pollfd pfd = { .fd = s->fd[0], .events = POLLIN };
	struct timespec ts = sc_limit(s);
	sigset_t mask = set_of(SIGUSR2);

	return sc_ret(ppoll(&pfd, 1, s->c->arg[0] ? &ts : NULL, &mask));
}

static int epoll_for(int fd, unsigned int events)
{
	struct epoll_event ev = { .events = events };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev))
		return -1;
	return ep;
}

/* @arg[0]: with a limit, [1]: flags, [2]: how many epolls above each other */
static long call_epoll(struct sc *s)
{
	int ep = epoll_for(s->fd[0], EPOLLIN | s->c->arg[1]);
	struct epoll_event ev;
	int i;

	for (i = 0; i < s->c->arg[2]; i++)
		ep = epoll_for(ep, EPOLLIN);
	return sc_ret(epoll_wait(ep, &ev, 1, s->c->arg[0] ? s->ms : -1));
}

static long call_epoll_read(struct sc *s)
{
	return read_after(s, call_epoll(s));
}

static long call_epoll_pwait(struct sc *s)
{
	int ep = epoll_for(s->fd[0], EPOLLIN);
	sigset_t mask = set_of(SIGUSR2);
	struct epoll_event ev;

	return sc_ret(epoll_pwait(ep, &ev, 1, s->c->arg[0] ? s->ms : -1,
				  &mask));
}

static long call_epoll_pwait2(struct sc *s)
{
	int ep = epoll_for(s->fd[0], EPOLLIN);
	struct timespec ts = sc_limit(s);
	struct epoll_event ev;

	return sc_ret(syscall(SYS_epoll_pwait2, ep, &ev, 1,
			      s->c->arg[0] ? &ts : NULL, NULL, _NSIG / 8));
}

/* @arg[0]: flags of the eventfd */
static int prep_eventfd(struct sc *s)
{
	s->fd[0] = eventfd(0, EFD_CLOEXEC | s->c->arg[0]);
	return s->fd[0] < 0 ? -errno : 0;
}

static int prep_eventfd_full(struct sc *s)
{
	uint64_t most = UINT64_MAX - 1;
	int err = prep_eventfd(s);

	if (err)
		return err;
	return write(s->fd[0], &most, 8) == 8 ? 0 : -errno;
}

static void add_two(struct sc *s)
{
	uint64_t two = 2;

	if (write(s->fd[0], &two, 8) != 8)
		s->val[3] = errno;
}

static void take_count(struct sc *s)
{
	uint64_t count;

	if (read(s->fd[0], &count, 8) != 8)
		s->val[3] = errno;
}

static long call_read_count(struct sc *s)
{
	uint64_t count = 0;
	long ret = sc_ret(read(s->fd[0], &count, 8));

	return ret < 0 ? ret : (long)count;
}

static long call_write_count(struct sc *s)
{
	uint64_t one = 1;

	return sc_ret(write(s->fd[0], &one, 8));
}

/* @arg[0]: the clock, [1]: absolute */
static int prep_timerfd(struct sc *s)
{
	s->fd[0] = timerfd_create(s->c->arg[0], TFD_CLOEXEC);
	return s->fd[0] < 0 ? -errno : 0;
}

static long call_timerfd(struct sc *s)
{
	struct itimerspec it = {
		.it_value = s->c->arg[1] ? sc_deadline(s, s->c->arg[0]) :
			    sc_limit(s),
	};

	if (timerfd_settime(s->fd[0], s->c->arg[1] ? TFD_TIMER_ABSTIME : 0,
			    &it, NULL))
		return -errno;
	return call_read_count(s);
}

static void fire_timerfd(struct sc *s)
{
	struct itimerspec it = { .it_value.tv_nsec = 1 };

	timerfd_settime(s->fd[0], 0, &it, NULL);
}

static long call_signalfd(struct sc *s)
{
	sigset_t set = set_of(SIGUSR2);
	struct signalfd_siginfo info = {};
	struct pollfd pfd = { .events = POLLIN };
	long ret;

	block_usr2();
	pfd.fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (pfd.fd < 0)
		return -errno;
	if (s->c->arg[0])
		return sc_ret(poll(&pfd, 1, -1));
	ret = sc_ret(read(pfd.fd, &info, sizeof(info)));
	return ret == sizeof(info) && info.ssi_signo != SIGUSR2 ? SC_TORN : ret;
}

#define SLEEP(clock, abs) \
	{ "clock_nanosleep " #clock " " #abs, NULL, call_clock_nanosleep, \
	  .end = sc_signal, .want = -EINTR, .late = 0, .flags = SC_TIMED, \
	  .arg = { clock, !strcmp(#abs, "absolute") } }

#define TIMER(clock, abs) \
	{ "timerfd " #clock " " #abs, prep_timerfd, call_timerfd, \
	  .end = fire_timerfd, .want = 1, .late = 1, .flags = SC_TIMED, \
	  .unfed = SC_ASLEEP, .arg = { clock, !strcmp(#abs, "absolute") } }

#define PIPED(text, fn, ...) \
	{ text, sc_prep_pipe, fn, .end = sc_put, .queue = sc_queue, .fed = 1, \
	  .want = 1, __VA_ARGS__ }

static const struct sc_case cases[] = {
	/* select() first: it knows no descriptor above 1023. */
	PIPED("select", call_select, .arg = { 0, 1 }),
	PIPED("select and read", call_select_read, .arg = { 0, 1 }),
	PIPED("select with a limit", call_select, .flags = SC_TIMED,
	      .arg = { 1, 1 }),
	PIPED("pselect6", call_pselect),
	PIPED("pselect6 with a limit", call_pselect, .flags = SC_TIMED,
	      .arg = { 1 }),
	{ "select of nothing", NULL, call_select, .end = sc_signal,
	  .want = -EINTR, .flags = SC_TIMED, .arg = { 1, 0 } },
	{ "pause", NULL, call_pause, .end = sc_signal, .want = -EINTR,
	  .unfed = SC_ASLEEP },
	{ "rt_sigsuspend", NULL, call_sigsuspend, .end = sc_signal,
	  .want = -EINTR, .unfed = SC_ASLEEP },
	{ "sigwaitinfo", NULL, call_sigwaitinfo, .end = send_usr2,
	  .want = SIGUSR2 },
	{ "sigtimedwait", NULL, call_sigtimedwait, .end = send_usr2,
	  .want = SIGUSR2, .late = -EAGAIN, .flags = SC_TIMED },
	{ "sigwaitinfo, interrupted", NULL, call_sigwaitinfo,
	  .end = sc_signal, .want = -EINTR },
	{ "setitimer and pause", NULL, call_alarm, .end = sc_signal,
	  .want = -EINTR, .late = -EINTR, .flags = SC_TIMED,
	  .unfed = SC_ASLEEP },
	{ "timer_create CLOCK_MONOTONIC", NULL, call_posix_timer,
	  .end = send_usr2, .want = SIGUSR2, .late = SIGUSR2,
	  .flags = SC_TIMED, .arg = { CLOCK_MONOTONIC } },
	{ "timer_create CLOCK_REALTIME", NULL, call_posix_timer,
	  .end = send_usr2, .want = SIGUSR2, .late = SIGUSR2,
	  .flags = SC_TIMED, .arg = { CLOCK_REALTIME } },
	{ "nanosleep", NULL, call_nanosleep, .end = sc_signal,
	  .want = -EINTR, .flags = SC_TIMED },
	SLEEP(CLOCK_MONOTONIC, relative),
	SLEEP(CLOCK_MONOTONIC, absolute),
	SLEEP(CLOCK_REALTIME, relative),
	SLEEP(CLOCK_REALTIME, absolute),
	SLEEP(CLOCK_BOOTTIME, relative),
	SLEEP(CLOCK_BOOTTIME, absolute),
	SLEEP(CLOCK_TAI, relative),
	SLEEP(CLOCK_TAI, absolute),
	PIPED("poll", call_poll, .arg = { 0, 1 }),
	PIPED("poll and read", call_poll_read, .arg = { 0, 1 }),
	PIPED("poll with a limit", call_poll, .flags = SC_TIMED,
	      .arg = { 1, 1 }),
	{ "poll of nothing", NULL, call_poll, .end = sc_signal,
	  .want = -EINTR, .flags = SC_TIMED, .arg = { 1, 0 } },
	{ "poll for room", sc_prep_pipe_full, call_poll, .end = sc_drain,
	  .want = 1, .arg = { 0, 1, POLLOUT } },
	PIPED("ppoll", call_ppoll),
	PIPED("ppoll with a limit", call_ppoll, .flags = SC_TIMED,
	      .arg = { 1 }),
	PIPED("epoll_wait", call_epoll),
	PIPED("epoll_wait and read", call_epoll_read),
	PIPED("epoll_wait with a limit", call_epoll, .flags = SC_TIMED,
	      .arg = { 1 }),
	PIPED("epoll_wait, edge-triggered", call_epoll,
	      .arg = { 0, EPOLLET }),
	PIPED("epoll_wait, one-shot", call_epoll, .arg = { 0, EPOLLONESHOT }),
	PIPED("epoll_wait, exclusive", call_epoll,
	      .arg = { 0, EPOLLEXCLUSIVE }),
	PIPED("epoll_wait of an epoll of an epoll", call_epoll,
	      .arg = { 0, 0, 2 }),
	PIPED("epoll_pwait", call_epoll_pwait),
	PIPED("epoll_pwait with a limit", call_epoll_pwait,
	      .flags = SC_TIMED, .arg = { 1 }),
	PIPED("epoll_pwait2", call_epoll_pwait2),
	PIPED("epoll_pwait2 with a limit", call_epoll_pwait2,
	      .flags = SC_TIMED, .arg = { 1 }),
	{ "eventfd read", prep_eventfd, call_read_count, .end = add_two,
	  .want = 2, .unfed = SC_ASLEEP },
	{ "eventfd read of a semaphore", prep_eventfd, call_read_count,
	  .end = add_two, .want = 1, .arg = { EFD_SEMAPHORE },
	  .unfed = SC_ASLEEP },
	{ "eventfd write", prep_eventfd_full, call_write_count,
	  .end = take_count, .want = 8, .unfed = SC_ASLEEP },
	{ "eventfd poll", prep_eventfd, call_poll, .end = add_two, .want = 1,
	  .arg = { 0, 1 } },
	TIMER(CLOCK_MONOTONIC, relative),
	TIMER(CLOCK_MONOTONIC, absolute),
	TIMER(CLOCK_REALTIME, relative),
	TIMER(CLOCK_REALTIME, absolute),
	TIMER(CLOCK_BOOTTIME, relative),
	TIMER(CLOCK_BOOTTIME, absolute),
	{ "signalfd read", NULL, call_signalfd, .end = send_usr2,
	  .want = sizeof(struct signalfd_siginfo), .unfed = SC_ASLEEP,
	  .unguarded = "signalfd loses the fake signal, and the guard is refused" },
	{ "signalfd poll", NULL, call_signalfd, .end = send_usr2, .want = 1,
	  .arg = { 1 } },
};

SC_TOPIC(sc_sleep, cases);
