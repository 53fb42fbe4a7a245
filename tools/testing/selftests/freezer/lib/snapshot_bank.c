// SPDX-License-Identifier: GPL-2.0
/*
 * A bank for the snapshot tests. See snapshot_bank.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "snapshot_bank.h"
#include "snapshot_spin.h"

#define LIMIT_MS	20000

struct bank_account bank_account;

/* Of the process: which one, what it shares, and its random numbers. */
static struct bank *the_bank;
static int me;
static uint64_t seed;

static uint64_t check_of(uint64_t seq, int64_t amount)
{
	return seq * 0x9e3779b97f4a7c15ULL ^ (uint64_t)amount;
}

static uint64_t random_number(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static int64_t random_amount(void)
{
	return (int64_t)(random_number() % 2001) - 1000;
}

/*
 * The processes
 */

/* A call that was changed, or a message that was lost: nobody goes on. */
static void strange(void)
{
	frz_inc(&the_bank->vault->errors);
	_exit(1);
}

static struct bank_state *current_state(void)
{
	return &bank_account.state[bank_account.counts];
}

/* The one store with which a process goes from one state to the next. */
static void set_state(const struct bank_state *next)
{
	unsigned long other = !bank_account.counts;

	bank_account.state[other] = *next;
	frz_store(&bank_account.counts, other);
}

static void send_money(void)
{
	struct bank_state next = *current_state();
	struct bank_message message;

	next.sent++;
	next.sent_amount = random_amount();
	next.cash -= next.sent_amount;
	set_state(&next);

	message.seq = next.sent;
	message.amount = next.sent_amount;
	message.check = check_of(message.seq, message.amount);
	if (write(bank_account.out, &message, sizeof(message)) !=
	    sizeof(message))
		strange();
}

static void receive_money(void)
{
	struct bank_message *inbox = &bank_account.inbox;
	struct bank_state next;

	if (read(bank_account.in, inbox, sizeof(*inbox)) != sizeof(*inbox))
		strange();

	next = *current_state();
	next.received++;
	next.cash += inbox->amount;
	if (inbox->seq != next.received ||
	    inbox->check != check_of(inbox->seq, inbox->amount))
		strange();
	set_state(&next);
}

static void use_vault(void)
{
	struct bank_vault *vault = the_bank->vault;
	struct bank_state next = *current_state();
	struct bank_vault_state held;
	unsigned long other;

	next.lent++;
	next.lent_amount = random_amount();
	next.cash -= next.lent_amount;
	set_state(&next);

	while (__atomic_exchange_n(&vault->lock, 1, __ATOMIC_SEQ_CST))
		sched_yield();
	held = vault->state[vault->counts];
	held.amount += next.lent_amount;
	held.lent[me] = next.lent;
	other = !vault->counts;
	vault->state[other] = held;
	frz_store(&vault->counts, other);
	frz_store(&vault->lock, 0);
}

static void write_log(void)
{
	struct bank_state next = *current_state();
	struct bank_record record;

	next.logged++;
	next.log_before = next.log_total;
	next.log_total += random_amount();
	next.cash -= next.log_total - next.log_before;
	set_state(&next);

	record.seq = next.logged;
	record.total = next.log_total;
	if (write(bank_account.log, &record, sizeof(record)) != sizeof(record))
		strange();
	if (record.seq % BANK_LOG == BANK_LOG - 1 &&
	    lseek(bank_account.log, 0, SEEK_SET))
		strange();
}

#ifdef BANK_SPIN
static void *run_spin(void *arg)
{
	bank_account.spin_tid = syscall(SYS_gettid);
	asm volatile(BANK_SPIN_CODE
		     : : [mark] "r" (BANK_SPIN_MARK),
		       [spin] BANK_SPIN_POINTER (&bank_account.spin),
		       [yield] "i" (SYS_sched_yield)
		     : BANK_SPIN_CLOBBERS, "memory");
	return NULL;
}

static void start_spin(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_spin, NULL))
		strange();
}
#else
static void start_spin(void)
{
}
#endif

static int run_process(void *arg)
{
	struct bank_record none = { 0 };
	struct bank_state begin = { .cash = BANK_CASH };
	int i;

	the_bank = arg;
	seed = 0x2545f4914f6cdd1dULL + me;
	bank_account.state[0] = begin;
	bank_account.out = the_bank->pipe[me][1];
	bank_account.in = the_bank->pipe[(me + BANK_PROCS - 1) % BANK_PROCS][0];
	bank_account.log = the_bank->log[me];
	for (i = 0; i < BANK_PROCS; i++) {
		if (the_bank->pipe[i][0] != bank_account.in)
			close(the_bank->pipe[i][0]);
		if (the_bank->pipe[i][1] != bank_account.out)
			close(the_bank->pipe[i][1]);
		if (the_bank->log[i] != bank_account.log)
			close(the_bank->log[i]);
	}

	if (write(bank_account.log, &none, sizeof(none)) != sizeof(none))
		strange();
	for (i = 0; i < BANK_AHEAD; i++)
		send_money();
	if (!me)
		start_spin();

	for (;;) {
		struct timespec ts = { .tv_nsec = 100000 };

		switch (random_number() % 8) {
		case 0:
			write_log();
			break;
		case 1:
			if (!(random_number() % 16) && nanosleep(&ts, NULL))
				strange();
			break;
		case 2:
		case 3:
		case 4:
			use_vault();
			break;
		}
		send_money();
		receive_money();
		frz_inc(&the_bank->vault->turns);
	}
	return 0;
}

