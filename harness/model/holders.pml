/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two holders, one of cgroup v1 and one of cgroup v2, freeze and thaw the same task in all orders.
 */
#define NT	1
#define NC	3
#define NH	2
#define NG	2
#define OPS	1
#define DO_SLF
#define NOT_LAZY
#include "engine.h"

proctype Freezer(byte c, hold)
{
	byte m, st, how, at;

	freeze_and_thaw(c, hold, hold)
}

init {
	atomic {
		linked[0] = 1;
		member[OF(0, 1)] = 1;
		run Task(0);
		run Freezer(1, 0);
		run Freezer(2, 1);
		run Relook(NC);
		run Waker(NC);
		run Buffers();
		run Judge()
	}
}
