/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tests of the signal controller use the fixture of the freezer tests, in a
 * hierarchy that has both controllers:
 *
 *	mount -t cgroup -o freezer,signal
 *
 * Where they are mounted apart sgn_begin() changes that for the time of the
 * tests.
 */
#ifndef SIGNAL_FIXTURE_H
#define SIGNAL_FIXTURE_H

#include "freezer_test.h"
#include "signal_util.h"

FIXTURE(signals) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_SETUP(signals)
{
	if (!sgn_present())
		SKIP(return, "the kernel has no signal controller");
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(signals)
{
	FRZ_GROUP_END(self->cg);
}

#define SIGNAL_TEST(name) TEST_F_TIMEOUT(signals, name, 3600)

#endif /* SIGNAL_FIXTURE_H */
