// SPDX-License-Identifier: GPL-2.0
/*
 * A job is started in a cgroup of the v1 freezer hierarchy, frozen twice for
 * seconds and many times for a moment, thawed, and must come to the right
 * result. All is measured from outside, and each claim is checked:
 *
 *   - while it runs, the job moves and the CPUs are busy;
 *   - a write of FROZEN succeeds, and the state is FROZEN when it returns;
 *   - while FROZEN, the state stays FROZEN, no task uses CPU time, reads,
 *     writes, comes or goes, no file grows, and the CPUs are idle;
 *   - after a write of THAWED the job goes on;
 *   - its results are those of a job that was never disturbed.
 *
 * During the second freeze the machine is suspended and resumed, and the job must
 * stand still after it, too; demo.suspend=freeze on the kernel command line says
 * how (default: to memory), demo.suspend=0 leaves it out.
 *
 * The exit status is 0 if everything was as claimed; the last line says PASS
 * or FAIL and why.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

#define DEMO_DIR	"/demo"
#define TICK		0.25	/* seconds between two looks at the job */
#define LINE_INTERVAL	0.95	/* a second, less what a tick may be early */
#define FREEZE_SECONDS	3.0
#define FREEZE_LIMIT	15.0	/* the kernel's own limit is 10 s */
#define GO_ON_LIMIT	10.0
#define TOTAL_LIMIT	200.0
#define MAX_ROUNDS	16
#define ROUND_GEN_SECONDS	0.2	/* see choose_rounds() */
#define QUICK_FREEZES	20

/*
 * FROZEN lets a system call that is under way end in the kernel. So at first
 * each task may complete one read or write and use a little CPU time for it.
 * Once nothing moved for a moment there is nothing left that could.
 */
#define SETTLE		0.25
#define SETTLE_LIMIT	1.0
#define SETTLE_CPU_NS	20000000

#define SLEEP_SECONDS	3	/* of a suspend */

#define BUSY_AT_LEAST	0.5	/* of all CPUs, while the job runs */
#define BUSY_AT_MOST	0.1	/* while it is frozen, this program apart */

struct job job = {
	.work = DEMO_DIR "/work",
	.cgroup = "/sys/fs/cgroup/freezer/demo",
};

/* How a write to a file went. */
struct written {
	int err;
	double took;
	enum state after;	/* freezer.state, read at once */
};

static const char *suspend_how = "1";
static pid_t job_pid;
static bool job_running;
static sigset_t stop_signals;	/* blocked, and looked for at each tick */
static int job_status;
static double last_tick;
static struct cpu_time last_cpu;

static bool expect_frozen;
static int nr_not_frozen;	/* times that another state was read meanwhile */
static int nr_freezes;
static double slowest_freeze;
static double stood_still;

/* What was not as claimed; the first few are told at the end once more. */
static char reasons[5][160];
static int nr_failed;

static void give_up(void);

