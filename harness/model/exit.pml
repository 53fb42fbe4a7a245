/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A task exits, and sleeps on its way out, for less than the 100 ms that it has for that.
 */
#define NT	1
#define NC	3
#define OPS	2
#define DO_SLD
#define DO_EXIT
#define NOT_LAZY
#include "engine.h"

proctype Freezer(byte c)
{
	byte m, st, how, at;

	freeze_and_thaw(c, 0, 0);
	freeze_and_thaw(c, 0, 0)
}

init {
	atomic {
		linked[0] = 1;
		run Task(0);
		run Freezer(1);
		run Relook(2);
		run Waker(NC);
		run Buffers();
		run Judge()
	}
}
