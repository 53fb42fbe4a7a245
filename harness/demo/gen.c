// SPDX-License-Identifier: GPL-2.0
/*
 * gen SEED LINES: write LINES lines of text that depend on SEED and on nothing
 * else, so that whatever is made of them has a checksum known in advance.
 *
 * A line is a number of eight hexadecimal digits and four to nine words out of
 * a vocabulary of 4096. Common words are more frequent than rare ones: there is
 * something to sort, something to count and something to compress.
 */
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>

static __u32 lcg;

/* The high bits of a linear congruential generator modulo 2^32. */
static __u32 next(void)
{
	lcg = lcg * 1664525u + 1013904223u;
	return lcg >> 8;
}

static void put_word(__u32 nr)
{
	static const char consonants[] = "bdfgklmnprstvwxz";
	static const char vowels[] = "aeio";
	int i;

	for (i = 0; i < 2; i++) {
		putchar(consonants[nr & 15]);
		putchar(vowels[nr >> 4 & 3]);
		nr >>= 6;
	}
}

int main(int argc, char **argv)
{
	unsigned long lines;

	if (argc != 3) {
		fprintf(stderr, "usage: gen SEED LINES\n");
		return 2;
	}
	lcg = strtoul(argv[1], NULL, 0) * 2654435761u;
	lines = strtoul(argv[2], NULL, 0);

	while (lines--) {
		__u32 words = 4 + next() % 6;

		printf("%08x", next() << 8 ^ next());
		while (words--) {
			putchar(' ');
			put_word((next() & 4095) * (next() & 4095) >> 12);
		}
		putchar('\n');
	}

	return fflush(stdout) || ferror(stdout);
}
