// SPDX-License-Identifier: GPL-2.0
/*
 * Time-slicing: two jobs take turns on one machine, 10 ms each, as a gang
 * scheduler lets them: freeze the one, wait until that is known, thaw the
 * other. Each job has N processes, most of them asleep in one of four ways and
 * some that compute; what these get done is the measure.
 *
 *   overhead   work that is not done, in percent of what the same processes get
 *              done when nobody freezes them
 *   switch     freeze and thaw, as far as the scheduler has to wait for it
 *   late       turns that began late since the switch took longer than a turn
 *   share      of the first job, of all work, in percent, for each tenth of the
 *              time: without drift all are 50
 *   patched    places in the code of the kernel that were patched meanwhile
 *              (PERF_RECORD_TEXT_POKE), which is what a static key costs that
 *              is switched
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define SLICE_NS	10000000LL
#define PARTS		10
#define RING_PAGES	64
#define BUSY_MAX	256

/* A counter of text pokes on the only CPU; @fd -1 where there is none. */
struct pokes {
	int fd;
	struct perf_event_mmap_page *page;
	size_t size;
	unsigned long count;
};

static void pokes_open(struct pokes *pokes)
{
	struct perf_event_attr attr = {
		.type		= PERF_TYPE_SOFTWARE,
		.config		= PERF_COUNT_SW_DUMMY,
		.size		= sizeof(attr),
		.text_poke	= 1,
		.watermark	= 1,
		.wakeup_watermark = 1 << 30,
	};

	memset(pokes, 0, sizeof(*pokes));
	pokes->size = (RING_PAGES + 1) * getpagesize();
	pokes->fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1,
			    PERF_FLAG_FD_CLOEXEC);
	if (pokes->fd < 0)
		return;
	pokes->page = mmap(NULL, pokes->size, PROT_READ | PROT_WRITE,
			   MAP_SHARED, pokes->fd, 0);
	if (pokes->page == MAP_FAILED) {
		close(pokes->fd);
		pokes->fd = -1;
	}
}

/* How many since the last call. */
static unsigned long pokes_read(struct pokes *pokes)
{
	uint64_t head, tail, mask = RING_PAGES * getpagesize() - 1;
	char *data = (char *)pokes->page + getpagesize();
	unsigned long count = 0;

	if (pokes->fd < 0)
		return 0;
	head = __atomic_load_n(&pokes->page->data_head, __ATOMIC_ACQUIRE);
	tail = pokes->page->data_tail;
	while (tail < head) {
		/* Records are aligned to 8 bytes, so the header is whole. */
		struct perf_event_header *record =
			(struct perf_event_header *)(data + (tail & mask));

		if (record->type == PERF_RECORD_TEXT_POKE)
			count++;
		if (record->type == PERF_RECORD_LOST)
			bench_fail("records of text pokes were lost", 0);
		tail += record->size;
	}
	__atomic_store_n(&pokes->page->data_tail, tail, __ATOMIC_RELEASE);
	return count;
}

static void pokes_close(struct pokes *pokes)
{
	if (pokes->fd < 0)
		return;
	munmap(pokes->page, pokes->size);
	close(pokes->fd);
}

struct job {
	struct bench_group group;
	/* A cache line for each */
	unsigned long (*counter)[8];
	int busy;
};

static unsigned long work_of(struct job *job)
{
	unsigned long sum = 0;
	int i;

	for (i = 0; i < job->busy; i++)
		sum += frz_load(job->counter[i]);
	return sum;
}

static void job_start(struct job *job, int n, int busy)
{
	int i;

	job->busy = busy;
	job->counter = frz_shared(busy * sizeof(job->counter[0]));
	job->group.size = 0;
	job->group.pids = calloc(n, sizeof(*job->group.pids));
	bench_crowd_enter(&job->group);
	for (i = 0; i < n - busy; i++)
		bench_crowd_add(&job->group, BENCH_MIX, NULL);
	for (i = 0; i < busy; i++)
		bench_crowd_add(&job->group, BENCH_SPIN, job->counter[i]);
	bench_crowd_leave(&job->group, n - busy);
}

static void sleep_until(int64_t ns)
{
	struct timespec ts = {
		.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) ==
	       EINTR)
		;
}