/* Something happened: a line of its own. */
static void __printf(1, 2) tell(const char *fmt, ...)
{
	va_list ap;

	printf("[%7.3f] ", now());
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* How far the job is: a line a second. */
static void print_progress(double cpu_busy)
{
	static double next;
	int p;

	if (now() < next)
		return;
	next = now() + LINE_INTERVAL;
	printf("[%7.3f] %-8s", now(), state_name(job.state));
	for (p = 0; p < job.nr_parts; p++)
		printf("  %s %3d%%", job.parts[p].name,
		       (int)(part_fraction(&job.parts[p]) * 100 + 0.001));
	printf("  CPUs %3d%%\n", (int)(cpu_busy * 100 + 0.5));
	fflush(stdout);
}

/* Something was not as claimed. */
static void __printf(1, 2) failed(const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	tell("FAILED: %s", text);
	if (nr_failed < (int)ARRAY_SIZE(reasons))
		memcpy(reasons[nr_failed], text, sizeof(text));
	nr_failed++;
}

static int verdict(void)
{
	int told = (int)ARRAY_SIZE(reasons);
	int i;

	if (nr_failed < told)
		told = nr_failed;
	if (!nr_failed) {
		printf("PASS: frozen %d times (slowest %.2f ms), still for %.1f s, results right\n",
		       nr_freezes, slowest_freeze * 1e3, stood_still);
	} else {
		printf("FAIL: ");
		for (i = 0; i < told; i++)
			printf("%s%s", i ? "; " : "", reasons[i]);
		if (nr_failed > told)
			printf("; and %d more", nr_failed - told);
		putchar('\n');
	}
	fflush(stdout);
	/* The machine may be off a moment after this. */
	tcdrain(STDOUT_FILENO);

	return nr_failed ? 1 : 0;
}

/* One look at the job. */
static void tick(void)
{
	static const struct timespec no_time;
	static bool giving_up;
	struct cpu_time cpu;
	bool interrupted;
	enum state state;

	last_tick = now();
	state = read_state();
	job.state = state;
	if (expect_frozen && state != STATE_FROZEN)
		nr_not_frozen++;
	measure_parts();
	read_cpu_time(&cpu);
	print_progress(busy_share(&last_cpu, &cpu));
	last_cpu = cpu;

	if (job_running && waitpid(job_pid, &job_status, WNOHANG) == job_pid)
		job_running = false;

	if (giving_up)
		return;
	interrupted = sigtimedwait(&stop_signals, NULL, &no_time) > 0;
	if (interrupted || now() > TOTAL_LIMIT) {
		giving_up = true;
		if (interrupted)
			failed("interrupted");
		else
			failed("not done after %.0f s", TOTAL_LIMIT);
		give_up();
	}
}

/* Look on until a moment, or until the job is so far. */
static void watch(double until, double fraction)
{
	while (now() < until && job_fraction() < fraction) {
		double next = last_tick + TICK;

		sleep_until(next < until ? next : until);
		if (now() >= next)
			tick();
	}
}

/*
 * Write to a file that may block, and look on meanwhile. The write is done by
 * a child, so that one that never returns cannot take this program with it.
 */
static void write_and_watch(const char *path, const char *text, double limit,
			    struct written *w)
{
	double begin = now();
	bool told = false;
	struct pollfd pfd;
	int pipefd[2];
	pid_t pid;

	memset(w, 0, sizeof(*w));
	if (pipe(pipefd)) {
		w->err = -errno;
		return;
	}
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		w->err = -errno;
		close(pipefd[0]);
		close(pipefd[1]);
		return;
	}
	if (!pid) {
		int fd = open(path, O_WRONLY);

		begin = now();
		if (fd < 0 || write(fd, text, strlen(text)) < 0)
			w->err = -errno;
		w->took = now() - begin;
		w->after = read_state();
		if (write(pipefd[1], w, sizeof(*w)) != sizeof(*w))
			_exit(1);
		_exit(0);
	}

	close(pipefd[1]);
	pfd.fd = pipefd[0];
	pfd.events = POLLIN;
	while (!poll(&pfd, 1, TICK * 1000)) {
		tick();
		if (now() - begin > limit) {
			kill(pid, SIGKILL);
			w->err = -ETIMEDOUT;
			w->took = now() - begin;
			w->after = job.state;
			told = true;
			break;
		}
	}
	if (!told && read(pipefd[0], w, sizeof(*w)) != sizeof(*w))
		w->err = -EIO;
	close(pipefd[0]);
	/* A killed writer that does not die is left behind. */
	waitpid(pid, NULL, told ? WNOHANG : 0);
}

static void write_state(const char *text, struct written *w)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/freezer.state", job.cgroup);
	write_and_watch(path, text, FREEZE_LIMIT, w);
}

/* Show which tasks keep the group from FROZEN, if the kernel tells. */
static void show_blockers(void)
{
	char *line, *save;
	char buf[1024];

	if (cgroup_read("freezer.blockers", buf, sizeof(buf)) <= 0)
		return;
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		tell("  blocker: %s", line);
}

