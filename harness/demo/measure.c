// SPDX-License-Identifier: GPL-2.0
/*
 * What can be seen of the job from outside. Nothing here asks the job: a task
 * that cheated could not make itself look frozen, since the kernel counts its
 * CPU time and its reads and writes, and the sizes of files are what they are.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

static const char *const state_names[] = {
	[STATE_THAWED]		= "THAWED",
	[STATE_FREEZING]	= "FREEZING",
	[STATE_FROZEN]		= "FROZEN",
	[STATE_UNKNOWN]		= "?",
};

/* Seconds since the first call. */
double now(void)
{
	static struct timespec start;
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (!start.tv_sec && !start.tv_nsec)
		start = ts;

	return ts.tv_sec - start.tv_sec + (ts.tv_nsec - start.tv_nsec) / 1e9;
}

void sleep_until(double when)
{
	double left = when - now();
	struct timespec ts;

	if (left <= 0)
		return;
	ts.tv_sec = left;
	ts.tv_nsec = (left - ts.tv_sec) * 1e9;
	nanosleep(&ts, NULL);
}

/* Read a small file as a string. Return its length or -errno. */
int read_text(const char *path, char *buf, size_t size)
{
	size_t len = 0;
	int fd;

	buf[0] = '\0';
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (len < size - 1) {
		ssize_t n = read(fd, buf + len, size - 1 - len);

		if (n < 0) {
			int err = errno;

			close(fd);
			return -err;
		}
		if (!n)
			break;
		len += n;
	}
	close(fd);
	buf[len] = '\0';

	return len;
}

/* Write a string with one system call. Return 0 or -errno. */
int write_text(const char *path, const char *text)
{
	int ret = 0;
	int fd;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);

	return ret;
}

static const char *cgroup_path(const char *file)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", job.cgroup, file);
	return path;
}

bool cgroup_file_exists(const char *file)
{
	return !access(cgroup_path(file), F_OK);
}

int cgroup_read(const char *file, char *buf, size_t size)
{
	return read_text(cgroup_path(file), buf, size);
}

enum state read_state(void)
{
	enum state state;
	char buf[64];

	if (cgroup_read("freezer.state", buf, sizeof(buf)) < 0)
		return STATE_UNKNOWN;
	buf[strcspn(buf, "\n")] = '\0';
	for (state = STATE_THAWED; state < STATE_UNKNOWN; state++)
		if (!strcmp(buf, state_names[state]))
			break;

	return state;
}

const char *state_name(enum state state)
{
	return state_names[state];
}

/* List the tasks of the job; return their number. */
static int list_tasks(pid_t *tids, int most)
{
	char line[32];
	FILE *f;
	int nr = 0;

	f = fopen(cgroup_path("tasks"), "re");
	if (!f)
		return 0;
	while (nr < most && fgets(line, sizeof(line), f))
		tids[nr++] = atoi(line);
	fclose(f);

	return nr;
}

