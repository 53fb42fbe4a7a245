// SPDX-License-Identifier: GPL-2.0
/*
 * The demonstration: a job is started in a cgroup of the v1 freezer hierarchy,
 * frozen twice for seconds and many times for a moment, suspended with the
 * machine while it is frozen, thawed, and must come to the right results. The job
 * does not take part in this: what it does is seen from its files, and from what
 * the kernel counts for its tasks. Each claim is checked:
 *
 *   - while it runs, its files grow and the CPUs are busy;
 *   - a write of FROZEN succeeds, and the state is FROZEN when it returns;
 *   - while FROZEN, also over a suspend, the state stays FROZEN, no task uses CPU
 *     time, reads, writes, comes or goes, no file grows, and the CPUs are idle;
 *   - after a write of THAWED the job goes on;
 *   - its results are those of a job that was never disturbed.
 *
 * The last line says PASS, or FAIL and why; the exit status is 0 for PASS.
 */
/* With this __u64 is unsigned long long on each architecture. */
#define __SANE_USERSPACE_TYPES__

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
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
#include <linux/types.h>

#define DEMO	"/demo"
#define WORK	DEMO "/work"
#define CGROUP	"/sys/fs/cgroup/freezer/demo"

#define MAX_PARTS	8
#define TICK		0.25	/* seconds between two looks at the job */
#define LINE		0.95	/* seconds between two lines, less what a tick may be early */
#define FREEZE_SECONDS	3.0
#define FREEZE_LIMIT	15.0	/* the kernel's own limit is 10 s */
#define GO_ON_LIMIT	10.0
#define TOTAL_LIMIT	260
#define QUICK_FREEZES	20
#define SLEEP_SECONDS	3	/* of a suspend */
#define BUSY_AT_LEAST	0.5	/* share of all CPUs, while the job runs */
#define BUSY_AT_MOST	0.1	/* while it is frozen, this program apart */

/*
 * FROZEN lets a system call that is under way end in the kernel. So during this
 * time each task may complete one read or write, and use a little CPU time for it.
 */
#define SETTLE		1.0
#define SETTLE_CPU_NS	20000000

/* One part of the job, a line of the file "parts". */
static struct part {
	char name[16];
	unsigned long long total;	/* bytes of its files when a round is done */
	char sum[65];			/* the SHA-256 that a round must come to */
	int rounds;			/* that are done */
	unsigned long long bytes;	/* of the files of all rounds up to now */
} parts[MAX_PARTS];
static int nr_parts;

/* What the kernel has counted at one moment. */
struct sample {
	char tasks[4096];	/* the ids of the tasks of the job, a line each */
	int nr_tasks;
	__u64 cpu_ns;		/* of these tasks */
	__u64 calls;		/* read and write calls that have ended */
	__u64 bytes;		/* bytes read and written, pipes included */
	__u64 file_bytes;	/* of all files of the job */
	double busy, idle;	/* seconds of all CPUs, without those of this program */
};

static pid_t job_pid;
static int job_status;
static bool expect_frozen;
static int nr_not_frozen;	/* times that another state was read meanwhile */
static int nr_freezes;
static double slowest_freeze;
static double stood_still;
static char reasons[640];	/* what was not as claimed, said once more at the end */

static double now(void)
{
	static double start;
	struct timespec ts;
	double t;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	t = ts.tv_sec + ts.tv_nsec / 1e9;
	if (!start)
		start = t;
	return t - start;
}

static void sleep_for(double seconds)
{
	struct timespec ts = { .tv_sec = seconds };

	ts.tv_nsec = (seconds - ts.tv_sec) * 1e9;
	nanosleep(&ts, NULL);
}

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

/* Something was not as claimed. */
static void __printf(1, 2) failed(const char *fmt, ...)
{
	size_t len = strlen(reasons);
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tell("FAILED: %s", text);
	snprintf(reasons + len, sizeof(reasons) - len, "%s%s", len ? "; " : "", text);
}