/* The value of a key of freezer.stat, or -1. */
static long long stat_value(const char *key)
{
	size_t len = strlen(key);
	char *line, *save;
	char buf[2048];

	if (cgroup_read("freezer.stat", buf, sizeof(buf)) <= 0)
		return -1;
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, key, len) && line[len] == ' ')
			return atoll(line + len);

	return -1;
}

/*
 * A round of the job takes 20 seconds on an emulated machine. A real one does
 * several rounds in this time: how fast is it? Return the number of rounds.
 */
static int choose_rounds(void)
{
	struct rusage usage;
	double took;
	pid_t pid;
	int fd;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return 1;
	if (!pid) {
		fd = open("/dev/null", O_WRONLY);
		if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
			_exit(126);
		execl(DEMO_DIR "/bin/gen", "gen", "1", "50000", NULL);
		_exit(127);
	}
	if (wait4(pid, NULL, 0, &usage) != pid)
		return 1;
	took = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	if (took * MAX_ROUNDS < ROUND_GEN_SECONDS)
		return MAX_ROUNDS;
	if (took * 2 > ROUND_GEN_SECONDS)
		return 1;

	return ROUND_GEN_SECONDS / took;
}

/* Start the job in its cgroup. */
static void start_job(void)
{
	char path[512];
	char rounds[16];
	int fd;

	fflush(stdout);
	job_pid = fork();
	if (job_pid < 0) {
		failed("fork: %s", strerror(errno));
		give_up();
	}
	if (!job_pid) {
		setsid();
		sigprocmask(SIG_UNBLOCK, &stop_signals, NULL);
		/* What it says goes to a file of its own. */
		snprintf(path, sizeof(path), "%s/log", job.work);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (fd < 0)
			_exit(126);
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		close(fd);
		fd = open("/dev/null", O_RDONLY);
		if (fd > 0) {
			dup2(fd, STDIN_FILENO);
			close(fd);
		}
		setenv("PATH", DEMO_DIR "/bin", 1);
		snprintf(path, sizeof(path), "%s/tasks", job.cgroup);
		if (write_text(path, "0"))
			_exit(125);
		snprintf(rounds, sizeof(rounds), "%d", job.rounds);
		execl(DEMO_DIR "/bin/sh", "sh", DEMO_DIR "/job.sh", job.work,
		      rounds, NULL);
		_exit(127);
	}
	job_running = true;
}

/* The job must have moved, and kept the CPUs busy, since the snapshot. */
static void check_running(const struct snapshot *from, const char *when)
{
	static struct snapshot to;
	struct change change;
	double busy;

	take_snapshot(&to);
	compare_snapshots(from, &to, &change);
	busy = busy_share(&from->cpu, &to.cpu);
	tell("the job runs: %d tasks, CPUs %.0f %% busy, files grew by %.1f MB",
	     to.nr, busy * 100, change.file_bytes / 1e6);
	if (busy < BUSY_AT_LEAST)
		failed("CPUs only %.0f %% busy %s", busy * 100, when);
	if (!change.file_bytes)
		failed("no progress %s", when);
	if (!job_running)
		failed("the job has ended too early, status %#x", job_status);
}

/*
 * Write FROZEN. Return true if the job is FROZEN, if need be because it became
 * so later than it was promised.
 */
static bool freeze_job(int nr)
{
	struct written w;
	double begin;

	tick();
	tell("freeze %d: writing FROZEN to freezer.state", nr);
	begin = now();
	write_state("FROZEN", &w);
	tick();
	if (w.err) {
		failed("freeze %d: the write of FROZEN failed after %.2f ms: %s",
		       nr, w.took * 1e3, strerror(-w.err));
		show_blockers();
	} else {
		tell("freeze %d: the write returned after %.2f ms; state %s",
		     nr, w.took * 1e3, state_name(w.after));
	}
	nr_freezes++;
	if (w.took > slowest_freeze)
		slowest_freeze = w.took;
	if (w.after == STATE_FROZEN) {
		if (stat_value("nr_tasks") >= 0)
			tell("  %lld tasks: %lld parked, %lld frozen in place, %lld asleep",
			     stat_value("nr_tasks"),
			     stat_value("nr_parked"),
			     stat_value("nr_in_place"),
			     stat_value("nr_asleep"));
		return true;
	}

	if (!w.err)
		failed("freeze %d: the write returned while the state was %s",
		       nr, state_name(w.after));
	while (job.state != STATE_FROZEN && now() - begin < FREEZE_LIMIT) {
		sleep_until(now() + 0.001);
		tick();
	}
	if (job.state != STATE_FROZEN) {
		failed("freeze %d: not FROZEN after %.0f s", nr, FREEZE_LIMIT);
		show_blockers();
		return false;
	}
	tell("freeze %d: FROZEN was read %.2f ms after the write", nr,
	     (now() - begin) * 1e3);

	return true;
}

