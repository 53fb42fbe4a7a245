// SPDX-License-Identifier: GPL-2.0
/*
 * Churn: the judge. While a cgroup is FROZEN nothing may happen in it, and
 * after the thaw everything goes on.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "churn.h"
#include "churn_run.h"
#include "freezer_check.h"

void churn_note(const char *fmt, ...)
{
	va_list ap;

	printf("# %s, freeze %d: ", run.mode->name, run.nr);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

bool read_state(char state[32])
{
	ssize_t len;

	if (run.by_path) {
		if (frz_read(churn->path[run.first], "freezer.state", state, 32))
			state[0] = 0;
		return !strcmp(state, "FROZEN");
	}
	len = pread(run.state_fd, state, 31, 0);
	state[len > 0 ? len : 0] = 0;
	if (len > 0 && state[len - 1] == '\n')
		state[len - 1] = 0;
	return !strcmp(state, "FROZEN");
}

/*
 * The judge goes before all others, so its looks must not keep them from what
 * it waits for, least of all where each look takes long.
 */
void look_again(int64_t since, int64_t deadline, int us)
{
	int64_t now = frz_now_ns();
	int64_t left = (deadline - now) / 1000, longer = (now - since) / 8000;

	if (longer > 20000)
		longer = 20000;
	if (longer > left)
		longer = left;
	churn_usleep(longer > us ? longer : us);
}

uint64_t slot_count(int i)
{
	return __atomic_load_n(&churn->slot[i].count, __ATOMIC_SEQ_CST);
}

/* Wait until all counters have moved on from @since; the number that did not. */
int wait_moving(const uint64_t *since, bool bystanders, int timeout_ms)
{
	int64_t since_ns = frz_now_ns();
	int64_t deadline = since_ns + timeout_ms * 1000000LL;
	int i, still, nr = 2 * churn->nr_workers;

	for (;;) {
		bool over = frz_now_ns() >= deadline || churn_stopped();

		still = 0;
		for (i = 0; i < nr; i++) {
			const struct churn_slot *slot = &churn->slot[i];

			if (!(slot->flags & SLOT_USED) ||
			    slot_count(i) != since[i])
				continue;
			if (bystanders && slot->where >= run.first)
				continue;
			if (over && still < NOTES_MAX)
				churn_note("worker %d, task %d in cgroup %d stands still at %llu",
					   i / 2, slot->tid, slot->where,
					   (unsigned long long)since[i]);
			still++;
		}
		if (!still || over)
			return still;
		look_again(since_ns, deadline, 200);
		reap_children(false);
	}
}

/*
 * Escapes: the counters of tasks that are inside must not move. With a mover
 * at work, a task counts when its last move was complete before the state was
 * seen FROZEN and none was begun before the end of the window. Moves within the
 * frozen subtree are no excuse.
 */
struct window {
	uint64_t count[2 * CHURN_WORKERS_MAX];
	uint32_t moves[2 * CHURN_WORKERS_MAX];
	bool inside[2 * CHURN_WORKERS_MAX];
};

static bool slot_inside(const struct churn_slot *slot, uint32_t moves)
{
	int where = __atomic_load_n(&slot->where, __ATOMIC_SEQ_CST);

	if (!(slot->flags & SLOT_USED) || where < run.first || where > run.last)
		return false;
	return run.mode->flags & MODE_WITHIN || !(moves & 1);
}

/* To be followed by a look at the state, and that by window_counts(). */
static void window_members(struct window *w)
{
	int i;

	for (i = 0; i < 2 * churn->nr_workers; i++) {
		const struct churn_slot *slot = &churn->slot[i];

		w->moves[i] = __atomic_load_n(&slot->moves, __ATOMIC_SEQ_CST);
		w->inside[i] = slot_inside(slot, w->moves[i]);
	}
}

static void window_counts(struct window *w)
{
	int i;

	for (i = 0; i < 2 * churn->nr_workers; i++)
		w->count[i] = slot_count(i);
}

static void window_judge(const struct window *w)
{
	int i;

	for (i = 0; i < 2 * churn->nr_workers; i++) {
		const struct churn_slot *slot = &churn->slot[i];
		uint64_t now = slot_count(i);

		if (!w->inside[i] || now == w->count[i])
			continue;
		if (!(run.mode->flags & MODE_WITHIN) &&
		    __atomic_load_n(&slot->moves, __ATOMIC_SEQ_CST) !=
		    w->moves[i])
			continue;
		FAULT(run.res->escapes,
		      "ESCAPE: worker %d, task %d in cgroup %d went on from %llu to %llu",
		      i / 2, slot->tid, slot->where,
		      (unsigned long long)w->count[i],
		      (unsigned long long)now);
		if (run.res->escapes <= NOTES_MAX && !(run.mode->flags & MODE_JUDGE))
			churn_dump_tasks(run.first, run.last, true);
	}
}

