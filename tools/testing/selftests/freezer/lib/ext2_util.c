// SPDX-License-Identifier: GPL-2.0
/*
 * A file system on a RAM disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ext2_util.h"

const char * const ext2_dir = "/tmp/freezer_selftest.ext2";
static const char ext2_dev[] = "/tmp/freezer_selftest.ram";

/* 64 MB in one group of blocks. */
#define EXT2_BLOCK	4096U
#define EXT2_BLOCKS	16384U
#define EXT2_INODES	64U
/* super block, group, two bitmaps, two blocks of inodes, the root directory */
#define EXT2_USED	7U

static void ext2_put(unsigned char *p, unsigned int value, int bytes)
{
	while (bytes--) {
		*p++ = value;
		value >>= 8;
	}
}

static void ext2_set_bits(unsigned char *map, unsigned int from,
			  unsigned int to)
{
	for (; from < to; from++)
		map[from / 8] |= 1 << (from % 8);
}

static void ext2_entry(unsigned char *p, unsigned int len, const char *name)
{
	ext2_put(p, 2, 4);		/* the root */
	ext2_put(p + 4, len, 2);
	p[6] = strlen(name);
	p[7] = 2;			/* a directory */
	memcpy(p + 8, name, p[6]);
}

/* An empty file system. */
static int ext2_make(int fd)
{
	unsigned char *img = calloc(EXT2_USED, EXT2_BLOCK);
	unsigned char *p;
	ssize_t n;

	if (!img)
		return -ENOMEM;

	p = img + 1024;
	ext2_put(p, EXT2_INODES, 4);
	ext2_put(p + 4, EXT2_BLOCKS, 4);
	ext2_put(p + 12, EXT2_BLOCKS - EXT2_USED, 4);
	ext2_put(p + 16, EXT2_INODES - 10, 4);
	ext2_put(p + 24, 2, 4);			/* log of block size / 1024 */
	ext2_put(p + 28, 2, 4);
	ext2_put(p + 32, EXT2_BLOCK * 8, 4);	/* blocks of a group */
	ext2_put(p + 36, EXT2_BLOCK * 8, 4);
	ext2_put(p + 40, EXT2_INODES, 4);
	ext2_put(p + 54, 0xffff, 2);		/* mounts without a check */
	ext2_put(p + 56, 0xef53, 2);
	ext2_put(p + 58, 1, 2);			/* clean */
	ext2_put(p + 60, 1, 2);
	ext2_put(p + 76, 1, 4);			/* revision */
	ext2_put(p + 84, 11, 4);		/* first inode for others */
	ext2_put(p + 88, 128, 2);
	ext2_put(p + 96, 2, 4);			/* types in directories */

	p = img + EXT2_BLOCK;
	ext2_put(p, 2, 4);
	ext2_put(p + 4, 3, 4);
	ext2_put(p + 8, 4, 4);
	ext2_put(p + 12, EXT2_BLOCKS - EXT2_USED, 2);
	ext2_put(p + 14, EXT2_INODES - 10, 2);
	ext2_put(p + 16, 1, 2);

	ext2_set_bits(img + 2 * EXT2_BLOCK, 0, EXT2_USED);
	ext2_set_bits(img + 2 * EXT2_BLOCK, EXT2_BLOCKS, EXT2_BLOCK * 8);
	ext2_set_bits(img + 3 * EXT2_BLOCK, 0, 10);
	ext2_set_bits(img + 3 * EXT2_BLOCK, EXT2_INODES, EXT2_BLOCK * 8);

	p = img + 4 * EXT2_BLOCK + 128;
	ext2_put(p, S_IFDIR | 0755, 2);
	ext2_put(p + 4, EXT2_BLOCK, 4);
	ext2_put(p + 26, 2, 2);
	ext2_put(p + 28, EXT2_BLOCK / 512, 4);
	ext2_put(p + 40, 6, 4);

	p = img + 6 * EXT2_BLOCK;
	ext2_entry(p, 12, ".");
	ext2_entry(p + 12, EXT2_BLOCK - 12, "..");

	n = pwrite(fd, img, EXT2_USED * EXT2_BLOCK, 0);
	free(img);
	return n == EXT2_USED * EXT2_BLOCK ? fsync(fd) : -EIO;
}

int ext2_mount(void)
{
	int fd, err;

	umount2(ext2_dir, MNT_DETACH);
	unlink(ext2_dev);
	if (mknod(ext2_dev, S_IFBLK | 0600, makedev(1, 0)))
		return -errno;
	fd = open(ext2_dev, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = ext2_make(fd);
	close(fd);
	if (err)
		return err;
	mkdir(ext2_dir, 0755);
	if (mount(ext2_dev, ext2_dir, "ext4", 0, NULL))
		return -errno;
	fd = open(ext2_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void ext2_umount(int fd)
{
	if (fd >= 0) {
		ioctl(fd, FITHAW, 0);
		close(fd);
	}
	umount2(ext2_dir, MNT_DETACH);
	rmdir(ext2_dir);
	unlink(ext2_dev);
}

int ext2_freeze(void *arg)
{
	return ioctl(*(int *)arg, FIFREEZE, 0) ? 1 : 0;
}