static bool has_moved(const struct change *c)
{
	return c->gone || c->born || c->cpu_ns || c->calls || c->bytes ||
	       c->file_bytes;
}

/* For some time nothing of the job may move. */
static void stand_still(const char *name, double seconds)
{
	static struct snapshot first, settled, last;
	struct change early, late, moment;
	double begin = now();
	double busy;

	nr_not_frozen = 0;
	expect_frozen = true;
	take_snapshot(&first);
	last = first;
	do {
		settled = last;
		watch(now() + SETTLE, 2);
		take_snapshot(&last);
		compare_snapshots(&settled, &last, &moment);
	} while (has_moved(&moment) && now() < begin + SETTLE_LIMIT);
	settled = last;
	watch(begin + seconds, 2);
	take_snapshot(&last);
	expect_frozen = false;
	compare_snapshots(&first, &settled, &early);
	compare_snapshots(&settled, &last, &late);
	busy = busy_share(&settled.cpu, &last.cpu);

	tell("%s: FROZEN for %.1f s; CPUs %.1f %% idle", name,
	     now() - begin, (1 - busy) * 100);
	tell("  the job used %.3f ms of CPU, read and wrote %llu bytes,",
	     (early.cpu_ns + late.cpu_ns) / 1e6,
	     early.bytes + late.bytes);
	tell("  and its files grew by %llu bytes",
	     early.file_bytes + late.file_bytes);

	if (nr_not_frozen)
		failed("%s: another state than FROZEN was read %d times", name,
		       nr_not_frozen);
	if (early.gone || early.born || late.gone || late.born)
		failed("%s: %d tasks left and %d came while FROZEN", name,
		       early.gone + late.gone, early.born + late.born);
	if (early.max_calls > 1)
		failed("%s: one task completed %llu calls while FROZEN", name,
		       early.max_calls);
	if (early.cpu_ns > SETTLE_CPU_NS)
		failed("%s: %.1f ms of CPU used just after FROZEN (%s)", name,
		       early.cpu_ns / 1e6, early.who);
	if (late.cpu_ns)
		failed("%s: %.3f ms of CPU used while FROZEN (%s)", name,
		       late.cpu_ns / 1e6, late.who);
	if (late.bytes || late.calls)
		failed("%s: %llu bytes read or written while FROZEN", name,
		       late.bytes);
	if (late.file_bytes)
		failed("%s: files grew by %llu bytes while FROZEN", name,
		       late.file_bytes);
	if (busy > BUSY_AT_MOST)
		failed("%s: CPUs %.1f %% busy while FROZEN", name, busy * 100);

	stood_still += now() - begin;
}