/*
 * No task may be added and none may go away, in any mode: a task that was let go
 * to die before, by an exec, a kill or its own exit, kept the group from FROZEN
 * until it was gone.
 */
static void judge_lists(const struct churn_tasks *was,
			const struct churn_tasks *is, const char *file)
{
	int i;

	for (i = 0; i < is->nr; i++) {
		if (churn_in_tasks(was, is->id[i]))
			continue;
		run.res->grown++;
		FAULT(run.res->escapes,
		      "ESCAPE: task %d was added to %s while FROZEN (%d, now %d tasks)",
		      is->id[i], file, was->nr, is->nr);
	}
	for (i = 0; i < was->nr; i++) {
		if (churn_in_tasks(is, was->id[i]))
			continue;
		run.res->gone++;
		FAULT(run.res->escapes,
		      "ESCAPE: task %d has left %s while FROZEN (%d, now %d tasks)",
		      was->id[i], file, was->nr, is->nr);
	}
}

/*
 * For the judge mode: let the intruder, worker 0, put a task in. All wait for
 * its round after each thaw, so it begins the next one together with a freeze,
 * and where a move takes long the freeze is over first, time after time.
 */
static void await_intruder(const struct window *w)
{
	int64_t since = frz_now_ns(), deadline = since + ALIVE_MS * 1000000LL;

	while (slot_count(0) == w->count[0] && frz_now_ns() < deadline)
		look_again(since, deadline, 200);
}

/* Has no task come? */
static bool all_were_there(const struct churn_tasks *was,
			   const struct churn_tasks *is)
{
	int i;

	for (i = 0; i < is->nr; i++)
		if (!churn_in_tasks(was, is->id[i]))
			return false;
	return true;
}

/* Tasks have gone, and may have: the freeze took long. Then there is one more. */
static bool may_have_gone(const struct churn_tasks *tasks, const struct churn_tasks *procs,
			  int64_t freeze_ns, int64_t lost_ns)
{
	if (run.mode->flags & MODE_JUDGE ||
	    !all_were_there(&tasks[0], &tasks[1]) ||
	    !all_were_there(&procs[0], &procs[1]))
		return false;
	return (tasks[1].nr < tasks[0].nr || procs[1].nr < procs[0].nr) &&
	       frz_list_is_unjudged(&run.res->unjudged, freeze_ns, lost_ns);
}

void check_window(int64_t freeze_ns, int64_t lost_ns)
{
	static struct churn_tasks tasks[2], procs[2];
	static struct window w;
	char state[32];
	int i;

	window_members(&w);
	if (!read_state(state)) {
		FAULT(run.res->errors, "state %s, expected FROZEN", state);
		return;
	}
	window_counts(&w);
	churn_read_tasks(&tasks[0], "tasks", run.first, run.last);
	churn_read_tasks(&procs[0], "cgroup.procs", run.first, run.last);

	churn_usleep(1000 + churn_rand() % 14000);
	if (run.mode->flags & MODE_JUDGE)
		await_intruder(&w);

	churn_read_tasks(&tasks[1], "tasks", run.first, run.last);
	churn_read_tasks(&procs[1], "cgroup.procs", run.first, run.last);
	window_judge(&w);
	if (may_have_gone(tasks, procs, freeze_ns, lost_ns)) {
		churn_note("not judged, once more: tasks have gone after a freeze of %lld ms",
			   (long long)freeze_ns / 1000000);
	} else {
		judge_lists(&tasks[0], &tasks[1], "tasks");
		judge_lists(&procs[0], &procs[1], "cgroup.procs");
	}
	for (i = run.first; i <= run.last; i++) {
		if (frz_state_is(churn->path[i], "FROZEN") == 1)
			continue;
		frz_read(churn->path[i], "freezer.state", state,
			 sizeof(state));
		FAULT(run.res->errors, "state of cgroup %d is %s at the end, expected FROZEN",
		      i, state);
	}
	if (!(run.mode->flags & MODE_MID))
		return;
	if (frz_state_is(churn->path[CHURN_TOP], "THAWED") != 1)
		FAULT(run.res->errors, "the parent is not THAWED");
	i = wait_moving(w.count, true, ALIVE_MS);
	if (i)
		FAULT(run.res->hung, "%d tasks of the parent stood still", i);
}

/*
 * The same with the mover at work, for the tasks that were not moved. A task
 * that comes in makes it FREEZING for a moment: try again then.
 */
void check_moving_window(void)
{
	static struct window w;
	char state[32];
	int tries = 100;

	do {
		window_members(&w);
		if (!read_state(state)) {
			churn_usleep(100);
			continue;
		}
		window_counts(&w);
		churn_usleep(churn_rand() % 3000);
		window_judge(&w);
		return;
	} while (--tries);
}
