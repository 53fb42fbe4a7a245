/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading a snapshot that freezer_snapshot has written, as a debugger would,
 * and saying what is wrong with it.
 *
 * A function that returns text returns "" or the fault.
 */
#ifndef SNAPSHOT_READ_H
#define SNAPSHOT_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "snapshot_bank.h"

/* A core file, mapped. */
struct core {
	const char	*data;
	size_t		size;
	size_t		blocks;		/* bytes on disk */
	unsigned int	nr_threads;	/* NT_PRSTATUS notes */
	unsigned int	nr_fp;		/* NT_PRFPREG notes */
	unsigned int	nr_files;	/* entries of NT_FILE */
	unsigned int	nr_loads;
};

/* Map the core file of @pid and check everything that makes it one. */
const char *core_open(struct core *core, const char *snapshot, pid_t pid);
void core_close(struct core *core);

/* Memory: how many bytes are in the file, 0 when there are none, -ENOENT. */
ssize_t core_read(struct core *core, const void *addr, void *buf, size_t size);

/* Nth note of @type of thread @tid (0: of the process), NULL if there is none. */
const void *core_note(struct core *core, pid_t tid, unsigned int type,
		      size_t *size);

/* A file of the snapshot, with a NUL behind it; how many bytes, or -errno. */
ssize_t snapshot_file(const char *snapshot, const char *file, char *buf,
		      size_t size);

/* The value of a key in its file "snapshot": good for one check. */
const char *snapshot_key(const char *snapshot, const char *key);

/* The bank as it is in a snapshot. */
const char *snapshot_bank(const char *snapshot, struct bank *bank,
			  struct bank_view *view);

/* The registers of the thread of which they are known. */
const char *snapshot_spin(const char *snapshot, struct bank *bank);

#endif /* SNAPSHOT_READ_H */