/* Write THAWED, and see the job go on. */
static void thaw_job(int nr)
{
	static struct snapshot from, to;
	struct change change;
	struct written w;
	double begin;

	sample_tasks(&from);
	begin = now();
	write_state("THAWED", &w);
	if (w.err) {
		failed("thaw %d: the write of THAWED failed: %s", nr,
		       strerror(-w.err));
		give_up();
	}
	if (w.after != STATE_THAWED)
		failed("thaw %d: the state is %s", nr, state_name(w.after));
	do {
		sample_tasks(&to);
		compare_snapshots(&from, &to, &change);
		if (change.cpu_ns || change.gone || change.born) {
			begin = now() - begin;
			tick();
			tell("thaw %d: the write took %.2f ms; it goes on within %.0f ms",
			     nr, w.took * 1e3, begin * 1e3);
			return;
		}
		sleep_until(now() + 0.001);
		if (now() > last_tick + TICK)
			tick();
	} while (now() - begin < GO_ON_LIMIT);

	failed("thaw %d: the job did not go on in %.0f s", nr, GO_ON_LIMIT);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Many freezes of a moment each: a freeze is no matter of luck. */
static void freeze_often(void)
{
	double took[QUICK_FREEZES];
	int errors = 0, early = 0;
	struct written w;
	int i;

	for (i = 0; i < QUICK_FREEZES; i++) {
		write_state("FROZEN", &w);
		took[i] = w.took;
		if (w.err)
			errors++;
		else if (w.after != STATE_FROZEN)
			early++;
		sleep_until(now() + 0.01);
		write_state("THAWED", &w);
		if (w.err || w.after != STATE_THAWED)
			errors++;
		sleep_until(now() + 0.02);
		if (now() > last_tick + TICK)
			tick();
	}
	nr_freezes += QUICK_FREEZES;
	qsort(took, QUICK_FREEZES, sizeof(took[0]), compare_doubles);
	if (took[QUICK_FREEZES - 1] > slowest_freeze)
		slowest_freeze = took[QUICK_FREEZES - 1];
	tick();
	tell("%d quick freezes: FROZEN when the write returned: %d times",
	     QUICK_FREEZES, QUICK_FREEZES - early - errors);
	tell("  fastest %.2f ms, median %.2f ms, slowest %.2f ms",
	     took[0] * 1e3, took[QUICK_FREEZES / 2] * 1e3,
	     took[QUICK_FREEZES - 1] * 1e3);
	if (errors)
		failed("quick freezes: %d writes failed", errors);
	if (early)
		failed("quick freezes: %d of %d writes of FROZEN returned before FROZEN",
		       early, QUICK_FREEZES);
}

static double seconds_asleep(void)
{
	struct timespec mono, boot;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_BOOTTIME, &boot);

	return boot.tv_sec - mono.tv_sec + (boot.tv_nsec - mono.tv_nsec) / 1e9;
}

/*
 * Be woken some seconds from now. An alarm that comes before the machine sleeps
 * makes the suspend fail, so that it does not sleep for ever.
 */
static int set_alarm(int seconds)
{
	static const char alarm_file[] = "/sys/class/rtc/rtc0/wakealarm";
	static const char count_file[] = "/sys/power/wakeup_count";
	char text[64];
	int err;

	if (read_text(count_file, text, sizeof(text)) <= 0)
		return -EIO;
	err = write_text(count_file, text) ?: write_text(alarm_file, "0");
	snprintf(text, sizeof(text), "+%d", seconds);
	return err ?: write_text(alarm_file, text);
}

/*
 * Suspend the machine while the job is frozen. It is woken by its clock; where
 * it has none that can, the kernel's own test of suspend must do.
 */
