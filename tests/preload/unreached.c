// SPDX-License-Identifier: MIT
/*
 * unreached.c - checklist 9 to 11: programs that the library must leave alone
 */
#include "preload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SECURE "/run/secure"
#define LIBDIR "/usr/lib/x86_64-linux-gnu"

/*
 * A program with a file capability, run by a user who is not root: AT_SECURE. There the
 * loader takes libraries without a slash, from its own folders, and setuid: ours is laid
 * over that folder, for this test alone.
 */
static const char secure_script[] =
	"set -e\n"
	"cp \"$1\" \"$2\" " SECURE "/lib/\n"
	"chmod 4755 " SECURE "/lib/libmptcpaddr.so\n"
	"cp \"$3\" " SECURE "/protocol\n"
	"mount -t overlay overlay -o lowerdir=$4,upperdir=" SECURE
	"/lib,workdir=" SECURE "/work \"$4\"\n"
	"[ \"$5\" = plain ] || setfattr_() { :; }\n"
	"exec unshare --user --map-user=1000 --map-group=1000 "
	"env LD_PRELOAD=libmptcpaddr.so MPTCPADDR_LOG=debug:" SECURE "/log "
	"MPTCPADDR_CONFIG=" SECURE "/pool.conf " SECURE "/protocol " LAB_ADDRESS
	" " LAB_PORT "\n";
