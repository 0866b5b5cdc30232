// SPDX-License-Identifier: MIT
/*
 * blackhole_report.c - since when and until when the kernel has switched MPTCP off
 */
#include "blackhole_report.h"
#include "shim/common/blackhole.h"
#include "shim/common/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DOUBLED_MAX 6 /* net/mptcp/ctrl.c, mptcp_active_should_disable() */

static unsigned int read_timeout(void)
{
	FILE *file = fopen(BLACKHOLE_SYSCTL, "re");
	unsigned int seconds = 0;

	if (file && fscanf(file, "%u", &seconds) != 1)
		seconds = 0;
	if (file)
		fclose(file);
	return seconds;
}

static const char *time_text(int64_t when, char ret_text[static 32])
{
	const time_t at = when;
	struct tm tm;

	strftime(ret_text, 32, "%F %T", localtime_r(&at, &tm));
	return ret_text;
}

void blackhole_read(uint64_t times, int64_t noticed_s, struct blackhole *ret)
{
	const unsigned int doubled = times > DOUBLED_MAX ? DOUBLED_MAX : times - 1;
	char since[32], until[32];
	unsigned int longest;

	*ret = (struct blackhole){ .on = times && blackhole_is_on() };
	if (!ret->on)
		return;
	ret->timeout = read_timeout();
	longest = ret->timeout << doubled;
	if (!noticed_s) {
		snprintf(ret->text, sizeof(ret->text),
			 "MPTCP is switched off by the kernel, for at most %u s: an "
			 "uplink dropped its SYNs",
			 longest);
		return;
	}
	ret->since = time(NULL) - clock_ms() / 1000 + noticed_s;
	ret->until = ret->since + longest;
	snprintf(ret->text, sizeof(ret->text),
		 "MPTCP is switched off by the kernel since %s, until %s%s: an uplink "
		 "dropped its SYNs",
		 time_text(ret->since, since), time_text(ret->until, until),
		 doubled ? " at the latest" : "");
}