static void suspend_machine(void)
{
	static const char test_file[] = "/sys/power/pm_test";
	static struct snapshot before, after;
	const char *how = suspend_how;
	const char *level = "";
	struct change change;
	bool testing = false;
	struct written w;
	char offered[64];
	double asleep;

	if (read_text("/sys/power/state", offered, sizeof(offered)) <= 0) {
		tell("suspend: this kernel cannot suspend: left out");
		return;
	}
	if (!strcmp(how, "1"))
		how = strstr(offered, "mem") ? "mem" : "freeze";
	if (!strstr(offered, how)) {
		tell("suspend: this machine does not offer %s: left out",
		     how);
		return;
	}

	if (set_alarm(SLEEP_SECONDS)) {
		/* As far down as this kind of suspend can be tested. */
		level = strcmp(how, "freeze") ? "core" : "platform";
		if (write_text(test_file, level)) {
			tell("suspend: nothing would wake this machine: left out");
			return;
		}
		testing = true;
	}

	take_snapshot(&before);
	if (testing)
		tell("suspend: writing %s to /sys/power/state (pm_test=%s)",
		     how, level);
	else
		tell("suspend: writing %s to /sys/power/state; the clock will wake us",
		     how);
	asleep = seconds_asleep();
	write_and_watch("/sys/power/state", how, 60, &w);
	/* The alarm was too early: this machine is slow. */
	if (w.err == -EBUSY && !testing && !set_alarm(10 * SLEEP_SECONDS))
		write_and_watch("/sys/power/state", how, 60, &w);
	asleep = seconds_asleep() - asleep;
	if (asleep < 0.001)
		asleep = 0;
	if (testing)
		write_text(test_file, "none");
	if (w.err) {
		failed("suspend: %s", strerror(-w.err));
		return;
	}
	take_snapshot(&after);
	compare_snapshots(&before, &after, &change);
	tell("suspend: back after %.1f s, %.1f s of them asleep; state %s",
	     w.took + asleep, asleep, state_name(w.after));
	if (w.after != STATE_FROZEN)
		failed("suspend: the state is %s after it",
		       state_name(w.after));
	tell("  the job used %.3f ms of CPU, read and wrote %llu bytes",
	     change.cpu_ns / 1e6, change.bytes);
	/*
	 * The system freezer wakes who sleeps in a call that cannot be frozen:
	 * the call ends in the kernel, to start over after the thaw.
	 */
	if (change.gone || change.born || change.bytes || change.file_bytes ||
	    change.max_calls > 1 || change.cpu_ns > SETTLE_CPU_NS)
		failed("suspend: the job moved: %.3f ms of CPU, %llu bytes (%s)",
		       change.cpu_ns / 1e6, change.bytes + change.file_bytes,
		       change.who);
	if (!testing && asleep < 0.5)
		failed("suspend: the machine did not sleep");

	stand_still("after suspend", FREEZE_SECONDS);
}

static bool result_is_right(const struct part *part)
{
	char path[512];
	char buf[256];
	int round;

	for (round = 1; round <= job.rounds; round++) {
		snprintf(path, sizeof(path), "%s/%s/%d.sum", job.work,
			 part->name, round);
		if (read_text(path, buf, sizeof(buf)) < 64) {
			failed("%s: no result", part->name);
			return false;
		}
		buf[64] = '\0';
		if (strcmp(buf, part->sum)) {
			failed("%s: wrong result", part->name);
			tell("  it is     %s", buf);
			tell("  should be %s", part->sum);
			return false;
		}
	}

	return true;
}

/* The job has ended: are its results right? */
static void check_results(void)
{
	struct part *part;
	char path[512];
	char buf[256];
	int right = 0;

	if (job_running) {
		failed("the job did not end");
		return;
	}
	if (!WIFEXITED(job_status) || WEXITSTATUS(job_status))
		failed("the job ended with status %#x", job_status);

	for (part = job.parts; part < job.parts + job.nr_parts; part++) {
		if (!result_is_right(part))
			continue;
		tell("result of %-6s %.32s... right", part->name,
		     part->sum);
		right++;
	}
	if (right == job.nr_parts)
		return;
	snprintf(path, sizeof(path), "%s/log", job.work);
	if (read_text(path, buf, sizeof(buf)) > 0)
		tell("the job said: %s", buf);
}

/* Nothing may be left behind, however it went. */
static void remove_job(void)
{
	double limit = now() + 5;
	char path[512];
	char pid[32];
	FILE *f;

	snprintf(path, sizeof(path), "%s/freezer.state", job.cgroup);
	write_text(path, "THAWED");
	snprintf(path, sizeof(path), "%s/tasks", job.cgroup);
	while (rmdir(job.cgroup) && errno == EBUSY && now() < limit) {
		f = fopen(path, "re");
		while (f && fgets(pid, sizeof(pid), f))
			kill(atoi(pid), SIGKILL);
		if (f)
			fclose(f);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		sleep_until(now() + 0.02);
	}
	if (!access(job.cgroup, F_OK))
		failed("%s could not be removed", job.cgroup);
}

static void give_up(void)
{
	remove_job();
	exit(verdict());
}