static _Noreturn void finish(void)
{
	if (*reasons)
		printf("FAIL: %s\n", reasons);
	else
		printf("PASS: frozen %d times (slowest %.2f ms), still for %.1f s, results right\n",
		       nr_freezes, slowest_freeze * 1e3, stood_still);
	fflush(stdout);
	/* The machine may be off a moment after this. */
	tcdrain(STDOUT_FILENO);
	exit(*reasons != '\0');
}

static void too_late(int sig)
{
	static const char text[] = "\nFAIL: time limit; the demonstration hangs\n";

	(void)sig;
	_exit(write(STDOUT_FILENO, text, sizeof(text) - 1) < 0 ? 3 : 2);
}

/* Read a small file as a string. Return its length or -errno. */
static int read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : 1;
	size_t len = 0;

	while (n > 0 && len < size - 1) {
		n = read(fd, buf + len, size - 1 - len);
		if (n > 0)
			len += n;
	}
	buf[len] = '\0';
	if (n < 0)
		n = -errno;
	if (fd >= 0)
		close(fd);
	return n < 0 ? n : (int)len;
}

/* Write a string with one system call. Return 0 or -errno. */
static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		ret = -errno;
	if (fd >= 0)
		close(fd);
	return ret;
}

static const char *state(void)
{
	static char buf[64];

	if (read_text(CGROUP "/freezer.state", buf, sizeof(buf)) < 0)
		return "?";
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

static bool is_frozen(void)
{
	return !strcmp(state(), "FROZEN");
}

/* The value of a key of freezer.stat. The kernel's own freezer has no such file: -1. */
static long long stat_value(const char *key)
{
	long long value = -1, v;
	char name[64];
	FILE *f;

	f = fopen(CGROUP "/freezer.stat", "re");
	while (f && fscanf(f, "%63s %lld", name, &v) == 2)
		if (!strcmp(name, key))
			value = v;
	if (f)
		fclose(f);
	return value;
}

static __u64 directory_bytes(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	__u64 bytes = 0;
	struct stat st;

	while (dir && (entry = readdir(dir)))
		if (!fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode))
			bytes += st.st_size;
	if (dir)
		closedir(dir);
	return bytes;
}

/* How far is each part of the job? Return the bytes of all files. */
static __u64 measure_parts(void)
{
	unsigned long long bytes;
	struct part *part;
	__u64 all = 0;
	char path[64];

	for (part = parts; part < parts + nr_parts; part++) {
		/* A round has a result before its files go away. */
		for (;; part->rounds++) {
			snprintf(path, sizeof(path), WORK "/%s/%d.sum", part->name,
				 part->rounds + 1);
			if (access(path, F_OK))
				break;
		}
		snprintf(path, sizeof(path), WORK "/%s/%d", part->name, part->rounds + 1);
		bytes = part->rounds * part->total + directory_bytes(path);
		/* They may be on their way out while they are counted. */
		if (bytes > part->bytes)
			part->bytes = bytes;
		all += part->bytes;
	}
	return all;
}

