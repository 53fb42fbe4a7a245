/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The time that the machine loses because its CPUs do not run: it is emulated, and its
 * host has stopped one of them meanwhile, or gives it less than it asks for.
 *
 * A test that says how long the kernel may take says it of the time that the machine
 * has had: it leaves out what it has lost meanwhile, and nothing else.
 */
#ifndef FREEZER_LOST_H
#define FREEZER_LOST_H

#include <stdint.h>

/*
 * Watch the CPUs on which the caller may run, until the caller ends: 0 or -errno. The
 * watchers are a child of the caller, outside of the cgroups of the test. They are
 * realtime tasks, so that no other task's time counts as lost. Where the caller may not
 * have such ones nothing counts as lost.
 */
int frz_lost_start(void);

/*
 * What all CPUs together have lost so far, in nanoseconds; 0 where nobody watches. A
 * child of the caller may ask as well.
 */
int64_t frz_lost_ns(void);

#endif /* FREEZER_LOST_H */
