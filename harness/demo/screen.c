// SPDX-License-Identifier: GPL-2.0
/*
 * How the demonstration looks.
 *
 * On a terminal, events scroll by at the top, and below them stands a picture
 * that is drawn again in place: a bar for each part of the job, and beside it
 * its speed against time, so that a freeze is a gap. Without a terminal the
 * same is told in lines, one a second and one for each event.
 *
 * A serial console knows no size and may be slow: nothing here asks the
 * terminal anything, no line is longer than it is wide, and the picture is
 * drawn a few times a second at most.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "demo.h"

#define DRAW_INTERVAL	0.5
#define LINE_INTERVAL	0.95	/* a second, less what a tick may be early */
#define COLUMN_START	0.5	/* seconds that a column stands for at first */

/* How fast: the more ink, the faster. Something is never nothing. */
static const char levels[] = " .:-=+*#";

static const char *const state_colours[] = {
	[STATE_THAWED]		= "\033[32m",
	[STATE_FREEZING]	= "\033[33m",
	[STATE_FROZEN]		= "\033[1;36m",
	[STATE_UNKNOWN]		= "\033[31m",
};

static struct {
	bool draw;
	int width;		/* of the terminal */
	int bar;		/* of a progress bar, without its brackets */
	int strip;		/* columns of the chart */
	int height;		/* lines of the picture on the screen now */
	double next;		/* when to draw or to print again */
	double drawn;		/* when that was last done */
	double cpu_busy;	/* as of the last tick */
	char title[64];
} screen;

/* A column of the chart: what happened in one step of time. */
struct column {
	__u64 bytes[MAX_PARTS];
	double busy;
	int samples;
	int freezing;		/* samples that were so */
	int frozen;
};

static struct {
	double step;
	double begin;
	int used;
	__u64 last[MAX_PARTS];
	enum state last_state;
	struct column columns[MAX_COLUMNS];
} chart;

static void add_column(struct column *to, const struct column *from)
{
	int p;

	for (p = 0; p < job.nr_parts; p++)
		to->bytes[p] += from->bytes[p];
	to->busy += from->busy;
	to->samples += from->samples;
	to->freezing += from->freezing;
	to->frozen += from->frozen;
}

/* Make room: two columns become one. */
static void halve_chart(void)
{
	static const struct column empty;
	int i;

	for (i = 0; i < screen.strip; i++) {
		struct column sum = empty;

		if (2 * i + 1 < screen.strip) {
			add_column(&sum, &chart.columns[2 * i]);
			add_column(&sum, &chart.columns[2 * i + 1]);
		}
		chart.columns[i] = sum;
	}
	chart.step *= 2;
}

static void update_chart(double cpu_busy)
{
	struct column *column;
	int nr, p;

	if (!chart.step) {
		chart.step = COLUMN_START;
		chart.begin = now();
	}
	while ((nr = (now() - chart.begin) / chart.step) >= screen.strip)
		halve_chart();
	column = &chart.columns[nr];

	for (p = 0; p < job.nr_parts; p++) {
		__u64 bytes = job.parts[p].bytes;

		column->bytes[p] += bytes - chart.last[p];
		chart.last[p] = bytes;
	}
	column->busy += cpu_busy;
	column->samples++;
	/* What was measured is what happened since the last sample. */
	if (job.state == STATE_FREEZING)
		column->freezing++;
	else if (job.state == STATE_FROZEN && chart.last_state == job.state)
		column->frozen++;
	chart.last_state = job.state;
	chart.used = nr + 1;
}

static char level(double value, double most)
{
	int nr = sizeof(levels) - 2;

	if (value <= 0 || most <= 0)
		return levels[0];
	if (value >= most)
		return levels[nr];

	return levels[1 + (int)(value / most * (nr - 1))];
}

static void put_bar(double fraction)
{
	int full = fraction * screen.bar + 0.5;
	int i;

	putchar('[');
	for (i = 0; i < screen.bar; i++)
		putchar(i < full ? '#' : '.');
	printf("] %3d%% ", (int)(fraction * 100 + 0.001));
}

static void put_part(int p)
{
	const struct part *part = &job.parts[p];
	__u64 most = 0;
	int i;

	printf(" %-6.6s", part->name);
	put_bar(part_fraction(part));
	for (i = 0; i < chart.used; i++)
		if (chart.columns[i].bytes[p] > most)
			most = chart.columns[i].bytes[p];
	putchar('|');
	for (i = 0; i < chart.used; i++)
		putchar(level(chart.columns[i].bytes[p], most));
	printf("%*s|\033[K\n", screen.strip - chart.used, "");
}

