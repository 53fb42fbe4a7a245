// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: of a task (struct task_struct, from the slab allocator), and of the
 * freezer of a cgroup: what many cgroups of a hierarchy with the freezer take,
 * less what as many take in a hierarchy without any controller.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define CGROUPS	1000

/* KiB of the kernel's own memory. */
static long kernel_kib(void)
{
	static const char * const fields[] = { "Slab:", "Percpu:", "VmallocUsed:" };
	char text[4096];
	long sum = 0;
	unsigned int i;

	if (frz_read("/proc", "meminfo", text, sizeof(text)))
		return 0;
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		char *at = strstr(text, fields[i]);

		if (at)
			sum += atol(at + strlen(fields[i]));
	}
	return sum;
}

static double cgroup_bytes(const char *root)
{
	char path[FRZ_PATH_MAX];
	long before = kernel_kib(), after;
	int i;

	for (i = 0; i < CGROUPS; i++) {
		snprintf(path, sizeof(path), "%s/mem%d", root, i);
		if (mkdir(path, 0755))
			bench_fail("mkdir", -errno);
	}
	/* What is freed late has been freed by then, twice over */
	frz_sleep_ms(200);
	after = kernel_kib();
	for (i = 0; i < CGROUPS; i++) {
		snprintf(path, sizeof(path), "%s/mem%d", root, i);
		rmdir(path);
	}
	frz_sleep_ms(200);
	return (after - before) * 1024.0 / CGROUPS;
}

void bench_memory(int rounds)
{
	static struct bench_series with, without;
	char text[64], root[64] = "/tmp/bench.XXXXXX";
	int i;

	bench_progress("memory");
	if (!frz_read("/sys/kernel/slab/task_struct", "object_size", text,
		      sizeof(text)))
		bench_report_one("mem", "struct task_struct", "-", 1, "bytes",
				 atof(text));
	if (!mkdtemp(root))
		return;
	if (mount("bench", root, "cgroup", 0, "none,name=bench")) {
		bench_fail("mount of a named hierarchy", -errno);
		rmdir(root);
		return;
	}
	with.nr = 0;
	without.nr = 0;
	/* The first round leaves behind what is kept for later ones. */
	for (i = 0; i <= rounds && !bench_failed; i++) {
		double bytes = cgroup_bytes(root);

		if (i)
			bench_add(&without, bytes);
		if (!bench_has(BENCH_V1))
			continue;
		bytes = cgroup_bytes(frz_root());
		if (i)
			bench_add(&with, bytes);
	}
	umount(root);
	rmdir(root);
	bench_report("mem", "cgroup, no controller", "-", CGROUPS, "bytes",
		     &without);
	if (bench_has(BENCH_V1))
		bench_report("mem", "cgroup, freezer", "v1", CGROUPS, "bytes",
			     &with);
}