/* Work per second of both jobs when nobody freezes them. */
static double work_alone(struct job job[2], int seconds)
{
	int64_t start = frz_now_ns();
	unsigned long before = work_of(&job[0]) + work_of(&job[1]);

	sleep_until(start + seconds * 1000000000LL);
	return (work_of(&job[0]) + work_of(&job[1]) - before) /
		((frz_now_ns() - start) / 1e9);
}

static void report(const char *what, enum bench_method how, int n,
		   const char *unit, double value)
{
	bench_report_one("slice", what, bench_method_name[how], n, unit, value);
}

static void take_turns(struct job job[2], enum bench_method how, int n,
		       int seconds)
{
	static struct bench_series took, share;
	int64_t turns = seconds * 1000000000LL / SLICE_NS, i, late = 0;
	unsigned long before[2], part[2], now[2], first, patched = 0;
	struct pokes pokes;
	double alone, done;
	int64_t start, next;
	int part_nr = 0;

	took.nr = 0;
	share.nr = 0;
	alone = work_alone(job, 2);

	pokes_open(&pokes);
	bench_freeze(&job[1].group, how);
	first = pokes_read(&pokes);
	start = frz_now_ns();
	next = start;
	before[0] = work_of(&job[0]);
	before[1] = work_of(&job[1]);
	memcpy(part, before, sizeof(part));

	for (i = 1; i <= turns && !bench_failed; i++) {
		int64_t begin;

		next += SLICE_NS;
		begin = frz_now_ns();
		if (begin > next) {
			late++;
			next = begin;
		}
		sleep_until(next);
		begin = frz_now_ns();
		bench_freeze(&job[!(i & 1)].group, how);
		bench_thaw(&job[i & 1].group, how);
		if (i * BENCH_ROUNDS_MAX / turns != (i - 1) * BENCH_ROUNDS_MAX / turns)
			bench_add(&took, (frz_now_ns() - begin) / 1e3);
		if (i * PARTS / turns == part_nr)
			continue;
		part_nr = i * PARTS / turns;
		now[0] = work_of(&job[0]);
		now[1] = work_of(&job[1]);
		done = now[0] - part[0] + now[1] - part[1];
		bench_add(&share, done ? 100.0 * (now[0] - part[0]) / done : 50);
		memcpy(part, now, sizeof(part));
		patched += pokes_read(&pokes);
		if (!(part_nr & 1))
			bench_progress("%d of %d s", part_nr * seconds / PARTS,
				       seconds);
	}
	done = (work_of(&job[0]) - before[0] + work_of(&job[1]) - before[1]) /
		((frz_now_ns() - start) / 1e9);
	bench_thaw(&job[0].group, how);
	bench_thaw(&job[1].group, how);

	report("overhead", how, n, "%", 100 * (1 - done / alone));
	bench_report("slice", "switch", bench_method_name[how], n, "us", &took);
	report("late turns", how, n, "%", 100.0 * late / turns);
	bench_report("slice", "share of the first job", bench_method_name[how],
		     n, "%", &share);
	if (pokes.fd >= 0) {
		report("patched, first freeze", how, n, "places", first);
		report("patched, all turns", how, n, "places", patched);
	}
	pokes_close(&pokes);
}

/* @n processes in each job, @busy of them compute. */
void bench_slices(enum bench_method how, int n, int busy, int seconds)
{
	struct job job[2];
	int i;

	if (n < busy)
		busy = n;
	bench_progress("two jobs of %d processes, %d of them busy, in turn for %d s: %s",
		       n, busy, seconds, bench_method_name[how]);
	/*
	 * A static key that was switched on before is off by then, so the first
	 * freeze has to patch: that shows that the count works.
	 */
	frz_sleep_ms(12000);
	/* The scheduler of the jobs is not scheduled with them. */
	bench_policy(SCHED_FIFO);
	if (bench_group_create(&job[0].group, "job0"))
		goto out;
	if (bench_group_create(&job[1].group, "job1"))
		goto out_group;
	for (i = 0; i < 2; i++)
		job_start(&job[i], n, busy);
	frz_sleep_ms(200);
	if (!bench_failed)
		take_turns(job, how, n, seconds);
	for (i = 0; i < 2; i++)
		munmap(job[i].counter, busy * sizeof(job[i].counter[0]));
	bench_group_destroy(&job[1].group);
out_group:
	bench_group_destroy(&job[0].group);
out:
	bench_policy(SCHED_OTHER);
}
