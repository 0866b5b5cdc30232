// SPDX-License-Identifier: MIT
/*
 * metered.c - files of [policy] quota
 */
#include "metered.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#define DIR "/var/lib/mptcpaddr"

int metered_mount(void)
{
	if (mount("tmpfs", "/var/lib", "tmpfs", 0, "mode=0755") < 0)
		return -errno;
	return mkdir(DIR, 0755) < 0 ? -errno : 0;
}

int metered_write(unsigned int uid, unsigned int date, const char *bytes)
{
	const time_t now = time(NULL);
	const struct tm *tm = gmtime(&now);
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), DIR "/metered.%u", uid);
	f = fopen(path, "we");
	if (!f)
		return -errno;
	if (!date)
		date = (tm->tm_year + 1900) * 10000 + (tm->tm_mon + 1) * 100 +
		       tm->tm_mday;
	fprintf(f, "%u %s %s\n", date, bytes, bytes);
	return fclose(f) ? -errno : 0;
}

long long metered_read(const char *path)
{
	FILE *f = fopen(path, "re");
	long long bytes = -1;

	if (f && fscanf(f, "%*u %*u %lld", &bytes) != 1)
		bytes = -1;
	if (f)
		fclose(f);
	return bytes;
}