static void put_cpu(void)
{
	int i;

	printf(" %-6s", "CPUs");
	put_bar(screen.cpu_busy);
	putchar('|');
	for (i = 0; i < chart.used; i++) {
		const struct column *column = &chart.columns[i];
		double busy = 0;

		/* What this program and the clock do is no work. */
		if (column->samples)
			busy = column->busy / column->samples - 0.02;
		putchar(level(busy, 1));
	}
	printf("%*s|\033[K\n", screen.strip - chart.used, "");
}

static void put_state(void)
{
	enum state shown = STATE_UNKNOWN;
	char text[64];
	int len, i;

	len = snprintf(text, sizeof(text), "%s for %.1f s",
		       state_name(job.state), now() - job.state_since);
	printf(" state  %s%s\033[0m", state_colours[job.state], text);
	printf("%*s|", screen.bar + 7 - len, "");
	for (i = 0; i < chart.used; i++) {
		const struct column *column = &chart.columns[i];
		enum state state = STATE_THAWED;
		char letter = '=';

		if (column->frozen) {
			state = STATE_FROZEN;
			letter = column->frozen == column->samples ? 'F' : 'f';
		} else if (column->freezing) {
			state = STATE_FREEZING;
			letter = '~';
		}
		if (state != shown)
			fputs(state_colours[state], stdout);
		shown = state;
		putchar(letter);
	}
	printf("\033[0m%*s|\033[K\n", screen.strip - chart.used, "");
}

static void erase_picture(void)
{
	if (screen.height)
		printf("\r\033[%dA\033[J", screen.height);
	screen.height = 0;
}

static void draw_picture(void)
{
	char right[32];
	int p;

	/* Draw over the old picture: erasing it first would flicker. */
	if (screen.height)
		printf("\r\033[%dA", screen.height);
	snprintf(right, sizeof(right), "%.1f s", now());
	printf("\033[K\n \033[1m%-*.*s\033[0m%*s\033[K\n",
	       screen.width - 14, screen.width - 14, screen.title, 10, right);
	for (p = 0; p < job.nr_parts; p++)
		put_part(p);
	put_cpu();
	put_state();
	printf(" %*s 1 column = %.1f s, F: frozen, f: in part\033[K\n",
	       screen.bar + 13, "", chart.step);
	screen.height = job.nr_parts + 5;
	screen.drawn = now();
	fflush(stdout);
}

static void print_line(void)
{
	int p;

	printf("[%7.3f] %-8s", now(), state_name(job.state));
	for (p = 0; p < job.nr_parts; p++)
		printf("  %s %3d%%", job.parts[p].name,
		       (int)(part_fraction(&job.parts[p]) * 100 + 0.001));
	printf("  CPUs %3d%%\n", (int)(screen.cpu_busy * 100 + 0.5));
	fflush(stdout);
}

void screen_open(bool draw, int columns, const char *title)
{
	screen.draw = draw;
	screen.width = columns < 60 ? 60 : columns;
	screen.bar = screen.width / 4;
	screen.strip = screen.width - screen.bar - 18;
	if (screen.strip > MAX_COLUMNS)
		screen.strip = MAX_COLUMNS;
	screen.strip &= ~1;
	snprintf(screen.title, sizeof(screen.title), "%s", title);
	/* No cursor; and long lines wrap, which some firmware turns off. */
	if (draw)
		fputs("\033[?25l\033[?7h", stdout);
}

/* Something was measured; show it if it is time to. */
void screen_tick(double cpu_busy)
{
	double t = now();

	screen.cpu_busy = cpu_busy;
	update_chart(cpu_busy);
	if (t < screen.next)
		return;
	screen.next = t + (screen.draw ? DRAW_INTERVAL : LINE_INTERVAL);
	if (screen.draw)
		draw_picture();
	else
		print_line();
}

/* Something happened that stays on the screen. */
void screen_event(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	if (screen.draw) {
		bool picture = screen.height;
		int room = screen.width - 11;
		const char *p = text;

		erase_picture();
		printf("\033[2m[%7.3f]\033[0m %.*s\n", now(), room, p);
		while (strlen(p) > (size_t)room) {
			p += room;
			printf("%10s%.*s\n", "", room, p);
		}
		/* Of several events in a row, not each needs a picture. */
		if (picture && now() > screen.drawn + DRAW_INTERVAL / 4)
			draw_picture();
		else
			screen.next = 0;
	} else {
		printf("[%7.3f] %s\n", now(), text);
	}
	fflush(stdout);
}

/* The last picture stays where it is. */
void screen_close(void)
{
	if (screen.draw) {
		if (chart.step)
			draw_picture();
		fputs("\033[?25h", stdout);
	}
	fflush(stdout);
}
