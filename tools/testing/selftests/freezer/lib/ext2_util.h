/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file system on a RAM disk that can be frozen itself (fsfreeze), for the tests
 * of who holds it off.
 */
#ifndef EXT2_UTIL_H
#define EXT2_UTIL_H

/* Where it is mounted. */
extern const char * const ext2_dir;

/* Mount a new one: a descriptor of its root directory, or -errno. */
int ext2_mount(void);
void ext2_umount(int fd);

/* For frz_spawn(): freeze the file system, as fsfreeze does. */
int ext2_freeze(void *arg);

#endif /* EXT2_UTIL_H */
