/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A bank for the snapshot tests: processes that pass money to each other in
 * every way there is, so that the sum shows whether they were all seen at one
 * moment.
 *
 *	 ,---> process 0 ---> process 1 ---> process 2 ---> process 3 ---.
 *	 '----------------------------  pipes  --------------------------'
 *
 *	each <--> the vault, in shared memory
 *	each <--> its log, a file with an offset
 *
 * Money moves in steps that cannot be made at once: it leaves one place, and
 * later it is in the other. Money on its way is accounted for like this:
 *
 *  - All that a process has is in a struct bank_state. There are two of them
 *    and one word that says which one counts, so it changes with one store.
 *  - Each way has a sequence number on both sides. Before money goes a way, the
 *    process takes it from its cash, counts up its side, and remembers the
 *    amount, with one store. The other side counts up when it has it.
 *
 * So at any moment, between any two instructions, the two sides of each way
 * differ by what is on the way, and all of that can be found: by how much
 * exactly is what bank_check() works out. If the processes were seen at
 * different moments the numbers do not fit, or the sum is wrong.
 */
#ifndef SNAPSHOT_BANK_H
#define SNAPSHOT_BANK_H

#include <stdint.h>
#include <sys/types.h>

#include "freezer_util.h"

#define BANK_PROCS	4
#define BANK_CASH	1000000LL

/* Messages in each pipe before it begins, so that no process has to wait. */
#define BANK_AHEAD	20

/* Records in the log before it is written over from its beginning. */
#define BANK_LOG	64

struct bank_message {
	uint64_t	seq;
	int64_t		amount;
	uint64_t	check;		/* of the other two */
};

struct bank_record {
	uint64_t	seq;
	int64_t		total;
};

struct bank_state {
	int64_t		cash;
	uint64_t	sent;		/* messages to the next process */
	uint64_t	received;	/* messages from the one before */
	uint64_t	lent;		/* movements from and to the vault */
	uint64_t	logged;		/* records in the log */
	int64_t		sent_amount;	/* of the last message */
	int64_t		lent_amount;	/* of the last movement */
	int64_t		log_total;	/* of the last record */
	int64_t		log_before;	/* of the one before */
};

/* Of each process, at the same address in its private memory. */
struct bank_account {
	struct bank_state	state[2];
	unsigned long		counts;	/* which of them */
	struct bank_message	inbox;	/* is read into */
	int			in;
	int			out;
	int			log;
	pid_t			spin_tid;	/* a second thread, or 0 */
	unsigned long		spin;		/* what it counts */
};

struct bank_vault_state {
	int64_t		amount;
	uint64_t	lent[BANK_PROCS];
};

/* In shared memory. */
struct bank_vault {
	struct bank_vault_state	state[2];
	unsigned long		counts;
	unsigned long		lock;
	unsigned long		turns;		/* of all processes */
	unsigned long		errors;		/* what a process must not see */
};

struct bank {
	pid_t			pid[BANK_PROCS];
	int			pipe[BANK_PROCS][2];	/* written by n */
	int			log[BANK_PROCS];
	char			log_name[BANK_PROCS][48];	/* device:inode */
	struct bank_vault	*vault;
};

/* All of it as it was seen by somebody. */
struct bank_view {
	struct bank_account	account[BANK_PROCS];
	struct bank_vault	vault[BANK_PROCS];	/* as each has it */
	struct bank_message	pipe[BANK_PROCS][1024];	/* read by n */
	size_t			piped[BANK_PROCS];	/* bytes */
	off_t			log_offset[BANK_PROCS];
	struct bank_record	log[BANK_PROCS][BANK_LOG + 1];
};

/* Where the accounts are, in each process. */
extern struct bank_account bank_account;

/*
 * Start the processes, in turn in @path and in the cgroup below, @path/sub,
 * and wait until they are at work: 0 or -errno.
 */
int bank_open(struct bank *bank, const char *path);

/* Wait until @turns more are made: 0, or -ETIMEDOUT. */
int bank_turns(struct bank *bank, unsigned long turns, int timeout_ms);

/* "": all processes live and none saw anything strange. */
const char *bank_health(struct bank *bank);

/* Look at the processes, as they are at the moment: 0 or -errno. */
int bank_look(struct bank *bank, struct bank_view *view);

/* "", or in what way it is not the bank as it can be at one moment. */
const char *bank_check(const struct bank_view *view);

#endif /* SNAPSHOT_BANK_H */