/* Even this program may hang, in a read of /proc for instance. */
static void too_late(int sig)
{
	static const char text[] = "\nFAIL: time limit; the demonstration hangs\n";

	(void)sig;
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(3);
	_exit(2);
}

static bool load_parts(void)
{
	unsigned long long total;
	char line[256];
	FILE *f;

	f = fopen(DEMO_DIR "/parts", "re");
	if (!f)
		return false;
	while (job.nr_parts < MAX_PARTS && fgets(line, sizeof(line), f)) {
		struct part *part = &job.parts[job.nr_parts];

		if (line[0] == '#')
			continue;
		if (sscanf(line, "%15s %llu %64s", part->name, &total,
			   part->sum) != 3 || !total)
			continue;
		part->total = total;
		job.nr_parts++;
	}
	fclose(f);

	return job.nr_parts > 0;
}

/* The value of a parameter of the kernel command line, or NULL. */
static const char *kernel_parameter(const char *name)
{
	static char buf[4096];
	static char value[64];
	size_t len = strlen(name);
	char *word, *save;

	if (read_text("/proc/cmdline", buf, sizeof(buf)) <= 0)
		return NULL;
	for (word = strtok_r(buf, "\n ", &save); word;
	     word = strtok_r(NULL, "\n ", &save)) {
		if (strncmp(word, name, len) || word[len] != '=')
			continue;
		snprintf(value, sizeof(value), "%s", word + len + 1);
		return value;
	}

	return NULL;
}

static void demonstrate(void)
{
	static struct snapshot from;

	start_job();
	tick();
	take_snapshot(&from);
	tell("the job is started in %s", job.cgroup);
	if (job.rounds > 1)
		tell("it does everything %d times: this machine is fast",
		     job.rounds);
	watch(TOTAL_LIMIT, 0.25);
	check_running(&from, "before the first freeze");

	if (!freeze_job(1))
		give_up();
	stand_still("freeze 1", FREEZE_SECONDS);
	take_snapshot(&from);
	thaw_job(1);
	watch(TOTAL_LIMIT, 0.45);
	check_running(&from, "between the freezes");

	if (!freeze_job(2))
		give_up();
	stand_still("freeze 2", FREEZE_SECONDS);
	if (suspend_how)
		suspend_machine();
	thaw_job(2);
	watch(TOTAL_LIMIT, 0.6);

	freeze_often();
	if (!job_running)
		failed("the job ended during the freezes: it is too short");
	while (job_running && now() < TOTAL_LIMIT)
		watch(now() + TICK, 2);
	tell("the job has ended");
	check_results();
	remove_job();
}

int main(void)
{
	struct utsname uts;
	const char *value;

	value = kernel_parameter("demo.suspend");
	if (value)
		suspend_how = strcmp(value, "0") ? strdup(value) : NULL;

	signal(SIGALRM, too_late);
	sigaddset(&stop_signals, SIGINT);
	sigaddset(&stop_signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop_signals, NULL);
	alarm(TOTAL_LIMIT + 60);
	now();
	if (!load_parts()) {
		fprintf(stderr, "demo: " DEMO_DIR "/parts: no parts\n");
		return 2;
	}
	uname(&uts);
	tell("cgroup freezer, Linux %.32s, %ld CPUs", uts.release,
	     sysconf(_SC_NPROCESSORS_ONLN));

	if (mkdir(job.cgroup, 0755)) {
		failed("%s: %s", job.cgroup, strerror(errno));
		return verdict();
	}
	if (!cgroup_file_exists("freezer.state"))
		failed("%s: this is no freezer hierarchy", job.cgroup);
	else if (!cgroup_file_exists("freezer.stat"))
		tell("no freezer.stat: this is the kernel's own freezer, not ours");
	if (access("/proc/self/io", R_OK))
		failed("no /proc/<pid>/io: CONFIG_TASK_IO_ACCOUNTING is not set");
	job.rounds = choose_rounds();
	read_cpu_time(&last_cpu);
	if (!nr_failed)
		demonstrate();
	else
		remove_job();

	return verdict();
}
