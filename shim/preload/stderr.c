// SPDX-License-Identifier: MIT
/*
 * stderr.c - whether descriptor 2 still is the standard error that the program began with
 *
 * A program may close it, and what it opens next gets the number: our log must not go
 * there. So the constructor of this library (env.c) looks, if a log was asked for.
 */
#include "stderr.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

struct identity {
	uint32_t dev_major, dev_minor;
	uint64_t ino;
};

static struct identity original;
static bool known;

/* Not fstat(), whose version of libc would be one more to check at each exec. */
static bool identify(struct identity *ret_identity)
{
	struct statx st;

	if (syscall(SYS_statx, STDERR_FILENO, "", AT_EMPTY_PATH, STATX_INO, &st) < 0)
		return false;
	ret_identity->dev_major = st.stx_dev_major;
	ret_identity->dev_minor = st.stx_dev_minor;
	ret_identity->ino = st.stx_ino;
	return true;
}

void env_keep_stderr(void)
{
	known = identify(&original);
}

bool env_stderr_is_original(void)
{
	struct identity now;

	return known && identify(&now) && now.dev_major == original.dev_major &&
	       now.dev_minor == original.dev_minor && now.ino == original.ino;
}