static void read_cpu_time(double *busy, double *idle)
{
	unsigned long long user, nice, system, idling, iowait, irq, softirq;
	double hz = sysconf(_SC_CLK_TCK);
	struct rusage own;
	char buf[256];

	*busy = *idle = 0;
	read_text("/proc/stat", buf, sizeof(buf));
	if (sscanf(buf, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system,
		   &idling, &iowait, &irq, &softirq) != 7)
		return;
	getrusage(RUSAGE_SELF, &own);
	*busy = (user + nice + system + irq + softirq) / hz -
		own.ru_utime.tv_sec - own.ru_stime.tv_sec -
		(own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1e6;
	*idle = (idling + iowait) / hz;
}

/* The share of all CPUs, 0 to 1, that was used by anything else than this program. */
static double busy_share(double busy, double idle)
{
	return busy <= 0 ? 0 : busy / (busy + idle);
}

/* What the kernel has counted for the tasks alone: that is quick. */
static void sample_tasks(struct sample *s)
{
	unsigned long long ns, rchar, wchar, syscr, syscw;
	char path[64], buf[512];
	char *line, *end;

	memset(s, 0, sizeof(*s));
	read_text(CGROUP "/tasks", s->tasks, sizeof(s->tasks));
	for (line = s->tasks; (end = strchr(line, '\n')); line = end + 1) {
		int tid = atoi(line);

		s->nr_tasks++;
		snprintf(path, sizeof(path), "/proc/%d/schedstat", tid);
		read_text(path, buf, sizeof(buf));
		if (sscanf(buf, "%llu", &ns) == 1)
			s->cpu_ns += ns;
		snprintf(path, sizeof(path), "/proc/%d/io", tid);
		read_text(path, buf, sizeof(buf));
		if (sscanf(buf, "rchar: %llu wchar: %llu syscr: %llu syscw: %llu",
			   &rchar, &wchar, &syscr, &syscw) == 4) {
			s->bytes += rchar + wchar;
			s->calls += syscr + syscw;
		}
	}
}

static void sample(struct sample *s)
{
	sample_tasks(s);
	read_cpu_time(&s->busy, &s->idle);
	s->file_bytes = measure_parts();
}

/*
 * Has anything moved between two samples of a frozen job, other than what a call
 * that was under way may have done, if it may (@settling)?
 */
static void check_still(const char *name, const struct sample *a, const struct sample *b,
			bool settling)
{
	const char *when = settling ? "just after FROZEN" : "while FROZEN";
	__u64 cpu_ns = b->cpu_ns - a->cpu_ns, calls = b->calls - a->calls;

	if (strcmp(a->tasks, b->tasks))
		failed("%s: tasks came or left %s: %d, then %d", name, when, a->nr_tasks,
		       b->nr_tasks);
	else if (cpu_ns > (settling ? SETTLE_CPU_NS : 0))
		failed("%s: %.3f ms of CPU used %s", name, cpu_ns / 1e6, when);
	else if (calls > (settling ? (__u64)a->nr_tasks : 0))
		failed("%s: %llu reads and writes ended %s", name, calls, when);
	if (!settling && (b->bytes != a->bytes || b->file_bytes != a->file_bytes))
		failed("%s: %llu bytes read or written, files grew by %llu bytes %s", name,
		       b->bytes - a->bytes, b->file_bytes - a->file_bytes, when);
}

/* One look at the job, and once a second a line: its state, how much each part has written. */
static void tick(void)
{
	static double next, last_busy, last_idle;
	double busy, idle;
	const char *is = state();
	int p;

	if (expect_frozen && strcmp(is, "FROZEN"))
		nr_not_frozen++;
	if (job_pid > 0 && waitpid(job_pid, &job_status, WNOHANG) == job_pid)
		job_pid = 0;
	measure_parts();
	if (now() < next)
		return;
	next = now() + LINE;
	read_cpu_time(&busy, &idle);
	printf("[%7.3f] %-8s", now(), is);
	for (p = 0; p < nr_parts; p++)
		printf("  %s %.1f", parts[p].name, parts[p].bytes / 1e6);
	printf(" MB  CPUs %.0f %%\n", busy_share(busy - last_busy, idle - last_idle) * 100);
	fflush(stdout);
	last_busy = busy;
	last_idle = idle;
}

static void watch(double seconds)
{
	double until = now() + seconds, left;

	while ((left = until - now()) > 0) {
		sleep_for(left < TICK ? left : TICK);
		tick();
	}
}

static void start_job(void)
{
	int fd;

	fflush(stdout);
	job_pid = fork();
	if (job_pid < 0) {
		failed("fork: %s", strerror(errno));
		finish();
	}
	if (job_pid)
		return;
	setsid();
	/* What it says goes to a file of its own. */
	fd = open(WORK "/log", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0 ||
	    !freopen("/dev/null", "r", stdin) || write_text(CGROUP "/tasks", "0"))
		_exit(126);
	execl(DEMO "/bin/sh", "sh", DEMO "/job.sh", WORK, NULL);
	_exit(127);
}

/* Let the job run; it must get on, and keep the CPUs busy. */
static void let_run(double seconds)
{
	static struct sample from, to;
	double busy;

	sample(&from);
	watch(seconds);
	sample(&to);
	busy = busy_share(to.busy - from.busy, to.idle - from.idle);
	tell("the job runs: %d tasks, CPUs %.0f %% busy, files grew by %.1f MB", to.nr_tasks,
	     busy * 100, (to.file_bytes - from.file_bytes) / 1e6);
	if (busy < BUSY_AT_LEAST)
		failed("CPUs only %.0f %% busy while the job runs", busy * 100);
	if (to.file_bytes == from.file_bytes)
		failed("the files do not grow while the job runs");
	if (!job_pid)
		failed("the job has ended too early, status %#x", job_status);
}

/*
 * Write FROZEN. The kernel's own freezer does not wait: say then how long it took,
 * if it was FROZEN at all.
 */
static void freeze_job(int nr)
{
	double begin, took;
	char buf[1024];
	bool at_once;
	int err;

	tell("freeze %d: writing FROZEN to freezer.state", nr);
	begin = now();
	err = write_text(CGROUP "/freezer.state", "FROZEN");
	took = now() - begin;
	at_once = is_frozen();
	nr_freezes++;
	if (took > slowest_freeze)
		slowest_freeze = took;
	tell("freeze %d: the write returned after %.2f ms; state %s", nr, took * 1e3, state());
	if (err)
		failed("freeze %d: the write failed: %s", nr, strerror(-err));
	else if (!at_once)
		failed("freeze %d: the write returned before FROZEN", nr);
	while (!is_frozen() && now() - begin < FREEZE_LIMIT)
		sleep_for(0.001);
	if (!is_frozen()) {
		failed("freeze %d: not FROZEN after %.0f s", nr, FREEZE_LIMIT);
		if (read_text(CGROUP "/freezer.blockers", buf, sizeof(buf)) > 0)
			tell("blockers:\n%s", buf);
		finish();
	}
	if (!at_once)
		tell("freeze %d: FROZEN was read after %.2f ms", nr, (now() - begin) * 1e3);
	if (stat_value("nr_tasks") >= 0)
		tell("  %lld tasks: %lld parked, %lld frozen in place, %lld asleep",
		     stat_value("nr_tasks"), stat_value("nr_parked"),
		     stat_value("nr_in_place"), stat_value("nr_asleep"));
}

/* For some time nothing of the job may move. */
static void stand_still(const char *name)
{
	static struct sample first, settled, last;
	double begin = now(), busy;

	nr_not_frozen = 0;
	expect_frozen = true;
	sample(&first);
	watch(SETTLE);
	sample(&settled);
	watch(FREEZE_SECONDS - SETTLE);
	sample(&last);
	expect_frozen = false;
	busy = busy_share(last.busy - settled.busy, last.idle - settled.idle);
	tell("%s: FROZEN for %.1f s; CPUs %.1f %% idle", name, now() - begin, (1 - busy) * 100);
	tell("  the job used %.3f ms of CPU, read and wrote %llu bytes,",
	     (last.cpu_ns - first.cpu_ns) / 1e6, last.bytes - first.bytes);
	tell("  and its files grew by %llu bytes", last.file_bytes - first.file_bytes);
	check_still(name, &first, &settled, true);
	check_still(name, &settled, &last, false);
	if (nr_not_frozen)
		failed("%s: another state than FROZEN was read %d times", name, nr_not_frozen);
	if (busy > BUSY_AT_MOST)
		failed("%s: CPUs %.1f %% busy while FROZEN", name, busy * 100);
	stood_still += now() - begin;
}

/* Write THAWED, and see the job go on. */
static void thaw_job(int nr)
{
	static struct sample from, to;
	double begin, took;
	int err;

	sample_tasks(&from);
	begin = now();
	err = write_text(CGROUP "/freezer.state", "THAWED");
	took = now() - begin;
	if (err || strcmp(state(), "THAWED"))
		failed("thaw %d: %s; state %s", nr, strerror(-err), state());
	do {
		sample_tasks(&to);
		if (to.cpu_ns != from.cpu_ns || strcmp(to.tasks, from.tasks)) {
			tell("thaw %d: the write took %.2f ms; it goes on within %.0f ms", nr,
			     took * 1e3, (now() - begin) * 1e3);
			return;
		}
		sleep_for(0.001);
	} while (now() - begin < GO_ON_LIMIT);
	failed("thaw %d: the job did not go on in %.0f s", nr, GO_ON_LIMIT);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Many freezes of a moment each: a freeze is no matter of luck. */
static void freeze_often(void)
{
	double took[QUICK_FREEZES], begin;
	int right = 0, i;

	for (i = 0; i < QUICK_FREEZES; i++) {
		begin = now();
		if (!write_text(CGROUP "/freezer.state", "FROZEN") && is_frozen())
			right++;
		took[i] = now() - begin;
		sleep_for(0.01);
		if (write_text(CGROUP "/freezer.state", "THAWED"))
			failed("quick thaw %d failed", i + 1);
		sleep_for(0.02);
	}
	nr_freezes += QUICK_FREEZES;
	qsort(took, QUICK_FREEZES, sizeof(took[0]), compare_doubles);
	if (took[QUICK_FREEZES - 1] > slowest_freeze)
		slowest_freeze = took[QUICK_FREEZES - 1];
	tell("%d quick freezes: FROZEN when the write returned: %d times", QUICK_FREEZES, right);
	tell("  fastest %.2f ms, median %.2f ms, slowest %.2f ms", took[0] * 1e3,
	     took[QUICK_FREEZES / 2] * 1e3, took[QUICK_FREEZES - 1] * 1e3);
	if (right < QUICK_FREEZES)
		failed("%d of %d quick freezes were not FROZEN when the write returned",
		       QUICK_FREEZES - right, QUICK_FREEZES);
}

static double seconds_asleep(void)
{
	struct timespec mono, boot;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return boot.tv_sec - mono.tv_sec + (boot.tv_nsec - mono.tv_nsec) / 1e9;
}

/*
 * Sleep with the machine, until the alarm of its clock. An alarm that comes before
 * the machine sleeps makes the suspend fail with EBUSY, so it does not sleep for ever.
 */
static int sleep_with_alarm(const char *how, int seconds)
{
	char count[64], text[16];
	int err;

	err = read_text("/sys/power/wakeup_count", count, sizeof(count));
	if (err < 0)
		return err;
	snprintf(text, sizeof(text), "+%d", seconds);
	return write_text("/sys/power/wakeup_count", count) ?:
	       write_text("/sys/class/rtc/rtc0/wakealarm", "0") ?:
	       write_text("/sys/class/rtc/rtc0/wakealarm", text) ?:
	       write_text("/sys/power/state", how);
}

/* Suspend the machine while the job is frozen. */
static void suspend_machine(void)
{
	static struct sample before, after;
	double begin, asleep;
	char offered[64];
	const char *how;
	int err;

	if (read_text("/sys/power/state", offered, sizeof(offered)) <= 0 ||
	    access("/sys/class/rtc/rtc0/wakealarm", W_OK)) {
		tell("suspend: left out, this machine cannot sleep, or nothing would wake it");
		return;
	}
	how = strstr(offered, "mem") ? "mem" : "freeze";
	tell("suspend: writing %s to /sys/power/state; the clock will wake us", how);
	sample(&before);
	begin = now();
	asleep = seconds_asleep();
	err = sleep_with_alarm(how, SLEEP_SECONDS);
	/* The alarm was too early: this machine is slow. */
	if (err == -EBUSY)
		err = sleep_with_alarm(how, 10 * SLEEP_SECONDS);
	asleep = seconds_asleep() - asleep;
	sample(&after);
	tell("suspend: back after %.1f s, %.1f s of them asleep; state %s",
	     now() - begin + asleep, asleep, state());
	tell("  the job used %.3f ms of CPU, read and wrote %llu bytes",
	     (after.cpu_ns - before.cpu_ns) / 1e6, after.bytes - before.bytes);
	if (err)
		failed("suspend: %s", strerror(-err));
	else if (asleep < 0.5)
		failed("suspend: the machine did not sleep");
	if (!is_frozen())
		failed("suspend: the state is %s after it", state());
	/*
	 * The system freezer wakes a task that sleeps in a call that cannot be frozen:
	 * the call ends in the kernel, to start over after the thaw.
	 */
	check_still("suspend", &before, &after, true);
	stand_still("after suspend");
}

static void check_results(void)
{
	char path[64], sum[256];
	struct part *part;
	bool right = true;
	int round;

	if (!WIFEXITED(job_status) || WEXITSTATUS(job_status))
		failed("the job ended with status %#x", job_status);
	measure_parts();
	for (part = parts; part < parts + nr_parts; part++) {
		for (round = 1; round == 1 || round <= part->rounds; round++) {
			snprintf(path, sizeof(path), WORK "/%s/%d.sum", part->name, round);
			read_text(path, sum, sizeof(sum));
			sum[64] = '\0';
			right = !strcmp(sum, part->sum);
			tell("result of %-6s %.32s... %s", part->name, sum,
			     right ? "right" : "WRONG");
			if (!right)
				failed("%s: the result of round %d is wrong, it should be %s",
				       part->name, round, part->sum);
		}
	}
	if (*reasons && read_text(WORK "/log", sum, sizeof(sum)) > 0)
		tell("the job said: %s", sum);
}

static void load_parts(void)
{
	struct part *part = parts;
	char line[256];
	FILE *f;

	f = fopen(DEMO "/parts", "re");
	while (f && part < parts + MAX_PARTS && fgets(line, sizeof(line), f))
		if (*line != '#' && sscanf(line, "%15s %llu %64s", part->name, &part->total,
					   part->sum) == 3)
			part++;
	if (f)
		fclose(f);
	nr_parts = part - parts;
	if (!nr_parts)
		failed(DEMO "/parts: no parts");
}

int main(void)
{
	struct utsname uts;

	signal(SIGALRM, too_late);
	alarm(TOTAL_LIMIT);
	uname(&uts);
	tell("cgroup freezer, Linux %.32s, %ld CPUs", uts.release, sysconf(_SC_NPROCESSORS_ONLN));
	load_parts();
	if (mkdir(CGROUP, 0755))
		failed("%s: %s", CGROUP, strerror(errno));
	else if (access(CGROUP "/freezer.state", F_OK))
		failed("%s: this is no freezer hierarchy", CGROUP);
	else if (access(CGROUP "/freezer.stat", F_OK))
		tell("no freezer.stat: this is the kernel's own freezer, not ours");
	if (access("/proc/self/io", R_OK) || access("/proc/self/schedstat", R_OK))
		failed("no /proc/PID/io or schedstat; see TASK_IO_ACCOUNTING, SCHED_INFO");
	if (*reasons)
		finish();

	start_job();
	tell("the job is started in %s", CGROUP);
	let_run(2.5);
	freeze_job(1);
	stand_still("freeze 1");
	thaw_job(1);
	let_run(2.5);
	freeze_job(2);
	stand_still("freeze 2");
	suspend_machine();
	thaw_job(2);
	let_run(1.5);
	freeze_often();

	if (!job_pid)
		failed("the job ended during the freezes");
	/* Each part ends with the round that it is in. */
	if (creat(WORK "/last", 0644) < 0)
		failed(WORK "/last: %s", strerror(errno));
	while (job_pid)
		watch(TICK);
	tell("the job has ended");
	check_results();
	if (rmdir(CGROUP))
		failed("%s could not be removed: %s", CGROUP, strerror(errno));
	finish();
}
