// SPDX-License-Identifier: MIT
/*
 * chroot.c - chroot(), setuid() and so on: keep what the program cannot read afterwards
 */
#include "launch.h"
#include "pool_file.h"
#include "real.h"

#include <errno.h>
#include <unistd.h>

static void chroot_keep(bool root)
{
	int saved = errno;

	launch_keep(root);
	errno = saved;
}

HOOK int chroot(const char *path)
{
	int r;

	chroot_keep(true);
	r = REAL(chroot)(path);
	if (r == 0)
		pool_file_freeze();
	return r;
}

HOOK int setuid(uid_t uid)
{
	chroot_keep(false);
	return REAL(setuid)(uid);
}

HOOK int seteuid(uid_t uid)
{
	chroot_keep(false);
	return REAL(seteuid)(uid);
}

HOOK int setreuid(uid_t ruid, uid_t euid)
{
	chroot_keep(false);
	return REAL(setreuid)(ruid, euid);
}

HOOK int setresuid(uid_t ruid, uid_t euid, uid_t suid)
{
	chroot_keep(false);
	return REAL(setresuid)(ruid, euid, suid);
}