void read_cpu_time(struct cpu_time *cpu)
{
	unsigned long long user, nice, system, idle, iowait, irq, softirq;
	double hz = sysconf(_SC_CLK_TCK);
	struct rusage usage;
	char buf[256];

	memset(cpu, 0, sizeof(*cpu));
	read_text("/proc/stat", buf, sizeof(buf));
	if (sscanf(buf, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice,
		   &system, &idle, &iowait, &irq, &softirq) != 7)
		return;
	cpu->busy = (user + nice + system + irq + softirq) / hz;
	cpu->idle = (idle + iowait) / hz;

	getrusage(RUSAGE_SELF, &usage);
	cpu->own = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
		   (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/*
 * The share of the machine's CPU time, 0 to 1, that was used by anything else
 * than this program.
 */
double busy_share(const struct cpu_time *from, const struct cpu_time *to)
{
	double busy = to->busy - from->busy;
	double all = busy + to->idle - from->idle;

	busy -= to->own - from->own;
	if (all <= 0 || busy <= 0)
		return 0;

	return busy < all ? busy / all : 1;
}

static __u64 directory_bytes(const char *path)
{
	struct dirent *entry;
	__u64 bytes = 0;
	struct stat st;
	DIR *dir;

	dir = opendir(path);
	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		if (!fstatat(dirfd(dir), entry->d_name, &st,
			     AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode))
			bytes += st.st_size;
	closedir(dir);

	return bytes;
}

/* Look how far each part of the job is. */
void measure_parts(void)
{
	struct part *part;
	char path[512];
	__u64 bytes;

	for (part = job.parts; part < job.parts + job.nr_parts; part++) {
		/* A round has a result before its files go away. */
		while (part->rounds < job.rounds) {
			snprintf(path, sizeof(path), "%s/%s/%d.sum", job.work,
				 part->name, part->rounds + 1);
			if (access(path, F_OK))
				break;
			part->rounds++;
		}
		bytes = part->rounds * part->total;
		if (part->rounds < job.rounds) {
			snprintf(path, sizeof(path), "%s/%s/%d", job.work,
				 part->name, part->rounds + 1);
			bytes += directory_bytes(path);
		}
		/* They may be on their way out while they are counted. */
		if (bytes > part->bytes)
			part->bytes = bytes;
	}
}

double part_fraction(const struct part *part)
{
	double fraction = (double)part->bytes / (part->total * job.rounds);

	if (part->rounds == job.rounds)
		return 1;
	/* All is written, and something remains to be done with it. */
	return fraction < 0.99 ? fraction : 0.99;
}

double job_fraction(void)
{
	double sum = 0;
	int i;

	for (i = 0; i < job.nr_parts; i++)
		sum += part_fraction(&job.parts[i]);

	return sum / job.nr_parts;
}

static void sample_io(pid_t tid, struct task_sample *t)
{
	unsigned long long rchar, wchar, syscr, syscw;
	char path[64];
	char buf[512];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/io", tid, tid);
	if (read_text(path, buf, sizeof(buf)) > 0 &&
	    sscanf(buf, "rchar: %llu wchar: %llu syscr: %llu syscw: %llu",
		   &rchar, &wchar, &syscr, &syscw) == 4) {
		t->calls = syscr + syscw;
		t->bytes = rchar + wchar;
	}
}

static void sample_cpu(pid_t tid, struct task_sample *t)
{
	unsigned long long utime, stime, ns;
	char path[64];
	char buf[512];
	char *p, *q;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", tid, tid);
	read_text(path, buf, sizeof(buf));
	p = strchr(buf, '(');
	q = strrchr(buf, ')');
	if (!p || !q)
		return;
	*q = '\0';
	snprintf(t->comm, sizeof(t->comm), "%.16s", p + 1);
	if (sscanf(q + 1,
		   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
		   &utime, &stime) == 2)
		t->cpu_ns = (utime + stime) * 1000000000ull /
			    sysconf(_SC_CLK_TCK);

	/* The same to the nanosecond, where the kernel has it. */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", tid, tid);
	if (read_text(path, buf, sizeof(buf)) > 0 &&
	    sscanf(buf, "%llu", &ns) == 1 && ns)
		t->cpu_ns = ns;
}

/* Take the counters of the tasks alone, which is quick. */
void sample_tasks(struct snapshot *s)
{
	pid_t tids[MAX_TASKS];
	int i;

	s->nr = list_tasks(tids, MAX_TASKS);
	for (i = 0; i < s->nr; i++) {
		struct task_sample *t = &s->tasks[i];

		memset(t, 0, sizeof(*t));
		t->tid = tids[i];
		sample_cpu(tids[i], t);
		sample_io(tids[i], t);
	}
	s->file_bytes = 0;
}

void take_snapshot(struct snapshot *s)
{
	int i;

	sample_tasks(s);
	read_cpu_time(&s->cpu);
	measure_parts();
	for (i = 0; i < job.nr_parts; i++)
		s->file_bytes += job.parts[i].bytes;
}

static const struct task_sample *find_task(const struct snapshot *s, pid_t tid)
{
	int i;

	for (i = 0; i < s->nr; i++)
		if (s->tasks[i].tid == tid)
			return &s->tasks[i];

	return NULL;
}

void compare_snapshots(const struct snapshot *from, const struct snapshot *to,
		       struct change *change)
{
	__u64 most = 0;
	int i;

	memset(change, 0, sizeof(*change));
	change->file_bytes = to->file_bytes - from->file_bytes;
	for (i = 0; i < from->nr; i++)
		if (!find_task(to, from->tasks[i].tid))
			change->gone++;

	for (i = 0; i < to->nr; i++) {
		const struct task_sample *b = &to->tasks[i];
		const struct task_sample *a = find_task(from, b->tid);
		__u64 calls;

		if (!a) {
			change->born++;
			continue;
		}
		calls = b->calls - a->calls;
		change->cpu_ns += b->cpu_ns - a->cpu_ns;
		change->bytes += b->bytes - a->bytes;
		change->calls += calls;
		if (calls > change->max_calls)
			change->max_calls = calls;
		if (b->cpu_ns - a->cpu_ns > most) {
			most = b->cpu_ns - a->cpu_ns;
			memcpy(change->who, b->comm, sizeof(change->who));
		}
	}
}