/*
 * The tests
 */

static int open_log(struct bank *bank, int i)
{
	char name[] = "/tmp/snapshot_bank.XXXXXX";
	struct stat st;

	bank->log[i] = mkstemp(name);
	if (bank->log[i] < 0 || fstat(bank->log[i], &st))
		return -errno;
	unlink(name);
	snprintf(bank->log_name[i], sizeof(bank->log_name[i]), "%x:%x:%llu",
		 major(st.st_dev), minor(st.st_dev),
		 (unsigned long long)st.st_ino);
	return 0;
}

static int start_processes(struct bank *bank, const char *path)
{
	char sub[FRZ_PATH_MAX];
	pid_t pid;
	int err;

	err = frz_create(sub, path, "sub");
	if (err)
		return err;
	for (me = 0; me < BANK_PROCS; me++) {
		pid = frz_spawn(me % 2 ? sub : path, run_process, bank);
		if (pid < 0)
			return pid;
		bank->pid[me] = pid;
	}
	return 0;
}

int bank_open(struct bank *bank, const char *path)
{
	int i, err;

	memset(bank, 0, sizeof(*bank));
	bank->vault = frz_shared(sizeof(*bank->vault));
	if (!bank->vault)
		return -ENOMEM;
	for (i = 0; i < BANK_PROCS; i++) {
		if (pipe(bank->pipe[i]))
			return -errno;
		err = open_log(bank, i);
		if (err)
			return err;
	}
	err = start_processes(bank, path);
	for (i = 0; i < BANK_PROCS; i++) {
		close(bank->pipe[i][0]);
		close(bank->pipe[i][1]);
		close(bank->log[i]);
	}
	return err ? err : bank_turns(bank, 100, LIMIT_MS);
}

int bank_turns(struct bank *bank, unsigned long turns, int timeout_ms)
{
	return frz_wait_word(&bank->vault->turns,
			     frz_load(&bank->vault->turns) + turns, timeout_ms);
}

const char *bank_health(struct bank *bank)
{
	static char why[64];
	int i, status;

	for (i = 0; i < BANK_PROCS; i++) {
		if (waitpid(bank->pid[i], &status, WNOHANG)) {
			snprintf(why, sizeof(why), "process %d died: %#x", i,
				 status);
			return why;
		}
	}
	return frz_load(&bank->vault->errors) ? "a call was changed" : "";
}

/*
 * Looking at them
 */

static int open_of(pid_t pid, const char *file, int num, int flags)
{
	char name[64];
	int fd;

	if (num < 0)
		snprintf(name, sizeof(name), "/proc/%d/%s", pid, file);
	else
		snprintf(name, sizeof(name), "/proc/%d/%s/%d", pid, file, num);
	fd = open(name, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int look_at_memory(pid_t pid, const void *from, void *to, size_t size)
{
	int mem = open_of(pid, "mem", -1, O_RDONLY);
	ssize_t n;

	if (mem < 0)
		return mem;
	n = pread(mem, to, size, (uintptr_t)from);
	n = n < 0 ? -errno : (size_t)n == size ? 0 : -EIO;
	close(mem);
	return n;
}

/* tee() takes nothing out. */
static int look_at_pipe(pid_t pid, int num, void *buf, size_t room,
			size_t *size)
{
	int copy[2], fd, err = 0;
	ssize_t n;

	fd = open_of(pid, "fd", num, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return fd;
	if (pipe2(copy, O_CLOEXEC | O_NONBLOCK)) {
		close(fd);
		return -errno;
	}
	*size = 0;
	n = tee(fd, copy[1], INT_MAX, SPLICE_F_NONBLOCK);
	if (n < 0 && errno != EAGAIN)
		err = -errno;
	while (n > 0 && (size_t)n > *size && !err) {
		ssize_t got = read(copy[0], (char *)buf + *size, room - *size);

		if (got <= 0)
			err = -EIO;
		else
			*size += got;
	}
	close(copy[0]);
	close(copy[1]);
	close(fd);
	return err;
}

static int look_at_log(pid_t pid, int num, off_t *offset,
		       struct bank_record *log)
{
	char buf[4096];
	ssize_t n;
	int fd;

	fd = open_of(pid, "fdinfo", num, O_RDONLY);
	if (fd < 0)
		return fd;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	buf[n] = 0;
	*offset = strtoll(buf + strlen("pos:"), NULL, 10);

	fd = open_of(pid, "fd", num, O_RDONLY);
	if (fd < 0)
		return fd;
	n = pread(fd, log, BANK_LOG * sizeof(*log), 0);
	close(fd);
	return n < 0 ? -errno : 0;
}

int bank_look(struct bank *bank, struct bank_view *view)
{
	int i, err = 0;

	memset(view, 0, sizeof(*view));
	for (i = 0; i < BANK_PROCS && !err; i++) {
		struct bank_account *account = &view->account[i];
		pid_t pid = bank->pid[i];

		err = look_at_memory(pid, &bank_account, account,
				     sizeof(*account));
		if (!err)
			err = look_at_memory(pid, bank->vault, &view->vault[i],
					     sizeof(view->vault[i]));
		if (!err)
			err = look_at_pipe(pid, account->in, view->pipe[i],
					   sizeof(view->pipe[i]),
					   &view->piped[i]);
		if (!err)
			err = look_at_log(pid, account->log,
					  &view->log_offset[i], view->log[i]);
	}
	return err;
}

/*
 * Whether it fits
 */

static char broken[256];

#define BROKEN(...) \
	(snprintf(broken, sizeof(broken), __VA_ARGS__), false)

static const struct bank_state *state_of(const struct bank_view *view, int i)
{
	return &view->account[i].state[view->account[i].counts & 1];
}

/* Messages to @i: in its inbox, in the pipe, or about to be written. */
static bool check_pipe(const struct bank_view *view, int i, int64_t *sum)
{
	int from = (i + BANK_PROCS - 1) % BANK_PROCS;
	const struct bank_message *inbox = &view->account[i].inbox;
	const struct bank_state *sender = state_of(view, from);
	uint64_t next = state_of(view, i)->received + 1;
	size_t j, num = view->piped[i] / sizeof(struct bank_message);

	if (view->piped[i] % sizeof(struct bank_message))
		return BROKEN("half a message in the pipe to %d", i);
	if (inbox->seq == next) {
		*sum += inbox->amount;
		next++;
	}
	for (j = 0; j < num; j++, next++) {
		const struct bank_message *message = &view->pipe[i][j];

		if (message->seq != next ||
		    message->check != check_of(next, message->amount))
			return BROKEN("pipe to %d: message %" PRIu64 " instead of %" PRIu64,
				      i, message->seq, next);
		*sum += message->amount;
	}
	if (next == sender->sent) {
		*sum += sender->sent_amount;
		next++;
	}
	if (next != sender->sent + 1)
		return BROKEN("%d has sent %" PRIu64 ", the next to %d would be %" PRIu64,
			      from, sender->sent, i, next);
	return true;
}

static bool check_vault(const struct bank_view *view, int i, int64_t *sum)
{
	const struct bank_vault *vault = &view->vault[0];
	const struct bank_state *state = state_of(view, i);
	uint64_t lent = vault->state[vault->counts & 1].lent[i];

	if (memcmp(vault, &view->vault[i], sizeof(*vault)))
		return BROKEN("%d sees another vault than 0 does", i);
	if (lent + 1 == state->lent)
		*sum += state->lent_amount;
	else if (lent != state->lent)
		return BROKEN("%d has lent %" PRIu64 ", the vault says %" PRIu64,
			      i, state->lent, lent);
	return true;
}

static bool check_log(const struct bank_view *view, int i, int64_t *sum)
{
	const struct bank_state *state = state_of(view, i);
	const struct bank_record *record;
	off_t offset = view->log_offset[i];
	size_t at = offset / sizeof(*record);

	if (offset < 0 || offset % sizeof(*record) || at > BANK_LOG)
		return BROKEN("%d has its log at %lld", i, (long long)offset);
	record = &view->log[i][(at + BANK_LOG - 1) % BANK_LOG];
	if (record->seq % BANK_LOG != (at + BANK_LOG - 1) % BANK_LOG)
		return BROKEN("%d has record %" PRIu64 " at %zu", i,
			      record->seq, at);

	*sum += state->log_total;
	if (record->seq == state->logged && record->total == state->log_total)
		return true;
	if (record->seq + 1 == state->logged &&
	    record->total == state->log_before)
		return true;
	return BROKEN("%d has logged %" PRIu64 ", the log says %" PRIu64, i,
		      state->logged, record->seq);
}

const char *bank_check(const struct bank_view *view)
{
	const struct bank_vault *vault = &view->vault[0];
	int64_t sum = vault->state[vault->counts & 1].amount;
	int i;

	for (i = 0; i < BANK_PROCS; i++) {
		sum += state_of(view, i)->cash;
		if (!check_pipe(view, i, &sum) || !check_vault(view, i, &sum) ||
		    !check_log(view, i, &sum))
			return broken;
	}
	if (sum != BANK_PROCS * BANK_CASH) {
		snprintf(broken, sizeof(broken), "the sum is %" PRId64
			 " instead of %lld", sum, BANK_PROCS * BANK_CASH);
		return broken;
	}
	return "";
}
